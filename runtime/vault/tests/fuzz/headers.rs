//! The header filter: what a guest sets of a request's head, as it is on the wire.

use handbox_hand::{Http as _, HttpError, HttpRequest, Principal, Sender};
use handbox_vault::{Binding, Destination, Grant, GuestHeader, Limits, Options, Place, Proxy, Quota, Secret, Trust};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use tokio::runtime::Runtime;

/// The credentials of `/bound` and of `/replaced`.
const KEYS: [&str; 2] = ["sk-canary-0123456789", "sk-canary-9876543210"];
const BOUND: &str = "x-api-key";
const BYTES_MAX: usize = 4000;
const COUNT_MAX: usize = 256;

/// Names that are about the connection, the framing of the body or the way there, whoever sets them. `proxy-` begins more.
const OURS: [&str; 15] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-forwarded-host",
];

/// Names and values in turn, with a byte between them that no text in UTF-8 has.
pub(crate) fn check(text: &[u8]) {
    static WIRE: OnceLock<Mutex<Wire>> = OnceLock::new();
    let words: Vec<String> =
        text.split(|byte| *byte == 0xff).map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let value = |pair: &[String]| pair.get(1).cloned().unwrap_or_default();
    let headers: Vec<(String, String)> = words.chunks(2).map(|pair| (pair[0].clone(), value(pair))).collect();
    // Poisoned where it failed before, while what it failed for is looked for.
    let wire = WIRE.get_or_init(|| Mutex::new(Wire::new())).lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    for path in PATHS {
        wire.assert_filtered(path, &headers);
    }
}

/// Without a credential, with one, and with one in place of a constant.
const PATHS: [&str; 3] = ["/plain", "/bound", "/replaced"];

/// The credential that goes along.
fn key_of(path: &str) -> Option<&'static str> {
    let at = PATHS[1..].iter().position(|own| *own == path)?;
    Some(KEYS[at])
}

/// A proxy, and a server that keeps every byte it gets.
struct Wire {
    runtime: Runtime,
    proxy: Proxy,
    authority: String,
    came: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let came = Arc::<Mutex<Vec<u8>>>::default();
        let own = Arc::clone(&came);
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (socket, own) = (socket.unwrap(), Arc::clone(&own));
                std::thread::spawn(move || keep(socket, &own));
            }
        });
        let to = |path: &str| Destination::parse(&format!("http://{authority}{path}")).unwrap();
        let secret = |path| Secret::new(key_of(path).unwrap()).unwrap();
        let key = |path| Binding::header(path, to(path), BOUND, secret(path)).unwrap();
        let bindings = vec![key("/bound"), key("/replaced").with_guest_header(GuestHeader::Replace)];
        let grant = Grant { destinations: vec![to("/plain")], bindings, ..Grant::new(Principal::new("hand")) };
        let quota = Quota { requests_max: u64::MAX, bytes_max: u64::MAX, ..Limits::HANDS.quota };
        let limits = Limits { header_bytes_max: BYTES_MAX, quota, ..Limits::HANDS };
        let options = Options { grants: vec![grant], trust: Trust::Only(Vec::new()), ..Options::new(limits) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { runtime, proxy: Proxy::new(options).unwrap(), authority, came }
    }

    /// What came of a request with these headers, and what the server got.
    fn send(&self, path: &str, headers: &[(String, String)]) -> (Result<(), HttpError>, Vec<u8>) {
        let url = format!("http://{}{path}", self.authority);
        let request = HttpRequest { method: "GET".into(), url, headers: headers.to_vec(), body: "".into() };
        let came = self.runtime.block_on(async {
            let mut response = self.proxy.send(&Sender::new(Principal::new("hand")), request).await?;
            while response.body.next().await?.is_some() {}
            Ok(())
        });
        (came, std::mem::take(&mut *self.came.lock().unwrap()))
    }

    fn assert_filtered(&self, path: &str, headers: &[(String, String)]) {
        let (came, bytes) = self.send(path, headers);
        let case = || format!("{path} {headers:?}: {came:?}, {}", bytes.escape_ascii());
        if let Err(error) = &came {
            assert!(bytes.is_empty(), "it was sent all the same: {}", case());
            assert!(!is_honest(path, headers), "{}", case());
            return assert!(matches!(error, HttpError::Denied(_) | HttpError::Invalid(_)), "{}", case());
        }
        let text = std::str::from_utf8(&bytes).unwrap_or_else(|_| panic!("{}", case()));
        let head = text.strip_suffix("\r\n\r\n").unwrap_or_else(|| panic!("{}", case()));
        let mut lines = head.split("\r\n");
        assert_eq!(lines.next(), Some(&*format!("GET {path} HTTP/1.1")), "{}", case());
        // An empty line would have ended the head before.
        let fields: Option<Vec<(&str, &str)>> = lines.map(|line| line.split_once(": ")).collect();
        let mut fields = fields.unwrap_or_else(|| panic!("{}", case()));
        let is_clean = |text: &str| text.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte));
        assert!(fields.iter().all(|(name, value)| is_clean(name) && is_clean(value)), "{}", case());
        let mut once = |name: &str, value: &str| {
            let same: Vec<&str> = fields.iter().filter(|(own, _)| plain(own) == name).map(|field| field.1).collect();
            assert_eq!(same, [value], "{name}: {}", case());
            fields.retain(|(own, _)| plain(own) != name);
        };
        once("host", &self.authority);
        once("accept-encoding", "identity");
        if let Some(key) = key_of(path) {
            once(BOUND, key);
        }
        assert!(!fields.iter().any(|(name, _)| is_ours(name)), "{}", case());
        let strange = KEYS.into_iter().filter(|key| key_of(path) != Some(key));
        assert!(!strange.into_iter().any(|key| text.contains(key)), "{}", case());
        // What is left is the guest's, and what it left to be said.
        let is_bound = |name: &str| path != "/plain" && plain(name) == BOUND;
        let own = headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
        let mut wanted: Vec<(String, String)> = own.filter(|(name, _)| !is_bound(name)).collect();
        for (name, value) in [("accept", "*/*"), ("user-agent", concat!("handbox/", env!("CARGO_PKG_VERSION")))] {
            if !wanted.iter().any(|(own, _)| own == name) {
                wanted.push((name.to_owned(), value.to_owned()));
            }
        }
        let mut sent: Vec<_> = fields.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        wanted.sort();
        sent.sort();
        assert_eq!(sent, wanted, "{}", case());
    }
}

