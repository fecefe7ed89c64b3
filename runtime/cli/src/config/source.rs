//! Where a value came from.

use handbox_bundle::{BundleError, Profile};
use serde_json::{Value, json};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::failure::Failure;

/// Where a value came from. `Display` is the short form for tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The profile that applies when nobody names one.
    BuiltIn(Profile),
    /// `call` and `check` read the current folder if nobody grants any.
    CurrentFolder,
    /// The operator's configuration.
    Config(Place),
    /// A project's file, and whether the operator trusted it.
    Project(Place, Trust),
    /// A flag that was typed.
    Flag(&'static str),
    /// The bundle's own limits, which only narrow.
    Author,
}

/// Whether a project's file may widen anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Exactly these bytes at this path were trusted.
    Given,
    /// Other bytes at this path were trusted.
    Changed,
    /// This path never was.
    Never,
}

impl Trust {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Given => "trusted",
            Self::Changed => "changed since it was trusted",
            Self::Never => "not trusted",
        }
    }
}

/// A line of a file, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<Path>,
    pub(crate) line: usize,
}

impl Place {
    /// `config.toml:3`; the table's head says where that file is.
    fn short(&self) -> String {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        format!("{name}:{}", self.line)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

impl Source {
    /// What stands before an error about the value; none for what nobody typed.
    pub(crate) fn in_error(&self) -> Option<String> {
        match self {
            Self::Config(place) | Self::Project(place, _) => Some(place.to_string()),
            Self::Flag(flag) => Some((*flag).to_owned()),
            Self::BuiltIn(_) | Self::CurrentFolder | Self::Author => None,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let file = |kind: &str, place: &Place| {
            let file = place.file.display().to_string();
            json!({ "kind": kind, "file": file, "line": place.line })
        };
        match self {
            Self::BuiltIn(profile) => json!({ "kind": "built-in", "profile": profile.name() }),
            Self::CurrentFolder => json!({ "kind": "built-in" }),
            Self::Config(place) => file("config", place),
            Self::Project(place, trust) => {
                let mut source = file("project", place);
                source["trusted"] = (*trust == Trust::Given).into();
                source
            }
            Self::Flag(flag) => json!({ "kind": "flag", "flag": flag }),
            Self::Author => json!({ "kind": "bundle" }),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn(profile) => write!(f, "built in (profile {profile})"),
            Self::CurrentFolder => f.write_str("built in (the current folder, because none is granted)"),
            Self::Config(place) => f.write_str(&place.short()),
            Self::Project(place, trust) => write!(f, "{} ({})", place.short(), trust.name()),
            Self::Flag(flag) => f.write_str(flag),
            Self::Author => f.write_str("the bundle's own limits"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) source: Source,
}

impl<T> Placed<T> {
    pub(crate) fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }
}

/// An error about something that came from `source`.
pub(crate) fn failure_at(source: &Source, error: BundleError) -> Failure {
    before(source.in_error(), error.into())
}

/// Puts where it stands before a failure's message.
pub(crate) fn before(place: Option<impl fmt::Display>, failure: Failure) -> Failure {
    match place {
        Some(place) => Failure { message: format!("{place}: {}", failure.message), ..failure },
        None => failure,
    }
}

/// `path` made absolute without resolving links.
pub(crate) fn absolute(path: &Path, cwd: &Path) -> PathBuf {
    cwd.join(path).components().filter(|part| *part != std::path::Component::CurDir).collect()
}
