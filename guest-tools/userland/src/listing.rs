//! What is in a folder, with what of it cannot be told.

use std::fs;
use std::io::Error;
use std::path::Path;

/// The names in a folder, sorted; and why there are none, or not all: the caller says that, and does not end well.
///
/// A component is told of names that are Unicode only. That there are others is known at the end of the list.
pub(crate) fn names(folder: impl AsRef<Path>) -> (Vec<String>, Option<Error>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return (Vec::new(), Some(error)),
    };
    let (mut names, mut fault) = (Vec::new(), None);
    for entry in entries {
        match entry {
            Ok(entry) => names.push(entry.file_name().to_string_lossy().into_owned()),
            Err(error) => {
                fault = Some(error);
                break;
            }
        }
    }
    names.sort();
    (names, fault)
}
