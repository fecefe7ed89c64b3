use crate::support::{HAND, asks, component, manifest, packed, tool, tool_with};
use handbox_bundle::{Arg, Command, Manifest, ManifestFile, Mode, PropertyArg, section};
use handbox_hand::{Hints, Recovery};
use serde_json::json;

fn fault(manifest: &Manifest) -> String {
    let error = manifest.validate().unwrap_err();
    format!("{error} | {}", error.hint())
}

#[test]
fn a_packed_manifest_is_read_back_and_nothing_else_changes() {
    let plain = component(&[], &[HAND]);
    assert_eq!(section::read(&plain).unwrap(), None);
    let first = section::write(&plain, &manifest(&["one"])).unwrap();
    assert!(first.starts_with(&plain));
    assert_eq!(section::read(&first).unwrap(), Some(manifest(&["one"])));
    let second = section::write(&first, &manifest(&["one", "two"])).unwrap();
    assert_eq!(section::read(&second).unwrap(), Some(manifest(&["one", "two"])));
    assert_eq!(section::write(&second, &manifest(&["one"])).unwrap(), first, "packing again leaves no trace");
}

#[test]
fn a_number_in_a_schema_stays_the_same_number() {
    let mut manifest = manifest(&[]);
    manifest
        .tools
        .push(tool_with("t", json!({"type": "object", "properties": {"a": {"const": -1.0780941720922741e192}}})));
    let bytes = section::write(&component(&[], &[HAND]), &manifest).unwrap();
    section::read(&bytes).unwrap().unwrap().compare_tools(&manifest.tools).unwrap();
}

#[test]
fn two_manifests_are_refused() {
    let one = packed(&["a"]);
    let section_bytes = one[component(&[], &[HAND]).len()..].to_vec();
    let two = [one, section_bytes].concat();
    assert!(section::read(&two).unwrap_err().to_string().contains("two `handbox:manifest` sections"));
}

#[test]
fn a_manifest_nested_inside_says_nothing_about_the_whole() {
    let inner = packed(&["a"]);
    let mut outer = wasm_encoder::Component::new();
    outer.section(&wasm_encoder::RawSection { id: 4, data: &inner });
    assert_eq!(section::read(&outer.finish()).unwrap(), None);
}

fn with_json(json: &str) -> Result<Option<Manifest>, String> {
    let mut bytes = component(&[], &[HAND]);
    let custom = wasm_encoder::CustomSection { name: section::SECTION_NAME.into(), data: json.as_bytes().into() };
    wasm_encoder::ComponentSection::append_to_component(&custom, &mut bytes);
    section::read(&bytes).map_err(|error| error.to_string())
}

