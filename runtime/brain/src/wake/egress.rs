//! The record of what a call sends, in its session.

use super::desk::REGAINS_MAX;
use super::tenure::Tenure;
use crate::Surroundings;
use async_trait::async_trait;
use handbox_hand::{Audit, AuditError, Egress, EgressEnd, Verdict};
use handbox_session::{Batch, Event, EventId, Kind, LogError, Minter, SessionId, SessionLog, Writer, kinds};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How many records may wait for the end of their call, beside the ends of requests that are under way.
const WAITING_MAX: usize = 64;
/// How often a record is tried to be appended while the store is lost: for five seconds and what each try takes. Whoever sends
/// waits 15 s for all of it.
const APPEND_TRIES: u32 = 9;
/// The longest wait between two of them.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// The record of one call: `handbox.egress` for each decision, `handbox.egress_ended` for what came of it.
///
/// A record that must outlive a crash is appended before anything is sent, with all that wait. Others wait for the result of
/// the call, with which they are written.
pub(super) struct EgressLog {
    pub(super) log: Arc<dyn SessionLog>,
    pub(super) surroundings: Arc<dyn Surroundings>,
    pub(super) session: SessionId,
    /// The brain's right to write, claimed again if it ended with the process that held the store. If another brain has taken
    /// over since, nothing is sent any more.
    pub(super) tenure: Arc<Tenure>,
    pub(super) call: EventId,
    pub(super) waiting: Arc<Mutex<Waiting>>,
    /// Held while records are appended: what another one took along is on disk only when that one is done.
    pub(super) writing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Default)]
pub(super) struct Waiting {
    events: Vec<Event>,
    minter: Minter,
    /// Whether the call has ended. Nothing is sent for it any more, and what comes late is written by itself.
    is_over: bool,
    /// Whether an append is under way; still so after one that died.
    is_writing: bool,
    /// Why records are not on disk that should be. Nothing is sent for the call after that.
    lost: Option<AuditError>,
}

impl Waiting {
    /// Whether anything may still be sent.
    fn is_kept(&self) -> Result<(), AuditError> {
        match &self.lost {
            Some(lost) => Err(lost.clone()),
            None if self.is_over => Err(AuditError("the call that would send it has ended".to_owned())),
            None => Ok(()),
        }
    }

    /// What is to be appended now, by the one whose turn it is. Nothing if others took it along.
    fn begin(&mut self) -> Result<Vec<Event>, AuditError> {
        if self.is_writing {
            self.lost = Some(AuditError("what kept the record died".to_owned()));
        }
        // Who ends the call writes what waits then, and later than this could be sent.
        self.is_kept()?;
        self.is_writing = true;
        Ok(std::mem::take(&mut self.events))
    }

    /// What came of that. What was certainly not written waits again.
    fn end(&mut self, events: Vec<Event>, error: Option<&LogError>) -> Result<(), AuditError> {
        self.is_writing = false;
        let Some(error) = error else { return Ok(()) };
        if !matches!(error, LogError::Unavailable(_) | LogError::Unreachable(_)) {
            self.events.splice(0..0, events);
        }
        let lost = AuditError(error.to_string());
        self.lost = Some(lost.clone());
        Err(lost)
    }
}

