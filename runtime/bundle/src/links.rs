//! The links through which a path leads to a file.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// As most systems follow, so that a circle made meanwhile comes to an end.
const LINKS_MAX: usize = 40;

/// Every link that is followed on the way to `path`, those in the targets of links included.
/// Each is named through its canonical folder: whoever may write there may make `path` lead
/// elsewhere.
pub(crate) fn links_to(path: &Path) -> Vec<PathBuf> {
    let mut links = Vec::new();
    let Ok(path) = std::path::absolute(path) else { return links };
    let mut folder = PathBuf::new();
    let mut left = parts(&path);
    while let Some(part) = left.pop() {
        // After `..`, the folder is again one without links.
        if part == ".." {
            folder.pop();
            continue;
        }
        let next = folder.join(&part);
        match std::fs::read_link(&next) {
            Ok(target) if links.len() < LINKS_MAX => {
                links.push(folder.canonicalize().unwrap_or_else(|_| folder.clone()).join(&part));
                left.extend(parts(&target));
            }
            // An absolute part starts again from the root.
            _ => folder = next,
        }
    }
    links
}

/// The last part first.
fn parts(path: &Path) -> Vec<OsString> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    parts.rev().map(|part| part.as_os_str().to_owned()).collect()
}
