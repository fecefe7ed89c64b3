//! The HTTP clients, with everything said aloud that they would otherwise choose.

use crate::policy::Pool;
use crate::resolve::{Judge, Judged};
use crate::{Limits, ProxyError};
use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Idle connections that are kept for the next request, to one host under one credential.
const IDLE_CONNECTIONS_MAX: usize = 4;
/// How often a connection with requests on it is asked whether it is still there. All requests to a host may share one, so
/// that one that broke without a word would hold up each of them until its time is over.
const ALIVE_EVERY: Duration = Duration::from_secs(20);
/// How long they are kept.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
/// The most headers of a response; hyper takes at most 400 KiB of them before we count.
const HEADERS_MAX: usize = 100;
/// The most clients, each with connections of its own. The one that was not used for longest goes.
const CLIENTS_MAX: usize = 128;

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// The authorities that this machine trusts.
    Platform,
    /// These authorities alone, as DER.
    Only(Vec<Vec<u8>>),
}

/// How TLS is spoken. Made once: the clients of all bindings share it.
fn tls(trust: Option<&Trust>) -> Result<ClientConfig, ProxyError> {
    let wrong = |error: rustls::Error| ProxyError::Tls(error.to_string());
    // Named here, since a process-wide default would be global state.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(wrong)?;
    let builder = match trust {
        Some(Trust::Platform) => builder.with_platform_verifier().map_err(wrong)?,
        None => builder.with_root_certificates(RootCertStore::empty()),
        Some(Trust::Only(authorities)) => {
            let mut roots = RootCertStore::empty();
            for authority in authorities {
                roots.add(CertificateDer::from(authority.as_slice())).map_err(wrong)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let mut tls = builder.with_no_client_auth();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// Whose connections they are. Within one, the HTTP library keeps those to different origins apart, and never uses one
/// for another host that its certificate names as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    /// The rules of one principal, of which no two have the same number.
    pub(crate) generation: u64,
    pub(crate) pool: Pool,
}

/// All clients, and how they speak TLS.
pub(crate) struct Clients {
    trust: Trust,
    limits: Limits,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Those of the trust, once a rule asks for TLS: a machine may have no authorities and still ask a model on loopback.
    tls: Option<ClientConfig>,
    without_tls: ClientConfig,
    clients: HashMap<Owner, (Client, u64)>,
    uses: u64,
}

impl Clients {
    pub(crate) fn new(trust: Trust, limits: Limits) -> Result<Self, ProxyError> {
        // Wrong authorities are told at once; whether the machine has any, when they are needed.
        let ready = if matches!(trust, Trust::Only(_)) { Some(tls(Some(&trust))?) } else { None };
        let inner = Inner { tls: ready, without_tls: tls(None)?, clients: HashMap::new(), uses: 0 };
        Ok(Self { trust, limits, inner: Mutex::new(inner) })
    }

    /// Sees to it that TLS can be spoken from now on.
    pub(crate) fn need_tls(&self) -> Result<(), ProxyError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.tls.is_none() {
            inner.tls = Some(tls(Some(&self.trust))?);
        }
        Ok(())
    }

    /// A client with connections that nobody else uses.
    pub(crate) fn get(&self, owner: Owner, judge: impl FnOnce() -> Judge) -> Result<Client, ProxyError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.uses += 1;
        let now = inner.uses;
        if let Some((client, used)) = inner.clients.get_mut(&owner) {
            *used = now;
            return Ok(client.clone());
        }
        let own = client(inner.tls.as_ref().unwrap_or(&inner.without_tls), &self.limits, owner.pool, judge())?;
        if inner.clients.len() >= CLIENTS_MAX {
            let oldest = inner.clients.iter().min_by_key(|(_, (_, used))| *used).map(|(owner, _)| *owner);
            oldest.and_then(|oldest| inner.clients.remove(&oldest));
        }
        inner.clients.insert(owner, (own.clone(), now));
        Ok(own)
    }

    /// Closes what was opened under rules that nobody sends by any more. Requests under way go on.
    pub(crate) fn forget(&self, generation: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clients.retain(|owner, _| owner.generation != generation);
    }
}

fn client(tls: &ClientConfig, limits: &Limits, pool: Pool, judge: Judge) -> Result<Client, ProxyError> {
    let header_bytes_max = u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX);
    ClientBuilder::new()
        .tls_backend_preconfigured(tls.clone())
        .dns_resolver(Judged(Arc::new(judge)))
        .redirect(redirect::Policy::none()) // a hop is a new decision
        .no_proxy() // the environment does not choose our route
        .retry(retry::never()) // whether to try again is the caller's to decide
        .referer(false)
        .http1_max_headers(HEADERS_MAX)
        .http2_max_header_list_size(header_bytes_max)
        .http2_keep_alive_interval(ALIVE_EVERY)
        .http2_keep_alive_timeout(ALIVE_EVERY)
        .tcp_keepalive(ALIVE_EVERY)
        .connect_timeout(limits.connect_time_max)
        // Whoever may ask any host would otherwise leave a connection open at each.
        .pool_max_idle_per_host(if pool.wide { 0 } else { IDLE_CONNECTIONS_MAX })
        .pool_idle_timeout(IDLE_TIME_MAX)
        .user_agent(concat!("handbox/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| ProxyError::Tls(describe(error)))
}

/// An error with its causes, without the URL.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(next) = cause {
        let next_text = next.to_string();
        // Some causes repeat what they were caused by.
        if !text.ends_with(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemResolver;

    #[test]
    fn clients_are_kept_apart_and_no_more_of_them_than_may_be() {
        let clients = Clients::new(Trust::Only(Vec::new()), Limits::HANDS).unwrap();
        let resolver: Arc<dyn crate::Resolve> = Arc::new(SystemResolver::new());
        let made = std::cell::Cell::new(0);
        let get = |generation: usize, binding: Option<usize>| {
            let pool = Pool { binding, public_only: false, wide: false };
            let owner = Owner { generation: generation as u64, pool };
            let judge = || {
                made.set(made.get() + 1);
                let (resolver, time_max) = (Arc::clone(&resolver), Duration::from_secs(1));
                Judge {
                    resolver,
                    granted: Vec::new(),
                    public_only: false,
                    time_max,
                    places: Arc::new(tokio::sync::Semaphore::new(1)),
                }
            };
            clients.get(owner, judge).unwrap();
            made.get()
        };
        let (a, b) = (CLIENTS_MAX, CLIENTS_MAX + 1);
        assert_eq!([get(a, None), get(a, Some(0)), get(b, None), get(a, None)], [1, 2, 3, 3]);
        for other in 0..CLIENTS_MAX {
            get(other, None);
            get(a, None);
        }
        let before = made.get();
        assert_eq!(get(a, None), before, "what is used stays");
        assert_eq!(get(b, None), before + 1, "what was not used for longest went");
        assert_eq!(clients.inner.lock().unwrap().clients.len(), CLIENTS_MAX);
        clients.forget(a as u64);
        assert_eq!(get(a, None), before + 2);
    }
}
