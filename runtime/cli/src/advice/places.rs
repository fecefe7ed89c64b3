//! Where the paths that a tool was given lead, as far as the granted folders tell.

use crate::config::PROJECT_FILE;
use handbox_bundle::{BUNDLE_FILE, FolderGrant, GUEST_PATH_DEFAULT, Mode, check_guest_path};
use serde_json::Value;
use std::fmt;
use std::path::{Component, Path, PathBuf};

/// The most texts that are looked at: an input is anybody's.
const TEXTS_MAX: usize = 64;
/// Longer texts are no paths.
const PATH_BYTES_MAX: usize = 1024;
/// Names that Handbox looks for in a project.
const LOADED_NAMES: [&str; 2] = [PROJECT_FILE, BUNDLE_FILE];

/// What is odd about a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Odd {
    /// It leads out of this folder, by `..` or by a link.
    Leaves(Place),
    /// It is this machine's own path, of what the tool sees at that one.
    Host(String),
    /// The folder that it should lie in is not there.
    NoFolder(Place),
    /// A file that Handbox loads.
    Loaded(Place),
    /// No granted folder holds it: the top folder that it begins with.
    Nowhere(String),
}

/// A path as the tool sees it and as this machine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) guest: String,
    pub(crate) host: PathBuf,
}

impl Place {
    fn of(folder: &FolderGrant, rest: &Path) -> Self {
        // Joining nothing would end the path with a slash.
        let host = if rest.as_os_str().is_empty() { folder.host.clone() } else { folder.host.join(rest) };
        Self { guest: guest(folder, rest), host }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (here {})", self.guest, self.host.display())
    }
}

/// Every text in the input that may be a path, and those that a fault names.
pub(crate) fn texts<'t>(input: &'t Value, fault: &'t str) -> Vec<&'t str> {
    let mut found = Vec::new();
    collect(input, &mut found);
    let words = fault.split([' ', '"', '\'', '`', ',', ';', '(', ')', '\n']);
    found.extend(words.filter_map(|word| {
        let path = word.trim_end_matches([':', '.']);
        // `PATH: what is wrong with it`
        let is_relative = word.ends_with(':') && path.contains('/') && !path.contains(':');
        (path.starts_with('/') || is_relative).then_some(path)
    }));
    found.retain(|text| !text.is_empty() && text.len() <= PATH_BYTES_MAX && !text.contains(['\n', '\0']));
    found.truncate(TEXTS_MAX);
    found
}

/// Whether a text that nobody called a path looks like one.
pub(crate) fn may_be_path(text: &str) -> bool {
    let is_end = |end: &str| (1..=8).contains(&end.len()) && end.chars().all(|c| c.is_ascii_alphanumeric());
    let is_file = text.rsplit_once('.').is_some_and(|(stem, end)| !stem.is_empty() && is_end(end));
    text.starts_with('/') || !text.contains(char::is_whitespace) && (text.contains('/') || is_file)
}

/// Every text in the input.
pub(crate) fn collect<'t>(value: &'t Value, found: &mut Vec<&'t str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        _ => {}
    }
}

/// The granted folders that a tool sees, and what no tool may change.
pub(crate) struct Places<'a> {
    pub(crate) folders: &'a [FolderGrant],
    pub(crate) protected: &'a [PathBuf],
}

