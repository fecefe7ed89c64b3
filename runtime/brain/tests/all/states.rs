//! Logs as they may be found: of other programs, cut off anywhere, with answers to nothing. A brain takes each of them up,
//! and an interrupt ends each in rest.

#[expect(dead_code, reason = "the tests of sessions use the rest of it")]
#[path = "../../../session/tests/all/fold_story.rs"]
mod fold_story;

use super::bench::{Bench, READS, WRITES, runs, says, tool};
use fold_story::{Story, histories};
use handbox_brain::step::{Step, Stop, next_step};
use handbox_brain::{Policy, RunsWith, ToolSpec};
use handbox_hand::Recovery;
use handbox_session::fold::{
    CallOf, Fold, OpenCall, Outcome, Permission, SessionCreated, Status, StopReason, Verdict, bodies::Body,
};
use handbox_session::{Batch, Event, NewSession, SessionId, SessionLog, Writer};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

/// What the sessions of these stories run with: their one tool is called `t`.
fn runs_of(recovery: usize) -> RunsWith {
    let mut runs = runs();
    let hints = if recovery == 3 { READS } else { WRITES };
    let recovery = [Recovery::Ask, Recovery::Retry, Recovery::Reconcile, Recovery::Ask][recovery];
    runs.tools.push(ToolSpec::of_hand("test", &tool("t", hints, recovery), Policy::AlwaysAllow));
    runs.limits.turn.model_requests = Some(50);
    runs
}

fn events(story: &Story, runs: &RunsWith) -> Vec<Event> {
    let mut events: Vec<Event> = story.entries.iter().map(|entry| entry.event.clone()).collect();
    let created: SessionCreated = runs.created(None, Default::default());
    events[0] = created.to_event(events[0].id()).unwrap();
    events
}

/// Whether a session rests: nothing of it is left that a brain would go on with.
fn rests(fold: &Fold) -> bool {
    match fold.status {
        Status::Terminated => true,
        Status::Idle => {
            let waits = fold.stop_reason == Some(StopReason::RequiresAction);
            fold.requests.is_empty() && fold.interrupts.is_empty() && (waits || fold.calls.is_empty())
        }
        Status::Running | Status::Rescheduling => false,
    }
}

async fn take_up(story: &Story, recovery: usize) -> Result<(), TestCaseError> {
    let runs = runs_of(recovery);
    let mut bench = Bench::new(&json!([{"reply": [says("done")]}]), &runs).await;
    bench.session = SessionId::at(7, [7; 10]);
    let events = events(story, &runs);
    bench.log.create(NewSession::own(bench.session, events)).await.unwrap();
    bench.brain.settings.retry_wait_max = Duration::from_millis(1);
    let woken = bench.state().await;
    let rest = tokio::time::timeout(Duration::from_secs(20), bench.brain.wake(bench.session)).await;
    let why = || format!("{woken:?}");
    let rest = rest.map_err(|_| TestCaseError::fail(format!("it does not come to rest: {}", why())))?;
    rest.map_err(|error| TestCaseError::fail(format!("{error}: {}", why())))?;
    prop_assert!(rests(&bench.fold().await), "not at rest: {:#?}", bench.fold().await);

    let interrupt = bench.event("user.interrupt", json!({}));
    let batch = Batch { session: bench.session, writer: Writer::Client, after: None, events: vec![interrupt] };
    bench.log.append(vec![batch]).await.unwrap();
    bench.brain.wake(bench.session).await.map_err(|error| TestCaseError::fail(error.to_string()))?;
    let fold = bench.fold().await;
    prop_assert!(rests(&fold) && fold.stop_reason != Some(StopReason::RequiresAction), "{fold:#?}");
    let head = fold.through().unwrap();
    let again = bench.brain.wake(bench.session).await.unwrap();
    prop_assert_eq!(again.head, head, "who rests is left alone");
    Ok(())
}

proptest! {
    #[test]
    fn whatever_a_log_says_a_brain_takes_it_up_and_an_interrupt_ends_it(story in histories(60), recovery in 0..4_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(take_up(&story, recovery))?;
    }

    #[test]
    fn a_step_never_does_what_it_must_not(story in histories(80), recovery in 0..4_usize, days in 0..60_u64) {
        let runs = runs_of(recovery);
        let now = fold_story::BEGIN_UNIX_MS + days * 86_400_000;
        for count in 0..=story.entries.len() {
            let fold = story.fold(count);
            let step = next_step(&fold, &runs, now);
            let why = || format!("{step:?} {fold:#?}");
            prop_assert!(fold.status != Status::Terminated || step == Step::Rest(None), "{}", why());
            let begins = matches!(step, Step::Ask | Step::Compact | Step::Start(_) | Step::Reconcile(_));
            let runs_now = fold.status == Status::Running;
            prop_assert!(!begins || (runs_now && fold.requests.is_empty() && fold.interrupts.is_empty()), "{}", why());
            match &step {
                Step::Ask | Step::Compact => prop_assert!(fold.calls.is_empty() && fold.queue.is_empty(), "{}", why()),
                Step::Start(starts) => {
                    let reads = |id| fold.call(id).is_some_and(|call| only_reads(&call.name, &runs));
                    prop_assert!(starts.len() == 1 || starts.iter().all(|start| reads(start.call)), "{}", why());
                    for start in starts {
                        let call = fold.call(start.call).unwrap();
                        prop_assert!(may_start(call, start.attempt, &runs), "{}", why());
                    }
                }
                Step::Settle(settled) => {
                    prop_assert!(settled.iter().all(|settled| fold.call(settled.call).is_some()), "{}", why());
                }
                Step::Begin(ids) | Step::Take(ids) => {
                    prop_assert!(ids.iter().all(|id| fold.queue.iter().any(|queued| queued.id == *id)), "{}", why());
                }
                Step::Stop(Stop::EndTurn | Stop::Refusal) => {
                    let done = fold.calls.is_empty() && (fold.news == 0 || !fold.interrupts.is_empty());
                    prop_assert!(done, "{}", why());
                }
                Step::Rest(_) => prop_assert!(!runs_now && fold.interrupts.is_empty(), "{}", why()),
                _ => {}
            }
        }
    }
}

fn only_reads(name: &str, runs: &RunsWith) -> bool {
    runs.tool(name).is_none_or(|tool| tool.hints.read_only)
}

/// Whether an attempt at a call is one that the client, the policy and what is known of earlier ones allow.
fn may_start(call: &OpenCall, attempt: u32, runs: &RunsWith) -> bool {
    let allowed = match call.permission {
        Permission::Allow => true,
        Permission::Deny => false,
        Permission::Ask => call.decision.is_some_and(|decision| decision.verdict == Verdict::Allow),
    };
    let follows = match &call.attempt {
        None => attempt == 1,
        Some(before) => {
            let known = before.outcome == Some(Outcome::NotStarted);
            let harmless = runs.tool(&call.name).is_some_and(|tool| tool.repeatable());
            attempt == before.number + 1 && (known || harmless)
        }
    };
    // An attempt that was begun says that the call was allowed then.
    follows && (allowed || call.attempt.is_some()) && call.of != CallOf::Custom
}
