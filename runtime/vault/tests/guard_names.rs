//! Where names lead.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod fake;
mod guard;

use fake::answer;
use guard::{Named, Names, Setup, allowing, get};
use handbox_hand::{Http as _, HttpError, Principal, Sender, Verdict};
use handbox_vault::{Grant, Limits, Options, Proxy, Resolve, Trust};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A bench whose rule is for this name at this port.
fn bench(name: &str, port: u16, names: Arc<Names>, ranges: Vec<&'static str>) -> guard::Bench {
    Setup { names, ranges, ..allowing(&[&format!("http://{name}:{port}")]) }.open()
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_with_what_would_allow_it() {
    // N1, U8 to U10
    let server = Named::new("api.example.com", answer(200, "", "inside")).await;
    let url = format!("http://api.example.com:{}/", server.port);
    for (address, hint) in [
        ("127.0.0.1", "ranges = [\"127.0.0.1/32\"] under [network]"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("100.64.1.1", "100.64.1.1/32"),
        ("fd12::1", "fd12::1/128"),
        ("64:ff9b::7f00:1", "127.0.0.1/32"),
        ("2002:7f00:1::", "2002:7f00:1::/128"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1/128"),
        ("169.254.169.254", "nothing allows this"),
        ("fd00:ec2::254", "nothing allows this"),
        ("64:ff9b::a9fe:a9fe", "nothing allows this"),
    ] {
        let names = Names::new(&[("api.example.com", &[&[address]])]);
        let bench = bench("api.example.com", server.port, names, vec![]);
        let refused = bench.refused(get(&url)).await;
        assert!(refused.contains(hint) && refused.contains(address), "{address}: {refused}");
        assert_eq!(bench.names.asked(), ["api.example.com"]);
        // First it was let through to be looked up, then not.
        let verdicts = bench.told.verdicts();
        assert!(matches!(verdicts[..], [Verdict::Allowed { .. }, Verdict::Refused { .. }]), "{verdicts:?}");
        let ends = bench.told.ends();
        assert!(ends.len() == 1 && !ends[0].sent && ends[0].error.is_some(), "{ends:?}");
    }
    assert_eq!(server.connections(), 0);
    let bench = bench("api.example.com", server.port, Names::here(&["api.example.com"]), vec!["127.0.0.0/24"]);
    assert_eq!(bench.body(get(&url)).await, "inside", "the range was granted");
}

#[tokio::test]
async fn of_a_mixed_answer_nothing_is_used() {
    // N3, N4, N8
    let server = Named::new("api.example.com", answer(200, "", "")).await;
    let url = format!("http://api.example.com:{}/", server.port);
    for answer in [
        ["127.0.0.1", "10.0.0.1"],
        ["10.0.0.1", "127.0.0.1"],
        ["127.0.0.1", "fd00::1"],
        ["127.0.0.1", "169.254.169.254"],
        ["2606:4700::1111", "192.168.0.1"],
        ["127.0.0.1", "::1"],
    ] {
        let names = Names::new(&[("api.example.com", &[&answer])]);
        bench("api.example.com", server.port, names, vec!["127.0.0.0/8"]).refused(get(&url)).await;
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_connection_and_what_was_judged_is_connected_to() {
    // N2: the second answer leads elsewhere, and nobody asks for it.
    let server = Named::new("api.example.com", answer(200, "", "x")).await;
    let names = Names::new(&[("api.example.com", &[&["127.0.0.1"], &["10.0.0.1"]])]);
    let bench = bench("api.example.com", server.port, names, vec!["127.0.0.0/8"]);
    let url = format!("http://api.example.com:{}/", server.port);
    for _ in 0..3 {
        assert_eq!(bench.body(get(&url)).await, "x");
    }
    assert_eq!(bench.names.asked().len(), 1);
    assert_eq!(server.connections(), 1);
    assert_eq!(server.faults(), [""; 0], "the host is the name");
}

#[tokio::test]
async fn names_of_this_machine_and_its_neighbours_are_never_asked_for() {
    // N6, U10
    let names = ["a.localhost", "printer.local", "local", "metadata.google.internal", "metadata"];
    for name in names {
        let bench = bench(name, 80, Names::here(&names), vec!["127.0.0.0/8"]);
        bench.refused(get(format!("http://{name}/"))).await;
        assert_eq!(bench.names.asked(), [""; 0], "{name}");
    }
}

#[tokio::test]
async fn only_the_names_of_rules_are_asked_for() {
    // A10
    let names = Names::here(&["a.example.com", "b.example.com"]);
    let server = Named::new("a.example.com", answer(200, "", "x")).await;
    let bench = bench("a.example.com", server.port, names, vec!["127.0.0.0/8"]);
    for host in ["c2VjcmV0.evil.example", "b.example.com", "example.com", "x.a.example.com"] {
        bench.refused(get(format!("http://{host}:{}/", server.port))).await;
    }
    assert_eq!(bench.names.asked(), [""; 0]);
    bench.body(get(format!("http://A.example.com.:{}/", server.port))).await;
    assert_eq!(bench.names.asked(), ["a.example.com"]);
}

#[tokio::test]
async fn a_range_that_was_granted_does_not_widen_any_public_host() {
    // U18
    let names = Names::here(&["intranet.example"]);
    let bench = Setup { names, ..allowing(&["*", "public http://intranet.example"]) }.open();
    for url in ["https://intranet.example/", "http://intranet.example/"] {
        let refused = bench.refused(get(url)).await;
        assert!(refused.contains("--host with the name"), "{refused}");
    }
}

#[tokio::test]
async fn a_name_without_an_address_or_with_too_many_or_that_nobody_knows_is_unreachable() {
    let many: Vec<String> = (0..65).map(|last| format!("1.1.1.{last}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let names = Names::new(&[("none.example", &[&[]]), ("many.example", &[&many])]);
    let bench =
        Setup { names, ..allowing(&["http://none.example", "http://many.example", "http://unknown.example"]) }.open();
    for name in ["none", "many", "unknown"] {
        let error = bench.fetch(get(format!("http://{name}.example/?q=private"))).await.unwrap_err();
        assert!(matches!(error, HttpError::Unreachable(_)) && !error.to_string().contains("private"), "{error:?}");
    }
    assert!(bench.told.ends().iter().all(|end| !end.sent));
}

/// Answers never.
struct Silent;

#[async_trait::async_trait]
impl Resolve for Silent {
    async fn lookup(&self, _: &str) -> std::io::Result<Vec<IpAddr>> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_resolver_that_never_answers_is_waited_for_as_long_as_for_a_connection() {
    let limits = handbox_vault::Limits { connect_time_max: Duration::from_millis(100), ..guard::LIMITS };
    let grants = vec![allowing(&["http://api.example.com"]).grant()];
    let options = Options { grants, trust: Trust::Only(vec![]), resolver: Arc::new(Silent), ..Options::new(limits) };
    let (proxy, sender) = (Proxy::new(options).unwrap(), handbox_hand::Sender::new(guard::principal()));
    let asked = guard::fetch(&proxy, &sender, get("http://api.example.com/"));
    let error = tokio::time::timeout(Duration::from_secs(5), asked).await.unwrap().unwrap_err();
    assert!(matches!(error, HttpError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_rule_for_many_hosts_leaves_no_connection_open_at_each() {
    // N21
    let server = Named::new("a.example.com", answer(200, "", "x")).await;
    let names = Names::here(&["a.example.com"]);
    let bench = Setup { names, ..allowing(&[&format!("http://*.example.com:{}", server.port)]) }.open();
    for _ in 0..2 {
        bench.body(get(format!("http://a.example.com:{}/", server.port))).await;
    }
    assert_eq!(server.connections(), 2);
}

/// Never answers for some names, and counts who asked for them.
struct Deaf(Mutex<usize>);

#[async_trait::async_trait]
impl Resolve for Deaf {
    async fn lookup(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        if host.ends_with(".silent.example") {
            *self.0.lock().unwrap() += 1;
            std::future::pending::<()>().await;
        }
        Ok(vec![[127, 0, 0, 1].into()])
    }
}

#[tokio::test]
async fn one_principal_does_not_take_the_look_ups_of_all() {
    let server = Named::new("api.example.com", answer(200, "", "here")).await;
    let own = format!("http://api.example.com:{}", server.port);
    let limits = Limits { connect_time_max: Duration::from_millis(300), ..guard::LIMITS };
    let resolver = Arc::new(Deaf(Mutex::new(0)));
    let options = Options { trust: Trust::Only(vec![]), ..Options::new(limits) };
    let proxy = Proxy::new(Options { resolver: Arc::clone(&resolver) as _, ..options }).unwrap();
    for name in ["greedy", "modest"] {
        let destinations = vec![guard::to("http://*.silent.example"), guard::to(&own)];
        let ranges = vec!["127.0.0.0/8".parse().unwrap()];
        let principal = Principal::new(name);
        proxy.grant(Grant { destinations, ranges, ..Grant::new(principal) }).unwrap();
    }
    let sender = |name: &str| Sender::new(Principal::new(name));
    // Nobody waits for these any more, and they keep their places all the same.
    for at in 0..12 {
        let sent = proxy.send(&sender("greedy"), get(format!("http://a{at}.silent.example/"))).await;
        assert!(matches!(sent, Err(HttpError::Unreachable(_))), "{sent:?}");
    }
    assert_eq!(*resolver.0.lock().unwrap(), 8);
    assert_eq!(guard::fetch(&proxy, &sender("modest"), get(&own)).await.unwrap().2, "here");
}
