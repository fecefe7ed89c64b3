//! The log as its users hold it.

use crate::error::OpenError;
use crate::follow::{RedbTail, apart};
use crate::inner::Inner;
use crate::lock::Held;
use crate::open;
use crate::options::{Options, Surroundings};
use crate::plan::check_size;
use crate::read;
use crate::verify::{self, Verdict};
use crate::writer::{Ask, Done, Message, Request, Worker};
use async_trait::async_trait;
use handbox_session::{
    Batch, EventId, Lease, LogError, NewSession, Page, Places, Preview, Record, SESSIONS_MAX, Seq, SessionId,
    SessionLog, Slice, Tail, Ticket,
};
use redb::StorageBackend;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Bytes of the queue are counted in these.
const UNIT: usize = 1024;

/// The log in a file, open.
///
/// Each handle is a connection: when it is dropped, the leases that were claimed through it end, and what has not arrived
/// that it began is given up. The store closes when the
/// last handle is dropped, which waits for what is being written. A [`Tail`] does not keep it open.
#[derive(Debug)]
pub struct RedbLog(Connection);

/// A further handle to a log that is open: see [`RedbLog::connection`].
#[derive(Debug)]
pub struct Connection {
    shared: Arc<Shared>,
    name: u64,
}

#[derive(Debug)]
struct Shared {
    inner: Arc<Inner>,
    queue: Option<mpsc::Sender<Message>>,
    writer: Option<JoinHandle<()>>,
    requests: Arc<Semaphore>,
    units: Arc<Semaphore>,
    units_max: usize,
    connections: AtomicU64,
}

impl RedbLog {
    /// Opens the log in a folder, which it makes if it is not there, for its owner alone. Blocks.
    ///
    /// # Errors
    ///
    /// [`OpenError::Busy`] while another process has it open, or this one by another call.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_in(folder, options, Surroundings::disk(folder.to_owned()))
    }

    /// Opens the log in a folder with another clock, or another idea of what is free on the disk. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_in(folder: &Path, options: Options, surroundings: Surroundings) -> Result<Self, OpenError> {
        let held = open::file(folder, &options)?;
        Self::start(held, options, surroundings)
    }

    /// Opens the log on whatever holds bytes: for tests that break it. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_with(
        backend: impl StorageBackend,
        options: Options,
        surroundings: Surroundings,
    ) -> Result<Self, OpenError> {
        Self::start(open::backend(backend, &options)?, options, surroundings)
    }

    fn start(held: Held, options: Options, surroundings: Surroundings) -> Result<Self, OpenError> {
        let units_max = (options.queue_bytes_max.max(handbox_session::APPEND_BYTES_MAX) / UNIT).min(u32::MAX as usize);
        let requests = Arc::new(Semaphore::new(options.queue_requests_max.max(1)));
        let inner = Arc::new(open::inner(held, options, surroundings)?);
        let (queue, waiting) = mpsc::channel();
        let worker = Worker::new(Arc::clone(&inner), waiting);
        let writer = std::thread::Builder::new().name("handbox-log".to_owned()).spawn(move || worker.run())?;
        let shared = Shared {
            inner,
            queue: Some(queue),
            writer: Some(writer),
            requests,
            units: Arc::new(Semaphore::new(units_max)),
            units_max,
            connections: AtomicU64::new(1),
        };
        Ok(Self(Connection { shared: Arc::new(shared), name: 0 }))
    }

    /// Another handle to the same log. The leases that are claimed through it end when it is dropped.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.0.another()
    }

    /// Reads all there is, checks it, and gives the first damage of each session and the heads of all. Blocks for as
    /// long as that takes, about a second for 300 MiB; the log can be used meanwhile.
    ///
    /// # Errors
    ///
    /// [`LogError::Damaged`] if not even that can be done.
    pub fn verify(&self) -> Result<Verdict, LogError> {
        verify::database(&self.0.shared.inner.database)
    }

    /// As [`Self::verify`], of a log that need not be in order enough to be opened. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn verify_folder(folder: &Path, options: &Options) -> Result<Verdict, OpenError> {
        Ok(verify::database(&open::file(folder, options)?.database)?)
    }

    /// As [`Self::verify_folder`], of whatever holds bytes. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn verify_with(backend: impl StorageBackend, options: &Options) -> Result<Verdict, OpenError> {
        Ok(verify::database(&open::backend(backend, options)?.database)?)
    }

    /// Brings the derived tables up to date, as the log does by itself after a while.
    ///
    /// # Errors
    ///
    /// [`LogError::ReadOnly`] and [`LogError::Full`].
    pub async fn fold(&self) -> Result<(), LogError> {
        self.0.ask(Ask::Fold, 0).await.map(|_| ())
    }
}

