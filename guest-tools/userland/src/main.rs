//! The programs of a Unix userland: which one runs is the name that it is started by.

#[cfg(target_os = "wasi")]
mod taken;

use handbox_userland::Nameless;
use std::ffi::OsString;
use std::path::Path;
#[cfg(not(target_os = "wasi"))]
use std::process::ExitCode;

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
    match handbox_userland::without_nameless(&name, &mut args) {
        Nameless::None => start(&name, args),
        Nameless::Some(status) => start(&name, args).max(status),
        Nameless::Only(status) => status,
    }
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
