//! What the program says about itself and its machine, and how it cleans up.

use handbox_tests::Machine;
use serde_json::json;

/// Every command, as `--help` lists them, and those below them.
const COMMANDS: [&[&str]; 46] = [
    &["run"],
    &["wake"],
    &["interrupt"],
    &["approve"],
    &["deny"],
    &["context"],
    &[],
    &["tools"],
    &["call"],
    &["sh"],
    &["warm"],
    &["check"],
    &["config"],
    &["config", "show"],
    &["config", "trust"],
    &["config", "untrust"],
    &["config", "path"],
    &["pack"],
    &["inspect"],
    &["new"],
    &["sessions"],
    &["sessions", "list"],
    &["sessions", "show"],
    &["sessions", "events"],
    &["sessions", "fork"],
    &["sessions", "rm"],
    &["log"],
    &["log", "verify"],
    &["log", "export"],
    &["log", "import"],
    &["vault"],
    &["vault", "set"],
    &["vault", "list"],
    &["vault", "rm"],
    &["vault", "rotate"],
    &["vault", "bind"],
    &["vault", "unbind"],
    &["vault", "test"],
    &["vault", "login"],
    &["vault", "init"],
    &["cache"],
    &["cache", "path"],
    &["cache", "clean"],
    &["doctor"],
    &["completions"],
    &["man"],
];

#[test]
fn version_names_the_build_the_contract_and_the_engine() {
    let machine = Machine::new();
    for flag in ["--version", "-V"] {
        let ran = machine.run(&[flag]).ok();
        assert!(ran.out().starts_with(concat!("handbox ", env!("CARGO_PKG_VERSION"))), "{ran:?}");
        if flag == "--version" {
            assert!(ran.out().contains("handbox:hand@0.1.0") && ran.out().contains("wasmtime 48"), "{ran:?}");
        }
    }
}

#[test]
fn every_command_explains_itself() {
    let machine = Machine::new();
    for command in COMMANDS.into_iter().chain([&["licenses"][..]]) {
        let ran = machine.run(&[command, &["--help"]].concat()).ok();
        assert!(
            ran.out().contains("Usage: handbox") && ran.out().contains("--json") && ran.err().is_empty(),
            "{ran:?}"
        );
        let short = machine.run(&[command, &["-h"]].concat()).ok();
        assert!(short.out().contains("Usage: handbox"), "{short:?}");
    }
    let listed = machine.run(&["--help"]).ok();
    let commands = listed.out().lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
    for command in commands.filter(|command| !matches!(*command, "help" | "licenses")) {
        assert!(COMMANDS.contains(&[command].as_slice()), "{command} is not tried here: {listed:?}");
    }
    assert!(listed.out().contains("Exit status: 0 it worked"), "{listed:?}");
}

#[test]
fn the_cache_is_where_it_says_and_cleaning_it_only_costs_time() {
    let machine = Machine::fresh();
    let call = || machine.run(&["call", "std", "glob", "--pattern", "*.txt"]).ok();
    machine.file("a.txt", "");
    let path = machine.run(&["cache", "path"]).ok().out().trim_end().to_owned();
    assert!(path.starts_with(&machine.beside("cache").display().to_string()), "{path}");
    assert_eq!(
        machine.run(&["cache", "clean"]).ok().out(),
        format!("removed 0 compiled components, 0 bytes, from {path}\n")
    );
    assert_eq!(call().out().trim_end(), "a.txt");
    let about = machine.run(&["cache", "path", "--json"]).ok().json();
    assert_eq!((&about["exists"], &about["entries"]), (&json!(true), &json!(1)));
    let foreign = std::path::Path::new(&path).join("notes.txt");
    std::fs::write(&foreign, "mine").expect("a file");
    assert_eq!(machine.run(&["cache", "clean", "--json"]).ok().json()["removed"], 1);
    assert!(foreign.exists(), "it is not ours to remove");
    assert_eq!(call().out().trim_end(), "a.txt");
}

