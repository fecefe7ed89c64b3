//! `components.toml`.

use crate::{Problem, Result};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};

/// One component that the repository keeps.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Name of the file and, in the manifest, of the component.
    pub name: String,
    /// The package that it is built from.
    pub package: String,
    /// The package's folder, from `guest-tools/`.
    pub folder: PathBuf,
    /// The folder of the workspace that the package lies in, from `guest-tools/`, if not in that of the guests: its own lock
    /// file is the one that counts.
    pub workspace: Option<PathBuf>,
    /// What of the package it is.
    #[serde(default)]
    pub target: Target,
    /// The folder that it is kept in, from `guest-tools/`.
    pub destination: PathBuf,
    /// The author's part of the manifest, from `guest-tools/`. Without one it is kept as
    /// the compiler made it.
    pub manifest: Option<PathBuf>,
    /// Whether the same sources give the same bytes everywhere. One whose dependencies look at more of a machine than
    /// their sources is built and compared with its sources alone.
    #[serde(default = "yes")]
    pub reproducible: bool,
    /// Folders that it depends on beside the SDK, from `guest-tools/`.
    #[serde(default)]
    pub depends: Vec<PathBuf>,
}

/// What of a package a component is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Its library.
    #[default]
    Lib,
    /// Its program, of the package's name.
    Bin,
    /// The example of the component's name: a package has one library and any number of
    /// examples.
    Example,
    /// What `build.py` in its folder makes; it is called with the path to write to.
    Python,
}

impl Component {
    /// The file that is kept.
    pub fn kept(&self, root: &Path) -> PathBuf {
        root.join(&self.destination).join(format!("{}.wasm.br", self.name))
    }
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    component: Vec<Component>,
}

/// Reads the list. `root` is the folder `guest-tools/`.
///
/// # Errors
///
/// It cannot be read or says something unknown.
pub fn components(root: &Path) -> Result<Vec<Component>> {
    let path = root.join("components.toml");
    let text = fs::read_to_string(&path).map_err(Problem::with(&path))?;
    let list: List = toml::from_str(&text).map_err(|error| Problem(format!("{}: {error}", path.display())))?;
    Ok(list.component)
}
