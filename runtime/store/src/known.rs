//! What is known of a session without reading its events.

use crate::frame::{Link, Origin};
use handbox_session::{Arrival, EventId, Fork, Hash, Record, Seq, SessionId, genesis, kinds};
use std::sync::Arc;

/// The sorts of events whose places are kept.
pub(crate) const CHECKPOINT: u8 = 1;
pub(crate) const COMPACTION: u8 = 2;

/// Which sort of mark an event of this type is; 0 for none.
pub(crate) fn mark(kind: &str) -> u8 {
    match kind {
        kind if kind == kinds::HANDBOX_CHECKPOINT.as_str() => CHECKPOINT,
        kind if kind == kinds::AGENT_THREAD_CONTEXT_COMPACTED.as_str() => COMPACTION,
        _ => 0,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) id: SessionId,
    /// Names it within the store; an id may be used again after a removal.
    pub(crate) number: u64,
    pub(crate) lineage: Arc<[Fork]>,
    /// In whose frames its events are, up to where its own begin.
    pub(crate) links: Arc<[Link]>,
    /// The last place; 0 only while it is being created.
    pub(crate) head: u64,
    pub(crate) last: EventId,
    /// No event of the session has a greater id.
    pub(crate) greatest: EventId,
    /// What the next event is chained to.
    pub(crate) hash: Hash,
    pub(crate) checkpoint: Option<Seq>,
    pub(crate) compaction: Option<Seq>,
    /// Where it ends, until it has reached that: before, it is there for nobody but its importer.
    pub(crate) arrival: Option<Arrival>,
}

/// Places of a session whose events are in the frames of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Known {
    /// A session that begins like this.
    pub(crate) fn begin(id: SessionId, number: u64, origin: &Origin, hash: Hash) -> Self {
        Self {
            id,
            number,
            lineage: origin.lineage.as_slice().into(),
            links: origin.links.as_slice().into(),
            head: origin.links.last().map_or(0, |link| link.upto),
            last: origin.last,
            greatest: origin.greatest,
            hash,
            checkpoint: origin.checkpoint,
            compaction: origin.compaction,
            arrival: origin.arrival,
        }
    }

    /// Where the events from `first` to `last` are, in order.
    pub(crate) fn segments(&self, first: u64, last: u64) -> Vec<Segment> {
        let own = Link { number: self.number, upto: self.head };
        let mut begin = 1;
        let mut segments = Vec::new();
        for link in self.links.iter().chain([&own]) {
            let segment = Segment { number: link.number, first: begin.max(first), last: link.upto.min(last) };
            begin = link.upto + 1;
            if segment.first <= segment.last {
                segments.push(segment);
            }
        }
        segments
    }

    /// Whether its event at a place is in the frames of the session with this number.
    pub(crate) fn has(&self, number: u64, place: u64) -> bool {
        self.segments(place, place).first().is_some_and(|segment| segment.number == number)
    }

    /// What a fork at a place shares.
    pub(crate) fn links_at(&self, at: u64) -> Vec<Link> {
        self.segments(1, at).into_iter().map(|segment| Link { number: segment.number, upto: segment.last }).collect()
    }

    /// The first fork of its lineage that lies ahead. There is one only in what was imported.
    pub(crate) fn awaited(&self) -> Option<&Fork> {
        self.lineage.iter().find(|fork| fork.at.get() > self.head)
    }

    /// Takes what a frame holds.
    pub(crate) fn take(&mut self, events: impl Iterator<Item = (EventId, u8)>, after: Hash) {
        for (id, mark) in events {
            self.head += 1;
            self.last = id;
            self.greatest = self.greatest.max(id);
            match mark {
                CHECKPOINT => self.checkpoint = Seq::new(self.head),
                COMPACTION => self.compaction = Seq::new(self.head),
                _ => {}
            }
        }
        self.hash = self.following(after);
        self.arrival = self.arrival.filter(|arrival| self.head < arrival.head.get());
    }

    /// What the event after the head is chained to, if that has this hash.
    fn following(&self, hash: Hash) -> Hash {
        let Some(index) = self.lineage.iter().position(|fork| fork.at.get() == self.head) else { return hash };
        let child = self.lineage.get(index + 1).map_or(self.id, |next| next.session);
        genesis(child, self.lineage.get(index))
    }

    pub(crate) fn record(&self, holder: Option<String>) -> Record {
        Record {
            id: self.id,
            lineage: self.lineage.to_vec(),
            head: Seq::new(self.head).unwrap_or(Seq::FIRST),
            last: self.last,
            hash: self.hash,
            checkpoint: self.checkpoint,
            compaction: self.compaction,
            holder,
        }
    }
}
