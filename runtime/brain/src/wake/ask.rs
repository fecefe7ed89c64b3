//! Asking the model.

use super::answer::check;
use super::desk::{Desk, Intent};
use super::preview::{Heard, Previewer};
use super::say::After;
use super::used::{Request, Used};
use super::watch::Watch;
use super::{Settings, WakeError};
use crate::context::{Material, Purpose, read, request_for};
use crate::model::{ModelError, ModelErrorKind, Reply, Role};
use crate::step::{Stop, active_ms_left, is_paused};
use handbox_session::fold::{Money, OpenRequest, Status, Tokens};
use handbox_session::{Event, EventId, Seq, kinds};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// How asking ended.
pub(super) enum Asked {
    Reply(Reply),
    Failed(ModelError),
    /// Cut off: by an interrupt, or by the turn's time.
    Cut,
}

/// How many requests in a row may be overtaken before one is begun whatever came first. Each is made anew from a context
/// that may be long, and a client that writes faster than that would never be answered.
const OVERTAKEN_MAX: u32 = 3;

/// What was read of the log for requests, so that the next one of this wake reads only what is new.
#[derive(Default)]
pub(super) struct Shown {
    /// With the place up to which it is written; what comes after that was staged.
    kept: Option<(Material, Seq)>,
    /// How many requests in a row were overtaken.
    overtaken: u32,
}

impl Shown {
    /// Forgets what was read: something else is needed from here on.
    pub(super) fn forget(&mut self) {
        self.kept = None;
    }

    /// What a request at the desk's present is made from, staged events included.
    pub(super) async fn material(&mut self, desk: &Desk<'_>) -> Result<(&Material, Seq), WakeError> {
        let (log, blobs) = (&*desk.brain.log, &*desk.brain.blobs);
        let (session, written) = (desk.session, desk.written());
        let mut material = match self.kept.take() {
            Some((mut material, through)) => {
                // What was staged then may have come to another place since.
                material.entries.retain(|entry| entry.seq <= through);
                material.read_on(log, blobs, session, through, written).await?;
                material
            }
            None => read(log, blobs, session, &desk.runs.context, written).await?,
        };
        material.add(log, blobs, session, desk.staged().to_vec()).await?;
        let position = material.entries.last().map_or(written, |entry| entry.seq);
        let (material, _) = self.kept.insert((material, written));
        Ok((material, position))
    }
}

