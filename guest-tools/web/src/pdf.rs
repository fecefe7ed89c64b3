//! From PDF to text.

use lopdf::content::{Content, Operation};
use lopdf::{Document, Encoding, LoadOptions, Object, ObjectId};
use std::collections::BTreeMap;

/// The most bytes that one packed piece of a PDF may unpack to. Small files can hold gigabytes.
const UNPACKED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How many pages are looked at.
const PAGES_MAX: usize = 1_000;

/// The text of a PDF.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Pdf {
    /// Page by page, each under its number. Empty if there is none, as in scans.
    pub(crate) text: String,
    /// How many there are.
    pub(crate) pages: usize,
}

/// Reads the text of a PDF until there are `bytes_max` bytes of it.
///
/// # Errors
///
/// It is none, or needs a password.
pub(crate) fn read(bytes: &[u8], bytes_max: usize) -> Result<Pdf, String> {
    let options = LoadOptions { max_decompressed_size: Some(UNPACKED_BYTES_MAX), ..LoadOptions::default() };
    let document = Document::load_mem_with_options(bytes, options).map_err(|error| error.to_string())?;
    if document.is_encrypted() {
        return Err("it needs a password".to_owned());
    }
    let pages = document.get_pages();
    let mut text = String::new();
    for (number, id) in pages.iter().take(PAGES_MAX) {
        // What cannot be read of a page is left out of it.
        let page = page(&document, *id).unwrap_or_default();
        if !page.trim().is_empty() {
            text.push_str(&format!("[Page {number}]\n{}\n\n", page.trim()));
        }
        if text.len() > bytes_max {
            break;
        }
    }
    text.truncate(text.trim_end().len());
    Ok(Pdf { text, pages: pages.len() })
}

/// The text of one page. `lopdf` would give it too, but joins the lines.
fn page(document: &Document, id: ObjectId) -> lopdf::Result<String> {
    let mut fonts = BTreeMap::new();
    for (name, font) in document.get_page_fonts(id)? {
        if let Ok(encoding) = font.get_font_encoding_with_limit(document, UNPACKED_BYTES_MAX) {
            fonts.insert(name, encoding);
        }
    }
    let content = document.get_page_content_with_limit(id, UNPACKED_BYTES_MAX)?;
    let mut pen = Pen::default();
    let mut font = None;
    for operation in &Content::decode(&content)?.operations {
        if operation.operator == "Tf" {
            let name = operation.operands.first().and_then(|name| name.as_name().ok());
            font = name.and_then(|name| fonts.get(name));
        }
        pen.follow(operation, font);
    }
    Ok(pen.text)
}

/// Writes text down where a page does, as far as lines and words go.
#[derive(Default)]
struct Pen {
    text: String,
    /// Where the line is now, and where it was when something was written.
    height: f32,
    written_at: f32,
    moved: bool,
}

/// How far text moves back within a line, in thousandths of its size, until that is a space.
const SPACE: f32 = -200.0;

