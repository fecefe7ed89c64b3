//! Where the names of an archive or a patch lead: always below the folder that is written to.

use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Following more links than this is going in circles.
const LINKS_MAX: usize = 40;

/// What happens to a folder that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Make,
    Refuse,
}

/// Why a name has no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unplaced {
    /// It goes through a link to somewhere else.
    LeadsOut,
    /// What is wrong in words.
    Other(String),
}

impl Unplaced {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::LeadsOut => "a link leads out of the folder".to_owned(),
            Self::Other(reason) => reason,
        }
    }
}

impl From<std::io::Error> for Unplaced {
    fn from(error: std::io::Error) -> Self {
        Self::Other(crate::reason(&error))
    }
}

/// A folder that names are looked up in and written to.
pub(crate) struct Inside {
    root: PathBuf,
}

impl Inside {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The folder itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a member of these parts belongs. The folders around it are made if they are missing; the
    /// last part is not looked at.
    pub(crate) fn place(&self, parts: &[&str]) -> Result<PathBuf, Unplaced> {
        self.walk(parts, Missing::Make)
    }

    /// The same for what is only read: no folder is made.
    pub(crate) fn find(&self, parts: &[&str]) -> Result<PathBuf, Unplaced> {
        self.walk(parts, Missing::Refuse)
    }

    fn walk(&self, parts: &[&str], missing: Missing) -> Result<PathBuf, Unplaced> {
        let Some((last, folders)) = parts.split_last() else { return Ok(self.root.clone()) };
        let mut held: Vec<String> = Vec::new();
        let mut left: VecDeque<String> = folders.iter().map(|part| (*part).to_owned()).collect();
        let mut links = 0;
        while let Some(part) = left.pop_front() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    held.pop().ok_or(Unplaced::LeadsOut)?;
                    continue;
                }
                _ => {}
            }
            let path = self.path(&held).join(&part);
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_symlink() => {
                    links += 1;
                    let target = fs::read_link(&path)?;
                    if target.is_absolute() || links > LINKS_MAX {
                        return Err(Unplaced::LeadsOut);
                    }
                    for part in target.to_string_lossy().split('/').rev() {
                        left.push_front(part.to_owned());
                    }
                }
                Ok(metadata) if metadata.is_dir() => held.push(part),
                Ok(_) => return Err(Unplaced::Other("Not a directory".to_owned())),
                Err(error) if error.kind() == ErrorKind::NotFound && missing == Missing::Make => {
                    fs::create_dir(&path)?;
                    held.push(part);
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.path(&held).join(last))
    }

    fn path(&self, parts: &[String]) -> PathBuf {
        let mut path = self.root.clone();
        path.extend(parts);
        path
    }
}

/// The parts of a member's name, without what stands for nothing. None if one is `..`.
pub(crate) fn parts(name: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    (!parts.contains(&"..")).then_some(parts)
}

/// Makes room for what is about to be written: what is there goes, unless it is a folder.
pub(crate) fn clear(path: &Path) -> Result<(), String> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => fs::remove_file(path).map_err(|error| crate::reason(&error)),
        Err(_) => Ok(()),
    }
}

/// Makes a symbolic link.
pub(crate) fn link(target: &str, path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(target, path);
    #[cfg(target_os = "wasi")]
    return rustix::fs::symlink(target, path).map_err(std::io::Error::from);
}
