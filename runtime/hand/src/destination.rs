//! Where a request goes, and where it may go.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::IpAddr;
use url::Url;

/// Where something may be sent: scheme, host and port exactly, and a path with all that is below it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Destination {
    url: Url,
}

impl Destination {
    /// From an absolute URL, such as `https://api.example.com/v1`: requests to `/v1` and below it match, `/v10` does not.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] for what is no `http` or `https` URL, or has a user, a query or a fragment.
    pub fn parse(url: &str) -> Result<Self, DestinationError> {
        let wrong = |why: &str| DestinationError(format!("{} is no destination: {why}", named(url)));
        let mut parsed = parse(url).map_err(|why| wrong(&why))?;
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(wrong("it has a query or a fragment"));
        }
        let path = parsed.path().trim_end_matches('/').to_owned();
        if is_ambiguous(&path) {
            return Err(wrong("servers read its path in different ways"));
        }
        parsed.set_path(&path);
        Ok(Self { url: parsed })
    }

    /// Whether a request there is covered.
    #[must_use]
    pub fn covers(&self, target: &Target) -> bool {
        let own = self.url.path().trim_end_matches('/');
        let path = target.url.path();
        self.is_origin_of(target)
            && (own.is_empty()
                || !is_ambiguous(path)
                    && path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    }

    /// Whether scheme, host and port are those of a request.
    #[must_use]
    pub fn is_origin_of(&self, target: &Target) -> bool {
        let port = Url::port_or_known_default;
        self.url.scheme() == target.url.scheme()
            && self.url.host() == target.url.host()
            && port(&self.url) == port(&target.url)
    }

    /// What both cover; `None` if that is nothing.
    #[must_use]
    pub fn narrowed_by(&self, other: &Self) -> Option<Self> {
        let inside = |outer: &Self, inner: &Self| outer.covers(&Target { url: inner.url.clone() });
        if inside(self, other) {
            return Some(other.clone());
        }
        inside(other, self).then(|| self.clone())
    }

    /// Whether nobody on the way can read what is sent there.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.is_https() || is_loopback(&self.url)
    }

    /// Whether TLS is spoken there.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

/// Why something is no destination. Holds scheme and host of it at most.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DestinationError(pub String);

/// As it would be written.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", origin(&self.url), self.url.path().trim_end_matches('/'))
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl From<Destination> for String {
    fn from(destination: Destination) -> Self {
        destination.to_string()
    }
}

impl TryFrom<String> for Destination {
    type Error = DestinationError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// Where one request goes. Read once: what is matched is what is connected to.
#[derive(Clone)]
pub struct Target {
    url: Url,
}

impl Target {
    /// From an absolute URL; its fragment is dropped.
    ///
    /// # Errors
    ///
    /// A text that does not repeat the URL, if that is none, or if readers disagree on it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let mut url = parse(url)?;
        url.set_fragment(None);
        Ok(Self { url })
    }

    /// Scheme, host and port, for people.
    #[must_use]
    pub fn origin(&self) -> String {
        origin(&self.url)
    }

