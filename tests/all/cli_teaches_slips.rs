//! Refusals of what newcomers get wrong first: each names the next step, and taking it leads on.

use crate::cli_components::{adder, failing, panicking, taking};
use crate::cli_teaches::packed;
use handbox_tests::{Machine, Ran};

const ALL: &str = "folders = [{ path = \"*\", mode = \"rw\" }]";
const MISSING: &str = "No such file or directory (os error 44)";

#[track_caller]
fn never_says(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(!ran.err().contains(part), "{part:?} is said: {ran:?}");
    }
}

#[test]
fn a_tool_that_is_not_exported_is_to_be_named_in_export() {
    let machine = Machine::new();
    let named = "a function marked #[tool] must also be named in `handbox_tool::export!(…)`";
    machine.run(&["call", &machine.guest("hello"), "wave"]).code(2).says(&[named]);
    machine.file("a.wasm", adder());
    for bundle in ["std", "./a.wasm"] {
        never_says(&machine.run(&["call", bundle, "wave"]).code(2), &["export!"]);
    }
}

#[test]
fn quotes_that_the_shell_took_are_given_back() {
    let machine = Machine::new();
    let hello = machine.guest("hello");
    let greet = |words: &[&str]| machine.run(&[&["call", &hello, "greet"], words].concat()).code(2);
    let line = format!("handbox call {hello} greet --name you\n");
    for words in [&["{name:", "you}"][..], &["{name:you}"], &["name:you"]] {
        let ran = greet(words);
        never_says(&ran, &["not both"]);
        ran.says(&[
            "the shell took the quotes: put single quotes around the whole, '{\"name\":\"you\"}'; or write: ",
            &line,
        ]);
    }
    greet(&["{'name':", "'you'}"]).says(&["JSON has double quotes", "'{\"name\":\"you\"}'; or write: ", &line]);
    machine.run(&["call", &hello, "greet", r#"{"name":"you"}"#]).ok();
    // What cannot be told is not made up.
    let unclear = greet(&["{name:", "{first:", "you}}"]);
    never_says(&unclear, &["first\":\"you"]);
    unclear.says(&["as in '{\"name\":\"name\"}'; or write: ", "greet --name …\n"]);
    let expanded = ["call", "std", "write", "file_path:a b.txt", "content:x", "--write"];
    let ran = machine.run(&expanded).code(2);
    never_says(&ran, &["--file_path file_path", "--content content"]);
    ran.says(&[
        "'{\"file_path\":\"a b.txt\",\"content\":\"x\"}'",
        "or write: handbox call std write --write --file_path 'a b.txt' --content x\n",
    ]);
    machine.run(&["call", "std", "write", "--write", "--file_path", "a b.txt", "--content", "x"]).ok();
    // What is no text stays none.
    machine.file("taking.wasm", taking("count"));
    machine.run(&["call", "./taking.wasm", "take", "{count:3}"]).code(2).says(&["'{\"count\":3}'", "--count 3\n"]);
    // Quotes that are there are not missed.
    never_says(&greet(&[r#"{"name":"you",}"#]), &["shell"]);
}

#[test]
fn a_second_folder_comes_with_the_current_one() {
    let machine = Machine::new();
    machine.file("mine.txt", "here");
    let other = machine.beside("other");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(other.join("a.txt"), "there").expect("a file");
    let path = other.join("a.txt").display().to_string();
    let read =
        |path: &str, flags: &[&str]| machine.run(&[&["call", "std", "read", "--file_path", path], flags].concat());
    read(&path, &[]).says(&["add --dir . --dir HOST:/data:ro and name /data/FILE"]);
    read("../other/a.txt", &[]).says(&["the file, --dir . --dir HOST:/data:ro, and name /data/FILE"]);
    let both = ["--dir", ".", "--dir", "../other:/data:ro"];
    assert_eq!(read("/data/a.txt", &both).ok().out(), "there\n");
    assert_eq!(read("mine.txt", &both).ok().out(), "here\n");
    let lost = read("/workspace/mine.txt", &["--dir", "../other:/data:ro"]);
    lost.says(&["granted only if it is named, too: --dir . --dir ../other:/data:ro\n"]);
    // Whoever names the current folder is not told to.
    never_says(&read("none.txt", &["--dir", "."]), &["--dir . "]);
    let write = ["call", "std", "write", "--file_path", "../other/b.txt", "--content", "x"];
    machine.run(&write).says(&["the file, --dir . --dir HOST:/data:rw, and name /data/FILE"]);
    // A component that asks for two folders is told how it gets both.
    let asks = "[asks]\nfolders = [{ path = \"/workspace\", mode = \"rw\" }, { path = \"/data\", mode = \"ro\" }]\n";
    let mine = packed(&machine, asks);
    let checked = machine.run(&["check", &mine]).code(3);
    assert!(checked.out().contains("--dir HOST:/workspace:rw --dir HOST:/data:ro"), "{checked:?}");
    let mine = packed(&machine, &asks.replace("\"rw\"", "\"ro\""));
    let checked = machine.run(&["check", &mine]).code(3);
    assert!(checked.out().contains("for one call: --dir . --dir HOST:/data:ro"), "{checked:?}");
    machine.run(&["check", &mine, "--dir", ".", "--dir", "../other:/data:ro"]).ok();
}

#[test]
fn the_next_step_of_packing_grants_every_folder() {
    let machine = Machine::new();
    let asks = "[asks]\nfolders = [{ path = \"/workspace\", mode = \"rw\" }, { path = \"/data\", mode = \"ro\" }]\n";
    packed(&machine, asks);
    let pack = ["pack", "files.built.wasm", "-o", "mine.wasm", "--manifest", "tool.toml"];
    machine.run(&pack).ok().says(&["--dir . --dir .:/data:ro\n"]);
    machine.run(&["check", "./mine.wasm", "--dir", ".:rw", "--dir", ".:/data:rw"]).ok();
}

#[test]
fn a_folder_that_is_not_there_is_the_one_that_the_tool_looked_for() {
    let machine = Machine::new();
    let call = |text: &str, path: &str| {
        machine.run(&["call", &failing(&machine, text, ALL), "fail", "--path", path, "--write"]).code(1)
    };
    let named = call(&format!("/workspace/reports/sub/b.txt: {MISSING}"), "and/or");
    let here = machine.path("reports/sub").display().to_string();
    never_says(&named, &["/workspace/and", "perhaps"]);
    named.says(&[&format!("there is no folder /workspace/reports/sub (here {here}): make it first")]);
    call(&format!("reports/b.txt: {MISSING}"), "x").says(&["there is no folder /workspace/reports (here "]);
    call(MISSING, "new/x").says(&["perhaps there is no folder /workspace/new (here "]);
    // One that may write: it imports something.
    let missing = "Os { code: 44, kind: NotFound, message: \"No such file or directory\" }";
    let panicked = |text: &str| {
        machine.run(&["call", &panicking(&machine, text), "fail", "--path", "some words", "--write"]).code(5)
    };
    panicked(missing)
        .says(&["perhaps the folder is missing", "std::fs::create_dir_all it first, and put the path into"]);
    panicked(&format!("/workspace/reports/b.txt: {missing}")).says(&["std::fs::create_dir_all makes it"]);
}

#[test]
fn a_panic_about_a_file_is_told_what_an_error_would_be() {
    let machine = Machine::new();
    let call = |text: &str, flags: &[&str]| {
        let line = ["call", &panicking(&machine, text), "fail", "--path", "a.txt"].map(str::to_owned);
        let line: Vec<&str> = line.iter().map(String::as_str).chain(flags.iter().copied()).collect();
        machine.run(&line).code(5).says(&["return the error with `?` instead of unwrap", "if it is not yours"])
    };
    let unwrapped = "called `Result::unwrap()` on an `Err` value: ";
    let denied =
        format!("{unwrapped}Os {{ code: 63, kind: PermissionDenied, message: \"Capabilities insufficient\" }}");
    call(&denied, &[]).says(&["more than was granted, which may be why: --write;"]);
    call(&denied, &["-v"]).says(&["which may be why: --write;"]);
    let missing = format!("{unwrapped}Os {{ code: 44, kind: NotFound, message: \"No such file or directory\" }}");
    call(&missing, &[]).says(&["it sees /workspace (here "]);
    let outside = "failed to find a pre-opened file descriptor through which \\\"/notes/a.txt\\\" could be opened";
    let outside = format!("{unwrapped}Custom {{ kind: NotFound, error: \"{outside}\" }}");
    call(&outside, &[]).says(&["nothing is at /notes: "]);
    let other = machine.run(&["call", &panicking(&machine, "no notes at all"), "fail", "--path", "a.txt"]).code(5);
    never_says(&other, &["`?`", "--dir"]);
}

#[test]
fn asks_are_one_table() {
    let machine = Machine::new();
    machine.file("a.wasm", adder());
    let pack = |asks: &str| {
        machine.file("tool.toml", format!("name = \"a\"\nversion = \"0.1.0\"\n{asks}\n"));
        machine.run(&["pack", "a.wasm", "-o", "x.wasm", "-m", "tool.toml"])
    };
    let folder = "{ path = \"*\", mode = \"ro\" }";
    let fields = "folders = [{ path = \"*\", mode = \"ro\" }]";
    let tables = [format!("[[asks]]\n{fields}"), "[[asks]]\npath = \"*\"\nmode = \"ro\"".to_owned()];
    for asks in tables.into_iter().chain([format!("asks = [[{folder}]]"), format!("asks = [{folder}]")]) {
        let ran = pack(&asks).code(2);
        ran.says(&[
            "tool.toml:3",
            "`asks` is one table: write [asks], and under it folders = [{ path = \"*\", mode = ",
        ]);
    }
    pack(fields).code(2).says(&["tool.toml:3: unknown field `folders`", "put it under [asks]"]);
    pack(&format!("[asks]\n{fields}")).ok();
    pack(&format!("asks = {{ {fields} }}")).ok();
    let star = pack("[asks]\nfolders = [{ path = \"/workspace/*\", mode = \"ro\" }]").code(2);
    star.says(&["`/workspace/*` has a * in a path", "path = \"*\" alone for any folder", "such as /workspace"]);
}

#[test]
fn a_folder_or_a_mode_behind_a_flag_is_told_where_it_belongs() {
    let machine = Machine::new();
    machine.file("mynotes/old.txt", "old");
    let write = ["call", "std", "write", "--file_path", "a.txt", "--content", "x"];
    let ran = |flags: &[&str]| machine.run(&[&write[..], flags].concat());
    ran(&["--write", "mynotes"]).code(2).says(&["--write takes no value", "write --dir mynotes:rw instead"]);
    ran(&["--write", "rw"]).code(2).says(&["--write takes no value", "leave out rw"]);
    ran(&["--dir", ".", "rw"]).code(2).says(&["--dir takes one value", "behind a colon: --dir .:rw"]);
    ran(&["--dir", ".", "mynotes"]).code(2).says(&["a --dir of its own: --dir . --dir mynotes:/data"]);
    let first = ["call", "--write", "mynotes", "std", "write", r#"{"file_path":"a.txt","content":"x"}"#];
    machine.run(&first).code(2).says(&["--write takes no value", "write --dir mynotes:rw instead"]);
    ran(&["--dir", ".:rw"]).ok();
}

#[test]
fn slips_in_flags_are_told_what_was_meant() {
    let machine = Machine::new();
    let hello = machine.guest("hello");
    let greet = |words: &[&str]| machine.run(&[&["call", &hello, "greet"], words].concat()).code(2);
    greet(&["--name", "you", "--wirte"]).says(&["did you mean --write, a flag of Handbox?"]);
    greet(&["--name", "you", "--dri", "."]).says(&["did you mean --dir, a flag of Handbox?"]);
    greet(&["--nmae", "you"]).says(&["did you mean --name? its input is: name*"]);
    never_says(&greet(&["--loud", "x"]), &["did you mean"]);
    greet(&["--name", "John", "Smith"]).says(&["if that is one text, quote it: --name 'John Smith'\n"]);
    let content = machine.run(&["call", "std", "write", "--content", "two", "words"]).code(2);
    content.says(&["if that is one text, quote it: --content 'two words'\n"]);
}

#[test]
fn what_only_describes_a_component_is_not_one() {
    let machine = Machine::new();
    machine.file("a.wasm", adder());
    machine.file("tool.toml", "name = \"a\"\nversion = \"0.1.0\"\n");
    for verb in [&["inspect", "tool.toml"][..], &["call", "./tool.toml", "add"], &["check", "tool.toml"]] {
        machine.run(verb).code(2).says(&["only describes one", "name the packed .wasm", "--manifest ", "tool.toml -o"]);
    }
    std::fs::create_dir(machine.path("out")).expect("a folder");
    for out in ["out", "out/", "none/"] {
        machine
            .run(&["pack", "a.wasm", "-o", out])
            .code(2)
            .says(&["folder", &format!("-o {}/a.tool.wasm", out.trim_end_matches('/'))]);
    }
}
