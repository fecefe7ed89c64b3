//! Interrupts: from every state, to rest.

use super::bench::{Bench, calls, runs, says};
use handbox_brain::{Policy, Rest, RunsWith};
use handbox_session::fold::{Status, StopReason};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Long enough for a machine that is busy with other tests, and far less than what is interrupted takes.
const SOON: Duration = Duration::from_secs(3);
const CUT_OFF: &str = "Tool execution was interrupted before completion. Please retry.";

/// Wakes a brain, interrupts it once an event of a kind is there, and gives how it rests, and after which time.
async fn interrupted_at(bench: &Bench, kind: &str) -> (Rest, Duration) {
    let wake = tokio::spawn({
        let (brain, session) = (bench.brain.clone(), bench.session);
        async move { brain.wake(session).await }
    });
    while !bench.kinds().await.contains(&kind.to_owned()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(30)).await;
    bench.interrupt().await;
    let since = Instant::now();
    let rest = wake.await.unwrap().unwrap();
    let time = since.elapsed();
    assert!(time < SOON);
    assert_eq!((rest.status, rest.stop_reason.clone()), (Status::Idle, Some(StopReason::EndTurn)));
    let fold = bench.fold().await;
    assert!(fold.calls.is_empty() && fold.requests.is_empty() && fold.interrupts.is_empty());
    (rest, time)
}

