//! Everything folded is a checkpoint and what comes after it.

use crate::fold_story::{Story, histories};
use handbox_session::fold::{
    CALLS_MAX, CHECKPOINT_BYTES_MAX, CHECKPOINT_EVENTS, Entrance, Money, QUEUE_MAX, bodies::NAME_BYTES_MAX,
};
use handbox_session::{EventId, Fold, Kind};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The fold's checkpoint as it would be read back from a log.
fn through_a_checkpoint(fold: &Fold) -> Fold {
    let mut elsewhere = Story::new();
    elsewhere.checkpoint(fold.checkpoint().expect("it fits"));
    Fold::restore(&elsewhere.entries[1].event).expect("it can be restored")
}

proptest! {
    // A quarter, since each looks at all places; PROPTEST_CASES asks for more.
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 4, ..ProptestConfig::default() })]

    #[test]
    fn a_checkpoint_anywhere_and_the_tail_are_everything(story in histories(60)) {
        let whole = story.fold_all();
        let mut so_far = Fold::default();
        for (index, entry) in story.entries.iter().enumerate() {
            so_far.apply(entry.seq, &entry.event).unwrap();
            let mut fold = through_a_checkpoint(&so_far);
            prop_assert_eq!(&fold, &so_far);
            fold.apply_all(&story.entries[index + 1..]).unwrap();
            prop_assert_eq!(&fold, &whole, "from place {}", entry.seq);
        }
    }

    #[test]
    fn a_checkpoint_in_the_log_does_too_also_when_others_wrote_in_between(story in histories(90)) {
        let whole = story.fold_all();
        let checkpoints = story.entries.iter().filter_map(|entry| Fold::restore(&entry.event));
        for mut fold in checkpoints {
            fold.apply_all(&story.entries).unwrap();
            prop_assert_eq!(&fold, &whole);
        }
    }

    #[test]
    fn a_fold_says_what_a_look_at_all_events_says(story in histories(90)) {
        let fold = story.fold_all();
        let naive = Naive::of(&story);
        prop_assert_eq!(fold.calls.iter().map(|call| call.id).collect::<Vec<_>>(), naive.calls);
        prop_assert_eq!(fold.queue.iter().map(|queued| queued.id).collect::<Vec<_>>(), naive.queue);
        prop_assert_eq!(fold.total.spend, Money::from_picodollars(naive.picodollars));
        prop_assert_eq!(fold.total.tokens.input_tokens, naive.input_tokens);
        prop_assert_eq!(fold.total.tool_calls, naive.tool_calls);
    }
}

/// The same from the events' JSON, without any state in between.
struct Naive {
    calls: Vec<EventId>,
    queue: Vec<EventId>,
    picodollars: u64,
    input_tokens: u64,
    tool_calls: u64,
}

impl Naive {
    fn of(story: &Story) -> Self {
        let events: Vec<(EventId, String, Value)> = story
            .entries
            .iter()
            .map(|entry| (entry.event.id(), entry.event.kind().to_string(), Value::Object(entry.event.members())))
            .collect();
        let id = |value: &Value| value.as_str().and_then(|text| text.parse::<EventId>().ok());
        let results: HashSet<EventId> = events
            .iter()
            .filter(|(_, kind, _)| kind.ends_with("tool_result"))
            .flat_map(|(_, _, members)| {
                ["tool_use_id", "mcp_tool_use_id", "custom_tool_use_id"].map(|name| id(&members[name]))
            })
            .flatten()
            .collect();
        let uses: Vec<EventId> = events
            .iter()
            .filter(|(_, kind, members)| kind.ends_with("tool_use") && members["name"].is_string())
            .map(|(id, ..)| *id)
            .collect();
        let taken: HashSet<EventId> = events
            .iter()
            .filter(|(_, kind, _)| kind == "handbox.input_taken")
            .flat_map(|(_, _, members)| members["ids"].as_array().into_iter().flatten().filter_map(id))
            .collect();
        let waits = |kind: &str| Entrance::of(&Kind::new(kind).expect("a kind")) == Entrance::Queue;
        let queue =
            events.iter().filter(|(id, kind, _)| waits(kind) && !taken.contains(id)).map(|(id, ..)| *id).collect();

        // Of a request the first reply or end says what it used; only replies cost.
        let (mut settled, mut picodollars, mut input_tokens) = (HashSet::new(), 0, 0);
        for (_, kind, members) in &events {
            let Some(start) = id(&members["model_request_start_id"]) else { continue };
            if !settled.insert(start) {
                continue;
            }
            let usage = if kind == "handbox.model_reply" { "usage" } else { "model_usage" };
            input_tokens += members[usage]["input_tokens"].as_u64().unwrap_or(0);
            picodollars += members["cost"].as_str().map_or(0, |cost| cost.parse::<u64>().expect("digits"));
        }
        let tool_calls = uses.len() as u64;
        let calls = uses.into_iter().filter(|id| !results.contains(id)).collect();
        Self { calls, queue, picodollars, input_tokens, tool_calls }
    }
}

