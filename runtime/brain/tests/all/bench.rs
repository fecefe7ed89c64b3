//! A session, a brain and everything around it, for tests that read as stories.

pub(crate) use super::test_hand::{
    Gate, HIDDEN, Ledger, NoPoints, Points, READS, TestHand, TestHands, WRITES, tool, tools,
};
use async_trait::async_trait;
use handbox_brain::model::script::Script;
use handbox_brain::model::{Listener, Message, Model, ModelError, ModelRequest, Reply, Role};
use handbox_brain::{
    Agent, Brain, Machine, NoScratch, Policy, Rest, RunsWith, Settings, Surroundings, ToolSpec, WakeError,
};
use handbox_session::fold::{Fold, Money, Tokens};
use handbox_session::memory::{ManualClock, MemoryLog};
use handbox_session::{Batch, Entry, Event, EventId, Kind, Minter, Seq, SessionId, SessionLog, Slice, Writer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A model that keeps every request, and what each cost.
pub(crate) struct Kept {
    pub(crate) model: Arc<dyn Model>,
    pub(crate) requests: Mutex<Vec<ModelRequest>>,
    /// What the provider charged: for whole replies what it counted, for others what was sent and what had come.
    pub(crate) charged: Mutex<Money>,
    pub(crate) price: handbox_brain::Price,
    pub(crate) points: Arc<dyn Points>,
}

/// Bytes of a token, for partial replies: as the scripted model counts whole ones.
const BYTES_PER_TOKEN: u64 = 4;

/// What a provider writes on its bill while a reply comes. It charges also where nobody waits for the end.
struct Bill<'a> {
    kept: &'a Kept,
    inner: &'a mut dyn Listener,
    read: u64,
    written: u64,
}

impl Listener for Bill<'_> {
    fn block(&mut self, index: usize, kind: &str) {
        self.inner.block(index, kind);
    }
    fn text(&mut self, index: usize, text: &str) {
        self.inner.text(index, text);
    }
    fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
        self.inner.wrote(bytes);
    }
    fn counted(&mut self, tokens: Tokens) {
        self.inner.counted(tokens);
    }
}

impl Bill<'_> {
    fn charge(&mut self, tokens: Tokens) {
        let mut charged = self.kept.charged.lock().unwrap();
        *charged = charged.plus(self.kept.price.cost(tokens));
        (self.read, self.written) = (0, 0);
    }
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        if self.written > 0 {
            let tokens = Tokens {
                input_tokens: self.read / BYTES_PER_TOKEN,
                output_tokens: self.written / BYTES_PER_TOKEN,
                ..Tokens::default()
            };
            self.charge(tokens);
        }
    }
}

#[async_trait]
impl Model for Kept {
    fn provider(&self) -> &str {
        "script"
    }

    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        self.points.at("request sent").await;
        check(request);
        self.requests.lock().unwrap().push(request.clone());
        self.points.at("first chunk").await;
        let read = serde_json::to_string(&request.messages).unwrap().len() as u64;
        let mut bill = Bill { kept: self, inner: listener, read, written: 0 };
        let reply = self.model.ask(request, &mut bill).await?;
        bill.charge(reply.usage.unwrap_or_default());
        drop(bill);
        self.points.at("last chunk").await;
        Ok(reply)
    }
}

/// The ids of a message's blocks of a kind. What else they hold need not be such that it can be read.
fn ids(message: &Message, kind: &str) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Block {
        r#type: String,
        #[serde(alias = "tool_use_id")]
        id: Option<String>,
    }
    let blocks = message.content.iter().map(|block| serde_json::from_str::<Block>(block.get()).unwrap());
    blocks.filter(|block| block.r#type == kind).filter_map(|block| block.id).collect()
}

/// What every provider checks: roles alternate, the first is the user's, no message is empty, and each call has its
/// result right after it.
pub(crate) fn check(request: &ModelRequest) {
    let messages = &request.messages;
    let whole = serde_json::to_string(request).unwrap();
    assert_eq!(messages[0].role, Role::User, "{whole}");
    assert!(messages.iter().all(|message| !message.content.is_empty()), "{whole}");
    for pair in messages.windows(2) {
        assert_ne!(pair[0].role, pair[1].role, "{whole}");
        assert_eq!(ids(&pair[0], "tool_use"), ids(&pair[1], "tool_result"), "{whole}");
    }
    assert_eq!(messages.last().unwrap().role, Role::User, "{whole}");
}

