//! What a configuration file says, checked, each value with its line.

use super::agents::{Agents, AgentsToml};
use super::file::{Lines, TextFile};
use super::source::{Placed, Source, Trust, absolute, failure_at};
use crate::failure::Failure;
use handbox_bundle::{
    BundleError, FolderGrant, GUEST_PATH_DEFAULT, LimitsPatch, Mode, Profile, check_guest_path, parse_env, parse_toml,
};
use handbox_hand::Destination;
use handbox_vault::IpNet;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

/// Bundles that are part of Handbox. Their names are taken even in a build without them.
pub(crate) const RESERVED_NAMES: [&str; 3] = ["std", "http", "websearch"];

/// A file as it is written. `narrow` stands only in a project's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileToml {
    profile: Option<Profile>,
    #[serde(default)]
    limits: LimitsPatch,
    #[serde(default)]
    folders: Vec<FolderToml>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(default)]
    bundles: BTreeMap<String, BundleToml>,
    narrow: Option<NarrowToml>,
    agents: Option<AgentsToml>,
    network: Option<NetworkToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkToml {
    #[serde(default)]
    ranges: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FolderToml {
    host: String,
    guest: Option<String>,
    mode: Option<Mode>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BundleToml {
    path: Option<String>,
    profile: Option<Profile>,
    #[serde(default)]
    limits: LimitsPatch,
    #[serde(default)]
    folders: Vec<FolderToml>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    hosts: Vec<String>,
}

/// What a table grants and limits, as it is written.
struct LayerToml {
    profile: Option<Profile>,
    limits: LimitsPatch,
    folders: Vec<FolderToml>,
    env: BTreeMap<String, String>,
    hosts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NarrowToml {
    folders: Option<Vec<NarrowFolderToml>>,
    env: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NarrowFolderToml {
    guest: String,
    mode: Option<Mode>,
    subfolder: Option<String>,
}

/// Who wrote a file, and what its relative paths mean.
#[derive(Clone, Copy)]
pub(crate) struct Author<'a> {
    /// `None` for the operator.
    pub(crate) project: Option<Trust>,
    /// The folder of the file, absolute.
    pub(crate) folder: &'a Path,
    /// What `~/` stands for.
    pub(crate) home: &'a Path,
}

/// What one file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    /// For every bundle.
    pub(crate) all: Layer,
    /// For one bundle, by the name it is called by.
    pub(crate) bundles: BTreeMap<String, BundleSettings>,
    /// What remains of the operator's grants. Only in a project's file.
    pub(crate) narrow: Narrow,
    /// Only in the operator's file.
    pub(crate) agents: Agents,
    /// What the names of hosts may lead to, beside public addresses. Only in the operator's file.
    pub(crate) ranges: Vec<IpNet>,
}

/// What is said about one bundle.
#[derive(Clone, Debug)]
pub(crate) struct BundleSettings {
    /// Where it is; `None` if it is built in, or named in the operator's file.
    pub(crate) path: Option<Placed<PathBuf>>,
    pub(crate) layer: Layer,
}

/// Grants and limits of one origin, to be laid over others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// Replaces all limits of the layers below.
    pub(crate) profile: Option<Placed<Profile>>,
    /// One limit each.
    pub(crate) limits: Vec<Placed<LimitsPatch>>,
    pub(crate) folders: Vec<Placed<FolderGrant>>,
    pub(crate) env: Vec<Placed<(String, String)>>,
    /// Where requests may go.
    pub(crate) hosts: Vec<Placed<Destination>>,
}

/// What a project leaves of the grants of its operator's configuration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Narrow {
    /// If there, only these remain.
    pub(crate) folders: Option<Vec<Placed<NarrowFolder>>>,
    /// If there, only these names remain.
    pub(crate) env: Option<Placed<BTreeSet<String>>>,
    /// Where the list of folders stands.
    pub(crate) folders_at: Option<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NarrowFolder {
    pub(crate) guest: String,
    /// At most this.
    pub(crate) mode: Option<Mode>,
    /// Only this part of it. Relative, without `..`.
    pub(crate) subfolder: Option<PathBuf>,
}

/// Parses a file and checks everything that can be checked without looking at the disk.
pub(crate) fn parse(file: &TextFile, author: Author<'_>) -> Result<Settings, Failure> {
    let toml: FileToml = parse_toml(&file.name(), &file.text)?;
    let reading = Reading { lines: Lines::of(file), author };
    reading.settings(toml)
}

pub(super) struct Reading<'a> {
    lines: Lines<'a>,
    author: Author<'a>,
}

