//! The tree as `wasi:filesystem` gives it.

use super::{CHUNK_BYTES, Entry, Kind, Time};
use handbox_guest_support::Place;
use std::io;
use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, DescriptorType, ErrorCode, OpenFlags, PathFlags};

/// An open folder.
pub(crate) struct Folder(Descriptor);

/// An open file.
pub(crate) struct File {
    file: Descriptor,
    offset: u64,
}

impl Folder {
    /// The granted folder that a place is in.
    pub(crate) fn granted(place: &Place) -> io::Result<Self> {
        let folder = get_directories().into_iter().nth(place.folder);
        folder.map(|(folder, _)| Self(folder)).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// What a path within it leads to, through links.
    pub(crate) fn kind(&self, path: &str) -> io::Result<Kind> {
        self.0.stat_at(PathFlags::SYMLINK_FOLLOW, path).map(|about| kind(about.type_)).map_err(error)
    }

    /// Opens a folder within it.
    pub(crate) fn enter(&self, path: &str) -> io::Result<Self> {
        let opened = self.0.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::DIRECTORY, DescriptorFlags::READ);
        opened.map(Self).map_err(error)
    }

    /// Opens a file within it.
    pub(crate) fn open(&self, path: &str) -> io::Result<File> {
        let opened = self.0.open_at(PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ);
        opened.map(|file| File { file, offset: 0 }).map_err(error)
    }

    /// Lists it, in no order. Names that are not UTF-8 are left out.
    pub(crate) fn entries(&self) -> io::Result<Vec<Entry>> {
        let stream = self.0.read_directory().map_err(error)?;
        let mut entries = Vec::new();
        loop {
            match stream.read_directory_entry() {
                Ok(Some(entry)) => entries.push(Entry { name: entry.name, kind: kind(entry.type_) }),
                Ok(None) => return Ok(entries),
                Err(ErrorCode::IllegalByteSequence) => {}
                Err(code) => return Err(error(code)),
            }
        }
    }

    /// When an entry was last changed, not through links.
    pub(crate) fn changed(&self, name: &str) -> io::Result<Time> {
        let about = self.0.stat_at(PathFlags::empty(), name).map_err(error)?;
        let time = about.data_modification_timestamp;
        Ok(time.map_or((0, 0), |time| (i64::try_from(time.seconds).unwrap_or(i64::MAX), time.nanoseconds)))
    }
}

impl File {
    /// Adds what one read gives.
    pub(super) fn more(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let bytes = self.next(CHUNK_BYTES)?;
        let read = bytes.len();
        if buffer.is_empty() {
            *buffer = bytes;
        } else {
            buffer.extend_from_slice(&bytes);
        }
        Ok(read)
    }

    fn next(&mut self, max: usize) -> io::Result<Vec<u8>> {
        let (mut bytes, _) = self.file.read(max as u64, self.offset).map_err(error)?;
        bytes.truncate(max);
        self.offset += bytes.len() as u64;
        Ok(bytes)
    }
}

impl io::Read for File {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(buffer.len())?;
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

fn kind(of: DescriptorType) -> Kind {
    match of {
        DescriptorType::RegularFile => Kind::File,
        DescriptorType::Directory => Kind::Folder,
        _ => Kind::Other,
    }
}

fn error(code: ErrorCode) -> io::Error {
    let kind = match code {
        ErrorCode::Access | ErrorCode::NotPermitted => io::ErrorKind::PermissionDenied,
        ErrorCode::NoEntry => io::ErrorKind::NotFound,
        ErrorCode::NotDirectory => io::ErrorKind::NotADirectory,
        ErrorCode::IsDirectory => io::ErrorKind::IsADirectory,
        _ => return io::Error::other(code.name()),
    };
    kind.into()
}
