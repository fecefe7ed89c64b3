//! The holder's side: lets clients in, and ends their connections.

use super::connection::{self, Desk};
use super::frame::Frames;
use super::hello::{ClientId, Hello, PROTOCOL, Verdict, Welcome};
use super::holder::{Holder, HolderFile, Place};
use super::local::{Files, Listener, Peer, Stream, WriteHalf, split};
use super::pulse::Pulse;
use handbox_session::{LogError, SessionLog};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

/// The most connections at once; a further one is told so and closed. Each is one process, and may cost the holder what
/// [`REQUEST_BYTES_MAX`](super::REQUEST_BYTES_MAX) and its neighbours allow.
pub const CONNECTIONS_MAX: usize = 256;
/// How long a connection has done nothing, and kept no lease, when it may have to make room for another.
pub const IDLE_TIME_MIN: Duration = Duration::from_secs(5);
/// The most connections at once whose hello is awaited.
const GREETINGS_MAX: usize = CONNECTIONS_MAX;
/// The most bytes of large frames, of all connections, that arrive or are worked on at once.
const ARRIVING_BYTES_MAX: usize = 256 * 1024 * 1024;
/// How long a client that connects again waits for the end of its old connection.
const SUCCESSION_TIME_MAX: Duration = Duration::from_secs(10);
/// How long nobody is let in after the system could not (it has no more descriptors, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long the connections have to end when the holder stops.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(5);

/// Gives a handle to the log that the holder holds. Each connection has its own; dropping it ends its leases.
pub type Handles = Arc<dyn Fn() -> Arc<dyn SessionLog> + Send + Sync>;

/// Serves a log to the other processes of this user, until it is closed or dropped.
pub struct Server {
    stop: watch::Sender<bool>,
    lost: watch::Receiver<bool>,
    accepting: Option<JoinHandle<()>>,
    // These say where the holder is, so they go while the store is still held: before `_handles`.
    file: Option<HolderFile>,
    files: Option<Files>,
    _handles: Handles,
}

/// Serves a log at the socket of a data folder, from a tokio runtime. Call it only while holding the store's lock: it
/// replaces the socket that an earlier holder left. `command` is what [`Holder::command`] says.
///
/// # Errors
///
/// [`LogError::Refused`] if the socket cannot be made, which names the cause.
pub fn serve(data: &Path, command: &str, handles: Handles) -> Result<Server, LogError> {
    let place = Place::new(data);
    let failed = |error: std::io::Error| {
        let folder = place.folder().display();
        LogError::Refused(format!("the store cannot be offered to other processes in {folder}: {error}"))
    };
    let (listener, files) = Listener::bind(&place).map_err(failed)?;
    let file = Holder::new(command, files.elsewhere()).write(&place).map_err(failed)?;
    let (stop, stopped) = watch::channel(false);
    let (lose, lost) = watch::channel(false);
    let house = Arc::new(House {
        handles: Arc::clone(&handles),
        lose,
        free: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        arriving: Arc::new(Semaphore::new(ARRIVING_BYTES_MAX / 1024)),
        clients: Mutex::default(),
    });
    let accepting = tokio::spawn(accept(listener, house, stopped));
    Ok(Server { stop, lost, accepting: Some(accepting), file: Some(file), files: Some(files), _handles: handles })
}

impl Server {
    /// Ends all connections, and with them their leases, and takes the socket away. Takes at most five seconds.
    pub async fn close(mut self) {
        self.leave();
        if let Some(accepting) = self.accepting.take() {
            // Past the time limit the rest ends by itself; nobody is let in any more.
            let _ = tokio::time::timeout(CLOSE_TIME_MAX, accepting).await;
        }
    }

    /// Waits until the log said that it cannot go on before it is opened anew. `false` if the server ends before that.
    pub(super) fn lost(&self) -> impl Future<Output = bool> + use<> {
        let mut lost = self.lost.clone();
        async move { lost.wait_for(|lost| *lost).await.is_ok() }
    }

