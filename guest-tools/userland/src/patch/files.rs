//! Which file a patch is for, and how it is written.

use super::parse::{Moved, Patch};
use crate::inside::{Inside, Unplaced, parts};
use std::path::PathBuf;

/// The files of a patch.
pub(super) struct Files {
    /// What is read: where, and as what it is shown.
    pub(super) from: Place,
    /// What is written.
    pub(super) to: Place,
}

#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) shown: String,
    pub(super) path: PathBuf,
}

impl Place {
    /// One that was named on the command line: whoever named it may write there.
    pub(super) fn named(path: &str) -> Self {
        Self { shown: path.to_owned(), path: PathBuf::from(path) }
    }

    pub(super) fn exists(&self) -> bool {
        self.path.symlink_metadata().is_ok()
    }
}

/// Takes the first parts of a name away; without a number, all but the last. None if nothing is left.
fn strip(name: &str, count: Option<usize>) -> Option<String> {
    let Some(count) = count else {
        return name.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned);
    };
    let mut rest = name;
    for _ in 0..count {
        rest = rest.split_once('/')?.1.trim_start_matches('/');
    }
    (!rest.is_empty()).then(|| rest.to_owned())
}

/// Finds the files of a patch by its names. None if there is none that it can be for.
pub(super) fn choose(patch: &Patch, count: Option<usize>, inside: &Inside) -> Option<Files> {
    let mut refused = Vec::new();
    let mut refuse = |name: String| {
        if !refused.contains(&name) {
            crate::print(format!("Ignoring potentially dangerous file name {name}\n").as_bytes());
            refused.push(name);
        }
    };
    let mut place = |name: &Option<String>| {
        let stripped = strip(name.as_deref()?, count)?;
        let path = if stripped.starts_with('/') { None } else { parts(&stripped) };
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            refuse(stripped);
            return None;
        };
        let path = match inside.find(&path) {
            Ok(found) => found,
            // A folder that is missing is made later.
            Err(Unplaced::Other(_)) => inside.root().join(path.iter().collect::<PathBuf>()),
            Err(Unplaced::LeadsOut) => {
                refuse(stripped);
                return None;
            }
        };
        Some(Place { shown: stripped, path })
    };
    let (old, new, index) = (place(&patch.old.name), place(&patch.new.name), place(&patch.index));
    if patch.moved.is_some() {
        let (from, to) = (old?, new?);
        return Some(Files { from, to });
    }
    let mut names: Vec<Place> = [old, new, index].into_iter().flatten().collect();
    names.dedup_by(|left, right| left.shown == right.shown);
    let mut there: Vec<&Place> = names.iter().filter(|place| place.exists()).collect();
    let may_be_missing = [&patch.old, &patch.new].iter().any(|side| side.missing || side.empty);
    if there.is_empty() && may_be_missing {
        there = names.iter().collect();
    }
    // The one with the fewest folders, then the shortest last part, then the shortest of all.
    let length = |place: &&&Place| {
        let last = place.shown.rsplit('/').next().unwrap_or_default().len();
        (place.shown.matches('/').count(), last, place.shown.len())
    };
    let best = there.iter().min_by_key(length)?;
    Some(Files { from: (*best).clone(), to: (*best).clone() })
}

/// What there is to say behind a name that changes.
pub(super) fn change(patch: &Patch, files: &Files) -> String {
    match patch.moved {
        Some(Moved::Renamed) => format!(" (renamed from {})", files.from.shown),
        Some(Moved::Copied) => format!(" (copied from {})", files.from.shown),
        None => String::new(),
    }
}

/// Removes folders above a file that nothing is in any more, up to the one that is worked in.
pub(super) fn remove_empty_above(place: &Place, inside: &Inside) {
    let mut folder = place.path.parent();
    while let Some(path) = folder.filter(|path| !path.as_os_str().is_empty() && *path != inside.root()) {
        if std::fs::remove_dir(path).is_err() {
            return;
        }
        folder = path.parent();
    }
}

/// Writes a file; folders that its name needs are made.
pub(super) fn write(place: &Place, inside: Option<&Inside>, bytes: &[u8]) -> Result<(), String> {
    let path = match (inside, parts(&place.shown)) {
        (Some(inside), Some(parts)) => inside.place(&parts).map_err(Unplaced::into_text)?,
        _ => place.path.clone(),
    };
    std::fs::write(path, bytes).map_err(|error| crate::reason(&error))
}
