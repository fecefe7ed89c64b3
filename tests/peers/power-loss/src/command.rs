//! Other programs, each with a deadline.

use anyhow::{Context, Result, bail, ensure};
use std::io::{Read, Seek};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The longest that a program may take. The slowest copies or mounts a file system of a gigabyte.
const TIME_MAX: Duration = Duration::from_secs(120);

/// Runs it to its end, and gives what it printed.
///
/// # Errors
///
/// What it said, if it fails; and if it takes too long.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let (status, printed, said) = finish(&mut command)?;
    ensure!(status.success(), "{program} {}: {status}: {}", arguments.join(" "), said.trim());
    Ok(printed)
}

/// Runs it to its end, whatever that is, and gives what it printed and what it said.
pub(crate) fn finish(command: &mut Command) -> Result<(ExitStatus, String, String)> {
    // Files, because nobody empties a pipe while this waits.
    let (mut printed, mut said) = (tempfile::tempfile()?, tempfile::tempfile()?);
    command.stdin(Stdio::null()).stdout(printed.try_clone()?).stderr(said.try_clone()?);
    let mut child = command.spawn().with_context(|| format!("starting {command:?}"))?;
    let status = wait(&mut child)?;
    let mut texts = (String::new(), String::new());
    printed.rewind()?;
    printed.read_to_string(&mut texts.0)?;
    said.rewind()?;
    said.read_to_string(&mut texts.1)?;
    Ok((status, texts.0, texts.1))
}

fn wait(child: &mut Child) -> Result<ExitStatus> {
    let until = Instant::now() + TIME_MAX;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() > until {
            child.kill()?;
            child.wait()?;
            bail!("a program took more than {} s", TIME_MAX.as_secs());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
