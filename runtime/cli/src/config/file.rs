//! One configuration file: read once, with bounds, and where its keys stand.

use super::source::Place;
use crate::failure::Failure;
use handbox_bundle::{Digest, TOML_BYTES_MAX};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file as it was read: what is hashed is what is parsed.
pub(crate) struct TextFile {
    /// As it was named, absolute.
    pub(crate) path: Arc<Path>,
    pub(crate) text: String,
    pub(crate) digest: Digest,
}

impl TextFile {
    /// Reads a regular file of at most [`TOML_BYTES_MAX`]; `None` if there is none.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let Some(bytes) = read_bounded(path, TOML_BYTES_MAX as u64)? else { return Ok(None) };
        let digest = Digest::of(&bytes);
        let text = String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count() + 1;
            Failure::usage(format!("{}:{line}: not UTF-8", path.display())).hint("save it as UTF-8")
        })?;
        Ok(Some(Self { path: path.into(), text, digest }))
    }

    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }
}

/// Reads a regular file; `None` if there is none.
pub(super) fn read_bounded(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!("cannot read {}: {error}", path.display())).hint("check that you may read it")
    };
    // Asked before opening, because opening a FIFO would wait for a writer.
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        // A link that leads nowhere was meant to lead somewhere.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.is_symlink() => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if !about.is_file() {
        let what = if about.is_dir() { "a folder" } else { "not a regular file" };
        let failure = Failure::usage(format!("{} is {what}", path.display()));
        return Err(failure.hint("name a text file, or move this away"));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("{} is larger than the {} KiB that are read", path.display(), bytes_max >> 10);
        return Err(Failure::usage(message).hint("make it smaller, or name another file"));
    }
    Ok(Some(bytes))
}

/// Where the keys of a TOML text stand.
pub(crate) struct Lines<'t> {
    file: Arc<Path>,
    text: &'t str,
    root: Option<DeTable<'t>>,
}

impl<'t> Lines<'t> {
    /// For a text that parses; for another, every place is line 1.
    pub(crate) fn of(file: &'t TextFile) -> Self {
        let root = DeTable::parse(&file.text).ok().map(Spanned::into_inner);
        Self { file: Arc::clone(&file.path), text: &file.text, root }
    }

    /// The line of the key that `path` leads to, or of the last one on the way that is
    /// there. Elements of lists are named by their number from 0.
    pub(crate) fn place(&self, path: &[&str]) -> Place {
        let mut start = 0;
        let mut table = self.root.as_ref();
        let mut list = None;
        for part in path {
            let (span, value) = match (table, list) {
                (Some(within), _) => match within.iter().find(|(key, _)| key.get_ref() == part) {
                    Some((key, value)) => (key.span(), value),
                    None => break,
                },
                (None, Some(within)) => match nth(within, part) {
                    Some(value) => (value.span(), value),
                    None => break,
                },
                (None, None) => break,
            };
            start = span.start;
            table = as_table(value);
            list = as_list(value);
        }
        let before = self.text.get(..start).unwrap_or_default();
        Place { file: Arc::clone(&self.file), line: before.matches('\n').count() + 1 }
    }

    /// The line of the table that `path` leads to, if it is written out.
    pub(crate) fn line_if_there(&self, path: &[&str]) -> Option<usize> {
        let (last, parents) = path.split_last()?;
        let parent = parents.iter().try_fold(self.root.as_ref()?, |table, part| {
            table.iter().find(|(key, _)| key.get_ref() == part).and_then(|(_, value)| as_table(value))
        })?;
        parent.iter().any(|(key, _)| key.get_ref() == last).then(|| self.place(path).line)
    }
}

fn nth<'v, 't>(list: &'v [Spanned<DeValue<'t>>], part: &str) -> Option<&'v Spanned<DeValue<'t>>> {
    list.get(part.parse::<usize>().ok()?)
}

fn as_table<'v, 't>(value: &'v Spanned<DeValue<'t>>) -> Option<&'v DeTable<'t>> {
    match value.get_ref() {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn as_list<'v, 't>(value: &'v Spanned<DeValue<'t>>) -> Option<&'v [Spanned<DeValue<'t>>]> {
    match value.get_ref() {
        DeValue::Array(list) => Some(list),
        _ => None,
    }
}

/// The folders that hold a link on the way to `path`: whoever can write one of them can make
/// `path` lead elsewhere.
pub(crate) fn link_folders(path: &Path) -> Vec<PathBuf> {
    let links = path.ancestors().filter(|part| part.is_symlink());
    links.filter_map(|link| link.parent()?.canonicalize().ok()).collect()
}
