//! What `doctor` says of the store. Looking changes nothing.

use super::engine::{self, Answer, Task};
use super::{open, verify};
use crate::describe;
use crate::doctor::Finding;
use crate::paths::Paths;
use handbox_session::fold::rfc3339;
use handbox_store::FORMAT;
use handbox_store::socket::{RemoteLog, holder};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// How the finding is called.
const WHAT: &str = "sessions";

/// Who holds the store, how large it is, and whether it opens.
pub(crate) fn findings(paths: &Paths) -> Vec<Finding> {
    // That it is none is a finding of its own.
    if open::check_folder(&paths.data).is_err() {
        return Vec::new();
    }
    let file = open::file(&paths.data);
    let shown = file.display().to_string();
    let unreadable = |error: &dyn std::fmt::Display| {
        vec![Finding::fail(WHAT, format!("{shown} cannot be read: {error}"), "make it readable for you")]
    };
    let about = match std::fs::metadata(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return vec![absent(&paths.data, &shown)],
        Err(error) => return unreadable(&error),
        // Opening a FIFO would wait for somebody to write into it.
        Ok(about) if !about.is_file() => {
            return vec![Finding::fail(WHAT, format!("{shown} is not a regular file"), "move it away")];
        }
        Ok(about) => about,
    };
    let opened = match File::open(&file) {
        Err(error) => return unreadable(&error),
        Ok(opened) => opened,
    };
    let shown = format!("{shown}, {}", describe::size(about.len()));
    let locked = opened.try_lock_shared();
    drop(opened);
    vec![match locked {
        Err(TryLockError::WouldBlock) => held(paths, &shown),
        Err(TryLockError::Error(error)) => return unreadable(&error),
        Ok(()) => match OpenOptions::new().write(true).open(&file).and_then(|_| can_write(&paths.data)) {
            Ok(()) => rests(paths, &shown),
            Err(error) => unwritable(&paths.data, &shown, &error),
        },
    }]
}

/// No store yet.
fn absent(data: &Path, shown: &str) -> Finding {
    match if data.exists() { can_write(data) } else { Ok(()) } {
        Ok(()) => Finding::ok(WHAT, format!("{shown} is made by the first session")),
        Err(error) => unwritable(data, shown, &error),
    }
}

/// Whether files can be made in a folder; the one that is tried has no name or loses it at once.
fn can_write(folder: &Path) -> std::io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

fn unwritable(data: &Path, shown: &str, error: &std::io::Error) -> Finding {
    let found = format!("{shown} cannot be written ({error}), and whoever opens the store writes to its folder");
    let fix = format!(
        "make {} writable for you, or copy it to a place that is and name that with --data; \
         `handbox log verify` works as it is",
        data.display()
    );
    Finding::fail(WHAT, found, fix)
}

/// A store that a process uses.
fn held(paths: &Paths, shown: &str) -> Finding {
    let holder = holder(&paths.data);
    let since = holder.as_ref().map(|holder| format!(" since {}", rfc3339(holder.since_unix_ms)));
    let found = format!("{shown}, held by {}{}", verify::who(holder.as_ref()), since.unwrap_or_default());
    match answers(&paths.data) {
        Ok(()) => Finding::ok(WHAT, format!("{found}, which serves all other processes")),
        Err(why) => Finding::warn(
            WHAT,
            format!("{found}, which does not answer: {why}"),
            "wait until it is done, or end that process; nothing that was acknowledged is lost",
        ),
    }
}

fn answers(data: &Path) -> Result<(), String> {
    let runtime = open::runtime().map_err(|failure| failure.message)?;
    let connected = runtime.block_on(RemoteLog::connect(data));
    connected.map(drop).map_err(|error| error.to_string())
}

/// A store that nobody uses.
fn rests(paths: &Paths, shown: &str) -> Finding {
    let last = holder(&paths.data);
    let last = last.map(|last| format!("; process {} did not close it, which does no harm", last.process));
    let shown = format!("{shown}, held by nobody{}", last.unwrap_or_default());
    match engine::ask(Task::Open, &paths.data, &[]) {
        Ok(Answer::Opened { sessions }) => Finding::ok(
            WHAT,
            format!("{shown}\nformat {FORMAT}, opens, {sessions} session{}", if sessions == 1 { "" } else { "s" }),
        ),
        Ok(Answer::Report(report)) => {
            let what = report.damages.first().map_or_else(String::new, |found| found.what.clone());
            let fix = "`handbox log verify` says what is sound and how to take it out";
            Finding::fail(WHAT, format!("{shown}\ndoes not open: {what}"), fix)
        }
        Ok(Answer::Refused(why)) => Finding::fail(WHAT, format!("{shown}\ndoes not open: {why}"), "see there"),
        Ok(Answer::Disturbed) => {
            Finding::warn(WHAT, format!("{shown}\nwas not tried: it was written to meanwhile"), "run this again")
        }
        Err(failure) => Finding::warn(WHAT, format!("{shown}\nwas not tried: {}", failure.message), "run this again"),
    }
}
