//! Content by its digest, each a file.

use crate::error::{OpenError, file};
use crate::follow::apart;
use crate::open::{make_folder, sync_folder};
use async_trait::async_trait;
use handbox_session::{BLOB_BYTES_MAX, Blobs, Damage, Hash, LogError};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Blobs in a folder: `ab/` and the 64 digits of the digest that begins so. What ends in `.part` was never finished.
#[derive(Debug, Clone)]
pub struct FileBlobs(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Tells apart what this process writes at the same time.
    parts: AtomicU64,
    /// Tells this opening's files apart from those of others.
    opening: u64,
}

impl FileBlobs {
    /// Blobs in a folder, which is made if it is not there, for its owner alone. Several may use one folder.
    ///
    /// # Errors
    ///
    /// [`OpenError::Io`].
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        make_folder(folder)?;
        let opening = getrandom::u64().map_err(io::Error::other)?;
        Ok(Self(Arc::new(Folder { path: folder.to_owned(), parts: AtomicU64::new(0), opening })))
    }
}

impl Folder {
    /// The folder and the file of a digest.
    fn place(&self, digest: Hash) -> (PathBuf, PathBuf) {
        let name = digest.to_string();
        let folder = self.path.join(&name[..2]);
        let file = folder.join(name);
        (folder, file)
    }

    fn put(&self, content: &[u8]) -> Result<Hash, LogError> {
        let digest = Hash(*blake3::hash(content).as_bytes());
        let (folder, place) = self.place(digest);
        // Reading is cheaper than writing; what is there but damaged is replaced.
        if fs::read(&place).is_ok_and(|found| found == content) {
            // Whoever wrote it may not have come to this yet.
            sync_folder(&folder).map_err(|error| file(&error))?;
            return Ok(digest);
        }
        make_folder(&folder).map_err(|error| LogError::ReadOnly(error.to_string()))?;
        let part = folder.join(format!("{:016x}-{}.part", self.opening, self.parts.fetch_add(1, Ordering::Relaxed)));
        let written =
            write(&part, content).and_then(|()| fs::rename(&part, &place)).and_then(|()| sync_folder(&folder));
        if written.is_err() {
            // If that fails too, a part without use is left.
            fs::remove_file(&part).ok();
        }
        written.map(|()| digest).map_err(|error| file(&error))
    }

    fn get(&self, digest: Hash) -> Result<Option<Vec<u8>>, LogError> {
        let (_, place) = self.place(digest);
        let content = match fs::read(&place) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LogError::Unavailable(format!("blob {digest}: {error}"))),
        };
        if blake3::hash(&content).as_bytes() != &digest.0 {
            return Err(LogError::Damaged(Damage::Store(format!("the blob {digest} is not what was written"))));
        }
        Ok(Some(content))
    }
}

fn write(place: &Path, content: &[u8]) -> io::Result<()> {
    let mut open = OpenOptions::new();
    open.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut open, 0o600);
    let mut file: File = open.open(place)?;
    file.write_all(content)?;
    file.sync_all()
}

#[async_trait]
impl Blobs for FileBlobs {
    async fn put(&self, content: Vec<u8>) -> Result<Hash, LogError> {
        if content.len() > BLOB_BYTES_MAX {
            let size = content.len();
            return Err(LogError::Refused(format!("content of {size} bytes; a blob has at most {BLOB_BYTES_MAX}")));
        }
        let folder = Arc::clone(&self.0);
        apart(move || folder.put(&content)).await
    }

    async fn get(&self, digest: Hash) -> Result<Option<Vec<u8>>, LogError> {
        let folder = Arc::clone(&self.0);
        apart(move || folder.get(digest)).await
    }
}
