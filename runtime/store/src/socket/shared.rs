//! The log that every process uses: the store itself if it is the holder, else the holder's socket.

use super::client::new_client;
use super::hello::ClientId;
use super::resolve;
use super::seat::{Held, Seat};
use super::server::{Handles, serve};
use super::{ConnectError, Holder, RemoteLog, holder};
use async_trait::async_trait;
use handbox_session::{
    Batch, EventId, Followed, Lease, LogError, NewSession, Page, Places, Preview, Record, Seq, SessionId, SessionLog,
    Slice, Tail, Ticket,
};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a process tries to become the holder of the store or to reach it, before it gives up a request.
pub const RECOVERY_TIME_MAX: Duration = Duration::from_secs(15);
/// How often one request survives the loss of its holder. Holders do not die that often; what kills them may be it.
const LOSSES_MAX: u32 = 5;
/// The first pause between two tries; it doubles up to [`PAUSE_MAX`]. Half of a pause is chance, so that many
/// processes that lost their holder at once do not all try at once again.
const PAUSE_MIN: Duration = Duration::from_millis(4);
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// Opens the store: handles to it, or `None` while another process holds it. It may block.
///
/// Every handle is a connection of its own, with whose drop its leases end; the store is given up when `Handles` and all
/// handles are gone.
pub type Opener = Arc<dyn Fn() -> Result<Option<Handles>, LogError> + Send + Sync>;

/// The log of a data folder, whichever process holds it. Clones are the same connection, and so share its leases.
///
/// When the holder is lost, the next call or tail of any process takes its place or connects to who did. Reads, tails and
/// claims go on by themselves; after an append without an answer the log is asked for its events, and it is sent again
/// only if it did not happen. A session that arrives is given up with its holder: its importer gets
/// [`LogError::NoSession`], and begins again. A brain's lease is void then, so its append comes back as [`LogError::Fenced`] unless it
/// had happened. The same happens if the holder's log cannot go on because its disk failed: it gives the store up, and
/// whoever opens it anew goes on, a few times over. When all this takes too long, [`LogError::Unavailable`] says that the
/// outcome is not known, and [`LogError::Unreachable`] that nothing was asked.
#[derive(Clone)]
pub struct SharedLog {
    shared: Arc<Shared>,
}

struct Shared {
    data: PathBuf,
    command: String,
    opener: Opener,
    client: ClientId,
    seat: Mutex<Option<Seat>>,
    /// Taken while this process looks for a seat, so that it does so once.
    seeking: tokio::sync::Mutex<()>,
}

