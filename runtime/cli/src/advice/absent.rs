//! What to do about a file that is not where the tool looked for it.

use super::places::{self, Places, guest};
use super::{About, Advice};
use crate::ceiling::{dir_flag, shown};
use crate::config::similar;
use crate::describe::shell_word;
use handbox_bundle::{FolderDefaults, FolderGrant, GUEST_PATH_DEFAULT, Mode};
use std::path::{Component, Path, PathBuf};

/// A folder with more files than this is not searched to its end.
const FILES_MAX: usize = 1_000;

impl Advice<'_> {
    /// What to name if a path begins with what this machine calls the folder in which paths start.
    pub(super) fn own_name(&self, folders: &[FolderGrant], fault: &str, about: About) -> Option<String> {
        if about != About::Missing {
            return None;
        }
        let usual = folders.iter().find(|folder| folder.guest == GUEST_PATH_DEFAULT);
        let start = usual.or(folders.first())?;
        let texts = places::texts(self.input, fault);
        let below = texts.iter().filter_map(|text| {
            let rest = self.below(start, &plain(text, usual.is_some())?)?;
            Some((*text, rest))
        });
        let is_there = |(_, rest): &&(&str, PathBuf)| start.host.join(rest).exists();
        let may_be = |(text, rest): &&(&str, PathBuf)| {
            places::may_be_path(text) && start.host.join(rest).parent().is_some_and(Path::exists)
        };
        let below: Vec<(&str, PathBuf)> = below.collect();
        let (text, rest) = below.iter().find(is_there).or_else(|| below.iter().find(may_be))?;
        let name = if text.starts_with('/') { guest(start, rest) } else { rest.display().to_string() };
        let name = shell_word(&name);
        let has_flags = self.typed.words.iter().any(|word| word.starts_with("--"));
        let mut inputs = self.input.as_object().filter(|_| has_flags).into_iter().flatten();
        let flag = inputs.find(|(_, value)| value.as_str() == Some(text)).map(|(flag, _)| flag);
        let what = flag.map_or_else(|| format!("name {name}"), |flag| format!("--{flag} {name}"));
        let here = start.host == self.cwd;
        let folder = if here { "the current folder".to_owned() } else { shown(&start.host, self.cwd) };
        Some(format!("{folder} is seen as {}: {what}", start.guest))
    }

    /// What of a path lies in `folder`, if the path goes on from where that folder lies on this machine.
    fn below(&self, folder: &FolderGrant, path: &Path) -> Option<PathBuf> {
        let first = path.components().next()?;
        // Then the path means that.
        if folder.host.join(first).exists() {
            return None;
        }
        let typed = folder.host.strip_prefix(self.cwd).ok().filter(|typed| !typed.as_os_str().is_empty());
        let rest = typed.and_then(|typed| path.strip_prefix(typed).ok());
        // Another folder of that name may be here.
        let named = || path.strip_prefix(folder.host.file_name()?).ok().filter(|_| !self.cwd.join(path).exists());
        let rest = rest.or_else(named)?;
        (!rest.as_os_str().is_empty()).then(|| rest.to_owned())
    }

    /// What to type if the file is in the current folder, and another one was granted in its place.
    pub(super) fn left_behind(&self, folders: &[FolderGrant], fault: &str, about: About) -> Option<String> {
        if about != About::Missing || self.watcher.is_none() {
            return None;
        }
        let usual = folders.iter().find(|folder| folder.guest == GUEST_PATH_DEFAULT);
        let start = usual.or(folders.first())?;
        let is_here = |rest: &PathBuf| self.cwd.join(rest).exists() && !start.host.join(rest).exists();
        let texts = places::texts(self.input, fault);
        let rest = texts.into_iter().filter_map(|text| plain(text, usual.is_some())).find(is_here)?;
        let file = rest.display();
        let granted = folders.iter().find_map(|one| Some((one, self.cwd.strip_prefix(&one.host).ok()?)));
        if let Some((above, below)) = granted {
            return Some(format!("{file} is in the current folder: name {}", guest(above, &below.join(&rest))));
        }
        let here =
            FolderGrant { host: self.cwd.to_owned(), guest: GUEST_PATH_DEFAULT.to_owned(), mode: Mode::ReadOnly };
        if self.components().all(|one| one.keeps_folder(&here, Mode::ReadOnly).is_some()) {
            return None;
        }
        let typed = self.typed_values("--dir");
        if typed.is_empty() {
            let line = self.with_dirs(&["--dir .".to_owned()]);
            return Some(format!("{file} is in the current folder, and another one was granted in its place: {line}"));
        }
        let free = super::folders::free_path(folders);
        let (mut flags, mut moved) = (vec!["--dir .".to_owned()], String::new());
        for text in typed {
            let defaults = FolderDefaults { cwd: self.cwd, guest: GUEST_PATH_DEFAULT, mode: Mode::ReadOnly };
            let grant = FolderGrant::parse(text, defaults).ok()?;
            let taken = grant.guest == GUEST_PATH_DEFAULT;
            let there = if taken { FolderGrant { guest: free.clone(), ..grant } } else { grant };
            if self.components().all(|one| one.keeps_folder(&there, Mode::ReadOnly).is_some()) {
                continue;
            }
            if taken {
                moved = format!("; what is in {} is then at {free}", text.split(':').next().unwrap_or_default());
            }
            flags.push(dir_flag(&there, self.cwd));
        }
        let line = self.with_dirs(&flags);
        Some(format!(
            "{file} is in the current folder, which is granted beside a --dir only if it is named, too: {line}{moved}"
        ))
    }

    /// Which file is not there, by the name that this machine has for it; empty if that is not known.
    pub(super) fn absent(&self, folders: &[FolderGrant], fault: &str, about: About) -> String {
        let places = Places { folders, protected: self.protected };
        let mut typed = Vec::new();
        places::collect(self.input, &mut typed);
        let named = places::texts(&serde_json::Value::Null, fault);
        let typed = typed.into_iter().filter(|text| places::may_be_path(text));
        let Some(place) = named.into_iter().chain(typed).find_map(|text| places.absent(text)) else {
            return String::new();
        };
        if about != About::Missing {
            return String::new();
        }
        let near = near(&place.host).map(|near| format!(", but {near} is")).unwrap_or_default();
        format!("{place} is not there{near}; ")
    }

    /// The line that was typed, with these instead of its --dir.
    fn with_dirs(&self, flags: &[String]) -> String {
        let (mut ours, mut words) = (Vec::new(), self.typed.ours.iter());
        while let Some(word) = words.next() {
            match word.strip_prefix("--dir") {
                Some("") => drop(words.next()),
                Some(rest) if rest.starts_with('=') => {}
                _ => ours.push(word.clone()),
            }
        }
        self.typed.again(&ours, &flags.join(" "))
    }
}

/// The path of a file in the folder in which relative paths start, if it is one.
fn plain(text: &str, usual: bool) -> Option<PathBuf> {
    let path = Path::new(text);
    let rest = if path.is_absolute() { path.strip_prefix(GUEST_PATH_DEFAULT).ok().filter(|_| usual)? } else { path };
    let rest: PathBuf = rest.components().filter(|part| *part != Component::CurDir).collect();
    let is_plain = rest.components().all(|part| matches!(part, Component::Normal(_)));
    (is_plain && !rest.as_os_str().is_empty()).then_some(rest)
}

/// The name in the same folder of which that of `file` is a slip.
fn near(file: &Path) -> Option<String> {
    let entries = std::fs::read_dir(file.parent()?).ok()?.take(FILES_MAX).flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    similar::one_of(file.file_name()?.to_str()?, names)
}
