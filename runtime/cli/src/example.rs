//! An input that fits a tool's schema, for the reader to start from.

use handbox_hand::Tool;
use serde_json::{Map, Value, json};

/// Deeper inputs are nothing to start from.
const DEPTH_MAX: usize = 6;
/// Longer ones do not fit a line.
const BYTES_MAX: usize = 200;

/// An input for `tool` with what it requires, as JSON; `{…}` if that would be long.
pub(crate) fn input(tool: &Tool) -> String {
    let schema = &tool.input_schema;
    let text = value(schema, schema, "", DEPTH_MAX).to_string();
    if text.len() > BYTES_MAX { "{…}".to_owned() } else { crate::output::visible(&text) }
}

fn value(root: &Value, schema: &Value, name: &str, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    let given = [schema.get("const"), schema.get("default"), schema["examples"].get(0), schema["enum"].get(0)];
    if let Some(given) = given.into_iter().flatten().find(|given| !given.is_null()) {
        return given.clone();
    }
    if let Some(target) = schema["$ref"].as_str().and_then(|to| root.pointer(to.trim_start_matches('#'))) {
        return value(root, target, name, depth);
    }
    let alternatives = ["anyOf", "oneOf", "allOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    if let Some(first) = alternatives.into_iter().find(|one| kind(one) != "null" && schema["type"].is_null()) {
        return value(root, first, name, depth);
    }
    match kind(schema) {
        "object" => object(root, schema, depth),
        "array" => {
            let count = schema["minItems"].as_u64().unwrap_or(0).min(4);
            (0..count).map(|_| value(root, &schema["items"], name, depth)).collect()
        }
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        "null" => Value::Null,
        // A name says more than a placeholder.
        _ => json!(if name.is_empty() { "text" } else { name }),
    }
}

/// What is required; if nothing is, the first property, so that there is something to see.
fn object(root: &Value, schema: &Value, depth: usize) -> Value {
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let mut names: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if names.is_empty() {
        names.extend(properties.keys().next().map(String::as_str));
    }
    let entry = |name: &str| (name.to_owned(), value(root, &properties[name], name, depth));
    names.into_iter().filter(|name| properties.contains_key(*name)).map(entry).collect::<Map<_, _>>().into()
}

/// The first type that is not null.
fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_hand::{Hints, Recovery, ToolName};

    fn of(schema: Value) -> String {
        input(&Tool {
            name: ToolName::new("t").unwrap(),
            description: String::new(),
            input_schema: schema,
            output_schema: None,
            hints: Hints::default(),
            recovery: Recovery::Ask,
            extra: Vec::new(),
        })
    }

    #[test]
    fn it_has_what_is_required() {
        let schema = json!({"type": "object", "required": ["name", "n", "kind", "at"], "properties": {
            "name": {"type": "string"}, "n": {"type": ["null", "integer"], "minimum": 3}, "rest": {"type": "string"},
            "kind": {"enum": ["a", "b"]}, "at": {"$ref": "#/$defs/place"}},
            "$defs": {"place": {"type": "object", "required": ["x"], "properties": {"x": {"type": "number"}}}}});
        assert_eq!(of(schema), r#"{"name":"name","n":3,"kind":"a","at":{"x":1}}"#);
    }

    #[test]
    fn it_shows_one_property_if_none_is_required() {
        assert_eq!(
            of(json!({"type": "object", "properties": {"a": {"anyOf": [{"type": "null"}, {"type": "boolean"}]}}})),
            r#"{"a":true}"#
        );
        assert_eq!(of(json!({"type": "object"})), "{}");
    }

    #[test]
    fn a_schema_in_a_circle_ends() {
        let node = json!({"type": "object", "required": ["n"], "properties": {"n": {"$ref": "#"}}});
        assert_eq!(of(node), r#"{"n":{"n":{"n":null}}}"#);
        assert_eq!(of(json!({"type": "object", "properties": {"a": {"const": "x".repeat(999)}}})), "{…}");
    }
}
