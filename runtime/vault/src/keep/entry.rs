//! What the vault knows of one credential.

use super::error::KeepError;
use super::login::Flow;
use super::past::Past;
use super::plain;
use crate::binding::check_destination;
use crate::{GuestHeader, Place, Secret, inject};
use handbox_hand::Destination;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// The longest user, header, parameter, pointer, note, in bytes.
const TEXT_BYTES_MAX: usize = 256;
/// The most bindings of one credential.
pub(super) const BINDINGS_MAX: usize = 64;

/// A credential with all that is known of it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) held: Held,
    #[serde(default)]
    pub(super) bindings: Vec<Bind>,
    /// Seconds since 1970, as all times here.
    pub(super) created: u64,
    pub(super) rotated: u64,
    #[serde(default)]
    pub(super) note: String,
    #[serde(default, skip_serializing_if = "Past::is_empty")]
    pub(super) past: Past,
}

/// What a credential is, which says where it stands in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `Authorization: Bearer VALUE`.
    Bearer,
    /// `Authorization: Basic` with a user and the value as password.
    Basic {
        /// Without a colon.
        user: String,
    },
    /// A header of its own.
    Header {
        /// Its name, as `x-api-key`.
        name: String,
        /// What stands before the value.
        #[serde(default)]
        prefix: String,
    },
    /// A parameter of the query. Discouraged: servers and proxies write queries into their logs.
    Query {
        /// Its name.
        name: String,
    },
    /// An access token of OAuth 2, renewed by a refresh token.
    Oauth,
    /// For a program that insists on a key in its environment: it gets [`Place::PLACEHOLDER`] there, which is public and
    /// the same for all, and the host puts the value where the program sends that.
    Env {
        /// The variable.
        variable: String,
        /// Where the program sends it.
        place: EnvPlace,
    },
    /// A token for one repository of Git over HTTPS.
    Git {
        /// As most servers want it, `x-access-token`.
        user: String,
    },
    /// The key of a model's API, for `handbox run`.
    Model {
        /// Whose.
        provider: Provider,
    },
}

/// Where a program sends what it has from its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvPlace {
    /// In a header.
    Header {
        /// Its name.
        name: String,
        /// What stands before the value.
        #[serde(default)]
        prefix: String,
    },
    /// At one place of a JSON body of at most 8 KiB.
    Body {
        /// A JSON Pointer (RFC 6901).
        pointer: String,
    },
}

/// Whose model it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Anthropic, whose key stands in `x-api-key`.
    Anthropic,
    /// `OpenAI`, or who speaks its API: a bearer token.
    Openai,
}

impl Provider {
    /// As it is typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::Openai => "openai",
        }
    }
}

impl Kind {
    /// As it is typed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::Basic { .. } => "basic",
            Self::Header { .. } => "header",
            Self::Query { .. } => "query",
            Self::Oauth => "oauth",
            Self::Env { .. } => "env",
            Self::Git { .. } => "git",
            Self::Model { .. } => "model",
        }
    }

    /// Where it stands in a request.
    #[must_use]
    pub fn place(&self) -> Place {
        match self.clone() {
            Self::Bearer | Self::Oauth | Self::Model { provider: Provider::Openai } => Place::Bearer,
            Self::Basic { user } | Self::Git { user } => Place::Basic { user },
            Self::Header { name, prefix } | Self::Env { place: EnvPlace::Header { name, prefix }, .. } => {
                Place::Header { name, prefix }
            }
            Self::Model { provider: Provider::Anthropic } => {
                Place::Header { name: "x-api-key".to_owned(), prefix: String::new() }
            }
            Self::Query { name } => Place::Query { name },
            Self::Env { place: EnvPlace::Body { pointer }, .. } => Place::Body { pointer },
        }
    }

    /// The variable that a guest gets [`Place::PLACEHOLDER`] in.
    #[must_use]
    pub fn variable(&self) -> Option<&str> {
        match self {
            Self::Env { variable, .. } => Some(variable),
            _ => None,
        }
    }

    pub(super) fn check(&self) -> Result<(), KeepError> {
        if let Some(variable) = self.variable() {
            let begins = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let rest = variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !(begins && rest && variable.len() <= TEXT_BYTES_MAX) {
                return Err(wrong(variable, "no name of a variable", "letters, digits and _: OPENAI_API_KEY"));
            }
        }
        let place = self.place();
        let (text, hint) = match &place {
            Place::Bearer => return Ok(()),
            Place::Basic { user } => (user, "a user of at most 256 bytes without a colon or control characters"),
            Place::Header { name, .. } => (name, "one such as x-api-key"),
            Place::Query { name } => (name, "letters, digits and -_.~"),
            Place::Body { pointer } => (pointer, "a JSON Pointer such as /auth/api_key"),
        };
        inject::check(&place).map_err(|error| KeepError::invalid(error.to_string(), hint))?;
        let prefix = if let Place::Header { prefix, .. } = &place { prefix } else { "" };
        match is_text(text) && prefix.len() <= TEXT_BYTES_MAX {
            true => Ok(()),
            false => Err(wrong(text, "no place for a credential", hint)),
        }
    }
}

