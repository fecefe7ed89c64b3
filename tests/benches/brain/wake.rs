//! From waking a session to its model request, on logs of growing length.

use async_trait::async_trait;
use handbox_brain::Brain;
use handbox_brain::context::Context;
use handbox_brain::model::ModelRequest;
use handbox_hand::Hand;
use handbox_session::memory::MemoryLog;
use handbox_session::{Event, EventId, Seq, SessionId, Slice, Writer, kinds};
use handbox_tests::lab::{Always, AtOnce, Before, Idle, Rounds, append, begin, brain, runs, share, spread};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const APPEND_EVENTS: usize = 1000;
const WAKES: usize = 30;

/// Notes when a request arrived.
struct Noted(Arc<Mutex<Option<Instant>>>);

#[async_trait]
impl Before for Noted {
    async fn answer(&self, _: &ModelRequest) {
        self.0.lock().expect("nobody panicked").get_or_insert_with(Instant::now);
    }
}

pub(crate) async fn measure() {
    let mut first = None;
    for events in [1_000, 10_000, 100_000, 1_000_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let hand = Arc::new(Idle::new(false));
        let arrived = Arc::new(Mutex::new(None));
        let model = Rounds { rounds: 1, call: ("look", json!({})), before: Noted(Arc::clone(&arrived)) };
        let brain = brain(folder.path(), Arc::new(model), Arc::new(Always(hand.clone())));
        let mut runs = runs(hand.tools());
        runs.context = Context::LastTurns { turns: 3 };
        let session = begin(&brain, &runs).await;
        fill(&brain, session, events).await;
        let mut times = Vec::new();
        // The first wakes fold what was filled in without checkpoints, and write one.
        for wake in 0..WAKES + 40 {
            brain.say(session, "Look around.").await.expect("said");
            *arrived.lock().expect("nobody panicked") = None;
            let began = Instant::now();
            brain.wake(session).await.expect("it works");
            let asked = arrived.lock().expect("nobody panicked").expect("the model was asked");
            if wake >= 40 {
                times.push(asked - began);
            }
        }
        let half = share(&mut times, 0.5);
        let beside = half.as_secs_f64() / first.get_or_insert(half).as_secs_f64();
        let head = brain.log.record(session).await.expect("a record").head;
        println!(
            "wake to model request, {head} events: {}, {beside:.2}x of 10³ (goal: flat, < 20 ms)",
            spread(&mut times)
        );
    }
}

/// Turns as a brain wrote them, again and again under new ids, without checkpoints.
async fn fill(brain: &Brain, session: SessionId, events: usize) {
    let turns = turns().await;
    let lease = brain.log.claim(session, "filler", Duration::from_secs(60)).await.expect("a claim");
    let mut batch = Vec::new();
    let mut left = events;
    let mut copy = 0_u64;
    while left > turns.len() {
        let renamed = renamed(&turns, copy);
        left -= renamed.len();
        copy += 1;
        batch.extend(renamed);
        if batch.len() >= APPEND_EVENTS {
            append(&*brain.log, session, Writer::Brain(lease.epoch), std::mem::take(&mut batch)).await;
            brain.log.renew(&lease, Duration::from_secs(60)).await.expect("it is still ours");
        }
    }
    if !batch.is_empty() {
        append(&*brain.log, session, Writer::Brain(lease.epoch), batch).await;
    }
    brain.log.release(&lease).await.expect("it is given back");
}

/// Eight turns, each with a call, as events.
async fn turns() -> Vec<Event> {
    let log = MemoryLog::new(Instant::now);
    let hand = Arc::new(Idle::new(false));
    let model = Rounds { rounds: 1, call: ("look", json!({})), before: AtOnce };
    let folder = tempfile::tempdir().expect("a folder");
    let mut brain = brain(folder.path(), Arc::new(model), Arc::new(Always(hand.clone())));
    brain.log = Arc::new(log.clone());
    let session = begin(&brain, &runs(hand.tools())).await;
    for _ in 0..8 {
        brain.say(session, "Look around, and say what you see.").await.expect("said");
        brain.wake(session).await.expect("it works");
    }
    let page = brain.log.read(session, Slice::from(Seq::FIRST)).await.expect("a page");
    let events = page.entries.into_iter().map(|entry| entry.event);
    let once = [kinds::HANDBOX_SESSION_CREATED, kinds::HANDBOX_CHECKPOINT, kinds::HANDBOX_HAND_PROVISIONED];
    events.filter(|event| !once.contains(event.kind())).collect()
}

/// The same events under ids of their own, which their references follow.
fn renamed(events: &[Event], copy: u64) -> Vec<Event> {
    let mut ids = HashMap::new();
    for (index, event) in events.iter().enumerate() {
        let mut chance = [1; 10];
        chance[..8].copy_from_slice(&copy.to_be_bytes());
        chance[8..].copy_from_slice(&u16::try_from(index).expect("a few hundred").to_be_bytes());
        ids.insert(event.id().to_string(), EventId::at(event.id().unix_ms(), chance).to_string());
    }
    let rename = |event: &Event| {
        let mut text = String::with_capacity(event.json().len());
        let mut rest = event.json();
        while let Some(at) = rest.find("sevt_") {
            let end = rest[at..].find('"').map_or(rest.len(), |length| at + length);
            let id = &rest[at..end];
            text.push_str(&rest[..at]);
            text.push_str(ids.get(id).map_or(id, String::as_str));
            rest = &rest[end..];
        }
        text.push_str(rest);
        Event::from_json(&text).expect("an event")
    };
    events.iter().map(rename).collect()
}
