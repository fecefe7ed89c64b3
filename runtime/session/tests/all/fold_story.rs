//! Histories for the tests of folds: told one event at a time, or drawn by chance.

use handbox_session::fold::{
    BrainWoke, CacheCreation, CallEnded, CallStarted, Fold, HandKept, HandPassed, HandProvisioned, InputTaken,
    ModelReply, Money, Outcome, SessionCreated, Tokens, Way, bodies::Body,
};
use handbox_session::{Entry, Epoch, Event, EventId, Hash, Kind, Minter, Seq, SessionId};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// When stories begin: 2026-11-21T00:00:00Z.
pub(crate) const BEGIN_UNIX_MS: u64 = 1_795_219_200_000;

/// The entries of a session, told one by one. Each event is a second after the one before.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) entries: Vec<Entry>,
    minter: Minter,
}

impl Story {
    /// One that has begun.
    pub(crate) fn new() -> Self {
        let mut story = Self { entries: Vec::new(), minter: Minter::default() };
        story.say(&SessionCreated { title: Some("a story".to_owned()), ..SessionCreated::default() });
        story
    }

    fn mint(&mut self) -> EventId {
        self.minter.mint(BEGIN_UNIX_MS + 1000 * self.entries.len() as u64, [0; 10])
    }

    pub(crate) fn push(&mut self, event: Event) -> EventId {
        let id = event.id();
        self.entries.push(Entry { seq: Seq::new(self.entries.len() as u64 + 1).expect("not 0"), event });
        id
    }

    /// An event of this type with these members.
    pub(crate) fn add(&mut self, kind: &str, members: Value) -> EventId {
        let Value::Object(members) = members else { panic!("members are an object") };
        let event = Event::new(self.mint(), Kind::new(kind).expect("a kind"), members).expect("an event");
        self.push(event)
    }

    /// One of Handbox's own.
    pub(crate) fn say(&mut self, body: &impl Body) -> EventId {
        let event = body.to_event(self.mint()).expect("an event");
        self.push(event)
    }

    pub(crate) fn take(&mut self, ids: &[EventId]) -> EventId {
        self.say(&InputTaken { ids: ids.to_vec() })
    }

    pub(crate) fn message(&mut self, text: &str) -> EventId {
        self.add("user.message", json!({"content": [{"type": "text", "text": text}]}))
    }

    pub(crate) fn idle(&mut self, reason: &str) -> EventId {
        self.add("session.status_idle", json!({"stop_reason": {"type": reason}}))
    }

    pub(crate) fn reply(&mut self, start: EventId, input_tokens: u64, cost: u64) -> EventId {
        self.say(&reply(start, input_tokens, cost))
    }

    pub(crate) fn tool_use(&mut self, permission: &str) -> EventId {
        self.add("agent.tool_use", json!({"name": "grep", "input": {}, "evaluated_permission": permission}))
    }

    pub(crate) fn checkpoint(&mut self, members: Map<String, Value>) -> EventId {
        self.add("handbox.checkpoint", Value::Object(members))
    }

    /// The fold of the first so many entries.
    pub(crate) fn fold(&self, count: usize) -> Fold {
        let mut fold = Fold::default();
        fold.apply_all(&self.entries[..count]).expect("no gap");
        fold
    }

    pub(crate) fn fold_all(&self) -> Fold {
        self.fold(self.entries.len())
    }
}

pub(crate) fn reply(start: EventId, input_tokens: u64, cost: u64) -> ModelReply {
    ModelReply {
        model_request_start_id: start,
        provider: "script".to_owned(),
        model: "tour".to_owned(),
        content: Some("[]".to_owned()),
        content_blob: None,
        stop_reason: None,
        usage: Tokens {
            input_tokens,
            output_tokens: 3,
            cache_read_input_tokens: 2,
            cache_creation: CacheCreation { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 4 },
        },
        cost: Money::from_picodollars(cost),
    }
}

/// What may come next: which step, and two numbers that choose within it.
pub(crate) type Step = (u8, usize, u64);

/// Histories of up to so many steps. A step that makes no sense where it stands is left out.
pub(crate) fn histories(steps: usize) -> impl Strategy<Value = Story> {
    prop::collection::vec((0..30_u8, 0..64_usize, 0..100_000_u64), 0..steps).prop_map(|steps| {
        let mut author = Author::new();
        steps.into_iter().for_each(|step| author.step(step));
        author.story
    })
}

