//! Puts a credential where it stands in a request.

use crate::binding::{GuestHeader, PolicyError};
use crate::credential::{Credential, Place};
use crate::{Secret, headers};
use bytes::Bytes;
use data_encoding::BASE64;
use handbox_hand::Refusal;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use zeroize::Zeroizing;

/// The most bytes of a body that a credential is put into: it is read whole, and written anew.
const BODY_BYTES_MAX: usize = 8 * 1024;

/// A request as its principal wants it, before anything was added.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// `None` for a body that comes while it is sent.
    pub(crate) body: Option<Bytes>,
}

/// Whether a credential can stand there at all.
pub(crate) fn check(place: &Place) -> Result<(), PolicyError> {
    let wrong = |why: &str| Err(PolicyError::Place(why.to_owned()));
    match place {
        Place::Bearer => Ok(()),
        Place::Basic { user } if user.contains(':') || user.chars().any(char::is_control) => {
            wrong("a user has no colon and no control characters")
        }
        Place::Basic { .. } => Ok(()),
        Place::Header { name, prefix } => {
            let usable = HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| !headers::is_ours(name.as_str()));
            let visible = prefix.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
            if usable && visible { Ok(()) } else { Err(PolicyError::Header(name.clone())) }
        }
        Place::Query { name } => {
            let usable = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            match !name.is_empty() && name.bytes().all(usable) {
                true => Ok(()),
                false => wrong("the name of a parameter has letters, digits and -_.~"),
            }
        }
        Place::Body { pointer } if pointer.starts_with('/') => Ok(()),
        Place::Body { .. } => wrong("a JSON pointer begins with a slash, such as /auth/token"),
    }
}

/// The credential in every form in which it goes along, each of which may come back.
pub(crate) fn forms(credential: &Credential) -> Vec<Secret> {
    let mut forms = vec![credential.secret.clone()];
    if let Place::Basic { user } = &credential.place {
        forms.extend(Secret::new(basic(user, credential.secret.reveal()).as_bytes()));
    }
    forms
}

/// Adds it, or says why that cannot be.
pub(crate) fn inject(
    draft: &mut Draft,
    name: &str,
    credential: &Credential,
    guest_header: GuestHeader,
) -> Result<(), Refusal> {
    check(&credential.place).map_err(|error| Refusal {
        reason: format!("the credential {name:?}: {error}"),
        hint: format!("correct where the credential {name:?} stands"),
    })?;
    let secret = credential.secret.reveal();
    match &credential.place {
        Place::Bearer => set(draft, name, &AUTHORIZATION, "Bearer ", secret, guest_header),
        Place::Basic { user } => {
            let value = basic(user, secret);
            set(draft, name, &AUTHORIZATION, "Basic ", value.as_bytes(), guest_header)
        }
        Place::Header { name: header, prefix } => match HeaderName::from_bytes(header.as_bytes()) {
            Ok(header) => set(draft, name, &header, prefix, secret, guest_header),
            Err(_) => Err(own(name, header)),
        },
        Place::Query { name: parameter } => {
            if draft.url.query_pairs().any(|(key, _)| key == parameter.as_str()) {
                return Err(own(name, parameter));
            }
            draft.url.query_pairs_mut().append_pair(parameter, &String::from_utf8_lossy(secret));
            Ok(())
        }
        Place::Body { pointer } => replace(draft, name, pointer, secret),
    }
}

fn basic(user: &str, secret: &[u8]) -> Zeroizing<String> {
    let both = Zeroizing::new([user.as_bytes(), b":", secret].concat());
    Zeroizing::new(BASE64.encode(&both))
}

/// The request brings what the credential sets.
fn own(name: &str, what: &str) -> Refusal {
    Refusal {
        reason: format!("the request brings its own {what:?}, which the credential {name:?} sets"),
        hint: format!(
            "leave {what:?} away: it is set on the way out; or bind with --guest-header replace and send {:?}",
            Place::PLACEHOLDER
        ),
    }
}

fn set(
    draft: &mut Draft,
    name: &str,
    header: &HeaderName,
    prefix: &str,
    value: &[u8],
    guest_header: GuestHeader,
) -> Result<(), Refusal> {
    // Some servers take an underscore in a header's name for a hyphen.
    let same = |own: &HeaderName| own.as_str().replace('_', "-") == header.as_str().replace('_', "-");
    let brought: Vec<(HeaderName, HeaderValue)> =
        draft.headers.iter().filter(|(own, _)| same(own)).map(|(own, value)| (own.clone(), value.clone())).collect();
    match (brought.as_slice(), guest_header) {
        ([], _) => {}
        ([(_, one)], GuestHeader::Replace) if is_placeholder(one.as_bytes(), prefix) => {}
        ([(brought, _), ..], _) => return Err(own(name, brought.as_str())),
    }
    for (brought, _) in brought {
        draft.headers.remove(brought);
    }
    let value = Zeroizing::new([prefix.as_bytes(), value].concat());
    let mut value = HeaderValue::from_bytes(&value).map_err(|_| own(name, header.as_str()))?;
    value.set_sensitive(true);
    draft.headers.insert(header.clone(), value);
    Ok(())
}

/// The public constant, alone, behind the prefix, or as the password of any user.
fn is_placeholder(value: &[u8], prefix: &str) -> bool {
    let placeholder = Place::PLACEHOLDER.as_bytes();
    let value = value.strip_prefix(prefix.as_bytes()).unwrap_or(value);
    let is_password = |both: Vec<u8>| both.strip_suffix(placeholder).is_some_and(|user| user.ends_with(b":"));
    value == placeholder || prefix == "Basic " && BASE64.decode(value).is_ok_and(is_password)
}

fn replace(draft: &mut Draft, name: &str, pointer: &str, secret: &[u8]) -> Result<(), Refusal> {
    let refuse = |why: &str| Refusal {
        reason: format!("the credential {name:?} cannot be put into the body: {why}"),
        hint: format!("send JSON of at most {BODY_BYTES_MAX} bytes with {:?} at {pointer}", Place::PLACEHOLDER),
    };
    let body = draft.body.as_ref().ok_or_else(|| refuse("it comes while it is sent"))?;
    if body.len() > BODY_BYTES_MAX {
        return Err(refuse("it is too long"));
    }
    let mut json: Value = serde_json::from_slice(body).map_err(|_| refuse("it is not JSON"))?;
    let place = json.pointer_mut(pointer).ok_or_else(|| refuse("nothing stands there"))?;
    if place.as_str() != Some(Place::PLACEHOLDER) {
        return Err(refuse("something else stands there"));
    }
    *place = Value::from(String::from_utf8_lossy(secret));
    let written = serde_json::to_vec(&json).map_err(|_| refuse("it cannot be written"))?;
    draft.body = Some(written.into());
    Ok(())
}
