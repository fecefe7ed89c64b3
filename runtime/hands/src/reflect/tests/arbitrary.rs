//! Arbitrary shapes, and arbitrary JSON of a shape.

use super::*;
use proptest::collection::{hash_map, vec};
use proptest::prelude::*;
use serde_json::json;

/// A shape of up to four levels; every kind comes up.
pub(super) fn shape() -> BoxedStrategy<Shape> {
    let leaf = prop_oneof![
        Just(Shape::Bool),
        int(),
        Just(Shape::F32),
        Just(Shape::F64),
        Just(Shape::Char),
        Just(Shape::String),
        Just(Shape::Bytes),
        (1..5usize).prop_map(|count| Shape::Enum(named("e", vec![(); count]))),
        (1..20usize).prop_map(|count| Shape::Flags(named("g", vec![(); count]))),
    ];
    let nested = leaf.prop_recursive(4, 24, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let side = proptest::option::of(boxed.clone());
        let key = prop_oneof![Just(Shape::String), int(), Just(Shape::Bool), Just(Shape::Char)];
        prop_oneof![
            boxed.clone().prop_filter("that is Bytes", |item| **item != Shape::Int(Int::U8)).prop_map(Shape::List),
            (boxed.clone(), 1..4usize).prop_map(|(item, len)| Shape::Array(item, len)),
            (key, boxed.clone()).prop_map(|(key, value)| Shape::Map(Box::new(key), value)),
            vec(inner.clone(), 1..5).prop_map(|fields| Shape::Record(named("f", fields))),
            vec(inner.clone(), 1..4).prop_map(Shape::Tuple),
            vec(proptest::option::of(inner.clone()), 1..5).prop_map(|cases| Shape::Variant(named("cas", cases))),
            boxed.prop_map(Shape::Option),
            (side.clone(), side).prop_map(|(ok, err)| Shape::Result(ok, err)),
        ]
    });
    nested.boxed()
}

fn int() -> impl Strategy<Value = Shape> {
    use Int::*;
    prop::sample::select(vec![S8, U8, S16, U16, S32, U32, S64, U64]).prop_map(Shape::Int)
}

/// Names as WIT has them: words, with some in capitals.
fn named<T>(prefix: &str, items: Vec<T>) -> Named<T> {
    let name = |index: usize| match index % 3 {
        0 => format!("{prefix}{index}"),
        1 => format!("{prefix}-and{index}"),
        _ => format!("{}{index}", prefix.to_uppercase()),
    };
    Named::new(items.into_iter().enumerate().map(|(index, item)| (name(index), item)).collect())
}

