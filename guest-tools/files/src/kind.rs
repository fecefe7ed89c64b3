//! What a file is, from how it begins. Names lie more often than first bytes.

/// How many bytes are looked at.
pub(crate) const HEAD_BYTES: usize = 8 * 1024;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// An image, with its media type.
    Image(&'static str),
    Pdf,
    /// Anything else, in words.
    Binary(&'static str),
}

/// Tells what a file is.
pub(crate) fn of(head: &[u8]) -> Kind {
    match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Kind::Image("image/png"),
        [0xff, 0xd8, 0xff, ..] => Kind::Image("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Kind::Image("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Kind::Image("image/webp"),
        [b'%', b'P', b'D', b'F', b'-', ..] => Kind::Pdf,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] if head.contains(&0) => {
            Kind::Binary("text in UTF-16, which is not read here")
        }
        _ if head.contains(&0) => Kind::Binary(binary(head)),
        _ => Kind::Text,
    }
}

fn binary(head: &[u8]) -> &'static str {
    match head {
        [0x7f, b'E', b'L', b'F', ..] | [b'M', b'Z', ..] | [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => "a program",
        [0, b'a', b's', b'm', ..] => "WebAssembly",
        [b'P', b'K', 3, 4, ..] => "a ZIP archive",
        [0x1f, 0x8b, ..] => "compressed with gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "compressed with Zstandard",
        [b'S', b'Q', b'L', b'i', b't', b'e', ..] => "an SQLite database",
        _ if head.get(257..262) == Some(b"ustar") => "a tar archive",
        _ => "binary",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_from_the_first_bytes() {
        assert_eq!(of(b""), Kind::Text);
        assert_eq!(of("žluťoučký".as_bytes()), Kind::Text);
        assert_eq!(of(b"\x89PNG\r\n\x1a\n...."), Kind::Image("image/png"));
        assert_eq!(of(b"RIFF\0\0\0\0WEBPVP8 "), Kind::Image("image/webp"));
        assert_eq!(of(b"RIFF\0\0\0\0WAVEfmt "), Kind::Binary("binary"));
        assert_eq!(of(b"%PDF-1.7\n"), Kind::Pdf);
        assert_eq!(of(b"\0asm\x0d\0\x01\0"), Kind::Binary("WebAssembly"));
        assert!(matches!(of(b"\xff\xfea\0b\0"), Kind::Binary(_)));
    }
}
