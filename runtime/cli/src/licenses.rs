//! `handbox licenses`: the terms of everything inside this program.

use crate::args::Global;
use crate::failure::Failure;
use crate::output;
use serde_json::json;
use std::process::ExitCode;

/// Written by `.ci/licenses.py` from the lock files.
const TEXT: &str = include_str!("../LICENSES.txt");

/// Print the licences of everything inside this program.
///
/// First the packages with their versions, licences and copyright lines, then each licence
/// text once.
#[derive(clap::Args)]
pub(crate) struct Licenses {}

pub(crate) fn run(global: &Global, _: &Licenses) -> Result<ExitCode, Failure> {
    if global.json {
        output::json_line(&json!({ "text": TEXT }));
    } else {
        output::data(TEXT);
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::TEXT;

    #[test]
    fn the_engine_the_guests_and_the_texts_are_listed() {
        for part in
            ["\nwasmtime 48", "built-in components", "\ngrep-searcher ", "wasi-libc", "Apache License", "\n[1]\n"]
        {
            assert!(TEXT.contains(part), "{part}");
        }
    }
}
