//! The options by name: what each takes, and what becomes of it here.

/// What is done with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It is off or on.
    Switch,
    /// It takes a value.
    Value,
    /// A switch about what is the host's: connections, TLS, compression.
    NothingSwitch,
    /// The same, with a value.
    NothingValue,
    /// It would change where a request goes or who it is from, so it is said that it does not.
    Unheeded,
    /// It cannot be had, and what is asked for would be wrong without it.
    Refused,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flag {
    pub(crate) long: &'static str,
    pub(crate) kind: Kind,
}

impl Flag {
    pub(crate) fn takes_value(self) -> bool {
        matches!(self.kind, Kind::Value | Kind::NothingValue | Kind::Unheeded)
    }
}

const SWITCHES: &[(&str, char)] = &[
    ("append", 'a'),
    ("create-dirs", ' '),
    ("fail", 'f'),
    ("fail-early", ' '),
    ("fail-with-body", ' '),
    ("get", 'G'),
    ("globoff", 'g'),
    ("head", 'I'),
    ("help", 'h'),
    ("include", 'i'),
    ("show-headers", ' '),
    ("junk-session-cookies", 'j'),
    ("location", 'L'),
    ("location-trusted", ' '),
    ("manual", 'M'),
    ("next", ':'),
    ("no-clobber", ' '),
    ("post301", ' '),
    ("post302", ' '),
    ("post303", ' '),
    ("remote-header-name", 'J'),
    ("remote-name", 'O'),
    ("remote-name-all", ' '),
    ("remove-on-error", ' '),
    ("retry-all-errors", ' '),
    ("retry-connrefused", ' '),
    ("show-error", 'S'),
    ("silent", 's'),
    ("skip-existing", ' '),
    ("verbose", 'v'),
    ("version", 'V'),
];

const VALUES: &[(&str, char)] = &[
    ("connect-timeout", ' '),
    ("continue-at", 'C'),
    ("cookie", 'b'),
    ("cookie-jar", 'c'),
    ("data", 'd'),
    ("data-ascii", ' '),
    ("data-binary", ' '),
    ("data-raw", ' '),
    ("data-urlencode", ' '),
    ("dump-header", 'D'),
    ("form", 'F'),
    ("form-string", ' '),
    ("header", 'H'),
    ("json", ' '),
    ("max-filesize", ' '),
    ("max-redirs", ' '),
    ("max-time", 'm'),
    ("oauth2-bearer", ' '),
    ("output", 'o'),
    ("output-dir", ' '),
    ("proto", ' '),
    ("proto-redir", ' '),
    ("range", 'r'),
    ("referer", 'e'),
    ("request", 'X'),
    ("retry", ' '),
    ("retry-delay", ' '),
    ("retry-max-time", ' '),
    ("upload-file", 'T'),
    ("url", ' '),
    ("url-query", ' '),
    ("user", 'u'),
    ("user-agent", 'A'),
    ("write-out", 'w'),
];

const NOTHING_SWITCHES: &[(&str, char)] = &[
    ("anyauth", ' '),
    ("basic", ' '),
    ("buffer", ' '),
    ("cert-status", ' '),
    ("compressed", ' '),
    ("disable", 'q'),
    ("http0.9", ' '),
    ("http1.0", '0'),
    ("http1.1", ' '),
    ("http2", ' '),
    ("http2-prior-knowledge", ' '),
    ("http3", ' '),
    ("http3-only", ' '),
    ("insecure", 'k'),
    ("ipv4", '4'),
    ("ipv6", '6'),
    ("keepalive", ' '),
    ("netrc", 'n'),
    ("netrc-optional", ' '),
    ("no-buffer", 'N'),
    ("parallel", 'Z'),
    ("parallel-immediate", ' '),
    ("path-as-is", ' '),
    ("progress-bar", '#'),
    ("progress-meter", ' '),
    ("raw", ' '),
    ("remote-time", 'R'),
    ("sessionid", ' '),
    ("ssl", ' '),
    ("ssl-no-revoke", ' '),
    ("ssl-reqd", ' '),
    ("ssl-revoke-best-effort", ' '),
    ("sslv2", '2'),
    ("sslv3", '3'),
    ("styled-output", ' '),
    ("tcp-fastopen", ' '),
    ("tcp-nodelay", ' '),
    ("tlsv1", '1'),
    ("tlsv1.0", ' '),
    ("tlsv1.1", ' '),
    ("tlsv1.2", ' '),
    ("tlsv1.3", ' '),
    ("tr-encoding", ' '),
];

