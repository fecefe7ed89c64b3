use super::*;
use crate::{PolicyError, Secret};

fn to(text: &str) -> Destination {
    Destination::parse_granted(text).unwrap()
}

fn secret() -> Secret {
    Secret::new("sk-canary-0123").unwrap()
}

fn binding(name: &str, text: &str) -> Binding {
    Binding::header(name, to(text), "x-api-key", secret()).unwrap()
}

fn rules(destinations: &[&str], bindings: Vec<Binding>) -> Rules {
    ranged(destinations, bindings, &[])
}

fn ranged(destinations: &[&str], bindings: Vec<Binding>, ranges: &[&str]) -> Rules {
    let destinations = destinations.iter().map(|text| to(text)).collect();
    let ranges = ranges.iter().map(|range| range.parse().unwrap()).collect();
    Rules { grant: Grant { destinations, bindings, ranges, ..Grant::new(Principal::new("model")) } }
}

fn decide(rules: &Rules, method: &str, url: &str) -> Result<Option<usize>, Refusal> {
    let target = Target::parse(url).unwrap();
    let asked = Asked { method, target: &target, headers: &[], read_only: false };
    rules.decide(asked).map(|allowed| allowed.pool.binding)
}

fn get(rules: &Rules, url: &str) -> Result<Option<usize>, Refusal> {
    decide(rules, "GET", url)
}

#[test]
fn a_credential_goes_where_it_is_bound_and_nowhere_else() {
    let rules =
        rules(&["https://open.example"], vec![binding("a", "https://a.example/v1"), binding("b", "https://b.example")]);
    assert_eq!(get(&rules, "https://a.example/v1/messages"), Ok(Some(0)));
    assert_eq!(get(&rules, "https://b.example/"), Ok(Some(1)));
    assert_eq!(get(&rules, "https://open.example/x"), Ok(None));
    let elsewhere = get(&rules, "https://evil.example:8443/?q=private").unwrap_err();
    assert_eq!(elsewhere.hint, "--host https://evil.example:8443");
    assert!(!elsewhere.reason.contains("private"));
}

/// C20
#[test]
fn a_request_beside_a_binding_is_refused_with_what_differs() {
    let rules = rules(&["*", "https://*.example"], vec![binding("a", "POST https://a.example/v1")]);
    for (method, url, part) in [
        ("POST", "https://a.example/v2", "path"),
        ("POST", "https://a.example/v1/../v2", "path"),
        ("POST", "http://a.example/v1", "scheme"),
        ("POST", "https://a.example:8443/v1", "port"),
        ("GET", "https://a.example/v1", "method"),
    ] {
        let refusal = decide(&rules, method, url).unwrap_err();
        assert!(
            refusal.reason.contains("\"a\"") && refusal.reason.contains(&format!("the {part} ")),
            "{}",
            refusal.reason
        );
    }
    assert_eq!(get(&rules, "https://b.example/v1"), Ok(None));
}

/// C20
#[test]
fn beside_a_binding_only_a_rule_that_is_as_narrow_lets_a_request_go_without() {
    let bound = || vec![binding("a", "https://*.a.example/v1")];
    for (rule, is_enough) in
        [("*", false), ("https://*.example", false), ("https://*.a.example", true), ("https://x.a.example", true)]
    {
        assert_eq!(get(&rules(&[rule], bound()), "https://x.a.example/v2").is_ok(), is_enough, "{rule}");
        assert_eq!(get(&rules(&[rule], bound()), "https://x.a.example/v1"), Ok(Some(0)), "{rule}");
    }
}

/// U17
#[test]
fn two_bindings_for_one_request_are_one_too_many() {
    let rules =
        rules(&["https://a.example"], vec![binding("a", "https://a.example"), binding("b", "https://a.example/v1")]);
    assert_eq!(get(&rules, "https://a.example/"), Ok(Some(0)));
    let refusal = get(&rules, "https://a.example/v1/x").unwrap_err();
    assert!(refusal.reason.contains("both"), "{}", refusal.reason);
}

/// U14, A20
#[test]
fn who_only_reads_sends_nothing_that_may_change_something() {
    let (rules, restricted) = (rules(&["https://a.example"], vec![]), rules(&["GET,POST https://a.example"], vec![]));
    let target = Target::parse("https://a.example/").unwrap();
    let asked = |method, header: &str, read_only| {
        let headers = [(header.to_owned(), "DELETE".to_owned())];
        (
            rules.decide(Asked { method, target: &target, headers: &headers, read_only }).is_ok(),
            restricted.decide(Asked { method, target: &target, headers: &headers, read_only }).is_ok(),
        )
    };
    for method in ["GET", "HEAD"] {
        assert!(asked(method, "accept", true).0, "{method}");
    }
    for method in ["POST", "get", "PUT", "OPTIONS", "X"] {
        assert!(!asked(method, "accept", true).0, "{method}");
    }
    for header in ["X-HTTP-Method-Override", "x-http-method", "X_Method_Override"] {
        assert!(!asked("GET", header, true).0, "{header}");
        assert_eq!(asked("POST", header, false), (true, false), "{header}");
    }
}

/// U5 to U10
#[test]
fn an_address_in_a_url_is_judged_like_one_that_a_name_leads_to() {
    let any = rules(&["*"], vec![]);
    assert_eq!(get(&any, "https://1.1.1.1/"), Ok(None));
    for url in [
        "https://10.0.0.1/",
        "https://0x7f.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://localhost/",
        "https://a.localhost/",
        "https://printer.local/",
        "https://2852039166/",
        "https://metadata.google.internal/",
    ] {
        assert!(get(&any, url).is_err(), "{url}");
        let granted = ranged(&["*"], vec![], &["0.0.0.0/0", "::/0"]);
        assert!(get(&granted, url).is_err(), "a range does not widen \"any public host\": {url}");
    }
    let refusal = get(&any, "https://10.0.0.1/").unwrap_err();
    assert!(refusal.reason.contains("10.0.0.0/8, private use"), "{}", refusal.reason);
    assert_eq!(refusal.hint, "--host https://10.0.0.1");
}

