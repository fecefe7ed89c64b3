//! What is used up.

use crate::runs::{Allowance, RunsWith};
use handbox_session::fold::{Fold, Work};
use std::fmt;

/// A limit that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Of what.
    pub scope: Scope,
    /// Which.
    pub what: What,
    /// How much there was.
    pub allowed: u64,
}

/// Of what a limit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Of the turn.
    Turn,
    /// Of the session.
    Session,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Model requests.
    ModelRequests,
    /// Tool calls.
    ToolCalls,
    /// Tokens.
    Tokens,
    /// Milliseconds of running.
    ActiveMs,
    /// Picodollars.
    Money,
    /// Picodollars, and nobody knows what the model costs.
    Price,
}

impl Reached {
    /// Whether it is what Managed Agents call the tool-round limit: of the turn, in requests or calls.
    #[must_use]
    pub fn is_rounds(self) -> bool {
        self.scope == Scope::Turn && matches!(self.what, What::ModelRequests | What::ToolCalls)
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = match self.scope {
            Scope::Turn => "turn",
            Scope::Session => "session",
        };
        let allowed = self.allowed;
        match self.what {
            What::ModelRequests if allowed == 1 => write!(f, "the {scope} may ask the model once"),
            What::ModelRequests => write!(f, "the {scope} may ask the model {allowed} times"),
            What::ToolCalls if allowed == 1 => write!(f, "the {scope} may call 1 tool"),
            What::ToolCalls => write!(f, "the {scope} may call {allowed} tools"),
            What::Tokens => write!(f, "the {scope} may use {allowed} tokens"),
            What::ActiveMs => write!(f, "the {scope} may run for {allowed} ms"),
            What::Money => {
                write!(f, "the {scope} may spend {}", handbox_session::fold::Money::from_picodollars(allowed))
            }
            What::Price => f.write_str("what may be spent is limited, and the price of the model is not known"),
        }
    }
}

/// The first limit that forbids another model request.
#[must_use]
pub fn reached(fold: &Fold, runs: &RunsWith, now_unix_ms: u64) -> Option<Reached> {
    if let Some(limit) = runs.unpriced() {
        return Some(Reached { scope: Scope::Session, what: What::Price, allowed: limit.picodollars() });
    }
    let turn = over(Scope::Turn, &runs.limits.turn, &fold.turn.work, running_ms(fold, now_unix_ms));
    of_session(fold, runs, now_unix_ms).or(turn)
}

/// The first limit of the session that forbids another model request.
pub(super) fn of_session(fold: &Fold, runs: &RunsWith, now_unix_ms: u64) -> Option<Reached> {
    over(Scope::Session, &runs.limits.session, &fold.total, running_ms(fold, now_unix_ms))
}

/// Whether more tools were called than may be.
pub(super) fn too_many_calls(fold: &Fold, runs: &RunsWith) -> Option<Reached> {
    let more = |scope, allowed: Option<u64>, used| {
        allowed.filter(|allowed| used > *allowed).map(|allowed| Reached { scope, what: What::ToolCalls, allowed })
    };
    more(Scope::Turn, runs.limits.turn.tool_calls, fold.turn.work.tool_calls).or(more(
        Scope::Session,
        runs.limits.session.tool_calls,
        fold.total.tool_calls,
    ))
}

/// Whether it ran for longer than it may.
pub(super) fn too_long(fold: &Fold, runs: &RunsWith, now_unix_ms: u64) -> Option<Reached> {
    let only_time = |allowance: &Allowance| Allowance { active_ms: allowance.active_ms, ..Allowance::default() };
    let running = running_ms(fold, now_unix_ms);
    let turn = only_time(&runs.limits.turn);
    let session = only_time(&runs.limits.session);
    over(Scope::Session, &session, &fold.total, running).or(over(Scope::Turn, &turn, &fold.turn.work, running))
}

/// For how long what is going on may still go on, in milliseconds.
#[must_use]
pub fn active_ms_left(fold: &Fold, runs: &RunsWith, now_unix_ms: u64) -> Option<u64> {
    let running = running_ms(fold, now_unix_ms);
    let left = |allowed: Option<u64>, work: &Work| {
        allowed.map(|allowed| allowed.saturating_sub(work.active_ms.saturating_add(running)))
    };
    let turn = left(runs.limits.turn.active_ms, &fold.turn.work);
    let session = left(runs.limits.session.active_ms, &fold.total);
    turn.into_iter().chain(session).min()
}

fn running_ms(fold: &Fold, now_unix_ms: u64) -> u64 {
    fold.turn.running_since_unix_ms.map_or(0, |since| now_unix_ms.saturating_sub(since))
}

fn over(scope: Scope, allowance: &Allowance, work: &Work, running_ms: u64) -> Option<Reached> {
    let uses = [
        (What::Money, allowance.money.map(|money| money.picodollars()), work.spend.picodollars()),
        (What::Tokens, allowance.tokens, work.tokens.total()),
        (What::ModelRequests, allowance.model_requests, work.model_requests),
        (What::ActiveMs, allowance.active_ms, work.active_ms.saturating_add(running_ms)),
    ];
    let reached = |(what, allowed, used): (What, Option<u64>, u64)| {
        allowed.filter(|allowed| used >= *allowed).map(|allowed| Reached { scope, what, allowed })
    };
    uses.into_iter().find_map(reached)
}
