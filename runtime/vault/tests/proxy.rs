//! The proxy against servers that behave, and that do not.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;

use fake::{Act, Server, answer, chunk, end, head, send};
use handbox_hand::{Http as _, HttpError, HttpRequest, Obstacle, Principal, Sender};
use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, Quota, Secret, Trust};
use std::time::Duration;

const KEY: &str = "sk-canary-0123456789";
const LIMITS: Limits = Limits {
    connect_time_max: Duration::from_secs(5),
    head_time_max: Duration::from_secs(5),
    idle_time_max: Duration::from_secs(5),
    total_time_max: Duration::from_secs(10),
    request_bytes_max: 10_000,
    header_bytes_max: 2_000,
    body_bytes_max: 100_000,
    quota: Quota { requests_max: 1000, connections_max: 16, bytes_max: 1 << 20 },
};

fn principal() -> Principal {
    Principal::new("model")
}

fn to(url: &str) -> Destination {
    Destination::parse(url).unwrap()
}

fn bound(url: &str) -> Binding {
    Binding::bearer("key", to(url), Secret::new(KEY).unwrap()).unwrap()
}

fn proxy(limits: Limits, destinations: &[&str], bindings: Vec<Binding>) -> Proxy {
    let destinations = destinations.iter().map(|url| to(url)).collect();
    let grants = vec![Grant { destinations, bindings, ..Grant::new(principal()) }];
    Proxy::new(Options { grants, trust: Trust::Only(Vec::new()), ..Options::new(limits) }).unwrap()
}

fn get(url: impl Into<String>) -> HttpRequest {
    HttpRequest { method: "GET".into(), url: url.into(), headers: Vec::new(), body: "".into() }
}

/// Status, headers as one text, and body.
async fn fetch(proxy: &Proxy, request: HttpRequest) -> Result<(u16, String, String), HttpError> {
    let mut response = proxy.send(&Sender::new(principal()), request).await?;
    let headers = format!("{response:?}");
    let mut body = Vec::new();
    while let Some(piece) = response.body.next().await? {
        body.extend_from_slice(&piece);
    }
    assert_eq!(response.body.next().await, Ok(None), "nothing comes after the end");
    Ok((response.status, headers, String::from_utf8(body).unwrap()))
}

#[tokio::test]
async fn the_credential_reaches_its_own_origin_and_no_other() {
    let own = Server::always(answer(200, "", "own")).await;
    let other = Server::always(answer(200, "", "other")).await;
    let proxy = proxy(LIMITS, &[&other.url()], vec![bound(&format!("{}/v1", own.url()))]);
    assert_eq!(fetch(&proxy, get(format!("{}/v1/x?y=1", own.url()))).await.unwrap().2, "own");
    assert_eq!(fetch(&proxy, get(format!("{}/v1/x", other.url()))).await.unwrap().2, "other");
    for elsewhere in [format!("{}/v2", own.url()), format!("{}/v1/../v2", own.url()), "http://127.0.0.1:1/".to_owned()]
    {
        let denied = fetch(&proxy, get(&elsewhere)).await.unwrap_err();
        let HttpError::Denied(refusal) = denied else { panic!("{elsewhere}: {denied:?}") };
        assert!(refusal.hint.starts_with("--host http://127.0.0.1:"), "{refusal:?}");
    }
    let stranger = proxy.send(&Sender::new(Principal::new("stranger")), get(own.url())).await;
    assert!(matches!(stranger, Err(HttpError::Denied(_))), "{stranger:?}");

    let sent = own.requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].line, "GET /v1/x?y=1 HTTP/1.1");
    assert_eq!(sent[0].header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    let sent = other.requests();
    assert_eq!(sent.len(), 1);
    assert!(!format!("{sent:?}").contains("canary"));
    assert!(!format!("{proxy:?}").contains("canary"));
}

