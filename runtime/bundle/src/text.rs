//! Text formats read with bounds: TOML with file and line in each error, JSON without
//! duplicate keys.

use crate::error::BundleError;
use crate::manifest::Asks;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;
use std::ops::Range;

/// No configuration that people write comes near it; the parser's memory is some 50 times its input.
pub const TOML_BYTES_MAX: usize = 256 << 10;

/// Deeper nesting than any schema has, shallow enough for every recursive walk.
const JSON_DEPTH_MAX: usize = 64;

/// A value costs the host up to 100 bytes for the two that `0,` takes in the text.
const JSON_VALUES_MAX: usize = 100_000;

/// Parses TOML into `T`.
///
/// # Errors
///
/// [`BundleError::Invalid`] that names `file`, the line and the key for bad syntax, and
/// (if `T` denies them, as it should) unknown and duplicate keys. Nothing of `text` but keys
/// is in it, because a value may be secret.
pub fn parse_toml<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, BundleError> {
    if text.len() > TOML_BYTES_MAX {
        let message = format!("{file}: {} bytes, more than the {TOML_BYTES_MAX} that are read", text.len());
        return Err(BundleError::invalid(message, "make it smaller"));
    }
    toml::from_str(text).map_err(|mut error| {
        let span = error.span();
        let place = span.as_ref().map_or_else(|| file.to_owned(), |span| place(file, text, span));
        // Without the text, the error prints its message and the keys that lead to it.
        error.set_input(None);
        let mut message = without_value(&error.to_string().trim_end().replace('\n', " "));
        if let Some(key) = span.as_ref().and_then(|span| text.get(span.clone())).filter(|_| message == "duplicate key")
        {
            message.push_str(&format!(" `{}`", crate::error::shown(key)));
        }
        let hint = hint(&message, span.as_ref().and_then(|span| line(text, span.start)), span.is_some());
        let message = in_words(&message);
        BundleError::invalid(format!("{place}: {message}"), hint)
    })
}

/// What `asks` must be.
const ASKS: &str = "the table [asks]";
const ASKS_HINT: &str = "`asks` is one table: write [asks], and under it folders = [{ path = \"*\", mode = \"ro\" }]";

/// Reads `asks` from a table and from nothing else: serde would take a list for one, too.
pub(crate) fn asks_table<'de, D: Deserializer<'de>>(from: D) -> Result<Asks, D::Error> {
    struct Table;
    impl<'de> Visitor<'de> for Table {
        type Value = Asks;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(ASKS)
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Asks, A::Error> {
            Asks::deserialize(de::value::MapAccessDeserializer::new(map))
        }
    }
    from.deserialize_map(Table)
}

/// A message of serde's about a value of the wrong kind, without the value.
fn without_value(message: &str) -> String {
    let is_about_a_value = ["invalid type: ", "invalid value: "].iter().any(|start| message.starts_with(start));
    match (message.find(['`', '"']), message.rfind(", expected ")) {
        (Some(value), Some(expected)) if is_about_a_value && value < expected => {
            format!("{}{}", message[..value].trim_end(), &message[expected..])
        }
        _ => message.to_owned(),
    }
}

/// What to do about a fault, whose line is given with the column of the fault.
fn hint(message: &str, place: Option<(&str, usize)>, has_place: bool) -> String {
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return format!("add {}", missing(field, message));
    }
    if message.contains(&format!("expected {ASKS}")) {
        return ASKS_HINT.to_owned();
    }
    let stray = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected "));
    if let Some((key, _)) = stray.filter(|(key, known)| is_asked(key) && known.contains("`asks`")) {
        return format!(
            "put it under [asks]: write the line [asks] before it, and {key} = … below every key that stands alone"
        );
    }
    let Some((line, column)) = place.filter(|_| has_place) else { return "see the message".to_owned() };
    if let Some(key) = bare_text(line) {
        // Not the value, which may be secret.
        return format!("look at column {column} of that line: a text stands in quotes, {key} = \"…\"");
    }
    match expected(message) {
        Some(what) => format!("column {column} of that line must be {what}"),
        None => format!("look at column {column} of that line"),
    }
}

/// Whether a key belongs under `[asks]`.
fn is_asked(key: &str) -> bool {
    ["folders", "env", "hosts", "credentials"].contains(&key)
}

