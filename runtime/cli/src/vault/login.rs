//! `handbox vault login`.

use super::value::line_of;
use crate::args::Global;
use crate::failure::Failure;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_vault::keep::{ByProxy, Client, ClientAuth, Flow, Kind, New, Show, login};
use handbox_vault::{Secret, Trust};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Let an authorisation server (OAuth 2) give the vault a token, which is renewed before it ends.
///
/// --device shows a code to type in a browser on any machine; --browser an address to open on this one. To log in
/// again, the name is enough.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox vault login work --device --device-url https://auth.example.com/device --token-url https://auth.example.com/token --client-id ID
  handbox vault login work --browser --authorize-url https://auth.example.com/authorize --token-url https://auth.example.com/token --client-id ID
  handbox vault login work")]
pub(super) struct Login {
    /// What you call the credential
    name: String,
    /// By a code that is typed on any device (RFC 8628)
    #[arg(long, conflicts_with = "browser")]
    device: bool,
    /// By a browser on this machine (authorisation code with PKCE)
    #[arg(long)]
    browser: bool,
    /// The server's page for people
    #[arg(long, value_name = "URL", requires = "browser")]
    authorize_url: Option<String>,
    /// Where a code is asked for
    #[arg(long, value_name = "URL", requires = "device")]
    device_url: Option<String>,
    /// Where tokens are asked for
    #[arg(long, value_name = "URL")]
    token_url: Option<String>,
    /// What the server calls this program
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// What the token is for; several parted by spaces
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// A file with the client's secret, if it has one
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// How that secret is sent [default: basic]
    #[arg(long, value_enum, requires = "client_secret_file")]
    client_auth: Option<Auth>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Auth {
    /// As `Authorization: Basic`, which every server must take
    Basic,
    /// In the body, which some take alone
    Body,
}

pub(super) fn run(global: &Global, paths: &Paths, command: Login) -> Result<ExitCode, Failure> {
    crate::log::open::make_folder(paths)?;
    let keep = super::keep(paths);
    let name = command.name.clone();
    let known = if keep.is_there() { keep.logged_in(&name)? } else { None };
    let is_new = known.is_none();
    if is_new && keep.is_there() && keep.list()?.iter().any(|one| one.name == name) {
        return Err(handbox_vault::keep::KeepError::Taken(name).into());
    }
    let (client, flow) = command.client(known)?;
    let quiet = global.quiet;
    let show = move |show: Show<'_>| say(&show, quiet);
    let out = ByProxy { trust: Trust::Platform };
    let held = crate::wiring::runtime()?.block_on(login(&out, client, &flow, &show))?;
    match is_new {
        true => keep.set(New { name: name.clone(), kind: Kind::Oauth, held, note: String::new() })?,
        false => keep.rotate(&name, held)?,
    }
    if global.json {
        output::json_line(&json!({ "name": name, "logged_in": true }));
    } else if !quiet {
        output::note(Tone::Note, &format!("{name} is logged in; its token is renewed before it ends"));
        if is_new {
            let hint = format!("say where it goes: handbox vault bind {name} https://HOST/PATH --for BUNDLE");
            output::note(Tone::Hint, &hint);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Said even under --quiet: without it, nothing goes on.
fn say(show: &Show<'_>, quiet: bool) {
    let text = match show {
        Show::Open(address) => format!("open this address in a browser on this machine:\n{address}"),
        Show::Type { address, code } => format!("open {address} on any device, and type the code {code}"),
    };
    output::note(Tone::Note, &output::visible(&text));
    if !quiet {
        output::note(Tone::Note, "waiting for you, at most 10 minutes; Ctrl-C ends it");
    }
}

impl Login {
    /// Who asks, and how a person says yes: as it was typed, and else as it was last time.
    fn client(self, known: Option<(Client, Option<Flow>)>) -> Result<(Client, Flow), Failure> {
        let (before, flow_before) = known.map_or((None, None), |(client, flow)| (Some(client), flow));
        let missing = |flag: &str| {
            Failure::usage(format!("{flag} is not known"))
                .hint(format!("add {flag}; the documentation of the server names it"))
        };
        let flow = match (self.device, self.browser, flow_before) {
            (false, false, Some(flow)) => flow,
            (false, false, None) => {
                return Err(Failure::usage("how is a person to say yes?").hint("add --device, or --browser"));
            }
            (true, _, before) => Flow::Device {
                device_url: match (self.device_url, before) {
                    (Some(device_url), _) | (None, Some(Flow::Device { device_url })) => device_url,
                    _ => return Err(missing("--device-url URL")),
                },
            },
            (false, true, before) => Flow::Browser {
                authorize_url: match (self.authorize_url, before) {
                    (Some(authorize_url), _) | (None, Some(Flow::Browser { authorize_url })) => authorize_url,
                    _ => return Err(missing("--authorize-url URL")),
                },
            },
        };
        let secret = match &self.client_secret_file {
            Some(file) => Some(super::value::secret(&line_of(file)?)?),
            None => before.as_ref().and_then(|client| Option::<Secret>::clone(&client.secret)),
        };
        let auth = match self.client_auth {
            Some(Auth::Body) => ClientAuth::Body,
            Some(Auth::Basic) => ClientAuth::Basic,
            None => before.as_ref().map(|client| client.auth).unwrap_or_default(),
        };
        let or_before =
            |typed: Option<String>, get: fn(&Client) -> &String| typed.or(before.as_ref().map(get).cloned());
        let client = Client {
            token_url: or_before(self.token_url, |client| &client.token_url)
                .ok_or_else(|| missing("--token-url URL"))?,
            id: or_before(self.client_id, |client| &client.id).ok_or_else(|| missing("--client-id ID"))?,
            secret,
            auth,
            scope: or_before(self.scope, |client| &client.scope).unwrap_or_default(),
        };
        Ok((client, flow))
    }
}
