//! Input that waits for its turn.

use super::{InputTaken, bodies::NAME_BYTES_MAX, clip, rules::Odd};
use crate::{Event, EventId, Kind, Seq, kinds};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Input that no `handbox.input_taken` named yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queued {
    /// The event.
    pub id: EventId,
    /// Its place. Its content is there.
    pub place: Seq,
    /// What it is.
    pub kind: Kind,
}

/// An interrupt that nothing came of yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interrupt {
    /// The event.
    pub id: EventId,
    /// Its place.
    pub place: Seq,
    /// The thread that is meant, cut at [`NAME_BYTES_MAX`]; all of them if `None`.
    pub thread: Option<String>,
}

#[derive(Deserialize)]
struct InterruptMembers {
    session_thread_id: Option<String>,
}

/// How an event that a client sends gets into the transcript.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// It waits until a `handbox.input_taken` names it: messages and confirmations, and whatever a later Handbox takes
    /// from users.
    Queue,
    /// It has its place where it stands: results, outcomes and interrupts.
    AtOnce,
    /// No client sends it.
    NotInput,
}

impl Entrance {
    /// That of a kind of event.
    #[must_use]
    pub fn of(kind: &Kind) -> Self {
        const AT_ONCE: [Kind; 4] = [
            kinds::USER_INTERRUPT,
            kinds::USER_CUSTOM_TOOL_RESULT,
            kinds::USER_TOOL_RESULT,
            kinds::USER_DEFINE_OUTCOME,
        ];
        if AT_ONCE.contains(kind) {
            Self::AtOnce
        } else if kind.as_str().starts_with("user.") || *kind == kinds::SYSTEM_MESSAGE {
            Self::Queue
        } else {
            Self::NotInput
        }
    }
}

/// Adds an interrupt. A thread has one at most: the latest says all that the earlier ones said.
pub(super) fn interrupt(pending: &mut Vec<Interrupt>, place: Seq, event: &Event) -> Result<(), Odd> {
    let members: InterruptMembers = Odd::parse(event)?;
    let thread = members.session_thread_id.map(|thread| clip(thread, NAME_BYTES_MAX));
    pending.retain(|earlier| earlier.thread != thread && thread.is_some());
    pending.push(Interrupt { id: event.id(), place, thread });
    Ok(())
}

/// Takes out what a `handbox.input_taken` names, and gives the kinds of the queued input among it.
pub(super) fn take(queue: &mut Vec<Queued>, pending: &mut Vec<Interrupt>, event: &Event) -> Result<Vec<Kind>, Odd> {
    let taken: InputTaken = Odd::parse(event)?;
    let mut ids: HashSet<EventId> = taken.ids.into_iter().collect();
    let mut kinds = Vec::new();
    queue.retain(|queued| {
        let named = ids.remove(&queued.id);
        if named {
            kinds.push(queued.kind.clone());
        }
        !named
    });
    pending.retain(|interrupt| !ids.remove(&interrupt.id));
    // What is left was taken before, or never came; what it names besides is taken all the same.
    if kinds.is_empty() && !ids.is_empty() {
        return Err(Odd::stray("it takes input that is not queued"));
    }
    Ok(kinds)
}
