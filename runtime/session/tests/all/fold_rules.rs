//! What each kind of event changes in a fold.

use crate::fold_story::{BEGIN_UNIX_MS, Story, histories};
use handbox_session::fold::{
    BrainWoke, CallEnded, CallStarted, Gap, HandProvisioned, Money, Outcome, Permission, Retry, SessionCreated, Status,
    StopReason, Verdict, WaitingOn, bodies::Body,
};
use handbox_session::{Epoch, EventId, Fold, Seq};
use proptest::prelude::*;
use serde_json::json;

fn seq(place: u64) -> Seq {
    Seq::new(place).expect("not 0")
}

#[test]
fn status_follows_the_events_and_ends_for_good() {
    let mut story = Story::new();
    assert_eq!((story.fold_all().status, story.fold_all().stop_reason), (Status::Idle, None));
    story.add("session.status_running", json!({}));
    assert_eq!(story.fold_all().status, Status::Running);
    story.add("session.status_rescheduled", json!({}));
    assert_eq!(story.fold_all().status, Status::Rescheduling);
    story.add("session.status_running", json!({}));
    story.idle("budget_reached");
    assert_eq!(story.fold_all().stop_reason, Some(StopReason::BudgetReached));
    story.idle("of_a_later_time");
    assert_eq!(story.fold_all().stop_reason, Some(StopReason::Other("of_a_later_time".to_owned())));
    story.add("session.status_terminated", json!({}));
    story.add("session.status_running", json!({}));
    let fold = story.fold_all();
    assert_eq!((fold.status, fold.stop_reason, fold.oddities.stray), (Status::Terminated, None, 1));
}

#[test]
fn a_turn_counts_anew_but_not_after_the_client_answered() {
    let mut story = Story::new();
    for reason in ["end_turn", "requires_action", "end_turn"] {
        story.add("session.status_running", json!({}));
        let start = story.add("span.model_request_start", json!({}));
        story.reply(start, 10, 5);
        story.tool_use("allow");
        story.add("span.model_request_end", json!({"model_request_start_id": start.to_string()}));
        story.idle(reason);
    }
    let fold = story.fold_all();
    // Places 2 to 7 are the first turn; the second one has two runs of five seconds.
    assert_eq!(fold.turn.start, Some(seq(8)));
    assert_eq!((fold.turn.work.model_requests, fold.total.model_requests), (2, 3));
    assert_eq!((fold.turn.work.tool_calls, fold.total.tool_calls), (2, 3));
    assert_eq!((fold.turn.work.active_ms, fold.total.active_ms), (10_000, 15_000));
    assert_eq!(fold.turn.work.spend, Money::from_picodollars(10));
    assert_eq!(fold.active_unix_ms, BEGIN_UNIX_MS + 18_000);
    story.checkpoint(fold.checkpoint().unwrap());
    assert_eq!(story.fold_all().active_unix_ms, fold.active_unix_ms, "a checkpoint is nothing that happened");
}

#[test]
fn a_reply_counts_once_and_its_end_only_where_there_is_none() {
    let mut story = Story::new();
    let start = story.add("span.model_request_start", json!({}));
    let end = |start: EventId| {
        json!({"model_request_start_id": start.to_string(), "is_error": false, "model_usage": {"input_tokens": 100,
            "output_tokens": 50, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 8, "speed": "fast"}})
    };
    story.reply(start, 10, 5);
    story.reply(start, 10, 5);
    story.add("span.model_request_end", end(start));
    story.add("span.model_request_end", end(start));
    story.reply(start, 10, 5);
    let fold = story.fold_all();
    assert_eq!((fold.total.tokens.input_tokens, fold.total.spend), (10, Money::from_picodollars(5)));
    assert_eq!((fold.total.model_requests, fold.total.model_requests_lost, fold.oddities.stray), (1, 0, 3));

    let lost = story.add("span.model_request_start", json!({}));
    assert_eq!(story.fold_all().requests.len(), 1);
    story.add("span.model_request_end", end(lost));
    let fold = story.fold_all();
    assert_eq!((fold.total.tokens.input_tokens, fold.total.tokens.output_tokens), (110, 53));
    assert_eq!(fold.total.tokens.cache_creation.ephemeral_5m_input_tokens, 8);
    assert_eq!(fold.total.tokens.total(), 10 + 3 + 2 + 5 + 165);
    assert_eq!((fold.total.model_requests_lost, fold.requests.len()), (1, 0));
}

