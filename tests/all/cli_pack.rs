//! `handbox pack` and `handbox inspect`: from a built component to one that says what it is.

use crate::cli_components::{adder, maker, program};
use handbox_tests::{Machine, guest_bytes};
use serde_json::{Value, json};

const MANIFEST: &str = r#"name = "greeter"
version = "1.2.3"
description = "Greets."
author = "Somebody"
license = "MIT"
[asks]
folders = [{ path = "*", mode = "ro" }]
env = ["LANG"]
"#;

const COMMANDS: &str = r#"name = "checker"
version = "0.1.0"

[[commands]]
tool = "check_it"
description = "Checks it."
args = ["--strict", { property = "what" }]
ok_statuses = [1]
hints = { read_only = true }

[commands.schema]
type = "object"
properties.what.type = "string"
"#;

#[test]
fn a_hand_is_packed_and_called_as_the_next_step_says() {
    let machine = Machine::new();
    machine.file("built.wasm", guest_bytes("hello"));
    machine.file("tool.toml", MANIFEST);
    let packed = machine.run(&["pack", "built.wasm", "-o", "hello.wasm", "-m", "tool.toml"]).ok();
    for part in ["greeter 1.2.3", "greet  Greets somebody by name. [read-only]", "to read", "LANG", "sha256:"] {
        assert!(packed.out().contains(part), "{part:?}: {packed:?}");
    }
    packed.says(&[r#"next: handbox call ./hello.wasm greet '{"name":"name"}' --env LANG=VALUE"#]);
    let called = machine.run(&["call", "./hello.wasm", "greet", r#"{"name":"name"}"#, "--env", "LANG=VALUE"]).ok();
    assert_eq!(called.out(), "Hello, name!\n");
}

#[test]
fn without_a_manifest_it_is_called_after_its_file_and_asks_for_nothing() {
    let machine = Machine::new();
    machine.file("my adder.wasm", adder());
    let packed = machine.run(&["pack", "my adder.wasm", "-o", "out.wasm"]).ok();
    packed.says(&["without --manifest it asks for nothing", "folders = [{ path = \"*\""]);
    let manifest = machine.run(&["inspect", "out.wasm", "--json"]).ok().json()["manifest"].take();
    assert_eq!((&manifest["name"], &manifest["version"]), (&json!("my-adder"), &json!("0.1.0")));
    assert_eq!(machine.run(&["pack", "my adder.wasm", "-o", "out.wasm", "-q"]).ok().err(), "");
}

#[test]
fn each_function_of_a_plain_component_is_a_tool() {
    let machine = Machine::new();
    machine.file("adder.built.wasm", adder());
    let packed = machine.run(&["pack", "adder.built.wasm", "-o", "adder.wasm", "--json"]).ok().json();
    assert_eq!((&packed["kind"], &packed["manifest"]["tools"][0]["name"]), (&json!("reflected"), &json!("add")));
    assert_eq!(machine.run(&["call", "./adder.wasm", "add", r#"{"a":40,"b":2}"#]).ok().out(), "42\n");
    assert_eq!(machine.run(&["call", "./adder.wasm", "add", "--a", "40", "--b", "2"]).ok().out(), "42\n");
    machine.run(&["call", "./adder.wasm", "add", r#"{"a":-1,"b":2}"#]).code(2).says(&["/a", "hint: "]);
    machine.run(&["call", "./adder.wasm", "crash"]).code(5).says(&["the tool crashed"]);
    // Unpacked it works as well, with nothing granted.
    assert_eq!(machine.run(&["call", "./adder.built.wasm", "add", "--a", "1", "--b", "2"]).ok().out(), "3\n");
}

#[test]
fn functions_that_cannot_be_tools_are_named_with_the_reason() {
    let machine = Machine::new();
    machine.file("maker.built.wasm", maker());
    let packed = machine.run(&["pack", "maker.built.wasm", "-o", "maker.wasm"]).ok();
    packed.says(&["left out: make: "]);
    let checked = machine.run(&["check", "./maker.wasm", "--json"]).ok().json();
    assert_eq!(checked["tools"], json!(["add"]));
    assert_eq!(checked["left_out"][0]["export"], "make");
    assert!(machine.run(&["check", "./maker.wasm"]).ok().out().contains("left out: make: "));
}

#[test]
fn a_command_line_program_is_a_tool_as_its_manifest_says() {
    let machine = Machine::new();
    machine.file("tool.toml", COMMANDS);
    for status in [0, 1] {
        machine.file("built.wasm", program(status));
        let packed = machine.run(&["pack", "built.wasm", "-o", "p.wasm", "-m", "tool.toml", "--json"]).ok().json();
        assert_eq!(packed["kind"], "command");
        let answer = machine.run(&["call", "./p.wasm", "check_it", "--what", "x", "--json"]).ok().json();
        assert_eq!((&answer["exit_code"], &answer["output"]), (&json!(status), &json!("")));
        machine.run(&["call", "./p.wasm", "check_it", "--what", "--x"]).code(2);
        machine.run(&["call", "./p.wasm", "check_it", r#"{"what":"--x"}"#]).code(2).says(&["taken for an option"]);
    }
    // A status that is no result is a failure of the tool.
    machine.file("tool.toml", COMMANDS.replace("ok_statuses = [1]\n", ""));
    machine.run(&["pack", "built.wasm", "-o", "p.wasm", "-m", "tool.toml"]).ok();
    machine.run(&["call", "./p.wasm", "check_it"]).code(1).says(&["(exit status 1)"]);
}

#[test]
fn a_command_line_program_without_a_description_of_its_tools_is_refused_with_a_sample() {
    let machine = Machine::new();
    machine.file("built.wasm", program(0));
    let refused = machine.run(&["pack", "built.wasm", "-o", "p.wasm"]).code(2);
    let sample = refused.err().split_once("--manifest FILE:\n\n").map(|(_, sample)| sample.to_owned());
    let sample = sample.unwrap_or_else(|| panic!("{refused:?}"));
    machine.file("tool.toml", sample);
    machine.run(&["pack", "built.wasm", "-o", "p.wasm", "-m", "tool.toml"]).ok();
    machine.file("short.toml", "name = \"x\"\nversion = \"0.1.0\"\n");
    machine.run(&["pack", "built.wasm", "-o", "p.wasm", "-m", "short.toml"]).code(2).says(&["[[commands]]"]);
}

#[test]
fn packing_again_gives_the_same_bytes() {
    let machine = Machine::new();
    machine.file("built.wasm", guest_bytes("hello"));
    machine.file("tool.toml", MANIFEST);
    machine.run(&["pack", "built.wasm", "-o", "one.wasm", "-m", "tool.toml"]).ok();
    machine.run(&["pack", "built.wasm", "-o", "two.wasm", "-m", "tool.toml"]).ok();
    // From the packed one, its own manifest kept, and over itself.
    machine.run(&["pack", "one.wasm", "-o", "three.wasm"]).ok();
    machine.run(&["pack", "two.wasm", "-o", "two.wasm", "--force"]).ok();
    let bytes = ["one.wasm", "two.wasm", "three.wasm"].map(|name| std::fs::read(machine.path(name)).expect(name));
    assert!(bytes[0] == bytes[1] && bytes[0] == bytes[2]);
}

#[test]
fn what_cannot_be_packed_is_refused_and_nothing_is_written() {
    let machine = Machine::new();
    machine.file("text.wasm", "this is text");
    machine.file("module.wasm", b"\0asm\x01\0\0\0");
    machine.file("hello.wasm", guest_bytes("hello"));
    for (guest, name) in [("different_tools", "liar.wasm"), ("bad_tools", "bad.wasm"), ("spin_in_tools", "spin.wasm")] {
        machine.file(name, guest_bytes(guest));
    }
    machine.file("bad.toml", "name = \"x\"\nversion = \"0.1.0\"\nautor = \"me\"\n");
    machine.file("worse.toml", "name = \"x\"\nversion = \"one\"\n");
    let cases: [(&[&str], i32, &[&str]); 8] = [
        (&["text.wasm"], 5, &["text.wasm: ", "this is not WebAssembly", "build for wasm32-wasip2"]),
        (&["module.wasm"], 5, &["module.wasm: ", "a core module, not a component"]),
        (&["absent.wasm"], 2, &["absent.wasm"]),
        (&["hello.wasm", "-m", "bad.toml"], 2, &["bad.toml:3: ", "autor"]),
        (&["hello.wasm", "-m", "worse.toml"], 2, &["worse.toml", "`one`"]),
        (&["liar.wasm"], 5, &["does not do what its manifest says", "always the same"]),
        (&["bad.wasm"], 5, &["error: "]),
        (&["spin.wasm"], 5, &["cpu limit", "tools() must answer"]),
    ];
    for (args, code, said) in cases {
        let ran = machine.run(&[&["pack", "-o", "out.wasm"], args].concat()).code(code);
        assert_eq!(ran.out(), "", "{ran:?}");
        ran.says(said).says(&["error: "]);
        assert!(!machine.path("out.wasm").exists(), "{args:?}");
        let answer = machine.run(&[&["pack", "-o", "out.wasm", "--json"], args].concat()).code(code).json();
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }
}

#[test]
fn nothing_but_a_component_is_overwritten_without_force() {
    let machine = Machine::new();
    machine.file("hello.wasm", guest_bytes("hello"));
    machine.file("notes.txt", "precious");
    let refused = machine.run(&["pack", "hello.wasm", "-o", "notes.txt"]).code(2);
    refused.says(&["notes.txt is there and is not a component", "--force"]);
    assert_eq!(machine.read("notes.txt"), "precious");
    machine.run(&["pack", "hello.wasm", "-o", "hello.wasm"]).code(2).says(&["the output is the input", "--force"]);
    machine.run(&["pack", "hello.wasm", "-o", "."]).code(2).says(&[". is a folder", "-o "]);
    machine.run(&["pack", "hello.wasm", "-o", "absent/out.wasm"]).code(2).says(&["cannot be written"]);
    machine.run(&["pack", "hello.wasm", "-o", "notes.txt", "--force"]).ok();
    machine.run(&["pack", "hello.wasm", "-o", "notes.txt"]).ok();
}

#[test]
fn inspect_shows_a_component_without_running_it() {
    let machine = Machine::new();
    machine.file("spin.wasm", guest_bytes("spin_in_start"));
    let raw = machine.run(&["inspect", "spin.wasm"]).ok();
    assert!(raw.out().contains("kind       hand: ") && raw.out().contains("manifest   none"), "{raw:?}");
    machine.file("tool.toml", MANIFEST);
    machine.file("built.wasm", guest_bytes("hello"));
    machine.run(&["pack", "built.wasm", "-o", "hello.wasm", "-m", "tool.toml"]).ok();
    let shown = machine.run(&["inspect", "hello.wasm"]).ok();
    for part in ["greeter 1.2.3", "Somebody", "MIT", "handbox:hand/hand@", "wasi:", "runs here  yes", "sha256:", "KiB"]
    {
        assert!(shown.out().contains(part), "{part:?}: {shown:?}");
    }
    let shown = machine.run(&["inspect", "hello.wasm", "--json"]).ok().json();
    assert_eq!((&shown["kind"], &shown["problem"]), (&json!("hand"), &Value::Null));
    assert_eq!(shown["manifest"]["asks"]["env"], json!(["LANG"]));
    assert!(shown["size_bytes"].as_u64().is_some_and(|size| size > 1000), "{shown}");
}

#[test]
fn inspect_shows_every_component_of_a_bundle() {
    let machine = Machine::new();
    let shown = machine.run(&["inspect", "std"]).ok();
    assert!(shown.out().starts_with("std 0.1.0, 8 components\n"), "{shown:?}");
    let shown = machine.run(&["inspect", "std", "--json"]).ok().json();
    assert_eq!(shown["components"].as_array().map(Vec::len), Some(8));
    machine.run(&["inspect", "."]).code(2).says(&["there is no bundle.toml in it"]);
}

#[test]
fn inspect_says_what_keeps_a_component_from_running() {
    let machine = Machine::new();
    let text = r#"(component (import "wasi:sockets/tcp@0.2.0" (instance))
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    machine.file("socket.wasm", wat::parse_str(text).expect("valid text"));
    let shown = machine.run(&["inspect", "socket.wasm"]).ok();
    assert!(shown.out().contains("runs here  no: it imports wasi:sockets/tcp@0.2.0"), "{shown:?}");
    machine.run(&["pack", "socket.wasm", "-o", "out.wasm"]).code(5).says(&["wasi:sockets/tcp@0.2.0"]);
}
