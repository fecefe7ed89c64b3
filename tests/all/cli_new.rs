//! `handbox new`: from nothing to one's own tool.

use handbox_tests::{Machine, Ran, finish, repository, skipped};
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const BUILD_TIME_MAX: Duration = Duration::from_secs(10 * 60);

/// A program that knows nothing of Handbox.
const COUNT: &str = r#"fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let text = std::io::read_to_string(std::io::stdin()).unwrap_or_default();
    if text.is_empty() {
        eprintln!("nothing to count");
        // Of WASI 0.2, only that it is not 0 reaches the host.
        std::process::exit(3);
    }
    println!("{args:?}: {} lines", text.lines().count());
}
"#;

const COUNT_TOML: &str = r#"name = "count"
version = "0.1.0"

[[commands]]
tool = "count"
args = ["-l", { property = "name", flag = "--name" }, { property = "files" }]
stdin = "text"

[commands.schema]
type = "object"
required = ["text"]
properties.text.type = "string"
properties.name.type = "string"
properties.files = { type = "array", items = { type = "string" } }
"#;

/// Whether components can be built here; says so if not.
fn has_target() -> bool {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", "wasm32-wasip2"]);
    let asked = finish(command, Vec::new(), Duration::from_secs(60));
    let there = asked.code == Some(0) && Path::new(asked.out().trim_end()).is_dir();
    if !there {
        skipped("building a component: run `rustup target add wasm32-wasip2` to have that tested");
    }
    there
}

/// Where the crate for tools is.
fn sdk() -> String {
    repository().join("guest-tools/sdk").display().to_string()
}

/// Runs a tool of the Rust toolchain, with this process's own environment.
fn toolchain(program: &str, args: &[&str], folder: &Path) -> Ran {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target"));
    // Flags for this workspace's own build mean nothing to a component.
    command.env_remove("RUSTFLAGS").env_remove("CARGO_BUILD_TARGET").env_remove("CARGO_ENCODED_RUSTFLAGS");
    finish(command, Vec::new(), BUILD_TIME_MAX)
}

#[test]
fn a_new_project_has_what_its_next_steps_need() {
    let machine = Machine::new();
    let made = machine.run(&["new", "my-tools", "--sdk", &sdk()]).ok();
    made.says(&["next:", "cd my-tools", "rustup target add wasm32-wasip2", "handbox pack", "handbox call"]);
    assert!(machine.read("my-tools/Cargo.toml").contains("name = \"my-tools\""));
    assert!(machine.read("my-tools/tool.toml").contains("name = \"my-tools\""));
    for name in ["src/lib.rs", "README.md", ".gitignore"] {
        assert!(machine.path("my-tools").join(name).is_file(), "{name}");
    }
    let made = machine.run(&["new", "other", "--dir", "some/where", "--json", "--sdk", &sdk()]).ok().json();
    assert_eq!(made["files"].as_array().map(Vec::len), Some(5));
    assert!(machine.path("some/where/src/lib.rs").is_file());
}

#[test]
fn a_project_is_made_only_of_a_good_name_in_an_empty_folder() {
    let machine = Machine::new();
    machine.file("taken/notes.txt", "precious");
    machine.run(&["new", "taken", "--sdk", &sdk()]).code(2).says(&["is there and not empty", "--dir"]);
    assert_eq!(std::fs::read_dir(machine.path("taken")).expect("a folder").count(), 1);
    for name in ["My-Tools", "1st", "../up"] {
        machine.run(&["new", name]).code(2).says(&["cannot be the name", "my-tools"]);
    }
    for name in ["fn", "std"] {
        machine.run(&["new", name]).code(2).says(&["cannot be the name", &format!("such as {name}-tools")]);
    }
    machine.run(&["new", "x", "--sdk", "taken"]).code(2).says(&["there is no crate handbox-tool", "guest-tools/sdk"]);
    machine
        .run(&["new", "x"])
        .code(2)
        .says(&["handbox-tool is not on crates.io yet", "hint: add --sdk CHECKOUT/guest"]);
    assert!(!machine.path("x").exists());
}

