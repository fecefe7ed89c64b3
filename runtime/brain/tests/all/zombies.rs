//! Brains that were stopped for longer than their lease, and go on as if nothing had been.

use super::bench::{Bench, Gate, calls, runs, says};
use super::crashes::Brittle;
use super::wrapped::Wrapped;
use handbox_brain::{Rest, WakeError};
use handbox_session::fold::StopReason;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// A brain that is stopped at a point of its log.
fn stopped_at(bench: &Bench, gate: &Arc<Gate>) -> JoinHandle<Result<Rest, WakeError>> {
    let mut brain = bench.brain.clone();
    brain.log = Arc::new(Wrapped { log: bench.log.clone(), around: Brittle::new(gate.clone()) });
    let session = bench.session;
    tokio::spawn(async move { brain.wake(session).await })
}

fn once(tool: &str) -> Value {
    json!([{"when": {"step": 1}, "reply": [calls(tool)]}, {"reply": [says("done")]}])
}

#[tokio::test]
async fn a_call_is_not_made_by_a_brain_whose_lease_ended_after_it_wrote_that_it_would() {
    for tool in ["book", "send", "pay", "look"] {
        let bench = Bench::new(&once(tool), &runs()).await;
        bench.say("go").await;
        let gate = Gate::at_point("after handbox.call_started");
        let zombie = stopped_at(&bench, &gate);
        gate.reached().await;
        bench.pass(Duration::from_secs(31));
        // The hand can tell that the call was never made, so that the next brain makes it.
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        let done = bench.effects(tool);
        gate.open();
        assert!(matches!(zombie.await.unwrap(), Err(WakeError::Fenced { .. })), "{tool}");
        assert_eq!(bench.effects(tool), done, "{tool}");
    }
}

#[tokio::test]
async fn a_model_is_not_asked_by_a_brain_whose_lease_ended() {
    let bench = Bench::new(&json!([{"reply": [says("done")]}]), &runs()).await;
    bench.say("go").await;
    let gate = Gate::at_point("after span.model_request_start");
    let zombie = stopped_at(&bench, &gate);
    gate.reached().await;
    bench.pass(Duration::from_secs(31));
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    gate.open();
    assert!(matches!(zombie.await.unwrap(), Err(WakeError::Fenced { .. })));
    assert_eq!(bench.model.requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_brain_that_was_stopped_and_is_not_replaced_makes_its_lease_sure_and_goes_on() {
    let bench = Bench::new(&once("send"), &runs()).await;
    bench.say("go").await;
    let gate = Gate::at_point("after handbox.call_started");
    let brain = stopped_at(&bench, &gate);
    gate.reached().await;
    // Almost over: too late to begin anything, and early enough to be renewed.
    bench.pass(Duration::from_secs(28));
    gate.open();
    assert_eq!(brain.await.unwrap().unwrap().stop_reason, Some(StopReason::EndTurn));
    assert_eq!(bench.effects("send"), 1);
}

#[tokio::test]
async fn a_brain_whose_lease_ended_while_nobody_else_was_at_work_claims_again_and_goes_on() {
    for point in ["after handbox.call_started", "after span.model_request_start", "before span.model_request_end"] {
        let bench = Bench::new(&once("send"), &runs()).await;
        bench.say("go").await;
        let gate = Gate::at_point(point);
        let brain = stopped_at(&bench, &gate);
        gate.reached().await;
        bench.pass(Duration::from_secs(31));
        // It comes to the same point again, where nothing stops it any more.
        let mut brain = brain;
        let rest = loop {
            gate.open();
            if let Ok(rest) = tokio::time::timeout(Duration::from_millis(5), &mut brain).await {
                break rest.unwrap().unwrap();
            }
        };
        assert_eq!(rest.stop_reason, Some(StopReason::EndTurn), "{point}");
        assert_eq!(bench.effects("send"), 1, "{point}");
        assert_eq!(bench.model.requests.lock().unwrap().len(), 2, "nothing is asked twice: {point}");
        let kinds = bench.kinds().await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "handbox.call_started").count(), 1, "{point}");
    }
}

/// The process that holds the store dies, and with it every lease; the brains of others are as they were.
#[tokio::test]
async fn what_a_call_gave_is_kept_though_the_lease_ended_meanwhile() {
    let gate = Gate::at_point("effect done");
    let bench = Bench::with(&once("send"), &runs(), gate.clone(), Arc::default()).await;
    bench.say("go").await;
    let brain = bench.brain.clone();
    let session = bench.session;
    let awake = tokio::spawn(async move { brain.wake(session).await });
    gate.reached().await;
    bench.pass(Duration::from_secs(31));
    gate.open();
    assert_eq!(awake.await.unwrap().unwrap().stop_reason, Some(StopReason::EndTurn));
    let results: Vec<Value> = bench.all("agent.tool_result").await;
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["is_error"], false, "{}", results[0]);
    assert_eq!(bench.effects("send"), 1);
}
