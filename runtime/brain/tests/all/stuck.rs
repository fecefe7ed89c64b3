//! What once held a session up, or ended it: hands that hang or shout, long queues, versions that do not know each other.

use super::bench::{Bench, Gate, Ledger, Points, calls, runs, says};
use super::crashes::Brittle;
use super::wrapped::Wrapped;
use handbox_brain::{Rest, WakeError};
use handbox_hand::Outcome;
use handbox_session::fold::{SessionChanged, Status, StopReason, bodies::Body};
use handbox_session::{Batch, SessionLog, Writer};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

fn once(tool: &str) -> Value {
    json!([{"when": {"step": 1}, "reply": [calls(tool)]}, {"reply": [says("done: {{result}}")]}])
}

fn waking(bench: &Bench) -> JoinHandle<Result<Rest, WakeError>> {
    let (brain, session) = (bench.brain.clone(), bench.session);
    tokio::spawn(async move { brain.wake(session).await })
}

/// A session whose brain died over a call of a tool, right after it had its effect or right before.
async fn died_over(tool: &str, point: &'static str) -> Bench {
    let gate = Gate::at_point(point);
    let bench = Bench::with(&once(tool), &runs(), gate.clone(), Ledger::default()).await;
    bench.say("go").await;
    let brain = waking(&bench);
    gate.reached().await;
    brain.abort();
    let _ = brain.await;
    bench.pass(Duration::from_secs(31));
    bench
}

async fn interrupted(bench: &Bench, brain: JoinHandle<Result<Rest, WakeError>>) {
    let since = Instant::now();
    bench.interrupt().await;
    let rest = tokio::time::timeout(Duration::from_secs(5), brain).await.unwrap().unwrap().unwrap();
    assert_eq!((rest.status, rest.stop_reason), (Status::Idle, Some(StopReason::EndTurn)));
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    assert!(bench.fold().await.calls.is_empty());
}

#[tokio::test]
async fn an_interrupt_ends_a_hand_that_hangs_when_it_is_asked_what_became_of_a_call() {
    let gate = Gate::at_point("reconcile");
    let bench = Bench::with(&once("book"), &runs(), gate.clone(), Ledger::default()).await;
    bench.say("go").await;
    // A brain that dies once it wrote that it would make the call.
    let before = Gate::at_point("after handbox.call_started");
    let mut dying = bench.brain.clone();
    dying.log = Arc::new(Wrapped { log: bench.log.clone(), around: Brittle::new(before.clone()) });
    let session = bench.session;
    let dying = tokio::spawn(async move { dying.wake(session).await });
    before.reached().await;
    dying.abort();
    let _ = dying.await;
    bench.pass(Duration::from_secs(31));
    let brain = waking(&bench);
    gate.reached().await;
    interrupted(&bench, brain).await;
    assert_eq!(bench.effects("book"), 0);
}

#[tokio::test]
async fn an_interrupt_ends_a_hand_that_hangs_while_it_is_made_ready() {
    let gate = Gate::at_point("provide");
    let bench = Bench::with(&once("send"), &runs(), gate.clone(), Ledger::default()).await;
    bench.say("go").await;
    let brain = waking(&bench);
    gate.reached().await;
    interrupted(&bench, brain).await;
    assert_eq!(bench.effects("send"), 0);
    assert!(bench.all("handbox.call_started").await.is_empty());
}

#[tokio::test]
async fn a_turn_s_time_and_a_bound_end_a_hand_that_hangs_while_it_is_made_ready() {
    let gate = Gate::at_point("provide");
    let mut runs = runs();
    runs.limits.turn.active_ms = Some(150);
    let bench = Bench::with(&once("send"), &runs, gate, Ledger::default()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::BudgetReached));

    let gate = Gate::at_point("provide");
    let mut bench = Bench::with(&once("send"), &super::bench::runs(), gate, Ledger::default()).await;
    bench.brain.settings.provide = Duration::from_millis(50);
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert!(bench.results().await[0].contains("could not be made ready"), "{:?}", bench.results().await);
}

/// Lets two pass a point together, and none alone.
struct Together(tokio::sync::Barrier);

#[async_trait::async_trait]
impl Points for Together {
    async fn at(&self, name: &str) {
        if name == "provide" {
            self.0.wait().await;
        }
    }
}

