//! `wasi:filesystem/types`, forwarded call by call.

use super::protect::{Identity, Protected, identity_at, identity_of};
use super::streams::{CountedInput, MeteredOutput};
use super::{Files, OpenToken, streams};
use handbox_hand::Limit;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::{Descriptor, OpenMode};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode,
    HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

type Fd = Resource<Descriptor>;

/// A second borrow of a handle, for a call that consumes one.
fn again(fd: &Fd) -> Fd {
    Resource::new_borrow(fd.rep())
}

impl Files<'_> {
    /// Charges a budget or refuses as a full disk would.
    fn take(&self, limit: Limit, amount: u64) -> FsResult<()> {
        if self.state.meter.take(limit, amount) {
            return Ok(());
        }
        Err(ErrorCode::InsufficientSpace.into())
    }

    /// Refuses a change in a call that only reads.
    fn check_may_change(&self) -> FsResult<()> {
        if self.state.read_only.load(Relaxed) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    /// Refuses to create what Handbox would load.
    fn check_new_name(path: &str) -> FsResult<()> {
        if Protected::is_loaded_name(path) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    async fn identity_at(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> Option<Identity> {
        identity_at(&mut self.inner, fd, flags, path).await
    }

    /// Refuses to move or remove a protected file or a folder above one.
    async fn check_not_pinned(&mut self, fd: &Fd, path: &str) -> FsResult<()> {
        let identity = self.identity_at(fd, PathFlags::empty(), path).await;
        if identity.is_some_and(|identity| self.state.protected.is_pinned(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    /// Looks at what `path` names before it is opened. None if there is nothing.
    async fn look(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> FsResult<Option<DescriptorStat>> {
        match self.inner.stat_at(again(fd), flags, path.to_owned()).await {
            Ok(stat) => match stat.type_ {
                DescriptorType::RegularFile | DescriptorType::Directory => Ok(Some(stat)),
                // Not followed: the open below says so in the way guests expect.
                DescriptorType::SymbolicLink => Ok(Some(stat)),
                _ => Err(ErrorCode::NotPermitted.into()),
            },
            Err(error) => match error.downcast().map_err(FsError::trap)? {
                ErrorCode::NoEntry => Ok(None),
                other => Err(other.into()),
            },
        }
    }

    /// Charges a write of `length` bytes at `offset`: what it writes, or what it makes
    /// the file grow by if that is more (a hole is paid for like bytes).
    async fn charge_write(&mut self, fd: &Fd, offset: u64, length: u64) -> FsResult<()> {
        let size = self.inner.stat(again(fd)).await?.size;
        let growth = offset.saturating_add(length).saturating_sub(size);
        self.take(Limit::FileBytes, length.max(growth))
    }

    /// What `path` names and the bytes that unlinking it would free: none while another
    /// name leads to the file.
    async fn freed_by_unlink(&mut self, fd: &Fd, path: &str) -> (Option<Identity>, u64) {
        let identity = self.identity_at(fd, PathFlags::empty(), path).await;
        match self.inner.stat_at(again(fd), PathFlags::empty(), path.to_owned()).await {
            Ok(stat) if stat.link_count <= 1 => (identity, stat.size),
            _ => (identity, 0),
        }
    }

    /// Refuses a stream that writes to what was opened for reading.
    fn check_opened_for_writing(&self, fd: &Fd) -> FsResult<u64> {
        match self.inner.table.get(fd)? {
            Descriptor::File(file) if file.open_mode.contains(OpenMode::WRITE) => Ok(file.file.metadata()?.len()),
            _ => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    /// Gives back what was charged for a new name that could not be made.
    fn settle_new(&self, made: FsResult<()>) -> FsResult<()> {
        if made.is_err() {
            self.state.meter.give_back(Limit::Files, 1);
        }
        made
    }

    fn token_of(&self, fd: &Fd) -> Option<Arc<OpenToken>> {
        self.state.open.get(&fd.rep()).cloned()
    }

    /// What to do once a file was opened for writing: judged by the open handle, so a
    /// path that was swapped meanwhile gains nothing.
    async fn settle_write(&mut self, opened: &Fd, truncate: bool) -> FsResult<Option<Identity>> {
        let identity = identity_of(&mut self.inner, opened).await;
        if identity.is_some_and(|identity| self.state.protected.is_file(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        if truncate {
            self.inner.set_size(again(opened), 0).await?;
        }
        Ok(identity)
    }
}

impl types::Host for Files<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.inner.convert_error_code(error)
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> wasmtime::Result<Option<ErrorCode>> {
        let full = self.inner.table.get(&error)?.downcast_ref::<std::io::Error>().is_some_and(streams::is_out_of_space);
        // wasmtime-wasi 48 knows no code for a full disk and would call it an I/O error.
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
        let creates = open.contains(OpenFlags::CREATE);
        let truncates = open.contains(OpenFlags::TRUNCATE);
        let writes = creates || truncates || access.contains(DescriptorFlags::WRITE);
        if writes {
            self.check_may_change()?;
        }
        let found = self.look(&fd, flags, &path).await?;
        let Some(mut token) = self.state.open_token() else {
            return Err(ErrorCode::InsufficientMemory.into());
        };
        let is_new = creates && found.is_none();
        if is_new {
            Self::check_new_name(&path)?;
            self.take(Limit::Files, 1)?;
        }
        // Truncation waits until the handle was judged. It still needs the right to write.
        let (untruncated, access) = if truncates && !creates {
            (open & !OpenFlags::TRUNCATE, access | DescriptorFlags::WRITE)
        } else {
            (open & !OpenFlags::TRUNCATE, access)
        };
        let opened = match self.inner.open_at(fd, flags, path, untruncated, access).await {
            Ok(opened) => opened,
            Err(error) => {
                if is_new {
                    self.state.meter.give_back(Limit::Files, 1);
                }
                return Err(error);
            }
        };
        let is_file = matches!(self.inner.table.get(&opened)?, Descriptor::File(_));
        if writes && is_file {
            match self.settle_write(&opened, truncates).await {
                Ok(identity) => token.written = identity.map(|identity| self.state.written_file(identity)),
                Err(error) => {
                    HostDescriptor::drop(&mut self.inner, opened).map_err(FsError::trap)?;
                    return Err(error);
                }
            }
        }
        self.state.open.insert(opened.rep(), Arc::new(token));
        Ok(opened)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.state.open.remove(&fd.rep());
        HostDescriptor::drop(&mut self.inner, fd)
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> FsResult<u64> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        self.charge_write(&fd, offset, bytes.len() as u64).await?;
        self.inner.write(fd, bytes, offset).await
    }

    async fn set_size(&mut self, fd: Fd, size: u64) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let now = self.inner.stat(again(&fd)).await?.size;
        self.take(Limit::FileBytes, size.saturating_sub(now))?;
        self.inner.set_size(fd, size).await
    }

    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> FsResult<Resource<DynOutputStream>> {
        self.check_may_change()?;
        let size = self.check_opened_for_writing(&fd)?;
        // A stream that starts beyond the end leaves a hole, which is paid for like bytes.
        self.take(Limit::FileBytes, offset.saturating_sub(size))?;
        let open = self.token_of(&fd);
        let stream = self.inner.write_via_stream(fd, offset)?;
        self.meter_output(stream, open)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.check_may_change()?;
        self.check_opened_for_writing(&fd)?;
        let open = self.token_of(&fd);
        let stream = self.inner.append_via_stream(fd)?;
        self.meter_output(stream, open)
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
        let made = self.inner.create_directory_at(fd, path).await;
        self.settle_new(made)
    }

    async fn link_at(&mut self, fd: Fd, flags: PathFlags, old: String, new_fd: Fd, new: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        Self::check_new_name(&new)?;
        self.check_not_pinned(&fd, &old).await?;
        self.take(Limit::Files, 1)?;
        let made = self.inner.link_at(fd, flags, old, new_fd, new).await;
        self.settle_new(made)
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        Self::check_new_name(&path)?;
        self.take(Limit::Files, 1)?;
        let made = self.inner.symlink_at(fd, target, path).await;
        self.settle_new(made)
    }

    async fn rename_at(&mut self, fd: Fd, old: String, new_fd: Fd, new: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        Self::check_new_name(&new)?;
        self.check_not_pinned(&fd, &old).await?;
        self.check_not_pinned(&new_fd, &new).await?;
        self.inner.rename_at(fd, old, new_fd, new).await
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        self.check_not_pinned(&fd, &path).await?;
        let (identity, freed) = self.freed_by_unlink(&fd, &path).await;
        self.inner.unlink_file_at(fd, path).await?;
        self.state.freed(identity, freed);
        self.state.meter.give_back(Limit::Files, 1);
        Ok(())
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        self.check_not_pinned(&fd, &path).await?;
        self.inner.remove_directory_at(fd, path).await?;
        self.state.meter.give_back(Limit::Files, 1);
        Ok(())
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
        self.inner.get_type(fd).await
    }

    async fn read(&mut self, fd: Fd, length: u64, offset: u64) -> FsResult<(Vec<u8>, bool)> {
        self.state.hop.may_block().await;
        self.inner.read(fd, length, offset).await
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        self.state.hop.may_block().await;
        self.inner.read_directory(fd).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.state.hop.may_block().await;
        self.inner.stat(fd).await
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
    fn meter_output(
        &mut self,
        stream: Resource<DynOutputStream>,
        open: Option<Arc<OpenToken>>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let inner = self.inner.table.delete(stream)?;
        let meter = Arc::clone(&self.state.meter);
        let metered: DynOutputStream =
            Box::new(MeteredOutput { inner, meter, read_only: Arc::clone(&self.state.read_only), _open: open });
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
        HostDirectoryEntryStream::drop(&mut self.inner, stream)
    }
}
