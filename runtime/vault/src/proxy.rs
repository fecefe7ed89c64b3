//! Decide, inject, send, scrub.

use crate::body::Body;
use crate::client::{Clients, Owner};
use crate::decode::{Coding, Decoder};
use crate::expiry::Expiry;
pub(crate) use crate::failure::failure;
use crate::incoming::{Held, Incoming, counted};
use crate::parameter::Parameter;
use crate::party::Party;
use crate::policy::Rules;
use crate::prepare::Prepared;
use crate::record::Record;
use crate::resolve::{Judge, Resolve, SystemResolver};
use crate::scrub::{Needles, Scrubber};
use crate::{Grant, Limits, Trust, headers};
use async_trait::async_trait;
use handbox_hand::{Http, HttpError, HttpRequest, HttpResponse, Principal, Refusal, Sender, Target};
use reqwest::{Client, Response};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

/// Requests at once, of all principals together: each may take a connection, and the process needs descriptors for
/// other things as well.
const CONNECTIONS_MAX: usize = 512;

/// What a proxy is made of.
pub struct Options {
    /// Who may do what. Whoever is not named may do nothing, until [`Proxy::grant`] names it.
    pub grants: Vec<Grant>,
    /// What each exchange may take, and each principal.
    pub limits: Limits,
    /// Whose certificates are believed.
    pub trust: Trust,
    /// Who knows the addresses of names.
    pub resolver: Arc<dyn Resolve>,
}

impl Options {
    /// For nobody yet; with this machine's authorities and its resolver.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { grants: Vec::new(), limits, trust: Trust::Platform, resolver: Arc::new(SystemResolver::new()) }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("grants", &self.grants).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The only thing that opens an outbound connection.
pub struct Proxy {
    principals: RwLock<HashMap<Principal, Arc<Party>>>,
    clients: Clients,
    limits: Limits,
    resolver: Arc<dyn Resolve>,
    connections: Arc<Semaphore>,
    expiry: Expiry,
}

/// Status, headers and body of a response, scrubbed.
type Received = (u16, Vec<(String, String)>, Body);

impl Proxy {
    /// Makes one. Opens no connection.
    ///
    /// # Errors
    ///
    /// [`ProxyError`] if a principal is named twice, or no TLS can be spoken though a rule asks for it.
    pub fn new(options: Options) -> Result<Self, ProxyError> {
        let Options { grants, limits, trust, resolver } = options;
        let clients = Clients::new(trust, limits)?;
        let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let own =
            Self { principals: RwLock::default(), clients, limits, resolver, connections, expiry: Expiry::default() };
        for grant in grants {
            if own.party(&grant.principal).is_some() {
                return Err(ProxyError::Twice(grant.principal.0.to_string()));
            }
            own.grant(grant)?;
        }
        Ok(own)
    }

    /// Sets what a principal may do from its next request on, in place of what it might before. Values that went along
    /// before are still taken out of whatever comes back to it, and its quota is as far used as it was.
    ///
    /// # Errors
    ///
    /// [`ProxyError::Tls`] if no TLS can be spoken though a rule asks for it; then nothing changed.
    pub fn grant(&self, grant: Grant) -> Result<(), ProxyError> {
        let principal = grant.principal.clone();
        let mut principals = self.principals.write().unwrap_or_else(PoisonError::into_inner);
        let known = principals.get(&principal).cloned();
        let party = known.unwrap_or_else(|| self.enrol(principal.clone()));
        self.regrant(&party, grant)?;
        principals.insert(principal, party);
        Ok(())
    }

    /// A principal that no name leads to: whoever has this sends for it. It may do nothing yet.
    pub(crate) fn enrol(&self, principal: Principal) -> Arc<Party> {
        Arc::new(Party::new(Rules { grant: Grant::new(principal) }, self.limits.quota))
    }

