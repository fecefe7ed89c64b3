//! `handbox tools` and `handbox call`: how input is given, and what is printed where.

use handbox_tests::Machine;
use serde_json::json;

const TODO: &str = r#"{"pattern":"TODO"}"#;

fn machine() -> Machine {
    let machine = Machine::new();
    machine.file("src/a.rs", "fn main() {}\n// TODO one\n");
    machine.file("notes.txt", "TODO two\n");
    machine
}

#[test]
fn tools_lists_each_tool_with_its_input() {
    let machine = Machine::new();
    let listed = machine.run(&["tools", "std"]).ok();
    let names: Vec<&str> = listed.out().lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["read", "", "write", "", "edit", "", "glob", "", "grep", "", "web_fetch", "", "bash", ""]);
    assert!(listed.out().contains("[read-only]"), "{listed:?}");
    assert!(listed.out().contains("input: pattern* (string), path (string)"), "{listed:?}");
    assert_eq!(listed.err(), "* = required; schemas: --schemas; whole descriptions: --json\n");
    let schemas = machine.run(&["tools", "std", "--schemas"]).ok();
    assert!(schemas.out().contains(r#"schema: {"type":"object""#), "{schemas:?}");
}

#[test]
fn tools_as_json_has_their_whole_schemas() {
    let tools = Machine::new().run(&["tools", "std", "--json"]).ok().json();
    assert_eq!((&tools["bundle"], tools["tools"].as_array().map(Vec::len)), (&json!("std"), Some(7)));
    let grep = &tools["tools"][4];
    assert_eq!(grep["name"], "grep");
    assert_eq!(grep["input_schema"]["required"], json!(["pattern"]));
    assert_eq!(grep["hints"]["read_only"], true);
}

#[test]
fn input_is_json_a_file_standard_input_or_flags_and_all_mean_the_same() {
    let machine = machine();
    let json = r#"{"pattern":"TODO","path":"src"}"#;
    machine.file("input.json", json);
    let inputs: [&[&str]; 6] = [
        &[json],
        &["@input.json"],
        &["-"],
        &["--pattern", "TODO", "--path", "src"],
        &["--pattern=TODO", "--path=src"],
        &["--", "--path", "src", "--pattern", "TODO"],
    ];
    for input in inputs {
        let line = machine.line(&[&["call", "std", "grep"], input].concat());
        let ran = if input == ["-"] { line.stdin(json).run() } else { line.run() }.ok();
        assert_eq!((ran.out(), ran.err()), ("src/a.rs:2:// TODO one\n", ""), "{ran:?}");
    }
}

#[test]
fn our_flags_may_stand_behind_the_input() {
    for line in [
        ["call", "std", "grep", TODO, "--json", "--no-dir"].as_slice(),
        &["call", "std", "grep", "--pattern", "two", "--json", "--no-dir"],
        &["--json", "call", "--no-dir", "std", "grep", TODO],
    ] {
        let answer = machine().run(line).code(3).json();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("no folder was granted"), "without one, \"no matches\" would be a lie: {answer}");
    }
}

