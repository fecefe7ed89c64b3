//! The most that a component may be given, and in whose file that stands.

use crate::describe::shell_word;
use handbox_bundle::{
    Asks, BUNDLE_FILE, Bundle, BundleComponent, FolderAsk, FolderGrant, GUEST_PATH_DEFAULT, Grants, Mode,
};
use std::path::Path;

/// What keeps a grant from a component, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

/// One component and the files that say what it asks for.
#[derive(Clone, Copy)]
pub(crate) struct Ceiling<'a> {
    pub(crate) bundle: &'a Bundle,
    pub(crate) component: &'a BundleComponent,
    pub(crate) cwd: &'a Path,
}

impl Ceiling<'_> {
    /// The most that it may do with a folder that is granted there.
    pub(crate) fn folder(&self, guest: &str) -> Option<Mode> {
        most(&self.component.asks, guest)
    }

    /// What keeps it from using `folder` so; nothing if only the grant can.
    pub(crate) fn keeps_folder(&self, folder: &FolderGrant, wanted: Mode) -> Option<Kept> {
        let kept = |reason: &str, remedy: String| Some(Kept { reason: reason.to_owned(), remedy });
        let Some(manifest) = &self.component.manifest else { return Some(self.unpacked()) };
        let all = format!("folders = [{{ path = \"*\", mode = \"{wanted}\" }}]");
        match most(&manifest.asks, &folder.guest) {
            None if manifest.asks.folders.is_empty() => {
                return kept(
                    "its component asks for no folder, so it sees none",
                    format!("if it is yours, write {all} under [asks] in its tool.toml, and pack it again"),
                );
            }
            None => {
                let kept = self.elsewhere("its component asks", &manifest.asks, folder);
                let mode = manifest.asks.folders.iter().map(|ask| ask.mode).fold(wanted, Mode::max);
                let line = format!("folders = [{{ path = \"*\", mode = \"{mode}\" }}]");
                return Some(Kept { remedy: format!("{}; or, {}", kept.remedy, change_tool_toml(&line)), ..kept });
            }
            Some(mode) if mode < wanted => {
                return kept(
                    "its component asks for its folders only to read",
                    change_tool_toml(&folders_line(&manifest.asks, &folder.guest, wanted)),
                );
            }
            Some(_) => {}
        }
        let file = self.bundle_file();
        match self.folder(&folder.guest) {
            None if self.component.asks.folders.is_empty() => kept(
                "[asks] in bundle.toml leaves out folders",
                format!("write {all} under [asks] in {file}, or delete that [asks]"),
            ),
            None => Some(self.elsewhere("bundle.toml asks", &self.component.asks, folder)),
            Some(mode) if mode < wanted => {
                let line = folders_line(&self.component.asks, &folder.guest, wanted);
                kept(
                    "bundle.toml lets it ask only to read",
                    format!("change the line under [asks] in {file} to {line}"),
                )
            }
            Some(_) => None,
        }
    }

    /// What keeps it from seeing an environment value; nothing if only the grant can.
    pub(crate) fn keeps_env(&self, name: &str) -> Option<Kept> {
        let asks = |asks: &Asks| asks.env.iter().any(|own| own == name || own == "*");
        let Some(manifest) = &self.component.manifest else { return Some(self.unpacked()) };
        if !asks(&manifest.asks) {
            return Some(Kept {
                reason: format!("its component asks for no environment value {name}"),
                remedy: format!(
                    "if it is yours, write env = [\"{name}\"] under [asks] in its tool.toml, and pack it again"
                ),
            });
        }
        (!asks(&self.component.asks)).then(|| Kept {
            reason: format!("[asks] in bundle.toml leaves out the environment value {name}"),
            remedy: format!("write env = [\"{name}\"] under [asks] in {}", self.bundle_file()),
        })
    }

    fn unpacked(&self) -> Kept {
        Kept {
            reason: "this component was not packed, so it sees no folder and no environment value".to_owned(),
            remedy: self.pack(),
        }
    }

    /// How it is packed.
    pub(crate) fn pack(&self) -> String {
        let file = self.bundle.files.first().filter(|file| file.extension().is_some_and(|end| end == "wasm"));
        let file = file.map_or_else(|| "FILE.wasm".to_owned(), |file| shown(file, self.cwd));
        let packed = shell_word(&format!("{}.tool.wasm", self.component.name));
        format!("handbox pack {file} --manifest tool.toml -o {packed}")
    }

    /// For a folder that is granted where it is not asked for.
    fn elsewhere(&self, who: &str, asks: &Asks, folder: &FolderGrant) -> Kept {
        let paths: Vec<&str> = asks.folders.iter().map(|ask| ask.path.as_str()).collect();
        let place = paths.first().copied().unwrap_or(GUEST_PATH_DEFAULT);
        Kept {
            reason: format!("{who} only for {}, and not for {}", paths.join(", "), folder.guest),
            remedy: dir_flag(&FolderGrant { guest: place.to_owned(), ..folder.clone() }, self.cwd),
        }
    }

    fn bundle_file(&self) -> String {
        let file = self.bundle.files.iter().find(|file| file.ends_with(BUNDLE_FILE));
        file.map_or_else(|| BUNDLE_FILE.to_owned(), |file| shown(file, self.cwd))
    }
}

/// What to do about a manifest's line for its folders.
fn change_tool_toml(line: &str) -> String {
    format!("if it is yours, change the line under [asks] in its tool.toml to {line}, and pack it again")
}

/// The whole line that asks for these folders, with as much as is `wanted` of the one at `guest`.
fn folders_line(asks: &Asks, guest: &str, wanted: Mode) -> String {
    let covers = |ask: &FolderAsk| most(&Asks { folders: vec![ask.clone()], ..Asks::default() }, guest).is_some();
    let folders = asks.folders.iter().map(|ask| {
        let mode = if covers(ask) { ask.mode.max(wanted) } else { ask.mode };
        // A text of JSON is one of TOML.
        format!("{{ path = {}, mode = \"{mode}\" }}", serde_json::Value::from(ask.path.as_str()))
    });
    format!("folders = [{}]", folders.collect::<Vec<_>>().join(", "))
}

/// The most that is asked for of a folder at `guest`.
fn most(asks: &Asks, guest: &str) -> Option<Mode> {
    let folder = FolderGrant { host: "/".into(), guest: guest.to_owned(), mode: Mode::ReadWrite };
    let granted = Grants { folders: vec![folder], ..Grants::default() };
    asks.effective(&granted).grants.folders.first().map(|folder| folder.mode)
}

/// The flag that grants a folder, as short as it can be written.
pub(crate) fn dir_flag(folder: &FolderGrant, cwd: &Path) -> String {
    let guest = if folder.guest == GUEST_PATH_DEFAULT { String::new() } else { format!(":{}", folder.guest) };
    let mode = if folder.mode == Mode::ReadWrite { ":rw" } else { "" };
    format!("--dir {}", shell_word(&format!("{}{guest}{mode}", relative(&folder.host, cwd))))
}

/// A path as one types it in `cwd`.
pub(crate) fn shown(path: &Path, cwd: &Path) -> String {
    shell_word(&relative(path, cwd))
}

fn relative(path: &Path, cwd: &Path) -> String {
    match path.strip_prefix(cwd) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        Ok(rest) => rest.display().to_string(),
        // The current folder is a real path, so that this is where `..` leads.
        Err(_) => match cwd.parent().filter(|above| above.parent().is_some()).map(|above| path.strip_prefix(above)) {
            Some(Ok(rest)) => Path::new("..").join(rest).display().to_string(),
            _ => path.display().to_string(),
        },
    }
}
