//! Tool calls that have no result yet.

use super::rules::Odd;
use super::{CallEnded, CallStarted, bodies::NAME_BYTES_MAX, clip};
use crate::{Event, EventId, Seq};
use serde::{Deserialize, Serialize};

/// A tool call without a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenCall {
    /// The event by which the model called the tool; results and confirmations name it.
    pub id: EventId,
    /// That event's place. Its input is there.
    pub place: Seq,
    /// Who executes it.
    pub of: CallOf,
    /// The tool, cut at [`NAME_BYTES_MAX`].
    pub name: String,
    /// Whether it may run.
    pub permission: Permission,
    /// What the client decided of a call that may run only if it allows that.
    pub decision: Option<Decision>,
    /// The attempt that was started last.
    pub attempt: Option<Attempt>,
    /// The thread it is of, if not the session's first. Cut at [`NAME_BYTES_MAX`].
    pub thread: Option<String>,
}

/// Who executes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOf {
    /// A hand.
    Tool,
    /// A hand that speaks to an MCP server.
    Mcp,
    /// The client.
    Custom,
}

/// Whether a call may run, as was evaluated when the model made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It may. Calls of the client's own tools always may.
    Allow,
    /// It may if the client says so. This is also what is understood where the event says nothing, or nothing known.
    Ask,
    /// It may not.
    Deny,
}

/// A client's `user.tool_confirmation`. The first that comes counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The confirmation.
    pub id: EventId,
    /// Its place. Its message to the model is there.
    pub place: Seq,
    /// What it says.
    pub verdict: Verdict,
}

/// What a confirmation says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The call may run.
    Allow,
    /// It may not.
    Deny,
}

/// An attempt to execute a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The id under which the hand was called.
    pub call_id: String,
    /// Which it is, from 1.
    pub number: u32,
    /// The place of its `handbox.call_started`.
    pub place: Seq,
    /// What became of it. `None` while it goes on, or when the brain died over it.
    pub outcome: Option<Outcome>,
    /// Whether it is not known what became of an earlier attempt.
    pub after_unknown: bool,
}

impl Attempt {
    /// Whether the call may have taken effect without anybody knowing: in this attempt or in an earlier one.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.after_unknown || matches!(self.outcome, None | Some(Outcome::Unknown))
    }
}

/// What became of an attempt, see rule 3 of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It happened.
    Committed,
    /// It happened and failed.
    Failed,
    /// It never began, and may be tried again.
    NotStarted,
    /// Nobody can tell.
    Unknown,
}

/// What a session waits for from its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The tool call that is to be answered; `session.status_idle` lists it.
    pub id: EventId,
    /// Its place; its id says since when it waits.
    pub place: Seq,
    /// How it is answered.
    pub on: WaitingOn,
}

/// How a client answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitingOn {
    /// By `user.tool_confirmation`.
    Confirmation,
    /// By `user.custom_tool_result`.
    CustomToolResult,
}

impl OpenCall {
    /// What it needs of the client, if anything.
    #[must_use]
    pub fn waiting(&self) -> Option<Waiting> {
        let on = match (self.of, self.permission, self.decision) {
            (CallOf::Custom, ..) => WaitingOn::CustomToolResult,
            (_, Permission::Ask, None) => WaitingOn::Confirmation,
            _ => return None,
        };
        Some(Waiting { id: self.id, place: self.place, on })
    }
}

/// The members of the three kinds of tool use that matter here.
#[derive(Deserialize)]
struct ToolUse {
    name: String,
    evaluated_permission: Option<String>,
    session_thread_id: Option<String>,
}

#[derive(Deserialize)]
struct Confirmation {
    tool_use_id: EventId,
    result: Verdict,
}

/// A result, under each of the names by which one points to its call.
#[derive(Deserialize)]
struct ToolResult {
    #[serde(alias = "mcp_tool_use_id", alias = "custom_tool_use_id")]
    tool_use_id: EventId,
}

/// Opens a call.
pub(super) fn open(calls: &mut Vec<OpenCall>, of: CallOf, place: Seq, event: &Event) -> Result<(), Odd> {
    let members: ToolUse = Odd::parse(event)?;
    let permission = match (of, members.evaluated_permission.as_deref()) {
        (CallOf::Custom, _) | (_, Some("allow")) => Permission::Allow,
        (_, Some("deny")) => Permission::Deny,
        _ => Permission::Ask,
    };
    calls.push(OpenCall {
        id: event.id(),
        place,
        of,
        name: clip(members.name, NAME_BYTES_MAX),
        permission,
        decision: None,
        attempt: None,
        thread: members.session_thread_id.map(|thread| clip(thread, NAME_BYTES_MAX)),
    });
    Ok(())
}

/// Closes the call that a result names. One that is closed already, or never was, is left as it is.
pub(super) fn close(calls: &mut Vec<OpenCall>, event: &Event) -> Result<(), Odd> {
    let result: ToolResult = Odd::parse(event)?;
    let at = calls.iter().position(|call| call.id == result.tool_use_id);
    let at = at.ok_or_else(|| Odd::stray("a result without an open call"))?;
    calls.remove(at);
    Ok(())
}

/// Takes note of a client's confirmation.
pub(super) fn confirm(calls: &mut [OpenCall], place: Seq, event: &Event) -> Result<(), Odd> {
    let confirmation: Confirmation = Odd::parse(event)?;
    let call = find(calls, confirmation.tool_use_id)?;
    if call.waiting().is_none_or(|waiting| waiting.on != WaitingOn::Confirmation) {
        return Err(Odd::stray("a confirmation of a call that does not wait for one"));
    }
    call.decision = Some(Decision { id: event.id(), place, verdict: confirmation.result });
    Ok(())
}

/// Takes note of an attempt.
pub(super) fn start(calls: &mut [OpenCall], place: Seq, event: &Event) -> Result<(), Odd> {
    let started: CallStarted = Odd::parse(event)?;
    if started.call_id.len() > NAME_BYTES_MAX {
        // A name that is cut would be another name.
        return Err(Odd::malformed(format!("a `call_id` of more than {NAME_BYTES_MAX} bytes")));
    }
    let call = find(calls, started.tool_use_id)?;
    let after_unknown = call.attempt.as_ref().is_some_and(Attempt::in_doubt);
    call.attempt =
        Some(Attempt { call_id: started.call_id, number: started.attempt, place, outcome: None, after_unknown });
    Ok(())
}

/// Takes note of what became of an attempt. Only the latest counts.
pub(super) fn end(calls: &mut [OpenCall], event: &Event) -> Result<(), Odd> {
    let ended: CallEnded = Odd::parse(event)?;
    let attempt = find(calls, ended.tool_use_id)?.attempt.as_mut();
    let attempt = attempt.filter(|attempt| attempt.number == ended.attempt && attempt.call_id == ended.call_id);
    let attempt = attempt.ok_or_else(|| Odd::stray("the end of an attempt that is not the latest"))?;
    attempt.outcome = Some(ended.outcome);
    Ok(())
}

fn find(calls: &mut [OpenCall], id: EventId) -> Result<&mut OpenCall, Odd> {
    let call = calls.iter_mut().find(|call| call.id == id);
    call.ok_or_else(|| Odd::stray("it names a call that is not open"))
}
