//! A hand whose tools do what their names say, and points at which something may happen.

use async_trait::async_trait;
use handbox_brain::{Hands, Need, Provided};
use handbox_hand::{
    AuditError, Call, Egress, EgressEnd, Hand, HandError, Hints, Outcome, Output, Part, Recovery, Tool, ToolName,
    Verdict,
};
use handbox_session::SessionId;
use serde_json::json;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
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
    pub(crate) tools: Vec<Tool>,
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
        tool("fetch", READS, Recovery::Retry),
        tool("post", WRITES, Recovery::Ask),
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
    /// A request as the vault makes one: told, sent, told again.
    async fn request(&self, call: &Call) -> Result<(), HandError> {
        let durable = call.name.as_str() == "post";
        let egress = Egress {
            id: 7,
            principal: "test".into(),
            tool: Some(call.name.as_str().into()),
            method: if durable { "POST".into() } else { "GET".into() },
            origin: "https://api.example.com".into(),
            path: "/v1".into(),
            verdict: Verdict::Allowed { rule: "https://api.example.com".into(), credential: None },
            durable,
        };
        let denied = |error: AuditError| HandError::Tool(handbox_hand::ToolFault::Failed(error.to_string()));
        call.audit.decided(&egress).await.map_err(denied)?;
        self.points.at("egress decided").await;
        self.effect("request", &call.id.0);
        call.audit.ended(&egress, &EgressEnd { status: Some(204), sent: true, ..EgressEnd::default() });
        Ok(())
    }

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
        if name == "fetch" || name == "post" {
            self.request(&call).await?;
        }
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
