//! Why the vault did not do what it was asked.

use std::io::ErrorKind;
use std::path::Path;

/// Why the vault did not do what it was asked, sorted by what is wrong. No text holds anything of a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// There is no credential of that name.
    #[error("the vault has no credential {0:?}")]
    Unknown(String),
    /// There is one of that name already.
    #[error("the vault has a credential {0:?} already")]
    Taken(String),
    /// What was asked makes no sense.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A file is not safe to use: others can read or replace it.
    #[error("{message}")]
    Unsafe {
        /// Which, and why.
        message: String,
        /// What to do.
        hint: String,
    },
    /// The vault cannot be opened with this key, or is damaged. Nothing was changed.
    #[error("{message}")]
    Closed {
        /// Which file, and why.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A file, or where a value comes from, does not answer.
    #[error("{message}")]
    Unavailable {
        /// Which, and why.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl KeepError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown(_) => "`handbox vault list` shows which there are".to_owned(),
            Self::Taken(name) => {
                format!("handbox vault rotate {name} gives it another value; handbox vault rm {name} removes it")
            }
            Self::Invalid { hint, .. }
            | Self::Unsafe { hint, .. }
            | Self::Closed { hint, .. }
            | Self::Unavailable { hint, .. } => hint.clone(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), hint: hint.into() }
    }

    pub(crate) fn closed(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Closed { message: message.into(), hint: hint.into() }
    }

    pub(crate) fn unavailable(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unavailable { message: message.into(), hint: hint.into() }
    }

    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        let hint = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there, and try again: nothing was changed",
            ErrorKind::ReadOnlyFilesystem => "nothing can be written there: name another folder with HANDBOX_DATA",
            _ => "check that you may read and write it",
        };
        Self::unavailable(format!("{}: {error}", path.display()), hint)
    }
}
