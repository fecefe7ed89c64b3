//! Logging in: a person lets an authorisation server give the vault tokens.
//!
//! With a browser (authorisation code with PKCE on a loopback address: RFC 6749, 7636, 8252), or with a code that is typed
//! on any other device (RFC 8628).

use super::entry::{Held, Oauth};
use super::error::KeepError;
use super::out::{Outgoing, exchange, post};
use super::tokens::{Client, NoToken, Text, Tokens, known, seconds};
use data_encoding::BASE64URL_NOPAD;
use handbox_hand::Destination;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// The longest that a person may take.
const TIME_MAX: Duration = Duration::from_secs(10 * 60);
/// The most connections to the loopback address: browsers ask for icons, other programs for anything.
const CONNECTIONS_MAX: usize = 64;
/// The longest that one of them may take to ask.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(5);
/// The most bytes of a request there.
const REQUEST_BYTES_MAX: usize = 16 * 1024;
/// Seconds between two questions, if the server does not say (RFC 8628, 3.2).
const INTERVAL_S: u64 = 5;
/// The least and the most, whatever it says.
const INTERVAL_MIN: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_secs(60);
/// What `slow_down` adds.
const SLOWER: Duration = Duration::from_secs(5);

/// How a person says yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// In a browser on this machine.
    Browser {
        /// The server's page. May have a query.
        authorize_url: String,
    },
    /// On any device, by typing a code.
    Device {
        /// Where the code is asked for.
        device_url: String,
    },
}

/// What a person is told.
#[derive(Clone, Debug)]
pub enum Show<'a> {
    /// To open this address on this machine.
    Open(&'a str),
    /// To open this address anywhere, and to type this code.
    Type {
        /// The address.
        address: &'a str,
        /// The code.
        code: &'a str,
    },
}

/// Gets tokens for a client. To be given to [`Keep::set`](super::Keep::set) or [`Keep::rotate`](super::Keep::rotate).
///
/// Takes at most 10 minutes, for most of which a person is waited for.
///
/// # Errors
///
/// [`KeepError`] if the server gives none, or nobody says yes in time.
pub async fn login(
    out: &dyn Outgoing,
    client: Client,
    flow: &Flow,
    show: &(dyn Fn(Show<'_>) + Send + Sync),
) -> Result<Held, KeepError> {
    let tokens = match flow {
        Flow::Browser { authorize_url } => browser(out, &client, authorize_url, show).await,
        Flow::Device { device_url } => {
            device(out, &client, device_url, show, &|pause| Box::pin(tokio::time::sleep(pause))).await
        }
    };
    let Tokens { access, refresh, expires } = tokens?;
    Ok(Held::Oauth(Oauth {
        access: Some(access),
        refresh,
        expires,
        token_url: client.token_url,
        client_id: client.id,
        client_secret: client.secret,
        client_auth: client.auth,
        scope: client.scope,
        flow: Some(flow.clone()),
    }))
}

const HINT: &str = "check the addresses, the client id and the scope, and log in again";

fn failed(message: impl Into<String>) -> KeepError {
    KeepError::unavailable(message, HINT)
}

async fn browser(
    out: &dyn Outgoing,
    client: &Client,
    authorize_url: &str,
    show: &(dyn Fn(Show<'_>) + Send + Sync),
) -> Result<Tokens, KeepError> {
    let (verifier, state) = (random()?, random()?);
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.map_err(|error| failed(format!("no loopback address can be listened on: {error}")))?;
    let port = listener.local_addr().map_err(|error| failed(error.to_string()))?.port();
    let back = format!("http://127.0.0.1:{port}/callback");
    let mut address =
        url::Url::parse(authorize_url).map_err(|_| KeepError::invalid("the page to log in is no address", HINT))?;
    let mut plain = address.clone();
    plain.set_query(None);
    let is_private = Destination::parse(plain.as_str()).is_ok_and(|to| to.is_private());
    if !is_private {
        return Err(KeepError::invalid("the page to log in has no https address", "--authorize-url https://…"));
    }
    let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(verifier.as_bytes()));
    address
        .query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", &back)
        .append_pair("state", &state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if !client.scope.is_empty() {
        address.query_pairs_mut().append_pair("scope", &client.scope);
    }
    show(Show::Open(address.as_str()));
    let code = timeout(TIME_MAX, returned(&listener, &state)).await;
    let code = code.unwrap_or_else(|_| Err(failed("nobody logged in within 10 minutes")))?;
    drop(listener);
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", &back),
        ("code_verifier", &verifier),
    ];
    client.ask(out, &grant).await.map_err(|error| error.into_error(&client.token_url, HINT))
}

/// The code that the browser brings. Whoever does not know the state is sent away, and changes nothing.
async fn returned(listener: &TcpListener, state: &str) -> Result<Zeroizing<String>, KeepError> {
    for _ in 0..CONNECTIONS_MAX {
        let (mut stream, from) = listener.accept().await.map_err(|error| failed(error.to_string()))?;
        if !from.ip().is_loopback() {
            continue;
        }
        let asked = timeout(CONNECTION_TIME_MAX, query(&mut stream)).await.ok().flatten();
        let brought = asked.and_then(|query| Brought::read(&query, state));
        let (status, text) = match &brought {
            Some(Brought::Code(_)) => ("200 OK", "You are logged in. This window can be closed."),
            Some(Brought::Error(_)) => ("200 OK", "You are not logged in. This window can be closed."),
            None => ("404 Not Found", "There is nothing here."),
        };
        // Whether the browser gets this changes nothing.
        let _ = timeout(CONNECTION_TIME_MAX, respond(&mut stream, status, text)).await;
        match brought {
            Some(Brought::Code(code)) => return Ok(code),
            Some(Brought::Error(code)) => {
                return Err(failed(format!("the server did not let you in: {}", code.unwrap_or("no known reason"))));
            }
            None => {}
        }
    }
    Err(failed("too many requests came that were not the browser's"))
}

enum Brought {
    Code(Zeroizing<String>),
    Error(Option<&'static str>),
}

impl Brought {
    fn read(query: &str, state: &str) -> Option<Self> {
        let value = |wanted: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted);
            let first = pairs.next().map(|(_, value)| Zeroizing::new(value.into_owned()));
            first.filter(|_| pairs.next().is_none())
        };
        // Compared as hashes, which takes the same time wherever they differ.
        let same = Sha256::digest(value("state")?.as_bytes()) == Sha256::digest(state.as_bytes());
        match (same, value("code"), value("error")) {
            (true, Some(code), None) => Some(Self::Code(code)),
            (true, None, Some(error)) => Some(Self::Error(known(&error))),
            _ => None,
        }
    }
}

/// The query of a request for the address that the browser is sent back to.
async fn query(stream: &mut TcpStream) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(REQUEST_BYTES_MAX));
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        if bytes.len() == REQUEST_BYTES_MAX {
            return None;
        }
        let room = REQUEST_BYTES_MAX - bytes.len();
        let read = (&mut *stream).take(room as u64).read_buf(&mut *bytes).await.ok()?;
        if read == 0 {
            return None;
        }
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    let target = text.lines().next()?.strip_prefix("GET ")?.split(' ').next()?;
    target.strip_prefix("/callback?").map(|query| Zeroizing::new(query.to_owned()))
}

