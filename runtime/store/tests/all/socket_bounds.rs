//! What a peer cannot do, whatever it sends or does not read.

use crate::socket_support::{Store, append, batch, begin, event_with, soon, until};
use handbox_session::{Preview, SessionId, SessionLog, Writer};
use handbox_store::socket::{
    ASK_BYTES_MAX, CONNECTIONS_MAX, ConnectError, IDLE_TIME_MIN, PROTOCOL, RemoteLog, Server, TAIL_WINDOW_BYTES, serve,
};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

const ASK: u8 = 1;
const PUT: u8 = 2;
const FOLLOW: u8 = 3;
const CREDIT: u8 = 5;
const WELCOME_BYTES: usize = 8 + 4 + 1 + 1;

struct Served {
    data: TempDir,
    store: Arc<Store>,
    _server: Server,
    log: RemoteLog,
    session: SessionId,
}

async fn served() -> Served {
    let (data, store) = (tempfile::tempdir().unwrap(), Store::new());
    let server = serve(data.path(), "a test", store.open().unwrap()).unwrap();
    let log = RemoteLog::connect(data.path()).await.unwrap();
    let session = begin(&log).await;
    Served { data, store, _server: server, log, session }
}

impl Served {
    /// The others do not notice what one connection does.
    async fn assert_well(&self) {
        soon(append(&self.log, self.session)).await;
        let other = soon(RemoteLog::connect(self.data.path())).await.unwrap();
        soon(other.record(self.session)).await.unwrap();
    }

    async fn raw(&self) -> UnixStream {
        UnixStream::connect(self.data.path().join("run/holder.sock")).await.unwrap()
    }

    /// A connection after the hello.
    async fn greeted(&self) -> UnixStream {
        let mut stream = self.raw().await;
        let mut name = [0; 16];
        getrandom::fill(&mut name).unwrap();
        stream.write_all(&hello(PROTOCOL, name)).await.unwrap();
        let (verdict, _) = welcome(&mut stream).await;
        assert_eq!(verdict, 0);
        stream
    }
}

fn hello(protocol: u32, name: [u8; 16]) -> Vec<u8> {
    [b"handbox\n", &protocol.to_le_bytes()[..], &name, &[3], b"0.0"].concat()
}

/// The verdict and the protocol of the holder.
async fn welcome(stream: &mut UnixStream) -> (u8, u32) {
    let mut bytes = [0; WELCOME_BYTES];
    soon(stream.read_exact(&mut bytes)).await.unwrap();
    assert_eq!(&bytes[..8], b"handbox\n");
    let mut build = vec![0; usize::from(bytes[13])];
    soon(stream.read_exact(&mut build)).await.unwrap();
    (bytes[12], u32::from_le_bytes(bytes[8..12].try_into().unwrap()))
}

fn frame(sort: u8, request: u64, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 9).unwrap();
    [&length.to_le_bytes()[..], &[sort], &request.to_le_bytes(), body].concat()
}

fn follow(request: u64, session: SessionId) -> Vec<u8> {
    frame(FOLLOW, request, &postcard::to_stdvec(&(session, None::<u64>)).unwrap())
}

/// Fails unless the holder closes the connection. What it had sent before may come.
async fn assert_closed(mut stream: UnixStream, what: &str) {
    let mut rest = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    match end.unwrap_or_else(|_| panic!("{what}: the connection stays open")) {
        Ok(_) => {}
        Err(error) => assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}"),
    }
}

