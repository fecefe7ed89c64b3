//! The vault's file: read whole, written whole, changed by one process at a time.

use super::beside;
use super::entry::{BINDINGS_MAX, Entry, check_name};
use super::error::KeepError;
use super::key;
use super::plain::Plain;
use age::x25519::Identity;
use serde::{Deserialize, Serialize};
use std::fs::{File, Metadata, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The vault's file, in the data folder.
const FILE: &str = "vault.age";
/// What is locked while it is changed. Another file, since that one is replaced.
const LOCK: &str = "vault.lock";
/// What others could replace, if they may write the folder.
const WHAT: &str = "the vault";
/// The most bytes of the file; credentials and bindings fit many times.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most credentials.
const ENTRIES_MAX: usize = 1000;
/// The format that this version writes: values of before may stand with a credential, which no version before 2 knows.
const FORMAT: u32 = 2;
/// The oldest that it reads. In it, no credential has values of before.
const FORMAT_MIN: u32 = 1;
/// What is locked while a token is renewed, so that one process does it for all: servers that rotate refresh tokens take
/// a second use of one for a theft.
const RENEWAL_LOCK: &str = "vault-renew.lock";
/// How long another process may change the vault before we give up.
const LOCK_TIME_MAX: Duration = Duration::from_secs(10);
/// The same for renewing a token, which waits for a server.
const RENEWAL_TIME_MAX: Duration = Duration::from_secs(45);
/// Between two tries.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// All that is in the vault.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Contents {
    format: u32,
    pub(super) entries: Vec<Entry>,
}

/// What is read of any format.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

impl Contents {
    pub(super) fn empty() -> Self {
        Self { format: FORMAT, entries: Vec::new() }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Result<&mut Entry, KeepError> {
        let found = self.entries.iter_mut().find(|entry| entry.name == name);
        found.ok_or_else(|| KeepError::Unknown(name.to_owned()))
    }

    fn check(&self) -> Result<(), KeepError> {
        if self.entries.len() > ENTRIES_MAX {
            let message = format!("a vault holds at most {ENTRIES_MAX} credentials");
            return Err(KeepError::invalid(message, "remove some: handbox vault rm NAME"));
        }
        if self.entries.iter().any(|entry| entry.bindings.len() > BINDINGS_MAX) {
            let message = format!("a credential has at most {BINDINGS_MAX} bindings");
            return Err(KeepError::invalid(message, "bind a path above several: https://api.example.com/v1"));
        }
        self.entries.iter().try_for_each(|entry| check_name(&entry.name).and_then(|()| entry.kind.check()))
    }
}

/// Tells one content of the file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    modified: Option<std::time::SystemTime>,
    /// Device and number of the file, and when that was last changed: a replaced file is another one.
    identity: (u64, u64, i64, i64),
}

impl Stamp {
    #[cfg(unix)]
    fn of(about: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        let identity = (about.dev(), about.ino(), about.ctime(), about.ctime_nsec());
        Self { bytes: about.len(), modified: about.modified().ok(), identity }
    }

    #[cfg(not(unix))]
    fn of(about: &Metadata) -> Self {
        Self { bytes: about.len(), modified: about.modified().ok(), identity: (0, 0, 0, 0) }
    }
}

/// Where the vault is.
pub(super) struct VaultFile {
    folder: PathBuf,
    path: PathBuf,
}

impl VaultFile {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { path: folder.join(FILE), folder }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether anything is there, be it a link that leads nowhere, or out of reach.
    pub(super) fn is_there(&self) -> bool {
        let about = std::fs::symlink_metadata(&self.path);
        about.map_or_else(|error| error.kind() != std::io::ErrorKind::NotFound, |_| true)
    }

    /// What is there now; `None` if nothing is.
    pub(super) fn stamp(&self) -> Result<Option<Stamp>, KeepError> {
        match std::fs::metadata(&self.path) {
            Ok(about) => Ok(Some(Stamp::of(&about))),
            Err(_) if !self.is_there() => Ok(None),
            Err(error) => Err(KeepError::file(&self.path, &error)),
        }
    }

