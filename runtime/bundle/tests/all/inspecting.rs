use crate::support::{HAND, RUN, component, core_module, manifest};
use handbox_bundle::{Arg, Asks, Command, Digest, Kind, Manifest, State, inspect, section};
use handbox_hand::Recovery;

fn fault(bytes: &[u8]) -> String {
    let error = inspect(bytes).unwrap_err();
    format!("{error} | {}", error.hint())
}

fn unfit(bytes: &[u8]) -> String {
    let error = inspect(bytes).unwrap().check().unwrap_err();
    format!("{error} | {}", error.hint())
}

fn packed(imports: &[&str], export: &str, manifest: &Manifest) -> Vec<u8> {
    section::write(&component(imports, &[export]), manifest).unwrap()
}

#[test]
fn the_kind_follows_from_the_exports() {
    for (export, kind) in [
        (HAND, Kind::Hand),
        ("handbox:hand/hand@0.1.9", Kind::Hand),
        (RUN, Kind::Command),
        ("me:calc/ops@1.2.3", Kind::Reflected),
        ("ops", Kind::Reflected),
    ] {
        assert_eq!(inspect(&component(&[], &[export])).unwrap().kind, kind, "{export}");
    }
    assert_eq!(inspect(&component(&[], &[RUN, HAND])).unwrap().kind, Kind::Hand);
}

#[test]
fn a_core_module_is_told_how_to_become_a_component() {
    let text = fault(&core_module().finish());
    assert!(
        text.contains("core module, not a component | build for wasm32-wasip2, or run `wasm-tools component new`"),
        "{text}"
    );
}

#[test]
fn other_versions_are_named_beside_ours() {
    let text = fault(&component(&[], &["handbox:hand/hand@0.2.0"]));
    assert!(text.contains("handbox:hand/hand 0.2.0") && text.contains("0.1.x"), "{text}");
    let text = fault(&component(&[], &["wasi:cli/run@0.3.0"]));
    assert!(text.contains("0.3.0") && text.contains("0.2.x"), "{text}");
    assert!(fault(&component(&[], &["handbox:hand/hand"])).contains("no version"));
}

#[test]
fn without_a_function_there_is_no_tool() {
    assert!(fault(&component(&[], &[])).contains("exports no function"));
}

