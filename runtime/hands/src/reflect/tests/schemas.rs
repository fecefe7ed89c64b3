//! What schemas look like to a model.

use super::wat::around_core;
use super::*;
use serde_json::json;

fn input(shape: &Shape) -> Value {
    schema::schema(shape, Direction::Input)
}

fn named<T>(items: impl IntoIterator<Item = (&'static str, T)>) -> Named<T> {
    Named::new(items.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
}

#[test]
fn a_tool_has_the_schema_of_its_parameters() {
    let component = around_core(
        r#"(type $o (option string))
        (type $c' (enum "red" "green")) (export $c "colour" (type $c'))
        (core module $n (func (export "f") (param i32 i32 i32 i32 i32) (result i32) (i32.const 1)))
        (core instance $j (instantiate $n))
        (func (export "paint") (param "name" $o) (param "count" u8) (param "colour" $c) (result $c)
          (canon lift (core func $j "f") LIFT))"#,
    );
    let tool = &reflected_tools(&component).tools[0].tool;
    assert_eq!(
        tool.input_schema,
        json!({
            "type": "object",
            "properties": {
                "name": { "anyOf": [{ "type": "null" }, { "type": "string" }] },
                "count": { "type": "integer", "minimum": 0, "maximum": 255 },
                "colour": { "type": "string", "enum": ["red", "green"] },
            },
            "required": ["count", "colour"],
            "additionalProperties": false,
        })
    );
    assert_eq!(tool.output_schema, Some(json!({ "type": "string", "enum": ["red", "green"] })));
    assert_eq!(
        tool.description,
        "Calls paint: func(name: option<string>, count: u8, colour: enum { red, green }) -> enum { red, green }"
    );
}

#[test]
fn wide_integers_keep_all_their_digits_and_may_be_text() {
    let schema = input(&Shape::Int(Int::U64));
    assert_eq!(schema["anyOf"][0].to_string(), r#"{"type":"integer","minimum":0,"maximum":18446744073709551615}"#);
    let schema = schema::schema(&Shape::Int(Int::S64), Direction::Output);
    let expected = r#"{"type":"integer","minimum":-9223372036854775808,"maximum":9223372036854775807}"#;
    assert_eq!(schema.to_string(), expected);
}

#[test]
fn a_variant_is_a_string_or_an_object_with_one_key() {
    let shape = Shape::Variant(named([("none", None), ("all", None), ("some", Some(Shape::Bool))]));
    let some = json!({
        "type": "object",
        "properties": { "some": { "type": "boolean" } },
        "required": ["some"],
        "additionalProperties": false,
    });
    assert_eq!(input(&shape), json!({ "oneOf": [{ "type": "string", "enum": ["none", "all"] }, some] }));
}

#[test]
fn the_output_schema_is_that_of_the_success_and_only_of_json() {
    let result = |ok: Option<Shape>| Shape::Result(ok.map(Box::new), Some(Box::new(Shape::String)));
    let json_of = |shape: &Shape| encode::json_answer(Some(shape)).cloned();
    assert_eq!(json_of(&result(Some(Shape::Bool))), Some(Shape::Bool));
    assert_eq!(json_of(&Shape::Char), Some(Shape::Char));
    for text in [Shape::String, Shape::Bytes, result(None), result(Some(Shape::String)), result(Some(Shape::Bytes))] {
        assert_eq!(json_of(&text), None, "{text}");
    }
}

#[test]
fn the_deepest_schema_can_still_be_read() {
    let mut shape = Shape::Option(Box::new(Shape::Bool));
    for _ in 2..DEPTH_MAX {
        shape = Shape::Option(Box::new(shape));
    }
    let params = named([("v", shape)]);
    let schema = schema::object(&params, Direction::Input);
    assert_eq!(serde_json::from_str::<Value>(&schema.to_string()).unwrap(), schema);
    let mut value = json!(true);
    for _ in 2..DEPTH_MAX {
        value = json!({ "some": value });
    }
    let input = json!({ "v": value });
    assert!(decode::decode_params(&params, &input).is_ok());
    assert!(jsonschema::validator_for(&schema).unwrap().is_valid(&input));
}
