//! The session log as it is shipped, each writer in a session of its own.

use crate::child::{self, Pacer};
use crate::event::Name;
use crate::pattern::Pattern;
use anyhow::{Context, Result, ensure};
use handbox_session::{Batch, Event, EventId, NewSession, Seq, SessionId, SessionLog, Slice, Writer, kinds};
use handbox_store::{Options, RedbLog};
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Runtime;

fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

fn session(writer: u64) -> SessionId {
    SessionId::from((1_700_000_000_000 << 80) + u128::from(writer))
}

/// A session's event 1 is its creation and number 0 of its writer.
fn event(name: Name) -> Result<Event> {
    let id = (1_700_000_000_000 << 80) + (u128::from(name.writer) << 40) + u128::from(name.number);
    let members = serde_json::json!({ "text": name.text() });
    let members = members.as_object().cloned().context("an object")?;
    Ok(Event::new(EventId::from(id), kinds::AGENT_MESSAGE, members)?)
}

pub(crate) fn write(pattern: &'static Pattern, folder: &Path) -> Result<()> {
    runtime()?.block_on(async {
        let log = Arc::new(RedbLog::open(folder, Options::standard())?);
        for writer in 0..pattern.writers {
            log.create(NewSession::own(session(writer), vec![event(Name { writer, number: 0 })?])).await?;
        }
        child::begin()?;
        let writers: Vec<_> =
            (0..pattern.writers).map(|writer| tokio::spawn(append(Arc::clone(&log), pattern, writer))).collect();
        for writer in writers {
            writer.await??;
        }
        Ok(())
    })
}

async fn append(log: Arc<RedbLog>, pattern: &Pattern, writer: u64) -> Result<()> {
    let pacer = Pacer::new(pattern.pace);
    for number in 1.. {
        let Some(pause) = pacer.pause(number) else { break };
        tokio::time::sleep(pause).await;
        let name = Name { writer, number };
        let batch = Batch { session: session(writer), writer: Writer::Client, after: None, events: vec![event(name)?] };
        log.append(vec![batch]).await?;
        child::acknowledge(name)?;
    }
    Ok(())
}

/// Opens the log, verifies it, and finds each event in its place.
pub(crate) fn count(pattern: &Pattern, folder: &Path) -> Result<Vec<Name>> {
    runtime()?.block_on(async {
        let log = RedbLog::open(folder, Options::standard())?;
        let verdict = log.verify()?;
        ensure!(verdict.damages.is_empty(), "verify: {:?}", verdict.damages);
        let mut found = Vec::new();
        for writer in 0..pattern.writers {
            let mut next = Some(Seq::FIRST);
            let mut number = 0;
            while let Some(first) = next {
                let page = log.read(session(writer), Slice::from(first)).await?;
                for entry in page.entries {
                    let name = Name { writer, number };
                    let right = entry.seq.get() == number + 1 && entry.event == event(name)?;
                    ensure!(right, "place {} of writer {writer} holds {}", entry.seq, entry.event.json());
                    found.push(name);
                    number += 1;
                }
                next = page.next;
            }
        }
        ensure!(verdict.events == found.len() as u64, "verify: {} events, read: {}", verdict.events, found.len());
        Ok(found)
    })
}