fn wrong(what: &str, not: &str, hint: &str) -> KeepError {
    KeepError::invalid(format!("{what:?} is {not}"), hint)
}

fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= TEXT_BYTES_MAX && !text.chars().any(char::is_control)
}

/// Checks what a credential is to be called.
pub(super) fn check_name(name: &str) -> Result<(), KeepError> {
    let usable = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && name.len() <= NAME_BYTES_MAX && name.chars().all(usable) {
        true => Ok(()),
        false => {
            let message = "that is no name of a credential";
            Err(KeepError::invalid(message, "letters, digits, - _ and ., at most 64, the first a letter or digit"))
        }
    }
}

/// Checks what is noted of one.
pub(super) fn check_note(note: &str) -> Result<(), KeepError> {
    match note.is_empty() || is_text(note) {
        true => Ok(()),
        false => Err(KeepError::invalid("that is no note", "at most 256 bytes on one line")),
    }
}

/// Where a value comes from.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// From the vault's own file.
    Value(#[serde(with = "plain")] Secret),
    /// From elsewhere, each time anew.
    Elsewhere(Elsewhere),
    /// From an authorisation server, until it expires.
    Oauth(Oauth),
}

impl Held {
    /// Where it comes from, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Value(_) => "vault".to_owned(),
            Self::Elsewhere(Elsewhere::Command { words }) => {
                format!("command {}", words.first().map_or("", String::as_str))
            }
            Self::Elsewhere(Elsewhere::File { path }) => format!("file {}", path.display()),
            Self::Elsewhere(Elsewhere::Http { url, field, .. }) => format!("{url}#{field}"),
            Self::Oauth(oauth) => format!("oauth {}", oauth.token_url),
        }
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.describe())
    }
}

/// A place outside the vault that a value is read from at each use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Elsewhere {
    /// What a program prints. Run without a shell, for at most 30 s, and asked again after 5 minutes.
    Command {
        /// The program and its arguments.
        words: Vec<String>,
    },
    /// What a file holds.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// A field of a secret of a server that speaks `HashiCorp` Vault's HTTP API (KV, version 1 or 2); asked again after
    /// 5 minutes.
    Http {
        /// As `https://vault.example.com/v1/secret/data/name`.
        url: String,
        /// Which field.
        field: String,
        /// The credential that is sent along as `X-Vault-Token`; from the vault's own file.
        token: Option<String>,
    },
}

/// What an authorisation server gave, and how to ask it for more.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oauth {
    /// What is sent; `None` to ask for it first.
    #[serde(with = "plain::maybe", default)]
    pub access: Option<Secret>,
    /// What a new one is asked for with. Never sent anywhere but to `token_url`.
    #[serde(with = "plain::maybe", default)]
    pub refresh: Option<Secret>,
    /// When the access token ends, in seconds since 1970; `None` if the server did not say.
    pub expires: Option<u64>,
    /// Where a new one is asked for.
    pub token_url: String,
    /// Who asks.
    pub client_id: String,
    /// What a client that keeps secrets proves that with.
    #[serde(with = "plain::maybe", default)]
    pub client_secret: Option<Secret>,
    /// How it says so.
    #[serde(default)]
    pub client_auth: ClientAuth,
    /// What for; empty for what the server thinks usual.
    #[serde(default)]
    pub scope: String,
    /// How a person said yes, to be asked again.
    #[serde(default)]
    pub flow: Option<Flow>,
}

