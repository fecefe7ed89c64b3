//! JSON to component values, strictly.
//!
//! Nothing here trusts the JSON or the type: depth is bounded by the shape
//! ([`super::DEPTH_MAX`]), the number of values by [`VALUES_MAX`], and an error
//! text quotes at most a few dozen characters of the input.

use super::shape::{Int, Named, Shape};
use serde_json::{Map, Value};
use std::fmt;
use wasmtime::component::Val;

/// How many values one input may become. A [`Val`] is some forty bytes, so a
/// few megabytes of base64 would otherwise be hundreds of megabytes of host memory.
pub const VALUES_MAX: usize = 2 * 1024 * 1024;

/// What is wrong with an input, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {message}", pointer = if pointer.is_empty() { "input" } else { pointer })]
pub struct InputError {
    /// A JSON Pointer (RFC 6901) into the input; empty for the input itself.
    pub pointer: String,
    /// What was expected and what was found.
    pub message: String,
}

/// Decodes the parameters of a function from an object.
pub(super) fn decode_params(params: &Named<Shape>, input: &Value) -> Result<Vec<Val>, InputError> {
    let mut decoder = Decoder { left: VALUES_MAX };
    let fields = decoder.fields(params, input, Place::Root)?;
    Ok(fields.into_iter().map(|(_, val)| val).collect())
}

/// A place in the input. It lives on the stack and becomes text only in an error.
#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    Key(&'a Place<'a>, &'a str),
    Item(&'a Place<'a>, usize),
}

