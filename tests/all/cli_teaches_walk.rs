//! What a newcomer's walk met: each refusal says what is so, and doing literally what it says leads on.

use crate::cli_components::chooser;
use crate::cli_teaches::packed;
use crate::cli_teaches_repack::{BUILT, aged, project};
use handbox_tests::{Machine, Ran, skipped};

const WRITE: [&str; 6] = ["write", "--file_path", "a.txt", "--content", "x", "--quiet"];

#[track_caller]
fn never_says(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(!ran.err().contains(part), "{part:?} is said: {ran:?}");
    }
}

#[test]
fn the_line_that_a_manifest_needs_is_given_whole() {
    let machine = Machine::new();
    let asks = |first: &str| format!("folders = [{{ path = \"/workspace\", mode = \"{first}\" }}, OTHER]");
    let [before, after] = ["ro", "rw"].map(|mode| asks(mode).replace("OTHER", "{ path = \"/data\", mode = \"ro\" }"));
    let mine = packed(&machine, &format!("[asks]\n{before}\n"));
    let flags = ["--dir", ".:rw", "--dir", ".:/data:rw"];
    let said = format!("change the line under [asks] in its tool.toml to {after}, and pack it again");
    machine.run(&[&["check", &mine], &flags[..]].concat()).says(&[&said]);
    // As it stands there, it is what a manifest may hold.
    let mine = packed(&machine, &format!("[asks]\n{after}\n"));
    machine.run(&[&["call", &mine], &WRITE[..], &flags].concat()).ok();
    let any = "folders = [{ path = \"*\", mode = \"rw\" }]";
    let mine = packed(&machine, "[asks]\nfolders = [{ path = \"/notes\", mode = \"rw\" }]\n");
    machine.run(&["check", &mine, "--dir", "."]).says(&[&format!("in its tool.toml to {any}, and pack it again")]);
    let mine = packed(&machine, &format!("[asks]\n{any}\n"));
    machine.run(&[&["call", &mine], &WRITE[..], &["--write"]].concat()).ok();
}

#[test]
fn why_nothing_can_be_written_is_said_once_and_alone() {
    let machine = Machine::new();
    let mine = packed(&machine, "[asks]\nfolders = [{ path = \"*\", mode = \"ro\" }]\n");
    let call = [&["call", &mine], &WRITE[..5]].concat();
    let here =
        format!("/workspace (here {}) is only to read", machine.path("").display().to_string().trim_end_matches('/'));
    let cause = format!("{here}: its component asks for its folders only to read: if it is yours, change the line");
    let astray = ["paths are the tool's", "for another folder", "--dir"];
    let plain = machine.run(&call).code(3);
    never_says(&plain, &astray);
    plain.says(&[&cause]);
    let warned = machine.run(&[&call[..], &["--write"]].concat()).code(3);
    never_says(&warned, &astray);
    assert_eq!(warned.err().matches("change the line").count(), 1, "{warned:?}");
    warned.says(&["warning: --write", &format!("{here}, as the warning says")]);
    // Who saw no warning is told all of it.
    machine.run(&[&call[..], &["--write", "--quiet"]].concat()).code(3).says(&[&cause]);
    let json = machine.run(&[&call[..], &["--write", "--json"]].concat()).code(3).json();
    assert!(json["error"]["hint"].as_str().is_some_and(|hint| hint.contains(&cause)), "{json}");
}

#[test]
fn packing_what_is_older_than_its_sources_says_so() {
    let machine = project();
    let pack = ["pack", BUILT, "-o", "my-adder.tool.wasm", "--manifest", "tool.toml"];
    never_says(&machine.run(&pack).ok(), &["newer"]);
    aged(&machine.path("src/inner/more.rs"), 10);
    let line =
        format!("note: src/inner/more.rs is newer than {BUILT}, which is what was packed; build first: cargo build");
    machine.run(&pack).ok().says(&[&format!("{line} --release --target wasm32-wasip2\n")]);
    machine.run(&[&pack[..], &["--json"]].concat()).ok().says(&[&line]);
    never_says(&machine.run(&[&pack[..], &["--quiet"]].concat()).ok(), &["newer"]);
    let file = format!("work/{BUILT}");
    let line = machine.line(&["pack", &file, "-o", "x.wasm"]);
    let elsewhere = line.within(&machine.beside("")).run().ok();
    elsewhere.says(&["work/src/inner/more.rs is newer", "--manifest-path work/Cargo.toml\n"]);
    // Built again, it is the newest; and Cargo builds nothing for a Cargo.toml that was only saved.
    aged(&machine.path(BUILT), 5);
    aged(&machine.path("Cargo.toml"), 1);
    never_says(&machine.run(&pack).ok(), &["newer"]);
}

