//! Which files a pattern names.

use crate::pattern::{Pattern, is_pattern};
use crate::shell::Shell;
use crate::state::{DOTGLOB, GLOBSTAR, NOCASEGLOB};
use std::path::Path;

impl Shell {
    /// The files that a pattern names, sorted. None if there are none.
    pub(crate) fn glob(&self, pattern: &str) -> Vec<String> {
        let absolute = pattern.starts_with('/');
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
        let mut found = vec![if absolute { "/".to_owned() } else { String::new() }];
        for (at, part) in parts.iter().enumerate() {
            let last = at + 1 == parts.len();
            found = self.glob_part(&found, part, last && !pattern.ends_with('/'));
            if found.is_empty() {
                return found;
            }
        }
        if pattern.ends_with('/') {
            found = found
                .into_iter()
                .filter(|path| !path.is_empty())
                .map(|path| format!("{}/", path.trim_end_matches('/')))
                .filter(|path| Path::new(&self.absolute(path)).is_dir())
                .collect();
        }
        found.sort();
        found.dedup();
        found
    }

    fn glob_part(&self, found: &[String], part: &str, last: bool) -> Vec<String> {
        let mut next = Vec::new();
        if part == "**" && self.state.shopt(GLOBSTAR) {
            for folder in found {
                if !last {
                    next.push(folder.clone());
                } else if !folder.is_empty() {
                    next.push(format!("{folder}/"));
                }
                self.descend(folder, last, &mut next, 0);
            }
            return next;
        }
        if !is_pattern(part, true) {
            let name = unescaped(part);
            let exists = |path: &String| Path::new(&self.absolute(path)).symlink_metadata().is_ok();
            return found.iter().map(|folder| join(folder, &name)).filter(exists).collect();
        }
        let pattern = Pattern::new(part).ignoring_case(self.state.shopt(NOCASEGLOB));
        for folder in found {
            for (name, is_folder) in self.entries(folder) {
                if (is_folder || last) && self.shown(&name, &pattern) && pattern.matches(&name) {
                    next.push(join(folder, &name));
                }
            }
            if pattern.starts_with_dot() {
                let dots = [".", ".."].into_iter().filter(|name| pattern.matches(name) && !part.contains('*'));
                next.extend(dots.map(|name| join(folder, name)));
            }
        }
        next
    }

    fn shown(&self, name: &str, pattern: &Pattern) -> bool {
        !name.starts_with('.') || self.state.shopt(DOTGLOB) || pattern.starts_with_dot()
    }

    fn descend(&self, folder: &str, files: bool, next: &mut Vec<String>, depth: usize) {
        for (name, is_folder) in self.entries(folder) {
            if name.starts_with('.') && !self.state.shopt(DOTGLOB) {
                continue;
            }
            let path = join(folder, &name);
            let link = Path::new(&self.absolute(&path)).is_symlink();
            if is_folder || files {
                next.push(path.clone());
            }
            if is_folder && !link && depth < 64 {
                self.descend(&path, files, next, depth + 1);
            }
        }
    }

    /// The names in a folder, and whether each is one itself.
    fn entries(&self, folder: &str) -> Vec<(String, bool)> {
        let path = self.absolute(if folder.is_empty() { "." } else { folder });
        let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
        let about = |entry: std::fs::DirEntry| {
            let name = crate::text::from_bytes(entry.file_name().as_encoded_bytes());
            let kind = entry.file_type().ok();
            let folder = kind.is_some_and(|kind| kind.is_dir() || (kind.is_symlink() && entry.path().is_dir()));
            (name, folder)
        };
        entries.flatten().map(about).collect()
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() || folder.ends_with('/') { format!("{folder}{name}") } else { format!("{folder}/{name}") }
}

fn unescaped(part: &str) -> String {
    let mut text = String::new();
    let mut chars = part.chars();
    while let Some(c) = chars.next() {
        text.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    text
}