#[test]
fn what_is_seen_is_complete() {
    let imports = ["wasi:io/poll@0.2.0", "handbox:hand/report@0.1.0", "wasi:sockets/tcp@0.2.0", "me:own/thing@1.0.0"];
    let bytes = component(&imports, &[HAND]);
    let seen = inspect(&bytes).unwrap();
    assert_eq!(seen.imports, imports);
    assert_eq!(seen.missing, imports[2..]);
    assert_eq!(seen.exports, [HAND]);
    assert_eq!((seen.size_bytes, &seen.digest), (bytes.len() as u64, &Digest::of(&bytes)));
    assert_eq!(Digest::of(b"").as_str(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

#[test]
fn missing_imports_are_listed_exactly() {
    let text = unfit(&component(
        &["me:own/thing@1.0.0", "wasi:io/poll@0.2.0", "wasi:io/poll@0.3.0", "wasi:io/new@0.2.0"],
        &[HAND],
    ));
    assert!(text.contains("does not have: me:own/thing@1.0.0, wasi:io/poll@0.3.0, wasi:io/new@0.2.0 |"), "{text}");
    let given = [
        "wasi:io/streams@0.2.9",
        "wasi:filesystem/types@0.2.3",
        "wasi:cli/terminal-stdout@0.2.0",
        "handbox:hand/types@0.1.0",
    ];
    inspect(&component(&given, &[HAND])).unwrap().check().unwrap();
}

#[test]
fn a_manifest_that_claims_less_than_is_imported_is_refused() {
    let imports = ["wasi:http/types@0.2.0", "wasi:http/outgoing-handler@0.2.0"];
    assert!(unfit(&packed(&imports, HAND, &manifest(&["a"]))).contains("claims less than it imports"));
    let honest =
        Manifest { asks: Asks { hosts: vec!["api.example.com".into()], ..Asks::default() }, ..manifest(&["a"]) };
    inspect(&packed(&imports, HAND, &honest)).unwrap().check().unwrap();
    assert!(unfit(&packed(&["wasi:sockets/tcp@0.2.0"], HAND, &honest)).contains("HTTP alone leaves"));
    let blind = Manifest { asks: Asks::default(), ..manifest(&["a"]) };
    inspect(&packed(&["wasi:filesystem/types@0.2.0"], HAND, &blind)).unwrap().check().unwrap();
}

#[test]
fn manifest_and_kind_must_fit() {
    let command =
        Command { tool: "a".into(), args: vec![Arg::Literal("x".into())], stdin: None, ok_statuses: Vec::new() };
    let program = Manifest { commands: vec![command], ..manifest(&["a"]) };
    inspect(&packed(&[], RUN, &program)).unwrap().check().unwrap();
    assert!(unfit(&component(&[], &[RUN])).contains("handbox pack"));
    assert!(unfit(&packed(&[], RUN, &manifest(&["a"]))).contains("[[commands]]"));
    assert!(unfit(&packed(&[], HAND, &program)).contains("no command-line program (it is a hand component)"));
    let kept = Manifest { state: State::Kept, ..program };
    assert!(unfit(&packed(&[], RUN, &kept)).contains("cannot keep state"));
    let mut reconciling = manifest(&["a"]);
    reconciling.tools[0].recovery = Recovery::Reconcile;
    assert!(unfit(&packed(&[], HAND, &reconciling)).contains("handbox:hand/recover"));
    let both = section::write(&component(&[], &[HAND, "handbox:hand/recover@0.1.0"]), &reconciling).unwrap();
    inspect(&both).unwrap().check().unwrap();
}

#[test]
fn producers_of_all_parts_are_gathered() {
    fn string(text: &str) -> Vec<u8> {
        [&[text.len() as u8], text.as_bytes()].concat()
    }
    let data = [vec![1], string("language"), vec![1], string("Rust"), string("1.95")].concat();
    let custom = wasm_encoder::CustomSection { name: "producers".into(), data: data.into() };
    let mut inner = core_module();
    inner.section(&custom);
    let mut bytes = component(&[], &[HAND]);
    wasm_encoder::ComponentSection::append_to_component(&wasm_encoder::ModuleSection(&inner), &mut bytes);
    let junk = wasm_encoder::CustomSection { name: "producers".into(), data: (&[9, 9, 9][..]).into() };
    wasm_encoder::ComponentSection::append_to_component(&junk, &mut bytes);
    let producers = inspect(&bytes).unwrap().producers;
    assert_eq!((producers.len(), producers[0].name.as_str(), producers[0].version.as_str()), (1, "Rust", "1.95"));
}

#[test]
fn compile_bombs_are_refused_by_their_structure() {
    let mut nested = wasm_encoder::Component::new().finish();
    for _ in 0..40 {
        let mut outer = wasm_encoder::Component::new();
        outer.section(&wasm_encoder::RawSection { id: 4, data: &nested });
        nested = outer.finish();
    }
    assert!(fault(&nested).contains("levels of nesting"));
    let mut wide = component(&[], &[HAND]);
    for _ in 0..300 {
        wasm_encoder::ComponentSection::append_to_component(&wasm_encoder::ModuleSection(&core_module()), &mut wide);
    }
    assert!(fault(&wide).contains("modules and components inside"));
    let names: Vec<String> = (0..1500).map(|n| format!("x{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert!(fault(&component(&names, &[HAND])).contains("1001 imports"));
    assert!(fault(&component(&[], &names)).contains("1001 exports"));
    assert!(fault(&vec![0; (64 << 20) + 1]).contains("bytes"));
}

#[test]
fn damage_is_told_from_refusal() {
    let whole = component(&[], &[HAND]);
    assert!(fault(&whole[..whole.len() - 3]).contains("cut off or damaged"));
    let mut odd = whole.clone();
    odd.extend([11, 2, 9, 9]);
    assert!(fault(&odd).contains("not well-formed"));
}
