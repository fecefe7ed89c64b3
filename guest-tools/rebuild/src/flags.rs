//! How components are compiled. This file counts among their sources.

use crate::{Problem, Result};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `.cargo/config.toml` says, since flags from the environment replace it.
const ALWAYS: &str = "-Ctarget-feature=+simd128";

/// Variables that would change what is built.
const UNWANTED: [&str; 12] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
    // Set by a rustup that started this program; the toolchain is this workspace's own.
    "RUSTUP_TOOLCHAIN",
    // Which texts uucore puts in.
    "LANG",
    "LC_ALL",
    "UUCORE_TARGET_UTIL",
];

/// `cargo` or `rustc` of the workspace's own toolchain.
pub(crate) fn tool(root: &Path, name: &str) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root);
    for (key, _) in env::vars_os() {
        if key.to_string_lossy().starts_with("CARGO_PROFILE_") {
            command.env_remove(key);
        }
    }
    for key in UNWANTED {
        command.env_remove(key);
    }
    command
}

/// The command that compiles components to `target`.
pub(crate) fn cargo_build(root: &Path, target: &Path) -> Result<Command> {
    let mut flags: Vec<OsString> = vec![ALWAYS.into()];
    flags.extend(remaps(root)?);
    // The separator that cargo asks for: paths may have spaces in them.
    let flags = flags.join(&OsString::from("\u{1f}"));
    let mut command = tool(root, "cargo");
    command.args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "--target-dir"]).arg(target);
    command.env("CARGO_ENCODED_RUSTFLAGS", flags).env("CARGO_INCREMENTAL", "0");
    Ok(command)
}

/// Takes this machine's folders out of the bytes: panics name source files.
fn remaps(root: &Path) -> Result<Vec<OsString>> {
    let mut remaps = Vec::new();
    let mut remap = |from: &Path, to: &str| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        remaps.push(flag);
    };
    let home = cargo_home()?;
    remap(&home, "/cargo");
    // One folder for each registry; which one a package came from is no one's business.
    let registry = home.join("registry").join("src");
    for entry in fs::read_dir(&registry).into_iter().flatten().flatten() {
        remap(&entry.path(), "/cargo/registry");
    }
    remap(root, "/handbox/guest-tools");
    let about = output(tool(root, "rustc").args(["--print", "sysroot"]))?;
    let library = Path::new(about.trim()).join("lib/rustlib/src/rust");
    remap(&library, "/rust");
    Ok(remaps)
}

fn cargo_home() -> Result<PathBuf> {
    let named = env::var_os("CARGO_HOME").map(PathBuf::from);
    let usual = || env::home_dir().map(|home| home.join(".cargo"));
    named.or_else(usual).ok_or_else(|| Problem("there is no home folder, and CARGO_HOME is not set".to_owned()))
}

/// Runs a command for what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| Problem(format!("{command:?}: {error}")))?;
    if !output.status.success() {
        return Err(Problem(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
