//! From what somebody calls a bundle to the bundle.

use super::settings::Layer;
use super::similar;
use super::source::{Placed, before};
use super::{Config, Warning};
use crate::describe::shell_word;
use crate::failure::Failure;
use handbox_bundle::{BUNDLE_FILE, Bundle, BundleError, BundleSource};
use std::path::{Path, PathBuf};

/// An open bundle and the name that configuration knows it by.
pub(crate) struct Opened {
    pub(crate) bundle: Bundle,
    /// `NAME` of the `[bundles.NAME]` that speak about it. Never what the bundle calls
    /// itself: a bundle could call itself anything.
    pub(crate) name: Option<String>,
    pub(crate) origin: Origin,
}

/// Who named a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It is part of the program.
    BuiltIn,
    /// The operator's configuration.
    Config,
    /// A project's file.
    Project,
    /// Nobody but the command line: it is a path.
    Path,
}

impl Config {
    /// Opens what a person calls `word`: a built-in bundle, else a name from `config.toml`,
    /// else one from `handbox.toml`, else a path. Names win over paths; write `./x` for a
    /// folder that has the name of a bundle.
    ///
    /// A path that is where one of the names leads is that bundle, with all that is
    /// configured for it.
    pub(crate) fn open(&self, word: &str, cwd: &Path, built_in: &[BundleSource]) -> Result<Opened, Failure> {
        if built_in.iter().any(|source| source.name == word) {
            let bundle = Bundle::open(word, cwd, built_in)?;
            return Ok(Opened { bundle, name: Some(word.to_owned()), origin: Origin::BuiltIn });
        }
        if let Some((path, origin)) = self.alias(word) {
            let bundle = open_alias(word, path)?;
            return Ok(Opened { bundle, name: Some(word.to_owned()), origin });
        }
        refuse_toml(word, cwd)?;
        let bundle = Bundle::open(word, cwd, built_in).map_err(|error| self.with_names(error, word, cwd, built_in))?;
        let named = bundle.files.first().and_then(|file| self.alias_of(file));
        let (name, origin) = named.unzip();
        Ok(Opened { bundle, name, origin: origin.unwrap_or(Origin::Path) })
    }

    /// Where a configured name leads. The operator's names win.
    pub(crate) fn alias(&self, word: &str) -> Option<(&Placed<PathBuf>, Origin)> {
        let own = self.operator.bundles.get(word).and_then(|bundle| bundle.path.as_ref());
        let project = self.project.as_ref().and_then(|project| project.settings.bundles.get(word)?.path.as_ref());
        own.map(|path| (path, Origin::Config)).or(project.map(|path| (path, Origin::Project)))
    }

    /// The name that leads to `file`, canonical.
    fn alias_of(&self, file: &Path) -> Option<(String, Origin)> {
        let leads_there = |(path, origin): &(&Placed<PathBuf>, Origin)| {
            let real = loaded_file(&path.value).canonicalize().ok();
            real.is_some_and(|real| real == file).then_some(*origin)
        };
        self.names().into_iter().find_map(|name| Some((name.to_owned(), leads_there(&self.alias(name)?)?)))
    }

    /// The names that the operator gave to what is loaded from `file`, canonical.
    pub(crate) fn operators_names_of(&self, file: &Path) -> Vec<String> {
        let leads_there =
            |path: &Placed<PathBuf>| loaded_file(&path.value).canonicalize().is_ok_and(|real| real == file);
        let all = self.operator.bundles.iter();
        all.filter(|(_, bundle)| bundle.path.as_ref().is_some_and(leads_there)).map(|(name, _)| name.clone()).collect()
    }

    /// Every configured name, the operator's first.
    pub(crate) fn names(&self) -> Vec<&str> {
        let project = self.project.iter().flat_map(|project| project.settings.bundles.keys());
        let project = project.filter(|name| !self.operator.bundles.contains_key(*name));
        self.operator.bundles.keys().chain(project).map(String::as_str).collect()
    }

