//! Guests that misbehave, one file each in this folder, named for what they try. Each has
//! one tool, `attack`. They are for the host's tests and do no harm outside a sandbox that
//! holds.

use handbox_tool::Fault;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, ErrorCode, filesystem_error_code};
use wasip2::io::streams::{OutputStream, StreamError};

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

/// Writes at most 4096 bytes to a stream; a failure is told as one of a file.
///
/// # Errors
///
/// What the host says of it; `pipe` if the stream is closed.
pub fn put(stream: &OutputStream, bytes: &[u8]) -> Result<(), ErrorCode> {
    stream.blocking_write_and_flush(bytes).map_err(|error| match error {
        StreamError::LastOperationFailed(error) => filesystem_error_code(&error).unwrap_or(ErrorCode::Io),
        StreamError::Closed => ErrorCode::Pipe,
    })
}
