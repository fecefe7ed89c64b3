//! Bundles from disk, and `handbox check`.

use handbox_bundle::{inspect, section};
use handbox_tests::{Machine, Ran};
use serde_json::json;

/// A folder `b` with the packed guest `hello` in it, pinned, and more text behind.
fn bundle(machine: &Machine, more: &str) -> String {
    let bytes = std::fs::read(machine.guest("hello")).expect("it was packed");
    let digest = inspect(&bytes).expect("a component").digest.to_string();
    machine.file("b/hello.wasm", bytes);
    write(machine, "hello.wasm", &digest, more);
    digest
}

fn write(machine: &Machine, path: &str, digest: &str, more: &str) {
    let head = "name = \"friendly\"\nversion = \"2.0.0\"\n";
    machine.file("b/bundle.toml", format!("{head}[[components]]\npath = \"{path}\"\ndigest = \"{digest}\"\n{more}"));
}

fn greet(machine: &Machine, tool: &str) -> Ran {
    machine.run(&["call", "b", tool, "--name", "you"])
}

#[test]
fn a_bundle_folder_is_called_by_its_path_or_its_configured_name() {
    let machine = Machine::new();
    bundle(&machine, "");
    assert_eq!(greet(&machine, "greet").ok().out(), "Hello, you!\n");
    let listed = machine.run(&["tools", "./b", "--json"]).ok().json();
    assert_eq!((&listed["bundle"], &listed["version"]), (&json!("friendly"), &json!("2.0.0")));
    machine.config(&format!("[bundles.hi]\npath = \"{}\"\n", machine.path("b").display()));
    let called = machine.line(&["call", "hi", "greet", "--name", "you"]).within(&machine.beside("tmp")).run().ok();
    assert_eq!(called.out(), "Hello, you!\n");
    machine.run(&["call", "ho", "greet"]).code(2).says(&["there is no bundle `ho`", "(hi)"]);
}

#[test]
fn a_component_that_is_not_the_pinned_one_is_refused_and_both_digests_are_shown() {
    let machine = Machine::new();
    let actual = bundle(&machine, "");
    let wrong = format!("sha256:{}", "0".repeat(64));
    write(&machine, "hello.wasm", &wrong, "");
    greet(&machine, "greet").code(5).says(&["bundle.toml:5", "has changed", &wrong, &format!("digest = \"{actual}\"")]);
    machine.run(&["check", "b"]).code(5);
    // What the hint says to write, works.
    write(&machine, "hello.wasm", &actual, "");
    greet(&machine, "greet").ok();
    let text =
        machine.read("b/bundle.toml").lines().filter(|line| !line.starts_with("digest")).collect::<Vec<_>>().join("\n");
    machine.file("b/bundle.toml", text);
    greet(&machine, "greet").code(2).says(&["digest is missing", &format!("digest = \"{actual}\"")]);
}

#[test]
fn tools_are_chosen_and_renamed_by_the_bundle() {
    let machine = Machine::new();
    bundle(&machine, "tools = { greet = \"say_hello\" }\n");
    assert_eq!(greet(&machine, "say_hello").ok().out(), "Hello, you!\n");
    greet(&machine, "greet").code(2).says(&["it has: say_hello"]);
    bundle(&machine, "tools = [\"greet\"]\n");
    greet(&machine, "greet").ok();
    bundle(&machine, "tools = [\"absent\"]\n");
    greet(&machine, "greet").code(2).says(&["bundle.toml:6", "no tool `absent`", "its tools are: greet"]);
}

#[test]
fn no_component_lies_outside_its_bundle() {
    let machine = Machine::new();
    let digest = bundle(&machine, "");
    let outside = machine.file("hello.wasm", std::fs::read(machine.path("b/hello.wasm")).expect("it is there"));
    for path in ["../hello.wasm", "x/../../hello.wasm", &outside.display().to_string()] {
        write(&machine, path, &digest, "");
        greet(&machine, "greet").code(2).says(&["bundle.toml:4", "leads out of the bundle's folder", "without `..`"]);
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("../hello.wasm", machine.path("b/link.wasm")).expect("a link");
        write(&machine, "link.wasm", &digest, "");
        greet(&machine, "greet").code(2).says(&["is a link that leads out"]);
    }
}

