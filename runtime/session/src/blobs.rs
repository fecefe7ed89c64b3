//! Content that is too large for an event.

use crate::{Hash, LogError};
use async_trait::async_trait;

/// The most bytes of one blob.
pub const BLOB_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Content by its digest. An event holds the digest and a preview.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// Keeps content, and gives its BLAKE3. When it returns, the content survives power loss. The same again costs little.
    ///
    /// # Errors
    ///
    /// [`LogError::Refused`] above [`BLOB_BYTES_MAX`], [`LogError::Full`].
    async fn put(&self, content: Vec<u8>) -> Result<Hash, LogError>;

    /// The content of a digest; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`LogError::Damaged`] if what is there has another digest.
    async fn get(&self, digest: Hash) -> Result<Option<Vec<u8>>, LogError>;
}
