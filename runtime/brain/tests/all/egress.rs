//! What a call sends is on record in its session.

use super::bench::{Bench, Gate, Ledger, calls, runs, says};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

async fn at_the_request(tool: &str) -> (Bench, Arc<Gate>, tokio::task::JoinHandle<()>) {
    let gate = Gate::at_point("egress decided");
    let script = json!([{"when": {"step": 1}, "reply": [calls(tool)]}, {"reply": [says("done")]}]);
    let bench = Bench::with(&script, &runs(), gate.clone(), Ledger::default()).await;
    bench.say("go").await;
    let (brain, session) = (bench.brain.clone(), bench.session);
    let woken = tokio::spawn(async move {
        brain.wake(session).await.unwrap();
    });
    gate.reached().await;
    (bench, gate, woken)
}

#[tokio::test]
async fn what_may_change_something_is_in_the_log_before_it_is_sent() {
    let (bench, gate, woken) = at_the_request("post").await;
    let before = bench.all("handbox.egress").await;
    assert_eq!(before.len(), 1);
    assert_eq!(before[0]["method"], "POST");
    assert_eq!(before[0]["verdict"], "allowed");
    assert_eq!(before[0]["tool_use_id"], bench.call(0).await.to_string());
    gate.open();
    woken.await.unwrap();
    let ended = bench.all("handbox.egress_ended").await;
    assert_eq!((ended.len(), &ended[0]["status"], &ended[0]["request"]), (1, &json!(204), &before[0]["request"]));
}

#[tokio::test]
async fn what_only_reads_is_written_with_the_result() {
    let (bench, gate, woken) = at_the_request("fetch").await;
    assert!(bench.all("handbox.egress").await.is_empty(), "that costs no append of its own");
    gate.open();
    woken.await.unwrap();
    let kinds = bench.kinds().await;
    let at = |kind: &str| kinds.iter().position(|own| own == kind).unwrap();
    assert!(at("handbox.egress") < at("handbox.egress_ended"));
    assert!(at("handbox.egress_ended") < at("agent.tool_result"));
}

#[tokio::test]
async fn an_interrupt_loses_no_record_of_what_was_sent() {
    let (bench, _gate, woken) = at_the_request("fetch").await;
    bench.interrupt().await;
    woken.await.unwrap();
    assert_eq!(bench.all("handbox.egress").await.len(), 1);
}

#[tokio::test]
async fn a_brain_that_was_replaced_sends_nothing_that_may_change_something() {
    let gate = Gate::at_point("tool started");
    let script = json!([{"when": {"step": 1}, "reply": [calls("post")]}, {"reply": [says("done")]}]);
    let ledger = Ledger::default();
    let bench = Bench::with(&script, &runs(), gate.clone(), ledger.clone()).await;
    bench.say("go").await;
    let (brain, session) = (bench.brain.clone(), bench.session);
    let woken = tokio::spawn(async move { brain.wake(session).await });
    gate.reached().await;
    bench.pass(Duration::from_secs(31));
    // It does not know what became of the call, and says so.
    bench.wake().await;
    gate.open();
    woken.await.unwrap().unwrap_err();
    assert_eq!(bench.effects("request"), 0, "{:?}", ledger.lock().unwrap());
}
