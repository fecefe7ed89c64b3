//! `handbox cache`: where compiled components are kept, and how to be rid of them.

use crate::args::Global;
use crate::failure::Failure;
use crate::paths::Paths;
use crate::{describe, output};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Show or empty the cache of compiled components.
///
/// A component is compiled when it is first called, and the result is kept in this folder.
/// It is always safe to clean: the next call of each component compiles it again.
#[derive(clap::Args)]
pub(crate) struct Cache {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, clap::Subcommand)]
enum Verb {
    /// Print where it is
    Path,
    /// Remove what Handbox put there, and nothing else
    Clean,
}

pub(crate) fn run(global: &Global, command: &Cache) -> Result<ExitCode, Failure> {
    let folder = Paths::find(global)?.cache;
    let found = ours(&folder)?;
    let bytes = found.iter().map(|file| file.bytes).sum::<u64>();
    let entries = found.iter().filter(|file| file.path.extension().is_some_and(|end| end == "cwasm")).count();
    match command.verb {
        Verb::Path if global.json => {
            output::json_line(&json!({ "path": folder, "exists": folder.exists(), "entries": entries, "bytes": bytes }))
        }
        Verb::Path => output::data(&folder.display().to_string()),
        Verb::Clean => {
            for file in &found {
                remove(&file.path)?;
            }
            if global.json {
                output::json_line(&json!({ "path": folder, "removed": entries, "bytes": bytes }));
            } else {
                let size = describe::size(bytes);
                let what = if entries == 1 { "component" } else { "components" };
                let text = format!("removed {entries} compiled {what}, {size}, from {}", folder.display());
                output::data(&output::visible(&text));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Found {
    path: PathBuf,
    bytes: u64,
}

/// The regular files in `folder` that Handbox makes there: compiled components, their key,
/// and what an interrupted process left of them.
fn ours(folder: &Path) -> Result<Vec<Found>, Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", folder.display()));
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // Of the entry itself, so that a link is nothing of ours.
        let about = entry.metadata().map_err(failed)?;
        if about.is_file() && is_ours(&entry.file_name().to_string_lossy()) {
            found.push(Found { path: entry.path(), bytes: about.len() });
        }
    }
    Ok(found)
}

fn is_ours(name: &str) -> bool {
    let half_written = |name: &str| name.len() == 6 && name.bytes().all(|b| b.is_ascii_alphanumeric());
    name == "key"
        || name.ends_with(".cwasm")
        || name.ends_with(".entry")
        || name.strip_prefix(".tmp").is_some_and(half_written)
}

fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        // Another process was faster.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(|error| Failure::usage(format!("{} cannot be removed: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_files_are_found() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.cwasm", "key", ".tmpAb12Cd", "notes.txt", ".tmp", "keys"] {
            std::fs::write(folder.path().join(name), b"12").unwrap();
        }
        std::fs::create_dir(folder.path().join("b.cwasm")).unwrap();
        let mut names: Vec<_> =
            ours(folder.path()).unwrap().iter().map(|file| file.path.file_name().unwrap().to_owned()).collect();
        names.sort();
        assert_eq!(names, [".tmpAb12Cd", "a.cwasm", "key"]);
    }

    #[test]
    fn a_cache_that_was_never_used_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        assert!(ours(&folder.path().join("none")).unwrap().is_empty());
    }
}
