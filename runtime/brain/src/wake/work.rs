//! The loop.

use super::ask::Shown;
use super::desk::{Desk, Intent};
use super::say::After;
use super::watch::Watch;
use super::{Brain, Rest, WakeError};
use crate::step::{Step, deadline, next_step};
use handbox_session::fold::{BrainWoke, InputTaken};
use handbox_session::{EventId, Lease, kinds};
use serde_json::json;
use std::time::Duration;

/// How many steps in a row may change nothing. Each decides on what the one before wrote, so that two are a mistake of
/// this program; a few more leave room for appends of others that come first.
const IDLE_STEPS_MAX: u32 = 64;

/// Works on a session until it rests.
pub(super) async fn run(brain: &Brain, lease: &Lease) -> Result<Rest, WakeError> {
    let mut desk = match Desk::open(brain, lease).await {
        Err(WakeError::Unusable(what)) => return give_up(brain, lease, what).await,
        opened => opened?,
    };
    let mut watch = Watch::new(&*brain.log, lease.session);
    let mut shown = Shown::default();
    let woke_before = desk.fold.anchors.woke;
    let (mut last, mut idle_steps) = (desk.fold.next(), 0);
    loop {
        let before = desk.runs.context.clone();
        match desk.refresh().await {
            Err(WakeError::Unusable(what)) => return give_up(brain, lease, what).await,
            refreshed => refreshed?,
        }
        if desk.runs.context != before {
            shown.forget();
        }
        let step = next_step(&desk.fold, &desk.runs, desk.now());
        tracing::trace!(session = %lease.session, ?step, "next");
        if let Some(wake_at) = resting(&desk, &step) {
            // What was staged is written first, unless somebody was faster.
            if desk.intend(Vec::new()).await? == Intent::Written {
                return Ok(rest(&desk, wake_at));
            }
            continue;
        }
        // What is staged may be taken back, and this with it.
        if desk.fold.anchors.woke == woke_before {
            let body = BrainWoke { holder: brain.settings.holder.clone(), epoch: lease.epoch, reason: None };
            let event = desk.body(&body)?;
            desk.stage(vec![event])?;
        }
        act(&mut desk, step.clone(), &mut shown, &mut watch).await?;
        idle_steps = if desk.fold.next() == last { idle_steps + 1 } else { 0 };
        last = desk.fold.next();
        if idle_steps > IDLE_STEPS_MAX {
            return Err(WakeError::Bug(format!("it does not get on: {step:?}")));
        }
    }
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
            take(desk, ids)?;
        }
        Step::Take(ids) => take(desk, ids)?,
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

fn take(desk: &mut Desk<'_>, ids: Vec<EventId>) -> Result<(), WakeError> {
    if ids.is_empty() {
        return Ok(());
    }
    let event = desk.body(&InputTaken { ids })?;
    desk.stage(vec![event])
}

/// Waits for the next try.
async fn later(desk: &mut Desk<'_>, at_unix_ms: u64, watch: &mut Watch<'_>) -> Result<(), WakeError> {
    if desk.intend(Vec::new()).await? == Intent::Overtaken {
        return Ok(());
    }
    let wait = Duration::from_millis(at_unix_ms.saturating_sub(desk.now()));
    let left = desk.time_left();
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

/// Ends a session from which no brain can go on.
async fn give_up(brain: &Brain, lease: &Lease, what: String) -> Result<Rest, WakeError> {
    let mut desk = Desk::unusable(brain, lease).await?;
    if desk.fold.status != handbox_session::fold::Status::Terminated {
        let own = json!({"part": "session", "incarnation": lease.session});
        let error = desk.error("unknown_error", &what, After::Terminal, own)?;
        let thread = desk.thread(kinds::SESSION_THREAD_STATUS_TERMINATED, json!({}))?;
        let terminated = desk.event(kinds::SESSION_STATUS_TERMINATED, json!({}))?;
        desk.tell(vec![error, thread, terminated]).await?;
    }
    Ok(rest(&desk, None))
}
