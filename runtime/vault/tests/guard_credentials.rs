//! Which credential goes along, and to whom.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use fake::{Act, Server, answer, send};
use guard::{KEY, Setup, Store, allowing, bearer, get, post, secret, setup, to, with};
use handbox_hand::{Http as _, HttpBody, HttpError, HttpRequest, Principal, RequestBody, Sender};
use handbox_vault::{Binding, Credential, Grant, GuestHeader, Place};
use std::sync::Arc;

fn placed(server: &Server, place: Place) -> Binding {
    Binding::fixed("key", to(&server.url()), Credential { secret: secret(KEY), place }).unwrap()
}

fn bound(server: &Server) -> Binding {
    placed(server, Place::Bearer)
}

fn with_bindings(bindings: Vec<Binding>) -> Setup {
    Setup { bindings, ..setup() }
}

#[tokio::test]
async fn a_credential_stands_where_its_place_says_and_once() {
    // N26
    let header = |name: &str, prefix: &str| Place::Header { name: name.into(), prefix: prefix.into() };
    for (place, wanted, header) in [
        (Place::Bearer, format!("Bearer {KEY}"), "authorization"),
        // me:sk-canary-0123456789
        (Place::Basic { user: "me".into() }, "Basic bWU6c2stY2FuYXJ5LTAxMjM0NTY3ODk=".to_owned(), "authorization"),
        (header("x-api-key", ""), KEY.to_owned(), "x-api-key"),
        (header("x-auth", "Token "), format!("Token {KEY}"), "x-auth"),
    ] {
        let server = Server::always(answer(200, "", "")).await;
        let bench = with_bindings(vec![placed(&server, place)]).open();
        bench.body(get(server.url())).await;
        let sent = server.requests();
        let values: Vec<_> =
            sent[0].headers.iter().filter(|(name, _)| name == header).map(|(_, value)| value).collect();
        assert_eq!(values, [&wanted]);
        // Its own value is refused, in whatever case and with whatever in the place of hyphens.
        for name in [header.to_owned(), header.to_uppercase(), header.replace('-', "_")] {
            let refused = bench.refused(with(&name, "x", get(server.url()))).await;
            assert!(refused.contains("--guest-header replace"), "{refused}");
        }
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn in_a_query_it_follows_what_is_there_and_replaces_nothing() {
    let server = Server::always(answer(200, &format!("location: /?key={KEY}\r\n"), "")).await;
    let bench = with_bindings(vec![placed(&server, Place::Query { name: "key".into() })]).open();
    let (_, headers, _) = bench.fetch(get(format!("{}/a?b=c%20d", server.url()))).await.unwrap();
    assert!(!headers.contains("canary"), "{headers}");
    assert_eq!(server.requests()[0].line, format!("GET /a?b=c%20d&key={KEY} HTTP/1.1"));
    for query in ["key=x", "a=b&key", "k%65y=x"] {
        bench.refused(get(format!("{}/?{query}", server.url()))).await;
    }
    // C16, N16: what goes wrong does not show it, nor does the record.
    drop(server);
    let error = bench.fetch(get("http://127.0.0.1:1/".to_owned())).await.unwrap_err();
    assert!(!format!("{error:?} {:?}", bench.told.decided.lock().unwrap()).contains("canary"));
}

#[tokio::test]
async fn in_a_query_it_does_not_keep_anybody_from_following_a_redirect() {
    let server = Server::always(answer(302, &format!("location: /next?key={KEY}&page=2\r\n"), "")).await;
    let bench = with_bindings(vec![placed(&server, Place::Query { name: "key".into() })]).open();
    let response = bench.proxy.send(&bench.sender(), get(format!("{}/a", server.url()))).await.unwrap();
    let location = response.headers.iter().find(|(name, _)| name == "location").map(|(_, to)| to.clone()).unwrap();
    bench.body(get(format!("{}{location}", server.url()))).await;
    assert_eq!(server.requests()[1].line, format!("GET /next?page=2&key={KEY} HTTP/1.1"));
}

#[tokio::test]
async fn in_a_body_it_replaces_the_placeholder_at_its_exact_place() {
    // C26
    let server = Server::always(answer(200, "", "")).await;
    let bench = with_bindings(vec![placed(&server, Place::Body { pointer: "/auth/token".into() })]).open();
    let holder = Place::PLACEHOLDER;
    bench
        .body(post(server.url(), format!(r#"{{"auth":{{"token":"{holder}"}},"note":"{holder}","{holder}":1}}"#)))
        .await;
    let sent = server.requests();
    assert_eq!(sent[0].body, format!(r#"{{"auth":{{"token":"{KEY}"}},"note":"{holder}","{holder}":1}}"#));
    for body in [
        format!(r#"{{"auth":{{"token":"x{holder}"}}}}"#),
        format!(r#"{{"auth":{{"{holder}":"x"}}}}"#),
        format!(r#"{{"token":"{holder}"}}"#),
        format!(r#"{{"auth":{{"token":["{holder}"]}}}}"#),
        format!(r#"{{"auth":{{"token":"{holder}"}},"x":"{}"}}"#, "x".repeat(8192)),
        format!(r#"{{"auth":{{"token":"{holder}"}}"#),
        String::new(),
    ] {
        bench.refused(post(server.url(), body)).await;
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn an_sdk_that_insists_on_a_header_may_send_the_public_constant() {
    // N26
    let server = Server::always(answer(200, "", "")).await;
    let basic = Binding::fixed(
        "b",
        to(&format!("{}/b", server.url())),
        Credential { secret: secret(KEY), place: Place::Basic { user: "me".into() } },
    );
    let bearer = Binding::bearer("a", to(&format!("{}/a", server.url())), secret(KEY));
    let replacing = |binding: Binding| binding.with_guest_header(GuestHeader::Replace);
    let bench = with_bindings(vec![replacing(bearer.unwrap()), replacing(basic.unwrap())]).open();
    let (a, b) = (format!("{}/a", server.url()), format!("{}/b", server.url()));
    let ours = |request| with("Authorization", Place::PLACEHOLDER, request);
    for request in [
        ours(get(&a)),
        with("authorization", &format!("Bearer {}", Place::PLACEHOLDER), get(&a)),
        ours(get(&b)),
        // anybody:handbox-placeholder
        with("authorization", "Basic YW55Ym9keTpoYW5kYm94LXBsYWNlaG9sZGVy", get(&b)),
    ] {
        bench.body(request).await;
    }
    for sent in server.requests() {
        let values: Vec<_> = sent.headers.iter().filter(|(name, _)| name == "authorization").collect();
        assert_eq!(values.len(), 1);
        assert!(!values[0].1.contains("placeholder"), "{values:?}");
    }
    for value in ["Bearer x", "handbox-placeholder2", "Basic handbox-placeholder", ""] {
        bench.refused(with("authorization", value, get(&a))).await;
    }
    let twice = vec![("authorization".to_owned(), Place::PLACEHOLDER.to_owned()); 2];
    bench.refused(HttpRequest { headers: twice, ..get(&a) }).await;
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_principal_without_a_binding_gets_no_credential_of_another() {
    // C22, N9
    let server = Server::always(answer(200, "", "x")).await;
    let bench = with_bindings(vec![bound(&server)]).open();
    let other = Principal::new("other");
    bench.proxy.grant(Grant { destinations: vec![to(&server.url())], ..Grant::new(other.clone()) }).unwrap();
    bench.body(get(server.url())).await;
    guard::fetch(&bench.proxy, &Sender::new(other), get(server.url())).await.unwrap();
    let sent = server.requests();
    assert!(sent[0].header("authorization").is_some() && sent[1].header("authorization").is_none());
    assert_eq!(*server.log.connections.lock().unwrap(), 2, "not over the connection of the first");
}

#[tokio::test]
async fn a_credential_that_a_request_brings_to_another_host_does_not_leave() {
    // C12
    let (own, other) = (Server::always(answer(200, "", "")).await, Server::always(answer(200, "", "")).await);
    let store = Store::with(bearer("sk-canary-stored-1"));
    let stored = Binding::stored("stored", to("http://127.0.0.1:1"), store).unwrap();
    let bench = Setup { bindings: vec![bound(&own), stored], ..allowing(&[&other.url()]) }.open();
    let url = other.url();
    for request in [
        get(format!("{url}/{KEY}")),
        get(format!("{url}/?q={KEY}")),
        get(format!("{url}/?q=sk-canary%2D0123456789")),
        with("x-note", &format!("it is {KEY}!"), get(&url)),
        with("cookie", "a=sk-canary-stored-1", get(&url)),
        post(&url, format!("{{\"found\":\"{KEY}\"}}")),
        post(&url, "sk-canary-stored-1"),
    ] {
        let refused = bench.refused(request).await;
        assert!(refused.contains("bound to another destination") && !refused.contains("canary"), "{refused}");
    }
    assert!(other.requests().is_empty());
    assert!(!format!("{:?}", bench.told.decided.lock().unwrap()).contains("canary"));
    // Whose credential it is may be told: it knows it, and a conversation that mentions it must not be stuck.
    bench.body(post(own.url(), format!("my key is {KEY}"))).await;
    // What only looks like one passes.
    bench.body(post(&url, "sk-canary-012345678")).await;
}

/// A body in pieces.
struct Pieces(Vec<&'static str>);

#[async_trait::async_trait]
impl HttpBody for Pieces {
    async fn next(&mut self) -> Result<Option<bytes::Bytes>, HttpError> {
        tokio::task::yield_now().await;
        Ok(if self.0.is_empty() { None } else { Some(self.0.remove(0).into()) })
    }
}

#[tokio::test]
async fn nor_does_it_in_a_body_that_comes_in_pieces() {
    // C12
    let own = Server::always(answer(200, "", "")).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut seen).await.unwrap();
        String::from_utf8(seen).unwrap()
    });
    let bench = Setup { bindings: vec![bound(&own)], ..allowing(&[&url]) }.open();
    let body =
        RequestBody::Stream { body: Box::new(Pieces(vec!["first ", "sk-can", "ary-01234", "56789"])), bytes: None };
    let error = bench.fetch(HttpRequest { method: "POST".into(), body, ..get(&url) }).await.unwrap_err();
    assert!(matches!(error, HttpError::Denied(_)), "{error:?}");
    let seen = tokio::time::timeout(std::time::Duration::from_secs(5), seen).await.unwrap().unwrap();
    assert!(seen.contains("first ") && !seen.contains("sk-c"), "{seen}");
    let ends = bench.told.ends();
    assert!(ends.len() == 1 && ends[0].sent, "{ends:?}");
}

#[tokio::test]
async fn a_value_that_changed_counts_from_the_next_request_and_the_old_one_is_still_taken_out() {
    // C24
    let server = Server::always(answer(200, "", "sk-canary-first-1 sk-canary-second")).await;
    let store = Store::with(bearer("sk-canary-first-1"));
    let binding = Binding::stored("key", to(&server.url()), Arc::clone(&store) as _).unwrap();
    let bench = with_bindings(vec![binding.clone()]).open();
    assert_eq!(bench.body(get(server.url())).await, "**** sk-canary-second");
    *store.now.lock().unwrap() = Some(bearer("sk-canary-second"));
    assert_eq!(bench.body(get(server.url())).await, "**** ****");
    // Other rules do not forget it either.
    bench.proxy.grant(allowing(&[&server.url()]).grant()).unwrap();
    assert_eq!(bench.body(get(server.url())).await, "**** ****");
    bench.proxy.grant(with_bindings(vec![binding]).grant()).unwrap();
    // Nor does its removal; and without it nothing is sent.
    *store.now.lock().unwrap() = None;
    let refused = bench.refused(get(server.url())).await;
    assert!(
        refused.contains("no credential \"key\" any more") && refused.contains("handbox vault set key"),
        "{refused}"
    );
    // C20, C15: nor if that cannot be told.
    *store.broken.lock().unwrap() = true;
    assert!(bench.refused(get(server.url())).await.contains("the vault is locked"));
    let sent: Vec<_> = server.requests().iter().map(|sent| sent.header("authorization").map(str::to_owned)).collect();
    let wanted = ["Bearer sk-canary-first-1", "Bearer sk-canary-second"].map(|value| Some(value.to_owned()));
    assert_eq!(sent[..2], wanted);
    assert_eq!(sent.len(), 3);
    assert_eq!(*store.uses.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_credential_that_ran_out_is_renewed_once_and_the_request_sent_again() {
    // C25
    let server = Server::new(|request| {
        let old = request.header("authorization") == Some("Bearer sk-canary-first-1");
        Ok(if old {
            answer(401, "", "sk-canary-first-1")
        } else {
            answer(200, "", &format!("{} sk-canary-second", request.body))
        })
    });
    let server = server.await;
    let store = Store::with(bearer("sk-canary-first-1"));
    let binding = Binding::stored("key", to(&server.url()), Arc::clone(&store) as _).unwrap();
    let bench = with_bindings(vec![binding]).open();
    // None can be had: the server's answer is given back.
    let (status, _, body) = bench.fetch(post(server.url(), "x")).await.unwrap();
    assert_eq!((status, body.as_str()), (401, "****"));
    *store.fresh.lock().unwrap() = Some(bearer("sk-canary-second"));
    // A body that came in pieces is gone.
    let body = RequestBody::Stream { body: Box::new(Pieces(vec!["x"])), bytes: Some(1) };
    let request = HttpRequest { method: "POST".into(), body, ..get(server.url()) };
    assert_eq!(bench.fetch(request).await.unwrap().0, 401);
    assert_eq!(*store.renewals.lock().unwrap(), 1);
    let (status, _, body) = bench.fetch(post(server.url(), "again")).await.unwrap();
    assert_eq!((status, body.as_str()), (200, "again ****"));
    assert_eq!(*store.renewals.lock().unwrap(), 2);
    // One decision, one end, whatever it took.
    assert_eq!(bench.told.decided.lock().unwrap().len(), 3);
    let ends: Vec<_> = bench.told.ends().iter().map(|end| end.status).collect();
    assert_eq!(ends, [Some(401), Some(401), Some(200)]);
}

#[tokio::test]
async fn a_server_that_always_says_401_is_asked_twice_and_no_more() {
    let server = Server::always(answer(401, "", "")).await;
    let store = Store::with(bearer("sk-canary-first-1"));
    *store.fresh.lock().unwrap() = Some(bearer("sk-canary-second"));
    let binding = Binding::stored("key", to(&server.url()), store).unwrap();
    let bench = with_bindings(vec![binding]).open();
    assert_eq!(bench.fetch(get(server.url())).await.unwrap().0, 401);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_got_a_request_got_it_though_it_is_gone_when_it_is_sent_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        drop(listener);
        let _ = tokio::io::AsyncReadExt::read(&mut socket, &mut [0; 4096]).await;
        let answer = b"HTTP/1.1 401 X\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut socket, answer).await.unwrap();
    });
    let store = Store::with(bearer("sk-canary-first-1"));
    *store.fresh.lock().unwrap() = Some(bearer("sk-canary-second"));
    let bench = with_bindings(vec![Binding::stored("key", to(&url), store).unwrap()]).open();
    let error = bench.fetch(get(&url)).await.unwrap_err();
    assert!(matches!(error, HttpError::Lost(_)), "{error:?}");
    assert!(bench.told.ends()[0].sent);
}

#[tokio::test]
async fn errors_show_neither_the_credential_nor_the_query() {
    // C16
    let garbage = Server::always(vec![send(format!("{KEY} is not HTTP\r\n\r\n")), Act::Cut]).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let nobody = Binding::fixed(
        "b",
        to(&format!("http://{free}")),
        Credential { secret: secret(KEY), place: Place::Query { name: "k".into() } },
    );
    let bench = with_bindings(vec![bound(&garbage), nobody.unwrap()]).open();
    for url in [garbage.url(), format!("http://{free}"), "http://127.0.0.1:2".to_owned()] {
        let error = bench.proxy.send(&bench.sender(), get(format!("{url}/x?q=private"))).await.unwrap_err();
        let shown = format!("{error} {error:?} {:?} {:?}", bench.told.decided.lock().unwrap(), bench.told.ends());
        assert!(!shown.contains("canary") && !shown.contains("private"), "{shown}");
    }
}

#[tokio::test]
async fn a_part_of_an_answer_is_denied_where_a_credential_goes_along() {
    // C15: a guest that is told more than that learns where it has one.
    let server = Server::always(answer(200, "", "")).await;
    let part = || with("range", "bytes=3-", get(server.url()));
    let refused = with_bindings(vec![bound(&server)]).open().refused(part()).await;
    assert!(refused.contains("\"range\""), "{refused}");
    allowing(&[&server.url()]).open().body(part()).await;
}
