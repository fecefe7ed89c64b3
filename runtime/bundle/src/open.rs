//! Bundles from disk: a folder with `bundle.toml`, or a single component.

use crate::bundle::{Bundle, BundleComponent, BundleSource, Bytes, ToolChoice};
use crate::digest::Digest;
use crate::error::{BundleError, shown};
use crate::inspect::{COMPONENT_BYTES_MAX, Inspection, inspect_hashed};
use crate::limits::LimitsPatch;
use crate::links::links_to;
use crate::manifest::Asks;
use crate::text::{TOML_BYTES_MAX, parse_toml, place};
use handbox_hand::ToolName;
use serde::{Deserialize, Deserializer, de};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use toml::Spanned;

/// The file that makes a folder a bundle.
pub const BUNDLE_FILE: &str = "bundle.toml";

/// Each component costs an instance allocation and, uncached, seconds of compiling.
const COMPONENTS_MAX: usize = 64;

/// All components together are held in memory.
const BUNDLE_BYTES_MAX: u64 = 256 << 20;

/// `bundle.toml` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BundleToml {
    name: Spanned<String>,
    version: Spanned<String>,
    components: Vec<ComponentToml>,
    #[serde(default)]
    limits: LimitsPatch,
    #[serde(default, deserialize_with = "some_asks")]
    asks: Option<Asks>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentToml {
    path: Spanned<String>,
    digest: Option<Spanned<String>>,
    tools: Option<Spanned<ToolsToml>>,
}

fn some_asks<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Asks>, D::Error> {
    crate::text::asks_table(from).map(Some)
}

/// A list selects, a table renames.
enum ToolsToml {
    Only(Vec<ToolName>),
    Renamed(BTreeMap<ToolName, ToolName>),
}

impl<'de> Deserialize<'de> for ToolsToml {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> de::Visitor<'de> for Either {
            type Value = ToolsToml;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of tools to show, or a table { old = \"new\" } of those to rename")
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, seq: A) -> Result<ToolsToml, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(seq)).map(ToolsToml::Only)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<ToolsToml, A::Error> {
                BTreeMap::deserialize(de::value::MapAccessDeserializer::new(map)).map(ToolsToml::Renamed)
            }
        }
        from.deserialize_any(Either)
    }
}