/// The key of a line whose value is a word without quotes.
fn bare_text(line: &str) -> Option<&str> {
    let (key, value) = line.split_once('=')?;
    let word = value.trim().split(|c: char| !c.is_ascii_alphanumeric()).next()?;
    let is_text =
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && !["true", "false", "inf", "nan"].contains(&word);
    is_text.then(|| key.trim())
}

/// A line that adds a field.
fn missing(field: &str, message: &str) -> String {
    match field {
        "name" => "the line name = \"my-tools\"".to_owned(),
        "version" => "the line version = \"0.1.0\"".to_owned(),
        "mode" => "the mode: { path = \"*\", mode = \"ro\" } to read, or \"rw\" to write, too".to_owned(),
        "path" if message.contains("components") => "the line path = \"greeter.wasm\"".to_owned(),
        "path" => {
            "the path: { path = \"*\", mode = \"ro\" }, where * is any folder that the operator grants".to_owned()
        }
        "components" => "a [[components]] table with path = \"greeter.wasm\" and its digest".to_owned(),
        "tool" => "the line tool = \"count_lines\"".to_owned(),
        "schema" => "the table [commands.schema] with type = \"object\" behind that [[commands]]".to_owned(),
        other => format!("{other} = …"),
    }
}

/// A message with what is expected in words of TOML instead of serde's.
fn in_words(message: &str) -> String {
    let (Some(what), Some((before, after))) = (expected(message), message.rsplit_once("expected ")) else {
        return message.to_owned();
    };
    let keys = after.find(" in `").map_or("", |keys| &after[keys..]);
    format!("{before}expected {what}{keys}")
}

/// What should stand there, in words of TOML instead of serde's.
fn expected(message: &str) -> Option<&'static str> {
    let what = message.rsplit_once("expected ")?.1;
    if what.starts_with("a sequence") && what.contains("folders`") {
        return Some("a list such as [{ path = \"*\", mode = \"ro\" }]");
    }
    let words = [
        ("struct FolderAsk", "a table such as { path = \"*\", mode = \"ro\" }"),
        ("struct ", "a table: { key = value, … }"),
        ("a map", "a table: { key = value, … }"),
        ("a sequence", "a list: [ … ]"),
        ("a string", "text in quotes"),
        ("a boolean", "true or false"),
        ("u", "a whole number"),
        ("i", "a whole number"),
    ];
    words.iter().find(|(start, _)| what.starts_with(start)).map(|(_, words)| *words)
}

/// `file:LINE` of a place in a TOML text, to be put before a message.
pub(crate) fn place(file: &str, text: &str, span: &Range<usize>) -> String {
    let before = text.get(..span.start).unwrap_or(text);
    format!("{file}:{}", before.matches('\n').count() + 1)
}

/// The line of a place, and the column there in characters from 1.
fn line(text: &str, index: usize) -> Option<(&str, usize)> {
    let before = text.get(..index)?;
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(start..)?.lines().next().unwrap_or_default();
    Some((line, before[start..].chars().count() + 1))
}

/// Parses JSON that nobody vouches for.
///
/// # Errors
///
/// A text for people, if it is not JSON, is nested too deeply, has too many values or the
/// same key twice in one object.
pub(crate) fn parse_json(bytes: &[u8]) -> Result<Value, String> {
    let left = Cell::new(JSON_VALUES_MAX);
    let mut from = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict { depth: JSON_DEPTH_MAX, left: &left };
    let value = strict.deserialize(&mut from).map_err(|error| error.to_string())?;
    from.end().map_err(|error| error.to_string())?;
    Ok(value)
}

/// Builds a [`Value`], refusing what `serde_json` itself would let pass.
#[derive(Clone, Copy)]
struct Strict<'l> {
    depth: usize,
    left: &'l Cell<usize>,
}

impl Strict<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        let depth = depth.ok_or_else(|| E::custom(format!("nested more than {JSON_DEPTH_MAX} deep")))?;
        Ok(Self { depth, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| de::Error::custom(format!("more than {JSON_VALUES_MAX} values")))?);
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number that JSON cannot hold"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if values.contains_key(&key) {
                return Err(de::Error::custom(format!("the key `{}` stands twice", crate::error::shown(&key))));
            }
            values.insert(key, map.next_value_seed(inner)?);
        }
        Ok(Value::Object(values))
    }
}
