//! What a call may touch: folders, environment values, limits, and the files that Handbox loads.

use handbox_tests::Machine;
use serde_json::{Value, json};
use std::path::Path;

const WRITE: &str = r#"{"file_path":"/workspace/a.txt","content":"new"}"#;

fn call_write(machine: &Machine, flags: &[&str]) -> handbox_tests::Ran {
    machine.run(&[&["call", "std", "write", WRITE], flags].concat())
}

#[test]
fn the_current_folder_is_readable_and_only_write_makes_it_writable() {
    let machine = Machine::new();
    machine.file("a.txt", "old");
    let read = machine.run(&["call", "std", "read", "--file_path", "/workspace/a.txt"]).ok();
    assert_eq!(read.out(), "old\n");
    call_write(&machine, &[]).code(3).says(&["which may be why: --write\n"]);
    assert_eq!(machine.read("a.txt"), "old");
    call_write(&machine, &["--dir", ".:ro"]).code(3).says(&["which may be why: --dir .:rw\n"]);
    let odd = machine.run(&["check", "http", "--env", "TYPO=secret"]);
    assert!(!odd.err().contains("secret"), "{odd:?}");
    odd.says(&["warning: --env TYPO: nothing in the bundle `http` asks for it"]);
    call_write(&machine, &["--write"]).ok();
    assert_eq!(machine.read("a.txt"), "new");
}

#[test]
fn dir_grants_a_folder_where_and_as_it_says() {
    let machine = Machine::new();
    machine.file("data/a.txt", "old");
    let data = machine.path("data").display().to_string();
    let write = |dir: &str, guest: &str| {
        let input = json!({ "file_path": format!("{guest}/a.txt"), "content": dir }).to_string();
        machine.run(&["call", "std", "write", &input, "--dir", dir])
    };
    for (dir, guest) in [("data", "/workspace"), ("data:ro", "/workspace"), ("data:/d", "/d"), ("data:/d:ro", "/d")] {
        write(dir, guest).code(3);
        assert_eq!(machine.read("data/a.txt"), "old", "{dir}");
    }
    for (dir, guest) in [("data:rw", "/workspace"), ("./data:/d:rw", "/d"), (&format!("{data}:/x/y:rw"), "/x/y")] {
        write(dir, guest).ok();
        assert_eq!(machine.read("data/a.txt"), dir);
    }
    // What is granted replaces the current folder.
    machine.run(&["call", "std", "read", "--file_path", "/workspace/a.txt", "--dir", "data:/d"]).code(3);
    let list = ["call", "std", "glob", "--pattern", "*.txt", "--dir", "data"];
    assert_eq!(machine.run(&list).ok().out().trim_end(), "a.txt");
    for (bad, why) in [("data:relative", "neither a guest path nor a mode"), ("absent", "there is no folder")] {
        machine.run(&["call", "std", "glob", "--pattern", "*", "--dir", bad]).code(2).says(&[why, "hint: "]);
    }
    machine.run(&["call", "std", "glob", "--pattern", "*", "--dir", "data:/tmp"]).code(2).says(&["overlaps /tmp"]);
}

#[test]
fn no_path_leads_from_a_granted_folder_to_its_neighbour() {
    let machine = Machine::new();
    machine.file("secret.txt", "the secret beside it");
    machine.file("data/a.txt", "old");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../secret.txt", machine.path("data/link")).expect("a link");
    for path in ["../secret.txt", "/workspace/../secret.txt", "link", &machine.path("secret.txt").display().to_string()]
    {
        let ran = machine.run(&["call", "std", "read", "--file_path", path, "--dir", "data"]);
        assert!(matches!(ran.code, Some(1 | 3)) && !ran.out().contains("secret"), "{path}: {ran:?}");
    }
}

