//! The log of the data folder, as every verb opens it: by itself, or through the process that holds it.

use crate::describe::shell_word;
use crate::failure::{Failure, Kind};
use crate::paths::Paths;
use handbox_session::{LogError, SessionId, SessionLog};
use handbox_store::{FILE, Options, socket};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What every session's id begins with.
const PREFIX: &str = "sesn_";
/// Base58 digits of a session's id.
const ID_DIGITS: usize = 22;
/// The fewest digits by which a session is removed: they say when it began, to some milliseconds.
const REMOVE_DIGITS_MIN: usize = 8;

/// The store's file in a data folder.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// Whether there is a store. Looking makes none.
pub(crate) fn is_there(paths: &Paths) -> Result<bool, Failure> {
    check_folder(&paths.data)?;
    let file = file(&paths.data);
    let shown = file.display();
    match std::fs::metadata(&file) {
        // Opening a FIFO would wait for somebody to write into it.
        Ok(about) if !about.is_file() => Err(Failure::usage(format!("{shown} is not a regular file"))
            .hint("move it away, or name another folder with --data or HANDBOX_DATA")),
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::usage(format!("{shown} cannot be looked at: {error}"))),
    }
}

/// Refuses a data folder that is none.
pub(super) fn check_folder(data: &Path) -> Result<(), Failure> {
    if std::fs::metadata(data).map_or(true, |about| about.is_dir()) {
        return check_private(data);
    }
    let failure = Failure::usage(format!("the data folder {} is a file: name a folder", data.display()));
    let lies_in = data.parent().filter(|_| data.file_name().is_some_and(|name| name == FILE));
    Err(failure.hint(match lies_in {
        Some(folder) => format!("it lies in {0}: --data {0}", shell_word(&folder.display().to_string())),
        None => "--data or HANDBOX_DATA names it".to_owned(),
    }))
}

/// Makes the data folder, for its owner alone, unless it is there.
pub(crate) fn make_folder(paths: &Paths) -> Result<(), Failure> {
    check_folder(&paths.data)?;
    let mut make = std::fs::DirBuilder::new();
    make.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut make, 0o700);
    let failed = |error| Failure::usage(format!("{} cannot be made: {error}", paths.data.display()));
    make.create(&paths.data).map_err(failed)
}

/// Refuses a data folder in which anybody could put another store, with other grants, in the place of this one.
#[cfg(unix)]
fn check_private(data: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(data).map_or(0, |about| about.permissions().mode());
    if mode & 0o002 == 0 {
        return Ok(());
    }
    let folder = data.display().to_string();
    let failure = Failure::new(Kind::Denied, format!("everybody on this machine may write the data folder {folder}"));
    Err(failure.hint(format!("keep it for yourself: chmod o-w {}", shell_word(&folder))))
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), Failure> {
    Ok(())
}

/// A runtime that serves other processes also while this one waits for its own output to be read.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| Failure::internal(format!("no async runtime: {error}")))
}

/// Opens the log, does something with it and gives it up again. `command` is what other processes are told of this one.
///
/// Makes a store if there is none.
pub(crate) fn with<T>(
    paths: &Paths,
    command: &str,
    work: impl AsyncFnOnce(&dyn SessionLog) -> Result<T, Failure>,
) -> Result<T, Failure> {
    runtime()?.block_on(async {
        let opener = socket::redb(&paths.data, Options::standard());
        let log = socket::SharedLog::open(&paths.data, command, opener).await?;
        let done = work(&log).await;
        log.close().await;
        done
    })
}

/// As [`with`], for verbs about one session, which is not there if there is no store.
pub(crate) fn with_session<T>(
    paths: &Paths,
    command: &str,
    id: &str,
    work: impl AsyncFnOnce(&dyn SessionLog, SessionId) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if !is_there(paths)? {
        return Err(unknown(id).hint(none_kept(paths)));
    }
    with(paths, command, async |log| {
        let id = resolve(log, id).await?;
        work(log, id).await
    })
}

/// What to do where no session is.
pub(crate) fn none_kept(paths: &Paths) -> String {
    format!("{} keeps no sessions; `handbox log import FILE` takes in one that was exported", paths.data.display())
}

