//! A content block as it grows, kept verbatim but for what it is told to add.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Error;
use serde_json::value::{RawValue, to_raw_value};
use std::fmt;

/// The members of a JSON object in their order, each with the text that it had.
#[derive(Debug, Clone, Default)]
pub(super) struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    pub(super) fn get(&self, name: &str) -> Option<&RawValue> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| &**value)
    }

    /// The text of a member that is a string.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(text_of)
    }

    /// Sets a member at its place, or as the last.
    pub(super) fn set(&mut self, name: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(own, _)| own == name) {
            Some((_, own)) => *own = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(own, _)| own != name);
    }

    /// The members that are strings.
    fn texts(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), text_of(value)?)))
    }

    /// Whether every member that is written as a string is one.
    fn check_texts(&self) -> Result<(), Error> {
        let mut texts = self.0.iter().filter(|(_, value)| value.get().starts_with('"'));
        texts.try_for_each(|(_, value)| serde_json::from_str::<String>(value.get()).map(drop))
    }

    /// Itself as an object.
    pub(super) fn to_raw(&self) -> Result<Box<RawValue>, Error> {
        let mut text = String::new();
        self.write(&mut text)?;
        RawValue::from_string(text)
    }

    /// Adds itself as an object.
    pub(super) fn write(&self, out: &mut String) -> Result<(), Error> {
        for (index, (name, value)) in self.0.iter().enumerate() {
            out.push(if index == 0 { '{' } else { ',' });
            out.push_str(&serde_json::to_string(name)?);
            out.push(':');
            out.push_str(value.get());
        }
        out.push_str(if self.0.is_empty() { "{}" } else { "}" });
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    members.set(&name, value);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

fn text_of(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// How much of a delta the model wrote.
pub(super) fn written(delta: &Members) -> usize {
    delta.texts().filter(|(name, _)| is_written(name) || *name == "partial_json").map(|(_, text)| text.len()).sum()
}

/// Whether a member is what the model wrote, rather than a name, a signature or what a server found.
fn is_written(name: &str) -> bool {
    matches!(name, "text" | "thinking")
}

/// The members `input` and `input_text` of a call with these arguments. They are the `input`, byte for byte, if they are
/// a JSON object; no arguments at all are an empty one. Otherwise nothing was understood, and `input_text` has them.
pub(super) fn arguments(text: &str) -> Result<(Box<RawValue>, Option<Box<RawValue>>), Error> {
    let nothing = || RawValue::from_string("{}".to_owned());
    if text.trim().is_empty() {
        return Ok((nothing()?, None));
    }
    if let Ok(input) = serde_json::from_str::<Box<RawValue>>(text)
        && input.get().starts_with('{')
    {
        return Ok((input, None));
    }
    Ok((nothing()?, Some(to_raw_value(text)?)))
}

/// A block that is being streamed.
#[derive(Debug)]
pub(super) struct Block {
    members: Members,
    pub(super) kind: String,
    /// Members that grow by deltas, and their text so far.
    grown: Vec<(String, String)>,
    /// The arguments so far, once a part of them came.
    input: Option<String>,
    citations: Vec<Box<RawValue>>,
    pub(super) open: bool,
}

impl Block {
    pub(super) fn start(members: Members) -> Self {
        let kind = members.text("type").unwrap_or_default();
        Self { members, kind, grown: Vec::new(), input: None, citations: Vec::new(), open: true }
    }

    /// The text that it began with.
    pub(super) fn first_text(&self) -> String {
        self.members.text("text").unwrap_or_default()
    }

    /// How much of it the model wrote before its first delta.
    pub(super) fn first_bytes(&self) -> usize {
        self.members.texts().filter(|(name, _)| is_written(name)).map(|(_, text)| text.len()).sum()
    }

    /// Grows by a delta; gives the text that a reader may see.
    ///
    /// Each string of a delta continues the member of the same name. That holds for every kind there is but two, and
    /// a kind that is not known yet is better continued so than lost. A string that cannot be read (half of a surrogate
    /// pair, say) would change what the model said, so it is an error.
    pub(super) fn grow(&mut self, delta: &Members) -> Result<Option<String>, Error> {
        delta.check_texts()?;
        let mut shown = None;
        match delta.text("type").as_deref() {
            Some("input_json_delta") => {
                let part = delta.text("partial_json").unwrap_or_default();
                self.input.get_or_insert_default().push_str(&part);
            }
            Some("citations_delta") => self.citations.extend(delta.get("citation").map(ToOwned::to_owned)),
            _ => {
                for (name, part) in delta.texts().filter(|(name, _)| *name != "type") {
                    self.grow_member(name, &part);
                    if name == "text" && self.kind == "text" {
                        shown = Some(part);
                    }
                }
            }
        }
        Ok(shown)
    }

    fn grow_member(&mut self, name: &str, part: &str) {
        if let Some((_, text)) = self.grown.iter_mut().find(|(own, _)| own == name) {
            text.push_str(part);
        } else {
            let begun = self.members.text(name).unwrap_or_default();
            self.grown.push((name.to_owned(), begun + part));
        }
    }

    /// Adds the whole block to a JSON array's text.
    pub(super) fn write(mut self, out: &mut String) -> Result<(), Error> {
        for (name, text) in std::mem::take(&mut self.grown) {
            self.members.set(&name, to_raw_value(&text)?);
        }
        if let Some(text) = self.input.take().filter(|text| !text.is_empty()) {
            let (input, input_text) = arguments(&text)?;
            self.members.set("input", input);
            if let Some(text) = input_text {
                self.members.set("input_text", text);
            }
        }
        if !self.citations.is_empty() {
            let begun = self.members.get("citations").map(|raw| serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()));
            let mut all = begun.and_then(Result::ok).unwrap_or_default();
            all.append(&mut self.citations);
            self.members.set("citations", to_raw_value(&all)?);
        }
        self.members.write(out)
    }
}
