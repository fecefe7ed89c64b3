//! `handbox vault init`.

use super::value::{ask, line_of};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_vault::keep::Rest;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Make the vault's key, or keep the one there is in another way.
///
/// Not needed before `set`: that makes a key in a file for you alone. With --passphrase the file is closed, and each command
/// that needs the vault asks for it; programs name a file with it: HANDBOX_VAULT_PASSPHRASE_FILE.
#[derive(clap::Args)]
pub(super) struct Init {
    /// Close the key with a passphrase, which is asked for
    #[arg(long)]
    passphrase: bool,
    /// Close the key with the passphrase on the first line of this file; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    passphrase_file: Option<PathBuf>,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Init) -> Result<ExitCode, Failure> {
    let rest = match (&command.passphrase_file, command.passphrase) {
        (Some(file), _) => Rest::Passphrase(line_of(file)?),
        (None, true) => {
            let first = ask("New passphrase (not shown): ")?;
            if *ask("The same again: ")? != *first {
                return Err(Failure::usage("these two are not the same").hint("try it again"));
            }
            Rest::Passphrase(first)
        }
        (None, false) => Rest::Plain,
    };
    crate::log::open::make_folder(paths)?;
    super::keep(paths).init(&rest)?;
    let closed = matches!(rest, Rest::Passphrase(_));
    if global.json {
        output::json_line(&json!({ "key": paths.vault_key, "passphrase": closed }));
    } else if !global.quiet {
        let how = if closed { "closed by your passphrase" } else { "readable by you alone" };
        let text =
            format!("the vault's key is {}, {how}; without it, nobody can open the vault", paths.vault_key.display());
        output::note(Tone::Note, &text);
    }
    Ok(ExitCode::SUCCESS)
}
