//! New files, written beside those that they replace.

use std::path::Path;
use std::time::Duration;
use tempfile::NamedTempFile;

/// What the name of a new file ends with; it begins with a dot and the name of the file that it will replace.
const END: &str = ".new";
/// Characters between, by chance.
const CHANCE: usize = 6;
/// How old a file must be that whoever writes it may still be writing.
pub(super) const ABANDONED: Duration = Duration::from_secs(60);

/// A new file for its owner alone (0600), to be given this name.
pub(super) fn create(path: &Path) -> std::io::Result<NamedTempFile> {
    let begin = begin(path).ok_or_else(|| std::io::Error::other("it is no name of a file"))?;
    tempfile::Builder::new().prefix(&begin).suffix(END).rand_bytes(CHANCE).tempfile_in(folder_of(path))
}

/// Removes new files that are older than that and got no name, since the process that wrote them was killed. What cannot be
/// removed is left for the next time.
pub(super) fn sweep(path: &Path, older_than: Duration) {
    let (Some(begin), Ok(files)) = (begin(path), std::fs::read_dir(folder_of(path))) else { return };
    for file in files.flatten() {
        let name = file.file_name();
        let chance = name.to_str().and_then(|name| name.strip_prefix(&begin)?.strip_suffix(END));
        let is_ours = chance.is_some_and(|chance| chance.len() == CHANCE);
        // Of the file itself, not of what a link leads to.
        let about = file.metadata().ok().filter(|about| is_ours && about.is_file());
        let age = about.and_then(|about| about.modified().ok()).map(|at| at.elapsed().unwrap_or_default());
        if age.is_some_and(|age| age >= older_than) {
            let _ = std::fs::remove_file(file.path());
        }
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn begin(path: &Path) -> Option<String> {
    Some(format!(".{}.", path.file_name()?.to_str()?))
}
