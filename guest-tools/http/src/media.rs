//! What a body is.

use crate::Response;

/// What can be done with a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page.
    Html,
    /// Text of any other sort: plain, JSON, XML, code.
    Text,
    /// An image that models can look at.
    Image,
    /// A PDF.
    Pdf,
    /// Anything else.
    Binary,
}

/// The media type of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// In small letters and without parameters: `text/html`. Told from the bytes if nobody said.
    pub name: String,
    /// The parameter `charset`.
    pub charset: Option<String>,
    /// What can be done with it.
    pub kind: Kind,
}

impl Media {
    /// Tells what the body of a response is: what its header says, unless that says nothing.
    pub fn of(response: &Response) -> Self {
        let header = response.header("content-type").unwrap_or_default();
        let mut pieces = header.split(';').map(str::trim);
        let name = pieces.next().unwrap_or_default().to_ascii_lowercase();
        let charset = pieces.find_map(|piece| {
            let (key, value) = piece.split_once('=')?;
            key.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
        });
        let silent = !name.contains('/') || matches!(&*name, "application/octet-stream" | "binary/octet-stream");
        let name = if silent { sniffed(&response.body).to_owned() } else { name };
        let kind = kind(&name);
        Self { name, charset, kind }
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "application/pdf" | "application/x-pdf" => Kind::Pdf,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => Kind::Image,
        "application/json"
        | "application/xml"
        | "application/javascript"
        | "application/x-javascript"
        | "application/ecmascript"
        | "application/yaml"
        | "application/x-yaml"
        | "application/toml"
        | "application/x-ndjson"
        | "application/jsonl"
        | "application/graphql"
        | "application/sql"
        | "application/x-sh"
        | "application/x-www-form-urlencoded"
        | "application/rtf" => Kind::Text,
        _ if name.starts_with("text/") => Kind::Text,
        _ if name.ends_with("+json") || name.ends_with("+xml") || name.ends_with("+yaml") => Kind::Text,
        _ => Kind::Binary,
    }
}

fn sniffed(body: &[u8]) -> &'static str {
    let head = &body[..body.len().min(512)];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let begins = |word: &str| text.get(..word.len()).is_some_and(|own| own.eq_ignore_ascii_case(word.as_bytes()));
    match head {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        [b'%', b'P', b'D', b'F', b'-', ..] => "application/pdf",
        _ if head.contains(&0) => "application/octet-stream",
        _ if begins("<!doctype html") || begins("<html") => "text/html",
        _ => "text/plain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(header: Option<&str>, body: &[u8]) -> Media {
        let headers = header.map(|header| ("content-type".to_owned(), header.to_owned()));
        let headers = headers.into_iter().collect();
        Media::of(&Response { status: 200, headers, body: body.to_vec(), broken_off: None })
    }

    #[test]
    fn the_header_is_believed() {
        let page = media(Some("Text/HTML; Charset=\"ISO-8859-1\""), b"%PDF-");
        assert_eq!(page, Media { name: "text/html".into(), charset: Some("ISO-8859-1".into()), kind: Kind::Html });
        for (header, kind) in [
            ("application/problem+json", Kind::Text),
            ("application/rss+xml", Kind::Text),
            ("text/markdown;charset=utf-8", Kind::Text),
            ("image/webp", Kind::Image),
            ("image/tiff", Kind::Binary),
            ("application/zip", Kind::Binary),
            ("application/pdf", Kind::Pdf),
        ] {
            assert_eq!(media(Some(header), b"").kind, kind, "{header}");
        }
    }

    #[test]
    fn a_header_that_says_nothing_is_not() {
        assert_eq!(media(None, b"\n<!DOCTYPE html><p>").kind, Kind::Html);
        assert_eq!(media(Some("application/octet-stream"), b"%PDF-1.7").kind, Kind::Pdf);
        assert_eq!(media(Some(""), b"plain").kind, Kind::Text);
        assert_eq!(media(Some("nonsense"), b"a\0b").kind, Kind::Binary);
        assert_eq!(media(None, b"\x89PNG\r\n\x1a\n..").kind, Kind::Image);
    }
}
