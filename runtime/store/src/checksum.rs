//! Checks of what is stored, against a disk that gives back something else than it was given.
//!
//! They are computed on every read, so they have to cost less than reading does: XXH3 takes a thirtieth of the time of
//! BLAKE3 for an event of 1 KiB. They need not withstand somebody who changes the file on purpose, since such a one could
//! write the check anew; against that is the chain of hashes. Yet whoever chooses *contents* shall not be able to choose some
//! for which a lost sector goes unseen, as he could with a CRC. So what covers contents has a salt that he does not know.

use twox_hash::XxHash3_64;

pub(crate) const BYTES: usize = 8;

/// The check of some bytes that stand where this salt says.
pub(crate) fn of(salt: u64, bytes: &[u8]) -> [u8; BYTES] {
    salted(salt, bytes).to_le_bytes()
}

/// The salt for what stands behind some bytes.
pub(crate) fn salted(salt: u64, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(salt, bytes)
}
