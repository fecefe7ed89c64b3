//! The fold as an event, so that nobody has to read everything again.

use super::{Fold, bodies::NAME_BYTES_MAX};
use crate::{Event, kinds};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of the checkpoints that are written, and the only one that is understood.
///
/// It rises with every change to what a [`Fold`] holds, and to what an event changes in it: a checkpoint of an earlier
/// version says what earlier rules said.
pub const CHECKPOINT_VERSION: u32 = 5;
/// After so many events a checkpoint is due.
pub const CHECKPOINT_EVENTS: u64 = 256;
/// The most bytes of a checkpoint's fold: half of what an event may have.
pub const CHECKPOINT_BYTES_MAX: usize = 512 * 1024;
/// The most queued input that a checkpoint holds. Whoever takes input from clients refuses more.
pub const QUEUE_MAX: usize = 1024;
/// The most open tool calls that a checkpoint holds. A brain answers further ones of a reply with an error.
pub const CALLS_MAX: usize = 256;
/// The most hands that a checkpoint holds, by name; and the most of them that were passed, and that keep something.
pub const HANDS_MAX: usize = 64;
/// The most model requests and interrupts at a time that a checkpoint holds: more than a session has threads.
const THREADS_MAX: usize = 64;

/// The members of a `handbox.checkpoint`.
#[derive(Serialize)]
struct Members<'a> {
    version: u32,
    fold: &'a Fold,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Deserialize)]
struct Restored {
    fold: Fold,
}

impl Fold {
    /// The members of a `handbox.checkpoint`: `version`, and the whole fold as `fold`.
    ///
    /// The event may stand anywhere after the last event that is in; those in between are read again. `None` as long as
    /// the fold is empty or holds more than a checkpoint may: [`QUEUE_MAX`], [`CALLS_MAX`], [`HANDS_MAX`] and
    /// [`CHECKPOINT_BYTES_MAX`]. The checkpoint is left out then, and a reader begins at the one before: nothing is lost
    /// but its time, and that only until the queue is short again.
    #[must_use]
    pub fn checkpoint(&self) -> Option<Map<String, Value>> {
        if !self.fits() {
            return None;
        }
        let members = serde_json::to_value(Members { version: CHECKPOINT_VERSION, fold: self }).ok()?;
        match members {
            Value::Object(members) if members.get("fold")?.to_string().len() <= CHECKPOINT_BYTES_MAX => Some(members),
            _ => None,
        }
    }

    /// Whether it is time for a checkpoint, and there can be one.
    #[must_use]
    pub fn checkpoint_due(&self) -> bool {
        let last = self.anchors.checkpoint.map_or(0, crate::Seq::get);
        let through = self.through().map_or(0, crate::Seq::get);
        through.saturating_sub(last) >= CHECKPOINT_EVENTS && self.fits()
    }

    /// What a `handbox.checkpoint` holds. Go on with the event at [`Self::next`], which need not be the one after the
    /// checkpoint.
    ///
    /// `None` for another type of event, another version, or what is no fold: fold from the session's first event then.
    #[must_use]
    pub fn restore(event: &Event) -> Option<Self> {
        if *event.kind() != kinds::HANDBOX_CHECKPOINT {
            return None;
        }
        let Version { version } = serde_json::from_str(event.json()).ok()?;
        if version != CHECKPOINT_VERSION {
            return None;
        }
        let Restored { fold } = serde_json::from_str(event.json()).ok()?;
        fold.through.is_some().then_some(fold)
    }

    fn fits(&self) -> bool {
        self.through.is_some()
            && self.queue.len() <= QUEUE_MAX
            && self.calls.len() <= CALLS_MAX
            && self.hands.len() <= HANDS_MAX
            && self.passed.len() <= HANDS_MAX
            && self.kept.len() <= HANDS_MAX
            && self.requests.len() <= THREADS_MAX
            && self.interrupts.len() <= THREADS_MAX
    }
}

/// Calls at their caps with names of plain text leave room for everything else.
const _: () = assert!(CALLS_MAX * (3 * NAME_BYTES_MAX + 512) + QUEUE_MAX * 192 < CHECKPOINT_BYTES_MAX);
