//! `wasi:filesystem/types`, forwarded call by call.

use super::checks::{Fd, again};
use super::protect::identity_of;
use super::streams::{CountedInput, Metered, MeteredOutput};
use super::{Files, streams};
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
            let place = self.place(&fd, &path).await?;
            let opened = self.open_for_writing(&place, flags, open, access).await;
            self.leave(place)?;
            return opened;
        }
        self.look(&fd, flags, &path).await?;
        let token = self.token()?;
        let opened = self.inner.open_at(fd, flags, path, open, access).await?;
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
        let made = self.inner.create_directory_at(again(&fd), path.clone()).await;
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
        let identity = self.identity_at(&fd, flags, &path).await;
        if identity.is_some_and(|identity| self.state.protected.is_file(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        self.inner.set_times_at(fd, flags, path, atime, mtime).await
    }

    async fn set_times(&mut self, fd: Fd, atime: NewTimestamp, mtime: NewTimestamp) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let identity = identity_of(&mut self.inner, &fd).await;
        if identity.is_some_and(|identity| self.state.protected.is_file(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        self.inner.set_times(fd, atime, mtime).await
    }

    async fn advise(&mut self, fd: Fd, offset: u64, length: u64, advice: Advice) -> FsResult<()> {
        self.state.hop.may_block().await;
        self.inner.advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.state.hop.may_block().await;
        self.inner.sync_data(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
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
        // The whole list is held on the host's side until it is dropped.
        if self.state.lists.len() >= LISTS_MAX {
            self.state.meter.reached(Limit::Handles);
            return Err(ErrorCode::InsufficientMemory.into());
        }
        let list = self.inner.read_directory(fd).await?;
        self.state.lists.insert(list.rep());
        Ok(list)
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
        self.inner.stat_at(fd, flags, path).await
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
        self.inner.read_directory_entry(stream).await
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.state.lists.remove(&stream.rep());
        HostDirectoryEntryStream::drop(&mut self.inner, stream)
    }
}
