//! Hands that keep state: each counts how often it was called. And two sessions that have one.

use super::bench::{Bench, Ledger, Points, READS, WRITES, calls, runs, tool};
use async_trait::async_trait;
use handbox_brain::{Begins, Hands, Need, PassError, Policy, Provided, RunsWith, ToolSpec};
use handbox_hand::{Call, Hand, HandError, Output, Part, Recovery, Tool, ToolFault, ToolName};
use handbox_session::SessionId;
use handbox_session::fold::Fold;
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What a hand keeps. A life goes on in each hand that begins with its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) life: u64,
    pub(crate) count: u64,
}

/// Who called, and what the hand kept then.
type Counted = Arc<Mutex<Vec<(SessionId, Kept)>>>;

struct Counter {
    session: SessionId,
    tools: Vec<Tool>,
    kept: Arc<Mutex<Kept>>,
    /// What its next answer begins with.
    note: Mutex<&'static str>,
    counted: Counted,
    fails: Failing,
    points: Arc<dyn Points>,
}

#[async_trait]
impl Hand for Counter {
    fn tools(&self) -> &[Tool] {
        &self.tools
    }

    async fn execute(&self, call: Call) -> Result<Output, HandError> {
        if call.name.as_str() == "peek" {
            let count = self.kept.lock().unwrap().count;
            return Ok(Output { parts: vec![Part::text(format!("sees {count}"))], ..Output::default() });
        }
        self.points.at("tool started").await;
        let now = {
            let mut kept = self.kept.lock().unwrap();
            kept.count += 1;
            *kept
        };
        self.counted.lock().unwrap().push((self.session, now));
        self.points.at("effect done").await;
        if let Some(error) = self.fails.lock().unwrap().take() {
            return Err(error);
        }
        let note = std::mem::take(&mut *self.note.lock().unwrap());
        Ok(Output { parts: vec![Part::text(format!("{note}{}", now.count))], ..Output::default() })
    }
}

/// What the next call ends with, once it counted.
type Failing = Arc<Mutex<Option<HandError>>>;

struct Live {
    incarnation: u64,
    hand: Arc<Counter>,
}

pub(crate) struct Counters {
    points: Arc<dyn Points>,
    live: Mutex<HashMap<SessionId, Live>>,
    lives: AtomicU64,
    pub(crate) counted: Counted,
    /// Whether states are passed over, and that a hand is no longer needed.
    pub(crate) forgets: AtomicBool,
    /// How many bytes a state has besides.
    pub(crate) heavy: AtomicUsize,
    /// Whether what they keep is kept with the session.
    pub(crate) keeps: AtomicBool,
    /// Whether they cannot say what they keep.
    pub(crate) mute: AtomicBool,
    /// How often they were asked.
    pub(crate) asked: AtomicU64,
    pub(crate) fails: Failing,
}

impl Counters {
    pub(crate) fn new(points: Arc<dyn Points>) -> Arc<Self> {
        let (live, counted, lives) = Default::default();
        let (forgets, heavy, keeps, mute, asked, fails) = Default::default();
        Arc::new(Self { points, live, lives, counted, forgets, heavy, keeps, mute, asked, fails })
    }

    /// The process ends, and what they kept with it.
    pub(crate) fn die(&self) {
        self.live.lock().unwrap().clear();
    }

    /// A hand has counted so far and no further.
    pub(crate) fn rewind(&self, session: SessionId, count: u64) {
        self.live.lock().unwrap()[&session].hand.kept.lock().unwrap().count = count;
    }

    pub(crate) fn lives_of(&self, session: SessionId) -> bool {
        self.live.lock().unwrap().contains_key(&session)
    }
}

#[async_trait]
impl Hands for Counters {
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError> {
        self.points.at("provide").await;
        let (state, reason, note) = match need.begins {
            Begins::Given(state) => (Some(state), "passed", ""),
            Begins::Kept(state) => (Some(state), "restored", "restored "),
            Begins::Lost => (None, "anew", "lost "),
            Begins::Anew => (None, "first_call", ""),
        };
        let state = state.filter(|_| !self.forgets.load(Ordering::SeqCst));
        let provided = |live: &Live, reason: &str| {
            let (hand, incarnation) = (live.hand.clone(), live.incarnation);
            Provided { hand, incarnation, bundle: Some("digest".to_owned()), reason: reason.to_owned() }
        };
        if state.is_none()
            && let Some(live) = self.live.lock().unwrap().get(&need.session)
            && live.incarnation + 1 >= need.incarnation
        {
            return Ok(provided(live, "first_call"));
        }
        let kept = match state {
            Some(state) => {
                let text = String::from_utf8(state.to_vec()).unwrap();
                let (life, count) = text.trim_end().split_once(' ').unwrap();
                Kept { life: life.parse().unwrap(), count: count.parse().unwrap() }
            }
            None => Kept { life: self.lives.fetch_add(1, Ordering::SeqCst), count: 0 },
        };
        let hand = Arc::new(Counter {
            session: need.session,
            tools: vec![counting(), peeking()],
            kept: Arc::new(Mutex::new(kept)),
            note: Mutex::new(note),
            counted: self.counted.clone(),
            fails: self.fails.clone(),
            points: self.points.clone(),
        });
        let live = Live { incarnation: need.incarnation, hand };
        let given = provided(&live, reason);
        self.live.lock().unwrap().insert(need.session, live);
        self.points.at("provided").await;
        Ok(given)
    }