#[tokio::test]
async fn in_the_middle_of_a_reply() {
    let script = json!([{"when": {"text": "again"}, "reply": [says("back")]},
        {"reply": [says(&"so ".repeat(10_000))], "chunk": 3, "chunk_ms": 5}]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("hello").await;
    interrupted_at(&bench, "span.model_request_start").await;
    let end = &bench.all("span.model_request_end").await[0];
    assert_eq!(end["is_error"], true);
    assert!(!bench.kinds().await.contains(&"agent.message".to_owned()));
    let total = bench.fold().await.total;
    assert!(total.waste.picodollars() > 0 && total.waste == total.spend && total.model_requests_lost == 1);
    bench.say("again").await;
    bench.wake().await;
    assert_eq!(bench.all("agent.message").await.len(), 1);
}

#[tokio::test]
async fn in_the_middle_of_a_tool() {
    let script =
        json!([{"when": {"step": 1}, "reply": [calls("slow_send"), calls("send")]}, {"reply": [says("done")]}]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("go").await;
    interrupted_at(&bench, "handbox.call_started").await;
    let results = bench.results().await;
    assert!(results[0].starts_with(CUT_OFF) && results[0].len() > CUT_OFF.len(), "what may have happened is said");
    assert_eq!((results[1].as_str(), results.len()), (CUT_OFF, 2));
    assert_eq!(bench.all("handbox.call_ended").await[0]["outcome"], "unknown");
    assert_eq!(bench.effects("slow_send") + bench.effects("send"), 0);
}

#[tokio::test]
async fn while_a_read_runs_beside_one_that_is_done() {
    let script = json!([{"when": {"step": 1}, "reply": [calls("slow"), calls("look")]}, {"reply": [says("done")]}]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("go").await;
    interrupted_at(&bench, "agent.tool_result").await;
    assert_eq!(bench.results().await, ["look look", CUT_OFF]);
}

#[tokio::test]
async fn while_it_waits_to_try_again() {
    let error = json!({"kind": "rate_limited", "retry_after_ms": 1900});
    let bench = Bench::new(&json!([{"error": error}]), &runs()).await;
    bench.say("go").await;
    interrupted_at(&bench, "session.error").await;
    assert_eq!(bench.fold().await.retries.count, 0);
}

#[tokio::test]
async fn soon_is_within_a_tenth_of_a_second() {
    let hangs = json!([{"when": {"step": 1}, "reply": [calls("slow_send")]}, {"reply": [says("done")]}]);
    let talks = json!([{"reply": [says(&"so ".repeat(10_000))], "chunk": 3, "chunk_ms": 5}]);
    for (script, kind) in [(hangs, "handbox.call_started"), (talks, "span.model_request_start")] {
        let mut times = Vec::new();
        for _ in 0..21 {
            let bench = Bench::new(&script, &runs()).await;
            bench.say("go").await;
            times.push(interrupted_at(&bench, kind).await.1);
        }
        times.sort();
        // The median: single ones belong to whatever else the machine does.
        assert!(times[10] < Duration::from_millis(100), "{times:?}");
    }
}

fn asking() -> RunsWith {
    let mut runs = runs();
    runs.tools.iter_mut().for_each(|tool| tool.permission = Policy::AlwaysAsk);
    runs
}

fn sends() -> Value {
    json!([{"when": {"step": 1}, "reply": [calls("send")]}, {"reply": [says("done")]}])
}

#[tokio::test]
async fn while_it_waits_for_its_client_and_an_approval_that_comes_later_is_none() {
    let bench = Bench::new(&sends(), &asking()).await;
    bench.say("go").await;
    bench.wake().await;
    let call = bench.call(0).await;
    bench.interrupt().await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    bench.confirm(call, "allow").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert_eq!((bench.effects("send"), bench.results().await), (0, vec![CUT_OFF.to_owned()]));
    assert!(bench.fold().await.queue.is_empty());
}

#[tokio::test]
async fn an_approval_and_an_interrupt_at_once_run_nothing() {
    for first in ["allow", "interrupt"] {
        let bench = Bench::new(&sends(), &asking()).await;
        bench.say("go").await;
        bench.wake().await;
        let call = bench.call(0).await;
        if first == "allow" {
            bench.confirm(call, "allow").await;
            bench.interrupt().await;
        } else {
            bench.interrupt().await;
            bench.confirm(call, "allow").await;
        }
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        assert_eq!((bench.effects("send"), bench.results().await.len()), (0, 1));
        assert!(bench.fold().await.queue.is_empty());
    }
}

#[tokio::test]
async fn before_a_brain_woke_and_at_rest() {
    let bench = Bench::new(&json!([{"reply": [says("done")]}]), &runs()).await;
    bench.interrupt().await;
    assert_eq!(bench.wake().await.stop_reason, None, "at rest there is nothing to interrupt");
    bench.say("go").await;
    bench.interrupt().await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    assert!(bench.model.requests.lock().unwrap().is_empty());
    bench.interrupt().await;
    bench.say("now").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let requests = bench.model.requests.lock().unwrap();
    let said = serde_json::to_string(&requests[0]).unwrap();
    assert!(requests.len() == 1 && said.contains("go") && said.contains("now"), "nothing that was said is lost");
}

#[tokio::test]
async fn what_was_queued_when_a_turn_was_interrupted_begins_the_next() {
    let script = json!([{"when": {"text": "first"}, "reply": [calls("slow")]}, {"reply": [says("{{prompt}}")]}]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("first").await;
    let wake = tokio::spawn({
        let (brain, session) = (bench.brain.clone(), bench.session);
        async move { brain.wake(session).await }
    });
    while !bench.kinds().await.contains(&"handbox.call_started".to_owned()) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    bench.say("second").await;
    bench.interrupt().await;
    wake.await.unwrap().unwrap();
    assert_eq!(bench.all("session.status_running").await.len(), 2);
    assert_eq!(bench.all("agent.message").await[0]["content"][0]["text"], "second");
}

/// Numbers that look like chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % most
    }

    fn script(&mut self) -> Value {
        let tools =
            ["look", "pay", "send", "book", "slow", "slow_send", "die", "trap", "fail", "panic", "limit", "none"];
        let errors = ["overloaded", "cut", "rejected", "rate_limited", "billing"];
        let entries = (0..8).map(|step| {
            let mut entry =
                json!({"when": {"step": step + 1}, "chunk": 2, "chunk_ms": self.below(3), "delay_ms": self.below(8)});
            let mut reply = vec![says("some words")];
            reply.extend((0..self.below(4)).map(|_| calls(tools[self.below(tools.len())])));
            entry["reply"] = json!(reply);
            if self.below(4) == 0 {
                entry["error"] = json!({"kind": errors[self.below(errors.len())], "after_chunks": self.below(3)});
                entry["times"] = json!(self.below(3) + 1);
            }
            entry
        });
        let mut entries: Vec<Value> = entries.collect();
        entries.push(json!({"reply": [says("the end")]}));
        json!(entries)
    }
}

/// A client that does anything at any time, brains that die, and at last one interrupt.
async fn story(seed: u64) {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut runs = runs();
    for tool in &mut runs.tools {
        tool.permission = [Policy::AlwaysAllow, Policy::AlwaysAllow, Policy::AlwaysAsk, Policy::Deny][chance.below(4)];
    }
    let bench = Bench::new(&chance.script(), &runs).await;
    for _ in 0..chance.below(5) + 2 {
        match chance.below(6) {
            0 => drop(bench.interrupt().await),
            1 | 2 => {
                let waiting: Vec<_> = bench.fold().await.waiting().collect();
                for waiting in waiting {
                    bench.confirm(waiting.id, ["allow", "deny"][chance.below(2)]).await;
                }
            }
            3 => drop(bench.confirm(bench.session_id_as_event(), "allow").await),
            _ => drop(bench.say("go on").await),
        }
        // A brain that works for a moment, and then is gone.
        let moment = Duration::from_millis(u64::try_from(chance.below(40)).unwrap());
        if let Ok(rest) = tokio::time::timeout(moment, bench.brain.wake(bench.session)).await {
            rest.unwrap();
        }
        bench.hands.alive.store(0, std::sync::atomic::Ordering::SeqCst);
        bench.clock.pass(Duration::from_secs(31));
    }
    bench.interrupt().await;
    let since = Instant::now();
    // What was queued before it may begin another turn, which a second interrupt ends; that the first was obeyed shows.
    let rest = match tokio::time::timeout(Duration::from_millis(500), bench.brain.wake(bench.session)).await {
        Ok(rest) => rest.unwrap(),
        Err(_) => {
            let kinds = bench.kinds().await;
            let after = |from: usize, kind: &str| kinds[from..].iter().position(|own| own == kind).map(|at| from + at);
            let interrupt = kinds.iter().rposition(|kind| kind == "user.interrupt").unwrap();
            let rested = after(interrupt, "session.status_idle");
            let again = rested.and_then(|rested| after(rested, "session.status_running"));
            assert!(again.is_some(), "seed {seed}: the interrupt was not obeyed: {kinds:#?}");
            bench.clock.pass(Duration::from_secs(31));
            bench.interrupt().await;
            bench.wake().await
        }
    };
    let fold = bench.fold().await;
    let why = format!("seed {seed}: {rest:?} {:#?}", bench.kinds().await);
    assert!(since.elapsed() < SOON, "{why}");
    assert_eq!(fold.status, Status::Idle, "{why}");
    assert!(fold.requests.is_empty() && fold.interrupts.is_empty(), "{why}");
    assert!(fold.calls.is_empty() || fold.stop_reason == Some(StopReason::RequiresAction), "{why}");
    assert!(fold.queue.is_empty() || fold.stop_reason == Some(StopReason::RequiresAction), "{why}");
    let results: Vec<Value> = bench.all("agent.tool_result").await;
    for call in bench.all("agent.tool_use").await {
        let of = results.iter().filter(|result| result["tool_use_id"] == call["id"]).count();
        let open = fold.calls.iter().any(|open| json!(open.id) == call["id"]);
        assert_eq!(of, usize::from(!open), "{why}");
    }
    assert_eq!(fold.oddities.malformed, 0, "{why}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_every_state_that_chance_finds() {
    for first in (0..160).step_by(16) {
        let stories: Vec<_> = (first..first + 16).map(|seed| tokio::spawn(story(seed + 1))).collect();
        for story in stories {
            story.await.unwrap();
        }
    }
}