#[test]
fn an_address_that_the_operator_named_is_granted_and_metadata_is_not() {
    let named = rules(
        &["http://10.0.0.1:8080", "http://localhost:1", "http://169.254.169.254", "http://metadata.google.internal"],
        vec![],
    );
    assert_eq!(get(&named, "http://10.0.0.1:8080/x"), Ok(None));
    assert_eq!(get(&named, "http://167772161:8080/x"), Ok(None), "the same address");
    assert_eq!(get(&named, "http://localhost:1/"), Ok(None));
    for url in ["http://10.0.0.2:8080/", "http://169.254.169.254/", "http://metadata.google.internal/"] {
        assert!(get(&named, url).is_err(), "{url}");
    }
    let asked = rules(&["public https://10.0.0.1"], vec![]);
    assert!(get(&asked, "https://10.0.0.1/").is_err(), "somebody asked for it, and was granted public hosts");
}

/// U18
#[test]
fn without_a_rule_nothing_may_go() {
    assert!(get(&rules(&[], vec![]), "https://a.example/").unwrap_err().hint.contains("--host https://a.example"));
    let post = decide(&rules(&["GET https://a.example"], vec![]), "POST", "https://a.example/").unwrap_err();
    assert_eq!(post.hint, "--host 'POST https://a.example'");
    for method in ["X'$(reboot)'", "`x`", "a&b", "get", "M-SEARCH"] {
        let refusal = decide(&rules(&["GET https://a.example"], vec![]), method, "https://a.example/").unwrap_err();
        assert_eq!(refusal.hint, "--host https://a.example", "{method}");
    }
}

#[test]
fn a_binding_that_would_be_read_on_the_way_or_by_anybody_is_none() {
    assert!(matches!(Binding::bearer("a", to("http://a.example"), secret()), Err(PolicyError::Readable(_))));
    assert!(Binding::bearer("a", to("http://127.0.0.1:1"), secret()).is_ok());
    let anybody = ["*", "*.com", "*.co.uk", "*.github.io", "*.foo.ck", "*.compute.amazonaws.com", "*.公司.cn", "*.lan"];
    for broad in anybody {
        assert!(matches!(Binding::bearer("a", to(broad), secret()), Err(PolicyError::Broad(_))), "{broad}");
    }
    for one in ["*.example.com", "*.example.co.uk", "*.me.github.io", "*.www.ck", "*.corp.lan", "co.uk", "github.io"] {
        assert!(Binding::bearer("a", to(one), secret()).is_ok(), "{one}");
    }
    // What goes without a credential is the operator's word.
    assert!(get(&rules(&["*.co.uk"], vec![]), "https://a.co.uk/").is_ok());
    assert!(get(&rules(&["*.com"], vec![]), "https://a.com/").is_ok());
    for header in ["Host", "content-length", "Transfer-Encoding", "a b", "", "proxy-authorization"] {
        let made = Binding::header("a", to("https://a.example"), header, secret());
        assert!(matches!(made, Err(PolicyError::Header(_))), "{header:?}");
    }
    assert!(!format!("{:?}", binding("a", "https://a.example")).contains("canary"));
}

#[test]
fn no_flag_is_named_that_would_not_allow_it() {
    for url in ["http://169.254.169.254/latest", "http://[fd00:ec2::254]/", "http://metadata.google.internal/"] {
        for granted in [vec![], vec!["https://api.example.com"], vec!["http://169.254.169.254/other"]] {
            let refused = get(&rules(&granted, vec![]), url).unwrap_err();
            assert_eq!(refused.hint, "nothing allows this", "{url} {granted:?}");
        }
    }
    let refused = get(&rules(&["https://a.example"], vec![]), "https://b.example/").unwrap_err();
    assert_eq!(refused.hint, "--host https://b.example");
    // What means public addresses alone, no range widens.
    let refused = get(&rules(&["http://*:9102"], vec![]), "http://127.0.0.1:9102/").unwrap_err();
    assert_eq!(refused.hint, "--host http://127.0.0.1:9102");
    assert!(get(&rules(&["http://*:9102", "http://127.0.0.1:9102"], vec![]), "http://127.0.0.1:9102/").is_ok());
}

#[test]
fn the_rule_that_comes_nearest_is_named_and_a_path_that_is_unclear_is_called_so() {
    let near = rules(&["GET https://a.example/v2"], vec![binding("a", "https://a.example/v1")]);
    let refused = decide(&near, "POST", "https://a.example/v2/x").unwrap_err();
    assert!(refused.reason.starts_with("GET https://a.example/v2 is granted, and the method"), "{}", refused.reason);
    assert_eq!(refused.hint, "--host 'POST https://a.example'");
    for (url, rule) in
        [("https://a.example/v1/%2e%2e%2fx", "\"a\" is bound to"), ("https://b.example/v1/..;a/x", "granted")]
    {
        let refused =
            get(&rules(&["https://b.example/v1"], vec![binding("a", "https://a.example/v1")]), url).unwrap_err();
        assert!(refused.reason.contains("in different ways") && refused.reason.contains(rule), "{}", refused.reason);
        assert!(!refused.reason.contains("is another"), "{}", refused.reason);
    }
}
