//! Who holds a store, and where its socket lies.

use super::hello::{BUILD, PROTOCOL};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// The folder for the socket within the data folder. Only its owner may enter it, whoever may see the data folder.
const FOLDER: &str = "run";
#[cfg(unix)]
const SOCKET: &str = "holder.sock";
const FILE: &str = "holder.json";
/// The most bytes of the holder's file that are read: it has one short line.
const FILE_BYTES_MAX: u64 = 64 * 1024;
/// The most bytes of the command that are kept.
const COMMAND_BYTES_MAX: usize = 1024;

/// Who holds a store: what the process that does so wrote beside its socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub process: u32,
    /// What it is, as it said itself: `handbox serve`.
    pub command: String,
    /// Since when, in milliseconds since 1970 (UTC).
    pub since_unix_ms: u64,
    /// The protocol that it speaks.
    pub protocol: u32,
    /// The version of its build.
    pub build: String,
    /// Where its socket is, if that could not be in the data folder.
    pub socket: Option<PathBuf>,
}

/// Who holds the store of a data folder, or held it last if that process was killed.
///
/// `None` if nobody holds it, or if the file that says so cannot be read.
#[must_use]
pub fn holder(data: &Path) -> Option<Holder> {
    Holder::read(&Place::new(data))
}

/// Where the holder of a store is found.
#[derive(Debug, Clone)]
pub(super) struct Place {
    folder: PathBuf,
}

impl Place {
    pub(super) fn new(data: &Path) -> Self {
        Self { folder: data.join(FOLDER) }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    #[cfg(unix)]
    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join(SOCKET)
    }

    fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Where the holder says that its socket is, if not here.
    #[cfg(unix)]
    pub(super) fn elsewhere(&self) -> Option<PathBuf> {
        Holder::read(self)?.socket
    }
}

impl Holder {
    /// This process, from now on.
    pub(super) fn new(command: &str, socket: Option<&Path>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            process: std::process::id(),
            command: shortened(command).to_owned(),
            since_unix_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
            protocol: PROTOCOL,
            build: BUILD.to_owned(),
            socket: socket.map(Path::to_owned),
        }
    }

    pub(super) fn read(place: &Place) -> Option<Self> {
        // Asked before opening, because opening a pipe would wait.
        fs::metadata(place.file()).ok().filter(fs::Metadata::is_file)?;
        let file = fs::File::open(place.file()).ok()?;
        let mut text = String::new();
        io::Read::read_to_string(&mut io::Read::take(file, FILE_BYTES_MAX), &mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Writes who holds the store; a reader sees the old file or the new one, never a half.
    ///
    /// It is not synced: after a power loss nobody holds anything.
    pub(super) fn write(&self, place: &Place) -> io::Result<HolderFile> {
        let text = serde_json::to_string(self)?;
        let mut file = tempfile::NamedTempFile::new_in(place.folder())?;
        file.write_all(text.as_bytes())?;
        file.persist(place.file()).map_err(|error| error.error)?;
        Ok(HolderFile(place.file()))
    }
}

fn shortened(command: &str) -> &str {
    let end = (0..=COMMAND_BYTES_MAX.min(command.len())).rev().find(|end| command.is_char_boundary(*end));
    &command[..end.unwrap_or_default()]
}

/// The holder's file; dropping this takes it away.
pub(super) struct HolderFile(PathBuf);

impl Drop for HolderFile {
    fn drop(&mut self) {
        // A file that stays names a process that is gone; readers are told so.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_says_who_it_is_until_it_goes() {
        let data = tempfile::tempdir().expect("a folder");
        let place = Place::new(data.path());
        fs::create_dir(place.folder()).expect("made");
        assert_eq!(holder(data.path()), None);
        let written = Holder::new("handbox serve", None).write(&place).expect("written");
        let found = holder(data.path()).expect("there");
        assert_eq!((found.process, found.command.as_str()), (std::process::id(), "handbox serve"));
        drop(written);
        assert_eq!(holder(data.path()), None);
    }

    #[test]
    fn a_command_is_cut_between_characters() {
        assert_eq!(shortened(&"é".repeat(COMMAND_BYTES_MAX)).len(), COMMAND_BYTES_MAX);
        assert_eq!(shortened("short"), "short");
    }

    #[test]
    fn garbage_in_the_file_names_nobody() {
        let data = tempfile::tempdir().expect("a folder");
        let place = Place::new(data.path());
        fs::create_dir(place.folder()).expect("made");
        fs::write(place.file(), "[1,").expect("written");
        assert_eq!(holder(data.path()), None);
    }
}
