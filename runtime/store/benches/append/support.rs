//! What the log is compared with, and what both write.

use handbox_session::{Batch, Event, Minter, NewSession, SessionId, SessionLog, Writer, kinds};
use handbox_store::RedbLog;
use redb::{Database, TableDefinition};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

static MINTER: Mutex<Option<Minter>> = Mutex::new(None);

fn mint<I: From<u128>>() -> I {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    MINTER.lock().unwrap().get_or_insert_default().mint(u64::try_from(now.as_millis()).unwrap(), [7; 10])
}

pub(crate) fn session() -> SessionId {
    mint()
}

/// An event of about this many bytes.
pub(crate) fn event(bytes: usize) -> Event {
    let members = serde_json::json!({ "text": "x".repeat(bytes.saturating_sub(80)) });
    Event::new(mint(), kinds::AGENT_MESSAGE, members.as_object().cloned().unwrap()).unwrap()
}

pub(crate) fn batch(session: SessionId, events: Vec<Event>) -> Batch {
    Batch { session, writer: Writer::Client, after: None, events }
}

pub(crate) fn median(rates: &[f64]) -> f64 {
    let mut rates = rates.to_vec();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// The median time of some work.
pub(crate) fn median_time<F: Future<Output = Result<T, E>>, T, E: std::fmt::Debug>(
    runtime: &tokio::runtime::Runtime,
    rounds: usize,
    mut work: impl FnMut() -> F,
) -> Duration {
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let started = Instant::now();
            runtime.block_on(work()).unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// Makes a session of about so many events of 1 KiB, each in a frame of its own, as a brain writes them.
pub(crate) async fn append_many(log: &RedbLog, count: usize) -> SessionId {
    let id = session();
    log.create(NewSession::own(id, vec![event(1024)])).await.unwrap();
    for _ in 0..count / 1000 {
        log.append((0..1000).map(|_| batch(id, vec![event(1024)])).collect()).await.unwrap();
    }
    id
}

/// A file that is appended to and synced, by whoever comes first for all who wait.
pub(crate) struct PlainFile {
    state: Mutex<Waiting>,
    synced: Condvar,
    file: Mutex<File>,
}

#[derive(Default)]
struct Waiting {
    buffer: Vec<u8>,
    /// The group that is being filled, and the last that is durable.
    group: u64,
    done: u64,
    busy: bool,
}

impl PlainFile {
    pub(crate) fn open(path: &Path) -> Self {
        let waiting = Waiting { group: 1, ..Waiting::default() };
        Self { state: Mutex::new(waiting), synced: Condvar::new(), file: Mutex::new(File::create(path).unwrap()) }
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap();
        state.buffer.extend_from_slice(bytes);
        let mine = state.group;
        while state.done < mine {
            if state.busy {
                state = self.synced.wait(state).unwrap();
                continue;
            }
            let (buffer, group) = (std::mem::take(&mut state.buffer), state.group);
            state.group += 1;
            state.busy = true;
            drop(state);
            let mut file = self.file.lock().unwrap();
            file.write_all(&buffer).unwrap();
            file.sync_data().unwrap();
            drop(file);
            state = self.state.lock().unwrap();
            state.done = group;
            state.busy = false;
            self.synced.notify_all();
        }
    }
}

/// One commit for each event, with the settings of the log.
pub(crate) struct Naive {
    database: Arc<Database>,
    sessions: AtomicU64,
}

const EVENTS: TableDefinition<'_, (u64, u64), &[u8]> = TableDefinition::new("events");

impl Naive {
    pub(crate) fn open(path: &Path) -> Self {
        let database = Database::builder().set_cache_size(64 * 1024 * 1024).create(path).unwrap();
        Self { database: Arc::new(database), sessions: AtomicU64::new(0) }
    }

    pub(crate) fn session(&self) -> u64 {
        self.sessions.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn append(&self, session: u64, place: u64, event: &[u8]) {
        let mut write = self.database.begin_write().unwrap();
        write.set_two_phase_commit(true);
        write.set_quick_repair(true);
        write.open_table(EVENTS).unwrap().insert((session, place), event).unwrap();
        write.commit().unwrap();
    }
}