#[tokio::test]
async fn the_hands_of_several_calls_are_made_ready_together() {
    let mut runs = runs();
    for tool in &mut runs.tools {
        tool.hand = Some(if tool.name.as_str() == "look" { "one" } else { "other" }.to_owned());
    }
    let reply = [calls("look"), calls("long"), calls("picture")];
    let script = json!([{"when": {"step": 1}, "reply": reply}, {"reply": [says("done")]}]);
    let points = Arc::new(Together(tokio::sync::Barrier::new(2)));
    let bench = Bench::with(&script, &runs, points, Ledger::default()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert_eq!(bench.all("handbox.hand_provisioned").await.len(), 2);
}

#[tokio::test]
async fn what_a_tool_says_of_its_failure_is_shown_as_long_results_are() {
    let bench = Bench::new(&once("shout"), &runs()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let result = &bench.all("agent.tool_result").await[0];
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(
        result["is_error"] == true && text.contains("characters, more than are shown") && text.len() < 60_000,
        "{}",
        text.len()
    );
    assert!(result["handbox"]["blob"].is_string() && !text.contains('\u{1b}'));
    let ended = &bench.all("handbox.call_ended").await[0];
    assert_eq!(ended["outcome"], "failed");
    assert!(ended["reason"].as_str().unwrap().len() < 10_000);
}

#[tokio::test]
async fn what_a_hand_says_became_of_a_call_is_shown_so_too() {
    let bench = died_over("book", "effect done").await;
    *bench.hands.hand.claims.lock().unwrap() = Some(Outcome::Failed("\u{1b}".repeat(2_000_000)));
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let ended = bench.all("handbox.call_ended").await.pop().unwrap();
    assert_eq!(ended["outcome"], "failed");
    assert!(!ended["reason"].as_str().unwrap().contains('\u{1b}'));
    assert!(bench.all("agent.tool_result").await[0]["handbox"]["blob"].is_string());
}

#[tokio::test]
async fn a_result_of_countless_parts_is_one_of_a_few_and_a_word_about_the_rest() {
    let bench = Bench::new(&once("scatter"), &runs()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let result = &bench.all("agent.tool_result").await[0];
    let blocks = result["content"].as_array().unwrap();
    assert!(blocks.len() < 100 && result.to_string().len() < 100_000);
    assert!(blocks.last().unwrap()["text"].as_str().unwrap().contains("further parts"), "{:?}", blocks.last());
    assert_eq!(bench.all("handbox.call_ended").await[0]["outcome"], "committed");
}

#[tokio::test]
async fn an_attempt_that_died_is_not_forgotten_when_its_hand_cannot_be_made_ready_again() {
    for tool in ["pay", "book", "look"] {
        let bench = died_over(tool, "effect done").await;
        bench.hands.refuses.store(true, Ordering::SeqCst);
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        let ended = bench.all("handbox.call_ended").await;
        assert_eq!((ended.len(), &ended[0]["outcome"]), (1, &json!("unknown")), "{tool}");
        let results = bench.results().await;
        assert!(results[0].contains("its bundle moved"), "{results:?}");
        assert_eq!(results[0].contains("may have taken effect"), tool != "look", "{results:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_died_is_not_forgotten_when_the_next_one_fails() {
    let bench = died_over("pay", "effect done").await;
    // The tool is there again, but does not want to.
    bench.hands.hand.sulks.store(true, Ordering::SeqCst);
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let results = bench.results().await;
    assert!(results[0].contains("not now") && results[0].contains("may have taken effect"), "{results:?}");
}

#[tokio::test]
async fn a_queue_of_any_length_is_taken() {
    for interrupt in [false, true] {
        let bench = Bench::new(&json!([{"reply": [says("done")]}]), &runs()).await;
        for _ in 0..8 {
            let events = (0..4000).map(|_| bench.event("user.message", json!({"content": []}))).collect();
            let batch = Batch { session: bench.session, writer: Writer::Client, after: None, events };
            bench.log.append(vec![batch]).await.unwrap();
        }
        if interrupt {
            bench.interrupt().await;
        } else {
            bench.say("go").await;
        }
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        assert!(bench.fold().await.queue.is_empty());
        assert_eq!(bench.model.requests.lock().unwrap().len(), usize::from(!interrupt));
        let taken = bench.all("handbox.input_taken").await;
        assert!(taken.iter().all(|taken| taken["ids"].as_array().unwrap().len() <= 1024));
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_read_is_left_as_it_is_and_can_be_interrupted_and_mended() {
    let later =
        [json!({"agent": {"model": 7}}), json!({"agent": {"model": {"id": "m"}}, "context": {"type": "dreams"}})];
    for change in later {
        let bench = Bench::new(&once("send"), &runs()).await;
        bench.client("handbox.session_changed", change).await;
        bench.say("go").await;
        for _ in 0..2 {
            assert!(matches!(bench.try_wake().await, Err(WakeError::Unusable(_))));
        }
        let errors = bench.all("session.error").await;
        assert_eq!(errors.len(), 1, "it is said once");
        assert_eq!((&errors[0]["handbox"]["part"], bench.fold().await.queue.len()), (&json!("session"), 1));
        let Value::Object(members) =
            serde_json::to_value(SessionChanged(runs().created(None, Default::default()))).unwrap()
        else {
            panic!("a body is an object")
        };
        bench.client(SessionChanged::KIND.as_str(), Value::Object(members)).await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        assert_eq!(bench.effects("send"), 1);
    }
}

#[tokio::test]
async fn a_session_that_can_no_longer_be_read_comes_to_rest_when_it_is_interrupted() {
    let bench = died_over("slow_send", "tool started").await;
    bench.client("handbox.session_changed", json!({"agent": {"model": 7}})).await;
    assert!(matches!(bench.try_wake().await, Err(WakeError::Unusable(_))));
    assert_eq!(bench.fold().await.status, Status::Running);
    bench.interrupt().await;
    let rest = bench.wake().await;
    assert_eq!((rest.status, rest.stop_reason), (Status::Idle, Some(StopReason::EndTurn)));
    assert!(bench.fold().await.calls.is_empty() && bench.results().await[0].contains("may have taken effect"));
}

#[tokio::test]
async fn the_time_in_which_no_brain_was_awake_counts_for_nobody() {
    let bench = died_over("slow", "tool started").await;
    bench.pass(Duration::from_secs(3 * 60 * 60));
    bench.say("are you there?").await;
    let brain = waking(&bench);
    while bench.all("handbox.call_started").await.len() < 2 {
        assert!(!brain.is_finished(), "{:#?}", bench.kinds().await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    interrupted(&bench, brain).await;
    let fold = bench.fold().await;
    assert!(fold.total.active_ms < 60_000, "{}", fold.total.active_ms);
    let usage = bench.all("session.usage").await.pop().unwrap();
    assert!(usage["usage"]["active_seconds"].as_f64().unwrap() < 60.0, "{usage}");
}
