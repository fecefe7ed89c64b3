//! Pieces of a conversation as a request.

use super::tools::tools;
use super::{Call, Material, Piece, Transcript, transcript};
use crate::model::content::is_blank;
use crate::model::{Message, ModelRequest, Role};
use crate::runs::{Cache, RunsWith};
use handbox_session::{Entry, EventId, Seq, kinds};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What the model is asked for a summary with.
const SUMMARISE: &str = "Sum up this conversation for somebody who goes on with it and has seen nothing of it: what was \
    asked for, word for word where the words matter; what was done and found, with names, paths and numbers; what was \
    decided; what is still to do. Answer with the summary alone.";

/// What a request is for, as its `span.model_request_start` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Purpose {
    /// A reply.
    Reply,
    /// A summary of everything up to a place.
    Summary {
        /// That place.
        through: Seq,
    },
}

impl Purpose {
    /// What it is for, if an entry begins a request.
    fn of(entry: &Entry) -> Option<Self> {
        #[derive(Deserialize)]
        struct Start {
            handbox: Purpose,
        }
        let is_start = *entry.event.kind() == kinds::SPAN_MODEL_REQUEST_START;
        is_start.then(|| serde_json::from_str::<Start>(entry.event.json()).ok()).flatten().map(|start| start.handbox)
    }
}

/// What the model saw, or would see, if it was asked when the session's log ended at a place. At a
/// `span.model_request_start` that is the request which begins there, also if it is for a summary.
///
/// `material` has the entries that the session's strategy reaches (see [`read`](super::read)), or more.
/// Calls that have no result at that place are said to have none.
#[must_use]
pub fn request_at(material: &Material, runs: &RunsWith, position: Seq) -> ModelRequest {
    let at = material.entries.binary_search_by_key(&position, |entry| entry.seq);
    let purpose = at.ok().and_then(|index| Purpose::of(&material.entries[index])).unwrap_or(Purpose::Reply);
    request_for(purpose, material, runs, position)
}

/// What the model is asked at a place.
pub(crate) fn request_for(purpose: Purpose, material: &Material, runs: &RunsWith, position: Seq) -> ModelRequest {
    match purpose {
        Purpose::Reply => reply_request(material, runs, position),
        Purpose::Summary { through } => summary_request(material, runs, through),
    }
}

fn reply_request(material: &Material, runs: &RunsWith, position: Seq) -> ModelRequest {
    let mut pieces = runs.context.strategy().shape(pieces_at(material, position));
    pieces.retain(|piece| !matches!(piece, Piece::TurnEnd { .. } | Piece::Summary { .. }));
    let mut messages = messages(&pieces);
    if runs.agent.cache == Cache::On {
        mark_messages(&mut messages);
    }
    ModelRequest {
        model: runs.agent.model.id.clone(),
        max_tokens: runs.agent.max_tokens,
        system: system(runs),
        tools: tools(runs),
        messages,
        options: runs.agent.options.clone(),
    }
}

/// How the model is asked for a summary of what it would be shown at a place, up to `through`.
///
/// The tools stay, though none may be called: they are the beginning of what providers have cached of the conversation,
/// and where they are missing, calls in it are refused.
fn summary_request(material: &Material, runs: &RunsWith, through: Seq) -> ModelRequest {
    let mut request = reply_request(material, runs, through);
    if request.tools.is_empty() {
        request.options.shift_remove("tool_choice");
    } else {
        request.options.insert("tool_choice".to_owned(), json!({"type": "none"}));
    }
    let ask = raw(&json!({"type": "text", "text": SUMMARISE}));
    match request.messages.last_mut() {
        Some(last) if last.role == Role::User => last.content.push(ask),
        _ => request.messages.push(Message { role: Role::User, content: vec![ask] }),
    }
    request
}

pub(super) fn pieces_at(material: &Material, position: Seq) -> Transcript {
    let end = material.entries.partition_point(|entry| entry.seq <= position);
    transcript(&material.entries[..end], &material.blobs)
}

