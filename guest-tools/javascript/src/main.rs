//! A JavaScript interpreter that answers as Node does: `node script.js`, `node -e`, `node -p`, `node -`.
//!
//! The engine is boa; what Node adds to the language is text of our own in `js/`, over the few functions of the system in
//! `host/`. Never opens a socket, and natively (which is only for tests) starts no program but those a script names.

mod depth;
mod engine;
mod host;
mod jobs;
mod modules;
mod options;

use std::process::ExitCode;

#[cfg(not(target_os = "wasi"))]
fn main() -> ExitCode {
    ExitCode::from(run())
}

/// Ends with the very status: the plain end of a component says only whether all was well.
#[cfg(target_os = "wasi")]
fn main() -> ExitCode {
    depth::watch();
    // A component has no working directory but what it is told in `PWD`.
    if let Some(folder) = std::env::var_os("PWD")
        && std::env::set_current_dir(&folder).is_err()
    {
        // Elsewhere, the same paths would mean other files.
        eprintln!("node: the working folder {} is gone", folder.to_string_lossy());
        leave(1);
    }
    leave(run())
}

fn run() -> u8 {
    let args: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    match options::parse(&args) {
        options::Parsed::Run(options) => {
            let status = engine::run(options);
            host::output::flush();
            status
        }
        options::Parsed::Say(text) => {
            print!("{text}");
            0
        }
        options::Parsed::Refuse(text) => {
            eprintln!("node: {text}");
            9
        }
    }
}

/// Leaves at once, with all that was written.
fn leave(status: u8) -> ! {
    host::output::flush();
    #[cfg(target_os = "wasi")]
    wasip2::cli::exit::exit_with_code(status);
    std::process::exit(i32::from(status))
}
