//! TLS: with whom the proxy speaks, and with whom not.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;

use fake::{Log, Script, answer, converse};
use handbox_hand::{Http as _, HttpError, HttpRequest, Principal, Sender};
use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, ProxyError, Secret, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

/// A certificate authority of this test's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server with a certificate for `name`; its port and what it heard.
async fn serve(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> (u16, Arc<Log>) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let log = Arc::<Log>::default();
    let own = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (log, acceptor) = (Arc::clone(&own), acceptor.clone());
            let script: Script = Arc::new(|_| Ok(answer(200, "", "secure")));
            tokio::spawn(async move {
                if let Ok(socket) = acceptor.accept(socket).await {
                    converse(socket, format!("localhost:{port}"), log, script).await;
                }
            });
        }
    });
    (port, log)
}

async fn fetch(port: u16, trust: Trust) -> Result<u16, HttpError> {
    let url = format!("https://localhost:{port}");
    let secret = Secret::new("sk-canary-0123456789").unwrap();
    let binding = Binding::bearer("key", Destination::parse(&url).unwrap(), secret).unwrap();
    let principal = Principal::new("model");
    let grants = vec![Grant { bindings: vec![binding], ..Grant::new(principal.clone()) }];
    let proxy = Proxy::new(Options { grants, trust, ..Options::new(Limits::MODELS) }).unwrap();
    let request = HttpRequest { method: "GET".into(), url, headers: Vec::new(), body: "".into() };
    proxy.send(&Sender::new(principal), request).await.map(|response| response.status)
}

#[tokio::test]
async fn a_server_is_believed_only_with_a_certificate_for_its_name_by_a_trusted_authority() {
    let (trusted, stranger) = (authority(), authority());
    let trust = Trust::Only(vec![trusted.der().to_vec()]);
    let (port, log) = serve(&trusted, "localhost").await;
    assert_eq!(fetch(port, trust.clone()).await, Ok(200));
    assert_eq!(*log.faults.lock().unwrap(), [""; 0]);
    for (authority, name) in [(&stranger, "localhost"), (&trusted, "api.example.com")] {
        let (port, log) = serve(authority, name).await;
        let error = fetch(port, trust.clone()).await.unwrap_err();
        assert!(matches!(error, HttpError::Unreachable(_)), "{error:?}");
        assert!(log.requests.lock().unwrap().is_empty(), "nothing was sent");
    }
}

#[tokio::test]
async fn an_authority_that_is_none_is_an_error_at_once() {
    let made = Proxy::new(Options { trust: Trust::Only(vec![vec![1, 2]]), ..Options::new(Limits::MODELS) });
    assert!(matches!(made, Err(ProxyError::Tls(_))), "{made:?}");
}
