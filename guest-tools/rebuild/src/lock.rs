//! `components.lock`.

use crate::{COMMAND, Problem, Result};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::Path;

/// What a component was built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The component's name.
    pub name: String,
    /// SHA-256 of its bytes, uncompressed.
    pub sha256: String,
    /// How many those are.
    pub bytes: u64,
    /// What `rustc -V` said.
    pub compiler: String,
    /// Whether it holds its manifest.
    pub packed: bool,
    /// Hash of its sources.
    pub sources: String,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lock {
    #[serde(default)]
    component: Vec<Locked>,
}

/// Reads the lock; nothing is locked if there is none yet. `root` is the folder
/// `guest-tools/`.
///
/// # Errors
///
/// It cannot be read.
pub fn lock(root: &Path) -> Result<Vec<Locked>> {
    let path = root.join("components.lock");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(&path).map_err(Problem::with(&path))?;
    let lock: Lock = toml::from_str(&text).map_err(|error| Problem(format!("{}: {error}", path.display())))?;
    Ok(lock.component)
}

/// Writes the lock.
///
/// # Errors
///
/// It cannot be written.
pub fn write_lock(root: &Path, component: Vec<Locked>) -> Result<()> {
    let path = root.join("components.lock");
    let body = toml::to_string(&Lock { component }).map_err(|error| Problem(error.to_string()))?;
    let text = format!("# Written by `{COMMAND}`.\n# Do not edit.\n\n{body}");
    fs::write(&path, text).map_err(Problem::with(&path))
}
