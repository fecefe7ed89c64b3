//! What an agent's run says to its operator when something is in the way.

use handbox_tests::Machine;
use handbox_tests::agents::{count, events, reading, script, session, writing};

#[test]
fn a_call_that_a_grant_stopped_says_which_flag_would_let_it() {
    let machine = Machine::new();
    let model = script(&machine, "writing.json", &writing());
    let ran = machine.run(&["run", "--model", &model, "--allow", "write", "Make it"]).ok();
    let id = session(&machine);
    let ran = ran.says(&["hint: ", "--write", &format!("handbox run --session {id} FLAGS")]);
    assert!(!ran.err().contains("--allow"), "it has that: {ran:?}");
    // It is the operator's to know, and not the model's.
    let seen = machine.run(&["context", &id, "--json"]).ok();
    assert!(!seen.out().contains("--write"), "{seen:?}");
}

#[test]
fn hints_are_said_once_and_not_for_what_the_model_mistook() {
    let machine = Machine::new();
    let input = |path: &str| format!(r#"{{ "tool_use": {{ "name": "read", "input": {{ "file_path": "{path}" }} }} }}"#);
    let calls = [input("/etc/a"), input("/etc/b"), input("/workspace/nope")].join(", ");
    let text = format!(r#"[{{ "when": {{ "step": 1 }}, "reply": [{calls}] }}, {{ "reply": [{{ "text": "So." }}] }}]"#);
    let model = script(&machine, "paths.json", &text);
    let ran = machine.run(&["run", "--model", &model, "Look"]).ok();
    assert_eq!(ran.err().matches("--dir HOST:/data:ro").count(), 1, "{ran:?}");
}

#[test]
fn a_denied_call_names_every_flag_that_it_needs() {
    let machine = Machine::new();
    let model = script(&machine, "writing.json", &writing());
    let ran = machine.run(&["run", "--model", &model, "Make it"]).ok();
    let again = format!("handbox run --session {} --write --allow write \"go on\"", session(&machine));
    ran.says(&["denied write", "hint: --write --allow write", &again]);
}

#[test]
fn a_bundle_that_was_not_packed_says_how() {
    let machine = Machine::new();
    machine.guest("abort");
    let built = machine.beside("guests/abort.built.wasm");
    let ran = machine.run(&["run", "--model", "tour", "--bundle", &built.display().to_string(), "Look"]);
    let pack = "handbox pack ../guests/abort.built.wasm --manifest tool.toml -o ";
    ran.code(5).says(&[pack, ".tool.wasm; then --bundle "]);
}

#[test]
fn limits_end_a_turn_with_a_status_of_their_own_and_the_way_on() {
    let machine = Machine::new();
    machine.file("notes.txt", "bread\n");
    let model = script(&machine, "reading.json", &reading(0));
    let ran = machine.run(&["run", "--model", &model, "--max-requests", "1", "What do my notes say?"]).code(4);
    let id = session(&machine);
    let go_on = format!("handbox run --session {id} \"go on\"");
    let ran = ran.says(&["reached its limit", "1 scripted answer,", "1 tool call,", "--max-requests", &go_on]);
    assert_eq!(ran.err().matches("the turn may ask the model once").count(), 1, "{ran:?}");
    assert_eq!(count(&events(&machine, &id), "span.model_request_start"), 1);
    let ran = machine.run(&["run", "--session", &id, "go on"]).ok();
    assert_eq!(ran.out(), "It says: bread\n");
}

#[test]
fn money_that_is_spent_names_the_flag_that_raises_it() {
    let machine = Machine::new();
    machine.file("notes.txt", "bread\n");
    let model = script(&machine, "reading.json", &reading(0));
    let line = ["run", "--model", &model, "--price", "3,15", "--max-cost", "0.000001", "What do my notes say?"];
    machine.run(&line).code(4).says(&["the session may spend", "--max-cost DOLLARS"]);
    let id = session(&machine);
    let ran = machine.run(&["run", "--session", &id, "--max-cost", "1", "go on"]).ok();
    assert!(ran.out().contains("It says: bread"), "{ran:?}");
    ran.says(&["from here on it may cost $1.0000 in all", "$0."]);
    // Lowered again, and again: the limit that is said is the one that holds.
    for dollars in ["0.00002", "0.00001"] {
        let ran = machine.run(&["run", "--session", &id, "--max-cost", dollars, "go on"]).code(4);
        ran.says(&[
            &format!("from here on it may cost ${dollars} in all"),
            &format!("error: the session may spend ${dollars}\n"),
        ]);
    }
}

#[test]
fn a_script_that_is_none_says_what_one_is() {
    let machine = Machine::new();
    machine.file("none.json", "no script");
    for file in ["nope.json", "none.json"] {
        let ran = machine.run(&["run", "--model", &format!("script:{file}"), "Look"]).code(2);
        ran.says(&[file, "script:FILE names a JSON array of answers", "--model tour"]);
    }
}

#[test]
fn a_call_that_reached_a_limit_says_how_to_raise_it() {
    let machine = Machine::new();
    let guest = machine.guest("spin_forever");
    let text = r#"[
        { "when": { "step": 1 }, "reply": [{ "tool_use": { "name": "attack", "input": {} } }] },
        { "reply": [{ "text": "So." }] }
    ]"#;
    let model = script(&machine, "attacking.json", text);
    let line = ["run", "--model", &model, "--bundle", &guest, "--allow", "attack", "--limit", "cpu=10M", "Go"];
    machine.run(&line).ok().says(&["← attack failed, ", "raise it: --limit cpu=…"]);
}
