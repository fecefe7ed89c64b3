//! A chat completion, streamed or whole, put together into a reply.

use super::anthropic_block::arguments;
use super::wire::{Caller, REPLY_BYTES_MAX};
use super::{Listener, ModelError, Reply};
use handbox_session::fold::Tokens;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Error, Value, json};

/// The most blocks of a reply.
const BLOCKS_MAX: usize = 10_000;

/// A chunk of a stream, or a whole completion, whose choice has a `message` instead of a `delta`.
#[derive(Deserialize)]
struct Chunk {
    id: Option<String>,
    model: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    message: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<Value>,
    refusal: Option<String>,
    reasoning_content: Option<Value>,
    /// Its other name; some send both.
    reasoning: Option<Value>,
    tool_calls: Option<Vec<CallPart>>,
}

#[derive(Deserialize)]
struct CallPart {
    index: Option<u64>,
    id: Option<String>,
    function: Option<FunctionPart>,
}

#[derive(Deserialize)]
struct FunctionPart {
    name: Option<String>,
    arguments: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
}

enum Block {
    Thinking(String),
    Text(String),
    Call { index: u64, id: String, name: String, arguments: String },
}

/// What has come of a reply.
#[derive(Default)]
pub(super) struct Assembly {
    id: String,
    model: String,
    blocks: Vec<Block>,
    usage: Option<Tokens>,
    finish_reason: Option<String>,
    refused: bool,
    bytes: usize,
}

