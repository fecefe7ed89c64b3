//! The manifest inside the component: the custom section `handbox:manifest` at its top
//! level. Read and written without running, or even understanding, the rest.

use crate::error::BundleError;
use crate::manifest::Manifest;
use crate::text::parse_json;
use std::ops::Range;
use wasm_encoder::{ComponentSection, CustomSection};
use wasmparser::BinaryReader;

/// The name of the section.
pub const SECTION_NAME: &str = "handbox:manifest";

/// 256 tools of ordinary size; a manifest is read before anything else is known.
pub const MANIFEST_BYTES_MAX: usize = 1 << 20;

/// Real components have some hundreds of sections at the top.
const SECTIONS_MAX: usize = 100_000;

/// `\0asm`, then version and layer of a component.
const COMPONENT_HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE_HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// How an archive begins, such as a library for Rust (`.rlib`) or for C (`.a`).
const ARCHIVE_HEADER: &[u8] = b"!<arch>\n";

const BUILD_A_COMPONENT: &str = "build for wasm32-wasip2, or run `wasm-tools component new`";

/// Reads the manifest of `component`, validated; `None` if it was never packed. Sections
/// of components nested inside are not looked at.
///
/// # Errors
///
/// [`BundleError::Broken`] if this is not a component, the section stands twice, is larger
/// than 1 MiB, or does not hold a valid manifest.
pub fn read(component: &[u8]) -> Result<Option<Manifest>, BundleError> {
    let mut found = manifest_sections(component)?.into_iter();
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(section), None) => parse_manifest(&component[section.data]).map(Some),
        (Some(_), Some(_)) => {
            let message = format!("the component has two `{SECTION_NAME}` sections");
            Err(BundleError::broken(message, "take the component as it was built, and `handbox pack` it again"))
        }
    }
}

/// Gives `component` with `manifest` in it, in the place of an earlier one, otherwise at the
/// end. No other byte changes, and the same input gives the same output.
///
/// # Errors
///
/// [`BundleError::Broken`] if this is not a component, or the manifest is not valid or larger
/// than 1 MiB.
pub fn write(component: &[u8], manifest: &Manifest) -> Result<Vec<u8>, BundleError> {
    manifest.validate()?;
    let data = to_json(manifest)?;
    if data.len() > MANIFEST_BYTES_MAX {
        let message = format!("the manifest has {} bytes, more than 1 MiB", data.len());
        return Err(BundleError::broken(message, "shorten descriptions and schemas"));
    }
    let old = manifest_sections(component)?;
    let place = old.first().map_or(component.len(), |section| section.whole.start);
    let mut packed = Vec::with_capacity(component.len() + data.len() + 64);
    packed.extend_from_slice(&component[..place]);
    CustomSection { name: SECTION_NAME.into(), data: data.into() }.append_to_component(&mut packed);
    let mut kept_from = place;
    for section in old {
        packed.extend_from_slice(&component[kept_from..section.whole.start]);
        kept_from = section.whole.end;
    }
    packed.extend_from_slice(&component[kept_from..]);
    Ok(packed)
}

/// The manifest as it stands in the section: compact JSON, keys in the order of
/// [`Manifest`]'s fields, schemas in their author's own order.
pub(crate) fn to_json(manifest: &Manifest) -> Result<Vec<u8>, BundleError> {
    serde_json::to_vec(manifest)
        .map_err(|error| BundleError::broken(format!("the manifest cannot be written as JSON: {error}"), "correct it"))
}

/// Parses and validates a manifest's JSON.
///
/// # Errors
///
/// [`BundleError::Broken`]: too large, not JSON, nested too deeply, a key unknown or given
/// twice, or not valid ([`Manifest::validate`]).
pub fn parse_manifest(json: &[u8]) -> Result<Manifest, BundleError> {
    let broken = |why: String| {
        BundleError::broken(format!("the manifest is not valid: {why}"), "`handbox pack` the component again")
    };
    if json.len() > MANIFEST_BYTES_MAX {
        return Err(broken(format!("{} bytes, more than 1 MiB", json.len())));
    }
    let value = parse_json(json).map_err(broken)?;
    let manifest: Manifest = serde_json::from_value(value).map_err(|error| broken(error.to_string()))?;
    manifest.validate().map_err(|error| error.at("the manifest is not valid"))?;
    Ok(manifest)
}

/// Checks that `bytes` begin as a component does.
///
/// # Errors
///
/// [`BundleError::Broken`] that says what they are instead and what to do.
pub(crate) fn check_header(bytes: &[u8]) -> Result<(), BundleError> {
    if bytes.starts_with(COMPONENT_HEADER) {
        return Ok(());
    }
    if bytes.starts_with(ARCHIVE_HEADER) {
        return Err(BundleError::broken(
            "this is a library for the linker (.rlib), not a component",
            "write crate-type = [\"cdylib\"] under [lib] in Cargo.toml, build again, and take the .wasm file",
        ));
    }
    let message = if bytes.starts_with(MODULE_HEADER) {
        "this is a core module, not a component"
    } else if bytes.starts_with(b"\0asm") {
        "this is WebAssembly of a version that Handbox does not know"
    } else {
        "this is not WebAssembly"
    };
    Err(BundleError::broken(message, BUILD_A_COMPONENT))
}

struct Found {
    /// The section with its id and length.
    whole: Range<usize>,
    /// What is in it after its name.
    data: Range<usize>,
}

/// The manifest sections at the top level, by walking over ids and lengths alone.
fn manifest_sections(component: &[u8]) -> Result<Vec<Found>, BundleError> {
    check_header(component)?;
    let cut = |_| BundleError::broken("the component is cut off or damaged", "build or fetch it again");
    let mut found = Vec::new();
    let mut start = COMPONENT_HEADER.len();
    for _ in 0..SECTIONS_MAX {
        if start >= component.len() {
            return Ok(found);
        }
        let mut reader = BinaryReader::new(&component[start..], 0);
        let id = reader.read_u8().map_err(cut)?;
        let length = reader.read_var_u32().map_err(cut)? as usize;
        let body = start + (component.len() - start - reader.bytes_remaining());
        let end = body + reader.read_bytes(length).map_err(cut)?.len();
        if id == 0 {
            let mut custom = BinaryReader::new(&component[body..end], 0);
            if custom.read_string().map_err(cut)? == SECTION_NAME {
                found.push(Found { whole: start..end, data: end - custom.bytes_remaining()..end });
            }
        }
        start = end;
    }
    Err(BundleError::broken(
        format!("the component has more than {SECTIONS_MAX} sections"),
        "build it in the usual way",
    ))
}
