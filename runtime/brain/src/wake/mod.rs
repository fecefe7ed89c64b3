//! Working on a session until it rests.

mod answer;
mod ask;
mod call;
mod compact;
mod desk;
mod egress;
mod keep;
mod output;
mod pass;
mod preview;
mod ready;
mod say;
mod tenure;
mod used;
mod watch;
mod work;

pub use pass::{PassError, STATE_BYTES_MAX};

use crate::runs::RunsWith;
use crate::{Hands, Scratch, Surroundings, model::Model};
use handbox_session::fold::{Fold, SessionChanged, SessionCreated, Status, StopReason, Waiting, bodies::Body};
use handbox_session::{
    Blobs, Epoch, EventError, LogError, NewSession, Record, Seq, SessionId, SessionLog, entry_at, kinds,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tenure::Tenure;

/// What is needed to work on sessions. It holds nothing of any of them: clones, and others of other processes, do as well.
#[derive(Clone)]
pub struct Brain {
    /// Where sessions are.
    pub log: Arc<dyn SessionLog>,
    /// Where what is too large for an event is.
    pub blobs: Arc<dyn Blobs>,
    /// Who is asked.
    pub model: Arc<dyn Model>,
    /// Who makes hands ready.
    pub hands: Arc<dyn Hands>,
    /// Where long results are put for tools to read.
    pub scratch: Arc<dyn Scratch>,
    /// Time and chance.
    pub surroundings: Arc<dyn Surroundings>,
    /// How it works.
    pub settings: Settings,
}

/// How a brain works: what is the operator's to choose and not the session's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who it is, for people: a process, a machine. At most 128 bytes.
    pub holder: String,
    /// For how long it claims a session at a time. It renews that in thirds, and begins no call and no request in the last
    /// sixth. What is under way when it ends (the process is stopped, the machine sleeps) is not undone: for as long as it
    /// goes on, another brain may be at work as well. Of a call that may have run so, it only does again what its tool's
    /// recovery allows.
    pub lease: Duration,
    /// The most retries in a row of a model that fails.
    pub retries_max: u64,
    /// The longest wait before the first of them; it doubles with each.
    pub retry_wait: Duration,
    /// The longest wait before any of them. A provider that wants to be left alone for longer is not asked again.
    pub retry_wait_max: Duration,
    /// From which wait on the session says that it is rescheduled.
    pub reschedule: Duration,
    /// The longest wait for which it stays awake. Before a longer one it rests, and says when to wake it. As long as
    /// `retry_wait_max` is shorter, it never does.
    pub patience: Duration,
    /// The longest time in which a hand is made ready. One that is not ready then is told to the model as one that cannot
    /// be.
    pub provide: Duration,
    /// How long a hand is given to save what it keeps, after each call that may have changed it. If that takes longer, what
    /// it keeps ends with it.
    pub save: Duration,
    /// How long a call that is cut off is given to be gone.
    pub cut: Duration,
}

impl Settings {
    /// The usual: a lease of 30 s, 8 retries from 1 s up to 2 minutes, rescheduled from 5 s on, awake up to 5 minutes, and
    /// as long for a hand; 3 s for its state.
    #[must_use]
    pub fn usual(holder: impl Into<String>) -> Self {
        Self {
            holder: holder.into(),
            lease: Duration::from_secs(30),
            retries_max: 8,
            retry_wait: Duration::from_secs(1),
            retry_wait_max: Duration::from_secs(120),
            reschedule: Duration::from_secs(5),
            patience: Duration::from_secs(300),
            provide: Duration::from_secs(300),
            save: Duration::from_secs(3),
            cut: Duration::from_millis(50),
        }
    }
}

/// How a session rests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// The place of its last event.
    pub head: Seq,
    /// What it does.
    pub status: Status,
    /// Why it rests.
    pub stop_reason: Option<StopReason>,
    /// What it waits for from its client.
    pub waiting: Vec<Waiting>,
    /// When to wake it though nobody appended anything, in milliseconds since 1970: at a deadline, or for the next try.
    pub wake_at_unix_ms: Option<u64>,
}

