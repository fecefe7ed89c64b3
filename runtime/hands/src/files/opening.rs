//! Opening what a path leads to: without waiting for anybody, and without losing sight of the name that was judged.

use super::Files;
use super::checks::{Fd, Place, again};
use cap_primitives::fs::{DirOptions, FollowSymlinks, OpenOptions};
use std::path::Path;
use std::sync::Arc;
use wasmtime_wasi::FsPerms;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File, OpenMode};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorType, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

/// Most links that a path for writing may lead through.
const LINKS_MAX: usize = 8;

impl Files<'_> {
    /// As `open-at` is described in `wasi:filesystem`, with the folder's own permissions.
    ///
    /// A path may lead to something else than what was looked at before, so nothing that is opened here is waited for: a
    /// FIFO of which nobody has the other end would hold a thread of the host for ever.
    pub(super) fn open(
        &mut self,
        folder: &Fd,
        flags: PathFlags,
        path: &str,
        open: OpenFlags,
        access: DescriptorFlags,
    ) -> FsResult<Fd> {
        let (dir, perms) = self.dir(folder)?;
        let creates = open.contains(OpenFlags::CREATE);
        let writes = access.contains(DescriptorFlags::WRITE) || creates || open.contains(OpenFlags::TRUNCATE);
        if writes && perms != FsPerms::ReadWrite {
            return Err(ErrorCode::NotPermitted.into());
        }
        let reads = access.contains(DescriptorFlags::READ) || !writes;
        let follow = if flags.contains(PathFlags::SYMLINK_FOLLOW) { FollowSymlinks::Yes } else { FollowSymlinks::No };
        let mut options = OpenOptions::new();
        options.read(reads).write(writes).truncate(open.contains(OpenFlags::TRUNCATE));
        match (creates, open.contains(OpenFlags::EXCLUSIVE)) {
            (true, true) => options.create_new(true),
            (creates, _) => options.create(creates),
        };
        // What cap-primitives has for those who build file systems on it.
        options._cap_fs_ext_follow(follow)._cap_fs_ext_maybe_dir(true)._cap_fs_ext_nonblock(true);
        #[cfg(unix)]
        cap_primitives::fs::OpenOptionsExt::mode(&mut options, 0o666 & !self.state.mask);
        let opened = cap_primitives::fs::open(&dir, Path::new(path), &options)?;
        let kind = opened.metadata()?.file_type();
        let mut mode = OpenMode::empty();
        mode.set(OpenMode::READ, reads);
        mode.set(OpenMode::WRITE, writes);
        let descriptor = if kind.is_dir() && writes {
            return Err(ErrorCode::IsDirectory.into());
        } else if kind.is_dir() {
            Descriptor::Dir(Dir::new(opened, perms, mode, true))
        } else if open.contains(OpenFlags::DIRECTORY) {
            return Err(ErrorCode::NotDirectory.into());
        } else if kind.is_file() {
            Descriptor::File(File::new(opened, perms, mode, true))
        } else {
            return Err(ErrorCode::NotPermitted.into());
        };
        Ok(self.inner.table.push(descriptor)?)
    }

    /// Makes a folder, with the permission bits that the process's mask leaves.
    pub(super) fn make_folder(&mut self, folder: &Fd, path: &str) -> FsResult<()> {
        let (dir, perms) = self.dir(folder)?;
        if perms != FsPerms::ReadWrite {
            return Err(ErrorCode::NotPermitted.into());
        }
        #[cfg_attr(not(unix), expect(unused_mut, reason = "there are no permission bits"))]
        let mut options = DirOptions::new();
        #[cfg(unix)]
        cap_primitives::fs::DirBuilderExt::mode(&mut options, 0o777 & !self.state.mask);
        Ok(cap_primitives::fs::create_dir(&dir, Path::new(path), &options)?)
    }

    /// The open folder, and what it may be used for.
    pub(super) fn dir(&mut self, folder: &Fd) -> FsResult<(Arc<std::fs::File>, FsPerms)> {
        match self.inner.table.get(folder).map_err(FsError::from)? {
            Descriptor::Dir(dir) => Ok((Arc::clone(&dir.dir), dir.perms)),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
        }
    }

    /// Opens the folder that a path ends in, so that what is checked and what is done next
    /// happen in one place, whatever becomes of the path meanwhile. The last part is a name,
    /// and no call here follows it without saying so.
    ///
    /// A slash at the end means a folder (POSIX.1-2024, 4.16 Pathname Resolution): what is there must be one.
    pub(super) async fn place(&mut self, fd: &Fd, path: &str) -> FsResult<Place> {
        let place = self.place_of_name(fd, path.trim_end_matches('/'))?;
        if !path.ends_with('/') || path.trim_end_matches('/').is_empty() {
            return Ok(place);
        }
        let follow = PathFlags::SYMLINK_FOLLOW;
        match self.inner.stat_at(again(&place.folder), follow, place.name.clone()).await {
            Ok(stat) if stat.type_ != DescriptorType::Directory => {
                self.leave(place)?;
                Err(ErrorCode::NotDirectory.into())
            }
            Ok(_) => Ok(place),
            Err(_) => Ok(Place { must_be_folder: true, ..place }),
        }
    }

    fn place_of_name(&mut self, fd: &Fd, path: &str) -> FsResult<Place> {
        let (folder, name) = match path.rsplit_once('/') {
            // Not a name in the folder before it, but that folder's own folder.
            _ if path == ".." || path.ends_with("/..") => (path, "."),
            Some(("", name)) => ("/", name),
            Some((folder, name)) => (folder, name),
            None => {
                let name = path.to_owned();
                return Ok(Place { folder: again(fd), name, opened: false, must_be_folder: false });
            }
        };
        let follow = PathFlags::SYMLINK_FOLLOW;
        let folder = self.open(fd, follow, folder, OpenFlags::DIRECTORY, DescriptorFlags::READ)?;
        Ok(Place { folder, name: name.to_owned(), opened: true, must_be_folder: false })
    }

    /// The place that a path leads to in the end. Links are followed here one by one, and the name that is found is not
    /// followed any more: it is the one that is judged and the one that is used.
    pub(super) async fn place_in_the_end(&mut self, fd: &Fd, path: &str) -> FsResult<Place> {
        let mut path = path.to_owned();
        for _ in 0..LINKS_MAX {
            let place = self.place(fd, &path).await?;
            let target = self.inner.readlink_at(again(&place.folder), place.name.clone()).await;
            let target = match target.map_err(FsError::downcast) {
                Ok(target) => target,
                // An absolute one: the host's root is nobody's here.
                Err(Ok(ErrorCode::NotPermitted)) => {
                    self.leave(place)?;
                    return Err(ErrorCode::NotPermitted.into());
                }
                Err(_) => return Ok(place),
            };
            self.leave(place)?;
            if target.starts_with('/') {
                return Err(ErrorCode::NotPermitted.into());
            }
            path = match path.trim_end_matches('/').rsplit_once('/') {
                Some((folder, _)) => format!("{folder}/{target}"),
                None => target,
            };
        }
        Err(ErrorCode::Loop.into())
    }

    /// As [`Self::place_in_the_end`] if links are followed, else as [`Self::place`].
    pub(super) async fn place_for(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> FsResult<Place> {
        if flags.contains(PathFlags::SYMLINK_FOLLOW) {
            self.place_in_the_end(fd, path).await
        } else {
            self.place(fd, path).await
        }
    }

    pub(super) fn leave(&mut self, place: Place) -> FsResult<()> {
        if place.opened {
            HostDescriptor::drop(&mut self.inner, place.folder).map_err(FsError::trap)?;
        }
        Ok(())
    }
}
