//! Tools as a model is shown them.

use super::request::{mark, raw};
use crate::runs::{Cache, RunsWith, ToolSpec};
use handbox_hand::bounded;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The most characters of a tool's description: twice what the longest of today's have.
const DESCRIPTION_CHARS_MAX: usize = 20_000;
/// The most characters of a text in a schema.
const NOTE_CHARS_MAX: usize = 4_000;
/// The members of a schema that are text for whoever reads it, and change nothing of what it takes.
const NOTES: [&str; 3] = ["title", "description", "$comment"];

/// A session's tools.
pub(super) fn tools(runs: &RunsWith) -> Vec<Box<RawValue>> {
    let mut tools: Vec<Value> = runs.tools.iter().map(tool).collect();
    // Tools come before the system prompt in what providers cache: one mark is enough, where there is a prompt.
    if let Some(last) = tools.last_mut().filter(|_| runs.agent.cache == Cache::On && runs.system.is_none()) {
        mark(last);
    }
    tools.iter().map(raw).collect()
}

/// A tool. What a hand says of its tools may be meant to mislead, so the model is told whose words these are, reads each
/// of their characters, and no more of them than anybody needs.
fn tool(tool: &ToolSpec) -> Value {
    let said = bounded(&tool.description, DESCRIPTION_CHARS_MAX);
    let description = match &tool.hand {
        Some(hand) if !said.is_empty() => format!("(In the words of the hand `{hand}`:) {said}"),
        _ => said,
    };
    let mut schema = tool.input_schema.clone();
    plain_notes(&mut schema);
    json!({"name": tool.name.as_str(), "description": description, "input_schema": schema})
}

fn plain_notes(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(plain_notes),
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if NOTES.contains(&name.as_str()) => *text = bounded(text, NOTE_CHARS_MAX),
                    other => plain_notes(other),
                }
            }
        }
        _ => {}
    }
}