    /// As it was read: what is connected to.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// An address that is refused, for people: scheme and host at most, since a key may stand anywhere else in it. Where readers
/// disagree on what its host is, that could be the key.
fn named(url: &str) -> String {
    let parsed =
        Url::parse(url).ok().filter(|parsed| !reads_differently(url) && matches!(parsed.scheme(), "http" | "https"));
    parsed.map_or_else(|| "the address".to_owned(), |parsed| origin(&parsed))
}

/// Whether other readers read a URL in another way: the parser drops tabs and line breaks, and reads a backslash as a slash.
fn reads_differently(url: &str) -> bool {
    url.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\')
}

/// One reading of a URL, or why there is none. The texts do not repeat it: a query may hold anything.
fn parse(url: &str) -> Result<Url, String> {
    if reads_differently(url) {
        return Err("the URL holds white space, control bytes or a backslash".to_owned());
    }
    let url = Url::parse(url).map_err(|error| format!("not an absolute URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the URL is neither http nor https".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL names a user".to_owned());
    }
    if url.port() == Some(0) {
        return Err("there is no port 0".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    if host.split('.').any(str::is_empty) && !host.starts_with('[') {
        return Err("the host has an empty label".to_owned());
    }
    Ok(url)
}

/// `localhost` counts: this crate never looks it up, see `resolve.rs`.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || literal.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether some server may read a path as another one: an encoded slash, or a dot segment that the parser left because
/// of parameters (`..;a`).
fn is_ambiguous(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let encoded = ["%2f", "%5c", "%00", "%25"].iter().any(|code| path.contains(code));
    encoded || path.replace("%2e", ".").split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(destination: &str, url: &str) -> bool {
        let destination = Destination::parse(destination).unwrap();
        Target::parse(url).is_ok_and(|target| destination.covers(&target))
    }

    #[test]
    fn scheme_host_port_and_path_segments_match_exactly() {
        let v1 = "https://api.example.com/v1/";
        for url in [
            "https://api.example.com/v1",
            "https://API.example.com:443/v1/messages?beta=true",
            "https://api.example.com/v1/a/../b",
        ] {
            assert!(covers(v1, url), "{url}");
        }
        for url in [
            "http://api.example.com/v1",
            "https://api.example.com:8443/v1",
            "https://api.example.com.evil.net/v1",
            "https://evil.net/v1",
            "https://api.example.com./v1",
            "https://api.example.com/v10",
            "https://api.example.com/",
            "https://api.example.com/v1/../admin",
            "https://api.example.com/v1/%2e%2e/admin",
            "https://api.example.com/v1/..%2fadmin",
            "https://api.example.com/v1/..;x/admin",
            "https://api.example.com/v1/%252e%252e/admin",
        ] {
            assert!(!covers(v1, url), "{url}");
        }
        assert!(covers("http://[::1]:8080", "http://[::1]:8080/any/path"));
        assert!(covers("https://bücher.example", "https://xn--bcher-kva.example/"));
    }

    #[test]
    fn a_url_that_readers_disagree_on_is_no_target() {
        for url in [
            "https://api.example.com@evil.net/",
            "https://user:pass@api.example.com/",
            "https://api.example.com\\@evil.net/",
            "https://api.example\t.com/",
            "https://api.example.com/\r\nx: y",
            "https://api..example.com/",
            "https://api.example.com:0/",
            "ftp://api.example.com/",
            "/v1/messages",
            "",
        ] {
            assert!(Target::parse(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn an_address_that_is_refused_is_named_without_what_may_be_a_key() {
        for (url, named) in [
            ("https://me:canary@api.example.com/v1", "https://api.example.com is no destination: the URL names a user"),
            ("https://canary@api.example.com:8443", "https://api.example.com:8443 is"),
            ("https://api.example.com/v1?key=canary", "https://api.example.com is"),
            ("https://api.example.com/#canary", "https://api.example.com is"),
            ("https://api.example.com/canary/%2e%2e%2fx", "https://api.example.com is"),
            ("https://canary\\@api.example.com", "the address is"),
            ("https://me:can\tary@api.example.com", "the address is"),
            ("me:canary@api.example.com", "the address is"),
            ("canary://api.example.com", "the address is"),
            ("httpcanary://api.example.com", "the address is"),
            ("https://me:canary@[", "the address is"),
            ("canary", "the address is"),
        ] {
            let error = Destination::parse(url).unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn only_https_and_loopback_are_private() {
        for (url, private) in [
            ("https://api.example.com", true),
            ("http://127.0.0.1:11434/v1", true),
            ("http://[::1]/", true),
            ("http://localhost:8080", true),
            ("http://192.168.1.5/", false),
            ("http://localhost.evil.net/", false),
            ("http://127.0.0.1.evil.net/", false),
        ] {
            assert_eq!(Destination::parse(url).unwrap().is_private(), private, "{url}");
        }
    }
}
