//! A small session: somebody asks, the model calls a tool, reads what it found and answers.

use handbox_session::fold::bodies::Body;
use handbox_session::fold::{
    BrainWoke, CallEnded, CallStarted, HandProvisioned, InputTaken, ModelReply, Money, Outcome, SessionCreated, Tokens,
};
use handbox_session::{Chain, Entry, Epoch, Event, EventId, Exporter, Kind, NewSession, Record, SessionId, SessionLog};
use handbox_store::socket::SharedLog;
use handbox_store::{Options, socket};
use serde_json::{Value, json};
use std::path::Path;

/// 2026-11-21T09:30:00Z, when the sample began.
const BEGAN_UNIX_MS: u64 = 1_795_253_400_000;

/// Mints ids that are the same each time.
struct Ids {
    unix_ms: u64,
    chance: u64,
}

impl Ids {
    fn new(seed: u64) -> Self {
        Self { unix_ms: BEGAN_UNIX_MS, chance: seed }
    }

    /// Ten bytes without any order that could be seen.
    fn chance(&mut self) -> [u8; 10] {
        std::array::from_fn(|_| {
            self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.chance >> 56) as u8
        })
    }

    fn session(&mut self) -> SessionId {
        SessionId::at(self.unix_ms, self.chance())
    }

    fn event(&mut self, after_ms: u64) -> EventId {
        self.unix_ms += after_ms;
        EventId::at(self.unix_ms, self.chance())
    }
}

/// An event of Managed Agents.
fn event(id: EventId, kind: &str, members: Value) -> Event {
    let Value::Object(members) = members else { panic!("members are an object") };
    Event::new(id, Kind::new(kind).expect("a kind"), members).expect("an event")
}

fn own(id: EventId, body: &impl Body) -> Event {
    body.to_event(id).expect("an event")
}

/// What a further message of the user looks like, with an id of its own for each `number`.
pub fn message(number: u64, text: &str) -> Event {
    let id = EventId::at(BEGAN_UNIX_MS + 60_000 + number, [7; 10]);
    event(id, "user.message", json!({ "content": [{ "type": "text", "text": text }] }))
}

/// The brain takes input up.
pub fn taken(number: u64, ids: Vec<EventId>) -> Event {
    own(EventId::at(BEGAN_UNIX_MS + 60_000 + number, [8; 10]), &InputTaken { ids })
}

/// A sample by its number; number 0 is the one in `examples/`.
pub fn session(number: u64) -> NewSession {
    let ids = &mut Ids::new(number);
    let id = ids.session();
    let mut events = beginning(ids);
    events.extend(first_reply(ids));
    let tool_use_id = events.last().expect("there are events").id();
    let (span, ended) = (ids.event(3), ids.event(2));
    let ready =
        HandProvisioned { hand: "std".to_owned(), incarnation: 1, bundle: None, reason: "first_call".to_owned() };
    events.push(own(span, &ready));
    let call_id = format!("call_{}", &tool_use_id.to_string()["sevt_".len()..]);
    let (attempt, hand) = (1, Some("std".to_owned()));
    events.push(own(ended, &CallStarted { tool_use_id, call_id: call_id.clone(), attempt, hand }));
    let outcome = Outcome::Committed;
    events.push(own(ids.event(9), &CallEnded { tool_use_id, call_id, attempt, outcome, reason: None }));
    let found = json!([{ "type": "text", "text": "notes.txt:3:TODO: bread\n" }]);
    let result = json!({ "tool_use_id": tool_use_id, "content": found, "is_error": false });
    events.push(event(ids.event(0), "agent.tool_result", result));
    events.extend(last_reply(ids));
    events.push(event(ids.event(1), "session.status_idle", json!({ "stop_reason": { "type": "end_turn" } })));
    NewSession::own(id, events)
}

fn beginning(ids: &mut Ids) -> Vec<Event> {
    let created = SessionCreated {
        title: Some("What is left to do?".to_owned()),
        agent: json!({ "name": "helper", "model": { "id": "claude-sonnet-4-5" } }),
        system: Some("You help with notes.".to_owned()),
        tools: vec![json!({ "name": "grep", "input_schema": { "type": "object" } })],
        ..SessionCreated::default()
    };
    let created = own(ids.event(0), &created);
    let text = json!([{ "type": "text", "text": "What is left to do in my notes?" }]);
    let asked = event(ids.event(2_000), "user.message", json!({ "content": text }));
    let woke = BrainWoke { holder: "example".to_owned(), epoch: Epoch(1), reason: None };
    let woke = own(ids.event(4), &woke);
    let running = event(ids.event(1), "session.status_running", json!({}));
    let taken = own(ids.event(0), &InputTaken { ids: vec![asked.id()] });
    vec![created, asked, woke, running, taken]
}

