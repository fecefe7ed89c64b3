//! One call, and what it gives.

use crate::{Audit, Extra, NoAudit, ToolName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Names one call. The same again when the call is repeated after a crash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CallId(pub String);

/// One call of one tool.
#[derive(Clone)]
pub struct Call {
    /// The caller's id for it, usable by the tool as an idempotency key.
    pub id: CallId,
    /// 1 for the first try.
    pub attempt: u32,
    /// Which tool.
    pub name: ToolName,
    /// The input, a JSON object.
    pub input: Value,
    /// What a later version of the contract says of it, by name; tools ignore unknown names.
    pub extra: Extra,
    /// Who hears progress and log lines while the call runs.
    pub watcher: Arc<dyn Watcher>,
    /// Who keeps a record of the requests that the call sends.
    pub audit: Arc<dyn Audit>,
}

impl Call {
    /// A first try that nobody watches, and of whose requests nobody keeps a record.
    pub fn new(id: impl Into<String>, name: ToolName, input: Value) -> Self {
        let watcher = Arc::new(NoWatcher);
        Self { id: CallId(id.into()), attempt: 1, name, input, extra: Extra::new(), watcher, audit: Arc::new(NoAudit) }
    }
}

/// Hears what a call reports while it runs. Called from the call's own task, so
/// it must return at once.
pub trait Watcher: Send + Sync {
    /// The call got this far: a fraction from 0 to 1 if that is known.
    fn progress(&self, _fraction: Option<f32>, _message: &str) {}
    /// The tool left a line for the operator.
    fn log(&self, _level: LogLevel, _message: &str) {}
    /// A program that the call runs wrote this, just now. It comes again in the result.
    fn printed(&self, _stream: Stream, _bytes: &[u8]) {}
    /// The call ended, well or not, and this is what it consumed.
    fn finished(&self, _usage: &Usage) {}
}

/// Where a program wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// A watcher that looks away.
pub struct NoWatcher;
impl Watcher for NoWatcher {}

/// How a tool ranks a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// For the tool's author.
    Debug,
    /// Worth knowing.
    Info,
    /// Odd, but the call goes on.
    Warn,
    /// Part of why the call fails.
    Error,
}

/// A piece of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// An RFC 9110 media type; `text/plain` is UTF-8.
    pub media_type: String,
    /// The bytes.
    pub data: Vec<u8>,
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        Self { media_type: "text/plain".to_owned(), data: text.into().into_bytes() }
    }

    /// Whether the model reads it as text.
    pub fn is_text(&self) -> bool {
        let essence = self.media_type.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("text/plain")
    }
}

/// What a call gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// In the tool's order.
    pub parts: Vec<Part>,
    /// Typed fields that some tools add for programs (an exit code, for example).
    pub fields: serde_json::Map<String, Value>,
    /// What it cost.
    pub usage: Usage,
}

impl Output {
    /// The text parts joined: the string of `execute(name, input) → string`.
    /// Bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter(|part| part.is_text());
        texts.map(|part| String::from_utf8_lossy(&part.data)).collect()
    }

    /// The parts that are not text, in order.
    pub fn attachments(&self) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(|part| !part.is_text())
    }
}

/// What one call consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Wall time, from the start of the sandbox to its end.
    pub time: Duration,
    /// Engine fuel, about one for each WebAssembly instruction.
    pub fuel: u64,
    /// The most linear memory and table space it had at once, in bytes.
    pub memory_bytes: u64,
    /// Output and log bytes beyond their caps, which were counted and dropped.
    pub dropped_bytes: u64,
}

/// What became of an earlier call.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It happened, and this is its result.
    Committed(Output),
    /// It happened and failed, for this reason.
    Failed(String),
    /// It never began.
    NotStarted,
    /// Nobody can tell.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_text_parts_in_order_and_nothing_else() {
        let image = Part { media_type: "image/png".into(), data: vec![1, 2] };
        let charset = Part { media_type: "Text/Plain; charset=utf-8".into(), data: b"b".to_vec() };
        let output = Output { parts: vec![Part::text("a"), image.clone(), charset], ..Output::default() };
        assert_eq!(output.text(), "ab");
        assert_eq!(output.attachments().collect::<Vec<_>>(), [&image]);
    }
}
