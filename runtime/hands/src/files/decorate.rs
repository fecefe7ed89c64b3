//! `wasi:filesystem/types`, forwarded call by call.

use super::checks::{Fd, Place, again};
use super::protect::identity_of;
use super::streams::{CountedInput, Metered, MeteredOutput};
use super::{Files, List, OpenToken, streams};
use crate::process::Held;
use handbox_hand::Limit;
use std::sync::Arc;
use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

/// Lists of folders that a store may hold at once: one for each level of a deep walk.
const LISTS_MAX: usize = 32;

impl types::Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        let full = self.inner.table.get(&error)?.downcast_ref::<std::io::Error>().is_some_and(streams::is_out_of_space);
        // On Windows, wasmtime-wasi 48 knows no code for a full disk and would call it an I/O error.
        if full { Ok(Some(ErrorCode::InsufficientSpace)) } else { self.inner.filesystem_error_code(error) }
    }
}

impl HostDescriptor for Files<'_> {
    async fn open_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        open: OpenFlags,
        access: DescriptorFlags,
    ) -> FsResult<Fd> {
        self.state.hop.may_block().await;
        if let Some(device) = self.device_at(&fd, &path).await {
            return self.open_device(device, open);
        }
        let changes = OpenFlags::CREATE | OpenFlags::TRUNCATE;
        if (open & changes) != OpenFlags::empty() || access.contains(DescriptorFlags::WRITE) {
            self.check_may_change()?;
            // A name that must be new is not followed (POSIX.1-2024, `open`, `O_EXCL`).
            let exclusive = open.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE);
            let flags = if exclusive { PathFlags::empty() } else { flags };
            let place = self.place_for(&fd, flags, &path).await?;
            let opened = self.open_for_writing(&place, open, access).await;
            self.leave(place)?;
            return opened;
        }
        // Not opened at all, if it is seen in time: opening alone may mean something to a device.
        self.look(&fd, flags, &path).await?;
        let token = self.token()?;
        let opened = self.open(&fd, flags, &path, open, access)?;
        self.keep(opened, token, None).await
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.state.open.remove(&fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        if self.is_device(&fd) {
            return self.inner.write(fd, bytes, 0).await;
        }
        self.check_may_change()?;
        self.state.hop.may_block().await;
        self.charge_write(&fd, offset, bytes.len() as u64).await?;
        self.inner.write(fd, bytes, offset).await
    }

    async fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        if self.is_device(&fd) {
            return Err(ErrorCode::Invalid.into());
        }
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let now = self.inner.stat(again(&fd)).await?.size;
        self.take_bytes(&fd, size.saturating_sub(now))?;
        self.inner.set_size(fd, size).await
    }

    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        if self.is_device(&fd) {
            return self.inner.write_via_stream(fd, 0);
        }
        self.check_may_change()?;
        let size = self.check_opened_for_writing(&fd)?;
        // A stream that starts beyond the end leaves a hole, which is paid for like bytes.
        self.take_bytes(&fd, offset.saturating_sub(size))?;
        self.check_disk_has_room()?;
        let metered = self.metered(&fd);
        let stream = self.inner.write_via_stream(fd, offset)?;
        self.meter_output(stream, metered)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        if self.is_device(&fd) {
            return self.inner.write_via_stream(fd, 0);
        }
        self.check_may_change()?;
        self.check_opened_for_writing(&fd)?;
        self.check_disk_has_room()?;
        let metered = self.metered(&fd);
        let stream = self.inner.append_via_stream(fd)?;
        self.meter_output(stream, metered)
    }

    fn read_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynInputStream>> {
        let open = self.token_of(&fd);
        let stream = self.inner.read_via_stream(fd, offset)?;
        let inner = self.inner.table.delete(stream)?;
        let counted: DynInputStream = Box::new(CountedInput { inner, _open: open });
        Ok(self.inner.table.push(counted)?)
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        Self::check_new_name(&path)?;
        self.take(Limit::Files, 1)?;
        let made = self.make_folder(&fd, &path);
        self.settle_new(made, &fd, &path).await
    }

    async fn link_at(&mut self, fd: Fd, flags: PathFlags, old: String, new_fd: Fd, new: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let old = self.place(&fd, &old).await?;
        let new = match self.place(&new_fd, &new).await {
            Ok(new) => new,
            Err(error) => {
                self.leave(old)?;
                return Err(error);
            }
        };
        let made = self.link(flags, &old, &new).await;
        self.leave(old)?;
        self.leave(new)?;
        made
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        Self::check_new_name(&path)?;
        self.take(Limit::Files, 1)?;
        let made = self.inner.symlink_at(again(&fd), target, path.clone()).await;
        self.settle_new(made, &fd, &path).await
    }

    async fn rename_at(&mut self, fd: Fd, old: String, new_fd: Fd, new: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let old = self.place(&fd, &old).await?;
        let new = match self.place(&new_fd, &new).await {
            Ok(new) => new,
            Err(error) => {
                self.leave(old)?;
                return Err(error);
            }
        };
        let moved = self.rename(&old, &new).await;
        self.leave(old)?;
        self.leave(new)?;
        moved
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let place = self.place(&fd, &path).await?;
        let gone = self.unlink(&place).await;
        self.leave(place)?;
        gone
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let place = self.place(&fd, &path).await?;
        let gone = self.remove_folder(&place).await;
        self.leave(place)?;
        gone
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        atime: NewTimestamp,
        mtime: NewTimestamp,
    ) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        // A device is the host's own.
        if self.device_at(&fd, &path).await.is_some() {
            return Ok(());
        }
        let place = self.place_for(&fd, flags, &path).await?;
        let set = self.set_times_in(&place, atime, mtime).await;
        self.leave(place)?;
        set
    }

    async fn set_times(&mut self, fd: Fd, atime: NewTimestamp, mtime: NewTimestamp) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let identity = identity_of(&mut self.inner, &fd).await;
        if identity.is_some_and(|identity| self.state.protected.is_file(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        // As above.
        if self.is_device(&fd) {
            return Ok(());
        }
        self.inner.set_times(fd, atime, mtime).await
    }

    async fn advise(&mut self, fd: Fd, offset: u64, length: u64, advice: Advice) -> FsResult<()> {
        if self.is_device(&fd) {
            return Ok(());
        }
        self.state.hop.may_block().await;
        self.inner.advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        if self.is_device(&fd) {
            return Ok(());
        }
        self.state.hop.may_block().await;
        self.inner.sync_data(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        if self.is_device(&fd) {
            return Ok(());
        }
        self.state.hop.may_block().await;
        self.inner.sync(fd).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.inner.get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        if self.is_device(&fd) {
            return Ok(DescriptorType::RegularFile);
        }
        self.inner.get_type(fd).await
    }

    async fn read(&mut self, fd: Fd, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        self.state.hop.may_block().await;
        self.inner.read(fd, length, offset).await
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        self.state.hop.may_block().await;
        if self.state.lists.len() >= LISTS_MAX {
            self.state.meter.reached(Limit::Handles);
            return Err(ErrorCode::InsufficientMemory.into());
        }
        let open = self.token()?;
        let list = self.inner.read_directory(fd).await?;
        match self.list(&list, open).await {
            Ok(entries) => {
                self.state.lists.insert(list.rep(), entries);
                Ok(list)
            }
            Err(error) => {
                HostDirectoryEntryStream::drop(&mut self.inner, list).map_err(FsError::trap)?;
                Err(error)
            }
        }
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.state.hop.may_block().await;
        let is_device = self.is_device(&fd);
        let stat = self.inner.stat(fd).await?;
        // Programs that are built for WASI know files, folders and links, and refuse to read anything else.
        let type_ = if is_device { DescriptorType::RegularFile } else { stat.type_ };
        Ok(DescriptorStat { type_, ..stat })
    }

    async fn stat_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        self.state.hop.may_block().await;
        // By its path it is what it is, so that nobody who goes through a tree reads it; opened, it can be read: see `stat`.
        let is_device = self.device_at(&fd, &path).await.is_some();
        let stat = self.inner.stat_at(fd, flags, path).await?;
        let type_ = if is_device { DescriptorType::CharacterDevice } else { stat.type_ };
        Ok(DescriptorStat { type_, ..stat })
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        self.state.hop.may_block().await;
        self.inner.readlink_at(fd, path).await
    }

    async fn is_same_object(&mut self, one: Fd, other: Fd) -> wasmtime::Result<bool> {
        self.inner.is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        self.inner.metadata_hash(fd).await
    }

    async fn metadata_hash_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> FsResult<MetadataHashValue> {
        self.state.hop.may_block().await;
        self.inner.metadata_hash_at(fd, flags, path).await
    }
}

