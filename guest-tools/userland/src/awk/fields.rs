//! The record, and its fields, which are cut when one is asked for.

use super::interpret::{Halt, Interpreter};
use super::value::{Text, Value, characters};
use std::rc::Rc;

#[derive(Debug)]
pub(super) struct Record {
    text: Text,
    /// `FS` as it was when the record was read.
    pub(super) separator: Text,
    pub(super) fields: Vec<Value>,
    split: bool,
    /// Set where fields were changed: what joins them when the text is asked for.
    joined_by: Option<Text>,
}

impl Default for Record {
    fn default() -> Self {
        let empty: Text = Rc::from(&b""[..]);
        Self { text: Rc::clone(&empty), separator: empty, fields: Vec::new(), split: true, joined_by: None }
    }
}

impl Record {
    pub(super) fn text(&mut self) -> Text {
        if let Some(separator) = self.joined_by.take() {
            let texts: Vec<Text> = self.fields.iter().map(|field| field.text("%.6g")).collect();
            self.text = Rc::from(texts.join(&separator[..]));
        }
        Rc::clone(&self.text)
    }

    pub(super) fn is_split(&self) -> bool {
        self.split
    }

    pub(super) fn replace(&mut self, text: Text, separator: Text) {
        self.text = text;
        self.separator = separator;
        self.split = false;
        self.joined_by = None;
    }

    pub(super) fn set_fields(&mut self, fields: Vec<Value>) {
        self.fields = fields;
        self.split = true;
    }

    pub(super) fn set_count(&mut self, count: usize, separator: Text) {
        self.fields.resize(count, Value::Unset);
        self.joined_by = Some(separator);
    }

    /// Sets a field, counted from 1.
    pub(super) fn set_field(&mut self, place: usize, value: Value, separator: Text) {
        if self.fields.len() < place {
            self.fields.resize(place, Value::Unset);
        }
        self.fields[place - 1] = value;
        self.joined_by = Some(separator);
    }
}

impl Interpreter<'_> {
    /// Cuts a text as `FS` says.
    pub(super) fn split_text(&mut self, text: &[u8], separator: &Text) -> Result<Vec<Text>, Halt> {
        if separator[..] == b" "[..] {
            let words = text.split(|byte| matches!(byte, b' ' | b'\t' | b'\n'));
            return Ok(words.filter(|word| !word.is_empty()).map(Rc::from).collect());
        }
        if text.is_empty() {
            return Ok(Vec::new());
        }
        // In paragraphs each line ends a field too.
        let paragraphs = self.special(super::syntax::RS).is_empty();
        match &separator[..] {
            [] => {
                let mut starts = characters(text);
                starts.push(text.len());
                Ok(starts.windows(2).map(|two| Rc::from(&text[two[0]..two[1]])).collect())
            }
            [byte] if *byte != b'\\' && !self.ignores_case() => {
                let byte = *byte;
                let parts = text.split(|found| *found == byte || (paragraphs && *found == b'\n'));
                Ok(parts.map(Rc::from).collect())
            }
            _ => {
                let regex = self.compiled(separator)?;
                Ok(split_by(text, &regex))
            }
        }
    }
}

/// Cuts a text where a pattern matches something.
pub(super) fn split_by(text: &[u8], regex: &regex::bytes::Regex) -> Vec<Text> {
    let mut parts = Vec::new();
    let mut from = 0;
    for found in regex.find_iter(text).filter(|found| !found.is_empty()) {
        parts.push(Rc::from(&text[from..found.start()]));
        from = found.end();
    }
    parts.push(Rc::from(&text[from..]));
    parts
}
