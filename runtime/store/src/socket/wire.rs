//! One connection to the holder: many requests and tails at once, told apart by their numbers.

use super::connection::{REQUEST_BYTES_MAX, REQUESTS_MAX, TAIL_WINDOW_BYTES, TAILS_MAX};
use super::frame::{Frame, FrameError, Frames, Sort, bare, decode, encode};
use super::message::{Answer, Follow, Reply};
use super::requests::{cost, decode_apart};
use async_trait::async_trait;
use bytes::Bytes;
use handbox_session::{Followed, LogError, Tail};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::AbortHandle;

/// How long an answer may take. A holder that is stopped or hangs is then given up, with the outcome unknown; it is
/// above every time that a log takes, also while a disk is slow.
pub const REPLY_TIME_MAX: Duration = Duration::from_secs(60);

const WRITE_BUFFER_BYTES: usize = 64 * 1024;

/// What is to be sent, with what it occupies until then.
type Outgoing = (Vec<u8>, Option<OwnedSemaphorePermit>);

/// A connection, shared by its requests and tails.
pub(super) struct Wire {
    /// Without a limit of its own: requests occupy `queue`, and there are no more cancellations and credits than
    /// requests and received frames. So dropping a request or a tail can always say so, in order.
    out: mpsc::UnboundedSender<Outgoing>,
    queue: Arc<Semaphore>,
    free: Arc<Semaphore>,
    tails: Arc<Semaphore>,
    pending: Arc<Mutex<Pending>>,
    task: AbortHandle,
}

#[derive(Default)]
struct Pending {
    last: u64,
    requests: HashMap<u64, oneshot::Sender<Bytes>>,
    tails: HashMap<u64, mpsc::UnboundedSender<Seen>>,
    /// Why the connection ended.
    lost: Option<String>,
}

/// What arrives for a tail.
enum Seen {
    Followed(Bytes, u32),
    Ended(Bytes),
}

impl Wire {
    pub(super) fn start<R, W>(from: R, to: W) -> Arc<Self>
    where
        R: AsyncRead + Unpin + Send + 'static,
        W: AsyncWrite + Unpin + Send + 'static,
    {
        let (out, outgoing) = mpsc::unbounded_channel();
        let pending = Arc::<Mutex<Pending>>::default();
        let shared = Arc::clone(&pending);
        let task = tokio::spawn(async move {
            let ended = tokio::select! {
                ended = receive(Frames::new(from), &shared) => ended,
                ended = send(to, outgoing) => ended,
            };
            let why = ended.map_or_else(|error| error.to_string(), |()| "the holder closed the connection".to_owned());
            lock(&shared).lose(why);
        });
        Arc::new(Self {
            out,
            queue: Arc::new(Semaphore::new(kib(REQUEST_BYTES_MAX) as usize)),
            free: Arc::new(Semaphore::new(REQUESTS_MAX)),
            tails: Arc::new(Semaphore::new(TAILS_MAX)),
            pending,
            task: task.abort_handle(),
        })
    }

    pub(super) fn is_lost(&self) -> bool {
        lock(&self.pending).lost.is_some()
    }

    /// Asks, and waits for the answer. Dropping the future cancels the request at the holder.
    pub(super) async fn ask(self: &Arc<Self>, sort: Sort, body: &impl Serialize) -> Result<Answer, LogError> {
        let _free = self.permit(&self.free, 1).await?;
        let (answered, answer) = oneshot::channel();
        let number = lock(&self.pending).enter(|pending, number| pending.requests.insert(number, answered))?;
        let mut guard = Asked { wire: Arc::clone(self), number, open: true };
        self.send(encode(sort, number, body)).await?;
        let body = self.in_time(answer).await?;
        guard.open = false;
        self.understood(decode_apart::<Reply>(body).await)?
    }

    /// Begins a tail.
    pub(super) async fn follow(self: &Arc<Self>, follow: &Follow) -> Result<RemoteTail, LogError> {
        let slot = self.permit(&self.tails, 1).await?;
        let ((seen, sees), (answered, answer)) = (mpsc::unbounded_channel(), oneshot::channel());
        let number = lock(&self.pending).enter(|pending, number| {
            pending.requests.insert(number, answered);
            pending.tails.insert(number, seen);
        })?;
        let asked = Asked { wire: Arc::clone(self), number, open: true };
        self.send(encode(Sort::Follow, number, follow)).await?;
        let body = self.in_time(answer).await?;
        match self.understood(decode::<Reply>(&body))?? {
            Answer::Following => Ok(RemoteTail { asked, sees, owed: 0, ended: None, _slot: slot }),
            other => Err(LogError::Unavailable(format!("the holder answered something else: {other:?}"))),
        }
    }

    /// Sends what may be lost, unless much is waiting.
    pub(super) fn send_if_free(&self, frame: Vec<u8>) {
        if let Ok(permit) = Arc::clone(&self.queue).try_acquire_many_owned(kib(frame.len())) {
            // It fails only when the connection is lost.
            let _ = self.out.send((frame, Some(permit)));
        }
    }

    async fn send(&self, frame: Result<Vec<u8>, usize>) -> Result<(), LogError> {
        let too_large = |bytes| LogError::Refused(format!("a request of {bytes} bytes is too large"));
        let frame = frame.map_err(too_large)?;
        let permit = self.permit(&self.queue, kib(frame.len())).await?;
        self.out.send((frame, Some(permit))).map_err(|_| {
            // The task that sends has ended, and may not have said so yet.
            self.give_up("the connection to the holder is lost".to_owned());
            self.unavailable()
        })
    }

