//! The permission bits of files, which `wasi:filesystem` does not have.

use super::Files;
use super::checks::{Fd, Place, again};
use super::protect::identity_of;
use cap_primitives::fs::{FollowSymlinks, Permissions};
use std::path::Path;
use wasmtime_wasi::FsPerms;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, ErrorCode, HostDescriptor, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

/// The bits that a guest sees and sets: those of owner, group and others. What makes a program run as somebody else is not
/// among them.
const BITS: u32 = 0o777;

impl Files<'_> {
    /// The bits of what `path` leads to in a folder.
    pub(crate) async fn mode(&mut self, folder: &Fd, path: &str) -> FsResult<u16> {
        self.state.hop.may_block().await;
        // The folder's own context refuses what leads out of it.
        self.inner.stat_at(again(folder), PathFlags::SYMLINK_FOLLOW, path.to_owned()).await?;
        let (dir, _) = self.dir(folder)?;
        let found = cap_primitives::fs::stat(&dir, Path::new(path), FollowSymlinks::Yes)?;
        Ok(bits(&found.permissions(), found.is_dir()))
    }

    /// Sets the bits of what `path` leads to in a folder that may be written to: of the very file that was opened and judged,
    /// whatever becomes of the path meanwhile. So what may not be opened keeps its bits.
    pub(crate) async fn set_mode(&mut self, folder: &Fd, path: &str, mode: u16) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        if self.dir(folder)?.1 != FsPerms::ReadWrite {
            return Err(ErrorCode::NotPermitted.into());
        }
        let place = self.place_in_the_end(folder, path).await?;
        let set = self.set_mode_in(folder, &place, u32::from(mode) & BITS).await;
        self.leave(place)?;
        set
    }

    async fn set_mode_in(&mut self, top: &Fd, place: &Place, bits: u32) -> FsResult<()> {
        Self::check_new_name(&place.name)?;
        let follow = PathFlags::empty();
        self.look(&place.folder, follow, &place.name).await?.ok_or(ErrorCode::NoEntry)?;
        let opened = self.open(&place.folder, follow, &place.name, OpenFlags::empty(), DescriptorFlags::READ)?;
        let set = self.set_mode_of(top, &opened, bits).await;
        HostDescriptor::drop(&mut self.inner, opened).map_err(FsError::trap)?;
        set
    }

    async fn set_mode_of(&mut self, folder: &Fd, opened: &Fd, bits: u32) -> FsResult<()> {
        let identity = identity_of(&mut self.inner, opened).await.ok_or(ErrorCode::NotPermitted)?;
        // The top of a grant is the host's to open and to remove.
        let is_top = identity_of(&mut self.inner, folder).await == Some(identity);
        if is_top || self.state.protected.is_pinned(identity) {
            return Err(ErrorCode::NotPermitted.into());
        }
        match self.inner.table.get(opened).map_err(FsError::from)? {
            Descriptor::Dir(dir) => Ok(set(&dir.dir, bits)?),
            Descriptor::File(file) => Ok(set(&file.file, bits)?),
        }
    }
}

#[cfg(unix)]
fn bits(permissions: &Permissions, _is_dir: bool) -> u16 {
    use cap_primitives::fs::PermissionsExt;
    // Nine bits fit.
    (permissions.mode() & BITS) as u16
}

#[cfg(not(unix))]
fn bits(_: &Permissions, is_dir: bool) -> u16 {
    if is_dir { 0o755 } else { 0o644 }
}

#[cfg(unix)]
fn set(file: &std::fs::File, bits: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(bits))
}

#[cfg(not(unix))]
fn set(_: &std::fs::File, _: u32) -> std::io::Result<()> {
    Ok(())
}
