//! Input as flags: `--pattern TODO --path src` instead of `{"pattern":"TODO","path":"src"}`.

use crate::args;
use crate::config::similar;
use crate::describe::shell_word;
use crate::failure::Failure;
use crate::retype::{SHOWN_MAX, Typed, assigned};
use crate::unquoted;
use handbox_hand::Tool;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::iter::Peekable;
use std::slice::Iter;

/// Makes a tool's input of flags that its schema describes.
///
/// `--name value` and `--name=value` are the same; a property that is true or false needs no
/// value; one that is a list may be repeated. What the schema does not call text is read
/// as JSON.
pub(crate) fn input(typed: &Typed<'_>) -> Result<Value, Failure> {
    let tool = typed.tool;
    let mut input = Map::new();
    let mut words = typed.words.iter().peekable();
    let mut last = None;
    // Lists that were given as one item which looks like several.
    let mut joined: Vec<(&str, String)> = Vec::new();
    let mut counts: HashMap<&str, usize> = HashMap::new();
    while let Some(word) = words.next() {
        let Some(text) = word.strip_prefix("--") else {
            return Err(stray(typed, word, last.or_else(|| list_flag(tool, typed.words))));
        };
        let Flag { name, schema, value } = Flag::read(tool, text, &mut words).ok_or_else(|| unknown(typed, text))?;
        let Some(value) = value else { return Err(misuse(tool, format!("--{name} needs a value"))) };
        if add(tool, &mut input, name, schema, &value)? == Added::Joined {
            joined.push((name, value));
        }
        *counts.entry(name).or_default() += 1;
        last = Some(name);
    }
    match joined.into_iter().find(|(name, _)| counts.get(name) == Some(&1)) {
        Some((name, value)) => Err(one_or_many(name, &value)),
        None => Ok(Value::Object(input)),
    }
}

/// A flag of the tool, and its value if there is one.
pub(crate) struct Flag<'t> {
    pub(crate) name: &'t str,
    pub(crate) schema: &'t Value,
    pub(crate) value: Option<String>,
}

impl<'t> Flag<'t> {
    /// Reads what follows the dashes; nothing if the tool has no such input.
    pub(crate) fn read(tool: &'t Tool, text: &str, rest: &mut Peekable<Iter<'_, String>>) -> Option<Self> {
        let (name, given) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let (name, schema) = property(tool, name)?;
        let alone = |word: &&String| word.starts_with("--") || assigned(tool, word).is_some();
        let value = match given {
            Some(value) => Some(value.to_owned()),
            None if kind(schema) == "boolean" && rest.peek().is_none_or(alone) => Some("true".to_owned()),
            None => rest.next().cloned(),
        };
        Some(Self { name, schema, value })
    }
}

/// What became of a flag's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Added {
    Plainly,
    /// As one text of a list, with commas in it.
    Joined,
}

/// Refuses `--tags a,b` before anything is done with the one item `a,b`.
fn one_or_many(name: &str, value: &str) -> Failure {
    if let Some(inner) = value.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return unquoted_list(name, value, inner);
    }
    let one = shell_word(&serde_json::json!([value]).to_string());
    let many: Vec<String> = value.split(',').map(|item| format!("--{name} {}", shell_word(item.trim()))).collect();
    let many = if value.len() <= SHOWN_MAX { many.join(" ") } else { format!("--{name} … --{name} …") };
    let one = if value.len() <= SHOWN_MAX { one } else { "'[\"…\"]'".to_owned() };
    Failure::usage(format!("--{name} is a list, and its one value has commas: one item or several?"))
        .hint(format!("several: {many}; or one: --{name} {one}"))
}

/// Refuses `--tags [a,b]`, whose brackets belong to no item.
fn unquoted_list(name: &str, value: &str, inner: &str) -> Failure {
    let items: Vec<&str> = inner.split(',').map(|item| item.trim().trim_matches(['\'', '"'])).collect();
    let many: Vec<String> = items.iter().map(|item| format!("--{name} {}", shell_word(item))).collect();
    let list = |items: &[&str]| format!("--{name} {}", shell_word(&serde_json::json!(items).to_string()));
    let failure = Failure::usage(format!("--{name} is a list, and its one value is no JSON: quotes are missing"));
    if value.len() > SHOWN_MAX {
        return failure.hint(list_hint(name));
    }
    let (many, whole, one) = (many.join(" "), list(&items), list(&[value]));
    failure.hint(format!("{many}, or {whole}; or, if it is one item, brackets and all: {one}"))
}

