//! The log as an interface: what every place that keeps sessions promises.

use crate::{Epoch, Event, EventId, Fork, Hash, Kind, NewSession, Places, Seq, SessionId, Ticket};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most events of one call of [`SessionLog::append`], in all its batches.
pub const APPEND_EVENTS_MAX: usize = 4096;
/// The most bytes of events of one call of [`SessionLog::append`], in all its batches.
pub const APPEND_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most events that [`SessionLog::read`] gives at once.
pub const PAGE_EVENTS_MAX: usize = 4096;
/// The bytes of events after which a page ends: it ends with the event that reaches them.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most places that one [`SessionLog::read`] looks at for a filter before it gives what it found.
pub const PAGE_SCAN_MAX: usize = 65_536;
/// The most records that [`SessionLog::sessions`] gives at once.
pub const SESSIONS_MAX: usize = 1000;
/// The longest time for which a lease holds without being renewed. Asking for longer gives this.
pub const LEASE_TIME_MAX: Duration = Duration::from_secs(300);

/// Where sessions are kept.
///
/// # Contract
///
/// * **Durable.** When `append`, `create` or `remove` returns `Ok`, what it did survives power loss.
/// * **All or nothing.** All batches of one `append` are in the log, or none, whatever happens in between.
/// * **Dense.** The events of a session have the places 1, 2, 3 … in the order of the appends that returned.
/// * **One brain.** An append as [`Writer::Brain`] is taken only under the newest claim of its session, and only while
///   its lease holds.
/// * **Read what was written.** Once `append` returned, `read`, `tail`, `record` and `find` of everybody show it; nothing
///   is shown before it is durable.
/// * **Cost.** Each operation costs what the events it gives or takes cost, not what the log holds.
/// * **No half sessions.** A session from elsewhere is not there for anybody before it has reached the place and the hash that
///   its creation names; if its importer or the log ends before that, nothing of it is left. See [`Arrival`](crate::Arrival).
/// * **No half answers.** What is damaged is an error, never a wrong or a missing event.
///
/// `handbox_session::contract` holds the tests of this; every implementation runs them.
#[async_trait]
pub trait SessionLog: Send + Sync {
    /// Begins a session with its first events, or as a fork of another, or lets one arrive from elsewhere.
    ///
    /// Of one that arrives, and has not with these events, the record says how far it is.
    ///
    /// # Errors
    ///
    /// [`LogError::Refused`] if the id is taken, which the id of a removed session stays while forks share its events, and
    /// that of one that arrives is; if a session that is no fork has no first event; for what `append` refuses; for a
    /// lineage without an arrival, one that is none, that its events contradict or that its arrival does not reach; for
    /// an arrival of a fork; and for a fork of more than [`LINEAGE_MAX`](crate::LINEAGE_MAX) others.
    /// [`LogError::NoSession`] for a fork of a session and [`LogError::Refused`] for one at a place that is not there.
    async fn create(&self, new: NewSession) -> Result<Record, LogError>;

    /// Appends, in the order given; an empty batch only checks its writer and expected head.
    ///
    /// Gives for each batch the places of its events, `None` for an empty one. Several batches of one session follow each
    /// other: what a later one expects to be the head is what the earlier ones left.
    ///
    /// # Errors
    ///
    /// [`LogError::Refused`] for more than [`APPEND_EVENTS_MAX`] or [`APPEND_BYTES_MAX`]; else what the first batch fails
    /// on, in this order: [`LogError::NoSession`], [`LogError::Fenced`], [`LogError::Moved`], and [`LogError::Refused`] for
    /// an event id that the session has, a fork's shared part included, or that comes twice, or for what leads beyond its
    /// arrival or to another hash; [`LogError::Full`] and [`LogError::ReadOnly`]. After all of these nothing was
    /// appended. A session that arrives is there only for [`Writer::Arriving`], and for that only such a one. After [`LogError::Unavailable`] it is not known: look for the event's id with [`Self::find`].
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError>;

    /// Gives a slice of a session.
    ///
    /// The page ends early only at [`PAGE_EVENTS_MAX`], [`PAGE_BYTES_MAX`] and, under a filter, [`PAGE_SCAN_MAX`].
    ///
    /// # Errors
    ///
    /// [`LogError::NoSession`], [`LogError::Damaged`].
    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError>;

    /// Finds an event's place by its id.
    ///
    /// # Errors
    ///
    /// As `read`.
    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError>;

