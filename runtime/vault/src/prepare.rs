//! From a request as its principal wants it to one that may go.

use crate::binding::Binding;
use crate::credential::{Credential, CredentialError, Place};
use crate::inject::{self, Draft};
use crate::outgoing::{Outgoing, Progress};
use crate::parameter::Parameter;
use crate::party::{Current, Party, brought};
use crate::policy::{Allowed, Asked};
use crate::proxy::failure;
use crate::scan::{self, Pattern, Scan};
use crate::{Proxy, agree, headers};
use handbox_hand::{HttpBody, HttpError, HttpRequest, Refusal, RequestBody, Sender, Target};
use reqwest::header::RANGE;
use reqwest::{Client, Method, Request, Response, StatusCode};
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::OwnedSemaphorePermit;

/// A request on which all was decided.
pub(crate) struct Prepared {
    pub(crate) allowed: Allowed,
    pub(crate) current: Current,
    pub(crate) credential: Option<Credential>,
    pub(crate) permits: Vec<OwnedSemaphorePermit>,
    pub(crate) progress: Progress,
    method: Method,
    /// Without the credential, so that it can go again with another.
    draft: Draft,
    /// With it.
    injected: Draft,
    stream: Option<Outgoing>,
}

impl Proxy {
    /// Has the credentials told that this principal may come by, once under its rules: a request that brings one of them
    /// itself is found by its value. Those that are not at hand are told when they first go along: no command is run and no
    /// server asked for a request that may have nothing to do with them.
    pub(crate) async fn learn(&self, party: &Party) {
        let current = party.current();
        let learn = async {
            for binding in &current.rules.grant.bindings {
                let at_hand = binding.at_hand().await.ok().flatten();
                let withheld = binding.withheld().await.unwrap_or_default();
                for credential in at_hand.into_iter().chain(withheld) {
                    let _ = party.wear(&binding.shared_name(), &credential);
                }
            }
        };
        let time_max = self.limits().connect_time_max;
        current.is_known.get_or_init(|| async { drop(tokio::time::timeout(time_max, learn).await) }).await;
    }

    /// Decides and injects. Sends nothing, and looks up no name.
    pub(crate) async fn prepare(
        &self,
        party: &Arc<Party>,
        sender: &Sender,
        request: HttpRequest,
    ) -> Result<Prepared, HttpError> {
        let limits = *self.limits();
        let target = Target::parse(&request.url).map_err(HttpError::Invalid)?;
        agree::check(&target).map_err(HttpError::Invalid)?;
        let method = method(&request.method)?;
        let bytes_max = limits.request_bytes_max as u64;
        if let Some(bytes) = request.body.bytes().filter(|bytes| *bytes > bytes_max) {
            return Err(HttpError::Invalid(format!("a request of {bytes} bytes; the most is {bytes_max}")));
        }
        let fields = headers::of_request(&request.headers, limits.header_bytes_max)?;
        let current = party.current();
        let (name, read_only) = (request.method.as_str(), sender.read_only);
        let asked = Asked { method: name, target: &target, headers: &request.headers, read_only };
        let allowed = current.rules.decide(asked).map_err(HttpError::Denied)?;
        let permits = self.permits(party)?;
        let binding = allowed.pool.binding.and_then(|at| current.rules.grant.bindings.get(at));
        if binding.is_some() && fields.contains_key(RANGE) {
            return Err(HttpError::Denied(Refusal {
                reason: "a part of an answer is asked for where a credential goes along: it could begin inside that"
                    .to_owned(),
                hint: "the tool must leave the header \"range\" away there, and read the whole".to_owned(),
            }));
        }
        let strangers = party.strangers(binding.map(Binding::name));
        refuse_brought(&strangers, &request)?;
        let (body, stream) = match request.body {
            RequestBody::Whole(bytes) => (Some(bytes), None),
            RequestBody::Stream { body, bytes } => (None, Some((body, bytes))),
        };
        let draft = Draft { url: target.url().clone(), headers: fields, body };
        let mut injected = draft.clone();
        let credential = match binding {
            None => None,
            Some(binding) => Some(self.credential(party, binding, &mut injected).await?),
        };
        party.count_bytes(injected.body.as_ref().map_or(0, bytes::Bytes::len) as u64)?;
        let progress = Progress::default();
        let outgoing = |(body, declared): (Box<dyn HttpBody>, Option<u64>)| {
            let scan = Scan::new(strangers);
            Outgoing::new(body, declared, bytes_max, scan, Arc::clone(party), progress.clone())
        };
        let stream = stream.map(outgoing);
        Ok(Prepared { allowed, current, credential, permits, progress, method, draft, injected, stream })
    }

    async fn credential(&self, party: &Party, binding: &Binding, draft: &mut Draft) -> Result<Credential, HttpError> {
        let name = binding.name();
        let current = self.in_time(name, binding.current()).await?;
        let credential = current.ok_or_else(|| {
            let reason =
                format!("there is no credential {name:?} any more, and nothing is sent to {} without it", binding.to());
            HttpError::Denied(Refusal { reason, hint: format!("handbox vault set {name}") })
        })?;
        if party.wear(&binding.shared_name(), &credential)? {
            // It took the place of others, of which some may never have been seen here.
            for withheld in self.in_time(name, binding.withheld()).await? {
                party.wear(&binding.shared_name(), &withheld)?;
            }
        }
        inject::inject(draft, name, &credential, binding.guest_header()).map_err(HttpError::Denied)?;
        Ok(credential)
    }

