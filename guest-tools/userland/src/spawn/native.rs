//! Natively, which is only for tests.

use super::{Refused, Stdin, Stdout};
use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A program that was started.
pub(crate) struct Child(std::process::Child);

impl Child {
    pub(crate) fn take_stdin(&mut self) -> Option<Box<dyn Write>> {
        self.0.stdin.take().map(|stdin| Box::new(stdin) as Box<dyn Write>)
    }

    pub(crate) fn take_stdout(&mut self) -> Option<Box<dyn Read>> {
        self.0.stdout.take().map(|stdout| Box::new(stdout) as Box<dyn Read>)
    }

    /// Waits for its end: its status, or what a shell gives for the signal that ended it.
    pub(crate) fn wait(mut self) -> i32 {
        self.0.wait().ok().and_then(|status| status.code()).unwrap_or(137)
    }

    /// As [`Child::wait`]; None if it lives on after so long.
    pub(crate) fn wait_for(&mut self, time: Duration) -> Option<i32> {
        let step = Duration::from_millis(5);
        let mut left = time;
        loop {
            if let Ok(Some(status)) = self.0.try_wait() {
                return Some(status.code().unwrap_or(137));
            }
            if left.is_zero() {
                return None;
            }
            std::thread::sleep(step.min(left));
            left = left.saturating_sub(step);
        }
    }

    /// Ends it.
    pub(crate) fn kill(&mut self, _signal: u8) {
        let _ = self.0.kill();
    }
}

pub(super) fn start(
    command: &[OsString],
    environment: Option<Vec<(OsString, OsString)>>,
    stdin: Stdin,
    stdout: Stdout,
) -> Result<Child, Refused> {
    let mut native = Command::new(&command[0]);
    native.args(&command[1..]);
    if let Some(environment) = environment {
        native.env_clear().envs(environment);
    }
    native.stdin(match stdin {
        Stdin::Own => Stdio::inherit(),
        Stdin::Empty => Stdio::null(),
        Stdin::Write => Stdio::piped(),
    });
    native.stdout(match stdout {
        Stdout::Own => Stdio::inherit(),
        Stdout::Read => Stdio::piped(),
    });
    native.spawn().map(Child).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Refused::NotFound,
        _ => Refused::Other(crate::reason(&error)),
    })
}

/// The programs that can be started.
pub(crate) fn programs() -> Vec<String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let entries =
        std::env::split_paths(&folders).filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
