//! JSON of which nothing is lost on the way in: no member that another of its name would hide, no integer that would be
//! rounded.

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads a value, or says why it cannot be kept as it is.
pub(crate) fn from_str(json: &str) -> Result<Value, String> {
    let Strict(value) = serde_json::from_str(json).map_err(|error| error.to_string())?;
    match rounded(json) {
        Some(number) => Err(format!("the number {number:.32} is larger than any that is kept exactly")),
        None => Ok(value),
    }
}

/// The first integer that serde_json would keep as a float. The text is JSON.
fn rounded(json: &str) -> Option<&str> {
    let mut rest = json;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[at..];
        if rest.starts_with('"') {
            rest = after_string(rest);
            continue;
        }
        let end = rest.find(|c: char| !matches!(c, '-' | '+' | '.' | 'e' | 'E' | '0'..='9')).unwrap_or(rest.len());
        let number = &rest[..end];
        let is_integer = !number.contains(['.', 'e', 'E']);
        if is_integer && number.parse::<u64>().is_err() && number.parse::<i64>().is_err() {
            return Some(number);
        }
        rest = &rest[end..];
    }
    None
}

/// What follows the string that a text begins with.
fn after_string(text: &str) -> &str {
    let mut escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    end.and_then(|end| text.get(end + 2..)).unwrap_or_default()
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strictly).map(Self)
    }
}

struct Strictly;

impl<'de> Visitor<'de> for Strictly {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((name, Strict(member))) = members.next_entry::<String, Strict>()? {
            if all.contains_key(&name) {
                let name: String = name.escape_debug().take(64).collect();
                return Err(A::Error::custom(format!("the member `{name}` comes twice")));
            }
            all.insert(name, member);
        }
        Ok(all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_exactly_is_read_as_ever() {
        for json in [
            r#"{"a":[1,-1,1.5,1e300,null,true,"18446744073709551616 \\\"-99999999999999999999"],"b":{"a":1}}"#,
            r#"[18446744073709551615,-9223372036854775808,0.1,{}]"#,
        ] {
            assert_eq!(from_str(json), Ok(serde_json::from_str(json).expect("JSON")), "{json}");
        }
    }

    #[test]
    fn what_would_be_lost_is_refused() {
        for (json, says) in [
            (r#"{"a":1,"a":1}"#, "`a` comes twice"),
            (r#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#, "`a` comes twice"),
            (r#"{"a":18446744073709551616}"#, "18446744073709551616"),
            (r#"["\\",-9223372036854775809]"#, "-9223372036854775809"),
        ] {
            let error = from_str(json).expect_err(json);
            assert!(error.contains(says), "{json}: {error}");
        }
    }
}