    /// Follows a session from after a place, or from its first event.
    ///
    /// # Errors
    ///
    /// [`LogError::NoSession`]. A place that is not reached yet is waited for.
    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError>;

    /// What is known of a session without reading its events.
    ///
    /// # Errors
    ///
    /// [`LogError::NoSession`].
    async fn record(&self, session: SessionId) -> Result<Record, LogError>;

    /// Sessions from the newest on, at most `limit` (of at most [`SESSIONS_MAX`]), those older than `before`.
    ///
    /// # Errors
    ///
    /// Only those of the place itself.
    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError>;

    /// Takes a session away. What forks of it share stays until the last of them goes.
    ///
    /// # Errors
    ///
    /// [`LogError::NoSession`]; [`LogError::Held`] while a brain holds its lease.
    async fn remove(&self, session: SessionId) -> Result<(), LogError>;

    /// Gives up letting a session arrive: nothing of it is left, and its id is free.
    ///
    /// The same happens when whoever began it is gone (its connection is closed, its process ended), and when the log is
    /// opened anew.
    ///
    /// # Errors
    ///
    /// [`LogError::NoSession`] if none arrives under this ticket: it has arrived, or is given up already.
    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError>;

    /// Claims the right to write a session as its brain, for `time` (at most [`LEASE_TIME_MAX`]) from now.
    ///
    /// The lease also ends when whoever asked is gone (its connection is closed, its process ended).
    ///
    /// # Errors
    ///
    /// [`LogError::Held`] while another lease holds.
    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError>;

    /// Makes a lease hold for `time` from now.
    ///
    /// # Errors
    ///
    /// [`LogError::Fenced`] if it ended.
    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError>;

    /// Gives a lease back. One that ended already is no error.
    ///
    /// # Errors
    ///
    /// Only those of the place itself.
    async fn release(&self, lease: &Lease) -> Result<(), LogError>;

    /// Shows followers a part of an event that is not finished. It is never stored, and may be lost.
    fn preview(&self, session: SessionId, preview: Preview);
}

/// The event at a place; `None` beyond the end.
///
/// # Errors
///
/// As [`SessionLog::read`].
pub async fn entry_at(log: &dyn SessionLog, session: SessionId, place: Seq) -> Result<Option<Entry>, LogError> {
    let page = log.read(session, Slice { to: Some(place), ..Slice::from(place) }).await?;
    Ok(page.entries.into_iter().next())
}

/// Events for one session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Batch {
    /// Where they belong.
    pub session: SessionId,
    /// In which part the caller writes.
    pub writer: Writer,
    /// The place of the session's last event, if the caller's events build on there being no later one.
    pub after: Option<Seq>,
    /// What is to be appended, in order.
    pub events: Vec<Event>,
}

/// In which part somebody writes a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Writer {
    /// As a client, who may write whenever there is a session.
    Client,
    /// As its brain, under a claim.
    Brain(Epoch),
    /// As its importer, while it arrives.
    Arriving(Ticket),
}

/// A part of a session.
///
/// All conditions hold together. Positions beyond the end are no error; there is just nothing there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// The first place, or the beginning.
    pub from: Option<Seq>,
    /// The last place, or the end.
    pub to: Option<Seq>,
    /// Which end comes first.
    pub order: Order,
    /// The most events wanted; `None`, and anything above, is [`PAGE_EVENTS_MAX`].
    pub limit: Option<usize>,
    /// Only events of these types; all if empty.
    pub kinds: Vec<Kind>,
    /// Only events whose `session_thread_id` is this.
    pub thread: Option<String>,
}

impl Slice {
    /// Everything from a place on, oldest first.
    #[must_use]
    pub fn from(first: Seq) -> Self {
        Self { from: Some(first), ..Self::default() }
    }

    /// The last `count` events, newest first.
    #[must_use]
    pub fn last(count: usize) -> Self {
        Self { order: Order::NewestFirst, limit: Some(count), ..Self::default() }
    }

    /// The `count` events before a place, newest first.
    #[must_use]
    pub fn before(place: Seq, count: usize) -> Self {
        // Nothing lies before the first place; a limit of nothing says so.
        match place.before() {
            Some(to) => Self { to: Some(to), ..Self::last(count) },
            None => Self::last(0),
        }
    }

    /// Whether an event that lies within the places belongs to the slice.
    #[must_use]
    pub fn admits(&self, event: &Event) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(event.kind());
        kind && self.thread.as_ref().is_none_or(|thread| {
            event.members().get("session_thread_id").and_then(serde_json::Value::as_str) == Some(thread)
        })
    }
}

