//! What a brain writes of its own accord: rests, errors, and answers to calls that are not run.

use super::WakeError;
use super::desk::Desk;
use super::output::{Content, brief};
use crate::step::{Settlement, Stop, TAKE_MAX, Why};
use handbox_session::fold::{
    Attempt, CallEnded, CallOf, InputTaken, OpenCall, Outcome, StopReason, Tokens, WaitExpired, Work,
};
use handbox_session::{Event, EventId, Kind, SessionId, kinds};
use serde_json::{Value, json};

/// What the reference has a client read of a call that was cut off.
pub(super) const INTERRUPTED: &str = "Tool execution was interrupted before completion. Please retry.";
/// What is added where the call may have had its effect.
pub(super) const MAY_HAVE: &str = "It may have taken effect all the same: look before you call it again.";

/// The most input that one event names as taken: 34 KiB of ids.
const TAKEN_IDS_MAX: usize = 1024;

/// What happens after an error, in the words of Managed Agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Retrying,
    Exhausted,
}

impl After {
    fn name(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::Exhausted => "exhausted",
        }
    }
}

impl Desk<'_> {
    /// A `session.error`. `own` names the part that failed, and what else Handbox itself has to say.
    pub(super) fn error(&mut self, kind: &str, message: &str, after: After, own: Value) -> Result<Event, WakeError> {
        let message = brief(message);
        let error = json!({"type": kind, "message": message, "retry_status": {"type": after.name()}});
        self.event(kinds::SESSION_ERROR, json!({"error": error, "handbox": own}))
    }

    /// The end of a turn.
    pub(super) fn stop(&mut self, stop: &Stop) -> Result<Vec<Event>, WakeError> {
        let mut events = Vec::new();
        let reason = match stop {
            Stop::EndTurn => json!({"type": "end_turn"}),
            Stop::Refusal => json!({"type": "refusal"}),
            Stop::RequiresAction(ids) => json!({"type": "requires_action", "event_ids": ids}),
            Stop::Budget(_) => json!({"type": "budget_reached"}),
            Stop::ToolLimit(reached) => {
                let message = format!("{reached}, and it did");
                let own = json!({"part": "brain", "incarnation": self.tenure.epoch()});
                events.push(self.error("tool_use_limit_reached_error", &message, After::Exhausted, own)?);
                events.extend(self.flush()?);
                json!({"type": "retries_exhausted"})
            }
        };
        events.extend(self.idle(&reason, stop)?);
        Ok(events)
    }

    /// Gives up what is queued, as the end of a turn by `retries_exhausted` does.
    pub(super) fn flush(&mut self) -> Result<Vec<Event>, WakeError> {
        let ids: Vec<EventId> = self.fold.queue.iter().map(|queued| queued.id).take(TAKE_MAX).collect();
        self.taken(&ids)
    }

    /// That input is taken: as many events as it needs.
    pub(super) fn taken(&mut self, ids: &[EventId]) -> Result<Vec<Event>, WakeError> {
        ids.chunks(TAKEN_IDS_MAX).map(|ids| self.body(&InputTaken { ids: ids.to_vec() })).collect()
    }

    /// That the session does something else from here on: a status of its first thread.
    ///
    /// Clients of Managed Agents read sessions of many threads and of one in the same way.
    pub(super) fn thread(&mut self, kind: Kind, mut members: Value) -> Result<Event, WakeError> {
        members["session_thread_id"] = json!(self.session.first_thread());
        members["agent_name"] = self.runs.agent.name.clone().into();
        self.event(kind, members)
    }

    /// The end of what its first thread does, then `session.usage`, and right after it `session.status_idle`.
    pub(super) fn idle(&mut self, reason: &Value, stop: &Stop) -> Result<Vec<Event>, WakeError> {
        let running = self.fold.turn.running_since_unix_ms.map_or(0, |since| self.now().saturating_sub(since));
        let usage = usage(&self.fold.total, running);
        let budget = self.runs.limits.session.money.map_or(
            Value::Null,
            |money| json!({"type": "limit", "max_list_cost": {"amount": money.cents().to_string(), "currency": "USD"}}),
        );
        let details = match stop {
            Stop::Refusal => json!({"type": "refusal"}),
            _ => Value::Null,
        };
        let mut members = json!({"stop_reason": reason, "stop_details": details});
        let thread = self.thread(kinds::SESSION_THREAD_STATUS_IDLE, members.clone())?;
        if let Stop::Budget(reached) = stop {
            members["handbox"] = json!({"limit": reached.to_string()});
        }
        Ok(vec![
            thread,
            self.event(kinds::SESSION_USAGE, json!({"usage": usage, "budget": budget}))?,
            self.event(kinds::SESSION_STATUS_IDLE, members)?,
        ])
    }

    /// The answers of calls that are not run, each after what became of an attempt at it.
    pub(super) async fn settle(&mut self, settlements: &[Settlement]) -> Result<Vec<Event>, WakeError> {
        let mut events = Vec::new();
        for settlement in settlements {
            let Some(call) = self.fold.call(settlement.call).cloned() else { continue };
            if let Why::Expired(waited_ms) = settlement.why {
                let default = "deny".to_owned();
                events.push(self.body(&WaitExpired { tool_use_id: call.id, waited_ms, default })?);
            }
            let why = self.why(&call, settlement.why).await?;
            let content = self.told(&call, &why).await?;
            if let Some(attempt) = call.attempt.as_ref().filter(|attempt| attempt.outcome.is_none()) {
                events.push(self.body(&CallEnded {
                    tool_use_id: call.id,
                    call_id: attempt.call_id.clone(),
                    attempt: attempt.number,
                    outcome: Outcome::Unknown,
                    reason: Some(lost(settlement.why).to_owned()),
                })?);
            }
            let own = json!({"part": "brain", "why": name(settlement.why)});
            events.push(self.result(&call, content, true, own)?);
        }
        Ok(events)
    }

    /// The result of a call, as its kind of call has it.
    pub(super) fn result(
        &mut self,
        call: &OpenCall,
        content: Content,
        is_error: bool,
        mut own: Value,
    ) -> Result<Event, WakeError> {
        let (kind, to) = match call.of {
            CallOf::Mcp => (kinds::AGENT_MCP_TOOL_RESULT, "mcp_tool_use_id"),
            CallOf::Tool | CallOf::Custom => (kinds::AGENT_TOOL_RESULT, "tool_use_id"),
        };
        if let Value::Object(own) = &mut own {
            own.extend(content.own);
        }
        self.event(kind, json!({to: call.id, "content": content.blocks, "is_error": is_error, "handbox": own}))
    }

    /// A text about a call that was not carried out now, and that it may have been earlier, if so.
    pub(super) fn with_doubt(&self, call: &OpenCall, text: &str) -> String {
        let in_doubt = call.attempt.as_ref().is_some_and(Attempt::in_doubt);
        let reads = self.runs.tool(&call.name).is_some_and(|tool| tool.hints.read_only);
        if in_doubt && !reads { format!("{text} {MAY_HAVE}") } else { text.to_owned() }
    }

    async fn why(&self, call: &OpenCall, why: Why) -> Result<String, WakeError> {
        let and = |text: &str| self.with_doubt(call, text);
        Ok(match why {
            Why::Policy if self.runs.tool(&call.name).is_none() => no_tool(&call.name),
            Why::Policy => "This tool may not be used in this session.".to_owned(),
            Why::Client(place) => match self.deny_message(place).await? {
                Some(message) => format!("The user denied this call: {message}"),
                None => "The user denied this call.".to_owned(),
            },
            Why::Expired(_) => "Nobody answered in time, so this call was denied.".to_owned(),
            Why::Interrupted => and(INTERRUPTED),
            Why::Limit => and("The call was not carried out: the limit of this turn is reached."),
            Why::Unknown => {
                "The outcome of this call is unknown: it was begun, and what ran it died before it answered. \
                             It may or may not have taken effect: look before you call it again."
                    .to_owned()
            }
            Why::Lost => "The call was carried out, but its result was lost.".to_owned(),
            Why::TooMany => "The call was not carried out: there are too many calls in one reply.".to_owned(),
            Why::Passed(to) => and(&passed(to)),
            Why::Forked => {
                and("This call belongs to the session that this one was forked from, and is not carried out here.")
            }
        })
    }

    async fn deny_message(&self, place: handbox_session::Seq) -> Result<Option<String>, WakeError> {
        let event = self.at(place).await?;
        Ok(event.members().get("deny_message").and_then(Value::as_str).map(str::to_owned))
    }

    /// How the session rests, by what is written.
    pub(super) fn stop_reason(&self) -> Option<StopReason> {
        self.fold.stop_reason.clone()
    }
}

