//! Where something may be sent.

use crate::target::{self, Target, is_ambiguous, origin, reads_differently};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use url::{Host, Url};

/// The most methods that one destination names.
const METHODS_MAX: usize = 16;

/// Where something may be sent: scheme, host and port, a path with all that is below it, and the methods.
///
/// Written as `https://api.example.com/v1`, with the methods before it if not all are meant: `GET,HEAD https://…`. The host
/// may be `*.example.com`, which means all below it, however deep, and not `example.com` itself. Without a scheme it is
/// `https`: `api.example.com:8443/v1`.
///
/// Where `public` stands before the URL, only public addresses are meant: no range that an operator granted, and not even
/// an address that the URL itself names, widens it. That is what becomes of a host that somebody asked for and of which
/// the operator said no more than "any public one".
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Destination {
    https: bool,
    host: Pattern,
    port: u16,
    /// With no slash at its end; empty for all.
    path: String,
    /// `None` for all.
    methods: Option<BTreeSet<String>>,
    public_only: bool,
}

/// Which hosts.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Pattern {
    Name(String),
    Address(IpAddr),
    /// All below it.
    Below(String),
    Any,
}

/// What differs between a request and a destination; of several, the first in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// The host.
    Host,
    /// `http` where it is `https`, or the reverse.
    Scheme,
    /// The port.
    Port,
    /// The path.
    Path,
    /// The method.
    Method,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Host => "host",
            Self::Scheme => "scheme",
            Self::Port => "port",
            Self::Path => "path",
            Self::Method => "method",
        })
    }
}

