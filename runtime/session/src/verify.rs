//! Whether what is stored is what was written.

use crate::{Chain, ChainError, Entry, Hash, Record, Seq, SessionId, advance};
use serde::{Deserialize, Serialize};

/// The hash that a session had at a place, noted earlier and kept elsewhere.
///
/// A log that was cut or written anew from some place on is sound in itself; only this shows that it is not the same log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The session.
    pub session: SessionId,
    /// The place of what was then its last event.
    pub seq: Seq,
    /// [`Record::hash`] as it was then.
    pub hash: Hash,
}

/// The first thing that is wrong with a session.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The first line of an export is none.
    #[error("this is not an export of a session: {0}")]
    Header(String),
    /// What stands for an entry, or for the end, cannot be read.
    #[error("what should be the entry {seq} or the end cannot be read: {what}")]
    Unreadable {
        /// The place of the entry that was due.
        seq: Seq,
        /// What is wrong.
        what: String,
    },
    /// An entry, or one of several, is not what was chained here.
    #[error("changed: {} is not what was written there", places(*first, *last))]
    Changed {
        /// The first that can be it: all before are right.
        first: Seq,
        /// The last that can be it.
        last: Seq,
    },
    /// An entry is not there; a later one is in its place, or the end.
    #[error("missing: the entry {seq}, in whose place is {}", found.map_or_else(|| "the end".to_owned(), |found| format!("the entry {found}")))]
    Missing {
        /// The first that is missing.
        seq: Seq,
        /// What comes instead of it; `None` for the end.
        found: Option<Seq>,
    },
    /// An entry comes later than it should: what was written there, behind another that is in its place.
    #[error("moved: the entry {seq} comes later, and in its place is the entry {found}")]
    Moved {
        /// The first that is not in its place.
        seq: Seq,
        /// What comes instead of it.
        found: Seq,
    },
    /// An entry comes again, or earlier than it should.
    #[error("repeated or out of order: the entry {seq} comes where the entry {expected} is due")]
    Repeated {
        /// The entry that comes.
        seq: Seq,
        /// The entry that is due.
        expected: Seq,
    },
    /// An entry comes after the one that is said to be the last.
    #[error("surplus: the entry {seq} comes after what is said to be the last")]
    Surplus {
        /// The first that is too much.
        seq: Seq,
    },
    /// The events are not those of the sessions they are said to be forked from.
    #[error(transparent)]
    Lineage(#[from] ChainError),
    /// Whoever the events belong to, or what its fork shares, is not what the end says.
    #[error("the session or its lineage is not the one whose hash stands at the end")]
    Origin,
    /// It ends before a place that it once had.
    #[error("cut: it ends at {}, but once reached {reached}", head.map_or_else(|| "its beginning".to_owned(), |head| format!("the entry {head}")))]
    Cut {
        /// Its last entry.
        head: Option<Seq>,
        /// The place that is known to have been there.
        reached: Seq,
    },
    /// An export without its last line.
    #[error("cut: the last line is missing, after {}", head.map_or_else(|| "the first".to_owned(), |head| format!("the entry {head}")))]
    NoEnd {
        /// The last entry before.
        head: Option<Seq>,
    },
}

fn places(first: Seq, last: Seq) -> String {
    if first == last { format!("the entry {first}") } else { format!("one of the entries {first} to {last}") }
}

impl Flaw {
    /// The first place that is wrong, where there is one.
    #[must_use]
    pub fn place(&self) -> Option<Seq> {
        match self {
            Self::Unreadable { seq, .. }
            | Self::Changed { first: seq, .. }
            | Self::Missing { seq, .. }
            | Self::Moved { seq, .. }
            | Self::Surplus { seq } => Some(*seq),
            Self::Repeated { expected, .. } => Some(*expected),
            Self::Lineage(ChainError::Fork { fork }) => Some(fork.at),
            Self::Cut { head, .. } | Self::NoEnd { head } => Some(head.map_or(Seq::FIRST, |head| head.plus(1))),
            Self::Header(_) | Self::Lineage(ChainError::Lineage) | Self::Origin => None,
        }
    }
}

