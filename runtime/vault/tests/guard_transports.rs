//! The table of attacks, over every transport that a guest's request may take.
//!
//! The other tests of the guard go deeper, mostly over one of them. The letters in comments name the class of attack.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;
mod transport;

use guard::{KEY, Names, Setup, allowing, get, post, secret, to, with};
use handbox_hand::{HttpError, HttpRequest, Principal, Sender};
use handbox_vault::{Binding, Grant, Limits, Quota};
use std::time::Duration;
use transport::{Came, Reply, Server, WAYS, Way, authority};

const NAME: &str = "api.example.com";
const EVIL: &str = "evil.example";

fn text(body: impl Into<Vec<u8>>) -> Reply {
    Reply { status: 200, body: body.into(), ..Reply::default() }
}

/// Gives back what it got, where a server can.
fn echo(came: &Came) -> Reply {
    let key = came.all("authorization").concat();
    Reply { headers: vec![("x-echo", key.clone()), ("location", format!("/?{key}"))], ..text(format!("<{key}>")) }
}

/// A server under a name, one that nothing may reach, and who may ask the first: under `/v1` with a credential, but in
/// the clear, where it would be read; under `/open` without; under `/read` only to read.
struct World {
    server: Server,
    trap: Server,
    bench: guard::Bench,
}

impl World {
    async fn new(way: Way, script: impl Fn(&Came) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(way, Names::here(&[NAME, EVIL, "localhost"]), guard::LIMITS, script).await
    }

    async fn with(
        way: Way,
        names: std::sync::Arc<Names>,
        limits: Limits,
        script: impl Fn(&Came) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let authority = authority();
        let server = Server::new(way, &authority, &[NAME, EVIL], script).await;
        let trap = Server::new(way, &authority, &[NAME, EVIL], |_| text("")).await;
        let url = server.url(NAME);
        let trust = vec![authority.der().to_vec()];
        let bindings = if way == Way::Clear {
            Vec::new()
        } else {
            vec![Binding::bearer("key", to(&format!("{url}/v1")), secret(KEY)).unwrap()]
        };
        let (open, read) = (format!("{url}/open"), format!("GET,HEAD {url}/read"));
        let bench = Setup { names, limits, bindings, trust, ..allowing(&[&open, &read]) }.open();
        Self { server, trap, bench }
    }

    fn get(&self, path: &str) -> HttpRequest {
        get(format!("{}{path}", self.server.url(NAME)))
    }
}

