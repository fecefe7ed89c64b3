//! A session, a brain and everything around it, for tests that read as stories.

use async_trait::async_trait;
use handbox_brain::model::script::Script;
use handbox_brain::model::{Listener, Message, Model, ModelError, ModelRequest, Reply, Role};
use handbox_brain::{
    Agent, Brain, Hands, Machine, Need, NoScratch, Policy, Provided, Rest, RunsWith, Settings, Surroundings, ToolSpec,
    WakeError,
};
use handbox_hand::{Call, Hand, HandError, Hints, Outcome, Output, Part, Recovery, Tool, ToolName};
use handbox_session::fold::{Fold, Money, Tokens};
use handbox_session::memory::{ManualClock, MemoryLog};
use handbox_session::{Batch, Entry, Event, EventId, Kind, Minter, Seq, SessionId, SessionLog, Slice, Writer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// What a hand did, by tool and call.
pub(crate) type Ledger = Arc<Mutex<Vec<(String, String)>>>;

/// Something that happens at each point of a turn: nothing, as a rule.
#[async_trait]
pub(crate) trait Points: Send + Sync {
    async fn at(&self, _name: &str) {}
}

pub(crate) struct NoPoints;
#[async_trait]
impl Points for NoPoints {}

/// Stops everything that comes to a point, until it is opened.
pub(crate) struct Gate {
    name: &'static str,
    reached: Notify,
    opened: Notify,
}

impl Gate {
    pub(crate) fn at_point(name: &'static str) -> Arc<Self> {
        Arc::new(Self { name, reached: Notify::new(), opened: Notify::new() })
    }

    /// Waits until something stands at the point.
    pub(crate) async fn reached(&self) {
        tokio::time::timeout(Duration::from_secs(10), self.reached.notified()).await.unwrap();
    }

    /// Lets go on what stands there, or the next that comes.
    pub(crate) fn open(&self) {
        self.opened.notify_one();
    }
}

#[async_trait]
impl Points for Gate {
    async fn at(&self, name: &str) {
        if name == self.name {
            self.reached.notify_one();
            self.opened.notified().await;
        }
    }
}
/// Words among which others hide: in tags, behind a line separator, in another order, and joined by nothing.
pub(crate) const HIDDEN: &str = "seen \u{e0041}\u{e0042} \u{2028} \u{202e} \u{200b} \u{feff} \u{61c}\r\n\tend";

/// A hand whose tools do what their names say.
pub(crate) struct TestHand {
    tools: Vec<Tool>,
    pub(crate) ledger: Ledger,
    pub(crate) points: Arc<dyn Points>,
    /// What it says of calls that it is asked about, if not what is true.
    pub(crate) claims: Mutex<Option<Outcome>>,
    /// Whether every call fails before it does anything.
    pub(crate) sulks: AtomicBool,
}

pub(crate) fn tool(name: &str, hints: Hints, recovery: Recovery) -> Tool {
    Tool {
        name: ToolName::new(name).unwrap(),
        description: format!("does {name}"),
        input_schema: json!({"type": "object", "properties": {"x": {"type": "string"}}}),
        output_schema: None,
        hints,
        recovery,
        extra: Vec::new(),
    }
}

pub(crate) const READS: Hints = Hints { read_only: true, idempotent: false, destructive: false, open_world: false };
pub(crate) const WRITES: Hints = Hints { read_only: false, idempotent: false, destructive: true, open_world: false };

/// `look` reads; `pay` is keyed by its call; `send` is not; `book` can say what became of it; the others fail or take long.
pub(crate) fn tools() -> Vec<Tool> {
    vec![
        tool("look", READS, Recovery::Ask),
        tool("pay", WRITES, Recovery::Retry),
        tool("send", WRITES, Recovery::Ask),
        tool("book", WRITES, Recovery::Reconcile),
        tool("slow", READS, Recovery::Retry),
        tool("slow_send", WRITES, Recovery::Ask),
        tool("long", READS, Recovery::Retry),
        tool("picture", READS, Recovery::Retry),
        tool("die", WRITES, Recovery::Ask),
        tool("trap", READS, Recovery::Ask),
        tool("fail", READS, Recovery::Ask),
        tool("panic", READS, Recovery::Ask),
        tool("limit", WRITES, Recovery::Ask),
        tool("shout", WRITES, Recovery::Ask),
        tool("scatter", READS, Recovery::Ask),
        tool("hidden", READS, Recovery::Ask),
        tool("junk", READS, Recovery::Ask),
    ]
}

impl TestHand {
    /// An effect: counted, and for a keyed tool only once for each key.
    fn effect(&self, tool: &str, key: &str) {
        let mut ledger = self.ledger.lock().unwrap();
        let entry = (tool.to_owned(), key.to_owned());
        if !(tool == "pay" && ledger.contains(&entry)) {
            ledger.push(entry);
        }
    }
}

#[async_trait]
impl Hand for TestHand {
    fn tools(&self) -> &[Tool] {
        &self.tools
    }

    async fn execute(&self, call: Call) -> Result<Output, HandError> {
        let name = call.name.as_str().to_owned();
        if self.sulks.load(Ordering::SeqCst) {
            return Err(HandError::Busy("not now".into()));
        }
        self.points.at("tool started").await;
        if name.starts_with("slow") {
            tokio::time::sleep(Duration::from_secs(20)).await;
        }
        self.effect(&name, &call.id.0);
        self.points.at("effect done").await;
        match name.as_str() {
            "die" => Err(HandError::Gone("it died".into())),
            "trap" => Err(HandError::Broken("unreachable".into())),
            "fail" => Err(HandError::Tool(handbox_hand::ToolFault::Failed("no such thing \u{1b}[31m".into()))),
            "panic" => panic!("a hand that panics"),
            "limit" => Err(HandError::Limit(handbox_hand::LimitHit {
                limit: handbox_hand::Limit::Time,
                allowed: "30 s".into(),
            })),
            "shout" => Err(HandError::Tool(handbox_hand::ToolFault::Failed("\u{1b}".repeat(2_000_000)))),
            "scatter" => Ok(Output { parts: vec![scrap(); 20_000], ..Output::default() }),
            "hidden" => Ok(text(HIDDEN)),
            // Few enough characters, as long as nobody shows them.
            "junk" => Ok(text(&"\u{e0041}".repeat(90_000))),
            "long" => Ok(text(&"0123456789".repeat(20_000))),
            "picture" => {
                let part = Part { media_type: "image/png".into(), data: vec![7; 700_000] };
                Ok(Output { parts: vec![Part::text("see"), part], ..Output::default() })
            }
            _ => Ok(text(&format!("{name} {}", call.input["x"].as_str().unwrap_or("done")))),
        }
    }

    async fn reconcile(&self, call: Call) -> Result<Outcome, HandError> {
        self.points.at("reconcile").await;
        if let Some(claim) = self.claims.lock().unwrap().clone() {
            return Ok(claim);
        }
        let done = self.ledger.lock().unwrap().contains(&(call.name.as_str().to_owned(), call.id.0.clone()));
        let said = text(&format!("{} {}", call.name, call.input["x"].as_str().unwrap_or("done")));
        Ok(if done { Outcome::Committed(said) } else { Outcome::NotStarted })
    }
}

fn scrap() -> Part {
    Part { media_type: "application/x-scrap".into(), data: Vec::new() }
}

fn text(text: &str) -> Output {
    Output { parts: vec![Part::text(text)], ..Output::default() }
}

pub(crate) struct TestHands {
    pub(crate) hand: Arc<TestHand>,
    /// The incarnation that lives.
    pub(crate) alive: AtomicU64,
    /// Whether none can be made ready.
    pub(crate) refuses: AtomicBool,
}

#[async_trait]
impl Hands for TestHands {
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError> {
        self.hand.points.at("provide").await;
        if self.refuses.load(Ordering::SeqCst) {
            return Err(HandError::Gone("its bundle moved".into()));
        }
        let died = self.alive.load(Ordering::SeqCst) == 0 && need.incarnation > 1;
        let reason = if died { "died" } else { "first_call" };
        let _ = self.alive.compare_exchange(0, need.incarnation, Ordering::SeqCst, Ordering::SeqCst);
        let incarnation = self.alive.load(Ordering::SeqCst);
        let hand: Arc<dyn Hand> = self.hand.clone();
        Ok(Provided { hand, incarnation, bundle: None, reason: reason.to_owned() })
    }

    async fn retire(&self, _: SessionId, _: &str, _: u64) {
        self.alive.store(0, Ordering::SeqCst);
    }
}

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
