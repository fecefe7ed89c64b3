//! Events as clients of Managed Agents see them: in the order they were processed, with the time of that.

use super::{Entrance, Fold, InputTaken, bodies::Body, rfc3339};
use crate::{Entry, EventId, Seq, kinds};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The member in which events of Managed Agents have what Handbox itself notes.
const OWN: &str = "handbox";

/// Whether Handbox's own events are shown, and its own members of others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Own {
    /// They are left out, as clients of Managed Agents expect.
    #[default]
    Hidden,
    /// They stand where they happened.
    Shown,
}

/// An event as clients see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Where it is in the log.
    pub place: Seq,
    /// Where it was processed, which is what orders it: its own place, or that of the `handbox.input_taken` that names
    /// it. `None` while it is queued.
    pub processed: Option<Seq>,
    /// Its members, and `processed_at`: RFC 3339 in UTC with milliseconds, or null while it is queued.
    pub json: Value,
}

/// A slice of a session in the order in which it was processed; what is queued at its end comes last.
///
/// `entries` are oldest first, and complete from [`before.next()`](Fold::next) on. Entries up to `before.through()` are
/// not shown for themselves, but if they were queued then: as what a later `handbox.input_taken` names (see [`wanted`])
/// or as still queued. Of input that is taken after the slice this says that it is queued, so that a slice which is to
/// tell the present reaches to the session's head.
///
/// Input has the time at which the `handbox.input_taken` was minted that names it first; everything else has the time
/// at which it was minted itself. The order of the result is the truth also where a clock was set back in between.
#[must_use]
pub fn project(entries: &[Entry], before: &Fold, own: Own) -> Vec<Shown> {
    let queued_before: HashSet<EventId> = before.queue.iter().map(|queued| queued.id).collect();
    let mut projector = Projector::new(own);
    let mut shown = Vec::new();
    for entry in entries {
        if entry.seq >= before.next() {
            shown.extend(projector.take(entry));
        } else if queued_before.contains(&entry.event.id()) {
            projector.queue(entry.clone());
        }
    }
    shown.extend(projector.waiting());
    shown
}

/// Puts entries into the order in which they were processed as they come, oldest first: [`project`] for a session of
/// any length. Each costs what it gives, however much is queued.
#[derive(Debug, Default)]
pub struct Projector {
    own: Own,
    queued: BTreeMap<Seq, Entry>,
    places: HashMap<EventId, Seq>,
}

impl Projector {
    /// Begins with nothing queued.
    #[must_use]
    pub fn new(own: Own) -> Self {
        Self { own, ..Self::default() }
    }

    /// Takes input that is queued, in place of [`Self::take`] also after later entries. Twice is once.
    pub fn queue(&mut self, input: Entry) {
        self.places.insert(input.event.id(), input.seq);
        self.queued.insert(input.seq, input);
    }

    /// Takes the next entry, and gives what was processed with it: nothing for input, which is queued; else the entry, and
    /// the input that it names as taken.
    pub fn take(&mut self, entry: &Entry) -> Vec<Shown> {
        if Entrance::of(entry.event.kind()) == Entrance::Queue {
            self.queue(entry.clone());
            return Vec::new();
        }
        let is_shown = self.own == Own::Shown || !entry.event.kind().is_own();
        let mut shown: Vec<Shown> = is_shown.then(|| show(entry, Some(entry), self.own)).into_iter().collect();
        for id in taken(entry) {
            let input = self.places.remove(&id).and_then(|place| self.queued.remove(&place));
            shown.extend(input.map(|input| show(&input, Some(entry), self.own)));
        }
        shown
    }

    /// Whether the input of a place is queued.
    #[must_use]
    pub fn holds(&self, place: Seq) -> bool {
        self.queued.contains_key(&place)
    }

    /// Whether nothing is queued.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queued.is_empty()
    }

    /// What is queued, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = Shown> {
        self.queued.values().map(|input| show(input, None, self.own))
    }
}

/// Input as it is shown when it comes.
#[must_use]
pub fn as_queued(input: &Entry) -> Shown {
    show(input, None, Own::Shown)
}

/// The places of input from before a slice that is taken within it, oldest first: what [`project`] needs besides the slice.
#[must_use]
pub fn wanted(entries: &[Entry], before: &Fold) -> Vec<Seq> {
    let ids: HashSet<EventId> = entries.iter().filter(|entry| entry.seq >= before.next()).flat_map(taken).collect();
    before.queue.iter().filter(|queued| ids.contains(&queued.id)).map(|queued| queued.place).collect()
}

/// What a `handbox.input_taken` names; nothing for other events and for malformed ones.
fn taken(entry: &Entry) -> Vec<EventId> {
    if *entry.event.kind() != kinds::HANDBOX_INPUT_TAKEN {
        return Vec::new();
    }
    InputTaken::from_event(&entry.event).map(|taken| taken.ids).unwrap_or_default()
}

fn show(entry: &Entry, processed: Option<&Entry>, own: Own) -> Shown {
    let time = processed.map(|processed| rfc3339(processed.event.id().unix_ms()));
    let mut members = entry.event.members();
    if own == Own::Hidden {
        members.remove(OWN);
    }
    members.insert("processed_at".to_owned(), time.into());
    Shown { place: entry.seq, processed: processed.map(|processed| processed.seq), json: Value::Object(members) }
}