impl Assembly {
    /// Takes the next chunk, or a whole completion.
    pub(super) fn take(&mut self, caller: &Caller, text: &str, listener: &mut dyn Listener) -> Result<(), ModelError> {
        self.bytes += text.len();
        // The chunks are larger than the content that they bring.
        if self.bytes > 8 * REPLY_BYTES_MAX || self.blocks.len() > BLOCKS_MAX {
            return Err(self.with_usage(caller.cut("sent more than a reply may have")));
        }
        let chunk: Chunk = serde_json::from_str(text).map_err(|error| {
            // The error may quote the text, which is the reply's and not for a message.
            let place = format!("sent a chunk that is none (line {}, column {})", error.line(), error.column());
            self.with_usage(caller.cut(&place))
        })?;
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(caller.sent_error(&json!({ "error": error }), self.usage.unwrap_or_default()));
        }
        let keep = |own: &mut String, new: Option<String>| {
            if own.is_empty() {
                *own = new.unwrap_or_default();
            }
        };
        keep(&mut self.id, chunk.id);
        keep(&mut self.model, chunk.model);
        if let Some(usage) = chunk.usage {
            self.usage = Some(tokens(&usage));
            listener.counted(tokens(&usage));
        }
        // Only one was asked for.
        if let Some(choice) = chunk.choices.unwrap_or_default().into_iter().next() {
            if let Some(delta) = choice.delta.or(choice.message) {
                self.grow(delta, listener);
            }
            self.finish_reason = choice.finish_reason.or(self.finish_reason.take());
        }
        Ok(())
    }

    fn grow(&mut self, delta: Delta, listener: &mut dyn Listener) {
        let thinking = delta.reasoning_content.as_ref().or(delta.reasoning.as_ref()).map(plain).unwrap_or_default();
        listener.wrote(thinking.len());
        if !thinking.is_empty() {
            if let Some(Block::Thinking(text)) = self.blocks.last_mut() {
                text.push_str(&thinking);
            } else {
                listener.block(self.blocks.len(), "thinking");
                self.blocks.push(Block::Thinking(thinking));
            }
        }
        self.refused |= delta.refusal.as_ref().is_some_and(|text| !text.is_empty());
        let said = delta.content.as_ref().map(plain).unwrap_or_default() + &delta.refusal.unwrap_or_default();
        listener.wrote(said.len());
        if !said.is_empty() {
            if !matches!(self.blocks.last(), Some(Block::Text(_))) {
                listener.block(self.blocks.len(), "text");
                self.blocks.push(Block::Text(String::new()));
            }
            listener.text(self.blocks.len() - 1, &said);
            if let Some(Block::Text(text)) = self.blocks.last_mut() {
                text.push_str(&said);
            }
        }
        for part in delta.tool_calls.unwrap_or_default() {
            self.grow_call(part, listener);
        }
    }

    /// Finds the call that a part belongs to. Some servers send no index, and whole calls one after the other; some
    /// give each call the index 0; a new id is a new call with all of them.
    fn grow_call(&mut self, part: CallPart, listener: &mut dyn Listener) {
        let new_id = part.id.filter(|id| !id.is_empty());
        let place = self.blocks.iter().rposition(|block| match block {
            Block::Call { index, id, .. } => {
                part.index.is_none_or(|wanted| wanted == *index) && new_id.as_ref().is_none_or(|new| new == id)
            }
            Block::Thinking(_) | Block::Text(_) => false,
        });
        let (name, more) = part.function.map_or((None, None), |function| (function.name, function.arguments));
        // A whole call without index and id does not continue another.
        let begins = part.index.is_none() && new_id.is_none() && name.as_ref().is_some_and(|name| !name.is_empty());
        let place = place.filter(|_| !begins).unwrap_or_else(|| {
            let count = self.blocks.iter().filter(|block| matches!(block, Block::Call { .. })).count();
            let index = part.index.unwrap_or(count as u64);
            let id =
                new_id.unwrap_or_else(|| format!("{}-{count}", if self.id.is_empty() { "call" } else { &self.id }));
            listener.block(self.blocks.len(), "tool_use");
            self.blocks.push(Block::Call { index, id, name: String::new(), arguments: String::new() });
            self.blocks.len() - 1
        });
        if let Some(Block::Call { name: own, arguments, .. }) = self.blocks.get_mut(place) {
            // Repeated by some in each part.
            if own.is_empty() {
                *own = name.unwrap_or_default();
            }
            if let Some(more) = more.filter(|more| more.get() != "null") {
                // A string, or with some servers the object itself.
                let text = serde_json::from_str::<String>(more.get());
                let text = text.as_deref().unwrap_or_else(|_| more.get());
                listener.wrote(text.len());
                arguments.push_str(text);
            }
        }
    }

    /// Whether a stream may end here.
    pub(super) fn is_whole(&self) -> bool {
        self.finish_reason.is_some()
    }

    /// Whether nothing came of it.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.finish_reason.is_none()
    }

    /// An error, with what the reply took all the same.
    pub(super) fn with_usage(&self, error: ModelError) -> ModelError {
        ModelError { usage: self.usage, ..error }
    }

    /// The reply, once it is whole.
    pub(super) fn finish(self, caller: &Caller) -> Result<Reply, ModelError> {
        let calls = self.blocks.iter().any(|block| matches!(block, Block::Call { .. }));
        let stop_reason = match self.finish_reason.as_deref() {
            _ if self.refused => "refusal",
            // Some say that they stopped, and call all the same.
            Some("stop" | "tool_calls" | "function_call") | None if calls => "tool_use",
            Some("stop" | "tool_calls" | "function_call") | None => "end_turn",
            Some("length") => "max_tokens",
            Some("content_filter") => "refusal",
            Some(other) => other,
        };
        let stop_reason = Some(stop_reason.to_owned());
        let content = write(&self.blocks).map_err(|_| caller.cut("sent a block that cannot be written"))?;
        if content.len() > REPLY_BYTES_MAX {
            return Err(self.with_usage(caller.cut("sent more than a reply may have")));
        }
        Ok(Reply { model: self.model, content, stop_reason, usage: self.usage })
    }
}

/// A string, or the text parts of an array.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The cached part of a prompt is counted in it here, and apart from it there.
fn tokens(usage: &Usage) -> Tokens {
    let prompt = usage.prompt_tokens.unwrap_or(0);
    let cached =
        usage.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0).min(prompt);
    Tokens {
        input_tokens: prompt - cached,
        output_tokens: usage.completion_tokens.unwrap_or(0),
        cache_read_input_tokens: cached,
        ..Tokens::default()
    }
}

fn write(blocks: &[Block]) -> Result<String, Error> {
    let blocks: Vec<Box<RawValue>> = blocks.iter().map(write_block).collect::<Result<_, _>>()?;
    serde_json::to_string(&blocks)
}

fn write_block(block: &Block) -> Result<Box<RawValue>, Error> {
    #[derive(serde::Serialize)]
    struct Call<'a> {
        r#type: &'static str,
        id: &'a str,
        name: &'a str,
        input: Box<RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        input_text: Option<Box<RawValue>>,
    }
    match block {
        Block::Thinking(text) => to_raw_value(&json!({"type": "thinking", "thinking": text})),
        Block::Text(text) => to_raw_value(&json!({"type": "text", "text": text})),
        Block::Call { id, name, arguments: text, .. } => {
            let (input, input_text) = arguments(text)?;
            to_raw_value(&Call { r#type: "tool_use", id, name, input, input_text })
        }
    }
}
