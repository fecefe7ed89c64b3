//! TLS and HTTP/2 as the guard uses them.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use guard::{KEY, Names, Setup, allowing, get, secret, setup, to};
use handbox_hand::{Http as _, HttpError, Obstacle};
use handbox_vault::Binding;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

/// A certificate authority of this test's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn acceptor(authority: &CertifiedIssuer<'static, KeyPair>, params: &CertificateParams) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

/// The names of the certificates that were asked for, and the authorities of the requests, of each connection.
type Seen = Arc<Mutex<Vec<(Option<String>, Vec<String>)>>>;

/// A server that speaks HTTP/2 alone, and gives back the credential, in the body and in a trailer.
async fn serve(acceptor: TlsAcceptor) -> (u16, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Seen::default();
    let own = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&own));
            tokio::spawn(async move {
                let Ok(socket) = acceptor.accept(socket).await else { return };
                let name = socket.get_ref().1.server_name().map(str::to_owned);
                let at = {
                    let mut seen = seen.lock().unwrap();
                    seen.push((name, Vec::new()));
                    seen.len() - 1
                };
                let Ok(mut connection) = h2::server::handshake(socket).await else { return };
                while let Some(Ok((request, mut respond))) = connection.accept().await {
                    let authority = request.uri().authority().map(ToString::to_string).unwrap_or_default();
                    seen.lock().unwrap()[at].1.push(authority);
                    let key = request.headers().get("authorization").map(|value| value.as_bytes().to_vec());
                    let mut stream = respond.send_response(http::Response::new(()), false).unwrap();
                    stream.send_data(key.unwrap_or_default().into(), false).unwrap();
                    let mut trailers = http::HeaderMap::new();
                    trailers.insert("x-echo", http::HeaderValue::from_static(KEY));
                    stream.send_trailers(trailers).unwrap();
                }
            });
        }
    });
    (port, seen)
}

#[tokio::test]
async fn two_hosts_with_one_certificate_have_connections_of_their_own() {
    // N10, N9, U20
    let authority = authority();
    let params = CertificateParams::new(vec!["a.example".to_owned(), "b.example".to_owned()]).unwrap();
    let (port, seen) = serve(acceptor(&authority, &params)).await;
    let (a, b) = (format!("https://a.example:{port}"), format!("https://b.example:{port}"));
    let binding = Binding::bearer("key", to(&a), secret(KEY)).unwrap();
    let names = Names::here(&["a.example", "b.example"]);
    let trust = vec![authority.der().to_vec()];
    let bench = Setup { bindings: vec![binding], names, trust, ..allowing(&[&b]) }.open();
    for url in [&a, &b, &a, &b] {
        let mut response = bench.proxy.send(&bench.sender(), get(url)).await.unwrap();
        let mut body = Vec::new();
        while let Some(piece) = response.body.next().await.unwrap() {
            body.extend_from_slice(&piece);
        }
        let wanted: &[u8] = if *url == a { b"Bearer ****" } else { b"" };
        assert_eq!(body, wanted);
        assert_eq!(response.body.trailers(), [("x-echo".to_owned(), "****".to_owned())]);
    }
    let connection = |name: &str| (Some(name.to_owned()), vec![format!("{name}:{port}"); 2]);
    assert_eq!(*seen.lock().unwrap(), [connection("a.example"), connection("b.example")]);
    assert_eq!(bench.names.asked(), ["a.example", "b.example"]);
}

#[tokio::test]
async fn a_certificate_that_is_not_good_is_not_believed() {
    // N17
    let (trusted, stranger) = (authority(), authority());
    let good = CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
    let mut expired = good.clone();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut early = good.clone();
    early.not_before = date_time_ymd(4000, 1, 1);
    let other = CertificateParams::new(vec!["b.example".to_owned()]).unwrap();
    for (authority, params, wrong) in [
        (&trusted, &good, None),
        (&trusted, &expired, Some("has expired; whoever runs the server must renew it")),
        (&trusted, &early, Some("is not valid yet; look at this machine's clock")),
        (&trusted, &other, Some("is for another name; look at the host in the address")),
        (&stranger, &good, Some("is from nobody that this machine trusts; if the server is your own")),
    ] {
        let (port, seen) = serve(acceptor(authority, params)).await;
        let url = format!("https://a.example:{port}");
        let (names, trust) = (Names::here(&["a.example"]), vec![trusted.der().to_vec()]);
        let bench = Setup { names, trust, ..allowing(&[&url]) }.open();
        let came = bench.fetch(get(&url)).await;
        assert_eq!(came.is_ok(), wrong.is_none(), "{came:?}");
        if let Some(wrong) = wrong {
            let Err(HttpError::Unreachable(why)) = &came else { panic!("{came:?}") };
            assert!(why.obstacle == Obstacle::Certificate, "{why:?}");
            assert!(why.text.starts_with(&format!("the server's certificate {wrong}")), "{why}");
            assert!(seen.lock().unwrap().iter().all(|(_, requests)| requests.is_empty()));
            assert!(!bench.told.ends()[0].sent);
        }
    }
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_in_the_clear() {
    // N17
    let plain = fake::Server::always(fake::answer(200, "", "")).await;
    let url = format!("https://{}", plain.authority);
    let binding = Binding::bearer("key", to(&url), secret(KEY)).unwrap();
    let limits = handbox_vault::Limits { connect_time_max: std::time::Duration::from_millis(300), ..guard::LIMITS };
    let bench = Setup { bindings: vec![binding], limits, ..setup() }.open();
    let error = bench.fetch(get(&url)).await.unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error:?}");
    assert!(plain.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_answers_in_the_clear_is_said_to_speak_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            let _ = tokio::io::AsyncWriteExt::write_all(&mut socket, answer).await;
            let _ = tokio::io::AsyncReadExt::read(&mut socket, &mut [0; 4096]).await;
        }
    });
    let bench = allowing(&[&url]).open();
    let error = bench.fetch(get(&url)).await.unwrap_err();
    let HttpError::Unreachable(why) = &error else { panic!("{error:?}") };
    assert!(why.obstacle == Obstacle::Tls && why.text.starts_with("the server does not speak TLS there"), "{why:?}");
}
