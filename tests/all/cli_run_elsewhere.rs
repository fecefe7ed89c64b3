//! A session with more than one terminal at it, and one whose process is gone.

use handbox_tests::agents::{count, events, reading_slowly, script, session, writing};
use handbox_tests::{Machine, Running, sample, skipped};
use serde_json::json;
use std::time::Duration;

/// A run that asks on a terminal whether it may write; nothing where no terminal can be had.
fn asking(machine: &Machine) -> Option<Running> {
    let model = script(machine, "writing.json", &writing());
    let running = machine.line(&["run", "--model", &model, "--write", "Make it"]).start_on_a_terminal();
    match &running {
        Some(running) => drop(running.line_with("may it call write")),
        None => skipped("a question on a terminal: there is no program `script` to make one"),
    }
    running
}

#[test]
fn a_question_on_a_terminal_is_answered_there() {
    let machine = Machine::new();
    let Some(mut running) = asking(&machine) else { return };
    running.type_line("perhaps");
    running.line_with("may it call write");
    running.type_line("y");
    running.line_with("Written.");
    assert_eq!(running.code(), Some(0));
}

#[test]
fn a_question_on_a_terminal_is_answered_from_elsewhere() {
    let machine = Machine::new();
    let Some(running) = asking(&machine) else { return };
    let id = session(&machine);
    assert!(machine.run(&["sessions", "show", &id]).ok().out().contains("held by"));
    // Who comes by meanwhile is told who asks, and takes nothing away.
    machine.run(&["wake", &id]).code(3).says(&["asks; answer there, or: handbox approve sesn_"]);
    machine.run(&["approve", &id]).ok().says(&["sent to handbox, process ", "which works on it"]);
    running.line_with("allowed from elsewhere");
    running.line_with("Written.");
    assert_eq!(running.code(), Some(0));
    assert_eq!(machine.read("made.txt"), "made");
}

#[test]
fn a_question_on_a_terminal_ends_with_an_interrupt_from_elsewhere() {
    let machine = Machine::new();
    let Some(running) = asking(&machine) else { return };
    machine.run(&["interrupt", &session(&machine)]).ok().says(&["which works on it"]);
    running.line_with("interrupted from elsewhere");
    running.line_with(": interrupted, ");
    assert_eq!(running.code(), Some(0));
    assert!(!machine.path("made.txt").exists());
}

/// A session whose process died while it asked; nothing where no terminal can be had.
fn left_asking(machine: &Machine) -> Option<String> {
    let running = asking(machine)?;
    let id = session(machine);
    running.kill();
    let mut tries = 0;
    // The terminal takes a moment to be gone, and what asked on it with it.
    while machine.run(&["sessions", "show", &id]).ok().out().contains("held by") && tries < 100 {
        std::thread::sleep(Duration::from_millis(100));
        tries += 1;
    }
    Some(id)
}

#[test]
fn an_answer_after_the_deadline_is_told_what_was_decided() {
    let machine = Machine::new();
    machine.config("[agents]\nwait = \"1s\"\n");
    let Some(id) = left_asking(&machine) else { return };
    std::thread::sleep(Duration::from_millis(1100));
    let before = events(&machine, &id).len();
    let late = machine.run(&["approve", &id]).code(3);
    assert!(!late.err().contains("kept"), "{late:?}");
    late.says(&[
        "too late to allow write ",
        "counts as denied since it had waited 1.0 s",
        &format!("handbox wake {id}"),
    ]);
    machine.run(&["deny", &id]).ok().says(&["no need to deny write ", "counts as denied since"]);
    assert_eq!(events(&machine, &id).len(), before);
    assert_eq!(
        machine.run(&["wake", &id]).ok().out(),
        "Not written: Nobody answered in time, so this call was denied.\n"
    );
    assert!(!machine.path("made.txt").exists());
}

/// Waiting for a person survives everybody who works on it, and a wake from a script answers for nobody.
#[test]
fn a_question_that_nobody_answered_waits_for_whoever_comes() {
    let machine = Machine::new();
    let Some(id) = left_asking(&machine) else { return };
    machine.run(&["wake", &id]).code(3).says(&["it waits for you: handbox approve sesn_"]);
    assert!(machine.run(&["sessions", "show", &id]).ok().out().contains("write {\"content\":\"made\""));
    assert_eq!(count(&events(&machine, &id), "agent.tool_result"), 0);
    machine.run(&["approve", &id]).ok().says(&["allow write {\"content\":\"made\"", "go on with: handbox wake "]);
    machine.run(&["wake", &id]).ok();
    machine.run(&["wake", &id]).ok().says(&["nothing is left to do", "handbox run --session sesn_"]);
    assert_eq!(machine.read("made.txt"), "made");
}

