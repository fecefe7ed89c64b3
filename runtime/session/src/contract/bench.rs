//! What the promises are tested with.

use super::{Factory, Subject};
use crate::{
    Batch, Entry, Event, EventId, Hash, Kind, LogError, NewSession, Page, Places, Record, Seq, SessionId, SessionLog,
    Slice, Writer, kinds,
};
use serde_json::{Map, Value};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long something may take that should happen at once: long, because machines that run tests are busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// Autumn 2025, so that ids look like real ones.
const BEGINNING_MS: u64 = 1_760_000_000_000;

/// A log under test, and what writes to it.
pub(super) struct Bench {
    pub(super) subject: Box<dyn Subject>,
    minted: AtomicU64,
}

/// The place of this number, which is not 0.
pub(super) fn seq(place: u64) -> Seq {
    Seq::new(place).expect("places begin at 1")
}

/// Waits for what should happen at once.
///
/// # Panics
///
/// After a minute.
pub(super) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this should happen at once, and did not within a minute")
}

/// An error without what implementations may say differently.
pub(super) fn plain(error: LogError) -> LogError {
    match error {
        LogError::Refused(_) => LogError::Refused(String::new()),
        other => other,
    }
}

/// Fails unless this was refused as senseless.
pub(super) fn assert_refused<T: std::fmt::Debug>(result: Result<T, LogError>) {
    assert!(matches!(result, Err(LogError::Refused(_))), "this is to be refused: {result:?}");
}

/// The batch of a client.
pub(super) fn batch(session: SessionId, events: Vec<Event>) -> Batch {
    Batch { session, writer: Writer::Client, after: None, events }
}

impl Bench {
    pub(super) async fn new(factory: &dyn Factory) -> Self {
        Self { subject: factory.fresh().await, minted: AtomicU64::new(0) }
    }

    pub(super) fn log(&self) -> &dyn SessionLog {
        self.subject.log()
    }

    fn mint(&self) -> (u64, [u8; 10]) {
        let count = self.minted.fetch_add(1, Ordering::Relaxed);
        let mut chance = [0; 10];
        chance[..8].copy_from_slice(&count.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        (BEGINNING_MS + count, chance)
    }

    /// A fresh id; each is later than the one before.
    pub(super) fn session_id(&self) -> SessionId {
        let (time, chance) = self.mint();
        SessionId::at(time, chance)
    }

    /// A fresh id; each is later than the one before.
    pub(super) fn event_id(&self) -> EventId {
        let (time, chance) = self.mint();
        EventId::at(time, chance)
    }

    /// An event of a type with one more member.
    pub(super) fn event(&self, kind: &Kind, name: &str, value: impl Into<Value>) -> Event {
        let members = Map::from_iter([(name.to_owned(), value.into())]);
        Event::new(self.event_id(), kind.clone(), members).expect("this is an event")
    }

    /// A small event.
    pub(super) fn message(&self) -> Event {
        self.event(&kinds::USER_MESSAGE, "content", "hello")
    }

    /// Small events.
    pub(super) fn messages(&self, count: usize) -> Vec<Event> {
        (0..count).map(|_| self.message()).collect()
    }

    /// An event of exactly so many bytes.
    pub(super) fn sized(&self, bytes: usize) -> Event {
        let least = self.event(&kinds::USER_MESSAGE, "content", "").json().len();
        self.event(&kinds::USER_MESSAGE, "content", "x".repeat(bytes - least))
    }

    /// Begins a session with small events.
    pub(super) async fn begin(&self, count: usize) -> SessionId {
        self.begin_with(self.messages(count)).await
    }

    /// Begins a session with these events.
    pub(super) async fn begin_with(&self, events: Vec<Event>) -> SessionId {
        let id = self.session_id();
        self.log().create(NewSession::own(id, events)).await.expect("a fresh session is created");
        id
    }

    /// Forks a session.
    pub(super) async fn fork(&self, parent: SessionId, at: u64) -> SessionId {
        let id = self.session_id();
        self.log().create(NewSession::fork(id, parent, seq(at))).await.expect("a session is forked");
        id
    }

    /// Appends as a client.
    pub(super) async fn append(&self, session: SessionId, events: Vec<Event>) -> Places {
        self.put(batch(session, events)).await.expect("a client may append").expect("events have places")
    }

    /// Appends one batch.
    pub(super) async fn put(&self, batch: Batch) -> Result<Option<Places>, LogError> {
        let mut places = self.log().append(vec![batch]).await?;
        assert_eq!(places.len(), 1, "one batch has one answer");
        Ok(places.pop().flatten())
    }

    pub(super) async fn read(&self, session: SessionId, slice: Slice) -> Page {
        self.log().read(session, slice).await.expect("a slice is read")
    }

    pub(super) async fn record(&self, session: SessionId) -> Record {
        self.log().record(session).await.expect("there is a record")
    }

    /// The place of the last event.
    pub(super) async fn head(&self, session: SessionId) -> u64 {
        self.record(session).await.head.get()
    }

    /// All entries of a slice, page by page.
    pub(super) async fn pages(&self, session: SessionId, slice: Slice) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut slice = slice;
        loop {
            let page = self.read(session, slice.clone()).await;
            entries.extend(page.entries);
            let Some(next) = page.next else { return entries };
            match slice.order {
                crate::Order::OldestFirst => slice.from = Some(next),
                crate::Order::NewestFirst => slice.to = Some(next),
            }
        }
    }

    /// All events, after a check that their places are dense.
    pub(super) async fn all(&self, session: SessionId) -> Vec<Event> {
        let entries = self.pages(session, Slice::default()).await;
        assert!(
            entries.iter().zip(1..).all(|(entry, place)| entry.seq.get() == place),
            "places are dense: {entries:?}"
        );
        entries.into_iter().map(|entry| entry.event).collect()
    }

    /// Chains the events of a session on to a hash, from after a place on.
    pub(super) async fn chained(&self, session: SessionId, genesis: Hash, after: u64) -> Hash {
        let entries = self.pages(session, Slice::from(seq(after + 1))).await;
        entries.iter().fold(genesis, |hash, entry| crate::advance(hash, entry.seq, entry.event.json()))
    }
}