/// Tells a plausible history, and remembers what it may refer to.
struct Author {
    story: Story,
    inputs: Vec<EventId>,
    calls: Vec<(EventId, &'static str)>,
    started: Vec<(EventId, u32)>,
    results: Vec<Value>,
    request: Option<EventId>,
    replied: Option<EventId>,
    held: Option<Map<String, Value>>,
}

const USES: [&str; 3] = ["agent.tool_use", "agent.mcp_tool_use", "agent.custom_tool_use"];

impl Author {
    fn new() -> Self {
        let (inputs, calls, started, results) = Default::default();
        Self { story: Story::new(), inputs, calls, started, results, request: None, replied: None, held: None }
    }

    fn step(&mut self, (step, pick, number): Step) {
        match step {
            0..=2 => self.input(pick),
            3..=5 => self.take(pick, number),
            6 => {
                self.story.add("session.status_running", json!({}));
            }
            7..=9 => self.ask(number),
            10..=13 => self.work(pick, number),
            14..=17 => self.result(pick, number),
            18 => self.interrupt(number),
            19 | 20 => self.rest(pick),
            21 => self.crash(pick),
            22 => self.change(pick, number),
            23 => self.nonsense(pick),
            24 | 25 => self.checkpoint(number),
            26 => {
                self.story.add("agent.thread_context_compacted", json!({}));
            }
            27 | 28 => self.pass(pick, number),
            _ => self.confirm(pick, number),
        }
    }

    fn input(&mut self, pick: usize) {
        let kind = ["user.message", "user.message", "system.message", "user.of_a_later_time"][pick % 4];
        let id = self.story.add(kind, json!({"content": []}));
        self.inputs.push(id);
    }

    fn take(&mut self, pick: usize, number: u64) {
        let mut ids = self.inputs.clone();
        ids.truncate(pick % 4);
        if !number.is_multiple_of(5) {
            // Otherwise a later one takes them again.
            self.inputs.drain(..ids.len());
        }
        if number.is_multiple_of(7) {
            ids.push(EventId::from(u128::from(number)));
        }
        self.story.take(&ids);
    }

    /// A model request with its end: a reply with calls, a failure, or none at all because the brain died.
    fn ask(&mut self, number: u64) {
        let start = self.story.add("span.model_request_start", json!({}));
        self.request = Some(start);
        let end = json!({"model_request_start_id": start.to_string(), "is_error": number.is_multiple_of(4),
            "model_usage": {"input_tokens": number, "output_tokens": 3}});
        match number % 8 {
            0 => {
                self.story.add("span.model_request_end", end);
            }
            1 => {}
            calls => {
                self.story.reply(start, number, number * 7);
                self.replied = Some(start);
                (0..calls / 2).for_each(|call| self.call(number + call));
                self.story.add("span.model_request_end", end);
            }
        }
    }

    fn call(&mut self, number: u64) {
        let kind = USES[(number % 3) as usize];
        let permission = ["allow", "ask", "deny", "auto"][(number / 3 % 4) as usize];
        let id = self.story.add(kind, json!({"name": "t", "input": {}, "evaluated_permission": permission}));
        self.calls.push((id, kind));
    }

    fn work(&mut self, pick: usize, number: u64) {
        if number.is_multiple_of(2) && !self.started.is_empty() {
            let (tool_use_id, attempt) = self.started[pick % self.started.len()];
            let outcomes = [Outcome::Committed, Outcome::Failed, Outcome::NotStarted, Outcome::Unknown];
            let outcome = outcomes[pick % 4];
            self.story.say(&CallEnded { tool_use_id, call_id: "c".to_owned(), attempt, outcome, reason: None });
        } else if !self.calls.is_empty() {
            let (tool_use_id, _) = self.calls[pick % self.calls.len()];
            let attempt = 1 + (number % 3) as u32;
            self.started.push((tool_use_id, attempt));
            self.story.say(&CallStarted { tool_use_id, call_id: "c".to_owned(), attempt, hand: None });
        }
    }

    fn result(&mut self, pick: usize, number: u64) {
        if number.is_multiple_of(6) && !self.results.is_empty() {
            // The same again.
            let again = self.results[pick % self.results.len()].clone();
            self.story.add("agent.tool_result", again);
        } else if number.is_multiple_of(13) {
            self.story.add("user.tool_result", json!({"tool_use_id": EventId::from(7_u128).to_string()}));
        } else if !self.calls.is_empty() {
            let (id, kind) = self.calls.remove(pick % self.calls.len());
            let (kind, member) = match kind {
                "agent.tool_use" if number.is_multiple_of(2) => ("user.tool_result", "tool_use_id"),
                "agent.tool_use" => ("agent.tool_result", "tool_use_id"),
                "agent.mcp_tool_use" => ("agent.mcp_tool_result", "mcp_tool_use_id"),
                _ => ("user.custom_tool_result", "custom_tool_use_id"),
            };
            self.results.push(json!({"tool_use_id": id.to_string()}));
            self.story.add(kind, json!({ (member): id.to_string(), "content": [] }));
        }
    }