impl Destination {
    /// From its text; see the type. `*` for any host is refused: it takes a caller that means it, see
    /// [`parse_granted`](Self::parse_granted).
    ///
    /// # Errors
    ///
    /// [`DestinationError`] for what is no `http` or `https` URL, or has a user, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, DestinationError> {
        let own = Self::parse_granted(text)?;
        if own.host == Pattern::Any {
            return Err(DestinationError(
                "* means every public host, and is no destination of its own here".to_owned(),
            ));
        }
        Ok(own)
    }

    /// As [`parse`](Self::parse), and `*` is every host with a public address, over `https` and its usual port: for what an operator typed himself, and for
    /// what was written from a destination.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn parse_granted(text: &str) -> Result<Self, DestinationError> {
        let (methods, rest) = match text.split_once(' ') {
            Some((first, rest)) if first != "public" => (Some(methods(first)?), rest),
            _ => (None, text),
        };
        let (public_only, place) = rest.strip_prefix("public ").map_or((false, rest), |place| (true, place));
        let mut own = Self::parse_place(place)?;
        own.methods = methods;
        own.public_only |= public_only;
        Ok(own)
    }

    /// From an absolute URL alone, such as that of a model's endpoint: one host, with its scheme, and no methods.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn of_url(url: &str) -> Result<Self, DestinationError> {
        if !url.contains("://") {
            return Err(DestinationError("the address is no destination: it is no absolute URL".to_owned()));
        }
        let own = Self::parse_place(url)?;
        if own.is_wildcard() {
            return Err(DestinationError(format!("{own} is not one destination: it means many hosts")));
        }
        Ok(own)
    }

    fn parse_place(place: &str) -> Result<Self, DestinationError> {
        // Read as a path, `/8` would grant nothing that anybody meant.
        if is_range(place) {
            return Err(DestinationError(format!(
                "{place} is a range of addresses, and no destination: name each host or address here, and the range under [network] in config.toml (ranges = [\"{place}\"])"
            )));
        }
        let url = if place.contains("://") { place.to_owned() } else { format!("https://{place}") };
        let wrong = |why: &str| DestinationError(format!("{} is no destination: {why}", named(&url)));
        let parsed = target::parse(&url).map_err(|why| wrong(&why))?;
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(wrong("it has a query or a fragment"));
        }
        let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        if authority.ends_with(':') {
            return Err(wrong("a colon stands there, and no port"));
        }
        let path = parsed.path().trim_end_matches('/').to_owned();
        if is_ambiguous(&path) {
            return Err(wrong("servers read its path in different ways"));
        }
        let host = match (target::address(&parsed), parsed.host()) {
            (Some(address), _) => Pattern::Address(address),
            // Written in any other way, as `*.`, a name was meant, and every host is not.
            (None, Some(Host::Domain("*"))) if authority.split(':').next() == Some("*") => Pattern::Any,
            (None, Some(Host::Domain("*"))) => return Err(wrong("a name is missing behind `*.`")),
            (None, Some(Host::Domain(name))) => {
                let below = name.strip_prefix("*.");
                target::is_name(below.unwrap_or(name)).map_err(|why| wrong(&why))?;
                below.map_or_else(|| Pattern::Name(name.to_owned()), |below| Pattern::Below(below.to_owned()))
            }
            (None, _) => return Err(wrong("it has no host")),
        };
        let https = parsed.scheme() == "https";
        let port = parsed.port_or_known_default().unwrap_or_default();
        Ok(Self { https, public_only: host == Pattern::Any, host, port, path, methods: None })
    }

    /// The same for these methods alone, which are compared exactly.
    ///
    /// # Errors
    ///
    /// [`DestinationError`] for none, more than 16, or what is no method in capitals.
    pub fn with_methods<'a>(mut self, methods: impl IntoIterator<Item = &'a str>) -> Result<Self, DestinationError> {
        let methods: Vec<&str> = methods.into_iter().collect();
        self.methods = Some(self::methods(&methods.join(","))?);
        Ok(self)
    }

    /// Whether a request there is covered.
    #[must_use]
    pub fn covers(&self, method: &str, target: &Target) -> bool {
        self.differs(method, target).is_none()
    }

    /// What keeps a request from being covered; `None` if it is.
    #[must_use]
    pub fn differs(&self, method: &str, target: &Target) -> Option<Difference> {
        // One after the other: most rules are for another host, and a path takes the longest.
        if !self.has_host_of(target) {
            return Some(Difference::Host);
        }
        if self.scheme() != target.url().scheme() {
            return Some(Difference::Scheme);
        }
        if self.port != target.port() {
            return Some(Difference::Port);
        }
        let path = target.url().path();
        let below = || path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !self.path.is_empty() && (is_ambiguous(path) || !below()) {
            return Some(Difference::Path);
        }
        self.methods.as_ref().is_some_and(|methods| !methods.contains(method)).then_some(Difference::Method)
    }

    /// Whether the request's host is one of its hosts, whatever the rest.
    #[must_use]
    pub fn has_host_of(&self, target: &Target) -> bool {
        match &self.host {
            Pattern::Name(name) => target.address().is_none() && name == target.host(),
            Pattern::Address(address) => target.address() == Some(*address),
            Pattern::Below(parent) => target.address().is_none() && is_below(target.host(), parent),
            Pattern::Any => true,
        }
    }

    /// What both cover, written as the narrower of both in each part; `None` if that is nothing. Of what was asked for and
    /// what is granted, this is what may be done.
    #[must_use]
    pub fn narrowed_by(&self, other: &Self) -> Option<Self> {
        if self.https != other.https || self.port != other.port {
            return None;
        }
        let host = if self.host.contains(&other.host) {
            &other.host
        } else if other.host.contains(&self.host) {
            &self.host
        } else {
            return None;
        };
        let path = match (path_contains(&self.path, &other.path), path_contains(&other.path, &self.path)) {
            (true, _) => &other.path,
            (_, true) => &self.path,
            (false, false) => return None,
        };
        let methods = match (&self.methods, &other.methods) {
            (Some(own), Some(others)) => Some(own.intersection(others).cloned().collect()),
            (own, others) => own.clone().or_else(|| others.clone()),
        };
        if methods.as_ref().is_some_and(BTreeSet::is_empty) {
            return None;
        }
        let public_only = self.public_only || other.public_only;
        Some(Self { https: self.https, host: host.clone(), port: self.port, path: path.clone(), methods, public_only })
    }

    /// Whether it means all hosts of the other, and more.
    #[must_use]
    pub fn has_more_hosts_than(&self, other: &Self) -> bool {
        self.host != other.host && self.host.contains(&other.host)
    }

    /// Whether nobody on the way can read what is sent there. `localhost` counts: the vault never looks it up.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.https || self.is_localhost() || self.address().is_some_and(|address| address.is_loopback())
    }

    /// Whether TLS is spoken there.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether it means many hosts.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        matches!(self.host, Pattern::Below(_) | Pattern::Any)
    }

    /// The name that all its hosts are below; `None` if it means one host, or any.
    #[must_use]
    pub fn below(&self) -> Option<&str> {
        if let Pattern::Below(parent) = &self.host { Some(parent) } else { None }
    }

    /// Whether only public addresses are meant, whatever an operator grants beside it.
    #[must_use]
    pub fn is_public_only(&self) -> bool {
        self.public_only
    }

    /// The address that it names.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        if let Pattern::Address(address) = self.host { Some(address) } else { None }
    }

    /// Whether it names this machine as `localhost`.
    #[must_use]
    pub fn is_localhost(&self) -> bool {
        matches!(&self.host, Pattern::Name(name) if name == "localhost")
    }

    /// Whether some methods are not covered.
    #[must_use]
    pub fn restricts_methods(&self) -> bool {
        self.methods.is_some()
    }

    /// Whether some paths are not covered.
    #[must_use]
    pub fn restricts_paths(&self) -> bool {
        !self.path.is_empty()
    }

    fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }
}

