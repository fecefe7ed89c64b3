//! The lock on a store: held from before anybody looks at its file until that is closed.
//!
//! The engine locks the file too, but only after it was looked at, and a file that was never finished is made anew. So who
//! looks must be alone already. The lock's file stays where it is, and says whether there was a store once.

use crate::error::{OpenError, store};
use redb::Database;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

/// The file that is locked, beside the store's.
const FILE: &str = "sessions.lock";
/// What is in it once the store was complete.
const BORN: &[u8] = b"there is a store\n";

/// A lock that is held. It ends with this, or with the process.
#[derive(Debug)]
pub(crate) struct Lock(File);

/// The engine on a file that nobody else has. The lock goes after it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) database: Database,
    /// None for what is no file.
    pub(crate) lock: Option<Lock>,
}

/// Opens a file for its owner alone, and makes it if it is not there. What is no file is not opened: a pipe would wait.
pub(crate) fn open_own(path: &Path) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let what = format!("{} is not a file", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    }
    let mut open = OpenOptions::new();
    open.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    open.open(path)
}

impl Lock {
    /// Takes the lock of a folder.
    pub(crate) fn take(folder: &Path) -> Result<Self, OpenError> {
        let file = open_own(&folder.join(FILE))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(OpenError::Busy),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    fn is_marked(&self) -> io::Result<bool> {
        let mut found = Vec::new();
        let mut file = &self.0;
        io::Seek::rewind(&mut file)?;
        file.take(BORN.len() as u64).read_to_end(&mut found)?;
        Ok(found == BORN)
    }

    /// There is no store, and none that was lost: its file is not there.
    pub(crate) fn unmark(&self) -> io::Result<()> {
        if self.is_marked()? {
            self.0.set_len(0)?;
            self.0.sync_all()?;
        }
        Ok(())
    }

    /// There is a store from now on.
    pub(crate) fn mark(&self) -> io::Result<()> {
        if !self.is_marked()? {
            let mut file = &self.0;
            io::Seek::rewind(&mut file)?;
            file.write_all(BORN)?;
            self.0.sync_all()?;
        }
        Ok(())
    }

    /// Refuses to make a store of a file in which there was one.
    pub(crate) fn check_unmarked(&self) -> Result<(), OpenError> {
        if self.is_marked()? {
            return Err(OpenError::Log(store(
                "its file is empty, and was not once; put a copy in its place, or take the file away to begin anew",
            )));
        }
        Ok(())
    }
}