impl Place<'_> {
    fn error(self, message: impl fmt::Display) -> InputError {
        InputError { pointer: self.to_string(), message: message.to_string() }
    }

    fn expected(self, what: impl fmt::Display, found: &Value) -> InputError {
        self.error(format_args!("expected {what}, got {}", Shown(found)))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => {
                write!(f, "{parent}/{}", shortened(key).replace('~', "~0").replace('/', "~1"))
            }
            Self::Item(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

type Decoded<T> = Result<T, InputError>;

struct Decoder {
    left: usize,
}

impl Decoder {
    fn val(&mut self, shape: &Shape, value: &Value, place: Place<'_>) -> Decoded<Val> {
        self.count(1, place)?;
        match (shape, value) {
            (Shape::Bool, Value::Bool(bool)) => Ok(Val::Bool(*bool)),
            (Shape::Bool, _) => Err(place.expected("true or false", value)),
            (Shape::Int(int), _) => integer(*int, value, place),
            (Shape::F32, _) => float(value)
                .filter(|float| !float.is_finite() || float.abs() <= f64::from(f32::MAX))
                .map(|float| Val::Float32(float as f32))
                .ok_or_else(|| {
                    place.expected("f32: a number up to 3.4e38, \"NaN\", \"Infinity\" or \"-Infinity\"", value)
                }),
            (Shape::F64, _) => float(value)
                .map(Val::Float64)
                .ok_or_else(|| place.expected("f64: a number, \"NaN\", \"Infinity\" or \"-Infinity\"", value)),
            (Shape::Char, _) => char(value).ok_or_else(|| place.expected("a string of one character", value)),
            (Shape::String, Value::String(text)) => Ok(Val::String(text.clone())),
            (Shape::String, _) => Err(place.expected("a string", value)),
            (Shape::Bytes, _) => self.bytes(value, place),
            (Shape::List(item), Value::Array(values)) => Ok(Val::List(self.items(item, values, place)?)),
            (Shape::List(_), _) => Err(place.expected("an array", value)),
            (Shape::Array(item, len), Value::Array(values)) if values.len() == *len => {
                Ok(Val::FixedLengthList(self.items(item, values, place)?))
            }
            (Shape::Array(_, len), _) => Err(place.expected(format_args!("an array of {len}"), value)),
            (Shape::Map(key, item), _) => self.map(key, item, value, place),
            (Shape::Record(fields), _) => Ok(Val::Record(self.fields(fields, value, place)?)),
            (Shape::Tuple(items), Value::Array(values)) if values.len() == items.len() => {
                let places = items.iter().zip(values).enumerate();
                let vals = places.map(|(index, (item, value))| self.val(item, value, Place::Item(&place, index)));
                Ok(Val::Tuple(vals.collect::<Decoded<_>>()?))
            }
            (Shape::Tuple(items), _) => Err(place.expected(format_args!("an array of {}", items.len()), value)),
            (Shape::Variant(cases), _) => self.variant(cases, value, place),
            (Shape::Enum(names), _) => match value.as_str().filter(|name| names.place(name).is_some()) {
                Some(name) => Ok(Val::Enum(name.to_owned())),
                None => Err(place.expected(one_of(names.names()), value)),
            },
            (Shape::Flags(names), _) => self.flags(names, value, place),
            (Shape::Option(_), Value::Null) => Ok(Val::Option(None)),
            (Shape::Option(some), _) => self.some(some, value, place),
            (Shape::Result(ok, err), _) => self.result(ok.as_deref(), err.as_deref(), value, place),
        }
    }

    fn count(&mut self, values: usize, place: Place<'_>) -> Decoded<()> {
        let left = self.left.checked_sub(values);
        self.left = left.ok_or_else(|| place.error(format_args!("the input has more than {VALUES_MAX} values")))?;
        Ok(())
    }

    fn items(&mut self, item: &Shape, values: &[Value], place: Place<'_>) -> Decoded<Vec<Val>> {
        let places = values.iter().enumerate();
        places.map(|(index, value)| self.val(item, value, Place::Item(&place, index))).collect()
    }

    fn bytes(&mut self, value: &Value, place: Place<'_>) -> Decoded<Val> {
        match value {
            Value::String(text) => {
                self.count(text.len() / 4 * 3, place)?;
                let bytes = data_encoding::BASE64.decode(text.as_bytes());
                let bytes =
                    bytes.map_err(|error| place.error(format_args!("expected base64 with padding: {error}")))?;
                Ok(Val::List(bytes.into_iter().map(Val::U8).collect()))
            }
            Value::Array(values) => Ok(Val::List(self.items(&Shape::Int(Int::U8), values, place)?)),
            _ => Err(place.expected("bytes: base64 text or an array of numbers", value)),
        }
    }

    fn map(&mut self, key: &Shape, item: &Shape, value: &Value, place: Place<'_>) -> Decoded<Val> {
        if *key == Shape::String {
            let object = value.as_object().ok_or_else(|| place.expected("an object", value))?;
            let pairs = object
                .iter()
                .map(|(name, value)| Ok((Val::String(name.clone()), self.val(item, value, Place::Key(&place, name))?)));
            return Ok(Val::Map(pairs.collect::<Decoded<_>>()?));
        }
        let values = value.as_array().ok_or_else(|| place.expected("an array of [key, value] pairs", value))?;
        let pairs = values.iter().enumerate().map(|(index, pair)| {
            let place = Place::Item(&place, index);
            let Some([first, second]) = pair.as_array().map(Vec::as_slice) else {
                return Err(place.expected("a [key, value] pair", pair));
            };
            Ok((self.val(key, first, Place::Item(&place, 0))?, self.val(item, second, Place::Item(&place, 1))?))
        });
        Ok(Val::Map(pairs.collect::<Decoded<_>>()?))
    }

    fn fields(&mut self, fields: &Named<Shape>, value: &Value, place: Place<'_>) -> Decoded<Vec<(String, Val)>> {
        let object = value.as_object().ok_or_else(|| place.expected("an object", value))?;
        if let Some(unknown) = object.keys().find(|key| fields.place(key).is_none()) {
            let known = if fields.is_empty() { "nothing here".to_owned() } else { one_of(fields.names()) };
            return Err(Place::Key(&place, unknown).error(format_args!("unknown; expected {known}")));
        }
        let fields = fields.iter().map(|(name, shape)| {
            let val = match (object.get(name), shape) {
                (Some(value), _) => self.val(shape, value, Place::Key(&place, name))?,
                (None, Shape::Option(_)) => Val::Option(None),
                (None, _) => {
                    let ty = shortened(&shape.to_string());
                    return Err(Place::Key(&place, name).error(format_args!("missing; expected {ty}")));
                }
            };
            Ok((name.to_owned(), val))
        });
        fields.collect()
    }

    fn variant(&mut self, cases: &Named<Option<Shape>>, value: &Value, place: Place<'_>) -> Decoded<Val> {
        match (value, single(value)) {
            (Value::String(name), _) => match cases.get(name) {
                Some(None) => return Ok(Val::Variant(name.clone(), None)),
                Some(Some(_)) => {
                    return Err(place.error(format_args!("the case {name:?} has a payload: write {{{name:?}: …}}")));
                }
                None => {}
            },
            (_, Some((name, payload))) => match cases.get(name) {
                Some(Some(shape)) => {
                    let val = self.val(shape, payload, Place::Key(&place, name))?;
                    return Ok(Val::Variant(name.to_owned(), Some(Box::new(val))));
                }
                Some(None) => {
                    return Err(place.error(format_args!("the case {name:?} has no payload: write it as a string")));
                }
                None => {}
            },
            _ => {}
        }
        let known = cases.iter().map(|(name, payload)| match payload {
            Some(_) => format!("{{{name:?}: …}}"),
            None => format!("{name:?}"),
        });
        Err(place.expected(listed(known), value))
    }

    fn flags(&mut self, names: &Named<()>, value: &Value, place: Place<'_>) -> Decoded<Val> {
        let values = value.as_array().ok_or_else(|| place.expected("an array of strings", value))?;
        let mut set = vec![false; names.len()];
        for (index, value) in values.iter().enumerate() {
            let item = Place::Item(&place, index);
            let flag = value.as_str().and_then(|name| names.place(name));
            let flag = flag.ok_or_else(|| item.expected(one_of(names.names()), value))?;
            if std::mem::replace(&mut set[flag], true) {
                return Err(item.error("given twice"));
            }
        }
        let flags = names.names().zip(set).filter(|(_, set)| *set);
        Ok(Val::Flags(flags.map(|(name, _)| name.to_owned()).collect()))
    }

    fn some(&mut self, some: &Shape, value: &Value, place: Place<'_>) -> Decoded<Val> {
        let val = match single(value) {
            _ if !some.is_nullable() => self.val(some, value, place)?,
            Some(("some", inner)) => self.val(some, inner, Place::Key(&place, "some"))?,
            _ => return Err(place.expected("null or {\"some\": …}", value)),
        };
        Ok(Val::Option(Some(Box::new(val))))
    }

    fn result(&mut self, ok: Option<&Shape>, err: Option<&Shape>, value: &Value, place: Place<'_>) -> Decoded<Val> {
        let mut side = |shape: Option<&Shape>, key, value: &Value| match shape {
            Some(shape) => Ok(Some(Box::new(self.val(shape, value, Place::Key(&place, key))?))),
            None if value.is_null() => Ok(None),
            None => Err(Place::Key(&place, key).expected("null", value)),
        };
        match single(value) {
            Some(("ok", value)) => Ok(Val::Result(Ok(side(ok, "ok", value)?))),
            Some(("err", value)) => Ok(Val::Result(Err(side(err, "err", value)?))),
            _ => Err(place.expected("{\"ok\": …} or {\"err\": …}", value)),
        }
    }
}

/// The only entry of an object that has one.
fn single(value: &Value) -> Option<(&str, &Value)> {
    let object: &Map<String, Value> = value.as_object().filter(|object| object.len() == 1)?;
    object.iter().next().map(|(key, value)| (key.as_str(), value))
}

fn integer(int: Int, value: &Value, place: Place<'_>) -> Decoded<Val> {
    let number = match value {
        Value::Number(number) => whole(number),
        Value::String(text) if int.is_wide() => decimal(text),
        _ => None,
    };
    number.and_then(|number| int.val(number)).ok_or_else(|| {
        let (name, minimum, maximum) = int.range();
        place.expected(format_args!("{name} ({minimum} to {maximum})"), value)
    })
}

/// The integer that a JSON number is. `3.0` is one, as in JSON Schema, but not
/// beyond 2^53, where the digits are lost.
fn whole(number: &serde_json::Number) -> Option<i128> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() <= EXACT_MAX)?;
    Some(float as i128)
}

