//! The content blocks of a reply, as far as a brain reads them.

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// A content block. What it has besides stays in its own bytes.
///
/// Everybody who reads replies reads them here: a block that one reader takes for a call and another does not would give
/// a call the result of the next one.
#[derive(serde::Deserialize)]
pub(crate) struct Block<'a> {
    #[serde(rename = "type", deserialize_with = "text")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "text_or_none")]
    pub(crate) id: String,
    #[serde(default, deserialize_with = "text_or_none")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "text_or_none")]
    pub(crate) text: String,
    /// The arguments of a call. JSON, but not necessarily such that it can be read: a lone surrogate, a number beyond
    /// all floats and any depth are JSON, too.
    #[serde(borrow, default)]
    pub(crate) input: Option<&'a RawValue>,
    /// What came instead of arguments.
    pub(crate) input_text: Option<String>,
}

/// The blocks of a reply's content.
///
/// # Errors
///
/// If it is no array of objects with a `type`.
pub(crate) fn blocks(content: &str) -> Result<Vec<Block<'_>>, serde_json::Error> {
    serde_json::from_str(content)
}

impl Block<'_> {
    /// Whether it calls a tool that answers in the next message.
    pub(crate) fn is_call(&self) -> bool {
        self.kind == "tool_use"
    }
}

/// Whether a block is a text without a word. Models write such blocks, people and tools do, and the Messages API refuses
/// each request that has one.
pub(crate) fn is_blank(block: &RawValue) -> bool {
    let block = serde_json::from_str::<Block<'_>>(block.get());
    block.is_ok_and(|block| block.kind == "text" && block.text.trim().is_empty())
}

/// A string. A lone surrogate in it, which Rust's strings cannot hold, is replaced.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    struct Reader;
    impl Visitor<'_> for Reader {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }
    // As bytes, strings are read whatever they hold.
    deserializer.deserialize_bytes(Reader)
}

/// A string, or nothing for what is none: blocks of tomorrow may have other members of these names.
fn text_or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?;
    Ok(text(&mut serde_json::Deserializer::from_str(raw.get())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn whatever_is_json_is_read() {
        let content = r#"[{"type":"text","text":"a\ud83db"},{"type":"text","text":null},
            {"type":"tool_use","id":"1","name":"\udc00","input":{"q":"\ud83d"}},{"type":"tool_use","input":1e999},
            {"type":"of_tomorrow","text":{"a":[1]},"id":7,"name":[]}]"#;
        let read = blocks(content).unwrap();
        assert_eq!((read[0].text.as_str(), read[1].text.as_str()), ("a\u{fffd}\u{fffd}\u{fffd}b", ""));
        assert_eq!(read[2].input.unwrap().get(), r#"{"q":"\ud83d"}"#);
        assert!(read[2].is_call() && read[3].is_call() && !read[0].is_call());
        assert_eq!((read[4].text.as_str(), read[4].id.as_str(), read[4].name.as_str()), ("", "", ""));
        for none in ["{}", "[1]", "[{}]", r#"[{"type":7}]"#, r#"[{"type":null}]"#] {
            assert!(blocks(none).is_err(), "{none}");
        }
    }
}
