//! A log of sessions in SQLite, as one would write it: a table, and an insert for each event.
//!
//! It does less than the log does: it knows no leases and no expected head, chains no hashes, and finds no event by its id.

use crate::{TURN, event, rate, session};
use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, Transaction};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// How long a group waits for as many events as the last one had: what the log does as well.
const GROUP_TIME_MAX: Duration = Duration::from_micros(100);

fn open(folder: &Path) -> Result<Connection> {
    let connection = Connection::open(folder.join("log.sqlite"))?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    ensure!(mode == "wal" && synchronous == 2, "SQLite is in mode {mode}, synchronous={synchronous}");
    connection.execute_batch(
        "CREATE TABLE events (session TEXT NOT NULL, place INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (session, place))",
    )?;
    Ok(connection)
}

/// What one event is in the table.
struct Row {
    session: String,
    place: i64,
    event: String,
}

impl Row {
    fn new(writer: u64, place: u64) -> Result<Self> {
        let event = event(writer, place)?.json().to_owned();
        Ok(Self { session: session(writer).to_string(), place: place.try_into()?, event })
    }

    fn insert(&self, connection: &Connection) -> Result<()> {
        let mut insert = connection.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3)")?;
        insert.execute((&self.session, self.place, &self.event))?;
        Ok(())
    }
}

fn check(connection: &Connection, count: u64) -> Result<()> {
    let stored: i64 = connection.query_row("SELECT count(*) FROM events", (), |row| row.get(0))?;
    ensure!(i64::try_from(count)? == stored, "{count} appends returned, and {stored} events are there");
    Ok(())
}

/// Appends a second with one commit for each event, all writers behind one connection.
pub(crate) fn one_commit_each(writers: u64) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let connection = Mutex::new(open(folder.path())?);
    let started = Instant::now();
    let append = |writer| -> Result<u64> {
        let mut count = 0;
        while started.elapsed() < TURN {
            let row = Row::new(writer, count + 1)?;
            // Outside a transaction, each statement is one.
            row.insert(&connection.lock().unwrap_or_else(PoisonError::into_inner))?;
            count += 1;
        }
        Ok(count)
    };
    let count = std::thread::scope(|scope| -> Result<u64> {
        let threads: Vec<_> = (0..writers).map(|writer| scope.spawn(move || append(writer))).collect();
        let counts =
            threads.into_iter().map(|thread| thread.join().map_err(|_| anyhow::anyhow!("a writer panicked"))?);
        counts.sum()
    })?;
    let rate = rate(count, started);
    check(&connection.into_inner().unwrap_or_else(PoisonError::into_inner), count)?;
    Ok(rate)
}

/// An event that waits for the writer, and who waits for it.
struct Ask {
    row: Row,
    answer: oneshot::Sender<()>,
}

/// Appends a second with one commit for all events that wait.
pub(crate) fn grouped(runtime: &Runtime, writers: u64) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let connection = open(folder.path())?;
    let (queue, waiting) = mpsc::channel();
    let writer = std::thread::spawn(move || write(connection, &waiting));
    let (count, rate) = runtime.block_on(async {
        let started = Instant::now();
        let queue = Arc::new(queue);
        let tasks: Vec<_> =
            (0..writers).map(|writer| tokio::spawn(append(Arc::clone(&queue), writer, started))).collect();
        let mut count = 0;
        for task in tasks {
            count += task.await??;
        }
        anyhow::Ok((count, rate(count, started)))
    })?;
    // The queue is gone by now, so the writer ends.
    let connection = writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    check(&connection, count)?;
    Ok(rate)
}

async fn append(queue: Arc<mpsc::Sender<Ask>>, writer: u64, started: Instant) -> Result<u64> {
    let mut count = 0;
    while started.elapsed() < TURN {
        let (answer, answered) = oneshot::channel();
        queue.send(Ask { row: Row::new(writer, count + 1)?, answer }).ok().context("the writer ended")?;
        answered.await.context("the writer ended")?;
        count += 1;
    }
    Ok(count)
}

/// Writes until nobody can ask any more.
fn write(mut connection: Connection, waiting: &mpsc::Receiver<Ask>) -> Result<Connection> {
    let mut last = 1;
    while let Ok(first) = waiting.recv() {
        let group = group(first, waiting, last);
        let transaction: Transaction<'_> = connection.transaction()?;
        for ask in &group {
            ask.row.insert(&transaction)?;
        }
        transaction.commit()?;
        last = group.len();
        for ask in group {
            ask.answer.send(()).ok();
        }
    }
    Ok(connection)
}

/// All that waits, and after that as many as came last time if they come soon.
fn group(first: Ask, waiting: &mpsc::Receiver<Ask>, last: usize) -> Vec<Ask> {
    let (mut group, until) = (vec![first], Instant::now() + GROUP_TIME_MAX);
    loop {
        let left = if group.len() < last { until.saturating_duration_since(Instant::now()) } else { Duration::ZERO };
        let next = if left.is_zero() { waiting.try_recv().ok() } else { waiting.recv_timeout(left).ok() };
        match next {
            Some(ask) => group.push(ask),
            None => return group,
        }
    }
}
