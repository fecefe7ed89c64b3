//! The line that was probably meant where words of an input cannot be read: a whole one, to be pasted as it is.

use crate::advice;
use crate::describe::shell_word;
use crate::flags::{Flag, fits, kind, property};
use handbox_bundle::{BUNDLE_FILE, Bundle, Kind};
use handbox_hand::Tool;
use serde_json::Value;

/// Longer words are not repeated, in bytes.
pub(crate) const SHOWN_MAX: usize = 100;
/// Longer lines are not shown whole, in bytes.
const LINE_BYTES_MAX: usize = 500;

/// How a tool's input was typed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Typed<'a> {
    pub(crate) tool: &'a Tool,
    /// The bundle as it was named.
    pub(crate) bundle: &'a str,
    /// Handbox's own flags with their values.
    pub(crate) ours: &'a [String],
    /// The input: words that belong to no flag, then the tool's flags.
    pub(crate) words: &'a [String],
    /// See [`stale`].
    pub(crate) stale: Option<&'a str>,
}

impl Typed<'_> {
    /// The line with a flag for every word that lacks one; nothing if it is unclear which.
    pub(crate) fn meant(&self) -> Option<String> {
        let mut given = Vec::new();
        let mut flags = Vec::new();
        let mut loose = Vec::new();
        let mut has_list = false;
        let mut words = self.words.iter().peekable();
        while let Some(word) = words.next() {
            let Some(text) = word.strip_prefix("--") else {
                loose.push(word.as_str());
                continue;
            };
            let Flag { name, schema, value } = Flag::read(self.tool, text, &mut words)?;
            has_list |= kind(schema) == "array";
            given.push(name);
            flags.push(self.flag(name, &value?));
        }
        // A word behind a list may be one more of its items.
        if has_list && !loose.iter().all(|word| assigned(self.tool, word).is_some()) {
            return None;
        }
        flags.extend(self.flags_for(&loose, &mut given)?);
        let missing = required(self.tool).filter(|name| !given.contains(name));
        flags.extend(missing.map(|name| format!("{} …", shell_word(&format!("--{name}")))));
        Some(self.line(&flags.join(" ")))
    }

    /// The line with these inputs, and with the others that it needs.
    pub(crate) fn with(&self, inputs: &[(&str, String)]) -> String {
        let given = inputs.iter().map(|(name, value)| self.flag(name, value));
        let missing = required(self.tool).filter(|name| inputs.iter().all(|(given, _)| given != name));
        let missing = missing.map(|name| format!("{} …", shell_word(&format!("--{name}"))));
        self.line(&given.chain(missing).collect::<Vec<_>>().join(" "))
    }

    /// The line with `word` as its only input.
    pub(crate) fn meant_word(&self, word: &str) -> Option<String> {
        Typed { words: &[word.to_owned()], ..*self }.meant()
    }

    /// The line as it was typed, with `ours` as Handbox's flags and `more` of them; those alone if the rest is not to be shown.
    pub(crate) fn again(&self, ours: &[String], more: &str) -> String {
        let words = self.words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ");
        let apart = if advice::taken_inputs(self.tool).is_empty() { "" } else { "-- " };
        let head = ["handbox", "call", self.bundle, self.tool.name.as_str()].into_iter();
        let head = head.chain(ours.iter().map(String::as_str)).map(shell_word).collect::<Vec<_>>().join(" ");
        let line = format!("{head} {more} {apart}{words}");
        let whole = !has_secret(ours) && line.len() <= LINE_BYTES_MAX;
        if whole { line.trim_end().to_owned() } else { more.to_owned() }
    }

    /// A flag for each word: `name=value`, `name value` with the name of a property, or just a value.
    fn flags_for<'t>(&'t self, words: &[&'t str], given: &mut Vec<&'t str>) -> Option<Vec<String>> {
        let mut flags = Vec::new();
        let mut plain = Vec::new();
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            // A member of a JSON object is not a value.
            let is_member = word.split_once(':').is_some_and(|(key, _)| property(self.tool, key).is_some());
            if word.starts_with(['{', '[', '@']) || *word == "-" || is_member {
                return None;
            }
            let value = |next: &&&str| assigned(self.tool, next).is_none();
            let named = match (assigned(self.tool, word), property(self.tool, word)) {
                (Some((name, value)), _) => Some((name, value)),
                (None, Some((name, schema))) if kind(schema) == "boolean" => Some((name, "true")),
                (None, Some((name, _))) => words.next_if(value).map(|value| (name, *value)),
                (None, None) => None,
            };
            match named {
                Some((name, _)) if given.contains(&name) && kind(self.schema(name)) != "array" => return None,
                Some((name, value)) => {
                    given.push(name);
                    flags.push(self.flag(name, value));
                }
                None => plain.push(*word),
            }
        }
        for word in plain {
            let name = open(self.tool, given).find(|name| fits(self.schema(name), word))?;
            given.push(name);
            flags.push(self.flag(name, word));
        }
        Some(flags)
    }

    fn schema(&self, name: &str) -> &Value {
        &self.tool.input_schema["properties"][name]
    }

    /// A flag with its value, as a shell takes it.
    fn flag(&self, name: &str, value: &str) -> String {
        let is_switch = kind(self.schema(name)) == "boolean";
        let name = format!("--{name}");
        match value {
            "true" if is_switch => shell_word(&name),
            long if long.len() > SHOWN_MAX => format!("{} …", shell_word(&name)),
            // Behind a space it would be a flag of its own.
            value if value.starts_with("--") => shell_word(&format!("{name}={value}")),
            value => format!("{} {}", shell_word(&name), shell_word(value)),
        }
    }

    /// The whole line, or only its end if the rest is not to be shown.
    fn line(&self, flags: &str) -> String {
        let secret = has_secret(self.ours);
        let apart = if advice::taken_inputs(self.tool).is_empty() { "" } else { "-- " };
        let head = ["handbox", "call", self.bundle, self.tool.name.as_str()].into_iter();
        let head = head.chain(self.ours.iter().map(String::as_str)).map(shell_word).collect::<Vec<_>>().join(" ");
        let line = format!("{head} {apart}{flags}");
        if secret || line.len() > LINE_BYTES_MAX { format!("{apart}{flags}") } else { line }
    }
}