#[test]
fn a_checkpoint_of_another_version_or_shape_is_not_used() {
    let mut story = Story::new();
    let good = story.fold_all().checkpoint().unwrap();
    let mut with = |name: &str, value: Value| {
        let mut members = good.clone();
        members.insert(name.to_owned(), value);
        story.checkpoint(members);
        Fold::restore(&story.entries.last().unwrap().event)
    };
    assert!(with("version", json!(5)).is_some());
    assert!(with("version", json!(4)).is_none());
    assert!(with("version", json!(null)).is_none());
    assert!(with("fold", json!({})).is_none());
    let mut grown = good["fold"].clone();
    grown["of_a_later_time"] = json!(1);
    assert!(with("fold", grown).is_none(), "a member that is not known may matter");
    assert!(with("of_a_later_time", json!(1)).is_some(), "beside the fold it does not");
    assert!(Fold::restore(&story.entries[0].event).is_none());
}

#[test]
fn the_shape_of_version_5_is_fixed() {
    let mut story = Story::new();
    story.message("hello");
    story.add("session.status_running", json!({}));
    story.tool_use("ask");
    let fold = &story.fold_all().checkpoint().unwrap()["fold"];
    let expected = json!({
        "through": [4, story.entries[3].event.id().to_string()],
        "active_unix_ms": 1_795_219_203_000_u64, "status": "running", "stop_reason": null, "title": "a story", "metadata": {},
        "turn": {"start": 3, "running_since_unix_ms": 1_795_219_202_000_u64,
            "awake_unix_ms": 1_795_219_203_000_u64, "work": work(1)},
        "total": work(1), "requests": [],
        "calls": [{"id": story.entries[3].event.id().to_string(), "place": 4, "of": "tool", "name": "grep",
            "permission": "ask", "decision": null, "attempt": null, "thread": null}],
        "queue": [{"id": story.entries[1].event.id().to_string(), "place": 2, "kind": "user.message"}],
        "interrupts": [], "news": 0, "asked": 0, "reply_stop": null, "context_tokens": 0, "compacted_tokens": 0,
        "retries": {"count": 0, "at_unix_ms": 0}, "hands": {}, "passed": {}, "kept": {},
        "anchors": {"compaction": null, "checkpoint": null, "reply": null, "interrupt": null, "outcome": null,
            "taken": null, "woke": null, "changed": null, "rest": null, "agent": null, "budget": null},
        "last_error": null, "oddities": {"malformed": 0, "stray": 0, "last": null},
    });
    assert_eq!(fold, &expected, "another shape needs another CHECKPOINT_VERSION");
}

fn work(tool_calls: u64) -> Value {
    json!({"model_requests": 0, "model_requests_lost": 0, "tool_calls": tool_calls,
        "tokens": {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}},
        "spend": "0", "waste": "0", "active_ms": 0})
}

#[test]
fn a_checkpoint_is_due_every_256_events_and_fits_into_one() {
    let mut story = Story::new();
    while story.fold_all().through().unwrap().get() < CHECKPOINT_EVENTS {
        assert!(!story.fold_all().checkpoint_due());
        story.add("agent.thinking", json!({}));
    }
    let fold = story.fold_all();
    assert!(fold.checkpoint_due());
    story.checkpoint(fold.checkpoint().unwrap());
    assert!(!story.fold_all().checkpoint_due());
}

#[test]
fn a_full_fold_fits_and_a_fuller_one_leaves_its_checkpoint_out() {
    let mut story = Story::new();
    let name = "n".repeat(2 * NAME_BYTES_MAX);
    for _ in 0..CALLS_MAX {
        let id = story.add("agent.tool_use", json!({"name": name, "session_thread_id": name}));
        let call_id = "c".repeat(NAME_BYTES_MAX);
        let started = json!({"tool_use_id": id.to_string(), "call_id": call_id, "attempt": u32::MAX});
        story.add("handbox.call_started", started);
    }
    let mut messages = Vec::new();
    (0..QUEUE_MAX).for_each(|_| messages.push(story.message("hello")));
    let fold = story.fold_all();
    let bytes = Value::Object(fold.checkpoint().expect("it fits")).to_string().len();
    assert!(bytes < CHECKPOINT_BYTES_MAX, "{bytes}");
    assert!(fold.checkpoint_due());

    story.message("one more");
    let fuller = story.fold_all();
    assert!(fuller.checkpoint().is_none() && !fuller.checkpoint_due());
    assert_eq!(fuller.queue.len(), QUEUE_MAX + 1, "nothing is lost");

    story.take(&messages);
    assert!(story.fold_all().checkpoint_due(), "once there is room again");
}

#[test]
fn an_empty_fold_has_no_checkpoint() {
    assert!(Fold::default().checkpoint().is_none());
    assert!(!Fold::default().checkpoint_due());
}
