//! What a token endpoint is asked, and what it answers (RFC 6749).

use super::entry::ClientAuth;
use super::error::KeepError;
use super::out::{Outgoing, encode, exchange, post};
use crate::Secret;
use data_encoding::BASE64;
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// The longest life of a token that is believed, in seconds: ten years.
const EXPIRES_IN_MAX: u64 = 10 * 365 * 24 * 60 * 60;

/// The codes of errors that are repeated: those of RFC 6749 (4.1.2.1, 5.2) and RFC 8628 (3.5). Whatever else a server
/// says could be what it was sent.
const CODES: [&str; 14] = [
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "invalid_scope",
    "access_denied",
    "server_error",
    "temporarily_unavailable",
    "authorization_pending",
    "slow_down",
    "expired_token",
    "unsupported_token_type",
];

/// A client of an authorisation server.
#[derive(Clone)]
pub struct Client {
    /// Where tokens are asked for.
    pub token_url: String,
    /// Who asks.
    pub id: String,
    /// What a client that keeps secrets proves that with.
    pub secret: Option<Secret>,
    /// How.
    pub auth: ClientAuth,
    /// What for; empty for what the server thinks usual.
    pub scope: String,
}

/// What came back.
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) refresh: Option<Secret>,
    /// In seconds since 1970.
    pub(super) expires: Option<u64>,
}

/// Why no token came back.
pub(super) enum NoToken {
    /// One of [`CODES`].
    Code(&'static str),
    Failed(KeepError),
}

impl NoToken {
    pub(super) fn into_error(self, url: &str, hint: &str) -> KeepError {
        match self {
            Self::Failed(error) => error,
            Self::Code(code) => KeepError::unavailable(format!("{url} gives no token: {code}"), hint),
        }
    }
}

/// The code that is repeated for what a server calls an error.
pub(super) fn known(code: &str) -> Option<&'static str> {
    CODES.into_iter().find(|known| *known == code)
}

impl Client {
    /// Asks for a token.
    pub(super) async fn ask(&self, out: &dyn Outgoing, grant: &[(&str, &str)]) -> Result<Tokens, NoToken> {
        let mut fields = grant.to_vec();
        let secret =
            self.secret.as_ref().map(|secret| Zeroizing::new(String::from_utf8_lossy(secret.reveal()).into_owned()));
        let mut basic = None;
        match (&secret, self.auth) {
            (Some(secret), ClientAuth::Basic) => basic = Some(basic_of(&self.id, secret)),
            (Some(secret), ClientAuth::Body) => {
                fields.extend([("client_id", self.id.as_str()), ("client_secret", secret)])
            }
            (None, _) => fields.push(("client_id", &self.id)),
        }
        let request = post(&self.token_url, &fields, basic.as_ref().map(|basic| basic.as_str()));
        let answer = exchange(out, request).await.map_err(NoToken::Failed)?;
        let wrong =
            |what: String| NoToken::Failed(KeepError::unavailable(what, "check the addresses, and log in again"));
        // The parser's error could quote what it read.
        let read: Result<TokenAnswer, _> = serde_json::from_slice(&answer.body);
        let status = answer.status;
        let Ok(read) = read else {
            return Err(wrong(format!("{} answers {status}, and no JSON with a token", self.token_url)));
        };
        if let Some(code) = &read.error {
            return Err(known(code).map_or_else(
                || wrong(format!("{} refuses ({status}), with no code of RFC 6749", self.token_url)),
                NoToken::Code,
            ));
        }
        let access = read.access_token.filter(|_| (200..300).contains(&status));
        let access = access.ok_or_else(|| wrong(format!("{} answers {status} without a token", self.token_url)))?;
        if read.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(wrong(format!("{} gives tokens of another type than Bearer", self.token_url)));
        }
        let secret = |text: &Text| Secret::new(text.0.as_bytes());
        let access =
            secret(&access).map_err(|error| wrong(format!("{} gives no usable token: {error}", self.token_url)))?;
        let refresh = read.refresh_token.map(|text| secret(&text)).transpose();
        let refresh = refresh.map_err(|error| wrong(format!("{}: its refresh token: {error}", self.token_url)))?;
        let expires = read.expires_in.map(|seconds| super::now() + seconds.min(EXPIRES_IN_MAX));
        Ok(Tokens { access, refresh, expires })
    }
}

/// `Basic`, with both parts encoded first (RFC 6749, 2.3.1).
fn basic_of(id: &str, secret: &str) -> Zeroizing<String> {
    let mut pair = Zeroizing::new(Vec::with_capacity(3 * (id.len() + secret.len()) + 1));
    encode(id, &mut pair);
    pair.push(b':');
    encode(secret, &mut pair);
    let encoded = Zeroizing::new(BASE64.encode(&pair));
    Zeroizing::new(format!("Basic {}", *encoded))
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<Text>,
    token_type: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    refresh_token: Option<Text>,
    error: Option<String>,
}

/// A text that is overwritten.
pub(super) struct Text(pub(super) Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Some servers send numbers as text.
pub(super) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Seconds {
        Number(f64),
        Text(String),
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float stays in range")]
    Ok(match Option::<Seconds>::deserialize(from)? {
        Some(Seconds::Number(number)) => Some(number as u64),
        Some(Seconds::Text(text)) => text.trim().parse().ok(),
        None => None,
    })
}
