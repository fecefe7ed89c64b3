//! A model's reply as events.

use super::WakeError;
use super::desk::Desk;
use super::used::Used;
use crate::model::Reply;
use crate::model::content::{Block, blocks};
use crate::runs::Policy;
use handbox_session::fold::{ModelReply, Tokens, bodies::REPLY_INLINE_BYTES_MAX};
use handbox_session::{EVENT_BYTES_MAX, Event, EventError, EventId, Kind, kinds};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The most bytes of a reply. What is longer is no reply that anybody can work with.
pub(super) const REPLY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The most content blocks of a reply: what fits into one append with room for the rest.
pub(super) const REPLY_BLOCKS_MAX: usize = 2048;
/// The most bytes of a call's input in its event. A call with more is not carried out.
const INPUT_BYTES_MAX: usize = EVENT_BYTES_MAX / 2;
/// The most bytes of a text in its event; longer ones are several messages.
const TEXT_BYTES_MAX: usize = EVENT_BYTES_MAX / 8;
/// The most characters of a tool's name that an event shows.
const NAME_CHARS_MAX: usize = 128;

/// Whether a call is the first of its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    OfReply,
    No,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Well,
    Badly,
}

/// Whether a reply can be kept at all; if not, why.
pub(super) fn check(reply: &Reply) -> Result<(), String> {
    if reply.content.len() > REPLY_BYTES_MAX {
        return Err(format!("the reply has {} bytes; the most is {REPLY_BYTES_MAX}", reply.content.len()));
    }
    // What cannot be read as blocks here could not be shown to the model again.
    let blocks =
        blocks(&reply.content).map_err(|error| format!("the reply's content is no array of blocks: {error}"))?;
    if blocks.len() > REPLY_BLOCKS_MAX {
        return Err(format!("the reply has {} blocks; the most is {REPLY_BLOCKS_MAX}", blocks.len()));
    }
    Ok(())
}