    /// Reads and opens it; `None` if there is none.
    pub(super) fn read(&self, identity: &Identity) -> Result<Option<(Stamp, Contents)>, KeepError> {
        let failed = |error: &std::io::Error| KeepError::file(&self.path, error);
        // Asked before opening, because opening a FIFO would wait for a writer.
        match std::fs::metadata(&self.path) {
            Err(_) if !self.is_there() => return Ok(None),
            Err(error) => return Err(failed(&error)),
            Ok(about) if !about.is_file() => return Err(self.damaged("it is not a regular file")),
            Ok(_) => {}
        }
        key::check_folder(&self.folder, WHAT)?;
        let file = File::open(&self.path).map_err(|error| failed(&error))?;
        let stamp = Stamp::of(&file.metadata().map_err(|error| failed(&error))?);
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Err(self.damaged("it is larger than a vault can be"));
        }
        let plain = key::decrypt(&bytes, identity).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => KeepError::closed(
                format!("{} was closed with another key", self.path.display()),
                "put the right key file back, or name it: HANDBOX_VAULT_KEY_FILE",
            ),
            _ => self.damaged("it is cut, changed or no age file"),
        })?;
        // The error of the parser could quote what it read.
        let unread = |_: serde_json::Error| self.damaged("what is in it is no list of credentials");
        // Before all else: another format may have what this one does not know, and is not damaged for that.
        let Format { format } = serde_json::from_slice(&plain).map_err(unread)?;
        if !(FORMAT_MIN..=FORMAT).contains(&format) {
            let hint = "use the Handbox that wrote it";
            return Err(KeepError::closed(format!("{} has another format", self.path.display()), hint));
        }
        let contents: Contents = serde_json::from_slice(&plain).map_err(unread)?;
        let contents = Contents { format: FORMAT, ..contents };
        contents.check().map_err(|error| self.damaged(&error.to_string()))?;
        Ok(Some((stamp, contents)))
    }

    /// Puts other contents in its place. Only under [`lock`](Self::lock).
    pub(super) fn write(&self, identity: &Identity, contents: &Contents) -> Result<(), KeepError> {
        contents.check()?;
        let failed = |error: &std::io::Error| KeepError::file(&self.path, error);
        let mut plain = Plain::default();
        serde_json::to_writer(&mut plain, contents).map_err(|error| failed(&error.into()))?;
        let closed = age::encrypt(&identity.to_public(), plain.bytes())
            .map_err(|error| KeepError::unavailable(format!("{}: {error}", self.path.display()), ""))?;
        let mut new = beside::create(&self.path).map_err(|error| failed(&error))?;
        new.write_all(&closed).and_then(|()| new.as_file().sync_all()).map_err(|error| failed(&error))?;
        new.persist(&self.path).map_err(|error| failed(&error.error))?;
        sync_folder(&self.folder).map_err(|error| failed(&error))
    }

    /// Makes every other process wait that wants to change the vault.
    pub(super) fn lock(&self) -> Result<Locked, KeepError> {
        lock(&self.folder, LOCK, LOCK_TIME_MAX)
    }

    /// Makes every other process wait that wants to renew a token.
    pub(super) fn lock_renewal(&self) -> Result<Locked, KeepError> {
        lock(&self.folder, RENEWAL_LOCK, RENEWAL_TIME_MAX)
    }

    fn damaged(&self, what: &str) -> KeepError {
        let path = self.path.display();
        KeepError::closed(
            format!("{path} cannot be opened: {what}"),
            format!(
                "put it back from your backup; or, if you have none, move {path} away and set each credential again"
            ),
        )
    }
}

/// A lock that is held as long as this lives.
pub(super) struct Locked(#[expect(dead_code, reason = "the lock ends when the file is closed")] File);

/// Locks a file of a folder; waits a while for others.
fn lock(folder: &Path, name: &str, time_max: Duration) -> Result<Locked, KeepError> {
    let path = folder.join(name);
    let failed = |error: &std::io::Error| KeepError::file(&path, error);
    key::private_folder(folder).map_err(|error| failed(&error))?;
    key::check_folder(folder, WHAT)?;
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path).map_err(|error| failed(&error))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Locked(file)),
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
            Err(TryLockError::WouldBlock) if start.elapsed() > time_max => {
                let message = format!("another process has been changing the vault for {} s", time_max.as_secs());
                return Err(KeepError::unavailable(message, "wait for it to end, and try again"));
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
        }
    }
}

/// Puts a renamed file's name on the disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
