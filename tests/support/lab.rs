//! What benchmarks of agents are made of: a store in a folder, a model that takes no time or as long as it is told, and figures.

use async_trait::async_trait;
use handbox_brain::model::{Listener, Model, ModelError, ModelRequest, Reply, Role};
use handbox_brain::{Agent, Brain, Hands, Machine, Need, NoScratch, Policy, Provided, RunsWith, Settings, ToolSpec};
use handbox_hand::{Call, Hand, HandError, Hints, Output, Part, Recovery, Tool, ToolName};
use handbox_session::fold::Tokens;
use handbox_session::{Batch, Event, EventId, Seq, SessionId, SessionLog, Writer, kinds};
use handbox_store::{FileBlobs, Options, RedbLog};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a model does before it answers.
#[async_trait]
pub trait Before: Send + Sync {
    /// Called when a request arrived.
    async fn answer(&self, request: &ModelRequest);
}

#[async_trait]
impl<B: Before + ?Sized> Before for Arc<B> {
    async fn answer(&self, request: &ModelRequest) {
        (**self).answer(request).await;
    }
}

/// Answers at once.
pub struct AtOnce;

#[async_trait]
impl Before for AtOnce {
    async fn answer(&self, _: &ModelRequest) {}
}

/// A model that calls one tool so many times in a turn, and then is done.
pub struct Rounds<B> {
    /// How often.
    pub rounds: usize,
    /// The tool and its input.
    pub call: (&'static str, Value),
    /// What it does before it answers.
    pub before: B,
}

/// How many replies this turn has had.
pub fn replies_of_turn(request: &ModelRequest) -> usize {
    let begins = |message: &&handbox_brain::model::Message| {
        message.role == Role::User
            && message.content.iter().any(|block| block.get().contains(r#""type":"text""#))
            && !message.content.iter().any(|block| block.get().contains("tool_result"))
    };
    request
        .messages
        .iter()
        .rev()
        .take_while(|message| !begins(message))
        .filter(|message| message.role == Role::Assistant)
        .count()
}

#[async_trait]
impl<B: Before> Model for Rounds<B> {
    fn provider(&self) -> &str {
        "bench"
    }

    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        self.before.answer(request).await;
        let step = replies_of_turn(request);
        let last = step >= self.rounds;
        let content = if last {
            listener.block(0, "text");
            listener.text(0, "Done.");
            json!([{ "type": "text", "text": "Done." }])
        } else {
            listener.block(0, "text");
            listener.text(0, "Looking.");
            let (name, input) = &self.call;
            json!([
                { "type": "text", "text": "Looking." },
                { "type": "tool_use", "id": format!("call-{step}"), "name": name, "input": input },
            ])
        };
        let stop_reason = Some(if last { "end_turn" } else { "tool_use" }.to_owned());
        let usage = Tokens { input_tokens: 1000, output_tokens: 20, ..Tokens::default() };
        Ok(Reply { model: "bench".to_owned(), content: content.to_string(), stop_reason, usage: Some(usage) })
    }
}

/// A hand that takes no time, or all of it.
pub struct Idle {
    tools: Vec<Tool>,
    hangs: bool,
}

impl Idle {
    /// Its tool is `look`.
    pub fn new(hangs: bool) -> Self {
        let tool = Tool {
            name: ToolName::new("look").expect("a name"),
            description: "Looks.".to_owned(),
            input_schema: json!({ "type": "object", "properties": {} }),
            output_schema: None,
            hints: Hints { read_only: true, ..Hints::default() },
            recovery: Recovery::Retry,
            extra: Vec::new(),
        };
        Self { tools: vec![tool], hangs }
    }
}

#[async_trait]
impl Hand for Idle {
    fn tools(&self) -> &[Tool] {
        &self.tools
    }

    async fn execute(&self, _: Call) -> Result<Output, HandError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(Output { parts: vec![Part::text("Nothing.")], ..Output::default() })
    }
}

/// The same hand for every session.
pub struct Always(pub Arc<dyn Hand>);

#[async_trait]
impl Hands for Always {
    async fn provide(&self, need: Need<'_>) -> Result<Provided, HandError> {
        let reason = "first_call".to_owned();
        Ok(Provided { hand: Arc::clone(&self.0), incarnation: need.incarnation, bundle: None, reason })
    }
}

/// A brain over a folder, with the store that a user has.
pub fn brain(folder: &Path, model: Arc<dyn Model>, hands: Arc<dyn Hands>) -> Brain {
    Brain {
        log: Arc::new(RedbLog::open(folder, Options::standard()).expect("a store")),
        blobs: Arc::new(FileBlobs::open(&folder.join("blobs")).expect("a folder for blobs")),
        model,
        hands,
        scratch: Arc::new(NoScratch),
        surroundings: Arc::new(Machine),
        settings: Settings::usual("benchmark"),
    }
}

/// What sessions run with: the tools of a hand, all of them allowed.
pub fn runs(tools: &[Tool]) -> RunsWith {
    let mut runs = RunsWith::new(Agent::new("bench"));
    runs.tools = tools.iter().map(|tool| ToolSpec::of_hand("hand", tool, Policy::AlwaysAllow)).collect();
    runs
}

fn now_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A number that no other id of this process has.
fn chance() -> [u8; 10] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut chance = [0; 10];
    chance[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    chance
}

/// An id of now.
pub fn session_id() -> SessionId {
    SessionId::at(now_unix_ms(), chance())
}

/// An id of now.
pub fn event_id() -> EventId {
    EventId::at(now_unix_ms(), chance())
}

/// Begins a session.
pub async fn begin(brain: &Brain, runs: &RunsWith) -> SessionId {
    let session = session_id();
    brain.create(session, runs, None, Default::default()).await.expect("a session");
    session
}

/// Interrupts a session, as its client.
pub async fn interrupt(log: &dyn SessionLog, session: SessionId) {
    let event = Event::new(event_id(), kinds::USER_INTERRUPT, Default::default()).expect("an event");
    append(log, session, Writer::Client, vec![event]).await;
}

/// Appends to a session; gives the first place.
pub async fn append(log: &dyn SessionLog, session: SessionId, writer: Writer, events: Vec<Event>) -> Seq {
    let places = log.append(vec![Batch { session, writer, after: None, events }]).await.expect("it is appended");
    places[0].as_ref().expect("a batch with events").first
}

/// A value so that a share of them is smaller.
pub fn share(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    let index = (times.len() as f64 * share) as usize;
    times[index.min(times.len() - 1)]
}

/// Three figures of a distribution, in milliseconds.
pub fn spread(times: &mut [Duration]) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let (half, most, all) = (share(times, 0.5), share(times, 0.95), share(times, 1.0));
    format!("p50 {:.2} ms, p95 {:.2} ms, most {:.2} ms", ms(half), ms(most), ms(all))
}