#[tokio::test]
async fn garbage_ends_its_own_connection_only() {
    let served = served().await;
    let mut stream = served.raw().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert_closed(stream, "no hello").await;

    let huge = u32::try_from(ASK_BYTES_MAX + 10).unwrap().to_le_bytes();
    let text = postcard::to_stdvec(&"sesn_no_session_at_all").unwrap();
    let cases: [(&str, Vec<u8>); 10] = [
        ("a frame that is too large", [&huge[..], &[ASK], &[0; 8]].concat()),
        ("the largest length there is", [&u32::MAX.to_le_bytes()[..], &[PUT], &[0; 8]].concat()),
        ("a frame shorter than its header", [&1_u32.to_le_bytes()[..], &[ASK], &[0; 8]].concat()),
        ("a sort that there is not", frame(99, 1, &[])),
        ("what only a holder sends", frame(16, 1, &[])),
        ("an operation that there is not", frame(ASK, 1, &[200])),
        ("a body that ends early", frame(ASK, 1, &[0, 27])),
        ("a body with more behind it", frame(FOLLOW, 1, &[&follow(1, served.session)[13..], b"x"].concat())),
        ("an id that is none", frame(FOLLOW, 1, &text)),
        ("events that are none", frame(PUT, 1, &[0, 1, 255, 255, 255, 255, 15])),
    ];
    for (what, bytes) in cases {
        let mut stream = served.greeted().await;
        stream.write_all(&bytes).await.unwrap();
        assert_closed(stream, what).await;
    }
    served.assert_well().await;
}

#[tokio::test]
async fn chance_never_stops_the_holder() {
    let served = served().await;
    for round in 0..300_usize {
        let mut stream = served.greeted().await;
        let mut bytes = vec![0; 1 + round % 97];
        getrandom::fill(&mut bytes).unwrap();
        // Half of the rounds get past the header, to the forms of the bodies.
        let sent = if round % 2 == 0 { bytes } else { frame(1 + (round / 2 % 6) as u8, round as u64, &bytes) };
        stream.write_all(&sent).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let _ = soon(stream.read_to_end(&mut rest)).await;
    }
    served.assert_well().await;
}

#[tokio::test]
async fn a_number_is_one_request_at_a_time() {
    let served = served().await;
    let mut stream = served.greeted().await;
    stream.write_all(&follow(7, served.session)).await.unwrap();
    stream.write_all(&follow(7, served.session)).await.unwrap();
    assert_closed(stream, "a number that is taken").await;
    served.assert_well().await;
}

#[tokio::test]
async fn credit_cannot_be_made_up() {
    let served = served().await;
    for bytes in [1, u32::MAX] {
        let mut stream = served.greeted().await;
        stream.write_all(&follow(1, begin(&served.log).await)).await.unwrap();
        let credit = postcard::to_stdvec(&(bytes / 2 + TAIL_WINDOW_BYTES as u32)).unwrap();
        stream.write_all(&frame(CREDIT, 1, &credit)).await.unwrap();
        assert_closed(stream, "more credit than there is").await;
    }
    served.assert_well().await;
}

/// Else something that was asked on the old one could happen after it was looked for on the new one.
#[tokio::test]
async fn a_client_that_connects_again_ends_its_old_connection_first() {
    let served = served().await;
    let mut connections = Vec::new();
    for _ in 0..2 {
        let mut stream = served.raw().await;
        stream.write_all(&hello(PROTOCOL, [5; 16])).await.unwrap();
        assert_eq!(welcome(&mut stream).await.0, 0);
        stream.write_all(&follow(1, served.session)).await.unwrap();
        connections.push(stream);
    }
    assert_closed(connections.remove(0), "the old connection").await;
    let mut left = connections.remove(0);
    assert!(left.read_u8().await.is_ok(), "the new one is served");
    served.assert_well().await;
}

#[tokio::test]
async fn another_protocol_is_refused_with_both_numbers() {
    let served = served().await;
    let mut stream = served.raw().await;
    stream.write_all(&hello(PROTOCOL + 7, [1; 16])).await.unwrap();
    assert_eq!(welcome(&mut stream).await, (1, PROTOCOL));
    assert_closed(stream, "another protocol").await;
    served.assert_well().await;
}

/// Answers hellos at the place of a holder.
fn pretend(data: &Path, verdict: u8) {
    std::fs::create_dir(data.join("run")).unwrap();
    let listener = UnixListener::bind(data.join("run/holder.sock")).unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = [b"handbox\n", &77_u32.to_le_bytes()[..], &[verdict, 5], b"9.9.9"].concat();
            stream.write_all(&answer).await.unwrap();
        }
    });
}