/// What the model reads of a tool that is not there.
pub(super) fn no_tool(name: &str) -> String {
    format!("There is no tool {:?} here.", name.chars().take(64).collect::<String>())
}

/// What the model reads of a tool whose hand is another session's by now.
fn passed(to: SessionId) -> String {
    format!("The call was not carried out: the hand that has this tool was passed on to session {to}.")
}

fn lost(why: Why) -> &'static str {
    match why {
        Why::Interrupted => "interrupted",
        Why::Limit => "cut off at a limit",
        _ => "what ran it died",
    }
}

fn name(why: Why) -> &'static str {
    match why {
        Why::Policy => "policy",
        Why::Client(_) => "denied",
        Why::Expired(_) => "expired",
        Why::Interrupted => "interrupted",
        Why::Limit => "limit",
        Why::Unknown => "unknown_outcome",
        Why::Lost => "lost_result",
        Why::TooMany => "too_many_calls",
        Why::Passed(_) => "passed_on",
        Why::Forked => "forked",
    }
}

/// The usage of a session as its clients see it.
fn usage(work: &Work, running_ms: u64) -> Value {
    let Tokens { input_tokens, output_tokens, cache_read_input_tokens, cache_creation } = work.tokens;
    let active_ms = work.active_ms.saturating_add(running_ms);
    json!({
        "input_tokens": input_tokens, "output_tokens": output_tokens,
        "cache_read_input_tokens": cache_read_input_tokens, "cache_creation": cache_creation,
        "list_cost": {"amount": work.spend.cents().to_string(), "currency": "USD"},
        "active_seconds": seconds(active_ms),
    })
}

/// Milliseconds as seconds. Exact in binary up to 285 000 years.
fn seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}
