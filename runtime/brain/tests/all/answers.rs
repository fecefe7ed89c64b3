//! Waiting for the client: approvals, its own tools, deadlines.

use super::bench::{Bench, WRITES, calls, runs, says, tool};
use handbox_brain::{Policy, RunsWith, ToolSpec};
use handbox_hand::Recovery;
use handbox_session::fold::{Oddities, SessionChanged, Status, StopReason, bodies::Body};
use handbox_session::{Batch, NewSession, SessionId, SessionLog, Writer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

fn asking() -> RunsWith {
    let mut runs = runs();
    for tool in &mut runs.tools {
        if !tool.hints.read_only {
            tool.permission = Policy::AlwaysAsk;
        }
    }
    let own = tool("own", WRITES, Recovery::Ask);
    runs.tools.push(ToolSpec { hand: None, ..ToolSpec::of_hand("", &own, Policy::AlwaysAllow) });
    runs
}

fn one(name: &str) -> Value {
    json!([{"when": {"step": 1}, "reply": [calls(name)]}, {"reply": [says("done: {{result}}")]}])
}

async fn last_text(bench: &Bench) -> String {
    let message = bench.all("agent.message").await.pop().unwrap();
    message["content"][0]["text"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_approved_call_runs_once_however_often_it_is_approved() {
    let bench = Bench::new(&one("send"), &asking()).await;
    bench.say("go").await;
    let rest = bench.wake().await;
    assert_eq!((rest.stop_reason, rest.waiting.len()), (Some(StopReason::RequiresAction), 1));
    assert!(rest.wake_at_unix_ms.is_some());
    let head = rest.head;
    assert_eq!(bench.wake().await.head, head, "waking it again changes nothing");
    let call = bench.call(0).await;
    assert_eq!(bench.all("session.status_idle").await[0]["stop_reason"]["event_ids"], json!([call]));
    bench.confirm(call, "allow").await;
    bench.confirm(call, "deny").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    bench.confirm(call, "allow").await;
    let rest = bench.wake().await;
    assert_eq!((rest.status, rest.stop_reason), (Status::Idle, Some(StopReason::EndTurn)));
    assert_eq!(bench.effects("send"), 1);
    assert!(bench.fold().await.queue.is_empty());
    assert_eq!(last_text(&bench).await, "done: send send");
}

#[tokio::test]
async fn a_denied_call_does_not_run_and_the_model_reads_why() {
    let bench = Bench::new(&one("send"), &asking()).await;
    bench.say("go").await;
    bench.wake().await;
    let call = bench.call(0).await;
    bench
        .client("user.tool_confirmation", json!({"tool_use_id": call, "result": "deny", "deny_message": "not today"}))
        .await;
    bench.wake().await;
    assert_eq!(
        (bench.effects("send"), last_text(&bench).await.as_str()),
        (0, "done: The user denied this call: not today")
    );
}

#[tokio::test]
async fn a_call_that_nobody_answers_is_denied_after_thirty_days() {
    let bench = Bench::new(&one("send"), &asking()).await;
    bench.say("go").await;
    let rest = bench.wake().await;
    let days = 30 * 24 * 60 * 60 * 1000;
    let due = rest.wake_at_unix_ms.unwrap();
    assert_eq!(due, bench.call(0).await.unix_ms() + days);
    bench.time.by_ms.store(days - 60_000, Ordering::SeqCst);
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RequiresAction));
    bench.time.by_ms.store(days + 1, Ordering::SeqCst);
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert_eq!(bench.all("handbox.wait_expired").await[0]["default"], "deny");
    assert_eq!((bench.effects("send"), bench.results().await.len()), (0, 1));
    bench.confirm(bench.call(0).await, "allow").await;
    bench.wake().await;
    assert_eq!(bench.effects("send"), 0, "an approval that comes too late is none");
}

#[tokio::test]
async fn an_approval_after_the_deadline_is_none_also_if_no_brain_was_awake_at_it() {
    let days = 30 * 24 * 60 * 60 * 1000;
    for late in [false, true] {
        let bench = Bench::new(&one("send"), &asking()).await;
        bench.say("go").await;
        bench.wake().await;
        let call = bench.call(0).await;
        bench.time.by_ms.store(if late { days + 1 } else { days - 60_000 }, Ordering::SeqCst);
        bench.confirm(call, "allow").await;
        bench.time.by_ms.store(2 * days, Ordering::SeqCst);
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        assert_eq!(bench.effects("send"), usize::from(!late));
        assert_eq!(bench.all("handbox.wait_expired").await.len(), usize::from(late));
        assert!(bench.fold().await.queue.is_empty());
    }
}

#[tokio::test]
async fn the_clients_own_tools_are_answered_by_the_client_and_what_is_missing_is_asked_again() {
    let script = json!([
        {"when": {"step": 1}, "reply": [calls("own"), calls("own"), calls("look")]},
        {"reply": [says("done")]},
    ]);
    let bench = Bench::new(&script, &asking()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.waiting.len(), 2);
    let (first, second) = (bench.call(0).await, bench.call(1).await);
    let answer = |id| json!({"custom_tool_use_id": id, "content": [{"type": "text", "text": "shipped"}]});
    bench.client("user.custom_tool_result", answer(first)).await;
    let rest = bench.wake().await;
    assert_eq!((rest.stop_reason, rest.waiting.len()), (Some(StopReason::RequiresAction), 1));
    let idle = bench.all("session.status_idle").await;
    assert_eq!(idle.last().unwrap()["stop_reason"]["event_ids"], json!([second]));
    assert_eq!(idle.len(), 2);
    // A message in between waits for its turn; an answer that was given already, and one to nothing, change nothing.
    bench.say("hurry").await;
    bench.client("user.custom_tool_result", answer(first)).await;
    bench.client("user.custom_tool_result", answer(bench.session_id_as_event())).await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RequiresAction));
    bench.client("user.custom_tool_result", answer(second)).await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert_eq!(bench.model.requests.lock().unwrap().len(), 2);
    assert_eq!(bench.fold().await.oddities.malformed, Oddities::default().malformed);
}

