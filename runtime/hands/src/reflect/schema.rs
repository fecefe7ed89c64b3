//! Shapes as JSON Schema 2020-12.

use super::shape::{Int, Named, Shape};
use serde_json::{Map, Value, json};

/// Which way the JSON goes. What we write is narrower than what we read, so a
/// value of the output schema is always one of the input schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Given by a caller: has alternatives for what is hard to write.
    Input,
    /// Written by [`super::encode`]: one way for each value.
    Output,
}

/// The schema of an object with these properties, of which those with an option
/// type may be left out.
pub(super) fn object(properties: &Named<Shape>, direction: Direction) -> Value {
    let schemas = properties.iter().map(|(name, shape)| (name.to_owned(), schema(shape, direction)));
    let schemas: Map<String, Value> = schemas.collect();
    let always = |shape: &Shape| direction == Direction::Output || !matches!(shape, Shape::Option(_));
    let required = properties.iter().filter(|(_, shape)| always(shape)).map(|(name, _)| name);
    let required: Vec<&str> = required.collect();
    let mut object = json!({ "type": "object", "properties": schemas });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object["additionalProperties"] = json!(false);
    object
}

/// The schema of one value.
pub(super) fn schema(shape: &Shape, direction: Direction) -> Value {
    let nested = |shape: &Shape| schema(shape, direction);
    match shape {
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Int(int) => integer(*int, direction),
        Shape::F32 => {
            float(json!({ "type": "number", "minimum": f64::from(f32::MIN), "maximum": f64::from(f32::MAX) }))
        }
        Shape::F64 => float(json!({ "type": "number" })),
        Shape::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        Shape::String => json!({ "type": "string" }),
        Shape::Bytes => bytes(direction),
        Shape::List(item) => json!({ "type": "array", "items": nested(item) }),
        Shape::Array(item, len) => {
            json!({ "type": "array", "items": nested(item), "minItems": len, "maxItems": len })
        }
        Shape::Map(key, value) => match **key {
            Shape::String => json!({ "type": "object", "additionalProperties": nested(value) }),
            _ => json!({ "type": "array", "items": tuple(&[nested(key), nested(value)]) }),
        },
        Shape::Record(fields) => object(fields, direction),
        Shape::Tuple(items) => tuple(&items.iter().map(nested).collect::<Vec<_>>()),
        Shape::Variant(cases) => variant(cases, direction),
        Shape::Enum(names) => {
            json!({ "type": "string", "enum": names.names().collect::<Vec<_>>() })
        }
        Shape::Flags(names) => {
            let flag = json!({ "type": "string", "enum": names.names().collect::<Vec<_>>() });
            json!({ "type": "array", "items": flag, "uniqueItems": true })
        }
        Shape::Option(some) if some.is_nullable() => {
            json!({ "anyOf": [{ "type": "null" }, single("some", nested(some))] })
        }
        Shape::Option(some) => json!({ "anyOf": [{ "type": "null" }, nested(some)] }),
        Shape::Result(ok, err) => {
            let side = |side: &Option<Box<Shape>>| side.as_deref().map_or(json!({ "type": "null" }), nested);
            json!({ "oneOf": [single("ok", side(ok)), single("err", side(err))] })
        }
    }
}

fn integer(int: Int, direction: Direction) -> Value {
    let (_, minimum, maximum) = int.range();
    let number = json!({ "type": "integer", "minimum": minimum, "maximum": maximum });
    if !int.is_wide() || direction == Direction::Output {
        return number;
    }
    let decimal = if minimum < 0 { "^(0|-?[1-9][0-9]{0,19})$" } else { "^(0|[1-9][0-9]{0,19})$" };
    json!({ "anyOf": [number, { "type": "string", "pattern": decimal }] })
}

fn float(number: Value) -> Value {
    json!({ "anyOf": [number, { "type": "string", "enum": ["NaN", "Infinity", "-Infinity"] }] })
}

fn bytes(direction: Direction) -> Value {
    let text = json!({ "type": "string", "contentEncoding": "base64" });
    if direction == Direction::Output {
        return text;
    }
    json!({ "anyOf": [text, { "type": "array", "items": integer(Int::U8, direction) }] })
}

fn tuple(items: &[Value]) -> Value {
    json!({ "type": "array", "prefixItems": items, "items": false, "minItems": items.len() })
}

fn variant(cases: &Named<Option<Shape>>, direction: Direction) -> Value {
    let plain: Vec<&str> = cases.iter().filter(|(_, payload)| payload.is_none()).map(|(name, _)| name).collect();
    let mut ways = Vec::new();
    if !plain.is_empty() {
        ways.push(json!({ "type": "string", "enum": plain }));
    }
    let payloads = cases.iter().filter_map(|(name, payload)| Some((name, payload.as_ref()?)));
    ways.extend(payloads.map(|(name, payload)| single(name, schema(payload, direction))));
    json!({ "oneOf": ways })
}

/// An object with exactly this one key.
fn single(key: &str, value: Value) -> Value {
    json!({ "type": "object", "properties": { key: value }, "required": [key], "additionalProperties": false })
}