/// Takes the entries of a session in order and finds the first that is wrong.
#[derive(Debug)]
pub struct Verifier {
    chain: Chain,
    record: Record,
    /// Of this session, the lowest place first.
    anchors: Vec<Anchor>,
    /// The first entry that no hash has proven yet.
    unproven: Seq,
}

impl Verifier {
    /// Begins with a session of this record. Anchors of other sessions are passed over.
    ///
    /// # Errors
    ///
    /// [`Flaw::Lineage`].
    pub fn new(record: Record, anchors: &[Anchor]) -> Result<Self, Flaw> {
        let chain = Chain::new(record.id, record.lineage.clone())?;
        let mut anchors: Vec<Anchor> = anchors.iter().filter(|anchor| anchor.session == record.id).copied().collect();
        anchors.sort_by_key(|anchor| anchor.seq);
        Ok(Self { chain, record, anchors, unproven: Seq::FIRST })
    }

    /// Takes the next entry, and the hash that the store holds beside it, if it holds one: with it every changed entry is
    /// named, without only those between two forks, anchors and the end.
    ///
    /// # Errors
    ///
    /// The first [`Flaw`]; there is no going on after it.
    pub fn entry(&mut self, entry: &Entry, stored: Option<Hash>) -> Result<(), Flaw> {
        let seq = in_turn(&self.chain, entry.seq)?;
        let changed = Flaw::Changed { first: self.unproven, last: seq };
        let hash = advance(self.chain.hash(), seq, entry.event.json());
        if stored.is_some_and(|stored| stored != hash) {
            return Err(changed);
        }
        // Where the store's hash proves the entry, it is the lineage that is wrong.
        self.chain.push(entry.event.json()).map_err(|error| stored.map_or(changed.clone(), |_| error.into()))?;
        // At a fork's place the session's hash was already that of its own beginning.
        let right = |anchor: &Anchor| anchor.hash == hash || anchor.hash == self.chain.hash();
        let anchors = || self.anchors.iter().filter(|anchor| anchor.seq == seq);
        if !anchors().all(right) {
            return Err(changed);
        }
        let anchored = anchors().next().is_some();
        if anchored || stored.is_some() || self.record.lineage.iter().any(|fork| fork.at == seq) {
            self.unproven = seq.plus(1);
        }
        Ok(())
    }

    /// Ends after the last entry.
    ///
    /// # Errors
    ///
    /// [`Flaw::Cut`], [`Flaw::Missing`], [`Flaw::Surplus`], [`Flaw::Changed`], [`Flaw::Origin`]; [`Flaw::Lineage`] if it ends
    /// before a fork of its lineage.
    pub fn finish(self) -> Result<(), Flaw> {
        if let Some(anchor) = self.anchors.last().filter(|anchor| Some(anchor.seq) > self.chain.head()) {
            return Err(Flaw::Cut { head: self.chain.head(), reached: anchor.seq });
        }
        at_end(&self.chain, self.unproven, self.record.head, self.record.hash)
    }
}

/// The place of the next entry, if it is the one that is due.
pub(crate) fn in_turn(chain: &Chain, seq: Seq) -> Result<Seq, Flaw> {
    let due = chain.next();
    match seq.cmp(&due) {
        std::cmp::Ordering::Equal => Ok(due),
        std::cmp::Ordering::Greater => Err(Flaw::Missing { seq: due, found: Some(seq) }),
        std::cmp::Ordering::Less => Err(Flaw::Repeated { seq, expected: due }),
    }
}

/// Whether a chain ends where, and with the hash with which, it is said to.
pub(crate) fn at_end(chain: &Chain, unproven: Seq, head: Seq, hash: Hash) -> Result<(), Flaw> {
    let due = chain.next();
    if head >= due {
        return Err(Flaw::Missing { seq: due, found: None });
    }
    if head.plus(1) < due {
        return Err(Flaw::Surplus { seq: head.plus(1) });
    }
    if let Some(fork) = chain.awaited() {
        return Err(Flaw::Lineage(ChainError::Fork { fork: *fork }));
    }
    match (chain.hash() == hash, unproven <= head) {
        (true, _) => Ok(()),
        (false, true) => Err(Flaw::Changed { first: unproven, last: head }),
        (false, false) => Err(Flaw::Origin),
    }
}