#[test]
fn a_call_is_open_until_its_result() {
    let mut story = Story::new();
    let id = story.tool_use("allow");
    let call_id = "call-1".to_owned();
    let started = |attempt| CallStarted { tool_use_id: id, call_id: call_id.clone(), attempt, hand: None };
    let ended =
        |attempt, outcome| CallEnded { tool_use_id: id, call_id: call_id.clone(), attempt, outcome, reason: None };
    story.say(&started(1));
    let fold = story.fold_all();
    let attempt = fold.call(id).unwrap().attempt.clone().unwrap();
    assert_eq!((attempt.number, attempt.call_id.as_str(), attempt.outcome), (1, "call-1", None));
    story.say(&ended(1, Outcome::NotStarted));
    story.say(&started(2));
    story.say(&ended(1, Outcome::Committed));
    let fold = story.fold_all();
    let attempt = fold.call(id).unwrap().attempt.clone().unwrap();
    assert_eq!(
        (attempt.number, attempt.outcome, fold.oddities.stray),
        (2, None, 1),
        "an attempt given up says no more"
    );
    story.say(&ended(2, Outcome::Unknown));
    assert_eq!(story.fold_all().calls[0].attempt.as_ref().unwrap().outcome, Some(Outcome::Unknown));
    for _ in 0..2 {
        story.add("agent.tool_result", json!({"tool_use_id": id.to_string(), "content": []}));
    }
    let fold = story.fold_all();
    assert_eq!((fold.calls.len(), fold.oddities.stray, fold.news), (0, 2, 1));
}

#[test]
fn what_waits_for_the_client_is_listed_in_order_and_answered_once() {
    let mut story = Story::new();
    story.tool_use("allow");
    let asked = story.tool_use("ask");
    let denied = story.tool_use("deny");
    let unsaid = story.add("agent.mcp_tool_use", json!({"name": "m", "input": {}, "mcp_server_name": "s"}));
    let custom = story.add("agent.custom_tool_use", json!({"name": "c", "input": {}}));
    let waiting: Vec<_> = story.fold_all().waiting().map(|waiting| (waiting.id, waiting.on)).collect();
    let confirmation = WaitingOn::Confirmation;
    assert_eq!(waiting, [(asked, confirmation), (unsaid, confirmation), (custom, WaitingOn::CustomToolResult)]);

    for (id, result) in [(asked, "deny"), (asked, "allow"), (denied, "allow"), (custom, "allow"), (unsaid, "maybe")] {
        story.add("user.tool_confirmation", json!({"tool_use_id": id.to_string(), "result": result}));
    }
    story.add("user.custom_tool_result", json!({"custom_tool_use_id": custom.to_string()}));
    let fold = story.fold_all();
    assert_eq!(fold.waiting().map(|waiting| waiting.id).collect::<Vec<_>>(), [unsaid]);
    let decision = fold.call(asked).unwrap().decision.unwrap();
    assert_eq!((decision.verdict, decision.place), (Verdict::Deny, seq(7)), "the first answer counts");
    assert_eq!(fold.call(denied).unwrap().permission, Permission::Deny);
    assert_eq!((fold.oddities.stray, fold.oddities.malformed), (3, 1));
}

#[test]
fn the_time_between_two_brains_counts_for_no_turn() {
    let mut story = Story::new();
    story.add("session.status_running", json!({}));
    story.add("span.model_request_start", json!({}));
    // The brain is gone by now; its client and its operator are not.
    story.message("are you there?");
    story.add("handbox.session_changed", json!({}));
    let woke = |epoch| BrainWoke { holder: "b".to_owned(), epoch: Epoch(epoch), reason: None };
    story.say(&woke(2));
    let fold = story.fold_all();
    assert_eq!((fold.turn.work.active_ms, fold.total.active_ms), (1000, 1000));
    assert_eq!(fold.turn.running_since_unix_ms, Some(BEGIN_UNIX_MS + 5000));
    story.idle("end_turn");
    assert_eq!(story.fold_all().turn.work.active_ms, 2000);
    story.say(&woke(3));
    let fold = story.fold_all();
    assert_eq!((fold.turn.work.active_ms, fold.turn.running_since_unix_ms), (2000, None), "at rest no time passes");
}

#[test]
fn an_attempt_after_one_whose_outcome_is_unknown_is_in_doubt() {
    let mut story = Story::new();
    let call = story.tool_use("allow");
    let started = |attempt| json!({"tool_use_id": call, "call_id": "c", "attempt": attempt});
    let ended = |attempt, outcome| json!({"tool_use_id": call, "call_id": "c", "attempt": attempt, "outcome": outcome});
    let doubt = |story: &Story| story.fold_all().calls[0].attempt.as_ref().unwrap().in_doubt();
    story.add("handbox.call_started", started(1));
    assert!(doubt(&story));
    story.add("handbox.call_ended", ended(1, "not_started"));
    assert!(!doubt(&story));
    story.add("handbox.call_started", started(2));
    story.add("handbox.call_ended", ended(2, "unknown"));
    story.add("handbox.call_started", started(3));
    story.add("handbox.call_ended", ended(3, "not_started"));
    assert!(doubt(&story), "the third did not begin, but the second may have");
}

