//! The programs of a Unix userland: which one runs is the name that it is started by.

#[cfg(target_os = "wasi")]
mod taken;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(target_os = "wasi")]
    enter_working_directory();
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if name_of(&args) == "userland" {
        args.remove(0);
    }
    let name = name_of(&args);
    #[cfg(target_os = "wasi")]
    if let Some(status) = taken::run(&name, args.clone()) {
        return ExitCode::from(u8::try_from(status).unwrap_or(1));
    }
    eprintln!("userland: no program is called {name:?}");
    ExitCode::from(127)
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