/// The model is asked, and replies; the last event is what the reply shows.
fn reply(ids: &mut Ids, content: &Value, stop: &str, tokens: (u64, u64), shown: (&str, Value)) -> Vec<Event> {
    let start = event(ids.event(1), "span.model_request_start", json!({}));
    let usage = Tokens { input_tokens: tokens.0, output_tokens: tokens.1, ..Tokens::default() };
    let truth = ModelReply {
        model_request_start_id: start.id(),
        provider: "script".to_owned(),
        model: "claude-sonnet-4-5".to_owned(),
        content: Some(content.to_string()),
        content_blob: None,
        stop_reason: Some(stop.to_owned()),
        usage,
        // 3 and 15 dollars for a million tokens.
        cost: Money::from_picodollars(tokens.0 * 3_000_000 + tokens.1 * 15_000_000),
    };
    let truth = own(ids.event(1_400), &truth);
    let used = json!({
        "input_tokens": tokens.0, "output_tokens": tokens.1,
        "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
    });
    let end = json!({ "model_request_start_id": start.id(), "is_error": false, "model_usage": used });
    let end = event(ids.event(0), "span.model_request_end", end);
    vec![start, truth, end, event(ids.event(0), shown.0, shown.1)]
}

fn first_reply(ids: &mut Ids) -> Vec<Event> {
    let input = json!({ "pattern": "TODO" });
    let content = json!([{ "type": "tool_use", "id": "toolu_01", "name": "grep", "input": input }]);
    let shown = json!({ "name": "grep", "input": input, "evaluated_permission": "allow" });
    reply(ids, &content, "tool_use", (812, 46), ("agent.tool_use", shown))
}

fn last_reply(ids: &mut Ids) -> Vec<Event> {
    let content = json!([{ "type": "text", "text": "One thing: bread." }]);
    let shown = json!({ "content": content });
    reply(ids, &content, "end_turn", (884, 11), ("agent.message", shown))
}

/// What `handbox log export` writes of a session that was just begun.
pub fn export(new: &NewSession) -> String {
    let mut chain = Chain::new(new.id, Vec::new()).expect("no lineage");
    for event in &new.events {
        chain.push(event.json()).expect("no fork");
    }
    let record = Record {
        id: new.id,
        lineage: Vec::new(),
        head: chain.head().expect("there are events"),
        last: new.events.last().expect("there are events").id(),
        hash: chain.hash(),
        checkpoint: None,
        compaction: None,
        holder: None,
    };
    let mut exporter = Exporter::new(record).expect("no lineage");
    let mut lines = vec![exporter.header()];
    for (event, seq) in new.events.iter().zip(1..) {
        let seq = handbox_session::Seq::new(seq).expect("from 1");
        lines.push(exporter.entry(&Entry { seq, event: event.clone() }).expect("in order"));
    }
    lines.push(exporter.finish().expect("all of it"));
    lines.join("\n") + "\n"
}

/// The log of a data folder, opened by this process, and the runtime it lives on.
pub struct Opened {
    runtime: tokio::runtime::Runtime,
    log: Option<SharedLog>,
}

impl Opened {
    /// Opens it as its holder, or through the process that holds it.
    pub fn new(data: &Path) -> Self {
        std::fs::create_dir_all(data).expect("a folder");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let opener = socket::redb(data, Options::standard());
        let log = runtime.block_on(SharedLog::open(data, "a test", opener)).expect("the log opens");
        Self { runtime, log: Some(log) }
    }

    /// Whether this process is the one that holds the store.
    pub fn is_holder(&self) -> bool {
        self.log.as_ref().is_some_and(SharedLog::is_holder)
    }

    /// Does something with it.
    pub fn run<T>(&self, work: impl AsyncFnOnce(&dyn SessionLog) -> T) -> T {
        let log = self.log.as_ref().expect("it is open");
        self.runtime.block_on(work(log))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(log) = self.log.take() {
            self.runtime.block_on(log.close());
        }
    }
}
