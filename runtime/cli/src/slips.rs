//! Slips in a command line that clap finds, told in words that say what was meant.

use crate::args::{self, Loose};
use crate::config::Config;
use crate::describe::shell_word;
use crate::failure::Failure;
use crate::flags::{kind, property};
use crate::grants::typed_mode;
use crate::paths::Paths;
use crate::retype::SHOWN_MAX;
use crate::{loose, paths};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use handbox_bundle::Bundle;
use handbox_hand::Tool;
use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;

/// What was meant by a line that clap refuses; nothing if clap's own words say it.
pub(crate) fn explain(error: &clap::Error, words: &[OsString]) -> Option<Failure> {
    let of = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    if error.kind() == ErrorKind::MissingRequiredArgument {
        return Line::of(words)?.without_tool();
    }
    let word = of(ContextKind::InvalidArg)?.trim_end_matches("...");
    match error.kind() {
        ErrorKind::TooManyValues => Some(no_value(word.strip_prefix("--")?, of(ContextKind::InvalidValue)?)),
        ErrorKind::UnknownArgument if !word.starts_with('-') => {
            Line::of(words)?.stray(word, &paths::current_folder().ok()?)
        }
        ErrorKind::UnknownArgument => one_dash(words).or_else(|| one_dash_input(words, word)),
        _ => None,
    }
}

/// For `-write`, which is a row of short flags.
fn one_dash(words: &[OsString]) -> Option<Failure> {
    let flags = args::flags_of(&args::verb(words)?);
    let mut words = words.iter().filter_map(|word| word.to_str()?.strip_prefix('-')).filter(|word| word.len() > 1);
    let word = words.find(|word| flags.contains_key(word.split('=').next().unwrap_or_default()))?;
    Some(Failure::usage(format!("-{word} has one dash, and long flags have two")).hint(format!("write: --{word}")))
}

/// For `-n` and `-name`, where `name` is an input of the tool.
fn one_dash_input(words: &[OsString], refused: &str) -> Option<Failure> {
    let short = |word: &OsString| {
        let text = word.to_str()?.strip_prefix('-')?;
        text.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| text.to_owned())
    };
    // With two dashes the line can be read, and so it is known which tool is meant.
    let line = words.iter().map(|word| short(word).map_or_else(|| word.clone(), |text| format!("--{text}").into()));
    let args = args::Args::parse_line(line).ok()?;
    let args::Command::Call(command) = args.command else { return None };
    let (paths, cwd) = (Paths::find(&args.global).ok()?, paths::current_folder().ok()?);
    let config = Config::load(&paths, &cwd).ok()?;
    let bundle = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles()).ok()?.bundle;
    let tool = bundle.known_tools().ok()?.into_iter().find(|tool| tool.name.as_str() == command.tool)?;
    let refused = refused.trim_start_matches('-');
    words.iter().enumerate().find_map(|(at, word)| {
        let text = short(word).filter(|text| text.contains(refused))?;
        let (typed, given) = text.split_once('=').map_or((text.as_str(), None), |(name, value)| (name, Some(value)));
        let (name, schema) = property(&tool, typed).or_else(|| beginning(&tool, typed))?;
        let next = words.get(at + 1).and_then(|next| next.to_str()).filter(|next| !next.starts_with('-'));
        let value = given.or_else(|| next.filter(|_| kind(schema) != "boolean"));
        let value = match value {
            Some(long) if long.len() > SHOWN_MAX => " …".to_owned(),
            Some(value) => format!(" {}", shell_word(value)),
            None => String::new(),
        };
        let message =
            format!("-{typed} is no flag: an input of the tool is written with two dashes and its whole name");
        Some(Failure::usage(message).hint(format!("write {}{value}", shell_word(&format!("--{name}")))))
    })
}

/// The only input that begins with this letter.
fn beginning<'t>(tool: &'t Tool, letter: &str) -> Option<(&'t str, &'t Value)> {
    let all = tool.input_schema["properties"].as_object().filter(|_| letter.len() == 1)?;
    let mut found = all.iter().filter(|(name, _)| name.starts_with(letter));
    let (name, schema) = found.next()?;
    found.next().is_none().then_some((name, schema))
}