/// Which end of a slice comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// As things happened.
    #[default]
    OldestFirst,
    /// The latest first.
    NewestFirst,
}

/// What a read gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The events, in the order asked for.
    pub entries: Vec<Entry>,
    /// Where the next page begins: the slice's next `from`, or its next `to` when the newest come first. `None` at the
    /// end, which a page that reaches the last place of its slice is, and for a limit of nothing. A page may be empty and
    /// yet have a next one, when a filter admits little.
    pub next: Option<Seq>,
}

/// An event in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// What happened.
    pub event: Event,
}

/// Follows a session.
#[async_trait]
pub trait Tail: Send {
    /// Waits for what comes next. Dropping the future loses nothing.
    ///
    /// A follower that is slow gets every event all the same, and delays nobody. A preview comes before every event that
    /// was appended after it was shown, or not at all.
    ///
    /// # Errors
    ///
    /// [`LogError::NoSession`] once the session was taken away.
    async fn next(&mut self) -> Result<Followed, LogError>;
}

/// What a follower sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Followed {
    /// The next event, in its place.
    Event(Entry),
    /// A part of an event that is not finished. Some may be missing.
    Preview(Preview),
}

/// A part of an event that is not finished: `event_start` or `event_delta` of Managed Agents, as one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview(pub String);

/// What is known of a session without reading its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name, which also says when it began.
    pub id: SessionId,
    /// What its events were forked from, oldest first; the last is its direct parent. See [`Fork`].
    pub lineage: Vec<Fork>,
    /// The place of its last event.
    pub head: Seq,
    /// The id of its last event, which also says when that happened.
    pub last: EventId,
    /// The hash up to its head, to which its next event is chained: [`genesis`](crate::genesis) for a fork without own events.
    pub hash: Hash,
    /// The place of its latest `handbox.checkpoint`.
    pub checkpoint: Option<Seq>,
    /// The place of its latest `agent.thread_context_compacted`.
    pub compaction: Option<Seq>,
    /// Who holds its lease.
    pub holder: Option<String>,
}

/// The right of one brain to write a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The session.
    pub session: SessionId,
    /// What every append of the brain carries.
    pub epoch: Epoch,
}

/// Why the log did not do what was asked, sorted by what the caller has to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum LogError {
    /// There is no such session: ask for another.
    #[error("there is no session {0}; `handbox sessions` lists those there are")]
    NoSession(SessionId),
    /// Another brain has the session, or the lease ended: stop.
    #[error("the session {session} is no longer this brain's: it wrote under claim {}, and the newest is {}", epoch.0, newest.0)]
    Fenced {
        /// The session.
        session: SessionId,
        /// Under which claim the caller wrote.
        epoch: Epoch,
        /// The newest there is.
        newest: Epoch,
    },
    /// Somebody was faster: read what came, and decide again.
    #[error("the session {session} has moved on to place {head}")]
    Moved {
        /// The session.
        session: SessionId,
        /// Its present head.
        head: Seq,
    },
    /// A brain is at work on it: wait, or interrupt that.
    #[error("the session {session} is being worked on by {holder}")]
    Held {
        /// The session.
        session: SessionId,
        /// Who holds its lease.
        holder: String,
    },
    /// The request makes no sense: mend it.
    #[error("{0}")]
    Refused(String),
    /// There is no space: nothing was written; make room, then open the store again.
    #[error("there is no space left for the log; nothing was written: {0}")]
    Full(String),
    /// A write failed earlier, so nothing more is written until the store is opened again.
    #[error("the log is read-only since a write failed; open it again once the cause is mended: {0}")]
    ReadOnly(String),
    /// What is stored is not what was written. `handbox log verify` says how far it reaches.
    #[error("{0}")]
    Damaged(Damage),
    /// It is not known whether it was done: look for the events' ids.
    #[error("the store was lost in the middle of a request, so its outcome is not known: {0}")]
    Unavailable(String),
    /// Whoever holds the store does not answer: nothing was asked. See to that process, and try again.
    #[error("the store cannot be reached; nothing was asked of it: {0}")]
    Unreachable(String),
}

/// Where something stored is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Damage {
    /// In an event.
    #[error("damaged: the event at place {seq} of session {session}: {what}")]
    Event {
        /// The session.
        session: SessionId,
        /// The place.
        seq: Seq,
        /// What is wrong.
        what: String,
    },
    /// In what holds the events together.
    #[error("the store is damaged: {0}")]
    Store(String),
}
