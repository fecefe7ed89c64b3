//! A server that does what a test says, and checks every request it gets.
//!
//! Used by the tests of the vault and, by its path, by those of the brain's models.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::allow_attributes, unreachable_pub, reason = "it is part of several test programs")]

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a request was.
#[derive(Clone, Debug)]
pub struct Received {
    /// `POST /v1/messages HTTP/1.1`.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// One thing that the server does.
#[derive(Clone)]
pub enum Act {
    Send(Vec<u8>),
    Wait(Duration),
    /// Closes the connection, whatever was promised.
    Cut,
}

pub fn send(text: impl Into<Vec<u8>>) -> Act {
    Act::Send(text.into())
}

/// A whole answer.
pub fn answer(status: u16, headers: &str, body: &str) -> Vec<Act> {
    vec![send(format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))]
}

/// The head of a streamed answer.
pub fn head(kind: &str) -> Act {
    send(format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"))
}

/// A piece of a streamed answer.
pub fn chunk(bytes: impl AsRef<[u8]>) -> Act {
    let bytes = bytes.as_ref();
    send([format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat())
}

/// The end of a streamed answer.
pub fn end() -> Act {
    send("0\r\n\r\n")
}

/// A streamed answer, in pieces.
pub fn stream(pieces: &[&str]) -> Vec<Act> {
    let pieces = pieces.iter().map(chunk);
    [head("text/event-stream; charset=utf-8")].into_iter().chain(pieces).chain([end()]).collect()
}

/// Says what to answer, or what is wrong with the request.
pub type Script = Arc<dyn Fn(&Received) -> Result<Vec<Act>, String> + Send + Sync>;

#[derive(Default)]
pub struct Log {
    pub requests: Mutex<Vec<Received>>,
    pub faults: Mutex<Vec<String>>,
    pub connections: Mutex<usize>,
}

pub struct Server {
    /// `127.0.0.1:PORT`.
    pub authority: String,
    pub log: Arc<Log>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn new(script: impl Fn(&Received) -> Result<Vec<Act>, String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let authority = listener.local_addr().expect("an address").to_string();
        let log = Arc::<Log>::default();
        let (own, script, host): (_, Script, _) = (Arc::clone(&log), Arc::new(script), authority.clone());
        let task = tokio::spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { break };
                *own.connections.lock().unwrap() += 1;
                tokio::spawn(converse(socket, host.clone(), Arc::clone(&own), Arc::clone(&script)));
            }
        });
        Self { authority, log, task }
    }

    /// Does the same for every request.
    pub async fn always(acts: Vec<Act>) -> Self {
        Self::new(move |_| Ok(acts.clone())).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    pub fn requests(&self) -> Vec<Received> {
        self.log.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        let faults = self.log.faults.lock().unwrap().clone();
        assert!(std::thread::panicking() || faults.is_empty(), "requests that should not have been: {faults:#?}");
    }
}

/// Answers requests on one connection until it ends.
pub async fn converse(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    authority: String,
    log: Arc<Log>,
    script: Script,
) {
    while let Some(request) = receive(&mut socket).await {
        log.requests.lock().unwrap().push(request.clone());
        let acts = check(&request, &authority).and_then(|()| script(&request)).unwrap_or_else(|fault| {
            log.faults.lock().unwrap().push(fault);
            answer(418, "", "")
        });
        for act in acts {
            let done = match act {
                Act::Send(bytes) => socket.write_all(&bytes).await.is_ok(),
                Act::Wait(time) => {
                    tokio::time::sleep(time).await;
                    true
                }
                Act::Cut => false,
            };
            if !done {
                return;
            }
        }
    }
}

async fn receive(socket: &mut (impl AsyncRead + Unpin)) -> Option<Received> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).expect("a head in ASCII");
    let mut lines = text.split("\r\n");
    let line = lines.next()?.to_owned();
    let headers: Vec<_> = lines
        .map(|line| line.split_once(':').expect("a header"))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut received = Received { line, headers, body: String::new() };
    let length: usize = received.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    while bytes.len() < head + 4 + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    received.body = String::from_utf8(bytes[head + 4..].to_vec()).expect("a body in UTF-8");
    Some(received)
}

/// What holds of every request.
fn check(request: &Received, authority: &str) -> Result<(), String> {
    let one = |name: &str, value: &str| {
        let all: Vec<_> = request.headers.iter().filter(|(own, _)| own == name).map(|(_, own)| own.as_str()).collect();
        if all == [value] { Ok(()) } else { Err(format!("{name} is {all:?}, not {value:?}")) }
    };
    one("host", authority)?;
    one("accept-encoding", "identity")?;
    one("user-agent", concat!("handbox/", env!("CARGO_PKG_VERSION")))?;
    for none in ["transfer-encoding", "expect", "referer", "cookie", "proxy-authorization", "proxy-connection", "via"] {
        if request.header(none).is_some() {
            return Err(format!("there is a header {none}"));
        }
    }
    if request.line.split(' ').nth(1).is_none_or(|target| !target.starts_with('/')) {
        return Err(format!("{:?} is not for an origin", request.line));
    }
    Ok(())
}
