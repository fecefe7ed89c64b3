//! Which files are searched.

use crate::about::About;
use crate::options::Given;
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::fs;
use std::path::Path;

pub(super) const IS_DIRECTORY: &str = "Is a directory";

/// A file to search, or why one is not.
pub(super) type Found = Result<String, (String, String)>;

/// The files that operands stand for, in order; folders' entries sorted.
pub(super) fn files(given: &Given, operands: Vec<String>, recursive: bool) -> Vec<Found> {
    let filter = Filter::new(given);
    let mut found = Vec::new();
    if operands.is_empty() {
        if recursive {
            filter.descend("", &mut Vec::new(), &mut found);
        } else {
            found.push(Ok("-".to_owned()));
        }
        return found;
    }
    for operand in operands {
        // Made absolute, it would be the working folder.
        if operand.is_empty() {
            found.push(Err((operand, "No such file or directory".to_owned())));
            continue;
        }
        let is_folder = operand != "-" && Path::new(&operand).is_dir();
        if is_folder && recursive {
            if !filter.folder_excluded(&operand) {
                filter.descend(&operand, &mut Vec::new(), &mut found);
            }
        } else if is_folder && given.value('d') == Some("skip") {
        } else if is_folder {
            found.push(Err((operand, IS_DIRECTORY.to_owned())));
        } else if operand == "-" || filter.accepts(&operand) {
            found.push(Ok(operand));
        }
    }
    found
}

struct Filter {
    include: Option<GlobSet>,
    exclude: GlobSet,
    exclude_folders: GlobSet,
    follow: bool,
}

impl Filter {
    fn new(given: &Given) -> Self {
        let include = given.has('+').then(|| globs(given.values('+')));
        Self {
            include,
            exclude: globs(given.values('-')),
            exclude_folders: globs(given.values('/')),
            follow: given.has('R'),
        }
    }

    fn accepts(&self, path: &str) -> bool {
        let name = file_name(path);
        let included = self.include.as_ref().is_none_or(|include| include.is_match(name));
        included && !self.exclude.is_match(name)
    }

    fn folder_excluded(&self, path: &str) -> bool {
        self.exclude_folders.is_match(file_name(path)) || self.exclude_folders.is_match(path)
    }

    /// `above`: the folders that it is entered from, and it.
    fn descend(&self, folder: &str, above: &mut Vec<(u64, u64)>, found: &mut Vec<Found>) {
        let here = if folder.is_empty() { "." } else { folder };
        // Only where links are followed can a folder lie in itself.
        let about = if self.follow { About::of(here).ok() } else { None };
        let number = about.map(|about| (about.device, about.inode));
        if number.is_some_and(|number| above.contains(&number)) {
            crate::report("grep", &format!("{here}: warning: recursive directory loop"));
            return;
        }
        above.extend(number);
        self.entries(folder, above, found);
        if number.is_some() {
            above.pop();
        }
    }

    fn entries(&self, folder: &str, above: &mut Vec<(u64, u64)>, found: &mut Vec<Found>) {
        let (names, fault) = crate::listing::names(if folder.is_empty() { "." } else { folder });
        if let Some(error) = fault {
            let named = if folder.is_empty() { "." } else { folder };
            found.push(Err((named.to_owned(), crate::reason(&error))));
        }
        for name in names {
            let path = match folder {
                "" => name,
                _ if folder.ends_with('/') => format!("{folder}{name}"),
                _ => format!("{folder}/{name}"),
            };
            let Ok(kind) = fs::symlink_metadata(&path).map(|about| about.file_type()) else { continue };
            let (is_folder, is_file) = if kind.is_symlink() {
                // Links are followed only where that was asked for.
                if !self.follow {
                    continue;
                }
                let target = fs::metadata(&path);
                (target.as_ref().is_ok_and(fs::Metadata::is_dir), target.is_ok_and(|target| target.is_file()))
            } else {
                (kind.is_dir(), kind.is_file())
            };
            if is_folder && !self.folder_excluded(&path) {
                self.descend(&path, above, found);
            } else if is_file && self.accepts(&path) {
                found.push(Ok(path));
            }
        }
    }
}

fn file_name(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn globs<'a>(patterns: impl Iterator<Item = &'a str>) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        if let Ok(glob) = Glob::new(pattern.trim_end_matches('/')) {
            set.add(glob);
        }
    }
    set.build().unwrap_or_default()
}