#[test]
fn what_was_built_into_another_target_folder_is_named() {
    let machine = project();
    let built = machine.path(BUILT);
    let shared = machine.beside("shared");
    let name = "../shared/wasm32-wasip2/release/my_adder.wasm";
    let pack = |file: &str| {
        let line = ["pack", file, "-o", "my-adder.tool.wasm", "--manifest", "tool.toml"];
        machine.line(&line).env("CARGO_TARGET_DIR", &shared).run()
    };
    never_says(&pack(BUILT).ok(), &["CARGO_TARGET_DIR"]);
    std::fs::create_dir_all(shared.join("wasm32-wasip2/release")).expect("a folder");
    std::fs::copy(&built, machine.path(name)).expect("a copy");
    // The old one that lies where it usually would.
    pack(BUILT).ok().says(&[&format!("note: CARGO_TARGET_DIR is set, and {name} is newer than {BUILT}")]);
    std::fs::remove_file(&built).expect("it is there");
    let moved = pack(BUILT).code(2);
    never_says(&moved, &["crate-type", "build it first"]);
    moved.says(&[&format!("hint: CARGO_TARGET_DIR is set: name {name}\n")]);
    never_says(&pack(name).ok(), &["CARGO_TARGET_DIR"]);
    pack("target/wasm32-wasip2/release/none.wasm").code(2).says(&["build it first"]);
}