impl Desk<'_> {
    /// Asks the model, and writes what came of it.
    pub(super) async fn ask(&mut self, shown: &mut Shown, watch: &mut Watch<'_>) -> Result<(), WakeError> {
        let (material, position) = shown.material(self).await?;
        let request = Request::new(request_for(Purpose::Reply, material, &self.runs, position));
        let last = request.request.messages.last().map(|message| message.role);
        if last != Some(Role::User) && !(last.is_some() && is_paused(&self.fold)) {
            // What came shows nothing: there is nothing to answer, and no provider takes such a request.
            let events = self.stop(&Stop::EndTurn)?;
            return self.intend(events).await.map(|_| ());
        }
        let Some(start) = self.begin_request(&request, Purpose::Reply, shown).await? else { return Ok(()) };
        let mut previewer = Previewer::new(Some(&*self.brain.log), &*self.brain.surroundings, self.session);
        let asked = self.exchange(&request, &mut previewer, watch).await?;
        let events = match asked {
            Asked::Reply(reply) => {
                let used = self.used(&request, &reply);
                self.answer(start, &reply, used, &previewer.ids).await?
            }
            Asked::Failed(error) => self.failed(start, &request, &error, previewer.heard)?,
            Asked::Cut => vec![self.lost_end(start, self.used_cut_off(&request, previewer.heard))?],
        };
        self.tell(events).await
    }

    /// Puts the intent to make a request on disk, with what it may cost. `None` if something came first, so that another
    /// may be due; after [`OVERTAKEN_MAX`] times only if that ends the turn.
    pub(super) async fn begin_request(
        &mut self,
        request: &Request,
        purpose: Purpose,
        shown: &mut Shown,
    ) -> Result<Option<EventId>, WakeError> {
        let (tokens, reserved) = self.reserved(request);
        let mut own = json!(purpose);
        own["model"] = request.request.model.clone().into();
        own["reserved"] = json!(reserved);
        own["reserved_tokens"] = json!(tokens);
        let start = self.event(kinds::SPAN_MODEL_REQUEST_START, json!({"handbox": own}))?;
        let id = start.id();
        if shown.overtaken < OVERTAKEN_MAX {
            let begun = self.intend(vec![start]).await? == Intent::Written;
            shown.overtaken = if begun { 0 } else { shown.overtaken + 1 };
            return Ok(begun.then_some(id));
        }
        shown.overtaken = 0;
        self.tell(vec![start]).await?;
        if self.fold.interrupts.is_empty() && self.fold.status == Status::Running {
            return Ok(Some(id));
        }
        // It was never sent, and costs nothing.
        let end = self.lost_end(id, Used::default())?;
        self.tell(vec![end]).await?;
        Ok(None)
    }

    /// Makes a request, unless it is cut off.
    pub(super) async fn exchange(
        &self,
        request: &Request,
        previewer: &mut Previewer<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Asked, WakeError> {
        self.tenure.hold().await?;
        let left = self.time_left();
        tokio::select! {
            biased;
            interrupted = watch.interrupt(self.written()) => interrupted.map(|()| Asked::Cut),
            () = self.pass(left) => Ok(Asked::Cut),
            answer = self.brain.model.ask(&request.request, previewer) => Ok(match answer {
                Ok(reply) => match check(&reply) {
                    Ok(()) => Asked::Reply(reply),
                    Err(message) => Asked::Failed(ModelError {
                        kind: ModelErrorKind::Failed,
                        message,
                        retry_after: None,
                        usage: reply.usage,
                    }),
                },
                Err(error) => Asked::Failed(error),
            }),
        }
    }

    /// For how long what is going on may still go on.
    pub(super) fn time_left(&self) -> Option<Duration> {
        let left = active_ms_left(&self.fold, &self.runs, self.now());
        // A millisecond more, so that the limit is reached by whichever clock.
        left.map(|left| Duration::from_millis(left.saturating_add(1)))
    }

    /// Waits, for ever if there is no limit.
    pub(super) async fn pass(&self, time: Option<Duration>) {
        match time {
            Some(time) => self.brain.surroundings.sleep(time).await,
            None => std::future::pending().await,
        }
    }

    /// The ends of requests whose brain died over them. Nobody knows what they used, so all that was reserved is counted.
    pub(super) async fn forget(&mut self, requests: &[OpenRequest]) -> Result<Vec<Event>, WakeError> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Reserved {
            reserved: Money,
            reserved_tokens: Tokens,
        }
        let mut events = Vec::new();
        for request in requests {
            let own = self.at(request.place).await?.members().remove("handbox").unwrap_or_default();
            let reserved: Reserved = serde_json::from_value(own).unwrap_or_default();
            let most = Used { tokens: reserved.reserved_tokens, cost: reserved.reserved, estimated: true };
            events.push(self.lost_end(request.id, if request.replied { Used::default() } else { most })?);
        }
        Ok(events)
    }

    /// What follows from a request that failed: the next try, or the end of the turn.
    pub(super) fn failed(
        &mut self,
        start: EventId,
        request: &Request,
        error: &ModelError,
        heard: Heard,
    ) -> Result<Vec<Event>, WakeError> {
        let mut events = vec![self.lost_end(start, self.used_failing(request, error, heard))?];
        let mut own = json!({"part": "model", "incarnation": self.brain.model.provider()});
        if error.kind == ModelErrorKind::Rejected {
            // It may be too long, which the next turn is to know.
            own["context_tokens"] = request.most().input_tokens.into();
        }
        let wait = self.wait_after(error);
        let Some(wait) = wait else {
            events.push(self.error(name(error.kind), &error.message, After::Exhausted, own)?);
            events.extend(self.flush()?);
            events.extend(self.idle(&json!({"type": "retries_exhausted"}), &Stop::EndTurn)?);
            return Ok(events);
        };
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        own["retry_at_unix_ms"] = Value::from(self.now().saturating_add(wait_ms));
        events.push(self.error(name(error.kind), &error.message, After::Retrying, own)?);
        if wait >= self.brain.settings.reschedule {
            events.push(self.thread(kinds::SESSION_THREAD_STATUS_RESCHEDULED, json!({}))?);
            events.push(self.event(kinds::SESSION_STATUS_RESCHEDULED, json!({}))?);
        }
        Ok(events)
    }

    /// How long to wait before the next try; `None` if there is none.
    fn wait_after(&self, error: &ModelError) -> Option<Duration> {
        let settings = &self.brain.settings;
        let tries = self.fold.retries.count;
        if !error.kind.is_passing() || tries >= settings.retries_max {
            return None;
        }
        let mut chance = [0; 4];
        self.brain.surroundings.chance(&mut chance);
        let wait = backoff(settings, tries, u32::from_le_bytes(chance));
        match error.retry_after {
            Some(after) if after > settings.retry_wait_max => None,
            Some(after) => Some(after.max(wait)),
            None => Some(wait),
        }
    }
}

/// Full jitter: any wait up to one that doubles with each try.
fn backoff(settings: &Settings, tries: u64, chance: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(u32::try_from(tries).unwrap_or(u32::MAX));
    let most = settings.retry_wait.saturating_mul(doubled).min(settings.retry_wait_max);
    most.mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

fn name(kind: ModelErrorKind) -> &'static str {
    match kind {
        ModelErrorKind::Overloaded => "model_overloaded_error",
        ModelErrorKind::RateLimited => "model_rate_limited_error",
        ModelErrorKind::Billing => "billing_error",
        ModelErrorKind::Cut | ModelErrorKind::Failed | ModelErrorKind::Rejected | ModelErrorKind::Unauthorized => {
            "model_request_failed_error"
        }
    }
}
