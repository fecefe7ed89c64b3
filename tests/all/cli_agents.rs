//! What the operator's configuration says about agents, and many sessions in one process.

use handbox_tests::agents::{events, session, writing};
use handbox_tests::{Machine, skipped};
use serde_json::json;

fn script(machine: &Machine, delay_ms: u64) {
    let text = json!([
        { "when": { "step": 1 }, "reply": [
            { "tool_use": { "name": "read", "input": { "file_path": "/workspace/notes.txt" } } }] },
        { "when": { "step": 2 }, "delay_ms": delay_ms, "reply": [{ "text": "Read it." }] }
    ]);
    machine.file("s.json", text.to_string());
    machine.file("notes.txt", "bread\n");
}

#[test]
fn what_a_new_session_runs_with_comes_from_the_configuration() {
    let machine = Machine::new();
    script(&machine, 0);
    machine.config(
        "[agents]\nmodel = \"script:s.json\"\ncontext = \"last-turns=3\"\nwait = \"7d\"\nawake_max = 2\n\
         [agents.turn]\nrequests = 9\n[agents.session]\ncost = \"1.50\"\n\
         [agents.prices.\"*\"]\ninput = \"3\"\noutput = \"15\"\n",
    );
    let ran = machine.run(&["run", "Read my notes"]).ok();
    assert_eq!(ran.out(), "Read it.\n");
    // Two requests at three dollars a million, of some 600 tokens each.
    ran.says(&["$0.00"]);
    let id = machine.run(&["sessions", "list", "--json"]).ok().json()["sessions"][0]["id"].as_str().unwrap().to_owned();
    let events = machine.run(&["sessions", "events", &id, "--json", "--all"]).ok();
    let created: serde_json::Value = serde_json::from_str(events.out().lines().next().unwrap()).unwrap();
    let text = created.to_string();
    for part in ["\"last_turns\"", "\"model_requests\":9", "1500000000000", "604800000"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let shown = machine.run(&["config", "show"]).ok();
    for part in ["last-turns=3", "7d", "turn.requests", "$1.50", "$3.00", "$15.00"] {
        assert!(shown.out().contains(part), "{part} is not in {}", shown.out());
    }
    // Flags win.
    machine.run(&["run", "--max-requests", "1", "Read my notes"]).code(4).says(&["ask the model once"]);
}

#[test]
fn what_is_wrong_about_agents_is_named_with_its_line() {
    let machine = Machine::new();
    for (text, says) in [
        ("[agents]\ncontext = \"all\"\n", &["config.toml:2", "agents.context", "last-turns=N"][..]),
        ("[agents]\nwait = \"soon\"\n", &["config.toml:2", "agents.wait", "30d"]),
        ("[agents.turn]\ncost = \"much\"\n", &["config.toml:2", "agents.turn.cost", "2.50"]),
        ("[agents.keys]\nnobody = \"x\"\n", &["config.toml:2", "agents.keys.nobody", "anthropic, openai"]),
        ("[agents]\nawake_max = 0\n", &["config.toml:2", "awake_max", "1 or more"]),
        ("[agents.prices.x]\ninput = 3.0\n", &["config.toml", "text"]),
    ] {
        machine.config(text);
        machine.run(&["run", "--model", "tour", "Look"]).code(2).says(says);
        machine.config("");
    }
    machine.file("handbox.toml", "[agents]\nmodel = \"tour\"\n");
    machine.run(&["run", "--model", "tour", "Look"]).code(2).says(&["handbox.toml:1", "operator's", "config path"]);
}

#[test]
fn a_key_may_be_in_a_file_that_only_its_owner_reads() {
    let machine = Machine::new();
    machine.config("[agents.keys]\nopenai = \"openai.key\"\n");
    let ran = machine.run(&["run", "--model", "openai:x", "Hello"]);
    ran.code(2).says(&["openai.key", "[agents.keys]", "OPENAI_API_KEY"]);
    machine.run(&["run", "--model", "anthropic:x", "Hello"]).code(2).says(&["ANTHROPIC_API_KEY", "[agents.keys]"]);
}

#[test]
fn all_sessions_that_were_left_in_the_middle_are_finished_at_once() {
    let machine = Machine::new();
    script(&machine, 1_500);
    for number in 0..3 {
        let prompt = format!("number {number}");
        let running = machine.line(&["run", "--model", "script:s.json", "--json", &prompt]).start();
        while !running.line().contains("\"type\":\"agent.tool_result\"") {}
        running.kill();
    }
    machine.run(&["run", "--model", "tour", "one that rests"]).ok();
    let ran = machine.run(&["wake", "--all"]).ok();
    assert_eq!(ran.err().matches(": done").count(), 3, "{}", ran.err());
    machine.run(&["wake", "--all"]).ok().says(&["every session is at rest"]);
    machine.run(&["wake"]).code(2).says(&["<ID>"]);
    machine.run(&["log", "verify"]).ok();
}

/// Whoever makes a session's file chooses what is in it: grants, approvals and all.
#[test]
fn a_session_from_elsewhere_does_nothing_before_it_is_given_what_it_may_use() {
    let there = Machine::new();
    let text = json!([
        { "when": { "step": 1 }, "delay_ms": 1500, "reply": [
            { "tool_use": { "name": "write", "input": { "file_path": "/workspace/made.txt", "content": "made" } } }] },
        { "when": { "tool": "write" }, "reply": [{ "text": "{{result:write | first_line}}" }] }
    ]);
    let model = format!("script:{}", there.file("s.json", text.to_string()).display());
    let running = there.line(&["run", "--model", &model, "--write", "--allow", "write", "--json", "Make it"]).start();
    while !running.line().contains("\"type\":\"span.model_request_start\"") {}
    running.kill();
    let id = there.run(&["sessions", "list", "--json"]).ok().json()["sessions"][0]["id"].as_str().unwrap().to_owned();
    let exported = there.run(&["log", "export", &id]).ok();
    let here = Machine::new();
    here.file("session.jsonl", exported.out());
    here.run(&["log", "import", "session.jsonl"]).ok();
    // What it was granted there counts for nothing here, though it is the same folder of the same machine.
    here.run(&["wake", &id]).ok().says(&["comes from elsewhere", "--dir FOLDER"]);
    assert!(!there.path("made.txt").exists());
    let mine = ["run", "--session", &id, "--dir", ".:/workspace:rw", "--allow", "write", "Make it here"];
    here.run(&mine).ok();
    assert_eq!(here.read("made.txt"), "made");
    assert!(!there.path("made.txt").exists());
}

/// The strongest that a file from elsewhere can say: this was allowed, and only has to be carried out.
#[test]
fn what_was_allowed_elsewhere_is_not_carried_out_here() {
    let there = Machine::new();
    let model = format!("script:{}", there.file("writing.json", writing()).display());
    let line = there.line(&["run", "--model", &model, "--write", "Make it"]);
    let Some(running) = line.start_on_a_terminal() else {
        return skipped("a question on a terminal: there is no program `script` to make one");
    };
    running.line_with("may it call write");
    running.kill();
    let id = session(&there);
    // The terminal takes a moment to be gone, and what asked on it with it.
    for _ in 0..100 {
        if !there.run(&["sessions", "show", &id]).ok().out().contains("held by") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    there.run(&["approve", &id]).ok().says(&["kept"]);
    let exported = there.run(&["log", "export", &id]).ok();
    let here = Machine::new();
    here.file("session.jsonl", exported.out());
    here.run(&["log", "import", "session.jsonl"]).ok();
    here.run(&["run", "--session", &id, "--dir", ".:/workspace:rw", "What now?"]).ok();
    let events = events(&here, &id);
    let results: Vec<_> = events.iter().filter(|event| event["type"] == "agent.tool_result").collect();
    assert_eq!(results[0]["handbox"]["why"], "interrupted", "{results:?}");
    assert!(!here.path("made.txt").exists() && !there.path("made.txt").exists());
    here.run(&["log", "verify"]).ok();
}

#[test]
#[cfg(unix)]
fn a_data_folder_that_everybody_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let machine = Machine::new();
    let data = machine.path("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o777)).unwrap();
    for args in [&["sessions"][..], &["run", "--model", "tour", "Look"], &["log", "verify"]] {
        let line = machine.line(&[args, &["--data", "data"]].concat());
        line.run().code(3).says(&["everybody on this machine may write the data folder", "chmod o-w"]);
    }
}

/// A name that is another's line: each is shown on one.
#[test]
fn a_tools_name_makes_no_lines_of_its_own() {
    let machine = Machine::new();
    let text = json!([
        { "when": { "step": 1 }, "reply": [{ "tool_use": { "name": "x\r\nerror: FORGED\nhint: FORGED", "input": {} } }] },
        { "reply": [{ "text": "Done." }] }
    ]);
    machine.file("s.json", text.to_string());
    let ran = machine.run(&["run", "--model", "script:s.json", "Go"]).ok();
    assert!(!ran.err().lines().any(|line| line.starts_with("error:") || line.starts_with("hint: FORGED")), "{ran:?}");
}
