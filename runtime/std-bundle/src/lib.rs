//! The standard tools as built WebAssembly components: the bundle `std` (`bash` with a userland, `curl`, Python and
//! JavaScript; `read`, `write`, `edit`; `glob`, `grep`; `web_fetch`), and bundles that an operator names if they are wanted:
//! `http` (`http_request`) and `websearch` (`web_search`).
//!
//! Data only. The sources are in `guest-tools/`; `guest-tools/components.lock` says from
//! what each was built and by which compiler, and one command there builds them again.

use handbox_bundle::{BundleSource, Bytes, ComponentSource, Kind, LimitsPatch};
use std::sync::Arc;

struct Kept {
    manifest: &'static str,
    digest: &'static str,
    compressed: &'static [u8],
    kind: Kind,
}

macro_rules! kept {
    ($name:literal) => {
        kept!($name, Kind::Hand)
    };
    ($name:literal, $kind:expr) => {
        Kept {
            kind: $kind,
            manifest: include_str!(concat!("../components/", $name, ".json")),
            digest: include_str!(concat!("../components/", $name, ".sha256")),
            compressed: include_bytes!(concat!("../components/", $name, ".wasm.br")),
        }
    };
}

/// What is part of every agent, unless it is told otherwise.
const STD: [Kept; 8] = [
    kept!("files"),
    kept!("search"),
    kept!("web"),
    kept!("shell"),
    kept!("userland", Kind::Command),
    kept!("curl", Kind::Command),
    kept!("python", Kind::Command),
    kept!("javascript", Kind::Command),
];
/// Requests of any method: only for those who name it.
const HTTP: [Kept; 1] = [kept!("request")];
/// A search engine of the operator's choice: of no use until it is configured.
const WEBSEARCH: [Kept; 1] = [kept!("websearch")];

/// The bundles built into Handbox: `std`, `http` and `websearch`. Nothing is decompressed until a component has to be
/// compiled.
pub fn bundles() -> Vec<BundleSource> {
    let bundle = |name: &str, kept: &[Kept]| {
        let (name, version) = (name.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        let components = kept.iter().map(source).collect();
        BundleSource { name, version, limits: LimitsPatch::default(), components }
    };
    vec![bundle("std", &STD), bundle("http", &HTTP), bundle("websearch", &WEBSEARCH)]
}

fn source(kept: &Kept) -> ComponentSource {
    let compressed = kept.compressed;
    ComponentSource {
        digest: kept.digest.trim().parse().expect("a test parses every kept digest"),
        kind: kept.kind,
        manifest: kept.manifest.to_owned(),
        bytes: Bytes::Lazy(Arc::new(move || decompress(compressed))),
    }
}

fn decompress(compressed: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    brotli::BrotliDecompress(&mut &*compressed, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::{inspect, section};

    #[test]
    fn what_stands_beside_each_component_is_what_is_in_it() {
        for source in bundles() {
            let bundle = source.bundle().unwrap();
            for (component, source) in bundle.components.iter().zip(source.components) {
                let bytes = component.load().unwrap();
                let inspection = inspect(&bytes).unwrap();
                inspection.check().unwrap();
                assert_eq!(inspection.kind, source.kind);
                assert_eq!(section::read(&bytes).unwrap(), component.manifest);
            }
        }
    }
}
