//! Refusals that have to do with what was typed for a tool: nothing is swallowed, and each says how it is written.

use crate::cli_components::{chooser, taking};
use handbox_tests::{Machine, Ran};

/// Runs the line that a refusal says to write.
#[track_caller]
fn pasted(machine: &Machine, refusal: &Ran, line: &str) -> Ran {
    assert!(refusal.err().ends_with(&format!("hint: write: handbox {line}\n")), "{refusal:?}");
    machine.run(&line.split(' ').collect::<Vec<_>>())
}

#[test]
fn a_flag_that_is_the_tools_and_ours_is_refused_with_both_ways_out() {
    let machine = Machine::new();
    machine.file("limited.built.wasm", taking("limit"));
    machine.run(&["pack", "limited.built.wasm", "-o", "limited.wasm"]).ok().says(&["`limit` of the tool `take`"]);
    let both = machine.run(&["call", "./limited.wasm", "take", "--limit", "3"]).code(2);
    both.says(&["--limit is a flag of Handbox and an input of the tool `take`", "call ./limited.wasm take -- --limit"]);
    assert_eq!(machine.run(&["call", "./limited.wasm", "take", "--", "--limit", "3"]).ok().out(), "3\n");
    let json = ["call", "./limited.wasm", "take", r#"{"limit":3}"#, "--limit", "time=5s"];
    assert_eq!(machine.run(&json).ok().out(), "3\n");
    machine.file("data.built.wasm", taking("data"));
    machine.run(&["pack", "data.built.wasm", "-o", "data.wasm"]).ok().says(&["`data` of the tool `take`"]);
    let both = machine.run(&["call", "./data.wasm", "take", "--data", "3"]).code(2);
    both.says(&["--data is a flag of Handbox and an input of the tool `take`", "call ./data.wasm take -- --data"]);
    assert_eq!(machine.run(&["--data", "kept", "call", "./data.wasm", "take", "--", "--data", "3"]).ok().out(), "3\n");
}

#[test]
fn every_flag_of_handbox_that_a_tool_has_too_is_refused_before_it_acts() {
    let machine = Machine::new();
    for name in ["json", "quiet", "verbose", "log", "log-format", "config", "data", "profile", "no-dir"] {
        machine.file("taking.built.wasm", taking(name));
        machine.run(&["pack", "taking.built.wasm", "-o", "taking.wasm"]).ok();
        let flag = format!("--{name}");
        let value: &[&str] = match name {
            "json" | "quiet" | "verbose" | "no-dir" => &[],
            "log-format" => &["json"],
            _ => &["3"],
        };
        let ran = machine.run(&[&["call", "./taking.wasm", "take", &flag], value].concat()).code(2);
        let said = format!("{}{}", ran.out(), ran.err());
        assert!(said.contains(&format!("{flag} is a flag of Handbox and an input of the tool `take`")), "{ran:?}");
        let theirs = machine.run(&["call", "./taking.wasm", "take", "--", &flag, "3"]).ok();
        assert_eq!(theirs.out(), "3\n");
    }
}

#[test]
fn the_tools_flags_may_stand_before_a_dash_dash_and_handboxs_not_behind_it() {
    let machine = Machine::new();
    machine.file("a.txt", "1\n2\n");
    let read = ["call", "std", "read", "--file_path", "a.txt", "--", "--view_range", "[2, 2]"];
    assert_eq!(machine.run(&read).ok().out(), "2\n");
    let behind = machine.run(&["call", "std", "read", "--", "--file_path", "a.txt", "--dir", "."]).code(2);
    behind.says(&["has no input `dir`", "--dir is Handbox's: put it before the --"]);
    let help = machine.run(&["call", "--help"]).ok();
    let help = help.out().split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("all that stands behind it is the tool's"), "{help}");
}