#[test]
fn a_cache_that_cannot_be_used_is_a_warning_and_the_call_still_works() {
    let machine = Machine::new();
    let file = machine.file("in-the-way", "");
    let ran = machine.line(&["call", "std", "glob", "--pattern", "in-*"]).env("XDG_CACHE_HOME", &file).run().ok();
    assert_eq!(ran.out().trim_end(), "in-the-way");
    ran.says(&["warning: ", "every call compiles its component"]);
}

#[test]
fn doctor_finds_that_tools_can_run_and_changes_nothing() {
    let machine = Machine::fresh();
    let ran = machine.run(&["doctor"]).ok();
    for part in ["ok    version ", "ok    sandbox ", "pool", "config", "ok    scratch ", "ok    bundle ", "std 0.1.0"] {
        assert!(ran.out().contains(part), "{part:?}: {ran:?}");
    }
    assert!(!ran.out().contains("FAIL"), "{ran:?}");
    assert!(!machine.beside("cache").exists(), "looking makes no cache");
    let found = machine.run(&["doctor", "--json"]).ok().json();
    assert!(matches!(found["status"].as_str(), Some("ok" | "warn")), "{found}");
    assert!(found["findings"].as_array().is_some_and(|findings| findings.len() > 7), "{found}");
}

#[test]
fn doctor_fails_for_a_configuration_that_no_call_would_take() {
    let machine = Machine::new();
    machine.run(&["doctor", "--config", "absent.toml"]).code(1);
    machine.file("handbox.toml", "[lmits]\n");
    let ran = machine.run(&["doctor"]).code(1);
    assert!(ran.out().contains("FAIL  config ") && ran.out().contains("lmits"), "{ran:?}");
    machine.file("handbox.toml", "");
    machine.config("[[folders]]\nhost = \"/no/such/folder\"\n");
    let ran = machine.run(&["doctor"]).code(1);
    assert!(ran.out().contains("FAIL  config ") && ran.out().contains("/no/such/folder"), "{ran:?}");
}

#[test]
fn shells_manual_and_licences_are_printed() {
    let machine = Machine::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = machine.run(&["completions", shell]).ok();
        assert!(script.out().contains("handbox") && script.out().contains("licenses"), "{shell}");
    }
    machine.run(&["completions", "tcsh"]).code(2).says(&["bash"]);
    let page = machine.run(&["man"]).ok();
    assert!(page.out().contains(".TH handbox 1"), "{page:?}");
    machine.run(&["man", "--dir", "pages"]).ok();
    for name in ["handbox.1", "handbox-call.1", "handbox-config-trust.1"] {
        assert!(machine.read(&format!("pages/{name}")).contains(".TH"), "{name}");
    }
    let licences = machine.run(&["licenses"]).ok();
    assert!(licences.out().contains("wasmtime") && licences.out().contains("Apache License"));
    for args in [&["completions", "bash", "--json"][..], &["man", "--json"], &["licenses", "--json"]] {
        machine.run(args).ok().json();
    }
}

#[test]
fn log_lines_go_to_standard_error_in_the_form_that_is_asked_for() {
    let machine = Machine::fresh();
    let bad = machine.run(&["cache", "path"]).ok().out().trim_end().to_owned();
    machine.run(&["call", "std", "glob", "--pattern", "*"]).ok();
    let spoil = || {
        for entry in std::fs::read_dir(&bad).expect("a cache").flatten() {
            if entry.path().extension().is_some_and(|end| end == "cwasm") {
                std::fs::write(entry.path(), "not what was compiled").expect("our own folder");
            }
        }
    };
    spoil();
    let text = machine.run(&["call", "std", "glob", "--pattern", "*"]).ok();
    assert!(text.err().contains("WARN") && !text.err().contains('\u{1b}'), "colours in a pipe: {text:?}");
    spoil();
    let line = ["call", "std", "glob", "--pattern", "*", "--log-format", "json"];
    let logged = machine.run(&line).ok();
    let first = logged.err().lines().next().unwrap_or_default();
    let entry: serde_json::Value = serde_json::from_str(first).unwrap_or_else(|error| panic!("{error}: {logged:?}"));
    assert_eq!(entry["level"], "WARN", "{logged:?}");
    assert_eq!(machine.run(&line).ok().err(), "", "it was compiled again");
}
