//! Agents whose models are scripts, and what is in their sessions.

use crate::{Machine, Running};
use serde_json::{Value, json};

/// A model that reads a file, then says what stood in it after so long. It answers "again" with "Second.".
pub fn reading(delay_ms: u64) -> String {
    json!([
        { "when": { "text": "again" }, "reply": [{ "text": "Second." }] },
        { "when": { "step": 1 }, "reply": [{ "text": "I read it." },
          { "tool_use": { "name": "read", "input": { "file_path": "/workspace/notes.txt" } } }] },
        { "when": { "tool": "read" }, "delay_ms": delay_ms, "reply": [{ "text": "It says: {{result:read | first_line}}" }] }
    ])
    .to_string()
}

/// A model that writes a file, then says so.
pub fn writing() -> String {
    json!([
        { "when": { "step": 1 }, "reply": [
          { "tool_use": { "name": "write", "input": { "file_path": "/workspace/made.txt", "content": "made" } } }] },
        { "when": { "tool": "write", "contains": "wrote" }, "reply": [{ "text": "Written." }] },
        { "when": { "tool": "write" }, "reply": [{ "text": "Not written: {{result:write | first_line}}" }] }
    ])
    .to_string()
}

/// Puts a script where commands run, and gives what `--model` calls it.
pub fn script(machine: &Machine, name: &str, text: &str) -> String {
    machine.file(name, text);
    format!("script:{name}")
}

/// The only session there is.
#[track_caller]
pub fn session(machine: &Machine) -> String {
    let sessions = machine.run(&["sessions", "list", "--json"]).ok().json();
    let ids: Vec<_> = sessions["sessions"].as_array().into_iter().flatten().map(|one| one["id"].clone()).collect();
    assert_eq!(ids.len(), 1, "{sessions}");
    ids[0].as_str().expect("an id is text").to_owned()
}

/// A run whose tool has read a file, and whose model takes so long to say what stood in it; with its session.
#[track_caller]
pub fn reading_slowly(machine: &Machine, delay_ms: u64) -> (Running, String) {
    machine.file("notes.txt", "bread\n");
    let model = script(machine, "slow.json", &reading(delay_ms));
    let running = machine.line(&["run", "--model", &model, "--json", "What do my notes say?"]).start();
    wait_for(&running, "agent.tool_result");
    let id = session(machine);
    (running, id)
}

/// All events of a session.
#[track_caller]
pub fn events(machine: &Machine, id: &str) -> Vec<Value> {
    let ran = machine.run(&["sessions", "events", id, "--json", "--all"]).ok();
    ran.out().lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

/// How many events of a kind there are.
pub fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["type"] == kind).count()
}

/// Waits until a `run --json` shows an event of a kind.
#[track_caller]
pub fn wait_for(running: &Running, kind: &str) {
    running.line_with(&format!("\"type\":\"{kind}\""));
}
