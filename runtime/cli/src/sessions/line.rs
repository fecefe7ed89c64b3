//! An event on one line, for people.

use crate::output;
use handbox_session::fold::Shown;
use serde_json::{Map, Value};

/// Characters of what an event says.
const SAID_SHOWN: usize = 120;
/// Members that stand elsewhere in the line, or say nothing to people.
const PASSED_OVER: [&str; 4] = ["id", "type", "processed_at", "session_thread_id"];

/// Place, time, type, and what it says.
pub(super) fn of(shown: &Shown) -> String {
    let text = |name: &str| shown.json.get(name).and_then(Value::as_str);
    let (time, kind) = (text("processed_at").unwrap_or("queued"), text("type").unwrap_or_default());
    let line =
        format!("{:>6}  {time:24}  {kind:30}  {}", shown.place, output::one_line(&said(&shown.json), SAID_SHOWN));
    line.trim_end().to_owned()
}

fn said(event: &Value) -> String {
    let at = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let failed = ["/is_error", "/model_usage/is_error"].iter().any(|place| event.pointer(place) == Some(&true.into()));
    let mut parts: Vec<String> = Vec::new();
    parts.extend(failed.then(|| "failed:".to_owned()));
    parts.extend(at("/name"));
    parts.extend(event.get("input").map(Value::to_string));
    parts.extend(event.get("content").and_then(content));
    let words = [
        "/stop_reason/type",
        "/stop_reason",
        "/error/message",
        "/title",
        "/result",
        "/outcome",
        "/model",
        "/hand",
        "/reason",
    ];
    parts.extend(words.into_iter().filter_map(at));
    if parts.is_empty() { rest(event) } else { parts.join(" ") }
}

/// Text as it is, other blocks by their type.
fn content(content: &Value) -> Option<String> {
    let block = |block: &Value| match block.get("text").and_then(Value::as_str) {
        Some(text) => text.to_owned(),
        None => format!("[{}]", block.get("type").and_then(Value::as_str).unwrap_or("?")),
    };
    match content {
        Value::String(_) | Value::Null => None,
        Value::Array(blocks) => Some(blocks.iter().map(block).collect::<Vec<_>>().join(" ")),
        other => Some(other.to_string()),
    }
}

fn rest(event: &Value) -> String {
    let members = event.as_object().into_iter().flatten().filter(|(name, _)| !PASSED_OVER.contains(&name.as_str()));
    let members: Map<String, Value> = members.map(|(name, value)| (name.clone(), value.clone())).collect();
    if members.is_empty() { String::new() } else { Value::Object(members).to_string() }
}

#[cfg(test)]
mod tests {
    use super::said;
    use serde_json::json;

    #[test]
    fn each_event_says_what_people_look_for() {
        let said = |event| said(&event);
        assert_eq!(said(json!({ "content": [{ "type": "text", "text": "hi" }, { "type": "image" }] })), "hi [image]");
        assert_eq!(said(json!({ "name": "grep", "input": { "pattern": "x" } })), r#"grep {"pattern":"x"}"#);
        assert_eq!(said(json!({ "is_error": true, "content": [{ "text": "no" }] })), "failed: no");
        assert_eq!(said(json!({ "stop_reason": { "type": "end_turn" } })), "end_turn");
        assert_eq!(said(json!({ "id": "x", "type": "y", "ids": [1] })), r#"{"ids":[1]}"#);
        assert_eq!(said(json!({ "id": "x", "type": "y" })), "");
    }
}
