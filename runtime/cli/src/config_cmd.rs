//! `handbox config`: what applies and why, and which projects are trusted.

use crate::args::{self, Global};
use crate::config::{
    Config, PROJECT_FILE, Project, Trust, TrustFile, Warning, absolute, named_project, parse_project, read_project,
};
use crate::config_show;
use crate::failure::Failure;
use crate::grants::{self, Asking};
use crate::output;
use crate::paths::Paths;
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// See what is configured, and trust projects.
#[derive(clap::Args)]
pub(crate) struct ConfigArgs {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show each value that applies here, and where it came from
    Show(Show),
    /// Let a project's handbox.toml grant what it asks for, as it is now
    ///
    /// Its path and its SHA-256 are recorded; if it changes, it is not trusted any more.
    /// Read it before: what it grants is shown, too.
    Trust(Named),
    /// Take that back
    Untrust(Named),
    /// Print where the configuration file is, or would be
    Path,
}

#[derive(clap::Args)]
pub(crate) struct Show {
    /// What applies to this bundle, rather than to all
    #[arg(long, value_name = "NAME")]
    pub(crate) bundle: Option<String>,
    #[command(flatten)]
    pub(crate) grants: args::Grants,
}

#[derive(clap::Args)]
pub(crate) struct Named {
    /// The file or its folder; otherwise the handbox.toml of the project you are in
    pub(crate) path: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, command: ConfigArgs) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let cwd = crate::paths::current_folder()?;
    match command.command {
        ConfigCommand::Show(command) => show(global, &command, &paths, &cwd)?,
        ConfigCommand::Trust(named) => trust(global, &named, &paths, &cwd)?,
        ConfigCommand::Untrust(named) => untrust(global, &named, &paths, &cwd)?,
        ConfigCommand::Path => print_path(global, &paths, &cwd),
    }
    Ok(ExitCode::SUCCESS)
}

fn show(global: &Global, command: &Show, paths: &Paths, cwd: &Path) -> Result<(), Failure> {
    let config = Config::load(paths, cwd)?;
    let built_in = handbox_std_bundle::bundles();
    let opened = command.bundle.as_ref().map(|word| config.open(word, cwd, &built_in)).transpose()?;
    let bundle = opened.as_ref().and_then(|opened| opened.name.as_deref());
    let links = opened.as_ref().map(|opened| opened.bundle.links.as_slice()).unwrap_or_default();
    let asking = Asking { typed: &command.grants, config: &config, bundle, links, paths, cwd };
    let mut effective = grants::effective(asking)?;
    if let Some(opened) = &opened {
        effective.narrow_by_author(&opened.bundle);
        effective.warn_of_unasked(&command.grants, &opened.bundle, cwd);
    }
    let file = absolute(&paths.config, cwd);
    let shown = config_show::Shown { config: &config, effective: &effective, opened: opened.as_ref(), file: &file };
    if global.json {
        output::json_line(&shown.to_json());
    } else {
        effective.warn(global.quiet);
        output::data(&shown.to_text());
    }
    Ok(())
}

fn trust(global: &Global, named: &Named, paths: &Paths, cwd: &Path) -> Result<(), Failure> {
    let file = project_file(named, paths, cwd)?;
    // Parsed before it is trusted: these bytes are what is recorded.
    let text = read_project(&file)?;
    let project = parse_project(&text, Trust::Given, paths)?;
    TrustFile::read(&paths.trust)?.add(&file, text.digest.clone())?;
    let grants = granted_by(&project);
    if global.json {
        let answer =
            json!({ "file": file.display().to_string(), "digest": text.digest, "trusted": true, "grants": grants });
        output::json_line(&answer);
        return Ok(());
    }
    let mut shown = format!("trusted: {} ({})\n", file.display(), text.digest);
    match grants.is_empty() {
        true => shown.push_str("it grants nothing\n"),
        false => shown.push_str("it may now set:\n"),
    }
    for grant in grants {
        shown.push_str(&format!("  {grant}\n"));
    }
    output::data(&output::visible(&shown));
    Ok(())
}

fn untrust(global: &Global, named: &Named, paths: &Paths, cwd: &Path) -> Result<(), Failure> {
    let file = project_file(named, paths, cwd)?;
    let was_trusted = TrustFile::read(&paths.trust)?.remove(&file)?;
    if global.json {
        output::json_line(&json!({ "file": file.display().to_string(), "trusted": false, "was_trusted": was_trusted }));
    } else {
        let state = if was_trusted { "no longer trusted" } else { "was not trusted" };
        output::data(&output::visible(&format!("{state}: {}", file.display())));
    }
    Ok(())
}

fn print_path(global: &Global, paths: &Paths, cwd: &Path) {
    let file = absolute(&paths.config, cwd);
    if global.json {
        let shown = |path: &Path| path.display().to_string();
        let (config, trust, data) = (shown(&file), shown(&paths.trust), shown(&paths.data));
        output::json_line(&json!({ "config": config, "exists": file.is_file(), "trust": trust, "data": data }));
    } else {
        output::data(&file.display().to_string());
    }
}

/// The file that was named, or that of the project which `cwd` is in.
fn project_file(named: &Named, paths: &Paths, cwd: &Path) -> Result<PathBuf, Failure> {
    if let Some(path) = &named.path {
        return Ok(named_project(path, cwd));
    }
    let search = crate::config::find_project(cwd, &paths.home)?;
    search.file.ok_or_else(|| {
        let message = format!("there is no {PROJECT_FILE} in {} or the project it belongs to", cwd.display());
        Failure::usage(message).hint("change to the project's folder, or name the file")
    })
}

/// What a trusted file sets that only the operator may, for people.
fn granted_by(project: &Project) -> Vec<String> {
    let settings = &project.settings;
    let named = settings.bundles.iter().map(|(name, bundle)| (format!("for {name}: "), &bundle.layer));
    let layers = std::iter::once((String::new(), &settings.all)).chain(named);
    let mut grants = Vec::new();
    for (scope, layer) in layers {
        let profile = layer.profile.iter().map(|profile| format!("profile {}", profile.value));
        let limits = layer.limits.iter().map(|limit| format!("limit {}", limit.value));
        let folders = layer.folders.iter().map(|folder| {
            let grant = &folder.value;
            format!("folder {} at {} ({})", grant.host.display(), grant.guest, grant.mode)
        });
        let env = layer.env.iter().map(|value| format!("environment value {}", value.value.0));
        let hosts = layer.hosts.iter().map(|host| format!("host {}", host.value));
        let all = profile.chain(limits).chain(folders).chain(env).chain(hosts);
        grants.extend(all.map(|what| format!("{scope}{what}")));
    }
    grants
}

/// A warning in a `--json` answer.
pub(crate) fn warning_json(warning: &Warning) -> Value {
    json!({ "message": warning.message, "hint": warning.hint })
}
