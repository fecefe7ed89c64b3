//! Trying a credential: one request to where it is bound, of which only the status is told.

use super::entry::{Bind, Kind, repository};
use super::error::KeepError;
use super::out::{encode, status_of};
use super::renew::Having;
use super::{Keep, now};
use crate::{Place, Secret};
use data_encoding::BASE64;
use handbox_hand::{Destination, HttpRequest, RequestBody, Target};
use zeroize::Zeroizing;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Where it went.
    pub url: String,
    /// With which method.
    pub method: &'static str,
    /// What the server answered; a redirect is not followed.
    pub status: u16,
}

impl Keep {
    /// Sends one request with a credential, to `url` or where it is bound. Nothing of the answer is read but its status.
    ///
    /// # Errors
    ///
    /// [`KeepError`] if it is not bound there, its value cannot be had, or the server does not answer.
    pub async fn test(&self, name: &str, url: Option<&str>) -> Result<Tried, KeepError> {
        let entry = self.entry(name).await?.ok_or_else(|| KeepError::Unknown(name.to_owned()))?;
        let url = match (url, entry.bindings.as_slice()) {
            (Some(url), _) => url.to_owned(),
            (None, [one]) => one.to.clone(),
            (None, []) => {
                let hint = format!("handbox vault bind {name} https://HOST/PATH --for BUNDLE");
                return Err(KeepError::invalid(format!("{name} is bound to nothing yet"), hint));
            }
            (None, _) => {
                let hint = format!("name one: handbox vault test {name} URL");
                return Err(KeepError::invalid(format!("{name} is bound to several destinations"), hint));
            }
        };
        let target = Target::parse(&url).map_err(|why| KeepError::invalid(why, "write the whole URL"))?;
        let git = matches!(entry.kind, Kind::Git { .. });
        let covers = |bind: &&Bind| {
            Destination::parse(&bind.to).is_ok_and(|to| match git && url != bind.to {
                true => repository(&to).unwrap_or_default().iter().any(|to| to.covers("GET", &target)),
                false => to.covers("GET", &target),
            })
        };
        let bind = entry.bindings.iter().find(covers).ok_or_else(|| {
            let message = format!("{name} is not bound to {}, so it is not sent there", target.origin());
            KeepError::invalid(message, format!("`handbox vault list` shows where {name} goes"))
        })?;
        let allows = |method: &str| bind.methods.is_empty() || bind.methods.iter().any(|own| own == method);
        let method = ["GET", "HEAD"].into_iter().find(|method| allows(method)).ok_or_else(|| {
            let message = format!("{name} is bound for {} alone, which may change something", bind.methods.join(", "));
            KeepError::invalid(message, "a test sends GET or HEAD; let the tool itself try it")
        })?;
        let asked = match git && url == bind.to {
            true => format!("{url}/info/refs?service=git-upload-pack"),
            false => url.clone(),
        };
        let ended = || KeepError::unavailable(format!("{name} has no value any more"), "handbox vault list");
        let secret = self.value(&entry, Having::Nothing).await?.ok_or_else(ended)?;
        let mut status = status_of(&*self.0.out()?, request(method, &asked, &entry.kind.place(), &secret)?).await?;
        if status == 401
            && let Some(other) = self.value(&entry, Having::Refused(secret.clone())).await?
        {
            status = status_of(&*self.0.out()?, request(method, &asked, &entry.kind.place(), &other)?).await?;
        }
        self.0.used.note_at(name, now());
        Ok(Tried { url, method, status })
    }
}

/// A request with a credential in its place.
fn request(method: &str, url: &str, place: &Place, secret: &Secret) -> Result<HttpRequest, KeepError> {
    let value = Zeroizing::new(String::from_utf8_lossy(secret.reveal()).into_owned());
    let mut url = url.to_owned();
    let header = match place {
        Place::Bearer => Some(("authorization".to_owned(), format!("Bearer {}", *value))),
        Place::Basic { user } => {
            let pair = Zeroizing::new(format!("{user}:{}", *value));
            Some(("authorization".to_owned(), format!("Basic {}", BASE64.encode(pair.as_bytes()))))
        }
        Place::Header { name, prefix } => Some((name.clone(), format!("{prefix}{}", *value))),
        Place::Query { name } => {
            let mut encoded = Zeroizing::new(Vec::with_capacity(3 * value.len()));
            encode(&value, &mut encoded);
            let mark = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{mark}{name}={}", String::from_utf8_lossy(&encoded));
            None
        }
        Place::Body { .. } => {
            let message = "a credential that stands in a body cannot be tried without one";
            return Err(KeepError::invalid(message, "let the tool itself try it"));
        }
    };
    let headers = header.into_iter().collect();
    Ok(HttpRequest { method: method.to_owned(), url, headers, body: RequestBody::from(Vec::new()) })
}
