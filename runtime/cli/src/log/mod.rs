//! `handbox log`: sessions as bytes that can be checked, taken out and taken in.

mod chain;
mod engine;
mod export;
mod forks;
mod health;
mod import;
pub(crate) mod open;
mod overlay;
mod verify;

pub(crate) use forks::of as forks_of;
pub(crate) use health::findings;

use crate::args::Global;
use crate::failure::Failure;
use crate::paths::Paths;
use std::process::ExitCode;

/// Check the session log, and copy sessions out of it and into it.
///
/// All sessions lie in one file, `sessions.redb` in the data folder. Every event is chained to
/// the one before it by a hash, so a changed, missing or moved event is found.
#[derive(clap::Args)]
pub(crate) struct LogArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    Verify(verify::Verify),
    Export(export::Export),
    Import(import::Import),
    Engine(engine::Engine),
}

pub(crate) fn run(global: &Global, command: &LogArgs) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    match &command.verb {
        Verb::Verify(command) => verify::run(global, &paths, command),
        Verb::Export(command) => export::run(global, &paths, command),
        Verb::Import(command) => import::run(global, &paths, command).map_err(|failure| forks::named(&paths, failure)),
        Verb::Engine(command) => engine::run(command),
    }
}
