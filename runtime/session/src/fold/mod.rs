//! What a session's events mean, so far.
//!
//! A [`Fold`] holds what a brain or a list needs of everything before, and is the same whether it was made from all events
//! or from a [`checkpoint`](Fold::checkpoint) and those after it. It holds names, places and counts, never content: who
//! needs that reads it at its place.
//!
//! Events are what they are, so folding them never fails and never panics. A kind that is not known is only counted. One
//! that is known and has not the members it should have is noted as *malformed*, one that names something that is not
//! there (a second result, a result without a call) as *stray*; see [`Oddities`]. Both change nothing else.

pub mod bodies;
mod calls;
mod checkpoint;
mod money;
mod passed;
mod project;
mod queue;
mod read;
mod rules;
mod status;
mod time;

pub use bodies::{
    BrainWoke, CallEnded, CallStarted, HandKept, HandPassed, HandProvisioned, InputTaken, ModelReply, SessionChanged,
    SessionCreated, WaitExpired, Way,
};
pub use calls::{Attempt, CallOf, Decision, OpenCall, Outcome, Permission, Verdict, Waiting, WaitingOn};
pub use checkpoint::{CALLS_MAX, CHECKPOINT_BYTES_MAX, CHECKPOINT_EVENTS, CHECKPOINT_VERSION, HANDS_MAX, QUEUE_MAX};
pub use money::{CacheCreation, Money, Tokens};
pub use passed::{Kept, Passed};
pub use project::{Own, Projector, Shown, as_queued, project, wanted};
pub use queue::{Entrance, Interrupt, Queued};
pub use read::{Summary, fold_to, summary, summary_of};
pub use status::{LastError, Retry, Status, StopReason, Turn, Work};
pub use time::rfc3339;

use crate::{Entry, Event, EventId, Seq, SessionId};
use rules::Odd;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most bytes of a title, an error's message or a note of an oddity that a fold holds. What is longer is cut.
pub const TEXT_BYTES_MAX: usize = 1024;
/// The most pairs of a session's metadata, as Managed Agents allow them. Further ones, by name, are left out.
pub const METADATA_PAIRS_MAX: usize = 16;

/// What a session's events mean, up to some place. Begin with [`Fold::default`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// The place and id of the last event that was applied.
    through: Option<(Seq, EventId)>,
    /// When the last event but checkpoints was minted, in milliseconds since 1970.
    pub active_unix_ms: u64,
    /// What it does.
    pub status: Status,
    /// Why it is idle. `None` before its first turn, and while it is not.
    pub stop_reason: Option<StopReason>,
    /// What people call it, cut at [`TEXT_BYTES_MAX`].
    pub title: Option<String>,
    /// The client's own notes: at most [`METADATA_PAIRS_MAX`], names cut at 256 bytes and values at 2 048.
    pub metadata: BTreeMap<String, String>,
    /// The present turn, or the last if none is going on.
    pub turn: Turn,
    /// All turns together.
    pub total: Work,
    /// Model requests that were started and not ended, oldest first.
    pub requests: Vec<OpenRequest>,
    /// Tool calls without a result, in the order they were made.
    pub calls: Vec<OpenCall>,
    /// Input that was not taken yet, in the order it came.
    pub queue: Vec<Queued>,
    /// Interrupts that nothing came of yet: at most one for each thread. A session that comes to rest has obeyed all, and
    /// one that is sent to a session at rest is none.
    pub interrupts: Vec<Interrupt>,
    /// Input taken and results given since the model's last reply, which it has therefore not seen.
    pub news: u64,
    /// How many answers of its client it waited for when it last came to rest.
    pub asked: u64,
    /// Why the model stopped its last reply, in its provider's words, cut at [`bodies::NAME_BYTES_MAX`].
    pub reply_stop: Option<String>,
    /// The tokens of the last reply and of what it answered, as far as its provider counted them: about what the next
    /// request has at least. Those of a request that its provider rejected since, by its bytes. 0 after a compaction.
    pub context_tokens: u64,
    /// What `context_tokens` was with the first reply after the latest compaction: what no compaction takes away. 0 if
    /// there was none.
    pub compacted_tokens: u64,
    /// Errors since the last reply or rest after which the turn goes on.
    pub retries: Retries,
    /// How often each hand was made ready, by its name.
    pub hands: BTreeMap<String, u64>,
    /// Hands that are another session's now, and those that came from one and were not made ready yet, by name.
    pub passed: BTreeMap<String, Passed>,
    /// What hands keep that keep anything, by name: what the next incarnation of each begins with.
    pub kept: BTreeMap<String, Kept>,
    /// The last place that it shares with the session that it was forked from. Its events do not say: whoever folds it does.
    #[serde(skip)]
    pub forked_at: Option<Seq>,
    /// Where the latest of its kind is.
    pub anchors: Anchors,
    /// The latest `session.error`.
    pub last_error: Option<LastError>,
    /// Events that were passed over.
    pub oddities: Oddities,
}

