//! What to do next: one pure function from what happened, what the session runs with, and the time.
//!
//! It knows nothing of who asks. A brain that goes on after its own last append and one that begins where another died
//! get the same answer, so that recovery is no path of its own. Whoever calls it has nothing going on: a request or an
//! attempt that is open in the log is one whose brain died, or that was cut off.
//!
//! # States and steps
//!
//! The first line that fits is taken.
//!
//! | status | and | step |
//! |---|---|---|
//! | terminated | | [`Step::Rest`] |
//! | any | a model request is open | [`Step::Forget`] it |
//! | running, rescheduling | interrupted, calls open | [`Step::Settle`] them |
//! | | interrupted | [`Step::Stop`] `end_turn` |
//! | | confirmations are queued | [`Step::Take`] them |
//! | | a call was denied, expired, came to nothing that can be told, is beyond a limit, or its hand was passed on | [`Step::Settle`] |
//! | | a call's outcome was lost, and its hand can tell | [`Step::Reconcile`] |
//! | | a call may begin | [`Step::Start`]: reads together, anything else alone and in order |
//! | | calls wait for the client | [`Step::Stop`] `requires_action` |
//! | | the turn has called enough tools | [`Step::Stop`], with the error `tool_use_limit_reached_error` |
//! | | input is queued | [`Step::Take`] it |
//! | | the model has seen everything | [`Step::Stop`] `end_turn` or `refusal` |
//! | | a limit is reached | [`Step::Stop`] `budget_reached` |
//! | | a try failed, and the next is not due | [`Step::Later`] |
//! | | the context is too long, and its strategy sums up | [`Step::Compact`] |
//! | | | [`Step::Ask`], which is [`Step::Stop`] `end_turn` if what came shows nothing to the model |
//! | rescheduling | any of these but `Later` and `Stop` | [`Step::Begin`] first |
//! | idle | interrupted, calls open | [`Step::Settle`] them |
//! | | interrupted while it waited for its client | [`Step::Stop`] `end_turn` |
//! | | interrupted before its turn began | [`Step::Begin`] with the input before the interrupt |
//! | | a call can go on, or the last was answered | [`Step::Begin`] |
//! | | some of the answers came | [`Step::Stop`] `requires_action`, with those still missing |
//! | | calls wait for the client | [`Step::Rest`], until the first deadline |
//! | | the session's budget is used up | [`Step::Rest`] |
//! | | it was used up, and is no longer | [`Step::Begin`] |
//! | | confirmations of calls that are closed | [`Step::Take`] them |
//! | | input is queued | [`Step::Begin`] |
//! | | | [`Step::Rest`] |
//!
//! It is here and not beside the fold because it reads a tool's hints and recovery, which are the hands' contract.

mod calls;
mod limits;

pub use calls::{ATTEMPTS_MAX, PARALLEL_MAX, Settlement, Start, Why};
pub use limits::{Reached, Scope, What, active_ms_left, reached};

use crate::runs::RunsWith;
use handbox_session::fold::{Fold, OpenRequest, Queued, Status, StopReason};
use handbox_session::{EventId, Seq, kinds};

/// The most input that is taken at once, so that it fits into one append; what is queued beyond it is taken next.
pub const TAKE_MAX: usize = 65_536;

/// The next thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until somebody appends something, or until a time in milliseconds since 1970.
    Rest(Option<u64>),
    /// The session runs from here on, with this input.
    Begin(Vec<EventId>),
    /// This input becomes part of the transcript.
    Take(Vec<EventId>),
    /// These requests have no reply, and will have none.
    Forget(Vec<OpenRequest>),
    /// These calls are answered without being run.
    Settle(Vec<Settlement>),
    /// These calls are run: several only if each of them only reads.
    Start(Vec<Start>),
    /// A hand is asked what became of this call.
    Reconcile(EventId),
    /// The model is asked.
    Ask,
    /// The model is asked for a summary of what it was shown so far.
    Compact,
    /// The next try is due at this time, in milliseconds since 1970.
    Later(u64),
    /// The session comes to rest.
    Stop(Stop),
}

/// Why a session comes to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The model is done, or was interrupted.
    EndTurn,
    /// The model will not.
    Refusal,
    /// The client has to answer these.
    RequiresAction(Vec<EventId>),
    /// The turn made as many rounds or calls as it may.
    ToolLimit(Reached),
    /// Something else is used up.
    Budget(Reached),
}

/// What to do next, at a time in milliseconds since 1970. See the [table](self).
#[must_use]
pub fn next_step(fold: &Fold, runs: &RunsWith, now_unix_ms: u64) -> Step {
    let at = At { fold, runs, now_unix_ms };
    if fold.status == Status::Terminated {
        return Step::Rest(None);
    }
    if !fold.requests.is_empty() {
        return Step::Forget(fold.requests.clone());
    }
    match fold.status {
        Status::Terminated | Status::Idle => at.idle(),
        Status::Running => at.running(),
        Status::Rescheduling => match at.running() {
            step @ (Step::Later(_) | Step::Stop(_)) => step,
            _ => Step::Begin(Vec::new()),
        },
    }
}

/// When to look again at a session that rests, if nobody appends anything: the first deadline of what waits.
#[must_use]
pub fn deadline(fold: &Fold, runs: &RunsWith) -> Option<u64> {
    let wait_ms = runs.limits.wait_ms?;
    fold.waiting().map(|waiting| waiting.id.unix_ms().saturating_add(wait_ms)).min()
}

struct At<'a> {
    fold: &'a Fold,
    runs: &'a RunsWith,
    now_unix_ms: u64,
}