/// The machine's time, shifted, and waits that are cut to something a test can wait for.
pub(crate) struct Shifted {
    pub(crate) by_ms: AtomicU64,
}

#[async_trait]
impl Surroundings for Shifted {
    fn now_unix_ms(&self) -> u64 {
        Machine.now_unix_ms() + self.by_ms.load(Ordering::SeqCst)
    }
    fn steady(&self) -> Duration {
        Machine.steady() + Duration::from_millis(self.by_ms.load(Ordering::SeqCst))
    }
    fn chance(&self, buffer: &mut [u8]) {
        Machine.chance(buffer);
    }
    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

pub(crate) struct Bench {
    pub(crate) brain: Brain,
    pub(crate) log: MemoryLog,
    pub(crate) clock: ManualClock,
    pub(crate) session: SessionId,
    pub(crate) model: Arc<Kept>,
    pub(crate) hands: Arc<TestHands>,
    pub(crate) time: Arc<Shifted>,
    minter: Mutex<Minter>,
}

pub(crate) fn price() -> handbox_brain::Price {
    let money = Money::from_picodollars;
    handbox_brain::Price {
        input: money(3_000_000),
        output: money(15_000_000),
        cache_read: money(300_000),
        cache_write_5m: money(3_750_000),
        cache_write_1h: money(6_000_000),
    }
}

/// What sessions of tests run with: every tool may be called.
pub(crate) fn runs() -> RunsWith {
    let mut runs = RunsWith::new(Agent::new("scripted"));
    runs.system = Some("You are tested.".to_owned());
    runs.tools = tools().iter().map(|tool| ToolSpec::of_hand("test", tool, Policy::AlwaysAllow)).collect();
    runs.prices.0.insert("*".to_owned(), price());
    runs
}

pub(crate) fn settings() -> Settings {
    Settings {
        retry_wait: Duration::from_millis(1),
        retry_wait_max: Duration::from_millis(2000),
        ..Settings::usual("test")
    }
}

impl Bench {
    pub(crate) async fn new(script: &Value, runs: &RunsWith) -> Self {
        Self::with(script, runs, Arc::new(NoPoints), Arc::default()).await
    }

    /// With another model than a scripted one.
    pub(crate) async fn asking(model: impl Model + 'static, runs: &RunsWith) -> Self {
        let mut bench = Self::new(&json!([]), runs).await;
        let kept = Kept {
            model: Arc::new(model),
            requests: Mutex::default(),
            charged: Mutex::default(),
            price: price(),
            points: Arc::new(NoPoints),
        };
        bench.model = Arc::new(kept);
        bench.brain.model = bench.model.clone();
        bench
    }

    pub(crate) async fn with(script: &Value, runs: &RunsWith, points: Arc<dyn Points>, ledger: Ledger) -> Self {
        let clock = ManualClock::new(Instant::now());
        let log = MemoryLog::new({
            let clock = clock.clone();
            move || clock.now()
        });
        let hand = Arc::new(TestHand {
            tools: tools(),
            ledger,
            points: Arc::clone(&points),
            claims: Mutex::default(),
            sulks: AtomicBool::new(false),
        });
        let hands = Arc::new(TestHands { hand, alive: AtomicU64::new(0), refuses: AtomicBool::new(false) });
        let model = Arc::new(Kept {
            model: Arc::new(Script::parse("test", &script.to_string()).unwrap()),
            requests: Mutex::default(),
            charged: Mutex::default(),
            price: price(),
            points,
        });
        let time = Arc::new(Shifted { by_ms: AtomicU64::new(0) });
        let brain = Brain {
            log: Arc::new(log.clone()),
            blobs: Arc::new(log.clone()),
            model: model.clone(),
            hands: hands.clone(),
            scratch: Arc::new(NoScratch),
            surroundings: time.clone(),
            settings: settings(),
        };
        let mut minter = Minter::default();
        let session: SessionId = minter.mint(Machine.now_unix_ms(), [1; 10]);
        brain.create(session, runs, None, BTreeMap::new()).await.unwrap();
        Self { brain, log, clock, session, model, hands, time, minter: Mutex::new(minter) }
    }