impl Desk<'_> {
    /// The events of a reply, in their order: what it is, what it shows, and the end of its request.
    pub(super) async fn answer(
        &mut self,
        start: EventId,
        reply: &Reply,
        used: Used,
        previewed: &BTreeMap<usize, EventId>,
    ) -> Result<Vec<Event>, WakeError> {
        let inline = reply.content.len() <= REPLY_INLINE_BYTES_MAX;
        let blob = if inline { None } else { Some(self.brain.blobs.put(reply.content.clone().into_bytes()).await?) };
        let body = ModelReply {
            model_request_start_id: start,
            provider: self.brain.model.provider().to_owned(),
            model: reply.model.clone(),
            content: inline.then(|| reply.content.clone()),
            content_blob: blob,
            stop_reason: reply.stop_reason.clone(),
            usage: used.tokens,
            cost: used.cost,
        };
        let mut events = vec![self.body(&body)?];
        let mut first = First::OfReply;
        for (index, block) in blocks(&reply.content).unwrap_or_default().iter().enumerate() {
            events.extend(self.shown(previewed.get(&index).copied(), block, first)?);
            if block.is_call() {
                first = First::No;
            }
        }
        let own = if used.estimated { json!({"estimated": true}) } else { Value::Null };
        events.push(self.request_end(start, used.tokens, Ending::Well, own)?);
        Ok(events)
    }

    /// The end of a request without a reply. It may have cost something all the same.
    pub(super) fn lost_end(&mut self, start: EventId, used: Used) -> Result<Event, WakeError> {
        let mut own = json!({"part": "model", "incarnation": self.brain.model.provider(), "cost": used.cost});
        if used.estimated {
            own["estimated"] = true.into();
        }
        self.request_end(start, used.tokens, Ending::Badly, own)
    }

    /// The end of a request that was for a summary: it has no reply of its own, and was not lost.
    pub(super) fn summary_end(&mut self, start: EventId, used: Used) -> Result<Event, WakeError> {
        let mut own = json!({"purpose": "summary", "cost": used.cost});
        if used.estimated {
            own["estimated"] = true.into();
        }
        self.request_end(start, used.tokens, Ending::Well, own)
    }

    fn request_end(&mut self, start: EventId, tokens: Tokens, ending: Ending, own: Value) -> Result<Event, WakeError> {
        let cached = tokens.cache_creation;
        let usage = json!({
            "input_tokens": tokens.input_tokens, "output_tokens": tokens.output_tokens,
            "cache_creation_input_tokens":
                cached.ephemeral_5m_input_tokens.saturating_add(cached.ephemeral_1h_input_tokens),
            "cache_read_input_tokens": tokens.cache_read_input_tokens,
        });
        let is_error = ending == Ending::Badly;
        let mut members = json!({"model_request_start_id": start, "is_error": is_error, "model_usage": usage});
        if !own.is_null() {
            members["handbox"] = own;
        }
        self.event(kinds::SPAN_MODEL_REQUEST_END, members)
    }

    fn shown(&mut self, id: Option<EventId>, block: &Block<'_>, first: First) -> Result<Vec<Event>, WakeError> {
        match block.kind.as_str() {
            "thinking" | "redacted_thinking" => {
                let id = id.unwrap_or_else(|| self.mint());
                Ok(vec![Event::new(id, kinds::AGENT_THINKING, Map::new())?])
            }
            "text" if !block.text.is_empty() => self.messages(id, &block.text),
            "tool_use" => Ok(vec![self.tool_use(block, first)?]),
            _ => Ok(Vec::new()),
        }
    }

    fn messages(&mut self, first: Option<EventId>, mut text: &str) -> Result<Vec<Event>, WakeError> {
        let mut events = Vec::new();
        let mut id = first;
        while !text.is_empty() {
            let (now, later) = text.split_at(text.floor_char_boundary(TEXT_BYTES_MAX));
            let content = json!({"content": [{"type": "text", "text": now}]});
            let Value::Object(members) = content else { break };
            let own = id.take().unwrap_or_else(|| self.mint());
            events.push(Event::new(own, kinds::AGENT_MESSAGE, members)?);
            text = later;
        }
        Ok(events)
    }

    /// The policy of a call as it stands: the first of a session's calls, or one that knows what others gave.
    fn policy(&self, policy: Policy, first: First) -> Policy {
        match (policy, first) {
            (Policy::AskOnceTainted, First::OfReply) if self.fold.total.tool_calls == 0 => Policy::AlwaysAllow,
            (Policy::AskOnceTainted, _) => Policy::AlwaysAsk,
            (policy, _) => policy,
        }
    }

    fn tool_use(&mut self, block: &Block<'_>, first: First) -> Result<Event, WakeError> {
        let name: String = block.name.chars().take(NAME_CHARS_MAX).collect();
        let tool = self.runs.tool(&block.name);
        let custom = tool.is_some_and(|tool| tool.hand.is_none());
        let mut members = json!({"name": name});
        match tool.map(|tool| self.policy(tool.permission, first)) {
            _ if custom => {}
            Some(Policy::AlwaysAllow) => {
                members["evaluated_permission"] = "allow".into();
                members["evaluation"] = json!({"type": "always_allow"});
            }
            Some(Policy::AlwaysAsk | Policy::AskOnceTainted) => {
                members["evaluated_permission"] = "ask".into();
                members["evaluation"] = json!({"type": "always_ask"});
            }
            Some(Policy::Deny) | None => members["evaluated_permission"] = "deny".into(),
        }
        let (input, problem) = match input(block) {
            Ok(input) => (input, None),
            Err(problem) => (json!({}), Some(problem)),
        };
        members["input"] = input;
        let mut kind = if custom { kinds::AGENT_CUSTOM_TOOL_USE } else { kinds::AGENT_TOOL_USE };
        if let Some(problem) = &problem {
            unusable(&mut members, &mut kind, problem);
        }
        match self.event(kind, members.clone()) {
            Err(WakeError::Bug(_)) if problem.is_none() => {
                // Nested too deep for an event, which only trying tells.
                members["input"] = json!({});
                let mut kind = kinds::AGENT_TOOL_USE;
                unusable(&mut members, &mut kind, &EventError::TooDeep.to_string());
                self.event(kind, members)
            }
            other => other,
        }
    }
}

/// A call whose input is none: nobody is asked, and it is answered by the brain.
fn unusable(members: &mut Value, kind: &mut Kind, problem: &str) {
    *kind = kinds::AGENT_TOOL_USE;
    members["evaluated_permission"] = "allow".into();
    members["handbox"] = json!({"input_error": problem});
}

/// A call's input, or why it cannot be used, for the model.
fn input(block: &Block<'_>) -> Result<Value, String> {
    if let Some(text) = &block.input_text {
        let shown: String = text.chars().take(200).collect();
        return Err(format!("The arguments are no JSON object. What came begins with: {shown}"));
    }
    let raw = block.input.map_or("null", RawValue::get);
    let input: Value =
        serde_json::from_str(raw).map_err(|error| format!("The arguments are JSON that cannot be read: {error}."))?;
    if !input.is_object() {
        return Err("The arguments are no JSON object.".to_owned());
    }
    let bytes = input.to_string().len();
    if bytes > INPUT_BYTES_MAX {
        return Err(format!("The arguments have {bytes} bytes; the most is {INPUT_BYTES_MAX}."));
    }
    Ok(input)
}
