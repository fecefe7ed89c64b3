//! Refusals that have to do with what a component asks for and what it is granted: each names the file or flag that decides.

use crate::cli_components::failing;
use crate::cli_teaches::packed;
use handbox_tests::{Machine, Ran};
use serde_json::json;

const WRITE: &str = r#"{"file_path":"a.txt","content":"x"}"#;
const ALL: &str = "[asks]\nfolders = [{ path = \"*\", mode = \"rw\" }]\n";

/// A machine with two folders and a writing component in a bundle with these asks.
fn bundled(asks: &str) -> Machine {
    let machine = Machine::new();
    let mine = packed(&machine, ALL);
    let digest = machine.run(&["inspect", &mine, "--json"]).ok().json()["digest"].take();
    let head = "name = \"b\"\nversion = \"0.1.0\"\n[[components]]\npath = \"mine.wasm\"\n";
    std::fs::create_dir(machine.path("b")).expect("a folder");
    std::fs::copy(machine.path("mine.wasm"), machine.path("b/mine.wasm")).expect("a copy");
    machine.file("b/bundle.toml", format!("{head}digest = {digest}\n{asks}"));
    machine.file("mynotes/old.txt", "old");
    machine
}

#[track_caller]
fn never_says(ran: &Ran, parts: &[&str]) {
    for part in parts {
        assert!(!ran.err().contains(part), "{part:?} is said: {ran:?}");
    }
}

#[test]
fn write_beside_a_mode_is_said_to_do_nothing() {
    let machine = Machine::new();
    machine.file("mynotes/old.txt", "old");
    let mine = packed(&machine, ALL);
    let flags = ["--dir", "mynotes:ro", "--write"];
    let call = machine.run(&[&["call", &mine, "write", WRITE], &flags[..]].concat()).code(3);
    let check = machine.run(&[&["check", &mine], &flags[..]].concat());
    for ran in [call, check] {
        never_says(&ran, &["tool.toml", "asks for its folders only to read"]);
        ran.says(&["--write does nothing: every --dir names a mode", "--dir mynotes:rw, or --dir mynotes --write"]);
    }
    let call = machine.run(&["call", &mine, "write", WRITE, "--dir", "mynotes:/data:ro"]);
    call.code(3).says(&["which may be why: --dir mynotes:/data:rw"]);
    machine.run(&["call", &mine, "write", WRITE, "--dir", "mynotes:/data:rw"]).ok();
}

#[test]
fn a_bundle_that_lets_a_component_only_read_is_what_has_to_change() {
    let machine = bundled("[asks]\nfolders = [{ path = \"*\", mode = \"ro\" }]\n");
    let call = ["call", "b", "write", WRITE];
    let line = "change the line under [asks] in b/bundle.toml to folders = [{ path = \"*\", mode = \"rw\" }]";
    for flags in [&["--write"][..], &["--dir", "mynotes:rw"], &[]] {
        let ran = machine.run(&[&call[..], flags].concat()).code(3);
        never_says(&ran, &["tool.toml"]);
        ran.says(&["bundle.toml lets it ask only to read", line]);
        if !flags.is_empty() {
            let ran = machine.run(&[&["check", "b"], flags].concat());
            never_says(&ran, &["tool.toml"]);
            ran.says(&["warning: --", "only to read", line]);
        }
    }
}

#[test]
fn a_bundle_that_leaves_folders_out_is_what_has_to_change() {
    let machine = bundled("[asks]\n");
    for ran in [machine.run(&["call", "b", "write", WRITE, "--write"]), machine.run(&["call", "b", "write", WRITE])] {
        never_says(&ran, &["tool.toml", "its component asks for no folder"]);
        ran.code(3).says(&["bundle.toml leaves out folders", "under [asks] in b/bundle.toml, or delete that [asks]"]);
    }
}

#[test]
fn a_folder_that_is_granted_elsewhere_is_to_be_granted_where_it_is_asked_for() {
    let machine = bundled("[asks]\nfolders = [{ path = \"/workspace\", mode = \"rw\" }]\n");
    for verb in [&["check", "b"][..], &["call", "b", "write", WRITE]] {
        let ran = machine.run(&[verb, &["--dir", "mynotes:/data:rw"]].concat()).code(3);
        never_says(&ran, &["tool.toml", "path = \"*\""]);
        ran.says(&["bundle.toml asks only for /workspace, and not for /data: --dir mynotes:rw"]);
    }
    let mine = packed(&machine, "[asks]\nfolders = [{ path = \"/notes\", mode = \"rw\" }]\n");
    for verb in [&["check", &mine][..], &["call", &mine, "write", WRITE]] {
        let ran = machine.run(&[verb, &["--dir", "mynotes"]].concat()).code(3);
        ran.says(&["its component asks only for /notes, and not for /workspace: --dir mynotes:/notes"])
            .says(&["or, if it is yours, change the line under [asks] in its tool.toml to folders = [{ path = \"*\", mode = \"rw\" }]"]);
    }
    machine.run(&["call", &mine, "write", WRITE, "--dir", "mynotes:/notes:rw"]).ok();
}