/// Appends, however the store changes hands meanwhile: an append whose outcome is not known is looked for, and tried again if it
/// is not there. What a later try says counts only if no earlier one was taken after all. A lease that ended while nobody took
/// the session over is claimed again.
async fn append_or_find(
    log: &dyn SessionLog,
    surroundings: &dyn Surroundings,
    tenure: &Tenure,
    events: &[Event],
) -> Result<(), LogError> {
    let Some(first) = events.first().map(Event::id) else { return Ok(()) };
    let session = tenure.session;
    let (mut asked, mut regained) = (false, 0);
    for tries in 1.. {
        let writer = Writer::Brain(tenure.epoch());
        let batch = Batch { session, writer, after: None, events: events.to_vec() };
        let error = match log.append(vec![batch]).await {
            Ok(_) => return Ok(()),
            Err(LogError::Fenced { epoch, newest, .. })
                if regained < REGAINS_MAX && (newest == epoch || newest == tenure.epoch()) =>
            {
                regained += 1;
                match tenure.regain(epoch).await {
                    // If an earlier try was taken after all, the log refuses the same events again, and they are found.
                    Ok(()) => continue,
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        let is_lost = matches!(error, LogError::Unavailable(_) | LogError::Unreachable(_));
        if !is_lost && !asked {
            return Err(error);
        }
        asked |= matches!(error, LogError::Unavailable(_));
        if is_lost {
            surroundings.sleep(Duration::from_millis(20 << tries.min(6)).min(PAUSE_MAX)).await;
        }
        match log.find(session, first).await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) if !is_lost => return Err(error),
            // It stays unknown, so it is not refused for certain.
            Err(unknown) if !is_lost => return Err(unknown),
            Ok(None) | Err(_) if tries == APPEND_TRIES => return Err(error),
            Ok(None) | Err(_) => {}
        }
    }
    Ok(())
}

fn locked(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

impl EgressLog {
    /// What waits to be written, at the end of the call.
    pub(super) fn end(&self) -> Vec<Event> {
        let mut waiting = locked(&self.waiting);
        waiting.is_over = true;
        std::mem::take(&mut waiting.events)
    }

    /// Appends what waits, also if whoever asked goes away meanwhile.
    async fn write(&self) -> Result<(), AuditError> {
        let (log, waiting) = (Arc::clone(&self.log), Arc::clone(&self.waiting));
        let surroundings = Arc::clone(&self.surroundings);
        let tenure = Arc::clone(&self.tenure);
        let turn = Arc::clone(&self.writing).lock_owned().await;
        let append = tokio::spawn(async move {
            let _turn = turn;
            let events = locked(&waiting).begin()?;
            let appended = match events.is_empty() {
                true => Ok(()),
                false => append_or_find(&*log, &*surroundings, &tenure, &events).await,
            };
            if let Err(error) = &appended {
                tracing::warn!(session = %tenure.session, %error, "a request is not sent: it could not be put on record");
            }
            locked(&waiting).end(events, appended.as_ref().err())
        });
        append.await.unwrap_or_else(|error| Err(AuditError(error.to_string())))
    }

    /// Appends the end of a request that outlived its call.
    fn write_late(&self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (log, session) = (Arc::clone(&self.log), self.session);
        let batch = Batch {
            session,
            writer: Writer::Brain(self.tenure.epoch()),
            after: None,
            events: std::mem::take(&mut locked(&self.waiting).events),
        };
        runtime.spawn(async move {
            if let Err(error) = log.append(vec![batch]).await {
                tracing::warn!(%session, %error, "the end of a request is not on record");
            }
        });
    }

    /// Puts an event with those that wait; how many those are.
    fn note(&self, kind: Kind, record: &impl Serialize, id: Option<u64>) -> Result<usize, AuditError> {
        let members = serde_json::to_value(record).map_err(|error| AuditError(error.to_string()))?;
        let mut members = if let Value::Object(members) = members { members } else { Map::new() };
        members.insert("tool_use_id".to_owned(), Value::from(self.call.to_string()));
        // `id` is what every event has of its own.
        let request = members.remove("id").or_else(|| id.map(Value::from));
        members.insert("request".to_owned(), request.unwrap_or_default());
        let mut chance = [0; 10];
        self.surroundings.chance(&mut chance);
        let mut waiting = locked(&self.waiting);
        // A decision counts only while it can be kept; what came of an earlier one is told however late.
        if id.is_none() {
            waiting.is_kept()?;
        }
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
        self.write().await
    }

    fn ended(&self, egress: &Egress, end: &EgressEnd) {
        // Numbers and short texts alone: this cannot fail, and what was sent is on record.
        if let Err(error) = self.note(kinds::HANDBOX_EGRESS_ENDED, end, Some(egress.id)) {
            tracing::warn!(session = %self.session, %error, "the end of a request is not on record");
        }
        if locked(&self.waiting).is_over {
            self.write_late();
        }
    }
}

#[cfg(test)]
#[path = "egress_tests.rs"]
mod tests;