#[tokio::test]
async fn what_is_denied_reaches_nobody() {
    for way in WAYS {
        let world = World::new(way, |_| text("")).await;
        let (url, port, trap) = (world.server.url(NAME), world.server.port, world.trap.port);
        let (scheme, other) = if way == Way::Clear { ("http", "https") } else { ("https", "http") };
        let hosts =
            ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"];
        // U5 to U7
        let mut denied: Vec<HttpRequest> =
            hosts.iter().map(|host| get(format!("{scheme}://{host}:{port}/open"))).collect();
        denied.extend([
            // U4, U11, U12, U13, U15
            get(format!("{scheme}://{EVIL}:{port}/open")),
            get(format!("{scheme}://{NAME}.{EVIL}:{port}/open")),
            get(format!("{scheme}://аpi.example.com:{port}/open")),
            get(format!("{scheme}://{NAME}:{trap}/open")),
            get(format!("{scheme}://{NAME}/open")),
            get(format!("{other}://{NAME}:{port}/open")),
            get(format!("{url}/opener")),
            get(format!("{url}/open/..%2fv1")),
            get(format!("{url}/open/%2e%2e/admin")),
            // U14
            post(format!("{url}/read"), ""),
            HttpRequest { method: "get".into(), ..get(format!("{url}/read")) },
            with("X-HTTP-Method-Override", "DELETE", get(format!("{url}/read"))),
        ]);
        if way != Way::Clear {
            denied.extend([
                // N26, C12, C20
                with("Authorization", "Bearer own", get(format!("{url}/v1"))),
                with("x-note", KEY, get(format!("{url}/open"))),
                get(format!("{url}/open?k={KEY}")),
                get(format!("{other}://{NAME}:{port}/v1")),
                get(format!("{url}/v10")),
            ]);
        }
        for request in denied {
            world.bench.refused(request).await;
        }
        // U1 to U3, U16, U19, N24, N25
        let mut invalid = vec![
            get(format!("{scheme}://{NAME}@{EVIL}:{trap}/open")),
            get(format!("{scheme}://{NAME}\\@{EVIL}:{trap}/open")),
            get(format!("{scheme}://{NAME}..:{port}/open")),
            get(format!("{url}/open\r\nx: y")),
            HttpRequest { method: "CONNECT".into(), ..world.get("/open") },
        ];
        for (name, value) in [
            ("Host", EVIL),
            (":authority", EVIL),
            ("X-Forwarded-Host", EVIL),
            ("Content-Length", "5"),
            ("Transfer-Encoding", "chunked"),
            ("TE", "trailers"),
            ("Connection", "close"),
            ("Upgrade", "h2c"),
            ("x-a", "b\r\nc: d"),
            ("x-a", "b\0"),
            ("x-a", "ö"),
            ("x a", "b"),
        ] {
            invalid.push(with(name, value, world.get("/open")));
        }
        for request in invalid {
            let shown = format!("{way:?} {request:?}");
            let error = world.bench.fetch(request).await.unwrap_err();
            assert!(matches!(error, HttpError::Invalid(_)), "{shown}: {error:?}");
        }
        assert_eq!((world.server.connections(), world.trap.connections()), (0, 0), "{way:?}");
        assert_eq!(world.bench.names.asked(), [""; 0]);
        assert_honest(&world).await;
    }
}

/// The next honest request works, and names its host once, in every place (U19, U20).
async fn assert_honest(world: &World) {
    world.bench.body(world.get("/open/x?y=1")).await;
    let came = &world.server.requests()[0];
    assert_eq!((came.method.as_str(), came.path.as_str()), ("GET", "/open/x?y=1"));
    assert_eq!(came.all("host"), [format!("{NAME}:{}", world.server.port)], "{:?}", world.server.way);
    assert_eq!(came.sni.as_deref(), (world.server.way != Way::Clear).then_some(NAME));
    assert_eq!(came.all("accept-encoding"), ["identity"]);
}