    fn keeps(&self, _: SessionId, _: &str, tool: &ToolName) -> bool {
        self.keeps.load(Ordering::SeqCst) && tool.as_str() == "count"
    }

    fn lives(&self, need: &Need<'_>) -> bool {
        let live = self.live.lock().unwrap();
        let lives = live.get(&need.session).is_some_and(|live| live.incarnation + 1 >= need.incarnation);
        lives || !self.keeps.load(Ordering::SeqCst)
    }

    async fn save(&self, session: SessionId, _: &str, incarnation: u64) -> Result<Vec<u8>, HandError> {
        self.points.at("save").await;
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.mute.load(Ordering::SeqCst) {
            return Err(HandError::Tool(ToolFault::Failed("it is too much to say".to_owned())));
        }
        let saved = {
            let live = self.live.lock().unwrap();
            let live = live.get(&session).filter(|live| live.incarnation == incarnation);
            live.map(|live| *live.hand.kept.lock().unwrap())
        };
        let kept = saved.ok_or_else(|| HandError::Gone("no such hand lives here".to_owned()))?;
        self.points.at("saved").await;
        let padding = " ".repeat(self.heavy.load(Ordering::SeqCst));
        Ok(format!("{} {}{padding}", kept.life, kept.count).into_bytes())
    }

    async fn retire(&self, session: SessionId, _: &str, incarnation: u64) {
        self.points.at("retire").await;
        let mut live = self.live.lock().unwrap();
        let forgets = self.forgets.load(Ordering::SeqCst);
        if !forgets && live.get(&session).is_some_and(|live| live.incarnation <= incarnation) {
            live.remove(&session);
        }
    }
}

pub(crate) fn counting() -> Tool {
    tool("count", WRITES, Recovery::Ask)
}

/// Sees what was counted, and changes nothing.
pub(crate) fn peeking() -> Tool {
    tool("peek", READS, Recovery::Retry)
}

/// What sessions run with that have such a hand.
pub(crate) fn counts(policy: Policy) -> RunsWith {
    let mut runs = runs();
    runs.tools = vec![ToolSpec::of_hand("test", &counting(), policy)];
    runs.bundles.insert("test".to_owned(), "digest".to_owned());
    runs
}

/// Two sessions of one log with such hands, and one more.
pub(crate) struct Pair {
    pub(crate) bench: Bench,
    pub(crate) hands: Arc<Counters>,
    pub(crate) giver: SessionId,
    pub(crate) receiver: SessionId,
    pub(crate) third: SessionId,
}

impl Pair {
    pub(crate) async fn new(points: Arc<dyn Points>) -> Self {
        Self::of(points, &counts(Policy::AlwaysAllow), &counts(Policy::AlwaysAllow)).await
    }

    /// Sessions that run with something else.
    pub(crate) async fn of(points: Arc<dyn Points>, giver: &RunsWith, receiver: &RunsWith) -> Self {
        let script = json!([
            {"when": {"step": 1, "text": "peek"}, "reply": [calls("peek")]},
            {"when": {"step": 1}, "reply": [calls("count")]},
            {"reply": [{"text": "done"}]},
        ]);
        let mut bench = Bench::with(&script, giver, points.clone(), Ledger::default()).await;
        let hands = Counters::new(points);
        bench.brain.hands = hands.clone();
        let (first, others) = (bench.session, [SessionId::at(1, [2; 10]), SessionId::at(2, [3; 10])]);
        for other in others {
            bench.brain.create(other, receiver, None, BTreeMap::new()).await.unwrap();
        }
        let [receiver, third] = others;
        Self { bench, hands, giver: first, receiver, third }
    }

    /// What a session's hand answers when it is called.
    pub(crate) async fn count(&mut self, session: SessionId) -> String {
        self.call(session, "count").await
    }

    /// What a tool of a session's hand answers.
    pub(crate) async fn call(&mut self, session: SessionId, tool: &str) -> String {
        self.bench.session = session;
        self.bench.say(tool).await;
        self.bench.wake().await;
        self.bench.results().await.pop().unwrap()
    }

    pub(crate) async fn pass(&self, from: SessionId, to: SessionId) -> Result<(), PassError> {
        self.bench.brain.pass_hand(from, to, "test").await
    }

    pub(crate) async fn fold(&mut self, session: SessionId) -> Fold {
        self.bench.session = session;
        self.bench.fold().await
    }

    /// The members of all events of a kind.
    pub(crate) async fn all(&mut self, session: SessionId, kind: &str) -> Vec<serde_json::Value> {
        self.bench.session = session;
        self.bench.all(kind).await
    }
}
