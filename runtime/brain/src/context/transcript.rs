//! A log's entries as pieces of a conversation.

use crate::model::content::Block;
use handbox_session::fold::{InputTaken, ModelReply, bodies::Body};
use handbox_session::{Entry, Event, EventId, Hash, Seq, kinds};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::HashMap;

/// A conversation, oldest piece first.
pub type Transcript = Vec<Piece>;

/// A piece of a conversation.
#[derive(Debug, Clone)]
pub enum Piece {
    /// Something was said to the model.
    Input {
        /// Where it was taken.
        place: Seq,
        /// The content blocks.
        blocks: Vec<Value>,
    },
    /// The model said something.
    Reply {
        /// Where.
        place: Seq,
        /// The content blocks, byte for byte.
        blocks: Vec<Box<RawValue>>,
        /// The tools that it called, in order.
        calls: Vec<Call>,
    },
    /// A tool answered.
    Result {
        /// Where.
        place: Seq,
        /// The call, by its event.
        call: EventId,
        /// The content blocks.
        content: Vec<Value>,
        /// Whether it went wrong.
        is_error: bool,
    },
    /// A turn ended, and the next begins with input.
    TurnEnd {
        /// Where.
        place: Seq,
    },
    /// What the model was shown up to a place was summed up.
    Summary {
        /// Where.
        place: Seq,
        /// What is no longer shown: everything up to here.
        through: Seq,
        /// The summary.
        text: String,
    },
}

/// A tool that the model called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The event that says so; `None` where the entries end before it.
    pub event: Option<EventId>,
    /// The model's own id for it.
    pub id: String,
    /// The tool.
    pub name: String,
}

impl Piece {
    /// Where it is in the log.
    #[must_use]
    pub fn place(&self) -> Seq {
        match self {
            Self::Input { place, .. }
            | Self::Reply { place, .. }
            | Self::Result { place, .. }
            | Self::TurnEnd { place }
            | Self::Summary { place, .. } => *place,
        }
    }
}

#[derive(Deserialize)]
struct ResultMembers {
    #[serde(alias = "mcp_tool_use_id", alias = "custom_tool_use_id")]
    tool_use_id: EventId,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    is_error: Option<bool>,
    #[serde(default)]
    handbox: Kept,
}

/// Where content is that is too large for its event.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Kept {
    pub(crate) content_blob: Option<Hash>,
    pub(crate) through: Option<Seq>,
    pub(crate) summary: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Own {
    #[serde(default)]
    pub(crate) handbox: Kept,
}

/// Puts entries, oldest first, into pieces.
///
/// Content that is in blobs is looked up in `blobs`; what is missing there is said to be missing. Events that say
/// nothing to a model are passed over, and so are those that make no sense.
#[must_use]
pub fn transcript(entries: &[Entry], blobs: &HashMap<Hash, Vec<u8>>) -> Transcript {
    let mut nexts: Vec<Next> = entries
        .iter()
        .rev()
        .scan(Next::default(), |next, entry| {
            let after = *next;
            *next = next.before(&entry.event);
            Some(after)
        })
        .collect();
    nexts.reverse();
    let mut maker = Maker { blobs, inputs: HashMap::new(), pieces: Vec::new() };
    for (index, entry) in entries.iter().enumerate() {
        if ends_turn(&entry.event, nexts[index]) {
            maker.pieces.push(Piece::TurnEnd { place: entry.seq });
        }
        maker.add(entry);
    }
    maker.pieces
}

struct Maker<'a> {
    blobs: &'a HashMap<Hash, Vec<u8>>,
    /// Input that was not taken yet.
    inputs: HashMap<EventId, &'a Event>,
    pieces: Vec<Piece>,
}

impl<'a> Maker<'a> {
    fn add(&mut self, entry: &'a Entry) {
        let (place, event) = (entry.seq, &entry.event);
        match event.kind() {
            kind if *kind == kinds::USER_MESSAGE || *kind == kinds::SYSTEM_MESSAGE => {
                self.inputs.insert(event.id(), event);
            }
            kind if *kind == kinds::HANDBOX_INPUT_TAKEN => self.input(place, event),
            kind if *kind == kinds::HANDBOX_MODEL_REPLY => self.reply(place, event),
            kind if *kind == kinds::AGENT_TOOL_USE
                || *kind == kinds::AGENT_MCP_TOOL_USE
                || *kind == kinds::AGENT_CUSTOM_TOOL_USE =>
            {
                self.call(event);
            }
            kind if *kind == kinds::AGENT_TOOL_RESULT
                || *kind == kinds::AGENT_MCP_TOOL_RESULT
                || *kind == kinds::USER_CUSTOM_TOOL_RESULT
                || *kind == kinds::USER_TOOL_RESULT =>
            {
                self.result(place, event);
            }
            kind if *kind == kinds::AGENT_THREAD_CONTEXT_COMPACTED => self.summary(place, event),
            _ => {}
        }
    }

