//! What a session may use, and what happens when a model fails.

use super::bench::{Bench, calls, runs, says};
use handbox_brain::{Allowance, RunsWith};
use handbox_session::fold::{Money, SessionChanged, Status, StopReason, bodies::Body};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn endless() -> Value {
    json!([{"reply": [calls("look"), calls("look")]}])
}

fn turn(limit: Allowance) -> RunsWith {
    let mut runs = runs();
    runs.limits.turn = limit;
    runs
}

#[tokio::test]
async fn a_turn_that_made_its_rounds_ends_and_the_next_message_begins_another() {
    for limit in [
        Allowance { model_requests: Some(3), ..Allowance::default() },
        Allowance { tool_calls: Some(5), ..Allowance::default() },
    ] {
        let bench = Bench::new(&endless(), &turn(limit)).await;
        for times in 1..=2 {
            bench.say("go").await;
            assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RetriesExhausted));
            let errors = bench.all("session.error").await;
            assert_eq!(errors.len(), times);
            assert_eq!(errors[0]["error"]["type"], "tool_use_limit_reached_error");
            assert_eq!(errors[0]["error"]["retry_status"]["type"], "exhausted");
            assert_eq!(bench.model.requests.lock().unwrap().len(), 3 * times);
        }
        assert_eq!(bench.results().await.len(), bench.all("agent.tool_use").await.len());
    }
}

#[tokio::test]
async fn money_stops_and_more_money_goes_on() {
    let mut runs = runs();
    runs.limits.session.money = Some(Money::from_picodollars(1_000_000_000));
    let bench = Bench::new(&endless(), &runs).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::BudgetReached));
    let spent = bench.fold().await.total.spend;
    let asked = bench.model.requests.lock().unwrap().len();
    assert!(spent >= Money::from_picodollars(1_000_000_000) && asked > 1);
    let dearest = *bench.model.charged.lock().unwrap();
    assert_eq!(spent, dearest);
    bench.say("more").await;
    let rest = bench.wake().await;
    assert_eq!(
        (rest.stop_reason, bench.model.requests.lock().unwrap().len()),
        (Some(StopReason::BudgetReached), asked)
    );
    runs.limits.session.money = Some(Money::from_picodollars(20_000_000_000));
    let Value::Object(members) = serde_json::to_value(SessionChanged(runs.created(None, Default::default()))).unwrap()
    else {
        panic!("a body is an object")
    };
    assert_eq!(SessionChanged::KIND.as_str(), "handbox.session_changed");
    bench.client("handbox.session_changed", Value::Object(members)).await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::BudgetReached));
    assert!(bench.model.requests.lock().unwrap().len() > asked);
    assert_eq!(bench.all("session.usage").await.last().unwrap()["budget"]["max_list_cost"]["currency"], "USD");
}

#[tokio::test]
async fn time_ends_a_turn_also_in_the_middle_of_something() {
    let scripts = [
        json!([{"reply": [says(&"so ".repeat(10_000))], "chunk": 3, "chunk_ms": 5}]),
        json!([{"reply": [calls("slow_send")]}]),
        json!([{"error": {"kind": "overloaded", "retry_after_ms": 1900}}]),
    ];
    for script in scripts {
        let bench = Bench::new(&script, &turn(Allowance { active_ms: Some(150), ..Allowance::default() })).await;
        bench.say("go").await;
        let since = Instant::now();
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::BudgetReached));
        assert!(since.elapsed() < Duration::from_millis(1150), "{:?}", since.elapsed());
        assert_eq!(bench.results().await.len(), bench.all("agent.tool_use").await.len());
        assert!(bench.all("session.status_idle").await[0]["handbox"]["limit"].as_str().unwrap().contains("150 ms"));
    }
}

#[tokio::test]
async fn a_model_that_fails_for_a_while_is_asked_again() {
    let script = json!([
        {"times": 3, "reply": [says("half a")], "chunk": 2, "error": {"kind": "overloaded", "after_chunks": 2}},
        {"reply": [says("whole")]},
    ]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let errors = bench.all("session.error").await;
    assert_eq!(errors.len(), 3);
    assert_eq!(errors[0]["error"]["type"], "model_overloaded_error");
    assert_eq!(errors[0]["error"]["retry_status"]["type"], "retrying");
    assert_eq!(errors[0]["handbox"]["part"], "model");
    assert_eq!(bench.all("agent.message").await.len(), 1);
    assert_eq!(bench.fold().await.total.model_requests_lost, 3);
    let requests = bench.model.requests.lock().unwrap();
    let texts: Vec<String> = requests.iter().map(|request| serde_json::to_string(request).unwrap()).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]), "a request is made again byte for byte");
}

#[tokio::test]
async fn a_model_that_will_not_ends_the_turn_and_what_is_queued_is_given_up() {
    let cases = [
        ("rejected", "model_request_failed_error"),
        ("billing", "billing_error"),
        ("unauthorized", "model_request_failed_error"),
    ];
    for (kind, error) in cases {
        let bench = Bench::new(&json!([{"times": 1, "error": {"kind": kind}}, {"reply": [says("ok")]}]), &runs()).await;
        bench.say("go").await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RetriesExhausted));
        assert_eq!(bench.all("session.error").await[0]["error"]["type"], error);
        assert_eq!(bench.all("session.error").await[0]["error"]["retry_status"]["type"], "exhausted");
        assert!(bench.fold().await.queue.is_empty());
        bench.say("again").await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    }
}

#[tokio::test]
async fn a_long_wait_is_left_to_the_caller_and_the_session_says_that_it_is_rescheduled() {
    let mut bench = Bench::new(
        &json!([{"times": 1, "error": {"kind": "rate_limited", "retry_after_ms": 1500}},
        {"reply": [says("ok")]}]),
        &runs(),
    )
    .await;
    bench.brain.settings.reschedule = Duration::from_millis(1000);
    bench.brain.settings.patience = Duration::from_millis(500);
    bench.say("go").await;
    let rest = bench.wake().await;
    assert_eq!(rest.status, Status::Rescheduling);
    let due = rest.wake_at_unix_ms.unwrap();
    assert_eq!(bench.wake().await.head, rest.head, "too early, nothing happens");
    bench.time.by_ms.store(1600, std::sync::atomic::Ordering::SeqCst);
    assert!(due <= handbox_brain::Surroundings::now_unix_ms(&*bench.time));
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert_eq!(bench.all("session.status_running").await.len(), 2);
}

#[tokio::test]
async fn a_refusal_is_a_stop_reason() {
    let bench = Bench::new(&json!([{"reply": [says("no")], "stop_reason": "refusal"}]), &runs()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::Refusal));
    assert_eq!(bench.all("session.status_idle").await[0]["stop_details"]["type"], "refusal");
}
