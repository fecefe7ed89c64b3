//! The guests, all of which say what they are told.

use anyhow::Context;
use std::path::Path;

/// The component of `guest-tools/echo`, as the tests keep it.
pub(crate) fn component() -> anyhow::Result<Vec<u8>> {
    decompress("../fixtures/guests/echo.wasm.br")
}

/// The plug-in of `plugin/src/lib.rs`, as `examples/keep.rs` kept it.
pub(crate) fn plugin() -> anyhow::Result<Vec<u8>> {
    decompress("guests/plugin.wasm.br")
}

/// The plug-in of `plugin/least.wat`.
pub(crate) fn least_plugin() -> anyhow::Result<Vec<u8>> {
    Ok(wat::parse_str(include_str!("../plugin/least.wat"))?)
}

fn decompress(kept: &str) -> anyhow::Result<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(kept);
    let mut bytes = Vec::new();
    let mut file = std::fs::File::open(&path).with_context(|| path.display().to_string())?;
    brotli::BrotliDecompress(&mut file, &mut bytes).with_context(|| path.display().to_string())?;
    Ok(bytes)
}