#[test]
fn a_member_that_a_tool_does_not_know_is_a_remark() {
    let machine = Machine::new();
    let hello = machine.guest("hello");
    let call = |input: &str| machine.run(&["call", &hello, "greet", input]).ok();
    call(r#"{"name":"you","bogus":1}"#).says(&["note: `bogus` is no input of the tool `greet`"]);
    assert_eq!(call(r#"{"name":"you"}"#).err(), "");
}

#[test]
fn one_item_with_commas_is_asked_about_before_anything_is_done() {
    let machine = Machine::new();
    let chooser = chooser(&machine);
    let take = |flags: &[&str]| machine.run(&[&["call", &chooser, "take", "--kind", "long"], flags].concat());
    let ran = take(&["--tags", "a,b"]).code(2);
    ran.says(&["one item or several?", "--tags a --tags b", r#"--tags '["a,b"]'"#]);
    for flags in [&["--tags", r#"["a,b"]"#][..], &["--tags", "a", "--tags", "b"], &["--tags", "a, b", "--tags", "c"]] {
        take(flags).ok();
    }
}

#[test]
fn a_wrong_word_says_which_there_are_and_nothing_of_lists() {
    let machine = Machine::new();
    let chooser = chooser(&machine);
    let ran = machine.run(&["call", &chooser, "take", "--kind", "huge", "--tags", "[]"]).code(2);
    assert!(!ran.err().contains("a list is written"), "{ran:?}");
    ran.says(&["\"huge\" is none of \"long\", \"short\"", "tags* (list of string), kind* (\"long\"|\"short\")"]);
    let none = machine.run(&["call", &chooser, "take", "{}"]).code(2);
    assert!(!none.err().contains("at the input"), "{none:?}");
    let tools = machine.run(&["tools", &chooser]).ok().says(&["--schemas"]);
    assert!(tools.out().contains("kind* (\"long\"|\"short\")"), "{tools:?}");
}

#[test]
fn a_file_with_input_is_named() {
    let machine = Machine::new();
    machine.file("good.json", r#"{"file_path":"a.txt"}"#);
    machine.file("bad.json", "{\n oops");
    machine.file("a.txt", "a");
    std::fs::create_dir(machine.path("inputs")).expect("a folder");
    let read = |input: &str| machine.run(&["call", "std", "read", input]);
    let itself = "; or, if its name is the input, handbox call std read --file_path good.json\n";
    read("good.json").code(2).says(&["good.json is a file", "write @good.json", itself]);
    read("@good.json").ok();
    read("@inputs").code(2).says(&["inputs is a folder", "name a file in it"]);
    read("@").code(2).says(&["@ names no file", "@input.json"]);
    read("@bad.json").code(2).says(&["the input in bad.json is not JSON", "line 2"]);
}

#[test]
fn a_bundle_that_is_not_there_is_one_that_was_meant() {
    let machine = Machine::new();
    machine.file("notes.tool.wasm", crate::cli_components::adder());
    machine.config("[bundles.weather]\npath = \"/nowhere/weather.wasm\"\n");
    machine.run(&["call", "notes", "add"]).code(2).says(&["did you mean ./notes.tool.wasm?", "weather"]);
    machine.run(&["call", "st", "read"]).code(2).says(&["did you mean std?"]);
    machine.run(&["call", "wether", "read"]).code(2).says(&["did you mean weather?"]);
}

#[test]
fn outputs_go_into_folders() {
    let machine = Machine::new();
    machine.file("out", "x");
    let ran = machine.run(&["call", "std", "glob", "--pattern", "*", "--outputs", "out"]).code(2);
    assert!(!ran.err().contains("os error"), "{ran:?}");
    ran.says(&["out is a file", "name a folder"]);
}

#[test]
fn a_bare_word_is_told_its_flag_in_a_whole_line() {
    let machine = Machine::new();
    machine.file("a.txt", "here");
    machine.file("007", "there");
    let ran = machine.run(&["call", "std", "read", "a.txt"]).code(2);
    assert!(!ran.err().contains('@'), "a.txt is no JSON: {ran:?}");
    assert_eq!(pasted(&machine, &ran, "call std read --file_path a.txt").ok().out(), "here\n");
    for json in ["7", "true", "\"7\""] {
        let word = json.trim_matches('"');
        let ran = machine.run(&["call", "std", "read", json]).code(2);
        pasted(&machine, &ran, &format!("call std read --file_path {word}")).code(1);
    }
    let with_ours = machine.run(&["call", "--dir", ".", "std", "read", "007", "--limit", "time=5s"]).code(2);
    let line = "call std read --dir . --limit time=5s --file_path 007";
    assert_eq!(pasted(&machine, &with_ours, line).ok().out(), "there\n");
    // A value that was granted may be secret.
    let env = machine.run(&["call", "std", "read", "a.txt", "--env", "KEY=hush"]).code(2);
    assert!(!env.err().contains("hush"), "{env:?}");
    env.says(&["write: --file_path a.txt\n"]);
    let more = machine.run(&["call", "std", "write", "a.txt"]).code(2);
    more.says(&["write: handbox call std write --file_path a.txt --content …\n"]);
    machine.run(&["call", "std", "read", "a.txt", "b.txt"]).code(2).says(&["hint: its input is: file_path*"]);
}

#[test]
fn names_with_values_are_told_to_be_flags() {
    let machine = Machine::new();
    let hello = machine.guest("hello");
    machine.file("a.txt", "x");
    for words in [&["name=you"][..], &["name", "you"], &["you"]] {
        let ran = machine.run(&[&["call", &hello, "greet"], words].concat()).code(2);
        assert_eq!(pasted(&machine, &ran, &format!("call {hello} greet --name you")).ok().out(), "Hello, you!\n");
    }
    let edit = ["call", "std", "edit", "file_path=a.txt", "old_string=x", "new_string=y"];
    for (words, flags) in [
        (&["replace_all", "--write"][..], "--file_path a.txt --old_string x --new_string y --replace_all"),
        (&["--write", "--replace_all"], "--replace_all --file_path a.txt --old_string x --new_string y"),
    ] {
        let ran = machine.run(&[&edit[..], words].concat()).code(2);
        machine.file("a.txt", "x");
        pasted(&machine, &ran, &format!("call std edit --write {flags}")).ok();
        assert_eq!(machine.read("a.txt"), "y");
    }
    let behind = machine.run(&["call", "std", "edit", "--replace_all", "file_path=a.txt"]).code(2);
    behind.says(&["--replace_all --file_path a.txt --old_string … --new_string …\n"]);
    // Where an input is called as a flag of Handbox, two dashes part them.
    machine.file("limited.wasm", taking("limit"));
    let both = machine.run(&["call", "./limited.wasm", "take", "limit=3"]).code(2);
    assert_eq!(pasted(&machine, &both, "call ./limited.wasm take -- --limit 3").ok().out(), "3\n");
    let lists = machine.run(&["call", &chooser(&machine), "take", "tags=a", "tags=b", "kind=long"]).code(2);
    pasted(&machine, &lists, "call ./chooser.wasm take --tags a --tags b --kind long").ok();
    // What a shell would obey is quoted.
    machine.run(&["call", &hello, "greet", "name=$(id); x"]).code(2).says(&["greet --name '$(id); x'\n"]);
}
