//! Slips of single words: flags, names and files that are almost right. Each is told what to type.

use crate::cli_components::adder;
use handbox_tests::agents::script;
use handbox_tests::{Machine, Ran};

const WRITE: &str = r#"{"file_path":"a.txt","content":"x"}"#;

#[track_caller]
fn never_says(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(!ran.err().contains(part), "{part:?} is said: {ran:?}");
    }
}

#[test]
fn a_slip_in_a_flag_behind_json_is_told_what_was_meant() {
    let machine = Machine::new();
    let write = |flag: &str| machine.run(&["call", "std", "write", WRITE, flag]).code(2);
    let slip = write("--wirte");
    never_says(&slip, &["either one JSON object"]);
    slip.says(&["--wirte is no flag of Handbox", "hint: did you mean --write, a flag of Handbox?\n"]);
    write("--file-paht=x").says(&["did you mean --file_path? Put it into the JSON, or give all of the input as flags"]);
    write("-write").says(&["-write has one dash, and long flags have two", "write: --write"]);
    write("--frobnicate").says(&["leave it out; what Handbox takes: handbox call --help"]);
    write("--content=x").says(&["give either one JSON object or flags, not both"]);
}

#[test]
fn a_value_of_write_is_a_folder_for_dir() {
    let machine = Machine::new();
    std::fs::create_dir(machine.beside("x")).expect("a folder");
    let call = ["call", "std", "write", WRITE, "--write=../x"];
    for line in [&call[..], &["check", "std", "--write=../x"], &["run", "--model", "tour", "Do it", "--write=../x"]] {
        let ran = machine.run(line).code(2);
        never_says(&ran, &["unexpected value"]);
        ran.says(&["--write takes no value", "for another one: --dir ../x:rw, which the tool sees as /workspace"]);
    }
    let json = machine.run(&["check", "std", "--write=../x", "--json"]).code(2).json();
    assert!(json["error"]["hint"].as_str().expect("a hint").contains("--dir ../x:rw"), "{json}");
    machine.run(&["call", "std", "write", WRITE, "--dir", "../x:rw"]).ok();
    assert!(machine.beside("x/a.txt").is_file());
    machine.run(&["check", "std", "--write=true"]).code(2).says(&["write --write alone"]);
}

#[test]
fn a_word_behind_write_is_told_where_it_belongs_by_every_command() {
    let machine = Machine::new();
    machine.file("mynotes/old.txt", "old");
    for line in [&["check", "std", "--write"][..], &["run", "--model", "tour", "Do it", "--write"]] {
        let ran = |word: &str| machine.run(&[line, &[word]].concat()).code(2);
        ran("mynotes").says(&["--write takes no value", "write --dir mynotes:rw instead"]);
        ran("rw").says(&["--write takes no value", "leave out rw"]);
        let word = ran("word").says(&["--write takes no value", "leave it out", "--dir FOLDER:rw"]);
        never_says(&word, &["Usage:"]);
        ran("mynotes/old.txt").says(&["folders are granted, and not files"]);
    }
    machine.run(&["check", "std", "--dir", ".", "mynotes"]).code(2).says(&["--dir . --dir mynotes:/data"]);
    machine.run(&["run", "--model", "tour", "Do", "it", "now"]).code(2).says(&["quote it: 'Do it now'"]);
}

