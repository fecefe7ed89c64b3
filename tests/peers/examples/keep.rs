//! Builds `plugin/` and keeps it, compressed, in `guests/`. Needs `rustup target add wasm32-unknown-unknown`.

use anyhow::{Context, ensure};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";

fn main() -> anyhow::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let into = here.join("target/plugin");
    let status = Command::new(std::env::var_os("CARGO").context("run this with Cargo")?)
        .current_dir(here)
        .args(["build", "--locked", "--profile", "guest", "--package", "handbox-peers-plugin", "--target", TARGET])
        .arg("--target-dir")
        .arg(&into)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(here)?)
        .status()?;
    ensure!(status.success(), "the plug-in was not built");
    let bytes = std::fs::read(into.join(TARGET).join("guest/handbox_peers_plugin.wasm"))?;
    let mut kept = std::fs::File::create(here.join("guests/plugin.wasm.br"))?;
    let best = brotli::enc::BrotliEncoderParams { quality: 11, ..Default::default() };
    brotli::BrotliCompress(&mut bytes.as_slice(), &mut kept, &best)?;
    Ok(())
}

/// The kept file must not depend on whose machine built it, so no path of it is in there.
fn flags(here: &Path) -> anyhow::Result<OsString> {
    let cargo_home = match std::env::var_os("CARGO_HOME") {
        Some(home) => PathBuf::from(home),
        None => std::env::home_dir().context("there is no home folder")?.join(".cargo"),
    };
    let mut remaps = vec![(cargo_home.clone(), "/cargo"), (here.to_owned(), "/handbox/tests/peers")];
    for registry in std::fs::read_dir(cargo_home.join("registry/src"))? {
        remaps.push((registry?.path(), "/cargo/registry"));
    }
    let mut flags = OsString::new();
    for (from, to) in remaps {
        if !flags.is_empty() {
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push(format!("={to}"));
    }
    Ok(flags)
}