#[test]
fn a_message_to_a_session_that_is_worked_on_waits_for_its_turn_and_is_followed() {
    let machine = Machine::new();
    let (running, id) = reading_slowly(&machine, 2000);
    let ran = machine.run(&["run", "--session", &id, "Once again"]).ok();
    assert_eq!(ran.out(), "It says: bread\nSecond.\n");
    ran.says(&["works on this session", ": done, "]);
    running.line_with("Second.");
    assert_eq!(running.code(), Some(0));
    assert_eq!(count(&events(&machine, &id), "user.message"), 2);
}

#[test]
fn who_follows_a_process_that_dies_goes_on_in_its_place() {
    let machine = Machine::new();
    let (running, id) = reading_slowly(&machine, 60_000);
    let follower = machine.line(&["run", "--session", &id, "--json", "Once again"]).start();
    while count(&events(&machine, &id), "user.message") < 2 {}
    running.kill();
    follower.line_with("Second.");
    assert_eq!(follower.code(), Some(0));
}

#[test]
fn a_session_whose_process_is_gone_says_so_and_how_to_finish_it() {
    let machine = Machine::new();
    let (running, id) = reading_slowly(&machine, 60_000);
    assert!(machine.run(&["sessions", "show", &id]).ok().out().contains("running"));
    running.kill();
    let shown = machine.run(&["sessions", "show", &id]).ok();
    let wake = format!("handbox wake {id}");
    assert!(shown.out().contains("unfinished") && shown.out().contains(&wake), "{shown:?}");
    assert!(machine.run(&["sessions"]).ok().out().contains("unfinished"));
    machine.run(&["interrupt", &id]).ok().says(&["nobody works on it now", &wake]);
    machine.run(&["wake", &id]).ok().says(&[": interrupted, "]);
}

#[test]
fn a_call_that_was_made_before_the_wake_is_shown_by_its_name() {
    let machine = Machine::new();
    let Some(running) = asking(&machine) else { return };
    running.kill();
    let id = session(&machine);
    machine.run(&["approve", &id]).ok();
    let woken = machine.run(&["wake", &id]).ok().says(&["← write "]);
    assert!(!woken.err().contains("← ?") && !woken.err().contains("← write failed"), "{woken:?}");
    assert_eq!(woken.out(), "Written.\n");
}

#[test]
fn a_session_from_elsewhere_can_be_told_to_stop_too() {
    let machine = Machine::new();
    let file = machine.file("import.jsonl", sample::export(&sample::session(1)));
    let imported = machine.run(&["log", "import", &file.display().to_string()]).ok();
    let id = imported.out().trim_end();
    machine.run(&["interrupt", id]).ok().says(&["nothing to interrupt"]);
    machine.run(&["approve", id]).code(2).says(&[&format!("handbox sessions show {id}")]);
}

/// While one call is asked about, another is answered from elsewhere: it is not asked about again.
#[test]
fn calls_are_answered_from_elsewhere_in_any_order() {
    let machine = Machine::new();
    let write = |name: &str| json!({ "tool_use": { "name": "write", "input": { "file_path": format!("/workspace/{name}"), "content": "x" } } });
    let text = json!([{ "when": { "step": 1 }, "reply": [write("a.txt"), write("b.txt")] }, { "reply": [{ "text": "Both." }] }]);
    let model = script(&machine, "two.json", &text.to_string());
    let Some(running) = machine.line(&["run", "--model", &model, "--write", "Make them"]).start_on_a_terminal() else {
        return skipped("a question on a terminal: there is no program `script` to make one");
    };
    running.line_with("a.txt");
    running.line_with("may it call write");
    let id = session(&machine);
    let calls: Vec<String> = events(&machine, &id)
        .iter()
        .filter(|event| event["type"] == "agent.tool_use")
        .map(|event| event["id"].as_str().expect("an id").to_owned())
        .collect();
    for call in calls.iter().rev() {
        machine.run(&["approve", &id, call]).ok();
    }
    running.line_with("Both.");
    assert_eq!(running.code(), Some(0));
    assert!(machine.path("a.txt").exists() && machine.path("b.txt").exists());
}
