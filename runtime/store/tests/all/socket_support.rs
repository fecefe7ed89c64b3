//! What the tests of the socket share: stores that one process or one part of it may hold at a time, and their openers.

use async_trait::async_trait;
use handbox_session::memory::MemoryLog;
use handbox_session::{
    Batch, Event, EventId, Lease, LogError, Minter, NewSession, Page, Places, Preview, Record, Seq, SessionId,
    SessionLog, Slice, Tail, Ticket, Writer,
};
use handbox_store::socket::{Handles, Opener};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Long enough for anything that should happen at once on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const LONG_LEASE: Duration = Duration::from_secs(300);

/// What happens to appends from now on, each counted down.
#[derive(Default)]
pub(crate) struct Trip {
    /// Appends that happen and are never answered.
    pub(crate) silent: AtomicUsize,
    /// Creations that happen and are never answered.
    pub(crate) silent_creates: AtomicUsize,
    /// Creations that neither happen nor are answered.
    pub(crate) lost_creates: AtomicUsize,
    /// Appends that neither happen nor are answered.
    pub(crate) lost: AtomicUsize,
    /// Whether the disk of the log that is open failed: it takes nothing more until it is opened anew.
    pub(crate) broken: AtomicBool,
    /// Appends that happen while the disk fails, so that it is not known.
    pub(crate) unknown: AtomicUsize,
    /// How often the store was opened.
    pub(crate) openings: AtomicUsize,
    /// Requests that hang, of any sort.
    pub(crate) hung: AtomicUsize,
    /// Events and previews that tails gave.
    pub(crate) followed: AtomicUsize,
}

/// A handle to a log as a store gives them: its leases end with it, and what has not arrived.
struct Handle {
    log: MemoryLog,
    leases: Mutex<Vec<Lease>>,
    arriving: Mutex<Vec<(SessionId, Ticket)>>,
    trip: Arc<Trip>,
    _held: Arc<()>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        for lease in self.leases.lock().unwrap().iter() {
            // The log in memory never waits.
            let released = pin!(self.log.release(lease)).poll(&mut Context::from_waker(Waker::noop()));
            assert!(matches!(released, Poll::Ready(Ok(()))));
        }
        for (session, ticket) in self.arriving.lock().unwrap().iter() {
            // One that has arrived stays.
            let _ = pin!(self.log.abandon(*session, *ticket)).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}

fn taken(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).is_ok()
}

#[async_trait]
impl SessionLog for Handle {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        if taken(&self.trip.lost_creates) {
            self.trip.hung.fetch_add(1, Ordering::SeqCst);
            return std::future::pending().await;
        }
        let arrives = new.arrival.map(|arrival| (new.id, arrival.ticket));
        let created = self.log.create(new).await?;
        self.arriving.lock().unwrap().extend(arrives);
        if taken(&self.trip.silent_creates) {
            self.trip.hung.fetch_add(1, Ordering::SeqCst);
            return std::future::pending().await;
        }
        Ok(created)
    }

    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        if self.trip.broken.load(Ordering::SeqCst) {
            return Err(LogError::ReadOnly("a disk that failed".to_owned()));
        }
        if taken(&self.trip.unknown) {
            self.log.append(batches).await?;
            self.trip.broken.store(true, Ordering::SeqCst);
            return Err(LogError::Unavailable("a sync that failed".to_owned()));
        }
        if taken(&self.trip.lost) {
            self.trip.hung.fetch_add(1, Ordering::SeqCst);
            return std::future::pending().await;
        }
        let places = self.log.append(batches).await?;
        if taken(&self.trip.silent) {
            self.trip.hung.fetch_add(1, Ordering::SeqCst);
            return std::future::pending().await;
        }
        Ok(places)
    }

    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        self.log.read(session, slice).await
    }

    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        self.log.find(session, event).await
    }

    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        let tail = self.log.tail(session, after).await?;
        Ok(Box::new(CountedTail { tail, trip: Arc::clone(&self.trip) }))
    }

    async fn record(&self, session: SessionId) -> Result<Record, LogError> {
        self.log.record(session).await
    }

    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        self.log.sessions(before, limit).await
    }

    async fn remove(&self, session: SessionId) -> Result<(), LogError> {
        self.log.remove(session).await
    }

    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError> {
        self.log.abandon(session, ticket).await
    }

    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError> {
        let lease = self.log.claim(session, holder, time).await?;
        self.leases.lock().unwrap().push(lease.clone());
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError> {
        self.log.renew(lease, time).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), LogError> {
        self.log.release(lease).await
    }

    fn preview(&self, session: SessionId, preview: Preview) {
        self.log.preview(session, preview);
    }
}

