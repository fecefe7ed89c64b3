//! The repository's own properties.

use handbox_tests::repository;
use std::path::{Path, PathBuf};

/// Longest source file, in lines. A longer one usually holds two nouns.
const LINES_MAX: usize = 500;

fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && name != ".git" && name != "node_modules" {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == end) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_copies_of_the_contract_are_the_contract() {
    // A package can only include files of its own folder.
    let copies = [
        ("hand.wit", &["runtime/hands/wit", "guest-tools/sdk/wit"][..]),
        (
            "process/process.wit",
            &["runtime/hands/wit", "guest-tools/javascript/wit", "guest-tools/shell/wit", "guest-tools/userland/wit"][..],
        ),
    ];
    for (contract, folders) in copies {
        let text = read(&repository().join("wit").join(contract));
        for folder in folders {
            let copy = Path::new(folder).join(contract);
            let copied = read(&repository().join(&copy));
            assert!(copied == text, "{} differs from wit/{contract}; copy it again", copy.display());
        }
    }
}

#[test]
fn no_source_file_is_too_long() {
    let long: Vec<String> = files(&repository(), "rs")
        .iter()
        .map(|path| (path, read(path).lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(path, lines)| format!("{} has {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "longer than {LINES_MAX} lines: {long:?}");
}

#[test]
fn each_heavy_package_is_named_in_one_room() {
    let rooms = [
        ("wasmtime", "hands"),
        ("wasmtime-wasi", "hands"),
        ("redb", "store"),
        ("reqwest", "vault"),
        ("age", "vault"),
        ("axum", "server"),
        ("clap", "cli"),
    ];
    for manifest in files(&repository().join("runtime"), "toml").iter().filter(|path| path.ends_with("Cargo.toml")) {
        let room = manifest.parent().and_then(Path::file_name).expect("a folder").to_string_lossy().into_owned();
        for line in read(manifest).lines() {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if let Some((_, owner)) = rooms.iter().find(|(package, _)| *package == name) {
                assert_eq!(&room, owner, "{name} belongs to runtime/{owner} alone");
            }
        }
    }
}

#[test]
fn no_test_file_is_forgotten() {
    for folder in ["tests/all", "tests/hostile"] {
        let folder = repository().join(folder);
        let main = read(&folder.join("main.rs"));
        for file in files(&folder, "rs") {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            assert!(name == "main" || main.contains(&format!("mod {name};")), "{} is never run", file.display());
        }
    }
}

#[test]
fn every_hostile_guest_is_tried() {
    let tests: String = files(&repository().join("tests"), "rs").iter().map(|path| read(path)).collect();
    for guest in files(&repository().join("guest-tools/hostile"), "rs") {
        let name = guest.file_stem().expect("a name").to_string_lossy().into_owned();
        let is_guest = guest.parent().is_some_and(|folder| folder.ends_with("hostile"));
        assert!(!is_guest || tests.contains(&format!("\"{name}\"")), "no test tries the guest {name}");
    }
}

#[test]
fn the_kept_components_are_those_of_their_sources() {
    let differences = rebuild::differences(&repository().join("guest-tools")).expect("the lock can be read");
    assert!(
        differences.is_empty(),
        "{differences:#?}\nrun `cargo run --manifest-path guest-tools/Cargo.toml -p rebuild`"
    );
}

#[test]
fn the_example_of_a_manifest_is_one() {
    let path = repository().join("examples/tool.toml");
    let manifest = handbox_bundle::ManifestFile::parse("tool.toml", &read(&path));
    let manifest = manifest.and_then(|file| file.into_manifest(Vec::new())).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(manifest.tools.len(), 1);
}
