//! Filling in what is known only when a script is played.

use super::seen::Seen;
use serde_json::Value;

/// A text with its templates filled in. One that makes no sense stays as it is.
pub(super) fn fill(text: &str, seen: &Seen) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((template, next)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        match value(template, seen) {
            Some(value) => filled.push_str(&value),
            None => filled.extend(["{{", template, "}}"]),
        }
        rest = next;
    }
    filled.push_str(rest);
    filled
}

/// A value whose strings are filled in.
pub(super) fn fill_value(value: &Value, seen: &Seen) -> Value {
    match value {
        Value::String(text) => fill(text, seen).into(),
        Value::Array(items) => items.iter().map(|item| fill_value(item, seen)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, member)| (name.clone(), fill_value(member, seen))).collect())
        }
        other => other.clone(),
    }
}

fn value(template: &str, seen: &Seen) -> Option<String> {
    let mut parts = template.split('|').map(str::trim);
    let source = match parts.next()? {
        "prompt" => seen.prompt.as_str(),
        "result" => seen.result(None),
        named => seen.result(Some(named.strip_prefix("result:")?)),
    };
    parts.try_fold(source.to_owned(), |text, filter| apply(&text, filter))
}

fn apply(text: &str, filter: &str) -> Option<String> {
    let (name, argument) = filter.split_once(' ').unwrap_or((filter, ""));
    let number = || argument.trim().parse::<usize>().ok();
    Some(match name {
        "first_line" => text.lines().next().unwrap_or_default().to_owned(),
        "last_line" => text.lines().last().unwrap_or_default().to_owned(),
        "lines" => text.lines().filter(|line| !line.trim().is_empty()).count().to_string(),
        "head" => text.lines().take(number()?).collect::<Vec<_>>().join("\n"),
        "field" => {
            let first = text.lines().next().unwrap_or_default();
            first.split(':').nth(number()?.checked_sub(1)?).unwrap_or_default().to_owned()
        }
        "words" => text.split_whitespace().count().to_string(),
        "trim" => text.trim().to_owned(),
        _ => return None,
    })
}