#[test]
fn a_new_project_builds_packs_and_is_called() {
    if !has_target() {
        return;
    }
    let machine = Machine::new();
    machine.run(&["new", "greeter", "--sdk", &sdk()]).ok();
    let folder = machine.path("greeter");
    // The versions that are in the repository's own lock, so that nothing has to be fetched.
    std::fs::copy(repository().join("guest-tools/Cargo.lock"), folder.join("Cargo.lock")).expect("a lock");
    toolchain("cargo", &["build", "--release", "--target", "wasm32-wasip2"], &folder).ok();
    let built = "greeter/target/wasm32-wasip2/release/greeter.wasm";
    machine.run(&["pack", built, "-o", "greeter.tool.wasm", "--manifest", "greeter/tool.toml"]).ok();
    let greet = machine.run(&["call", "./greeter.tool.wasm", "greet", r#"{"name":"you"}"#]).ok();
    assert_eq!(greet.out(), "Hello, you!\n");
    machine.file("three.txt", "a\nb\nc\n");
    let count = ["call", "./greeter.tool.wasm", "count_lines", "--path", "three.txt"];
    assert_eq!(machine.run(&count).ok().out(), "3\n");
    machine.run(&[&count[..], &["--no-dir"]].concat()).code(1).says(&["three.txt"]);
    machine.run(&["check", "./greeter.tool.wasm"]).ok();
}

#[test]
fn the_compiler_names_the_attribute_that_a_tool_lacks() {
    let machine = Machine::new();
    machine.run(&["new", "greeter", "--sdk", &sdk()]).ok();
    let folder = machine.path("greeter");
    std::fs::copy(repository().join("guest-tools/Cargo.lock"), folder.join("Cargo.lock")).expect("a lock");
    let said = |input: &str, place: &str, tool: &str, parameter: &str| {
        let source = format!(
            "{place} struct Place {{ city: String }}
             {input} struct Greet {{ at: Vec<Place> }}
             /// Greets.
             {tool} fn greet(greet: {parameter}) -> Result<String, handbox_tool::Fault> {{ Ok(greet.at[0].city.clone()) }}
             /// Meets.
             #[handbox_tool::tool] fn meet() -> Result<String, handbox_tool::Fault> {{ Ok(String::new()) }}
             handbox_tool::export!(greet, meet);"
        );
        std::fs::write(folder.join("src/lib.rs"), source).expect("a source");
        toolchain("cargo", &["check", "--offline"], &folder)
    };
    let (input, tool) = ("#[handbox_tool::input]", "#[handbox_tool::tool]");
    said(input, input, tool, "Greet").ok();
    said("", input, tool, "Greet").code(101).says(&["`#[handbox_tool::input]` is missing above `Greet`"]);
    said(input, "", tool, "Greet").code(101).says(&["has_input_attribute_above_its_type", "`Place: JsonSchema`"]);
    let unmarked = said(input, input, "", "Greet").code(101);
    assert!(!unmarked.err().contains("similar"), "another tool is proposed: {unmarked:?}");
    unmarked.says(&["found function `tool_attribute_missing_above_greet`"]);
    said(input, input, tool, "&Greet").code(101).says(&["take it by value, without the `&`"]);
}

#[test]
fn an_unmodified_command_line_program_becomes_a_tool() {
    if !has_target() {
        return;
    }
    let machine = Machine::new();
    machine.file("count.rs", COUNT);
    machine.file("count.toml", COUNT_TOML);
    let args = ["--edition=2024", "--target=wasm32-wasip2", "-O", "count.rs", "-o", "built.wasm"];
    toolchain("rustc", &args, &machine.path("")).ok();
    machine.run(&["pack", "built.wasm", "-o", "count.wasm", "-m", "count.toml"]).ok();
    let input = json!({ "text": "a\nb\n", "name": "x y", "files": ["$(c)", "d"] }).to_string();
    let answer = machine.run(&["call", "./count.wasm", "count", &input, "--json"]).ok().json();
    assert_eq!(answer["output"], "[\"-l\", \"--name\", \"x y\", \"$(c)\", \"d\"]: 2 lines\n");
    assert_eq!(answer["exit_code"], 0);
    let failed = machine.run(&["call", "./count.wasm", "count", r#"{"text":""}"#]).code(1);
    failed.says(&["nothing to count", "(exit status 1)"]);
}

#[test]
fn a_program_finds_relative_paths() {
    if !has_target() {
        return;
    }
    let machine = Machine::new();
    machine.file("t.txt", "one two\n");
    machine.file("cat.rs", CAT);
    let args = ["--edition=2024", "--target=wasm32-wasip2", "-O", "cat.rs", "-o", "cat.built.wasm"];
    toolchain("rustc", &args, &machine.path("")).ok();
    machine.file("cat.toml", CAT_TOML);
    machine.run(&["pack", "cat.built.wasm", "-o", "cat.wasm", "--manifest", "cat.toml"]).ok();
    for path in ["t.txt", "./t.txt", "/workspace/t.txt"] {
        assert_eq!(machine.run(&["call", "./cat.wasm", "cat", "--file", path]).ok().out(), "one two\n", "{path}");
    }
    let missing = machine.run(&["call", "./cat.wasm", "cat", "--file", "none.txt"]).code(1);
    assert!(missing.err().contains("none.txt") && !missing.err().contains("LANG"), "{missing:?}");
}

const CAT: &str = r#"fn main() {
    let path = std::env::args().nth(1).expect("a path");
    match std::fs::read_to_string(&path) {
        Ok(text) => print!("{text}"),
        Err(error) => {
            eprintln!("cat: {path}: {error}");
            std::process::exit(3);
        }
    }
}
"#;

const CAT_TOML: &str = r#"name = "cat"
version = "0.1.0"
[asks]
folders = [{ path = "*", mode = "ro" }]
env = ["LANG"]
[[commands]]
tool = "cat"
args = [{ property = "file" }]
[commands.schema]
type = "object"
properties.file.type = "string"
"#;
