//! Servers that mean no good, and guests that ask for too much: each ends in an error that says which, and the next request
//! goes on.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use fake::{Act, Server, answer, chunk, end, head, send};
use guard::{KEY, Setup, allowing, get, post, secret, setup, to};
use handbox_hand::{Http as _, HttpBody, HttpError, HttpRequest, RequestBody};
use handbox_vault::{Binding, Limits, Quota};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server that answers every request with `start`, and then the same bytes for ever.
async fn flood(
    start: &'static str,
    again: impl AsRef<[u8]> + Send + Sync + Clone + 'static,
    pause: Duration,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let again = again.clone();
            tokio::spawn(async move {
                let _ = socket.read(&mut [0; 4096]).await;
                let _ = socket.write_all(start.as_bytes()).await;
                while socket.write_all(again.as_ref()).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            });
        }
    });
    url
}

/// All that a server gets until the other end closes.
async fn listen() -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = tokio::spawn(async move {
        let (mut socket, _): (TcpStream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        loop {
            let done = seen.ends_with(b"0\r\n\r\n") || seen.ends_with(b"stop");
            if done {
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
            }
            if done || socket.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return String::from_utf8(seen).unwrap();
            }
        }
    });
    (url, seen)
}

/// Bounded, so that a limit that does not hold fails the test instead of hanging it.
async fn error(bench: &guard::Bench, request: HttpRequest) -> HttpError {
    let error = tokio::time::timeout(Duration::from_secs(20), bench.fetch(request)).await.expect("an end").unwrap_err();
    assert_eq!(bench.told.ends().len(), 1, "the end was told once");
    error
}

