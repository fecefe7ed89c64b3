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
