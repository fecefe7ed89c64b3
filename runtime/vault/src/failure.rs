//! What an error of the HTTP library means.

use crate::client;
use crate::policy;
use crate::resolve::LookupError;
use crate::scrub::Needles;
use handbox_hand::{HttpError, Obstacle, Refusal, Unreachable};
use rustls::CertificateError;
use std::error::Error;
use std::{fmt, io};

/// An error of ours on its way through the HTTP library.
#[derive(Debug)]
pub(crate) struct Carried(pub(crate) HttpError);

impl fmt::Display for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Error for Carried {}

/// What an error of the HTTP library means. No text of it holds a credential or a query.
pub(crate) fn failure(error: reqwest::Error, needles: &Needles) -> HttpError {
    if let Some(Carried(own)) = cause(&error) {
        return own.clone();
    }
    if let Some(lookup) = cause::<LookupError>(&error) {
        return of_lookup(lookup, needles);
    }
    let (is_connect, is_timeout, is_builder) = (error.is_connect(), error.is_timeout(), error.is_builder());
    let found = if is_timeout { Some((Obstacle::Slow, None)) } else { obstacle(&error) };
    let is_malformed = cause::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse);
    let text = needles.scrub_text(client::describe(error));
    match (is_connect, is_timeout, is_builder) {
        (true, _, _) => {
            let (obstacle, plainly) = found.unwrap_or((Obstacle::Other, None));
            HttpError::Unreachable(Unreachable { obstacle, text: plainly.unwrap_or(text) })
        }
        (_, true, _) => HttpError::TimedOut(text),
        (_, _, true) => HttpError::Invalid(text),
        _ if is_malformed => HttpError::Unusable(format!(
            "what came back is no HTTP, or more of it than is taken ({text}); the server may have done what it was asked for"
        )),
        _ => HttpError::Lost(text),
    }
}

fn of_lookup(error: &LookupError, needles: &Needles) -> HttpError {
    match error {
        LookupError::Unknown(_) => {
            let text = needles.scrub_text(error.to_string());
            HttpError::Unreachable(Unreachable { obstacle: Obstacle::Name, text })
        }
        LookupError::Never { .. } => {
            HttpError::Denied(Refusal { reason: error.to_string(), hint: "write the address itself".to_owned() })
        }
        LookupError::Unfit { name, address, unfit, public_only } => {
            HttpError::Denied(policy::refuse_address(name, *address, unfit, *public_only))
        }
    }
}

/// Where the way to a server ended, as far as the causes of an error tell; and what to say of it, if the library's own words
/// are for programmers.
fn obstacle(error: &reqwest::Error) -> Option<(Obstacle, Option<String>)> {
    let mut cause = error.source();
    while let Some(next) = cause {
        let within = innermost(next);
        let io = within.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
            return Some((Obstacle::Refused, None));
        }
        match within.downcast_ref() {
            Some(rustls::Error::InvalidCertificate(why)) => return Some((Obstacle::Certificate, Some(untrusted(why)))),
            Some(why) => return Some((Obstacle::Tls, Some(without_tls(why)))),
            None => cause = next.source(),
        }
    }
    None
}

/// What an error of input or output was made of: it hides that, and the libraries put one into another.
fn innermost<'e>(mut error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    while let Some(within) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        error = within;
    }
    error
}

/// Why a certificate is not believed, and who can do something about it.
fn untrusted(why: &CertificateError) -> String {
    use CertificateError as Why;
    let (what, hint) = match why {
        // The latter if another authority calls itself as one that is trusted.
        Why::UnknownIssuer | Why::BadSignature => (
            "is from nobody that this machine trusts",
            "if the server is your own, have this machine trust its authority (on Linux: update-ca-certificates)",
        ),
        Why::Expired | Why::ExpiredContext { .. } => {
            ("has expired", "whoever runs the server must renew it; or this machine's clock is wrong")
        }
        Why::NotValidYet | Why::NotValidYetContext { .. } => ("is not valid yet", "look at this machine's clock"),
        Why::NotValidForName | Why::NotValidForNameContext { .. } => {
            ("is for another name", "look at the host in the address")
        }
        Why::Revoked => ("was revoked", "whoever runs the server must get another"),
        other => return format!("the server's certificate is not to be believed: {other}"),
    };
    format!("the server's certificate {what}; {hint}")
}

/// Why no TLS is spoken.
fn without_tls(why: &rustls::Error) -> String {
    match why {
        rustls::Error::InvalidMessage(_) => {
            "the server does not speak TLS there; it may be http:// in the place of https://, or another port"
                .to_owned()
        }
        rustls::Error::AlertReceived(alert) => format!("the server ended TLS before it began: {alert:?}"),
        rustls::Error::PeerIncompatible(_) => {
            "the server speaks no TLS that is spoken here: 1.2 or 1.3, as of today's servers".to_owned()
        }
        other => format!("no TLS could be spoken with the server: {other}"),
    }
}

fn cause<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut cause = error.source();
    while let Some(next) = cause {
        if let Some(found) = next.downcast_ref::<E>() {
            return Some(found);
        }
        cause = next.source();
    }
    None
}
