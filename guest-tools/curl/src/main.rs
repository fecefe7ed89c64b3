//! `curl`, as far as the host lets requests out.
//!
//! Nothing here opens a connection or knows a credential: each request, also each that a redirect leads to, is one
//! decision of the host.

#![cfg_attr(
    not(any(test, target_os = "wasi")),
    expect(dead_code, reason = "outside a component there is no host, and so nothing to send or to go wrong")
)]

mod address;
mod cookies;
mod data;
mod failure;
mod flags;
mod form;
mod glob;
mod head;
mod options;
mod output;
mod request;
mod retry;
mod run;
mod setting;
mod transfer;
mod wire;
mod write_out;

#[cfg(test)]
mod canned;

use std::io;
#[cfg(not(target_os = "wasi"))]
use std::process::ExitCode;

#[cfg(not(target_os = "wasi"))]
fn main() -> ExitCode {
    ExitCode::from(start())
}

/// Ends with the very status: the plain end of a component says only whether all was well.
#[cfg(target_os = "wasi")]
fn main() {
    enter_working_directory();
    let status = start();
    // What is still buffered goes first; nobody is left to be told that it cannot.
    let _ = io::Write::flush(&mut io::stdout());
    wasip2::cli::exit::exit_with_code(status);
}

fn start() -> u8 {
    let args: Vec<String> = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let (mut out, mut err) = (io::stdout(), io::stderr());
    run::run(&args, &wire::Network, &mut run::Streams { out: &mut out, err: &mut err })
}

/// A component has no working directory but what it is told in `PWD`.
#[cfg(target_os = "wasi")]
fn enter_working_directory() {
    if let Some(folder) = std::env::var_os("PWD") {
        // Where there is no such folder, paths are looked up from the first one given.
        let _ = std::env::set_current_dir(folder);
    }
}