#[test]
fn the_json_answer_has_the_output_and_what_the_call_used() {
    let answer = machine().run(&["call", "std", "grep", TODO, "--json"]).ok().json();
    assert_eq!(answer["output"].as_str().map(str::trim_end), Some("notes.txt:1:TODO two\nsrc/a.rs:2:// TODO one"));
    assert_eq!((&answer["error"], &answer["attachments"]), (&json!(null), &json!([])));
    assert_eq!(answer["output_files"], json!([]));
    let usage = &answer["usage"];
    assert!(usage["ms"].as_f64().is_some_and(|ms| ms > 0.0), "{usage}");
    assert!(usage["fuel"].as_u64().is_some_and(|fuel| fuel > 10_000), "{usage}");
    assert!(usage["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 100_000), "{usage}");
    assert_eq!(usage["dropped_bytes"], 0);
}

#[test]
fn an_image_is_an_attachment() {
    let machine = Machine::new();
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0";
    machine.file("dot.png", png);
    let text = machine.run(&["call", "std", "read", "--file_path", "dot.png"]).ok();
    text.says(&["attachment: image/png, ", "bytes (see --json)"]);
    let answer = machine.run(&["call", "std", "read", "--file_path", "dot.png", "--json"]).ok().json();
    assert_eq!(answer["attachments"][0]["media_type"], "image/png");
    assert!(answer["attachments"][0]["data"].as_str().is_some_and(|data| data.starts_with("iVBORw0KGgo")), "{answer}");
}

#[test]
fn data_that_is_piped_keeps_every_byte_and_remarks_show_control_characters() {
    let machine = Machine::new();
    machine.file("red.txt", "\u{1b}[31mred\u{7}\u{9b}2J\ttab\n");
    let read = machine.run(&["call", "std", "read", "--file_path", "red.txt"]).ok();
    assert_eq!((read.out(), read.err()), ("\u{1b}[31mred\u{7}\u{9b}2J\ttab\n", ""));
    // The same in a tool's error, which a terminal would obey.
    let input = json!({ "file_path": "\u{1b}[31mnot\u{7}there" }).to_string();
    let failed = machine.run(&["call", "std", "read", &input]).code(1);
    assert!(!failed.err().contains(['\u{1b}', '\u{7}']), "{failed:?}");
    failed.says(&[r"\u{1b}[31mnot\u{7}there"]);
    // And in what was typed.
    let unknown = machine.run(&["call", "\u{1b}[31m", "read"]).code(2);
    assert!(!unknown.err().contains('\u{1b}') && unknown.out().is_empty(), "{unknown:?}");
}

#[test]
fn json_never_has_a_raw_control_character() {
    let machine = Machine::new();
    machine.file("red.txt", "\u{1b}[31mred\u{7f}\u{9b}2J\n");
    let read = machine.run(&["call", "std", "read", "--file_path", "red.txt", "--json"]).ok();
    assert!(!read.out().trim_end_matches('\n').contains(char::is_control), "{read:?}");
    assert_eq!(read.json()["output"], "\u{1b}[31mred\u{7f}\u{9b}2J\n");
}

#[test]
fn nothing_is_coloured_without_a_terminal() {
    let machine = Machine::new();
    for args in [&["tools", "std"][..], &["doctor"], &["--help"], &["call", "nope", "x"], &["nope"], &["call"]] {
        let ran = machine.line(args).env("TERM", "xterm-256color").env("CLICOLOR", "1").run();
        assert!(!ran.stdout.contains(&0x1b) && !ran.stderr.contains(&0x1b), "{ran:?}");
    }
}

#[test]
fn what_a_guest_prints_goes_to_standard_error_if_asked_for() {
    let machine = Machine::new();
    let guest = machine.guest("flood_stdout");
    let input = r#"{"bytes":4096}"#;
    let silent = machine.run(&["call", &guest, "attack", input]).ok();
    assert_eq!((silent.out(), silent.err()), ("4096 bytes\n", ""));
    let verbose = machine.run(&["call", &guest, "attack", input, "-v"]).ok();
    assert_eq!(verbose.out(), "4096 bytes\n");
    verbose.says(&["xxxxxxxx"]);
    let flood = machine.run(&["call", &guest, "attack", input, "--limit", "log=1KiB"]).ok();
    flood.says(&["3072 bytes of output were dropped at its limit"]);
}

#[test]
fn input_that_makes_no_sense_is_refused_before_the_tool_runs_and_says_what_there_is() {
    let machine = machine();
    machine.file("bad.json", "{\"pattern\":\n \"TODO\" \"x\"}");
    let cases: [(&[&str], &str); 8] = [
        (&["{}"], "\"pattern\" is a required property"),
        (&[r#"{"pattern":3}"#], "at /pattern: 3 is not of type \"string\""),
        (&["[1]"], "[1] is not of type \"object\""),
        (&["@bad.json"], "line 2"),
        (&["--nope", "x"], "has no input `nope`"),
        (&["--pattern"], "--pattern needs a value"),
        (&["--pattern", "a", "--pattern", "b"], "given twice"),
        (&["{}", "--pattern", "x"], "give either one JSON object or flags, not both"),
    ];
    for (input, message) in cases {
        let ran = machine.run(&[&["call", "std", "grep"], input].concat()).code(2);
        assert_eq!(ran.out(), "", "{ran:?}");
        ran.says(&["error: ", message, "hint: its input is: pattern* (string), path (string)"]);
    }
    let word = machine.run(&["call", "std", "grep", "TODO"]).code(2);
    word.says(&["\"TODO\" is neither JSON nor a flag", "write: handbox call std grep --pattern TODO\n"]);
    machine.run(&["call", "std", "grep", "{\"pattern\""]).code(2).says(&["the input is not JSON"]);
    machine.run(&["call", "std", "grep", "@absent.json"]).code(2).says(&["absent.json"]);
    let empty = machine.run(&["call", "std", "grep", "-"]).code(2);
    empty.says(&["the input on standard input is not JSON"]);
}
