//! The permission bits of files, which `wasi:filesystem` does not have.

use super::Files;
use super::checks::{Fd, again};
use cap_primitives::fs::{FollowSymlinks, Permissions};
use std::path::Path;
use std::sync::Arc;
use wasmtime_wasi::FsPerms;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::types::{ErrorCode, HostDescriptor, PathFlags};
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

    /// Sets the bits of what `path` leads to in a folder that may be written to.
    pub(crate) async fn set_mode(&mut self, folder: &Fd, path: &str, mode: u16) -> FsResult<()> {
        self.check_may_change()?;
        self.state.hop.may_block().await;
        let place = self.place(folder, path).await?;
        let set = self.set_mode_at(&place.folder, &place.name, mode).await;
        self.leave(place)?;
        set
    }

    async fn set_mode_at(&mut self, folder: &Fd, name: &str, mode: u16) -> FsResult<()> {
        let follow = PathFlags::SYMLINK_FOLLOW;
        self.look(folder, follow, name).await?.ok_or(ErrorCode::NoEntry)?;
        let identity = self.identity_at(folder, follow, name).await;
        if identity.is_some_and(|identity| self.state.protected.is_pinned(identity)) {
            return Err(ErrorCode::NotPermitted.into());
        }
        let (dir, perms) = self.dir(folder)?;
        if perms != FsPerms::ReadWrite {
            return Err(ErrorCode::NotPermitted.into());
        }
        Ok(set(&dir, Path::new(name), u32::from(mode) & BITS)?)
    }

    fn dir(&mut self, folder: &Fd) -> FsResult<(Arc<std::fs::File>, FsPerms)> {
        match self.inner.table.get(folder).map_err(FsError::from)? {
            Descriptor::Dir(dir) => Ok((Arc::clone(&dir.dir), dir.perms)),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory.into()),
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
fn set(dir: &std::fs::File, name: &Path, bits: u32) -> std::io::Result<()> {
    use cap_primitives::fs::PermissionsExt;
    cap_primitives::fs::set_permissions(dir, name, Permissions::from_mode(bits))
}

#[cfg(not(unix))]
fn set(_: &std::fs::File, _: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}