#[tokio::test]
async fn a_tool_that_is_denied_by_policy_or_has_changed_is_not_called() {
    let mut runs = asking();
    for tool in &mut runs.tools {
        match tool.name.as_str() {
            "send" => tool.permission = Policy::Deny,
            "look" => tool.description = "does something harmless".to_owned(),
            _ => {}
        }
    }
    let script = json!([{"when": {"step": 1}, "reply": [calls("send"), calls("look")]}, {"reply": [says("done")]}]);
    let bench = Bench::new(&script, &runs).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let results = bench.results().await;
    assert_eq!(results[0], "This tool may not be used in this session.");
    assert!(results[1].contains("is not what it was when this session began"));
    assert!(bench.hands.hand.ledger.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_sends_something_away_needs_approval_once_a_tool_was_called() {
    let mut runs = runs();
    runs.tools.iter_mut().filter(|tool| tool.name.as_str() == "send").for_each(|tool| {
        tool.permission = Policy::AskOnceTainted;
    });
    let script = json!([
        {"when": {"text": "both"}, "reply": [calls("look"), calls("send")]},
        {"when": {"step": 1}, "reply": [calls("send")]},
        {"when": {"step": 2, "turn": 1}, "reply": [calls("look")]},
        {"when": {"step": 3}, "reply": [calls("send")]},
        {"reply": [says("done")]},
    ]);
    let bench = Bench::new(&script, &runs).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RequiresAction));
    assert_eq!(bench.effects("send"), 1, "the first goes out unasked, the second does not");
    let other = Bench::new(&script, &runs).await;
    other.say("both").await;
    assert_eq!(other.wake().await.stop_reason, Some(StopReason::RequiresAction));
    assert_eq!(other.effects("send"), 0);
}

/// One yes is for one call: a fork does not carry out what was allowed in its parent.
#[tokio::test]
async fn an_approval_counts_in_the_session_in_which_it_was_given() {
    let script = json!([{"when": {"step": 1}, "reply": [calls("send")]}, {"reply": [says("done")]}]);
    let bench = Bench::new(&script, &asking()).await;
    bench.say("go").await;
    bench.wake().await;
    let waits = bench.fold().await.through().unwrap();
    let call = bench.call(0).await;
    bench.confirm(call, "allow").await;
    let allowed = bench.fold().await.through().unwrap();
    for (at, number) in [(allowed, 8), (waits, 9)] {
        let fork = SessionId::at(0, [number; 10]);
        bench.log.create(NewSession::fork(fork, bench.session, at)).await.unwrap();
        let rest = bench.brain.wake(fork).await.unwrap();
        // Where nobody had answered yet, the fork asks for itself.
        let expected = if at == allowed { StopReason::EndTurn } else { StopReason::RequiresAction };
        assert_eq!(rest.stop_reason, Some(expected));
        assert_eq!(bench.effects("send"), 0);
    }
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert_eq!(bench.effects("send"), 1);
}

/// What may never be called is not, though somebody was asked before that was said.
#[tokio::test]
async fn a_call_that_waits_is_denied_once_its_tool_may_not_be_used_any_more() {
    let script = json!([{"when": {"step": 1}, "reply": [calls("send")]}, {"reply": [says("done")]}]);
    let bench = Bench::new(&script, &asking()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RequiresAction));
    let mut denied = asking();
    denied.tools.iter_mut().for_each(|tool| tool.permission = Policy::Deny);
    let changed = SessionChanged(denied.created(None, BTreeMap::new()));
    let event = changed.to_event(bench.event("user.message", json!({})).id()).unwrap();
    let batch = Batch { session: bench.session, writer: Writer::Client, after: None, events: vec![event] };
    bench.log.append(vec![batch]).await.unwrap();
    bench.confirm(bench.call(0).await, "allow").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert_eq!(bench.effects("send"), 0);
}
