//! Headers, both ways.

use crate::parameter::Parameter;
use crate::scrub::Needles;
use handbox_hand::HttpError;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Whether a header is about the connection, the framing of the body or the way there. Those are the sender's.
pub(crate) fn is_ours(name: &str) -> bool {
    const OURS: [&str; 15] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "accept-encoding",
        "http2-settings",
        "forwarded",
        "x-forwarded-host",
        "via",
        "max-forwards",
    ];
    let name = name.replace('_', "-").to_ascii_lowercase();
    OURS.contains(&name.as_str()) || name.starts_with("proxy-")
}

/// The most headers of a request. Beyond some tens of thousands the HTTP library panics.
const COUNT_MAX: usize = 256;

/// The headers of a request as its principal wants them.
pub(crate) fn of_request(wanted: &[(String, String)], bytes_max: usize) -> Result<HeaderMap, HttpError> {
    let bytes: usize = wanted.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > bytes_max {
        return Err(HttpError::Invalid(format!("headers of {bytes} bytes; the most is {bytes_max}")));
    }
    if wanted.len() > COUNT_MAX {
        return Err(HttpError::Invalid(format!("{} headers; the most is {COUNT_MAX}", wanted.len())));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in wanted {
        if is_ours(name) {
            return Err(HttpError::Invalid(format!("the header {name:?} is set on the way out")));
        }
        let own = HeaderName::from_bytes(name.as_bytes());
        // The library takes bytes beyond ASCII, which each server reads in a way of its own.
        let (Ok(own), Ok(value), true) = (own, HeaderValue::from_str(value), value.is_ascii()) else {
            return Err(HttpError::Invalid(format!("{name:?} or its value is no header")));
        };
        headers.append(own, value);
    }
    // A body's size would tell what of it is like a secret in it; and what is encoded has to be decoded first.
    headers.insert(reqwest::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(headers)
}

/// The headers of a response as its principal may see them. `own` is the parameter that the credential of the request
/// stood in.
pub(crate) fn of_response(
    came: &HeaderMap,
    needles: &Needles,
    own: Option<&Parameter<'_>>,
    bytes_max: usize,
) -> Result<Vec<(String, String)>, HttpError> {
    let bytes: usize = came.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > bytes_max {
        return Err(HttpError::Unusable(format!("the answer has headers of {bytes} bytes; the most is {bytes_max}")));
    }
    let shown = came.iter().filter(|(name, _)| !is_ours(name.as_str()) && !needles.are_in(name.as_str()));
    let text = |name: &str, value: &HeaderValue| {
        let value = String::from_utf8_lossy(value.as_bytes());
        let value = own.map(|own| own.left_away(name, &value).into_owned()).unwrap_or_else(|| value.into_owned());
        needles.scrub_text(value)
    };
    Ok(shown.map(|(name, value)| (name.as_str().to_owned(), text(name.as_str(), value))).collect())
}
