//! Measures Handbox beside its peers, in turns, in one process: what counts is the ratio.
//!
//! Never a test: it passes no verdict on a machine, it prints what it found.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints")]

mod extism;
mod guests;
mod handbox;
mod timing;

use std::process::ExitCode;

/// Prints what it measured.
type Comparison = fn() -> anyhow::Result<()>;

/// Every comparison, by the name that runs it.
const COMPARISONS: &[(&str, Comparison)] = &[("extism", extism::compare)];

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if let Some(name) = names.iter().find(|name| COMPARISONS.iter().all(|(known, _)| known != name)) {
        let known: Vec<&str> = COMPARISONS.iter().map(|(name, _)| *name).collect();
        eprintln!("no comparison is called {name:?}; there is: {}", known.join(", "));
        return ExitCode::from(2);
    }
    for (name, compare) in COMPARISONS {
        if names.is_empty() || names.iter().any(|chosen| chosen == name) {
            if let Err(error) = compare() {
                eprintln!("{name}: {error:#}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
