//! Compiled components on disk.
//!
//! A cache entry is native code that runs with the host's rights, so it is
//! authenticated. An entry is two files: the code, and a header that names the component,
//! the engine with its settings, the tools that were found, and the code's BLAKE3 hash,
//! under a keyed BLAKE3 hash of its own. The key lies beside them, in a folder that only
//! this user can enter. An entry that does not verify is compiled again, never run. The
//! code is opened once: what was hashed and what is mapped is the same file, whatever
//! happens to its name meanwhile.

use crate::engine::Engine;
use handbox_hand::Tool;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use wasmtime::component::Component;

const MAC_BYTES: usize = 32;
/// Largest header that is read back, in bytes: 256 tools with their schemas.
const HEADER_BYTES_MAX: u64 = 64 << 20;
/// How much code is hashed at a time, in bytes.
const CHUNK_BYTES: usize = 256 << 10;

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
    /// Of this format, so that a later one is not misread.
    format: u32,
    /// BLAKE3 of the code, in hexadecimal.
    code: String,
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

    fn path(&self, engine: &Engine, digest: &str, end: &str) -> PathBuf {
        let name = digest.trim_start_matches("sha256:");
        self.folder.join(format!("{name}-{}.{end}", engine.compatibility()))
    }

    /// Whether there is an entry; not whether it is intact.
    pub(crate) fn has(&self, engine: &Engine, digest: &str) -> bool {
        self.path(engine, digest, HEADER).exists()
    }

    /// Loads a component that was stored for this engine, if there is an intact entry.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Entry> {
        let path = self.path(engine, digest, CODE);
        let code = Code::open(&path)?;
        let header = read_bounded(&self.path(engine, digest, HEADER))?;
        let loaded = self.verify(&header, engine, digest).and_then(|header| {
            if code.hash()?.to_hex().as_str() != header.code {
                return None;
            }
            let component = code.deserialize(engine)?;
            Some(Entry { component, tools: header.tools })
        });
        if loaded.is_none() {
            tracing::warn!(entry = %path.display(), "a cache entry did not verify; compiling again");
        }
        loaded
    }

    fn verify(&self, bytes: &[u8], engine: &Engine, digest: &str) -> Option<Header> {
        let (mac, json) = bytes.split_at_checked(MAC_BYTES)?;
        let expected = blake3::keyed_hash(&self.key, json);
        // Comparing `blake3::Hash` takes the same time wherever they differ.
        if blake3::Hash::from_slice(mac).ok()? != expected {
            return None;
        }
        let header: Header = serde_json::from_slice(json).ok()?;
        let ours = header.format == FORMAT && header.digest == digest && header.engine == engine.compatibility();
        ours.then_some(header)
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
        let code = component.serialize().map_err(std::io::Error::other)?;
        let header = Header {
            format: FORMAT,
            code: blake3::hash(&code).to_hex().to_string(),
            digest: digest.to_owned(),
            engine: engine.compatibility().to_owned(),
            tools: tools.map(<[Tool]>::to_vec),
        };
        let json = serde_json::to_vec(&header)?;
        let mac = blake3::keyed_hash(&self.key, &json);
        // The code first: a header without its code, or beside older code, does not verify.
        self.put(&self.path(engine, digest, CODE), &code)?;
        self.put(&self.path(engine, digest, HEADER), &[mac.as_bytes().as_slice(), &json].concat())
    }

    fn put(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

const FORMAT: u32 = 1;
const CODE: &str = "cwasm";
const HEADER: &str = "entry";

fn read_bounded(path: &Path) -> Option<Vec<u8>> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    file.take(HEADER_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Code that was opened once: hashed and loaded without looking at its name again.
enum Code {
    /// To be mapped, by the path that the system has for an open file.
    Opened { file: File, path: PathBuf },
    /// Where the system has no such path: in memory, copied once more when it is loaded.
    Read(Vec<u8>),
}

impl Code {
    fn open(path: &Path) -> Option<Self> {
        let mut file = File::open(path).ok()?;
        if let Some(path) = path_of(&file) {
            return Some(Self::Opened { file, path });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).ok()?;
        Some(Self::Read(bytes))
    }

    /// Hashes a file through a small buffer: mapping it for that would cost a page fault
    /// for each of its pages.
    fn hash(&self) -> Option<blake3::Hash> {
        let mut file = match self {
            Self::Opened { file, .. } => file,
            Self::Read(bytes) => return Some(blake3::hash(bytes)),
        };
        let mut hasher = blake3::Hasher::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match file.read(&mut chunk).ok()? {
                0 => return Some(hasher.finalize()),
                read => hasher.update(&chunk[..read]),
            };
        }
    }

    #[expect(unsafe_code, reason = "loading our own compiled code is the one thing wasmtime cannot make safe")]
    fn deserialize(self, engine: &Engine) -> Option<Component> {
        // SAFETY: both functions require what `Component::serialize` made, unaltered while it
        // is in use. The caller has hashed this very file (or these bytes) and found the hash
        // under a MAC that only `try_store` makes, over `serialize`'s output, with a key that
        // only this user can read. Entries are written whole under a temporary name and
        // renamed, never changed in place, and the folder can only be entered by this user,
        // who could as well change the program itself. wasmtime refuses code of another
        // version, target or configuration.
        let loaded = unsafe {
            match self {
                Self::Opened { file, path } => {
                    let component = Component::deserialize_file(engine.raw(), path);
                    drop(file);
                    component
                }
                Self::Read(bytes) => Component::deserialize(engine.raw(), bytes),
            }
        };
        loaded.ok()
    }
}

/// The path by which this process reaches a file that it has open, whatever its name leads
/// to by now.
fn path_of(file: &File) -> Option<PathBuf> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        path.exists().then_some(path)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        None
    }
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
