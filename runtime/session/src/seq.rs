//! Places in a session, and the right to write there.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::num::NonZeroU64;

/// An event's place in its session: from 1, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(NonZeroU64);

impl Seq {
    /// The place of `handbox.session_created`.
    pub const FIRST: Self = Self(NonZeroU64::MIN);

    /// `None` for 0, which is no place.
    #[must_use]
    pub const fn new(place: u64) -> Option<Self> {
        match NonZeroU64::new(place) {
            Some(place) => Some(Self(place)),
            None => None,
        }
    }

    /// As a number, from 1.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The place `count` further on.
    #[must_use]
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0.saturating_add(count))
    }

    /// The place before, unless this is the first.
    #[must_use]
    pub const fn before(self) -> Option<Self> {
        Self::new(self.get() - 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Consecutive places, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// The first of them.
    pub first: Seq,
    /// The last of them.
    pub last: Seq,
}

/// Which claim of a session a brain writes under. A later claim has a greater epoch, also after a restart of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u64);
