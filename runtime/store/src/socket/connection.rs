//! One client at the holder: its requests and tails, each a task, with bounds for all of them together.

use super::frame::{Frame, FrameError, Frames, Sort, bare, encode};
use super::message::{Follow, Shown};
use super::pulse::Pulse;
use super::requests;
use handbox_session::{LogError, SessionLog};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

/// The most requests of one connection that are worked on at once; further ones wait in the socket.
pub const REQUESTS_MAX: usize = 128;
/// The most bytes of requests of one connection that are worked on at once, beside one that is being received.
pub const REQUEST_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The most tails of one connection; each costs a task and at most one event.
pub const TAILS_MAX: usize = 8192;
/// How many bytes a tail is ahead of its follower, and one event more.
pub const TAIL_WINDOW_BYTES: usize = 256 * 1024;
/// How long a client may take nothing of what is for it, 64 KiB at a time, before its connection is closed.
pub const WRITE_STALL_MAX: Duration = Duration::from_secs(60);

/// The most pages of one connection that are read or wait to be sent, as they are what is large.
pub(super) const PAGES_MAX: usize = 4;
/// How many frames wait for the socket.
const OUTGOING_MAX: usize = 32;
const WRITE_BUFFER_BYTES: usize = 64 * 1024;

/// What is to be sent, with what it occupies until then.
pub(super) struct Outgoing {
    pub(super) frame: Vec<u8>,
    pub(super) page: Option<OwnedSemaphorePermit>,
}

/// What the tasks of a connection share.
pub(super) struct Desk {
    pub(super) log: Arc<dyn SessionLog>,
    pub(super) pages: Arc<Semaphore>,
    out: mpsc::Sender<Outgoing>,
    /// Told once if a task found that the connection cannot go on.
    broken: Notify,
    /// Told if the log itself cannot go on before it is opened anew.
    lost: watch::Sender<bool>,
    pub(super) pulse: Arc<Pulse>,
}

/// Serves a client until it goes, breaks the protocol or `end` comes. When this returns, the log handle is not used any
/// more by any task.
pub(super) async fn run<R, W>(
    frames: Frames<R>,
    to: W,
    desk: impl FnOnce(mpsc::Sender<Outgoing>) -> Desk,
    end: impl Future<Output = ()>,
) where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let (out, outgoing) = mpsc::channel(OUTGOING_MAX);
    let desk = Arc::new(desk(out));
    let mut tasks = Tasks::new(Arc::clone(&desk));
    let ended = tokio::select! {
        ended = tasks.take_requests(frames) => ended,
        ended = write(to, outgoing) => ended,
        () = desk.broken.notified() => Err(FrameError::malformed("a body of another form")),
        () = end => Ok(()),
    };
    if let Err(error) = ended {
        tracing::warn!(%error, "a connection to the store was closed");
    }
    tasks.end().await;
}

async fn write(to: impl AsyncWrite + Unpin, mut outgoing: mpsc::Receiver<Outgoing>) -> Result<(), FrameError> {
    let mut to = BufWriter::with_capacity(WRITE_BUFFER_BYTES, to);
    let stalled = |_| FrameError::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the client stopped reading"));
    while let Some(first) = outgoing.recv().await {
        let mut next = Some(first);
        while let Some(outgoing_frame) = next {
            let mut rest = &outgoing_frame.frame[..];
            while !rest.is_empty() {
                // A client that takes a little at a time is slow, but not gone.
                let part = &rest[..rest.len().min(WRITE_BUFFER_BYTES)];
                tokio::time::timeout(WRITE_STALL_MAX, to.write_all(part)).await.map_err(stalled)??;
                rest = &rest[part.len()..];
            }
            drop(outgoing_frame.page);
            next = outgoing.try_recv().ok();
        }
        tokio::time::timeout(WRITE_STALL_MAX, to.flush()).await.map_err(stalled)??;
    }
    Ok(())
}

impl Desk {
    /// `lost` is told if the log cannot go on.
    pub(super) fn new(
        log: Arc<dyn SessionLog>,
        out: mpsc::Sender<Outgoing>,
        lost: watch::Sender<bool>,
        pulse: Arc<Pulse>,
    ) -> Self {
        Self { log, pages: Arc::new(Semaphore::new(PAGES_MAX)), out, broken: Notify::new(), lost, pulse }
    }

    pub(super) async fn send(&self, frame: Vec<u8>, page: Option<OwnedSemaphorePermit>) {
        // It fails only when the connection ends, and this task with it.
        let _ = self.out.send(Outgoing { frame, page }).await;
    }

    /// Ends the connection, and all others: whoever opens the log anew answers.
    pub(super) fn lose_log(&self) {
        self.lost.send_replace(true);
        self.break_off();
    }

    /// Ends the connection: its client sent something that it must not.
    pub(super) fn break_off(&self) {
        self.broken.notify_one();
    }
}

/// Ends the connection if a task dies, whose client would wait for ever.
struct Watch(Arc<Desk>);

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.break_off();
        }
    }
}