impl Places<'_> {
    /// A file that Handbox loads, though it lies in a folder that may be written.
    pub(crate) fn loaded(&self, text: &str) -> Option<Odd> {
        let (folder, rest) = self.find(text)?;
        let path = folder.host.join(&rest);
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let real = path.canonicalize().ok();
        let is_one = |file: &PathBuf| real.is_some() && file.canonicalize().ok() == real;
        let loaded = LOADED_NAMES.contains(&name.as_str()) || self.protected.iter().any(is_one);
        (loaded && folder.mode == Mode::ReadWrite).then(|| Odd::Loaded(Place::of(folder, &rest)))
    }

    /// A path that leads out of its folder.
    pub(crate) fn leaves(&self, text: &str) -> Option<Odd> {
        let (folder, rest) = self.find(text)?;
        let mut depth = 0_i32;
        for part in rest.components() {
            depth += if part == Component::ParentDir { -1 } else { 1 };
            if depth < 0 {
                return Some(Odd::Leaves(Place::of(folder, Path::new(""))));
            }
        }
        let real = first_link(&folder.host, &rest)?.canonicalize().ok()?;
        (!real.starts_with(&folder.host)).then(|| Odd::Leaves(Place::of(folder, Path::new(""))))
    }

    /// This machine's own path of something in a granted folder.
    pub(crate) fn host(&self, text: &str) -> Option<Odd> {
        let path = Path::new(text);
        if !path.is_absolute() || self.find(text).is_some() {
            return None;
        }
        let folder = self.folders.iter().find(|folder| path.starts_with(&folder.host))?;
        let rest = path.strip_prefix(&folder.host).ok()?;
        Some(Odd::Host(guest(folder, rest)))
    }

    /// A path whose folder is not there.
    pub(crate) fn no_folder(&self, text: &str) -> Option<Odd> {
        let (folder, rest) = self.find(text)?;
        let parent = rest.parent().filter(|parent| !parent.as_os_str().is_empty())?;
        let plain = rest.components().all(|part| matches!(part, Component::Normal(_)));
        (plain && !folder.host.join(parent).exists()).then(|| Odd::NoFolder(Place::of(folder, parent)))
    }

    /// Where a file would be that is not there.
    pub(crate) fn absent(&self, text: &str) -> Option<Place> {
        let (folder, rest) = self.find(text)?;
        let plain = rest.components().all(|part| matches!(part, Component::Normal(_)));
        let is_name = plain && !rest.as_os_str().is_empty();
        (is_name && !folder.host.join(&rest).exists()).then(|| Place::of(folder, &rest))
    }

    /// A path that lies in no granted folder, where this machine has nothing either.
    pub(crate) fn nowhere(&self, text: &str) -> Option<Odd> {
        let top = text.strip_prefix('/')?.split('/').next()?;
        let root = format!("/{top}");
        let is_name = top.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let is_ours = root != GUEST_PATH_DEFAULT && Path::new(&root).exists();
        let may_be = is_name && !is_ours && check_guest_path(&root).is_ok() && self.find(text).is_none();
        may_be.then_some(Odd::Nowhere(root))
    }

    /// The folder that a path of a tool begins in, and the rest of it.
    fn find(&self, text: &str) -> Option<(&FolderGrant, PathBuf)> {
        let path = Path::new(text);
        if path.is_absolute() {
            let mut holding: Vec<&FolderGrant> =
                self.folders.iter().filter(|folder| path.starts_with(&folder.guest)).collect();
            holding.sort_by_key(|folder| folder.guest.len());
            let folder = holding.pop()?;
            return Some((folder, path.strip_prefix(&folder.guest).ok()?.to_owned()));
        }
        let usual = self.folders.iter().find(|folder| folder.guest == GUEST_PATH_DEFAULT);
        let rest = path.components().filter(|part| *part != Component::CurDir).collect();
        usual.or(self.folders.first()).map(|folder| (folder, rest))
    }
}

/// What the tool calls something in a folder.
pub(crate) fn guest(folder: &FolderGrant, rest: &Path) -> String {
    match rest.as_os_str().is_empty() {
        true => folder.guest.clone(),
        false => Path::new(&folder.guest).join(rest).display().to_string(),
    }
}

/// The first link on the way to `rest`, if there is one.
fn first_link(folder: &Path, rest: &Path) -> Option<PathBuf> {
    let mut path = folder.to_owned();
    rest.components().find_map(|part| {
        path.push(part);
        path.is_symlink().then(|| path.clone())
    })
}