#[test]
fn what_no_compaction_takes_away_is_what_the_reply_after_it_counts() {
    let mut story = Story::new();
    let mut tokens = Vec::new();
    for compacts in [false, true, false] {
        if compacts {
            story.add("agent.thread_context_compacted", json!({}));
        }
        let start = story.add("span.model_request_start", json!({}));
        story.reply(start, 10 * story.entries.len() as u64, 0);
        story.add("span.model_request_end", json!({"model_request_start_id": start.to_string()}));
        tokens.push((story.fold_all().context_tokens, story.fold_all().compacted_tokens));
    }
    assert_eq!((tokens[0].1, tokens[1].1, tokens[2].1), (0, tokens[1].0, tokens[1].0), "{tokens:?}");
}

#[test]
fn input_waits_until_it_is_taken_and_an_interrupt_never_does() {
    let mut story = Story::new();
    story.add("session.status_running", json!({}));
    let first = story.message("first");
    let system = story.add("system.message", json!({"content": []}));
    let later = story.add("user.of_a_later_time", json!({}));
    story.add("user.define_outcome", json!({"description": "d"}));
    let interrupt = story.add("user.interrupt", json!({}));
    let fold = story.fold_all();
    assert_eq!(fold.queue.iter().map(|queued| queued.id).collect::<Vec<_>>(), [first, system, later]);
    assert_eq!((fold.interrupts[0].id, fold.anchors.interrupt), (interrupt, Some(seq(7))));

    story.take(&[later, first, EventId::from(1)]);
    let fold = story.fold_all();
    assert_eq!(fold.queue.iter().map(|queued| queued.id).collect::<Vec<_>>(), [system]);
    assert_eq!((fold.news, fold.oddities.stray), (2, 0), "an outcome shows nothing to the model");
    story.take(&[first]);
    assert_eq!(story.fold_all().oddities.stray, 1, "taken twice");
}

#[test]
fn an_interrupt_is_done_when_the_session_rests_or_it_is_taken() {
    let mut story = Story::new();
    story.add("user.interrupt", json!({}));
    assert!(story.fold_all().interrupts.is_empty(), "there is nothing to end");
    story.message("hello");
    let early = story.add("user.interrupt", json!({}));
    assert_eq!(story.fold_all().interrupts.len(), 1, "what is queued may be ended");
    story.take(&[early]);
    assert!(story.fold_all().interrupts.is_empty());

    story.add("session.status_running", json!({}));
    for thread in ["sthr_1", "sthr_2", "sthr_1"] {
        story.add("user.interrupt", json!({ "session_thread_id": thread }));
    }
    assert_eq!(story.fold_all().interrupts.len(), 2, "one for each thread");
    story.add("user.interrupt", json!({}));
    assert_eq!(story.fold_all().interrupts.len(), 1, "and one for all");
    story.add("session.status_rescheduled", json!({}));
    assert_eq!(story.fold_all().interrupts.len(), 1, "waiting for an error to pass is no rest");
    story.idle("end_turn");
    assert!(story.fold_all().interrupts.is_empty());
}

#[test]
fn an_interrupt_after_the_last_answer_still_ends_the_turn() {
    let mut story = Story::new();
    story.add("session.status_running", json!({}));
    let custom = story.add("agent.custom_tool_use", json!({"name": "c", "input": {}}));
    story.idle("requires_action");
    story.add("user.custom_tool_result", json!({"custom_tool_use_id": custom.to_string()}));
    story.add("user.interrupt", json!({}));
    assert_eq!(story.fold_all().interrupts.len(), 1);
}

#[test]
fn title_metadata_and_errors_are_the_latest_and_bounded() {
    let mut story = Story::new();
    let many: serde_json::Map<_, _> = (0..40).map(|pair| (format!("k{pair:02}"), json!("v".repeat(5000)))).collect();
    story.add("session.updated", json!({"title": "é".repeat(600), "metadata": many}));
    let fold = story.fold_all();
    assert_eq!(fold.title.as_ref().unwrap().len(), 1024);
    assert_eq!((fold.metadata.len(), fold.metadata["k00"].len()), (16, 2048));
    story.add("session.updated", json!({"budget": null, "agent": {}}));
    let fold = story.fold_all();
    assert!(fold.title.is_some() && fold.metadata.len() == 16, "what is not named stays");
    assert_eq!((fold.anchors.budget, fold.anchors.agent), (Some(seq(3)), Some(seq(3))));
    story.add("session.updated", json!({"title": null, "metadata": {}}));
    assert!(story.fold_all().title.is_none() && story.fold_all().metadata.is_empty());

    let error =
        json!({"type": "model_overloaded_error", "message": "m".repeat(5000), "retry_status": {"type": "exhausted"}});
    story.add("session.error", json!({ "error": error }));
    let last = story.fold_all().last_error.unwrap();
    assert_eq!(
        (last.error.as_str(), last.message.len(), last.retry),
        ("model_overloaded_error", 1024, Retry::Exhausted)
    );
}

