//! The one way in which an event is written.

use handbox_session::{EVENT_BYTES_MAX, Event, EventError, EventId, Kind, kinds};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const ID: &str = "sevt_1111111111111111111111";

fn event(members: Value) -> Result<Event, EventError> {
    let Value::Object(members) = members else { panic!("members are an object") };
    Event::new(EventId::from(0), kinds::USER_MESSAGE, members)
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(content in any_json(), name in "[a-z]{3,8}") {
        let written = event(json!({ name.clone(): content.clone() })).expect("an event");
        let read = Event::from_canonical(written.json().as_bytes()).expect("what was written is canonical");
        prop_assert_eq!(&read, &written);
        prop_assert_eq!(read.members().get(&name).cloned(), Some(content));
        // Also in another form: indented, its members the other way round.
        let turned: Map<String, Value> = read.members().into_iter().rev().collect();
        let pretty = serde_json::to_string_pretty(&turned).expect("JSON");
        prop_assert_eq!(Event::from_json(&pretty).expect("an event"), written);
    }

    #[test]
    fn only_the_canonical_form_is_canonical(content in any_json(), at in any::<prop::sample::Index>(), space in "[ \n\t]") {
        let written = event(json!({ "content": content })).expect("an event").json().to_owned();
        let mut places: Vec<usize> = written.char_indices().map(|(place, _)| place).collect();
        places.push(written.len());
        let mut spaced = written.clone();
        spaced.insert_str(places[at.index(places.len())], &space);
        // Within a string it is another event, or no JSON.
        match Event::from_canonical(spaced.as_bytes()) {
            Ok(other) => prop_assert_eq!(other.json(), spaced),
            Err(error) => prop_assert!(!matches!(error, EventError::TooLarge(_))),
        }
    }

    #[test]
    fn no_bytes_crash_the_parser(bytes: Vec<u8>, text: String) {
        let _ = Event::from_canonical(&bytes);
        let _ = Event::from_json(&text);
        let _ = Kind::new(&text);
    }
}

#[test]
fn the_canonical_form_stays_as_it_is() {
    let members = json!({ "b": [1, 2.5, null, true], "a": { "é": "é", "z": "\u{1}\n\"\\/", "": {} }, "Z": -0.0 });
    let expected = format!(
        r#"{{"Z":-0.0,"a":{{"":{{}},"z":"\u0001\n\"\\/","é":"é"}},"b":[1,2.5,null,true],"id":"{ID}","type":"user.message"}}"#
    );
    assert_eq!(event(members).expect("an event").json(), expected);
}

