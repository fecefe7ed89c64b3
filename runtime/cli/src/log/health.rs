//! What `doctor` says of the store. Looking changes nothing: it is a copy that is opened.

use super::engine::{self, Answer, Task};
use super::{open, verify};
use crate::describe;
use crate::doctor::Finding;
use crate::failure::Failure;
use crate::paths::Paths;
use handbox_session::fold::rfc3339;
use handbox_store::socket::{RemoteLog, holder};
use handbox_store::{FILE, FORMAT};
use std::fs::{File, TryLockError};
use std::path::Path;

/// The largest store that is copied in order to open it.
const COPY_BYTES_MAX: u64 = 256 << 20;
/// How the finding is called.
const WHAT: &str = "sessions";

/// Who holds the store, how large it is, and whether it opens.
pub(crate) fn findings(paths: &Paths) -> Vec<Finding> {
    let file = open::file(&paths.data);
    let shown = file.display().to_string();
    let unreadable = |error: &dyn std::fmt::Display| {
        Finding::fail(WHAT, format!("{shown} cannot be read: {error}"), "make it readable for you")
    };
    let opened = match File::open(&file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return vec![Finding::ok(WHAT, format!("{shown} is made by the first session"))];
        }
        Err(error) => return vec![unreadable(&error)],
        Ok(opened) => opened,
    };
    let bytes = match opened.metadata() {
        Ok(about) => about.len(),
        Err(error) => return vec![unreadable(&error)],
    };
    let shown = format!("{shown}, {}", describe::size(bytes));
    // While this lock is held nobody can begin to write.
    vec![match opened.try_lock_shared() {
        Ok(()) => rests(paths, &shown, bytes),
        Err(TryLockError::WouldBlock) => held(paths, &shown),
        Err(TryLockError::Error(error)) => unreadable(&error),
    }]
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
fn rests(paths: &Paths, shown: &str, bytes: u64) -> Finding {
    let last = holder(&paths.data);
    let last = last.map(|last| format!("; process {} did not close it, which does no harm", last.process));
    let shown = format!("{shown}, held by nobody{}", last.unwrap_or_default());
    if bytes > COPY_BYTES_MAX {
        return Finding::ok(WHAT, format!("{shown}; too large to be tried here, `handbox log verify` reads all of it"));
    }
    match try_a_copy(&paths.data) {
        Ok(Answer::Opened { sessions }) => Finding::ok(
            WHAT,
            format!("{shown}\nformat {FORMAT}, opens, {sessions} session{}", if sessions == 1 { "" } else { "s" }),
        ),
        Ok(Answer::Report(report)) => {
            let what = report.damages.first().map_or_else(String::new, |found| found.what.clone());
            Finding::fail(WHAT, format!("{shown}\ndoes not open: {what}"), "run `handbox log verify`, and restore it")
        }
        Ok(Answer::Refused(why)) => Finding::fail(WHAT, format!("{shown}\ndoes not open: {why}"), "see there"),
        Ok(Answer::Busy) => Finding::warn(WHAT, format!("{shown}\nwas not tried"), "run this again"),
        Err(failure) => Finding::warn(WHAT, format!("{shown}\nwas not tried: {}", failure.message), "run this again"),
    }
}

/// Opens a copy: opening the file itself would count the opening, and mend what a killed process left.
fn try_a_copy(data: &Path) -> Result<Answer, Failure> {
    let failed = |error: std::io::Error| Failure::internal(format!("it cannot be copied: {error}"));
    let folder = tempfile::Builder::new().prefix("handbox-").tempdir().map_err(failed)?;
    std::fs::copy(data.join(FILE), folder.path().join(FILE)).map_err(failed)?;
    engine::ask(Task::Open, folder.path(), &[])
}
