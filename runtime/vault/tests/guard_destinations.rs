//! Where nothing may go, nothing goes: neither a packet nor a question about a name.
//!
//! The letters in comments name the class of attack. How a text is read is tested in `handbox-hand`, how an address is
//! judged beside `addresses.rs`; here is what leaves.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use fake::{Server, answer};
use guard::{Names, allowing, get, post, to, with};
use handbox_hand::{HttpError, HttpRequest, Sender, Verdict};

#[tokio::test]
async fn what_is_denied_sends_no_packet_and_asks_for_no_name() {
    let server = Server::always(answer(200, "", "")).await;
    let port = server.authority.split(':').nth(1).unwrap().to_owned();
    let hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "%31%32%37.0.0.1",
    ];
    let names = Names::here(&["evil.example", "api.example.com.evil.example", "localhost", "a.localhost"]);
    let bench =
        guard::Setup { names, ranges: vec![], ..allowing(&[&format!("http://api.example.com:{port}/v1"), "*"]) }.open();
    for host in hosts {
        // U5, U6, U7
        bench.refused(get(format!("http://{host}:{port}/v1"))).await;
    }
    for url in [
        // U4, U11, U12, U13, U15
        format!("http://evil.example:{port}/v1"),
        format!("http://api.example.com.evil.example:{port}/v1"),
        format!("http://аpi.example.com:{port}/v1"),
        format!("http://api.example.com:{port}/v10"),
        format!("http://api.example.com:{port}/v1/..%2fadmin"),
        format!("http://api.example.com:{port}/v1/%2e%2e/admin"),
        format!("https://api.example.com:{port}/v1"),
        "http://api.example.com/v1".to_owned(),
        format!("http://a.localhost:{port}/"),
    ] {
        bench.refused(get(url)).await;
    }
    for url in [
        // U1, U2, U3, U13
        format!("http://api.example.com@127.0.0.1:{port}/"),
        format!("http://api.example.com\\@127.0.0.1:{port}/"),
        format!("http://api.example.com..:{port}/v1"),
        format!("http://api.example.com:{port}/\r\nx: y"),
        format!("ftp://127.0.0.1:{port}/"),
        format!("http://api.example.com:{port}0000/v1"),
    ] {
        let error = bench.fetch(get(&url)).await.unwrap_err();
        assert!(matches!(error, HttpError::Invalid(_)), "{url}: {error:?}");
    }
    assert_eq!(bench.names.asked(), [""; 0]);
    assert!(server.requests().is_empty() && *server.log.connections.lock().unwrap() == 0);
    // Each of them is on record, and none as allowed.
    let verdicts = bench.told.verdicts();
    assert_eq!(verdicts.len(), hosts.len() + 9 + 6);
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Refused { .. })));
    assert!(bench.told.ends().is_empty());
}

#[tokio::test]
async fn a_method_that_is_not_granted_is_not_sent() {
    // U14, U16, A20
    let server = Server::always(answer(200, "", "read")).await;
    let bench = allowing(&[&format!("GET,HEAD {}", server.url())]).open();
    assert_eq!(bench.body(get(server.url())).await, "read");
    let refused = bench.refused(post(server.url(), "x")).await;
    assert!(refused.contains(&format!("--host 'POST {}'", server.url())), "{refused}");
    bench.refused(HttpRequest { method: "get".into(), ..get(server.url()) }).await;
    for name in ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "x_http_method_override"] {
        bench.refused(with(name, "DELETE", get(server.url()))).await;
    }
    for method in ["CONNECT", "connect", "TRACE", "trace", "G T", ""] {
        let error = bench.fetch(HttpRequest { method: method.into(), ..get(server.url()) }).await.unwrap_err();
        assert!(matches!(error, HttpError::Invalid(_)), "{method}: {error:?}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_tool_that_says_it_only_reads_sends_nothing_else() {
    // A20
    let server = Server::always(answer(200, "", "read")).await;
    let bench = allowing(&[&server.url()]).open();
    let reader = Sender { read_only: true, ..bench.sender() };
    assert!(guard::fetch(&bench.proxy, &reader, get(server.url())).await.is_ok());
    for request in [post(server.url(), "x"), with("X-HTTP-Method-Override", "PUT", get(server.url()))] {
        let error = guard::fetch(&bench.proxy, &reader, request).await.unwrap_err();
        assert!(matches!(error, HttpError::Denied(_)), "{error:?}");
    }
    assert_eq!(server.requests().len(), 1);
    assert!(bench.fetch(post(server.url(), "x")).await.is_ok(), "another tool of the same hand may");
}

#[tokio::test]
async fn what_names_the_host_another_time_is_the_host_s_own() {
    // U19, U20, N24
    let server = Server::always(answer(200, "", "")).await;
    let bench = allowing(&[&server.url()]).open();
    for name in [
        "Host",
        ":authority",
        "X-Forwarded-Host",
        "Forwarded",
        "Via",
        "Content-Length",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Connection",
        "Keep-Alive",
        "Upgrade",
        "Proxy-Connection",
        "proxy_authorization",
        "Transfer_Encoding",
        "Expect",
    ] {
        let error = bench.fetch(with(name, "trailers", get(server.url()))).await.unwrap_err();
        assert!(matches!(error, HttpError::Invalid(_)), "{name}: {error:?}");
    }
    // N25
    for (name, value) in
        [("x-a", "a\r\nb: c"), ("x-a", "a\0"), ("x-a\r\nb", "c"), ("x a", "b"), ("", "b"), ("x-ä", "b"), ("x-a", " \n")]
    {
        let error = bench.fetch(with(name, value, get(server.url()))).await.unwrap_err();
        assert!(matches!(error, HttpError::Invalid(_)), "{name:?}: {error:?}");
    }
    let many = vec![("x-a".to_owned(), "b".to_owned()); 300];
    let error = bench.fetch(HttpRequest { headers: many, ..get(server.url()) }).await.unwrap_err();
    assert!(matches!(error, HttpError::Invalid(_)), "{error:?}");
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn what_is_granted_later_counts_from_the_next_request_on() {
    let server = Server::always(answer(200, "", "x")).await;
    let bench = allowing(&[]).open();
    assert!(bench.refused(get(server.url())).await.contains(&format!("--host {}", server.url())));
    bench.proxy.grant(allowing(&[&server.url()]).grant()).unwrap();
    assert_eq!(bench.body(get(server.url())).await, "x");
    bench
        .proxy
        .grant(handbox_vault::Grant { destinations: vec![to("https://a.example")], ..allowing(&[]).grant() })
        .unwrap();
    bench.refused(get(server.url())).await;
    bench.proxy.grant(allowing(&[&server.url()]).grant()).unwrap();
    bench.proxy.forget(&guard::principal());
    assert!(bench.refused(get(server.url())).await.starts_with("no host is granted (--host http://"));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_header_that_names_another_path_is_refused_under_a_path() {
    let server = Server::always(answer(200, "", "read")).await;
    let bench = allowing(&[&format!("{}/v1", server.url())]).open();
    let v1 = || get(format!("{}/v1/x", server.url()));
    for name in ["X-Original-URL", "x_rewrite_url", "X-Original-Path", "X-Forwarded-Uri", "X-Forwarded-Prefix"] {
        let refused = bench.refused(with(name, "/admin", v1())).await;
        assert!(refused.contains("path for another"), "{refused}");
    }
    assert!(server.requests().is_empty());
    assert_eq!(bench.body(v1()).await, "read");
    let all = allowing(&[&server.url()]).open();
    assert_eq!(all.body(with("X-Original-URL", "/admin", v1())).await, "read", "all paths are granted there");
}