#[test]
fn dangerous_folders_are_refused_with_the_flag_that_allows_them() {
    let machine = Machine::new();
    std::fs::create_dir_all(machine.home(".ssh/keys")).expect("a folder");
    std::fs::write(machine.home(".ssh/keys/id"), "key").expect("a file");
    let home = machine.home("").display().to_string();
    let above = machine.beside("").display().to_string();
    let keys = machine.home(".ssh/keys").display().to_string();
    for (host, why) in
        [("/", "whole file system"), (&home, "home folder"), (&above, "home folder"), (&keys, ".ssh holds keys")]
    {
        let dir = format!("{host}:/x");
        let args = ["call", "std", "glob", "--pattern", "no-such-file", "--path", "/x", "--dir", &dir];
        let refused = machine.run(&args).code(3);
        assert_eq!(refused.out(), "");
        refused.says(&["error: --dir: ", why, "--allow-dangerous-folders"]);
    }
    let dir = format!("{keys}:/x");
    let args = ["call", "std", "read", "--file_path", "/x/id", "--dir", &dir, "--allow-dangerous-folders"];
    assert_eq!(machine.run(&args).ok().out(), "key\n");
    // The current folder, which nobody named, is left out instead.
    let guest = machine.guest("hello");
    let at_home = machine.line(&["call", &guest, "greet", "--name", "you"]).within(&machine.home("")).run();
    at_home.ok().says(&["note: the current folder is not granted: it is your home folder", "hint: ", "--dir FOLDER"]);
    let shown = machine.line(&["config", "show", "--json"]).within(&machine.home("")).run().ok().json();
    assert_eq!((&shown["folders"], shown["warnings"].as_array().map(Vec::len)), (&json!([]), Some(1)));
    for (flags, why) in [(&["--write"][..], "cannot be granted for writing"), (&["--dir", "."], "--allow-dangerous")] {
        let args = [&["call", "std", "glob", "--pattern", "*"], flags].concat();
        let named = machine.line(&args).within(&machine.home("")).run();
        named.code(3).says(&[why]);
    }
}

#[test]
fn limits_are_those_of_the_profile_changed_by_flags() {
    let machine = Machine::new();
    let limit = |flags: &[&str], name: &str| {
        let shown = machine.run(&[&["config", "show", "--json"], flags].concat()).ok().json();
        let limits = shown["limits"].as_array().cloned().unwrap_or_default();
        let limit = limits.into_iter().find(|limit| limit["name"] == name).unwrap_or_default();
        (limit["value"].as_u64().unwrap_or_default(), limit["source"].clone())
    };
    let (strict, normal, roomy) = ("strict", "default", "roomy");
    let memory = |profile| limit(&["--profile", profile], "memory").0;
    assert!(memory(strict) < memory(normal) && memory(normal) < memory(roomy));
    let (memory, source) =
        limit(&["--profile", roomy, "--limit", "memory=7MiB,time=2s", "--limit", "files=3"], "memory");
    assert_eq!((memory, source), (7 << 20, json!({ "kind": "flag", "flag": "--limit" })));
    assert_eq!(limit(&["--limit", "time=2s"], "time").0, 2000);
    assert_eq!(limit(&[], "time").1, json!({ "kind": "built-in", "profile": "default" }));
    for bad in ["memory", "memory=", "memory=64MB", "memry=1MiB", "time=30", "memory=1MiB,memory=2MiB", "memory=0"] {
        machine.run(&["call", "std", "glob", "--pattern", "*", "--limit", bad]).code(2).says(&["--limit", "hint: "]);
    }
}

#[test]
fn a_limit_on_files_holds_for_what_a_tool_writes() {
    let machine = Machine::new();
    let guest = machine.guest("fill_disk");
    let input = r#"{"path":"/workspace/big"}"#;
    let ran = machine.run(&["call", &guest, "attack", input, "--write", "--limit", "file-bytes=1MiB"]).ok();
    assert!(ran.out().starts_with("1048576 bytes, then "), "{ran:?}");
    assert_eq!(std::fs::metadata(machine.path("big")).expect("it is there").len(), 1 << 20);
}