impl Pattern {
    fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Below(parent), Self::Below(below)) => parent == below || is_below(below, parent),
            (Self::Below(parent), Self::Name(name)) => is_below(name, parent),
            (own, other) => own == other,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            // As the parser writes it, so that both are the same text.
            Self::Address(IpAddr::V6(address)) => write!(f, "{}", Host::<String>::Ipv6(*address)),
            Self::Below(parent) => write!(f, "*.{parent}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// As it would be written.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(methods) = &self.methods {
            let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
            write!(f, "{} ", methods.join(","))?;
        }
        if self.public_only && self.host != Pattern::Any {
            f.write_str("public ")?;
        }
        write!(f, "{}://{}", self.scheme(), self.host)?;
        if self.port != if self.https { 443 } else { 80 } {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::str::FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        Self::parse(text)
    }
}

/// As its text.
impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// From its text, as [`Destination::parse_granted`] reads it: what is read back was granted before it was written.
impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_granted(&text).map_err(serde::de::Error::custom)
    }
}

/// Why something is no destination. Holds scheme and host of it at most.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DestinationError(pub String);

/// `GET,HEAD`, without repeating what is wrong: where no method stands, anything may.
fn methods(text: &str) -> Result<BTreeSet<String>, DestinationError> {
    let is_method = |method: &&str| {
        let tokens = !method.is_empty() && method.len() <= 32;
        tokens
            && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
            && !matches!(*method, "CONNECT" | "TRACE")
    };
    let methods: Vec<&str> = text.split(',').collect();
    if methods.len() > METHODS_MAX || !methods.iter().all(is_method) {
        let why = "before the space of a destination stand methods in capitals, such as GET,HEAD; there is no CONNECT or TRACE";
        return Err(DestinationError(why.to_owned()));
    }
    Ok(methods.into_iter().map(str::to_owned).collect())
}

/// Whether it is an address with a number of bits, as `10.0.0.0/8`.
fn is_range(place: &str) -> bool {
    let is_bits = |bits: &str| bits.parse::<u8>().is_ok_and(|bits| bits <= 128);
    place.split_once('/').is_some_and(|(address, bits)| address.parse::<IpAddr>().is_ok() && is_bits(bits))
}

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).and_then(|rest| rest.strip_suffix('.')).is_some_and(|rest| !rest.is_empty())
}

fn path_contains(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// An address that is refused, for people: scheme and host at most, since a key may stand anywhere else in it. Where readers
/// disagree on what its host is, that could be the key.
fn named(url: &str) -> String {
    let parsed =
        Url::parse(url).ok().filter(|parsed| !reads_differently(url) && matches!(parsed.scheme(), "http" | "https"));
    parsed.map_or_else(|| "the address".to_owned(), |parsed| origin(&parsed))
}