pub(super) fn raw(value: &Value) -> Box<RawValue> {
    // A value always becomes JSON; `null` is what could be said if it did not.
    to_raw_value(value).unwrap_or_default()
}

fn system(runs: &RunsWith) -> Vec<Box<RawValue>> {
    let Some(text) = runs.system.as_ref().filter(|text| !text.trim().is_empty()) else { return Vec::new() };
    let mut block = json!({"type": "text", "text": text});
    if runs.agent.cache == Cache::On {
        mark(&mut block);
    }
    vec![raw(&block)]
}

pub(super) fn mark(block: &mut Value) {
    if let Value::Object(members) = block {
        members.insert("cache_control".to_owned(), json!({"type": "ephemeral"}));
    }
}

/// Marks the end of the last two messages of the user: of what is new, and of what the request before had as its end.
fn mark_messages(messages: &mut [Message]) {
    let users = messages.iter_mut().rev().filter(|message| message.role == Role::User);
    // A mark on a text without a word goes with it where that is refused.
    let last = users.take(2).filter_map(|message| message.content.iter_mut().rfind(|block| !is_blank(block)));
    for block in last {
        if let Ok(mut value) = serde_json::from_str::<Value>(block.get()) {
            mark(&mut value);
            *block = raw(&value);
        }
    }
}

fn messages(pieces: &[Piece]) -> Vec<Message> {
    let mut maker = Maker { messages: Vec::new(), calls: Vec::new(), results: HashMap::new() };
    for piece in pieces {
        maker.add(piece);
    }
    maker.close_calls();
    maker.messages
}

#[derive(Default)]
struct Maker {
    messages: Vec<Message>,
    /// The calls of the latest reply that have no result in the request yet.
    calls: Vec<Call>,
    /// Their results, by call. They go into the request in the order of the calls, so that it does not matter to a
    /// provider's cache which call was faster.
    results: HashMap<EventId, Box<RawValue>>,
}

impl Maker {
    fn add(&mut self, piece: &Piece) {
        match piece {
            Piece::Input { blocks, .. } => {
                self.close_calls();
                self.say(Role::User, blocks.iter().map(raw));
            }
            Piece::Reply { blocks, calls, .. } => {
                self.close_calls();
                // A conversation begins with the user; what stands before was cut off.
                if !self.messages.is_empty() {
                    self.say(Role::Assistant, blocks.iter().cloned());
                    self.calls.clone_from(calls);
                }
            }
            Piece::Result { call, content, is_error, .. } => {
                if let Some(of) = self.calls.iter().find(|of| of.event == Some(*call)) {
                    let mut block = json!({"type": "tool_result", "tool_use_id": of.id, "content": content});
                    if *is_error {
                        block["is_error"] = true.into();
                    }
                    self.results.entry(*call).or_insert_with(|| raw(&block));
                }
            }
            Piece::TurnEnd { .. } | Piece::Summary { .. } => {}
        }
    }

    /// Adds blocks to the last message of a role, or begins one. An empty message is none: providers refuse it.
    fn say(&mut self, role: Role, blocks: impl Iterator<Item = Box<RawValue>>) {
        let blocks: Vec<_> = blocks.collect();
        match self.messages.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last.role == role => last.content.extend(blocks),
            _ => self.messages.push(Message { role, content: blocks }),
        }
    }

    fn close_calls(&mut self) {
        let calls = std::mem::take(&mut self.calls);
        let results: Vec<_> = calls
            .iter()
            .map(|call| {
                let result = call.event.and_then(|event| self.results.remove(&event));
                result.unwrap_or_else(|| without_result(call))
            })
            .collect();
        self.results.clear();
        self.say(Role::User, results.into_iter());
    }
}

fn without_result(call: &Call) -> Box<RawValue> {
    let content = json!([{"type": "text", "text": "(There is no result yet.)"}]);
    raw(&json!({"type": "tool_result", "tool_use_id": call.id, "content": content, "is_error": true}))
}
