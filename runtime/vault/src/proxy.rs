//! Decide, inject, send, scrub.

use crate::body::Body;
use crate::decode::Coding;
use crate::policy::Rules;
use crate::scrub::{Needles, Scrubber};
use crate::target::Target;
use crate::{Grant, Limits, Trust, client, headers};
use async_trait::async_trait;
use handbox_hand::{Http, HttpError, HttpRequest, HttpResponse, Principal, Refusal};
use reqwest::{Client, Method, Request, Response};
use std::collections::HashMap;
use std::fmt;
use tokio::time::{Instant, timeout_at};

/// What a proxy is made of.
#[derive(Debug)]
pub struct Options {
    /// Who may do what. Whoever is not named may do nothing.
    pub grants: Vec<Grant>,
    /// What each exchange may take.
    pub limits: Limits,
    /// Whose certificates are believed.
    pub trust: Trust,
}

/// The only thing that opens an outbound connection.
pub struct Proxy {
    principals: HashMap<Principal, Party>,
    limits: Limits,
}

/// A principal, with connections that nobody else uses.
struct Party {
    rules: Rules,
    plain: Client,
    /// One for each binding, in the order of the rules.
    bound: Vec<Client>,
}

impl Proxy {
    /// Makes one. Opens no connection.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if a principal is named twice, or no TLS can be spoken though a rule asks for it.
    pub fn new(options: Options) -> Result<Self, ProxyError> {
        let Options { grants, limits, trust } = options;
        let rules: Vec<Rules> = grants.into_iter().map(Rules::new).collect();
        let tls = client::tls(&trust, rules.iter().any(Rules::need_tls))?;
        let mut principals = HashMap::new();
        for rules in rules {
            let plain = client::client(&tls, &limits)?;
            let bound: Result<_, _> = rules.bindings().iter().map(|_| client::client(&tls, &limits)).collect();
            let principal = rules.principal().clone();
            let party = Party { rules, plain, bound: bound? };
            if principals.insert(principal.clone(), party).is_some() {
                return Err(ProxyError::Twice(principal.0.to_string()));
            }
        }
        Ok(Self { principals, limits })
    }

    /// What goes out, and by which client.
    fn prepare<'a>(&self, party: &'a Party, request: HttpRequest) -> Result<(&'a Client, Request), HttpError> {
        let invalid = |why: &str| HttpError::Invalid(why.to_owned());
        let target = Target::parse(&request.url).map_err(HttpError::Invalid)?;
        let bytes = request.body.len();
        if bytes > self.limits.request_bytes_max {
            let most = self.limits.request_bytes_max;
            return Err(HttpError::Invalid(format!("a request of {bytes} bytes; the most is {most}")));
        }
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| invalid("the method is none"))?;
        if method == Method::CONNECT || method == Method::TRACE {
            return Err(invalid("CONNECT and TRACE are not sent"));
        }
        let mut fields = headers::of_request(&request.headers, self.limits.header_bytes_max)?;
        let decided = party.rules.decide(&target, &request.headers).map_err(HttpError::Denied)?;
        let client = match decided {
            None => &party.plain,
            Some(at) => {
                let credential = party.rules.bindings().get(at).and_then(crate::Binding::credential);
                let (name, value) = credential.ok_or_else(|| invalid("the credential fits into no header"))?;
                fields.insert(name, value);
                party.bound.get(at).ok_or_else(|| invalid("the binding has no client"))?
            }
        };
        let mut sent = Request::new(method, target.url);
        *sent.headers_mut() = fields;
        *sent.body_mut() = Some(request.body.into());
        Ok((client, sent))
    }

    fn receive(&self, response: Response, needles: &Needles, start: Instant) -> Result<HttpResponse, HttpError> {
        let coding = Coding::of(response.headers());
        // Without a credential, too, it may hold one that went along earlier.
        if matches!(coding, Coding::Unknown) && !needles.is_empty() {
            let why = "the answer is encoded in a way that cannot be undone to search it for credentials";
            return Err(HttpError::Unusable(why.to_owned()));
        }
        let status = response.status().as_u16();
        let mut headers = headers::of_response(response.headers(), needles, self.limits.header_bytes_max)?;
        let decoder = match coding {
            Coding::Known(decoder) => {
                headers.retain(|(name, _)| name != "content-encoding");
                Some(decoder)
            }
            Coding::Plain | Coding::Unknown => None,
        };
        let body = Body {
            response: Some(response),
            decoder,
            scrubber: Scrubber::new(needles),
            needles: needles.clone(),
            deadline: start + self.limits.total_time_max,
            idle_time_max: self.limits.idle_time_max,
            bytes_left: self.limits.body_bytes_max,
            decoded_bytes_left: self.limits.body_bytes_max,
        };
        Ok(HttpResponse { status, headers, body: Box::new(body) })
    }
}

#[async_trait]
impl Http for Proxy {
    async fn send(&self, principal: &Principal, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let start = Instant::now();
        let party = self.principals.get(principal).ok_or_else(|| {
            let reason = format!("{:?} may send nothing", principal.0);
            let origin = Target::parse(&request.url).map_or_else(|_| "URL".to_owned(), |target| target.origin());
            HttpError::Denied(Refusal { reason, hint: format!("--host {origin}") })
        })?;
        let (client, request) = self.prepare(party, request)?;
        // Here the vault's own issue tells the audit sink, before anything is sent.
        let deadline = start + self.limits.head_time_max.min(self.limits.total_time_max);
        let needles = &party.rules.needles;
        match timeout_at(deadline, client.execute(request)).await {
            Err(_) => Err(HttpError::TimedOut("the answer did not begin".to_owned())),
            Ok(Err(error)) => Err(failure(error, needles)),
            Ok(Ok(response)) => self.receive(response, needles, start),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("principals", &self.principals.keys()).field("limits", &self.limits).finish()
    }
}

/// What an error of the HTTP library means.
pub(crate) fn failure(error: reqwest::Error, needles: &Needles) -> HttpError {
    let (is_connect, is_timeout, is_builder) = (error.is_connect(), error.is_timeout(), error.is_builder());
    let text = needles.scrub_text(client::describe(error));
    match (is_connect, is_timeout, is_builder) {
        (true, _, _) => HttpError::Unreachable(text),
        (_, true, _) => HttpError::TimedOut(text),
        (_, _, true) => HttpError::Invalid(text),
        _ => HttpError::Lost(text),
    }
}

/// Why there is no proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// TLS cannot be spoken: this machine trusts no authorities, or a given one is none.
    #[error("cannot speak TLS: {0}; on Linux the package ca-certificates brings the authorities")]
    Tls(String),
    /// Two grants for one principal.
    #[error("{0:?} has two grants")]
    Twice(String),
}
