//! Reading scripts.

use crate::model::{ModelError, ModelErrorKind};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::time::Duration;

/// A script that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("script, line {line}{}: {what}", entry.map(|entry| format!(", entry {entry}")).unwrap_or_default())]
pub struct ScriptError {
    line: usize,
    /// From 1.
    entry: Option<usize>,
    what: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) when: When,
    #[serde(default)]
    pub(super) reply: Vec<Block>,
    pub(super) stop_reason: Option<String>,
    #[serde(default)]
    pub(super) delay_ms: u64,
    pub(super) chunk: Option<u64>,
    #[serde(default)]
    pub(super) chunk_ms: u64,
    pub(super) times: Option<u64>,
    pub(super) error: Option<Failure>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct When {
    pub(super) text: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) contains: Option<String>,
    pub(super) turn: Option<u64>,
    pub(super) step: Option<u64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Block {
    Text(String),
    Thinking(String),
    ToolUse(ToolUse),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolUse {
    pub(super) name: String,
    #[serde(default = "empty")]
    pub(super) input: Value,
}

fn empty() -> Value {
    Value::Object(Map::new())
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Failure {
    kind: ModelErrorKind,
    #[serde(default)]
    pub(super) after_chunks: u64,
    message: Option<String>,
    retry_after_ms: Option<u64>,
}

impl Failure {
    pub(super) fn to_error(&self) -> ModelError {
        let message = self.message.clone().unwrap_or_else(|| "the script says so".to_owned());
        ModelError {
            kind: self.kind,
            message,
            retry_after: self.retry_after_ms.map(Duration::from_millis),
            usage: None,
        }
    }
}

/// The entries of a script.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, ScriptError> {
    let wrong = |line, entry, error: &serde_json::Error| {
        // The text ends with a place that is one in the entry alone; the line is given before.
        let what = error.to_string();
        let what = what.split(" at line ").next().unwrap_or_default().to_owned();
        ScriptError { line, entry, what }
    };
    let raw: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| wrong(error.line(), None, &error))?;
    let parse = |(index, raw): (usize, &&RawValue)| {
        serde_json::from_str(raw.get()).map_err(|error| {
            let before = line_of(text, raw.get());
            wrong(before + error.line().saturating_sub(1), Some(index + 1), &error)
        })
    };
    raw.iter().enumerate().map(parse).collect()
}

/// The line, from 1, at which a part of a text begins.
fn line_of(text: &str, part: &str) -> usize {
    // The part was borrowed from the text, so where it lies says where it begins.
    let offset = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
}
