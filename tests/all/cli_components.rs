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

/// A component whose tool `take` has the input `limit`.
pub(crate) fn limited() -> Vec<u8> {
    assemble(LIMITED)
}

/// The same, whose input is called `data`.
pub(crate) fn data() -> Vec<u8> {
    assemble(&LIMITED.replace("limit", "data"))
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
