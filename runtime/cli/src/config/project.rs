//! Finding a project's `handbox.toml`.

use crate::failure::Failure;
use std::path::{Path, PathBuf};

/// The name of a project's file.
pub(crate) const PROJECT_FILE: &str = "handbox.toml";

/// What a search for a project's file found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Search {
    /// The nearest file that may be used.
    pub(crate) file: Option<PathBuf>,
    /// One that was passed over because everybody may write its folder.
    pub(crate) shared: Option<PathBuf>,
}

/// Looks for [`PROJECT_FILE`] in `cwd` and the folders above it, and takes the nearest.
///
/// The search ends behind a folder with `.git` (the root of a project), at the home folder
/// and what is above it (a file there would speak for every project), at the border of a
/// file system, and passes over folders in which everybody may create files, such as `/tmp`.
pub(crate) fn find(cwd: &Path, home: &Path) -> Result<Search, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!("the folder {} cannot be looked at: {error}", cwd.display()))
            .hint("change to another folder")
    };
    let cwd = cwd.canonicalize().map_err(unreadable)?;
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let device = platform::device(&cwd);
    let mut search = Search::default();
    for folder in cwd.ancestors() {
        if home.starts_with(folder) || platform::device(folder) != device {
            break;
        }
        let file = folder.join(PROJECT_FILE);
        if file.symlink_metadata().is_ok() {
            if !platform::is_shared(folder) {
                search.file = Some(file);
                break;
            }
            search.shared.get_or_insert(file);
        }
        if folder.join(".git").symlink_metadata().is_ok() {
            break;
        }
    }
    Ok(search)
}

/// The project's file that somebody named: itself, or the folder it is in. Canonical but for
/// its own name, and not necessarily there.
pub(crate) fn named(path: &Path, cwd: &Path) -> PathBuf {
    let path = cwd.join(path);
    let file = if path.is_dir() { path.join(PROJECT_FILE) } else { path };
    match (file.parent().and_then(|folder| folder.canonicalize().ok()), file.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => file,
    }
}

/// Refuses a project's file that is a link: it would be trusted in one place and mean
/// something in another.
pub(crate) fn check_no_link(file: &Path) -> Result<(), Failure> {
    if file.is_symlink() {
        let failure = Failure::usage(format!("{} is a link", file.display()));
        return Err(failure.hint("copy the file into the project; its paths are relative to where it lies"));
    }
    Ok(())
}

#[cfg(unix)]
mod platform {
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    pub(super) fn device(folder: &Path) -> Option<u64> {
        std::fs::metadata(folder).ok().map(|about| about.dev())
    }

    /// Whether everybody may create files there.
    pub(super) fn is_shared(folder: &Path) -> bool {
        std::fs::metadata(folder).is_ok_and(|about| about.mode() & 0o002 != 0)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::path::{Component, Path};

    /// The drive.
    pub(super) fn device(folder: &Path) -> Option<std::ffi::OsString> {
        folder.components().find_map(|part| match part {
            Component::Prefix(prefix) => Some(prefix.as_os_str().to_owned()),
            _ => None,
        })
    }

    /// Such folders are not usual there.
    pub(super) fn is_shared(_: &Path) -> bool {
        false
    }
}
