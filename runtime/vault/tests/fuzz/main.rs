//! A short run of the fuzz targets: every text of `tests/corpus`, and some thousand that are made of those at random.
//!
//! The same functions are fuzzed for as long as one likes, see `fuzz/Cargo.toml`.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "where a helper cannot go on, the test has failed"
)]

mod guard;
mod headers;
#[path = "../scrub/invariant.rs"]
mod invariant;
#[path = "../scrub/readers.rs"]
mod readers;
mod scrub;
mod short;
#[path = "../scrub/writers.rs"]
mod writers;

#[test]
fn guard_and_connector_read_a_url_in_one_way() {
    short::run("guard", 20_000, guard::check);
}

#[test]
fn only_headers_that_are_a_guests_to_set_reach_the_wire() {
    short::run("headers", 4_000, headers::check);
}

#[test]
fn no_encoding_of_a_secret_survives_any_chunking() {
    short::run("scrub", 1_000, scrub::check);
}