#[test]
fn a_list_without_its_quotes_loses_its_brackets() {
    let machine = Machine::new();
    let chooser = chooser(&machine);
    let take = |flags: &[&str]| machine.run(&[&["call", &chooser, "take", "--kind", "long"], flags].concat());
    for list in ["[a,b]", "[a, b]", "['a','b']"] {
        let ran = take(&["--tags", list]).code(2);
        never_says(&ran, &["'[a' ", "--tags [a"]);
        ran.says(&["quotes are missing", "hint: --tags a --tags b, or --tags '[\"a\",\"b\"]'; or, if it is one item"]);
    }
    take(&["--tags", "a", "--tags", "b"]).ok();
    take(&["--tags", r#"["a","b"]"#]).ok();
    take(&["--tags", r#"["[a,b]"]"#]).ok();
}

#[test]
fn a_folder_that_is_refused_to_read_as_well_is_not_to_be_granted_so() {
    let machine = Machine::new();
    let home = machine.home("");
    let call = |flags: &[&str]| {
        let line = [&["call", "std"], &WRITE[..5], flags].concat();
        machine.line(&line).within(&home).run().code(3)
    };
    for flags in [&["--write"][..], &["--dir", ".:rw"]] {
        let ran = call(flags);
        never_says(&ran, &[":ro"]);
        ran.says(&["change to a project, or grant another folder: --dir FOLDER:rw"]);
    }
    call(&["--write", "--allow-dangerous-folders"]).says(&["or grant this one with :ro"]);
    call(&["--dir", ".:ro", "--allow-dangerous-folders"]);
}

#[test]
fn a_path_that_begins_with_the_granted_folders_own_name_is_named_without_it() {
    let machine = Machine::new();
    machine.file("src/deep/a.txt", "there");
    let home = machine.path("");
    let read = |path: &str, dir: &str| {
        let line = ["call", "std", "read", "--file_path", path, "--dir", dir];
        machine.line(&line).within(&home).run()
    };
    let ran = read("src/deep/a.txt", "src").code(1);
    never_says(&ran, &["/data"]);
    ran.says(&["hint: src is seen as /workspace: --file_path deep/a.txt\n"]);
    assert_eq!(read("deep/a.txt", "src").ok().out(), "there\n");
    read("src/deep/a.txt", "src/deep").says(&["src/deep is seen as /workspace: --file_path a.txt\n"]);
    read("/workspace/src/deep/a.txt", "src").says(&["src is seen as /workspace: --file_path /workspace/deep/a.txt\n"]);
    read("src/deep/a.txt", "src:/data").says(&["src is seen as /data: --file_path deep/a.txt\n"]);
    let json = machine.run(&["call", "std", "read", r#"{"file_path":"src/deep/a.txt"}"#, "--dir", "src"]);
    json.says(&["src is seen as /workspace: name deep/a.txt\n"]);
    // A folder of the same name inside is what the path means.
    machine.file("src/src/b.txt", "inner");
    never_says(&read("src/deep/a.txt", "src"), &["is seen as"]);
}

#[test]
fn limits_that_others_have_flags_for_are_told() {
    let machine = Machine::new();
    let hello = machine.guest("hello");
    let greet = |words: &[&str]| machine.run(&[&["call", &hello, "greet", "--name", "you"], words].concat());
    let meant = |limit: &str| format!("did you mean --limit {limit}, a flag of Handbox?");
    for (typed, limit) in [
        (&["--timeout", "5s"][..], "time=5s"),
        (&["--timeout=5"], "time=5s"),
        (&["--memory", "64MiB"], "memory=64MiB"),
        (&["--mem", "64"], "memory=64MiB"),
    ] {
        greet(typed).code(2).says(&[&meant(limit)]);
        greet(&["--limit", limit]).ok();
    }
    never_says(&greet(&["--timeout", "never"]).code(2), &["did you mean"]);
}

#[test]
fn an_input_with_one_dash_has_two() {
    let machine = Machine::new();
    let hello = machine.guest("hello");
    let greet = |words: &[&str]| machine.run(&[&["call", &hello, "greet"], words].concat());
    for words in [&["-n", "you"][..], &["-name", "you"], &["-name=you"], &["-n", "you", "--write"]] {
        let ran = greet(words).code(2);
        never_says(&ran, &["as a value"]);
        ran.says(&["two dashes and its whole name", "hint: write --name you\n"]);
    }
    greet(&["--name", "you"]).ok();
    never_says(&greet(&["-x", "you"]).code(2), &["--name"]);
    // Which of two inputs is not made up.
    let write = machine.run(&["call", "std", "write", "-f", "a b.txt", "--content", "x"]).code(2);
    write.says(&["hint: write --file_path 'a b.txt'\n"]);
}

#[test]
fn this_machines_own_tmp_is_named_as_the_tool_sees_it() {
    let machine = Machine::new();
    let path = machine.path("a.txt");
    if !path.starts_with("/tmp") {
        return skipped("this test's folder is not in /tmp");
    }
    let path = path.display().to_string();
    let write =
        |path: &str| machine.run(&["call", "std", "write", "--file_path", path, "--content", "x", "--write"]).ok();
    let note = format!("note: {path} is in the tool's own /tmp; for this machine's file, name /workspace/a.txt\n");
    write(&path).says(&[&note, "the tool left files in its own /tmp"]);
    assert!(!machine.path("a.txt").exists());
    never_says(&write("/workspace/a.txt"), &["/tmp"]);
    assert_eq!(machine.read("a.txt"), "x");
    never_says(&write("/tmp/elsewhere.txt"), &["for this machine's file"]);
}

#[test]
fn cargos_file_is_no_manifest() {
    let machine = Machine::new();
    machine.file("Cargo.toml", "[package]\nname = \"a\"\n");
    for bundle in ["Cargo.toml", "./Cargo.toml"] {
        let ran = machine.run(&["call", bundle, "greet"]).code(2);
        never_says(&ran, &["--manifest Cargo.toml", "--manifest ./Cargo.toml"]);
        ran.says(&["that file is Cargo's", "tool.toml -o OUT.tool.wasm"]);
    }
}
