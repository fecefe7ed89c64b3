//! `handbox vault set`, `rotate` and `rm`.

use super::value::{Once, refuse_typed};
use crate::args::Global;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_vault::keep::{Elsewhere, EnvPlace, Held, Kind, New, Provider};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Take a credential in.
///
/// Without --kind, the other flags say what it is: --header, --query, --user (basic), --variable (env),
/// --provider (model); without any, it is a bearer token.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox vault set github                                     Authorization: Bearer …
  handbox vault set weather --header x-api-key --stdin < key
  handbox vault set mirror --user me --file password.txt       Authorization: Basic …
  handbox vault set repo --kind git                            a token for one repository
  handbox vault set mail --from-command 'pass show mail'       asked for when it is needed
  handbox vault set sdk --variable API_KEY --header authorization:Bearer")]
pub(super) struct Set {
    /// What you call it: letters, digits and -_.
    name: String,
    /// Something to remember it by
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    value: Once,
    #[command(flatten)]
    from: From,
}

/// Where a credential stands in a request.
#[derive(clap::Args)]
#[command(next_help_heading = "Kind")]
struct What {
    /// What it is
    #[arg(long, value_enum)]
    kind: Option<KindName>,
    /// The user of --kind basic or git [default for git: x-access-token]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// The header it stands in, and what stands before it: x-api-key, or authorization:Token (a space follows)
    #[arg(long, value_name = "NAME[:PREFIX]")]
    header: Option<String>,
    /// The parameter of the query it stands in
    #[arg(long, value_name = "NAME", conflicts_with = "header")]
    query: Option<String>,
    /// The variable in which a program wants it; the program gets a placeholder there, and sends that
    #[arg(long, value_name = "NAME")]
    variable: Option<String>,
    /// Where a JSON body holds it, as a JSON Pointer: /auth/key; with --variable
    #[arg(long, value_name = "POINTER", requires = "variable", conflicts_with_all = ["header", "query"])]
    pointer: Option<String>,
    /// Whose models it is the key for
    #[arg(long, value_enum)]
    provider: Option<ProviderName>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KindName {
    Bearer,
    Basic,
    Header,
    Query,
    Env,
    Git,
    Model,
    Oauth,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum ProviderName {
    Anthropic,
    Openai,
}

/// Read the value at each use, instead of keeping it.
#[derive(clap::Args)]
#[command(next_help_heading = "Values that stay elsewhere")]
struct From {
    /// The value is what this file holds, at each use
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stdin", "file", "from_command", "from_http"])]
    from_file: Option<PathBuf>,
    /// The value is what this command prints; its words parted by spaces, or as a JSON array. No shell runs it
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["stdin", "file", "from_http"])]
    from_command: Option<String>,
    /// The value is a field of a secret of a server like HashiCorp Vault
    #[arg(long, value_name = "URL#FIELD", conflicts_with_all = ["stdin", "file"])]
    from_http: Option<String>,
    /// The credential of this vault that --from-http sends as X-Vault-Token
    #[arg(long, value_name = "NAME", requires = "from_http")]
    token: Option<String>,
}

/// Give a credential another value.
///
/// It counts from the next request on, also in sessions that run. Its kind and bindings stay.
#[derive(clap::Args)]
pub(super) struct Rotate {
    /// Which
    name: String,
    #[command(flatten)]
    value: Once,
    #[command(flatten)]
    from: From,
}

/// Remove a credential with its bindings.
///
/// Requests that need it are refused from then on, also in sessions that run.
#[derive(clap::Args)]
pub(super) struct Rm {
    /// Which
    name: String,
}

