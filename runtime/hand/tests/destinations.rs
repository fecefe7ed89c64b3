//! Where a request may go, and how somebody may try to have it go elsewhere.
//!
//! The letters in comments name the class of attack: U1 to U18.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

use handbox_hand::{Destination, Difference, Target};

fn to(text: &str) -> Destination {
    Destination::parse(text).unwrap()
}

fn covers(destination: &str, url: &str) -> bool {
    Target::parse(url).is_ok_and(|target| to(destination).covers("GET", &target))
}

fn all_refused(urls: &[&str]) {
    for url in urls {
        assert!(Target::parse(url).is_err(), "{url:?}");
    }
}

fn differs(destination: &str, method: &str, url: &str) -> Option<Difference> {
    to(destination).differs(method, &Target::parse(url).unwrap())
}

#[test]
fn a_url_with_a_user_is_no_target() {
    // U1
    all_refused(&[
        "https://api.example.com@evil.net/",
        "https://api.example.com:443@evil.net",
        "https://@evil.net/",
        "https://:@evil.net/",
        "https://api.example.com%40evil.net/",
        "https://user:pass@api.example.com/",
    ]);
}

#[test]
fn a_url_that_readers_disagree_on_is_no_target() {
    // U2
    all_refused(&[
        "https://api.example.com\\@evil.net/",
        "https:\\\\api.example.com/",
        "https://api.example\t.com/",
        "https://api.example.com/\r\nx: y",
        "https://api.example.com/\0",
        "https://api.example.com%0d%0a/",
        "https://api.example.com%00.evil.net/",
        " https://api.example.com/",
        "https:api.example.com/",
        "https:/api.example.com/",
        "https:///api.example.com/",
        "//api.example.com/",
        "/v1/messages",
        "",
    ]);
}

#[test]
fn a_name_with_a_dot_at_its_end_is_the_same_name_and_other_empty_labels_are_none() {
    // U3
    assert!(covers("https://api.example.com", "https://api.example.com./v1"));
    assert!(covers("https://api.example.com.", "https://api.example.com/v1"));
    assert_eq!(
        Target::parse("https://api.example.com.:8443/").unwrap().url().as_str(),
        "https://api.example.com:8443/"
    );
    all_refused(&[
        "https://api..example.com/",
        "https://.example.com/",
        "https://api.example.com../",
        "https://./",
        "https://../",
    ]);
    let long = format!("https://{}.com/", "a".repeat(64));
    all_refused(&[&long, &format!("https://{}com/", "abcdefghi.".repeat(26)), "https://*.example.com/", "https://*/"]);
}

#[test]
fn names_are_compared_as_what_is_looked_up() {
    // U4
    for same in [
        "https://API.Example.COM/",
        "https://ａｐｉ.example.com/",
        "https://a\u{ad}pi.example.com/",
        "https://api。example.com",
    ] {
        assert!(covers("https://api.example.com", same), "{same:?}");
    }
    assert!(covers("https://bücher.example", "https://xn--bcher-kva.example/"));
    assert_eq!(to("bücher.example").to_string(), "https://xn--bcher-kva.example");
    for twin in ["https://аpi.example.com/", "https://xn--pi-6kc.example.com/", "https://api.example.com.evil.net/"] {
        assert!(!covers("https://api.example.com", twin), "{twin:?}");
    }
}