impl Pen {
    fn follow(&mut self, operation: &Operation, font: Option<&Encoding<'_>>) {
        let operands = &operation.operands;
        let number = |at: usize| operands.get(at).and_then(|operand| operand.as_float().ok()).unwrap_or_default();
        match operation.operator.as_str() {
            "BT" => self.place(0.0),
            "Td" | "TD" => self.place(self.height + number(1)),
            "Tm" => self.place(number(5)),
            "T*" => self.next_line(),
            "Tj" => self.write(operands.first(), font),
            "'" => {
                self.next_line();
                self.write(operands.first(), font);
            }
            "\"" => {
                self.next_line();
                self.write(operands.get(2), font);
            }
            "TJ" => {
                let pieces = operands.first().and_then(|pieces| pieces.as_array().ok());
                for piece in pieces.into_iter().flatten() {
                    match piece.as_float() {
                        Ok(back) => self.moved |= back < SPACE,
                        Err(_) => self.write(Some(piece), font),
                    }
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, height: f32) {
        (self.height, self.moved) = (height, true);
    }

    /// By how much does not matter, as long as it is another place.
    fn next_line(&mut self) {
        self.place(self.height - 1.0);
    }

    fn write(&mut self, piece: Option<&Object>, font: Option<&Encoding<'_>>) {
        let bytes = piece.and_then(|piece| piece.as_str().ok());
        let (Some(bytes), Some(font)) = (bytes, font) else { return };
        let Ok(piece) = Document::decode_text(font, bytes) else { return };
        if piece.is_empty() {
            return;
        }
        if self.moved && !self.text.is_empty() {
            if (self.height - self.written_at).abs() > 0.5 {
                self.text.push('\n');
            } else if !self.text.ends_with(char::is_whitespace) && !piece.starts_with(char::is_whitespace) {
                self.text.push(' ');
            }
        }
        self.text.push_str(&piece);
        (self.written_at, self.moved) = (self.height, false);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use lopdf::{Stream, dictionary};

    /// A packed PDF with a page for each text.
    pub(crate) fn pdf(pages: &[&str]) -> Vec<u8> {
        let mut document = Document::with_version("1.5");
        let tree = document.new_object_id();
        let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Courier", "Encoding" => "WinAnsiEncoding" };
        let font = document.add_object(font);
        let resources = document.add_object(dictionary! { "Font" => dictionary! { "F1" => font } });
        let mut kids: Vec<Object> = Vec::new();
        for text in pages {
            let mut operations = vec![Operation::new("BT", vec![]), Operation::new("Tf", vec!["F1".into(), 12.into()])];
            for line in text.lines() {
                operations.push(Operation::new("Td", vec![0.into(), (-14).into()]));
                operations.push(Operation::new("Tj", vec![Object::string_literal(line)]));
            }
            operations.push(Operation::new("ET", vec![]));
            let content = Stream::new(dictionary! {}, Content { operations }.encode().unwrap());
            let content = document.add_object(content);
            let page = dictionary! { "Type" => "Page", "Parent" => tree, "Contents" => content };
            kids.push(document.add_object(page).into());
        }
        let (count, size) = (i64::try_from(kids.len()).unwrap(), vec![0.into(), 0.into(), 595.into(), 842.into()]);
        let pages = dictionary! { "Type" => "Pages", "Kids" => kids, "Count" => count, "Resources" => resources, "MediaBox" => size };
        document.objects.insert(tree, Object::Dictionary(pages));
        let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => tree });
        document.trailer.set("Root", catalog);
        document.compress();
        let mut bytes = Vec::new();
        document.save_to(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn text_comes_page_by_page() {
        let read = read(&pdf(&["Hello (there)\nsecond line", "", "Third"]), 1_000).unwrap();
        assert_eq!(read.pages, 3);
        assert_eq!(read.text, "[Page 1]\nHello (there)\nsecond line\n\n[Page 3]\nThird");
    }

    #[test]
    fn words_and_lines_are_where_they_were_put() {
        let mut pen = Pen::default();
        let document = Document::new();
        let font = dictionary! { "Type" => "Font", "Encoding" => "WinAnsiEncoding" };
        let font = font.get_font_encoding(&document).unwrap();
        let string = |text: &str| Object::string_literal(text);
        let mut put =
            |operator: &str, operands: Vec<Object>| pen.follow(&Operation::new(operator, operands), Some(&font));
        put("BT", vec![]);
        put("Tm", vec![1.into(), 0.into(), 0.into(), 1.into(), 72.into(), 700.into()]);
        let kerned = vec![string("Ke"), (-20).into(), string("rned"), (-300).into(), string("words")];
        put("TJ", vec![kerned.into()]);
        put("Td", vec![50.into(), 0.into()]);
        put("Tj", vec![string("beside")]);
        put("T*", vec![]);
        put("Tj", vec![string("below")]);
        put("'", vec![string("quote")]);
        put("\"", vec![0.into(), 0.into(), string("two")]);
        put("ET", vec![]);
        put("BT", vec![]);
        put("Td", vec![72.into(), 50.into()]);
        put("Tj", vec![string("last")]);
        put("Tj", vec![Object::Null]);
        assert_eq!(pen.text, "Kerned words beside\nbelow\nquote\ntwo\nlast");
    }

    #[test]
    fn reading_ends_when_there_is_enough() {
        let read = read(&pdf(&["one", "two", "three"]), 5).unwrap();
        assert_eq!((read.text.as_str(), read.pages), ("[Page 1]\none", 3));
    }

    #[test]
    fn what_is_no_pdf_or_broken_is_an_error_or_what_is_left() {
        assert!(read(b"%PDF-1.7\nnothing", 100).is_err());
        assert!(read(b"", 100).is_err());
        let whole = pdf(&["Hello"]);
        for end in (0..whole.len()).step_by(7) {
            // Whatever it is, it is an answer.
            _ = read(&whole[..end], 100);
            let mut broken = whole.clone();
            broken[end] ^= 0x55;
            _ = read(&broken, 100);
        }
    }

    #[test]
    fn a_packed_flood_is_not_unpacked() {
        let flood = "x".repeat(UNPACKED_BYTES_MAX + 1);
        let bytes = pdf(&[&flood, "after"]);
        assert!(bytes.len() < 100_000, "{}", bytes.len());
        assert_eq!(read(&bytes, 1_000).unwrap().text, "[Page 2]\nafter");
    }
}
