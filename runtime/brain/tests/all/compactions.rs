//! Summaries: when they are made, and what happens when there can be none.

use super::bench::{Bench, Kept, calls, runs, says};
use async_trait::async_trait;
use handbox_brain::RunsWith;
use handbox_brain::context::Context;
use handbox_brain::model::{Listener, Model, ModelError, ModelErrorKind, ModelRequest, Reply};
use handbox_session::fold::StopReason;
use serde_json::{Value, json};
use std::sync::Arc;

fn summed_up(at_tokens: u64) -> RunsWith {
    RunsWith { context: Context::Summary { at_tokens }, ..runs() }
}

fn requests(bench: &Bench) -> Vec<String> {
    bench.model.requests.lock().unwrap().iter().map(|request| serde_json::to_string(request).unwrap()).collect()
}

const ASKS: &str = "Sum up this conversation";

#[tokio::test]
async fn a_conversation_that_cannot_be_summed_up_goes_on_without_its_beginning() {
    let refusals = [json!({"error": {"kind": "rejected"}}), json!({"reply": [says(" ")]})];
    for mut refusal in refusals {
        refusal["when"] = json!({"text": "Sum up"});
        let script =
            json!([refusal, {"when": {"step": 1}, "reply": [calls("look"), calls("look")]}, {"reply": [says("done")]}]);
        let bench = Bench::new(&script, &summed_up(400)).await;
        for turn in 0..8 {
            bench.say(&format!("go {turn}")).await;
            assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn), "turn {turn}");
        }
        let error = &bench.all("session.error").await[0]["error"];
        assert_eq!(
            (&error["type"], &error["retry_status"]["type"]),
            (&json!("compaction_limit_reached_error"), &json!("retrying"))
        );
        let last = requests(&bench).pop().unwrap();
        assert!(last.contains("is left out") && last.contains("go 7") && !last.contains("go 0"), "{last}");
        assert_eq!(bench.fold().await.total.model_requests, requests(&bench).len() as u64);
    }
}

#[tokio::test]
async fn where_no_summary_helps_none_is_made_for_each_request() {
    let script = json!([
        {"when": {"text": "Sum up"}, "reply": [says("they said go, and it looked")]},
        {"when": {"step": 1}, "reply": [calls("look"), calls("look")]},
        {"reply": [says("done")]},
    ]);
    let bench = Bench::new(&script, &summed_up(1)).await;
    for turn in 0..10 {
        bench.say(&format!("go {turn}")).await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    }
    let requests = requests(&bench);
    let summaries = requests.iter().filter(|request| request.contains(ASKS)).count();
    assert!(summaries > 0 && summaries * 3 < requests.len(), "{summaries} of {}", requests.len());
}

/// A model that takes requests of at most so many bytes.
struct Narrow(Arc<Kept>, usize);

#[async_trait]
impl Model for Narrow {
    fn provider(&self) -> &str {
        "narrow"
    }
    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let bytes = serde_json::to_string(request).unwrap().len();
        if bytes > self.1 {
            let message = format!("{bytes} bytes are too many");
            return Err(ModelError { kind: ModelErrorKind::Rejected, message, retry_after: None, usage: None });
        }
        self.0.ask(request, listener).await
    }
}

#[tokio::test]
async fn after_a_turn_that_is_too_long_for_its_model_the_next_is_answered() {
    let script = json!([
        {"when": {"text": "Sum up"}, "reply": [says("much was done")]},
        {"when": {"text": "begin", "step": 1}, "reply": [calls("long")]},
        {"when": {"text": "begin", "step": 2}, "reply": [calls("long"), calls("long"), calls("long"), calls("long")]},
        {"reply": [says("done")]},
    ]);
    let mut bench = Bench::new(&script, &summed_up(1500)).await;
    bench.brain.model = Arc::new(Narrow(bench.model.clone(), 14_000));
    bench.say("begin").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RetriesExhausted));
    for turn in 0..3 {
        bench.say(&format!("and now {turn}")).await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn), "{:#?}", bench.kinds().await);
    }
}

#[tokio::test]
async fn what_was_said_while_a_turn_was_summed_up_is_shown_once_it_is_taken() {
    let script: Value = json!([
        {"when": {"text": "Sum up"}, "reply": [says("they said go")]},
        {"when": {"text": "second"}, "reply": [says("heard second")]},
        {"when": {"step": 1}, "reply": [calls("look"), calls("slow")]},
        {"reply": [says("done")]},
    ]);
    let bench = Bench::new(&script, &summed_up(1)).await;
    bench.say("first").await;
    let wake = tokio::spawn({
        let (brain, session) = (bench.brain.clone(), bench.session);
        async move { brain.wake(session).await }
    });
    while bench.all("agent.tool_result").await.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    bench.say("second").await;
    bench.interrupt().await;
    wake.await.unwrap().unwrap();
    let said = bench.all("agent.message").await.pop().unwrap();
    assert_eq!(said["content"][0]["text"], "heard second");
}
