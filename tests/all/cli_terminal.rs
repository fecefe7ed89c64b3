//! What is different when a person watches: colour, progress, and that no tool can drive the
//! terminal.

use handbox_tests::{Line, Machine, Ran, skipped};

const RED: &str = "\u{1b}[31;1m";

fn watched(line: Line) -> Option<Ran> {
    let ran = line.on_a_terminal();
    if ran.is_none() {
        skipped("what a terminal shows: there is no program `script` to make one");
    }
    ran
}

#[test]
fn an_error_is_coloured_unless_no_color_is_set() {
    let machine = Machine::new();
    let Some(ran) = watched(machine.line(&["call", "nope", "x"])) else { return };
    assert!(ran.code(2).out().contains(&format!("{RED}error:\u{1b}[0m there is no bundle")));
    for value in ["1", "yes"] {
        let plain = watched(machine.line(&["call", "nope", "x"]).env("NO_COLOR", value)).expect("as before");
        assert!(plain.code(2).out().contains("error: there is no bundle"));
    }
    let empty = watched(machine.line(&["call", "nope", "x"]).env("NO_COLOR", "")).expect("as before");
    assert!(empty.out().contains(RED), "an empty NO_COLOR says nothing: {empty:?}");
}

#[test]
fn a_tools_output_cannot_drive_the_terminal() {
    let machine = Machine::new();
    machine.file("evil.txt", "\u{1b}]0;title\u{7}\u{1b}[2J\u{9b}1mbold\r\n\ttab\n");
    let Some(ran) = watched(machine.line(&["call", "std", "read", "--file_path", "evil.txt"])) else { return };
    let shown = ran.ok();
    let shown = shown.out().replace("\r\n", "\n").replace("\u{1b}[K", "").replace("\r", "");
    assert!(!shown.contains(['\u{1b}', '\u{7}', '\u{9b}']), "{shown:?}");
    assert!(shown.contains("\\u{1b}]0;title\\u{7}\\u{1b}[2J\\u{9b}1mbold\\r\n\ttab\n"), "{shown:?}");
}

#[test]
fn the_first_call_of_a_component_says_that_it_compiles() {
    let machine = Machine::fresh();
    let line = || machine.line(&["call", "std", "glob", "--pattern", "*"]);
    let Some(first) = watched(line()) else { return };
    assert!(first.ok().out().contains("compiling sha256:"));
    let second = watched(line()).expect("as before").ok();
    assert!(!second.out().contains("compiling"), "{second:?}");
    let machine = Machine::fresh();
    let quiet = watched(machine.line(&["call", "std", "glob", "--pattern", "*", "-q"])).expect("as before").ok();
    assert!(!quiet.out().contains("compiling"), "{quiet:?}");
}
