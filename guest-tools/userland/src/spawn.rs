//! Starts programs: over `handbox:process` in a component.

#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(target_os = "wasi")]
mod sandbox;

#[cfg(not(target_os = "wasi"))]
use native as system;
#[cfg(target_os = "wasi")]
use sandbox as system;

use std::ffi::OsString;
pub(crate) use system::{Child, programs};

/// What a program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// What this one reads.
    Own,
    Empty,
    /// What is written to [`Child::take_stdin`].
    Write,
}

/// Where a program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stdout {
    /// Where this one writes.
    Own,
    /// What [`Child::take_stdout`] reads.
    Read,
}

/// Why a program was not started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    NotFound,
    Other(String),
}

impl Refused {
    /// What a shell says and which status it gives.
    pub(crate) fn explain(&self, program: &str) -> (String, u8) {
        match self {
            Self::NotFound => (format!("{program}: No such file or directory"), 127),
            Self::Other(reason) => (format!("{program}: {reason}"), 126),
        }
    }
}

/// Starts a program by its name; the environment is this one's, unless another is given.
pub(crate) fn start(
    command: &[OsString],
    environment: Option<Vec<(OsString, OsString)>>,
    stdin: Stdin,
    stdout: Stdout,
) -> Result<Child, Refused> {
    system::start(command, environment, stdin, stdout)
}

/// Starts a shell with this command. What is wrong in words.
pub(crate) fn start_shell(command: &str, stdin: Stdin, stdout: Stdout) -> Result<Child, String> {
    let command: Vec<OsString> = ["sh", "-c", command].iter().map(OsString::from).collect();
    start(&command, None, stdin, stdout).map_err(|refused| refused.explain("sh").0)
}