/// What was meant by a tool's name where the bundle's should be.
pub(crate) fn swapped(command: &args::Call, config: &Config, cwd: &Path) -> Option<Failure> {
    let built_in = handbox_std_bundle::bundles();
    let has = |bundle: &Bundle| {
        bundle.known_tools().is_ok_and(|tools| tools.iter().any(|tool| tool.name.as_str() == command.bundle))
    };
    let behind = config.open(&command.tool, cwd, &built_in).ok().map(|opened| opened.bundle);
    let (bundle, rest) = match behind.filter(has) {
        Some(_) => (shell_word(&command.tool), ""),
        None => {
            let of_std = built_in.iter().find(|source| source.bundle().is_ok_and(|bundle| has(&bundle)))?;
            (of_std.name.clone(), " …")
        }
    };
    let line = format!("handbox call {bundle} {}{rest}", command.bundle);
    let message = format!("`{}` is a tool of the bundle {bundle}, and the bundle is named first", command.bundle);
    Some(Failure::usage(message).hint(format!("write: {line}")))
}

/// For `--flag=value`, where the flag is only there or not.
fn no_value(flag: &str, value: &str) -> Failure {
    let message = format!("--{flag} takes no value, and {value:?} is one");
    let hint = match (flag, value) {
        (_, "false" | "no" | "0" | "off") => format!("leave --{flag} out"),
        ("write", "ro") => "leave --write out: without it, folders are granted only to read".to_owned(),
        ("write", "rw" | "true" | "yes" | "1" | "on" | "." | "./" | "") => {
            "write --write alone: it grants the current folder for writing".to_owned()
        }
        ("write", folder) => to_write(folder),
        _ => format!("write --{flag} alone"),
    };
    Failure::usage(message).hint(hint)
}

fn to_write(folder: &str) -> String {
    let with_mode = if typed_mode(folder).is_some() { folder.to_owned() } else { format!("{folder}:rw") };
    let seen = if folder.contains(':') { "" } else { ", which the tool sees as /workspace" };
    let dir = shell_word(&with_mode);
    format!("--write alone grants the current folder for writing; for another one: --dir {dir}{seen}")
}

/// A line of a command other than `call`, whose own flags are a tool's.
struct Line {
    verb: String,
    /// What stands behind the verb and is no flag's.
    plain: Vec<String>,
    /// Words behind flags that do not take them. They are in `plain`, too.
    loose: Vec<Loose>,
}

impl Line {
    fn of(words: &[OsString]) -> Option<Self> {
        let verb = args::verb(words)?;
        let flags = args::flags_of(&verb);
        let (mut plain, mut loose) = (Vec::new(), Vec::<Loose>::new());
        let words = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
        let mut words = words.skip_while(|word| *word != verb).skip(1).peekable();
        let mut follows = false;
        while let Some(word) = words.next() {
            let Some(name) = args::flag_name(&word).filter(|name| !name.is_empty()) else {
                follows &= !word.starts_with('-');
                loose.last_mut().filter(|_| follows).into_iter().for_each(|flag| flag.words.push(word.clone()));
                plain.extend(Some(word).filter(|word| !word.starts_with('-')));
                continue;
            };
            let takes_value = flags.get(name).copied().unwrap_or(false);
            let given = word.split_once('=').map(|(_, value)| value.to_owned());
            let value = given.or_else(|| words.next_if(|next| takes_value && !next.starts_with("--")));
            loose.push(Loose { flag: name.to_owned(), is_ours: true, value, words: Vec::new() });
            follows = true;
        }
        loose.retain(|flag| !flag.words.is_empty());
        Some(Self { verb, plain, loose })
    }

    /// For a word that no argument is left for.
    fn stray(&self, word: &str, cwd: &Path) -> Option<Failure> {
        let misplaced = self.loose.iter().find_map(|loose| loose::misplaced(loose, &self.plain, cwd));
        if misplaced.is_some() {
            return misplaced;
        }
        if self.verb == "run" && self.plain.len() > 1 && !self.plain.iter().any(|word| word.contains(' ')) {
            return Some(self.unquoted(cwd));
        }
        if let ("pack", [file, out]) = (self.verb.as_str(), &self.plain[..]) {
            let (file, out) = (shell_word(file), shell_word(out));
            let manifest = if cwd.join("tool.toml").is_file() { " --manifest tool.toml" } else { "" };
            return Some(
                Failure::usage(format!("where to write stands behind -o, and {word:?} behind nothing"))
                    .hint(format!("write: handbox pack {file} -o {out}{manifest}")),
            );
        }
        let behind = self.loose.iter().find(|loose| loose.words.first().is_some_and(|first| first == word))?;
        Some(superfluous(behind, word, cwd))
    }