async fn respond(stream: &mut TcpStream, status: &str, text: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n\
         referrer-policy: no-referrer\r\ncache-control: no-store\r\n\r\n{text}",
        text.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await
}

fn random() -> Result<Zeroizing<String>, KeepError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| failed(format!("this machine gives no random bytes: {error}")))?;
    Ok(Zeroizing::new(BASE64URL_NOPAD.encode(&*bytes)))
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: Option<Text>,
    user_code: Option<String>,
    #[serde(alias = "verification_url")]
    verification_uri: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    interval: Option<u64>,
    error: Option<String>,
}

/// How time passes between two questions.
pub(super) type Pause = dyn Fn(Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync;

pub(super) async fn device(
    out: &dyn Outgoing,
    client: &Client,
    device_url: &str,
    show: &(dyn Fn(Show<'_>) + Send + Sync),
    pause: &Pause,
) -> Result<Tokens, KeepError> {
    let mut fields = vec![("client_id", client.id.as_str())];
    if !client.scope.is_empty() {
        fields.push(("scope", &client.scope));
    }
    let answer = exchange(out, post(device_url, &fields, None)).await?;
    // The parser's error could quote what it read.
    let read: Result<DeviceAnswer, _> = serde_json::from_slice(&answer.body);
    let read = read.map_err(|_| failed(format!("{device_url} answers {}, and no JSON with a code", answer.status)))?;
    if let Some(code) = &read.error {
        let code = known(code).unwrap_or("with no code of RFC 8628");
        return Err(failed(format!("{device_url} refuses: {code}")));
    }
    let (Some(device_code), Some(code), Some(address)) = (read.device_code, read.user_code, read.verification_uri)
    else {
        return Err(failed(format!("{device_url} answers {} without a code", answer.status)));
    };
    show(Show::Type { address: &address, code: &code });
    let grant =
        [("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("device_code", device_code.0.as_str())];
    let mut left = TIME_MAX.min(Duration::from_secs(read.expires_in.unwrap_or(u64::MAX)));
    let mut interval = Duration::from_secs(read.interval.unwrap_or(INTERVAL_S)).clamp(INTERVAL_MIN, INTERVAL_MAX);
    while left >= interval {
        pause(interval).await;
        left -= interval;
        match client.ask(out, &grant).await {
            Ok(tokens) => return Ok(tokens),
            Err(NoToken::Code("authorization_pending")) => {}
            Err(NoToken::Code("slow_down")) => interval = (interval + SLOWER).min(INTERVAL_MAX),
            Err(error) => return Err(error.into_error(&client.token_url, HINT)),
        }
    }
    Err(failed("nobody logged in in time"))
}
