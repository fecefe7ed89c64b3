//! From what stands on a command line to a URL.

use crate::failure::{Failure, code};
use url::Url;

/// Reads a URL as curl does: `http` where nothing is said.
pub(crate) fn parse(text: &str) -> Result<Url, Failure> {
    let malformed = || Failure::new(code::URL, "URL rejected: Malformed input to a URL function");
    if text.is_empty() {
        return Err(malformed());
    }
    if text.chars().any(|c| c == ' ' || c.is_control()) {
        return Err(malformed());
    }
    let whole = match scheme(text) {
        Some("http" | "https" | "HTTP" | "HTTPS") => text.to_owned(),
        Some(other) => return Err(unsupported(other)),
        None => format!("http://{text}"),
    };
    let url = Url::parse(&whole).map_err(|error| rejected(&error))?;
    supported(&url)?;
    Ok(url)
}

/// Only what the host carries.
pub(crate) fn supported(url: &Url) -> Result<(), Failure> {
    if matches!(url.scheme(), "http" | "https") { Ok(()) } else { Err(unsupported(url.scheme())) }
}

fn unsupported(scheme: &str) -> Failure {
    Failure::new(code::PROTOCOL, format!("Protocol \"{}\" not supported", scheme.to_ascii_lowercase()))
}

fn rejected(error: &url::ParseError) -> Failure {
    let why = match error {
        url::ParseError::EmptyHost => "No host part in the URL",
        url::ParseError::InvalidPort => "Port number was not a decimal number between 0 and 65535",
        _ => "Bad hostname",
    };
    Failure::new(code::URL, format!("URL rejected: {why}"))
}

fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    named.then_some(scheme)
}

/// Adds to the query.
pub(crate) fn add_query(url: &mut Url, more: &str) {
    if more.is_empty() {
        return;
    }
    let query = match url.query() {
        Some(query) if !query.is_empty() => format!("{query}&{more}"),
        _ => more.to_owned(),
    };
    url.set_query(Some(&query));
}

/// Takes the user name and password out, which the host wants in no address.
pub(crate) fn take_user(url: &mut Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let user = format!("{}:{}", unescape(url.username()), unescape(url.password().unwrap_or_default()));
    // Only addresses without a host refuse it.
    let _ = (url.set_username(""), url.set_password(None));
    Some(user)
}

/// Undoes `%41`.
pub(crate) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// Writes all but letters, digits and `-._~` as `%41`.
pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// Whether two addresses are of one host, so that what is meant for the one may go to the other.
pub(crate) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

/// How an operator names the destination, as `--host` has it: `https` says itself.
pub(crate) fn destination(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match (url.scheme(), url.port()) {
        ("https", None) => host.to_owned(),
        (scheme, None) => format!("{scheme}://{host}"),
        (scheme, Some(port)) => format!("{scheme}://{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_what_goes_without_saying() {
        assert_eq!(parse("example.com/a?b=http://c").unwrap().as_str(), "http://example.com/a?b=http://c");
        assert_eq!(parse("localhost:8080").unwrap().as_str(), "http://localhost:8080/");
        assert_eq!(parse("HTTPS://Example.com").unwrap().as_str(), "https://example.com/");
    }

    #[test]
    fn what_is_no_web_address_ends_as_in_curl() {
        for (text, code) in [("", 3), ("http://", 3), ("http://a b/", 3), ("http://a:99999/", 3), ("ftp://a/", 1)] {
            assert_eq!(parse(text).unwrap_err().code, code, "{text}");
        }
        assert_eq!(parse("FILE:///etc/passwd").unwrap_err().text, "Protocol \"file\" not supported");
    }

    #[test]
    fn a_user_in_the_address_is_taken_out() {
        let mut url = parse("https://me:p%40ss@example.com/x").unwrap();
        assert_eq!(take_user(&mut url).as_deref(), Some("me:p@ss"));
        assert_eq!(url.as_str(), "https://example.com/x");
        assert_eq!(take_user(&mut url), None);
    }

    #[test]
    fn queries_add_up() {
        let mut url = parse("example.com").unwrap();
        add_query(&mut url, "");
        add_query(&mut url, "a=1");
        add_query(&mut url, "b=%20");
        assert_eq!(url.as_str(), "http://example.com/?a=1&b=%20");
        assert_eq!(escape("a b/ü~".as_bytes()), "a%20b%2F%C3%BC~");
        assert_eq!(unescape("a%20%zz%C3%BC%"), "a %zzü%");
    }

    #[test]
    fn a_destination_is_named_as_it_is_granted() {
        for (url, name) in [
            ("https://example.com/x", "example.com"),
            ("http://example.com/x", "http://example.com"),
            ("https://example.com:8443/", "https://example.com:8443"),
        ] {
            assert_eq!(destination(&parse(url).unwrap()), name);
        }
    }
}
