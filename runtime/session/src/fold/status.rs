//! What a session does, and how much of it it did.

use super::{Money, TEXT_BYTES_MAX, Tokens, bodies::NAME_BYTES_MAX, clip, rules::Odd};
use crate::{Event, EventId, Seq};
use serde::{Deserialize, Serialize};

/// What a session does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It rests; its stop reason says why.
    #[default]
    Idle,
    /// A turn is going on.
    Running,
    /// A turn waits for an error to pass.
    Rescheduling,
    /// It ended for good. Nothing changes that.
    Terminated,
}

/// Why a session rests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model is done, or was interrupted.
    EndTurn,
    /// The client has to answer; [`Fold::waiting`](super::Fold::waiting) says what.
    RequiresAction,
    /// It was tried often enough.
    RetriesExhausted,
    /// The money is spent.
    BudgetReached,
    /// The model will not.
    Refusal,
    /// Another one, by its name, cut at [`NAME_BYTES_MAX`].
    Other(String),
}

/// A turn: from a `session.status_running` to the rest after it.
///
/// Where that rest is `requires_action`, the turn goes on once the client answered: its counts do too, and its time
/// runs only while the session does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// The place of its first `session.status_running`.
    pub start: Option<Seq>,
    /// Since when the session runs, as far as that is not in `work.active_ms` yet, in milliseconds since 1970: since it
    /// last began to, or since a brain took it up again. `None` while it does not run.
    pub running_since_unix_ms: Option<u64>,
    /// When something last happened in it but for what clients and operators send, in milliseconds since 1970: as far as
    /// the log tells, a brain was awake until then.
    pub awake_unix_ms: u64,
    /// What was done in it.
    pub work: Work,
}

/// What was done, and what it took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Work {
    /// How often a model was asked: `span.model_request_start`.
    pub model_requests: u64,
    /// How many of these ended without a reply: they failed, were interrupted, or their brain died.
    pub model_requests_lost: u64,
    /// How many tools the model called, of whichever kind.
    pub tool_calls: u64,
    /// The tokens of the models.
    pub tokens: Tokens,
    /// The money for them, `waste` included.
    pub spend: Money,
    /// What of it was spent on requests without a reply; where nobody knows, what was reserved for them.
    pub waste: Money,
    /// For how long it ran with a brain awake, in milliseconds. The time since [`Turn::running_since_unix_ms`] is not in
    /// yet.
    pub active_ms: u64,
}

/// A `session.error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastError {
    /// The event.
    pub id: EventId,
    /// Its place.
    pub place: Seq,
    /// Its error's type, cut at [`NAME_BYTES_MAX`].
    pub error: String,
    /// What it says, cut at [`TEXT_BYTES_MAX`].
    pub message: String,
    /// What happens next.
    pub retry: Retry,
}

/// What happens after an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// The turn goes on.
    Retrying,
    /// The turn ended; the session may be used further.
    Exhausted,
    /// The session ended.
    Terminal,
    /// It does not say, or nothing that is known.
    #[serde(other)]
    Unsaid,
}

/// An object that says by its `type` what it is.
#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "type")]
    name: String,
}

#[derive(Deserialize)]
struct IdleMembers {
    stop_reason: Typed,
}

#[derive(Deserialize)]
struct ErrorMembers {
    error: ErrorBody,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "type")]
    name: String,
    #[serde(default)]
    message: String,
    retry_status: Option<RetryStatus>,
}

#[derive(Deserialize)]
struct RetryStatus {
    #[serde(rename = "type")]
    retry: Retry,
}

#[derive(Deserialize)]
struct RetryMembers {
    handbox: Option<RetryOwn>,
}

#[derive(Deserialize)]
struct RetryOwn {
    #[serde(default)]
    retry_at_unix_ms: Option<u64>,
}

/// The reason that a `session.status_idle` gives.
pub(super) fn stop_reason(event: &Event) -> Result<StopReason, Odd> {
    let members: IdleMembers = Odd::parse(event)?;
    Ok(match members.stop_reason.name.as_str() {
        "end_turn" => StopReason::EndTurn,
        "requires_action" => StopReason::RequiresAction,
        "retries_exhausted" => StopReason::RetriesExhausted,
        "budget_reached" => StopReason::BudgetReached,
        "refusal" => StopReason::Refusal,
        _ => StopReason::Other(clip(members.stop_reason.name, NAME_BYTES_MAX)),
    })
}

/// When the turn goes on after a `session.error` of Handbox's own; `None` for any other.
pub(super) fn retry_at(event: &Event) -> Option<u64> {
    serde_json::from_str::<RetryMembers>(event.json()).ok()?.handbox?.retry_at_unix_ms
}

/// What a `session.error` says.
pub(super) fn error(place: Seq, event: &Event) -> Result<LastError, Odd> {
    let ErrorMembers { error } = Odd::parse(event)?;
    Ok(LastError {
        id: event.id(),
        place,
        error: clip(error.name, NAME_BYTES_MAX),
        message: clip(error.message, TEXT_BYTES_MAX),
        retry: error.retry_status.map_or(Retry::Unsaid, |status| status.retry),
    })
}
