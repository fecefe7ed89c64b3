//! What hands keep, and those that went from one session to another.

use super::bodies::{HandKept, HandPassed, NAME_BYTES_MAX, Way};
use super::rules::Odd;
use super::{Fold, HandProvisioned};
use crate::{Event, Hash, Seq, SessionId};
use serde::{Deserialize, Serialize};

/// Where a hand is that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Passed {
    /// It is that session's now, and no longer this one's.
    On {
        /// The session.
        to: SessionId,
    },
    /// It is this session's, and its next incarnation begins with its state: it was not made ready since it came. In a fork
    /// that was made meanwhile, it begins with it as well.
    Here {
        /// The session that it was of.
        from: SessionId,
        /// The blob that is its state.
        state: Hash,
    },
}

/// What a hand keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The blob that is its state; `None` if it could not be saved.
    pub state: Option<Hash>,
    /// The place of the event that said what the session ran with then.
    pub runs: Seq,
}

/// A hand comes or goes. One that is passed back is here again.
pub(super) fn pass(fold: &mut Fold, _: Seq, event: &Event) -> Result<(), Odd> {
    let HandPassed { hand, way, state, .. } = Odd::parse(event)?;
    named(&hand)?;
    let passed = match way {
        Way::To(_) if fold.passed_on(&hand).is_some() => {
            return Err(Odd::stray("a hand is passed on that is not here"));
        }
        Way::To(to) => Passed::On { to },
        Way::From(from) => Passed::Here { from, state },
    };
    // What its own hand kept is given up for the one that comes.
    fold.kept.remove(&hand);
    fold.passed.insert(hand, passed);
    Ok(())
}

/// A hand keeps what it did not keep before.
pub(super) fn kept(fold: &mut Fold, _: Seq, event: &Event) -> Result<(), Odd> {
    let HandKept { hand, state, runs, .. } = Odd::parse(event)?;
    named(&hand)?;
    if fold.passed_on(&hand).is_some() {
        return Err(Odd::stray("a hand keeps something that was passed on"));
    }
    fold.kept.insert(hand, Kept { state, runs });
    Ok(())
}

/// A hand was made ready: with its state, if it came with one. What it keeps from here on is its own, beginning with that.
pub(super) fn provisioned(fold: &mut Fold, _: Seq, event: &Event) -> Result<(), Odd> {
    let HandProvisioned { hand, incarnation, .. } = Odd::parse(event)?;
    named(&hand)?;
    if fold.passed_on(&hand).is_some() {
        return Err(Odd::stray("a hand is made ready that was passed on"));
    }
    if let Some(Passed::Here { state, .. }) = fold.passed.remove(&hand) {
        let runs = fold.anchors.changed.unwrap_or(Seq::FIRST);
        fold.kept.insert(hand.clone(), Kept { state: Some(state), runs });
    }
    fold.hands.insert(hand, incarnation);
    Ok(())
}

/// A name that is cut would be another name.
fn named(hand: &str) -> Result<(), Odd> {
    if hand.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    Err(Odd::malformed(format!("a `hand` of more than {NAME_BYTES_MAX} bytes")))
}
