//! A log in memory: for tests, for dry runs, and as the oracle of the conformance suite.
//!
//! It keeps every promise of [`SessionLog`] but to survive the process. It is written to be obviously right: one lock, whole
//! copies of what forks share, and no index.

mod clock;
mod session;

pub use clock::ManualClock;

use crate::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, BLOB_BYTES_MAX, Batch, Blobs, Entry, Epoch, Event, EventId, Followed, Hash,
    LEASE_TIME_MAX, Lease, LogError, NewSession, Page, Places, Preview, Record, SESSIONS_MAX, Seq, SessionId,
    SessionLog, Slice, Tail, Ticket, Writer,
};
use async_trait::async_trait;
use session::{Session, Staged};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, watch};

/// The log in memory. Clones are the same log.
#[derive(Clone)]
pub struct MemoryLog {
    state: Arc<Mutex<State>>,
    now: Arc<dyn Fn() -> Instant + Send + Sync>,
}

#[derive(Default, Clone)]
struct State {
    sessions: BTreeMap<SessionId, Session>,
    blobs: HashMap<Hash, Vec<u8>>,
    /// Claims of all sessions so far: the last epoch given.
    claims: u64,
}

impl MemoryLog {
    /// An empty one, whose leases end by this clock: `MemoryLog::new(Instant::now)`, or one that a test sets.
    pub fn new(now: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self { state: Arc::default(), now: Arc::new(now) }
    }

    /// What somebody finds who opens the same place anew: all sessions that have arrived, no lease. This one stays as it is.
    #[must_use]
    pub fn reopened(&self) -> Self {
        let mut state = self.state().clone();
        state.sessions.retain(|_, session| session.arrival.is_none());
        for session in state.sessions.values_mut() {
            session.lease = None;
            session.disconnect();
        }
        Self { state: Arc::new(Mutex::new(state)), now: Arc::clone(&self.now) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panicked under the lock had not begun to change anything: what can fail is done before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLog").field("sessions", &self.state().sessions.len()).finish_non_exhaustive()
    }
}

impl State {
    fn get(&self, session: SessionId) -> Result<&Session, LogError> {
        let found = self.sessions.get(&session).filter(|session| session.arrival.is_none());
        found.ok_or(LogError::NoSession(session))
    }

    fn get_mut(&mut self, session: SessionId) -> Result<&mut Session, LogError> {
        let found = self.sessions.get_mut(&session).filter(|session| session.arrival.is_none());
        found.ok_or(LogError::NoSession(session))
    }

    /// The one that arrives under this ticket.
    fn arriving(&self, session: SessionId, ticket: Ticket) -> Result<&Session, LogError> {
        let theirs = |session: &&Session| session.arrival.is_some_and(|arrival| arrival.ticket == ticket);
        self.sessions.get(&session).filter(theirs).ok_or(LogError::NoSession(session))
    }

    /// What [`SessionLog::create`] makes, without its first events.
    fn begin(&self, new: &NewSession) -> Result<Session, LogError> {
        let shared = |session: &Session| session.shares.contains(&new.id);
        if self.sessions.contains_key(&new.id) || self.sessions.values().any(shared) {
            return Err(LogError::Refused(format!("there is a session {} already", new.id)));
        }
        new.check()?;
        match new.fork {
            Some((parent, at)) => self.get(parent)?.fork(new.id, parent, at),
            None => Session::new(new.id, new.lineage.clone(), new.arrival),
        }
    }

    /// Checks all batches, and gives what is to be appended to each session, changing nothing.
    fn stage(&self, batches: Vec<Batch>, now: Instant) -> Result<(BTreeMap<SessionId, Staged>, Answer), LogError> {
        let mut staged = BTreeMap::new();
        let mut answer = Vec::new();
        for batch in batches {
            let session = match batch.writer {
                Writer::Arriving(ticket) => self.arriving(batch.session, ticket)?,
                Writer::Client | Writer::Brain(_) => self.get(batch.session)?,
            };
            if let Writer::Brain(epoch) = batch.writer {
                session.admit(epoch, now)?;
            }
            let staged = staged.entry(batch.session).or_insert_with(|| Staged::new(session));
            let head = staged.head();
            if batch.after.is_some_and(|after| Some(after) != head) {
                // There is an event in every session.
                return Err(LogError::Moved { session: batch.session, head: head.unwrap_or(Seq::FIRST) });
            }
            answer.push(staged.append(session, batch.events)?);
        }
        Ok((staged, answer))
    }
}

type Answer = Vec<Option<Places>>;

/// Whether events are few and small enough for one call.
fn check_size<'a>(events: impl Iterator<Item = &'a Event>) -> Result<(), LogError> {
    let (count, bytes) = events.fold((0, 0), |(count, bytes), event| (count + 1, bytes + event.json().len()));
    if count > APPEND_EVENTS_MAX || bytes > APPEND_BYTES_MAX {
        return Err(LogError::Refused(format!(
            "{count} events of {bytes} bytes at once; the most are {APPEND_EVENTS_MAX} events and {APPEND_BYTES_MAX} bytes"
        )));
    }
    Ok(())
}

