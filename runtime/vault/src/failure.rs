//! What an error of the HTTP library means.

use crate::client;
use crate::policy;
use crate::resolve::LookupError;
use crate::scrub::Needles;
use handbox_hand::{HttpError, Refusal};
use std::error::Error;
use std::fmt;

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
    let text = needles.scrub_text(client::describe(error));
    match (is_connect, is_timeout, is_builder) {
        (true, _, _) => HttpError::Unreachable(text),
        (_, true, _) => HttpError::TimedOut(text),
        (_, _, true) => HttpError::Invalid(text),
        _ => HttpError::Lost(text),
    }
}

fn of_lookup(error: &LookupError, needles: &Needles) -> HttpError {
    match error {
        LookupError::Unknown(_) => HttpError::Unreachable(needles.scrub_text(error.to_string())),
        LookupError::Never { .. } => {
            HttpError::Denied(Refusal { reason: error.to_string(), hint: "write the address itself".to_owned() })
        }
        LookupError::Unfit { name, address, unfit, public_only } => {
            HttpError::Denied(policy::refuse_address(name, *address, unfit, *public_only))
        }
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
