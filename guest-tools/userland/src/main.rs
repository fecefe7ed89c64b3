//! The programs of a Unix userland: which one runs is the name that it is started by.

#[cfg(target_os = "wasi")]
mod taken;

use handbox_userland::Nameless;
use std::ffi::OsString;
use std::path::Path;
#[cfg(not(target_os = "wasi"))]
use std::process::ExitCode;

/// What a shell gives for a program that wrote to nobody, and for one that gave up.
const WITHOUT_READER: u8 = 141;
const ABORTED: u8 = 134;

#[cfg(not(target_os = "wasi"))]
fn main() -> ExitCode {
    ExitCode::from(run())
}

/// Ends with the very status: the plain end of a component says only whether all was well.
#[cfg(target_os = "wasi")]
fn main() {
    let status = if enter_working_directory() { run() } else { 1 };
    // What is still buffered goes first; nobody is left to be told that it cannot.
    let _ = std::io::Write::flush(&mut std::io::stdout());
    wasip2::cli::exit::exit_with_code(status);
}

fn run() -> u8 {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    // Under its own name it is told the program's, behind a `--` where one is needed.
    if name_of(&args).ends_with("userland") {
        let named = if args.get(1).is_some_and(|arg| arg == "--") { 2 } else { 1 };
        args.drain(..named.min(args.len()));
    }
    let name = name_of(&args);
    say_it_plainly(name.clone());
    let found = [handbox_userland::without_dots, handbox_userland::without_nameless].map(|take| take(&name, &mut args));
    let least = found.iter().map(|found| match found {
        Nameless::None => 0,
        Nameless::Some(status) | Nameless::Only(status) => *status,
    });
    let least = least.max().unwrap_or(0);
    if found.iter().any(|found| matches!(found, Nameless::Only(_))) { least } else { start(&name, args).max(least) }
}

/// What a program of others does that cannot go on, as one that cannot write what it prints: it says so in its user's
/// words, and ends.
fn say_it_plainly(name: String) {
    std::panic::set_hook(Box::new(move |info| {
        let payload = info.payload();
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
        let lost = text.strip_prefix("failed printing to stdout: ");
        let status = match lost.map(|lost| lost.rfind(" (os error ").map_or(lost, |at| &lost[..at])) {
            // Whoever read this has seen enough.
            Some("Broken pipe") => WITHOUT_READER,
            Some(reason) => {
                eprintln!("{name}: write error: {reason}");
                1
            }
            None => {
                eprintln!("{name}: internal error: {text}");
                ABORTED
            }
        };
        end(status);
    }));
}

#[cfg(not(target_os = "wasi"))]
fn end(status: u8) {
    std::process::exit(i32::from(status));
}

#[cfg(target_os = "wasi")]
fn end(status: u8) {
    wasip2::cli::exit::exit_with_code(status);
}

fn start(name: &str, args: Vec<OsString>) -> u8 {
    if let Some(status) = handbox_userland::run(name, &args) {
        return status;
    }
    #[cfg(target_os = "wasi")]
    if let Some(status) = taken::run(name, args) {
        return u8::try_from(status).unwrap_or(1);
    }
    eprintln!("userland: no program is called {name:?}");
    127
}

/// The file name part of what the program was started by.
fn name_of(args: &[OsString]) -> String {
    let first = args.first().map(Path::new).and_then(Path::file_name);
    first.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A component has no working directory but what it is told in `PWD`.
#[cfg(target_os = "wasi")]
fn enter_working_directory() -> bool {
    let Some(folder) = std::env::var_os("PWD") else { return true };
    let entered = std::env::set_current_dir(&folder);
    if entered.is_err() {
        // Elsewhere, the same words would mean other files.
        let args: Vec<OsString> = std::env::args_os().collect();
        eprintln!("{}: the working folder {} is gone", name_of(&args), folder.to_string_lossy());
    }
    entered.is_ok()
}
