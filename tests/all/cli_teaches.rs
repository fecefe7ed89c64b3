//! Refusals on the way of somebody who writes a first tool: each says what to do, and doing just that works.

use crate::cli_components::adder;
use handbox_tests::Machine;
use serde_json::json;

/// What has to stand in a manifest for a tool to write.
const LINE: &str = "change the line under [asks] in its tool.toml to folders = [{ path = \"*\", mode = \"rw\" }], and";

/// The standard tool `write` packed by somebody whose manifest asks for this.
pub(crate) fn packed(machine: &Machine, asks: &str) -> String {
    let source = &handbox_std_bundle::bundles()[0];
    let bundle = source.bundle().expect("std is sound");
    let files = bundle.components.iter().find(|component| component.name == "files").expect("it has files");
    machine.file("files.built.wasm", files.load().expect("it is sound"));
    machine.file("tool.toml", format!("name = \"mine\"\nversion = \"0.1.0\"\n{asks}"));
    machine.run(&["pack", "files.built.wasm", "-o", "mine.wasm", "--manifest", "tool.toml"]).ok();
    "./mine.wasm".to_owned()
}

#[test]
fn a_component_that_asks_only_to_read_is_what_has_to_change() {
    let machine = Machine::new();
    let mine = packed(&machine, "[asks]\nfolders = [{ path = \"*\", mode = \"ro\" }]\n");
    for flags in [&["--write"][..], &["--dir", ".:rw"], &[]] {
        let line = [&["call", &mine, "write", r#"{"file_path":"a.txt","content":"x"}"#], flags].concat();
        machine.run(&line).code(3).says(&["a.txt", "asks for its folders only to read", LINE]);
    }
    machine.run(&["check", &mine, "--write"]).says(&["warning: --write: the bundle `mine` asks", LINE]);
    let mine = packed(&machine, "[asks]\nfolders = [{ path = \"*\", mode = \"rw\" }]\n");
    machine.run(&["call", &mine, "write", r#"{"file_path":"a.txt","content":"x"}"#, "--write"]).ok();
}

#[test]
fn a_folder_that_nothing_asks_for_is_a_warning() {
    let machine = Machine::new();
    let mine = packed(&machine, "");
    for flags in [&["--write"][..], &["--dir", "."]] {
        let ran = machine.run(&[&["check", &mine], flags].concat());
        ran.says(&["warning: --", "asks for this folder, so no tool sees it", "under [asks] in its tool.toml"]);
    }
    assert!(!machine.run(&["check", &mine]).err().contains("warning"));
    machine.run(&["check", &mine, "--write"]).says(&["mode = \"rw\""]);
    // Without a flag the current folder would be there, and is not.
    machine.file("a.txt", "a");
    let read = machine.run(&["call", &mine, "read", "--file_path", "a.txt"]);
    read.says(&["asks for no folder, so it sees none", "mode = \"ro\" }] under [asks]"]);
    let env = machine.run(&["check", &mine, "--env", "STYLE=x"]);
    env.says(&["--env STYLE: nothing", "write env = [\"STYLE\"] under [asks]"]);
}

#[test]
fn a_file_that_is_not_there_comes_with_the_folders_that_are() {
    let machine = Machine::new();
    machine.file("data/a.txt", "a");
    machine.file("src/b.txt", "b");
    let read = ["call", "std", "read", "--file_path", "b.txt", "--dir", "data:/data", "--dir", "src:/src"];
    machine.run(&read).code(1).says(&["it sees /data (here ", "/src (here ", "only to read"]);
    let host = machine.path("data/a.txt").display().to_string();
    machine.run(&["call", "std", "read", "--file_path", &host]).says(&["paths are the tool's, not this machine's"]);
}

#[test]
fn a_component_that_is_not_there_is_a_file_to_be_made() {
    let machine = Machine::new();
    machine
        .run(&["call", "./none.tool.wasm", "x"])
        .code(2)
        .says(&["there is no file ./none.tool.wasm", "handbox pack"]);
    machine.run(&["call", "none", "x"]).code(2).says(&["there is no bundle `none`"]);
}

#[test]
fn what_is_to_be_packed_is_named_as_it_is() {
    let machine = Machine::new();
    machine.file("build/my adder.wasm", adder());
    let checked = machine.run(&["check", "./build/my adder.wasm"]);
    let pack = "my adder.wasm' --manifest tool.toml -o ";
    assert!(checked.out().contains("pack it: handbox pack '") && checked.out().contains(pack), "{checked:?}");
    machine.run(&["pack", "none.wasm", "-o", "x.wasm"]).code(2).says(&["build it first: cargo build --release"]);
    machine.file("a.wasm", adder());
    machine.run(&["pack", "a.wasm", "-o", "x.wasm", "-m", "tool.tml"]).code(2).says(&["tool.tml", "hint: "]);
    let nowhere = machine.run(&["pack", "a.wasm", "-o", "nowhere/x.wasm"]).code(2);
    assert!(nowhere.err().contains("there is no such folder") && !nowhere.err().contains(".handbox-"), "{nowhere:?}");
    assert_eq!(machine.run(&["pack", "a.wasm", "-o", "x.wasm", "--quiet"]).ok().out(), "");
    assert_eq!(machine.run(&["check", "./x.wasm", "--quiet"]).ok().out(), "");
}

#[test]
fn a_mode_that_is_too_little_in_the_configuration_is_to_be_changed_there() {
    let machine = Machine::new();
    machine.file("data/a.txt", "a");
    let data = machine.path("data").display().to_string();
    let config = |mode: &str| {
        format!("[[bundles.std.folders]]\nhost = {}\nguest = \"/workspace\"\nmode = \"{mode}\"\n", json!(data))
    };
    machine.config(&config("ro"));
    let checked = machine.run(&["check", "std"]).code(3);
    assert!(checked.out().contains("to grant it always, change in "), "{checked:?}");
    assert!(checked.out().contains("/workspace: mode = \"rw\"") && !checked.out().contains("HOST\""), "{checked:?}");
    let json = machine.run(&["check", "std", "--json"]).code(3).json();
    assert_eq!((&json["config_lines"], json["config_changes"].as_array().map(Vec::len)), (&json!(""), Some(1)));
    machine.config(&config("rw"));
    machine.run(&["check", "std"]).ok();
}

#[test]
fn relative_paths_start_in_the_workspace_whatever_else_is_granted() {
    let machine = Machine::new();
    machine.file("a.txt", "here");
    machine.file("other/b.txt", "there");
    let read = ["call", "std", "read", "--file_path", "a.txt", "--dir", "other:/data:ro", "--dir", "."];
    assert_eq!(machine.run(&read).ok().out(), "here\n");
}

#[test]
fn lists_as_flags_are_explained() {
    let machine = Machine::new();
    machine.file("a.txt", "1\n2\n3\n");
    let read = |range: &[&str]| {
        machine.run(&[&["call", "std", "read", "--file_path", "a.txt", "--view_range"], range].concat())
    };
    for wrong in [&["2", "3"][..], &["2,3"]] {
        read(wrong).code(2).says(&["--view_range '[…, …]', or with the flag once for each item"]);
    }
    let mine = machine.run(&["call", "std", "read", "--file_path", "a.txt", "--view_range", "x", "--view_range", "y"]);
    mine.code(2).says(&["with the flag once for each item"]);
    assert_eq!(read(&["[2, 3]"]).ok().out(), read(&["2", "--view_range", "3"]).ok().out());
}

#[test]
fn a_hint_asks_for_no_more_than_the_tool_needs() {
    let machine = Machine::new();
    machine.file("a.txt", "x");
    let read = machine.run(&["call", "std", "read", "--file_path", "a.txt", "--no-dir"]);
    assert!(read.err().contains("--dir HOST:/workspace:ro") && !read.err().contains(":rw"), "{read:?}");
}

#[test]
fn a_write_that_is_not_permitted_names_the_file() {
    let machine = Machine::new();
    let ran = machine.run(&["call", "std", "write", "--file_path", "new.txt", "--content", "x"]).code(3);
    assert!(ran.err().contains("cannot write new.txt") && !ran.err().contains("make the folder"), "{ran:?}");
}

#[test]
fn what_is_left_in_scratch_space_is_said_to_be_gone() {
    let machine = Machine::new();
    let write = ["call", "std", "write", "--file_path", "/tmp/o.txt", "--content", "x"];
    machine.run(&write).ok().says(&["/tmp, which is thrown away", "/mnt/session/outputs"]);
}

#[test]
fn an_answer_that_cannot_be_printed_is_no_success() {
    let machine = Machine::new();
    if !std::path::Path::new("/dev/full").exists() {
        handbox_tests::skipped("there is no /dev/full here");
        return;
    }
    for args in [&["licenses"][..], &["run", "--model", "tour", "--no-dir", "Look"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is there");
        let mut command = std::process::Command::new(handbox_tests::program());
        command.args(args).env("HOME", machine.home("")).env("HANDBOX_DATA", machine.path("data")).stdout(full);
        let ended = command.output().expect("it runs");
        assert_eq!(ended.status.code(), Some(2), "{ended:?}");
        assert!(String::from_utf8_lossy(&ended.stderr).contains("standard output cannot be written"), "{ended:?}");
    }
}

#[test]
fn the_version_is_there_for_programs() {
    let version = Machine::new().run(&["--version", "--json"]).ok().json();
    assert!(version["engine"].as_str().is_some_and(|engine| engine.starts_with("wasmtime ")), "{version}");
}

#[test]
fn a_manifest_of_the_wrong_type_is_told_the_right_one() {
    let machine = Machine::new();
    machine.file("a.wasm", adder());
    machine.file("tool.toml", "name = \"a\"\nversion = \"0.1.0\"\n[asks]\nfolders = [\"*\"]\n");
    let pack = ["pack", "a.wasm", "-o", "x.wasm", "-m", "tool.toml"];
    machine.run(&pack).code(2).says(&["tool.toml:4", "{ path = \"*\", mode = \"ro\" }"]);
}
