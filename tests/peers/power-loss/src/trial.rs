//! One cut of the power.

use crate::arguments::{COUNT, WRITE};
use crate::child::{GO, READY};
use crate::command;
use crate::disk::Disk;
use crate::event::Name;
use crate::pattern::Pattern;
use anyhow::{Context, Result, ensure};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The longest that a writer may take to open its store.
const READY_TIME_MAX: Duration = Duration::from_secs(60);

/// What became of what was acknowledged.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) acknowledged: u64,
    /// Missing in the file system that went on: what a test with SIGKILL alone sees.
    pub(crate) lost_by_kill: u64,
    /// Missing in the copy: what the loss of power takes.
    pub(crate) lost: u64,
    /// Why the copy could not be opened, or what in it is not what was written. All is lost then.
    pub(crate) damage: Option<String>,
    /// Copies that were made in vain.
    pub(crate) vain: u64,
}

/// Lets a pattern write on a new file system, and cuts the power after this time.
pub(crate) fn run(pattern: &Pattern, folder: &Path, number: u64, time: Duration) -> Result<Outcome> {
    let disk = Disk::make(folder, &format!("disk-{number}"))?;
    let acknowledged = write(pattern, &disk, time)?;
    let copy = folder.join(format!("copy-{number}"));
    let vain = disk.copy(&copy)?;
    let (lost_by_kill, _) = missing(pattern, disk.folder(), &acknowledged)?;
    disk.remove()?;
    let disk = Disk::mount(&copy).context("the file system after the cut")?;
    let (lost, damage) = missing(pattern, disk.folder(), &acknowledged)?;
    disk.remove()?;
    Ok(Outcome { acknowledged: acknowledged.len() as u64, lost_by_kill, lost, damage, vain })
}

fn this(role: &str, pattern: &Pattern, folder: &Path) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(role).arg(pattern.name).arg(folder);
    Ok(command)
}

/// Starts a writer, kills it after this time, and gives what it acknowledged.
fn write(pattern: &Pattern, disk: &Disk, time: Duration) -> Result<HashSet<Name>> {
    let mut writer = this(WRITE, pattern, disk.folder())?;
    let mut writer = Running(writer.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?);
    let out = writer.0.stdout.take().context("its standard output")?;
    let mut input = writer.0.stdin.take().context("its standard input")?;
    let (ready, is_ready) = mpsc::channel();
    let listener = std::thread::spawn(move || listen(out, &ready));
    is_ready.recv_timeout(READY_TIME_MAX).context("the writer did not get ready")?;
    // What prepared the store was long ago, for a store in use; only what comes now is at stake.
    disk.sync()?;
    writeln!(input, "{GO}")?;
    std::thread::sleep(time);
    writer.0.kill()?;
    let status = writer.0.wait()?;
    ensure!(status.code().is_none(), "the writer ended by itself, with {status}");
    listener.join().map_err(|_| anyhow::anyhow!("the listener panicked"))?
}

/// Hears what a writer acknowledges, to the end. A line that has no end was not said.
fn listen(out: impl Read, ready: &mpsc::Sender<()>) -> Result<HashSet<Name>> {
    let (mut out, mut line, mut names) = (BufReader::new(out), String::new(), HashSet::new());
    while out.read_line(&mut line)? > 0 {
        match line.strip_suffix('\n') {
            Some(READY) => ready.send(())?,
            Some(name) => ensure!(names.insert(name.parse()?), "{name} was acknowledged twice"),
            None => {}
        }
        line.clear();
    }
    Ok(names)
}

/// How many of these are not there, and why none is if the store cannot be opened.
fn missing(pattern: &Pattern, folder: &Path, acknowledged: &HashSet<Name>) -> Result<(u64, Option<String>)> {
    // Another process, for an engine may end it over a page that makes no sense.
    let (status, printed, said) = command::finish(&mut this(COUNT, pattern, folder)?)?;
    if !status.success() {
        return Ok((acknowledged.len() as u64, Some(format!("{status}: {}", said.trim()))));
    }
    let found: HashSet<Name> = printed.lines().map(str::parse).collect::<Result<_>>()?;
    Ok((acknowledged.difference(&found).count() as u64, None))
}

/// A child that does not outlive whoever waits for it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::listen;
    use std::sync::mpsc;

    #[test]
    fn only_whole_lines_are_acknowledged() {
        let (ready, _is_ready) = mpsc::channel();
        let said = listen("ready\n0 1\n0 2\n0 1".as_bytes(), &ready).unwrap();
        assert_eq!(said.len(), 2);
        assert!(listen("0 1\n0 1\n".as_bytes(), &ready).is_err());
    }
}
