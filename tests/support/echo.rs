//! A server on loopback that gives back what it gets, in many ways, and keeps every request.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The longest that one exchange may take.
const TIME_MAX: Duration = Duration::from_secs(20);
/// The most of a request that is read.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// The server. It lives as long as the test's process.
pub struct Echo {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    /// Listens on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || {
                    // Whoever goes away is not waited for.
                    let _ = answer(socket, &kept);
                });
            }
        });
        Self { port, requests }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its requests so far, as they came, headers and body.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn answer(mut socket: TcpStream, kept: &Mutex<Vec<String>>) -> std::io::Result<()> {
    socket.set_read_timeout(Some(TIME_MAX))?;
    socket.set_write_timeout(Some(TIME_MAX))?;
    let Some(request) = read(&mut socket)? else { return Ok(()) };
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
    let target = request.split(' ').nth(1).unwrap_or("/").to_owned();
    let header = |name: &str| {
        let line = request.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let credential = header("authorization");
    let (status, extra, body) = match path {
        "/redirect" => ("302 Found", format!("location: {query}\r\n"), Vec::new()),
        "/page" => ("200 OK", "content-type: text/html\r\n".to_owned(), PAGE.as_bytes().to_owned()),
        "/tags" => ("200 OK", "content-type: text/html\r\n".to_owned(), in_tags(&credential)),
        "/wrong" => ("401 Unauthorized", format!("www-authenticate: Bearer error=\"{credential}\"\r\n"), Vec::new()),
        "/header" => ("200 OK", format!("x-echo: {credential}\r\nset-cookie: t={credential}\r\n"), Vec::new()),
        "/search" => ("200 OK", "content-type: application/json\r\n".to_owned(), FOUND.as_bytes().to_owned()),
        "/encoded" => ("200 OK", "content-type: text/plain\r\n".to_owned(), encoded(query, &credential)),
        _ => ("200 OK", "content-type: text/plain\r\n".to_owned(), request.clone().into_bytes()),
    };
    let head = format!("HTTP/1.1 {status}\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    socket.write_all(head.as_bytes())?;
    // In small pieces, so that a credential is cut somewhere.
    for piece in body.chunks(7) {
        socket.write_all(piece)?;
    }
    socket.flush()
}

/// A page with what pages have.
const PAGE: &str = "<html><head><title>Prices</title><script>let x = 1;</script></head><body><nav>Home</nav>\
                    <main><h1>Bread</h1><p>costs <b>3</b> coins. <a href=\"/more\">More</a></p></main></body></html>";

/// What a search engine answers.
const FOUND: &str = r#"{"web":[{"title":"Rye","url":"https://bread.example/rye","snippet":"dark"}]}"#;

/// A page whose readers put the text together: cut by a tag and by a comment, and a number with more zeros than any writer's.
fn in_tags(text: &str) -> Vec<u8> {
    let (first, last) = text.split_at(text.len() / 2);
    let (zeros, end) = ("0".repeat(1000), &last[1..]);
    let number = format!("{first}&#{zeros}{};{end}", last.as_bytes().first().copied().unwrap_or(b'-'));
    format!("<html><body><p>{first}<b></b>{last}</p><p>{first}<!-- -->{last}</p><p>{number}</p></body></html>").into()
}

fn encoded(how: &str, text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let each = |write: fn(&u8) -> String| bytes.iter().map(write).collect::<String>().into_bytes();
    match how {
        "base64" => data_encoding::BASE64.encode(bytes).into_bytes(),
        "base64url" => data_encoding::BASE64URL_NOPAD.encode(bytes).into_bytes(),
        "hex" => data_encoding::HEXLOWER.encode(bytes).into_bytes(),
        "percent" => each(|byte| format!("%{byte:02X}")),
        "json" => each(|byte| format!("\\u{byte:04x}")),
        "html" => each(|byte| format!("&#{byte};")),
        "reversed-case" => text.to_ascii_uppercase().into_bytes(),
        _ => bytes.to_owned(),
    }
}

fn read(socket: &mut TcpStream) -> std::io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let mut length = None;
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let declared = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            length = Some(end + 4 + declared.and_then(|digits| digits.trim().parse().ok()).unwrap_or(0));
        }
        if length.is_some_and(|length| bytes.len() >= length) || bytes.len() > REQUEST_BYTES_MAX {
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
        match socket.read(&mut buffer)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&buffer[..count]),
        }
    }
}
