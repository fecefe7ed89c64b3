//! What `-d` and its like post, and what `--url-query` asks.

use crate::address::escape;
use crate::failure::Failure;
use crate::options::{Data, DataKind};
use std::fs;
use std::io::Read as _;

/// Reads a file, or standard input for `-`.
pub(crate) fn read(name: &str) -> Result<Vec<u8>, Failure> {
    if name != "-" {
        return fs::read(name).map_err(|error| Failure::reading(name, &error));
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| Failure::reading("standard input", &error))?;
    Ok(bytes)
}

/// All pieces, one after the other.
pub(crate) fn joined(data: &[Data]) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    for (at, piece) in data.iter().enumerate() {
        if at > 0 && piece.kind != DataKind::Json {
            body.push(b'&');
        }
        body.extend(bytes(piece)?);
    }
    Ok(body)
}

/// What they are, unless a header says it.
pub(crate) fn media(data: &[Data]) -> &'static str {
    if is_json(data) { "application/json" } else { "application/x-www-form-urlencoded" }
}

/// Whether `--json` was used.
pub(crate) fn is_json(data: &[Data]) -> bool {
    data.iter().any(|piece| piece.kind == DataKind::Json)
}

fn bytes(piece: &Data) -> Result<Vec<u8>, Failure> {
    let file = piece.text.strip_prefix('@');
    match (piece.kind, file) {
        (DataKind::UrlEncoded, _) => encoded(&piece.text).map(String::into_bytes),
        (DataKind::Ascii, Some(name)) => {
            let mut bytes = read(name)?;
            bytes.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
            Ok(bytes)
        }
        (DataKind::Binary | DataKind::Json, Some(name)) => read(name),
        (DataKind::Raw, _) | (_, None) => Ok(piece.text.clone().into_bytes()),
    }
}

/// `content`, `=content`, `name=content`, `@file` or `name@file`.
fn encoded(text: &str) -> Result<String, Failure> {
    let at = text.find(['=', '@']);
    let (name, content) = match at {
        None => ("", escape(text.as_bytes())),
        Some(at) if text[at..].starts_with('=') => (&text[..at], escape(&text.as_bytes()[at + 1..])),
        Some(at) => (&text[..at], escape(&read(&text[at + 1..])?)),
    };
    Ok(if name.is_empty() { content } else { format!("{name}={content}") })
}

/// What is added to the query of each URL.
pub(crate) fn query(pieces: &[String]) -> Result<String, Failure> {
    let one = |piece: &String| match piece.strip_prefix('+') {
        Some(ready) => Ok(ready.to_owned()),
        None => encoded(piece),
    };
    Ok(pieces.iter().map(one).collect::<Result<Vec<_>, _>>()?.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(kind: DataKind, text: &str) -> Data {
        Data { kind, text: text.to_owned() }
    }

    fn text(data: &[Data]) -> String {
        String::from_utf8(joined(data).unwrap()).unwrap()
    }

    #[test]
    fn pieces_are_joined_by_an_ampersand_and_json_is_not() {
        assert_eq!(text(&[piece(DataKind::Ascii, "a=1"), piece(DataKind::Raw, "@b")]), "a=1&@b");
        let json = [piece(DataKind::Json, "{\"a\":"), piece(DataKind::Json, "1}")];
        assert_eq!(text(&json), "{\"a\":1}");
        assert_eq!(media(&json), "application/json");
        assert_eq!(text(&[piece(DataKind::Ascii, "")]), "");
    }

    #[test]
    fn files_lose_their_line_ends_unless_they_are_binary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, "a b\r\nc\n").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(text(&[piece(DataKind::Ascii, &format!("@{path}"))]), "a bc");
        assert_eq!(text(&[piece(DataKind::Binary, &format!("@{path}"))]), "a b\r\nc\n");
        assert_eq!(text(&[piece(DataKind::UrlEncoded, &format!("x@{path}"))]), "x=a%20b%0D%0Ac%0A");
        let failure = joined(&[piece(DataKind::Ascii, "@/no/such/file")]).unwrap_err();
        assert_eq!(failure.code, 26);
    }

    #[test]
    fn what_is_encoded_keeps_its_name() {
        for (given, expected) in [("a b", "a%20b"), ("=a=b", "a%3Db"), ("q=a&b", "q=a%26b")] {
            assert_eq!(text(&[piece(DataKind::UrlEncoded, given)]), expected);
        }
        assert_eq!(query(&["q=a b".to_owned(), "+x=%20".to_owned()]).unwrap(), "q=a%20b&x=%20");
    }
}
