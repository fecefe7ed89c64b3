//! What an agent's shell keeps, from one process to the next.

use handbox_tests::Machine;
use handbox_tests::agents::{count, events, script, session, wait_for};
use serde_json::{Value, json};

fn bash(command: &str) -> Value {
    json!([{ "tool_use": { "name": "bash", "input": { "command": command } } }])
}

/// What the agent's calls answered, in their order.
fn answers(machine: &Machine) -> Vec<String> {
    let all = events(machine, &session(machine));
    let results = all.iter().filter(|event| event["type"] == "agent.tool_result");
    results.map(|event| event["content"][0]["text"].as_str().unwrap_or_default().trim_end().to_owned()).collect()
}

/// An agent that sets a shell up when it is told to begin, and looks at it twice when it is told to look.
fn model(machine: &Machine) -> String {
    machine.file("sub/x.txt", "found\n");
    let look = bash("echo $x ${m[a]}; pwd; f; cat x.txt");
    let replies = json!([
        { "when": { "text": "Begin", "step": 1 }, "reply": bash("x=5; cd sub; f() { echo hi; }; declare -A m=([a]=b)") },
        { "when": { "text": "Look", "step": 1 }, "reply": look },
        { "when": { "text": "Look", "step": 2 }, "reply": bash("echo $x") },
        { "when": { "text": "Read", "step": 1 }, "reply": [
          { "tool_use": { "name": "read", "input": { "file_path": "/workspace/sub/x.txt" } } }] },
        { "reply": [{ "text": "Done." }] }
    ]);
    script(machine, "shell.json", &replies.to_string())
}

/// The reasons for which hands were made ready.
fn made(machine: &Machine) -> Vec<String> {
    let all = events(machine, &session(machine));
    let made = all.iter().filter(|event| event["type"] == "handbox.hand_provisioned");
    made.map(|event| event["reason"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_shell_goes_on_in_another_process_where_it_was() {
    let machine = Machine::warmed();
    let model = model(&machine);
    machine.run(&["run", "--model", &model, "--write", "--allow", "bash", "Begin."]).ok();
    let id = session(&machine);
    machine.run(&["run", "--session", &id, "Look."]).ok();
    let answers = answers(&machine);
    let (note, rest) = answers[1].split_once('\n').expect("a note");
    assert!(note.starts_with("(This tool was started anew") && note.contains("is as it was"), "{answers:?}");
    assert_eq!(rest, "5 b\n/workspace/sub\nhi\nfound");
    assert_eq!(answers[2], "5", "it is said once");
    assert_eq!(made(&machine), ["first_call", "restored"]);
    machine.run(&["log", "verify"]).ok();
}

#[test]
fn a_tool_that_keeps_nothing_says_nothing_of_the_shell_beside_it() {
    let machine = Machine::warmed();
    let model = model(&machine);
    machine.run(&["run", "--model", &model, "--write", "--allow", "bash", "Begin."]).ok();
    let id = session(&machine);
    machine.run(&["run", "--session", &id, "Read."]).ok();
    let answers = answers(&machine);
    assert!(answers[1].contains("found") && !answers[1].contains("anew"), "{answers:?}");
    assert_eq!(count(&events(&machine, &id), "handbox.hand_kept"), 1);
    machine.run(&["run", "--session", &id, "Look."]).ok();
    assert!(self::answers(&machine)[2].ends_with("\n5 b\n/workspace/sub\nhi\nfound"), "it goes by what reads, too");
}

#[test]
fn a_shell_whose_process_was_killed_is_as_its_last_answer_left_it() {
    let machine = Machine::warmed();
    let replies = json!([
        { "when": { "step": 1 }, "reply": bash("x=5") },
        { "when": { "step": 2 }, "reply": bash("x=6; sleep 1000") },
        { "when": { "step": 3 }, "reply": bash("echo $x") },
        { "reply": [{ "text": "Done." }] }
    ]);
    let model = script(&machine, "killed.json", &replies.to_string());
    let running = machine.line(&["run", "--model", &model, "--allow", "bash", "--json", "Work."]).start();
    wait_for(&running, "agent.tool_result");
    let id = session(&machine);
    while count(&events(&machine, &id), "handbox.call_started") < 2 {}
    running.kill();
    machine.run(&["wake", &id]).ok();
    let answers = answers(&machine);
    assert!(answers[2].starts_with("(This tool was started anew") && answers[2].ends_with(".)\n5"), "{answers:?}");
}

#[test]
fn a_shell_that_is_given_something_else_begins_anew_and_says_so() {
    let machine = Machine::warmed();
    let model = model(&machine);
    machine.run(&["run", "--model", &model, "--write", "--allow", "bash", "Begin."]).ok();
    let id = session(&machine);
    machine.run(&["run", "--session", &id, "--env", "m=other", "Look."]).ok();
    let answers = answers(&machine);
    assert!(
        answers[1].starts_with("(This tool was started anew") && answers[1].contains("is gone; files"),
        "{answers:?}"
    );
    assert!(answers[1].contains("\n/workspace\n"), "{answers:?}");
    machine.run(&["run", "--session", &id, "Look."]).ok();
    assert!(self::answers(&machine)[3].contains("is as it was"), "from there on it is kept again");
}
