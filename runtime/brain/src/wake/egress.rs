//! The record of what a call sends, in its session.

use crate::Surroundings;
use async_trait::async_trait;
use handbox_hand::{Audit, AuditError, Egress, EgressEnd, Verdict};
use handbox_session::{Batch, Epoch, Event, EventId, Kind, LogError, Minter, SessionId, SessionLog, Writer, kinds};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many records may wait for the end of their call.
const WAITING_MAX: usize = 64;

/// The record of one call: `handbox.egress` for each decision, `handbox.egress_ended` for what came of it.
///
/// A record that must outlive a crash is appended before anything is sent, with all that wait. Others wait for the result of
/// the call, with which they are written.
pub(super) struct EgressLog {
    pub(super) log: Arc<dyn SessionLog>,
    pub(super) surroundings: Arc<dyn Surroundings>,
    pub(super) session: SessionId,
    /// The brain's right to write, when the call began. If another brain has taken over since, nothing is sent any more.
    pub(super) epoch: Epoch,
    pub(super) call: EventId,
    pub(super) waiting: Mutex<Waiting>,
}

#[derive(Default)]
pub(super) struct Waiting {
    events: Vec<Event>,
    minter: Minter,
    /// Whether the call has ended. Nothing is sent for it any more, and what comes late is written by itself.
    is_over: bool,
}

impl EgressLog {
    /// What waits to be written, at the end of the call.
    pub(super) fn end(&self) -> Vec<Event> {
        self.waiting().is_over = true;
        self.take()
    }

    fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.waiting().events)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends what waits, also if whoever asked goes away meanwhile. What was certainly not written waits again.
    async fn write(&self) -> Result<(), AuditError> {
        let events = self.take();
        let (log, written) = (Arc::clone(&self.log), events.clone());
        let batch = Batch { session: self.session, writer: Writer::Brain(self.epoch), after: None, events: written };
        let append = tokio::spawn(async move { log.append(vec![batch]).await });
        match append.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => {
                if !matches!(error, LogError::Unavailable(_) | LogError::Unreachable(_)) {
                    self.waiting().events.splice(0..0, events);
                }
                Err(AuditError(error.to_string()))
            }
            Err(error) => Err(AuditError(error.to_string())),
        }
    }

    /// Appends the end of a request that outlived its call.
    fn write_late(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (log, session) = (Arc::clone(&self.log), self.session);
        let batch = Batch { session, writer: Writer::Brain(self.epoch), after: None, events: self.take() };
        runtime.spawn(async move {
            if let Err(error) = log.append(vec![batch]).await {
                tracing::warn!(%session, %error, "the end of a request is not on record");
            }
        });
    }

    fn note(&self, kind: Kind, record: &impl Serialize, id: Option<u64>) -> Result<usize, AuditError> {
        let members = serde_json::to_value(record).map_err(|error| AuditError(error.to_string()))?;
        let mut members = if let Value::Object(members) = members { members } else { Map::new() };
        members.insert("tool_use_id".to_owned(), Value::from(self.call.to_string()));
        // `id` is what every event has of its own.
        let request = members.remove("id").or_else(|| id.map(Value::from));
        members.insert("request".to_owned(), request.unwrap_or_default());
        let mut chance = [0; 10];
        self.surroundings.chance(&mut chance);
        let mut waiting = self.waiting();
        let own = waiting.minter.mint(self.surroundings.now_unix_ms(), chance);
        waiting.events.push(Event::new(own, kind, members).map_err(|error| AuditError(error.to_string()))?);
        Ok(waiting.events.len())
    }
}

#[async_trait]
impl Audit for EgressLog {
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError> {
        if self.waiting().is_over {
            return Err(AuditError("the call that would send it has ended".to_owned()));
        }
        let waiting = self.note(kinds::HANDBOX_EGRESS, egress, None)?;
        let goes = matches!(egress.verdict, Verdict::Allowed { .. });
        if !(goes && egress.durable) && waiting < WAITING_MAX {
            return Ok(());
        }
        self.write().await
    }

    fn ended(&self, egress: &Egress, end: &EgressEnd) {
        // Numbers and short texts alone: this cannot fail, and what was sent is on record.
        if let Err(error) = self.note(kinds::HANDBOX_EGRESS_ENDED, end, Some(egress.id)) {
            tracing::warn!(session = %self.session, %error, "the end of a request is not on record");
        }
        if self.waiting().is_over {
            self.write_late();
        }
    }
}
