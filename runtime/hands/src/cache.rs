//! Compiled components on disk.
//!
//! A cache entry is native code that runs with the host's rights, so it is
//! authenticated: each carries a keyed BLAKE3 hash over its header (which component,
//! which engine and settings, which tools were found) and its code, made with a key
//! that lies beside it in a folder only this user can enter. An entry that does
//! not verify is compiled again, never run. What is verified is what is loaded: the
//! bytes are read once, and the engine gets those bytes.

use crate::engine::Engine;
use handbox_hand::Tool;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use wasmtime::component::Component;

const MAGIC: &[u8; 8] = b"HBXAOT01";
const MAC_BYTES: usize = 32;
/// Largest entry that is read back, in bytes.
const ENTRY_BYTES_MAX: u64 = 1 << 30;

/// A private folder of compiled components.
pub struct Cache {
    folder: PathBuf,
    key: [u8; 32],
}

/// The folder cannot be trusted or used. An operator must act; running without a cache
/// is safe, only slower.
#[derive(Debug, thiserror::Error)]
#[error("the compile cache at {folder} is not used: {reason}")]
pub struct CacheError {
    folder: String,
    reason: String,
}

/// What an entry is about. Everything in here is authenticated with the code.
#[derive(Serialize, Deserialize, PartialEq)]
struct Header {
    digest: String,
    engine: String,
    tools: Option<Vec<Tool>>,
}

/// A component that was found in the cache.
pub(crate) struct Entry {
    pub(crate) component: Component,
    /// What the component itself answered to `tools()` when it was first loaded, after
    /// comparing it with its manifest. None for kinds that have no such function.
    pub(crate) tools: Option<Vec<Tool>>,
}

impl Cache {
    /// Opens or makes the folder and its key.
    ///
    /// # Errors
    ///
    /// If the folder belongs to somebody else, can be entered or written by others, or
    /// cannot be made.
    pub fn open(folder: &Path) -> Result<Self, CacheError> {
        let fail = |reason: String| CacheError { folder: folder.display().to_string(), reason };
        private::make_folder(folder).map_err(|e| fail(format!("it cannot be made: {e}")))?;
        private::check(folder).map_err(fail)?;
        let key = read_or_make_key(&folder.join("key")).map_err(|e| fail(format!("its key cannot be read: {e}")))?;
        Ok(Self { folder: folder.to_owned(), key })
    }

    fn path(&self, engine: &Engine, digest: &str) -> PathBuf {
        let name = digest.trim_start_matches("sha256:");
        self.folder.join(format!("{name}-{}.cwasm", engine.compatibility()))
    }

    /// Loads a component that was stored for this engine, if there is an intact entry.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Entry> {
        let path = self.path(engine, digest);
        let bytes = read_bounded(&path)?;
        let loaded = self.verify(&bytes, engine, digest).and_then(|(header, code)| {
            let component = deserialize(engine, code)?;
            Some(Entry { component, tools: header.tools })
        });
        if loaded.is_none() {
            tracing::warn!(entry = %path.display(), "a cache entry did not verify; compiling again");
        }
        loaded
    }

    fn verify<'a>(&self, bytes: &'a [u8], engine: &Engine, digest: &str) -> Option<(Header, &'a [u8])> {
        let (signed, mac) = bytes.split_at_checked(bytes.len().checked_sub(MAC_BYTES)?)?;
        let expected = blake3::keyed_hash(&self.key, signed);
        // Comparing `blake3::Hash` takes the same time wherever they differ.
        if blake3::Hash::from_slice(mac).ok()? != expected {
            return None;
        }
        let rest = signed.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (header, code) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let header: Header = serde_json::from_slice(header).ok()?;
        (header.digest == digest && header.engine == engine.compatibility()).then_some((header, code))
    }

    /// Stores a component. A failure costs only the next start, so it is logged and forgotten.
    pub(crate) fn store(&self, engine: &Engine, digest: &str, component: &Component, tools: Option<&[Tool]>) {
        if let Err(error) = self.try_store(engine, digest, component, tools) {
            tracing::warn!(%error, "a compiled component could not be cached");
        }
    }

    fn try_store(
        &self,
        engine: &Engine,
        digest: &str,
        component: &Component,
        tools: Option<&[Tool]>,
    ) -> std::io::Result<()> {
        let header = Header {
            digest: digest.to_owned(),
            engine: engine.compatibility().to_owned(),
            tools: tools.map(<[Tool]>::to_vec),
        };
        let header = serde_json::to_vec(&header)?;
        let code = component.serialize().map_err(std::io::Error::other)?;
        let length = u32::try_from(header.len()).map_err(std::io::Error::other)?;
        let mut entry = [MAGIC.as_slice(), &length.to_le_bytes(), &header, &code].concat();
        let mac = blake3::keyed_hash(&self.key, &entry);
        entry.extend_from_slice(mac.as_bytes());
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&entry)?;
        file.persist(self.path(engine, digest)).map_err(|e| e.error)?;
        Ok(())
    }
}

fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    let file = std::fs::File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    if length > ENTRY_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).ok()?);
    file.take(ENTRY_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[expect(unsafe_code, reason = "loading our own compiled code is the one thing wasmtime cannot make safe")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: `deserialize` requires bytes that `Component::serialize` made and nobody
    // altered. The caller has verified a MAC over exactly these bytes with a key that only
    // this user can read, and only `try_store` makes such MACs, over `serialize`'s output.
    // wasmtime itself refuses code of another version, target or configuration.
    unsafe { Component::deserialize(engine.raw(), code) }.ok()
}

fn read_or_make_key(path: &Path) -> std::io::Result<[u8; 32]> {
    if !path.exists() {
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(std::io::Error::other)?;
        // Made beside and linked into place, so that of two processes one wins whole.
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&key)?;
        match file.persist_noclobber(path) {
            Ok(_) => {}
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.error),
        }
    }
    let bytes = std::fs::read(path)?;
    <[u8; 32]>::try_from(bytes).map_err(|_| std::io::Error::other("it is not 32 bytes long; delete it"))
}

#[cfg(unix)]
mod private {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    use std::path::Path;

    pub(super) fn make_folder(folder: &Path) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    /// Whether only this user can put anything into `folder`.
    pub(super) fn check(folder: &Path) -> Result<(), String> {
        let about = std::fs::metadata(folder).map_err(|e| e.to_string())?;
        let ours = tempfile::tempfile_in(folder).and_then(|file| file.metadata()).map_err(|e| e.to_string())?;
        if about.uid() != ours.uid() {
            return Err("it belongs to another user".to_owned());
        }
        if about.mode() & 0o077 != 0 {
            return Err(format!("others may enter it; run `chmod 700 {}`", folder.display()));
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod private {
    use std::path::Path;

    pub(super) fn make_folder(folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)
    }

    /// Folders below a user's profile are private by default there.
    pub(super) fn check(_: &Path) -> Result<(), String> {
        Ok(())
    }
}
