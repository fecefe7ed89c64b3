//! What a component is built from, as one hash.

use crate::{Component, Problem, Result, Target, hex};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// What every component depends on.
const COMMON: [&str; 3] = [".cargo/config.toml", "rebuild/src/flags.rs", "rust-toolchain.toml"];
/// What every component of the guests' workspace depends on beside that.
const WORKSPACE: [&str; 4] = ["Cargo.lock", "Cargo.toml", "sdk", "sdk-macros"];

/// Hashes the sources of a component: its package, the packages of this workspace that it
/// depends on, its workspace's lock file, the flags and its manifest. Line ends do not count, since
/// some checkouts change them. `root` is the folder `guest-tools/`.
///
/// # Errors
///
/// A source cannot be read.
pub fn source_hash(root: &Path, component: &Component) -> Result<String> {
    let mut files = Vec::new();
    let common: &[&str] = if component.target == Target::Python { &[] } else { &COMMON };
    let shared: &[&str] =
        if component.target == Target::Python || component.workspace.is_some() { &[] } else { &WORKSPACE };
    let common = common.iter().chain(shared).map(PathBuf::from);
    let lock = component.workspace.iter().flat_map(|folder| [folder.join("Cargo.lock"), folder.join("Cargo.toml")]);
    let own = component.depends.iter().chain([&component.folder]).chain(&component.manifest).cloned();
    for path in common.chain(lock).chain(own) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components;

    /// This checkout's own `guest-tools/`.
    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn every_listed_component_has_sources() {
        for component in components(root()).unwrap() {
            assert_eq!(source_hash(root(), &component).unwrap().len(), 64, "{}", component.name);
        }
    }

    #[test]
    fn every_misbehaving_guest_is_listed() {
        let listed = components(root()).unwrap();
        for entry in fs::read_dir(root().join("hostile")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let found = listed.iter().any(|c| c.name == name && c.target == Target::Example);
                assert!(found, "{name} is not in components.toml");
            }
        }
    }

    #[test]
    fn content_counts_and_line_ends_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        for folders in ["sdk", "sdk-macros", "own", ".cargo", "rebuild/src"] {
            fs::create_dir_all(folder.path().join(folders)).unwrap();
        }
        for name in [".cargo/config.toml", "Cargo.lock", "Cargo.toml", "rebuild/src/flags.rs", "rust-toolchain.toml"] {
            write(name, "");
        }
        let component = Component {
            name: "own".into(),
            package: "own".into(),
            folder: "own".into(),
            workspace: None,
            target: Target::Lib,
            destination: "kept".into(),
            manifest: None,
            reproducible: true,
            depends: Vec::new(),
        };
        let hash = || source_hash(folder.path(), &component).unwrap();
        write("own/a.rs", "one\ntwo\n");
        let first = hash();
        write("own/a.rs", "one\r\ntwo\r\n");
        write("own/.a.rs.swp", "rubbish");
        assert_eq!(hash(), first);
        write("own/a.rs", "one\ntwo");
        assert_ne!(hash(), first);
        write("own/a.rs", "one\ntwo\n");
        write("sdk/b.rs", "");
        assert_ne!(hash(), first);
    }

    #[test]
    fn a_workspace_of_its_own_has_its_own_lock() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        for folders in [".cargo", "rebuild/src", "apart/own"] {
            fs::create_dir_all(folder.path().join(folders)).unwrap();
        }
        let common = [".cargo/config.toml", "rebuild/src/flags.rs", "rust-toolchain.toml"];
        for name in common.into_iter().chain(["apart/Cargo.lock", "apart/Cargo.toml", "Cargo.lock"]) {
            write(name, "");
        }
        let component = Component {
            name: "own".into(),
            package: "own".into(),
            folder: "apart/own".into(),
            workspace: Some("apart".into()),
            target: Target::Bin,
            destination: "kept".into(),
            manifest: None,
            reproducible: true,
            depends: Vec::new(),
        };
        let hash = || source_hash(folder.path(), &component).unwrap();
        let first = hash();
        write("Cargo.lock", "another");
        assert_eq!(hash(), first);
        write("apart/Cargo.lock", "another");
        assert_ne!(hash(), first);
    }
}