/// Whether flags grant a value, which may be secret.
fn has_secret(ours: &[String]) -> bool {
    ours.iter().any(|word| word.starts_with("--env"))
}

/// `name=value` with the name of a property.
pub(crate) fn assigned<'a>(tool: &'a Tool, word: &'a str) -> Option<(&'a str, &'a str)> {
    let (name, value) = word.split_once('=')?;
    Some((property(tool, name)?.0, value))
}

fn required(tool: &Tool) -> impl Iterator<Item = &str> {
    tool.input_schema["required"].as_array().into_iter().flatten().filter_map(|name| name.as_str())
}

/// The properties that a bare word may be for: those that must be there, or else the only one.
fn open<'t>(tool: &'t Tool, given: &[&str]) -> impl Iterator<Item = &'t str> {
    let properties = tool.input_schema["properties"].as_object();
    let only = properties.filter(|all| all.len() == 1 && required(tool).next().is_none());
    let only = only.into_iter().flatten().map(|(name, _)| name.as_str());
    let names: Vec<&str> = required(tool).chain(only).filter(|name| !given.contains(name)).collect();
    names.into_iter()
}

/// What to do if something is missing that the author has added since; nothing for what is built in.
pub(crate) fn stale(bundle: &Bundle) -> Option<&'static str> {
    let file = bundle.files.first()?;
    let packed = bundle.components.iter().all(|component| component.manifest.is_some());
    Some(match (file.ends_with(BUNDLE_FILE), packed) {
        (true, _) => "if it was added since, build and pack its component again",
        (false, true) => "if it was added since, build and pack it again",
        (false, false) => "if it was added since, build it again",
    })
}

/// What else may keep a tool that the author has added from being there; empty if nothing does.
pub(crate) fn unexported(bundle: &Bundle) -> &'static str {
    let marks_tools = bundle.components.iter().any(|component| component.kind == Kind::Hand);
    match marks_tools && !bundle.files.is_empty() {
        true => "; a function marked #[tool] must also be named in `handbox_tool::export!(…)`",
        false => "",
    }
}
