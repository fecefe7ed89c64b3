//! A tool whose project was changed, and which was not packed again: what runs is the old one, and that is said.

use crate::cli_components::adder;
use handbox_tests::{Machine, Ran};
use std::path::Path;
use std::time::{Duration, SystemTime};

pub(crate) const BUILT: &str = "target/wasm32-wasip2/release/my_adder.wasm";
const PACK: &str =
    "handbox pack target/wasm32-wasip2/release/my_adder.wasm -o my-adder.tool.wasm --manifest tool.toml\n";
const TOML: &str = "name = \"my-adder\"\nversion = \"0.1.0\"\n";
const BUILD: &str = "cargo build --release --target wasm32-wasip2";

/// A project as `handbox new` lays it out, which was written, built and packed in that order.
pub(crate) fn project() -> Machine {
    let machine = Machine::new();
    machine.file("Cargo.toml", "[package]\nname = \"my-adder\"\nversion = \"0.1.0\"\n");
    machine.file("src/lib.rs", "// adds\n");
    machine.file("src/inner/more.rs", "// more\n");
    machine.file("tool.toml", TOML);
    machine.file(BUILT, adder());
    machine.run(&["pack", BUILT, "-o", "my-adder.tool.wasm", "--manifest", "tool.toml"]).ok();
    for (file, minutes) in [
        ("Cargo.toml", 40),
        ("src/lib.rs", 40),
        ("src/inner/more.rs", 40),
        ("tool.toml", 40),
        (BUILT, 30),
        ("my-adder.tool.wasm", 20),
    ] {
        aged(&machine.path(file), minutes);
    }
    machine
}

pub(crate) fn aged(file: &Path, minutes: u64) {
    let then = SystemTime::now() - Duration::from_secs(60 * minutes);
    let opened = std::fs::File::options().write(true).open(file).expect("it is there");
    opened.set_modified(then).expect("a time can be set");
}

fn call(machine: &Machine) -> Ran {
    machine.run(&["call", "./my-adder.tool.wasm", "add", r#"{"a":1,"b":2}"#]).ok()
}

#[track_caller]
fn silent(ran: &Ran) {
    assert!(!ran.err().contains("newer"), "{ran:?}");
    assert_eq!(ran.out(), "3\n");
}

#[test]
fn what_was_packed_last_says_nothing() {
    let machine = project();
    silent(&call(&machine));
    // As a checkout leaves them: all at once, in any order.
    for file in ["my-adder.tool.wasm", "tool.toml", BUILT, "src/lib.rs"] {
        aged(&machine.path(file), 10);
    }
    silent(&call(&machine));
}

#[test]
fn a_source_that_is_newer_is_to_be_built_and_packed() {
    let machine = project();
    aged(&machine.path("src/inner/more.rs"), 10);
    let ran = call(&machine);
    assert_eq!(ran.out(), "3\n");
    ran.says(&["note: src/inner/more.rs is newer than my-adder.tool.wasm", &format!("{BUILD} && {PACK}")]);
    let quiet = machine.run(&["call", "./my-adder.tool.wasm", "add", r#"{"a":1,"b":2}"#, "--quiet"]);
    silent(&quiet.ok());
    let json = machine.run(&["call", "./my-adder.tool.wasm", "add", r#"{"a":1,"b":2}"#, "--json"]).ok();
    assert_eq!(json.json()["output"], "3");
    let checked = machine.run(&["check", "./my-adder.tool.wasm"]).ok().says(&["src/inner/more.rs is newer"]);
    assert!(!checked.out().contains("newer"), "{checked:?}");
    machine.run(&["tools", "./my-adder.tool.wasm"]).ok().says(&["src/inner/more.rs is newer"]);
    machine
        .run(&["run", "--model", "tour", "--bundle", "./my-adder.tool.wasm", "Look"])
        .says(&["src/inner/more.rs is newer"]);
    // From elsewhere, the line is one to be typed there.
    let line = machine.line(&["call", "work/my-adder.tool.wasm", "add", r#"{"a":1,"b":2}"#]);
    line.within(&machine.beside(""))
        .run()
        .ok()
        .says(&["--manifest-path work/Cargo.toml && ", "--manifest work/tool.toml"]);
    // Packing it again is all that it takes.
    machine.run(&["pack", BUILT, "-o", "my-adder.tool.wasm", "--manifest", "tool.toml"]).ok();
    silent(&call(&machine));
}

#[test]
fn a_build_that_is_newer_and_another_is_to_be_packed() {
    let machine = project();
    aged(&machine.path("src/lib.rs"), 12);
    aged(&machine.path(BUILT), 10);
    // A comment was changed, say: packing it would give the same.
    silent(&call(&machine));
    // With a custom section at its end.
    let other = [&adder()[..], &[0, 5, 4], b"more"].concat();
    machine.file(BUILT, other);
    let ran = call(&machine).says(&["my_adder.wasm is newer than my-adder.tool.wasm", PACK]);
    assert!(!ran.err().contains("cargo build"), "{ran:?}");
    machine.run(&["pack", BUILT, "-o", "my-adder.tool.wasm", "--manifest", "tool.toml"]).ok();
    silent(&call(&machine));
}

#[test]
fn a_manifest_that_says_something_else_by_now_is_to_be_packed() {
    let machine = project();
    machine.file("tool.toml", TOML);
    silent(&call(&machine));
    machine.file("tool.toml", format!("{TOML}[asks]\nfolders = [{{ path = \"*\", mode = \"ro\" }}]\n"));
    call(&machine).says(&["note: tool.toml is newer than my-adder.tool.wasm", PACK]);
}

#[test]
fn a_component_beside_somebody_elses_project_says_nothing() {
    let machine = project();
    machine.file("tool.toml", "name = \"other\"\nversion = \"0.1.0\"\n");
    machine.file("Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\n");
    machine.file("src/lib.rs", "// new\n");
    silent(&call(&machine));
    machine.file("Cargo.toml", "no TOML at all {");
    silent(&call(&machine));
    std::fs::rename(machine.path("my-adder.tool.wasm"), machine.beside("alone.wasm")).expect("a move");
    silent(&machine.run(&["call", "../alone.wasm", "add", r#"{"a":1,"b":2}"#]).ok());
}
