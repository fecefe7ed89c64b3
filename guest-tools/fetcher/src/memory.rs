//! Looks for bytes in all of this component's own memory, freed or not, without holding them.
//!
//! What is looked for is named by its length and a hash, so that this search does not itself put
//! there what it must not find.

use handbox_tool::{Fault, input};

/// What is looked for.
#[input]
#[serde(deny_unknown_fields)]
pub struct Needle {
    /// In bytes.
    length: u32,
    /// Of the bytes: `h = h * 1099511628211 + byte`, beginning at 0, modulo 2^64, in decimal.
    hash: String,
}

/// The factor of the hash; that of FNV-1a.
const FACTOR: u64 = 1_099_511_628_211;

/// How often each is there.
pub(crate) fn search(needles: &[Needle]) -> Result<String, Fault> {
    let memory = memory();
    let counts: Result<Vec<String>, Fault> = needles
        .iter()
        .map(|needle| {
            let hash = needle.hash.parse().map_err(|_| Fault::invalid("the hash is no number"))?;
            Ok(count(memory, needle.length as usize, hash).to_string())
        })
        .collect();
    Ok(counts?.join(" "))
}

/// Compares hashes of all stretches of that length.
fn count(memory: &[u8], length: usize, wanted: u64) -> u64 {
    if length == 0 || length > memory.len() {
        return 0;
    }
    let step = |hash: u64, byte: u8| hash.wrapping_mul(FACTOR).wrapping_add(u64::from(byte));
    let leaving = (0..length).fold(1_u64, |power, _| power.wrapping_mul(FACTOR));
    let mut hash = memory[..length].iter().fold(0, |hash, byte| step(hash, *byte));
    let mut found = u64::from(hash == wanted);
    for (gone, come) in memory.iter().zip(&memory[length..]) {
        hash = step(hash, *come).wrapping_sub(leaving.wrapping_mul(u64::from(*gone)));
        found += u64::from(hash == wanted);
    }
    found
}

#[cfg(target_arch = "wasm32")]
#[expect(unsafe_code, reason = "a component may look at its own memory, and this one is to")]
fn memory() -> &'static [u8] {
    const PAGE_BYTES: usize = 64 << 10;
    let bytes = core::arch::wasm32::memory_size(0) * PAGE_BYTES;
    // SAFETY: the linear memory is one allocation from 0 to its size, of which the first bytes are left out since no
    // slice begins at 0. Nothing else runs in a component, and nothing here writes.
    unsafe { core::slice::from_raw_parts(core::ptr::without_provenance(16), bytes - 16) }
}

#[cfg(not(target_arch = "wasm32"))]
fn memory() -> &'static [u8] {
    b"outside a component there is no memory of its own"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_wherever_they_stand() {
        let hash = b"memory".iter().fold(0_u64, |hash, byte| hash.wrapping_mul(FACTOR).wrapping_add(u64::from(*byte)));
        assert_eq!(count(b"memory of its memory", 6, hash), 2);
        assert_eq!(count(b"memorz of its memor", 6, hash), 0);
        assert_eq!(count(b"mem", 6, hash), 0);
    }
}