impl Reading<'_> {
    fn at(&self, path: &[&str]) -> Source {
        let place = self.lines.place(path);
        match self.author.project {
            None => Source::Config(place),
            Some(trust) => Source::Project(place, trust),
        }
    }

    pub(super) fn fault(&self, path: &[&str], why: &str, hint: &str) -> Failure {
        Failure::usage(format!("{}: {}: {why}", self.lines.place(path), path.join("."))).hint(hint)
    }

    /// Whether this is the operator's own file.
    pub(super) fn is_operators(&self) -> bool {
        self.author.project.is_none()
    }

    /// An error about the value at `path`, with file, line and key.
    fn refused(&self, path: &[&str], error: BundleError) -> Failure {
        failure_at(&self.at(path), error.at(path.join(".")))
    }

    fn settings(&self, toml: FileToml) -> Result<Settings, Failure> {
        if toml.narrow.is_some() && self.author.project.is_none() {
            let hint = "grant less here instead; [narrow] is for a project's handbox.toml";
            return Err(self.fault(&["narrow"], "there is nothing above this file to narrow", hint));
        }
        let mut bundles = BTreeMap::new();
        for (name, bundle) in toml.bundles {
            let settings = self.bundle(&name, bundle)?;
            bundles.insert(name, settings);
        }
        let FileToml { profile, limits, folders, env, hosts, narrow, agents, network, .. } = toml;
        Ok(Settings {
            all: self.layer(&[], LayerToml { profile, limits, folders, env, hosts })?,
            bundles,
            narrow: self.narrow(narrow)?,
            agents: self.agents(agents)?,
            ranges: self.ranges(network)?,
        })
    }

    fn ranges(&self, toml: Option<NetworkToml>) -> Result<Vec<IpNet>, Failure> {
        let Some(toml) = toml else { return Ok(Vec::new()) };
        if !self.is_operators() {
            let hint = "put it into config.toml; `handbox config path` says where that is";
            return Err(self.fault(&["network"], "which networks tools may reach is the operator's to say", hint));
        }
        let range = |(index, text): (usize, &String)| {
            text.parse().map_err(|_| {
                let (index, why) = (index.to_string(), format!("`{text}` is no range of addresses"));
                self.fault(&["network", "ranges", &index], &why, "write one such as 10.0.0.0/8 or fd00::/8")
            })
        };
        toml.ranges.iter().enumerate().map(range).collect()
    }

    fn bundle(&self, name: &str, toml: BundleToml) -> Result<BundleSettings, Failure> {
        let key = ["bundles", name];
        if handbox_hand::ToolName::new(name).is_err() {
            let hint = "use 1 to 64 letters, digits, _ and -";
            return Err(self.fault(&key, "this cannot be the name of a bundle", hint));
        }
        let path_key = ["bundles", name, "path"];
        let built_in = super::is_reserved(name);
        let path = match toml.path {
            Some(_) if built_in => {
                let why = format!("`{name}` is built into Handbox and cannot be another bundle");
                return Err(self.fault(&path_key, &why, "leave out the path, or choose another name"));
            }
            // A project may say something about a bundle that its operator named.
            None if !built_in && self.author.project.is_none() => {
                let why = format!("nothing says where the bundle `{name}` is");
                let hint = "add path = \"FOLDER or FILE.wasm\", relative to this file";
                return Err(self.fault(&key, &why, hint));
            }
            Some(path) => Some(Placed::new(self.host_path(&path_key, &path)?, self.at(&path_key))),
            None => None,
        };
        let BundleToml { profile, limits, folders, env, hosts, .. } = toml;
        let layer = self.layer(&key, LayerToml { profile, limits, folders, env, hosts })?;
        Ok(BundleSettings { path, layer })
    }

    fn layer(&self, table: &[&str], toml: LayerToml) -> Result<Layer, Failure> {
        let LayerToml { profile, limits, folders, env, hosts } = toml;
        let at = |rest: &[&str]| self.at(&[table, rest].concat());
        let mut layer =
            Layer { profile: profile.map(|value| Placed::new(value, at(&["profile"]))), ..Layer::default() };
        for (name, patch) in single_limits(&limits) {
            layer.limits.push(Placed::new(patch, at(&["limits", &name])));
        }
        let mut guests = BTreeSet::new();
        for (index, folder) in folders.into_iter().enumerate() {
            let index = index.to_string();
            let path = [table, &["folders", &index]].concat();
            let grant = self.folder(&path, folder)?;
            if !guests.insert(grant.value.guest.clone()) {
                let why = format!("guest path {} is given twice", grant.value.guest);
                return Err(self.fault(&path, &why, "give one of them another guest path, such as guest = \"/data\""));
            }
            layer.folders.push(grant);
        }
        for (name, value) in env {
            let path = [table, &["env", &name]].concat();
            let pair = format!("{name}={value}");
            // Split at the first `=`, a name that has one would become another name.
            let pair = parse_env(if name.contains('=') { "=" } else { &pair });
            let pair = pair.map_err(|error| self.refused(&path, error))?;
            layer.env.push(Placed::new(pair, self.at(&path)));
        }
        for (index, host) in hosts.into_iter().enumerate() {
            let index = index.to_string();
            let source = self.at(&[table, &["hosts", &index]].concat());
            layer.hosts.push(Placed::new(crate::grants::host(&host, &source)?, source));
        }
        Ok(layer)
    }

    fn folder(&self, path: &[&str], folder: FolderToml) -> Result<Placed<FolderGrant>, Failure> {
        let host = self.host_path(&[path, &["host"]].concat(), &folder.host)?;
        let guest = folder.guest.as_deref().unwrap_or(GUEST_PATH_DEFAULT);
        let guest_key = [path, &["guest"]].concat();
        let grant = FolderGrant::new(&host, guest, folder.mode.unwrap_or(Mode::ReadOnly), self.author.folder)
            .map_err(|error| self.refused(&guest_key, error))?;
        Ok(Placed::new(grant, self.at(path)))
    }

    /// A path of the host: `~/` is the home folder, relative is relative to the file.
    pub(super) fn host_path(&self, key: &[&str], text: &str) -> Result<PathBuf, Failure> {
        if text.is_empty() || text.contains('\0') {
            return Err(self.fault(key, "there is no usable path", "write a path such as ~/work or ../data"));
        }
        let path = match text.strip_prefix('~') {
            None => PathBuf::from(text),
            Some("") => self.author.home.to_owned(),
            Some(rest) if rest.starts_with('/') => self.author.home.join(rest.trim_start_matches('/')),
            Some(_) => {
                let hint = "write ~/FOLDER for a folder in your home, or ./~NAME for one whose name starts so";
                return Err(self.fault(key, "Handbox knows no other home than yours", hint));
            }
        };
        Ok(absolute(&path, self.author.folder))
    }

    fn narrow(&self, toml: Option<NarrowToml>) -> Result<Narrow, Failure> {
        let Some(toml) = toml else { return Ok(Narrow::default()) };
        // An empty list is said, too: no folder remains.
        let mut folders = toml.folders.as_ref().map(|_| Vec::new());
        for (index, folder) in toml.folders.into_iter().flatten().enumerate() {
            let index = index.to_string();
            let key = ["narrow", "folders", &index];
            let list: &mut Vec<Placed<NarrowFolder>> = folders.get_or_insert_default();
            let folder = self.narrow_folder(&key, folder)?;
            if list.iter().any(|other| other.value.guest == folder.guest) {
                let why = format!("guest path {} stands twice", folder.guest);
                return Err(self.fault(&key, &why, "keep one of them"));
            }
            list.push(Placed::new(folder, self.at(&key)));
        }
        let at_env = || self.at(&["narrow", "env"]);
        Ok(Narrow {
            folders_at: folders.is_some().then(|| self.at(&["narrow", "folders"])),
            folders,
            env: toml.env.map(|names| Placed::new(names.into_iter().collect(), at_env())),
        })
    }

    fn narrow_folder(&self, key: &[&str], toml: NarrowFolderToml) -> Result<NarrowFolder, Failure> {
        check_guest_path(&toml.guest).map_err(|error| self.refused(&[key, &["guest"]].concat(), error))?;
        let subfolder = toml.subfolder.map(PathBuf::from);
        let plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        if subfolder.as_deref().is_some_and(|path| !plain(path) || path.as_os_str().is_empty()) {
            let hint = "write a path relative to the granted folder, without `..`";
            return Err(self.fault(&[key, &["subfolder"]].concat(), "this leads out of the granted folder", hint));
        }
        Ok(NarrowFolder { guest: toml.guest, mode: toml.mode, subfolder })
    }
}

/// A patch taken apart into patches of one limit each, with their names.
pub(crate) fn single_limits(patch: &LimitsPatch) -> Vec<(String, LimitsPatch)> {
    // Its text is made to be read back, so nothing is lost on the way.
    let text = patch.to_string();
    let pairs = text.split(',').filter_map(|pair| Some((pair.split_once('=')?.0.to_owned(), pair.parse().ok()?)));
    pairs.collect()
}
