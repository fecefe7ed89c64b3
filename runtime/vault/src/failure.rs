//! What an error of the HTTP library means.

use crate::client;
use crate::policy;
use crate::resolve::LookupError;
use crate::scrub::Needles;
use handbox_hand::{HttpError, Obstacle, Refusal, Unreachable};
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
    let obstacle = if is_timeout { Some(Obstacle::Slow) } else { obstacle(&error) };
    let text = needles.scrub_text(client::describe(error));
    match (is_connect, is_timeout, is_builder) {
        (true, _, _) => HttpError::Unreachable(Unreachable { obstacle: obstacle.unwrap_or(Obstacle::Other), text }),
        (_, true, _) => HttpError::TimedOut(text),
        (_, _, true) => HttpError::Invalid(text),
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

/// Where the way to a server ended, as far as the causes of an error tell.
fn obstacle(error: &reqwest::Error) -> Option<Obstacle> {
    let mut cause = error.source();
    while let Some(next) = cause {
        let io = next.downcast_ref::<io::Error>();
        if io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused) {
            return Some(Obstacle::Refused);
        }
        // An error of input or output hides the one in it.
        let within = io.and_then(|io| io.get_ref()).and_then(|within| within.downcast_ref::<rustls::Error>());
        match within.or_else(|| next.downcast_ref()) {
            Some(rustls::Error::InvalidCertificate(_)) => return Some(Obstacle::Certificate),
            Some(_) => return Some(Obstacle::Tls),
            None => cause = next.source(),
        }
    }
    None
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
