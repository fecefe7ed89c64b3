//! From the engine's errors to those of the log.

use handbox_session::{Damage, LogError, Seq, SessionId};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Why a store was not opened, sorted by what its operator has to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open: use that one's socket, or end it.
    #[error("the store is open in another process; `handbox doctor` says in which")]
    Busy,
    /// A newer Handbox wrote it: use that.
    #[error("the store has format {found}, and this Handbox knows up to {known}; use a newer Handbox")]
    Newer {
        /// The file's format.
        found: u64,
        /// The newest format that this build reads.
        known: u64,
    },
    /// The file or its folder cannot be read or written.
    #[error("the store cannot be opened: {0}")]
    Io(#[from] io::Error),
    /// What is stored is not what was written.
    #[error("{0}")]
    Log(#[from] LogError),
}

/// What the engine said, as an error of the log.
pub(crate) fn engine(error: impl Into<redb::Error>) -> LogError {
    match error.into() {
        redb::Error::Io(error) => file(&error),
        error @ (redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::LockPoisoned(_)) => {
            LogError::ReadOnly(error.to_string())
        }
        error => store(error),
    }
}

pub(crate) fn file(error: &io::Error) -> LogError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            LogError::Full(error.to_string())
        }
        // The engine asks only for what the file is supposed to hold.
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => store(error),
        _ => LogError::ReadOnly(error.to_string()),
    }
}

pub(crate) fn store(what: impl std::fmt::Display) -> LogError {
    LogError::Damaged(Damage::Store(what.to_string()))
}

pub(crate) fn event(session: SessionId, place: u64, what: impl Into<String>) -> LogError {
    let seq = Seq::new(place).unwrap_or(Seq::FIRST);
    LogError::Damaged(Damage::Event { session, seq, what: what.into() })
}

/// Runs what asks the engine, which may panic on a damaged file.
pub(crate) fn guard<T>(work: impl FnOnce() -> Result<T, LogError>) -> Result<T, LogError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(store(cause(panic.as_ref()))))
}

/// What a panic said.
pub(crate) fn cause(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the engine gave up: {}", text.unwrap_or("it did not say why"))
}