fn add(tool: &Tool, input: &mut Map<String, Value>, name: &str, schema: &Value, value: &str) -> Result<Added, Failure> {
    if kind(schema) == "array" {
        let whole = serde_json::from_str::<Value>(value).ok().filter(Value::is_array);
        let mut added = Added::Plainly;
        let items = match whole {
            Some(Value::Array(items)) => items,
            _ => {
                if value.contains(',') && kind(&schema["items"]) == "string" {
                    added = Added::Joined;
                }
                vec![read(tool, name, &schema["items"], value)?]
            }
        };
        let list = input.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(list) = list {
            list.extend(items);
        }
        return Ok(added);
    }
    let value = read(tool, name, schema, value)?;
    if input.insert(name.to_owned(), value).is_some() {
        return Err(misuse(tool, format!("--{name} is given twice")));
    }
    Ok(Added::Plainly)
}

fn read(tool: &Tool, name: &str, schema: &Value, value: &str) -> Result<Value, Failure> {
    if matches!(kind(schema), "string" | "") {
        return Ok(Value::String(value.to_owned()));
    }
    let wanted = kind(schema);
    serde_json::from_str(value).map_err(|_| {
        let failure = misuse(tool, format!("--{name} {value:?} is not of type {wanted}"));
        if is_list(tool, name) { failure.hint(list_hint(name)) } else { failure }
    })
}

/// The first type that is not null; empty if the schema names none.
pub(crate) fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        _ => "",
    }
}

/// Whether a word can be a value of this type.
pub(crate) fn fits(schema: &Value, word: &str) -> bool {
    let is = |check: fn(&Value) -> bool| serde_json::from_str(word).is_ok_and(|value: Value| check(&value));
    match kind(schema) {
        "string" | "" => true,
        "integer" => is(|value| value.is_i64() || value.is_u64()),
        "number" => is(Value::is_number),
        "boolean" => is(Value::is_boolean),
        "array" => fits(&schema["items"], word),
        _ => false,
    }
}

/// Finds a property by its name, dashes for underscores allowed.
pub(crate) fn property<'a>(tool: &'a Tool, name: &str) -> Option<(&'a str, &'a Value)> {
    let mut properties = tool.input_schema["properties"].as_object()?.iter();
    let found = properties.find(|(known, _)| *known == name || known.replace('_', "-") == name);
    found.map(|(name, schema)| (name.as_str(), schema))
}

fn unknown(typed: &Typed<'_>, text: &str) -> Failure {
    let name = text.split('=').next().unwrap_or_default();
    let failure = misuse(typed.tool, format!("the tool `{}` has no input `{name}`", typed.tool.name));
    let hint = match (args::our_flags().contains_key(name), typed.stale, &failure.hint) {
        (true, ..) => return failure.hint(format!("--{name} is Handbox's: put it before the --")),
        (false, Some(stale), Some(hint)) => format!("{hint}; {stale}"),
        (false, _, hint) => hint.clone().unwrap_or_default(),
    };
    match near(typed, name) {
        Some(near) => failure.hint(format!("did you mean {near}? {hint}")),
        None => failure.hint(hint),
    }
}

/// For a flag that nobody has, beside an input that is there as JSON.
fn beside_json(typed: &Typed<'_>, name: &str) -> Failure {
    let tool = &typed.tool.name;
    let failure = Failure::usage(format!("--{name} is no flag of Handbox, and no input of the tool `{tool}`"));
    if args::our_flags().contains_key(name) {
        return unknown(typed, name);
    }
    match near(typed, name) {
        Some(near) if near.ends_with(OURS) => failure.hint(format!("did you mean {near}?")),
        Some(near) => {
            failure.hint(format!("did you mean {near}? Put it into the JSON, or give all of the input as flags"))
        }
        None => failure.hint("leave it out; what Handbox takes: handbox call --help"),
    }
}

/// Behind a flag that is not the tool's.
const OURS: &str = ", a flag of Handbox";

/// The flag, of the tool or of Handbox, that was mistyped so.
fn near(typed: &Typed<'_>, name: &str) -> Option<String> {
    let tool = typed.tool;
    let theirs = tool.input_schema["properties"].as_object().into_iter().flat_map(|all| all.keys().cloned());
    let mut ours: Vec<String> = args::our_flags().into_keys().collect();
    ours.sort();
    // A dash for an underscore is no slip.
    let underscored = name.replace('-', "_");
    let theirs = similar::one_of(&underscored, theirs);
    if let Some(limit) = limit(typed, name).filter(|_| theirs.is_none()) {
        return Some(format!("{limit}{OURS}"));
    }
    let near = theirs.or_else(|| similar::one_of(name, ours.into_iter()))?;
    let whose = if property(tool, &near).is_some() { "" } else { OURS };
    Some(format!("{}{whose}", shell_word(&format!("--{near}"))))
}

