//! The tree on a host's own file system, for tests.

use super::{CHUNK_BYTES, Entry, Kind, Time};
use handbox_guest_support::Place;
use std::fs::{self, FileType};
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

/// A folder.
pub(crate) struct Folder(PathBuf);

/// An open file.
pub(crate) struct File(fs::File);

impl Folder {
    /// The granted folder that a place is in.
    pub(crate) fn granted(place: &Place) -> io::Result<Self> {
        let depth = place.inner.split('/').filter(|part| !part.is_empty()).count();
        let root = place.real.ancestors().nth(depth);
        root.map(|root| Self(root.to_owned())).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// What a path within it leads to, through links.
    pub(crate) fn kind(&self, path: &str) -> io::Result<Kind> {
        fs::metadata(self.0.join(path)).map(|about| kind(about.file_type()))
    }

    /// Opens a folder within it.
    pub(crate) fn enter(&self, path: &str) -> io::Result<Self> {
        Ok(Self(self.0.join(path)))
    }

    /// Opens a file within it.
    pub(crate) fn open(&self, path: &str) -> io::Result<File> {
        fs::File::open(self.0.join(path)).map(File)
    }

    /// Lists it, in no order. Names that are not UTF-8 are left out.
    pub(crate) fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(Entry { name, kind: kind(entry.file_type()?) });
            }
        }
        Ok(entries)
    }

    /// When an entry was last changed, not through links.
    pub(crate) fn changed(&self, name: &str) -> io::Result<Time> {
        let time = fs::symlink_metadata(self.0.join(name))?.modified()?;
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok((i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos()))
    }
}

impl File {
    /// Adds what one read gives.
    pub(super) fn more(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let read = self.0.read(&mut chunk)?;
        buffer.extend_from_slice(&chunk[..read]);
        Ok(read)
    }
}

impl io::Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

fn kind(of: FileType) -> Kind {
    match of {
        of if of.is_file() => Kind::File,
        of if of.is_dir() => Kind::Folder,
        _ => Kind::Other,
    }
}
