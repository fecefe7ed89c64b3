//! What each kind of event changes.

use super::calls::{self, CallOf};
use super::passed;
use super::queue::{self, Entrance, Queued};
use super::status::{self, Status, StopReason, Turn, Work};
use super::{
    Fold, METADATA_PAIRS_MAX, Money, OpenRequest, Retries, Retry, TEXT_BYTES_MAX, Tokens,
    bodies::{self, Body},
    clip,
};
use crate::{Event, EventId, Kind, Seq, kinds};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use std::collections::BTreeMap;

/// The most bytes of a name in a session's metadata: 64 characters.
const METADATA_NAME_BYTES_MAX: usize = 256;
/// The most bytes of a value there: 512 characters.
const METADATA_VALUE_BYTES_MAX: usize = 2048;

/// Why an event changes nothing.
#[derive(Debug)]
pub(super) enum Odd {
    /// It has not the members that its kind has.
    Malformed(String),
    /// It names something that is not there.
    Stray(&'static str),
}

impl Odd {
    pub(super) fn malformed(what: String) -> Self {
        Self::Malformed(what)
    }

    pub(super) fn stray(what: &'static str) -> Self {
        Self::Stray(what)
    }

    /// The members of an event that matter. The others are not looked at.
    pub(super) fn parse<T: DeserializeOwned>(event: &Event) -> Result<T, Self> {
        serde_json::from_str(event.json()).map_err(|error| Self::Malformed(error.to_string()))
    }
}

type Rule = fn(&mut Fold, Seq, &Event) -> Result<(), Odd>;

/// Kinds that are not here change nothing, unless they are input.
static RULES: [(Kind, Rule); 30] = [
    (kinds::USER_INTERRUPT, interrupt),
    (kinds::USER_TOOL_CONFIRMATION, |fold, place, event| calls::confirm(&mut fold.calls, place, event)),
    (kinds::USER_CUSTOM_TOOL_RESULT, close_call),
    (kinds::USER_TOOL_RESULT, close_call),
    (kinds::USER_DEFINE_OUTCOME, define_outcome),
    (kinds::AGENT_TOOL_USE, |fold, place, event| open_call(fold, CallOf::Tool, place, event)),
    (kinds::AGENT_TOOL_RESULT, close_call),
    (kinds::AGENT_MCP_TOOL_USE, |fold, place, event| open_call(fold, CallOf::Mcp, place, event)),
    (kinds::AGENT_MCP_TOOL_RESULT, close_call),
    (kinds::AGENT_CUSTOM_TOOL_USE, |fold, place, event| open_call(fold, CallOf::Custom, place, event)),
    (kinds::AGENT_THREAD_CONTEXT_COMPACTED, |fold, place, _| {
        fold.context_tokens = 0;
        anchor(&mut fold.anchors.compaction, place)
    }),
    (kinds::SESSION_STATUS_RUNNING, running),
    (kinds::SESSION_STATUS_RESCHEDULED, |fold, _, event| rest(fold, Status::Rescheduling, None, event)),
    (kinds::SESSION_STATUS_IDLE, idle),
    (kinds::SESSION_STATUS_TERMINATED, |fold, _, event| rest(fold, Status::Terminated, None, event)),
    (kinds::SESSION_ERROR, error),
    (kinds::SESSION_UPDATED, updated),
    (kinds::SPAN_MODEL_REQUEST_START, request_started),
    (kinds::SPAN_MODEL_REQUEST_END, request_ended),
    (kinds::HANDBOX_SESSION_CREATED, created),
    (kinds::HANDBOX_BRAIN_WOKE, woke),
    (kinds::HANDBOX_SESSION_CHANGED, |fold, place, event| {
        let _: bodies::SessionChanged = Odd::parse(event)?;
        anchor(&mut fold.anchors.changed, place)
    }),
    (kinds::HANDBOX_INPUT_TAKEN, taken),
    (kinds::HANDBOX_MODEL_REPLY, replied),
    (kinds::HANDBOX_CALL_STARTED, |fold, place, event| calls::start(&mut fold.calls, place, event)),
    (kinds::HANDBOX_CALL_ENDED, |fold, _, event| calls::end(&mut fold.calls, event)),
    (kinds::HANDBOX_HAND_PROVISIONED, passed::provisioned),
    (kinds::HANDBOX_HAND_KEPT, passed::kept),
    (kinds::HANDBOX_HAND_PASSED, passed::pass),
    (kinds::HANDBOX_CHECKPOINT, |fold, place, _| anchor(&mut fold.anchors.checkpoint, place)),
];

/// Changes what the event changes. An event is odd in its meaning only: that it happened, and waits, is kept.
pub(super) fn apply(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    let kind = event.kind();
    if *kind != kinds::HANDBOX_CHECKPOINT {
        fold.active_unix_ms = event.id().unix_ms();
    }
    if Entrance::of(kind) == Entrance::Queue {
        fold.queue.push(Queued { id: event.id(), place, kind: kind.clone() });
    }
    let done = match RULES.iter().find(|(of, _)| of == kind) {
        Some((_, rule)) => rule(fold, place, event),
        None => Ok(()),
    };
    if is_of_a_brain(kind) {
        fold.turn.awake_unix_ms = event.id().unix_ms();
    }
    done
}

/// Whether only a brain that works on the session writes such events. The others come from clients and operators, at any
/// time: hands are passed while no brain is at work.
fn is_of_a_brain(kind: &Kind) -> bool {
    let of_operators =
        [kinds::HANDBOX_SESSION_CHANGED, kinds::SESSION_UPDATED, kinds::HANDBOX_HAND_PASSED].contains(kind);
    Entrance::of(kind) == Entrance::NotInput && !of_operators
}

fn anchor(anchor: &mut Option<Seq>, place: Seq) -> Result<(), Odd> {
    *anchor = Some(place);
    Ok(())
}

/// Counts in the turn and in all.
fn count(fold: &mut Fold, add: impl Fn(&mut Work)) {
    add(&mut fold.turn.work);
    add(&mut fold.total);
}

fn interrupt(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    fold.anchors.interrupt = Some(place);
    // A session at rest has nothing to end. Where it waits for its client, or input for it, it is not at rest: with the
    // last answer in, a brain would go on.
    let waits =
        fold.stop_reason == Some(StopReason::RequiresAction) || !fold.calls.is_empty() || !fold.queue.is_empty();
    if fold.status == Status::Terminated || (fold.status == Status::Idle && !waits) {
        return Ok(());
    }
    queue::interrupt(&mut fold.interrupts, place, event)
}

/// It is kept, and shows nothing to the model: nobody works towards outcomes yet.
fn define_outcome(fold: &mut Fold, place: Seq, _: &Event) -> Result<(), Odd> {
    anchor(&mut fold.anchors.outcome, place)
}

fn open_call(fold: &mut Fold, of: CallOf, place: Seq, event: &Event) -> Result<(), Odd> {
    calls::open(&mut fold.calls, of, place, event)?;
    count(fold, |work| work.tool_calls = work.tool_calls.saturating_add(1));
    Ok(())
}

fn close_call(fold: &mut Fold, _: Seq, event: &Event) -> Result<(), Odd> {
    calls::close(&mut fold.calls, event)?;
    fold.news = fold.news.saturating_add(1);
    Ok(())
}

fn taken(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    let kinds = queue::take(&mut fold.queue, &mut fold.interrupts, event)?;
    // A confirmation lets a call run or not; the model sees only what becomes of that.
    let shown = kinds.iter().filter(|kind| **kind != kinds::USER_TOOL_CONFIRMATION).count();
    fold.news = fold.news.saturating_add(shown as u64);
    anchor(&mut fold.anchors.taken, place)
}

fn running(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    let goes_on = match fold.status {
        Status::Terminated => return Err(Odd::stray("the session ended before")),
        Status::Idle => fold.stop_reason == Some(StopReason::RequiresAction),
        Status::Running | Status::Rescheduling => true,
    };
    if !goes_on {
        fold.turn = Turn { start: Some(place), ..Turn::default() };
    }
    fold.turn.running_since_unix_ms.get_or_insert(event.id().unix_ms());
    fold.status = Status::Running;
    fold.stop_reason = None;
    Ok(())
}

/// A brain takes the session up. If it runs, the one before died: the time since then is nobody's.
fn woke(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    let _: bodies::BrainWoke = Odd::parse(event)?;
    if let Some(since) = fold.turn.running_since_unix_ms {
        let active_ms = fold.turn.awake_unix_ms.saturating_sub(since);
        count(fold, |work| work.active_ms = work.active_ms.saturating_add(active_ms));
        fold.turn.running_since_unix_ms = Some(event.id().unix_ms());
    }
    anchor(&mut fold.anchors.woke, place)
}

fn idle(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    fold.anchors.rest = Some(place);
    fold.asked = fold.waiting().count() as u64;
    // Without a reason it is idle all the same; that it is malformed is noted.
    match status::stop_reason(event) {
        Ok(reason) => rest(fold, Status::Idle, Some(reason), event),
        Err(odd) => rest(fold, Status::Idle, None, event).and(Err(odd)),
    }
}

/// The session no longer runs.
fn rest(fold: &mut Fold, status: Status, reason: Option<StopReason>, event: &Event) -> Result<(), Odd> {
    if fold.status == Status::Terminated {
        return Err(Odd::stray("the session ended before"));
    }
    if let Some(since) = fold.turn.running_since_unix_ms.take() {
        // The clock may have been set back meanwhile.
        let active_ms = event.id().unix_ms().saturating_sub(since);
        count(fold, |work| work.active_ms = work.active_ms.saturating_add(active_ms));
    }
    if status != Status::Rescheduling {
        fold.interrupts.clear();
        fold.retries = Retries::default();
    }
    fold.status = status;
    fold.stop_reason = reason;
    Ok(())
}

fn error(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    let error = status::error(place, event)?;
    let own = status::error_own(event);
    if let Some(tokens) = own.context_tokens {
        fold.context_tokens = tokens;
    }
    if let (Retry::Retrying, Some(at_unix_ms)) = (error.retry, own.retry_at_unix_ms) {
        fold.retries = Retries { count: fold.retries.count.saturating_add(1), at_unix_ms };
    }
    fold.last_error = Some(error);
    Ok(())
}

fn created(fold: &mut Fold, _: Seq, event: &Event) -> Result<(), Odd> {
    let body = bodies::SessionCreated::from_event(event).map_err(|error| Odd::malformed(error.to_string()))?;
    fold.title = body.title.map(|title| clip(title, TEXT_BYTES_MAX));
    fold.metadata = bounded(body.metadata);
    Ok(())
}

#[derive(Deserialize)]
struct Updated {
    #[serde(default, deserialize_with = "present")]
    title: Option<Option<String>>,
    metadata: Option<BTreeMap<String, String>>,
    #[serde(default, deserialize_with = "present")]
    budget: Option<serde::de::IgnoredAny>,
    agent: Option<serde::de::IgnoredAny>,
}

/// Tells a member that is `null` from one that is missing.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn updated(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    let updated: Updated = Odd::parse(event)?;
    if let Some(title) = updated.title {
        fold.title = title.map(|title| clip(title, TEXT_BYTES_MAX));
    }
    if let Some(metadata) = updated.metadata {
        fold.metadata = bounded(metadata);
    }
    if updated.budget.is_some() {
        fold.anchors.budget = Some(place);
    }
    if updated.agent.is_some() {
        fold.anchors.agent = Some(place);
    }
    Ok(())
}

