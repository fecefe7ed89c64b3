//! A schema is checked against every input on the host, so none may make that slow.

use crate::support::tool_with;
use handbox_bundle::check_tools;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::time::{Duration, Instant};

fn check(schema: Value) -> Result<(), String> {
    check_tools(&[tool_with("t", schema)]).map_err(|error| format!("{error} | {}", error.hint()))
}

fn refused(schema: &Value, expected: &str) {
    let start = Instant::now();
    let error = check(schema.clone()).expect_err(&schema.to_string());
    assert!(error.contains(expected), "{schema}: {error}");
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

fn object(properties: Value, defs: Value) -> Value {
    json!({"type": "object", "properties": properties, "$defs": defs})
}

/// Each level refers twice to the next, in the way that `level` writes.
fn bomb(levels: usize, level: impl Fn(Value) -> Value) -> Value {
    let mut defs = Map::new();
    for n in 0..levels {
        defs.insert(format!("a{n}"), level(json!({"$ref": format!("#/$defs/a{}", n + 1)})));
    }
    defs.insert(format!("a{levels}"), json!({}));
    json!({"type": "object", "$ref": "#/$defs/a0", "$defs": defs})
}

#[test]
fn references_that_double_at_one_place_are_refused() {
    let levels: [fn(Value) -> Value; 6] = [
        |next| json!({"allOf": [next, next]}),
        |next| json!({"anyOf": [next, {"not": next}]}),
        |next| json!({"oneOf": [next], "if": next, "then": next, "else": next}),
        |next| json!({"dependentSchemas": {"a": next, "b": next}}),
        |next| json!({"dependencies": {"a": next, "b": next}}),
        |next| json!({"unevaluatedProperties": false, "allOf": [next]}),
    ];
    for level in levels {
        refused(&bomb(34, level), "more than 10000 times");
        refused(&bomb(400, level), "more than 10000 times");
        check(bomb(5, level)).unwrap();
    }
    let error = check(bomb(34, levels[0])).unwrap_err();
    assert!(error.contains("`#/$defs/a2"), "the place: {error}");
}

#[test]
fn a_long_chain_of_references_is_no_circle() {
    check(bomb(600, |next| json!({"allOf": [next]}))).unwrap();
}

#[test]
fn recursion_that_multiplies_with_the_depth_of_the_input_is_refused() {
    let node = json!({"$ref": "#/$defs/node"});
    let other = json!({"$ref": "#/$defs/other"});
    for def in [
        json!({"allOf": [{"properties": {"a": node}}, {"properties": {"a": node}}]}),
        json!({"properties": {"a": {"anyOf": [node, {"allOf": [node]}]}}}),
        json!({"properties": {"a": node}, "patternProperties": {"^a": node}}),
        json!({"patternProperties": {"a": node, "b": node}}),
        json!({"allOf": [{"additionalProperties": node}, {"properties": {"a": node}}]}),
        json!({"items": node, "contains": node}),
        json!({"allOf": [{"prefixItems": [true, node]}, {"items": node}]}),
        json!({"unevaluatedProperties": false, "anyOf": [{"properties": {"a": node}}]}),
        json!({"unevaluatedItems": false, "anyOf": [{"items": node}]}),
    ] {
        refused(&object(json!({"root": node}), json!({"node": def})), "the deeper an input is");
    }
    // Grows, too, if more slowly.
    let def = json!({"properties": {"a": {"allOf": [node, other]}}});
    let other = json!({"properties": {"a": other}});
    refused(&object(json!({"root": node}), json!({"node": def, "other": other})), "in too many ways");
    // Many circles in a row: a polynomial of high degree.
    let mut defs = Map::new();
    for n in 0..60 {
        let (same, next) = (format!("#/$defs/a{n}"), format!("#/$defs/a{}", n + 1));
        defs.insert(format!("a{n}"), json!({"properties": {"a": {"allOf": [{"$ref": same}, {"$ref": next}]}}}));
    }
    defs.insert("a60".to_owned(), json!({}));
    refused(&object(json!({"r": {"$ref": "#/$defs/a0"}}), Value::Object(defs)), "");
}

#[test]
fn an_older_draft_is_read_as_it_is_evaluated() {
    let node = json!({"$ref": "#/$defs/node"});
    // 2020-12 evaluates each item once here; draft 7 does not know prefixItems.
    let def = json!({"allOf": [{"prefixItems": [true], "items": node}, {"items": [node]}]});
    let mut schema = object(json!({"root": node}), json!({"node": def}));
    check(schema.clone()).unwrap();
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    refused(&schema, "the deeper an input is");
    for bad in ["http://json-schema.org/draft-04/schema#", "https://x.example/my-own"] {
        refused(&json!({"type": "object", "properties": {"a": {"$schema": bad, "id": "x"}}}), "$schema");
    }
    check(json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"})).unwrap();
}

#[test]
fn recursive_schemas_of_every_day_pass() {
    let node = json!({"$ref": "#/$defs/node"});
    let stmt = json!({"$ref": "#/$defs/stmt"});
    let maybe = |schema: &Value| json!({"anyOf": [schema, {"type": "null"}]});
    for (def, stmt_def) in [
        (json!({"type": "object", "properties": {"value": {}, "next": maybe(&node)}}), json!({})),
        (
            json!({"properties": {"children": {"type": "array", "items": node}}, "additionalProperties": false}),
            json!({}),
        ),
        (json!({"properties": {"left": maybe(&node), "right": maybe(&node)}}), json!({})),
        (json!({"type": "object", "additionalProperties": node}), json!({})),
        (json!({"properties": {"left": node}, "additionalProperties": node}), json!({})),
        // What serde makes of an enumeration that holds itself.
        (
            json!({"oneOf": [
                {"type": "object", "properties": {"And": {"type": "array", "items": node}}, "required": ["And"]},
                {"type": "object", "properties": {"Not": node}, "required": ["Not"]},
                {"type": "object", "properties": {"Let": {"prefixItems": [{"type": "string"}, node, node]}}},
                {"enum": ["True", "False"]}
            ]}),
            json!({}),
        ),
        // Two that hold each other and themselves.
        (
            json!({"properties": {"block": {"items": stmt}, "arg": node}}),
            json!({"properties": {"expr": node, "then": stmt, "block": {"items": stmt}}}),
        ),
        // Any JSON.
        (
            json!({"anyOf": [{"type": ["string", "number"]}, {"items": node}, {"additionalProperties": node}]}),
            json!({}),
        ),
    ] {
        let schema = object(json!({"root": node}), json!({"node": def, "stmt": stmt_def}));
        check(schema.clone()).unwrap_or_else(|error| panic!("{schema}: {error}"));
    }
    check(json!({"type": "object", "properties": {"children": {"items": {"$ref": "#"}}}})).unwrap();
}

#[test]
fn wide_and_nested_schemas_without_references_pass() {
    let mut cases: Vec<Value> = (0..100)
        .map(|n| {
            let payload =
                json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false});
            let properties = json!({format!("case-{n}"): payload, "kind": {"const": n}});
            json!({"type": "object", "properties": properties, "additionalProperties": false})
        })
        .collect();
    cases.push(json!({"type": "string", "enum": ["x"]}));
    let variant = json!({"oneOf": cases});
    check(object(json!({"v": variant, "list": {"type": "array", "items": variant}}), json!({}))).unwrap();
    let mut nested = json!({"type": "string"});
    for n in 0..9 {
        nested = json!({"anyOf": [{"type": "null"}, {"type": "object", "properties": {"some": nested}}]});
        if n % 3 == 0 {
            nested = json!({"oneOf": [{"properties": {"ok": nested}}, {"properties": {"err": {"items": {}}}}]});
        }
    }
    check(object(json!({"n": nested}), json!({}))).unwrap();
    let consts: Vec<Value> = (0..2_000).map(|n| json!({"const": n})).collect();
    check(object(json!({"n": {"oneOf": consts}}), json!({}))).unwrap();
    let wide: Map<String, Value> = (0..1_500).map(|n| (format!("p{n}"), json!({"type": "string"}))).collect();
    check(object(Value::Object(wide), json!({}))).unwrap();
}

