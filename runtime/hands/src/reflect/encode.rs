//! Component values to JSON: one way to write each value.

use super::shape::Shape;
use handbox_hand::{Part, ToolFault};
use serde_json::{Map, Value};
use wasmtime::component::Val;

/// A value that is not of its function's type. The engine checks types, so this
/// is a fault of ours, and still no reason to panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the component gave a value that is not of its declared type")]
pub struct Mismatch;

/// What a function's return is to the caller of the tool: an `err` is a fault,
/// a string is itself, bytes are a part, anything else is JSON.
pub(super) fn answer(result: Option<&Shape>, val: Option<Val>) -> Result<Result<Vec<Part>, ToolFault>, Mismatch> {
    match (result, val) {
        (Some(Shape::Result(ok, _)), Some(Val::Result(Ok(val)))) => {
            Ok(Ok(vec![part(ok.as_deref(), val.map(|val| *val))?]))
        }
        (Some(Shape::Result(_, err)), Some(Val::Result(Err(val)))) => {
            Ok(Err(ToolFault::Failed(fault(err.as_deref(), val.map(|val| *val))?)))
        }
        (result, val) => Ok(Ok(vec![part(result, val)?])),
    }
}

/// The shape that a successful answer has as JSON text, if it is JSON.
pub(super) fn json_answer(result: Option<&Shape>) -> Option<&Shape> {
    let shape = match result? {
        Shape::Result(ok, _) => ok.as_deref()?,
        shape => shape,
    };
    (!matches!(shape, Shape::String | Shape::Bytes)).then_some(shape)
}

fn part(shape: Option<&Shape>, val: Option<Val>) -> Result<Part, Mismatch> {
    match (shape, val) {
        (None, None) => Ok(Part::text("")),
        (Some(Shape::Bytes), Some(val)) => {
            Ok(Part { media_type: "application/octet-stream".to_owned(), data: bytes(val)? })
        }
        (shape, val) => Ok(Part::text(text(shape, val)?)),
    }
}

fn fault(shape: Option<&Shape>, val: Option<Val>) -> Result<String, Mismatch> {
    match (shape, val) {
        (None, None) => Ok("the tool failed and gave no reason".to_owned()),
        (shape, val) => text(shape, val),
    }
}

/// A string as it is, anything else as compact JSON.
fn text(shape: Option<&Shape>, val: Option<Val>) -> Result<String, Mismatch> {
    match (shape, val) {
        (Some(Shape::String), Some(Val::String(text))) => Ok(text),
        (Some(shape), Some(val)) => Ok(encode(shape, val)?.to_string()),
        _ => Err(Mismatch),
    }
}

