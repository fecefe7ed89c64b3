//! The HTTP client, with everything said aloud that it would otherwise choose.

use crate::resolve::Resolver;
use crate::{Limits, ProxyError};
use reqwest::{Client, ClientBuilder, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt as _;
use std::sync::Arc;

/// Idle connections that are kept for the next request, to one host under one credential.
const IDLE_CONNECTIONS_MAX: usize = 8;
/// The most headers of a response; hyper takes at most 400 KiB of them before we count.
const HEADERS_MAX: usize = 100;

/// Whose certificates are believed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// The authorities that this machine trusts.
    Platform,
    /// These authorities alone, as DER.
    Only(Vec<Vec<u8>>),
}

/// How TLS is spoken. Made once: the clients of all bindings share it.
pub(crate) fn tls(trust: &Trust, needed: bool) -> Result<ClientConfig, ProxyError> {
    let wrong = |error: rustls::Error| ProxyError::Tls(error.to_string());
    // Named here, since a process-wide default would be global state.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(wrong)?;
    let builder = match trust {
        // A machine may have no authorities and still ask a model on loopback.
        Trust::Platform if needed => builder.with_platform_verifier().map_err(wrong)?,
        Trust::Platform => builder.with_root_certificates(RootCertStore::empty()),
        Trust::Only(authorities) => {
            let mut roots = RootCertStore::empty();
            for authority in authorities {
                roots.add(CertificateDer::from(authority.as_slice())).map_err(wrong)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    let mut tls = builder.with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(tls)
}

/// A client with connections of its own: those under a credential are used for nothing else.
pub(crate) fn client(tls: &ClientConfig, limits: &Limits) -> Result<Client, ProxyError> {
    ClientBuilder::new()
        .tls_backend_preconfigured(tls.clone())
        .dns_resolver(Resolver)
        .redirect(redirect::Policy::none()) // a hop is a new decision
        .no_proxy() // the environment does not choose our route
        .retry(retry::never()) // whether to try again is the caller's to decide
        .referer(false)
        .http1_only()
        .http1_max_headers(HEADERS_MAX)
        .connect_timeout(limits.connect_time_max)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
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
