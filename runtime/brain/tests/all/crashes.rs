//! One turn, killed before and after everything that it does, and taken up by another brain.

use super::bench::{Bench, Ledger, Points, calls, runs, says};
use super::wrapped::{Around, Wrapped};
use async_trait::async_trait;
use handbox_brain::{Policy, Rest, RunsWith};
use handbox_session::fold::{Oddities, Status, StopReason};
use handbox_session::memory::MemoryLog;
use handbox_session::{Batch, Entry, Event, EventId, LogError, SessionId, SessionLog, Writer, kinds};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// Stops everything at the n-th point that is passed.
#[derive(Default)]
pub(crate) struct Bomb {
    fuse: AtomicI64,
    pub(crate) blown: Notify,
    pub(crate) at: Mutex<String>,
}

#[async_trait]
impl Points for Bomb {
    async fn at(&self, name: &str) {
        if self.fuse.fetch_sub(1, Ordering::SeqCst) == 1 {
            name.clone_into(&mut self.at.lock().unwrap());
            self.blown.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

impl Bomb {
    pub(crate) fn set(&self, fuse: i64) {
        self.fuse.store(fuse, Ordering::SeqCst);
    }
}

/// Passes a point before and after each append of a brain, and may lose what is sent.
pub(crate) struct Brittle {
    bomb: Arc<dyn Points>,
    /// Whether appends get lost, and their answers.
    loses: bool,
    losses: AtomicI64,
    /// How often in a row nothing can be found after an append was lost.
    blind: i64,
    blindness: AtomicI64,
}

impl Brittle {
    pub(crate) fn new(bomb: Arc<dyn Points>) -> Self {
        Self { bomb, loses: false, losses: AtomicI64::new(0), blind: 0, blindness: AtomicI64::new(0) }
    }

    /// One that loses every third append on the way there and every third answer, beginning with the n-th of three.
    pub(crate) fn losing(bomb: Arc<dyn Points>, from: i64) -> Self {
        Self { loses: true, losses: AtomicI64::new(from), ..Self::new(bomb) }
    }

    fn lost(&self) -> LogError {
        self.blindness.store(self.blind, Ordering::SeqCst);
        LogError::Unavailable("the connection is lost".into())
    }
}

/// What an append of a brain ends with; `None` for anybody else's.
fn ends_with(batches: &[Batch]) -> Option<&Event> {
    matches!(batches[0].writer, Writer::Brain(_)).then(|| batches[0].events.last()).flatten()
}

#[async_trait]
impl Around for Brittle {
    async fn before_append(&self, batches: &[Batch]) -> Result<(), LogError> {
        let Some(last) = ends_with(batches) else { return Ok(()) };
        self.bomb.at(&format!("before {}", last.kind())).await;
        // Lost on the way there.
        let number = self.losses.fetch_add(1, Ordering::SeqCst);
        if self.loses && number % 3 == 1 { Err(self.lost()) } else { Ok(()) }
    }
    async fn after_append(&self, batches: &[Batch]) -> Result<(), LogError> {
        let Some(last) = ends_with(batches) else { return Ok(()) };
        // Lost on the way back.
        if self.loses && (self.losses.load(Ordering::SeqCst) - 1) % 3 == 2 {
            return Err(self.lost());
        }
        self.bomb.at(&format!("after {}", last.kind())).await;
        Ok(())
    }
    async fn before_find(&self) -> Result<(), LogError> {
        let blind = self.blindness.fetch_sub(1, Ordering::SeqCst) > 0;
        if blind { Err(LogError::Unavailable("still lost".into())) } else { Ok(()) }
    }
}

/// What happens in a turn.
#[derive(Clone, Copy, Debug)]
struct Story {
    tool: &'static str,
    parallel: bool,
    ask: bool,
}

impl Story {
    fn script(self) -> Value {
        let count = if self.parallel { 3 } else { 1 };
        let mut reply = vec![says("I will"), json!({"thinking": "hm"})];
        reply.extend((0..count).map(|_| calls(self.tool)));
        json!([{"when": {"step": 1}, "reply": reply, "chunk": 2}, {"reply": [says("done")]}])
    }

    fn runs(self) -> RunsWith {
        let mut runs = runs();
        if self.ask {
            runs.tools.iter_mut().for_each(|tool| tool.permission = Policy::AlwaysAsk);
        }
        runs
    }
}

struct Trial {
    bench: Bench,
    bomb: Arc<Bomb>,
    crashes: Vec<String>,
}

impl Trial {
    async fn new(story: Story) -> Self {
        let bomb = Arc::new(Bomb::default());
        let ledger = Ledger::default();
        let mut bench = Bench::with(&story.script(), &story.runs(), bomb.clone(), ledger).await;
        let around = Brittle::new(bomb.clone());
        bench.brain.log = Arc::new(Wrapped { log: bench.log.clone(), around });
        bench.say("go").await;
        Self { bench, bomb, crashes: Vec::new() }
    }

    /// Wakes a brain; `None` if it crashed.
    async fn wake(&mut self) -> Option<Rest> {
        let brain = self.bench.brain.clone();
        tokio::select! {
            () = self.bomb.blown.notified() => {}
            rest = brain.wake(self.bench.session) => return Some(rest.unwrap()),
            () = tokio::time::sleep(Duration::from_secs(10)) => panic!("stuck: {:#?}", self.bench.kinds().await),
        }
        self.crashes.push(self.bomb.at.lock().unwrap().clone());
        // With the process its hands went, too, and some time later its lease.
        self.bench.hands.alive.store(0, Ordering::SeqCst);
        self.bench.pass(Duration::from_secs(3 * 60 * 60));
        None
    }

    /// To the end, crashing after so many points each time.
    async fn run(&mut self, fuses: &[i64]) {
        let mut fuses = fuses.iter();
        self.bomb.set(fuses.next().copied().unwrap_or(0));
        loop {
            match self.wake().await {
                None => self.bomb.set(fuses.next().copied().unwrap_or(0)),
                Some(rest) if rest.stop_reason == Some(StopReason::RequiresAction) => {
                    for waiting in &rest.waiting {
                        self.bench.confirm(waiting.id, "allow").await;
                    }
                }
                Some(rest) => {
                    assert_eq!((rest.status, rest.stop_reason), (Status::Idle, Some(StopReason::EndTurn)));
                    return;
                }
            }
        }
    }

    /// What a client sees, without what differs from run to run.
    async fn seen(&self, with_results: bool) -> Vec<String> {
        let mut seen = Vec::new();
        for entry in self.bench.entries().await {
            let (kind, members) = (entry.event.kind().to_string(), entry.event.members());
            let text = members.get("content").map(|content| content[0]["text"].to_string()).unwrap_or_default();
            match kind.as_str() {
                kind if kind.starts_with("handbox.") || kind.starts_with("span.") => {}
                "agent.tool_result" if !with_results => seen.push(kind),
                _ => seen.push(format!("{kind} {text}")),
            }
        }
        seen
    }

    async fn check(&self, story: Story, clean: &[String]) {
        let fold = self.bench.fold().await;
        let why = format!("{story:?} crashed at {:?}: {:#?}", self.crashes, self.bench.kinds().await);
        assert_eq!(fold.oddities, Oddities::default(), "{why}");
        assert!(fold.calls.is_empty() && fold.requests.is_empty() && fold.queue.is_empty(), "{why}");
        let mut effects: BTreeMap<String, usize> = BTreeMap::new();
        for (_, key) in self.bench.hands.hand.ledger.lock().unwrap().iter() {
            *effects.entry(key.clone()).or_default() += 1;
        }
        let entries = self.bench.entries().await;
        let results = self.bench.all("agent.tool_result").await;
        let calls = self.bench.all("agent.tool_use").await;
        assert_eq!(results.len(), calls.len(), "{why}");
        for call in &calls {
            let id = call["id"].as_str().unwrap();
            let of = results.iter().filter(|result| result["tool_use_id"] == *id).collect::<Vec<_>>();
            assert_eq!(of.len(), 1, "each call has one result; {why}");
            let unknown = of[0]["content"][0]["text"].as_str().unwrap().contains("outcome of this call is unknown");
            let times = effects.get(id).copied().unwrap_or(0);
            match story.tool {
                "look" => assert!(times >= 1 && !unknown, "{why}"),
                "pay" | "book" => assert!(times == 1 && !unknown, "{why}"),
                _ => assert!(times <= 1 && (times == 1 || unknown), "{why}"),
            }
            assert!(!unknown || !self.crashes.is_empty(), "{why}");
        }
        // Each attempt has one receipt, which stands before the call's result.
        let receipts = self.bench.all("handbox.call_ended").await;
        let attempts = self.bench.all("handbox.call_started").await;
        assert_eq!(receipts.len(), attempts.len(), "{why}");
        let place = |kind: &str, of: &dyn Fn(&Value) -> bool| {
            let at = |entry: &&Entry| entry.event.kind().as_str() == kind && of(&json!(entry.event.members()));
            entries.iter().find(at).map(|entry| entry.seq)
        };
        for attempt in &attempts {
            let own = |of: &Value| of["tool_use_id"] == attempt["tool_use_id"];
            let started = place("handbox.call_started", &|of| own(of) && of["attempt"] == attempt["attempt"]);
            let ended = place("handbox.call_ended", &|of| own(of) && of["attempt"] == attempt["attempt"]);
            let result = place("agent.tool_result", &own);
            assert!(started < ended && ended < result && started.is_some(), "{why}");
        }
        let charged = *self.bench.model.charged.lock().unwrap();
        let (spend, waste) = (fold.total.spend.picodollars(), fold.total.waste.picodollars());
        assert!(spend - waste <= charged.picodollars() && charged.picodollars() <= spend, "{why}");
        assert!(waste == 0 || !self.crashes.is_empty(), "{why}");
        let mut seen = self.seen(story.tool != "send").await;
        let mut clean = clean.to_vec();
        if story.tool == "send" {
            clean.iter_mut().filter(|line| line.starts_with("agent.tool_result")).for_each(|line| {
                "agent.tool_result".clone_into(line);
            });
        }
        // Which of several reads was faster, and when the approvals came, is chance.
        if story.parallel || story.ask {
            seen.sort();
            clean.sort();
        }
        assert_eq!(seen, clean, "{why}");
    }
}

fn stories() -> Vec<Story> {
    let mut stories = Vec::new();
    for tool in ["look", "pay", "send", "book"] {
        for (parallel, ask) in [(false, false), (true, false), (false, true), (true, true)] {
            stories.push(Story { tool, parallel, ask });
        }
    }
    stories
}

#[tokio::test]
async fn a_turn_that_is_killed_anywhere_wakes_to_the_same_end() {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for story in stories() {
        let mut calm = Trial::new(story).await;
        calm.run(&[]).await;
        let clean = calm.seen(true).await;
        calm.check(story, &clean).await;
        for fuse in 1.. {
            let mut trial = Trial::new(story).await;
            trial.run(&[fuse]).await;
            trial.check(story, &clean).await;
            let Some(at) = trial.crashes.first() else { break };
            *names.entry(at.clone()).or_default() += 1;
        }
    }
    let expected = [
        "before span.model_request_start",
        "after span.model_request_start",
        "request sent",
        "first chunk",
        "last chunk",
        "before span.model_request_end",
        "after span.model_request_end",
        "before handbox.call_started",
        "after handbox.call_started",
        "tool started",
        "effect done",
        "before agent.tool_result",
        "after agent.tool_result",
        "before session.status_idle",
        "after session.status_idle",
    ];
    for point in expected {
        assert!(names.contains_key(point), "nothing was killed at {point}: {names:#?}");
    }
    assert!(names.values().sum::<usize>() > 300, "{names:#?}");
}

#[tokio::test]
async fn brains_that_die_again_and_again_get_there_in_the_end() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut chance = |most: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        i64::try_from(state % most).unwrap() + 1
    };
    for round in 0..150 {
        let story = stories()[round % 16];
        let mut calm = Trial::new(story).await;
        calm.run(&[]).await;
        let clean = calm.seen(true).await;
        let mut trial = Trial::new(story).await;
        let fuses: Vec<i64> = (0..3).map(|_| chance(12)).collect();
        trial.run(&fuses).await;
        trial.check(story, &clean).await;
    }
}

#[tokio::test]
async fn a_zombie_is_fenced_and_writes_nothing_more() {
    let story = Story { tool: "send", parallel: false, ask: false };
    let bench = Bench::new(
        &json!([
        {"when": {"step": 1}, "reply": [calls("slow_send")]}, {"reply": [says("done")]}]),
        &story.runs(),
    )
    .await;
    bench.say("go").await;
    let zombie = tokio::spawn({
        let (mut brain, session) = (bench.brain.clone(), bench.session);
        brain.settings.lease = Duration::from_millis(300);
        async move { brain.wake(session).await }
    });
    while !bench.kinds().await.contains(&"handbox.call_started".to_owned()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    bench.pass(Duration::from_secs(1));
    let rest = bench.wake().await;
    assert_eq!(rest.stop_reason, Some(StopReason::EndTurn));
    assert!(matches!(zombie.await.unwrap(), Err(handbox_brain::WakeError::Fenced { .. })));
    assert!(bench.results().await[0].contains("outcome of this call is unknown"));
    assert_eq!((bench.effects("slow_send"), bench.fold().await.through()), (0, Some(rest.head)));
    assert!(matches!(bench.try_wake().await, Ok(again) if again.head == rest.head));
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_looked_for_and_not_made_twice() {
    for story in stories() {
        let mut calm = Trial::new(story).await;
        calm.run(&[]).await;
        let clean = calm.seen(true).await;
        // Also while what was lost cannot be looked for, which the same outage may well cause.
        for blind in [0, 2] {
            let mut trial = Trial::new(story).await;
            let (log, around) = (trial.bench.log.clone(), Brittle::new(trial.bomb.clone()));
            trial.bench.brain.log = Arc::new(Wrapped { log, around: Brittle { loses: true, blind, ..around } });
            trial.run(&[]).await;
            trial.check(story, &clean).await;
        }
    }
}

/// Interrupts a session right before a brain writes an intent.
struct Meddler {
    before: &'static str,
    bench: Mutex<Option<(MemoryLog, SessionId)>>,
}

#[async_trait]
impl Points for Meddler {
    async fn at(&self, name: &str) {
        let taken = if name == self.before { self.bench.lock().unwrap().take() } else { None };
        if let Some((log, session)) = taken {
            let id = EventId::at(u64::MAX, [5; 10]);
            let interrupt = Event::new(id, kinds::USER_INTERRUPT, serde_json::Map::new()).unwrap();
            let batch = Batch { session, writer: Writer::Client, after: None, events: vec![interrupt] };
            log.append(vec![batch]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_is_begun_after_an_interrupt_that_came_first() {
    for (before, tool) in [("before handbox.call_started", "send"), ("before span.model_request_start", "look")] {
        let story = Story { tool, parallel: true, ask: false };
        let meddler = Arc::new(Meddler { before, bench: Mutex::default() });
        let mut bench = Bench::new(&story.script(), &story.runs()).await;
        *meddler.bench.lock().unwrap() = Some((bench.log.clone(), bench.session));
        bench.brain.log = Arc::new(Wrapped { log: bench.log.clone(), around: Brittle::new(meddler) });
        bench.say("go").await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        let kinds = bench.kinds().await;
        let interrupted = kinds.iter().position(|kind| kind == "user.interrupt").unwrap();
        let begun = |kind: &String| *kind == "handbox.call_started" || *kind == "span.model_request_start";
        assert!(!kinds[interrupted..].iter().any(begun), "{kinds:#?}");
        assert_eq!(bench.effects(tool), 0);
    }
}
