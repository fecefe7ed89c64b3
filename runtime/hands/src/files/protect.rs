//! The files that Handbox loads: no guest may change one, whatever it was granted.
//!
//! A file that exists is recognised by its identity on the disk, not by its path, so
//! hard links, symlinks and look-alike names do not help. A file that does not exist
//! yet (a `handbox.toml` that Handbox would read next time) is recognised by name.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtx, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{HostDescriptor, PathFlags};
use wasmtime_wasi::{FsPerms, WasiCtx};

/// Identity of a file, as wasmtime-wasi computes it from device and inode.
pub(crate) type Identity = (u64, u64);

/// What no guest may change.
#[derive(Debug, Default)]
pub(crate) struct Protected {
    files: HashSet<Identity>,
    /// Folders on the way to a protected file: moving one moves the file.
    folders: HashSet<Identity>,
}

/// Names that Handbox looks for in a project, in lower case.
const LOADED_NAMES: [&str; 2] = ["handbox.toml", "bundle.toml"];

impl Protected {
    /// Looks up the identities of `files` and of every folder above them. Files that
    /// do not exist are skipped: there is nothing to change yet.
    pub(crate) async fn new(files: &[PathBuf]) -> wasmtime::Result<Self> {
        let mut protected = Self::default();
        for file in files {
            let Ok(file) = file.canonicalize() else { continue };
            if let Some(identity) = identity(&file).await? {
                protected.files.insert(identity);
            }
            for folder in file.ancestors().skip(1) {
                if let Some(identity) = identity(folder).await? {
                    protected.folders.insert(identity);
                }
            }
        }
        Ok(protected)
    }

    pub(crate) fn is_file(&self, identity: Identity) -> bool {
        self.files.contains(&identity)
    }

    /// Whether `identity` must keep its place: a protected file, or a folder above one.
    pub(crate) fn is_pinned(&self, identity: Identity) -> bool {
        self.files.contains(&identity) || self.folders.contains(&identity)
    }

    /// Whether a new file of this path would be one that Handbox loads.
    pub(crate) fn is_loaded_name(path: &str) -> bool {
        let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        // File systems that fold case would take `Handbox.TOML` for it.
        LOADED_NAMES.contains(&name.to_lowercase().as_str())
    }
}

pub(super) async fn identity(path: &Path) -> wasmtime::Result<Option<Identity>> {
    let (folder, name) = match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => (folder, name),
        _ => (path, std::ffi::OsStr::new(".")),
    };
    let Some(name) = name.to_str() else { return Ok(None) };
    let mut builder = WasiCtx::builder();
    builder.allow_blocking_current_thread(true);
    if builder.preopened_dir(folder, "/", FsPerms::ReadOnly).is_err() {
        return Ok(None);
    }
    let mut filesystem: WasiFilesystemCtx = builder.build().filesystem().clone();
    let mut table = ResourceTable::new();
    let mut view = WasiFilesystemCtxView { ctx: &mut filesystem, table: &mut table };
    use wasmtime_wasi::p2::bindings::filesystem::preopens::Host as _;
    let Some((folder, _)) = view.get_directories()?.pop() else { return Ok(None) };
    Ok(identity_at(&mut view, &folder, PathFlags::empty(), name).await)
}

/// Identity of what `path` names in a folder; none if there is nothing.
pub(crate) async fn identity_at(
    view: &mut WasiFilesystemCtxView<'_>,
    folder: &Resource<Descriptor>,
    flags: PathFlags,
    path: &str,
) -> Option<Identity> {
    let folder = Resource::new_borrow(folder.rep());
    let hash = view.metadata_hash_at(folder, flags, path.to_owned()).await.ok()?;
    Some((hash.lower, hash.upper))
}

/// Identity of an open file or folder.
pub(crate) async fn identity_of(view: &mut WasiFilesystemCtxView<'_>, open: &Resource<Descriptor>) -> Option<Identity> {
    let hash = view.metadata_hash(Resource::new_borrow(open.rep())).await.ok()?;
    Some((hash.lower, hash.upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_recognised_through_a_hard_link_and_its_folders_are_pinned() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("a/b");
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("handbox.toml");
        std::fs::write(&file, "x").unwrap();
        std::fs::hard_link(&file, dir.path().join("innocent.txt")).unwrap();
        std::fs::write(dir.path().join("other.txt"), "y").unwrap();

        let protected = Protected::new(&[file, dir.path().join("missing")]).await.unwrap();
        let of = async |name: &str| identity(&dir.path().canonicalize().unwrap().join(name)).await.unwrap().unwrap();
        assert!(protected.is_file(of("innocent.txt").await));
        assert!(!protected.is_pinned(of("other.txt").await));
        assert!(protected.is_pinned(of("a").await) && protected.is_pinned(of("a/b").await));
    }

    #[test]
    fn names_are_compared_as_a_case_folding_disk_would() {
        for name in ["handbox.toml", "x/Handbox.TOML", "./bundle.toml/"] {
            assert!(Protected::is_loaded_name(name), "{name}");
        }
        assert!(!Protected::is_loaded_name("handbox.toml.md"));
    }
}
