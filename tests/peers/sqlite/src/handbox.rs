//! The log as it is shipped: each append returns once it is on stable storage.

use crate::{TURN, event, rate, session};
use anyhow::{Result, ensure};
use handbox_session::{Batch, NewSession, SessionLog, Writer};
use handbox_store::{Options, RedbLog};
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;

/// Appends a second, each writer in a session of its own.
pub(crate) fn appends(runtime: &Runtime, writers: u64) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let log = Arc::new(RedbLog::open(folder.path(), Options::standard())?);
    runtime.block_on(async {
        for writer in 0..writers {
            log.create(NewSession::own(session(writer), vec![event(writer, 1)?])).await?;
        }
        let started = Instant::now();
        let tasks: Vec<_> =
            (0..writers).map(|writer| tokio::spawn(append(Arc::clone(&log), writer, started))).collect();
        let mut count = 0;
        for task in tasks {
            count += task.await??;
        }
        let rate = rate(count, started);
        let mut stored = 0;
        for writer in 0..writers {
            stored += log.record(session(writer)).await?.head.get() - 1;
        }
        ensure!(stored == count, "{count} appends returned, and {stored} events are there");
        Ok(rate)
    })
}

async fn append(log: Arc<RedbLog>, writer: u64, started: Instant) -> Result<u64> {
    let mut count = 0;
    while started.elapsed() < TURN {
        let events = vec![event(writer, count + 2)?];
        log.append(vec![Batch { session: session(writer), writer: Writer::Client, after: None, events }]).await?;
        count += 1;
    }
    Ok(count)
}
