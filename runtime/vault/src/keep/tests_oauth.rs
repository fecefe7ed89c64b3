//! Tokens that end, and values from elsewhere.

use super::*;
use crate::Secret;
use handbox_hand::{Http, HttpError, HttpRequest, HttpResponse, RequestBody, Sender};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tempfile::TempDir;

const REFRESH: &str = "refresh-canary-0123456789";
const TOKEN_URL: &str = "https://auth.example/token";

type Answers = dyn Fn(usize, &str) -> (u16, String) + Send + Sync;

/// A server that answers what a test says, and counts.
pub(super) struct Server {
    answer: Box<Answers>,
    asked: AtomicUsize,
    pub(super) seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Http for Server {
    async fn send(&self, sender: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        assert_eq!(sender.principal, super::out::principal());
        let RequestBody::Whole(body) = &request.body else { panic!("a stream") };
        let text =
            format!("{} {} {:?} {}", request.method, request.url, request.headers, String::from_utf8_lossy(body));
        self.seen.lock().unwrap().push(text.clone());
        let at = self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (status, body) = (self.answer)(at, &text);
        Ok(HttpResponse::whole(status, Vec::new(), body))
    }
}

struct Way(Arc<Server>);

impl Outgoing for Way {
    fn to(&self, _: &handbox_hand::Destination) -> Result<Arc<dyn Http>, String> {
        Ok(Arc::<Server>::clone(&self.0))
    }
}

pub(super) struct Bench {
    pub(super) folder: TempDir,
    pub(super) server: Arc<Server>,
}

impl Bench {
    pub(super) fn new(answer: impl Fn(usize, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let server = Server { answer: Box::new(answer), asked: AtomicUsize::new(0), seen: Mutex::default() };
        Self { folder: tempfile::tempdir().unwrap(), server: Arc::new(server) }
    }

    pub(super) fn keep(&self) -> Keep {
        let (folder, key) = (self.folder.path().join("data"), self.folder.path().join("config/vault.key"));
        Keep::new(Options { folder, key, passphrase: None, out: Some(Arc::new(Way(Arc::clone(&self.server)))) })
    }

    pub(super) fn asked(&self) -> usize {
        self.server.asked.load(Ordering::SeqCst)
    }

    pub(super) fn logged_in(&self, oauth: Oauth) -> Keep {
        let keep = self.keep();
        let held = Held::Oauth(oauth);
        keep.set(New { name: "o".to_owned(), kind: Kind::Oauth, held, note: String::new() }).unwrap();
        keep
    }
}

pub(super) fn oauth(expires_in: u64) -> Oauth {
    let secret = |text: &str| Secret::new(text).unwrap();
    Oauth {
        access: Some(secret("access-0-0123456789")),
        refresh: Some(secret(REFRESH)),
        expires: Some(now() + expires_in),
        token_url: TOKEN_URL.to_owned(),
        client_id: "handbox".to_owned(),
        client_secret: None,
        client_auth: ClientAuth::Basic,
        scope: "read write".to_owned(),
        flow: None,
    }
}

/// Tokens with a number in them.
pub(super) fn tokens(at: usize) -> (u16, String) {
    let at = at + 1;
    let text = format!(
        r#"{{"access_token":"access-{at}-0123456789","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-{at}-0123456789"}}"#
    );
    (200, text)
}

pub(super) async fn value(keep: &Keep) -> String {
    let credential = keep.current("o").await.unwrap().unwrap();
    String::from_utf8(credential.secret.reveal().to_vec()).unwrap()
}

#[tokio::test]
async fn a_token_that_holds_is_sent_without_asking() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.logged_in(oauth(61 + 60));
    assert_eq!((value(&keep).await.as_str(), bench.asked()), ("access-0-0123456789", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_renews_for_all_who_wait() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.logged_in(oauth(59));
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..50 {
        // Half of them as another process would: with what it read itself.
        let keep = if at % 2 == 0 { keep.clone() } else { bench.keep() };
        tasks.spawn(async move { value(&keep).await });
    }
    for got in tasks.join_all().await {
        assert_eq!(got, "access-1-0123456789");
    }
    assert_eq!(bench.asked(), 1);
    let seen = bench.server.seen.lock().unwrap()[0].clone();
    let wanted = format!("grant_type=refresh_token&refresh_token={REFRESH}&scope=read%20write&client_id=handbox");
    assert!(seen.ends_with(&wanted) && seen.starts_with("POST https://auth.example/token"), "{seen}");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_new_refresh_token_is_kept() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.logged_in(oauth(3600));
    let stale = keep.current("o").await.unwrap().unwrap();
    let (one, other) = tokio::join!(keep.renewed("o", &stale), keep.renewed("o", &stale));
    let [one, other] = [one, other].map(|got| got.unwrap().unwrap());
    assert_eq!(one.secret.reveal(), other.secret.reveal());
    assert_eq!((value(&keep).await.as_str(), bench.asked()), ("access-1-0123456789", 1));
    let again = bench.keep();
    let stale = again.current("o").await.unwrap().unwrap();
    assert_eq!(again.renewed("o", &stale).await.unwrap().unwrap().secret.reveal(), b"access-2-0123456789");
    let seen = bench.server.seen.lock().unwrap()[1].clone();
    assert!(seen.contains("refresh_token=refresh-1-0123456789"), "{seen}");
}

#[tokio::test]
async fn a_server_that_refuses_whatever_it_gets_has_a_credential_renewed_once() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.logged_in(oauth(3600));
    for (times, is_other) in [(1, true), (20, false)] {
        for _ in 0..times {
            let refused = keep.current("o").await.unwrap().unwrap();
            assert_eq!(keep.renewed("o", &refused).await.unwrap().is_some(), is_other);
        }
    }
    assert_eq!((value(&keep).await.as_str(), bench.asked()), ("access-1-0123456789", 1));
    // What a person puts in its place has nothing to do with that.
    keep.rotate("o", Held::Oauth(Oauth { access: Some(Secret::new("access-other-0123").unwrap()), ..oauth(3600) }))
        .unwrap();
    let refused = keep.current("o").await.unwrap().unwrap();
    assert!(keep.renewed("o", &refused).await.unwrap().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_is_not_run_for_each_request_that_is_refused() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.keep();
    let count = bench.folder.path().join("count");
    // Another value each time.
    let script = format!("echo x >> {0}; wc -l < {0} | sed 's/ //g; s/^/sk-canary-0123456789-/'", count.display());
    elsewhere(&keep, Elsewhere::Command { words: vec!["/bin/sh".to_owned(), "-c".to_owned(), script] });
    for is_other in [true, false, false, false] {
        let refused = keep.current("o").await.unwrap().unwrap();
        assert_eq!(keep.renewed("o", &refused).await.unwrap().is_some(), is_other);
    }
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\nx\n");
}

#[tokio::test]
async fn a_server_that_repeats_the_refresh_token_shows_it_to_nobody() {
    for body in [
        format!(r#"{{"error":"invalid_grant","error_description":"{REFRESH} is void"}}"#),
        format!(r#"{{"error":"{REFRESH}"}}"#),
        format!("<html>{REFRESH}</html>"),
        format!(r#"{{"access_token":7,"x":"{REFRESH}"}}"#),
        format!(r#"{{"access_token":"short","token_type":"{REFRESH}"}}"#),
    ] {
        let bench = Bench::new(move |_, _| (400, body.clone()));
        let keep = bench.logged_in(oauth(0));
        let error = keep.current("o").await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary") && error.why.contains(TOKEN_URL), "{error}");
        assert!(error.hint.contains("log in again"), "{}", error.hint);
        // Who asks again at once hears the same, without another request.
        assert_eq!(keep.current("o").await.unwrap_err(), error);
        assert_eq!(bench.asked(), 1);
        keep.rotate("o", Held::Oauth(oauth(0))).unwrap();
        assert!(keep.current("o").await.is_err());
        assert_eq!(bench.asked(), 2, "what was said of the old one is not said of the new one");
    }
}

#[tokio::test]
async fn what_cannot_be_renewed_early_is_used_to_its_end() {
    let bench = Bench::new(|_, _| (503, "{}".to_owned()));
    let keep = bench.logged_in(oauth(30));
    assert_eq!(value(&keep).await, "access-0-0123456789");
    let ended = Bench::new(|_, _| (503, "{}".to_owned()));
    assert!(ended.logged_in(oauth(0)).current("o").await.is_err());
    let no_refresh = Bench::new(|at, _| tokens(at));
    let error = no_refresh.logged_in(Oauth { refresh: None, ..oauth(0) }).current("o").await.unwrap_err();
    assert!(error.why.contains("cannot be renewed"), "{error}");
    assert_eq!(error.hint, "log in again: handbox vault login o");
    assert_eq!(no_refresh.asked(), 0);
}

#[tokio::test]
async fn a_client_secret_is_sent_as_the_server_wants_it() {
    for (auth, wanted, header) in [
        (ClientAuth::Basic, "scope=read%20write", "Basic aGFuZGJveDpzZWNyZXQlMkYwMTIzNDU2"),
        (ClientAuth::Body, "&client_id=handbox&client_secret=secret%2F0123456", "application/json"),
    ] {
        let bench = Bench::new(|at, _| tokens(at));
        let secret = Some(Secret::new("secret/0123456").unwrap());
        let keep = bench.logged_in(Oauth { client_secret: secret, client_auth: auth, ..oauth(0) });
        assert_eq!(value(&keep).await, "access-1-0123456789");
        let seen = bench.server.seen.lock().unwrap()[0].clone();
        assert!(seen.ends_with(wanted) && seen.contains(header), "{seen}");
    }
}

fn client() -> Client {
    Client {
        token_url: TOKEN_URL.to_owned(),
        id: "handbox".to_owned(),
        secret: None,
        auth: ClientAuth::Basic,
        scope: "read".to_owned(),
    }
}

/// Sends one request to an address, and gives the whole answer.
async fn get(address: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let url = url::Url::parse(address).unwrap();
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_browser_brings_the_code_and_nobody_else_can() {
    let bench = Bench::new(|at, _| tokens(at));
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel::<String>();
    let show = move |show: Show<'_>| match show {
        Show::Open(address) => tell.send(address.to_owned()).unwrap(),
        Show::Type { .. } => panic!("a code"),
    };
    let browser = async {
        let address = url::Url::parse(&told.recv().await.unwrap()).unwrap();
        let pairs: HashMap<String, String> = address.query_pairs().into_owned().collect();
        assert_eq!(
            (pairs["response_type"].as_str(), pairs["scope"].as_str(), pairs["keep"].as_str()),
            ("code", "read", "1")
        );
        let (back, state) = (&pairs["redirect_uri"], &pairs["state"]);
        for stranger in [
            format!("{back}?code=evil-code&state=guess"),
            format!("{back}?code=evil-code"),
            "http://127.0.0.1/".to_owned(),
        ] {
            let stranger = stranger.replace(
                "127.0.0.1/",
                &format!("{}/", back.trim_start_matches("http://").trim_end_matches("/callback")),
            );
            assert!(get(&stranger).await.starts_with("HTTP/1.1 404"), "{stranger}");
        }
        assert!(get(&format!("{back}?error=access_denied&state=guess")).await.starts_with("HTTP/1.1 404"));
        assert!(get(&format!("{back}?code=the%2Fcode&state={state}")).await.contains("You are logged in"));
        pairs["code_challenge"].clone()
    };
    let way = Way(Arc::clone(&bench.server));
    let flow = Flow::Browser { authorize_url: "https://auth.example/authorize?keep=1".to_owned() };
    let (held, challenge) = tokio::join!(login(&way, client(), &flow, &show), browser);
    let Held::Oauth(oauth) = held.unwrap() else { panic!("no tokens") };
    assert_eq!(oauth.access.unwrap().reveal(), b"access-1-0123456789");
    let seen = bench.server.seen.lock().unwrap()[0].clone();
    let body = seen.rsplit(' ').next().unwrap();
    let fields: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    assert_eq!((fields["code"].as_str(), fields["grant_type"].as_str()), ("the/code", "authorization_code"));
    let hashed = <sha2::Sha256 as sha2::Digest>::digest(fields["code_verifier"].as_bytes());
    assert_eq!(data_encoding::BASE64URL_NOPAD.encode(&hashed), challenge);
}

/// A login by a code, in which time passes at once: what came of it, and the pauses in seconds.
async fn by_code(bench: &Bench, show: &(dyn Fn(Show<'_>) + Send + Sync)) -> (Result<String, KeepError>, Vec<u64>) {
    let pauses = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&pauses);
    let pause: Box<login::Pause> = Box::new(move |pause| {
        noted.lock().unwrap().push(pause.as_secs());
        Box::pin(std::future::ready(()))
    });
    let way = Way(Arc::clone(&bench.server));
    let tokens = login::device(&way, &client(), "https://auth.example/device", show, &*pause).await;
    let access = tokens.map(|tokens| String::from_utf8(tokens.access.reveal().to_vec()).unwrap());
    let pauses = pauses.lock().unwrap().clone();
    (access, pauses)
}

#[tokio::test]
async fn a_device_is_asked_for_until_somebody_typed_the_code() {
    let bench = Bench::new(|at, text| match at {
        0 => {
            assert!(text.contains("https://auth.example/device") && text.ends_with("client_id=handbox&scope=read"));
            let text = r#"{"device_code":"device-0123456789","user_code":"WXYZ-1234",
                "verification_uri":"https://auth.example/go","expires_in":900,"interval":0}"#;
            (200, text.to_owned())
        }
        1 => (400, r#"{"error":"authorization_pending"}"#.to_owned()),
        2 => (200, r#"{"error":"slow_down"}"#.to_owned()),
        at => tokens(at),
    });
    let shown = Mutex::new(String::new());
    let show = |show: Show<'_>| *shown.lock().unwrap() = format!("{show:?}");
    let (access, pauses) = by_code(&bench, &show).await;
    assert_eq!((access.unwrap().as_str(), pauses), ("access-4-0123456789", vec![1, 1, 6]));
    let shown = shown.lock().unwrap();
    assert!(shown.contains("WXYZ-1234") && shown.contains("auth.example/go") && !shown.contains("device-"), "{shown}");
    let seen = bench.server.seen.lock().unwrap()[3].clone();
    assert!(seen.contains("device_code=device-0123456789&client_id=handbox"), "{seen}");
}

#[tokio::test]
async fn a_device_that_nobody_types_a_code_on_is_given_up() {
    for (code, asked) in [("authorization_pending", 5), ("access_denied", 2), ("device-0123456789", 2)] {
        let bench = Bench::new(move |at, _| match at {
            0 => {
                let text = r#"{"device_code":"device-0123456789","user_code":"W","verification_url":"https://a.example",
                    "expires_in":"20"}"#;
                (200, text.to_owned())
            }
            _ => (400, format!(r#"{{"error":"{code}","error_description":"device-0123456789"}}"#)),
        });
        let error = by_code(&bench, &|_| {}).await.0.unwrap_err().to_string();
        assert_eq!(bench.asked(), asked, "{error}");
        assert!(!error.contains("device-"), "{error}");
    }
}

pub(super) fn elsewhere(keep: &Keep, from: Elsewhere) {
    let held = Held::Elsewhere(from);
    keep.set(New { name: "o".to_owned(), kind: Kind::Bearer, held, note: String::new() }).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_is_run_once_for_all_and_never_shown() {
    let bench = Bench::new(|at, _| tokens(at));
    let keep = bench.keep();
    let count = bench.folder.path().join("count");
    let script = format!("echo x >> {}; echo sk-canary-0123456789", count.display());
    elsewhere(&keep, Elsewhere::Command { words: vec!["/bin/sh".to_owned(), "-c".to_owned(), script] });
    for _ in 0..3 {
        assert_eq!(value(&keep).await, "sk-canary-0123456789");
    }
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\n");
    let stale = keep.current("o").await.unwrap().unwrap();
    assert!(keep.renewed("o", &stale).await.unwrap().is_none(), "it still prints the same");
    assert_eq!(std::fs::read_to_string(&count).unwrap(), "x\nx\n");
    for script in ["echo sk-canary-0123456789; exit 3", "echo 'sk canary 0123456789'", "yes sk-canary", "exit 0"] {
        let words = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
        keep.rotate("o", Held::Elsewhere(Elsewhere::Command { words })).unwrap();
        let error = keep.current("o").await.unwrap_err();
        assert!(!error.why.contains("canary"), "{error}");
    }
}

#[tokio::test]
async fn a_file_is_read_at_each_use() {
    let bench = Bench::new(|at, _| tokens(at));
    let (keep, path) = (bench.keep(), bench.folder.path().join("token"));
    std::fs::write(&path, "sk-first-0123456789\n").unwrap();
    elsewhere(&keep, Elsewhere::File { path: path.clone() });
    assert_eq!(value(&keep).await, "sk-first-0123456789");
    std::fs::write(&path, "sk-second-0123456789\n").unwrap();
    assert_eq!(value(&keep).await, "sk-second-0123456789");
    std::fs::remove_file(&path).unwrap();
    assert!(keep.current("o").await.is_err());
}

#[tokio::test]
async fn a_server_of_values_is_asked_with_its_own_token() {
    let bench = Bench::new(|_, text| {
        assert!(text.contains(r#"("x-vault-token", "hvs-canary-0123456789")"#), "{text}");
        match text.contains("/data/two") {
            true => (200, r#"{"data":{"data":{"key":"sk-two-0123456789"},"metadata":{"version":3}}}"#.to_owned()),
            false => (200, r#"{"data":{"key":"sk-one-0123456789","other":"hvs-canary-0123456789"}}"#.to_owned()),
        }
    });
    let keep = bench.keep();
    let held = Held::Value(Secret::new("hvs-canary-0123456789").unwrap());
    let kind = Kind::Header { name: "x-vault-token".to_owned(), prefix: String::new() };
    let token = Some("hv".to_owned());
    let from = |path: &str, field: &str| Elsewhere::Http {
        url: format!("https://vault.example/v1/secret/{path}"),
        field: field.to_owned(),
        token: token.clone(),
    };
    elsewhere(&keep, from("data/two", "key"));
    let error = keep.current("o").await.unwrap_err();
    assert!(error.why.contains("must be in the vault itself"), "{error}");
    keep.set(New { name: "hv".to_owned(), kind, held, note: String::new() }).unwrap();
    assert_eq!(value(&keep).await, "sk-two-0123456789");
    keep.rotate("o", Held::Elsewhere(from("one", "key"))).unwrap();
    assert_eq!(value(&keep).await, "sk-one-0123456789");
    assert_eq!((value(&keep).await.as_str(), bench.asked()), ("sk-one-0123456789", 2));
    keep.rotate("o", Held::Elsewhere(from("one", "missing"))).unwrap();
    let error = keep.current("o").await.unwrap_err();
    assert!(!error.why.contains("canary") && error.why.contains("no field missing"), "{error}");
}

#[tokio::test]
async fn a_credential_is_tried_where_it_is_bound_and_nowhere_else() {
    let bench = Bench::new(|at, _| (if at == 0 { 401 } else { 204 }, "canary".to_owned()));
    let keep = bench.keep();
    let held = || Held::Value(Secret::new("sk-canary-0123456789").unwrap());
    let set = |name: &str, kind| {
        keep.set(New { name: name.to_owned(), kind, held: held(), note: String::new() }).unwrap();
    };
    let bind = |name: &str, to: &str, method: Option<&str>| {
        let methods = method.map(str::to_owned).into_iter().collect();
        let (to, bundle) = (to.to_owned(), "std".to_owned());
        keep.bind(name, Bind { to, bundle, digest: None, methods, guest_header: GuestHeader::Refuse }).unwrap();
    };
    set("a", Kind::Bearer);
    assert!(matches!(keep.test("a", None).await, Err(KeepError::Invalid { .. })));
    bind("a", "https://api.example/v1", None);
    let tried = keep.test("a", None).await.unwrap();
    assert_eq!((tried.status, tried.url.as_str(), bench.asked()), (401, "https://api.example/v1", 1));
    assert_eq!(keep.test("a", Some("https://api.example/v1/me?x=1")).await.unwrap().status, 204);
    for elsewhere in ["https://api.example/v2", "https://evil.example/v1", "http://api.example/v1"] {
        assert!(matches!(keep.test("a", Some(elsewhere)).await, Err(KeepError::Invalid { .. })), "{elsewhere}");
    }
    set("b", Kind::Basic { user: "me".to_owned() });
    bind("b", "https://b.example", Some("HEAD"));
    keep.test("b", None).await.unwrap();
    set("g", Kind::Git { user: "x".to_owned() });
    bind("g", "https://git.example/me/one.git", None);
    keep.test("g", None).await.unwrap();
    let beside = keep.test("g", Some("https://git.example/me/one.git/info/lfs")).await;
    assert!(matches!(beside, Err(KeepError::Invalid { .. })));
    set("q", Kind::Query { name: "key".to_owned() });
    bind("q", "https://q.example", None);
    keep.test("q", None).await.unwrap();
    set("p", Kind::Bearer);
    bind("p", "https://p.example", Some("POST"));
    assert!(keep.test("p", None).await.unwrap_err().to_string().contains("POST alone"));
    let seen = bench.server.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 5);
    assert!(seen[1].contains(r#"("authorization", "Bearer sk-canary-0123456789")"#), "{}", seen[1]);
    assert!(seen[2].starts_with("HEAD") && seen[2].contains("Basic bWU6c2stY2FuYXJ5LTAxMjM0NTY3ODk="), "{}", seen[2]);
    assert!(seen[3].contains("https://git.example/me/one.git/info/refs?service=git-upload-pack"), "{}", seen[3]);
    assert!(seen[4].contains("https://q.example?key=sk-canary-0123456789"), "{}", seen[4]);
}