fn bounded(metadata: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let cut = |(name, value)| (clip(name, METADATA_NAME_BYTES_MAX), clip(value, METADATA_VALUE_BYTES_MAX));
    metadata.into_iter().take(METADATA_PAIRS_MAX).map(cut).collect()
}

fn request_started(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    fold.requests.push(OpenRequest { id: event.id(), place, replied: false });
    count(fold, |work| work.model_requests = work.model_requests.saturating_add(1));
    Ok(())
}

/// A reply is the truth of what was used. It counts once, and only while its request is open.
fn replied(fold: &mut Fold, place: Seq, event: &Event) -> Result<(), Odd> {
    let reply: bodies::ModelReply = Odd::parse(event)?;
    let request = fold.requests.iter_mut().find(|request| request.id == reply.model_request_start_id);
    match request {
        Some(request) if !request.replied => request.replied = true,
        _ => return Err(Odd::stray("a reply without an open request")),
    }
    fold.news = 0;
    fold.retries = Retries::default();
    fold.reply_stop = reply.stop_reason.map(|reason| clip(reason, bodies::NAME_BYTES_MAX));
    fold.context_tokens = reply.usage.total();
    if fold.anchors.compaction > fold.anchors.reply {
        fold.compacted_tokens = fold.context_tokens;
    }
    fold.anchors.reply = Some(place);
    count(fold, |work| {
        work.tokens = work.tokens.plus(reply.usage);
        work.spend = work.spend.plus(reply.cost);
    });
    Ok(())
}