    fn input(&mut self, place: Seq, event: &Event) {
        let Ok(taken) = InputTaken::from_event(event) else { return };
        let events: Vec<&Event> = taken.ids.iter().filter_map(|id| self.inputs.remove(id)).collect();
        let blocks: Vec<Value> = events.into_iter().flat_map(said).collect();
        if !blocks.is_empty() {
            self.pieces.push(Piece::Input { place, blocks });
        }
    }

    fn reply(&mut self, place: Seq, event: &Event) {
        let Ok(reply) = ModelReply::from_event(event) else { return };
        let content = match (reply.content, reply.content_blob) {
            (Some(content), _) => content,
            (None, Some(digest)) => self.blob(digest),
            (None, None) => String::new(),
        };
        let blocks: Vec<Box<RawValue>> = serde_json::from_str(&content).unwrap_or_default();
        let calls = blocks.iter().filter_map(|block| called(block)).collect();
        self.pieces.push(Piece::Reply { place, blocks, calls });
    }

    fn call(&mut self, event: &Event) {
        // The events of a reply's calls follow it in their order, before anything else is said.
        if let Some(Piece::Reply { calls, .. }) = self.pieces.last_mut()
            && let Some(call) = calls.iter_mut().find(|call| call.event.is_none())
        {
            call.event = Some(event.id());
        }
    }

    fn result(&mut self, place: Seq, event: &Event) {
        let Ok(members) = serde_json::from_str::<ResultMembers>(event.json()) else { return };
        let content = match members.handbox.content_blob {
            Some(digest) => serde_json::from_str(&self.blob(digest)).unwrap_or_else(|_| vec![missing(digest)]),
            None => blocks(members.content),
        };
        let is_error = members.is_error.unwrap_or(false);
        self.pieces.push(Piece::Result { place, call: members.tool_use_id, content, is_error });
    }

    fn summary(&mut self, place: Seq, event: &Event) {
        let Ok(own) = serde_json::from_str::<Own>(event.json()) else { return };
        let text = match (own.handbox.summary, own.handbox.content_blob) {
            (Some(text), _) => text,
            (None, Some(digest)) => self.blob(digest),
            (None, None) => return,
        };
        if let Some(through) = own.handbox.through {
            self.pieces.push(Piece::Summary { place, through, text });
        }
    }

    fn blob(&self, digest: Hash) -> String {
        self.blobs.get(&digest).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
    }
}

/// What follows a rest: input, or that the same turn goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Next {
    Input,
    Reply,
    #[default]
    Nothing,
}

impl Next {
    /// What follows the entry before this event, if this follows it.
    pub(crate) fn before(self, event: &Event) -> Self {
        match event.kind() {
            kind if *kind == kinds::HANDBOX_INPUT_TAKEN => Self::Input,
            kind if *kind == kinds::HANDBOX_MODEL_REPLY => Self::Reply,
            _ => self,
        }
    }
}

/// Whether a turn ends with an event: with a rest after which the next one begins with input. Not with one in which the
/// same turn waits; one that stopped at a limit goes on where that is raised, unless input came first.
pub(crate) fn ends_turn(event: &Event, next: Next) -> bool {
    if *event.kind() != kinds::SESSION_STATUS_IDLE {
        return false;
    }
    let members = event.members();
    let reason = members.get("stop_reason").and_then(|reason| reason.get("type")).and_then(Value::as_str);
    match reason {
        Some("end_turn" | "retries_exhausted" | "refusal") => true,
        Some("budget_reached") => next == Next::Input,
        _ => false,
    }
}

fn called(block: &RawValue) -> Option<Call> {
    let block: Block<'_> = serde_json::from_str(block.get()).ok()?;
    block.is_call().then_some(Call { event: None, id: block.id, name: block.name })
}

/// What a message says: its content, as blocks.
fn said(event: &Event) -> Vec<Value> {
    let mut members = event.members();
    let content = blocks(members.remove("content").unwrap_or_default());
    if *event.kind() != kinds::SYSTEM_MESSAGE {
        return content;
    }
    // The operator's word in the middle of a conversation; providers have no other place for it.
    let text: String = content.iter().filter_map(|block| block.get("text")?.as_str()).collect();
    vec![json!({"type": "text", "text": format!("<system>\n{text}\n</system>")})]
}

/// Content as blocks: text alone is one, and what nobody may see is none.
fn blocks(content: Value) -> Vec<Value> {
    match content {
        Value::String(text) => vec![json!({"type": "text", "text": text})],
        Value::Array(blocks) => {
            blocks.into_iter().filter(|block| block.get("type").is_some_and(|kind| kind != "redacted")).collect()
        }
        _ => Vec::new(),
    }
}

fn missing(digest: Hash) -> Value {
    json!({"type": "text", "text": format!("(this content is kept as {digest}, and could not be read)")})
}
