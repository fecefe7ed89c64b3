//! What is in memory: sessions that were written lately, and the frames that no table knows yet.

use crate::known::Known;
use handbox_session::{EventId, LogError, SessionId};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// A frame, and which places it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
    pub(crate) frame: u64,
}

/// What follows from one frame.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) frame: u64,
    /// The session as it is after the frame.
    pub(crate) known: Known,
    pub(crate) removes: bool,
    /// The ids of the frame's events, and which of them are marks. The last one's place is the session's head.
    pub(crate) events: Vec<(EventId, u8)>,
}

impl Note {
    /// The place of its first event.
    fn first(&self) -> u64 {
        self.known.head + 1 - self.events.len() as u64
    }
}

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) known: Arc<Known>,
    pub(crate) removed: bool,
    /// Whether the table has it otherwise.
    pub(crate) dirty: bool,
}

/// The frames that no table knows yet.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    /// By session's number, in order of place.
    pub(crate) spans: HashMap<u64, Vec<Span>>,
    /// In which sessions an id is, and where.
    pub(crate) ids: HashMap<EventId, Vec<(u64, u64)>>,
    /// Session's number, sort, place.
    pub(crate) marks: Vec<(u64, u8, u64)>,
    /// Sessions that were removed.
    pub(crate) graves: Vec<Arc<Known>>,
    pub(crate) events: usize,
    pub(crate) frames: usize,
    /// When the first of them came.
    pub(crate) since: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) sessions: BTreeMap<SessionId, Slot>,
    pub(crate) tail: Tail,
    /// The sessions that arrive.
    pub(crate) arriving: BTreeSet<SessionId>,
    /// The last frame there is, or was.
    pub(crate) last_frame: u64,
    /// Why nothing more is written.
    pub(crate) broken: Option<LogError>,
}

impl Book {
    pub(crate) fn apply(&mut self, note: Note, now: Duration) {
        let (number, first) = (note.known.number, note.first());
        if self.tail.frames == 0 {
            self.tail.since = now;
        }
        self.tail.frames += 1;
        self.tail.events += note.events.len();
        self.last_frame = note.frame;
        if !note.events.is_empty() || note.removes {
            // A removal stands after the last place, where whoever frees the frames finds it.
            let span = Span { first, last: note.known.head.max(first), frame: note.frame };
            self.tail.spans.entry(number).or_default().push(span);
        }
        for ((id, mark), place) in note.events.into_iter().zip(first..) {
            self.tail.ids.entry(id).or_default().push((number, place));
            if mark > 0 {
                self.tail.marks.push((number, mark, place));
            }
        }
        let known = Arc::new(note.known);
        if known.arrival.is_some() && !note.removes {
            self.arriving.insert(known.id);
        } else {
            self.arriving.remove(&known.id);
        }
        if note.removes {
            self.tail.graves.push(Arc::clone(&known));
        }
        self.sessions.insert(known.id, Slot { known, removed: note.removes, dirty: true });
    }

    /// After the tables have all that is in the tail. What was not written since the last time is forgotten.
    pub(crate) fn folded(&mut self) {
        self.tail = Tail::default();
        self.sessions.retain(|_, slot| slot.dirty && !slot.removed);
        self.sessions.values_mut().for_each(|slot| slot.dirty = false);
    }

    /// The frames of the tail with places from `first` to `last`.
    pub(crate) fn spans(&self, number: u64, first: u64, last: u64) -> Vec<Span> {
        let Some(spans) = self.tail.spans.get(&number) else { return Vec::new() };
        let begin = spans.partition_point(|span| span.last < first);
        spans[begin..].iter().take_while(|span| span.first <= last).copied().collect()
    }
}