    /// A place among what is bounded, within the time of an answer.
    async fn permit(&self, of: &Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, LogError> {
        let permit = tokio::time::timeout(REPLY_TIME_MAX, Arc::clone(of).acquire_many_owned(count)).await;
        match permit {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(LogError::Unavailable("too many requests wait for the holder of the store".to_owned())),
        }
    }

    async fn in_time(&self, answer: oneshot::Receiver<Bytes>) -> Result<Bytes, LogError> {
        match tokio::time::timeout(REPLY_TIME_MAX, answer).await {
            Ok(answer) => answer.map_err(|_| self.unavailable()),
            Err(_) => {
                let seconds = REPLY_TIME_MAX.as_secs();
                self.give_up(format!("the holder of the store has not answered for {seconds} s"));
                Err(self.unavailable())
            }
        }
    }

    fn understood<T>(&self, decoded: Result<T, FrameError>) -> Result<T, LogError> {
        decoded.map_err(|error| {
            self.give_up(error.to_string());
            self.unavailable()
        })
    }

    /// Ends the connection.
    pub(super) fn give_up(&self, why: String) {
        self.task.abort();
        lock(&self.pending).lose(why);
    }

    fn unavailable(&self) -> LogError {
        let why = lock(&self.pending).lost.clone();
        LogError::Unavailable(why.unwrap_or_else(|| "the connection to the holder is lost".to_owned()))
    }

    /// Says that nothing more is wanted of a request or tail.
    fn cancel(&self, number: u64) {
        let known = {
            let mut pending = lock(&self.pending);
            pending.requests.remove(&number).is_some() | pending.tails.remove(&number).is_some()
        };
        if known {
            let _ = self.out.send((bare(Sort::Cancel, number), None));
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pending {
    fn enter<T>(&mut self, enter: impl FnOnce(&mut Self, u64) -> T) -> Result<u64, LogError> {
        if let Some(why) = &self.lost {
            return Err(LogError::Unavailable(why.clone()));
        }
        self.last += 1;
        enter(self, self.last);
        Ok(self.last)
    }

    fn lose(&mut self, why: String) {
        self.lost.get_or_insert(why);
        // Whoever waits sees that nobody is there to answer any more.
        self.requests.clear();
        self.tails.clear();
    }
}

/// A request that is waited for, or a tail that is followed.
struct Asked {
    wire: Arc<Wire>,
    number: u64,
    open: bool,
}

impl Drop for Asked {
    fn drop(&mut self) {
        if self.open {
            self.wire.cancel(self.number);
        }
    }
}

async fn receive<R: AsyncRead + Unpin>(mut frames: Frames<R>, pending: &Mutex<Pending>) -> Result<(), FrameError> {
    while let Some(frame) = frames.next().await? {
        let Frame { sort, request, body, .. } = frame;
        let mut pending = lock(pending);
        match sort {
            Sort::Reply => {
                // One that is not waited for any more crossed its cancellation on the way.
                if let Some(answered) = pending.requests.remove(&request) {
                    let _ = answered.send(body);
                }
            }
            Sort::Followed => {
                let frame_cost = cost(bare(sort, request).len() + body.len());
                if let Some(tail) = pending.tails.get(&request) {
                    let _ = tail.send(Seen::Followed(body, frame_cost));
                }
            }
            Sort::Ended => {
                if let Some(tail) = pending.tails.remove(&request) {
                    let _ = tail.send(Seen::Ended(body));
                }
            }
            _ => return Err(FrameError::malformed("what only a client sends")),
        }
    }
    Ok(())
}

async fn send(to: impl AsyncWrite + Unpin, mut outgoing: mpsc::UnboundedReceiver<Outgoing>) -> Result<(), FrameError> {
    let mut to = BufWriter::with_capacity(WRITE_BUFFER_BYTES, to);
    while let Some(first) = outgoing.recv().await {
        let mut next = Some(first);
        while let Some((frame, permit)) = next {
            to.write_all(&frame).await?;
            drop(permit);
            next = outgoing.try_recv().ok();
        }
        to.flush().await?;
    }
    Ok(())
}

/// Follows a session through the holder.
pub(super) struct RemoteTail {
    asked: Asked,
    sees: mpsc::UnboundedReceiver<Seen>,
    /// Bytes taken that the holder was not told of.
    owed: u32,
    /// Why it ended.
    ended: Option<LogError>,
    _slot: OwnedSemaphorePermit,
}

#[async_trait]
impl Tail for RemoteTail {
    async fn next(&mut self) -> Result<Followed, LogError> {
        if let Some(error) = &self.ended {
            return Err(error.clone());
        }
        let wire = &self.asked.wire;
        let error = match self.sees.recv().await {
            Some(Seen::Followed(body, cost)) => {
                self.owed += cost;
                // Telling of half a window at a time costs one frame for many, and never lets the window run dry.
                if self.owed as usize >= TAIL_WINDOW_BYTES / 2 {
                    let credit = encode(Sort::Credit, self.asked.number, &std::mem::take(&mut self.owed));
                    let _ = credit.map(|frame| wire.out.send((frame, None)));
                }
                return wire.understood(decode(&body));
            }
            Some(Seen::Ended(body)) => wire.understood(decode(&body)).unwrap_or_else(|error| error),
            None => wire.unavailable(),
        };
        self.ended = Some(error.clone());
        Err(error)
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What bytes count in the queue, in KiB, rounded up.
fn kib(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}