impl At<'_> {
    fn running(&self) -> Step {
        let fold = self.fold;
        if !fold.interrupts.is_empty() {
            return if fold.calls.is_empty() { Step::Stop(Stop::EndTurn) } else { self.give_up_calls() };
        }
        let confirmations = ids(fold.queue.iter().filter(|queued| is_confirmation(queued)));
        if !confirmations.is_empty() {
            return Step::Take(confirmations);
        }
        if let Some(step) = calls::next(fold, self.runs, self.now_unix_ms) {
            return step;
        }
        if !fold.calls.is_empty() {
            return Step::Stop(self.requires_action());
        }
        if let Some(reached) = limits::too_many_calls(fold, self.runs) {
            return Step::Stop(if reached.is_rounds() { Stop::ToolLimit(reached) } else { Stop::Budget(reached) });
        }
        if !fold.queue.is_empty() {
            return Step::Take(ids(fold.queue.iter()));
        }
        self.ask_or_stop()
    }

    fn ask_or_stop(&self) -> Step {
        let fold = self.fold;
        if fold.news == 0 && !is_paused(fold) {
            let refused = fold.reply_stop.as_deref() == Some("refusal");
            return Step::Stop(if refused { Stop::Refusal } else { Stop::EndTurn });
        }
        let later = fold.retries.count > 0 && self.now_unix_ms < fold.retries.at_unix_ms;
        match reached(fold, self.runs, self.now_unix_ms) {
            Some(reached) if reached.is_rounds() => Step::Stop(Stop::ToolLimit(reached)),
            Some(reached) => Step::Stop(Stop::Budget(reached)),
            None if later => Step::Later(fold.retries.at_unix_ms),
            None if self.is_too_long() => Step::Compact,
            None => Step::Ask,
        }
    }

    /// Whether a summary is due, and would help.
    ///
    /// Where the system prompt, the tools and the summary itself are more than a summary is made at, each would be followed
    /// by the next: it waits until the rest is a quarter of that.
    fn is_too_long(&self) -> bool {
        let least = self.fold.compacted_tokens;
        let worth = least.saturating_add(least / 4);
        let at_tokens = self.runs.context.compact_at_tokens();
        at_tokens.is_some_and(|at_tokens| self.fold.context_tokens >= at_tokens.max(worth))
    }

    fn idle(&self) -> Step {
        let fold = self.fold;
        if let Some(interrupt) = fold.interrupts.iter().map(|interrupt| interrupt.place).max() {
            return self.interrupted_at_rest(interrupt);
        }
        if fold.stop_reason == Some(StopReason::RequiresAction) || !fold.calls.is_empty() {
            return self.waiting();
        }
        let input = || Step::Begin(ids(fold.queue.iter()));
        let stale = fold.queue.iter().all(is_confirmation);
        let used_up = fold.stop_reason == Some(StopReason::BudgetReached);
        if used_up && limits::of_session(fold, self.runs, self.now_unix_ms).is_some() {
            return Step::Rest(None);
        }
        // A turn that ended at its own limit needs a message to begin another; a raised budget needs none.
        if used_up && fold.anchors.changed > fold.anchors.rest {
            return input();
        }
        match (fold.queue.is_empty(), stale) {
            (true, _) => Step::Rest(None),
            (false, true) => Step::Take(ids(fold.queue.iter())),
            (false, false) => input(),
        }
    }

    /// It waits for its client, or did when a brain died.
    fn waiting(&self) -> Step {
        let fold = self.fold;
        let decides = |queued: &&Queued| {
            fold.calls.iter().any(|call| call.decision.is_some_and(|decision| decision.id == queued.id))
        };
        let decisions = ids(fold.queue.iter().filter(decides));
        if !decisions.is_empty() || fold.calls.is_empty() {
            return Step::Begin(decisions);
        }
        let stale = ids(fold.queue.iter().filter(|queued| is_confirmation(queued)));
        if !stale.is_empty() {
            return Step::Take(stale);
        }
        if calls::next(fold, self.runs, self.now_unix_ms).is_some() {
            return Step::Begin(Vec::new());
        }
        let asked_all = fold.stop_reason == Some(StopReason::RequiresAction);
        if !asked_all || fold.asked != fold.waiting().count() as u64 {
            return Step::Stop(self.requires_action());
        }
        Step::Rest(deadline(fold, self.runs))
    }

    fn interrupted_at_rest(&self, interrupt: Seq) -> Step {
        let fold = self.fold;
        if !fold.calls.is_empty() {
            return self.give_up_calls();
        }
        let before = ids(fold.queue.iter().filter(|queued| queued.place < interrupt));
        if fold.stop_reason == Some(StopReason::RequiresAction) || before.is_empty() {
            return Step::Stop(Stop::EndTurn);
        }
        Step::Begin(before)
    }

    fn give_up_calls(&self) -> Step {
        let settle = |call: &handbox_session::fold::OpenCall| Settlement { call: call.id, why: Why::Interrupted };
        Step::Settle(self.fold.calls.iter().map(settle).collect())
    }

    fn requires_action(&self) -> Stop {
        Stop::RequiresAction(self.fold.waiting().map(|waiting| waiting.id).collect())
    }
}

/// Whether a provider paused a long turn of its own; asked again with what it said, it goes on.
pub(crate) fn is_paused(fold: &Fold) -> bool {
    fold.reply_stop.as_deref() == Some("pause_turn") && fold.anchors.reply > fold.turn.start
}

fn is_confirmation(queued: &Queued) -> bool {
    queued.kind == kinds::USER_TOOL_CONFIRMATION
}

fn ids<'a>(queued: impl Iterator<Item = &'a Queued>) -> Vec<EventId> {
    queued.map(|queued| queued.id).take(TAKE_MAX).collect()
}
