//! The components that the repository keeps: which there are, what they are built from,
//! and whether the two still belong together.
//!
//! `components.toml` lists them, `components.lock` says what was built from what. The
//! library reads both without a WebAssembly target or a network, for tests.

mod build;
mod flags;
mod list;
mod lock;
mod problem;
mod sources;

pub use build::{Options, build, describe, keep, unpack};
pub use list::{Component, Target, components};
pub use lock::{Locked, lock, write_lock};
pub use problem::{Problem, Result};
pub use sources::source_hash;

use std::path::Path;

/// Compares the sources of every component with its lock, and every kept file with its
/// digest. Empty if all is well; each line says what to do otherwise.
///
/// # Errors
///
/// The list, the lock or a file cannot be read.
pub fn differences(root: &Path) -> Result<Vec<String>> {
    let locked = lock(root)?;
    let mut lines = Vec::new();
    for component in components(root)? {
        let name = &component.name;
        let Some(entry) = locked.iter().find(|entry| entry.name == *name) else {
            lines.push(format!("{name} is listed, but was never built: {COMMAND} -- {name}"));
            continue;
        };
        if source_hash(root, &component)? != entry.sources {
            lines.push(format!("the sources of {name} changed since it was built: {COMMAND} -- {name}"));
        }
        if digest(&unpack(&component.kept(root))?) != entry.sha256 {
            lines.push(format!("the kept file of {name} is not what its lock says: {COMMAND} -- {name}"));
        }
    }
    Ok(lines)
}

/// The command that builds everything anew.
pub const COMMAND: &str = "cargo run --manifest-path guest-tools/Cargo.toml -p rebuild";

/// SHA-256 in lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