impl Bundle {
    /// Opens what a person calls `what`: the name of a built-in bundle, or the path of a
    /// folder with `bundle.toml` or of a `.wasm` file, relative to `cwd`.
    ///
    /// A built-in name wins over a path, so that no folder of a project can pose as it;
    /// write `./std` for the folder. Each file is read once, and the bytes that are hashed
    /// are the bytes that are run.
    ///
    /// # Errors
    ///
    /// [`BundleError::NotFound`] with what there is, [`BundleError::Invalid`] with file, line
    /// and key for a bad `bundle.toml`, [`BundleError::Changed`] for a component that is not
    /// the pinned one, [`BundleError::Broken`] for one that Handbox cannot run.
    pub fn open(what: &str, cwd: &Path, built_in: &[BundleSource]) -> Result<Self, BundleError> {
        if let Some(source) = built_in.iter().find(|source| source.name == what) {
            return source.bundle();
        }
        let path = cwd.join(what);
        let known = || {
            let names: Vec<&str> = built_in.iter().map(|source| source.name.as_str()).collect();
            let built_in = if names.is_empty() { "none in this program".to_owned() } else { names.join(", ") };
            format!("a bundle is a built-in one ({built_in}), a folder with {BUNDLE_FILE}, or a .wasm file")
        };
        match std::fs::metadata(&path) {
            Ok(found) if found.is_dir() && path.join(BUNDLE_FILE).exists() => Self::open_folder(&path),
            Ok(found) if found.is_dir() => {
                let message = format!("{} is not a bundle: there is no {BUNDLE_FILE} in it", path.display());
                Err(BundleError::NotFound { message, hint: known() })
            }
            Ok(_) => Self::open_file(&path),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                let is_file = path.extension().is_some_and(|end| end == "wasm");
                let message = match is_file {
                    true => format!("there is no file {}", shown(what)),
                    false => format!("there is no bundle `{}`", shown(what)),
                };
                let pack = || {
                    "correct the path, or make it: handbox pack BUILT.wasm --manifest tool.toml -o OUT.wasm".to_owned()
                };
                Err(BundleError::NotFound { message, hint: if is_file { pack() } else { known() } })
            }
            Err(source) => Err(BundleError::Unreadable { path, source }),
        }
    }

    /// Opens a single component as a bundle of its own.
    ///
    /// # Errors
    ///
    /// As [`Bundle::open`].
    pub fn open_file(path: &Path) -> Result<Self, BundleError> {
        let links = links_to(path);
        let (path, bytes) = read_file(path, COMPONENT_BYTES_MAX)?;
        let component =
            component(&path, bytes.into(), None, ToolChoice::All, None).map_err(|error| error.at(path.display()))?;
        let version = component.manifest.as_ref().map_or("0.0.0", |manifest| &manifest.version).to_owned();
        let name = component.name.clone();
        Ok(Self {
            name,
            version,
            components: vec![component],
            limits: LimitsPatch::default(),
            files: vec![path],
            links,
        })
    }

    /// Opens a folder with `bundle.toml`.
    ///
    /// # Errors
    ///
    /// As [`Bundle::open`].
    pub fn open_folder(folder: &Path) -> Result<Self, BundleError> {
        let (file, bytes) = read_file(&folder.join(BUNDLE_FILE), TOML_BYTES_MAX as u64)?;
        let shown_file = file.display().to_string();
        let text = String::from_utf8(bytes)
            .map_err(|_| BundleError::invalid(format!("{shown_file}: not UTF-8"), "save it as UTF-8"))?;
        let toml: BundleToml = parse_toml(&shown_file, &text)?;
        let opening = Opening { folder: file.parent().unwrap_or(folder).to_owned(), file: &shown_file, text: &text };
        opening.check_head(&toml)?;
        let mut files = vec![file.clone()];
        let mut links = links_to(&folder.join(BUNDLE_FILE));
        let mut components = Vec::new();
        let mut bytes_left = BUNDLE_BYTES_MAX;
        for entry in toml.components {
            links.extend(links_to(&opening.folder.join(entry.path.get_ref())));
            let (path, component, size) = opening.component(entry, toml.asks.as_ref(), bytes_left)?;
            bytes_left = bytes_left.saturating_sub(size);
            files.push(path);
            components.push(component);
        }
        let (name, version) = (toml.name.into_inner(), toml.version.into_inner());
        let bundle = Self { name, version, components, limits: toml.limits, files, links };
        Self::check_names(&bundle.known_tools()?).map_err(|error| error.at(&shown_file))?;
        Ok(bundle)
    }
}

/// One `bundle.toml` while it is being followed.
struct Opening<'t> {
    /// Canonical.
    folder: PathBuf,
    file: &'t str,
    text: &'t str,
}