    pub(crate) fn event(&self, kind: &str, members: Value) -> Event {
        let Value::Object(members) = members else { panic!("members are an object") };
        let id: EventId = self.minter.lock().unwrap().mint(self.time.now_unix_ms(), [9; 10]);
        Event::new(id, Kind::new(kind).unwrap(), members).unwrap()
    }

    pub(crate) async fn client(&self, kind: &str, members: Value) -> EventId {
        let event = self.event(kind, members);
        let id = event.id();
        let batch = Batch { session: self.session, writer: Writer::Client, after: None, events: vec![event] };
        self.log.append(vec![batch]).await.unwrap();
        id
    }

    pub(crate) async fn say(&self, text: &str) -> EventId {
        self.client("user.message", json!({"content": [{"type": "text", "text": text}]})).await
    }

    pub(crate) async fn confirm(&self, call: EventId, result: &str) -> EventId {
        self.client("user.tool_confirmation", json!({"tool_use_id": call, "result": result})).await
    }

    pub(crate) async fn interrupt(&self) -> EventId {
        self.client("user.interrupt", json!({})).await
    }

    /// Time passes, for the log and for brains.
    pub(crate) fn pass(&self, time: Duration) {
        self.clock.pass(time);
        self.time.by_ms.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) async fn wake(&self) -> Rest {
        let woken = tokio::time::timeout(Duration::from_secs(10), self.brain.wake(self.session)).await;
        match woken {
            Ok(rest) => rest.unwrap(),
            Err(_) => panic!("it does not come to rest: {:#?}", self.kinds().await),
        }
    }

    pub(crate) async fn try_wake(&self) -> Result<Rest, WakeError> {
        self.brain.wake(self.session).await
    }

    pub(crate) async fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut next = Some(Seq::FIRST);
        while let Some(from) = next {
            let page = self.log.read(self.session, Slice::from(from)).await.unwrap();
            entries.extend(page.entries);
            next = page.next;
        }
        entries
    }

    pub(crate) async fn fold(&self) -> Fold {
        let mut fold = Fold::default();
        fold.apply_all(&self.entries().await).unwrap();
        fold
    }

    pub(crate) async fn kinds(&self) -> Vec<String> {
        self.entries().await.iter().map(|entry| entry.event.kind().to_string()).collect()
    }

    /// The members of all events of a kind.
    pub(crate) async fn all(&self, kind: &str) -> Vec<Value> {
        let entries = self.entries().await;
        let of = entries.iter().filter(|entry| entry.event.kind().as_str() == kind);
        of.map(|entry| serde_json::from_str(entry.event.json()).unwrap()).collect()
    }

    /// The event of the n-th call of a tool, from 0.
    pub(crate) async fn call(&self, index: usize) -> EventId {
        let entries = self.entries().await;
        let calls = entries.iter().filter(|entry| entry.event.kind().as_str().ends_with("tool_use"));
        calls.map(|entry| entry.event.id()).nth(index).unwrap()
    }

    pub(crate) async fn results(&self) -> Vec<String> {
        let results = self.all("agent.tool_result").await;
        results.iter().map(|result| result["content"][0]["text"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What the log is about, for messages of failure.
    pub(crate) async fn state(&self) -> Fold {
        self.fold().await
    }

    /// An event id that no event has.
    pub(crate) fn session_id_as_event(&self) -> EventId {
        EventId::from_bytes(self.session.to_bytes())
    }

    pub(crate) fn effects(&self, tool: &str) -> usize {
        self.hands.hand.ledger.lock().unwrap().iter().filter(|(own, _)| own == tool).count()
    }
}

pub(crate) fn calls(name: &str) -> Value {
    json!({"tool_use": {"name": name, "input": {"x": name}}})
}

pub(crate) fn says(text: &str) -> Value {
    json!({"text": text})
}