#[derive(Deserialize)]
struct RequestEnd {
    model_request_start_id: EventId,
    #[serde(default)]
    is_error: bool,
    #[serde(default)]
    model_usage: ModelUsage,
    handbox: Option<RequestEndOwn>,
}

/// What Handbox says of a request that has no `handbox.model_reply`: what it cost, or may have cost.
#[derive(Deserialize, Default)]
#[serde(default)]
struct RequestEndOwn {
    cost: Money,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ModelUsage {
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
}

/// The end counts only where no reply came: after a failure, and in logs that are not Handbox's.
fn request_ended(fold: &mut Fold, _: Seq, event: &Event) -> Result<(), Odd> {
    let end: RequestEnd = Odd::parse(event)?;
    let at = fold.requests.iter().position(|request| request.id == end.model_request_start_id);
    let at = at.ok_or_else(|| Odd::stray("the end of a model request that is not open"))?;
    if fold.requests.remove(at).replied {
        return Ok(());
    }
    let mut tokens = Tokens {
        input_tokens: end.model_usage.input_tokens,
        output_tokens: end.model_usage.output_tokens,
        cache_read_input_tokens: end.model_usage.cache_read_input_tokens,
        ..Tokens::default()
    };
    // It does not say for how long; five minutes are what is meant where nothing is said.
    tokens.cache_creation.ephemeral_5m_input_tokens = end.model_usage.cache_creation_input_tokens;
    // What came of a summary stands in the compaction that it is for.
    let lost = end.is_error || end.handbox.is_none();
    let cost = end.handbox.map_or(Money::default(), |own| own.cost);
    count(fold, |work| {
        work.tokens = work.tokens.plus(tokens);
        work.spend = work.spend.plus(cost);
        if lost {
            work.model_requests_lost = work.model_requests_lost.saturating_add(1);
            work.waste = work.waste.plus(cost);
        }
    });
    Ok(())
}
