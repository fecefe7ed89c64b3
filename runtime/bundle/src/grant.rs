//! What an operator gives, and what is left of it for one bundle.

use std::path::PathBuf;

/// Whether a folder may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Mode {
    #[serde(rename = "ro")]
    /// Contents may be read.
    ReadOnly,
    #[serde(rename = "rw")]
    /// Contents may be read, changed, created and deleted.
    ReadWrite,
}

/// A folder of the host, seen by a guest under a path of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderGrant {
    /// Absolute path on the host.
    pub host: PathBuf,
    /// Absolute path in the guest, such as `/workspace`.
    pub guest: String,
    /// Whether it may be changed.
    pub mode: Mode,
}

/// What an operator gives to a hand. Nothing that is not in here exists for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Folders, most specific guest path wins.
    pub folders: Vec<FolderGrant>,
    /// Environment values, by name.
    pub env: Vec<(String, String)>,
}
