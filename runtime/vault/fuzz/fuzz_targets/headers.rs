//! See `tests/fuzz/headers.rs`.
#![no_main]

#[path = "../../tests/fuzz/headers.rs"]
mod headers;

libfuzzer_sys::fuzz_target!(|text: &[u8]| headers::check(text));
