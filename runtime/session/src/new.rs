//! Sessions that are to be: begun here, forked, or taken in from elsewhere.

use crate::{Event, Fork, Hash, LogError, Seq, SessionId};
use serde::{Deserialize, Serialize};

/// A session that is to be.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its name, minted by the caller.
    pub id: SessionId,
    /// The session and the last place of it that it shares, for a fork.
    pub fork: Option<(SessionId, Seq)>,
    /// How the events of a session that comes from elsewhere were chained, its oldest fork first; empty for any other.
    ///
    /// Such a session shares nothing here: all its events are given, those that it had shared too.
    pub lineage: Vec<Fork>,
    /// Where a session that comes from elsewhere ends; `None` for any other.
    pub arrival: Option<Arrival>,
    /// Its first events; at least one unless it is a fork.
    pub events: Vec<Event>,
}

impl NewSession {
    /// One that begins here.
    #[must_use]
    pub fn own(id: SessionId, events: Vec<Event>) -> Self {
        Self { id, fork: None, lineage: Vec::new(), arrival: None, events }
    }

    /// One that shares another's events up to and with a place, and has no own ones yet.
    #[must_use]
    pub fn fork(id: SessionId, parent: SessionId, at: Seq) -> Self {
        Self { id, fork: Some((parent, at)), lineage: Vec::new(), arrival: None, events: Vec::new() }
    }

    /// One that comes from elsewhere, see [`Self::lineage`] and [`Arrival`].
    #[must_use]
    pub fn imported(id: SessionId, lineage: Vec<Fork>, arrival: Arrival, events: Vec<Event>) -> Self {
        Self { id, fork: None, lineage, arrival: Some(arrival), events }
    }

    /// Whether its parts fit each other.
    ///
    /// # Errors
    ///
    /// [`LogError::Refused`].
    pub fn check(&self) -> Result<(), LogError> {
        let refused = |what: &str| Err(LogError::Refused(what.to_owned()));
        let last = self.lineage.last().map(|fork| fork.at);
        match (self.fork, self.arrival) {
            (Some(_), _) if last.is_some() => refused("a fork's lineage is its parent's; give none"),
            (Some(_), Some(_)) => refused("a fork shares what is here, and arrives from nowhere"),
            (None, _) if self.events.is_empty() => refused("a session begins with an event"),
            (None, None) if last.is_some() => refused("a lineage is of a session that arrives from elsewhere"),
            (None, Some(arrival)) if last > Some(arrival.head) => refused("the session ends before its lineage does"),
            _ => Ok(()),
        }
    }
}

/// Where a session that comes from elsewhere ends.
///
/// Until it has reached this it is there for nobody but its importer, who appends as
/// [`Writer::Arriving`](crate::Writer::Arriving); the append that
/// reaches it makes it a session like any other. So what is taken in is all of it or nothing, whatever happens in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// The place of its last event.
    pub head: Seq,
    /// [`Record::hash`](crate::Record::hash) there.
    pub hash: Hash,
    /// By which its importer is known.
    pub ticket: Ticket,
}

impl Arrival {
    /// Whether a session that arrives may have this head and hash.
    ///
    /// # Errors
    ///
    /// [`LogError::Refused`] beyond its end, and at its end with another hash.
    pub fn check(&self, session: SessionId, head: Seq, hash: Hash) -> Result<(), LogError> {
        match head.cmp(&self.head) {
            std::cmp::Ordering::Less => Ok(()),
            std::cmp::Ordering::Equal if hash == self.hash => Ok(()),
            std::cmp::Ordering::Equal => {
                let expected = self.hash;
                Err(LogError::Refused(format!(
                    "the session {session} has arrived with the hash {hash}, not {expected}"
                )))
            }
            std::cmp::Ordering::Greater => Err(LogError::Refused(format!(
                "the session {session} was to arrive with {} events, not {head}",
                self.head
            ))),
        }
    }
}

/// What only the importer of a session knows: bytes that it draws by chance, anew for every try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket(pub [u8; 16]);
