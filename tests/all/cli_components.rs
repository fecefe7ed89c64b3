//! Components small enough to be written by hand.

use handbox_tests::Machine;

/// Adds, or crashes: each exported function becomes a tool.
const ADDER: &str = r#"(component
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "crash") (unreachable)))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "crash") (canon lift (core func $i "crash"))))"#;

/// Adds; and makes things that JSON cannot hold.
const MAKER: &str = r#"(component
  (type $thing' (resource (rep i32)))
  (export $thing "thing" (type $thing'))
  (core module $m
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "make") (result i32) (unreachable)))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "make") (result (own $thing)) (canon lift (core func $i "make"))))"#;

/// Gives back its input, which is called as a flag of `handbox call`.
const LIMITED: &str = r#"(component
  (core module $m (func (export "take") (param i32) (result i32) (local.get 0)))
  (core instance $i (instantiate $m))
  (func (export "take") (param "limit" u32) (result u32) (canon lift (core func $i "take"))))"#;

/// Gives its whole environment.
const ENV: &str = r#"(component
  (import "wasi:cli/environment@0.2.0" (instance $env
    (export "get-environment" (func (result (list (tuple string string)))))))
  (core module $libc
    (memory (export "memory") 2)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 7)) (i32.const -8)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (core func $get
    (canon lower (func $env "get-environment") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "host" "get" (func $get (param i32)))
    (func (export "env") (result i32) (call $get (i32.const 16)) (i32.const 16)))
  (core instance $m (instantiate $m (with "host" (instance (export "get" (func $get))))))
  (func (export "env") (result (list (tuple string string)))
    (canon lift (core func $m "env") (memory (core memory $libc "memory")))))"#;

/// Fails with a text, whatever path it is given.
const FAILING: &str = r#"(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 16) "\01\00\00\00\40\00\00\00LENGTH\00\00\00")
    (data (i32.const 64) "TEXT")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "fail") (param i32 i32) (result i32) (i32.const 16)))
  (core instance $i (instantiate $m))
  (func (export "fail") (param "path" string) (result (result (error string)))
    (canon lift (core func $i "fail") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#;

/// Prints a text, as a panic does, and traps.
const PANICKING: &str = r#"(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error'))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer 1 $error' (type $outer))
    (export "error" (type $e (eq $outer)))
    (export "output-stream" (type $out (sub resource)))
    (type $failed' (variant (case "last-operation-failed" (own $e)) (case "closed")))
    (export "stream-error" (type $failed (eq $failed')))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $failed)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $stream (type $outer))
    (export "output-stream" (type $out (eq $outer)))
    (export "get-stderr" (func (result (own $out))))))
  (core module $libc
    (memory (export "memory") 1)
    (data (i32.const 64) "TEXT")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $libc (instantiate $libc))
  (core func $get (canon lower (func $stderr "get-stderr")))
  (core func $print (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $libc "memory"))))
  (core module $m
    (import "host" "get" (func $get (result i32)))
    (import "host" "print" (func $print (param i32 i32 i32 i32)))
    (func (export "fail") (param i32 i32) (result i32)
      (call $print (call $get) (i32.const 64) (i32.const LENGTH) (i32.const 16))
      (unreachable)))
  (core instance $m (instantiate $m
    (with "host" (instance (export "get" (func $get)) (export "print" (func $print))))))
  (func (export "fail") (param "path" string) (result u32)
    (canon lift (core func $m "fail") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))"#;

/// Takes a list of texts and one of two words, and gives 0.
const CHOOSER: &str = r#"(component
  (type $kind' (enum "long" "short"))
  (export $kind "kind" (type $kind'))
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "take") (param i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "take") (param "tags" (list string)) (param "kind" $kind) (result u32)
    (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#;

/// Packs a component that fails with `text`, with what is asked for. Its tool `fail` takes a path.
pub(crate) fn failing(machine: &Machine, text: &str, asks: &str) -> String {
    let wat = FAILING.replace("TEXT", text).replace("LENGTH", &format!("\\{:02x}", text.len()));
    machine.file("failing.built.wasm", assemble(&wat));
    machine.file("failing.toml", format!("name = \"failing\"\nversion = \"0.1.0\"\n[asks]\n{asks}\n"));
    machine.run(&["pack", "failing.built.wasm", "-o", "failing.wasm", "--manifest", "failing.toml"]).ok();
    "./failing.wasm".to_owned()
}

/// Packs a component whose tool `fail`, which takes a path, panics with `text`.
pub(crate) fn panicking(machine: &Machine, text: &str) -> String {
    let printed = format!("thread 'main' panicked at src/lib.rs:8:5:\n{text}\nnote: run with `RUST_BACKTRACE=1`\n");
    let escaped = printed.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let wat = PANICKING.replace("TEXT", &escaped).replace("LENGTH", &printed.len().to_string());
    machine.file("panicking.built.wasm", assemble(&wat));
    let asks = "[asks]\nfolders = [{ path = \"*\", mode = \"rw\" }]\n";
    machine.file("panicking.toml", format!("name = \"panicking\"\nversion = \"0.1.0\"\n{asks}"));
    machine.run(&["pack", "panicking.built.wasm", "-o", "panicking.wasm", "--manifest", "panicking.toml"]).ok();
    "./panicking.wasm".to_owned()
}

/// A packed component whose tool `take` takes `tags` and a `kind`.
pub(crate) fn chooser(machine: &Machine) -> String {
    machine.file("chooser.built.wasm", assemble(CHOOSER));
    machine.run(&["pack", "chooser.built.wasm", "-o", "chooser.wasm"]).ok();
    "./chooser.wasm".to_owned()
}

/// A component whose tool `take` has one input of this name.
pub(crate) fn taking(name: &str) -> Vec<u8> {
    assemble(&LIMITED.replace("limit", name))
}

fn assemble(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A component whose functions are reflected: `add` and `crash`.
pub(crate) fn adder() -> Vec<u8> {
    assemble(ADDER)
}

/// A component of which only `add` can be a tool: `make` gives a resource.
pub(crate) fn maker() -> Vec<u8> {
    assemble(MAKER)
}

/// A command-line program that prints nothing and exits with 0 or 1.
pub(crate) fn program(status: u8) -> Vec<u8> {
    assemble(&format!(
        r#"(component
          (core module $m (func (export "run") (result i32) (i32.const {status})))
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (instance $run (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $run)))"#
    ))
}

/// A packed component with the tool `env`, which gives all values that it was granted.
pub(crate) fn packed_env(machine: &Machine) -> String {
    machine.file("env.built.wasm", assemble(ENV));
    machine.file("env.toml", "name = \"env\"\nversion = \"0.1.0\"\n[asks]\nenv = [\"*\"]\n");
    machine.run(&["pack", "env.built.wasm", "-o", "env.wasm", "--manifest", "env.toml"]).ok();
    "./env.wasm".to_owned()
}
