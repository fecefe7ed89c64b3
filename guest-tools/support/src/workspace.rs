//! Where a tool may look, and what a path that a model writes means there.

use handbox_tool::Fault;
use std::io;
use std::path::PathBuf;

/// Where relative paths start if the host does not say, and the folder is granted.
const USUAL: &str = "/workspace";

/// Folders that the host gives to every call: nobody's files are in them, so no relative
/// path starts there.
const SCRATCH: [&str; 2] = ["/tmp", "/mnt/session/outputs"];

/// The granted folders.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// The folders by their guest path, with where they really are: the same, unless
    /// this is a native test.
    folders: Vec<(String, PathBuf)>,
    /// Where relative paths start; absolute and normalised.
    start: String,
}

/// A path that a model wrote, resolved.
#[derive(Clone, Debug)]
pub struct Place {
    /// The path as it was written.
    pub shown: String,
    /// The granted folder that it is in, by index.
    pub folder: usize,
    /// The path within that folder; empty for the folder itself.
    pub inner: String,
    /// Where that is, for `std::fs`.
    pub real: PathBuf,
}

impl Workspace {
    /// What this call was granted.
    ///
    /// # Errors
    ///
    /// [`Fault::Denied`] if that is no folder at all.
    #[cfg(target_arch = "wasm32")]
    pub fn current() -> Result<Self, Fault> {
        let folders = wasip2::filesystem::preopens::get_directories();
        let folders = folders.into_iter().map(|(_, path)| (path.clone(), PathBuf::from(path))).collect();
        Self::new(folders, wasip2::cli::environment::initial_cwd())
    }

    /// A native process has no granted folders; tests make their own.
    ///
    /// # Errors
    ///
    /// Always.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn current() -> Result<Self, Fault> {
        Self::new(Vec::new(), None)
    }

    /// A workspace of these folders, in which relative paths start at `start`, or at
    /// `/workspace`, or in the first folder that is not for scratch. If there is none,
    /// relative paths lead nowhere: searching in scratch space would find nothing, and look
    /// as if there were nothing to find.
    ///
    /// # Errors
    ///
    /// [`Fault::Denied`] if there is no folder.
    pub fn new(folders: Vec<(String, PathBuf)>, start: Option<String>) -> Result<Self, Fault> {
        if folders.is_empty() {
            return Err(Fault::denied("no folder was granted to this tool, so there is no file it can touch"));
        }
        let granted = |path: &String| folder_of(&folders, path).is_some();
        let start = start.map(|start| normalise("/", &start)).filter(granted);
        let usual = || Some(USUAL.to_owned()).filter(granted);
        let first = || folders.iter().find(|(path, _)| !is_scratch(path)).map(|(path, _)| normalise("/", path));
        let start = start.or_else(usual).or_else(first).unwrap_or_else(|| USUAL.to_owned());
        Ok(Self { folders, start })
    }

    /// Finds out what a path means. Nothing is opened, and `..` is worked out in the text.
    ///
    /// # Errors
    ///
    /// [`Fault::Denied`] if it is in no granted folder, [`Fault::InvalidInput`] if it is no
    /// path.
    pub fn resolve(&self, path: &str) -> Result<Place, Fault> {
        if path.is_empty() || path.contains('\0') {
            return Err(Fault::invalid(format!("{path:?} is not a path")));
        }
        let absolute = normalise(&self.start, path);
        let Some((folder, inner)) = folder_of(&self.folders, &absolute) else {
            if self.folders.iter().all(|(path, _)| is_scratch(path)) {
                return Err(Fault::denied(format!(
                    "{path}: no folder was granted to this tool, so there is nothing to look at"
                )));
            }
            let granted: Vec<&str> = self.folders.iter().map(|(path, _)| path.as_str()).collect();
            let granted = granted.join(", ");
            return Err(Fault::denied(format!("{path} is outside the folders that this tool may touch ({granted})")));
        };
        let real = &self.folders[folder].1;
        let real = if inner.is_empty() { real.clone() } else { real.join(&inner) };
        Ok(Place { shown: path.to_owned(), folder, inner, real })
    }

    /// Where relative paths start.
    ///
    /// # Errors
    ///
    /// [`Fault::Denied`] if no folder was granted.
    pub fn start(&self) -> Result<Place, Fault> {
        self.resolve(&self.start)
    }
}