/// The limit that other programs have a flag of this name for.
fn limit(typed: &Typed<'_>, name: &str) -> Option<String> {
    let (limit, unit) = match name {
        "timeout" | "time" | "time-limit" | "max-time" => ("time", "s"),
        "memory" | "mem" | "memory-limit" | "max-memory" => ("memory", "MiB"),
        _ => return None,
    };
    let is_amount = |value: &&str| value.starts_with(|c: char| c.is_ascii_digit()) && value.len() <= SHOWN_MAX;
    let mut words = typed.words.iter().skip_while(|word| args::flag_name(word) != Some(name));
    let flag = words.next().and_then(|word| word.split_once('='));
    let value = flag.map(|(_, value)| value).or_else(|| words.next().map(String::as_str)).filter(is_amount)?;
    let unit = if value.chars().all(|c| c.is_ascii_digit()) { unit } else { "" };
    Some(format!("--limit {}", shell_word(&format!("{limit}={value}{unit}"))))
}

fn is_list(tool: &Tool, name: &str) -> bool {
    kind(&tool.input_schema["properties"][name]) == "array"
}

/// The first list among the flags: where a word that belongs to none may come from.
pub(crate) fn list_flag<'t>(tool: &'t Tool, words: &[String]) -> Option<&'t str> {
    let flags = words.iter().filter_map(|word| word.strip_prefix("--"));
    let named = flags.filter_map(|flag| property(tool, flag.split('=').next()?));
    named.map(|(name, _)| name).find(|name| is_list(tool, name))
}

pub(crate) fn list_hint(name: &str) -> String {
    format!("a list is written as JSON, --{name} '[…, …]', or with the flag once for each item")
}

/// A word where a flag should be, behind a flag `last`.
fn stray(typed: &Typed<'_>, word: &str, last: Option<&str>) -> Failure {
    let tool = typed.tool;
    if let Some(hint) = unquoted::hint(typed) {
        return Failure::usage(format!("the input is not JSON: quotes are missing at {word:?}")).hint(hint);
    }
    if word == "-" || word.starts_with(['{', '@']) {
        let mut flags = typed.words.iter().filter_map(|word| word.strip_prefix("--")?.split('=').next());
        if let Some(slip) = flags.find(|name| property(tool, name).is_none()) {
            return beside_json(typed, slip);
        }
        return misuse(tool, "give either one JSON object or flags, not both".to_owned());
    }
    if let Some(line) = typed.meant() {
        return Failure::usage(format!("{word:?} is neither JSON nor a flag")).hint(format!("write: {line}"));
    }
    if let Some(list) = last.filter(|name| is_list(tool, name)) {
        return Failure::usage(format!("{word:?} belongs to no flag")).hint(list_hint(list));
    }
    misuse(tool, format!("{word:?} is neither JSON nor a flag"))
}

fn misuse(tool: &Tool, message: String) -> Failure {
    let hint = format!("its input is: {}; or give one JSON object", crate::tools::properties(tool));
    Failure::usage(message).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_hand::{Hints, Recovery, ToolName};
    use serde_json::json;

    fn tool() -> Tool {
        Tool {
            name: ToolName::new("t").unwrap(),
            description: String::new(),
            input_schema: json!({"type": "object", "properties": {
                "file_path": {"type": "string"}, "all": {"type": "boolean"}, "n": {"type": ["integer", "null"]},
                "range": {"type": "array", "items": {"type": "integer"}}
            }}),
            output_schema: None,
            hints: Hints::default(),
            recovery: Recovery::Ask,
            extra: Vec::new(),
        }
    }

    fn input(words: &str) -> Result<Value, Failure> {
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        super::input(&Typed { tool: &tool(), bundle: "b", ours: &[], words: &words, stale: None })
    }

    #[test]
    fn flags_become_the_types_that_the_schema_names() {
        let given = input("--file-path 007 --all --n=3 --range 1 --range -2").unwrap();
        assert_eq!(given, json!({"file_path": "007", "all": true, "n": 3, "range": [1, -2]}));
        assert_eq!(input("--range [1,2] --all false").unwrap(), json!({"range": [1, 2], "all": false}));
    }

    #[test]
    fn a_wrong_flag_says_what_there_is() {
        for wrong in ["--nope 1", "--n x", "--file_path", "--n 1 --n 2", "stray"] {
            let failure = input(wrong).unwrap_err();
            assert!(failure.hint.unwrap().contains("file_path"), "{wrong}");
        }
    }
}