pub(crate) fn unknown(text: &str) -> Failure {
    let text: String = text.chars().take(64).collect();
    Failure::usage(match digits_of(&text) {
        "" => format!("`{text}` is what every session's id begins with"),
        _ => format!("no session's id is `{text}` or begins so"),
    })
}

/// As [`unknown`], where there are others.
pub(super) fn missing(text: &str) -> Failure {
    unknown(text).hint("`handbox sessions` lists those there are")
}

/// Refuses what is too short to remove a session by: a typing mistake, or a variable that is empty.
pub(crate) fn check_removal(text: &str) -> Result<(), Failure> {
    if digits_of(text).len() >= REMOVE_DIGITS_MIN {
        return Ok(());
    }
    let message = format!("`{text}` is too little of an id to remove a session by");
    let hint = format!("give at least {REMOVE_DIGITS_MIN} digits of it, or all that `handbox sessions` shows");
    Err(Failure::usage(message).hint(hint))
}

fn digits_of(text: &str) -> &str {
    text.strip_prefix(PREFIX).unwrap_or(text)
}

/// The session of an id, which may be cut as long as it fits one session only.
pub(crate) async fn resolve(log: &dyn SessionLog, text: &str) -> Result<SessionId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let (first, end) = range(text).ok_or_else(|| missing(text))?;
    let found: Vec<SessionId> = log.sessions(end, 3).await?.iter().map(|record| record.id).collect();
    match found.iter().filter(|id| **id >= first).collect::<Vec<_>>()[..] {
        [] => Err(missing(text)),
        [one] => Ok(*one),
        [one, other, ..] => {
            let message = format!("`{text}` fits more than one session, such as {one} and {other}");
            Err(Failure::usage(message).hint("give more of the id"))
        }
    }
}

/// The first id that begins so, and the first after all that do; `None` if no id can begin so.
pub(super) fn range(text: &str) -> Option<(SessionId, Option<SessionId>)> {
    let digits = digits_of(text);
    if digits.is_empty() {
        return None;
    }
    let first = format!("{PREFIX}{digits:1<ID_DIGITS$}").parse().ok()?;
    // What is no id any more lies behind all ids.
    let last: Option<SessionId> = format!("{PREFIX}{digits:z<ID_DIGITS$}").parse().ok();
    let end = last.and_then(|last| u128::from_be_bytes(last.to_bytes()).checked_add(1));
    Some((first, end.map(SessionId::from)))
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        let message = error.to_string();
        match error {
            LogError::NoSession(_) | LogError::Refused(_) => Self::usage(message),
            LogError::Fenced { .. } | LogError::Moved { .. } => Self::new(Kind::Denied, message),
            LogError::Held { .. } => Self::new(Kind::Denied, message).hint("wait until it is done, or end it"),
            LogError::Unavailable(_) | LogError::Unreachable(_) => {
                Self::new(Kind::Denied, message).hint("`handbox doctor` says who holds the store")
            }
            LogError::Full(_) => Self { limit: Some("disk"), ..Self::new(Kind::Limit, message).hint("make room") },
            LogError::ReadOnly(_) => Self { limit: Some("disk"), ..Self::new(Kind::Limit, message) },
            LogError::Damaged(_) => {
                Self::new(Kind::Broken, message).hint("`handbox log verify` says how far the damage reaches")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> SessionId {
        SessionId::from(number)
    }

    #[test]
    fn a_range_holds_exactly_what_begins_so() {
        let one = id(1 << 100);
        for cut in 1..=ID_DIGITS {
            let text = &one.to_string()[..PREFIX.len() + cut];
            let (first, end) = range(text).unwrap();
            assert!(first <= one && end.is_none_or(|end| one < end), "{text}");
            assert!(first.to_string().starts_with(text));
            assert!(end.is_none_or(|end| !end.to_string().starts_with(text)), "{text}");
        }
    }

    #[test]
    fn what_no_id_begins_with_has_no_range() {
        let none = ["", "sesn_", "0", "sesn_l", "zzzz", "sesn_11111111111111111111111", "sesn_1-", "sevt_1", "é"];
        for text in none {
            assert_eq!(range(text), None, "{text}");
        }
        assert!(range("1").is_some());
        // Digits like others: no id of these times begins with them.
        assert!(["s", "ses", "sesn"].iter().all(|text| range(text).is_none_or(|(first, _)| first > id(1 << 127))));
    }
}
