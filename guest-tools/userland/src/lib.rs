//! The programs of a userland that are our own. Each prints as the Unix program of its
//! name does, and gives its status.
//!
//! Never starts a program of the host: natively, for the tests, it starts itself.

mod about;
pub mod adapt;
mod awk;
mod bc;
mod calendar;
mod copy;
mod find;
mod grep;
mod help;
mod inside;
mod listing;
mod ls;
mod mode;
mod nameless;
mod options;
mod output;
mod pack;
mod patch;
mod pattern;
mod quote;
mod rg;
mod sed;
mod size;
mod small;
mod spawn;
mod stdin;
mod when;
mod xargs;

pub use nameless::{Nameless, without_dots, without_nameless};
use std::ffi::OsString;
use std::io::{Read, Write};

/// The contract of processes and of permission bits.
#[cfg(target_os = "wasi")]
mod contract {
    wit_bindgen::generate!({ path: "wit/process", world: "starts-programs", generate_all });
}

/// Runs a program of our own: its name, and its arguments, the first of which is its name
/// as it was called. Its status; None if there is none of this name.
pub fn run(name: &str, args: &[OsString]) -> Option<u8> {
    let status = help::answered(name, args).or_else(|| started(name, args))?;
    Some(output::finish(name, status))
}

fn started(name: &str, args: &[OsString]) -> Option<u8> {
    let program: fn(&[OsString]) -> u8 = match name {
        "awk" | "gawk" | "mawk" | "nawk" => awk::run,
        "bc" => bc::run,
        "cp" => copy::cp,
        "find" => find::run,
        "grep" | "egrep" | "fgrep" => grep::run,
        "install" => copy::install,
        "ls" | "dir" | "vdir" => ls::run,
        "mv" => return copy::mv(args),
        "patch" => patch::run,
        "rg" => rg::run,
        "sed" => sed::run,
        "xargs" => xargs::run,
        _ => return pack::run(name, args).or_else(|| small::run(name, args)),
    };
    Some(program(args))
}

/// Says on standard error what is wrong, as `program: text`.
fn report(program: &str, text: &str) {
    // Where that is closed, nobody is told.
    let _ = writeln!(std::io::stderr(), "{program}: {text}");
    output::said(text);
}

/// Says that a program could not write what it printed, and why: its status then. To one that has seen enough nothing is said.
pub fn report_loss(program: &str, error: &std::io::Error) -> u8 {
    if error.kind() != std::io::ErrorKind::BrokenPipe {
        report(program, &format!("write error: {}", reason(error)));
    }
    1
}

/// Writes to standard output. False if that failed.
fn print(bytes: &[u8]) -> bool {
    let mut out = output::stdout();
    out.write_all(bytes).and_then(|()| out.flush()).is_ok()
}

/// `EILSEQ` of wasi-libc.
const ILLEGAL_BYTES: i32 = 25;

/// An error in the words of a Unix program: without the number that Rust adds.
fn reason(error: &std::io::Error) -> String {
    if cfg!(target_os = "wasi") && error.raw_os_error() == Some(ILLEGAL_BYTES) {
        return "a name in it is not Unicode, and what has it is left out".to_owned();
    }
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// Opens a file for reading. What is wrong in words.
fn open(path: &str) -> Result<std::fs::File, String> {
    let file = std::fs::File::open(path).map_err(|error| reason(&error))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err("Is a directory".to_owned());
    }
    Ok(file)
}

/// Reads a file, or standard input for `-`. What is wrong in words.
fn read(path: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = if path == "-" || path == "/dev/stdin" {
        std::io::stdin().read_to_end(&mut bytes)
    } else {
        open(path)?.read_to_end(&mut bytes)
    };
    read.map_err(|error| reason(&error))?;
    Ok(bytes)
}
