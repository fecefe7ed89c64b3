//! JSON that lost its quotes on the way through a shell.

use crate::describe::shell_word;
use crate::example;
use crate::flags::{fits, kind, property};
use crate::retype::{SHOWN_MAX, Typed};
use handbox_hand::Tool;
use serde_json::Value;

/// What to write instead of words that look like JSON without its quotes; nothing if they do not.
///
/// `{"a": "b"}` without quotes around it arrives as `{a:` and `b}`, and `{"a":"b","c":"d"}` as `a:b` and `c:d`.
pub(crate) fn hint(typed: &Typed<'_>) -> Option<String> {
    let words = typed.words;
    if words.iter().any(|word| word.starts_with("--") || word.contains('"')) {
        return None;
    }
    let whole = words.join(" ");
    let is_object = whole.trim_start().starts_with('{');
    let is_member = |word: &String| member(typed.tool, word).is_some();
    let is_rest = |word: &String| word.ends_with([']', '}']);
    let is_expanded =
        words.first().is_some_and(is_member) && (words.iter().all(is_member) || words.iter().any(is_rest));
    if !is_object && !is_expanded {
        return None;
    }
    let single = whole.trim_start_matches(['{', ' ']).starts_with('\'');
    let why = match is_object && single {
        true => "JSON has double quotes; put single ones around the whole",
        false => "the shell took the quotes: put single quotes around the whole",
    };
    let members = match is_object {
        true if single => requoted(typed.tool, &whole),
        true => read(typed.tool, inside(&whole)?.split(',')),
        false => read(typed.tool, words.iter().map(String::as_str)),
    };
    let json = members.as_ref().map(|members| object(members)).filter(|json| json.len() <= SHOWN_MAX);
    Some(match (json, members) {
        (Some(json), Some(members)) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let inputs: Vec<(&str, String)> =
                members.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
            format!("{why}, {}; or write: {}", shell_word(&json), typed.with(&inputs))
        }
        _ => format!("{why}, as in {}; or write: {}", shell_word(&example::input(typed.tool)), typed.with(&[])),
    })
}

fn inside(whole: &str) -> Option<&str> {
    Some(whole.trim().strip_prefix('{')?.trim_end_matches('}'))
}

/// `key:value`, where the key is a property.
fn member<'t>(tool: &'t Tool, word: &str) -> Option<(&'t str, &'t Value)> {
    property(tool, word.split_once(':')?.0.trim())
}

/// The members, if it is certain where each ends and what it was.
fn read<'w>(tool: &Tool, pieces: impl Iterator<Item = &'w str>) -> Option<Vec<(String, Value)>> {
    let mut members: Vec<(String, Value)> = Vec::new();
    for piece in pieces {
        let (name, schema) = member(tool, piece)?;
        let value = piece.split_once(':')?.1.trim();
        let is_clear = !value.contains(['{', '}', '[', ']', '\'', '\\']) && value != "null";
        if !is_clear || members.iter().any(|(given, _)| given == name) {
            return None;
        }
        let value = match kind(schema) {
            "string" => Value::from(value),
            "integer" | "number" | "boolean" if fits(schema, value) => serde_json::from_str(value).ok()?,
            _ => return None,
        };
        members.push((name.to_owned(), value));
    }
    Some(members)
}

/// What was written with single quotes.
fn requoted(tool: &Tool, whole: &str) -> Option<Vec<(String, Value)>> {
    let object: serde_json::Map<String, Value> = serde_json::from_str(&whole.replace('\'', "\"")).ok()?;
    let is_known = object.keys().all(|name| property(tool, name).is_some_and(|(known, _)| known == name));
    is_known.then(|| object.into_iter().collect())
}

/// In the order in which it was typed.
fn object(members: &[(String, Value)]) -> String {
    let members: Vec<String> =
        members.iter().map(|(name, value)| format!("{}:{value}", Value::from(name.as_str()))).collect();
    format!("{{{}}}", members.join(","))
}
