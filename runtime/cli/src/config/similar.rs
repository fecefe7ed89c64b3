//! What somebody may have meant who named a bundle that is not there.

use crate::describe::shell_word;
use std::path::Path;

/// Longer words are not compared.
const WORD_CHARS_MAX: usize = 64;
/// A folder with more files than this is not searched to its end.
const FILES_MAX: usize = 1_000;

/// The name, or the component in the current folder, that is most like `word`.
pub(crate) fn to(word: &str, names: impl Iterator<Item = String>, folder: &Path) -> Option<String> {
    let name = word.trim_start_matches("./");
    let stem = name.strip_suffix(".wasm").unwrap_or(name);
    let stem = stem.strip_suffix(".tool").unwrap_or(stem).to_lowercase();
    if stem.is_empty() || stem.chars().count() > WORD_CHARS_MAX || stem.contains('/') {
        return None;
    }
    let files = std::fs::read_dir(folder).into_iter().flatten().take(FILES_MAX).flatten();
    let files = files.filter_map(|entry| entry.file_name().into_string().ok());
    let mut files: Vec<String> = files.filter(|file| file.ends_with(".wasm") && file != name).collect();
    // `x.tool.wasm` is the packed one.
    files.sort_by_key(|file| (!file.ends_with(".tool.wasm"), file.clone()));
    let files = files.into_iter().map(|file| {
        let known = file.trim_end_matches(".wasm").trim_end_matches(".tool").to_lowercase();
        // The slip may be in the ends.
        let far = distance(&stem, &known).min(distance(name, &file));
        (far, shell_word(&format!("./{file}")))
    });
    let names = names.map(|name| (distance(&stem, &name.to_lowercase()), name));
    let ranked = files.chain(names);
    let allowed = if stem.chars().count() < 4 { 1 } else { 2 };
    ranked.filter(|(far, _)| *far <= allowed).min_by_key(|(far, _)| *far).map(|(_, shown)| shown)
}

/// The flag or tool among `names` that `word` is a slip of.
pub(crate) fn one_of(word: &str, names: impl Iterator<Item = String>) -> Option<String> {
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let count = word.chars().count();
    if !(3..=WORD_CHARS_MAX).contains(&count) {
        return None;
    }
    let typed = letters(word);
    let far = |name: &str| if letters(name) == typed { 1 } else { distance(word, name) };
    let ranked = names.map(|name| (far(&name), name));
    let allowed = if count < 5 { 1 } else { 2 };
    ranked.filter(|(far, _)| *far <= allowed).min_by_key(|(far, _)| *far).map(|(_, name)| name)
}

/// How many characters have to be added, removed or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(WORD_CHARS_MAX * 2).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, a) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (column, b) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_characters() {
        for (one, other, far) in [("st", "std", 1), ("notes", "notes", 0), ("ntoes", "notes", 2), ("", "abc", 3)] {
            assert_eq!(distance(one, other), far, "{one} {other}");
        }
    }

    #[test]
    fn slips_of_flags_are_told_from_other_words() {
        let flag = |word: &str| one_of(word, ["write", "dir", "log", "data"].map(str::to_owned).into_iter());
        assert_eq!((flag("wirte").as_deref(), flag("dri").as_deref()), (Some("write"), Some("dir")));
        assert_eq!((flag("loud"), flag("day"), flag("path")), (None, None, None));
    }

    #[test]
    fn the_packed_component_is_meant_rather_than_the_built_one() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["notes.wasm", "notes.tool.wasm"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let to = |word: &str| to(word, ["std".to_owned()].into_iter(), folder.path());
        assert_eq!(to("notes").as_deref(), Some("./notes.tool.wasm"));
        assert_eq!(to("st").as_deref(), Some("std"));
        assert_eq!(to("./notes.tool.wsam").as_deref(), Some("./notes.tool.wasm"));
        assert_eq!((to("other"), to("a/b")), (None, None));
    }
}
