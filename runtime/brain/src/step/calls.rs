//! What to do about open calls.

use super::{Step, limits};
use crate::runs::{Policy, RunsWith};
use handbox_hand::Recovery;
use handbox_session::fold::{CALLS_MAX, CallOf, Fold, OpenCall, Outcome, Permission, Verdict};
use handbox_session::{EventId, Seq, SessionId};

/// The most attempts at one call. One that kills its brain each time ends here.
pub const ATTEMPTS_MAX: u32 = 5;
/// The most calls that run at once.
pub const PARALLEL_MAX: usize = 16;

/// A call that is answered without being run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The call.
    pub call: EventId,
    /// Why.
    pub why: Why,
}

/// Why a call is answered without being run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The session's policy says no.
    Policy,
    /// The client says no; its message is in the event at this place.
    Client(Seq),
    /// The client did not answer in time, which is this many milliseconds.
    Expired(u64),
    /// The turn was interrupted.
    Interrupted,
    /// The turn has no more to use.
    Limit,
    /// It was begun, and nobody can tell what became of it.
    Unknown,
    /// It ran, and its result was lost.
    Lost,
    /// The reply has more calls than are taken.
    TooMany,
    /// Its hand was passed on to that session.
    Passed(SessionId),
    /// It belongs to the session that this one was forked from.
    Forked,
}

/// A call that is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The call.
    pub call: EventId,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

/// What can be done about one call by itself.
enum Can {
    Settle(Why),
    Start(u32),
    Reconcile,
    Wait,
}

/// The next step that open calls need; `None` if there are none, or if those that are there wait for the client.
pub(super) fn next(fold: &Fold, runs: &RunsWith, now_unix_ms: u64) -> Option<Step> {
    let over = limits::too_many_calls(fold, runs).is_some() || limits::too_long(fold, runs, now_unix_ms).is_some();
    let can: Vec<(&OpenCall, Can)> = fold
        .calls
        .iter()
        .enumerate()
        .map(|(index, call)| match runs.hand_of(&call.name).and_then(|hand| fold.passed_on(hand)) {
            Some(to) => (call, Can::Settle(without_its_hand(call, to))),
            None if belongs_to_parent(fold, call, runs) => (call, Can::Settle(Why::Forked)),
            None => (call, of_one(call, index, runs, now_unix_ms, over)),
        })
        .collect();
    let settled: Vec<Settlement> = can
        .iter()
        .filter_map(|(call, can)| match can {
            Can::Settle(why) => Some(Settlement { call: call.id, why: *why }),
            _ => None,
        })
        .collect();
    if settled.is_empty() { in_order(&can, runs) } else { Some(Step::Settle(settled)) }
}

fn of_one(call: &OpenCall, index: usize, runs: &RunsWith, now_unix_ms: u64, over: bool) -> Can {
    if index >= CALLS_MAX {
        return Can::Settle(Why::TooMany);
    }
    if let Some(attempt) = &call.attempt {
        return match attempt.outcome {
            Some(Outcome::Committed | Outcome::Failed) => Can::Settle(Why::Lost),
            _ if over => Can::Settle(Why::Limit),
            Some(Outcome::NotStarted) => again(attempt.number),
            Some(Outcome::Unknown) | None => recover(call, attempt.number, runs),
        };
    }
    if let Some(waited_ms) = expired(call, runs, now_unix_ms) {
        return Can::Settle(Why::Expired(waited_ms));
    }
    // What may never be called by now is not, whatever was asked or answered before.
    if runs.tool(&call.name).is_some_and(|tool| tool.permission == Policy::Deny) {
        return Can::Settle(Why::Policy);
    }
    if call.waiting().is_some() {
        return Can::Wait;
    }
    match (call.permission, call.decision) {
        (Permission::Deny, _) => Can::Settle(Why::Policy),
        (_, Some(decision)) if decision.verdict == Verdict::Deny => Can::Settle(Why::Client(decision.place)),
        _ if over => Can::Settle(Why::Limit),
        _ => Can::Start(1),
    }
}

/// Whether a call was begun or allowed before the session was forked, so that what it changes is the parent's to change:
/// an answer counts once. What only reads may, and what still waits can be answered here.
fn belongs_to_parent(fold: &Fold, call: &OpenCall, runs: &RunsWith) -> bool {
    let reads = runs.tool(&call.name).is_none_or(|tool| tool.hints.read_only);
    let answered_here = call.decision.is_some_and(|decision| Some(decision.place) > fold.forked_at);
    Some(call.place) <= fold.forked_at && !reads && call.waiting().is_none() && !answered_here
}

/// How a call is answered whose hand was passed on: nobody is asked whether it may run, and no other hand what became of it.
fn without_its_hand(call: &OpenCall, to: SessionId) -> Why {
    match call.attempt.as_ref().map(|attempt| attempt.outcome) {
        Some(Some(Outcome::Committed | Outcome::Failed)) => Why::Lost,
        Some(Some(Outcome::Unknown) | None) => Why::Unknown,
        None if call.permission == Permission::Deny => Why::Policy,
        None | Some(Some(Outcome::NotStarted)) => Why::Passed(to),
    }
}

/// For how long a call waited for its client, if that was too long. An answer that came later than it was to be is none,
/// also where no brain was awake at the deadline.
fn expired(call: &OpenCall, runs: &RunsWith, now_unix_ms: u64) -> Option<u64> {
    let waited_until = match (call.waiting(), call.decision) {
        (Some(_), _) => now_unix_ms,
        (None, Some(decision)) => decision.id.unix_ms(),
        (None, None) => return None,
    };
    let waited_ms = waited_until.saturating_sub(call.id.unix_ms());
    runs.limits.wait_ms.filter(|wait_ms| waited_ms >= *wait_ms).map(|_| waited_ms)
}

fn again(number: u32) -> Can {
    if number < ATTEMPTS_MAX { Can::Start(number + 1) } else { Can::Settle(Why::Unknown) }
}

/// Rule 3 of the design: what a brain does about a call that may have run.
fn recover(call: &OpenCall, number: u32, runs: &RunsWith) -> Can {
    match runs.tool(&call.name) {
        Some(tool) if tool.recovery == Recovery::Reconcile && !tool.hints.read_only => Can::Reconcile,
        Some(tool) if tool.repeatable() => again(number),
        _ => Can::Settle(Why::Unknown),
    }
}

/// Calls that only read run together, up to the first that does more and is not waiting for somebody; any other runs
/// when all before it are answered.
fn in_order(can: &[(&OpenCall, Can)], runs: &RunsWith) -> Option<Step> {
    let mut reads = Vec::new();
    let mut behind = false;
    for (call, can) in can.iter().filter(|(call, _)| call.of != CallOf::Custom) {
        let only_reads = runs.tool(&call.name).is_none_or(|tool| tool.hints.read_only);
        match can {
            Can::Start(attempt) if only_reads => reads.push(Start { call: call.id, attempt: *attempt }),
            Can::Start(attempt) if !behind && reads.is_empty() => {
                return Some(Step::Start(vec![Start { call: call.id, attempt: *attempt }]));
            }
            Can::Reconcile if !behind && reads.is_empty() => return Some(Step::Reconcile(call.id)),
            // What was asked for after a change is to see it; but nobody's answer is waited for to read.
            Can::Start(_) | Can::Reconcile if !behind => break,
            _ => behind = true,
        }
    }
    reads.truncate(PARALLEL_MAX);
    (!reads.is_empty()).then_some(Step::Start(reads))
}