#[tokio::test]
async fn a_name_is_judged_by_all_of_its_addresses_and_asked_for_once() {
    // N1 to N4, N8, U8, U10
    for way in WAYS {
        for answer in [
            &["10.1.2.3"][..],
            &["169.254.169.254"],
            &["64:ff9b::a9fe:a9fe"],
            &["127.0.0.1", "10.0.0.1"],
            &["127.0.0.1", "fd00:ec2::254"],
            &["2606:4700::1111", "192.168.0.1"],
        ] {
            let names = Names::new(&[(NAME, &[answer])]);
            let world = World::with(way, names, guard::LIMITS, |_| text("")).await;
            world.bench.refused(world.get("/open")).await;
            assert_eq!((world.server.connections(), world.bench.names.asked().len()), (0, 1), "{way:?} {answer:?}");
            assert!(!world.bench.told.ends()[0].sent);
        }
        // The second answer leads elsewhere, and nobody asks for it.
        let names = Names::new(&[(NAME, &[&["127.0.0.1"], &["10.0.0.1"]])]);
        let world = World::with(way, names, guard::LIMITS, |_| text("x")).await;
        for _ in 0..3 {
            assert_eq!(world.bench.body(world.get("/open")).await, "x");
        }
        assert_eq!((world.server.connections(), world.bench.names.asked().len()), (1, 1), "{way:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_given_back_and_its_place_not_visited() {
    // N11 to N13, N15, N16
    for way in WAYS {
        let long = "x".repeat(10_000);
        for (status, place) in [
            (301, "https://TRAP/"),
            (302, "http://TRAP/"),
            (303, "https://user:pass@TRAP/"),
            (307, "//TRAP/"),
            (308, "/elsewhere"),
            (302, "http://169.254.169.254/latest"),
            (302, "file:///etc/passwd"),
            (302, &long),
        ] {
            let trap = Server::new(way, &authority(), &[EVIL], |_| text("")).await;
            let place = place.replace("TRAP", &format!("{EVIL}:{}", trap.port));
            let sent = place.clone();
            let moved = move |_: &Came| Reply { status, headers: vec![("location", sent.clone())], ..text("moved") };
            let world = World::new(way, moved).await;
            let came = world.bench.fetch(world.get("/open")).await;
            if place == long {
                // As one that is longer than the limit of the proxy, or of HTTP/2 itself.
                assert!(came.is_err(), "{way:?}: {came:?}");
            } else {
                let (came, headers, body) = came.unwrap();
                assert_eq!((came, body.as_str()), (status, "moved"), "{way:?}");
                assert!(headers.contains(&place), "{headers}");
            }
            assert_eq!((world.server.requests().len(), trap.connections()), (1, 0), "{way:?} {place}");
        }
    }
}

#[tokio::test]
async fn a_credential_goes_where_it_is_bound_and_comes_back_nowhere() {
    // N9, N26, C1, C7, C8, C20, C22. In the clear none is bound but to loopback, see `guard_credentials.rs`.
    for way in [Way::Tls, Way::Http2] {
        let world = World::new(way, echo).await;
        let (_, headers, body) = world.bench.fetch(world.get("/v1")).await.unwrap();
        assert_eq!(body, "<Bearer ****>", "{way:?}");
        assert!(headers.contains("****") && !headers.contains("canary"), "{headers}");
        assert_eq!(world.bench.body(world.get("/open")).await, "<>");
        let other = Principal::new("other");
        let grant = Grant {
            destinations: vec![to(&format!("{}/v1", world.server.url(NAME)))],
            ranges: vec!["127.0.0.0/8".parse().unwrap()],
            ..Grant::new(other.clone())
        };
        world.bench.proxy.grant(grant).unwrap();
        guard::fetch(&world.bench.proxy, &Sender::new(other), world.get("/v1")).await.unwrap();
        let came = world.server.requests();
        let keys: Vec<_> = came.iter().map(|came| came.all("authorization")).collect();
        assert_eq!(keys, [vec![&*format!("Bearer {KEY}")], vec![], vec![]], "{way:?}");
        let connections: Vec<_> = came.iter().map(|came| came.connection).collect();
        assert_eq!(connections, [1, 2, 3], "none is shared: {way:?}");
    }
}

#[tokio::test]
async fn a_body_without_end_is_cut_by_time_or_by_size() {
    // N19, N22
    let quota = Quota { bytes_max: u64::MAX, ..guard::LIMITS.quota };
    for way in WAYS {
        let limits =
            Limits { total_time_max: Duration::from_millis(500), body_bytes_max: u64::MAX, quota, ..guard::LIMITS };
        let slow = |_: &Came| Reply { endless: Some(Duration::from_millis(20)), ..text("x") };
        let world = World::with(way, Names::here(&[NAME]), limits, slow).await;
        let came = tokio::time::timeout(Duration::from_secs(20), world.bench.fetch(world.get("/open"))).await.unwrap();
        assert!(matches!(came, Err(HttpError::TimedOut(_))), "{way:?}: {came:?}");
        let fast = |_: &Came| Reply { endless: Some(Duration::ZERO), ..text(vec![b'x'; 16 << 10]) };
        let world = World::with(way, Names::here(&[NAME]), Limits { quota, ..guard::LIMITS }, fast).await;
        let came = tokio::time::timeout(Duration::from_secs(20), world.bench.fetch(world.get("/open"))).await.unwrap();
        assert!(matches!(came, Err(HttpError::Unusable(_))), "{way:?}: {came:?}");
    }
}
