//! How each kind of failure ends: the exit code, the message, what to do, and the same as JSON.

use handbox_tests::Machine;
use serde_json::{Value, json};

/// The error of a `--json` answer, whose code and kind are those expected.
#[track_caller]
fn error(machine: &Machine, args: &[&str], code: i32, kind: &str) -> Value {
    let ran = machine.run(&[args, &["--json"]].concat()).code(code);
    let mut answer = ran.json();
    let error = answer["error"].take();
    assert_eq!(error["kind"], kind, "{ran:?}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{ran:?}");
    assert!(error.get("hint").is_some(), "{ran:?}");
    assert_eq!(error.get("limit").is_some(), kind == "limit", "{ran:?}");
    error
}

#[test]
fn what_worked_exits_with_0_and_has_no_error() {
    let ran = Machine::new().run(&["call", "std", "glob", "--pattern", "*", "--json"]).ok();
    assert_eq!((&ran.json()["error"], ran.err()), (&Value::Null, ""));
}

#[test]
fn a_tool_that_failed_exits_with_1() {
    let machine = Machine::new();
    let args = ["call", "std", "read", "--file_path", "absent.txt"];
    let ran = machine.run(&args).code(1);
    assert_eq!(ran.out(), "");
    ran.says(&["error: ", "absent.txt"]);
    let error = error(&machine, &args, 1, "tool");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("absent.txt")), "{error}");
    let guest = machine.guest("hello");
    machine.run(&["call", &guest, "greet", "--name", " "]).code(1).says(&["invalid input: name: nobody to greet"]);
}

#[test]
fn misuse_exits_with_2_and_says_what_there_is() {
    let machine = Machine::new();
    let cases: [(&[&str], &str, &str); 5] = [
        (
            &["call", "nope", "x"],
            "there is no bundle `nope`",
            "a built-in one (std, http, websearch), a folder with bundle.toml",
        ),
        (&["call", "std", "nope"], "the bundle `std` has no tool `nope`", "it has: read, write, edit, glob, grep"),
        (&["call", "std", "read", "--file_path", "x", "--limit", "memory=x"], "memory", "such as 64MiB"),
        (&["call", "std", "read", "--file_path", "x", "--profile", "huge"], "huge", "strict, default, roomy"),
        (&["inspect", "absent.wasm"], "absent.wasm", "name a .wasm file"),
    ];
    for (args, message, hint) in cases {
        let ran = machine.run(args).code(2);
        assert_eq!(ran.out(), "", "{ran:?}");
        ran.says(&["error: ", message, "hint: ", hint]);
        let error = error(&machine, args, 2, "usage");
        assert!(error["hint"].as_str().is_some_and(|text| text.contains(hint)), "{error}");
    }
}

#[test]
fn a_command_line_that_cannot_be_understood_exits_with_2_in_either_form() {
    let machine = Machine::new();
    for args in [&["nope"][..], &["call"], &["call", "std"], &["tools", "std", "--nope"], &["config"], &[]] {
        let ran = machine.run(args).code(2);
        assert_eq!(ran.out(), "", "{ran:?}");
        ran.says(&["handbox"]);
    }
    for args in [&["nope"][..], &["call"], &["tools", "std", "--nope"], &["tools", "std", "--log-format", "x"]] {
        let error = error(&machine, args, 2, "usage");
        assert!(!error["message"].as_str().is_none_or(|message| message.contains('\u{1b}')), "{error}");
    }
}

#[test]
fn what_is_not_permitted_exits_with_3_and_names_the_flag_that_would_permit_it() {
    let machine = Machine::new();
    machine.file("a.txt", "old");
    let write = ["call", "std", "write", r#"{"file_path":"a.txt","content":"new"}"#];
    let ran = machine.run(&write).code(3);
    assert_eq!(ran.out(), "");
    ran.says(&["error: denied: ", "hint: ", "which may be why: --write\n"]);
    let error = error(&machine, &write, 3, "denied");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.ends_with("which may be why: --write")), "{error}");
    assert_eq!(machine.read("a.txt"), "old");
}

#[test]
fn a_limit_that_was_reached_exits_with_4_and_says_which() {
    let machine = Machine::new();
    for (guest, input, limit, name) in [
        ("spin_forever", "{}", "cpu=10M", "cpu"),
        ("sleep_forever", "{}", "time=300ms", "time"),
        ("eat_memory", "{}", "memory=32MiB", "memory"),
        ("flood_output", r#"{"parts":1,"bytes":1048577}"#, "output=1MiB", "output"),
    ] {
        let guest = machine.guest(guest);
        let args = ["call", &guest, "attack", input, "--limit", limit];
        let ran = machine.run(&args).code(4);
        assert_eq!(ran.out(), "", "{ran:?}");
        ran.says(&[
            &format!("error: the tool was stopped at its {name} limit: one call may use "),
            &format!("hint: ask for less, or raise it: --limit {name}=… or --profile roomy"),
        ]);
        assert_eq!(error(&machine, &args, 4, "limit")["limit"], name);
    }
}

#[test]
fn what_was_used_is_said_of_a_call_that_was_stopped_too() {
    let machine = Machine::new();
    let guest = machine.guest("spin_forever");
    let answer = machine.run(&["call", &guest, "attack", "--json", "--limit", "cpu=10M"]).code(4).json();
    assert_eq!((&answer["output"], &answer["attachments"]), (&Value::Null, &json!([])));
    assert!(answer["usage"]["fuel"].as_u64().is_some_and(|fuel| fuel > 1_000_000), "{answer}");
}

#[test]
fn a_broken_component_exits_with_5() {
    let machine = Machine::new();
    let guest = machine.guest("panic");
    let args = ["call", &guest, "attack", "{}"];
    machine
        .run(&args)
        .code(5)
        .says(&["error: the tool crashed", "hint: -v shows all that it printed; if it is not yours"]);
    error(&machine, &args, 5, "broken");

    machine.file("text.wasm", "this is text");
    machine.file("module.wasm", b"\0asm\x01\0\0\0");
    for (file, message) in [("./text.wasm", "not WebAssembly"), ("./module.wasm", "core module, not a component")] {
        for verb in ["tools", "inspect", "check"] {
            machine.run(&[verb, file]).code(5).says(&["error: ", message, "hint: build for wasm32-wasip2"]);
            error(&machine, &[verb, file], 5, "broken");
        }
    }
}

#[test]
fn an_honest_call_works_after_all_that() {
    let machine = Machine::new();
    let guest = machine.guest("hello");
    let ran = machine.run(&["call", &guest, "greet", "--name", "you"]).ok();
    assert_eq!((ran.out(), ran.err()), ("Hello, you!\n", ""));
}
