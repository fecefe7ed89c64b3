//! A tree of files, with as few calls into the host as it can be walked with.
//!
//! In a sandbox every one of them costs more than the search itself does on a small file,
//! so this speaks `wasi:filesystem` directly: a file is opened, read and closed, and
//! nothing else, where `std::fs` also makes a stream and asks for sizes and inode numbers.

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod wasi;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use native::{File, Folder};
#[cfg(target_arch = "wasm32")]
pub(crate) use wasi::{File, Folder};

use handbox_guest_support::{Place, Workspace, fault};
use handbox_tool::Fault;
use std::io;

/// What an entry of a folder is. Links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Other,
}

/// An entry of a folder.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// When something was last changed: seconds and nanoseconds since 1970.
pub(crate) type Time = (i64, u32);

/// How much is read at once. Hosts give at most 64 KiB, and clear that much for each read:
/// more than most files have is more than most reads need.
pub(crate) const CHUNK_BYTES: usize = 16 * 1024;

/// What a path leads to.
pub(crate) enum Found {
    File(File),
    Folder(Folder),
}

/// Opens what a path leads to, through links.
pub(crate) fn open(place: &Place) -> Result<Found, Fault> {
    let failed = |error: io::Error| fault("search", &place.shown, &error);
    let root = Folder::granted(place).map_err(failed)?;
    if place.inner.is_empty() {
        return Ok(Found::Folder(root));
    }
    match root.kind(&place.inner).map_err(failed)? {
        Kind::Folder => root.enter(&place.inner).map(Found::Folder).map_err(failed),
        Kind::File => root.open(&place.inner).map(Found::File).map_err(failed),
        Kind::Other => Err(Fault::failed(format!("{} is neither a file nor a folder", place.shown))),
    }
}

/// Where a search starts: the given path, or the working folder. Beside it, how paths
/// below it are to begin when they are shown: as the path was written.
pub(crate) fn start(workspace: &Workspace, path: Option<&str>) -> Result<(Place, String), Fault> {
    let Some(path) = path.filter(|path| !path.is_empty()) else {
        return Ok((workspace.start()?, String::new()));
    };
    let place = workspace.resolve(path)?;
    let shown = path.trim_start_matches("./").trim_end_matches('/');
    let shown = match (shown, path.starts_with('/')) {
        ("", true) => "/".to_owned(),
        ("" | ".", _) => String::new(),
        (shown, _) => format!("{shown}/"),
    };
    Ok((place, shown))
}

impl File {
    /// Reads on until the end or until `buffer` has `max` bytes. True at the end.
    ///
    /// A read that gave less than it was asked for has met the end of a regular file. The
    /// contract does not promise that, but to ask again would double the calls: so it is
    /// asked again only when the number looks like a host's cap.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, max: usize) -> io::Result<bool> {
        while buffer.len() < max {
            let read = self.more(buffer)?;
            if read == 0 || (read < CHUNK_BYTES && !read.is_multiple_of(4096)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