impl Connection {
    /// A further handle, with leases of its own.
    #[must_use]
    pub fn another(&self) -> Self {
        let name = self.shared.connections.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::clone(&self.shared), name }
    }

    async fn ask(&self, ask: Ask, bytes: usize) -> Result<Done, LogError> {
        let lost = || LogError::Unavailable("its writer ended".to_owned());
        let room = self.room(bytes).await.ok_or_else(lost)?;
        let (answer, answered) = oneshot::channel();
        let request = Request { ask, bytes, answer, _room: Some(room) };
        let queue = self.shared.queue.as_ref().ok_or_else(lost)?;
        // What is not taken was not done.
        let refused = |_| LogError::ReadOnly("its writer ended".to_owned());
        queue.send(Message::Request(request)).map_err(refused)?;
        answered.await.map_err(|_| lost())?
    }

    /// A place in the queue, once there is one.
    async fn room(&self, bytes: usize) -> Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let units = u32::try_from(bytes.div_ceil(UNIT).min(self.shared.units_max)).ok()?;
        let place = Arc::clone(&self.shared.requests).acquire_owned().await.ok()?;
        Some((place, Arc::clone(&self.shared.units).acquire_many_owned(units).await.ok()?))
    }

    fn inner(&self) -> Arc<Inner> {
        Arc::clone(&self.shared.inner)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(queue) = &self.shared.queue {
            // If the writer ended, no lease is left.
            queue.send(Message::HangUp(self.name)).ok();
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Without a queue the writer ends, after what is in it.
        drop(self.queue.take());
        if let Some(writer) = self.writer.take() {
            writer.join().ok();
        }
    }
}

fn unexpected() -> LogError {
    LogError::Unavailable("the writer answered something else".to_owned())
}

#[async_trait]
impl SessionLog for Connection {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        let bytes = check_size(new.events.iter())?;
        match self.ask(Ask::Create { new: Box::new(new), connection: self.name }, bytes).await? {
            Done::Record(record) => Ok(record),
            _ => Err(unexpected()),
        }
    }

    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        let bytes = check_size(batches.iter().flat_map(|batch| &batch.events))?;
        match self.ask(Ask::Append(batches), bytes).await? {
            Done::Places(places) => Ok(places),
            _ => Err(unexpected()),
        }
    }

    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        let inner = self.inner();
        apart(move || read::page(&inner, session, &slice)).await
    }

    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        let inner = self.inner();
        apart(move || inner.find(session, event)).await
    }

    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        let inner = self.inner();
        let tail = apart(move || RedbTail::new(&inner, session, after)).await?;
        Ok(Box::new(tail))
    }

    async fn record(&self, session: SessionId) -> Result<Record, LogError> {
        let inner = self.inner();
        apart(move || inner.record(session)).await
    }

    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        let inner = self.inner();
        apart(move || inner.sessions(before, limit.min(SESSIONS_MAX))).await
    }

    async fn remove(&self, session: SessionId) -> Result<(), LogError> {
        self.ask(Ask::Remove(session), 0).await.map(|_| ())
    }

    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError> {
        self.ask(Ask::Abandon(session, ticket), 0).await.map(|_| ())
    }

    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError> {
        let ask = Ask::Claim { session, holder: holder.to_owned(), time, connection: self.name };
        match self.ask(ask, holder.len()).await? {
            Done::Lease(lease) => Ok(lease),
            _ => Err(unexpected()),
        }
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError> {
        self.ask(Ask::Renew(lease.clone(), time), 0).await.map(|_| ())
    }

    async fn release(&self, lease: &Lease) -> Result<(), LogError> {
        self.ask(Ask::Release(lease.clone()), 0).await.map(|_| ())
    }

    fn preview(&self, session: SessionId, preview: Preview) {
        self.shared.inner.followers.preview(&self.shared.inner, session, preview);
    }
}

#[async_trait]
impl SessionLog for RedbLog {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        self.0.create(new).await
    }

    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        self.0.append(batches).await
    }

    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        self.0.read(session, slice).await
    }

    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        self.0.find(session, event).await
    }

    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        self.0.tail(session, after).await
    }

    async fn record(&self, session: SessionId) -> Result<Record, LogError> {
        self.0.record(session).await
    }

    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        self.0.sessions(before, limit).await
    }

    async fn remove(&self, session: SessionId) -> Result<(), LogError> {
        self.0.remove(session).await
    }

    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError> {
        self.0.abandon(session, ticket).await
    }

    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError> {
        self.0.claim(session, holder, time).await
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError> {
        self.0.renew(lease, time).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), LogError> {
        self.0.release(lease).await
    }

    fn preview(&self, session: SessionId, preview: Preview) {
        self.0.preview(session, preview);
    }
}
