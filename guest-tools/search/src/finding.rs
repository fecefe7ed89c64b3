//! `glob`.

use crate::Glob;
use crate::tree::{self, Folder, Found, Kind, Time};
use globset::{GlobBuilder, GlobMatcher};
use handbox_guest_support::{OUTPUT_CHARS_MAX, Room, Workspace, fault, thousands};
use handbox_tool::Fault;
use std::cmp::Reverse;

/// How deep folders are followed. Each level holds one open folder of the host.
const DEPTH_MAX: usize = 100;

/// What makes a part of a pattern more than a name.
const SPECIAL: [char; 6] = ['*', '?', '[', ']', '{', '\\'];

/// Finds what matches a pattern.
pub(crate) fn run(workspace: &Workspace, input: &Glob) -> Result<String, Fault> {
    let (path, pattern) = split(input)?;
    let (place, shown) = tree::start(workspace, path.as_deref())?;
    let glob = GlobBuilder::new(pattern).literal_separator(true).empty_alternates(true).build();
    let matcher = glob.map_err(|error| Fault::invalid(format!("pattern: {error}")))?.compile_matcher();
    let folder = match tree::open(&place)? {
        Found::Folder(folder) => folder,
        Found::File(_) => {
            let path = &place.shown;
            return Err(Fault::invalid(format!("path: {path} is a file; give the folder to look in")));
        }
    };
    let mut search = Search { matcher, depth: depth(pattern), found: Vec::new() };
    search.folder(&folder, &mut String::new(), 0).map_err(|error| fault("list", &place.shown, &error))?;
    // Of the same age, the order of paths: the answer must not depend on the folder's.
    search.found.sort_unstable_by(|(a, a_path), (b, b_path)| (Reverse(a), a_path).cmp(&(Reverse(b), b_path)));
    Ok(listing(&shown, &search.found))
}

/// Splits off the parts of a pattern that are plain names: they say where to start. The
/// last part stays, so that there is something to match.
fn split(input: &Glob) -> Result<(Option<String>, &str), Fault> {
    let pattern = input.pattern.trim_start_matches("./");
    if pattern.is_empty() {
        return Err(Fault::invalid("pattern is empty; **/* matches everything"));
    }
    let special = pattern.find(SPECIAL).unwrap_or(pattern.len());
    let (plain, rest) = match pattern[..special].rfind('/') {
        Some(0) => ("/", &pattern[1..]),
        Some(slash) => (&pattern[..slash], &pattern[slash + 1..]),
        None => ("", pattern),
    };
    if rest.split('/').any(|part| part == "..") {
        return Err(Fault::invalid("pattern: `..` cannot follow a wildcard; start from another path"));
    }
    let path = input.path.as_deref().unwrap_or_default();
    let path = match (path, plain) {
        ("", "") => None,
        ("", plain) => Some(plain.to_owned()),
        (path, "") => Some(path.to_owned()),
        (_, plain) if plain.starts_with('/') => Some(plain.to_owned()),
        (path, plain) => Some(format!("{}/{plain}", path.trim_end_matches('/'))),
    };
    Ok((path, rest))
}

/// How many levels of folders a pattern can reach, if it says.
fn depth(pattern: &str) -> usize {
    // Alternatives may hide slashes, and `**` any number of them.
    let known = !pattern.contains("**") && !pattern.contains('{');
    if known { pattern.split('/').count() - 1 } else { DEPTH_MAX }
}

/// One run of `glob`.
struct Search {
    matcher: GlobMatcher,
    depth: usize,
    found: Vec<(Time, String)>,
}

impl Search {
    fn folder(&mut self, folder: &Folder, path: &mut String, depth: usize) -> std::io::Result<()> {
        for entry in folder.entries()? {
            let is_folder = entry.kind == Kind::Folder;
            if is_folder && entry.name == ".git" {
                continue;
            }
            let before = path.len();
            path.push_str(&entry.name);
            if self.matcher.is_match(&*path)
                && let Ok(changed) = folder.changed(&entry.name)
            {
                let slash = if is_folder { "/" } else { "" };
                self.found.push((changed, format!("{path}{slash}")));
            }
            if is_folder && depth < self.depth {
                path.push('/');
                // One that cannot be read, or is gone by now, does not end the search.
                _ = folder.enter(&entry.name).and_then(|child| self.folder(&child, path, depth + 1));
            }
            path.truncate(before);
        }
        Ok(())
    }
}

