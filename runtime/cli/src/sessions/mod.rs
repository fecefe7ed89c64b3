//! `handbox sessions`: what agents did, kept for good.

mod change;
mod events;
mod line;
mod list;
mod project;
mod show;

use crate::args::Global;
use crate::failure::Failure;
use crate::paths::Paths;
use handbox_session::Seq;
use std::process::ExitCode;

/// List sessions, look into them, fork and remove them.
///
/// A session is the log of everything that happened to one agent: what it was told, what the model
/// said, which tools ran and what came of it. It is only ever added to. An id may be cut
/// to its beginning where that fits one session only.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox sessions
  handbox sessions show sesn_1Ch
  handbox sessions events sesn_1Ch --last 20 --follow
  handbox sessions fork sesn_1Ch --at 7")]
pub(crate) struct Sessions {
    #[command(flatten)]
    list: list::List,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List sessions, the newest first
    List(list::List),
    Show(show::Show),
    Events(events::Events),
    Fork(change::Fork),
    Rm(change::Rm),
}

pub(crate) fn run(global: &Global, command: Sessions) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let verb = match command.verb {
        None => Verb::List(command.list),
        Some(_) if !command.list.is_plain() => {
            return Err(Failure::usage("--limit and --before belong to `list`")
                .hint("write them behind the word `list`, or without any"));
        }
        Some(verb) => verb,
    };
    match &verb {
        Verb::List(command) => list::run(global, &paths, command),
        Verb::Show(command) => show::run(global, &paths, command),
        Verb::Events(command) => events::run(global, &paths, command),
        Verb::Fork(command) => change::fork(global, &paths, command),
        Verb::Rm(command) => change::rm(global, &paths, command),
    }
}

/// A number of things, as it is typed.
fn count(text: &str) -> Result<u64, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| "write a whole number from 1 on".to_owned())
}

/// A place, as it is typed.
fn place(text: &str) -> Result<Seq, String> {
    let place = text.parse().ok().and_then(Seq::new);
    place.ok_or_else(|| "a place is a whole number from 1 on".to_owned())
}