    /// What is said of a credential, if that does not take too long.
    async fn in_time<T>(
        &self,
        name: &str,
        asked: impl Future<Output = Result<T, CredentialError>>,
    ) -> Result<T, HttpError> {
        let said = tokio::time::timeout(self.limits().connect_time_max, asked).await;
        let late = || CredentialError {
            name: name.to_owned(),
            why: "not within the time allowed".to_owned(),
            hint: String::new(),
        };
        said.unwrap_or_else(|_| Err(late())).map_err(|error| {
            let hint = match error.hint.as_str() {
                "" => format!("see to the credential {name:?}: handbox vault list"),
                hint => hint.to_owned(),
            };
            HttpError::Denied(Refusal { reason: error.to_string(), hint })
        })
    }
}

impl Prepared {
    fn binding(&self) -> Option<&Binding> {
        self.allowed.pool.binding.and_then(|at| self.current.rules.grant.bindings.get(at))
    }

    pub(crate) fn credential_name(&self) -> Option<&str> {
        self.binding().map(Binding::name)
    }

    /// The parameter that its credential stands in, if that is where it stands.
    pub(crate) fn parameter(&self) -> Option<Parameter<'_>> {
        match &self.credential.as_ref()?.place {
            Place::Query { name } => Some(Parameter { name, asked: &self.draft.url }),
            _ => None,
        }
    }

    /// Sends it; and once more if its credential had run out, another could be had, and the body is still there.
    pub(crate) async fn execute(&mut self, party: &Party, client: &Client) -> Result<Response, HttpError> {
        if let Some(binding) = self.binding() {
            binding.used();
        }
        let request = self.request();
        let response = self.send(party, client, request).await?;
        if response.status() != StatusCode::UNAUTHORIZED || self.draft.body.is_none() {
            return Ok(response);
        }
        let (Some(binding), Some(stale)) = (self.binding(), &self.credential) else { return Ok(response) };
        // If none can be had, the server's own answer says best what is wrong.
        let Ok(Some(fresh)) = binding.renewed(stale).await else { return Ok(response) };
        let mut injected = self.draft.clone();
        party.wear(&binding.shared_name(), &fresh)?;
        for withheld in binding.withheld().await.unwrap_or_default() {
            party.wear(&binding.shared_name(), &withheld)?;
        }
        inject::inject(&mut injected, binding.name(), &fresh, binding.guest_header()).map_err(HttpError::Denied)?;
        binding.used();
        party.count_bytes(injected.body.as_ref().map_or(0, bytes::Bytes::len) as u64)?;
        drop(response);
        self.injected = injected;
        let request = self.request();
        // The first one was sent, so nobody may take it for one that was not.
        self.send(party, client, request).await.map_err(|error| match error {
            HttpError::Unreachable(why) => HttpError::Lost(why.text),
            other => other,
        })
    }

    async fn send(&self, party: &Party, client: &Client, request: Request) -> Result<Response, HttpError> {
        let came = client.execute(request).await;
        self.progress.answered.fetch_or(came.is_ok(), Ordering::Relaxed);
        came.map_err(|error| {
            // What the body's own end says is more than what the library makes of it.
            self.progress.fault.get().cloned().unwrap_or_else(|| failure(error, &party.needles()))
        })
    }

    fn request(&mut self) -> Request {
        let mut request = Request::new(self.method.clone(), self.injected.url.clone());
        *request.headers_mut() = self.injected.headers.clone();
        *request.body_mut() = match (self.stream.take(), self.injected.body.clone()) {
            (Some(stream), _) => Some(reqwest::Body::wrap(stream)),
            (None, body) => {
                let body = body.unwrap_or_default();
                self.progress.bytes.store(body.len() as u64, Ordering::Relaxed);
                Some(body.into())
            }
        };
        request
    }
}

fn method(name: &str) -> Result<Method, HttpError> {
    let method = Method::from_bytes(name.as_bytes());
    let method = method.map_err(|_| HttpError::Invalid("the method is none".to_owned()))?;
    // In capitals or not: some servers do not tell them apart.
    if name.eq_ignore_ascii_case("CONNECT") || name.eq_ignore_ascii_case("TRACE") {
        return Err(HttpError::Invalid("CONNECT and TRACE are not sent".to_owned()));
    }
    Ok(method)
}

/// Refuses a request that holds the credential of another destination. Encoded forms are not searched for: a guest that
/// has a credential and means harm can always write it in another way.
fn refuse_brought(strangers: &[Arc<Pattern>], request: &HttpRequest) -> Result<(), HttpError> {
    let decoded: Cow<'_, [u8]> = percent_encoding::percent_decode_str(&request.url).into();
    let mut texts = vec![request.url.as_bytes(), &decoded, request.method.as_bytes()];
    // As they are written on the wire: a name in another case would be the credential there.
    let names: Vec<String> = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    texts.extend(names.iter().map(String::as_bytes));
    texts.extend(request.headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
    if let RequestBody::Whole(body) = &request.body {
        texts.push(body);
    }
    texts.into_iter().find_map(|text| scan::find(strangers, text)).map_or(Ok(()), |of| Err(brought(&of)))
}