#[test]
fn the_standard_tools_pass() {
    for text in [
        include_str!("../../../std-bundle/components/files.json"),
        include_str!("../../../std-bundle/components/search.json"),
    ] {
        let manifest: handbox_bundle::Manifest = serde_json::from_str(text).unwrap();
        manifest.validate().unwrap();
    }
}

#[test]
fn references_that_depend_on_the_way_there_are_refused() {
    for key in ["$dynamicRef", "$recursiveRef"] {
        refused(&json!({"type": "object", "properties": {"a": {key: "#"}}}), key);
    }
    refused(&json!({"type": "object", "properties": {"a": {"$anchor": "x"}, "b": {"$ref": "#x"}}}), "not inside it");
    // Properties may have any name.
    check(object(json!({"$dynamicRef": {"type": "string"}, "pattern": {}, "not": {}, "$schema": {}}), json!({})))
        .unwrap();
}

#[test]
fn patterns_are_short_and_few() {
    let long = "a".repeat(2_000);
    refused(&object(json!({"a": {"pattern": long}}), json!({})), "pattern");
    refused(&json!({"type": "object", "patternProperties": {long: true}}), "pattern");
    let patterns = |n: usize| (0..n).map(|n| (format!("p{n}"), json!({"pattern": format!("^{n}")}))).collect();
    refused(&object(Value::Object(patterns(300)), json!({})), "patterns");
    check(object(Value::Object(patterns(60)), json!({}))).unwrap();
    // One that stands many times is compiled once, as in a record of large numbers.
    let same: Map<String, Value> =
        (0..500).map(|n| (format!("p{n}"), json!({"pattern": "^(0|[1-9][0-9]{0,19})$"}))).collect();
    check(object(Value::Object(same), json!({}))).unwrap();
}

const DEFS: usize = 6;

fn reference() -> impl Strategy<Value = Value> {
    (0..DEFS).prop_map(|n| json!({"$ref": format!("#/$defs/d{n}")}))
}

