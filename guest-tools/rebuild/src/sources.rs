//! What a component is built from, as one hash.

use crate::{Component, Problem, Result, hex};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// What every component depends on.
const COMMON: [&str; 7] = [
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "rebuild/src/flags.rs",
    "rust-toolchain.toml",
    "sdk",
    "sdk-macros",
];

/// Hashes the sources of a component: its package, the packages of this workspace that it
/// depends on, the lock file, the flags and its manifest. Line ends do not count, since
/// some checkouts change them. `root` is the folder `guest-tools/`.
///
/// # Errors
///
/// A source cannot be read.
pub fn source_hash(root: &Path, component: &Component) -> Result<String> {
    let mut files = Vec::new();
    let common = COMMON.iter().map(PathBuf::from);
    let own = component.depends.iter().chain([&component.folder]).chain(&component.manifest).cloned();
    for path in common.chain(own) {
        collect(root, &path, &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut hash = Sha256::new();
    for (name, path) in &files {
        let mut bytes = fs::read(path).map_err(Problem::with(path))?;
        bytes.retain(|byte| *byte != b'\r');
        hash.update(format!("{name}\0{}\0", bytes.len()));
        hash.update(&bytes);
    }
    Ok(hex(&hash.finalize()))
}

/// Adds a file, or every file below a folder, with its name as it is on every platform.
fn collect(root: &Path, path: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<()> {
    let full = root.join(path);
    if full.is_file() {
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        files.push((parts.join("/"), full));
        return Ok(());
    }
    for entry in fs::read_dir(&full).map_err(Problem::with(&full))? {
        let name = entry.map_err(Problem::with(&full))?.file_name();
        // What editors and operating systems leave behind is no source.
        if !name.to_string_lossy().starts_with('.') && name != "target" {
            collect(root, &path.join(name), files)?;
        }
    }
    Ok(())
}
