//! What the operator and the project configured. The only place that reads a file for
//! configuration; the folders of the platform are in `paths`, the flags in `args`.
//!
//! The operator's `config.toml` grants. A project's `handbox.toml` chooses bundles and
//! narrows; it grants nothing until `handbox config trust` has recorded its content.

mod agents;
mod file;
mod layers;
mod project;
mod resolve;
mod settings;
pub(crate) mod similar;
mod source;
#[cfg(test)]
pub(crate) mod tests;
mod trust;

pub(crate) use agents::Agents;
pub(crate) use file::{Lines, TextFile, link_folders};
pub(crate) use layers::{LayeredLimits, Stacked};
pub(crate) use project::{PROJECT_FILE, find as find_project, named as named_project};
pub(crate) use resolve::{Opened, Origin, refuse_toml};
pub(crate) use settings::{Layer, Narrow, NarrowFolder, RESERVED_NAMES, Settings, single_limits};
pub(crate) use source::{Placed, Source, Trust, absolute, before, failure_at};
pub(crate) use trust::TrustFile;

use crate::failure::Failure;
use crate::paths::Paths;
use settings::Author;
use std::path::{Path, PathBuf};

/// Everything that is configured for a command run in one folder.
#[derive(Debug)]
pub(crate) struct Config {
    /// The operator's file, if there is one.
    pub(crate) file: Option<PathBuf>,
    pub(crate) operator: Settings,
    pub(crate) project: Option<Project>,
    /// What is odd, and what to do about it.
    pub(crate) warnings: Vec<Warning>,
}

/// A project's file.
#[derive(Debug)]
pub(crate) struct Project {
    /// Canonical.
    pub(crate) file: PathBuf,
    pub(crate) trust: Trust,
    pub(crate) settings: Settings,
}

/// Something that is not an error, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Config {
    /// Reads the operator's file and that of the project which `cwd` is in.
    ///
    /// A file that was named must exist. Whatever is in a file must be understood.
    pub(crate) fn load(paths: &Paths, cwd: &Path) -> Result<Self, Failure> {
        let (file, operator) = load_operator(paths, cwd)?;
        let mut config = Self { file, operator, project: None, warnings: Vec::new() };
        let search = project::find(cwd, &paths.home)?;
        config.warnings.extend(search.shared.map(|file| Warning {
            message: format!("{} is not used: everybody may write its folder", file.display()),
            hint: "work in a folder of your own, or run `chmod o-w` on that one".to_owned(),
        }));
        if let Some(file) = search.file {
            let project = load_project(&file, paths)?;
            let strangers = project.settings.bundles.iter().filter(|(name, bundle)| {
                bundle.path.is_none() && !config.operator.bundles.contains_key(*name) && !is_reserved(name)
            });
            config.warnings.extend(strangers.map(|(name, _)| Warning {
                message: format!("{}: bundles.{name}: there is no bundle of that name", file.display()),
                hint: "add path = \"FOLDER or FILE.wasm\", or leave the table out".to_owned(),
            }));
            config.project = Some(project);
        }
        Ok(config)
    }
}

fn is_reserved(name: &str) -> bool {
    // `Std` would be taken for `std` by whoever reads it.
    RESERVED_NAMES.iter().any(|reserved| reserved.eq_ignore_ascii_case(name))
}

fn load_operator(paths: &Paths, cwd: &Path) -> Result<(Option<PathBuf>, Settings), Failure> {
    let path = absolute(&paths.config, cwd);
    match TextFile::read(&path)? {
        Some(text) => {
            let folder = path.parent().unwrap_or(cwd);
            let settings = settings::parse(&text, Author { project: None, folder, home: &paths.home })?;
            Ok((Some(path), settings))
        }
        None if paths.config_is_named => {
            let failure = Failure::usage(format!("there is no configuration file {}", path.display()));
            Err(failure.hint("correct --config or HANDBOX_CONFIG, or leave it out to use the default one"))
        }
        None => Ok((None, Settings::default())),
    }
}

/// Reads a project's file and looks up whether it is trusted.
pub(crate) fn load_project(file: &Path, paths: &Paths) -> Result<Project, Failure> {
    let text = read_project(file)?;
    let trust = TrustFile::read(&paths.trust)?.of(file, &text.digest);
    parse_project(&text, trust, paths)
}

/// Reads a project's file.
pub(crate) fn read_project(file: &Path) -> Result<TextFile, Failure> {
    project::check_no_link(file)?;
    TextFile::read(file)?.ok_or_else(|| {
        let failure = Failure::usage(format!("there is no {}", file.display()));
        failure.hint(format!("make a {PROJECT_FILE} there, or name another one"))
    })
}

/// Parses a project's file as one that is trusted or not.
pub(crate) fn parse_project(text: &TextFile, trust: Trust, paths: &Paths) -> Result<Project, Failure> {
    let folder = text.path.parent().unwrap_or(Path::new("/"));
    let author = Author { project: Some(trust), folder, home: &paths.home };
    let settings = settings::parse(text, author).map_err(|failure| {
        let is_manifest = text.text.lines().any(|line| line.starts_with("[asks") || line.starts_with("[[asks"));
        let hint = "a manifest for `handbox pack` must have another name, such as tool.toml";
        if is_manifest { failure.hint(hint) } else { failure }
    })?;
    Ok(Project { file: text.path.to_path_buf(), trust, settings })
}
