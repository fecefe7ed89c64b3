//! Who may send what where, and which credential goes along.

use crate::Secret;
use crate::headers;
use crate::scrub::Needles;
use handbox_hand::{Destination, Principal, Refusal, Target};
use reqwest::header::HeaderName;
use std::fmt;

/// What one principal may do.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Who.
    pub principal: Principal,
    /// Where it may send without a credential.
    pub destinations: Vec<Destination>,
    /// Where it may send, and the credentials that go along.
    pub bindings: Vec<Binding>,
}

/// A credential and the one destination that gets it, in one header.
#[derive(Clone)]
pub struct Binding {
    name: String,
    to: Destination,
    header: HeaderName,
    scheme: &'static str,
    secret: Secret,
}

impl Binding {
    /// Sends the secret as the value of a header, as with `x-api-key`. `name` is what people know the credential by.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if others could read it on the way, or the header cannot carry it.
    pub fn header(name: &str, to: Destination, header: &str, secret: Secret) -> Result<Self, PolicyError> {
        Self::new(name, to, header, "", secret)
    }

    /// Sends `Authorization: Bearer` and the secret.
    ///
    /// # Errors
    ///
    /// As [`header`](Self::header).
    pub fn bearer(name: &str, to: Destination, secret: Secret) -> Result<Self, PolicyError> {
        Self::new(name, to, "authorization", "Bearer ", secret)
    }

    fn new(
        name: &str,
        to: Destination,
        header: &str,
        scheme: &'static str,
        secret: Secret,
    ) -> Result<Self, PolicyError> {
        if !to.is_private() {
            return Err(PolicyError::Readable(to.to_string()));
        }
        let usable = HeaderName::from_bytes(header.as_bytes()).ok().filter(|header| !headers::is_ours(header.as_str()));
        let header = usable.ok_or_else(|| PolicyError::Header(header.to_owned()))?;
        Ok(Self { name: name.to_owned(), to, header, scheme, secret })
    }

    /// The header and its value, which the HTTP library is told not to show.
    pub(crate) fn credential(&self) -> Option<(HeaderName, reqwest::header::HeaderValue)> {
        let value = zeroize::Zeroizing::new([self.scheme.as_bytes(), self.secret.reveal()].concat());
        let mut value = reqwest::header::HeaderValue::from_bytes(&value).ok()?;
        value.set_sensitive(true);
        Some((self.header.clone(), value))
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Binding({:?} in {} to {})", self.name, self.header, self.to)
    }
}

/// Why a rule makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A credential would be sent in the clear.
    #[error("no credential is sent to {0}, where others could read it on the way; use https, or a loopback address")]
    Readable(String),
    /// The header is no header, or about the connection.
    #[error("{0:?} is no header that can carry a credential")]
    Header(String),
}

/// The rules of one principal.
pub(crate) struct Rules {
    grant: Grant,
    /// Each of its secrets: what comes back may hold any of them.
    pub(crate) needles: Needles,
}

impl Rules {
    pub(crate) fn new(grant: Grant) -> Self {
        let needles = Needles::new(grant.bindings.iter().map(|binding| &binding.secret));
        Self { grant, needles }
    }

    pub(crate) fn principal(&self) -> &Principal {
        &self.grant.principal
    }

    pub(crate) fn bindings(&self) -> &[Binding] {
        &self.grant.bindings
    }

    pub(crate) fn need_tls(&self) -> bool {
        let bound = self.grant.bindings.iter().map(|binding| &binding.to);
        self.grant.destinations.iter().chain(bound).any(Destination::is_https)
    }

    /// Which binding goes along, by its place; `None` if the request may go without.
    pub(crate) fn decide(&self, target: &Target, headers: &[(String, String)]) -> Result<Option<usize>, Refusal> {
        let mut fits = self.grant.bindings.iter().enumerate().filter(|(_, binding)| binding.to.covers(target));
        match (fits.next(), fits.next()) {
            (Some((_, one)), Some((_, other))) => Err(Refusal {
                reason: format!("the credentials {:?} and {:?} are both bound to {}", one.name, other.name, one.to),
                hint: format!("handbox vault unbind {:?} or {:?}", one.name, other.name),
            }),
            (Some((at, binding)), None) => match headers.iter().find(|(name, _)| is_same(name, &binding.header)) {
                Some((name, _)) => Err(Refusal {
                    reason: format!(
                        "the request brings its own {name:?}, which the credential {:?} sets",
                        binding.name
                    ),
                    hint: format!("leave {name:?} away: it is set on the way out"),
                }),
                None => Ok(Some(at)),
            },
            (None, _) if self.grant.destinations.iter().any(|to| to.covers(target)) => Ok(None),
            (None, _) => Err(self.refuse(target)),
        }
    }

