use super::*;
use crate::canned::Network;
use std::time::Duration;

#[test]
fn a_body_is_what_comes_out() {
    let network = Network::default().with("http://a.test/", 200, &[], "hello");
    assert_eq!(network.curl(&["a.test"]), (0, "hello".into(), String::new()));
    assert_eq!(network.curl(&["-i", "a.test"]).1, "HTTP/1.1 200 OK\r\n\r\nhello");
    assert_eq!(network.curl(&["-w", r"\n%{http_code} %{size_download}\n", "a.test"]).1, "hello\n200 5\n");
    assert_eq!(network.curl(&["-I", "a.test"]).1, "HTTP/1.1 200 OK\r\n\r\n");
    assert_eq!(network.lines().last().unwrap(), "HEAD http://a.test/");
}

#[test]
fn redirects_are_followed_only_if_asked_for() {
    let network = || {
        let network = Network::default().with("http://a.test/", 301, &[("location", "/b")], "moved");
        network.with("http://a.test/b", 200, &[], "there")
    };
    let (status, out, _) = network().curl(&["-w", "|%{redirect_url}", "a.test"]);
    assert_eq!((status, &*out), (0, "moved|http://a.test/b"));
    let (status, out, _) = network().curl(&["-sL", "-w", "|%{num_redirects} %{url_effective}", "a.test"]);
    assert_eq!((status, &*out), (0, "there|1 http://a.test/b"));
    let (_, out, err) = network().curl(&["-vIL", "a.test"]);
    assert_eq!(out, "HTTP/1.1 301 Moved Permanently\r\nlocation: /b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    assert!(err.contains("> HEAD /b HTTP/1.1\n> Host: a.test\n"), "{err}");
    assert!(err.contains("< HTTP/1.1 301 Moved Permanently\n< location: /b\n< \n"), "{err}");
}

#[test]
fn a_post_becomes_a_get_where_curl_makes_it_one() {
    let network = Network::default().with("http://a.test/", 302, &[("location", "http://a.test/b")], "");
    let network = network.with("http://a.test/b", 307, &[("location", "http://a.test/c")], "");
    let network = network.with("http://a.test/c", 200, &[], "");
    network.curl(&["-L", "-d", "x", "a.test"]);
    assert_eq!(network.lines(), ["POST http://a.test/", "GET http://a.test/b", "GET http://a.test/c"]);
    assert_eq!(network.asked.borrow()[1].body.bytes(), None);
}

#[test]
fn who_it_is_from_stays_with_the_first_host() {
    let network = || {
        let network = Network::default().with("https://a.test/", 302, &[("location", "https://b.test/")], "");
        network.with("https://b.test/", 302, &[("location", "https://a.test/c")], "").with(
            "https://a.test/c",
            200,
            &[],
            "",
        )
    };
    let sent = |network: &Network, at: usize| network.asked.borrow()[at].lines().join("\n");
    let elsewhere = network();
    elsewhere.curl(&["-L", "-u", "me:p", "-H", "Cookie: c", "-b", "d=1", "-H", "X-A: 1", "https://a.test"]);
    assert!(sent(&elsewhere, 0).contains("Authorization: Basic") && sent(&elsewhere, 0).contains("Cookie: c"));
    let second = sent(&elsewhere, 1);
    assert!(!second.contains("Authorization") && !second.contains("Cookie"), "{second}");
    assert!(second.contains("X-A: 1"));
    let named = network();
    named.curl(&["-L", "https://me:p@a.test"]);
    assert!(!sent(&named, 1).contains("Authorization"));
    let trusted = network();
    trusted.curl(&["--location-trusted", "-u", "me:p", "https://a.test"]);
    assert!(sent(&trusted, 1).contains("Authorization"));
}

#[test]
fn redirects_end() {
    let network = Network::default().with("http://a.test/", 302, &[("location", "/")], "");
    let (status, _, err) = network.curl(&["-sSL", "a.test"]);
    assert_eq!((status, &*err), (47, "curl: (47) Maximum (10) redirects followed\n"));
    assert_eq!(network.lines().len(), 11);
    assert_eq!(network.curl(&["-sL", "--max-redirs", "0", "a.test"]), (47, String::new(), String::new()));
    let away = Network::default().with("http://a.test/", 302, &[("location", "ftp://b.test/")], "");
    assert_eq!(away.curl(&["-L", "a.test"]).2, "curl: (1) Protocol \"ftp\" not supported\n");
}

#[test]
fn failing_is_failing_only_if_asked_for() {
    let network = Network::default().with("http://a.test/", 404, &[], "gone");
    assert_eq!(network.curl(&["a.test"]), (0, "gone".into(), String::new()));
    let said = "curl: (22) The requested URL returned error: 404\n";
    assert_eq!(network.curl(&["-f", "a.test"]), (22, String::new(), said.into()));
    assert_eq!(network.curl(&["-sf", "a.test"]), (22, String::new(), String::new()));
    assert_eq!(network.curl(&["--fail-with-body", "a.test"]), (22, "gone".into(), said.into()));
}

#[test]
fn troubles_have_curls_numbers() {
    for (trouble, status, part) in [
        (Trouble::Refused, 7, "a.test: this sandbox may not reach it; the operator can grant it (--host a.test)"),
        (Trouble::Name, 6, "Could not resolve host: a.test"),
        (Trouble::Connect("Connection refused".into()), 7, "Failed to connect to a.test port 443 after"),
        (Trouble::Late, 28, "milliseconds with 0 bytes received"),
        (Trouble::Slow("why".into()), 28, "why"),
        (Trouble::Tls("why".into()), 35, "TLS connect error: why"),
        (Trouble::Certificate, 60, "SSL certificate problem"),
        (Trouble::Empty, 52, "Empty reply from server"),
        (told("no whole answer came in time; x"), 28, "no whole answer"),
        (told("cannot connect: x"), 7, "port 443"),
        (told("this call may send no more now: x"), 55, "this call may send no more now: x"),
        (told("internal error: other\nStack"), 56, "Recv failure: other\n"),
    ] {
        let network = Network::default().trouble("https://a.test/", trouble.clone());
        let (code, out, err) = network.curl(&["-sS", "-w", "%{http_code}", "https://a.test"]);
        assert_eq!((code, &*out), (status, "000"), "{trouble:?}");
        assert!(err.starts_with(&format!("curl: ({status}) ")) && err.contains(part), "{err}");
    }
}

#[test]
fn what_is_no_url_is_said_and_the_next_goes_on() {
    let network = Network::default().with("http://a.test/", 200, &[], "x");
    assert_eq!(network.curl(&["ftp://a.test", "a.test"]).1, "x");
    assert_eq!(network.curl(&["a.test", "file:///x"]).0, 1);
    assert_eq!(network.curl(&["--fail-early", "-s", "a b", "a.test"]), (3, String::new(), String::new()));
    assert_eq!(network.curl(&["--proto", "=https", "a.test"]).2, "curl: (1) Protocol \"http\" disabled\n");
    assert_eq!(network.curl(&["a[b].test"]).0, 3);
}

#[test]
fn tries_again_what_may_pass() {
    let network = Network::default().with("http://a.test/", 503, &[("retry-after", "3")], "busy");
    let network = network.trouble("http://a.test/", Trouble::Slow("why".into())).with("http://a.test/", 200, &[], "ok");
    let (status, out, err) = network.curl(&["--retry", "3", "-w", " %{num_retries}", "a.test"]);
    assert_eq!((status, &*out), (0, "ok 2"));
    assert_eq!(*network.waited.borrow(), [Duration::from_secs(3), Duration::from_secs(2)]);
    assert!(err.starts_with("Warning: Problem: HTTP error. Will retry in 3 seconds. 3 retries left.\n"), "{err}");
    let never = Network::default().with("http://a.test/", 503, &[], "busy");
    assert_eq!(never.curl(&["-s", "--retry", "1", "a.test"]), (0, "busy".into(), String::new()));
    assert_eq!(never.lines().len(), 2);
    let refused = Network::default();
    assert_eq!(refused.curl(&["-s", "--retry", "5", "--retry-all-errors", "a.test"]).0, 7);
    assert_eq!(refused.lines().len(), 1);
}

#[test]
fn what_was_shown_is_not_shown_again() {
    let halves = vec![Ok(b"half".to_vec()), Err(Trouble::Slow("why".into()))];
    let network = Network::default().pieces("http://a.test/", 200, &[], halves);
    assert_eq!(network.curl(&["-s", "--retry", "1", "a.test"]), (28, "half".into(), String::new()));
    assert_eq!(network.lines().len(), 1);
}

#[test]
fn files_take_bodies_and_heads() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let network = Network::default().with("http://a.test/f.txt", 200, &[("x-a", "1")], "body");
    let network = network.with("http://a.test/none", 404, &[], "gone").with("http://a.test/1", 200, &[], "one");
    let dir = folder.path().to_str().unwrap();
    assert_eq!(
        network.curl(&["--output-dir", dir, "-OD", &path("heads"), "a.test/f.txt"]),
        (0, String::new(), String::new())
    );
    assert_eq!(std::fs::read(path("f.txt")).unwrap(), b"body");
    assert_eq!(std::fs::read(path("heads")).unwrap(), b"HTTP/1.1 200 OK\r\nx-a: 1\r\n\r\n");
    assert_eq!(network.curl(&["-sfo", &path("none"), "a.test/none"]).0, 22);
    assert!(!folder.path().join("none").exists());
    assert_eq!(network.curl(&["-o", &path("x#1"), "a.test/[1-1]"]).0, 0);
    assert_eq!(std::fs::read(path("x1")).unwrap(), b"one");
    let (status, _, err) = network.curl(&["-o", &path("no/such/x"), "a.test/1"]);
    assert_eq!(status, 23, "{err}");
    assert_eq!(
        network.curl(&["-so", "/dev/null", "-w", "%{size_download}", "a.test/1"]),
        (0, "3".into(), String::new())
    );
    assert_eq!(network.curl(&["-d", "@/no/such/file", "a.test/1"]).0, 26);
}