pub(super) fn set(global: &Global, paths: &Paths, command: Set) -> Result<ExitCode, Failure> {
    let Set { name, what, value, from, note } = command;
    refuse_typed(&value.typed, &name)?;
    let kind = what.kind(&name)?;
    crate::log::open::make_folder(paths)?;
    let keep = super::keep(paths);
    // Said before anybody is asked for a value.
    if keep.is_there() && keep.list()?.iter().any(|one| one.name == name) {
        return Err(handbox_vault::keep::KeepError::Taken(name).into());
    }
    let held = held(&from, &value, &name)?;
    let discouraged = matches!(kind, Kind::Query { .. });
    let shown = kind.name();
    keep.set(New { name: name.clone(), kind, held, note: note.unwrap_or_default() })?;
    if discouraged {
        output::note(
            Tone::Warning,
            "a value in a query is written into the logs of servers and proxies; prefer a header wherever the server takes one",
        );
    }
    if global.json {
        output::json_line(&json!({ "name": name, "kind": shown }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("{name} is in the vault ({shown})"));
        if shown != "model" {
            let hint = format!("say where it goes: handbox vault bind {name} https://HOST/PATH --for BUNDLE");
            output::note(Tone::Hint, &hint);
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rotate(global: &Global, paths: &Paths, command: Rotate) -> Result<ExitCode, Failure> {
    let Rotate { name, value, from } = command;
    refuse_typed(&value.typed, &name)?;
    let keep = super::keep(paths);
    keep.get(&name)?;
    keep.rotate(&name, held(&from, &value, &name)?)?;
    if global.json {
        output::json_line(&json!({ "name": name, "rotated": true }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("{name} has another value, from the next request on"));
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rm(global: &Global, paths: &Paths, command: &Rm) -> Result<ExitCode, Failure> {
    super::keep(paths).remove(&command.name)?;
    if global.json {
        output::json_line(&json!({ "name": command.name, "removed": true }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("{} is removed; whoever gave it can also make it void", command.name));
    }
    Ok(ExitCode::SUCCESS)
}

fn held(from: &From, value: &Once, name: &str) -> Result<Held, Failure> {
    let elsewhere = match from {
        From { from_file: Some(file), .. } => {
            let path = std::path::absolute(file).map_err(|error| Failure::usage(error.to_string()))?;
            Elsewhere::File { path }
        }
        From { from_command: Some(text), .. } => Elsewhere::Command { words: words(text)? },
        From { from_http: Some(text), token, .. } => {
            let hint = "--from-http https://vault.example.com/v1/secret/data/NAME#FIELD";
            let (url, field) =
                text.split_once('#').ok_or_else(|| Failure::usage("--from-http names no field").hint(hint))?;
            Elsewhere::Http { url: url.to_owned(), field: field.to_owned(), token: token.clone() }
        }
        _ => return Ok(Held::Value(value.read(name)?)),
    };
    Ok(Held::Elsewhere(elsewhere))
}

/// A command's words. Quotes are not read, so that nobody need know how.
fn words(text: &str) -> Result<Vec<String>, Failure> {
    let json = "--from-command '[\"pass\", \"show\", \"my mail\"]'";
    if text.trim_start().starts_with('[') {
        return serde_json::from_str(text)
            .map_err(|_| Failure::usage("--from-command is no JSON array of words").hint(json));
    }
    if text.contains(['"', '\'', '\\', '$', '`', '|', ';', '&', '<', '>']) {
        let message = "--from-command is run without a shell, which would read some of these characters";
        return Err(Failure::usage(message).hint(format!("write its words as a JSON array: {json}")));
    }
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

impl What {
    fn kind(&self, name: &str) -> Result<Kind, Failure> {
        let needs = |flag: &str| Failure::usage(format!("this kind needs {flag}")).hint(format!("add {flag}"));
        let kind = match self.kind.unwrap_or_else(|| self.guess()) {
            KindName::Bearer => Kind::Bearer,
            KindName::Basic => Kind::Basic { user: self.user.clone().ok_or_else(|| needs("--user USER"))? },
            KindName::Git => Kind::Git { user: self.user.clone().unwrap_or_else(|| "x-access-token".to_owned()) },
            KindName::Header => {
                let (name, prefix) = header(self.header.as_deref().ok_or_else(|| needs("--header NAME"))?);
                Kind::Header { name, prefix }
            }
            KindName::Query => Kind::Query { name: self.query.clone().ok_or_else(|| needs("--query NAME"))? },
            KindName::Env => {
                let variable = self.variable.clone().ok_or_else(|| needs("--variable NAME"))?;
                let place = match (&self.header, &self.pointer) {
                    (_, Some(pointer)) => EnvPlace::Body { pointer: pointer.clone() },
                    (Some(text), None) => {
                        let (name, prefix) = header(text);
                        EnvPlace::Header { name, prefix }
                    }
                    (None, None) => return Err(needs("--header NAME[:PREFIX], or --pointer /PLACE")),
                };
                Kind::Env { variable, place }
            }
            KindName::Model => Kind::Model {
                provider: match (self.provider, name) {
                    (Some(ProviderName::Anthropic), _) | (None, "anthropic") => Provider::Anthropic,
                    (Some(ProviderName::Openai), _) | (None, "openai") => Provider::Openai,
                    (None, _) => return Err(needs("--provider anthropic, or openai")),
                },
            },
            KindName::Oauth => {
                let failure = Failure::usage("tokens of OAuth are not typed: the server gives them");
                return Err(failure.hint(format!("handbox vault login {name} --device, or --browser")));
            }
        };
        self.refuse_idle(&kind)?;
        Ok(kind)
    }

    fn guess(&self) -> KindName {
        match self {
            Self { variable: Some(_), .. } => KindName::Env,
            Self { header: Some(_), .. } => KindName::Header,
            Self { query: Some(_), .. } => KindName::Query,
            Self { user: Some(_), .. } => KindName::Basic,
            Self { provider: Some(_), .. } => KindName::Model,
            _ => KindName::Bearer,
        }
    }

    /// Refuses flags that would do nothing.
    fn refuse_idle(&self, kind: &Kind) -> Result<(), Failure> {
        let used: &[&str] = match kind {
            Kind::Bearer | Kind::Oauth => &[],
            Kind::Basic { .. } | Kind::Git { .. } => &["--user"],
            Kind::Header { .. } => &["--header"],
            Kind::Query { .. } => &["--query"],
            Kind::Env { .. } => &["--variable", "--header", "--pointer"],
            Kind::Model { .. } => &["--provider"],
        };
        let given = [
            ("--user", self.user.is_some()),
            ("--header", self.header.is_some()),
            ("--query", self.query.is_some()),
            ("--variable", self.variable.is_some()),
            ("--pointer", self.pointer.is_some()),
            ("--provider", self.provider.is_some()),
        ];
        match given.iter().find(|(flag, given)| *given && !used.contains(flag)) {
            Some((flag, _)) => {
                let message = format!("{flag} says nothing of a credential of the kind {}", kind.name());
                Err(Failure::usage(message).hint(format!("leave {flag} out, or choose another --kind")))
            }
            None => Ok(()),
        }
    }
}

/// `authorization:Bearer` is the header, and what stands before the value with a space behind it.
fn header(text: &str) -> (String, String) {
    let (name, prefix) = text.split_once(':').unwrap_or((text, ""));
    let prefix = prefix.trim_start();
    let space = if prefix.ends_with(|c: char| c.is_ascii_alphanumeric()) { " " } else { "" };
    (name.trim().to_owned(), format!("{prefix}{space}"))
}
