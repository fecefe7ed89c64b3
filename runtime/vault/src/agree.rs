//! The guard and the connector read a URL in one way.

use handbox_hand::Target;
use http::Uri;

/// What the HTTP client will connect to, and that this is what was matched.
///
/// Both readings come from one parser; this is the check that the client's own type, which it makes of the URL, did not
/// read it again in another way.
pub(crate) fn check(target: &Target) -> Result<(), String> {
    let differs = || "the URL is read in different ways".to_owned();
    let uri: Uri = target.url().as_str().parse().map_err(|_| "the URL holds what HTTP cannot carry".to_owned())?;
    let authority = uri.authority().ok_or_else(differs)?;
    let scheme = uri.scheme_str().ok_or_else(differs)?;
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let same = host == target.host() && port == target.port() && scheme == target.url().scheme();
    let same_path = uri.path() == target.url().path();
    if same && same_path && !authority.as_str().contains('@') { Ok(()) } else { Err(differs()) }
}

/// Whether the guard and the connector agree on any text at all: for tests and fuzz targets.
///
/// # Errors
///
/// Where they do not, what each of them reads.
pub fn guard_agrees_with_connector(text: &str) -> Result<(), String> {
    // What the guard does not read is not sent.
    let Ok(target) = Target::parse(text) else { return Ok(()) };
    if check(&target).is_err() {
        return Ok(());
    }
    let sent = reqwest::Request::new(reqwest::Method::GET, target.url().clone());
    let uri: Uri = sent.url().as_str().parse().map_err(|error| format!("{text:?} is no URI: {error}"))?;
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 });
    let literal = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let read = (target.host(), target.port(), target.address());
    let connected = (host.trim_start_matches('[').trim_end_matches(']'), port, literal);
    let again = Target::parse(target.url().as_str());
    if read == connected && again.as_ref() == Ok(&target) {
        Ok(())
    } else {
        Err(format!("{text:?} is matched as {read:?} and connected to as {connected:?}; read again it is {again:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use reqwest::dns::{Name, Resolve, Resolving};
    use std::sync::{Arc, Mutex};

    /// Texts that look like URLs, with what parsers disagree on strewn in.
    fn urls() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("https://".to_owned()),
            Just("http:".to_owned()),
            "[a-z0-9.:@/\\\\%\\[\\]?#;*_ -]{0,6}",
            "%[0-9a-fA-F]{2}",
            "0x[0-9a-f]{1,8}",
            "[0-9]{1,10}",
            Just("..".to_owned()),
            Just("[::ffff:1.2.3.4]".to_owned()),
            "\\PC{0,3}",
            Just("\u{ad}".to_owned()),
            Just("。".to_owned()),
            Just("xn--".to_owned()),
            Just("api.example.com".to_owned()),
        ];
        let start = prop_oneof![Just("https://"), Just("http://"), Just("")];
        (start, prop::collection::vec(piece, 0..8)).prop_map(|(start, pieces)| start.to_owned() + &pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_matched_is_what_is_connected_to(text in urls()) {
            prop_assert_eq!(guard_agrees_with_connector(&text), Ok(()));
        }

        #[test]
        fn whatever_the_text(text in ".*") {
            prop_assert_eq!(guard_agrees_with_connector(&text), Ok(()));
        }
    }

    /// Remembers the name that the HTTP client would connect to, and knows none.
    #[derive(Default)]
    struct Asked(Mutex<Vec<String>>);

    impl Resolve for Asked {
        fn resolve(&self, name: Name) -> Resolving {
            self.0.lock().unwrap().push(name.as_str().to_owned());
            Box::pin(async { Err("no such name".into()) })
        }
    }

    #[test]
    fn the_name_that_is_matched_is_the_name_that_the_client_asks_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let asked = Arc::new(Asked::default());
        let provider = rustls::crypto::ring::default_provider();
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
        let tls = tls.unwrap().with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls).dns_resolver(Arc::clone(&asked));
        let client = client.no_proxy().build().unwrap();
        let names = std::cell::Cell::new(0);
        proptest!(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() }, |(text in urls())| {
            // An address is connected to without asking.
            let target = Target::parse(&text).ok().filter(|target| target.address().is_none() && check(target).is_ok());
            if let Some(target) = target {
                runtime.block_on(client.get(target.url().clone()).send()).unwrap_err();
                // Of some names TLS says at once that no certificate can be for them.
                if let Some(name) = asked.0.lock().unwrap().pop() {
                    prop_assert_eq!(name, target.host());
                    names.set(names.get() + 1);
                }
            }
        });
        let names = names.get();
        assert!(names > 25, "{names} of the texts were URLs with a name");
    }

    #[test]
    fn an_honest_url_is_read_by_both() {
        for url in [
            "https://api.example.com/v1?x=%7B1%7D",
            "http://[::1]:8080/",
            "http://2130706433/",
            "https://bücher.example/ü",
        ] {
            let target = Target::parse(url).unwrap();
            assert_eq!(check(&target), Ok(()), "{url}");
        }
    }
}