#[test]
fn a_bundle_that_says_what_nobody_knows_is_refused_with_its_line() {
    let machine = Machine::new();
    bundle(&machine, "tols = [\"greet\"]\n");
    greet(&machine, "greet").code(2).says(&["bundle.toml:6", "tols"]);
    bundle(&machine, "[limits]\nmemory = \"1GB\"\n");
    greet(&machine, "greet").code(2).says(&["bundle.toml:7", "memory"]);
}

#[test]
fn a_bundles_own_limits_only_narrow() {
    let machine = Machine::new();
    bundle(&machine, "[limits]\nmemory = \"512KiB\"\n");
    greet(&machine, "greet").code(4).says(&["memory limit"]);
    machine.run(&["call", "b", "greet", "--name", "you", "--limit", "memory=1GiB"]).code(4);
    bundle(&machine, "[limits]\nmemory = \"4GiB\"\ntime = \"2s\"\n");
    let shown = machine.run(&["config", "show", "--bundle", "./b"]).ok();
    assert!(!shown.out().contains("4GiB") && shown.out().contains("friendly 2.0.0"), "{shown:?}");
    assert!(shown.out().lines().any(|line| line.contains(" 2s ") && line.contains("own limits")), "{shown:?}");
}

#[test]
fn check_says_all_that_is_not_granted_at_once_with_the_lines_to_add() {
    let machine = Machine::new();
    let granted = machine.run(&["check", "std", "--write"]).ok();
    assert!(granted.out().contains("everything that it asks for is granted"), "{granted:?}");
    bundle(&machine, "[asks]\nfolders = [{ path = \"/data\", mode = \"rw\" }]\nenv = [\"LANG\", \"TZ\"]\n");
    let gaps = machine.run(&["check", "b"]).code(3);
    for part in ["/data (rw)", "environment value LANG", "environment value TZ", "--dir HOST:/data:rw --env LANG=VALUE"]
    {
        assert!(gaps.out().contains(part), "{part:?}: {gaps:?}");
    }
    let answer = machine.run(&["check", "b", "--json"]).code(3).json();
    assert_eq!((&answer["loads"], &answer["error"]["kind"]), (&json!(true), &json!("denied")));
    assert_eq!(answer["gaps"].as_array().map(Vec::len), Some(3), "{answer}");
    // The lines, filled in and put into the file that is named, are what was missing.
    let lines = answer["config_lines"].as_str().unwrap_or_default();
    let data = machine.file("data/x", "").parent().expect("a folder").display().to_string();
    let config = machine.config(&lines.replace("HOST", &data));
    assert_eq!(answer["config_file"].as_str(), config.to_str());
    machine.run(&["check", "b"]).ok();
    machine.run(&["check", "b", "--no-dir"]).code(3);
}

#[test]
fn check_finds_a_component_that_is_not_what_its_manifest_says() {
    let machine = Machine::new();
    let honest = std::fs::read(machine.guest("hello")).expect("it was packed");
    let mut manifest = section::read(&honest).expect("valid").expect("packed");
    manifest.tools[0].description = "Deletes nothing, surely.".to_owned();
    machine.file("liar.wasm", section::write(&honest, &manifest).expect("valid"));
    let ran = machine.run(&["check", "./liar.wasm"]).code(5);
    assert!(ran.out().contains("does not load"), "{ran:?}");
    ran.says(&["does not do what its manifest says"]);
    assert_eq!(machine.run(&["check", "./liar.wasm", "--json"]).code(5).json()["error"]["kind"], "broken");
    machine.run(&["call", "./liar.wasm", "greet", "--name", "you"]).code(5);
}
