//! The vault's own way out: to the servers that give it tokens and values.

use super::error::KeepError;
use crate::{Grant, Limits, Proxy, Trust};
use handbox_hand::{Destination, Http, HttpRequest, HttpResponse, Principal, RequestBody, Sender};
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// The most bytes of an answer with tokens.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The longest that such an exchange takes.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Opens ways out for the vault itself, one destination at a time.
pub trait Outgoing: Send + Sync {
    /// A way to this destination, for the principal `vault`.
    ///
    /// # Errors
    ///
    /// A text for people, if there is none.
    fn to(&self, to: &Destination) -> Result<Arc<dyn Http>, String>;
}

/// On whose behalf the vault itself sends.
pub(super) fn principal() -> Principal {
    Principal::new("vault")
}

/// A [`Proxy`] for each destination.
#[derive(Clone, Debug)]
pub struct ByProxy {
    /// Whose certificates are believed.
    pub trust: Trust,
}

impl Outgoing for ByProxy {
    fn to(&self, to: &Destination) -> Result<Arc<dyn Http>, String> {
        let grant = Grant { destinations: vec![to.clone()], ..Grant::with_own_networks(principal()) };
        let limits = Limits { total_time_max: TIME_MAX, head_time_max: TIME_MAX, ..Limits::MODELS };
        let proxy = Proxy::new(crate::Options {
            grants: vec![grant],
            trust: self.trust.clone(),
            ..crate::Options::new(limits)
        });
        Ok(Arc::new(proxy.map_err(|error| error.to_string())?))
    }
}

/// An answer, in a buffer that is overwritten.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// One exchange. The errors name the server and nothing of what was sent or came back.
pub(super) async fn exchange(out: &dyn Outgoing, request: HttpRequest) -> Result<Answer, KeepError> {
    let to = destination(&request.url)?;
    let work = async {
        let mut response = send(out, &to, request).await?;
        let mut body = Zeroizing::new(Vec::with_capacity(ANSWER_BYTES_MAX));
        while let Some(piece) = response.body.next().await.map_err(|error| failed(&to, &error.to_string()))? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                return Err(failed(&to, "its answer is too large"));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status: response.status, body })
    };
    let answer = tokio::time::timeout(TIME_MAX, work).await;
    answer.unwrap_or_else(|_| Err(failed(&to, "it did not answer within 30 s")))
}

/// The status of an answer, of which nothing else is read.
pub(super) async fn status_of(out: &dyn Outgoing, request: HttpRequest) -> Result<u16, KeepError> {
    let to = destination(&request.url)?;
    let answer = tokio::time::timeout(TIME_MAX, send(out, &to, request)).await;
    Ok(answer.unwrap_or_else(|_| Err(failed(&to, "it did not answer within 30 s")))?.status)
}

async fn send(out: &dyn Outgoing, to: &Destination, request: HttpRequest) -> Result<HttpResponse, KeepError> {
    let http = out.to(to).map_err(|why| failed(to, &why))?;
    http.send(&Sender::new(principal()), request).await.map_err(|error| failed(to, &error.to_string()))
}

/// Where a request goes, without its query.
fn destination(url: &str) -> Result<Destination, KeepError> {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let to = Destination::parse(plain)
        .map_err(|error| KeepError::invalid(error.to_string(), "write the whole address: https://HOST/PATH"))?;
    match to.is_private() {
        true => Ok(to),
        false => {
            let message = format!("others could read what is sent to {to}");
            Err(KeepError::invalid(message, "use https, or a loopback address"))
        }
    }
}

fn failed(to: &Destination, why: &str) -> KeepError {
    KeepError::unavailable(format!("{to}: {why}"), "check that it can be reached, then try again")
}

/// A form, as `application/x-www-form-urlencoded`.
pub(super) fn form(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    // Each byte becomes three at most, so this buffer is never outgrown.
    let most: usize = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut body = Zeroizing::new(Vec::with_capacity(most));
    for (name, value) in fields {
        if !body.is_empty() {
            body.push(b'&');
        }
        encode(name, &mut body);
        body.push(b'=');
        encode(value, &mut body);
    }
    body
}

pub(super) fn encode(text: &str, to: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => to.push(byte),
            false => to.extend([b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
    }
}

/// A request that posts a form and wants JSON.
pub(super) fn post(url: &str, fields: &[(&str, &str)], authorization: Option<&str>) -> HttpRequest {
    let mut headers = vec![
        ("accept".to_owned(), "application/json".to_owned()),
        ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
    ];
    headers.extend(authorization.map(|value| ("authorization".to_owned(), value.to_owned())));
    let body = RequestBody::from(form(fields).to_vec());
    HttpRequest { method: "POST".to_owned(), url: url.to_owned(), headers, body }
}
