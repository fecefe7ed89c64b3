//! Words behind a flag that the flag does not take.

use crate::args::{Call, Loose};
use crate::describe::shell_word;
use crate::failure::Failure;
use crate::flags::{kind, property};
use crate::grants::typed_mode;
use crate::retype::{SHOWN_MAX, assigned};
use handbox_hand::Tool;
use std::path::Path;

/// What an input that cannot be read may be due to: a folder or a mode behind a flag of Handbox, or a text without quotes.
pub(crate) fn explain(failure: Failure, command: &Call, tool: &Tool, cwd: &Path) -> Failure {
    if let Some(misplaced) = command.loose.iter().find_map(|loose| misplaced(loose, &command.input, cwd)) {
        return misplaced;
    }
    let Some(quoted) = command.loose.iter().find_map(|loose| quoted(loose, tool)) else { return failure };
    let quoted = format!("if that is one text, quote it: {quoted}");
    let hint = match &failure.hint {
        Some(hint) if hint.starts_with("write: ") => format!("{hint}; or, {quoted}"),
        _ => quoted,
    };
    failure.hint(hint)
}

/// Explains why what stands where the bundle should be is none: it was meant for the flag before it.
pub(crate) fn for_a_bundle(command: &Call, cwd: &Path) -> Option<Failure> {
    let bundle = std::slice::from_ref(&command.bundle);
    command.loose.iter().find_map(|loose| misplaced(loose, bundle, cwd))
}

/// A folder or a mode right behind a flag of Handbox, where it became one of `words`.
pub(crate) fn misplaced(loose: &Loose, words: &[String], cwd: &Path) -> Option<Failure> {
    let Loose { flag, is_ours: true, value, words: behind } = loose else { return None };
    let word = behind.first().filter(|word| words.contains(word))?;
    let is_mode = matches!(word.as_str(), "ro" | "rw");
    let host = word.split(':').next().unwrap_or_default();
    let is_folder = !is_mode && !host.is_empty() && cwd.join(host).is_dir();
    let dir = |text: &str| format!("--dir {}", shell_word(text));
    let with_mode = if typed_mode(word).is_some() { word.clone() } else { format!("{word}:rw") };
    let hint = match (flag.as_str(), value.as_deref()) {
        ("write", _) if word == "rw" => {
            "leave out rw: --write alone grants the current folder for writing; for another one: --dir FOLDER:rw"
                .to_owned()
        }
        ("write", _) if is_folder => format!("to grant that folder for writing, write {} instead", dir(&with_mode)),
        ("dir", Some(first)) if is_mode && typed_mode(first).is_none() => {
            format!("the mode stands behind a colon: {}", dir(&format!("{first}:{word}")))
        }
        ("dir", Some(first)) if is_folder => {
            let apart = if word.contains(':') { word.clone() } else { format!("{word}:/data") };
            format!("each folder has a --dir of its own: {} {}", dir(first), dir(&apart))
        }
        _ if is_folder => format!("to grant that folder, write {}", dir(word)),
        _ => return None,
    };
    let takes = if value.is_some() { "takes one value" } else { "takes no value" };
    Some(Failure::usage(format!("--{flag} {takes}, and {word:?} stands behind it")).hint(hint))
}

/// The flag of a tool with all the words behind it as its one text.
fn quoted(loose: &Loose, tool: &Tool) -> Option<String> {
    let (name, schema) = property(tool, &loose.flag).filter(|_| !loose.is_ours)?;
    let is_other = |word: &String| assigned(tool, word).is_some() || word.starts_with(['{', '@']);
    if kind(schema) != "string" || loose.words.iter().any(is_other) {
        return None;
    }
    let text = format!("{} {}", loose.value.as_deref()?, loose.words.join(" "));
    let shown = if text.len() > SHOWN_MAX { "'… …'".to_owned() } else { shell_word(&text) };
    Some(format!("{} {shown}", shell_word(&format!("--{name}"))))
}