#[test]
fn a_slip_in_the_name_of_a_tool_is_told_what_was_meant() {
    let machine = Machine::new();
    machine.run(&["call", "std", "gerp", "--pattern", "x"]).code(2).says(&["did you mean grep? It has: read,"]);
    never_says(&machine.run(&["call", "std", "frobnicate"]).code(2), &["did you mean"]);
    machine.run(&["call", "grep", "std", "--pattern", "x"]).code(2).says(&["write: handbox call std grep\n"]);
    machine.run(&["call", "grep", r#"{"pattern":"x"}"#]).code(2).says(&["write: handbox call std grep …"]);
    machine
        .run(&["call", "std", r#"{"pattern":"x"}"#])
        .code(2)
        .says(&["behind the bundle stands the tool; it has: read"]);
    machine
        .run(&["run", "--model", "tour", "--allow", "wirte", "x"])
        .code(2)
        .says(&["did you mean write? it has: read"]);
    machine.file("a.wasm", adder());
    machine.run(&["pack", "a.wasm", "a.tool.wasm"]).code(2).says(&["write: handbox pack a.wasm -o a.tool.wasm\n"]);
    machine.run(&["pack", "a.wasm", "-o", "a.tool.wasm"]).ok();
    machine.run(&["call", "./a.tool.wsam", "add"]).code(2).says(&["did you mean ./a.tool.wasm?"]);
    machine.run(&["call", "add", "./a.tool.wasm"]).code(2).says(&["write: handbox call ./a.tool.wasm add\n"]);
    machine.run(&["call", "./a.tool.wasm"]).code(2).says(&["which tool of", "handbox tools ./a.tool.wasm\n"]);
}

#[test]
fn a_file_that_is_not_there_is_named_as_this_machine_does() {
    let machine = Machine::new();
    machine.file("notes.txt", "here");
    let read = |path: &str| machine.run(&["call", "std", "read", "--file_path", path]).code(1);
    let here = machine.path("note.txt").display().to_string();
    read("note.txt").says(&[&format!("/workspace/note.txt (here {here}) is not there, but notes.txt is; ")]);
    let other = read("/workspace/other.md");
    never_says(&other, &["but notes.txt"]);
    other.says(&["/workspace/other.md (here ", "other.md) is not there; "]);
}

#[test]
fn a_file_of_the_current_folder_that_a_dir_took_away_comes_with_the_line_that_reads_it() {
    let machine = Machine::new();
    machine.file("mine.txt", "here");
    machine.file("sub/mine.txt", "below");
    let other = machine.beside("other");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(other.join("a.txt"), "there").expect("a file");
    let read =
        |path: &str, flags: &[&str]| machine.run(&[&["call", "std", "read", "--file_path", path], flags].concat());
    let both = ["--dir", ".", "--dir", "../other:/data"];
    for (path, holds) in [("mine.txt", "here\n"), ("/workspace/mine.txt", "here\n"), ("sub/mine.txt", "below\n")] {
        let ran = read(path, &["--dir", "../other"]).code(1);
        never_says(&ran, &["HOST", "make it first"]);
        ran.says(&[
            "is in the current folder, which is granted beside a --dir only if it is named, too: ",
            &format!(
                "handbox call std read --dir . --dir ../other:/data --file_path {path}; what is in ../other is then"
            ),
        ]);
        assert_eq!(read(path, &both).ok().out(), holds);
    }
    assert_eq!(read("/data/a.txt", &both).ok().out(), "there\n");
    read("mine.txt", &["--dir", "../other:/data"])
        .code(1)
        .says(&["read --dir . --dir ../other:/data --file_path mine"]);
    // What was granted may be secret, and is not repeated.
    let secret = read("mine.txt", &["--dir", "../other", "--env", "KEY=hunter2"]).code(1);
    never_says(&secret, &["hunter2"]);
    secret.says(&["too: --dir . --dir ../other:/data;"]);
    // What is in neither is no matter of that.
    never_says(&read("none.txt", &["--dir", "../other"]).code(1), &["named, too"]);
}

#[test]
fn a_component_instead_of_a_prompt_is_one_to_call() {
    let machine = Machine::new();
    machine.file("a.wasm", adder());
    machine.run(&["pack", "a.wasm", "-o", "a.tool.wasm"]).ok();
    machine.run(&["run", "./a.tool.wasm"]).code(2).says(&[
        "./a.tool.wasm is a bundle of tools",
        "handbox call ./a.tool.wasm add '{\"a\":",
        "handbox run --bundle ./a.tool.wasm --model tour",
    ]);
    machine.run(&["run", "./a.tool.wasm", "add"]).code(2).says(&["handbox call ./a.tool.wasm add\n"]);
    machine.run(&["run", "Make it"]).code(2).says(&["no model is chosen"]);
    // Whoever has chosen a model is taken at their word.
    let model = script(&machine, "said.json", r#"[{ "reply": [{ "text": "So." }] }]"#);
    machine.run(&["run", "--model", &model, "./a.tool.wasm"]).ok();
}
