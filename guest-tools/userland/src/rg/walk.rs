//! Which files are searched.

use super::{STDIN, last, number, times};
use crate::options::Given;
use ignore::overrides::OverrideBuilder;
use ignore::types::{Types, TypesBuilder};
use ignore::{Walk, WalkBuilder};
use std::path::{Path, PathBuf};

/// Something to search.
pub(super) enum Found {
    Stdin,
    File {
        path: PathBuf,
        /// It was named itself, not only the folder that it is in.
        asked_for: bool,
    },
}

/// Calls for each thing to search, sorted by name, or for what is wrong with one; until false is answered.
pub(super) fn each(
    given: &Given,
    operands: &[String],
    mut call: impl FnMut(Result<Found, String>) -> bool,
) -> Result<(), String> {
    if operands.is_empty() {
        return walk(given, None, &mut call).map(|_| ());
    }
    for operand in operands {
        let goes_on = if operand == STDIN { call(Ok(Found::Stdin)) } else { walk(given, Some(operand), &mut call)? };
        if !goes_on {
            break;
        }
    }
    Ok(())
}

fn walk(
    given: &Given,
    operand: Option<&str>,
    call: &mut impl FnMut(Result<Found, String>) -> bool,
) -> Result<bool, String> {
    for entry in walker(given, operand.unwrap_or("./"))? {
        let found = match entry {
            Ok(entry) => {
                let asked_for = entry.depth() == 0;
                let is_file = entry.file_type().is_some_and(|kind| kind.is_file() || asked_for && !kind.is_dir());
                if !is_file {
                    continue;
                }
                let path = entry.path();
                let path = if operand.is_none() { path.strip_prefix("./").unwrap_or(path) } else { path };
                Ok(Found::File { path: path.to_owned(), asked_for })
            }
            Err(error) => Err(explain(&error)),
        };
        if !call(found) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn explain(error: &ignore::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

fn walker(given: &Given, path: &str) -> Result<Walk, String> {
    let unrestricted = times(given, 'u');
    let all = given.has('(') || unrestricted > 0;
    let hidden = matches!(last(given, ".}"), Some('.')) || unrestricted > 1;
    let version_control = !all && !given.has(')');
    let mut builder = WalkBuilder::new(path);
    builder
        .hidden(!hidden)
        .ignore(!all && !given.has('<'))
        .git_ignore(version_control)
        .git_exclude(version_control && !given.has(';'))
        // Whoever uses this has no home.
        .git_global(false)
        .parents(!all && !given.has('>'))
        // The repository's own folder may lie above what was granted.
        .require_git(false)
        .follow_links(given.has('L'))
        .max_depth(number(given, 'd')?)
        .max_filesize(given.value('-').map(size).transpose()?)
        .types(types(given)?)
        .overrides(overrides(given)?)
        .sort_by_file_name(std::cmp::Ord::cmp);
    if !all && !given.has('<') {
        builder.add_custom_ignore_filename(".rgignore");
    }
    for path in given.values('%') {
        if let Some(error) = builder.add_ignore(path) {
            return Err(explain(&error));
        }
    }
    Ok(builder.build())
}

/// A size as `10`, `10K`, `10M` or `10G`.
fn size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K') => (&text[..text.len() - 1], 10),
        Some(b'M') => (&text[..text.len() - 1], 20),
        Some(b'G') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: Option<u64> = digits.parse().ok();
    number.and_then(|number| number.checked_mul(1 << shift)).ok_or_else(|| format!("invalid file size '{text}'"))
}

fn overrides(given: &Given) -> Result<ignore::overrides::Override, String> {
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let mut builder = OverrideBuilder::new(folder);
    for (letter, glob) in given.options.iter().filter(|(letter, _)| "g4".contains(*letter)) {
        let ignores_case = *letter == '4' || given.has('5');
        builder.case_insensitive(ignores_case).map_err(|error| explain(&error))?;
        builder.add(glob).map_err(|error| explain(&error))?;
    }
    builder.build().map_err(|error| explain(&error))
}

fn type_builder(given: &Given) -> Result<TypesBuilder, String> {
    let mut builder = TypesBuilder::new();
    builder.add_defaults();
    for name in given.values('7') {
        builder.clear(name);
    }
    for definition in given.values('6') {
        builder.add_def(definition).map_err(|error| explain(&error))?;
    }
    Ok(builder)
}

fn types(given: &Given) -> Result<Types, String> {
    let mut builder = type_builder(given)?;
    for (letter, name) in &given.options {
        match letter {
            't' => _ = builder.select(name),
            'T' => _ = builder.negate(name),
            _ => {}
        }
    }
    builder.build().map_err(|error| explain(&error))
}

/// Prints the kinds of files there are.
pub(super) fn list_types(given: &Given) -> Result<u8, String> {
    let mut out = String::new();
    for definition in type_builder(given)?.definitions() {
        out.push_str(&format!("{}: {}\n", definition.name(), definition.globs().join(", ")));
    }
    Ok(u8::from(!crate::print(out.as_bytes())))
}

/// Prints the files that would be searched.
pub(super) fn list_files(given: &Given, operands: &[String]) -> Result<u8, String> {
    let (mut out, mut failed) = (Vec::new(), false);
    let end = if given.has('0') { 0 } else { b'\n' };
    each(given, operands, |found| {
        match found {
            Ok(Found::File { path, .. }) => {
                out.extend_from_slice(Path::new(&path).to_string_lossy().as_bytes());
                out.push(end);
            }
            Ok(Found::Stdin) => {}
            Err(problem) => {
                crate::report("rg", &problem);
                failed = true;
            }
        }
        !given.has('q') || out.is_empty()
    })?;
    let written = given.has('q') || crate::print(&out);
    Ok(if failed || !written { 2 } else { u8::from(out.is_empty()) })
}
