//! See `tests/fuzz/scrub.rs`.
#![no_main]

#[path = "../../tests/scrub/invariant.rs"]
mod invariant;
#[path = "../../tests/scrub/readers.rs"]
mod readers;
#[path = "../../tests/fuzz/scrub.rs"]
mod scrub;
#[path = "../../tests/scrub/writers.rs"]
mod writers;

libfuzzer_sys::fuzz_target!(|text: &[u8]| scrub::check(text));
