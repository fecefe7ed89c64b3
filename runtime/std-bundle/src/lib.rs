//! The standard tools as built WebAssembly components. Data only: their sources are in
//! `guest-tools/`, and `guest-tools/components.lock` says from what each was built.
use handbox_bundle::BundleSource;

/// The bundles built into Handbox.
pub fn bundles() -> Vec<BundleSource> {
    Vec::new()
}
