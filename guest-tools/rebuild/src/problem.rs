//! What can go wrong.

use std::fmt;
use std::path::Path;

/// A line for whoever runs the command.
#[derive(Debug)]
pub struct Problem(pub String);

/// A result with such a line.
pub type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    /// Says which file an error is about.
    pub(crate) fn with(path: &Path) -> impl Fn(std::io::Error) -> Self {
        move |error| Self(format!("{}: {error}", path.display()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl From<String> for Problem {
    fn from(line: String) -> Self {
        Self(line)
    }
}
