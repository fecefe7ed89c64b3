//! Why something about a bundle or a grant was not accepted, sorted by who must act.

use crate::digest::Digest;
use handbox_hand::Refusal;
use std::path::PathBuf;

/// Why something about a bundle or a grant was not accepted, sorted by who must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// What was typed or written in a configuration cannot be understood. Whoever
    /// wrote it must act.
    #[error("{message}")]
    Invalid {
        /// What is wrong and where: file, line and key if it came from a file.
        message: String,
        /// What to write instead.
        hint: String,
    },
    /// Understood, and refused. The operator must decide.
    #[error("{0}")]
    Refused(Refusal),
    /// The component or bundle is not one that Handbox can run. Its author must act.
    #[error("{message}")]
    Broken {
        /// What is wrong with it.
        message: String,
        /// What the author can do about it.
        hint: String,
    },
    /// The bytes are not those that were pinned. Find out why before pinning the new ones.
    #[error("{what} has changed: it was pinned as {pinned}, but what is there now is {actual}")]
    Changed {
        /// Which component, with file and line of the pin.
        what: String,
        /// The digest that was expected.
        pinned: Digest,
        /// The digest of the bytes that were read.
        actual: Digest,
    },
    /// There is nothing of that name.
    #[error("{message}")]
    NotFound {
        /// What was looked for.
        message: String,
        /// What there is.
        hint: String,
    },
    /// A file or folder is there but could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl BundleError {
    /// What to do about it, in one or two lines, to be shown after the error.
    pub fn hint(&self) -> String {
        match self {
            Self::Invalid { hint, .. } | Self::Broken { hint, .. } | Self::NotFound { hint, .. } => hint.clone(),
            Self::Refused(refusal) => refusal.hint.clone(),
            Self::Changed { actual, .. } => {
                format!("if you made or checked this change yourself, write\ndigest = \"{actual}\"")
            }
            Self::Unreadable { .. } => "check that it exists and that you may read it".to_owned(),
        }
    }

    /// Puts `place` (a file, a flag) before the message. Refusals and pins name theirs already.
    #[must_use]
    pub fn at(mut self, place: impl std::fmt::Display) -> Self {
        match &mut self {
            Self::Invalid { message, .. } | Self::Broken { message, .. } | Self::NotFound { message, .. } => {
                *message = format!("{place}: {message}");
            }
            Self::Refused(_) | Self::Changed { .. } | Self::Unreadable { .. } => {}
        }
        self
    }

    pub(crate) fn invalid(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), hint: hint.into() }
    }

    pub(crate) fn broken(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Broken { message: message.into(), hint: hint.into() }
    }

    pub(crate) fn refused(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused(Refusal { reason: reason.into(), hint: hint.into() })
    }
}

/// At most 80 characters of `text`, with control characters escaped, for use in an error.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    if text.chars().nth(80).is_some() {
        short.push('…');
    }
    short
}
