//! Flags that change a session which there is already.

use handbox_tests::Machine;
use handbox_tests::agents::{count, events, reading, script, session, writing};
use serde_json::Value;

/// What the latest change of a session says.
fn changed(machine: &Machine, id: &str) -> Value {
    let events = events(machine, id);
    events.into_iter().rfind(|event| event["type"] == "handbox.session_changed").expect("it was changed")
}

#[test]
fn a_session_is_given_more_by_the_flags_that_would_have_given_it_at_first() {
    let machine = Machine::new();
    let model = script(&machine, "writing.json", &writing());
    let ran = machine.run(&["run", "--model", &model, "Make it"]).ok();
    assert!(ran.out().starts_with("Not written: "), "{ran:?}");
    let id = session(&machine);
    // From elsewhere: what is meant is the session's own folder.
    let line = machine.line(&["run", "--session", &id, "--write", "--allow", "write", "Again"]);
    let ran = line.within(&machine.beside("tmp")).run().ok();
    assert_eq!(ran.out(), "Written.\n");
    ran.says(&[
        "from here on its tools see ",
        "/workspace, to read and write",
        "from here on these run without asking: write",
    ]);
    assert_eq!(machine.read("made.txt"), "made");
    assert_eq!(changed(&machine, &id)["grants"]["folders"][0]["mode"], "rw");
    let shown = machine.run(&["context", &id, "--json"]).ok().json();
    assert!(shown["system"].to_string().contains("/workspace (read and write)"), "{shown}");
    // It stays so, and the same again is no change.
    let before = count(&events(&machine, &id), "handbox.session_changed");
    machine.run(&["run", "--session", &id, "--write", "--allow", "write", "Again"]).ok();
    assert_eq!(count(&events(&machine, &id), "handbox.session_changed"), before);
    machine.run(&["log", "verify"]).ok();
}

#[test]
fn a_session_is_given_less_too() {
    let machine = Machine::new();
    machine.file("notes.txt", "bread\n");
    let model = script(&machine, "reading.json", &reading(0));
    machine.run(&["run", "--model", &model, "What do my notes say?"]).ok();
    let id = session(&machine);
    let ran = machine.run(&["run", "--session", &id, "--no-dir", "And now?"]).ok();
    assert!(!ran.out().contains("bread"), "{ran:?}");
    ran.says(&["its tools do not see ", "any more"]);
    let ran = machine.run(&["run", "--session", &id, "--dir", ".", "--deny", "read", "And now?"]).ok();
    assert!(!ran.out().contains("bread"), "{ran:?}");
    ran.says(&["these never run: read"]);
}

#[test]
fn a_session_goes_on_with_another_model_and_other_limits() {
    let machine = Machine::new();
    machine.file("notes.txt", "bread\n");
    let model = script(&machine, "reading.json", &reading(0));
    let other = script(&machine, "other.json", r#"[{ "reply": [{ "text": "I am another." }] }]"#);
    machine.run(&["run", "--model", &model, "What do my notes say?"]).ok();
    let id = session(&machine);
    let flags = ["--max-requests", "7", "--limit", "time=3s", "--env", "A=b", "--context", "last-turns=2"];
    let ran = machine.run(&[&["run", "--session", &id, "--model", &other, "And you?"][..], &flags].concat()).ok();
    assert_eq!(ran.out(), "I am another.\n");
    ran.says(&[
        "other.json answers",
        "the environment value A",
        "its tools have other limits",
        "ask the model 7 times",
    ]);
    let changed = changed(&machine, &id);
    assert_eq!(changed["limits"]["turn"]["model_requests"], 7);
    assert_eq!(changed["context"]["turns"], 2);
    assert!(changed["grants"]["limits"].as_str().expect("text").contains("time=3s"), "{changed}");
    assert!(machine.run(&["sessions", "show", &id]).ok().out().contains("other.json"));
}

#[test]
fn what_makes_no_sense_for_a_session_is_refused_and_nothing_is_said_to_it() {
    let machine = Machine::new();
    let model = script(&machine, "reading.json", &reading(0));
    machine.run(&["run", "--model", &model, "Once again"]).ok();
    let id = session(&machine);
    let before = events(&machine, &id).len();
    let refused = |flags: &[&str], says: &str| {
        let ran = machine.run(&[&["run", "--session", &id, "go on"][..], flags].concat());
        assert!([Some(2), Some(3)].contains(&ran.code), "{ran:?}");
        ran.says(&[says]);
    };
    refused(&["--allow", "wirte"], "no tool `wirte`");
    refused(&["--dir", "/"], "not granted");
    refused(&["--max-cost", "3"], "--price");
    refused(&["--bundle", "nope"], "nope");
    assert_eq!(events(&machine, &id).len(), before);
}

#[test]
fn a_bundle_that_is_another_by_now_is_not_run_until_the_operator_says_so() {
    let machine = Machine::new();
    let guest = machine.guest("hello");
    let text = r#"[
        { "when": { "step": 1 }, "reply": [{ "tool_use": { "name": "greet", "input": { "name": "you" } } }] },
        { "reply": [{ "text": "{{result:greet | first_line}}" }] }
    ]"#;
    let model = script(&machine, "greeting.json", text);
    let ran = machine.run(&["run", "--model", &model, "--bundle", &guest, "Greet me"]).ok();
    assert_eq!(ran.out(), "Hello, you!\n");
    let id = session(&machine);
    let manifest = machine.file("other.toml", "name = \"hello\"\nversion = \"0.2.0\"\n").display().to_string();
    let built = machine.beside("guests/hello.built.wasm").display().to_string();
    machine.run(&["pack", &built, "-f", "-o", &guest, "--manifest", &manifest]).ok();
    let ran = machine.run(&["run", "--session", &id, "Greet me again"]).ok();
    assert!(!ran.out().contains("Hello"), "{ran:?}");
    ran.says(&["when the session was given it, and is ", " gives the session what there is now in its place"]);
    let ran = machine.run(&["run", "--session", &id, "--bundle", &guest, "Greet me again"]).ok();
    assert_eq!(ran.out(), "Hello, you!\n");
    ran.says(&["from here on it has for hands: hello"]);
}
