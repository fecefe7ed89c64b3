//! Temporary folders, which go with whoever made them: also with one that was killed, and whatever a guest left in them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;
use tempfile::TempDir;

/// What they are called.
const PREFIX: &str = "handbox-tmp-";
/// One that is younger may be about to be locked by who made it.
const AGE_MIN: Duration = Duration::from_secs(60);

/// A folder that nobody else of this machine may look into.
#[derive(Debug)]
pub struct Temporary {
    folder: TempDir,
    /// Says that somebody lives who wants it; none where a folder cannot be opened.
    _lock: Option<fs::File>,
    _listed: Listed,
}

/// A folder of this process that is there.
#[derive(Debug)]
struct Listed(PathBuf);

/// All of them.
static LISTED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn listed() -> MutexGuard<'static, Vec<PathBuf>> {
    LISTED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listed {
    fn new(path: &Path) -> Self {
        listed().push(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        listed().retain(|path| *path != self.0);
    }
}

impl Temporary {
    /// Makes one, after those were removed that killed processes left behind.
    ///
    /// # Errors
    ///
    /// If none can be made where the system has its temporary files.
    pub fn make() -> io::Result<Self> {
        sweep();
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir()?;
        let lock = fs::File::open(folder.path()).ok().filter(|lock| lock.try_lock().is_ok());
        let listed = Listed::new(folder.path());
        Ok(Self { folder, _lock: lock, _listed: listed })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Removes all of this process, whoever has them: for one that ends at once, on a signal.
    pub fn remove_all() {
        for path in listed().drain(..) {
            open_up(&path);
            // Nobody is left to be told that it stays.
            let _ = fs::remove_dir_all(path);
        }
    }

    /// Removes it now.
    ///
    /// # Errors
    ///
    /// Why it is still there.
    pub fn remove(self) -> io::Result<()> {
        open_up(self.path());
        self.folder.close()
    }
}

/// Lets its owner into a folder and all below it, whatever permissions a guest gave them.
pub fn open_up(folder: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(about) = fs::symlink_metadata(folder) else { return };
        let mode = about.permissions().mode();
        if !about.is_dir() {
            return;
        }
        if mode & 0o700 != 0o700 {
            // What cannot be changed is said by whoever cannot remove it.
            let _ = fs::set_permissions(folder, fs::Permissions::from_mode(mode | 0o700));
        }
        fs::read_dir(folder).into_iter().flatten().flatten().for_each(|entry| open_up(&entry.path()));
    }
    #[cfg(not(unix))]
    let _ = folder;
}

/// Removes, once for this process, what processes left behind that were killed: nobody holds its lock any more.
fn sweep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for entry in fs::read_dir(std::env::temp_dir()).into_iter().flatten().flatten() {
            let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
            // It may be another user's, or go at this moment.
            if is_ours && is_abandoned(&entry.path()).unwrap_or(false) {
                open_up(&entry.path());
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    });
}

fn is_abandoned(folder: &Path) -> io::Result<bool> {
    let about = fs::symlink_metadata(folder)?;
    let is_old = about.modified()?.elapsed().is_ok_and(|age| age >= AGE_MIN);
    Ok(about.is_dir() && is_old && fs::File::open(folder)?.try_lock().is_ok())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_is_abandoned_when_its_lock_is_and_not_before() {
        let temporary = Temporary::make().unwrap();
        let path = temporary.path().to_owned();
        let old = std::time::SystemTime::now() - 2 * AGE_MIN;
        fs::File::open(&path).unwrap().set_modified(old).unwrap();
        assert!(!is_abandoned(&path).unwrap(), "somebody has it");
        let Temporary { folder, _lock, .. } = temporary;
        drop(_lock);
        assert!(is_abandoned(&path).unwrap());
        fs::File::open(&path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
        assert!(!is_abandoned(&path).unwrap(), "it was just made");
        drop(folder);
    }

    #[test]
    fn what_nobody_may_enter_is_removed_all_the_same() {
        let temporary = Temporary::make().unwrap();
        let path = temporary.path().to_owned();
        fs::create_dir_all(path.join("a/b")).unwrap();
        fs::write(path.join("a/b/c"), "").unwrap();
        for closed in ["a/b", "a"] {
            fs::set_permissions(path.join(closed), fs::Permissions::from_mode(0o000)).unwrap();
        }
        temporary.remove().unwrap();
        assert!(!path.exists());
    }
}