#[test]
fn more_than_a_component_asks_for_is_a_warning_of_call_and_check() {
    let machine = Machine::new();
    let mine = packed(&machine, "[asks]\nfolders = [{ path = \"*\", mode = \"ro\" }]\n");
    let warning = "warning: --dir: the bundle `mine` asks for its folders only to read";
    machine.run(&["check", &mine, "--dir", ".:rw"]).says(&[warning, "tool.toml"]);
    machine.run(&["call", &mine, "write", WRITE, "--dir", ".:rw"]).says(&[warning, "tool.toml"]);
}

#[test]
fn what_a_component_that_was_not_packed_does_not_get_is_a_warning() {
    let machine = Machine::new();
    machine.file("adder.wasm", crate::cli_components::adder());
    for flags in [["--env", "STYLE=x"], ["--dir", "."]] {
        let ran = machine.run(&[&["call", "./adder.wasm", "add", r#"{"a":1,"b":2}"#], &flags[..]].concat()).ok();
        ran.says(&["warning: --", "was not packed", "handbox pack adder.wasm --manifest tool.toml"]);
    }
}

#[test]
fn a_file_that_is_not_there_is_no_matter_of_modes() {
    let machine = Machine::new();
    machine.file("a.txt", "a");
    let ran = machine.run(&["call", "std", "read", "--file_path", "b.txt"]).code(1);
    never_says(&ran, &["read_only", "#[tool"]);
    let host = machine.path("a.txt").display().to_string();
    machine.run(&["call", "std", "read", "--file_path", &host]).says(&["not this machine's: name /workspace/a.txt"]);
}

#[test]
fn paths_that_lead_out_of_a_folder_are_told_so() {
    let machine = Machine::new();
    machine.file("data/a.txt", "a");
    machine.file("secret.txt", "s");
    let read = |path: &str| machine.run(&["call", "std", "read", "--file_path", path, "--dir", "data"]);
    read("../secret.txt")
        .says(&["`..` and links cannot lead out of /workspace", "grant the folder that holds the file"]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../secret.txt", machine.path("data/link")).expect("a link");
        read("link").says(&["`..` and links cannot lead out of /workspace"]);
        std::os::unix::fs::symlink("a.txt", machine.path("data/inside")).expect("a link");
        read("inside").ok();
    }
}

#[test]
fn a_file_that_handbox_loads_is_told_apart_from_one_that_was_not_granted() {
    let machine = Machine::new();
    let mine = packed(&machine, ALL);
    let own = machine.file("conf/mine.toml", "").display().to_string();
    for path in ["handbox.toml", "mine.wasm", "conf/mine.toml"] {
        let input = json!({ "file_path": path, "content": "x" }).to_string();
        let ran = machine.run(&["call", &mine, "write", &input, "--write", "--config", &own]).code(3);
        never_says(&ran, &["to read and write", "--dir"]);
        ran.says(&[&format!("Handbox loads /workspace/{path}, so no grant covers it")]);
    }
}

#[test]
fn what_the_standard_library_says_in_a_sandbox_is_explained() {
    let machine = Machine::new();
    let folders = "folders = [{ path = \"*\", mode = \"rw\" }]";
    let fail = |text: &str, asks: &str, path: &str| {
        let failing = failing(&machine, text, asks);
        machine.run(&["call", &failing, "fail", "--path", path]).code(1)
    };
    fail("operation not supported on this platform", folders, "x").says(&["it cannot start processes"]);
    let missing = "No such file or directory (os error 44)";
    fail(missing, folders, "q.txt").says(&["a relative path starts nowhere: join it to /workspace"]);
    let unmade = fail(missing, folders, "/workspace/new/x");
    never_says(&unmade, &["relative"]);
    let here = machine.path("new").display().to_string();
    unmade.says(&[&format!("there is no folder /workspace/new (here {here}): make it first")]);
    never_says(&fail(missing, folders, "/workspace/q.txt"), &["a relative path"]);
    let env = "NOTES_USER: environment variable not found";
    let unasked = fail(env, folders, "x");
    unasked.says(&["env = [\"NOTES_USER\"] under [asks] in its tool.toml", "pack it again", "--env NOTES_USER=VALUE"]);
    let asked = fail(env, "env = [\"NOTES_USER\"]", "x");
    never_says(&asked, &["tool.toml"]);
    asked.says(&["--env NOTES_USER=VALUE"]);
}

#[test]
fn what_is_left_in_scratch_space_is_not_this_machines() {
    let machine = Machine::new();
    let write = ["call", "std", "write", "--file_path", "/tmp/o.txt", "--content", "x"];
    machine.run(&write).ok().says(&["its own /tmp, which is thrown away and is not this machine's"]);
}

#[test]
fn inspecting_a_bundle_shows_what_it_narrows() {
    let machine = bundled("[asks]\nfolders = [{ path = \"/workspace\", mode = \"ro\" }]\n");
    let shown = machine.run(&["inspect", "b"]).ok();
    assert!(shown.out().contains("asks here") && shown.out().contains("folder /workspace, to read\n"), "{shown:?}");
    let json = machine.run(&["inspect", "b", "--json"]).ok().json();
    assert_eq!(json["components"][0]["asks_here"]["folders"][0]["path"], "/workspace");
    assert!(!machine.run(&["inspect", "std"]).ok().out().contains("asks here"));
}

#[test]
fn a_tool_that_looks_where_nothing_is_granted_is_told_where_it_is() {
    let machine = Machine::new();
    let other = machine.beside("other");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(other.join("a.txt"), "there").expect("a file");
    let folders = "folders = [{ path = \"*\", mode = \"rw\" }]";
    for text in [
        "/workspace/a.txt: No such file or directory (os error 44)",
        "failed to find a pre-opened file descriptor through which /workspace/a.txt could be opened",
        "No such file or directory (os error 44)",
    ] {
        let failing = failing(&machine, text, folders);
        let fail = |dir: &str| machine.run(&["call", &failing, "fail", "--path", "a.txt", "--dir", dir]).code(1);
        let at = format!("nothing is at /workspace: {} is granted at /data; with a --dir", other.display());
        let both = "granted only if it is named, too: --dir . --dir ../other:/data";
        fail("../other:/data:rw").says(&[
            &at,
            &format!("{both}:rw; or"),
            "expects it at /workspace: --dir ../other:rw",
        ]);
        fail("../other:/data").says(&[&at, &format!("{both}; or"), "expects it at /workspace: --dir ../other"]);
        never_says(&fail("../other:rw"), &["nothing is at"]);
    }
    let read = |dir: &str, path: &str| machine.run(&["call", "std", "read", "--file_path", path, "--dir", dir]);
    let typed = read("../other:/data", "/workspace/a.txt").code(3);
    typed.says(&["is granted at /data; name /data/a.txt, or grant it at /workspace: --dir ../other; or, with a --dir"]);
    assert_eq!(read("../other:/data", "/data/a.txt").ok().out(), "there\n");
    assert_eq!(read("../other", "/workspace/a.txt").ok().out(), "there\n");
    let content = ["call", "std", "write", "--file_path", "a.txt", "--content", "/nowhere"];
    never_says(&machine.run(&content).code(3), &["nothing is at"]);
    // A folder that is granted already is not to be granted again.
    read("../other:/data", "b.txt").code(1).says(&["add --dir HOST:/data2:ro"]);
}

#[test]
fn no_flag_for_folders_is_added_to_no_dir() {
    let machine = Machine::new();
    machine.file("a.txt", "here");
    let read = ["call", "std", "read", "--file_path", "a.txt"];
    let ran = machine.run(&[&read[..], &["--no-dir"]].concat()).code(3);
    ran.says(&["leave it out to grant the current one, or write --dir HOST:/workspace:ro instead of it"]);
    machine.run(&read).ok();
    let write = ["call", "std", "write", WRITE];
    let ran = machine.run(&[&write[..], &["--no-dir"]].concat()).code(3);
    ran.says(&["write --write instead of it to grant the current one, or --dir HOST:/workspace:rw"]);
    machine.run(&[&write[..], &["--write"]].concat()).ok();
    let notes = packed(&machine, "[asks]\nfolders = [{ path = \"/notes\", mode = \"rw\" }]\n");
    let ran = machine.run(&["call", &notes, "write", WRITE, "--no-dir"]).code(3);
    never_says(&ran, &["the current one"]);
    ran.says(&["write --dir HOST:/notes:rw instead of it"]);
    let checked = machine.run(&["check", "std", "--no-dir"]).code(3);
    assert!(checked.out().contains("--no-dir grants no folder"), "{checked:?}");
}