#[tokio::test]
async fn a_holder_of_another_protocol_is_named_with_both_numbers() {
    let data = tempfile::tempdir().unwrap();
    pretend(data.path(), 1);
    let Err(ConnectError::Refused(why)) = RemoteLog::connect(data.path()).await else { panic!("it is refused") };
    for part in ["protocol 77 (Handbox 9.9.9)", &format!("protocol {PROTOCOL} (Handbox {})", env!("CARGO_PKG_VERSION"))]
    {
        assert!(why.contains(part), "{why}");
    }
}

#[tokio::test]
async fn one_connection_too_many_is_told_so() {
    let served = served().await;
    let mut all = Vec::new();
    let lease = served.log.claim(served.session, "a brain", Duration::from_secs(300)).await.unwrap();
    // One is the log's own.
    for _ in 1..CONNECTIONS_MAX {
        all.push(served.greeted().await);
    }
    let full = RemoteLog::connect(served.data.path()).await.map(drop);
    assert!(matches!(&full, Err(ConnectError::Absent(why)) if why.contains("as many")), "{full:?}");
    // After a while, those that do nothing and keep nothing make room, one for each that comes.
    tokio::time::sleep(IDLE_TIME_MIN + Duration::from_millis(500)).await;
    let mut further = Vec::new();
    for _ in 0..5 {
        further.push(soon(RemoteLog::connect(served.data.path())).await.expect("an idle one goes"));
    }
    for log in &further {
        soon(log.record(served.session)).await.unwrap();
    }
    assert!(!served.log.is_lost(), "who follows or holds a lease stays");
    drop(all);
    assert_eq!(served.log.renew(&lease, Duration::from_secs(300)).await, Ok(()));
    until("room", async || RemoteLog::connect(served.data.path()).await.is_ok()).await;
}

/// A client asks for much and reads nothing: the holder stops producing for it, and nobody else notices.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stops_reading_makes_the_holder_keep_little() {
    let served = served().await;
    let mut large = Vec::new();
    for _ in 0..64 {
        large.push(event_with(&"x".repeat(100_000)));
    }
    served.log.append(vec![batch(served.session, Writer::Client, large)]).await.unwrap();

    let (tails, reads) = (20, 200);
    let mut stream = served.greeted().await;
    for request in 0..tails {
        stream.write_all(&follow(request, served.session)).await.unwrap();
    }
    let slice = postcard::to_stdvec(&(0_u8, served.session, handbox_session::Slice::default())).unwrap();
    let (_from, mut to) = stream.into_split();
    let asking = tokio::spawn(async move {
        for request in 0..reads {
            to.write_all(&frame(ASK, 1000 + request, &slice)).await.unwrap();
        }
        to
    });
    // The requests that are not worked on stay in the socket, so this may end or not.
    let count = || served.store.trip.followed.load(Ordering::SeqCst);
    until("rest", async || {
        let seen = count();
        tokio::time::sleep(Duration::from_millis(500)).await;
        seen >= 20 && count() == seen
    })
    .await;
    let seen = count();
    // A window holds two of these events; one is on the way to it, and one waits for the socket.
    assert!(seen <= 20 * 5, "{seen} events were taken from the log for a client that reads nothing");
    served.assert_well().await;
    asking.abort();
}

#[tokio::test]
async fn a_tail_that_is_not_read_holds_up_nothing_else_of_its_connection() {
    let served = served().await;
    let _idle = served.log.tail(served.session, None).await.unwrap();
    for _ in 0..40 {
        let large = vec![event_with(&"x".repeat(100_000))];
        soon(served.log.append(vec![batch(served.session, Writer::Client, large)])).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let seen = served.store.trip.followed.load(Ordering::SeqCst);
    assert!(seen <= 5, "{seen} of 41 events were sent to a tail that is not read, whose window holds two");
    let mut busy = served.log.tail(served.session, None).await.unwrap();
    for _ in 0..41 {
        soon(busy.next()).await.unwrap();
    }
    served.log.preview(served.session, Preview("{}".to_owned()));
    served.assert_well().await;
}