#[tokio::test]
async fn a_server_that_does_not_end_is_given_up() {
    // N19, N20
    let (pause, none) = (Duration::from_millis(20), Duration::ZERO);
    let limits = Limits {
        head_time_max: Duration::from_millis(300),
        total_time_max: Duration::from_millis(300),
        body_bytes_max: u64::MAX,
        quota: Quota { bytes_max: u64::MAX, ..guard::LIMITS.quota },
        ..guard::LIMITS
    };
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for (what, start, again, pause) in [
        ("one byte at a time", "HTTP/1.1 200 OK\r\n\r\n", "x", pause),
        ("a head at a byte a time", "HTTP/1.1 200 OK\r\nx: ", "x", pause),
        ("heads before the head", "", "HTTP/1.1 100 Continue\r\n\r\n", none),
        ("early hints", "", "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n", none),
        ("chunks", chunked, "1\r\nx\r\n", pause),
        ("a chunk's extension", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", "x", pause),
        ("trailers at a byte a time", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx: ", "x", pause),
    ] {
        let url = flood(start, again, pause).await;
        let bench = Setup { limits, ..allowing(&[&url]) }.open();
        let error = error(&bench, get(&url)).await;
        assert!(matches!(error, HttpError::TimedOut(_)), "{what}: {error:?}");
    }
    // No time at all is legal, and over at once.
    let url = flood("", "", pause).await;
    let limits = Limits { head_time_max: none, total_time_max: none, idle_time_max: none, ..limits };
    let bench = Setup { limits, ..allowing(&[&url]) }.open();
    assert!(matches!(error(&bench, get(&url)).await, HttpError::TimedOut(_)));
}

#[tokio::test]
async fn a_server_that_sends_too_much_is_cut() {
    // N22
    let none = Duration::ZERO;
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let long = "x".repeat(65536);
    for (what, start, again) in [
        ("without end", "HTTP/1.1 200 OK\r\n\r\n", long.clone()),
        ("ten gigabytes", "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n", long.clone()),
        ("chunks without end", chunked, format!("10000\r\n{long}\r\n")),
        ("one chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffff\r\n", long.clone()),
        ("headers", "HTTP/1.1 200 OK\r\n", "x-y: z\r\n".repeat(1000)),
        ("one header", "HTTP/1.1 200 OK\r\nx: ", long.clone()),
        ("trailers", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", "x-y: z\r\n".repeat(1000)),
        ("a chunk's extensions", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", long.clone()),
    ] {
        let url = flood(start, again, none).await;
        let bench = allowing(&[&url]).open();
        let error = error(&bench, get(&url)).await;
        assert!(matches!(error, HttpError::Unusable(_) | HttpError::Lost(_)), "{what}: {error:?}");
    }
}

#[tokio::test]
async fn a_length_that_is_not_true_is_an_error_or_ends_where_it_says() {
    // N22
    for (acts, wanted) in [
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"), Act::Cut], None),
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n12345"), Act::Cut], Some("12")),
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n12345"), Act::Cut], None),
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n12345"), Act::Cut], None),
        (vec![send("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n1"), Act::Cut], None),
        (vec![head("a/b"), send("zz\r\n"), Act::Cut], None),
    ] {
        let server = Server::always(acts).await;
        let bench = allowing(&[&server.url()]).open();
        let came = bench.fetch(get(server.url())).await;
        match (came, wanted) {
            (Ok((_, _, body)), Some(wanted)) => assert_eq!(body, wanted),
            (Err(HttpError::Lost(_) | HttpError::Unusable(_)), None) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_redirect_is_given_back_whatever_it_says() {
    // N11 to N13, N15, N16
    let trap = Server::always(answer(200, "", "")).await;
    let binding = |server: &Server| Binding::bearer("key", to(&server.url()), secret(KEY)).unwrap();
    for (status, location) in [
        (301, trap.url()),
        (302, "http://169.254.169.254/latest/meta-data".to_owned()),
        (303, format!("http://user:pass@{}/", trap.authority)),
        (307, format!("//{}", trap.authority)),
        (308, "/elsewhere".to_owned()),
        (302, "file:///etc/passwd".to_owned()),
        (302, format!("{}/?token={KEY}", trap.url())),
        (300, "http://[::1".to_owned()),
    ] {
        let own = Server::always(answer(status, &format!("location: {location}\r\n"), "moved")).await;
        let bench = Setup { bindings: vec![binding(&own)], ..allowing(&[&trap.url()]) }.open();
        let (came, headers, body) = bench.fetch(get(own.url())).await.unwrap();
        assert_eq!((came, body.as_str()), (status, "moved"));
        assert!(headers.contains(&location.replace(KEY, "****")), "{headers}");
        assert_eq!(own.requests().len(), 1);
    }
    assert!(trap.requests().is_empty());
    let long = Server::always(answer(302, &format!("location: /{}\r\n", "x".repeat(100_000)), "")).await;
    let bench = allowing(&[&long.url()]).open();
    assert!(matches!(error(&bench, get(long.url())).await, HttpError::Unusable(_)));
}

#[tokio::test]
async fn quotas_end_a_loop_and_not_the_principal() {
    // N21
    let server = Server::always(answer(200, "", "x")).await;
    let quota = Quota { requests_max: 3, ..guard::LIMITS.quota };
    let bench = Setup { limits: Limits { quota, ..guard::LIMITS }, ..allowing(&[&server.url()]) }.open();
    for _ in 0..3 {
        bench.body(get(server.url())).await;
    }
    for _ in 0..5 {
        let error = bench.fetch(get(server.url())).await.unwrap_err();
        assert!(matches!(error, HttpError::Quota(_)), "{error:?}");
    }
    assert_eq!(bench.told.decided.lock().unwrap().len(), 4, "the first one too many is on record, the others are not");
    assert_eq!(server.requests().len(), 3);
    bench.proxy.refill(&guard::principal());
    bench.body(get(server.url())).await;
}

#[tokio::test]
async fn as_many_requests_at_once_as_may_be_and_no_more() {
    // N21
    let slow = Server::always(vec![head("a/b"), chunk("x"), Act::Wait(Duration::from_secs(9)), end()]).await;
    let bench = allowing(&[&slow.url()]).open();
    let most = guard::LIMITS.quota.connections_max;
    let mut under_way = Vec::new();
    for _ in 0..most {
        under_way.push(bench.proxy.send(&bench.sender(), get(slow.url())).await.unwrap());
    }
    let error = bench.fetch(get(slow.url())).await.unwrap_err();
    assert!(matches!(&error, HttpError::Quota(why) if why.contains("at once")), "{error:?}");
    assert_eq!(*slow.log.connections.lock().unwrap(), most);
    under_way.pop();
    assert!(bench.proxy.send(&bench.sender(), get(slow.url())).await.is_ok(), "one ended");

    // A response that was read to its end takes no place, though somebody keeps it.
    let server = Server::always(answer(200, "", "x")).await;
    let bench = allowing(&[&server.url()]).open();
    let mut kept = Vec::new();
    for _ in 0..most + 1 {
        let mut response = bench.proxy.send(&bench.sender(), get(server.url())).await.unwrap();
        while response.body.next().await.unwrap().is_some() {}
        kept.push(response);
    }
}

#[tokio::test]
async fn a_reader_that_pauses_for_too_long_gets_no_more() {
    // N19
    let server = Server::always(vec![head("a/b"), chunk("x"), chunk("y"), end()]).await;
    let limits = Limits { total_time_max: Duration::from_secs(2), ..guard::LIMITS };
    let bench = Setup { limits, ..allowing(&[&server.url()]) }.open();
    let mut response = bench.proxy.send(&bench.sender(), get(server.url())).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert!(matches!(response.body.next().await, Err(HttpError::TimedOut(_))));
    assert_eq!(response.body.next().await, Ok(None));
}

#[tokio::test]
async fn bytes_are_counted_both_ways() {
    let quota = Quota { bytes_max: 1000, ..guard::LIMITS.quota };
    let limits = Limits { quota, ..guard::LIMITS };
    let server = Server::always(answer(200, "", &"x".repeat(600))).await;
    let bench = Setup { limits, ..allowing(&[&server.url()]) }.open();
    bench.body(get(server.url())).await;
    let error = bench.fetch(get(server.url())).await.unwrap_err();
    assert!(matches!(error, HttpError::Quota(_)), "{error:?}");
    let bench = Setup { limits, ..allowing(&[&server.url()]) }.open();
    let error = bench.fetch(post(server.url(), "x".repeat(1001))).await.unwrap_err();
    assert!(matches!(error, HttpError::Quota(_)), "{error:?}");
    assert_eq!(server.requests().len(), 2);
}

/// A body in pieces, and then perhaps an error.
struct Pieces(Vec<Result<&'static str, HttpError>>);

#[async_trait::async_trait]
impl HttpBody for Pieces {
    async fn next(&mut self) -> Result<Option<bytes::Bytes>, HttpError> {
        tokio::task::yield_now().await;
        if self.0.is_empty() { Ok(None) } else { self.0.remove(0).map(|piece| Some(piece.into())) }
    }
}

fn streamed(url: &str, pieces: Vec<Result<&'static str, HttpError>>, bytes: Option<u64>) -> HttpRequest {
    HttpRequest {
        method: "POST".into(),
        body: RequestBody::Stream { body: Box::new(Pieces(pieces)), bytes },
        ..get(url)
    }
}

#[tokio::test]
async fn a_body_that_comes_while_it_is_sent_arrives_whole() {
    let (url, seen) = listen().await;
    let bench = allowing(&[&url]).open();
    let pieces = || vec![Ok("one "), Ok(""), Ok("two "), Ok("stop")];
    bench.fetch(streamed(&url, pieces(), None)).await.unwrap();
    let seen = seen.await.unwrap();
    assert!(seen.contains("transfer-encoding: chunked") && seen.contains("4\r\none \r\n4\r\ntwo \r\n"), "{seen}");
    assert_eq!(bench.told.ends()[0].request_bytes, 12);

    let (url, seen) = listen().await;
    allowing(&[&url]).open().fetch(streamed(&url, pieces(), Some(12))).await.unwrap();
    let seen = seen.await.unwrap();
    assert!(seen.contains("content-length: 12") && seen.ends_with("\r\n\r\none two stop"), "{seen}");
}

#[tokio::test]
async fn a_body_that_is_not_as_announced_does_not_pass_for_whole() {
    // N24
    let lost = HttpError::Lost("the guest went away".into());
    for (pieces, bytes, wanted) in [
        (vec![Ok("12345")], Some(6), "5 bytes; 6 were announced"),
        (vec![Ok("123"), Ok("45")], Some(4), "more than the 4 bytes"),
        (vec![Ok("123"), Err(lost)], None, "the guest went away"),
        (vec![Ok("0123456789"); 1001], None, "more than 10000 bytes"),
    ] {
        let (url, seen) = listen().await;
        let bench = allowing(&[&url]).open();
        let error = error(&bench, streamed(&url, pieces, bytes)).await;
        assert!(error.to_string().contains(wanted), "{error:?}");
        let seen = tokio::time::timeout(Duration::from_secs(5), seen).await.unwrap().unwrap();
        assert!(!seen.ends_with("0\r\n\r\n") && !seen.contains("content-length: 5"), "{seen}");
    }
    let announced = streamed("http://127.0.0.1:1", vec![], Some(10_001));
    let bench = allowing(&["http://127.0.0.1:1"]).open();
    assert!(matches!(bench.fetch(announced).await, Err(HttpError::Invalid(_))));
}

#[tokio::test]
async fn trailers_are_given_after_the_end_without_credentials() {
    // C7
    let acts = vec![
        head("a/b"),
        chunk("x"),
        send(format!("0\r\nx-sum: 1\r\nx-key: {KEY}\r\nx-{KEY}: 1\r\ncontent-length: 3\r\n\r\n")),
    ];
    let server = Server::always(acts).await;
    let binding = Binding::bearer("key", to(&server.url()), secret(KEY)).unwrap();
    let bench = Setup { bindings: vec![binding], ..setup() }.open();
    let mut response = bench.proxy.send(&bench.sender(), get(server.url())).await.unwrap();
    assert!(response.body.trailers().is_empty());
    while response.body.next().await.unwrap().is_some() {}
    let mut trailers = response.body.trailers();
    trailers.sort();
    let wanted = [("x-key", "****"), ("x-sum", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(trailers, wanted);
}

#[tokio::test]
async fn a_response_that_nobody_reads_gives_its_place_back_at_its_end() {
    let server = Server::always(vec![head("a/b"), chunk("x"), Act::Wait(Duration::from_secs(60)), end()]).await;
    let quota = Quota { connections_max: 1, ..guard::LIMITS.quota };
    let limits = Limits { total_time_max: Duration::from_millis(500), quota, ..guard::LIMITS };
    let bench = Setup { limits, ..allowing(&[&server.url()]) }.open();
    let mut kept = bench.proxy.send(&bench.sender(), get(server.url())).await.unwrap();
    let ended = async {
        while bench.told.ends().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("its end is on record");
    assert!(bench.told.ends()[0].error.as_ref().unwrap().contains("not read in time"));
    assert!(bench.proxy.send(&bench.sender(), get(server.url())).await.is_ok(), "its place is free");
    assert!(matches!(kept.body.next().await, Err(HttpError::TimedOut(_))), "whoever reads it at last is told");
    assert_eq!(kept.body.next().await, Ok(None));
}

#[tokio::test]
async fn a_response_that_somebody_began_to_read_gives_its_place_back_at_its_end_too() {
    let server = Server::always(vec![head("a/b"), chunk("x"), Act::Wait(Duration::from_secs(60)), end()]).await;
    let quota = Quota { connections_max: 1, ..guard::LIMITS.quota };
    let limits = Limits { total_time_max: Duration::from_millis(500), quota, ..guard::LIMITS };
    let bench = Setup { limits, ..allowing(&[&server.url()]) }.open();
    let mut kept = bench.proxy.send(&bench.sender(), get(server.url())).await.unwrap();
    assert_eq!(kept.body.next().await, Ok(Some("x".into())));
    // As a guest does that reads until there is nothing at once, and never comes back.
    let mut next = kept.body.next();
    let polled = std::future::poll_fn(|context| std::task::Poll::Ready(next.as_mut().poll(context))).await;
    assert!(polled.is_pending());
    let ended = async {
        while bench.told.ends().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("its end is on record");
    assert!(bench.proxy.send(&bench.sender(), get(server.url())).await.is_ok(), "its place is free");
    assert!(matches!(next.await, Err(HttpError::TimedOut(_))), "whoever reads it at last is told");
    assert_eq!(kept.body.next().await, Ok(None));
}