/// One path a line, as many as there is room for.
fn listing(shown: &str, found: &[(Time, String)]) -> String {
    let mut text = String::new();
    let mut room = Room::default();
    for (i, (_, path)) in found.iter().enumerate() {
        let before = text.len();
        text.push_str(shown);
        text.push_str(path);
        text.push('\n');
        if !room.take(&text[before..]) {
            text.truncate(before);
            let (max, rest) = (thousands(OUTPUT_CHARS_MAX as u64), thousands((found.len() - i) as u64));
            return format!(
                "{text}[Cut at {max} characters: {rest} older ones are not shown. Use a narrower pattern or path.]"
            );
        }
    }
    if text.pop().is_none() {
        return "no matches".to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Granted;
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    fn finding(granted: &Granted, pattern: &str, path: Option<&str>) -> Result<String, Fault> {
        run(&granted.workspace, &Glob { pattern: pattern.into(), path: path.map(str::to_owned) })
    }

    /// The matches without their order.
    fn set(granted: &Granted, pattern: &str, path: Option<&str>) -> Vec<String> {
        let mut found: Vec<_> = finding(granted, pattern, path).unwrap().lines().map(str::to_owned).collect();
        found.sort();
        found
    }

    #[test]
    fn the_newest_come_first_and_ties_go_by_path() {
        let names = ["old.rs", "new.rs", "tie-b.rs", "tie-a.rs"];
        let granted = Granted::with(&names.map(|name| (name, b"".as_slice())));
        let now = SystemTime::now();
        for (name, age) in names.into_iter().zip([30, 10, 20, 20]) {
            let file = File::options().write(true).open(granted.folder.path().join(name)).unwrap();
            file.set_modified(now - Duration::from_secs(age)).unwrap();
        }
        assert_eq!(finding(&granted, "*.rs", None).unwrap(), "new.rs\ntie-a.rs\ntie-b.rs\nold.rs");
    }

    #[test]
    fn stars_respect_folders() {
        let granted = Granted::with(&[
            ("a.rs", b""),
            ("src/b.rs", b""),
            ("src/deep/c.rs", b""),
            (".github/d.rs", b""),
            (".git/e.rs", b""),
            ("docs/f.md", b""),
        ]);
        assert_eq!(set(&granted, "*.rs", None), ["a.rs"]);
        assert_eq!(set(&granted, "**/*.rs", None), [".github/d.rs", "a.rs", "src/b.rs", "src/deep/c.rs"]);
        assert_eq!(set(&granted, "src/**/*.rs", None), ["src/b.rs", "src/deep/c.rs"]);
        assert_eq!(set(&granted, "*/*.{rs,md}", None), [".github/d.rs", "docs/f.md", "src/b.rs"]);
        assert_eq!(set(&granted, "*", None), [".github/", "a.rs", "docs/", "src/"]);
        assert_eq!(set(&granted, "src/b.rs", None), ["src/b.rs"]);
        assert_eq!(set(&granted, "**/c.rs", Some("src")), ["src/deep/c.rs"]);
        assert_eq!(set(&granted, "deep/*", Some("./src/")), ["src/deep/c.rs"]);
        assert_eq!(set(&granted, "/workspace/src/*.rs", None), ["/workspace/src/b.rs"]);
        assert_eq!(set(&granted, "*.txt", None), ["no matches"]);
    }

    #[test]
    fn what_cannot_be_found_says_why() {
        let granted = Granted::with(&[("a", b"")]);
        assert!(matches!(finding(&granted, "/etc/*", None), Err(Fault::Denied(_))));
        assert!(matches!(finding(&granted, "../*", None), Err(Fault::Denied(_))));
        assert!(matches!(finding(&granted, "*/../x", None), Err(Fault::InvalidInput(_))));
        assert!(matches!(finding(&granted, "[", None), Err(Fault::InvalidInput(_))));
        assert!(matches!(finding(&granted, "*", Some("a")), Err(Fault::InvalidInput(_))));
        assert!(matches!(finding(&granted, "*", Some("nope")), Err(Fault::Failed(_))));
    }

    #[test]
    fn long_lists_are_cut_after_the_newest() {
        let name = "n".repeat(200);
        let names: Vec<String> = (0..600).map(|i| format!("{name}{i:03}")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
        let found = finding(&Granted::with(&files), "**", None).unwrap();
        assert!(found.ends_with("older ones are not shown. Use a narrower pattern or path.]"));
        assert_eq!(found.lines().count(), 491);
    }
}