    fn refuse(&self, target: &Target) -> Refusal {
        let origin = target.origin();
        let bound = self.grant.bindings.iter().map(|binding| &binding.to);
        let near = self.grant.destinations.iter().chain(bound).find(|to| to.is_origin_of(target));
        let reason = near.map_or_else(
            || format!("{origin} is on no list of {:?}", self.grant.principal.0),
            |near| format!("of {origin}, {:?} may use only what is below {near}", self.grant.principal.0),
        );
        Refusal { reason, hint: format!("--host {origin}") }
    }
}

/// Some servers take an underscore in a header's name for a hyphen.
fn is_same(name: &str, header: &HeaderName) -> bool {
    name.replace('_', "-").eq_ignore_ascii_case(header.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(name: &str, to: &str) -> Binding {
        Binding::header(name, Destination::parse(to).unwrap(), "x-api-key", Secret::new("sk-canary-0123").unwrap())
            .unwrap()
    }

    fn rules(destinations: &[&str], bindings: Vec<Binding>) -> Rules {
        let destinations = destinations.iter().map(|url| Destination::parse(url).unwrap()).collect();
        Rules::new(Grant { principal: Principal::new("model"), destinations, bindings })
    }

    fn decide(rules: &Rules, url: &str, header: &str) -> Result<Option<usize>, Refusal> {
        let headers = vec![(header.to_owned(), "x".to_owned())];
        rules.decide(&Target::parse(url).unwrap(), &headers)
    }

    #[test]
    fn a_credential_goes_where_it_is_bound_and_nowhere_else() {
        let rules = rules(
            &["https://open.example"],
            vec![binding("a", "https://a.example/v1"), binding("b", "https://b.example")],
        );
        assert_eq!(decide(&rules, "https://a.example/v1/messages", "accept"), Ok(Some(0)));
        assert_eq!(decide(&rules, "https://b.example/", "accept"), Ok(Some(1)));
        assert_eq!(decide(&rules, "https://open.example/x", "x-api-key"), Ok(None));
        let elsewhere = decide(&rules, "https://evil.example:8443/?q=private", "accept").unwrap_err();
        assert_eq!(elsewhere.hint, "--host https://evil.example:8443");
        assert!(!elsewhere.reason.contains("private"));
        let above = decide(&rules, "https://a.example/v2", "accept").unwrap_err();
        assert!(above.reason.contains("https://a.example/v1"), "{}", above.reason);
    }

    #[test]
    fn a_request_that_brings_the_header_is_refused() {
        let rules = rules(&[], vec![binding("a", "https://a.example")]);
        for name in ["x-api-key", "X-API-Key", "x_api_key"] {
            assert!(decide(&rules, "https://a.example/", name).unwrap_err().hint.contains(name));
        }
    }

    #[test]
    fn two_bindings_for_one_request_are_one_too_many() {
        let rules = rules(
            &["https://a.example"],
            vec![binding("a", "https://a.example"), binding("b", "https://a.example/v1")],
        );
        assert_eq!(decide(&rules, "https://a.example/", "accept"), Ok(Some(0)));
        let refusal = decide(&rules, "https://a.example/v1/x", "accept").unwrap_err();
        assert!(refusal.reason.contains("both"), "{}", refusal.reason);
    }

    #[test]
    fn a_binding_that_would_be_read_on_the_way_is_none() {
        let secret = || Secret::new("sk-canary-0123").unwrap();
        let to = |url: &str| Destination::parse(url).unwrap();
        assert!(matches!(Binding::bearer("a", to("http://a.example"), secret()), Err(PolicyError::Readable(_))));
        assert!(Binding::bearer("a", to("http://127.0.0.1:1"), secret()).is_ok());
        for header in ["Host", "content-length", "Transfer-Encoding", "a b", "", "proxy-authorization"] {
            let made = Binding::header("a", to("https://a.example"), header, secret());
            assert!(matches!(made, Err(PolicyError::Header(_))), "{header:?}");
        }
        assert!(!format!("{:?}", binding("a", "https://a.example")).contains("canary"));
    }
}