/// Keeps what comes, and answers each head.
fn keep(mut socket: TcpStream, came: &Mutex<Vec<u8>>) {
    let mut piece = [0; 16 << 10];
    let mut tail = Vec::new();
    while let Ok(length @ 1..) = socket.read(&mut piece) {
        came.lock().unwrap().extend_from_slice(&piece[..length]);
        tail.extend_from_slice(&piece[..length]);
        if tail.windows(4).any(|four| four == b"\r\n\r\n") {
            tail.clear();
            if socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").is_err() {
                return;
            }
        }
    }
}

/// As some servers read a name.
fn plain(name: &str) -> String {
    name.replace('_', "-").to_ascii_lowercase()
}

fn is_ours(name: &str) -> bool {
    let name = plain(name);
    OURS.contains(&name.as_str()) || name.starts_with("proxy-")
}

/// Whether an ordinary client might send these: they have to pass.
fn is_honest(path: &str, headers: &[(String, String)]) -> bool {
    let is_token = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let is_text = |value: &str| value.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte));
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    let bound: Vec<&str> =
        headers.iter().filter(|(name, _)| plain(name) == BOUND).map(|header| header.1.as_str()).collect();
    let fits = match path {
        "/plain" => true,
        "/bound" => bound.is_empty(),
        _ => bound.is_empty() || bound == [Place::PLACEHOLDER],
    };
    // No part of an answer is asked for where a credential goes along.
    let is_part = path != "/plain" && headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("range"));
    let are_own = headers.iter().all(|(name, value)| is_token(name) && is_text(value) && !is_ours(name));
    let strange = KEYS.into_iter().filter(|key| key_of(path) != Some(key));
    let is_leak = strange
        .into_iter()
        .any(|key| headers.iter().any(|(name, value)| plain(name).contains(key) || value.contains(key)));
    fits && !is_leak && !is_part && are_own && headers.len() <= COUNT_MAX && bytes <= BYTES_MAX
}
