//! From bytes to text.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How far into a page its own word about its encoding is looked for, as browsers do.
const PRESCAN_BYTES: usize = 1024;

/// Decodes text: by its byte order mark, else as the header's `charset` says, else as the
/// page itself says (`html`), else as UTF-8 if it is, else as Windows-1252, which is what
/// unlabelled old pages are. Bytes that make no sense are replaced.
pub fn decode(bytes: Vec<u8>, charset: Option<&str>, html: bool) -> String {
    let labelled = Encoding::for_bom(&bytes).map(|(encoding, _)| encoding);
    let labelled = labelled.or_else(|| Encoding::for_label(charset?.as_bytes()));
    let labelled = labelled.or_else(|| if html { declared(&bytes) } else { None });
    let encoding = match labelled {
        Some(encoding) if encoding != UTF_8 => encoding,
        labelled => match String::from_utf8(bytes) {
            // Without a copy, and nearly always.
            Ok(text) if text.starts_with('\u{feff}') => return text['\u{feff}'.len_utf8()..].to_owned(),
            Ok(text) => return text,
            Err(error) => {
                let encoding = labelled.unwrap_or(WINDOWS_1252);
                return encoding.decode(error.as_bytes()).0.into_owned();
            }
        },
    };
    encoding.decode(&bytes).0.into_owned()
}

/// What `<meta charset=…>` or `<?xml encoding=…?>` says near the beginning.
fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(PRESCAN_BYTES)].to_ascii_lowercase();
    let mut rest = head.as_slice();
    loop {
        let (at, word) =
            [&b"charset"[..], b"encoding"].into_iter().filter_map(|word| Some((find(rest, word)?, word))).min()?;
        rest = &rest[at + word.len()..];
        let Some(value) = rest.trim_ascii_start().strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let value = value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value);
        let end = value.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"-_:.".contains(byte)));
        let label = &value[..end.unwrap_or(value.len())];
        match Encoding::for_label(label) {
            // A page that could say so in ASCII is no UTF-16.
            Some(encoding) if !encoding.is_ascii_compatible() => return Some(UTF_8),
            Some(encoding) => return Some(encoding),
            None => {}
        }
    }
}

fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    text.windows(word.len()).position(|window| window == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(bytes: &[u8], charset: Option<&str>) -> String {
        decode(bytes.to_vec(), charset, true)
    }

    #[test]
    fn the_header_wins_over_the_page() {
        assert_eq!(page(b"caf\xe9", Some("iso-8859-1")), "café");
        assert_eq!(page(b"<meta charset=utf-8>\xcf\xf0\xe8", Some("windows-1251")), "<meta charset=utf-8>При");
        assert_eq!(page(b"\x82\xb1\x82\xf1", Some("Shift_JIS")), "こん");
    }

    #[test]
    fn the_page_says_it_itself() {
        assert_eq!(page(b"<META charset='windows-1250'>\x9elu", None), "<META charset='windows-1250'>žlu");
        let old = b"<meta http-equiv=Content-Type content=\"text/html; charset=EUC-KR\">\xb0\xa1";
        assert!(page(old, None).ends_with('가'));
        assert!(page(b"<?xml version='1.0' encoding='iso-8859-2'?>\xb9", None).ends_with('š'));
        assert!(page(b"<p>charset is a word<meta charset=iso-8859-2>\xb9", None).ends_with('š'));
        // Nobody reads this far for it, and plain text says nothing about itself.
        assert!(page(&[&b" ".repeat(2000)[..], b"<meta charset=iso-8859-2>\xb9"].concat(), None).ends_with('¹'));
        assert!(decode(b"charset=iso-8859-2 \xb9".to_vec(), None, false).ends_with('¹'));
    }

    #[test]
    fn without_a_word_it_is_utf_8_or_what_old_pages_are() {
        assert_eq!(page("žluťoučký".as_bytes(), None), "žluťoučký");
        assert_eq!(page(b"\xef\xbb\xbfabc", Some("utf-8")), "abc");
        assert_eq!(page(b"\xff\xfea\0b\0", None), "ab");
        assert_eq!(page(b"smart \x93quotes\x94", None), "smart “quotes”");
        assert_eq!(page(b"bad \xff", Some("utf-8")), "bad \u{fffd}");
        assert_eq!(page(b"caf\xe9", Some("no-such-thing")), "café");
    }
}
