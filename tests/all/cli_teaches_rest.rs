//! Refusals on the way around calls: packing, crashes, limits, the data folder.

use crate::cli_components::{adder, program};
use handbox_tests::{Machine, sample};

fn pack(machine: &Machine, manifest: &str) -> handbox_tests::Ran {
    machine.file("a.wasm", adder());
    machine.file("tool.toml", manifest);
    machine.run(&["pack", "a.wasm", "-o", "x.wasm", "-m", "tool.toml"])
}

#[test]
fn a_manifest_that_is_not_understood_is_told_what_to_write() {
    let machine = Machine::new();
    let head = "name = \"a\"\nversion = \"0.1.0\"\n";
    let bare = pack(&machine, "name = notes\nversion = \"0.1.0\"\n").code(2);
    bare.says(&["tool.toml:1", "a text stands in quotes, name = \"…\""]);
    for (text, line) in [
        ("version = \"0.1.0\"\n".to_owned(), "add the line name = \""),
        ("name = \"a\"\n".to_owned(), "add the line version = \"0.1.0\""),
        (format!("{head}[asks]\nfolders = [{{ path = \"*\" }}]\n"), "mode = \"ro\" }"),
        (format!("{head}[[commands]]\ntool = \"x\"\n"), "[commands.schema]"),
        (format!("{head}[asks]\nfolders = \"*\"\n"), "[{ path = \"*\", mode = \"ro\" }]"),
    ] {
        let ran = pack(&machine, &text).code(2);
        for leaked in ["struct ", "sequence", "column 1 "] {
            assert!(!ran.err().contains(leaked), "{leaked}: {ran:?}");
        }
        ran.says(&["tool.toml", line]);
    }
}

#[test]
fn what_is_no_component_is_told_what_it_is() {
    let machine = Machine::new();
    machine.file("libnotes.rlib", "!<arch>\n/       0");
    let rlib = machine.run(&["pack", "libnotes.rlib", "-o", "x.wasm"]).code(5);
    rlib.says(&["library for the linker", "crate-type = [\"cdylib\"]"]);
    machine.run(&["pack", ".", "-o", "x.wasm"]).code(2).says(&["is a folder", "target/wasm32-wasip2/release/"]);
    machine.file("a.wasm", adder());
    std::fs::create_dir(machine.path("src")).expect("a folder");
    machine
        .run(&["pack", "a.wasm", "-o", "x.wasm", "-m", "src"])
        .code(2)
        .says(&["is a folder", "--manifest tool.toml"]);
    machine.file("program.wasm", program(0));
    machine.run(&["call", "./program.wasm", "x"]).code(5).says(&["#[tool]", "src/lib.rs", "cdylib"]);
    machine.run(&["pack", "program.wasm", "-o", "x.wasm"]).code(2).says(&["#[tool]", "src/lib.rs", "cdylib"]);
    machine.file("empty.wasm", b"\0asm\x0d\0\x01\0");
    machine.run(&["pack", "empty.wasm", "-o", "x.wasm"]).code(5).says(&["handbox_tool::export!(your_tool)"]);
}

#[test]
fn the_next_step_grants_a_reading_tool_nothing_to_write() {
    let machine = Machine::new();
    let ran =
        pack(&machine, "name = \"a\"\nversion = \"0.1.0\"\n[asks]\nfolders = [{ path = \"*\", mode = \"rw\" }]\n").ok();
    // A component that imports nothing changes nothing.
    let next = ran.err().lines().find(|line| line.starts_with("next: ")).unwrap_or_default();
    assert!(next.contains("add") && !next.contains("--write"), "{ran:?}");
}

#[test]
fn a_panic_is_told_to_people_at_once_and_to_no_program() {
    let machine = Machine::new();
    let call = ["call", &machine.guest("panic"), "attack", "{}"];
    let told = "the tool panicked at hostile/panic.rs:8:5: on purpose\n";
    let ran = machine.run(&call).code(5).says(&[told, "hint: -v shows all that it printed"]);
    assert!(!ran.err().contains("RUST_BACKTRACE"), "{ran:?}");
    let verbose = machine.run(&[&call[..], &["-v"]].concat()).code(5).says(&["RUST_BACKTRACE", "hint: if it is not"]);
    assert!(!verbose.err().contains("-v shows") && !verbose.err().contains("the tool panicked at"), "{verbose:?}");
    let quiet = machine.run(&[&call[..], &["-q"]].concat()).code(5);
    quiet.says(&[told, "hint: -v instead of -q"]);
    let json = machine.run(&[&call[..], &["--json"]].concat()).code(5).says(&[told]);
    assert!(!json.out().contains("on purpose"), "{json:?}");
    assert_eq!(machine.run(&[&call[..], &["--json", "-q"]].concat()).code(5).err(), "");
}

