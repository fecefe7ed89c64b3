//! `handbox vault`: credentials that hands use and never hold.

mod bind;
mod init;
mod list;
mod login;
mod probe;
mod set;
mod value;

use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_vault::keep::{ByProxy, Keep, KeepError, Options, Provider};
use handbox_vault::{Credentials, Trust};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long the end waits for a credential that is being renewed.
const SETTLE_TIME_MAX: Duration = Duration::from_secs(30);
/// Where a passphrase is read from instead of a terminal.
const PASSPHRASE_FILE: &str = "HANDBOX_VAULT_PASSPHRASE_FILE";

/// Keep credentials, and say where they go.
///
/// A credential rests in an encrypted file. No tool and no model ever holds it: it is added to a request on its way out, if
/// the request goes where the credential is bound to, for the bundle that it is bound for, and it is taken out of what
/// comes back. A value is asked for without showing it, or read from standard input or a file; it is never typed as an argument.
///
/// The file is vault.age in the data folder. Its key is made with the first credential: vault.key in the
/// configuration folder, or the file that HANDBOX_VAULT_KEY_FILE names. Back both up, apart from each other.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox vault set weather --header x-api-key
  handbox vault bind weather https://api.example.com/v1 --for ./weather.wasm
  handbox vault set anthropic --kind model --provider anthropic
  pass show work/token | handbox vault rotate weather --stdin
  handbox vault list")]
pub(crate) struct Vault {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    Set(set::Set),
    List(list::List),
    Rm(set::Rm),
    Rotate(set::Rotate),
    Bind(bind::BindTo),
    Unbind(bind::Unbind),
    Test(probe::Test),
    Login(login::Login),
    Init(init::Init),
}

pub(crate) fn run(global: &Global, command: Vault) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    match command.verb {
        Verb::Set(command) => set::set(global, &paths, command),
        Verb::List(command) => list::run(global, &paths, &command),
        Verb::Rm(command) => set::rm(global, &paths, &command),
        Verb::Rotate(command) => set::rotate(global, &paths, command),
        Verb::Bind(command) => bind::bind(global, &paths, command),
        Verb::Unbind(command) => bind::unbind(global, &paths, &command),
        Verb::Test(command) => probe::run(global, &paths, &command),
        Verb::Login(command) => login::run(global, &paths, command),
        Verb::Init(command) => init::run(global, &paths, &command),
    }
}

/// The vault of the data folder. Opens nothing yet.
pub(crate) fn keep(paths: &Paths) -> Keep {
    let passphrase = Arc::new(|| match std::env::var_os(PASSPHRASE_FILE) {
        Some(file) if !file.is_empty() => value::line_of(&PathBuf::from(file)).map_err(|failure| failure.message),
        _ => value::ask_beside("Passphrase of the vault: ").map_err(|failure| failure.message),
    });
    let (folder, key) = (paths.data.clone(), paths.vault_key.clone());
    let out = Arc::new(ByProxy { trust: Trust::Platform });
    Keep::new(Options { folder, key, passphrase: Some(passphrase), out: Some(out) })
}

/// The name of the key for a provider's models, and how it is had for each request; `None` if the vault has none.
pub(crate) async fn model_key(
    keep: &Keep,
    provider: Provider,
) -> Result<Option<(String, Arc<dyn Credentials>)>, Failure> {
    if !keep.is_there() {
        return Ok(None);
    }
    let own = keep.clone();
    let name = tokio::task::spawn_blocking(move || own.model_key(provider)).await.map_err(Failure::internal)?;
    let Some(name) = name? else { return Ok(None) };
    let credentials = keep.for_models(provider, &name);
    // If it cannot be had, that is said before anything begins.
    let current = credentials.current(&name).await;
    let current =
        current.map_err(|error| Failure::usage(error.to_string()).hint(format!("handbox vault rotate {name}")));
    Ok(current?.map(|_| (name, credentials)))
}

/// Waits for what was begun for requests, before the process ends: the server of a token may have made the one before void.
pub(crate) async fn settle(keep: &Keep, quiet: bool) {
    if keep.settle(Duration::from_secs(1)).await {
        return;
    }
    if !quiet {
        output::note(Tone::Note, "a credential is being renewed; this ends when its new value is kept");
    }
    if !keep.settle(SETTLE_TIME_MAX).await && !quiet {
        output::note(Tone::Warning, "a credential was not renewed in time: see handbox vault list");
    }
}

impl From<KeepError> for Failure {
    fn from(error: KeepError) -> Self {
        let kind = match error {
            KeepError::Unsafe { .. } => Kind::Denied,
            KeepError::Closed { .. } => Kind::Broken,
            _ => Kind::Usage,
        };
        Self::new(kind, error.to_string()).hint(error.hint())
    }
}