/// Reads an integer in its shortest form, of at most 20 digits.
fn decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = (1..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = text == "0" || !digits.starts_with('0');
    if plain && shortest { text.parse().ok() } else { None }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn char(value: &Value) -> Option<Val> {
    let mut chars = value.as_str()?.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(Val::Char(first))
}

fn one_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    listed(names.map(|name| format!("{name:?}")))
}

/// The first few of `items`, for an error.
fn listed(mut items: impl Iterator<Item = String>) -> String {
    const SHOWN_MAX: usize = 12;
    let shown: Vec<String> = items.by_ref().take(SHOWN_MAX).map(|item| shortened(&item)).collect();
    let more = if items.next().is_some() { ", …" } else { "" };
    shown.join(", ") + more
}

/// The beginning of a text, for an error.
fn shortened(text: &str) -> String {
    super::shortened(text, 60)
}

/// A value in a few words.
struct Shown<'a>(&'a Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::Bool(bool) => write!(f, "{bool}"),
            Value::Number(number) => f.write_str(&shortened(&number.to_string())),
            Value::String(text) => write!(f, "{:?}", shortened(text)),
            Value::Array(items) => write!(f, "an array of {}", items.len()),
            Value::Object(_) => match single(self.0) {
                Some((key, _)) => write!(f, "an object with the key {:?}", shortened(key)),
                None => write!(f, "an object"),
            },
        }
    }
}
