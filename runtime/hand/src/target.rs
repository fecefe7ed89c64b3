//! One reading of a URL, which everybody after it shares.

use std::net::IpAddr;
use url::{Host, Url};

/// The most bytes of a URL. Servers refuse longer ones.
const URL_BYTES_MAX: usize = 16 * 1024;
/// The most bytes of a name (RFC 1035, 2.3.4), and of one label of it.
const NAME_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// Where one request goes. Read once: what is matched is what is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
}

impl Target {
    /// From an absolute URL of at most 16 KiB. Its fragment is dropped, and so is the dot at the end of an absolute name.
    ///
    /// # Errors
    ///
    /// A text that does not repeat the URL, if that is none, or if readers disagree on it.
    pub fn parse(url: &str) -> Result<Self, String> {
        let mut url = parse(url)?;
        url.set_fragment(None);
        if let Some(Host::Domain(name)) = url.host() {
            is_name(name)?;
        }
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

    /// The name, as an A-label in lower case, or the address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        unbracketed(self.url.host_str().unwrap_or_default())
    }

    /// The address, if it is written in the URL, in whatever notation.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        address(&self.url)
    }

    /// Whether servers may read its path in different ways: then no path covers it.
    #[must_use]
    pub fn has_ambiguous_path(&self) -> bool {
        is_ambiguous(self.url.path())
    }

    /// The port, that of the scheme if the URL names none.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }
}

pub(crate) fn address(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

pub(crate) fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

pub(crate) fn origin(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// Whether other readers read a URL in another way: the parser drops tabs and line breaks, and reads a backslash as a slash.
pub(crate) fn reads_differently(url: &str) -> bool {
    url.bytes().any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\')
}

/// One reading of a URL, or why there is none. The texts do not repeat it: a query may hold anything.
pub(crate) fn parse(text: &str) -> Result<Url, String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!("a URL of {} bytes; the most is {URL_BYTES_MAX}", text.len()));
    }
    if reads_differently(text) {
        return Err("the URL holds white space, control bytes or a backslash".to_owned());
    }
    let mut url = Url::parse(text).map_err(|error| format!("not an absolute URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the URL is neither http nor https".to_owned());
    }
    // The parser repairs `https:host` and `https:///host`, others do not.
    let after = text.split_once(':').map(|(_, after)| after).unwrap_or_default();
    if !after.starts_with("//") || after.starts_with("///") {
        return Err("what follows the URL's scheme is not //host".to_owned());
    }
    let authority = after[2..].split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("the URL names a user".to_owned());
    }
    if url.port() == Some(0) {
        return Err("there is no port 0".to_owned());
    }
    // An absolute name is the same host, but for search domains, which nobody applies here.
    let absolute = url.host_str().and_then(|host| host.strip_suffix('.')).map(str::to_owned);
    if let Some(host) = absolute {
        url.set_host(Some(&host)).map_err(|error| format!("not an absolute URL: {error}"))?;
    }
    Ok(url)
}

/// Whether a host is a name that can be looked up: letters, digits, hyphens and underscores in labels.
pub(crate) fn is_name(host: &str) -> Result<(), String> {
    if host.len() > NAME_BYTES_MAX {
        return Err("the host is longer than a name may be".to_owned());
    }
    for label in host.split('.') {
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return Err("the host has an empty or too long label".to_owned());
        }
        if !label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
        {
            return Err("the host is no name".to_owned());
        }
    }
    Ok(())
}

/// Whether some server may read a path as another one: an encoded slash, or a dot segment that the parser left because
/// of parameters (`..;a`).
pub(crate) fn is_ambiguous(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    // Longer than UTF-8 writes a character: some decoders take `%c0%ae` for a dot.
    let overlong = ["%c0", "%c1", "%e0%8", "%e0%9", "%f0%8"];
    let encoded = ["%2f", "%5c", "%00", "%25"].iter().chain(&overlong).any(|code| path.contains(code));
    encoded || path.replace("%2e", ".").split('/').any(|segment| matches!(segment.split(';').next(), Some("." | "..")))
}
