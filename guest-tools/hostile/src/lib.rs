//! Guests that misbehave, one file each in this folder, named for what they try. Each has
//! one tool, `attack`. They are for the host's tests and do no harm outside a sandbox that
//! holds.

use handbox_tool::Fault;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, ErrorCode};

/// A granted folder by its guest path, as the host gave it: no library looks at the paths
/// that are used on it.
///
/// # Errors
///
/// It was not granted.
pub fn folder(path: &str) -> Result<Descriptor, Fault> {
    let found = get_directories().into_iter().find(|(_, granted)| granted == path);
    found.map(|(folder, _)| folder).ok_or_else(|| Fault::denied(format!("{path} was not granted")))
}

/// One line about an attempt, that a test can look for: `name: done` or `name: refused (code)`.
pub fn line<T>(name: &str, result: Result<T, ErrorCode>) -> String {
    match result {
        Ok(_) => format!("{name}: done\n"),
        Err(code) => format!("{name}: refused ({})\n", code.name()),
    }
}
