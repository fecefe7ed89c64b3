//! A tool's input as it is typed: JSON, a file, standard input, or flags.

use crate::failure::Failure;
use crate::retype::Typed;
use crate::{advice, describe, flags, unquoted};
use handbox_hand::Tool;
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;

/// Largest input that is read from a file or from standard input, in bytes.
const BYTES_MAX: u64 = 64 << 20;

/// Where the first brace of a JSON object stands.
const START_BYTES: u64 = 512;

/// Keywords with which a schema admits members that `properties` does not name.
const OPEN_KEYWORDS: [&str; 9] = [
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "$ref",
    "dependentSchemas",
];

/// Reads what was typed behind the tool's name.
pub(crate) fn read(typed: &Typed<'_>) -> Result<Value, Failure> {
    let (text, from) = match typed.words {
        [] => return Ok(json!({})),
        [one] if one == "-" => {
            (bounded(std::io::stdin().lock(), "standard input")?, "the input on standard input".into())
        }
        [one] if one.starts_with('@') => {
            let path = &one[1..];
            (file(path)?, format!("the input in {path}"))
        }
        // What is almost JSON is told where it is not.
        [one] if one.trim_start().starts_with(['{', '[', '"']) || serde_json::from_str::<Value>(one).is_ok() => {
            (one.clone(), "the input".to_owned())
        }
        [one] if !one.starts_with("--") && holds_object(Path::new(one)) => {
            let at = describe::shell_word(&format!("@{one}"));
            let itself = typed.meant().map(|line| format!("; or, if its name is the input, {line}"));
            return Err(Failure::usage(format!("{one} is a file, and not JSON or a flag"))
                .hint(format!("write {at} to have the input read from it{}", itself.unwrap_or_default())));
        }
        _ => return flags::input(typed),
    };
    serde_json::from_str(&text).map_err(|error| {
        let hint = unquoted::hint(typed).unwrap_or_else(|| advice::input_hint(typed, ""));
        Failure::usage(format!("{from} is not JSON: {error}")).hint(hint)
    })
}

/// Whether a file looks like a JSON object.
fn holds_object(path: &Path) -> bool {
    let mut start = Vec::new();
    // Opening something else may wait for ever.
    let opened = path.is_file().then(|| std::fs::File::open(path).ok()).flatten();
    let read = opened.map(|file| file.take(START_BYTES).read_to_end(&mut start));
    let text = start.trim_ascii_start();
    read.is_some_and(|read| read.is_ok()) && text.starts_with(b"{")
}

fn file(path: &str) -> Result<String, Failure> {
    let example = "@FILE reads the input from a file of that name, such as @input.json";
    if path.is_empty() {
        return Err(Failure::usage("@ names no file").hint(example));
    }
    if Path::new(path).is_dir() {
        return Err(
            Failure::usage(format!("{path} is a folder")).hint("name a file in it: @FILE reads the input from that")
        );
    }
    let opened = std::fs::File::open(path).map_err(|error| Failure::usage(format!("{path}: {error}")).hint(example))?;
    bounded(opened, path)
}

fn bounded(from: impl Read, name: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = from.take(BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    if text.len() as u64 > BYTES_MAX {
        return Err(Failure::usage(format!("{name}: the input is larger than 64 MiB")));
    }
    Ok(text)
}

/// Says which members no property of the tool's schema is called, if that leaves others out; empty if there are none.
pub(crate) fn unknown(tool: &Tool, input: &Value) -> String {
    let schema = &tool.input_schema;
    let open =
        schema.get("additionalProperties").is_some() || OPEN_KEYWORDS.iter().any(|key| schema.get(key).is_some());
    let (Some(members), false) = (input.as_object(), open) else { return String::new() };
    let none = serde_json::Map::new();
    let known = schema["properties"].as_object().unwrap_or(&none);
    let unknown: Vec<String> =
        members.keys().filter(|name| !known.contains_key(*name)).map(|name| format!("`{name}`")).collect();
    match unknown.len() {
        0 => String::new(),
        1 => format!("{} is no input of the tool `{}`, which may ignore it", unknown[0], tool.name),
        _ => format!("{} are no inputs of the tool `{}`, which may ignore them", unknown.join(", "), tool.name),
    }
}
