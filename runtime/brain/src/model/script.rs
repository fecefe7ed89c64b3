//! A model that says what it was told to: for demos, for tests, and for work without a network.
//!
//! A script is a JSON array of entries. Asked something, the model gives the reply of the first entry that matches; if
//! none does, it fails with a text that says so.
//!
//! ```json
//! [
//!   {"when": {"step": 1, "text": "TODO"},
//!    "reply": [{"text": "Looking."}, {"tool_use": {"name": "grep", "input": {"pattern": "TODO"}}}]},
//!   {"when": {"tool": "grep", "contains": "src/"},
//!    "reply": [{"text": "The first is in {{result:grep | first_line}}."}], "delay_ms": 20, "chunk": 8},
//!   {"when": {"text": "fail"}, "times": 2, "error": {"kind": "overloaded", "after_chunks": 1, "retry_after_ms": 10}}
//! ]
//! ```
//!
//! | member | meaning |
//! |---|---|
//! | `when` | all of its members hold; without it, or empty, it always matches |
//! | `when.text` | what the user said last contains this |
//! | `when.tool` | the last message has a result of this tool |
//! | `when.contains` | … that contains this; without `tool`, a result of any tool |
//! | `when.turn` | it is the user's n-th message, from 1; those in the middle of a turn do not count |
//! | `when.step` | it is the n-th request since that message, from 1 |
//! | `reply` | blocks: `{"text": …}`, `{"thinking": …}`, `{"tool_use": {"name": …, "input": {…}}}` |
//! | `stop_reason` | what it says; `tool_use` or `end_turn` of itself |
//! | `delay_ms` | how long it waits before the first chunk |
//! | `chunk` | how many characters a chunk of text has; all at once if missing |
//! | `chunk_ms` | how long it waits before each further chunk |
//! | `times` | after so many uses in one process it matches no more |
//! | `error` | it fails: `kind` as of [`ModelErrorKind`], `after_chunks`, `message`, `retry_after_ms` |
//!
//! Texts and strings of inputs may have *templates*: `{{prompt}}` is what the user said last, `{{result:NAME}}` the latest
//! result of a tool, `{{result}}` that of any. Filters follow after `|`: `first_line`, `last_line`, `lines` (how many),
//! `head N` (that many lines), `field N` (of the first line, parted at `:`), `words` (how many), `trim`.

mod parse;
mod seen;
mod template;

use super::{Listener, Model, ModelError, ModelErrorKind, ModelRequest, Reply};
use async_trait::async_trait;
use handbox_session::fold::Tokens;
pub use parse::ScriptError;
use parse::{Block, Entry};
use seen::Seen;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How many bytes are counted as a token.
const BYTES_PER_TOKEN: usize = 4;

/// A model that says what it was told to; see the [module](self).
pub struct Script {
    name: String,
    entries: Vec<(Entry, AtomicU64)>,
    sleep: Sleep,
}

type Sleep = Arc<dyn Fn(Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

impl Script {
    /// From its text. `name` is what it calls itself in replies.
    ///
    /// # Errors
    ///
    /// [`ScriptError`], which names the line and the member.
    pub fn parse(name: impl Into<String>, text: &str) -> Result<Self, ScriptError> {
        let entries = parse::entries(text)?.into_iter().map(|entry| (entry, AtomicU64::new(0))).collect();
        Ok(Self { name: name.into(), entries, sleep: Arc::new(|time| Box::pin(tokio::time::sleep(time))) })
    }

    /// What is told to a model that shall do real work without being one: looks around in a repository with the tools
    /// of the bundle `std`, and sums up what these found.
    ///
    /// # Panics
    ///
    /// Never: the script is part of this crate and tested.
    #[must_use]
    pub fn tour() -> Self {
        Self::parse("tour", include_str!("script/tour.json")).unwrap_or_else(|_| Self {
            name: "tour".to_owned(),
            entries: Vec::new(),
            sleep: Arc::new(|_| Box::pin(async {})),
        })
    }

    /// The first entry that matches; it counts as used.
    fn choose(&self, seen: &Seen) -> Option<&Entry> {
        self.entries.iter().find_map(|(entry, used)| {
            let left = entry.times.is_none_or(|times| used.load(Ordering::Relaxed) < times);
            (left && seen.matches(&entry.when)).then(|| {
                used.fetch_add(1, Ordering::Relaxed);
                entry
            })
        })
    }

    async fn wait(&self, ms: u64) {
        if ms > 0 {
            (self.sleep)(Duration::from_millis(ms)).await;
        }
    }
}

/// Says a reply chunk by chunk, and stops where it is to fail.
struct Teller<'a> {
    script: &'a Script,
    entry: &'a Entry,
    chunks: u64,
}

