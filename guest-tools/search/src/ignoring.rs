//! Which files a search leaves out, as ripgrep does.
//!
//! The rules are ripgrep's own, from the crate `ignore`; only the walk is ours, since a
//! folder's list already says which ignore files it has, and each one that is not there
//! would cost a call. In order of strength: `.rgignore`, `.ignore`, `.gitignore`,
//! `.git/info/exclude`; within a kind the innermost folder wins; what none of them names is
//! left out if it is hidden.
//!
//! One difference: `.gitignore` counts whether or not a `.git` is in sight, because the
//! repository's own folder may lie above what was granted.

use crate::tree::{Entry, Folder};
use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;
use std::rc::Rc;

/// The kinds of ignore files, strongest first.
const NAMES: [&str; 3] = [".rgignore", ".ignore", ".gitignore"];
const GITIGNORE: usize = 2;
const EXCLUDE: &str = ".git/info/exclude";

/// The largest ignore file that is looked at.
const IGNORE_FILE_BYTES_MAX: usize = 1024 * 1024;

/// The rules that hold in a folder.
#[derive(Clone, Default)]
pub(crate) struct Rules(Option<Rc<Level>>);

/// The rules of one folder that has some, on top of those above it.
struct Level {
    /// By kind, as in `NAMES`, and then the repository's exclude file.
    kinds: [Option<Gitignore>; 4],
    /// It has a `.git`: what Git ignores above it does not hold within.
    repository: bool,
    above: Rules,
}

impl Rules {
    /// The rules within a folder, given those of the folder around it. `path` is the
    /// folder's own, from the granted folder on.
    pub(crate) fn within(&self, folder: &Folder, path: &str, entries: &[Entry]) -> Self {
        let has = |name: &str| entries.iter().any(|entry| entry.name == name);
        self.add(folder, path, has)
    }

    /// The same where the folder is not listed, on the way to where the search starts.
    pub(crate) fn on_the_way(&self, folder: &Folder, path: &str) -> Self {
        self.add(folder, path, |name| name != ".git" || folder.kind(".git").is_ok())
    }

    fn add(&self, folder: &Folder, path: &str, has: impl Fn(&str) -> bool) -> Self {
        let repository = has(".git");
        let [rgignore, ignore, gitignore] = NAMES.map(|name| has(name).then(|| load(folder, path, name)).flatten());
        let exclude = repository.then(|| load(folder, path, EXCLUDE)).flatten();
        let kinds = [rgignore, ignore, gitignore, exclude];
        if !repository && kinds.iter().all(Option::is_none) {
            return self.clone();
        }
        Self(Some(Rc::new(Level { kinds, repository, above: self.clone() })))
    }

    /// Whether an entry is left out. `path` is from the granted folder on.
    pub(crate) fn leave_out(&self, path: &str, name: &str, is_folder: bool) -> bool {
        match self.verdict(Path::new(path), is_folder) {
            Match::Ignore(()) => true,
            Match::Whitelist(()) => false,
            Match::None => name.starts_with('.'),
        }
    }

    fn verdict(&self, path: &Path, is_folder: bool) -> Match<()> {
        let mut verdicts = [const { Match::None }; 4];
        let mut git = true;
        let mut next = &self.0;
        while let Some(level) = next {
            for (kind, (verdict, rules)) in verdicts.iter_mut().zip(&level.kinds).enumerate() {
                if let (Match::None, Some(rules), true) = (&verdict, rules, git || kind < GITIGNORE) {
                    *verdict = rules.matched(path, is_folder).map(|_| ());
                }
            }
            git &= !level.repository;
            next = &level.above.0;
        }
        verdicts.into_iter().find(|verdict| !verdict.is_none()).unwrap_or(Match::None)
    }
}

/// Reads one ignore file. A line that is no pattern is passed over, as ripgrep does.
fn load(folder: &Folder, path: &str, name: &str) -> Option<Gitignore> {
    let mut bytes = Vec::new();
    folder.open(name).ok()?.fill(&mut bytes, IGNORE_FILE_BYTES_MAX).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut builder = GitignoreBuilder::new(path);
    for line in text.lines() {
        _ = builder.add_line(None, line);
    }
    builder.build().ok().filter(|rules| !rules.is_empty())
}