#[test]
fn another_form_is_not_taken_for_the_canonical_one() {
    let others = [
        format!(r#"{{"type":"user.message","id":"{ID}"}}"#),
        format!(r#"{{"id": "{ID}","type":"user.message"}}"#),
        format!(r#"{{"id":"{ID}","type":"user.message"}} "#),
        format!(r#"{{"a":"\u0041","id":"{ID}","type":"user.message"}}"#),
        format!(r#"{{"a":"\/","id":"{ID}","type":"user.message"}}"#),
        format!(r#"{{"a":1.50,"id":"{ID}","type":"user.message"}}"#),
        format!(r#"{{"a":1E3,"id":"{ID}","type":"user.message"}}"#),
    ];
    for json in others {
        assert_eq!(Event::from_canonical(json.as_bytes()), Err(EventError::NotCanonical), "{json}");
        assert!(Event::from_json(&json).is_ok(), "{json}");
    }
    let shapes = ["", "[]", "null", "{}", "{", "\u{feff}{}"].map(str::to_owned);
    let more = [
        format!(r#"{{"id":"{ID}"}}"#),
        r#"{"type":"user.message"}"#.to_owned(),
        format!(r#"{{"id":1,"type":"user.message","x":"{ID}"}}"#),
        r#"{"id":"sesn_1111111111111111111111","type":"user.message"}"#.to_owned(),
        format!(r#"{{"a":"\ud800","id":"{ID}","type":"user.message"}}"#),
        format!(r#"{{"a":1e400,"id":"{ID}","type":"user.message"}}"#),
        format!(r#"{{"id":"{ID}","type":"user.message"}}{{}}"#),
    ];
    for json in shapes.into_iter().chain(more) {
        assert!(matches!(Event::from_canonical(json.as_bytes()), Err(EventError::Shape(_))), "{json}");
    }
    assert!(matches!(Event::from_canonical(b"\xff{}"), Err(EventError::Shape(_))));
}

#[test]
fn what_the_log_gives_no_event_brings() {
    for reserved in ["id", "type", "processed_at"] {
        assert_eq!(event(json!({ reserved: "x" })), Err(EventError::Reserved(reserved)));
    }
    let json = format!(r#"{{"id":"{ID}","processed_at":null,"type":"user.message"}}"#);
    assert_eq!(Event::from_json(&json), Err(EventError::Reserved("processed_at")));
    assert!(
        event(json!({ "content": { "id": 1, "type": 2, "processed_at": 3 } })).is_ok(),
        "deeper they are anybody's"
    );
}

#[test]
fn the_largest_event_is_taken_and_a_larger_one_is_not() {
    let around = event(json!({ "a": "" })).expect("an event").json().len();
    let most = event(json!({ "a": "x".repeat(EVENT_BYTES_MAX - around) })).expect("the most");
    assert_eq!(most.json().len(), EVENT_BYTES_MAX);
    assert_eq!(Event::from_canonical(most.json().as_bytes()), Ok(most));
    let more = event(json!({ "a": "x".repeat(EVENT_BYTES_MAX - around + 1) }));
    assert_eq!(more, Err(EventError::TooLarge(EVENT_BYTES_MAX + 1)));
    // A control character takes six bytes: what counts is what is stored.
    assert!(matches!(event(json!({ "a": "\u{1}".repeat(EVENT_BYTES_MAX / 5) })), Err(EventError::TooLarge(_))));
    let huge = " ".repeat(3 * EVENT_BYTES_MAX);
    assert_eq!(Event::from_json(&huge), Err(EventError::TooLarge(huge.len())));
}

#[test]
fn deep_nesting_is_an_error_and_what_is_taken_can_be_read() {
    let nested = |depth: usize| (1..depth).fold(json!(1), |value, _| json!([value]));
    let deepest = event(json!({ "a": nested(100) })).expect("a hundred is taken");
    assert_eq!(Event::from_canonical(deepest.json().as_bytes()), Ok(deepest));
    for depth in [101, 127, 128, 1_000] {
        assert_eq!(event(json!({ "a": nested(depth) })), Err(EventError::TooDeep), "{depth}");
    }
    for open in ["[", r#"{"a":"#] {
        let json = format!(r#"{{"id":"{ID}","type":"user.message","a":{}"#, open.repeat(100_000));
        assert!(matches!(Event::from_json(&json), Err(EventError::Shape(_))), "{open}");
    }
}

#[test]
fn numbers_keep_their_value_and_their_sort() {
    let numbers = [
        "0",
        "-0.0",
        "1.0",
        "1",
        "0.1",
        "1e300",
        "5e-324",
        "2.2250738585072014e-308",
        "1.7976931348623157e308",
        "18446744073709551615",
        "-9223372036854775808",
        "123456789.12345679",
        "0.30000000000000004",
    ];
    for number in numbers {
        let json = format!(r#"{{"a":{number},"id":"{ID}","type":"user.message"}}"#);
        let read = Event::from_json(&json).expect(number);
        let value = read.members()["a"].clone();
        assert_eq!(value.as_f64(), number.parse().ok(), "{number}");
        assert_eq!(value.is_f64(), number.contains(['.', 'e']), "{number}");
        assert_eq!(Event::from_canonical(read.json().as_bytes()).expect(number), read);
    }
    let zero = event(json!({ "a": -0.0 })).expect("an event").members()["a"].as_f64().expect("a number");
    assert!(zero.is_sign_negative());
}

#[test]
fn types_are_dotted_words() {
    for name in ["user.message", "a", "handbox.x_2.y", &"a".repeat(64)] {
        assert_eq!(Kind::new(name).expect(name).as_str(), name);
    }
    for name in ["", ".", "a.", ".a", "a..b", "A", "a b", "é", "a-b", "a\n", &"a".repeat(65)] {
        assert!(matches!(Kind::new(name), Err(EventError::Kind(_))), "{name}");
    }
    assert!(kinds::HANDBOX_CHECKPOINT.is_own() && !kinds::USER_MESSAGE.is_own());
    for kind in kinds::ALL {
        assert_eq!(Kind::new(kind.as_str()).as_ref(), Ok(kind), "every known name is well-formed");
    }
}

#[test]
fn every_type_that_managed_agents_stores_is_known() {
    let groups = [
        ("user", "message interrupt tool_confirmation custom_tool_result tool_result define_outcome"),
        ("system", "message"),
        ("agent", "message thinking tool_use tool_result mcp_tool_use mcp_tool_result custom_tool_use"),
        ("agent", "thread_message_sent thread_message_received thread_context_compacted"),
        ("session", "status_running status_rescheduled status_idle status_terminated error updated usage deleted"),
        ("session", "thread_created thread_status_running thread_status_rescheduled thread_status_idle"),
        ("session", "thread_status_terminated"),
        ("span", "model_request_start model_request_end outcome_evaluation_start outcome_evaluation_ongoing"),
        ("span", "outcome_evaluation_end"),
        ("workflow_run", "created status_running status_idle status_ended phase_started phase_ended error"),
    ];
    let names = groups.iter().flat_map(|(group, names)| names.split(' ').map(move |name| format!("{group}.{name}")));
    let known: Vec<String> = kinds::ALL.iter().filter(|kind| !kind.is_own()).map(ToString::to_string).collect();
    let (mut names, mut known): (Vec<String>, Vec<String>) = (names.collect(), known);
    names.sort();
    known.sort();
    assert_eq!(known, names);
}
