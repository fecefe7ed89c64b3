//! The record of what a call sends, in its session.

use crate::Surroundings;
use async_trait::async_trait;
use handbox_hand::{Audit, AuditError, Egress, EgressEnd, Verdict};
use handbox_session::{Batch, Epoch, Event, EventId, Kind, Minter, SessionId, SessionLog, Writer, kinds};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

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
}

impl EgressLog {
    /// What waits to be written.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner).events)
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
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let own = waiting.minter.mint(self.surroundings.now_unix_ms(), chance);
        waiting.events.push(Event::new(own, kind, members).map_err(|error| AuditError(error.to_string()))?);
        Ok(waiting.events.len())
    }
}

#[async_trait]
impl Audit for EgressLog {
    async fn decided(&self, egress: &Egress) -> Result<(), AuditError> {
        let waiting = self.note(kinds::HANDBOX_EGRESS, egress, None)?;
        let goes = matches!(egress.verdict, Verdict::Allowed { .. });
        if !(goes && egress.durable) && waiting < WAITING_MAX {
            return Ok(());
        }
        let batch =
            Batch { session: self.session, writer: Writer::Brain(self.epoch), after: None, events: self.take() };
        self.log.append(vec![batch]).await.map(drop).map_err(|error| AuditError(error.to_string()))
    }

    fn ended(&self, egress: &Egress, end: &EgressEnd) {
        // Numbers and short texts alone: this cannot fail, and what was sent is on record.
        if let Err(error) = self.note(kinds::HANDBOX_EGRESS_ENDED, end, Some(egress.id)) {
            tracing::warn!(session = %self.session, %error, "the end of a request is not on record");
        }
    }
}