#[tokio::test]
async fn a_request_with_headers_of_ours_or_of_the_binding_is_not_sent() {
    let server = Server::always(answer(200, "", "")).await;
    let proxy = proxy(LIMITS, &[], vec![bound(&server.url())]);
    let with =
        |name: &str, value: &str| HttpRequest { headers: vec![(name.into(), value.into())], ..get(server.url()) };
    assert!(matches!(fetch(&proxy, with("Authorization", "Bearer x")).await, Err(HttpError::Denied(_))));
    for name in
        ["Host", "content-length", "Transfer-Encoding", "connection", "Proxy-Authorization", "accept-encoding", "a b"]
    {
        assert!(matches!(fetch(&proxy, with(name, "x")).await, Err(HttpError::Invalid(_))), "{name}");
    }
    assert!(matches!(fetch(&proxy, with("x-a", "a\r\nb: c")).await, Err(HttpError::Invalid(_))));
    assert!(matches!(fetch(&proxy, with("x-a", &"a".repeat(3000))).await, Err(HttpError::Invalid(_))));
    let large = HttpRequest { method: "POST".into(), body: vec![b'x'; 10_001].into(), ..get(server.url()) };
    assert!(matches!(fetch(&proxy, large).await, Err(HttpError::Invalid(_))));
    for method in ["CONNECT", "TRACE", "G T", ""] {
        let request = HttpRequest { method: method.into(), ..get(server.url()) };
        assert!(matches!(fetch(&proxy, request).await, Err(HttpError::Invalid(_))), "{method}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_server_that_gives_the_credential_back_gives_nothing_back() {
    let server = Server::new(|request| {
        let key = request.header("authorization").ok_or("no key")?.to_owned();
        let mut acts = vec![send(format!(
            "HTTP/1.1 200 OK\r\nx-echo: <{key}>\r\nlocation: /?{KEY}\r\nx-{KEY}: 1\r\ntransfer-encoding: chunked\r\n\r\n"
        ))];
        // One byte at a time, so that each border is tried.
        for byte in format!("<{key}> and {KEY}{KEY}").bytes() {
            acts.push(chunk([byte]));
        }
        Ok([acts, vec![end()]].concat())
    })
    .await;
    let proxy = proxy(LIMITS, &[], vec![bound(&server.url())]);
    let (_, headers, body) = fetch(&proxy, get(server.url())).await.unwrap();
    assert_eq!(body, "<Bearer ****> and ********");
    assert!(headers.contains("<Bearer ****>") && headers.contains("/?****"), "{headers}");
    assert!(!headers.contains("canary"), "{headers}");
}

#[tokio::test]
async fn an_encoded_credential_is_found_in_body_headers_and_names() {
    let encoded = "c2stY2FuYXJ5LTAxMjM0NTY3ODk=";
    let server = Server::new(move |_| {
        let body = "{\"a\":\"\\u0073k-canary-0123456789\"}, sk%2Dcanary%2D0123456789, 736B2D63616E6172792D30313233343536373839";
        Ok(answer(200, &format!("x-debug: Basic {encoded}\r\nset-cookie: a=sk%2Dcanary-0123456789\r\nx-{KEY}: 1\r\n"), body))
    })
    .await;
    let proxy = proxy(LIMITS, &[], vec![bound(&server.url())]);
    let (_, headers, body) = fetch(&proxy, get(server.url())).await.unwrap();
    assert_eq!(body, "{\"a\":\"****\"}, ****, ****");
    assert!(headers.contains("Basic ****=") && headers.contains("a=****") && !headers.contains("canary"), "{headers}");
}

#[tokio::test]
async fn a_body_that_is_cut_within_the_credential_shows_nothing_of_it() {
    for (body, ending) in
        [(format!("{}{KEY}", "x".repeat(99_990)), vec![chunk("y"), end()]), (KEY.to_owned(), vec![Act::Cut])]
    {
        let (start, rest) = body.split_at(body.len() - 2);
        let acts =
            [vec![head("a/b"), chunk(start)], if ending.len() > 1 { vec![chunk(rest)] } else { Vec::new() }, ending];
        let server = Server::always(acts.concat()).await;
        let proxy = proxy(LIMITS, &[], vec![bound(&server.url())]);
        let mut response = proxy.send(&Sender::new(principal()), get(server.url())).await.unwrap();
        let mut shown = Vec::new();
        let error = loop {
            match response.body.next().await {
                Ok(piece) => shown.extend_from_slice(&piece.expect("an error comes before the end")),
                Err(error) => break error,
            }
        };
        assert!(!shown.contains(&b's'), "{error}");
        assert_eq!(response.body.next().await, Ok(None));
    }
}

#[tokio::test]
async fn errors_do_not_show_the_credential_or_the_query() {
    let garbage = Server::always(vec![send(format!("{KEY} is not HTTP\r\n\r\n")), Act::Cut]).await;
    let proxy = proxy(LIMITS, &[], vec![bound(&garbage.url())]);
    let error = fetch(&proxy, get(format!("{}/?q=private", garbage.url()))).await.unwrap_err();
    let HttpError::Unusable(why) = &error else { panic!("{error:?}") };
    assert!(why.contains("is no HTTP") && why.ends_with("may have done what it was asked for"), "{why}");
    assert!(!error.to_string().contains("canary") && !error.to_string().contains("private"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_given_back_and_not_followed() {
    let elsewhere = Server::always(answer(200, "", "")).await;
    let there = elsewhere.url();
    let server = Server::new(move |_| Ok(answer(307, &format!("location: {there}/x\r\n"), "moved"))).await;
    let proxy = proxy(LIMITS, &[&elsewhere.url()], vec![bound(&server.url())]);
    let (status, headers, body) = fetch(&proxy, get(server.url())).await.unwrap();
    assert_eq!((status, body.as_str()), (307, "moved"));
    assert!(headers.contains("/x"), "{headers}");
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn a_body_that_is_cut_late_or_too_long_is_an_error() {
    let pause = Act::Wait(Duration::from_secs(3));
    let quick = Limits { idle_time_max: Duration::from_millis(200), ..LIMITS };
    let short = Limits { total_time_max: Duration::from_millis(300), ..LIMITS };
    let first = Limits { head_time_max: Duration::from_millis(200), ..LIMITS };
    let drip: Vec<Act> = (0..50).flat_map(|_| [chunk("x"), Act::Wait(Duration::from_millis(50))]).collect();
    let text = |why: &str| HttpError::TimedOut(why.to_owned());
    for (limits, acts, wanted) in [
        (LIMITS, vec![head("a/b"), chunk("x"), Act::Cut], HttpError::Lost(String::new())),
        (LIMITS, vec![send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"), Act::Cut], HttpError::Lost(String::new())),
        (quick, vec![head("a/b"), chunk("x"), pause.clone()], text("the answer stopped")),
        (short, [vec![head("a/b")], drip].concat(), text("the answer did not end")),
        (first, vec![pause, head("a/b")], text("the answer did not begin")),
        (LIMITS, vec![head("a/b"), chunk("x".repeat(100_001)), end()], HttpError::Unusable(String::new())),
        (LIMITS, answer(200, &format!("x-long: {}\r\n", "x".repeat(2000)), ""), HttpError::Unusable(String::new())),
        (LIMITS, answer(200, &"x-many: 1\r\n".repeat(200), ""), HttpError::Unusable(String::new())),
        (
            LIMITS,
            answer(200, "content-encoding: gzip\r\n", "not gzip at all, and long enough to see that"),
            HttpError::Unusable(String::new()),
        ),
    ] {
        let server = Server::always(acts).await;
        let proxy = proxy(limits, &[], vec![bound(&server.url())]);
        let start = std::time::Instant::now();
        let error = fetch(&proxy, get(server.url())).await.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(2), "{error:?} after {:?}", start.elapsed());
        assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&wanted), "{error:?} for {wanted:?}");
        assert!(error.to_string().contains(&wanted.to_string()), "{error:?} for {wanted:?}");
        assert_eq!(server.requests().len(), 1, "it is not tried again");
    }
}

#[tokio::test]
async fn what_cannot_be_reached_was_not_sent() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let error = fetch(&proxy(LIMITS, &[&url], Vec::new()), get(&url)).await.unwrap_err();
    assert!(matches!(&error, HttpError::Unreachable(why) if why.obstacle == Obstacle::Refused), "{error:?}");
}

#[tokio::test]
async fn a_connection_is_used_again_but_never_under_another_binding() {
    let server = Server::always(answer(200, "", "x")).await;
    let bindings = vec![bound(&format!("{}/a", server.url())), bound(&format!("{}/b", server.url()))];
    let proxy = proxy(LIMITS, &[&format!("{}/c", server.url())], bindings);
    for path in ["a", "a", "b", "b", "c", "c"] {
        fetch(&proxy, get(format!("{}/{path}", server.url()))).await.unwrap();
    }
    assert_eq!(*server.log.connections.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_credential_for_localhost_needs_no_tls() {
    let server = Server::new(|_| Ok(answer(200, "", "x"))).await;
    let port = server.authority.split(':').nth(1).unwrap().to_owned();
    let url = format!("http://localhost:{port}");
    // The fake server sees another authority than its own, and says so.
    fetch(&proxy(LIMITS, &[], vec![bound(&url)]), get(&url)).await.unwrap();
    let faults = std::mem::take(&mut *server.log.faults.lock().unwrap());
    assert_eq!(faults, [format!("host is [\"localhost:{port}\"], not \"127.0.0.1:{port}\"")]);
}

/// The environment of this very process cannot be changed safely, so a second one is started with it.
#[tokio::test]
async fn proxies_of_the_environment_are_ignored() {
    if std::env::var_os("HANDBOX_TEST_CHILD").is_some() {
        let server = Server::always(answer(200, "", "direct")).await;
        let got = fetch(&proxy(LIMITS, &[], vec![bound(&server.url())]), get(server.url())).await.unwrap();
        assert_eq!(got.2, "direct");
        return;
    }
    let trap = Server::always(answer(200, "", "proxied")).await;
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["proxies_of_the_environment_are_ignored", "--exact"]).env("HANDBOX_TEST_CHILD", "1");
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        child.env(name, trap.url());
    }
    child.env_remove("no_proxy").env_remove("NO_PROXY");
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    assert!(trap.requests().is_empty());
}

#[tokio::test]
async fn what_a_tool_put_together_is_scrubbed_for_its_principal_alone() {
    let server = Server::always(answer(200, "", "sk-canary-<b></b>0123456789")).await;
    let proxy = proxy(LIMITS, &[], vec![bound(&server.url())]);
    let (_, _, page) = fetch(&proxy, get(server.url())).await.unwrap();
    let text = page.replace("<b></b>", "");
    assert_eq!(text, KEY, "a page in tags is no credential yet");
    assert_eq!(proxy.scrub(&principal(), format!("it says {text}.").into_bytes()), b"it says ****.");
    let nobody = Principal::new("another");
    assert_eq!(proxy.scrub(&nobody, text.clone().into_bytes()), text.as_bytes());
}
