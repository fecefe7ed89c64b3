//! The loop.

use super::ask::Shown;
use super::desk::{Desk, Intent};
use super::say::After;
use super::tenure::Tenure;
use super::watch::Watch;
use super::{Brain, Rest, WakeError};
use crate::step::{Step, deadline, next_step};
use handbox_session::fold::{BrainWoke, Status};
use handbox_session::{Event, EventId, kinds};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How many steps in a row may change nothing. Each decides on what the one before wrote, so that two are a mistake of
/// this program; a few more leave room for appends of others that come first.
const IDLE_STEPS_MAX: u32 = 64;

/// Works on a session until it rests.
pub(super) async fn run(brain: &Brain, tenure: &Arc<Tenure>) -> Result<Rest, WakeError> {
    let mut desk = Desk::open(brain, tenure).await?;
    let mut watch = Watch::new(&*brain.log, tenure.session);
    let mut shown = Shown::default();
    let woke_before = desk.fold.anchors.woke;
    let (mut last, mut idle_steps) = (desk.fold.next(), 0);
    loop {
        let before = desk.runs.context.clone();
        desk.refresh().await?;
        if desk.runs.context != before {
            shown.forget();
        }
        // Before anything is decided: how long the session ran says this event, too.
        if desk.fold.status == Status::Running && desk.fold.anchors.woke == woke_before {
            wake(&mut desk)?;
        }
        let step = next_step(&desk.fold, &desk.runs, desk.now());
        tracing::trace!(session = %tenure.session, ?step, "next");
        if let Some(what) = desk.unusable.clone().filter(|_| !goes_without(&desk, &step)) {
            return Err(leave(&mut desk, what).await?);
        }
        if let Some(wake_at) = resting(&desk, &step) {
            if desk.fold.status == Status::Running {
                let rescheduled = desk.event(kinds::SESSION_STATUS_RESCHEDULED, json!({}))?;
                desk.stage(vec![rescheduled])?;
            }
            // What was staged is written first, unless somebody was faster.
            if desk.intend(Vec::new()).await? == Intent::Written {
                return Ok(rest(&desk, wake_at));
            }
            continue;
        }
        // What is staged may be taken back, and this with it.
        if desk.fold.anchors.woke == woke_before {
            wake(&mut desk)?;
        }
        act(&mut desk, step.clone(), &mut shown, &mut watch).await?;
        idle_steps = if desk.fold.next() == last { idle_steps + 1 } else { 0 };
        last = desk.fold.next();
        if idle_steps > IDLE_STEPS_MAX {
            return Err(WakeError::Bug(format!("it does not get on: {step:?}")));
        }
    }
}

fn wake(desk: &mut Desk<'_>) -> Result<(), WakeError> {
    let body = BrainWoke { holder: desk.brain.settings.holder.clone(), epoch: desk.tenure.epoch(), reason: None };
    let event = desk.body(&body)?;
    desk.stage(vec![event])
}

/// Whether a step needs nothing of what the session runs with: to rest, and to come to rest when it is interrupted.
fn goes_without(desk: &Desk<'_>, step: &Step) -> bool {
    matches!(step, Step::Rest(_)) || !desk.fold.interrupts.is_empty()
}

/// Says in the log, once, that this program cannot work on the session, and leaves it as it is: whoever wrote what it
/// runs with may be a later Handbox, or a client who can write it again.
async fn leave(desk: &mut Desk<'_>, what: String) -> Result<WakeError, WakeError> {
    let own = json!({"part": "session", "incarnation": desk.session});
    let error = desk.error("unknown_error", &what, After::Retrying, own)?;
    if desk.fold.last_error.as_ref().is_none_or(|last| !says(&error, &last.message)) {
        desk.tell(vec![error]).await?;
    }
    Ok(WakeError::Unusable(what))
}

/// Whether a `session.error` says this, which may be cut.
fn says(error: &Event, message: &str) -> bool {
    let own = error.members();
    own["error"]["message"].as_str().is_some_and(|own| own.starts_with(message) && !message.is_empty())
}

/// Whether there is nothing to do but to wait, and for longer than a brain stays awake; gives until when, if that is known.
fn resting(desk: &Desk<'_>, step: &Step) -> Option<Option<u64>> {
    let patience = u64::try_from(desk.brain.settings.patience.as_millis()).unwrap_or(u64::MAX);
    match step {
        Step::Rest(wake_at) => Some(*wake_at),
        Step::Later(at_unix_ms) if at_unix_ms.saturating_sub(desk.now()) > patience => Some(Some(*at_unix_ms)),
        _ => None,
    }
}

/// Takes one step.
async fn act(desk: &mut Desk<'_>, step: Step, shown: &mut Shown, watch: &mut Watch<'_>) -> Result<(), WakeError> {
    match step {
        Step::Rest(_) => {}
        Step::Begin(ids) => {
            let running = desk.event(kinds::SESSION_STATUS_RUNNING, json!({}))?;
            let thread = desk.thread(kinds::SESSION_THREAD_STATUS_RUNNING, json!({}))?;
            desk.stage(vec![running, thread])?;
            take(desk, &ids)?;
        }
        Step::Take(ids) => take(desk, &ids)?,
        Step::Forget(requests) => {
            let events = desk.forget(&requests).await?;
            desk.stage(events)?;
        }
        Step::Settle(settlements) => {
            let events = desk.settle(&settlements).await?;
            desk.stage(events)?;
        }
        Step::Start(starts) => desk.start(&starts, watch).await?,
        Step::Reconcile(call) => desk.reconcile(call, watch).await?,
        Step::Ask => desk.ask(shown, watch).await?,
        Step::Compact => desk.compact(shown, watch).await?,
        Step::Later(at_unix_ms) => return later(desk, at_unix_ms, watch).await,
        Step::Stop(stop) => {
            let events = desk.stop(&stop)?;
            // If something came first, the session may have to go on.
            desk.intend(events).await?;
        }
    }
    Ok(())
}

fn take(desk: &mut Desk<'_>, ids: &[EventId]) -> Result<(), WakeError> {
    let events = desk.taken(ids)?;
    desk.stage(events)
}

/// Waits for the next try.
async fn later(desk: &mut Desk<'_>, at_unix_ms: u64, watch: &mut Watch<'_>) -> Result<(), WakeError> {
    if desk.intend(Vec::new()).await? == Intent::Overtaken {
        return Ok(());
    }
    let wait = Duration::from_millis(at_unix_ms.saturating_sub(desk.now()));
    // A session that is rescheduled does not run, so that its time does not pass.
    let left = desk.time_left().filter(|_| desk.fold.status == Status::Running);
    tokio::select! {
        biased;
        interrupted = watch.interrupt(desk.written()) => interrupted?,
        () = desk.pass(left) => {}
        () = desk.brain.surroundings.sleep(wait) => {}
    }
    desk.look().await
}

fn rest(desk: &Desk<'_>, wake_at_unix_ms: Option<u64>) -> Rest {
    Rest {
        head: desk.written(),
        status: desk.fold.status,
        stop_reason: desk.stop_reason(),
        waiting: desk.fold.waiting().collect(),
        wake_at_unix_ms: wake_at_unix_ms.or_else(|| deadline(&desk.fold, &desk.runs)),
    }
}
