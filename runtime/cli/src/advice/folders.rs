//! What to do about a call that failed at a folder or a file.

use super::places::{self, Odd, Place, Places, guest};
use super::{About, Advice, NO_PREOPEN, sentence};
use crate::ceiling::{Ceiling, dir_flag};
use crate::describe::shell_word;
use crate::grants::typed_mode;
use crate::watch::Terminal;
use handbox_bundle::{FolderGrant, GUEST_PATH_DEFAULT, GapKind, Kind, Mode};
use serde_json::Value;
use std::path::{Path, PathBuf};

impl Advice<'_> {
    /// The folders that the tool sees.
    pub(super) fn folders(&self) -> Vec<FolderGrant> {
        let mut folders: Vec<FolderGrant> = Vec::new();
        for folder in self.components().flat_map(|one| one.component.effective(self.grants).grants.folders) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// Why the tool sees none of the folders that are granted.
    pub(super) fn unseen(&self) -> Option<String> {
        let host = self.cwd.to_owned();
        let usual = FolderGrant { host, guest: GUEST_PATH_DEFAULT.to_owned(), mode: Mode::ReadOnly };
        let asks_for_none = |one: &Ceiling<'_>| one.component.asks.folders.is_empty();
        let folder = match self.grants.folders.first() {
            Some(folder) => folder,
            None if self.components().all(|one| asks_for_none(&one)) => &usual,
            None => return None,
        };
        let kept = self.components().find_map(|one| one.keeps_folder(folder, self.wanted()))?;
        Some(sentence(&kept))
    }

    /// What is odd about the paths that the tool was given.
    pub(super) fn odd(&self, folders: &[FolderGrant], fault: &str, about: About) -> Option<String> {
        let protected: Vec<PathBuf> = self.protected.iter().chain(&self.bundle.files).cloned().collect();
        let places = Places { folders, protected: &protected };
        let texts = places::texts(self.input, fault);
        let first = |odd: &dyn Fn(&str) -> Option<Odd>| texts.iter().find_map(|text| odd(text));
        let writes = about == About::Refused && !self.typed.tool.hints.read_only;
        let loaded = if writes { first(&|text| places.loaded(text)) } else { None };
        // What the fault names is what the tool looked for; a text of the input need be no path.
        let named = places::texts(&Value::Null, fault);
        let missing = |text: &str| if about == About::Missing { places.no_folder(text) } else { None };
        let guessed = |text: &str| if places::may_be_path(text) { missing(text) } else { None };
        let odd = loaded
            .or_else(|| first(&|text| places.leaves(text)))
            .or_else(|| first(&|text| places.host(text)))
            .or_else(|| named.iter().find_map(|text| places.nowhere(text)))
            .or_else(|| named.iter().find_map(|text| missing(text)))
            .or_else(|| first(&guessed).filter(|_| named.is_empty()))
            .or_else(|| first(&|text| places.nowhere(text)).filter(|_| about == About::Missing));
        let Some(odd) = odd else {
            let usual = self.may_expect_usual(folders, fault).then(|| self.nowhere(GUEST_PATH_DEFAULT, folders, &[]));
            return usual.map(|hint| format!("{hint}{}", self.relative(folders, fault, about)));
        };
        Some(match odd {
            Odd::Loaded(Place { guest, host }) => format!(
                "Handbox loads {guest}, so no grant covers it: change it yourself (here {}), or have the tool write another \
                 file",
                host.display()
            ),
            Odd::Leaves(place) => {
                let free = free_path(folders);
                let (keep, mode) = (self.keep(), self.mode_for(about));
                format!(
                    "`..` and links cannot lead out of {place}: grant the folder that holds the file, {keep}--dir \
                     HOST:{free}:{mode}, and name {free}/FILE"
                )
            }
            Odd::Host(path) => format!("paths are the tool's, not this machine's: name {path}"),
            Odd::NoFolder(place) => {
                let perhaps = if named.is_empty() { "perhaps " } else { "" };
                let itself = if self.may_make_folders() {
                    "; if the tool is yours, std::fs::create_dir_all makes it"
                } else {
                    ""
                };
                format!("{perhaps}there is no folder {place}: make it first, or correct the path{itself}")
            }
            Odd::Nowhere(root) => self.nowhere(&root, folders, &texts),
        })
    }

    /// Where the granted folders are instead of at `root`, and how to have one there.
    fn nowhere(&self, root: &str, folders: &[FolderGrant], texts: &[&str]) -> String {
        let at: Vec<String> =
            folders.iter().map(|folder| format!("{} is granted at {}", folder.host.display(), folder.guest)).collect();
        let at = format!("nothing is at {root}: {}", at.join(", "));
        // The first is as good a guess as any.
        let Some(folder) = folders.first() else { return at };
        let granted = self.grants.folders.iter().find(|one| one.guest == folder.guest).unwrap_or(folder);
        let there = FolderGrant { guest: root.to_owned(), ..granted.clone() };
        let kept = self.components().find_map(|one| one.keeps_folder(&there, Mode::ReadOnly)).is_some();
        let flag = (!kept).then(|| format!("{}{}", self.keep(), dir_flag(&there, self.cwd)));
        let both = self.with_current(root);
        let both =
            both.map(|flags| format!("with a --dir, the current folder is granted only if it is named, too: {flags}"));
        let mut typed = Vec::new();
        places::collect(self.input, &mut typed);
        let mut typed_texts = texts.iter().filter(|text| typed.contains(text));
        let rest = typed_texts.find_map(|text| Path::new(text).strip_prefix(root).ok());
        match (rest, flag) {
            (Some(rest), Some(flag)) => {
                let both = both.map(|both| format!("; or, {both}")).unwrap_or_default();
                format!("{at}; name {}, or grant it at {root}: {flag}{both}", guest(folder, rest))
            }
            (Some(rest), None) => format!("{at}; name {}", guest(folder, rest)),
            (None, Some(flag)) => match both {
                Some(both) => format!("{at}; {both}; or, if the tool expects it at {root}: {flag}"),
                None => format!("{at}; if the tool expects {root}: {flag}"),
            },
            (None, None) => format!("{at}, and the tool asks for no folder at {root}; tell its author"),
        }
    }

    /// What was typed behind each flag of this name.
    pub(super) fn typed_values(&self, name: &str) -> Vec<&str> {
        let (mut values, mut words) = (Vec::new(), self.typed.ours.iter());
        while let Some(word) = words.next() {
            if word == name {
                values.extend(words.next().map(String::as_str));
            } else if let Some(value) = word.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
                values.push(value);
            }
        }
        values
    }

    /// Flags with this name among what was typed, whole.
    fn typed_flags(&self, name: &str) -> Vec<String> {
        self.typed_values(name).into_iter().map(|value| format!("{name} {}", shell_word(value))).collect()
    }

    /// What has to stand before a new --dir: a call has the current folder only as long as none is typed.
    pub(super) fn keep(&self) -> &'static str {
        let is_alone = self.watcher.is_some() && self.typed_flags("--dir").is_empty();
        let writes = self.typed.ours.iter().any(|word| word == "--write");
        let is_here = |folder: FolderGrant| folder.guest == GUEST_PATH_DEFAULT && folder.host == self.cwd;
        let has = is_alone && (self.write_helps || writes) && self.folders().into_iter().any(is_here);
        if has { "--dir . " } else { "" }
    }

    /// The --dir flags that were typed, with the current folder, if they are why nothing is at `root`.
    fn with_current(&self, root: &str) -> Option<String> {
        let typed = self.typed_flags("--dir");
        let host = self.cwd.to_owned();
        let here = FolderGrant { host, guest: GUEST_PATH_DEFAULT.to_owned(), mode: Mode::ReadOnly };
        let sees = self.components().any(|one| one.keeps_folder(&here, Mode::ReadOnly).is_none());
        let lost = root == GUEST_PATH_DEFAULT && self.watcher.is_some() && !typed.is_empty() && sees;
        lost.then(|| format!("{} {}", dir_flag(&here, self.cwd), typed.join(" ")))
    }

    /// How a folder has to be granted for what failed.
    pub(super) fn mode_for(&self, about: About) -> Mode {
        if about == About::Refused { self.wanted() } else { Mode::ReadOnly }
    }

    /// Whether it is a tool of somebody who may read this, and which writes.
    fn may_make_folders(&self) -> bool {
        self.wanted() == Mode::ReadWrite && !self.bundle.files.is_empty()
    }

    /// What may be missing if nothing says which path was looked for; empty unless something may be.
    pub(super) fn unmade(&self, folders: &[FolderGrant], fault: &str, about: About) -> String {
        let writable = folders.iter().any(|folder| folder.mode == Mode::ReadWrite);
        let names_path = places::texts(self.input, fault).into_iter().any(places::may_be_path);
        if about != About::Missing || !writable || names_path || !self.may_make_folders() {
            return String::new();
        }
        "perhaps the folder is missing that the file is to be in: if the tool is yours, std::fs::create_dir_all it first, \
         and put the path into the error; "
            .to_owned()
    }

    /// Whether a tool that names no path may have looked where folders usually are.
    fn may_expect_usual(&self, folders: &[FolderGrant], fault: &str) -> bool {
        let usual = folders.iter().any(|folder| folder.guest == GUEST_PATH_DEFAULT);
        !usual && self.joins_paths() && is_bare(fault)
    }

    /// What to do if --no-dir keeps every folder away: no other flag for folders goes with it.
    pub(super) fn no_dir_hint(&self) -> Option<String> {
        let gaps = self.components().flat_map(|one| one.component.effective(self.grants).gaps);
        let flag = gaps.filter(|gap| gap.kind == GapKind::Folder).map(|gap| self.asked(&gap)).next();
        let flag = flag.filter(|_| self.no_dir)?;
        let usual = self.components().any(|one| one.folder(GUEST_PATH_DEFAULT).is_some());
        Some(match (usual, self.wanted()) {
            (false, _) => format!("--no-dir grants no folder: write {flag} instead of it"),
            (true, Mode::ReadOnly) => {
                format!(
                    "--no-dir grants no folder: leave it out to grant the current one, or write {flag} instead of it"
                )
            }
            (true, Mode::ReadWrite) => {
                format!("--no-dir grants no folder: write --write instead of it to grant the current one, or {flag}")
            }
        })
    }

    /// The flags that make those folders writable that only their grant keeps from it.
    pub(crate) fn read_only_grants(&self) -> Vec<String> {
        let mut flags = Vec::new();
        for folder in self.grants.folders.iter().filter(|folder| folder.mode == Mode::ReadOnly) {
            if self.components().any(|one| one.folder(&folder.guest) == Some(Mode::ReadWrite)) {
                let writable = FolderGrant { mode: Mode::ReadWrite, ..folder.clone() };
                let flag = if self.write_helps { "--write".to_owned() } else { dir_flag(&writable, self.cwd) };
                if !flags.contains(&flag) {
                    flags.push(flag);
                }
            }
        }
        flags
    }

    /// Which folders the tool sees, and why it cannot write to those that it cannot.
    pub(super) fn view(&self, folders: &[FolderGrant], about: About) -> String {
        let seen: Vec<String> = folders
            .iter()
            .map(|folder| {
                let access = match (self.wanted(), folder.mode) {
                    (Mode::ReadWrite, Mode::ReadWrite) => "to read and write".to_owned(),
                    _ if about == About::Refused => format!("only to read{}", self.why_read_only(folder)),
                    _ => "only to read".to_owned(),
                };
                format!("{} (here {}, {access})", folder.guest, folder.host.display())
            })
            .collect();
        let free = free_path(folders);
        let (keep, mode) = (self.keep(), self.mode_for(about));
        format!(
            "paths are the tool's, not this machine's: it sees {}; for another folder add {keep}--dir HOST:{free}:{mode} and \
             name {free}/FILE",
            seen.join(", ")
        )
    }

    /// Why no folder that the tool sees can be written, if only what asks for them can change that.
    pub(super) fn unwritable(&self, folders: &[FolderGrant], about: About) -> Option<String> {
        let writes = about == About::Refused && self.wanted() == Mode::ReadWrite;
        if !writes || folders.is_empty() || folders.iter().any(|folder| folder.mode == Mode::ReadWrite) {
            return None;
        }
        let mut causes: Vec<(String, Vec<String>)> = Vec::new();
        for folder in folders {
            let cause = sentence(&self.components().find_map(|one| one.keeps_folder(folder, Mode::ReadWrite))?);
            let seen = format!("{} (here {})", folder.guest, folder.host.display());
            match causes.iter_mut().find(|(known, _)| *known == cause) {
                Some((_, all)) => all.push(seen),
                None => causes.push((cause, vec![seen])),
            }
        }
        let warned = folders.iter().all(|folder| self.has_warned(folder));
        let said = causes.into_iter().map(|(cause, seen)| {
            let are = if seen.len() == 1 { "is" } else { "are" };
            let cause = if warned { ", as the warning says".to_owned() } else { format!(": {cause}") };
            format!("{} {are} only to read{cause}", seen.join(" and "))
        });
        Some(said.collect::<Vec<_>>().join("; "))
    }

    /// Whether a warning has said before the call that nothing may write to this folder, see `warn_of_unasked`.
    fn has_warned(&self, folder: &FolderGrant) -> bool {
        let dirs = self.typed_values("--dir");
        let is_typed = self.typed.ours.iter().any(|word| word == "--write")
            || dirs.into_iter().any(|dir| typed_mode(dir) == Some(Mode::ReadWrite));
        let mut granted = self.grants.folders.iter();
        let is_granted = granted.any(|one| one.guest == folder.guest && one.mode == Mode::ReadWrite);
        let mut all = self.bundle.components.iter();
        let is_kept = all.all(|component| {
            let one = Ceiling { bundle: self.bundle, component, cwd: self.cwd };
            one.keeps_folder(folder, Mode::ReadWrite).is_some()
        });
        is_typed && is_granted && is_kept && self.watcher.is_some_and(Terminal::showed_warnings)
    }

    fn why_read_only(&self, folder: &FolderGrant) -> String {
        if self.typed.tool.hints.read_only {
            let why = ", because the tool declares read_only: if it is yours and writes, take that out of #[tool(…)] or \
                       [[commands]]";
            return why.to_owned();
        }
        let kept = self.components().find_map(|one| one.keeps_folder(folder, Mode::ReadWrite));
        let why = kept
            .map_or_else(|| "it is granted so: --write, or :rw behind its --dir".to_owned(), |kept| sentence(&kept));
        format!(", because {why}")
    }

    /// What a relative path is to a tool that works paths out itself.
    pub(super) fn relative(&self, folders: &[FolderGrant], text: &str, about: About) -> String {
        let absolute = places::texts(self.input, text).iter().any(|text| text.starts_with('/'));
        if absolute || !self.joins_paths() || !is_bare(text) || about != About::Missing {
            return String::new();
        }
        let usual = folders.iter().find(|folder| folder.guest == GUEST_PATH_DEFAULT).or(folders.first());
        let start = usual.map_or(GUEST_PATH_DEFAULT, |folder| &folder.guest);
        format!("; in a tool, a relative path starts nowhere: join it to {start}")
    }

    /// Whether the tool may be one that works paths out itself: programs start in a working folder.
    fn joins_paths(&self) -> bool {
        self.components().any(|one| one.component.kind != Kind::Command)
    }
}

/// The standard library's own texts, and no absolute path beside them.
fn is_bare(fault: &str) -> bool {
    (fault.contains("(os error 44)") || fault.contains(NO_PREOPEN)) && !fault.contains('/')
}

/// A guest path where nothing is granted yet.
pub(super) fn free_path(folders: &[FolderGrant]) -> String {
    let taken = |path: &String| folders.iter().any(|folder| folder.guest == *path);
    let numbered = (2..).map(|number| format!("/data{number}"));
    std::iter::once("/data".to_owned()).chain(numbered).find(|path| !taken(path)).unwrap_or_default()
}
