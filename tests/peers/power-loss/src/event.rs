//! What is written: events that can be told apart, and whose text follows from who wrote it and when.

use std::fmt;
use std::str::FromStr;

/// The bytes of an event's text.
const TEXT_BYTES: usize = 900;

/// The n-th event of a writer, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) writer: u64,
    pub(crate) number: u64,
}

impl Name {
    /// What the event says; nothing else says the same.
    pub(crate) fn text(self) -> String {
        let word = format!("event {} of writer {}; ", self.number, self.writer);
        word.repeat(TEXT_BYTES.div_ceil(word.len()))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.writer, self.number)
    }
}

impl FromStr for Name {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (writer, number) = text.split_once(' ').ok_or_else(|| anyhow::anyhow!("{text:?} names no event"))?;
        Ok(Self { writer: writer.parse()?, number: number.parse()? })
    }
}