#[async_trait]
impl SessionLog for MemoryLog {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        check_size(new.events.iter())?;
        let mut state = self.state();
        let mut session = state.begin(&new)?;
        let mut staged = Staged::new(&session);
        staged.append(&session, new.events)?;
        session.commit(staged);
        let record = session.record(new.id, (self.now)());
        state.sessions.insert(new.id, session);
        record
    }

    async fn append(&self, batches: Vec<Batch>) -> Result<Answer, LogError> {
        check_size(batches.iter().flat_map(|batch| &batch.events))?;
        let mut state = self.state();
        let (staged, answer) = state.stage(batches, (self.now)())?;
        for (id, staged) in staged {
            if let Some(session) = state.sessions.get_mut(&id) {
                session.commit(staged);
            }
        }
        Ok(answer)
    }

    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        Ok(session::page(&self.state().get(session)?.events, &slice))
    }

    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        Ok(self.state().get(session)?.places.get(&event).copied())
    }

    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        let state = self.state();
        let found = state.get(session)?;
        Ok(Box::new(MemoryTail {
            state: Arc::clone(&self.state),
            session,
            next: after.map_or(Seq::FIRST, |after| after.plus(1)),
            news: found.news.subscribe(),
            previews: found.previews.subscribe(),
            preview: None,
        }))
    }

    async fn record(&self, session: SessionId) -> Result<Record, LogError> {
        self.state().get(session)?.record(session, (self.now)())
    }

    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        let state = self.state();
        let whole = state.sessions.iter().rev().filter(|(_, session)| session.arrival.is_none());
        let older = whole.filter(|(id, _)| before.is_none_or(|before| **id < before));
        older.take(limit.min(SESSIONS_MAX)).map(|(id, session)| session.record(*id, (self.now)())).collect()
    }

    async fn remove(&self, session: SessionId) -> Result<(), LogError> {
        let mut state = self.state();
        state.get(session)?.check_free(session, (self.now)())?;
        state.sessions.remove(&session);
        Ok(())
    }

    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError> {
        let mut state = self.state();
        state.arriving(session, ticket)?;
        state.sessions.remove(&session);
        Ok(())
    }

    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError> {
        let mut state = self.state();
        let now = (self.now)();
        state.get(session)?.check_free(session, now)?;
        state.claims += 1;
        let epoch = Epoch(state.claims);
        let found = state.get_mut(session)?;
        found.epoch = epoch;
        found.lease = Some((holder.to_owned(), now + time.min(LEASE_TIME_MAX)));
        Ok(Lease { session, epoch })
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError> {
        let mut state = self.state();
        let now = (self.now)();
        let session = state.get_mut(lease.session)?;
        session.admit(lease.epoch, now)?;
        if let Some((_, until)) = &mut session.lease {
            *until = now + time.min(LEASE_TIME_MAX);
        }
        Ok(())
    }

    async fn release(&self, lease: &Lease) -> Result<(), LogError> {
        if let Ok(session) = self.state().get_mut(lease.session)
            && session.epoch == lease.epoch
        {
            session.lease = None;
        }
        Ok(())
    }

    fn preview(&self, session: SessionId, preview: Preview) {
        if let Ok(session) = self.state().get(session)
            && let Some(head) = session.chain.head()
        {
            // Without a follower there is nobody to show it to.
            let _ = session.previews.send((head, preview));
        }
    }
}

#[async_trait]
impl Blobs for MemoryLog {
    async fn put(&self, content: Vec<u8>) -> Result<Hash, LogError> {
        if content.len() > BLOB_BYTES_MAX {
            let size = content.len();
            return Err(LogError::Refused(format!("content of {size} bytes; a blob has at most {BLOB_BYTES_MAX}")));
        }
        let digest = Hash(*blake3::hash(&content).as_bytes());
        self.state().blobs.insert(digest, content);
        Ok(digest)
    }

    async fn get(&self, digest: Hash) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.state().blobs.get(&digest).cloned())
    }
}

struct MemoryTail {
    state: Arc<Mutex<State>>,
    session: SessionId,
    next: Seq,
    /// Closed once the session is taken away.
    news: watch::Receiver<()>,
    previews: broadcast::Receiver<(Seq, Preview)>,
    /// A preview whose turn has not come, with the head at which it was shown.
    preview: Option<(Seq, Preview)>,
}

impl MemoryTail {
    /// The next preview that is not shown yet, unless there is none now.
    fn peek(&mut self) -> Option<&(Seq, Preview)> {
        while self.preview.is_none() {
            match self.previews.try_recv() {
                Ok(preview) => self.preview = Some(preview),
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        self.preview.as_ref()
    }

    /// What can be had without waiting.
    fn ready(&mut self) -> Result<Option<Followed>, LogError> {
        while let Some((head, _)) = self.peek() {
            let turn = head.plus(1).cmp(&self.next);
            if turn.is_gt() {
                break;
            }
            // One that was shown before an event that is delivered already is too late.
            if let Some((_, preview)) = self.preview.take()
                && turn.is_eq()
            {
                return Ok(Some(Followed::Preview(preview)));
            }
        }
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.news.has_changed().is_err() {
            return Err(LogError::NoSession(self.session));
        }
        let entry = state.get(self.session)?.entry(self.next);
        Ok(entry.map(|entry| {
            self.next = entry.seq.plus(1);
            Followed::Event(entry)
        }))
    }
}

#[async_trait]
impl Tail for MemoryTail {
    async fn next(&mut self) -> Result<Followed, LogError> {
        loop {
            self.news.mark_unchanged();
            if let Some(followed) = self.ready()? {
                return Ok(followed);
            }
            // Waiting for either loses nothing when it is given up.
            tokio::select! {
                news = self.news.changed() => news.map_err(|_| LogError::NoSession(self.session))?,
                preview = self.previews.recv(), if self.preview.is_none() => match preview {
                    Ok(preview) => self.preview = Some(preview),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return Err(LogError::NoSession(self.session)),
                },
            }
        }
    }
}

impl Session {
    fn entry(&self, seq: Seq) -> Option<Entry> {
        let index = usize::try_from(seq.get() - 1).ok()?;
        self.events.get(index).map(|event| Entry { seq, event: event.clone() })
    }
}
