//! The hash over everything that happened, so that nothing can be changed, dropped or moved unseen.

use crate::{Seq, SessionId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// BLAKE3 of a session up to some place. Shown as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Hash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok();
        let wrong = || "a hash is 64 hexadecimal digits in lower case".to_owned();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(wrong)
    }
}

impl Serialize for Hash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The most forks from the first session to the last: a record names them all.
pub const LINEAGE_MAX: usize = 256;

/// Where a session was forked from another.
///
/// It names the session *whose event* the last shared place holds. A fork of a fork at a place that both its parent and
/// its parent's parent have is therefore a fork of the latter, and the places of a lineage rise strictly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// The session that was forked, see above.
    pub session: SessionId,
    /// The last place that both have.
    pub at: Seq,
    /// The parent's hash at that place.
    pub hash: Hash,
}

impl Fork {
    /// The lineage of a fork of a session with this lineage at a place, whose event has this hash.
    #[must_use]
    pub fn lineage(parent: SessionId, lineage: &[Self], at: Seq, hash: Hash) -> Vec<Self> {
        let owner = lineage.iter().find(|fork| at <= fork.at).map_or(parent, |fork| fork.session);
        let mut whole: Vec<Self> = lineage.iter().copied().filter(|fork| fork.at < at).collect();
        whole.push(Self { session: owner, at, hash });
        whole
    }
}

/// The hash that a session's first own event is chained to: over its id and, for a fork, parent, place and parent's hash.
#[must_use]
pub fn genesis(session: SessionId, fork: Option<&Fork>) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"handbox genesis 1\0");
    hasher.update(&session.to_bytes());
    if let Some(fork) = fork {
        hasher.update(&fork.session.to_bytes());
        hasher.update(&fork.at.get().to_be_bytes());
        hasher.update(&fork.hash.0);
    }
    Hash(*hasher.finalize().as_bytes())
}

/// The hash after the event with these canonical bytes at this place: H(previous ‖ place ‖ bytes).
#[must_use]
pub fn advance(previous: Hash, place: Seq, event: &str) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"handbox event 1\0");
    hasher.update(&previous.0);
    hasher.update(&place.get().to_be_bytes());
    hasher.update(event.as_bytes());
    Hash(*hasher.finalize().as_bytes())
}

/// Why events are not chained as a lineage says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// It is no lineage.
    #[error("a lineage has at most {LINEAGE_MAX} forks, at places that rise, each of another session")]
    Lineage,
    /// The events up to a fork are not those that were forked.
    #[error("the events up to place {} are not those of session {} that were forked there", fork.at, fork.session)]
    Fork {
        /// The fork.
        fork: Fork,
    },
}

/// The hash of a session as its events come, from the oldest session of its lineage on.
#[derive(Debug, Clone)]
pub struct Chain {
    session: SessionId,
    lineage: Vec<Fork>,
    /// How many forks of the lineage lie behind.
    passed: usize,
    head: Option<Seq>,
    hash: Hash,
}

impl Chain {
    /// Begins before the first place.
    ///
    /// # Errors
    ///
    /// [`ChainError::Lineage`].
    pub fn new(session: SessionId, lineage: Vec<Fork>) -> Result<Self, ChainError> {
        check(session, &lineage)?;
        let first = lineage.first().map_or(session, |fork| fork.session);
        Ok(Self { session, lineage, passed: 0, head: None, hash: genesis(first, None) })
    }

    /// Goes on where [`Self::hash`] was this, with `head` as the last place.
    ///
    /// # Errors
    ///
    /// [`ChainError::Lineage`].
    pub fn resume(session: SessionId, lineage: Vec<Fork>, head: Seq, hash: Hash) -> Result<Self, ChainError> {
        check(session, &lineage)?;
        let passed = lineage.iter().filter(|fork| fork.at <= head).count();
        Ok(Self { session, lineage, passed, head: Some(head), hash })
    }

    /// Takes the next event's canonical bytes, and gives its place and hash.
    ///
    /// # Errors
    ///
    /// [`ChainError::Fork`] if the place is a fork's and the hash is not; nothing was taken then.
    pub fn push(&mut self, event: &str) -> Result<(Seq, Hash), ChainError> {
        let place = self.next();
        let hash = advance(self.hash, place, event);
        let mut following = hash;
        if let Some(fork) = self.lineage.get(self.passed).filter(|fork| fork.at == place) {
            if fork.hash != hash {
                return Err(ChainError::Fork { fork: *fork });
            }
            let child = self.lineage.get(self.passed + 1).map_or(self.session, |next| next.session);
            following = genesis(child, Some(fork));
            self.passed += 1;
        }
        self.head = Some(place);
        self.hash = following;
        Ok((place, hash))
    }

    /// The place of the next event.
    #[must_use]
    pub fn next(&self) -> Seq {
        self.head.map_or(Seq::FIRST, |head| head.plus(1))
    }

    /// The place of the last event.
    #[must_use]
    pub fn head(&self) -> Option<Seq> {
        self.head
    }

    /// What the next event is chained to: the last one's hash, or the genesis of the session that begins after it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The first fork whose place is not reached yet.
    #[must_use]
    pub fn awaited(&self) -> Option<&Fork> {
        self.lineage.get(self.passed)
    }
}

fn check(session: SessionId, lineage: &[Fork]) -> Result<(), ChainError> {
    let rises = lineage.is_sorted_by(|one, next| one.at < next.at);
    let mut sessions: Vec<_> = lineage.iter().map(|fork| fork.session).chain([session]).collect();
    sessions.sort_unstable();
    let differ = sessions.is_sorted_by(|one, next| one < next);
    if rises && differ && lineage.len() <= LINEAGE_MAX { Ok(()) } else { Err(ChainError::Lineage) }
}
