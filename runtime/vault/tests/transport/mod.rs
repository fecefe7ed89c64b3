//! One server, over each way that a guest's request may take: in the clear, over TLS, and as HTTP/2.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, pki_types::PrivateKeyDer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Clear,
    Tls,
    Http2,
}

pub(crate) const WAYS: [Way; 3] = [Way::Clear, Way::Tls, Way::Http2];

impl Way {
    pub(crate) fn scheme(self) -> &'static str {
        if self == Self::Clear { "http" } else { "https" }
    }
}

/// What came, whatever it came over.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// Of HTTP/2 `host` is what stands in `:authority`.
    pub(crate) headers: Vec<(String, String)>,
    /// The name of the certificate that was asked for.
    pub(crate) sni: Option<String>,
    pub(crate) connection: usize,
}

impl Came {
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// What is given back.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// The body again and again, with this between; never an end.
    pub(crate) endless: Option<Duration>,
}

pub(crate) type Script = Arc<dyn Fn(&Came) -> Reply + Send + Sync>;

/// What a server saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) requests: Mutex<Vec<Came>>,
    pub(crate) connections: Mutex<usize>,
}

pub(crate) struct Server {
    pub(crate) way: Way,
    pub(crate) port: u16,
    pub(crate) seen: Arc<Seen>,
}

/// A certificate authority of this test's own.
pub(crate) fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn acceptor(way: Way, authority: &CertifiedIssuer<'static, KeyPair>, names: &[&str]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    config.alpn_protocols = vec![if way == Way::Http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    TlsAcceptor::from(Arc::new(config))
}

impl Server {
    pub(crate) async fn new(
        way: Way,
        authority: &CertifiedIssuer<'static, KeyPair>,
        names: &[&str],
        script: impl Fn(&Came) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (seen, script): (_, Script) = (Arc::<Seen>::default(), Arc::new(script));
        let (own, acceptor) = (Arc::clone(&seen), acceptor(way, authority, names));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let connection = {
                    let mut connections = own.connections.lock().unwrap();
                    *connections += 1;
                    *connections
                };
                let (seen, script, acceptor) = (Arc::clone(&own), Arc::clone(&script), acceptor.clone());
                tokio::spawn(async move {
                    let talk = Talk { seen, script, connection, sni: None };
                    drop(talk.hold(way, socket, acceptor).await);
                });
            }
        });
        Self { way, port, seen }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("{}://{name}:{}", self.way.scheme(), self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Came> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.seen.connections.lock().unwrap()
    }
}

/// One connection.
struct Talk {
    seen: Arc<Seen>,
    script: Script,
    connection: usize,
    sni: Option<String>,
}

type Done = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Talk {
    async fn hold(mut self, way: Way, socket: TcpStream, acceptor: TlsAcceptor) -> Done {
        if way == Way::Clear {
            return self.http1(socket).await;
        }
        let socket = acceptor.accept(socket).await?;
        self.sni = socket.get_ref().1.server_name().map(str::to_owned);
        if way == Way::Tls { self.http1(socket).await } else { self.http2(socket).await }
    }

    fn reply(&self, method: &str, path: &str, headers: Vec<(String, String)>) -> Reply {
        let (sni, connection) = (self.sni.clone(), self.connection);
        let came = Came { method: method.to_owned(), path: path.to_owned(), headers, sni, connection };
        self.seen.requests.lock().unwrap().push(came.clone());
        (self.script)(&came)
    }

    /// Requests here have no bodies.
    async fn http1(self, mut socket: impl AsyncRead + AsyncWrite + Unpin) -> Done {
        let mut bytes = Vec::new();
        loop {
            while !bytes.ends_with(b"\r\n\r\n") {
                if socket.read_buf(&mut bytes).await? == 0 {
                    return Ok(());
                }
            }
            let head = String::from_utf8(std::mem::take(&mut bytes))?;
            let mut lines = head.trim_end().split("\r\n");
            let mut line = lines.next().unwrap_or_default().split(' ');
            let (method, path) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
            let field =
                |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().into()));
            let reply = self.reply(method, path, lines.filter_map(field).collect());
            let fields: String = reply.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let length = match reply.endless {
                None => format!("content-length: {}\r\n", reply.body.len()),
                Some(_) => "connection: close\r\n".to_owned(),
            };
            socket.write_all(format!("HTTP/1.1 {} X\r\n{fields}{length}\r\n", reply.status).as_bytes()).await?;
            socket.write_all(&reply.body).await?;
            while let Some(pause) = reply.endless {
                tokio::time::sleep(pause).await;
                socket.write_all(&reply.body).await?;
            }
        }
    }

    async fn http2(self, socket: impl AsyncRead + AsyncWrite + Unpin) -> Done {
        let mut connection = h2::server::handshake(socket).await?;
        while let Some(came) = connection.accept().await {
            let (request, mut respond) = came?;
            let uri = request.uri();
            let host = uri.authority().map(ToString::to_string).unwrap_or_default();
            let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let own = request.headers().iter().map(|(name, value)| (name.to_string(), text(value)));
            let headers = [("host".to_owned(), host)].into_iter().chain(own).collect();
            let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            let reply = self.reply(request.method().as_str(), &path, headers);
            let mut head = http::Response::builder().status(reply.status);
            for (name, value) in &reply.headers {
                head = head.header(*name, value);
            }
            let mut stream = respond.send_response(head.body(())?, false)?;
            let Some(pause) = reply.endless else {
                stream.send_data(reply.body.into(), true)?;
                continue;
            };
            tokio::spawn(async move {
                loop {
                    stream.reserve_capacity(reply.body.len());
                    if std::future::poll_fn(|context| stream.poll_capacity(context))
                        .await
                        .is_none_or(|got| got.is_err())
                    {
                        return;
                    }
                    if stream.send_data(reply.body.clone().into(), false).is_err() {
                        return;
                    }
                    tokio::time::sleep(pause).await;
                }
            });
        }
        Ok(())
    }
}
