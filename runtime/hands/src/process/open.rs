//! Files that a guest opens for processes to read or write: by the way of every other file of its own.

use crate::bindings::processes::{StreamFault, Writing};
use crate::files::Files;
use crate::guest::Guest;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

/// One end of an open file.
pub(super) enum Opened {
    Input(DynInputStream),
    Output(DynOutputStream),
}

/// Where an absolute path lies.
pub(super) struct Way {
    /// Every granted folder, as a handle of its own.
    folders: Vec<Resource<Descriptor>>,
    place: Option<(u32, String)>,
}

impl Way {
    /// The folder, and the rest of the path.
    pub(super) fn place(&self) -> Option<(Resource<Descriptor>, String)> {
        self.place.as_ref().map(|(folder, rest)| (Resource::new_borrow(*folder), rest.clone()))
    }
}

pub(super) fn no_such() -> StreamFault {
    StreamFault::NotFound
}

impl Guest {
    /// Opens a file to read, or to write in this way.
    pub(super) async fn open_file(
        &mut self,
        path: &str,
        writing: Option<Writing>,
    ) -> wasmtime::Result<Result<Opened, StreamFault>> {
        let way = self.enter(path)?;
        let opened = match way.place() {
            Some((folder, rest)) => self.open_in(folder, rest, writing).await,
            None => Err(ErrorCode::NoEntry.into()),
        };
        self.leave(way, opened)
    }

    /// Finds the granted folder that an absolute path lies in.
    pub(super) fn enter(&mut self, path: &str) -> wasmtime::Result<Way> {
        let mut view = WasiFilesystemCtxView { ctx: self.wasi.filesystem(), table: &mut self.table };
        let folders = preopens::Host::get_directories(&mut view)?;
        let best = folders.iter().filter_map(|(folder, name)| Some((folder.rep(), within(path, name)?)));
        let best = best.max_by_key(|(_, rest)| std::cmp::Reverse(rest.len()));
        let place = best.map(|(folder, rest)| (folder, rest.to_owned()));
        Ok(Way { folders: folders.into_iter().map(|(folder, _)| folder).collect(), place })
    }

    /// Lets go of what [`Self::enter`] opened, and says what went wrong as guests are told.
    pub(super) fn leave<T>(&mut self, way: Way, done: FsResult<T>) -> wasmtime::Result<Result<T, StreamFault>> {
        for folder in way.folders {
            HostDescriptor::drop(&mut self.files(), folder)?;
        }
        match done {
            Ok(done) => Ok(Ok(done)),
            Err(error) => Ok(Err(fault(error.downcast()?))),
        }
    }

    pub(super) fn files(&mut self) -> Files<'_> {
        let inner = WasiFilesystemCtxView { ctx: self.wasi.filesystem(), table: &mut self.table };
        Files { inner, state: &mut self.files }
    }

    async fn open_in(
        &mut self,
        folder: Resource<Descriptor>,
        rest: String,
        writing: Option<Writing>,
    ) -> FsResult<Opened> {
        let (open, access) = match writing {
            None => (OpenFlags::empty(), DescriptorFlags::READ),
            Some(Writing::Truncate) => (OpenFlags::CREATE | OpenFlags::TRUNCATE, DescriptorFlags::WRITE),
            Some(Writing::Append | Writing::Overwrite) => (OpenFlags::CREATE, DescriptorFlags::WRITE),
            Some(Writing::CreateNew) => (OpenFlags::CREATE | OpenFlags::EXCLUSIVE, DescriptorFlags::WRITE),
        };
        let file = self.files().open_at(folder, PathFlags::SYMLINK_FOLLOW, rest, open, access).await?;
        let same = Resource::new_borrow(file.rep());
        let opened = self.stream(same, writing);
        HostDescriptor::drop(&mut self.files(), file).map_err(FsError::trap)?;
        opened
    }

    fn stream(&mut self, file: Resource<Descriptor>, writing: Option<Writing>) -> FsResult<Opened> {
        if matches!(self.table.get(&file)?, Descriptor::Dir(_)) {
            return Err(ErrorCode::IsDirectory.into());
        }
        let stream = match writing {
            None => {
                let stream = self.files().read_via_stream(file, 0)?;
                return Ok(Opened::Input(self.table.delete(stream)?));
            }
            Some(Writing::Append) => self.files().append_via_stream(file)?,
            Some(_) => self.files().write_via_stream(file, 0)?,
        };
        Ok(Opened::Output(self.table.delete(stream)?))
    }
}

/// What comes after a folder's name in a path within it.
fn within<'a>(path: &'a str, folder: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    match rest.strip_prefix('/') {
        _ if folder == "." => None,
        Some(rest) => Some(rest.trim_start_matches('/')).map(|rest| if rest.is_empty() { "." } else { rest }),
        None => rest.is_empty().then_some("."),
    }
}

fn fault(code: ErrorCode) -> StreamFault {
    match code {
        ErrorCode::NoEntry => StreamFault::NotFound,
        ErrorCode::IsDirectory => StreamFault::IsDirectory,
        ErrorCode::NotDirectory => StreamFault::NotDirectory,
        ErrorCode::Exist => StreamFault::Exists,
        ErrorCode::Access | ErrorCode::NotPermitted | ErrorCode::ReadOnly => StreamFault::Denied,
        ErrorCode::InsufficientSpace => StreamFault::Other("No space left on device".to_owned()),
        ErrorCode::InsufficientMemory => StreamFault::Other("Too many open files".to_owned()),
        ErrorCode::Loop => StreamFault::Other("Too many levels of symbolic links".to_owned()),
        ErrorCode::NameTooLong => StreamFault::Other("File name too long".to_owned()),
        other => StreamFault::Other(other.name().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn a_path_is_within_a_folder_by_whole_names() {
        assert_eq!(within("/workspace/a/b", "/workspace"), Some("a/b"));
        assert_eq!(within("/workspace", "/workspace"), Some("."));
        assert_eq!(within("/workspace//a", "/workspace/"), Some("a"));
        assert_eq!(within("/workspaces/a", "/workspace"), None);
        assert_eq!(within("/a", "/"), Some("a"));
        assert_eq!(within("./a", "."), None);
    }
}