/// Writes `val` as JSON.
pub(super) fn encode(shape: &Shape, val: Val) -> Result<Value, Mismatch> {
    Ok(match (shape, val) {
        (Shape::Bool, Val::Bool(bool)) => Value::Bool(bool),
        (Shape::Int(_), val) => integer(&val)?,
        (Shape::F32, Val::Float32(float)) => float_value(widened(float)),
        (Shape::F64, Val::Float64(float)) => float_value(float),
        (Shape::Char, Val::Char(char)) => Value::String(char.to_string()),
        (Shape::String, Val::String(text)) => Value::String(text),
        (Shape::Bytes, val) => Value::String(data_encoding::BASE64.encode(&bytes(val)?)),
        (Shape::List(item), Val::List(vals)) | (Shape::Array(item, _), Val::FixedLengthList(vals)) => {
            vals.into_iter().map(|val| encode(item, val)).collect::<Result<_, _>>()?
        }
        (Shape::Map(key, item), Val::Map(pairs)) => map(key, item, pairs)?,
        (Shape::Record(fields), Val::Record(vals)) => {
            let fields = vals.into_iter().map(|(name, val)| {
                let json = encode(fields.get(&name).ok_or(Mismatch)?, val)?;
                Ok((name, json))
            });
            Value::Object(fields.collect::<Result<_, _>>()?)
        }
        (Shape::Tuple(items), Val::Tuple(vals)) if items.len() == vals.len() => {
            items.iter().zip(vals).map(|(item, val)| encode(item, val)).collect::<Result<_, _>>()?
        }
        (Shape::Variant(cases), Val::Variant(name, payload)) => match (cases.get(&name), payload) {
            (Some(None), None) => Value::String(name),
            (Some(Some(shape)), Some(val)) => single(name, encode(shape, *val)?),
            _ => return Err(Mismatch),
        },
        (Shape::Enum(_), Val::Enum(name)) => Value::String(name),
        (Shape::Flags(_), Val::Flags(names)) => names.into_iter().map(Value::String).collect(),
        (Shape::Option(_), Val::Option(None)) => Value::Null,
        (Shape::Option(some), Val::Option(Some(val))) => match encode(some, *val)? {
            value if some.is_nullable() => single("some".to_owned(), value),
            value => value,
        },
        (Shape::Result(ok, _), Val::Result(Ok(val))) => single("ok".to_owned(), side(ok.as_deref(), val)?),
        (Shape::Result(_, err), Val::Result(Err(val))) => single("err".to_owned(), side(err.as_deref(), val)?),
        _ => return Err(Mismatch),
    })
}

fn side(shape: Option<&Shape>, val: Option<Box<Val>>) -> Result<Value, Mismatch> {
    match (shape, val) {
        (None, None) => Ok(Value::Null),
        (Some(shape), Some(val)) => encode(shape, *val),
        _ => Err(Mismatch),
    }
}

fn single(key: String, value: Value) -> Value {
    Value::Object(Map::from_iter([(key, value)]))
}

fn integer(val: &Val) -> Result<Value, Mismatch> {
    Ok(match *val {
        Val::S8(number) => number.into(),
        Val::U8(number) => number.into(),
        Val::S16(number) => number.into(),
        Val::U16(number) => number.into(),
        Val::S32(number) => number.into(),
        Val::U32(number) => number.into(),
        Val::S64(number) => number.into(),
        Val::U64(number) => number.into(),
        _ => return Err(Mismatch),
    })
}

fn float_value(float: f64) -> Value {
    match serde_json::Number::from_f64(float) {
        Some(number) => Value::Number(number),
        None if float.is_nan() => "NaN".into(),
        None if float > 0.0 => "Infinity".into(),
        None => "-Infinity".into(),
    }
}

/// The double with the fewest digits that is this float again: 0.1 stays 0.1.
fn widened(float: f32) -> f64 {
    let short = float.to_string().parse::<f64>().unwrap_or(f64::NAN);
    // The digits of the largest float mean a little more than it is.
    let fits = short.abs() <= f64::from(f32::MAX) && (short as f32).to_bits() == float.to_bits();
    if fits { short } else { float.into() }
}

fn bytes(val: Val) -> Result<Vec<u8>, Mismatch> {
    let Val::List(vals) = val else {
        return Err(Mismatch);
    };
    let bytes = vals.into_iter().map(|val| if let Val::U8(byte) = val { Ok(byte) } else { Err(Mismatch) });
    bytes.collect()
}

/// An object if the keys are strings, otherwise pairs. A component may give a key
/// twice; the last one counts, as the component model says.
fn map(key: &Shape, item: &Shape, pairs: Vec<(Val, Val)>) -> Result<Value, Mismatch> {
    if *key != Shape::String {
        let pairs = pairs.into_iter().map(|(first, second)| Ok(vec![encode(key, first)?, encode(item, second)?]));
        return pairs.map(|pair| pair.map(Value::Array)).collect();
    }
    let entries = pairs.into_iter().map(|(name, val)| match name {
        Val::String(name) => Ok((name, encode(item, val)?)),
        _ => Err(Mismatch),
    });
    Ok(Value::Object(entries.collect::<Result<_, _>>()?))
}