#[test]
fn a_write_through_a_read_only_grant_is_denied_whatever_the_guest_tries() {
    let machine = Machine::new();
    machine.file("data/file", "content");
    let guest = machine.guest("write_readonly");
    let input = r#"{"folder":"/workspace","file":"file"}"#;
    let ran = machine.run(&["call", &guest, "attack", input, "--dir", "data:ro"]).ok();
    let done: Vec<&str> = ran.out().lines().filter(|line| line.ends_with("done")).collect();
    assert_eq!((done, machine.read("data/file")), (vec![], "content".to_owned()), "{ran:?}");
    assert_eq!(std::fs::read_dir(machine.path("data")).expect("a folder").count(), 1);
    // A tool that claims to read gets nothing to write, whatever is granted.
    let liar = machine.guest("says_read_only_but_writes");
    machine.run(&["call", &liar, "attack", r#"{"path":"/workspace/file"}"#, "--dir", "data:rw"]).code(3);
    assert_eq!(machine.read("data/file"), "content");
}

#[test]
fn what_a_tool_leaves_in_outputs_is_named() {
    let machine = Machine::new();
    let write =
        |name: &str| json!({ "file_path": format!("/mnt/session/outputs/{name}"), "content": name }).to_string();
    let ran = machine.run(&["call", "std", "write", &write("report.txt"), "--no-dir"]).ok();
    let named = ran.err().lines().find_map(|line| line.strip_prefix("output file: ")).map(Path::new);
    let named = named.unwrap_or_else(|| panic!("{ran:?}"));
    assert_eq!(std::fs::read_to_string(named).expect("it was kept"), "report.txt");
    assert!(named.starts_with(machine.beside("tmp")), "{ran:?}");
    let answer = machine.run(&["call", "std", "write", &write("b.txt"), "--json"]).ok().json();
    let files = answer["output_files"].as_array().cloned().unwrap_or_default();
    assert!(files.len() == 1 && files[0].as_str().is_some_and(|file| file.ends_with("/b.txt")), "{answer}");
}

#[test]
fn a_call_that_leaves_nothing_leaves_no_folder() {
    let machine = Machine::new();
    machine.run(&["call", "std", "glob", "--pattern", "*"]).ok();
    machine.run(&["call", "std", "write", r#"{"file_path":"/tmp/scratch","content":"x"}"#]).ok();
    machine.run(&["call", "std", "read", "--file_path", "absent"]).code(1);
    let left: Vec<_> = std::fs::read_dir(machine.beside("tmp")).expect("a folder").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn outputs_go_into_the_folder_that_is_named_and_only_those_of_this_call_are_listed() {
    let machine = Machine::new();
    machine.file("out/old.txt", "old");
    let write =
        |name: &str| json!({ "file_path": format!("/mnt/session/outputs/{name}"), "content": name }).to_string();
    let ran = machine.run(&["call", "std", "write", &write("one.txt"), "--outputs", "out"]).ok();
    let one = format!("output file: {}\n", machine.path("out/one.txt").display());
    assert_eq!((ran.err(), machine.read("out/one.txt").as_str()), (one.as_str(), "one.txt"));
    let again = machine.run(&["call", "std", "write", &write("two.txt"), "--outputs", "out", "--json"]).ok().json();
    assert_eq!(again["output_files"], json!([machine.path("out/two.txt")]), "{again}");
    let changed = machine.run(&["call", "std", "write", &write("old.txt"), "--outputs", "out", "--json"]).ok().json();
    assert_eq!(changed["output_files"], json!([machine.path("out/old.txt")]), "{changed}");
    assert_eq!(machine.read("out/old.txt"), "old.txt");
    machine.run(&["call", "std", "write", &write("new.txt"), "--outputs", "made/for/it"]).ok();
    assert_eq!(machine.read("made/for/it/new.txt"), "new.txt");
    let config = machine.config("").parent().expect("a folder").display().to_string();
    let refused = machine.run(&["call", "std", "write", &write("config.toml"), "--outputs", &config]).code(3);
    refused.says(&["--outputs", "cannot be granted for writing"]);
}

#[test]
fn environment_values_are_given_by_name_and_taken_from_nowhere_else() {
    let machine = Machine::new();
    let env = crate::cli_components::packed_env(&machine);
    let call = |flags: &[&str]| {
        let line = machine.line(&[&["call", &env, "env", "--json"], flags].concat());
        let answer = line.env("SECRET", "of the shell").run().ok().json();
        let text = answer["output"].as_str().map(str::to_owned).unwrap_or_default();
        serde_json::from_str::<Value>(&text).unwrap_or_else(|error| panic!("{error}: {answer}"))
    };
    assert_eq!(call(&[]), json!([]));
    assert_eq!(call(&["--env", "A=1=2", "--env", "B="]), json!([["A", "1=2"], ["B", ""]]));
    machine.run(&["call", &env, "env", "--env", "A"]).code(2).says(&["--env: `A` has no `=`", "write NAME=VALUE"]);
    machine.run(&["call", &env, "env", "--env", "A=1", "--env", "A=2"]).code(2).says(&["`A` is given twice"]);
    let bad = machine.run(&["call", &env, "env", "--env", "A B=of the shell"]).code(2);
    assert!(!bad.err().contains("of the shell"), "a value may be secret: {bad:?}");
}

#[test]
fn no_write_grant_covers_a_file_that_handbox_loads() {
    let machine = Machine::new();
    machine.file("handbox.toml", "[limits]\ntime = \"9s\"\n");
    let mine = machine.file("conf/mine.toml", "# mine\n").display().to_string();
    let packed = std::fs::read(machine.guest("fill_disk")).expect("it was packed");
    machine.file("tools/fill.wasm", &packed);
    let fill = |path: &str| json!({ "path": format!("/workspace/{path}"), "bytes": 1 }).to_string();
    for path in ["handbox.toml", "conf/mine.toml", "tools/fill.wasm", "tools/Handbox.toml", "tools/bundle.toml"] {
        let line = machine.line(&["call", "./tools/fill.wasm", "attack", &fill(path), "--write", "--config", &mine]);
        let ran = line.run();
        assert!(matches!(ran.code, Some(1 | 3)), "{path}: {ran:?}");
    }
    assert_eq!(machine.read("handbox.toml"), "[limits]\ntime = \"9s\"\n");
    assert_eq!(machine.read("conf/mine.toml"), "# mine\n");
    assert!(std::fs::read(machine.path("tools/fill.wasm")).expect("it is there") == packed);
    machine.run(&["call", "./tools/fill.wasm", "attack", &fill("tools/other"), "--write"]).ok();

    let edit = |path: &str| json!({ "file_path": path, "content": "[env]\nA = \"1\"\n" }).to_string();
    machine.run(&["call", "std", "write", &edit("/workspace/handbox.toml"), "--write"]).code(3);
    assert_eq!(machine.read("handbox.toml"), "[limits]\ntime = \"9s\"\n");
}

#[test]
fn the_folders_of_handbox_itself_cannot_be_granted_for_writing() {
    let machine = Machine::fresh();
    let folder = machine.config("").parent().expect("a folder").display().to_string();
    let cache = machine.run(&["cache", "path"]).ok().out().trim_end().to_owned();
    machine.run(&["call", "std", "glob", "--pattern", "*"]).ok();
    for folder in [&folder, &cache] {
        let dir = format!("{folder}:/x:rw");
        let args = ["call", "std", "glob", "--pattern", "*", "--dir", &dir, "--allow-dangerous-folders"];
        machine.run(&args).code(3).says(&["cannot be granted for writing", "Handbox itself loads"]);
    }
}