    fn leave(&mut self) {
        self.file = None;
        self.files = None;
        self.stop.send_replace(true);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Who is connected.
struct House {
    handles: Handles,
    lose: watch::Sender<bool>,
    free: Arc<Semaphore>,
    /// KiB of large frames that may still arrive.
    arriving: Arc<Semaphore>,
    clients: Mutex<HashMap<ClientId, Guest>>,
}

/// A connection, as seen by a later one of the same client.
#[derive(Clone)]
struct Guest {
    leave: watch::Sender<bool>,
    /// Changes once the connection's log handle is gone.
    gone: watch::Receiver<()>,
    pulse: Arc<Pulse>,
}

async fn accept(listener: Listener, house: Arc<House>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let greetings = Arc::new(Semaphore::new(GREETINGS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok(stream) => {
                // Whoever says no hello is gone after a few seconds; until then further ones are closed without a word.
                let Ok(greeting) = Arc::clone(&greetings).try_acquire_owned() else { continue };
                let (house, stopped) = (Arc::clone(&house), stopped.clone());
                connections.spawn(async move { receive(stream, greeting, &house, stopped).await });
            }
            Err(error) => {
                tracing::warn!(%error, "no connection to the store could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Lets one client in or refuses it, and serves it to its end.
async fn receive(stream: Stream, slot: OwnedSemaphorePermit, house: &House, mut stopped: watch::Receiver<bool>) {
    let peer = Peer::of(&stream);
    let (mut from, mut to) = split(stream);
    let greeting = async {
        if !matches!(peer, Ok(Peer::Owner)) {
            return refuse(Verdict::Stranger, &mut to).await;
        }
        let hello = Hello::receive(&mut from).await.ok()?;
        if hello.protocol != PROTOCOL {
            tracing::warn!(theirs = hello.protocol, ours = PROTOCOL, build = hello.build, "a client was refused");
            return refuse(Verdict::Protocol, &mut to).await;
        }
        let stay = house.admit(hello.client).await?;
        match house.room().await {
            Some(room) => Some((stay, room)),
            None => refuse(Verdict::Full, &mut to).await,
        }
    };
    let admitted = tokio::select! {
        admitted = greeting => admitted,
        _ = stopped.wait_for(|stop| *stop) => None,
    };
    drop(slot);
    let Some((mut stay, _room)) = admitted else { return };
    if Welcome::send(Verdict::Welcome, &mut to).await.is_ok() {
        let end = async {
            tokio::select! {
                _ = stay.leave.wait_for(|leave| *leave) => {}
                _ = stopped.wait_for(|stop| *stop) => {}
            }
        };
        let frames = Frames::within(from, Arc::clone(&house.arriving));
        let desk = |out| Desk::new((house.handles)(), out, house.lose.clone(), Arc::clone(&stay.pulse));
        connection::run(frames, to, desk, end).await;
    }
}

async fn refuse<T>(verdict: Verdict, to: &mut WriteHalf) -> Option<T> {
    // Whether the client hears it or not, the connection ends.
    let _ = Welcome::send(verdict, to).await;
    None
}

/// The place of a connection in the house, until it is dropped, however that comes about.
struct Stay<'a> {
    house: &'a House,
    client: ClientId,
    leave: watch::Receiver<bool>,
    pulse: Arc<Pulse>,
    going: watch::Sender<()>,
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        self.house.clients().remove(&self.client);
        self.going.send_replace(());
    }
}

impl House {
    /// Enters a connection. An older one of the same client ends first, so that nothing that was asked there happens
    /// after anything that is asked here.
    async fn admit(&self, client: ClientId) -> Option<Stay<'_>> {
        let succession = async {
            loop {
                let mut older = match self.clients().entry(client) {
                    Entry::Vacant(place) => {
                        let ((leave, left), (going, gone)) = (watch::channel(false), watch::channel(()));
                        let pulse = Pulse::new();
                        place.insert(Guest { leave, gone, pulse: Arc::clone(&pulse) });
                        return Stay { house: self, client, leave: left, pulse, going };
                    }
                    Entry::Occupied(older) => older.get().clone(),
                };
                older.leave.send_replace(true);
                // An error would say that it is gone, which is what is waited for.
                let _ = older.gone.changed().await;
            }
        };
        tokio::time::timeout(SUCCESSION_TIME_MAX, succession).await.ok()
    }

    /// A place for one more connection; for that, the one that has been idle for longest goes.
    async fn room(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(room) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(room);
        }
        let oldest = {
            let clients = self.clients();
            let idle = clients.values().filter_map(|guest| Some((guest.pulse.idle()?, guest)));
            let long = idle.filter(|(since, _)| since.elapsed() >= IDLE_TIME_MIN);
            long.min_by_key(|(since, _)| *since).map(|(_, guest)| guest.clone())
        };
        oldest?.leave.send_replace(true);
        // Its place is free once its tasks have ended, which takes no time as there are none.
        tokio::time::timeout(SUCCESSION_TIME_MAX, Arc::clone(&self.free).acquire_owned()).await.ok()?.ok()
    }

    fn clients(&self) -> std::sync::MutexGuard<'_, HashMap<ClientId, Guest>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
