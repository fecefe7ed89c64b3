//! `handbox vault` and servers: what is tried, where one logs in, and whose key a model is asked with.

use handbox_tests::Machine;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const CANARY: &str = "sk-canary-0123456789";

/// A server on a loopback address that answers what a test says.
struct Server {
    address: String,
    requests: Receiver<String>,
}

impl Server {
    fn new(answer: impl Fn(&str) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback address");
        let address = format!("http://{}", listener.local_addr().expect("it has one"));
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let Some(request) = read(&mut stream) else { continue };
                let (status, body) = answer(&request);
                let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n");
                let _ = write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len());
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self { address, requests }
    }

    #[track_caller]
    fn request(&self) -> String {
        self.requests.recv_timeout(Duration::from_secs(20)).expect("a request")
    }
}

/// A request with its body.
fn read(stream: &mut TcpStream) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(20))).ok()?;
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            count => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

fn vault(machine: &Machine, line: &[&str]) -> handbox_tests::Ran {
    machine.line(&[&["vault"], line].concat()).stdin(CANARY).run()
}

#[test]
fn a_test_says_the_status_and_nothing_of_the_answer() {
    let machine = Machine::new();
    let server = Server::new(|request| {
        let taken = request.to_ascii_lowercase().contains(&format!("x-api-key: {CANARY}"));
        (if taken && !request.contains("/bad") { 204 } else { 401 }, format!("you sent {CANARY}"))
    });
    vault(&machine, &["set", "a", "--header", "x-api-key", "--stdin"]).ok();
    let to = format!("{}/v1", server.address);
    vault(&machine, &["test", "a"]).code(2).says(&["bound to nothing yet", "handbox vault bind a"]);
    vault(&machine, &["bind", "a", &to, "--for", "std"]).ok();
    let tried = vault(&machine, &["test", "a"]).ok();
    assert_eq!(tried.out(), format!("GET {to}: 204\n"));
    assert!(server.request().starts_with("GET /v1 "));
    let refused = vault(&machine, &["test", "a", &format!("{to}/bad")]).code(1).says(&["does not take it", "rotate a"]);
    let json = vault(&machine, &["test", "a", "--json"]).ok();
    assert_eq!((&json.json()["status"], &json.json()["taken"]), (&204.into(), &true.into()));
    for ran in [&tried, &refused, &json] {
        assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
    }
    vault(&machine, &["test", "a", "http://127.0.0.1:9/v1"]).code(2).says(&["not bound to http://127.0.0.1:9"]);
    let listed = machine.run(&["vault", "list", "--json"]).ok().json();
    assert!(listed["credentials"][0]["last_used"].is_string(), "{listed}");
}

#[test]
fn a_device_login_keeps_a_token_that_is_renewed() {
    let machine = Machine::new();
    let server = Server::new(|request| {
        let token = |name: &str, seconds: u64| {
            format!(
                r#"{{"access_token":"{name}-canary-0123456789","token_type":"bearer","expires_in":{seconds},"refresh_token":"refresh-canary-0123456789"}}"#
            )
        };
        match request {
            text if text.starts_with("POST /device ") => {
                (200, r#"{"device_code":"device-canary","user_code":"WXYZ-1234","verification_uri":"https://auth.example/go","expires_in":600,"interval":1}"#.to_owned())
            }
            text if text.contains("grant_type=refresh_token") => (200, token("second", 3600)),
            text if text.starts_with("POST /token ") => (200, token("first", 5)),
            text if text.contains("Bearer second-canary-0123456789") => (200, "{}".to_owned()),
            _ => (403, "{}".to_owned()),
        }
    });
    let (device, token) = (format!("{}/device", server.address), format!("{}/token", server.address));
    vault(&machine, &["login", "w"]).code(2).says(&["--device, or --browser"]);
    vault(&machine, &["login", "w", "--device"]).code(2).says(&["add --device-url URL"]);
    let line = ["login", "w", "--device", "--device-url", &device, "--token-url", &token, "--client-id", "me"];
    let login = vault(&machine, &line).ok().says(&["https://auth.example/go", "WXYZ-1234", "w is logged in"]);
    let to = format!("{}/api", server.address);
    vault(&machine, &["bind", "w", &to, "--for", "std"]).ok();
    // Its end is nearer than a minute, so it is renewed first.
    let tried = vault(&machine, &["test", "w"]).ok();
    assert_eq!(tried.out(), format!("GET {to}: 200\n"));
    let again = vault(&machine, &["login", "w"]).ok().says(&["WXYZ-1234"]);
    let listed = vault(&machine, &["list"]).ok();
    for ran in [&login, &tried, &again, &listed] {
        assert!(!format!("{ran:?}").contains("canary"), "{ran:?}");
    }
    vault(&machine, &["rotate", "w", "--stdin"]).code(2).says(&["handbox vault login"]);
}

#[test]
fn a_model_is_asked_with_the_key_of_the_vault_if_there_is_no_other() {
    let machine = Machine::new();
    let server =
        Server::new(|_| (401, r#"{"type":"error","error":{"type":"authentication_error","message":"no"}}"#.to_owned()));
    let run = |key: Option<&str>| {
        let line = machine.line(&["run", "--model", "anthropic:any", "hi"]).env("ANTHROPIC_BASE_URL", &server.address);
        let line = match key {
            Some(key) => line.env("ANTHROPIC_API_KEY", key),
            None => line,
        };
        line.run()
    };
    run(None).code(2).says(&["handbox vault set anthropic --kind model"]);
    vault(&machine, &["set", "anthropic", "--kind", "model", "--stdin"]).ok();
    let ran = run(None);
    assert!(server.request().to_ascii_lowercase().contains(&format!("x-api-key: {CANARY}")));
    assert!(!format!("{ran:?}").contains(CANARY), "{ran:?}");
    run(Some("sk-of-the-environment"));
    assert!(server.request().contains("sk-of-the-environment"));
}