/// Why a brain stopped before its session rests, sorted by what the caller has to do. The session is as it was left:
/// whoever wakes it goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WakeError {
    /// There is no such session: ask for another.
    #[error("brain: there is no session {0}; `handbox sessions` lists those there are")]
    NoSession(SessionId),
    /// Another brain is at work on it: leave it.
    #[error("brain: session {session} is being worked on by {holder}")]
    Held {
        /// The session.
        session: SessionId,
        /// Who works on it.
        holder: String,
    },
    /// Another brain took it over: leave it.
    #[error("brain: another brain took session {session} over (claim {}, this one wrote under {})", newest.0, epoch.0)]
    Fenced {
        /// The session.
        session: SessionId,
        /// This brain's claim.
        epoch: Epoch,
        /// The newest.
        newest: Epoch,
    },
    /// The log cannot be read or written, so nothing was done: the operator must act, then wake it again.
    #[error("session: {0}")]
    Log(LogError),
    /// The session does not say what it runs with in words that this program knows, and is left as it is: wake it with
    /// the program that wrote them, or append a `handbox.session_changed` that says it anew.
    #[error("session: {0}")]
    Unusable(String),
    /// This program is wrong: report it.
    #[error("brain: {0}")]
    Bug(String),
}

impl From<LogError> for WakeError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::NoSession(session) => Self::NoSession(session),
            LogError::Held { session, holder } => Self::Held { session, holder },
            LogError::Fenced { session, epoch, newest } => Self::Fenced { session, epoch, newest },
            error => Self::Log(error),
        }
    }
}

impl From<EventError> for WakeError {
    fn from(error: EventError) -> Self {
        Self::Bug(format!("it made an event that is none: {error}"))
    }
}

/// What a session runs with, as of a fold of it: the latest `handbox.session_changed`, or `handbox.session_created`.
///
/// # Errors
///
/// [`WakeError::Unusable`] if it does not say; those of the log.
pub async fn runs_with(log: &dyn SessionLog, session: SessionId, fold: &Fold) -> Result<RunsWith, WakeError> {
    runs_at(log, session, fold.anchors.changed.unwrap_or(Seq::FIRST)).await
}

/// What a session ran with, as the event at a place says it.
async fn runs_at(log: &dyn SessionLog, session: SessionId, place: Seq) -> Result<RunsWith, WakeError> {
    let entry = entry_at(log, session, place).await?;
    let event = entry.ok_or_else(|| WakeError::Unusable(format!("there is no event at place {place}")))?.event;
    let body = if *event.kind() == kinds::HANDBOX_SESSION_CHANGED {
        SessionChanged::from_event(&event).map(|changed| changed.0)
    } else {
        SessionCreated::from_event(&event)
    };
    let runs = body.map_err(|error| error.to_string());
    let runs = runs.and_then(|body| RunsWith::from_created(body).map_err(|error| error.to_string()));
    runs.map_err(|error| WakeError::Unusable(format!("{error} (in the event at place {place})")))
}

impl Brain {
    /// Begins a session.
    ///
    /// # Errors
    ///
    /// [`WakeError::Unusable`] for what no session can run with; as [`SessionLog::create`].
    pub async fn create(
        &self,
        id: SessionId,
        runs: &RunsWith,
        title: Option<String>,
        metadata: BTreeMap<String, String>,
    ) -> Result<Record, WakeError> {
        let created = runs.begin(self.new_id(), title, metadata);
        let created = created.map_err(|error| WakeError::Unusable(error.to_string()))?;
        Ok(self.log.create(NewSession::own(id, vec![created])).await?)
    }

    /// Works on a session until it rests.
    ///
    /// Whoever appends for a session whose brain may be about to rest wakes it afterwards: either this one sees what was
    /// appended, or the next does. Dropping the future stops at once; what was begun is recovered by whoever wakes the
    /// session next, once the lease is free again.
    ///
    /// # Errors
    ///
    /// [`WakeError`]; what a model or a hand does wrong is in the log, and no error here.
    pub async fn wake(&self, session: SessionId) -> Result<Rest, WakeError> {
        loop {
            let tenure = Tenure::claim(self, session).await?;
            let rest = tokio::select! {
                // Whoever lost the lease does nothing more, whatever it was at.
                biased;
                lost = tenure.keep() => Err(lost),
                rest = work::run(self, &tenure) => rest,
            };
            tenure.release().await;
            let rest = rest?;
            // Who appended while the lease was still held was told that somebody is at work on it.
            if self.log.record(session).await?.head == rest.head {
                if rest.waiting.is_empty() {
                    self.hands.rests(session).await;
                }
                return Ok(rest);
            }
        }
    }
}
