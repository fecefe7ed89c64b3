//! Refused inputs: the error says where, what was expected and what was found.

use super::*;
use serde_json::json;

fn named<T>(items: impl IntoIterator<Item = (&'static str, T)>) -> Named<T> {
    Named::new(items.into_iter().map(|(name, item)| (name.to_owned(), item)).collect())
}

/// The error for `value` as the parameter `v`.
fn refusal(shape: Shape, value: Value) -> String {
    decode::decode_params(&named([("v", shape)]), &json!({ "v": value })).unwrap_err().to_string()
}

fn accepted(shape: Shape, value: Value) -> Val {
    decode::decode_params(&named([("v", shape)]), &json!({ "v": value })).unwrap().remove(0)
}

fn list(item: Shape) -> Shape {
    Shape::List(Box::new(item))
}

fn option(some: Shape) -> Shape {
    Shape::Option(Box::new(some))
}

#[test]
fn an_error_points_at_its_place() {
    let item = Shape::Record(named([("name", Shape::Int(Int::U8)), ("a/b~c", Shape::Bool)]));
    let items = list(item);
    let good = json!({ "name": 1, "a/b~c": true });
    assert_eq!(
        refusal(items.clone(), json!([good, good, good, { "name": 300, "a/b~c": true }])),
        "/v/3/name: expected u8 (0 to 255), got 300"
    );
    assert_eq!(
        refusal(items, json!([{ "name": 1, "a/b~c": "yes" }])),
        "/v/0/a~1b~0c: expected true or false, got \"yes\""
    );
}

#[test]
fn the_input_is_an_object_with_the_parameters() {
    let params = named([("count", Shape::Int(Int::U8)), ("note", option(Shape::String))]);
    let refusal = |input: Value| decode::decode_params(&params, &input).unwrap_err().to_string();
    assert_eq!(refusal(json!([1])), "input: expected an object, got an array of 1");
    assert_eq!(refusal(json!({})), "/count: missing; expected u8");
    assert_eq!(refusal(json!({ "count": 1, "x": 2 })), "/x: unknown; expected \"count\", \"note\"");
    let vals = decode::decode_params(&params, &json!({ "count": 1 })).unwrap();
    assert_eq!(vals, [Val::U8(1), Val::Option(None)]);
    let none = decode::decode_params(&named([]), &json!({ "x": 2 })).unwrap_err();
    assert_eq!(none.to_string(), "/x: unknown; expected nothing here");
}

#[test]
fn integers_are_whole_and_in_range() {
    let int = |int| Shape::Int(int);
    assert_eq!(refusal(int(Int::S8), json!(-129)), "/v: expected s8 (-128 to 127), got -129");
    assert_eq!(refusal(int(Int::U32), json!(1.5)), "/v: expected u32 (0 to 4294967295), got 1.5");
    assert_eq!(refusal(int(Int::U32), json!("1")), "/v: expected u32 (0 to 4294967295), got \"1\"");
    assert_eq!(accepted(int(Int::U32), json!(7.0)), Val::U32(7));
    assert_eq!(accepted(int(Int::U64), json!(u64::MAX)), Val::U64(u64::MAX));
    assert_eq!(accepted(int(Int::U64), json!("18446744073709551615")), Val::U64(u64::MAX));
    assert_eq!(accepted(int(Int::S64), json!("-9223372036854775808")), Val::S64(i64::MIN));
    for wrong in
        ["18446744073709551616", "-1", "-0", "+1", "01", "1.0", "", "-", "0x1", " 1", "１", "99999999999999999999999"]
    {
        let error = refusal(int(Int::U64), json!(wrong));
        assert!(error.starts_with("/v: expected u64 (0 to 18446744073709551615), got "), "{error}");
    }
    // The digits of this one were lost before it came here.
    assert!(refusal(int(Int::U64), json!(1e19)).contains("expected u64"));
}

#[test]
fn floats_are_numbers_or_one_of_three_names() {
    assert_eq!(accepted(Shape::F32, json!("-Infinity")), Val::Float32(f32::NEG_INFINITY));
    assert_eq!(accepted(Shape::F64, json!("NaN")), Val::Float64(f64::NAN));
    assert_eq!(accepted(Shape::F64, json!(3)), Val::Float64(3.0));
    assert!(refusal(Shape::F32, json!(1e39)).starts_with("/v: expected f32"));
    assert!(refusal(Shape::F64, json!("nan")).starts_with("/v: expected f64"));
    let short = encode::encode(&Shape::F32, Val::Float32(0.1)).unwrap();
    assert_eq!(short.to_string(), "0.1");
    for float in [f32::MIN_POSITIVE, 1e-45, f32::MAX, -0.0, 16_777_216.0, 1.0 / 3.0] {
        let json = encode::encode(&Shape::F32, Val::Float32(float)).unwrap();
        assert_eq!(accepted(Shape::F32, json), Val::Float32(float));
    }
}

#[test]
fn texts_characters_and_bytes() {
    assert_eq!(accepted(Shape::Char, json!("🙂")), Val::Char('🙂'));
    assert_eq!(refusal(Shape::Char, json!("ab")), "/v: expected a string of one character, got \"ab\"");
    assert_eq!(refusal(Shape::Char, json!("")), "/v: expected a string of one character, got \"\"");
    let bytes = Val::List(vec![Val::U8(1), Val::U8(255)]);
    assert_eq!(accepted(Shape::Bytes, json!("Af8=")), bytes);
    assert_eq!(accepted(Shape::Bytes, json!([1, 255])), bytes);
    assert_eq!(refusal(Shape::Bytes, json!([1, 256])), "/v/1: expected u8 (0 to 255), got 256");
    for wrong in ["Af8", "A-8=", "Af8=\n", "é"] {
        let error = refusal(Shape::Bytes, json!(wrong));
        assert!(error.starts_with("/v: expected base64 with padding: "), "{error}");
    }
}

#[test]
fn choices_name_the_choices() {
    let variant = Shape::Variant(named([("all", None), ("some", Some(Shape::Bool))]));
    assert_eq!(refusal(variant.clone(), json!("none")), "/v: expected \"all\", {\"some\": …}, got \"none\"");
    assert_eq!(refusal(variant.clone(), json!("some")), "/v: the case \"some\" has a payload: write {\"some\": …}");
    assert_eq!(
        refusal(variant.clone(), json!({ "all": null })),
        "/v: the case \"all\" has no payload: write it as a string"
    );
    assert_eq!(refusal(variant, json!({ "some": 1 })), "/v/some: expected true or false, got 1");
    let colour = Shape::Enum(named([("red", ()), ("green", ())]));
    assert_eq!(refusal(colour, json!("blue")), "/v: expected \"red\", \"green\", got \"blue\"");
    let flags = Shape::Flags(named([("r", ()), ("w", ())]));
    assert_eq!(refusal(flags.clone(), json!(["r", "r"])), "/v/1: given twice");
    assert_eq!(refusal(flags.clone(), json!(["x"])), "/v/0: expected \"r\", \"w\", got \"x\"");
    // The order is the declaration's, however it was given.
    assert_eq!(accepted(flags, json!(["w", "r"])), Val::Flags(vec!["r".into(), "w".into()]));
}

#[test]
fn nested_options_and_results_are_unambiguous() {
    let twice = option(option(Shape::Bool));
    let some = |val| Val::Option(Some(Box::new(val)));
    assert_eq!(accepted(twice.clone(), json!(null)), Val::Option(None));
    assert_eq!(accepted(twice.clone(), json!({ "some": null })), some(Val::Option(None)));
    assert_eq!(accepted(twice.clone(), json!({ "some": true })), some(some(Val::Bool(true))));
    assert_eq!(refusal(twice, json!(true)), "/v: expected null or {\"some\": …}, got true");
    let result = Shape::Result(None, Some(Box::new(Shape::String)));
    assert_eq!(accepted(result.clone(), json!({ "ok": null })), Val::Result(Ok(None)));
    assert_eq!(refusal(result.clone(), json!({ "ok": 1 })), "/v/ok: expected null, got 1");
    assert_eq!(
        refusal(result, json!({ "ok": null, "err": "x" })),
        "/v: expected {\"ok\": …} or {\"err\": …}, got an object"
    );
}

#[test]
fn arrays_of_fixed_length_and_maps() {
    let pair = Shape::Tuple(vec![Shape::Bool, Shape::Bool]);
    assert_eq!(refusal(pair, json!([true])), "/v: expected an array of 2, got an array of 1");
    let array = Shape::Array(Box::new(Shape::Bool), 2);
    assert_eq!(refusal(array, json!([true, true, true])), "/v: expected an array of 2, got an array of 3");
    let map = |key| Shape::Map(Box::new(key), Box::new(Shape::Bool));
    assert_eq!(refusal(map(Shape::String), json!({ "x": 1 })), "/v/x: expected true or false, got 1");
    assert_eq!(refusal(map(Shape::Char), json!([["x"]])), "/v/0: expected a [key, value] pair, got an array of 1");
    // The component model lets a component repeat a key; the last one counts.
    let twice = Val::Map(vec![(Val::String("k".into()), Val::Bool(true)), (Val::String("k".into()), Val::Bool(false))]);
    assert_eq!(encode::encode(&map(Shape::String), twice).unwrap(), json!({ "k": false }));
}

#[test]
fn errors_about_huge_inputs_are_short_and_the_number_of_values_is_bounded() {
    let long = "é".repeat(1_000_000);
    let shapes = [Shape::Bool, Shape::Char, Shape::Int(Int::U64), Shape::Enum(named([("a", ())]))];
    for shape in shapes {
        assert!(refusal(shape.clone(), json!(long)).len() < 400);
        assert!(refusal(shape, json!({ long.as_str(): 1 })).len() < 400);
    }
    let many = Shape::Enum(Named::new((0..4000).map(|n| (format!("{n}-{}", "x".repeat(900)), ())).collect()));
    assert!(refusal(many, json!("a")).len() < 2000);
    let error = decode::decode_params(&named([]), &json!({ long.as_str(): 1 })).unwrap_err();
    assert!(error.to_string().len() < 400);
    let bytes = "AAAA".repeat(VALUES_MAX / 3 + 1);
    assert_eq!(refusal(Shape::Bytes, json!(bytes)), format!("/v: the input has more than {VALUES_MAX} values"));
    assert!(refusal(list(Shape::Bool), json!(vec![true; VALUES_MAX])).contains("more than"));
}
