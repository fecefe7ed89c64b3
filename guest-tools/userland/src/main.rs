//! The programs of a Unix userland: which one runs is the name that it is started by.

#[cfg(target_os = "wasi")]
mod taken;

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
    enter_working_directory();
    let status = run();
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
    if let Some(status) = handbox_userland::run(&name, &args) {
        return status;
    }
    #[cfg(target_os = "wasi")]
    if let Some(status) = taken::run(&name, args) {
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
fn enter_working_directory() {
    if let Some(folder) = std::env::var_os("PWD") {
        // Where there is no such folder, paths are looked up from the first one given.
        let _ = std::env::set_current_dir(folder);
    }
}