#[test]
fn a_crash_that_printed_nothing_has_nothing_more_to_show() {
    let machine = Machine::new();
    machine.file("a.wasm", adder());
    let ran = machine.run(&["call", "./a.wasm", "crash"]).code(5).says(&["hint: if it is not yours"]);
    assert!(!ran.err().contains("-v"), "{ran:?}");
}

#[test]
fn a_tool_or_an_input_that_the_author_added_since_is_built_and_packed_again() {
    let machine = Machine::new();
    let hello = machine.guest("hello");
    let again = "if it was added since, build and pack it again";
    machine.run(&["call", &hello, "wave"]).code(2).says(&["has no tool `wave`", "it has: greet", again]);
    machine.run(&["call", &hello, "greet", "--loud", "x"]).code(2).says(&["has no input `loud`", again]);
    machine.run(&["call", &hello, "greet", r#"{"name":"you","loud":true}"#]).ok().says(&["`loud`", again]);
    machine.file("a.wasm", adder());
    let built = machine.run(&["call", "./a.wasm", "wave"]).code(2).says(&["if it was added since, build it again"]);
    let std = machine.run(&["call", "std", "wave"]).code(2);
    assert!(!built.err().contains("pack") && !std.err().contains("since"), "{built:?} {std:?}");
}

#[test]
fn a_stack_that_overflows_in_memory_is_called_so() {
    let machine = Machine::new();
    let guest = machine.guest("deep_recursion");
    let ran = machine.run(&["call", &guest, "attack", r#"{"memory":true}"#]);
    ran.code(5).says(&["out of bounds memory access, probably because its stack overflowed"]);
}

#[test]
fn a_tool_that_does_not_end_is_said_to_be_possible() {
    let machine = Machine::new();
    let guest = machine.guest("spin_forever");
    let spin = ["call", &guest, "attack", "{}", "--limit", "time=200ms"];
    machine.run(&spin).code(4).says(&["--limit time=", "or the tool does not end"]);
    let answer = machine.run(&[&spin[..], &["--json"]].concat()).code(4).json();
    assert!(answer["usage"]["fuel"].is_null(), "what a loop burnt is not known: {answer}");
}

#[test]
fn a_data_folder_is_a_folder() {
    let machine = Machine::new();
    machine.file("README.md", "x");
    let session = machine.file("s.jsonl", sample::export(&sample::session(1))).display().to_string();
    for verb in [&["sessions"][..], &["log", "verify"], &["log", "import", &session]] {
        let ran = machine.run(&[verb, &["--data", "README.md"]].concat()).code(2);
        ran.says(&["README.md is a file", "name a folder"]);
    }
}

#[test]
fn a_session_that_cannot_come_back_names_its_forks() {
    let machine = Machine::new();
    let file = machine.file("s.jsonl", sample::export(&sample::session(1))).display().to_string();
    let id = machine.run(&["log", "import", &file]).ok().out().trim_end().to_owned();
    let fork = machine.run(&["sessions", "fork", &id, "--at", "7"]).ok().out().trim_end().to_owned();
    machine.run(&["sessions", "rm", &id]).ok();
    machine.run(&["log", "import", &file]).code(2).says(&["still share its events", &format!("sessions rm {fork}")]);
    machine.run(&["sessions", "rm", &fork]).ok();
    machine.run(&["log", "import", &file]).ok();
    let export = machine.run(&["log", "export", &id, "-o", "nowhere/s.jsonl"]).code(2);
    assert!(!export.err().contains(".handbox-"), "{export:?}");
    export.says(&["there is no folder nowhere", "create it"]);
    machine
        .run(&["log", "verify", "nosuch"])
        .code(2)
        .says(&["no session's id is `nosuch`", "`handbox sessions` lists"]);
    machine.run(&["sessions", "events", &id, "--last", "x"]).code(2).says(&["a whole number from 1 on"]);
}

#[test]
fn a_name_that_means_something_else_gets_another_hint() {
    let ran = Machine::new().run(&["new", "std", "--sdk", "x"]).code(2);
    assert!(!ran.err().contains("beginning with a letter"), "{ran:?}");
    ran.says(&["std-tools"]);
}

#[test]
fn output_that_is_not_what_the_tool_declares_is_a_warning() {
    let machine = Machine::new();
    machine.file("program.wasm", program(0));
    let head = "name = \"p\"\nversion = \"0.1.0\"\n[[commands]]\ntool = \"print\"\nschema = { type = \"object\" }\n";
    for (declared, warns) in [("output_schema = { type = \"object\" }\n", true), ("", false)] {
        machine.file("tool.toml", format!("{head}{declared}"));
        machine.run(&["pack", "program.wasm", "-o", "p.wasm", "-m", "tool.toml"]).ok();
        let ran = machine.run(&["call", "./p.wasm", "print", "{}"]).ok();
        assert_eq!(ran.err().contains("declares that its output is JSON, and this is none"), warns, "{ran:?}");
    }
}
