//! `handbox vault bind` and `unbind`.

use crate::agent::bundle_digest;
use crate::args::Global;
use crate::config::{Config, Opened, Origin};
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_vault::keep::{Bind, GuestHeader, KeepError, Kind};
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Say where a credential goes, and for which bundle.
///
/// It goes along with requests of that bundle to the destination: its scheme, host, port, and its path with all that is below
/// it. A Git credential is bound to a repository, and goes along with what `git` asks of that one alone.
///
/// The bundle is pinned as it is now: another one of the same name gets nothing until it is bound again. --any-version
/// lets it change. The standard tools are part of Handbox and change with it.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox vault bind weather https://api.example.com/v1 --for ./weather.wasm
  handbox vault bind github https://api.github.com/repos/me/mine --for std --method GET
  handbox vault bind repo https://github.com/me/mine.git --for std")]
pub(super) struct BindTo {
    /// Which
    name: String,
    /// Where it goes: an https URL (or a loopback one), without query
    destination: String,
    /// The bundle: `std`, a name from config.toml, a folder with bundle.toml, or a .wasm file
    #[arg(long = "for", value_name = "BUNDLE")]
    bundle: String,
    /// Only with this method; may be given several times
    #[arg(long, value_name = "METHOD")]
    method: Vec<String>,
    /// What to do if the tool sends the header itself [default: refuse; replace for kind env]
    #[arg(long, value_enum)]
    guest_header: Option<GuestHeaderName>,
    /// Whatever the bundle becomes
    #[arg(long)]
    any_version: bool,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum GuestHeaderName {
    /// Refuse the request
    Refuse,
    /// Drop it, and set the credential
    Replace,
}

/// Let a credential go somewhere no more.
#[derive(clap::Args)]
pub(super) struct Unbind {
    /// Which
    name: String,
    /// Where it went
    destination: Option<String>,
    /// The bundle it went for
    #[arg(long = "for", value_name = "BUNDLE")]
    bundle: Option<String>,
    /// All of its bindings
    #[arg(long, conflicts_with_all = ["destination", "bundle"])]
    all: bool,
}

pub(super) fn bind(global: &Global, paths: &Paths, command: BindTo) -> Result<ExitCode, Failure> {
    let keep = super::keep(paths);
    let listed = keep.get(&command.name)?;
    let cwd = crate::paths::current_folder()?;
    let config = Config::load(paths, &cwd)?;
    let opened = config.open(&command.bundle, &cwd, &handbox_std_bundle::bundles())?;
    let pin = !command.any_version && opened.origin != Origin::BuiltIn;
    let usual = if listed.kind.variable().is_some() { GuestHeader::Replace } else { GuestHeader::Refuse };
    let bind = Bind {
        to: command.destination,
        bundle: holder(&opened, &command.bundle, &cwd),
        digest: pin.then(|| bundle_digest(&opened.bundle)),
        methods: command.method.iter().map(|method| method.to_ascii_uppercase()).collect(),
        guest_header: match command.guest_header {
            Some(GuestHeaderName::Refuse) => GuestHeader::Refuse,
            Some(GuestHeaderName::Replace) => GuestHeader::Replace,
            None => usual,
        },
    };
    keep.bind(&command.name, bind.clone())?;
    if global.json {
        output::json_line(&json!({ "name": command.name, "binding": bind }));
        return Ok(ExitCode::SUCCESS);
    }
    if !global.quiet {
        output::note(Tone::Note, &format!("{} goes to {} for {}", command.name, bind.to, bind.bundle));
        if let Kind::Env { variable, .. } = &listed.kind {
            let note = format!("the bundle gets a placeholder in {variable}, which is public; the value stays here");
            output::note(Tone::Note, &note);
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn unbind(global: &Global, paths: &Paths, command: &Unbind) -> Result<ExitCode, Failure> {
    let keep = super::keep(paths);
    let listed = keep.get(&command.name)?;
    if command.destination.is_none() && command.bundle.is_none() && !command.all {
        let failure = Failure::usage("which binding?");
        return Err(failure.hint("name the destination, or --for BUNDLE, or --all; `handbox vault list` shows them"));
    }
    // As it was bound; a bundle that is gone is still to be named.
    let bundle = match &command.bundle {
        Some(word) if !listed.bindings.iter().any(|bind| bind.bundle == *word) => Some(absolute(word)?),
        other => other.clone(),
    };
    let count = keep.unbind(&command.name, command.destination.as_deref(), bundle.as_deref())?;
    if count == 0 {
        let message = format!("{} has no such binding", command.name);
        return Err(KeepError::Invalid { message, hint: "`handbox vault list` shows them".to_owned() }.into());
    }
    if global.json {
        output::json_line(&json!({ "name": command.name, "unbound": count }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("{count} of its bindings gone, from the next request on"));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the vault calls a bundle: its name in the configuration, or where it lies.
pub(crate) fn holder(opened: &Opened, word: &str, cwd: &Path) -> String {
    // A name that a project gives is not the operator's to be relied on.
    match &opened.name {
        Some(name) if matches!(opened.origin, Origin::BuiltIn | Origin::Config) => name.clone(),
        _ => {
            let path = cwd.join(word);
            path.canonicalize().unwrap_or(path).display().to_string()
        }
    }
}

fn absolute(word: &str) -> Result<String, Failure> {
    let path = crate::paths::current_folder()?.join(word);
    Ok(path.canonicalize().unwrap_or(path).display().to_string())
}