    /// As [`Self::grant`], for one that is at hand.
    pub(crate) fn regrant(&self, party: &Party, grant: Grant) -> Result<(), ProxyError> {
        let rules = Rules { grant };
        if rules.need_tls() {
            self.clients.need_tls()?;
        }
        self.clients.forget(party.replace(rules));
        Ok(())
    }

    /// Closes the connections of one that sends nothing more. What it has under way goes on.
    pub(crate) fn close(&self, party: &Party) {
        self.clients.forget(party.current().generation);
    }

    /// Forgets a principal, with all that it used. What it has under way goes on.
    pub fn forget(&self, principal: &Principal) {
        let party = self.principals.write().unwrap_or_else(PoisonError::into_inner).remove(principal);
        party.iter().for_each(|party| self.close(party));
    }

    /// Counts a principal's requests and bytes anew from here, as for its next call.
    pub fn refill(&self, principal: &Principal) {
        if let Some(party) = self.party(principal) {
            party.refill();
        }
    }

    fn party(&self, principal: &Principal) -> Option<Arc<Party>> {
        self.principals.read().unwrap_or_else(PoisonError::into_inner).get(principal).cloned()
    }

    /// A place among all connections and among those of one principal.
    pub(crate) fn permits(&self, party: &Party) -> Result<Vec<OwnedSemaphorePermit>, HttpError> {
        let own = party.connection()?;
        let all = Arc::clone(&self.connections).try_acquire_owned();
        let all = all.map_err(|_| HttpError::Quota(format!("more than {CONNECTIONS_MAX} requests of all at once")))?;
        Ok(vec![own, all])
    }

