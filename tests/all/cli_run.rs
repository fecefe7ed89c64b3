//! Agents from the command line, with models that are scripts: run, killed, woken, interrupted, looked into.

use handbox_tests::Machine;
use handbox_tests::agents::{count, events, reading, reading_slowly, script, session, wait_for, writing};
use std::path::Path;

#[test]
fn the_tour_does_real_work_and_says_that_no_model_was_asked() {
    let machine = Machine::new();
    machine.file("README.md", "# Title\n\nTODO: everything\n");
    let ran = machine.run(&["run", "--model", "tour", "What is here?"]).ok();
    ran.says(&["scripted: no model is asked", "→ grep", "← read", ": done, "]);
    let id = session(&machine);
    let events = events(&machine, &id);
    assert_eq!(count(&events, "agent.tool_use"), count(&events, "agent.tool_result"));
    assert!(count(&events, "agent.tool_use") >= 3);
    machine.run(&["log", "verify"]).ok();
}

#[test]
fn without_a_model_it_says_what_to_set() {
    let machine = Machine::new();
    machine.run(&["run", "Hello"]).code(2).says(&[
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "--model tour",
    ]);
    machine.run(&["run", "--model", "anthropic:x", "Hello"]).code(2).says(&["ANTHROPIC_API_KEY is not set"]);
    machine.run(&["run", "--model", "tuor", "Hello"]).code(2).says(&["anthropic:NAME", "openai:NAME", "tour"]);
    // Nothing was begun.
    machine.run(&["sessions"]).ok().says(&["no sessions in "]);
}

#[test]
fn a_tool_that_writes_asks_and_without_a_terminal_is_denied_with_the_flag_that_allows_it() {
    let machine = Machine::new();
    let model = script(&machine, "writing.json", &writing());
    let ran = machine.run(&["run", "--model", &model, "--write", "Make it"]).ok();
    assert!(ran.out().starts_with("Not written: "), "{}", ran.out());
    let ran = ran.says(&["denied write", "hint: --allow write lets it run without asking"]);
    assert!(!ran.err().contains("--write"), "it has that: {ran:?}");
    assert!(!machine.path("made.txt").exists());

    let ran = machine.run(&["run", "--model", &model, "--write", "--allow", "write", "Make it"]).ok();
    assert_eq!(ran.out(), "Written.\n");
    assert_eq!(machine.read("made.txt"), "made");
    machine.run(&["run", "--model", &model, "--allow", "wirte", "Make it"]).code(2).says(&["no tool `wirte`", "write"]);
}

#[test]
fn a_session_whose_process_was_killed_is_finished_by_the_next() {
    let machine = Machine::new();
    machine.file("notes.txt", "bread\n");
    let model = script(&machine, "reading.json", &reading(1500));
    let running = machine.line(&["run", "--model", &model, "--json", "What do my notes say?"]).start();
    wait_for(&running, "agent.tool_result");
    running.kill();
    let id = session(&machine);
    // From another folder, by whoever comes.
    let ran = machine.line(&["wake", &id]).within(Path::new("/")).run().ok();
    assert_eq!(ran.out(), "It says: bread\n");
    let events = events(&machine, &id);
    assert_eq!(count(&events, "agent.tool_use"), 1);
    assert_eq!(count(&events, "agent.tool_result"), 1);
    assert_eq!(count(&events, "handbox.call_started"), 1, "the call had its result, so it is not repeated");
    assert_eq!(events.last().expect("there are events")["type"], "session.status_idle");
    machine.run(&["log", "verify"]).ok();
    // Nothing is left to do.
    let again = machine.run(&["wake", &id]).ok();
    assert_eq!(again.out(), "");
}

#[test]
fn another_terminal_interrupts_and_goes_on() {
    let machine = Machine::new();
    let (running, id) = reading_slowly(&machine, 60_000);
    machine.run(&["interrupt", &id]).ok().says(&["which works on it"]);
    let last = running.line_with("\"session\":");
    assert!(last.contains("\"interrupted\":true"), "{last}");
    assert_eq!(running.code(), Some(0), "an interrupted turn is ended, not failed");
    assert!(machine.run(&["sessions", "show", &id]).ok().out().contains("idle: interrupted"));
    // It rests, and stays as it is.
    let before = events(&machine, &id).len();
    machine.run(&["interrupt", &id]).ok().says(&["nothing to interrupt"]);
    assert_eq!(events(&machine, &id).len(), before);
    machine.run(&["approve", &id]).code(2).says(&["no call of this session waits"]);
    // What the tool gave before the interrupt is not lost: the model is shown it with the next message.
    machine.file("slow.json", reading(0));
    let ran = machine.run(&["run", "--session", &id, "And now?"]).ok();
    assert_eq!(ran.out(), "It says: bread\n");
}

#[test]
fn context_prints_what_the_model_was_shown() {
    let machine = Machine::new();
    machine.file("notes.txt", "bread\n");
    let model = script(&machine, "reading.json", &reading(0));
    machine.run(&["run", "--model", &model, "What do my notes say?"]).ok();
    let id = session(&machine);
    let request = machine.run(&["context", &id, "--json"]).ok().json();
    let text = request["messages"].to_string();
    assert!(
        text.contains("What do my notes say?") && text.contains("tool_result") && text.contains("bread"),
        "{request}"
    );
    let asked = machine.run(&["sessions", "events", &id, "--types", "span.model_request_start"]).ok();
    let first = asked.out().split_whitespace().next().expect("it begins with the place").to_owned();
    let early = machine.run(&["context", &id, "--json", "--at", &first]).ok().json();
    assert!(!early["messages"].to_string().contains("bread"), "{early}");
    machine.run(&["context", &id, "--at", "9999"]).code(2).says(&["the session ends at"]);
}

#[test]
fn the_example_of_a_script_does_what_it_says() {
    let machine = Machine::new();
    machine.file("notes.txt", "milk\nTODO: bread\n");
    let model = format!("script:{}", handbox_tests::repository().join("examples/script.json").display());
    let said = |prompt: &str| {
        machine.run(&["run", "--model", &model, "--write", "--allow", "write", prompt]).ok().out().to_owned()
    };
    assert_eq!(said("Where is a TODO?"), "Looking.\nThe first of 1 is notes.txt:2:TODO: bread.\n");
    assert!(said("write this down").starts_with("It answers: "));
    assert_eq!(machine.read("made.txt"), "write this down");
    assert_eq!(said("overloaded"), "Say TODO, write, or overloaded.\n");
}