impl SharedLog {
    /// Opens the log of a data folder, which is there, as its holder or through it. `command` says what this process is, for
    /// [`Self::holder`]. Takes at most [`RECOVERY_TIME_MAX`] and what the store itself takes; call it, and everything
    /// else, from a tokio runtime.
    ///
    /// # Errors
    ///
    /// Those of the opener; [`LogError::Refused`] if a holder of another protocol or user is there, or if the socket cannot
    /// be made; [`LogError::Unreachable`] if the store is held and its holder does not answer.
    pub async fn open(data: &Path, command: &str, opener: Opener) -> Result<Self, LogError> {
        let client = new_client().map_err(|error| LogError::Refused(error.to_string()))?;
        let (data, command) = (data.to_owned(), command.to_owned());
        let shared =
            Shared { data, command, opener, client, seat: Mutex::default(), seeking: tokio::sync::Mutex::default() };
        shared.seat().await?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether this process holds the store at present.
    #[must_use]
    pub fn is_holder(&self) -> bool {
        matches!(&*self.shared.lock(), Some(seat @ Seat::Holder(_)) if seat.stands())
    }

    /// Who holds the store. While a holder that was killed has no successor, it is named still.
    #[must_use]
    pub fn holder(&self) -> Option<Holder> {
        holder(&self.shared.data)
    }

    /// Gives the log up, for all clones: ends the connection, or stops serving the others, who find another holder. What is
    /// asked later is [`LogError::Unavailable`]. Takes at most five seconds and what a search under way takes.
    ///
    /// Dropping all clones and tails does the same, but does not wait for the store to be free.
    pub async fn close(&self) {
        let _seeking = self.shared.seeking.lock().await;
        let seat = self.shared.lock().replace(Seat::Closed);
        match seat {
            Some(Seat::Holder(held)) => {
                let taken = held.take();
                if let Some((log, server)) = taken {
                    drop(log);
                    server.close().await;
                }
            }
            Some(Seat::Client(remote)) => remote.close(),
            Some(Seat::Closed) | None => {}
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Seat>> {
        self.seat.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> Option<Seat> {
        self.lock().clone().filter(Seat::stands)
    }

    /// The present seat, or a new one if there is none or it was lost.
    async fn seat(&self) -> Result<Seat, LogError> {
        if let Some(seat) = self.standing() {
            return Ok(seat);
        }
        let _seeking = self.seeking.lock().await;
        if let Some(seat) = self.standing() {
            return Ok(seat);
        }
        let seat = self.seek().await?;
        *self.lock() = Some(seat.clone());
        Ok(seat)
    }

    async fn seek(&self) -> Result<Seat, LogError> {
        let late = Instant::now() + RECOVERY_TIME_MAX;
        let mut pause = PAUSE_MIN;
        loop {
            if let Some(seat) = self.hold().await? {
                return Ok(seat);
            }
            let why = match RemoteLog::connect_as(self.client, &self.data).await {
                Ok(remote) => return Ok(Seat::Client(Arc::new(remote))),
                Err(ConnectError::Refused(why)) => return Err(LogError::Refused(why)),
                Err(ConnectError::Absent(why)) => why,
            };
            if Instant::now() + pause > late {
                return Err(LogError::Unreachable(self.unreachable(&why)));
            }
            tokio::time::sleep(jittered(pause)).await;
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }

    /// Becomes the holder, unless there is one.
    async fn hold(&self) -> Result<Option<Seat>, LogError> {
        let opener = Arc::clone(&self.opener);
        let opened = tokio::task::spawn_blocking(move || opener()).await;
        let panicked = |_| LogError::Unavailable("opening the store failed unexpectedly".to_owned());
        let Some(handles) = opened.map_err(panicked)?? else { return Ok(None) };
        let server = serve(&self.data, &self.command, Arc::clone(&handles))?;
        Ok(Some(Seat::Holder(Held::new(handles(), server))))
    }

    fn unreachable(&self, why: &str) -> String {
        let seconds = RECOVERY_TIME_MAX.as_secs();
        let held = match holder(&self.data) {
            Some(Holder { process, command, .. }) => format!("process {process} ({command})"),
            None => "another process".to_owned(),
        };
        format!(
            "{held} holds it and did not answer for {seconds} s ({why}); if it is suspended, let it go on with `fg`, or end it"
        )
    }

    /// Asks until there is an answer; for what may be asked twice.
    async fn again<T, F>(&self, ask: impl Fn(Arc<dyn SessionLog>) -> F) -> Result<T, LogError>
    where
        F: Future<Output = Result<T, LogError>>,
    {
        let mut losses = 0;
        loop {
            let seat = self.seat().await?;
            let answer = match seat.log() {
                Ok(log) => ask(log).await,
                Err(error) => Err(error),
            };
            match answer {
                Err(error) if seat.was_lost(&error) && losses < LOSSES_MAX => {
                    losses += 1;
                    tokio::time::sleep(jittered(PAUSE_MIN * losses)).await;
                }
                answer => return answer,
            }
        }
    }

    /// Does what must not happen twice. After a lost answer it looks whether it happened, does it again if not, and after
    /// a refusal looks once more: what was under way when the connection was lost may have come in between.
    async fn once<T, D, L>(
        &self,
        act: impl Fn(Arc<dyn SessionLog>) -> D,
        look: impl Fn(Arc<dyn SessionLog>) -> L,
    ) -> Result<T, LogError>
    where
        D: Future<Output = Result<T, LogError>>,
        L: Future<Output = Result<Option<T>, LogError>>,
    {
        let mut losses = 0;
        loop {
            let seat = self.seat().await.map_err(|error| match error {
                // Something was asked before.
                LogError::Unreachable(why) if losses > 0 => LogError::Unavailable(why),
                error => error,
            })?;
            let log = match seat.log() {
                Ok(log) => log,
                Err(error) if seat.was_lost(&error) => continue,
                Err(error) => return Err(error),
            };
            let mut done = match losses {
                0 => act(Arc::clone(&log)).await,
                _ => match look(Arc::clone(&log)).await {
                    Ok(Some(found)) => return Ok(found),
                    Ok(None) => act(Arc::clone(&log)).await,
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = &done
                && losses > 0
                && !matches!(error, LogError::Unavailable(_))
            {
                match look(log).await {
                    Ok(Some(found)) => return Ok(found),
                    // The refusal holds.
                    Ok(None) => {}
                    Err(error) if seat.was_lost(&error) => done = Err(error),
                    Err(_) => {}
                }
            }
            match done {
                Err(error) if seat.was_lost(&error) && losses < LOSSES_MAX => {
                    losses += 1;
                    tokio::time::sleep(jittered(PAUSE_MIN * losses)).await;
                }
                done => return done,
            }
        }
    }
}

/// A pause, half of which is chance.
fn jittered(pause: Duration) -> Duration {
    let mut chance = [0; 2];
    // Without chance it is the whole pause, which is slower but right.
    let share = getrandom::fill(&mut chance).map_or(1.0, |()| f64::from(u16::from_le_bytes(chance)) / 65_536.0);
    pause.mul_f64(0.5 + share / 2.0)
}

#[async_trait]
impl SessionLog for SharedLog {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        let new = &new;
        let act = |log: Arc<dyn SessionLog>| async move { log.create(new.clone()).await };
        self.shared.once(act, |log| async move { resolve::created(&*log, new).await }).await
    }

    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        let batches = &batches;
        let act = |log: Arc<dyn SessionLog>| async move { log.append(batches.clone()).await };
        self.shared.once(act, |log| async move { resolve::appended(&*log, batches).await }).await
    }

    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        let slice = &slice;
        self.shared.again(|log| async move { log.read(session, slice.clone()).await }).await
    }

    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        self.shared.again(|log| async move { log.find(session, event).await }).await
    }

    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        let tail = self.shared.again(|log| async move { log.tail(session, after).await }).await?;
        Ok(Box::new(SharedTail { shared: Arc::clone(&self.shared), session, after, tail: Some(tail), losses: 0 }))
    }

    async fn record(&self, session: SessionId) -> Result<Record, LogError> {
        self.shared.again(|log| async move { log.record(session).await }).await
    }

    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        self.shared.again(|log| async move { log.sessions(before, limit).await }).await
    }

    async fn remove(&self, session: SessionId) -> Result<(), LogError> {
        let act = |log: Arc<dyn SessionLog>| async move { log.remove(session).await };
        // A session that is not there any more was removed, which is what was asked.
        let look = |log: Arc<dyn SessionLog>| async move {
            match log.record(session).await {
                Ok(_) => Ok(None),
                Err(LogError::NoSession(_)) => Ok(Some(())),
                Err(error) => Err(error),
            }
        };
        self.shared.once(act, look).await
    }

    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError> {
        // When the holder is lost, what had not arrived is given up with it.
        let abandoned = self.shared.once(
            |log| async move { log.abandon(session, ticket).await },
            |log| async move {
                match log.record(session).await {
                    Err(LogError::NoSession(_)) => Ok(Some(())),
                    _ => Ok(None),
                }
            },
        );
        abandoned.await
    }

    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError> {
        // A claim whose answer was lost ended with its connection.
        self.shared.again(|log| async move { log.claim(session, holder, time).await }).await
    }

    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError> {
        self.shared.again(|log| async move { log.renew(lease, time).await }).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), LogError> {
        self.shared.again(|log| async move { log.release(lease).await }).await
    }

    fn preview(&self, session: SessionId, preview: Preview) {
        if let Some(Ok(log)) = self.shared.standing().map(|seat| seat.log()) {
            log.preview(session, preview);
        }
    }
}

/// A tail that goes on after the holder was lost.
struct SharedTail {
    shared: Arc<Shared>,
    session: SessionId,
    /// The last place that was given out.
    after: Option<Seq>,
    /// `None` while the holder is lost.
    tail: Option<Box<dyn Tail>>,
    /// How often in a row it was lost without having seen anything.
    losses: u32,
}

#[async_trait]
impl Tail for SharedTail {
    async fn next(&mut self) -> Result<Followed, LogError> {
        loop {
            let Some(tail) = &mut self.tail else {
                let (session, after) = (self.session, self.after);
                let again = self.shared.again(|log| async move { log.tail(session, after).await });
                self.tail = Some(again.await?);
                continue;
            };
            match tail.next().await {
                Ok(followed) => {
                    self.losses = 0;
                    if let Followed::Event(entry) = &followed {
                        self.after = Some(entry.seq);
                    }
                    return Ok(followed);
                }
                Err(LogError::Unavailable(_)) if self.losses < LOSSES_MAX && !self.shared.is_closed() => {
                    self.losses += 1;
                    self.tail = None;
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Shared {
    fn is_closed(&self) -> bool {
        matches!(*self.lock(), Some(Seat::Closed))
    }
}