    /// Adds the configured names to "there is no such bundle", and what may have been meant.
    fn with_names(&self, error: BundleError, word: &str, cwd: &Path, built_in: &[BundleSource]) -> Failure {
        let not_found = matches!(error, BundleError::NotFound { .. });
        let failure = Failure::from(error);
        if !not_found {
            return failure;
        }
        let names = self.names();
        let mut hint = failure.hint.clone().unwrap_or_default();
        if !names.is_empty() {
            hint = format!("{hint}, or a name from your configuration ({})", names.join(", "));
        }
        let all = built_in.iter().map(|source| source.name.clone()).chain(names.iter().map(|name| (*name).to_owned()));
        match similar::to(word, all, cwd) {
            Some(similar) => failure.hint(format!("did you mean {similar}? {hint}")),
            None => failure.hint(hint),
        }
    }

    /// The files behind all names, as they are named: a guest that could write one would
    /// choose what is run under that name.
    pub(crate) fn alias_files(&self) -> Vec<PathBuf> {
        let project = self.project.iter().flat_map(|project| project.settings.bundles.values());
        let all = self.operator.bundles.values().chain(project);
        all.filter_map(|bundle| Some(loaded_file(&bundle.path.as_ref()?.value))).collect()
    }

    /// What the operator and the project say about the bundle of this name.
    pub(crate) fn bundle_layers(&self, name: &str) -> (Option<&Layer>, Option<&Layer>) {
        let own = self.operator.bundles.get(name).map(|bundle| &bundle.layer);
        let project = self.project.as_ref().and_then(|project| project.settings.bundles.get(name));
        // A project's own bundle of a name that the operator uses is another bundle.
        let project = project.filter(|bundle| own.is_none() || bundle.path.is_none());
        (own, project.map(|bundle| &bundle.layer))
    }

    /// Says that a project's bundle is not the one that its name leads to.
    pub(crate) fn shadow_warning(&self, name: &str) -> Option<Warning> {
        let own = self.operator.bundles.get(name)?.path.as_ref()?;
        let project = self.project.as_ref()?.settings.bundles.get(name)?.path.as_ref()?;
        (own.value != project.value).then(|| Warning {
            message: format!(
                "{}: bundles.{name} is not used: your own configuration names a bundle `{name}`",
                self.project.as_ref().map(|project| project.file.display().to_string()).unwrap_or_default()
            ),
            hint: format!("to use the project's, call it by its path: {}", project.value.display()),
        })
    }
}

/// Refuses a manifest file that is named in place of what it describes.
pub(crate) fn refuse_toml(word: &str, cwd: &Path) -> Result<(), Failure> {
    let path = Path::new(word);
    if path.extension().is_none_or(|end| end != "toml") || !cwd.join(path).is_file() {
        return Ok(());
    }
    if path.ends_with(BUNDLE_FILE) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let hint = format!("name the folder that it is in: {}", shell_word(&folder.display().to_string()));
        return Err(Failure::usage(format!("{word} is a bundle's file, and not the bundle")).hint(hint));
    }
    let (manifest, what) = match path.ends_with("Cargo.toml") {
        // Cargo's file says nothing of tools.
        true => (path.with_file_name("tool.toml").display().to_string(), "that file is Cargo's"),
        false => (word.to_owned(), "such a file only describes one"),
    };
    let manifest = shell_word(&manifest);
    let hint =
        format!("name the packed .wasm; to make one: handbox pack BUILT.wasm --manifest {manifest} -o OUT.tool.wasm");
    Err(Failure::usage(format!("{word} is no component: {what}")).hint(hint))
}

/// The file that decides what a name runs: a folder's `bundle.toml` pins the rest of it.
fn loaded_file(path: &Path) -> PathBuf {
    if path.is_dir() { path.join(BUNDLE_FILE) } else { path.to_owned() }
}

fn open_alias(name: &str, path: &Placed<PathBuf>) -> Result<Bundle, Failure> {
    let opened = match path.value.is_dir() {
        true => Bundle::open_folder(&path.value),
        false => Bundle::open_file(&path.value),
    };
    opened.map_err(|error| {
        let missing =
            matches!(&error, BundleError::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::NotFound);
        let failure = before(Some(format!("bundles.{name}.path")), error.into());
        let failure = before(path.source.in_error(), failure);
        if missing { failure.hint("build or fetch the bundle, or correct the path") } else { failure }
    })
}