/// What runs for a connection.
struct Tasks {
    desk: Arc<Desk>,
    set: JoinSet<u64>,
    running: HashMap<u64, Running>,
    free: Arc<Semaphore>,
    free_kib: Arc<Semaphore>,
    tails: usize,
}

struct Running {
    task: AbortHandle,
    /// For a tail: how many bytes it may send.
    credit: Option<Arc<Semaphore>>,
}

impl Tasks {
    fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            set: JoinSet::new(),
            running: HashMap::new(),
            free: Arc::new(Semaphore::new(REQUESTS_MAX)),
            free_kib: Arc::new(Semaphore::new(kib(REQUEST_BYTES_MAX) as usize)),
            tails: 0,
        }
    }

    async fn take_requests<R: AsyncRead + Unpin>(&mut self, mut frames: Frames<R>) -> Result<(), FrameError> {
        while let Some(frame) = frames.next().await? {
            self.reap();
            match frame.sort {
                Sort::Ask | Sort::Put => self.begin(frame).await?,
                Sort::Follow => self.follow(&frame).await?,
                Sort::Cancel => self.cancel(frame.request),
                Sort::Credit => self.credit(&frame)?,
                Sort::Preview => {
                    let Shown(session, preview) = frame.decode()?;
                    self.desk.log.preview(session, preview);
                }
                Sort::Reply | Sort::Followed | Sort::Ended => {
                    return Err(FrameError::malformed("what only a holder sends"));
                }
            }
        }
        Ok(())
    }

    /// Forgets what has ended.
    fn reap(&mut self) {
        while let Some(ended) = self.set.try_join_next() {
            if let Ok(request) = ended {
                self.forget(request);
            }
        }
    }

    fn forget(&mut self, request: u64) -> Option<Running> {
        let running = self.running.remove(&request)?;
        if running.credit.is_some() {
            self.tails -= 1;
        }
        Some(running)
    }

    async fn begin(&mut self, frame: Frame) -> Result<(), FrameError> {
        let slot = permit(&self.free, 1).await?;
        let bytes = permit(&self.free_kib, kib(frame.body.len())).await?;
        let desk = Arc::clone(&self.desk);
        self.spawn(frame.request, None, async move {
            requests::answer(&desk, frame).await;
            drop((slot, bytes));
        })
    }

    async fn follow(&mut self, frame: &Frame) -> Result<(), FrameError> {
        let Follow(session, after) = frame.decode()?;
        let request = frame.request;
        if self.tails >= TAILS_MAX {
            let what = format!("{TAILS_MAX} followers on one connection are the most");
            requests::reply(&self.desk, request, &Err(LogError::Refused(what)), None).await;
            return Ok(());
        }
        self.tails += 1;
        let credit = Arc::new(Semaphore::new(TAIL_WINDOW_BYTES));
        let (desk, window) = (Arc::clone(&self.desk), Arc::clone(&credit));
        self.spawn(request, Some(credit), async move {
            requests::follow(&desk, request, session, after, &window).await;
        })
    }

    fn spawn<F>(&mut self, request: u64, credit: Option<Arc<Semaphore>>, work: F) -> Result<(), FrameError>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        if self.running.contains_key(&request) {
            return Err(FrameError::malformed("a number that another request has"));
        }
        let (watch, busy) = (Watch(Arc::clone(&self.desk)), self.desk.pulse.begin());
        let task = self.set.spawn(async move {
            work.await;
            drop((watch, busy));
            request
        });
        self.running.insert(request, Running { task, credit });
        Ok(())
    }

    fn cancel(&mut self, request: u64) {
        // What has ended already crossed its cancellation on the way.
        if let Some(running) = self.forget(request) {
            running.task.abort();
        }
    }

    fn credit(&self, frame: &Frame) -> Result<(), FrameError> {
        let bytes = frame.decode::<u32>()? as usize;
        let Some(window) = self.running.get(&frame.request).and_then(|running| running.credit.as_ref()) else {
            return Ok(());
        };
        if window.available_permits().saturating_add(bytes) > TAIL_WINDOW_BYTES {
            return Err(FrameError::malformed("more credit than a tail has"));
        }
        window.add_permits(bytes);
        Ok(())
    }

    /// Ends all tasks; when this returns they are gone, and what they held of the log with them.
    async fn end(mut self) {
        self.set.shutdown().await;
    }
}

async fn permit(of: &Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, FrameError> {
    let closed = |_| FrameError::Io(std::io::ErrorKind::ConnectionAborted.into());
    Arc::clone(of).acquire_many_owned(count).await.map_err(closed)
}

/// What bytes count in a budget, in KiB, rounded up. No frame is larger than the budget.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

/// The end of a tail.
pub(super) fn ended(request: u64, error: &LogError) -> Vec<u8> {
    // Only a text as long as no error has does not fit, and then the number alone says that it ended.
    encode(Sort::Ended, request, error).unwrap_or_else(|_| bare(Sort::Ended, request))
}

const _: () = assert!(super::frame::PUT_BYTES_MAX <= REQUEST_BYTES_MAX, "the largest request must fit the budget");
