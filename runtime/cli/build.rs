//! Names the build for `handbox --version`: commit (if this is a checkout), target, profile,
//! and the engine's version as the lock file has it.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Changes with every commit; a build that named an older one would mislead whoever reports a fault.
    let log = "../../.git/logs/HEAD";
    if std::path::Path::new(log).exists() {
        println!("cargo::rerun-if-changed={log}");
    }
    // Packaged sources have no history; that is no reason not to build.
    let git = Command::new("git").args(["rev-parse", "--short=12", "HEAD"]).output();
    let commit =
        git.ok().filter(|output| output.status.success()).and_then(|output| String::from_utf8(output.stdout).ok());
    let commit = commit.map_or_else(|| "no commit".to_owned(), |commit| commit.trim().to_owned());
    println!("cargo::rustc-env=HANDBOX_ENGINE={}", engine().unwrap_or_else(|| "48".to_owned()));
    let named = |name: &str| std::env::var(name).unwrap_or_default();
    println!("cargo::rustc-env=HANDBOX_BUILD={commit} {} {}", named("TARGET"), named("PROFILE"));
}

/// The version of wasmtime in the lock file, here or beside the workspace.
fn engine() -> Option<String> {
    let mut texts =
        ["Cargo.lock", "../../Cargo.lock"].into_iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts.find_map(|text| {
        let (_, rest) = text.split_once("name = \"wasmtime\"\nversion = \"")?;
        Some(rest.split('"').next()?.to_owned())
    })
}
