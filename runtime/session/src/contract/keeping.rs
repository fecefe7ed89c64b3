//! Blobs.

use crate::{Blobs, Hash};

/// Tests every promise of [`Blobs`].
///
/// # Panics
///
/// At the first promise that is not kept.
pub async fn assert_blobs_contract(blobs: &dyn Blobs) {
    for content in [Vec::new(), b"hello".to_vec(), vec![0], (0..=255).cycle().take(3_000_000).collect::<Vec<u8>>()] {
        let digest = Hash(*blake3::hash(&content).as_bytes());
        assert_eq!(blobs.get(digest).await, Ok(None), "nothing is there that was not put");
        for _ in 0..2 {
            assert_eq!(blobs.put(content.clone()).await, Ok(digest), "the digest is the content's, also a second time");
            assert!(blobs.get(digest).await == Ok(Some(content.clone())), "{} bytes come back", content.len());
        }
    }
}