#[test]
fn a_download_goes_on_where_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::fs::write(&path, "abc").unwrap();
    let network = Network::default().with("http://a.test/", 206, &[], "def");
    assert_eq!(network.curl(&["-C", "-", "-o", path.to_str().unwrap(), "a.test"]).0, 0);
    assert_eq!(std::fs::read(&path).unwrap(), b"abcdef");
    assert!(network.asked.borrow()[0].headers.contains(&("Range".into(), "bytes=3-".into())));
    let done = Network::default().with("http://a.test/", 416, &[], "");
    assert_eq!(done.curl(&["-f", "-C", "-", "-o", path.to_str().unwrap(), "a.test"]).0, 0);
    let whole = Network::default().with("http://a.test/", 200, &[], "abcdef");
    assert_eq!(whole.curl(&["-C", "3", "-o", path.to_str().unwrap(), "a.test"]).0, 33);
}

#[test]
fn cookies_are_kept_through_redirects_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let jar = folder.path().join("jar");
    let network = Network::default().with("http://a.test/", 302, &[("location", "/b"), ("set-cookie", "s=1")], "");
    let network = network.with("http://a.test/b", 200, &[], "");
    assert_eq!(network.curl(&["-L", "-c", jar.to_str().unwrap(), "a.test"]).0, 0);
    assert!(network.asked.borrow()[1].headers.contains(&("Cookie".into(), "s=1".into())));
    assert!(std::fs::read_to_string(&jar).unwrap().ends_with("a.test\tFALSE\t/\tFALSE\t0\ts\t1\n"));
}

#[test]
fn an_upload_takes_its_name_and_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b");
    std::fs::write(&path, "up").unwrap();
    let network = Network::default().with("http://a.test/d/a%20b", 201, &[], "");
    assert_eq!(
        network.curl(&["-T", path.to_str().unwrap(), "-w", "%{size_upload}", "a.test/d/"]),
        (0, "2".into(), String::new())
    );
    assert_eq!(network.lines(), ["PUT http://a.test/d/a%20b"]);
}

#[test]
fn a_referer_may_follow() {
    let network =
        Network::default().with("http://a.test/", 302, &[("location", "/b")], "").with("http://a.test/b", 200, &[], "");
    network.curl(&["-L", "-e", ";auto", "a.test"]);
    let referer = |at: usize| {
        network.asked.borrow()[at].headers.iter().any(|(name, value)| name == "Referer" && value == "http://a.test/")
    };
    assert!(!referer(0) && referer(1));
}