    fn confirm(&mut self, pick: usize, number: u64) {
        if self.calls.is_empty() {
            return;
        }
        let (id, _) = self.calls[pick % self.calls.len()];
        let result = if number.is_multiple_of(2) { "allow" } else { "deny" };
        let confirmation = json!({"tool_use_id": id.to_string(), "result": result});
        let id = self.story.add("user.tool_confirmation", confirmation);
        self.inputs.push(id);
    }

    fn interrupt(&mut self, number: u64) {
        let members = match number % 3 {
            0 => json!({}),
            thread => json!({"session_thread_id": format!("sthr_{thread}")}),
        };
        let id = self.story.add("user.interrupt", members);
        if number.is_multiple_of(5) {
            self.story.take(&[id]);
        }
    }

    fn rest(&mut self, pick: usize) {
        let reasons =
            ["end_turn", "requires_action", "retries_exhausted", "budget_reached", "refusal", "of_a_later_time"];
        match pick {
            0 => {
                self.story.add("session.status_terminated", json!({}));
            }
            1..8 => {
                self.story.add("session.status_rescheduled", json!({}));
            }
            _ => {
                self.story.idle(reasons[pick % 6]);
            }
        }
    }

    /// The brain died: what was open stays open, and another one wakes.
    fn crash(&mut self, pick: usize) {
        self.started.clear();
        self.story.say(&BrainWoke { holder: "b".to_owned(), epoch: Epoch(pick as u64), reason: None });
        let (hand, reason) = (format!("hand{}", pick % 3), "died".to_owned());
        self.story.say(&HandProvisioned { hand, incarnation: pick as u64, bundle: None, reason });
    }

    /// A hand goes or comes, also one that is gone already, or is made ready, or keeps something.
    fn pass(&mut self, pick: usize, number: u64) {
        let (hand, incarnation) = (format!("hand{}", pick % 3), number % 5);
        let other = SessionId::from(u128::from(number % 7));
        let state = Hash([u8::try_from(number % 251).expect("small"); 32]);
        let way = match number % 4 {
            0 => Way::To(other),
            1 => Way::From(other),
            2 => {
                let state = (!number.is_multiple_of(5)).then_some(state);
                self.story.say(&HandKept { hand, incarnation, state, runs: Seq::FIRST });
                return;
            }
            _ => {
                let reason = "passed".to_owned();
                self.story.say(&HandProvisioned { hand, incarnation, bundle: None, reason });
                return;
            }
        };
        self.story.say(&HandPassed { hand, way, state, bundle: "digest".to_owned(), incarnation });
    }

    fn change(&mut self, pick: usize, number: u64) {
        let changes = [
            json!({"title": format!("t{number}")}),
            json!({"title": null, "budget": null}),
            json!({"metadata": {"k": number.to_string()}, "agent": {"name": "a"}}),
        ];
        self.story.add("session.updated", changes[pick % 3].clone());
        let retry = ["retrying", "exhausted", "terminal", "of_a_later_time"][pick % 4];
        let error = json!({"type": "unknown_error", "message": "m", "retry_status": {"type": retry}});
        self.story.add("session.error", json!({ "error": error }));
        self.story.add("user.define_outcome", json!({"description": "d"}));
    }

    /// Bodies of the wrong shape, kinds that nobody knows, and what was said before.
    fn nonsense(&mut self, pick: usize) {
        let known = handbox_session::kinds::ALL;
        let kind = known[pick % known.len()].as_str();
        let members = json!({"ids": 7, "tool_use_id": "x", "name": [], "stop_reason": {}, "error": 1, "title": 2,
            "session_thread_id": 3, "model_request_start_id": null, "version": "x", "hand": 1, "holder": 5});
        if !kind.starts_with("session.status") {
            self.story.add(kind, members);
        }
        self.story.add("agent.of_a_later_time", json!({"x": 1}));
        if let Some(replied) = self.replied {
            self.story.reply(replied, 1, 1);
        }
        if let Some(request) = self.request.filter(|_| pick.is_multiple_of(2)) {
            self.story.add("span.model_request_end", json!({"model_request_start_id": request.to_string()}));
        }
    }

    /// Writes a checkpoint at once, or first lets others write.
    fn checkpoint(&mut self, number: u64) {
        let now = self.story.fold_all().checkpoint();
        match self.held.take() {
            Some(held) => {
                self.story.checkpoint(held);
            }
            None if number.is_multiple_of(2) => {
                self.story.checkpoint(now.expect("it fits"));
            }
            None => self.held = now,
        }
    }
}