fn is_scratch(path: &str) -> bool {
    SCRATCH.contains(&path)
}

/// The innermost granted folder that an absolute path is in, and the rest of the path.
fn folder_of(folders: &[(String, PathBuf)], path: &str) -> Option<(usize, String)> {
    let mut best: Option<(usize, usize, String)> = None;
    for (i, (folder, _)) in folders.iter().enumerate() {
        let folder = normalise("/", folder);
        let prefix = if folder == "/" { "" } else { &folder };
        let Some(rest) = path.strip_prefix(prefix) else { continue };
        if !rest.is_empty() && !rest.starts_with('/') {
            continue;
        }
        if best.as_ref().is_none_or(|(_, length, _)| folder.len() > *length) {
            best = Some((i, folder.len(), rest.trim_start_matches('/').to_owned()));
        }
    }
    best.map(|(i, _, rest)| (i, rest))
}

/// Makes a path absolute and takes `.`, `..` and doubled slashes out. There is nothing
/// above `/`.
fn normalise(start: &str, path: &str) -> String {
    let start = if path.starts_with('/') { "" } else { start };
    let mut kept: Vec<&str> = Vec::new();
    for part in start.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => _ = kept.pop(),
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

/// Says what went wrong with a path, in words that are the same on every host.
pub fn fault(doing: &str, path: &str, error: &io::Error) -> Fault {
    use io::ErrorKind::{
        AlreadyExists, IsADirectory, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull,
    };
    let why = match error.kind() {
        PermissionDenied => return Fault::denied(format!("cannot {doing} {path}: that was not permitted")),
        ReadOnlyFilesystem => return Fault::denied(format!("cannot {doing} {path}: the folder is read-only")),
        NotFound => "there is no such file or folder; `glob` shows what there is",
        NotADirectory => "a part of the path is a file, not a folder",
        IsADirectory => "it is a folder",
        AlreadyExists => "it is already there",
        StorageFull => "the space for files is used up",
        _ => return Fault::failed(format!("cannot {doing} {path}: {error}")),
    };
    Fault::failed(format!("cannot {doing} {path}: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(folders: &[&str], start: Option<&str>) -> Workspace {
        let folders = folders.iter().map(|path| (path.to_string(), PathBuf::from(path))).collect();
        Workspace::new(folders, start.map(str::to_owned)).unwrap()
    }

    #[test]
    fn relative_paths_start_where_the_host_says_or_in_the_workspace() {
        let real = |workspace: &Workspace| workspace.resolve("a.txt").unwrap().real;
        assert_eq!(real(&workspace(&["/tmp", "/workspace"], None)), PathBuf::from("/workspace/a.txt"));
        assert_eq!(real(&workspace(&["/workspace", "/data"], Some("/data"))), PathBuf::from("/data/a.txt"));
        assert_eq!(real(&workspace(&["/data"], Some("/elsewhere"))), PathBuf::from("/data/a.txt"));
    }

    #[test]
    fn scratch_space_is_no_place_to_search() {
        let workspace = workspace(&["/mnt/session/outputs", "/tmp"], None);
        assert!(matches!(workspace.start(), Err(Fault::Denied(_))));
        assert!(matches!(workspace.resolve("a.txt"), Err(Fault::Denied(_))));
        assert_eq!(workspace.resolve("/tmp/a.txt").unwrap().real, PathBuf::from("/tmp/a.txt"));
    }

    #[test]
    fn the_innermost_folder_wins() {
        let workspace = workspace(&["/workspace", "/workspace/out", "/work"], None);
        let place = workspace.resolve("out/./x//y/../z").unwrap();
        assert_eq!((place.folder, place.inner.as_str()), (1, "x/z"));
        assert_eq!(workspace.resolve("outer").unwrap().folder, 0);
    }

    #[test]
    fn nothing_outside_resolves() {
        let workspace = workspace(&["/workspace"], None);
        for path in ["/etc/passwd", "../etc/passwd", "a/../../etc", "/workspaces/a", "/"] {
            assert!(matches!(workspace.resolve(path), Err(Fault::Denied(_))), "{path}");
        }
        assert!(matches!(workspace.resolve("a\0b"), Err(Fault::InvalidInput(_))));
    }

    #[test]
    fn no_folder_is_a_denial() {
        assert!(matches!(Workspace::new(Vec::new(), None), Err(Fault::Denied(_))));
    }
}
