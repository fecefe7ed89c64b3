//! Which project files the operator trusts: by path and by content.
//!
//! A guest may be able to write a project, so that a file which it changed must not be
//! trusted any more: what was trusted is a digest, and another one is not.

use super::file::read_bounded;
use super::source::Trust;
use crate::failure::{Failure, Kind};
use handbox_bundle::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Some ten thousand projects.
const TRUST_BYTES_MAX: u64 = 4 << 20;

/// The version of `trust.json` that this program reads and writes.
const FORMAT: u32 = 1;

/// `trust.json` in the data folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TrustFile {
    path: PathBuf,
    projects: BTreeMap<String, Digest>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustJson {
    format: u32,
    /// Canonical path to digest.
    projects: BTreeMap<String, Digest>,
}

impl TrustFile {
    /// Reads it; one that is not there trusts nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let mut trust = Self { path: path.to_owned(), projects: BTreeMap::new() };
        let Some(bytes) = read_bounded(path, TRUST_BYTES_MAX)? else { return Ok(trust) };
        let hint = "delete it, and trust your projects again with `handbox config trust`";
        private::check(path).map_err(|why| Failure::usage(format!("{}: {why}", path.display())).hint(hint))?;
        let json: TrustJson = serde_json::from_slice(&bytes)
            .map_err(|error| Failure::usage(format!("{}: {error}", path.display())).hint(hint))?;
        if json.format != FORMAT {
            let message = format!("{}: format {}, but this Handbox reads {FORMAT}", path.display(), json.format);
            return Err(Failure::usage(message).hint("use the Handbox that wrote it, or delete it"));
        }
        trust.projects = json.projects;
        Ok(trust)
    }

    /// Whether `file`, canonical, is trusted with this content.
    pub(crate) fn of(&self, file: &Path, digest: &Digest) -> Trust {
        match file.to_str().and_then(|file| self.projects.get(file)) {
            Some(trusted) if trusted == digest => Trust::Given,
            Some(_) => Trust::Changed,
            None => Trust::Never,
        }
    }

    /// Records that `file` is trusted with this content.
    pub(crate) fn add(&mut self, file: &Path, digest: Digest) -> Result<(), Failure> {
        let Some(name) = file.to_str() else {
            let failure = Failure::usage(format!("the path {} is not UTF-8", file.display()));
            return Err(failure.hint("rename the folder; only what can be written down exactly can be trusted"));
        };
        self.projects.insert(name.to_owned(), digest);
        self.write()
    }

    /// Forgets `file`; false if it was not there.
    pub(crate) fn remove(&mut self, file: &Path) -> Result<bool, Failure> {
        let removed = file.to_str().and_then(|file| self.projects.remove(file)).is_some();
        if removed {
            self.write()?;
        }
        Ok(removed)
    }

    /// Replaces the file in one step. Of two processes that do so at once one is lost, and
    /// what is lost is not trusted.
    fn write(&self) -> Result<(), Failure> {
        let json = TrustJson { format: FORMAT, projects: self.projects.clone() };
        let text = serde_json::to_string_pretty(&json).map_err(Failure::internal)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = private::make_folder(folder).and_then(|()| {
            // Made for its owner alone.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&self.path).map_err(|error| error.error)?;
            Ok(())
        });
        written.map_err(|error| {
            Failure::new(Kind::Usage, format!("{} cannot be written: {error}", self.path.display()))
                .hint("make its folder writable for you, and only for you")
        })
    }
}

#[cfg(unix)]
mod private {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    use std::path::Path;

    pub(super) fn make_folder(folder: &Path) -> std::io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
    }

    /// Whoever can write it can widen every grant.
    pub(super) fn check(file: &Path) -> Result<(), String> {
        let about = std::fs::metadata(file).map_err(|error| error.to_string())?;
        if about.mode() & 0o022 != 0 {
            return Err("others than you may write it, so nothing in it is believed".to_owned());
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod private {
    use std::path::Path;

    pub(super) fn make_folder(folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)
    }

    /// Folders below a user's profile are private by default there.
    pub(super) fn check(_: &Path) -> Result<(), String> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_untrusted_again_and_the_record_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data/trust.json");
        let file = Path::new("/p/handbox.toml");
        let (old, new) = (Digest::of(b"old"), Digest::of(b"new"));
        let mut trust = TrustFile::read(&path).unwrap();
        assert_eq!(trust.of(file, &old), Trust::Never);
        trust.add(file, old.clone()).unwrap();

        let mut trust = TrustFile::read(&path).unwrap();
        assert_eq!(trust.of(file, &old), Trust::Given);
        assert_eq!(trust.of(file, &new), Trust::Changed);
        assert_eq!(trust.of(Path::new("/q/handbox.toml"), &old), Trust::Never);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert!(trust.remove(file).unwrap() && !trust.remove(file).unwrap());
        assert_eq!(TrustFile::read(&path).unwrap().of(file, &old), Trust::Never);
    }

    #[test]
    fn a_record_that_cannot_be_believed_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("trust.json");
        for bad in ["", "{}", r#"{"format":2,"projects":{}}"#, r#"{"format":1,"projects":{},"x":1}"#] {
            std::fs::write(&path, bad).unwrap();
            let failure = TrustFile::read(&path).unwrap_err();
            assert!(failure.message.contains("trust.json") && failure.hint.is_some(), "{bad}: {failure:?}");
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::write(&path, r#"{"format":1,"projects":{}}"#).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
            assert!(TrustFile::read(&path).unwrap_err().message.contains("others than you"));
        }
    }
}