#[test]
fn hostile_json_is_an_error_that_says_which() {
    let tool =
        |schema: &str| format!(r#"{{"name":"a","version":"1.0.0","tools":[{{"name":"t","input_schema":{schema}}}]}}"#);
    with_json(&tool(r#"{"type":"object"}"#)).unwrap().unwrap();
    for (json, expected) in [
        (r#"{"name":"a","version":"1.0.0","name":"b"}"#.to_owned(), "`name` stands twice"),
        (r#"{"name":"a","version":"1.0.0","nmae":"b"}"#.to_owned(), "unknown field `nmae`"),
        (tool(r#"{"type":"object","type":"string"}"#), "`type` stands twice"),
        (tool(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))), "nested more than"),
        (tool(&format!("[{}0]", "0,".repeat(200_000))), "more than 100000 values"),
        (tool(r#"{"type":"object","x":1e999999}"#), "number out of range"),
        (tool(r#"{"type":"object","x":"\ud800"}"#), "hex escape"),
        (tool(r#"{"type":"object"}"#) + "x", "trailing"),
        (format!(r#"{{"name":"{}","version":"1.0.0"}}"#, "a".repeat(2 << 20)), "more than 1 MiB"),
        ("\u{feff}{}".to_owned(), "expected value"),
        (String::new(), "EOF"),
    ] {
        let error = with_json(&json).unwrap_err();
        assert!(error.contains(expected), "{expected}: {error}");
        assert!(error.len() < 500, "{expected}: {} bytes", error.len());
    }
}

#[test]
fn what_is_no_component_is_named() {
    for (bytes, expected) in [
        (crate::support::core_module().finish(), "core module"),
        (b"\0asm\x0e\0\x01\0".to_vec(), "version"),
        (b"#!/bin/sh".to_vec(), "not WebAssembly"),
        (Vec::new(), "not WebAssembly"),
        (b"\0asm\x0d\0\x01\0\x00\xff\xff\xff\xff\x0f".to_vec(), "cut off"),
    ] {
        let error = section::read(&bytes).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        let error = section::write(&bytes, &manifest(&["a"])).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn names_versions_and_texts_are_checked() {
    let good = manifest(&["a", "b"]);
    good.validate().unwrap();
    let changed = |change: &dyn Fn(&mut Manifest)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        fault(&manifest)
    };
    assert!(changed(&|m| m.name = "a b".into()).contains("`a b` is not a name"));
    assert!(changed(&|m| m.version = "1".into()).contains("such as 0.1.0"));
    assert!(changed(&|m| m.author = "x\u{1b}[2J".into()).contains("author"));
    assert!(changed(&|m| m.description = "a\u{202e}b".into()).contains("U+202E"));
    assert!(
        changed(&|m| m.tools[1].name = handbox_hand::ToolName::new("A").unwrap())
            .contains("`a` and `A` differ only in case")
    );
    assert!(changed(&|m| m.tools.push(tool("b"))).contains("`b` stands twice"));
    assert!(
        changed(&|m| m.tools[0].description = "x".repeat(20_000)).contains("tool `a`: the description has 20000 bytes")
    );
    assert!(changed(&|m| m.tools = (0..300).map(|n| tool(&format!("t{n}"))).collect()).contains("300 tools"));
    assert!(changed(&|m| m.asks = asks(&[("x", Mode::ReadOnly)])).contains("asks: guest path `x`"));
}

#[test]
fn schemas_are_bounded_local_and_finite() {
    let check = |schema: serde_json::Value| {
        let mut manifest = manifest(&[]);
        manifest.tools.push(tool_with("t", schema));
        manifest.validate().map_err(|error| error.to_string())
    };
    let tree = json!({"type": "object", "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
        "properties": {"root": {"$ref": "#/$defs/node"}, "$ref": {"type": "string"}}});
    check(tree).unwrap();
    for (schema, expected) in [
        (json!([]), "not a JSON object"),
        (json!({"type": "string"}), "not of type object"),
        (json!({"type": "object", "properties": {"a": {"$ref": "https://x.example/s"}}}), "not inside it"),
        (json!({"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}}), "not inside it"),
        (json!({"type": "object", "$id": "https://x.example/"}), "$id"),
        (json!({"type": "object", "description": "x".repeat(70_000)}), "more than 64 KiB"),
        (json!({"type": "object", "$ref": "#"}), "without end"),
        (
            json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}),
            "refers to `#/$defs/b`, and there is nothing",
        ),
        (json!({"type": "object", "$defs": {"a": {"$ref": "#/%24defs/a"}}}), "without end"),
        (
            json!({"type": "object", "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
            "without end",
        ),
    ] {
        let error = check(schema.clone()).unwrap_err();
        assert!(error.contains(expected), "{schema}: {error}");
    }
    let mut deep = json!({"type": "object"});
    for _ in 0..100 {
        deep = json!({"type": "object", "properties": {"x": deep}});
    }
    assert!(check(deep).unwrap_err().contains("nested"));
}

#[test]
fn commands_refer_to_tools_and_properties_that_exist() {
    let command = |tool: &str, property: &str| Command {
        tool: tool.into(),
        args: vec![Arg::Literal("-x".into()), Arg::Property(PropertyArg { property: property.into(), flag: None })],
        stdin: None,
        ok_statuses: vec![1],
    };
    let with = |commands: Vec<Command>| Manifest { commands, ..manifest(&["a"]) };
    with(vec![command("a", "text")]).validate().unwrap();
    assert!(fault(&with(vec![command("b", "text")])).contains("`b`, which is not in the list of tools"));
    let text = fault(&with(vec![command("a", "txet")]));
    assert!(text.contains("`txet` is not a property") && text.contains("text, path"), "{text}");
    assert!(fault(&with(vec![command("a", "text"), command("a", "text")])).contains("two commands"));
    let partial = Manifest { commands: vec![command("a", "text")], ..manifest(&["a", "b"]) };
    assert!(fault(&partial).contains("none for tool `b`"));
    let stdin = Command { stdin: Some("body".into()), ..command("a", "text") };
    assert!(fault(&with(vec![stdin])).contains("`body`"));
}

#[test]
fn the_first_difference_between_manifest_and_component_is_named() {
    let packed = manifest(&["a", "b"]);
    packed.compare_tools(&packed.tools).unwrap();
    let reordered = tool_with(
        "a",
        json!({"properties": {"path": {"type": "string"}, "text": {"type": "string"}}, "type": "object"}),
    );
    packed.compare_tools(&[reordered, tool("b")]).unwrap();
    let hinted = handbox_hand::Tool { hints: Hints { read_only: true, ..Hints::default() }, ..tool("b") };
    for (answer, expected) in [
        (vec![tool("a")], "`b` is in the manifest, but the component does not list it"),
        (vec![tool("a"), tool("b"), tool("c")], "`c` is listed by the component, but not in the manifest"),
        (vec![tool("b"), tool("a")], "tool 1 is `a` in the manifest, but the component lists `b`"),
        (vec![tool("a"), hinted], "hints of tool `b`"),
        (vec![tool_with("a", json!({"type": "object"})), tool("b")], "input schema of tool `a`"),
    ] {
        assert!(packed.compare_tools(&answer).unwrap_err().contains(expected), "{expected}");
    }
}

const PROGRAM: &str = r#"
name = "count"
version = "0.1.0"
license = "MIT"

[[asks.folders]]
path = "*"
mode = "ro"

[[commands]]
tool = "count_lines"
description = "Counts lines."
args = ["--lines", { property = "path", flag = "--file=" }]
stdin = "text"
ok_statuses = [1]
hints = { read_only = true }
recovery = "retry"
[commands.schema]
type = "object"
required = ["path"]
properties.path.type = "string"
properties.text.type = "string"
"#;

#[test]
fn an_author_describes_a_program_in_toml() {
    let made = ManifestFile::parse("count.toml", PROGRAM).unwrap().into_manifest(Vec::new()).unwrap();
    assert_eq!(made.tools[0].name.as_str(), "count_lines");
    assert_eq!(made.tools[0].input_schema["properties"]["path"], json!({"type": "string"}));
    assert_eq!((made.tools[0].hints.read_only, made.tools[0].recovery), (true, Recovery::Retry));
    assert_eq!(made.commands[0].stdin.as_deref(), Some("text"));
    assert_eq!(made.asks, asks(&[("*", Mode::ReadOnly)]));
}

#[test]
fn a_schema_may_be_json_as_text() {
    let start = PROGRAM.find("[commands.schema]").unwrap();
    let json = r#"schema = '''{"type":"object","properties":{"path":{},"text":{}}}'''"#;
    let text = format!("{}{json}\n", &PROGRAM[..start]);
    ManifestFile::parse("count.toml", &text).unwrap().into_manifest(Vec::new()).unwrap();
    let twice = text.replace(r#"{"type":"object","#, r#"{"type":"object","type":"object","#);
    let error = ManifestFile::parse("count.toml", &twice).unwrap_err().to_string();
    assert!(error.contains("`type` stands twice") && error.contains("count.toml:18"), "{error}");
}

#[test]
fn errors_in_an_authors_file_name_line_and_key() {
    for (from, to, expected) in [
        ("license", "licence", "count.toml:4: unknown field `licence`"),
        ("mode = \"ro\"", "mode = \"r\"", "count.toml:8"),
        ("stdin = ", "stdn = ", "stdn"),
        ("count_lines", "count lines", "count.toml:11"),
        ("name = \"count\"", "", "missing field `name`"),
    ] {
        let error = ManifestFile::parse("count.toml", &PROGRAM.replace(from, to)).unwrap_err();
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn tools_come_from_the_file_or_from_the_component_but_not_from_both() {
    let file = ManifestFile::parse("count.toml", PROGRAM).unwrap();
    assert!(file.into_manifest(vec![tool("a")]).unwrap_err().hint().contains("leave out [[commands]]"));
    let none = ManifestFile::named("x").into_manifest(Vec::new()).unwrap_err();
    assert!(none.hint().contains("--manifest"));
    ManifestFile::named("x").into_manifest(vec![tool("a")]).unwrap();
}
