//! What is checked and charged before a file is touched.

use super::ledger::Taken;
use super::protect::{Identity, Protected, identity_at, identity_of};
use super::root::{Device, Devices};
use super::{Files, OpenToken};
use handbox_hand::Limit;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::{fs, io};
use wasmtime::component::Resource;
use wasmtime_wasi::FsPerms;
use wasmtime_wasi::filesystem::{Descriptor, File, OpenMode};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

pub(super) type Fd = Resource<Descriptor>;

/// A second borrow of a handle, for a call that consumes one.
pub(super) fn again(fd: &Fd) -> Fd {
    Resource::new_borrow(fd.rep())
}

impl Files<'_> {
    /// The device that a path names.
    pub(super) async fn device_at(&mut self, fd: &Fd, path: &str) -> Option<Device> {
        let devices = self.state.devices.clone().filter(|_| Devices::may_be(path))?;
        devices.get(self.identity_at(fd, PathFlags::SYMLINK_FOLLOW, path).await?)
    }

    pub(super) fn open_device(&mut self, device: Device, open: OpenFlags) -> FsResult<Fd> {
        if open.contains(OpenFlags::DIRECTORY) {
            return Err(ErrorCode::NotDirectory.into());
        }
        if open.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) {
            return Err(ErrorCode::Exist.into());
        }
        let mut token = self.token()?;
        token.is_device = true;
        let file = File::new(device.open()?, FsPerms::ReadWrite, OpenMode::READ | OpenMode::WRITE, true);
        let opened = self.inner.table.push(Descriptor::File(file))?;
        self.state.open.insert(opened.rep(), Arc::new(token));
        Ok(opened)
    }

    pub(super) fn is_device(&self, fd: &Fd) -> bool {
        self.state.open.get(&fd.rep()).is_some_and(|token| token.is_device)
    }

    /// Charges a budget or refuses as a full disk would.
    pub(super) fn take(&self, limit: Limit, amount: u64) -> FsResult<()> {
        if self.state.meter.take(limit, amount) {
            return Ok(());
        }
        Err(ErrorCode::InsufficientSpace.into())
    }

    /// Refuses to begin writing when nothing more can be written. Only here do guests learn
    /// why: wasi-libc calls whatever a stream answers an I/O error.
    pub(super) fn check_disk_has_room(&self) -> FsResult<()> {
        if self.state.meter.file_bytes_left() > 0 {
            return Ok(());
        }
        self.state.meter.reached(Limit::FileBytes);
        Err(ErrorCode::InsufficientSpace.into())
    }

    /// Refuses a change in a call that only reads.
    pub(super) fn check_may_change(&self) -> FsResult<()> {
        if self.state.read_only.load(Relaxed) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    /// Refuses to create what Handbox would load.
    pub(super) fn check_new_name(path: &str) -> FsResult<()> {
        if Protected::is_loaded_name(path) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    pub(super) async fn identity_at(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> Option<Identity> {
        identity_at(&mut self.inner, fd, flags, path).await
    }

    /// Refuses to move or remove a protected file or a folder above one.
    pub(super) async fn check_not_pinned(&mut self, fd: &Fd, path: &str) -> FsResult<()> {
        let identity = self.identity_at(fd, PathFlags::empty(), path).await;
        if identity.is_some_and(|identity| self.state.protected.is_pinned(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(())
    }

    /// Looks at what `path` names before it is opened. None if there is nothing.
    pub(super) async fn look(&mut self, fd: &Fd, flags: PathFlags, path: &str) -> FsResult<Option<DescriptorStat>> {
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

    /// Charges bytes of an open file.
    pub(super) fn take_bytes(&mut self, fd: &Fd, bytes: u64) -> FsResult<()> {
        self.take(Limit::FileBytes, bytes)?;
        if let Some(taken) = self.taken(fd) {
            taken.add(bytes);
        }
        Ok(())
    }

    /// What was taken for an open file; none if it is not the running call that made it.
    pub(super) fn taken(&mut self, fd: &Fd) -> Option<Arc<Taken>> {
        let identity = self.identity_of_open(fd)?;
        self.state.ledger().taken(identity)
    }

    fn identity_of_open(&self, fd: &Fd) -> Option<Identity> {
        Some(self.state.open.get(&fd.rep())?.file.as_ref()?.identity)
    }

    /// Charges a write of `length` bytes at `offset`: what it writes, or what it makes
    /// the file grow by if that is more (a hole is paid for like bytes).
    pub(super) async fn charge_write(&mut self, fd: &Fd, offset: u64, length: u64) -> FsResult<()> {
        let size = self.inner.stat(again(fd)).await?.size;
        let growth = offset.saturating_add(length).saturating_sub(size);
        self.take_bytes(fd, length.max(growth))
    }

    /// Refuses a stream that writes to what was opened for reading.
    pub(super) fn check_opened_for_writing(&self, fd: &Fd) -> FsResult<u64> {
        match self.inner.table.get(fd)? {
            Descriptor::File(file) if file.open_mode.contains(OpenMode::WRITE) => Ok(file.file.metadata()?.len()),
            _ => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    /// Settles what was charged for a new name: it is noted, or given back if it could not
    /// be made.
    pub(super) async fn settle_new(&mut self, made: FsResult<()>, fd: &Fd, path: &str) -> FsResult<()> {
        if made.is_err() {
            self.state.meter.give_back(Limit::Files, 1);
        } else if let Some(identity) = self.identity_at(fd, PathFlags::empty(), path).await {
            self.state.ledger().named(identity);
        }
        made
    }

    pub(super) fn token_of(&self, fd: &Fd) -> Option<Arc<OpenToken>> {
        self.state.open.get(&fd.rep()).cloned()
    }

    pub(super) fn token(&self) -> FsResult<OpenToken> {
        self.state.open_token().ok_or_else(|| ErrorCode::InsufficientMemory.into())
    }

    /// Opens for writing. Truncation waits until the handle was judged: a path that was
    /// swapped meanwhile gains nothing.
    pub(super) async fn open_for_writing(
        &mut self,
        place: &Place,
        open: OpenFlags,
        access: DescriptorFlags,
    ) -> FsResult<Fd> {
        let found = self.look(&place.folder, PathFlags::empty(), &place.name).await?;
        let is_new = found.is_none() && open.contains(OpenFlags::CREATE);
        if open.contains(OpenFlags::CREATE | OpenFlags::DIRECTORY) {
            return Err(ErrorCode::Invalid.into());
        }
        if found.is_some() && open.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) {
            return Err(ErrorCode::Exist.into());
        }
        if is_new && place.must_be_folder {
            return Err(ErrorCode::IsDirectory.into());
        }
        Self::check_new_name(&place.name)?;
        let token = self.token()?;
        if is_new {
            self.take(Limit::Files, 1)?;
        }
        // Nothing is created in the place of something that was there and is not any more: nobody paid for it.
        let kept = if is_new { !OpenFlags::TRUNCATE } else { OpenFlags::DIRECTORY };
        let access = access | DescriptorFlags::WRITE;
        match self.open(&place.folder, PathFlags::empty(), &place.name, open & kept, access) {
            Ok(opened) => {
                let opened = self.keep(opened, token, Some(open.contains(OpenFlags::TRUNCATE))).await?;
                if is_new && let Some(identity) = self.identity_of_open(&opened) {
                    self.state.ledger().named(identity);
                }
                Ok(opened)
            }
            Err(error) => {
                if is_new {
                    self.state.meter.give_back(Limit::Files, 1);
                }
                Err(error)
            }
        }
    }

    /// Judges an opened file by its handle and counts it; `truncates` is set if it was
    /// opened for writing.
    pub(super) async fn keep(&mut self, opened: Fd, mut token: OpenToken, truncates: Option<bool>) -> FsResult<Fd> {
        if matches!(self.inner.table.get(&opened)?, Descriptor::File(_)) {
            let judged = self.judge(&opened, truncates).await;
            match judged {
                Ok(identity) => token.file = identity.map(|identity| self.state.open_file(identity)),
                Err(error) => {
                    HostDescriptor::drop(&mut self.inner, opened).map_err(FsError::trap)?;
                    return Err(error);
                }
            }
        }
        self.state.open.insert(opened.rep(), Arc::new(token));
        Ok(opened)
    }

    pub(super) async fn judge(&mut self, opened: &Fd, truncates: Option<bool>) -> FsResult<Option<Identity>> {
        let identity = identity_of(&mut self.inner, opened).await;
        let Some(truncates) = truncates else { return Ok(identity) };
        if identity.is_some_and(|identity| self.state.protected.is_file(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        if truncates {
            self.inner.set_size(again(opened), 0).await?;
        }
        Ok(identity)
    }

    /// Refuses to move or remove what Handbox loads or would load.
    pub(super) async fn check_may_move(&mut self, place: &Place) -> FsResult<()> {
        Self::check_new_name(&place.name)?;
        self.check_not_pinned(&place.folder, &place.name).await
    }

    pub(super) async fn unlink(&mut self, place: &Place) -> FsResult<()> {
        self.check_may_move(place).await?;
        let identity = self.identity_at(&place.folder, PathFlags::empty(), &place.name).await;
        let held = self.hold(place, identity).await?;
        let gone = self.inner.unlink_file_at(again(&place.folder), place.name.clone()).await;
        if let Some(held) = held {
            self.let_go(held).await?;
        }
        gone?;
        if let Some(identity) = identity {
            self.state.ledger().name_gone(identity);
        }
        Ok(())
    }

    pub(super) async fn remove_folder(&mut self, place: &Place) -> FsResult<()> {
        self.check_may_move(place).await?;
        let identity = self.identity_at(&place.folder, PathFlags::empty(), &place.name).await;
        self.inner.remove_directory_at(again(&place.folder), place.name.clone()).await?;
        if let Some(identity) = identity {
            self.state.ledger().name_gone(identity);
        }
        Ok(())
    }

    /// Opens a file for which this call took bytes, before its name goes: only the open file
    /// can say afterwards whether that was its last one. Another call may have put something
    /// else in its place. A file system that keeps deleted files under another name until they
    /// are closed never says so, and nothing is given back.
    async fn hold(&mut self, place: &Place, identity: Option<Identity>) -> FsResult<Option<Held>> {
        let Some(identity) = identity else { return Ok(None) };
        let Some(taken) = self.state.ledger().taken(identity).filter(|taken| !taken.is_nothing()) else {
            return Ok(None);
        };
        let read = DescriptorFlags::READ;
        let opened = self.open(&place.folder, PathFlags::empty(), &place.name, OpenFlags::empty(), read);
        // What cannot be read gives nothing back.
        let Ok(file) = opened else { return Ok(None) };
        if identity_of(&mut self.inner, &file).await == Some(identity) {
            return Ok(Some(Held { file, identity, taken }));
        }
        HostDescriptor::drop(&mut self.inner, file).map_err(FsError::trap)?;
        Ok(None)
    }

    /// Gives back what was taken for a file that has no name left.
    async fn let_go(&mut self, held: Held) -> FsResult<()> {
        if let Ok(stat) = self.inner.stat(again(&held.file)).await
            && stat.link_count == 0
        {
            self.state.give_back(held.identity, held.taken.settle().min(stat.size));
        }
        HostDescriptor::drop(&mut self.inner, held.file).map_err(FsError::trap)
    }

    pub(super) async fn rename(&mut self, old: &Place, new: &Place) -> FsResult<()> {
        self.check_may_move(old).await?;
        self.check_may_move(new).await?;
        if new.must_be_folder {
            let moved = self.inner.stat_at(again(&old.folder), PathFlags::empty(), old.name.clone()).await?;
            if moved.type_ != DescriptorType::Directory {
                return Err(ErrorCode::NotDirectory.into());
            }
        }
        self.between(old, new, cap_primitives::fs::rename)
    }

    /// Does what gives one thing another name.
    fn between(
        &mut self,
        old: &Place,
        new: &Place,
        act: impl FnOnce(&fs::File, &Path, &fs::File, &Path) -> io::Result<()>,
    ) -> FsResult<()> {
        let (from, to) = (self.dir(&old.folder)?, self.dir(&new.folder)?);
        if from.1 != FsPerms::ReadWrite || to.1 != FsPerms::ReadWrite {
            return Err(ErrorCode::NotPermitted.into());
        }
        match act(&from.0, Path::new(&old.name), &to.0, Path::new(&new.name)) {
            // By this one programs know that they have to copy; wasmtime-wasi has no word for it.
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => Err(ErrorCode::CrossDevice.into()),
            done => Ok(done?),
        }
    }

    pub(super) async fn link(&mut self, flags: PathFlags, old: &Place, new: &Place) -> FsResult<()> {
        self.check_may_move(old).await?;
        Self::check_new_name(&new.name)?;
        if new.must_be_folder {
            return Err(ErrorCode::NoEntry.into());
        }
        if flags.contains(PathFlags::SYMLINK_FOLLOW) {
            return Err(ErrorCode::Invalid.into());
        }
        self.take(Limit::Files, 1)?;
        let made = self.between(old, new, cap_primitives::fs::hard_link);
        self.settle_new(made, &new.folder, &new.name).await
    }
}

/// A file that this call made and that is about to lose a name.
struct Held {
    file: Fd,
    identity: Identity,
    taken: Arc<Taken>,
}

/// A name in an open folder.
pub(super) struct Place {
    pub(super) folder: Fd,
    pub(super) name: String,
    /// Whether the folder was opened for this, and has to be closed.
    pub(super) opened: bool,
    /// Nothing is there yet, and only a folder may come to be.
    pub(super) must_be_folder: bool,
}