struct CountedTail {
    tail: Box<dyn Tail>,
    trip: Arc<Trip>,
}

#[async_trait]
impl Tail for CountedTail {
    async fn next(&mut self) -> Result<handbox_session::Followed, LogError> {
        let followed = self.tail.next().await?;
        self.trip.followed.fetch_add(1, Ordering::SeqCst);
        Ok(followed)
    }
}

/// A store in memory that one part of this process may hold at a time, as a file that is locked. It loses no event and
/// every lease when it is opened again.
pub(crate) struct Store {
    log: Mutex<MemoryLog>,
    held: Mutex<Weak<()>>,
    pub(crate) trip: Arc<Trip>,
}

impl Store {
    pub(crate) fn new() -> Arc<Self> {
        Self::of(MemoryLog::new(Instant::now))
    }

    pub(crate) fn of(log: MemoryLog) -> Arc<Self> {
        Arc::new(Self { log: Mutex::new(log), held: Mutex::default(), trip: Arc::default() })
    }

    pub(crate) fn log(&self) -> MemoryLog {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn open(&self) -> Option<Handles> {
        let mut held = self.held.lock().unwrap();
        if held.upgrade().is_some() {
            return None;
        }
        let token = Arc::new(());
        *held = Arc::downgrade(&token);
        let mut log = self.log.lock().unwrap();
        *log = log.reopened();
        self.trip.broken.store(false, Ordering::SeqCst);
        self.trip.openings.fetch_add(1, Ordering::SeqCst);
        let (log, trip) = (log.clone(), Arc::clone(&self.trip));
        Some(Arc::new(move || {
            let (log, trip, _held) = (log.clone(), Arc::clone(&trip), Arc::clone(&token));
            Arc::new(Handle { log, leases: Mutex::default(), arriving: Mutex::default(), trip, _held })
        }))
    }

    pub(crate) fn opener(self: &Arc<Self>) -> Opener {
        let store = Arc::clone(self);
        Arc::new(move || Ok(store.open()))
    }
}

static MINTER: Mutex<Option<Minter>> = Mutex::new(None);

pub(crate) fn mint<I: From<u128>>() -> I {
    let mut chance = [0; 10];
    getrandom::fill(&mut chance).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    MINTER.lock().unwrap().get_or_insert_default().mint(now, chance)
}

pub(crate) fn event_with(text: &str) -> Event {
    let id: EventId = mint();
    Event::from_json(&serde_json::json!({"id": id, "type": "user.message", "text": text}).to_string()).unwrap()
}

pub(crate) fn event() -> Event {
    event_with("hello")
}

pub(crate) fn batch(session: SessionId, writer: Writer, events: Vec<Event>) -> Batch {
    Batch { session, writer, after: None, events }
}

/// Begins a session with one event.
pub(crate) async fn begin(log: &dyn SessionLog) -> SessionId {
    let id = mint();
    log.create(NewSession::own(id, vec![event()])).await.expect("a session begins");
    id
}

/// Appends one event as a client.
pub(crate) async fn append(log: &dyn SessionLog, session: SessionId) -> Event {
    let event = event();
    log.append(vec![batch(session, Writer::Client, vec![event.clone()])]).await.expect("appended");
    event
}

/// All events of a session in order, and that each is there once.
pub(crate) async fn ids(log: &dyn SessionLog, session: SessionId) -> Vec<EventId> {
    let mut ids = Vec::new();
    let mut slice = Slice::default();
    loop {
        let page = log.read(session, slice.clone()).await.expect("read");
        ids.extend(page.entries.iter().map(|entry| entry.event.id()));
        slice.from = page.next;
        if page.next.is_none() {
            break;
        }
    }
    let unique: std::collections::HashSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "an event is there twice");
    ids
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let late = Instant::now() + PATIENCE;
    while !so().await {
        assert!(Instant::now() < late, "{what} did not come about in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What should happen at once.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes too long")
}