/// A model request without its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenRequest {
    /// Its `span.model_request_start`.
    pub id: EventId,
    /// The place of that.
    pub place: Seq,
    /// Whether its `handbox.model_reply` came, so that its end must not be counted again.
    pub replied: bool,
}

/// Errors after which the turn goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retries {
    /// How many in a row.
    pub count: u64,
    /// When to try again, in milliseconds since 1970: `handbox.retry_at_unix_ms` of the latest of them.
    pub at_unix_ms: u64,
}

/// Places of the latest events of some kinds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Anchors {
    /// `agent.thread_context_compacted`.
    pub compaction: Option<Seq>,
    /// `handbox.checkpoint`.
    pub checkpoint: Option<Seq>,
    /// `handbox.model_reply`.
    pub reply: Option<Seq>,
    /// `user.interrupt`.
    pub interrupt: Option<Seq>,
    /// `user.define_outcome`.
    pub outcome: Option<Seq>,
    /// `handbox.input_taken`.
    pub taken: Option<Seq>,
    /// `handbox.brain_woke`.
    pub woke: Option<Seq>,
    /// `handbox.session_changed`.
    pub changed: Option<Seq>,
    /// `session.status_idle`.
    pub rest: Option<Seq>,
    /// A `session.updated` that changed the agent.
    pub agent: Option<Seq>,
    /// A `session.updated` that changed the budget.
    pub budget: Option<Seq>,
}

/// Events that were passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Oddities {
    /// How many of a known kind had not the members they should have.
    pub malformed: u64,
    /// How many named something that is not there, or no longer.
    pub stray: u64,
    /// The place of the latest, and what was odd, cut at [`TEXT_BYTES_MAX`].
    pub last: Option<(Seq, String)>,
}

/// A fold was given an event that is not the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event at place {found} was given where that at {expected} is next")]
pub struct Gap {
    /// The place that is next.
    pub expected: Seq,
    /// The place that was given.
    pub found: Seq,
}

impl Fold {
    /// Adds the next event. One that is in already changes nothing, so that slices may overlap.
    ///
    /// # Errors
    ///
    /// [`Gap`] if events are missing in between; nothing was changed then.
    pub fn apply(&mut self, place: Seq, event: &Event) -> Result<(), Gap> {
        let expected = self.next();
        if place < expected {
            return Ok(());
        }
        if place > expected {
            return Err(Gap { expected, found: place });
        }
        self.through = Some((place, event.id()));
        match rules::apply(self, place, event) {
            Ok(()) => {}
            Err(odd) => self.oddities.note(place, event, odd),
        }
        Ok(())
    }

    /// Adds entries in their order, as [`Self::apply`] does.
    ///
    /// # Errors
    ///
    /// [`Gap`]; what came before it was added.
    pub fn apply_all<'a>(&mut self, entries: impl IntoIterator<Item = &'a Entry>) -> Result<(), Gap> {
        entries.into_iter().try_for_each(|entry| self.apply(entry.seq, &entry.event))
    }

    /// The place of the last event that is in.
    #[must_use]
    pub fn through(&self) -> Option<Seq> {
        self.through.map(|(place, _)| place)
    }

    /// The id of the last event that is in.
    #[must_use]
    pub fn through_id(&self) -> Option<EventId> {
        self.through.map(|(_, id)| id)
    }

    /// The place from which on events are missing.
    #[must_use]
    pub fn next(&self) -> Seq {
        self.through().map_or(Seq::FIRST, |place| place.plus(1))
    }

    /// The open call of an id.
    #[must_use]
    pub fn call(&self, id: EventId) -> Option<&OpenCall> {
        self.calls.iter().find(|call| call.id == id)
    }

    /// How often a hand was made ready.
    #[must_use]
    pub fn incarnation(&self, hand: &str) -> u64 {
        self.hands.get(hand).copied().unwrap_or(0)
    }

    /// The session that a hand was passed on to, if it is gone.
    #[must_use]
    pub fn passed_on(&self, hand: &str) -> Option<SessionId> {
        match self.passed.get(hand) {
            Some(Passed::On { to }) => Some(*to),
            _ => None,
        }
    }

    /// What it waits for from its client, in the order it was asked: what `requires_action` lists.
    pub fn waiting(&self) -> impl Iterator<Item = Waiting> {
        self.calls.iter().filter_map(OpenCall::waiting)
    }
}

impl Oddities {
    fn note(&mut self, place: Seq, event: &Event, odd: Odd) {
        let (count, what) = match odd {
            Odd::Malformed(what) => (&mut self.malformed, what),
            Odd::Stray(what) => (&mut self.stray, what.to_owned()),
        };
        *count = count.saturating_add(1);
        self.last = Some((place, clip(format!("{}: {what}", event.kind()), TEXT_BYTES_MAX)));
    }
}

/// Cuts text to at most so many bytes, between characters.
fn clip(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}
