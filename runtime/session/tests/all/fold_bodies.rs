//! The shapes of Handbox's own events, money, and times.

use handbox_session::fold::bodies::{Body, SessionCreated};
use handbox_session::fold::{
    BrainWoke, CallEnded, CallStarted, HandKept, HandPassed, HandProvisioned, InputTaken, ModelReply, Money, Outcome,
    Tokens, Way, rfc3339,
};
use handbox_session::{Epoch, Event, EventError, EventId, Hash, Kind, Seq, SessionId};
use proptest::prelude::*;
use serde_json::json;
use std::fmt::Debug;

const ID: &str = "sevt_1111111111111111111112";

/// Whether a body is written as this JSON, is read from it, and from it with more members.
fn is_written<B: Body + PartialEq + Debug>(body: &B, json: &serde_json::Value) {
    let members = body.members().expect("an object");
    assert_eq!(&serde_json::Value::Object(members.clone()), json);
    let event = body.to_event(EventId::from(9)).expect("an event");
    assert_eq!(&B::from_event(&event).expect("a body"), body);
    let mut more = members;
    more.insert("of_a_later_time".to_owned(), json!([1]));
    assert_eq!(
        &B::from_event(&Event::new(EventId::from(9), B::KIND, more).expect("an event")).expect("an event"),
        body
    );
}

#[test]
fn bodies_have_these_shapes() {
    let id = EventId::from(1);
    is_written(&InputTaken { ids: vec![id] }, &json!({"ids": [ID]}));
    is_written(
        &BrainWoke { holder: "h".to_owned(), epoch: Epoch(3), reason: None },
        &json!({"holder": "h", "epoch": 3}),
    );
    let (call_id, hand) = ("c".to_owned(), Some("std".to_owned()));
    is_written(
        &CallStarted { tool_use_id: id, call_id: call_id.clone(), attempt: 1, hand },
        &json!({"tool_use_id": ID, "call_id": "c", "attempt": 1, "hand": "std"}),
    );
    for (outcome, text) in [
        (Outcome::Committed, "committed"),
        (Outcome::Failed, "failed"),
        (Outcome::NotStarted, "not_started"),
        (Outcome::Unknown, "unknown"),
    ] {
        is_written(
            &CallEnded { tool_use_id: id, call_id: call_id.clone(), attempt: 1, outcome, reason: None },
            &json!({"tool_use_id": ID, "call_id": "c", "attempt": 1, "outcome": text}),
        );
    }
    is_written(
        &HandProvisioned { hand: "std".to_owned(), incarnation: 2, bundle: None, reason: "died".to_owned() },
        &json!({"hand": "std", "incarnation": 2, "reason": "died"}),
    );
    let (hand, runs) = ("std".to_owned(), Seq::FIRST);
    is_written(
        &HandKept { hand: hand.clone(), incarnation: 2, state: Some(Hash([1; 32])), runs },
        &json!({"hand": "std", "incarnation": 2, "state": "01".repeat(32), "runs": 1}),
    );
    is_written(
        &HandKept { hand, incarnation: 2, state: None, runs },
        &json!({"hand": "std", "incarnation": 2, "runs": 1}),
    );
    let other = SessionId::at(0, [0; 10]);
    for (way, name) in [(Way::To(other), "to"), (Way::From(other), "from")] {
        let (hand, bundle, state) = ("std".to_owned(), "d".to_owned(), Hash([1; 32]));
        is_written(
            &HandPassed { hand, way, state, bundle, incarnation: 2 },
            &json!({"hand": "std", name: other.to_string(), "state": "01".repeat(32), "bundle": "d", "incarnation": 2}),
        );
    }
    is_written(&SessionCreated::default(), &json!({}));
    is_written(
        &SessionCreated { tools: vec![json!({"name": "t"})], limits: json!({"turns": 1}), ..SessionCreated::default() },
        &json!({"tools": [{"name": "t"}], "limits": {"turns": 1}}),
    );
}

#[test]
fn a_reply_is_kept_to_the_letter() {
    let content = r#"[{"z":1.0, "a":12345678901234567890123}]"#.to_owned();
    let reply = ModelReply {
        model_request_start_id: EventId::from(1),
        provider: "anthropic".to_owned(),
        model: "m".to_owned(),
        content: Some(content.clone()),
        content_blob: Some(Hash([0; 32])),
        stop_reason: Some("tool_use".to_owned()),
        usage: Tokens { input_tokens: 5, ..Tokens::default() },
        cost: Money::from_picodollars(u64::MAX),
    };
    let usage = json!({"input_tokens": 5, "output_tokens": 0, "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}});
    is_written(
        &reply,
        &json!({"model_request_start_id": ID, "provider": "anthropic", "model": "m", "content": content,
            "content_blob": "0".repeat(64), "stop_reason": "tool_use", "usage": usage, "cost": u64::MAX.to_string()}),
    );
}

#[test]
fn another_kind_is_not_read_as_a_body() {
    let event = Event::new(EventId::from(1), Kind::new("user.message").unwrap(), serde_json::Map::new()).unwrap();
    assert!(matches!(InputTaken::from_event(&event), Err(EventError::Shape(_))));
}

#[test]
fn money_is_exact_and_is_shown_rounded_up() {
    let shown = |picodollars| {
        let money = Money::from_picodollars(picodollars);
        (money.to_string(), money.cents())
    };
    assert_eq!(shown(0), ("$0.0000".to_owned(), 0));
    assert_eq!(shown(1), ("$0.000000000001".to_owned(), 1));
    assert_eq!(shown(1_230_000_000_000), ("$1.2300".to_owned(), 123));
    assert_eq!(shown(1_230_000_000_001), ("$1.2301".to_owned(), 124));
    let most = Money::from_picodollars(u64::MAX);
    assert_eq!(most.plus(most), most);
    for wrong in ["\"-1\"", "\"+1\"", "\"\"", "\"1.5\"", "1", "\"18446744073709551616\""] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn times_are_rfc_3339() {
    for (unix_ms, text) in [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (1_709_210_096_007, "2024-02-29T12:34:56.007Z"),
        (1_795_219_200_000, "2026-11-21T00:00:00.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (u64::MAX, "9999-12-31T23:59:59.999Z"),
    ] {
        assert_eq!(rfc3339(unix_ms), text);
    }
}

#[test]
fn each_day_follows_the_one_before() {
    // Four hundred years, counted by the rule that everybody knows.
    let (mut year, mut month, mut day) = (1970, 1, 1);
    for days in 0..146_097_u64 {
        assert_eq!(rfc3339(days * 86_400_000)[..10], format!("{year:04}-{month:02}-{day:02}"));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let length = match month {
            2 => 28 + i32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        day += 1;
        if day > length {
            (day, month) = (1, month + 1);
        }
        if month > 12 {
            (month, year) = (1, year + 1);
        }
    }
}

proptest! {
    #[test]
    fn money_is_read_as_it_was_written(picodollars: u64) {
        let money = Money::from_picodollars(picodollars);
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn times_sort_as_their_numbers(a in 0..253_402_300_799_999_u64, b in 0..253_402_300_799_999_u64) {
        prop_assert_eq!(rfc3339(a).cmp(&rfc3339(b)), a.cmp(&b));
    }
}