const NOTHING_VALUES: &[(&str, char)] = &[
    ("cacert", ' '),
    ("capath", ' '),
    ("ciphers", ' '),
    ("create-file-mode", ' '),
    ("expect100-timeout", ' '),
    ("happy-eyeballs-timeout-ms", ' '),
    ("keepalive-time", ' '),
    ("limit-rate", ' '),
    ("noproxy", ' '),
    ("parallel-max", ' '),
    ("proto-default", ' '),
    ("rate", ' '),
    ("speed-limit", 'Y'),
    ("speed-time", 'y'),
    ("tls-max", ' '),
    ("tls13-ciphers", ' '),
];

const UNHEEDED: &[(&str, char)] = &[
    ("cert", 'E'),
    ("cert-type", ' '),
    ("interface", ' '),
    ("key", ' '),
    ("key-type", ' '),
    ("local-port", ' '),
    ("pass", ' '),
    ("preproxy", ' '),
    ("proxy", 'x'),
    ("proxy-header", ' '),
    ("proxy-user", 'U'),
    ("socks5", ' '),
    ("socks5-hostname", ' '),
];

const REFUSED: &[(&str, char)] = &[
    ("abstract-unix-socket", ' '),
    ("aws-sigv4", ' '),
    ("config", 'K'),
    ("connect-to", ' '),
    ("digest", ' '),
    ("doh-url", ' '),
    ("negotiate", ' '),
    ("netrc-file", ' '),
    ("ntlm", ' '),
    ("proxytunnel", 'p'),
    ("quote", 'Q'),
    ("request-target", ' '),
    ("resolve", ' '),
    ("stderr", ' '),
    ("time-cond", 'z'),
    ("trace", ' '),
    ("trace-ascii", ' '),
    ("unix-socket", ' '),
];

const TABLES: [(Kind, &[(&str, char)]); 6] = [
    (Kind::Switch, SWITCHES),
    (Kind::Value, VALUES),
    (Kind::NothingSwitch, NOTHING_SWITCHES),
    (Kind::NothingValue, NOTHING_VALUES),
    (Kind::Unheeded, UNHEEDED),
    (Kind::Refused, REFUSED),
];

/// The option of that name, without its hyphens.
pub(crate) fn long(name: &str) -> Option<Flag> {
    all().find(|(flag, _)| flag.long == name).map(|(flag, _)| flag)
}

/// The option of that letter.
pub(crate) fn short(letter: char) -> Option<Flag> {
    all().find(|&(_, own)| own == letter && own != ' ').map(|(flag, _)| flag)
}

fn all() -> impl Iterator<Item = (Flag, char)> {
    TABLES.into_iter().flat_map(|(kind, table)| table.iter().map(move |&(long, letter)| (Flag { long, kind }, letter)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;

    #[test]
    fn each_name_and_each_letter_stands_once() {
        let names: Vec<&str> = all().map(|(flag, _)| flag.long).collect();
        let letters: Vec<char> = all().map(|(_, letter)| letter).filter(|&letter| letter != ' ').collect();
        for (at, name) in names.iter().enumerate() {
            assert!(!names[..at].contains(name), "{name}");
        }
        for (at, letter) in letters.iter().enumerate() {
            assert!(!letters[..at].contains(letter), "{letter}");
        }
    }

    #[test]
    fn each_option_is_known_to_who_sets_it() {
        for (flag, _) in all() {
            let mut options = Options::default();
            match flag.kind {
                Kind::Switch => assert!(options.switch(flag.long, true), "{}", flag.long),
                Kind::Value => {
                    let typed = if flag.long.starts_with("form") { "a=1" } else { "1" };
                    let set = options.value(flag.long, typed);
                    assert!(set.is_ok(), "{}: {set:?}", flag.long);
                }
                _ => {}
            }
        }
    }
}