#[test]
fn an_address_is_one_address_however_it_is_written() {
    // U5, U6, U7
    for same in [
        "http://%31%36%39.254.169.254/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://169.0xfea9fe/",
        "http://0xA9.254.169.0xfe/",
        "http://169.254.169.254./",
        "http://①⑥⑨.254.169.254/",
    ] {
        let target = Target::parse(same).unwrap();
        assert_eq!(target.address(), Some([169, 254, 169, 254].into()), "{same}");
        assert_eq!(target.host(), "169.254.169.254", "{same}");
    }
    assert!(covers("http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/any/path"));
    assert!(!covers("http://127.0.0.1", "http://[::ffff:127.0.0.1]/"));
    all_refused(&[
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[::1/",
        "http://256.1.1.1/",
        "http://1.2.3.4.5/",
    ]);
}

#[test]
fn a_wildcard_means_all_below_and_not_the_name_itself() {
    // U11
    let all = "https://*.example.com";
    assert!(covers(all, "https://a.example.com/") && covers(all, "https://a.b.example.com/x"));
    for other in
        ["https://example.com/", "https://evilexample.com/", "https://.example.com/", "https://a.example.com.evil.net/"]
    {
        assert!(!covers(all, other), "{other}");
    }
    for none in [
        "https://a.*.example.com",
        "https://*a.example.com",
        "https://*.*.example.com",
        "https://*.",
        "https://**",
        "https://*.0.0.1",
    ] {
        assert!(Destination::parse(none).is_err(), "{none}");
    }
}

#[test]
fn scheme_and_port_are_part_of_a_destination() {
    // U12, U13
    use Difference::{Host, Port, Scheme};
    let own = "https://api.example.com";
    assert_eq!(differs(own, "GET", "https://api.example.com:443/"), None);
    assert_eq!(differs(own, "GET", "https://api.example.com:8443/"), Some(Port));
    assert_eq!(differs(own, "GET", "http://api.example.com:443/"), Some(Scheme));
    assert_eq!(differs(own, "GET", "http://api.example.net/"), Some(Host));
    assert_eq!(differs("http://api.example.com", "GET", "http://api.example.com:80/"), None);
    all_refused(&["https://api.example.com:0/", "https://api.example.com:65536/", "https://api.example.com:-1/"]);
    all_refused(&[
        "ftp://api.example.com/",
        "file:///etc/passwd",
        "gopher://a.b/",
        "data:,x",
        "ws://a.b/",
        "wss://a.b/",
    ]);
    for none in ["https://api.example.com:", "api.example.com:/v1", "https:/api.example.com", "http:api.example.com"] {
        assert!(Destination::parse(none).is_err(), "{none}");
    }
}

#[test]
fn methods_match_exactly() {
    // U14
    let read = "GET,HEAD https://api.example.com/v1";
    assert_eq!(differs(read, "HEAD", "https://api.example.com/v1"), None);
    for method in ["POST", "get", "Get", "GETS", ""] {
        assert_eq!(differs(read, method, "https://api.example.com/v1"), Some(Difference::Method), "{method:?}");
    }
    assert_eq!(differs("https://api.example.com", "PATCH", "https://api.example.com/"), None);
    for none in [
        "get https://a.b",
        "CONNECT https://a.b",
        "GET,TRACE https://a.b",
        "GET,,HEAD https://a.b",
        "GET  https://a.b",
        ", a.b",
    ] {
        assert!(Destination::parse(none).is_err(), "{none}");
    }
}

#[test]
fn a_path_matches_by_whole_segments_however_it_is_written() {
    // U15
    let v1 = "https://api.example.com/v1/";
    for url in ["/v1", "/v1/", "/v1/messages?beta=true", "/v1/a/../b", "/v1/./b", "/x/../v1"] {
        assert!(covers(v1, &format!("https://api.example.com{url}")), "{url}");
    }
    for url in [
        "/v10",
        "/",
        "",
        "/V1/x",
        "/v1/../admin",
        "/v1/%2e%2e/admin",
        "/v1/.%2e/admin",
        "/v1/%2E%2E/admin",
        "/v1/..%2fadmin",
        "/v1/..%2Fadmin",
        "/v1/..%5cadmin",
        "/v1/..;x/admin",
        "/v1/%2e%2e;x/admin",
        "/v1/%252e%252e/admin",
        "/v1/%00/admin",
        "/v1/%c0%ae%C0%AE/admin",
        "/v1/%c1%9cadmin",
        "/v1/%e0%80%ae%e0%80%ae/admin",
        "/v1/%f0%80%80%ae/admin",
        "/v1%2fx",
        "//v1/x",
    ] {
        assert!(!covers(v1, &format!("https://api.example.com{url}")), "{url}");
    }
    assert!(covers("https://api.example.com", "https://api.example.com/a%2fb"), "all paths are all paths");
    assert!(covers("https://api.example.com/v1/models", "https://api.example.com/v1/models/x"));
}

#[test]
fn a_range_of_addresses_is_no_address_with_a_path() {
    for range in ["127.0.0.0/8", "10.1.2.3/32", "GET 10.0.0.0/8"] {
        let error = Destination::parse(range).unwrap_err().to_string();
        assert!(error.contains("range of addresses") && error.contains("[network] in config.toml"), "{error}");
    }
    for path in ["127.0.0.1/v1", "10.0.0.1/129", "https://127.0.0.1/8", "a.example/8", "10.0.0.1:80/8"] {
        assert!(Destination::parse(path).is_ok(), "{path}");
    }
}

#[test]
fn nothing_is_no_destination_and_every_host_only_on_purpose() {
    // U18
    for none in [
        "",
        " ",
        "\t",
        "https://",
        "https:// api.example.com",
        "api.example.com ",
        " api.example.com",
        "*",
        "https://*",
        "public https://*",
    ] {
        assert!(Destination::parse(none).is_err(), "{none:?}");
    }
    let any = Destination::parse_granted("*").unwrap();
    assert_eq!(any, Destination::parse_granted("https://*").unwrap());
    assert!(
        any.is_public_only()
            && any.below().is_none()
            && any.covers("GET", &Target::parse("https://a.example/").unwrap())
    );
    for other in ["http://a.example/", "https://a.example:8443/"] {
        assert!(!any.covers("GET", &Target::parse(other).unwrap()), "{other}");
    }
}

#[test]
fn a_name_alone_is_meant_as_https() {
    for (text, wanted) in [
        ("api.example.com", "https://api.example.com"),
        ("api.example.com:8443", "https://api.example.com:8443"),
        ("api.example.com/v1/", "https://api.example.com/v1"),
        ("*.Example.com:443", "https://*.example.com"),
        ("POST,GET api.example.com", "GET,POST https://api.example.com"),
        ("public api.example.com", "public https://api.example.com"),
        ("GET public http://[::1]:80/x", "GET public http://[::1]/x"),
        ("[::FFFF:10.0.0.1]:8080", "https://[::ffff:a00:1]:8080"),
        ("http://2130706433", "http://127.0.0.1"),
        ("localhost:8080", "https://localhost:8080"),
    ] {
        let destination = to(text);
        assert_eq!(destination.to_string(), wanted);
        assert_eq!(to(wanted), destination);
        let json = serde_json::to_string(&destination).unwrap();
        assert_eq!(json, format!("{wanted:?}"));
        assert_eq!(serde_json::from_str::<Destination>(&json).unwrap(), destination);
    }
    let any = serde_json::to_string(&Destination::parse_granted("*").unwrap()).unwrap();
    assert_eq!(serde_json::from_str::<Destination>(&any).unwrap(), Destination::parse_granted("*").unwrap());
}

#[test]
fn an_endpoint_is_one_absolute_url() {
    for url in ["https://api.example.com/v1", "http://ollama.lan:11434", "http://127.0.0.1:1/v1"] {
        assert_eq!(Destination::of_url(url), Destination::parse(url), "{url}");
    }
    for none in
        ["localhost:11434", "GET https://a.example", "public https://a.example", "https://*.a.example", "https://*"]
    {
        assert!(Destination::of_url(none).is_err(), "{none}");
    }
}

#[test]
fn what_was_asked_for_and_what_is_granted_is_what_both_allow() {
    for (asked, granted, both) in [
        ("https://api.example.com", "https://api.example.com/v1", Some("https://api.example.com/v1")),
        ("https://api.example.com/v1/a", "https://api.example.com/v1", Some("https://api.example.com/v1/a")),
        ("https://api.example.com/v1", "https://api.example.com/v10", None),
        ("https://*.example.com", "https://api.example.com", Some("https://api.example.com")),
        ("https://*.example.com/a", "https://*.eu.example.com", Some("https://*.eu.example.com/a")),
        ("https://*.example.com", "https://example.com", None),
        ("https://a.example.com", "https://b.example.com", None),
        ("https://a.example.com", "http://a.example.com", None),
        ("https://a.example.com", "https://a.example.com:8443", None),
        ("GET,POST https://a.example", "GET,HEAD https://a.example", Some("GET https://a.example")),
        ("https://a.example", "GET https://a.example", Some("GET https://a.example")),
        ("POST https://a.example", "GET https://a.example", None),
        ("http://10.0.0.1", "http://10.0.0.1", Some("http://10.0.0.1")),
        // Who asks for an address, or a name inside, does not get it from "any public host".
        ("https://10.0.0.1", "*", Some("public https://10.0.0.1")),
        ("https://*.corp.example", "*", Some("public https://*.corp.example")),
        ("public https://a.example", "https://a.example", Some("public https://a.example")),
        ("http://a.example", "*", None),
        ("*", "*", Some("https://*")),
    ] {
        let (one, other) = (Destination::parse_granted(asked).unwrap(), Destination::parse_granted(granted).unwrap());
        let wanted = both.map(str::to_owned);
        assert_eq!(one.narrowed_by(&other).map(|both| both.to_string()), wanted, "{asked} and {granted}");
        assert_eq!(other.narrowed_by(&one).map(|both| both.to_string()), wanted, "{granted} and {asked}");
    }
}

#[test]
fn an_address_that_is_refused_is_named_without_what_may_be_a_key() {
    for (url, named) in [
        ("https://me:canary@api.example.com/v1", "https://api.example.com is no destination: the URL names a user"),
        ("https://canary@api.example.com:8443", "https://api.example.com:8443 is"),
        ("https://api.example.com/v1?key=canary", "https://api.example.com is"),
        ("https://api.example.com/#canary", "https://api.example.com is"),
        ("https://api.example.com/canary/%2e%2e%2fx", "https://api.example.com is"),
        ("https://canary\\@api.example.com", "the address is"),
        ("https://me:can\tary@api.example.com", "the address is"),
        ("me:canary@api.example.com", "https://api.example.com is"),
        ("canary://api.example.com", "the address is"),
        ("httpcanary://api.example.com", "the address is"),
        ("https://me:canary@[", "the address is"),
        ("canary https://api.example.com", "methods in capitals"),
    ] {
        let error = Destination::parse(url).unwrap_err().to_string();
        assert!(error.contains(named) && !error.contains("canary"), "{error}");
    }
}

#[test]
fn only_https_and_loopback_are_private() {
    for (url, private) in [
        ("https://api.example.com", true),
        ("http://127.0.0.1:11434/v1", true),
        ("http://[::1]/", true),
        ("http://localhost:8080", true),
        ("http://192.168.1.5/", false),
        ("http://*.localhost/", false),
        ("http://localhost.evil.net/", false),
        ("http://127.0.0.1.evil.net/", false),
    ] {
        assert_eq!(to(url).is_private(), private, "{url}");
    }
}

#[test]
fn only_an_asterisk_alone_means_every_host() {
    for text in ["*.", "https://*.", "*.:443", "GET *.", "public *.", "http://*.:80/a", "%2A", "https://%2a/"] {
        let refused = Destination::parse_granted(text).expect_err(text).to_string();
        assert!(refused.contains("destination"), "{text}: {refused}");
    }
    assert!(Destination::parse_granted("*.").unwrap_err().to_string().contains("a name is missing behind `*.`"));
    for text in ["*", "https://*", "*:443", "http://*:80/a", "GET *", "public https://*"] {
        assert!(Destination::parse_granted(text).unwrap().is_wildcard(), "{text}");
    }
}
