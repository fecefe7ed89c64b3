//! See `tests/fuzz/guard.rs`.
#![no_main]

#[path = "../../tests/fuzz/guard.rs"]
mod guard;

libfuzzer_sys::fuzz_target!(|text: &[u8]| guard::check(text));