    fn client(&self, party: &Party, prepared: &Prepared) -> Result<Client, HttpError> {
        let pool = prepared.allowed.pool;
        let owner = Owner { generation: prepared.current.generation, pool };
        let judge = || Judge {
            resolver: Arc::clone(&self.resolver),
            granted: if pool.public_only { Vec::new() } else { prepared.current.rules.grant.ranges.clone() },
            public_only: pool.public_only,
            time_max: self.limits.connect_time_max,
            places: party.lookups(),
        };
        self.clients.get(owner, judge).map_err(|error| HttpError::Unreachable(error.to_string().into()))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn receive(
        &self,
        response: Response,
        needles: &Needles,
        own: Option<&Parameter<'_>>,
        start: Instant,
    ) -> Result<Received, HttpError> {
        let coding = Coding::of(response.headers());
        // Without a credential, too, it may hold one that went along earlier.
        if matches!(coding, Coding::Unknown) && !needles.is_empty() {
            // It could not be searched. A guest reads this, and is told nothing of what it has.
            return Err(HttpError::Unusable("the answer comes in an encoding that is not known here".to_owned()));
        }
        let status = response.status().as_u16();
        let mut headers = headers::of_response(response.headers(), needles, own, self.limits.header_bytes_max)?;
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
        Ok((status, headers, body))
    }

    /// Sends what was decided on and put on record.
    async fn exchange(
        &self,
        party: &Arc<Party>,
        client: &Client,
        prepared: &mut Prepared,
        record: &mut Record,
        start: Instant,
    ) -> Result<HttpResponse, HttpError> {
        let deadline = start + self.limits.head_time_max.min(self.limits.total_time_max);
        record.sent(prepared.progress.clone());
        let response = timeout_at(deadline, prepared.execute(party, client)).await;
        let response = response.unwrap_or_else(|_| Err(HttpError::TimedOut("the answer did not begin".to_owned())))?;
        record.status(response.status().as_u16());
        let (response, trailers) = counted(response, Arc::clone(party));
        let needles = party.needles();
        let (status, headers, body) = self.receive(response, &needles, prepared.parameter().as_ref(), start)?;
        let mut permits = std::mem::take(&mut prepared.permits);
        if body.decoder.as_ref().is_some_and(Decoder::is_large) {
            permits.push(party.large_decoder()?);
        }
        let record = record.handed_over();
        let body = Incoming::new(Held { body, trailers, record, permits }, self.limits.header_bytes_max, &self.expiry);
        Ok(HttpResponse { status, headers, body: Box::new(body) })
    }

    /// Sends for one that is at hand. Its rules are made `ready` when the request is counted: that may take a passphrase,
    /// and a guest may ask often.
    pub(crate) async fn send_for(
        &self,
        party: &Arc<Party>,
        sender: &Sender,
        request: HttpRequest,
        ready: impl Future<Output = Result<(), Refusal>> + Send,
    ) -> Result<HttpResponse, HttpError> {
        let (counted, is_told) = party.count_request();
        let counted = match counted {
            Ok(()) => ready.await.map_err(HttpError::Denied),
            Err(error) => Err(error),
        };
        // A person who types is in no limit.
        let start = Instant::now();
        let admitted = self.admit(party, sender, request, (counted, is_told)).await?;
        let (mut prepared, client, mut record) = admitted;
        let came = self.exchange(party, &client, &mut prepared, &mut record, start).await;
        if let Err(error) = &came {
            record.failed(error);
            if prepared.progress.fault.get().is_none() && matches!(error, HttpError::Denied(_)) {
                // Its name leads where it may not: known only now, and for the record a decision of its own.
                record.again().refused(error, &party.needles(), self.limits.connect_time_max).await?;
            }
        }
        came
    }

    /// Decides, and puts that on record.
    async fn admit(
        &self,
        party: &Arc<Party>,
        sender: &Sender,
        request: HttpRequest,
        (counted, is_told): (Result<(), HttpError>, bool),
    ) -> Result<(Prepared, Client, Record), HttpError> {
        self.learn(party).await;
        let time_max = self.limits.connect_time_max;
        let mut record = Record::new(sender, &request, &party.needles());
        let prepared = match counted {
            Ok(()) => self.prepare(party, sender, request).await,
            Err(error) => Err(error),
        };
        let ready = prepared.and_then(|prepared| Ok((self.client(party, &prepared)?, prepared)));
        match ready {
            Ok((client, prepared)) => {
                record.allowed(&prepared.allowed, prepared.credential_name(), time_max).await?;
                Ok((prepared, client, record))
            }
            Err(error) => {
                if is_told {
                    record.refused(&error, &party.needles(), time_max).await?;
                }
                Err(error)
            }
        }
    }
}

#[async_trait]
impl Http for Proxy {
    async fn send(&self, sender: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let Some(party) = self.party(&sender.principal) else {
            let reason = "no host is granted".to_owned();
            let origin = Target::parse(&request.url).map_or_else(|_| "URL".to_owned(), |target| target.origin());
            let error = HttpError::Denied(Refusal { reason, hint: format!("--host {origin}") });
            let none = Needles::default();
            let time_max = self.limits.connect_time_max;
            Record::new(sender, &request, &none).refused(&error, &none, time_max).await?;
            return Err(error);
        };
        self.send_for(&party, sender, request, std::future::ready(Ok(()))).await
    }

    fn scrub(&self, principal: &Principal, bytes: Vec<u8>) -> Vec<u8> {
        match self.party(principal) {
            Some(party) => party.needles().scrub_bytes(bytes),
            None => bytes,
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let principals = self.principals.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Proxy").field("principals", &principals.keys()).field("limits", &self.limits).finish()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_principals_together_have_no_more_requests_at_once_than_may_be() {
        let options = Options { trust: Trust::Only(Vec::new()), ..Options::new(Limits::HANDS) };
        let proxy = Proxy::new(options).unwrap();
        let parties: Vec<_> = (0..9).map(|at| proxy.enrol(Principal::new(format!("hand {at}")))).collect();
        let mut held: Vec<_> =
            parties[..8].iter().flat_map(|party| (0..64).map(|_| proxy.permits(party).unwrap())).collect();
        let one_more = proxy.permits(&parties[8]);
        assert!(matches!(one_more, Err(HttpError::Quota(text)) if text.contains("of all at once")));
        held.pop();
        assert!(proxy.permits(&parties[8]).is_ok());
    }
}