impl Opening<'_> {
    fn at<T>(&self, key: &str, value: &Spanned<T>) -> String {
        format!("{}: {key}", place(self.file, self.text, &value.span()))
    }

    fn check_head(&self, toml: &BundleToml) -> Result<(), BundleError> {
        if let Err(error) = ToolName::new(toml.name.get_ref().as_str()) {
            let message = format!("{}: {error}", self.at("name", &toml.name));
            return Err(BundleError::invalid(message, "bundles are named as tools are"));
        }
        if semver::Version::parse(toml.version.get_ref()).is_err() {
            let message = format!(
                "{}: `{}` is not a SemVer version",
                self.at("version", &toml.version),
                shown(toml.version.get_ref())
            );
            return Err(BundleError::invalid(message, "write three numbers, such as 0.1.0"));
        }
        let count = toml.components.len();
        if count == 0 || count > COMPONENTS_MAX {
            let message = format!("{}: components: there are {count} of them", self.file);
            return Err(BundleError::invalid(message, format!("list 1 to {COMPONENTS_MAX} [[components]]")));
        }
        if let Some(asks) = &toml.asks {
            asks.validate().map_err(|error| error.at(self.file))?;
        }
        let mut seen = BTreeSet::new();
        for entry in &toml.components {
            if !seen.insert(entry.path.get_ref().to_lowercase()) {
                let message = format!(
                    "{}: `{}` stands twice, if need be in another case",
                    self.at("components.path", &entry.path),
                    shown(entry.path.get_ref())
                );
                return Err(BundleError::invalid(
                    message,
                    "list each component once, under names that differ in more than case",
                ));
            }
        }
        Ok(())
    }

    fn component(
        &self,
        entry: ComponentToml,
        asks: Option<&Asks>,
        bytes_left: u64,
    ) -> Result<(PathBuf, BundleComponent, u64), BundleError> {
        let place = self.at("components.path", &entry.path);
        let relative = Path::new(entry.path.get_ref());
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !plain || entry.path.get_ref().contains(['\\', ':']) {
            let message = format!("{place}: `{}` leads out of the bundle's folder", shown(entry.path.get_ref()));
            return Err(BundleError::invalid(message, "write a path relative to bundle.toml, with / and without `..`"));
        }
        let path = self.folder.join(relative);
        let real = path.canonicalize().map_err(|source| BundleError::Unreadable { path, source })?;
        if !real.starts_with(&self.folder) {
            let message =
                format!("{place}: `{}` is a link that leads out of the bundle's folder", shown(entry.path.get_ref()));
            return Err(BundleError::invalid(message, "copy the component into the folder"));
        }
        let (real, bytes) = read_file(&real, COMPONENT_BYTES_MAX.min(bytes_left))?;
        let size = bytes.len() as u64;
        let digest = self.check_digest(&entry, &place, &bytes)?;
        let tools = match &entry.tools {
            None => ToolChoice::All,
            Some(tools) => tool_choice(tools.get_ref()),
        };
        let built = component(&real, bytes.into(), Some(digest), tools, asks).map_err(|error| error.at(&place))?;
        if let Some(tools) = &entry.tools {
            built.known_tools().map_err(|error| error.at(self.at("components", tools)))?;
        }
        Ok((real, built, size))
    }

    fn check_digest(&self, entry: &ComponentToml, place: &str, bytes: &[u8]) -> Result<Digest, BundleError> {
        let actual = Digest::of(bytes);
        let Some(written) = &entry.digest else {
            let message = format!("{place}: components.digest is missing: a bundle pins what it runs");
            return Err(BundleError::invalid(
                message,
                format!("if this is the file you mean, add\ndigest = \"{actual}\""),
            ));
        };
        let place = self.at("components.digest", written);
        let pinned: Digest = written.get_ref().parse().map_err(|error: BundleError| {
            BundleError::invalid(
                format!("{place}: {error}"),
                format!("if this is the file you mean, write\ndigest = \"{actual}\""),
            )
        })?;
        if pinned != actual {
            let what = format!("{place}: `{}`", shown(entry.path.get_ref()));
            return Err(BundleError::Changed { what, pinned, actual });
        }
        Ok(actual)
    }
}

fn tool_choice(tools: &ToolsToml) -> ToolChoice {
    match tools {
        ToolsToml::Only(names) => ToolChoice::Only(names.clone()),
        ToolsToml::Renamed(names) => ToolChoice::Renamed(names.clone()),
    }
}

fn component(
    path: &Path,
    bytes: Arc<[u8]>,
    digest: Option<Digest>,
    tools: ToolChoice,
    asks: Option<&Asks>,
) -> Result<BundleComponent, BundleError> {
    let inspection = inspect_hashed(&bytes, digest)?;
    inspection.check()?;
    let Inspection { kind, manifest, digest, .. } = inspection;
    let own = manifest.as_ref().map(|manifest| manifest.asks.clone()).unwrap_or_default();
    let asks = asks.map_or(own.clone(), |ceiling| own.narrowed_by(ceiling));
    let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = manifest.as_ref().map_or_else(stem, |manifest| manifest.name.clone());
    Ok(BundleComponent { name, digest, kind, manifest, tools, asks, bytes: Bytes::Loaded(bytes) })
}

/// Reads a regular file of at most `bytes_max`, once. Gives its canonical path, too.
fn read_file(path: &Path, bytes_max: u64) -> Result<(PathBuf, Vec<u8>), BundleError> {
    let unreadable = |source| BundleError::Unreadable { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(unreadable)?;
    // Asked before opening, because opening a FIFO would wait for a writer.
    if !std::fs::metadata(&real).map_err(unreadable)?.is_file() {
        let message = format!("{} is not a regular file", real.display());
        return Err(BundleError::invalid(message, "name a .wasm file, or a folder with bundle.toml"));
    }
    let mut bytes = Vec::new();
    let file = File::open(&real).map_err(unreadable)?;
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("{} is larger than the {bytes_max} bytes that are read", real.display());
        return Err(BundleError::broken(message, "make it smaller"));
    }
    Ok((real, bytes))
}