#[test]
fn hands_are_counted_by_name() {
    let mut story = Story::new();
    for (hand, incarnation) in [("std", 1), ("own", 1), ("std", 2)] {
        let (hand, reason) = (hand.to_owned(), "died".to_owned());
        story.say(&HandProvisioned { hand, incarnation, bundle: None, reason });
    }
    assert_eq!(story.fold_all().hands, [("own".to_owned(), 1), ("std".to_owned(), 2)].into());
}

#[test]
fn what_is_malformed_is_noted_and_changes_nothing_else() {
    let mut story = Story::new();
    let before = story.fold_all();
    for kind in ["agent.tool_use", "agent.tool_result", "handbox.model_reply", "handbox.input_taken", "session.updated"]
    {
        story.add(kind, json!({"name": 1, "ids": {}, "title": []}));
    }
    let fold = story.fold_all();
    assert_eq!(fold.oddities.malformed, 5);
    let (place, what) = fold.oddities.last.clone().unwrap();
    assert!(place == seq(6) && what.starts_with("session.updated: "), "{what}");
    assert_eq!((&fold.calls, &fold.title, fold.total), (&before.calls, &before.title, before.total));
}

#[test]
fn a_gap_is_refused_and_an_overlap_is_not() {
    let mut story = Story::new();
    story.message("a");
    story.message("b");
    let mut fold = story.fold(1);
    let gap = fold.apply(seq(3), &story.entries[2].event);
    assert_eq!(gap, Err(Gap { expected: seq(2), found: seq(3) }));
    assert_eq!(fold, story.fold(1));
    fold.apply_all(&story.entries).unwrap();
    fold.apply_all(&story.entries).unwrap();
    assert_eq!(fold, story.fold_all());
}

#[test]
fn the_first_event_gives_title_and_metadata() {
    let body = SessionCreated {
        title: Some("t".to_owned()),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
        ..SessionCreated::default()
    };
    let mut fold = Fold::default();
    fold.apply(Seq::FIRST, &body.to_event(EventId::at(1, [0; 10])).unwrap()).unwrap();
    assert_eq!((fold.title, fold.metadata), (body.title, body.metadata));
}

proptest! {
    #[test]
    fn a_session_that_rests_after_an_interrupt_has_none_left(mut story in histories(60)) {
        story.add("user.interrupt", json!({}));
        story.idle("end_turn");
        prop_assert!(story.fold_all().interrupts.is_empty() || story.fold_all().status == Status::Terminated);
    }
}

#[test]
fn a_lost_request_is_waste_a_summary_is_not_and_errors_in_a_row_are_counted_until_a_reply() {
    let mut story = Story::new();
    story.add("session.status_running", json!({}));
    let retry = |at: u64| {
        json!({"error": {"type": "model_overloaded_error", "message": "", "retry_status": {"type": "retrying"}},
            "handbox": {"part": "model", "retry_at_unix_ms": at}})
    };
    let lost = story.add("span.model_request_start", json!({}));
    story.add(
        "span.model_request_end",
        json!({"model_request_start_id": lost.to_string(), "is_error": true, "handbox": {"cost": "70"}}),
    );
    story.add("session.error", retry(5));
    story.add("session.error", retry(9));
    let fold = story.fold_all();
    assert_eq!((fold.retries.count, fold.retries.at_unix_ms), (2, 9));
    assert_eq!((fold.total.spend.picodollars(), fold.total.waste.picodollars()), (70, 70));
    let summary = story.add("span.model_request_start", json!({}));
    story.add(
        "span.model_request_end",
        json!({"model_request_start_id": summary.to_string(), "is_error": false, "handbox": {"cost": "7"}}),
    );
    let start = story.add("span.model_request_start", json!({}));
    story.reply(start, 10, 1);
    let fold = story.fold_all();
    assert_eq!((fold.retries.count, fold.total.model_requests_lost, fold.context_tokens), (0, 1, 20));
    assert_eq!((fold.total.spend.picodollars(), fold.total.waste.picodollars()), (78, 70));
    story.tool_use("ask");
    let idle = story.idle("requires_action");
    let fold = story.fold_all();
    assert_eq!((fold.asked, fold.anchors.rest, fold.through_id()), (1, fold.through(), Some(idle)));
}