    /// For `handbox call BUNDLE`.
    fn without_tool(&self) -> Option<Failure> {
        let bundle = self.plain.first().filter(|_| self.verb == "call")?;
        let hint = format!("name one of its tools; they are listed by: handbox tools {}", shell_word(bundle));
        Some(Failure::usage(format!("which tool of {bundle}?")).hint(hint))
    }

    /// A prompt without quotes, or what was meant for `call`.
    fn unquoted(&self, cwd: &Path) -> Failure {
        let first = &self.plain[0];
        if cwd.join(first).is_file() && first.ends_with(".wasm") {
            let line: Vec<String> = self.plain.iter().map(|word| shell_word(word)).collect();
            let what = "`handbox run` takes one text, what an agent is to do";
            return Failure::usage(format!("{first} is a component, and {what}"))
                .hint(format!("to call a tool: handbox call {}", line.join(" ")));
        }
        let prompt = self.plain.join(" ");
        let shown = if prompt.len() > SHOWN_MAX { "'… …'".to_owned() } else { shell_word(&prompt) };
        Failure::usage("what an agent is to do is one text, and this is several").hint(format!("quote it: {shown}"))
    }
}

/// A word behind a flag that has all that it takes.
fn superfluous(loose: &Loose, word: &str, cwd: &Path) -> Failure {
    let flag = &loose.flag;
    let takes = if loose.value.is_some() { "takes one value" } else { "takes no value" };
    let hint = match flag.as_str() {
        "write" if cwd.join(word).is_file() => {
            "leave it out: folders are granted, and not files; --write grants the current one for writing".to_owned()
        }
        "write" => {
            "leave it out: --write alone grants the current folder for writing; for another one: --dir FOLDER:rw"
                .to_owned()
        }
        "dir" if typed_mode(word).is_some() || cwd.join(word).exists() => {
            "each folder has a --dir of its own: --dir ONE --dir OTHER:/data".to_owned()
        }
        _ => "leave it out".to_owned(),
    };
    Failure::usage(format!("--{flag} {takes}, and {word:?} stands behind it")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[&str]) -> Option<Failure> {
        let words: Vec<OsString> = std::iter::once("handbox").chain(line.iter().copied()).map(OsString::from).collect();
        let error = args::Args::parse_line(words.clone()).err().expect("clap refuses it");
        explain(&error, &words)
    }

    #[track_caller]
    fn hint(line: &[&str]) -> String {
        said(line).unwrap_or_else(|| panic!("clap's own words: {line:?}")).hint.unwrap_or_default()
    }

    #[test]
    fn a_value_of_a_flag_that_takes_none_is_told_where_it_belongs() {
        for line in [&["call", "std", "write", "--write=../x"][..], &["check", "std", "--write=../x"]] {
            let failure = said(line).unwrap();
            assert_eq!(failure.message, "--write takes no value, and \"../x\" is one");
            assert!(failure.hint.unwrap().contains("--dir ../x:rw"), "{line:?}");
        }
        assert!(hint(&["check", "std", "--write=true"]).starts_with("write --write alone"));
        assert!(hint(&["check", "std", "--write=ro"]).starts_with("leave --write out"));
        assert_eq!(hint(&["check", "std", "--no-dir=x"]), "write --no-dir alone");
        assert_eq!(hint(&["check", "std", "--verbose=2"]), "write --verbose alone");
        assert_eq!(hint(&["call", "std", "read", "{}", "-write"]), "write: --write");
        assert_eq!(hint(&["check", "std", "-dir=x"]), "write: --dir=x");
    }

    #[test]
    fn a_word_behind_a_flag_is_no_mystery() {
        assert!(hint(&["check", "std", "--write", "rw"]).starts_with("leave out rw"));
        assert!(hint(&["check", "std", "--dir", ".", "rw"]).contains("--dir .:rw"));
        assert!(hint(&["run", "Do it", "--write", "nowhere"]).contains("for another one: --dir FOLDER:rw"));
        assert!(hint(&["run", "Do it", "--write", "Cargo.toml"]).contains("and not files"));
        assert_eq!(hint(&["run", "Do", "it", "--write", "now"]), "quote it: 'Do it now'");
        assert_eq!(hint(&["check", "std", "--profile", "strict", "x"]), "leave it out");
        assert_eq!(hint(&["pack", "a.wasm", "b.wasm"]), "write: handbox pack a.wasm -o b.wasm");
        assert!(hint(&["call", "--write", "std"]).ends_with("handbox tools std"));
        // Here clap's words are as good.
        assert!(said(&["check", "std", "x"]).is_none() && said(&["check", "std", "--wirte"]).is_none());
    }
}