impl Teller<'_> {
    /// Whether the entry fails here.
    fn check(&self) -> Result<(), ModelError> {
        match &self.entry.error {
            Some(error) if self.chunks >= error.after_chunks => Err(error.to_error()),
            _ => Ok(()),
        }
    }

    async fn text(&mut self, index: usize, text: &str, listener: &mut dyn Listener) -> Result<(), ModelError> {
        let chars: Vec<char> = text.chars().collect();
        let size = self.entry.chunk.map_or(chars.len(), |chunk| usize::try_from(chunk).unwrap_or(usize::MAX)).max(1);
        for chunk in chars.chunks(size) {
            self.check()?;
            if self.chunks > 0 {
                self.script.wait(self.entry.chunk_ms).await;
            }
            let chunk = chunk.iter().collect::<String>();
            listener.wrote(chunk.len());
            listener.text(index, &chunk);
            self.chunks += 1;
        }
        Ok(())
    }
}

#[async_trait]
impl Model for Script {
    fn provider(&self) -> &str {
        "script"
    }

    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let seen = Seen::of(request);
        let Some(entry) = self.choose(&seen) else {
            let message = format!("script `{}`: no entry matches step {} of turn {}", self.name, seen.step, seen.turn);
            return Err(ModelError { kind: ModelErrorKind::Rejected, message, retry_after: None, usage: None });
        };
        self.wait(entry.delay_ms).await;
        let mut teller = Teller { script: self, entry, chunks: 0 };
        teller.check()?;
        let mut content = Vec::new();
        for (index, block) in entry.reply.iter().enumerate() {
            content.push(match block {
                Block::Text(text) => {
                    let text = template::fill(text, &seen);
                    listener.block(index, "text");
                    teller.text(index, &text, listener).await?;
                    json!({"type": "text", "text": text})
                }
                Block::Thinking(text) => {
                    listener.block(index, "thinking");
                    listener.wrote(text.len());
                    json!({"type": "thinking", "thinking": text, "signature": "scripted"})
                }
                Block::ToolUse(tool) => {
                    listener.block(index, "tool_use");
                    // The same request is answered with the same ids, so that a run can be repeated exactly.
                    let id = format!("toolu_{}_{}_{index}", seen.turn, seen.step);
                    let input = template::fill_value(&tool.input, &seen);
                    listener.wrote(input.to_string().len());
                    json!({"type": "tool_use", "id": id, "name": tool.name, "input": input})
                }
            });
        }
        // One that fails after more chunks than there are fails at the end.
        if let Some(error) = &entry.error {
            return Err(error.to_error());
        }
        let calls = entry.reply.iter().any(|block| matches!(block, Block::ToolUse(_)));
        let usual = if calls { "tool_use" } else { "end_turn" };
        let content = Value::Array(content).to_string();
        let usage = Tokens {
            input_tokens: (seen.bytes / BYTES_PER_TOKEN) as u64,
            output_tokens: content.len().div_ceil(BYTES_PER_TOKEN) as u64,
            ..Tokens::default()
        };
        let stop_reason = Some(entry.stop_reason.clone().unwrap_or_else(|| usual.to_owned()));
        Ok(Reply { model: self.name.clone(), content, stop_reason, usage: Some(usage) })
    }
}
