//! Whatever bytes come in, the answer is a value: never a panic, never a hang.

use crate::support::{HAND, component, manifest, packed, tool_with};
use handbox_bundle::{Asks, FolderAsk, Manifest, ManifestFile, Mode, State, inspect, section};
use proptest::prelude::*;
use serde_json::{Value, json};

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({"type": "string"})),
        any::<i64>().prop_map(|n| json!({"type": "integer", "maximum": n})),
        any::<f64>().prop_filter("JSON has no others", |x| x.is_finite()).prop_map(|x| json!({"const": x})),
        ".{0,12}".prop_map(|text| json!({"description": text})),
    ];
    let names = proptest::collection::vec(("[a-z]{1,8}", leaf), 0..5);
    names.prop_map(|properties| {
        let properties: serde_json::Map<String, Value> = properties.into_iter().collect();
        json!({"type": "object", "properties": properties})
    })
}

fn manifests() -> impl Strategy<Value = Manifest> {
    let tools = proptest::collection::btree_map("[a-z][a-z0-9_-]{0,20}", schema(), 0..6);
    let folders = proptest::collection::btree_map("/[a-s]{1,8}", any::<bool>(), 0..4);
    ("[a-zA-Z0-9_-]{1,64}", (0..99_u8, 0..99_u8), "[ -~äß]{0,40}", any::<bool>(), tools, folders).prop_map(
        |(name, (major, minor), description, kept, tools, folders)| {
            let mode = |write: bool| {
                if write { Mode::ReadWrite } else { Mode::ReadOnly }
            };
            let folders = folders.into_iter().map(|(path, write)| FolderAsk { path, mode: mode(write) });
            Manifest {
                name,
                version: format!("{major}.{minor}.0"),
                description,
                state: if kept { State::Kept } else { State::Fresh },
                tools: tools.into_iter().map(|(name, schema)| tool_with(&name, schema)).collect(),
                asks: Asks { folders: folders.collect(), ..Asks::default() },
                ..manifest(&[])
            }
        },
    )
}

proptest! {
    #[test]
    fn every_manifest_is_read_as_it_was_written(manifest in manifests(), again in manifests()) {
        // A description may be text that is refused; such a manifest is not written either.
        prop_assume!(manifest.validate().is_ok() && again.validate().is_ok());
        let plain = component(&[], &[HAND]);
        let bytes = section::write(&plain, &manifest).unwrap();
        prop_assert_eq!(section::read(&bytes).unwrap().unwrap(), manifest.clone());
        let rewritten = section::write(&section::write(&bytes, &again).unwrap(), &manifest).unwrap();
        prop_assert_eq!(rewritten, bytes);
        prop_assert!(manifest.compare_tools(&manifest.tools).is_ok());
    }

    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300), header in any::<bool>()) {
        let bytes = if header { [b"\0asm\x0d\0\x01\0".to_vec(), bytes].concat() } else { bytes };
        let _ = section::read(&bytes);
        let _ = section::write(&bytes, &manifest(&["a"]));
        let _ = inspect(&bytes).map(|seen| seen.check());
    }

    #[test]
    fn a_damaged_component_is_refused_or_still_whole(edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6), cut in any::<prop::sample::Index>()) {
        let mut bytes = packed(&["a", "b"]);
        for (place, value) in edits {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        let _ = inspect(&bytes).map(|seen| seen.check());
        bytes.truncate(cut.index(bytes.len()));
        let _ = inspect(&bytes).map(|seen| seen.check());
        let _ = section::write(&bytes, &manifest(&["c"]));
    }

    #[test]
    fn any_text_as_a_manifest_file_is_an_answer(text in "[a-z\\[\\]{}=\"',.\n 0-9]{0,200}") {
        let _ = ManifestFile::parse("m.toml", &text);
    }
}

#[test]
fn deep_toml_is_refused() {
    let text = format!("asks = {}{}", "[".repeat(200_000), "]".repeat(10));
    assert!(ManifestFile::parse("m.toml", &text).is_err());
    let text = format!("{} = 1", vec!["a"; 100_000].join("."));
    assert!(ManifestFile::parse("m.toml", &text).is_err());
    let text = "#".repeat(1 << 20);
    assert!(ManifestFile::parse("m.toml", &text).unwrap_err().to_string().contains("bytes"));
}
