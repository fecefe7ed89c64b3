//! This program started again, to write until it is killed, or to count what is there.

use crate::event::Name;
use crate::pattern::{How, Pace, Pattern};
use crate::patterns::{handbox, lines, sqlite};
use anyhow::{Result, ensure};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a writer says once its store is open and only events are to come.
pub(crate) const READY: &str = "ready";
/// What it is told then.
pub(crate) const GO: &str = "go";
/// A writer that nobody killed ends after this.
const TIME_MAX: Duration = Duration::from_secs(60);

pub(crate) fn write(pattern: &'static Pattern, folder: &Path) -> Result<()> {
    match pattern.how {
        How::Handbox => handbox::write(pattern, folder),
        How::Lines(sync) => lines::write(pattern, sync, folder),
        How::Sqlite(synchronous) => sqlite::write(pattern, synchronous, folder),
    }
}

/// Prints the name of each event that is there.
pub(crate) fn count(pattern: &Pattern, folder: &Path) -> Result<()> {
    let found = match pattern.how {
        How::Handbox => handbox::count(pattern, folder)?,
        How::Lines(_) => lines::count(folder)?,
        How::Sqlite(synchronous) => sqlite::count(synchronous, folder)?,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for name in found {
        writeln!(out, "{name}")?;
    }
    Ok(out.flush()?)
}

/// Says that all is prepared, and waits to be told to go on.
pub(crate) fn begin() -> Result<()> {
    say(READY)?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    ensure!(line.trim() == GO, "told {line:?}");
    Ok(())
}

/// Says that an event is stored. From here on it must not be lost.
pub(crate) fn acknowledge(name: Name) -> Result<()> {
    say(&name.to_string())
}

fn say(what: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{what}\n").as_bytes())?;
    Ok(out.flush()?)
}

/// Says when the next event is due.
pub(crate) struct Pacer {
    pace: Pace,
    started: Instant,
}

impl Pacer {
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, started: Instant::now() }
    }

    /// How long to wait before the n-th event; nothing once it is time to end.
    pub(crate) fn pause(&self, number: u64) -> Option<Duration> {
        let passed = self.started.elapsed();
        let due = match self.pace {
            Pace::FlatOut => Duration::ZERO,
            Pace::Every(time) => time.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX)),
        };
        (passed < TIME_MAX).then(|| due.saturating_sub(passed))
    }
}

/// Appends with one writer on this thread.
pub(crate) fn drive(pattern: &Pattern, mut append: impl FnMut(Name) -> Result<()>) -> Result<()> {
    ensure!(pattern.writers == 1, "{} has one writer", pattern.name);
    begin()?;
    let pacer = Pacer::new(pattern.pace);
    for number in 1.. {
        let Some(pause) = pacer.pause(number) else { break };
        std::thread::sleep(pause);
        let name = Name { writer: 0, number };
        append(name)?;
        acknowledge(name)?;
    }
    Ok(())
}