/// Schemas that refer to one another at random.
fn graph() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![3 => reference(), 1 => Just(json!(true)), 1 => Just(json!({"type": "object"}))];
    let node = leaf.prop_recursive(3, 12, 3, |inner| {
        let some = || proptest::collection::vec(inner.clone(), 1..3);
        let named = || proptest::collection::btree_map("[ab]", inner.clone(), 1..3);
        prop_oneof![
            some().prop_map(|list| json!({"allOf": list})),
            some().prop_map(|list| json!({"anyOf": list})),
            named().prop_map(|map| json!({"properties": map})),
            (named(), inner.clone()).prop_map(|(map, more)| json!({"properties": map, "additionalProperties": more})),
            (named(), inner.clone()).prop_map(|(map, more)| json!({"dependentSchemas": map, "not": more})),
            (some(), inner.clone()).prop_map(|(list, more)| json!({"prefixItems": list, "items": more})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"items": a, "contains": b})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"if": a, "patternProperties": {"a": b}})),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| json!({"unevaluatedProperties": a, "allOf": [b]})),
        ]
    });
    proptest::collection::vec(node, DEFS).prop_map(|nodes| {
        let defs: Map<String, Value> = nodes.into_iter().enumerate().map(|(n, node)| (format!("d{n}"), node)).collect();
        json!({"type": "object", "$ref": "#/$defs/d0", "$defs": defs})
    })
}

/// Evaluates as a validator would that never stops early, and counts what `path` of an input
/// costs at its end. A name is a property, a number an item. `None` if it runs out of `fuel`.
fn evaluations(root: &Value, schema: &Value, path: &[&str], fuel: &mut u32) -> Option<u32> {
    *fuel = fuel.checked_sub(1)?;
    let mut count = u32::from(path.is_empty());
    let mut same: Vec<&Value> = ["not", "if"].iter().filter_map(|key| schema.get(key)).collect();
    same.extend(["allOf", "anyOf"].iter().filter_map(|key| schema.get(key)?.as_array()).flatten());
    same.extend(schema.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(|map| map.values()));
    same.extend(schema.get("$ref").and_then(Value::as_str).and_then(|to| root.pointer(&to[1..])));
    for inner in same {
        count += evaluations(root, inner, path, fuel)?;
    }
    let Some((first, rest)) = path.split_first() else { return Some(count) };
    let mut children: Vec<&Value> = Vec::new();
    if let Ok(index) = first.parse::<usize>() {
        children.extend(schema.get("contains"));
        let prefix = schema.get("prefixItems").and_then(|list| list.get(index));
        children.extend(prefix.or(schema.get("items")));
    } else {
        let property = schema.get("properties").and_then(|map| map.get(first));
        children.extend(property.or(schema.get("additionalProperties")));
        let matches = schema.get("patternProperties").filter(|_| *first == "a");
        children.extend(matches.and_then(|map| map.get("a")));
        children.extend(schema.get("unevaluatedProperties"));
    }
    for child in children {
        count += evaluations(root, child, rest, fuel)?;
    }
    Some(count)
}

proptest! {
    #[test]
    fn what_is_accepted_costs_little_at_any_place(
        schema in graph(),
        path in proptest::collection::vec(prop_oneof!["a", "b", "c", "0", "1", "2"], 0..40),
    ) {
        let start = Instant::now();
        let accepted = check(schema.clone()).is_ok();
        prop_assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
        if accepted {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            // At most 10_000 for each place on the way.
            let mut fuel = 10_000 * (path.len() as u32 + 1);
            let count = evaluations(&schema, &schema, &path, &mut fuel);
            prop_assert!(count.is_some_and(|count| count <= 10_000), "{count:?}");
        }
    }

    #[test]
    fn a_check_is_quick_whatever_refers_to_what(
        edges in proptest::collection::vec((0..300_usize, 0..300_usize, 0..9_usize, "[a-h]"), 0..900),
    ) {
        let mut defs: Vec<Map<String, Value>> = vec![Map::new(); 300];
        for (from, to, kind, name) in edges {
            let to = json!({"$ref": format!("#/$defs/{to}")});
            let (def, of) = (&mut defs[from], |key: &str| key.to_owned());
            let list = |def: &mut Map<String, Value>, key: &str, to: Value| {
                def.entry(key).or_insert_with(|| json!([])).as_array_mut().unwrap().push(to);
            };
            let map = |def: &mut Map<String, Value>, key: &str, to: Value| {
                def.entry(key).or_insert_with(|| json!({}))[name.as_str()] = to;
            };
            match kind {
                0 => list(def, "allOf", to),
                1 => list(def, "prefixItems", to),
                2 => map(def, "patternProperties", to),
                3 => { def.insert(of("additionalProperties"), to); }
                4 => { def.insert(of("items"), to); }
                5 => { def.insert(of("unevaluatedItems"), to); }
                _ => map(def, "properties", to),
            }
        }
        let defs: Map<String, Value> =
            defs.into_iter().enumerate().map(|(n, def)| (n.to_string(), Value::Object(def))).collect();
        let schema = json!({"type": "object", "$ref": "#/$defs/0", "$defs": defs});
        let start = Instant::now();
        let _ = check(schema);
        prop_assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    }
}
