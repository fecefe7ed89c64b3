//! Cuts the power of a real file system under the session log and under the write patterns of others, and counts which
//! acknowledged events are gone.
//!
//! A trial: a file holds an ext4 file system, reached through a loop device with direct I/O, so that the file is what a
//! disk would hold, without the page cache. A child appends there and says on its standard output what was acknowledged.
//! At a random moment the child gets SIGKILL and the file is copied as it is; the copy is mounted, which replays ext4's
//! journal, and opened. This never writes to a device or a mount that it did not make.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that is started by hand")]

mod arguments;
mod child;
mod command;
mod disk;
mod event;
mod needs;
mod pattern;
mod patterns;
mod table;
mod trial;
mod trials;

use arguments::{Arguments, Role};
use std::process::ExitCode;

/// This machine cannot do it: what test runners take for "skipped".
const EXIT_MISSING: u8 = 77;
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error:#}\n\n{}", arguments::USAGE);
            return ExitCode::from(EXIT_USAGE);
        }
    };
    let done = match &arguments.role {
        Role::Outer => return outer(),
        Role::Inner => trials::run(&arguments),
        Role::Write { pattern, folder } => child::write(pattern, folder).map(|()| ExitCode::SUCCESS),
        Role::Count { pattern, folder } => child::count(pattern, folder).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

/// Starts this again where its mounts are its own: they end with it, even if it is killed.
fn outer() -> ExitCode {
    let missing = needs::missing();
    if !missing.is_empty() {
        return say_missing(&missing);
    }
    let inner = needs::apart().and_then(|mut apart| {
        apart.arg(std::env::current_exe()?).arg(arguments::INNER).args(std::env::args_os().skip(1)).status()
    });
    match inner.map(|status| status.code()) {
        Ok(Some(code)) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("starting it again with mounts of its own: {error}");
            ExitCode::FAILURE
        }
    }
}

fn say_missing(missing: &[String]) -> ExitCode {
    eprintln!("!! NOT RUN: this machine cannot cut the power of a file system. It lacks");
    for what in missing {
        eprintln!("!!   - {what}");
    }
    ExitCode::from(EXIT_MISSING)
}