impl fmt::Debug for Oauth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oauth")
            .field("token_url", &self.token_url)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// How a client that keeps a secret proves who it is (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// With `Authorization: Basic`, which every server must take.
    #[default]
    Basic,
    /// In the body, which some take alone.
    Body,
}

/// Where a credential may go, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    /// The destination; see [`Destination`]. For a Git credential, the repository.
    pub to: String,
    /// The bundle, by the name that it is called by.
    pub bundle: String,
    /// What that bundle was when it was bound. Another one of that name gets nothing; `None` lets it change.
    #[serde(default)]
    pub digest: Option<String>,
    /// The methods; none for all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// What is done if a guest sends the header itself.
    #[serde(default)]
    pub guest_header: GuestHeader,
}

impl Bind {
    pub(super) fn check(&self) -> Result<Destination, KeepError> {
        let to = Destination::parse(&self.to)
            .map_err(|error| KeepError::invalid(error.to_string(), "one such as https://api.example.com/v1"))?;
        check_destination(&to).map_err(|error| {
            let text = error.to_string();
            let (message, hint) = text.split_once("; ").unwrap_or((&text, ""));
            KeepError::invalid(message.to_owned(), hint)
        })?;
        if self.bundle.is_empty() || !is_text(&self.bundle) {
            return Err(KeepError::invalid("a binding is for a bundle", "name it: --for BUNDLE"));
        }
        let is_method = |method: &String| {
            !method.is_empty() && method.len() <= 32 && method.bytes().all(|byte| byte.is_ascii_uppercase())
        };
        match self.methods.len() <= 16 && self.methods.iter().all(is_method) {
            true => self.narrowed(to.clone()).map(|_| to),
            false => Err(no_methods()),
        }
    }

    /// The destination with the methods alone that are named beside it.
    pub(super) fn narrowed(&self, to: Destination) -> Result<Destination, KeepError> {
        if self.methods.is_empty() {
            return Ok(to);
        }
        to.with_methods(self.methods.iter().map(String::as_str)).map_err(|_| no_methods())
    }
}

fn no_methods() -> KeepError {
    KeepError::invalid("that is no list of methods", "--method GET --method POST")
}

impl Held {
    /// Checks that it can be the value of such a credential.
    pub(super) fn check(&self, kind: &Kind) -> Result<(), KeepError> {
        match (self, kind) {
            (Self::Oauth(_), Kind::Oauth) => Ok(()),
            (Self::Oauth(_), _) | (_, Kind::Oauth) => {
                let message = "only a credential of the kind oauth has tokens of OAuth, and it has nothing else";
                Err(KeepError::invalid(message, "handbox vault login NAME --device, or --browser"))
            }
            (Self::Value(_), _) => Ok(()),
            (Self::Elsewhere(from), _) => from.check(),
        }
    }
}

impl Elsewhere {
    fn check(&self) -> Result<(), KeepError> {
        match self {
            Self::Command { words } => match words.first().is_some_and(|program| !program.is_empty()) {
                true => Ok(()),
                false => Err(KeepError::invalid("there is no command", "--from-command 'pass show work/token'")),
            },
            Self::File { path } => match path.is_absolute() {
                true => Ok(()),
                false => Err(KeepError::invalid("the path is not absolute", "write it whole")),
            },
            Self::Http { url, field, .. } => {
                let hint = "--from-http https://vault.example.com/v1/secret/data/NAME#FIELD";
                let to = Destination::parse(url).map_err(|error| KeepError::invalid(error.to_string(), hint))?;
                match (to.is_private(), is_text(field)) {
                    (true, true) => Ok(()),
                    (false, _) => Err(KeepError::invalid(format!("others could read what {to} sends"), "use https")),
                    (_, false) => Err(KeepError::invalid("there is no field behind a #", hint)),
                }
            }
        }
    }
}

/// What Git asks of a repository over HTTPS: its three addresses, and none of those below them that a server may have.
pub(super) fn repository(to: &Destination) -> Option<Vec<Destination>> {
    let text = to.to_string();
    let (_, path) = text.split_once("://")?.1.split_once('/')?;
    if path.is_empty() {
        return None;
    }
    let below = |end| Destination::parse(&format!("{text}/{end}")).ok();
    ["info/refs", "git-upload-pack", "git-receive-pack"].into_iter().map(below).collect()
}