impl Files<'_> {
    /// Takes over what a list holds, which counts as memory of the call.
    async fn list(&mut self, list: &Resource<DirectoryEntryStream>, open: OpenToken) -> FsResult<List> {
        let (mut entries, mut nameless) = (Vec::new(), false);
        loop {
            let entry = self.inner.read_directory_entry(Resource::new_borrow(list.rep())).await;
            match entry.map_err(FsError::downcast) {
                Ok(Some(entry)) => entries.push(entry),
                Ok(None) => break,
                Err(error) => match error.map_err(FsError::trap)? {
                    // It went while the list was made.
                    ErrorCode::NoEntry => {}
                    ErrorCode::IllegalByteSequence => nameless = true,
                    other => return Err(other.into()),
                },
            }
        }
        let bytes = entries.iter().map(|entry| entry.name.capacity() + size_of::<DirectoryEntry>()).sum();
        let held = Held::take(&self.state.meter, bytes).map_err(|_| ErrorCode::InsufficientMemory)?;
        // They are taken from the end.
        entries.reverse();
        Ok(List { entries, nameless, held, _open: open })
    }

    /// Sets the times of what stands at a place; of a link, its own.
    async fn set_times_in(&mut self, place: &Place, atime: NewTimestamp, mtime: NewTimestamp) -> FsResult<()> {
        Self::check_new_name(&place.name)?;
        self.look(&place.folder, PathFlags::empty(), &place.name).await?;
        let read = DescriptorFlags::READ;
        // The very file that is opened is judged, whatever becomes of the name meanwhile.
        if let Ok(opened) = self.open(&place.folder, PathFlags::empty(), &place.name, OpenFlags::empty(), read) {
            let set = self.set_times(again(&opened), atime, mtime).await;
            HostDescriptor::drop(&mut self.inner, opened).map_err(FsError::trap)?;
            return set;
        }
        // A link, or what may not be read. Nothing that is protected can come to stand here.
        self.check_not_pinned(&place.folder, &place.name).await?;
        let (folder, name) = (again(&place.folder), place.name.clone());
        self.inner.set_times_at(folder, PathFlags::empty(), name, atime, mtime).await
    }

    fn metered(&mut self, fd: &Fd) -> Metered {
        Metered {
            meter: self.state.of_streams.clone(),
            read_only: Arc::clone(&self.state.read_only),
            taken: self.taken(fd),
            _open: self.token_of(fd),
        }
    }

    fn meter_output(
        &mut self,
        stream: Resource<DynOutputStream>,
        metered: Metered,
    ) -> FsResult<Resource<DynOutputStream>> {
        let inner = self.inner.table.delete(stream)?;
        let metered: DynOutputStream = Box::new(MeteredOutput { inner, metered });
        Ok(self.inner.table.push(metered)?)
    }
}

impl HostDirectoryEntryStream for Files<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let Some(list) = self.state.lists.get_mut(&stream.rep()) else { return Ok(None) };
        match list.entries.pop() {
            Some(entry) => Ok(Some(entry)),
            // Most guests take an error for the end: it comes when all others were told.
            None if std::mem::take(&mut list.nameless) => Err(ErrorCode::IllegalByteSequence.into()),
            None => Ok(None),
        }
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.state.lists.remove(&stream.rep());
        HostDirectoryEntryStream::drop(&mut self.inner, stream)
    }
}