/// JSON of `shape`, as [`encode::encode`] would write it.
pub(super) fn json_of(shape: &Shape) -> BoxedStrategy<Value> {
    match shape {
        Shape::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Int(int) => integer(*int),
        Shape::F32 => any::<f32>().prop_map(|float| encode::encode(&Shape::F32, Val::Float32(float)).unwrap()).boxed(),
        Shape::F64 => any::<f64>().prop_map(|float| encode::encode(&Shape::F64, Val::Float64(float)).unwrap()).boxed(),
        Shape::Char => any::<char>().prop_map(|char| char.to_string().into()).boxed(),
        Shape::String => ".{0,8}".prop_map(Value::from).boxed(),
        Shape::Bytes => vec(any::<u8>(), 0..12).prop_map(|bytes| data_encoding::BASE64.encode(&bytes).into()).boxed(),
        Shape::List(item) => vec(json_of(item), 0..4).prop_map(Value::from).boxed(),
        Shape::Array(item, len) => vec(json_of(item), *len).prop_map(Value::from).boxed(),
        Shape::Map(key, value) if **key == Shape::String => {
            hash_map(".{0,4}", json_of(value), 0..4).prop_map(|map| Value::Object(map.into_iter().collect())).boxed()
        }
        Shape::Map(key, value) => {
            let pair = (json_of(key), json_of(value)).prop_map(|(key, value)| json!([key, value]));
            vec(pair, 0..4).prop_map(Value::from).boxed()
        }
        Shape::Record(fields) => record(fields),
        Shape::Tuple(items) => items.iter().map(json_of).collect::<Vec<_>>().prop_map(Value::from).boxed(),
        Shape::Variant(cases) => {
            let cases = cases.iter().map(|(name, payload)| match payload {
                Some(payload) => single(name, json_of(payload)),
                None => Just(Value::from(name)).boxed(),
            });
            proptest::strategy::Union::new(cases).boxed()
        }
        Shape::Enum(names) => {
            let names: Vec<Value> = names.names().map(Value::from).collect();
            prop::sample::select(names).boxed()
        }
        Shape::Flags(names) => {
            let names: Vec<Value> = names.names().map(Value::from).collect();
            let count = names.len();
            prop::sample::subsequence(names, 0..=count).prop_map(Value::from).boxed()
        }
        Shape::Option(some) if some.is_nullable() => {
            prop_oneof![Just(Value::Null), single("some", json_of(some))].boxed()
        }
        Shape::Option(some) => prop_oneof![Just(Value::Null), json_of(some)].boxed(),
        Shape::Result(ok, err) => {
            let side = |shape: &Option<Box<Shape>>| shape.as_ref().map_or(Just(Value::Null).boxed(), |it| json_of(it));
            prop_oneof![single("ok", side(ok)), single("err", side(err))].boxed()
        }
    }
}

fn integer(int: Int) -> BoxedStrategy<Value> {
    let (_, minimum, maximum) = int.range();
    if minimum < 0 {
        let maximum = i64::try_from(maximum).unwrap();
        prop_oneof![Just(minimum), Just(maximum), minimum..=maximum].prop_map(Value::from).boxed()
    } else {
        prop_oneof![Just(0), Just(maximum), 0..=maximum].prop_map(Value::from).boxed()
    }
}

fn record(fields: &Named<Shape>) -> BoxedStrategy<Value> {
    let names: Vec<String> = fields.names().map(str::to_owned).collect();
    let values: Vec<_> = fields.iter().map(|(_, shape)| json_of(shape)).collect();
    values.prop_map(move |values| Value::Object(names.iter().cloned().zip(values).collect())).boxed()
}

fn single(name: &str, value: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let name = name.to_owned();
    value.prop_map(move |value| json!({ name.as_str(): value })).boxed()
}

/// JSON of a shape with one place changed to something that may not fit.
pub(super) fn spoiled(value: Value) -> impl Strategy<Value = Value> {
    // Texts that are base64 and no text that only looks like it: a schema cannot tell.
    let junk = [
        json!(null),
        json!(true),
        json!(0),
        json!(300),
        json!(-1),
        json!(1.5),
        json!(3.0),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("abcd"),
        json!("1234"),
        json!([]),
        json!({}),
        json!(["abcd"]),
        json!([1, 2]),
        json!({ "some": null }),
        json!({ "ok": null }),
        json!({ "cas0": 1 }),
        json!("cas0"),
        json!("Infinity"),
    ];
    (prop::sample::select(junk.to_vec()), any::<prop::sample::Index>()).prop_map(move |(junk, index)| {
        let mut value = value.clone();
        let place = index.index(count(&value));
        replace(&mut value, &mut { place }, &junk);
        value
    })
}

fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(entries) => entries.values().map(count).sum(),
        _ => 0,
    }
}

/// Puts `junk` at the place that many values further.
fn replace(value: &mut Value, further: &mut usize, junk: &Value) -> bool {
    if *further == 0 {
        *value = junk.clone();
        return true;
    }
    *further -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, further, junk)),
        Value::Object(entries) => entries.values_mut().any(|item| replace(item, further, junk)),
        _ => false,
    }
}
