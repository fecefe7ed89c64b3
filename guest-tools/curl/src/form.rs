//! `multipart/form-data`, as `-F` asks for it.

use crate::data;
use crate::failure::Failure;
use crate::options::Field;
use crate::request::{Body, Piece};
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

/// A form, and its media type with the boundary.
pub(crate) struct Form {
    pub(crate) body: Body,
    pub(crate) media: String,
}

/// Puts the parts together; files stay on the disk until they are sent.
pub(crate) fn multipart(fields: &[Field]) -> Result<Form, Failure> {
    multipart_with(fields, &boundary())
}

fn multipart_with(fields: &[Field], boundary: &str) -> Result<Form, Failure> {
    let mut pieces = Vec::new();
    for field in fields {
        let part = Part::parse(field);
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name));
        if let Some(filename) = part.filename() {
            head.push_str(&format!("; filename=\"{}\"", quoted(&filename)));
        }
        if let Some(media) = part.media() {
            head.push_str(&format!("\r\nContent-Type: {media}"));
        }
        head.push_str("\r\n\r\n");
        pieces.push(Piece::Bytes(head.into_bytes()));
        pieces.push(match &part.content {
            Content::Text(text) => Piece::Bytes(text.clone().into_bytes()),
            Content::File(name) | Content::TextOf(name) => match Piece::file(name)? {
                // The end of a stream has no length, and a form needs one.
                Piece::Stdin => Piece::Bytes(data::read("-")?),
                piece => piece,
            },
        });
        pieces.push(Piece::Bytes(b"\r\n".to_vec()));
    }
    pieces.push(Piece::Bytes(format!("--{boundary}--\r\n").into_bytes()));
    let media = format!("multipart/form-data; boundary={boundary}");
    Ok(Form { body: Body { pieces: Some(pieces) }, media })
}

/// What no content holds.
fn boundary() -> String {
    let random = || RandomState::new().hash_one(0);
    format!("------------------------{:016x}{:06x}", random(), random() & 0xff_ffff)
}

fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[derive(Debug, PartialEq, Eq)]
enum Content {
    Text(String),
    /// `@name`: sent as a file.
    File(String),
    /// `<name>`: sent as if its content were typed.
    TextOf(String),
}

#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    content: Content,
    media: Option<String>,
    filename: Option<String>,
}

impl Part {
    fn parse(field: &Field) -> Self {
        let (name, text) = field.text.split_once('=').unwrap_or((&field.text, ""));
        let name = name.to_owned();
        if field.literal {
            return Self { name, content: Content::Text(text.to_owned()), media: None, filename: None };
        }
        let (sign, rest) = match text.strip_prefix('@') {
            Some(rest) => ('@', rest),
            None => text.strip_prefix('<').map_or((' ', text), |rest| ('<', rest)),
        };
        let (content, mut rest) = word(rest, &[";type=", ";filename=", ";headers=", ";encoder="]);
        let content = match sign {
            '@' => Content::File(content),
            '<' => Content::TextOf(content),
            _ => Content::Text(content),
        };
        let mut part = Self { name, content, media: None, filename: None };
        while let Some((key, value)) = rest.strip_prefix(';').and_then(|rest| rest.split_once('=')) {
            let (value, after) = word(value, &[";filename=", ";type=", ";headers=", ";encoder="]);
            match key.trim() {
                "type" => part.media = Some(value),
                "filename" => part.filename = Some(value),
                _ => {}
            }
            rest = after;
        }
        part
    }

    fn filename(&self) -> Option<String> {
        let own = match &self.content {
            Content::File(name) => Some(name.rsplit('/').next().unwrap_or(name).to_owned()),
            _ => None,
        };
        self.filename.clone().or(own)
    }

    fn media(&self) -> Option<String> {
        let own = || match &self.content {
            Content::File(name) => Some(guessed(self.filename.as_ref().unwrap_or(name)).to_owned()),
            _ => None,
        };
        self.media.clone().or_else(own)
    }
}

/// Reads up to the first of what ends it, or what stands between quotes.
fn word<'a>(text: &'a str, ends: &[&str]) -> (String, &'a str) {
    if let Some(inside) = text.strip_prefix('"') {
        let mut plain = String::new();
        let mut escaped = false;
        for (at, c) in inside.char_indices() {
            match c {
                '\\' if !escaped => escaped = true,
                '"' if !escaped => return (plain, &inside[at + 1..]),
                c => {
                    plain.push(c);
                    escaped = false;
                }
            }
        }
    }
    let end = ends.iter().filter_map(|end| text.find(end)).min().unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

fn guessed(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref() {
        Some("gif") => "image/gif",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain",
        Some("htm" | "html") => "text/html",
        Some("pdf") => "application/pdf",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fields: &[(&str, bool)]) -> String {
        let fields: Vec<Field> =
            fields.iter().map(|&(text, literal)| Field { text: text.to_owned(), literal }).collect();
        let form = multipart_with(&fields, "b").unwrap();
        let mut all = Vec::new();
        form.body
            .pieces(&mut |piece| {
                all.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        assert_eq!(form.body.bytes(), Some(all.len() as u64));
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn texts_and_files_are_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        std::fs::write(&path, "PNG").unwrap();
        let path = path.to_str().unwrap();
        let one = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1;2\r\n";
        let two = "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n";
        assert_eq!(text(&[("x=1;2", false), (&format!("f=@{path}"), false)]), format!("{one}{two}--b--\r\n"));
        let named = text(&[(&format!("f=@\"{path}\";filename=\"q\\\"x.txt\""), false)]);
        assert!(named.contains("filename=\"q%22x.txt\"\r\nContent-Type: text/plain\r\n"), "{named}");
        let inner = text(&[(&format!("f=<{path};type=text/x"), false)]);
        assert!(inner.contains("name=\"f\"\r\nContent-Type: text/x\r\n\r\nPNG"), "{inner}");
    }

    #[test]
    fn strings_are_taken_as_they_are() {
        assert!(text(&[("x=@a;type=b", true)]).contains("\r\n\r\n@a;type=b\r\n"));
        let typed = text(&[("x={\"a\":1};type=application/json", false)]);
        assert!(typed.contains("Content-Type: application/json\r\n\r\n{\"a\":1}\r\n"), "{typed}");
    }

    #[test]
    fn a_file_that_is_not_there_ends_it() {
        let field = Field { text: "f=@/no/such/file".to_owned(), literal: false };
        assert_eq!(multipart(&[field]).err().map(|failure| failure.code), Some(26));
        assert_ne!(boundary(), boundary());
    }
}
