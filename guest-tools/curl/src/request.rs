//! What is sent: method, headers and body, out of the options.

use crate::data;
use crate::failure::{Failure, Trouble, code};
use crate::form;
use crate::options::Options;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use url::Url;

/// Servers tell curl from browsers by the word before the slash.
pub(crate) const AGENT: &str = "curl/8.0 (handbox)";
/// How much of a file is held while it is sent.
const PIECE_BYTES: usize = 64 * 1024;
/// Headers about the connection and the length of the body: those are the host's to send.
const FRAMING: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without a user name and password.
    pub(crate) url: Url,
    /// In the order in which they are sent.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

impl Request {
    /// The host and, if it is not the usual one, the port.
    pub(crate) fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The path with the query.
    pub(crate) fn target(&self) -> String {
        let path = self.url.path();
        self.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }

    /// The head as it is written in HTTP/1.1, one line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines =
            vec![format!("{} {} HTTP/1.1", self.method, self.target()), format!("Host: {}", self.authority())];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.extend(self.body.bytes().map(|bytes| format!("Content-Length: {bytes}")));
        lines
    }
}

/// What follows the head of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Body {
    /// `None` if there is no body, which is not an empty one.
    pub(crate) pieces: Option<Vec<Piece>>,
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    File { name: String, bytes: u64 },
    Stdin,
}

impl Piece {
    /// A file as it is now, or standard input for `-` and `.`.
    pub(crate) fn file(name: &str) -> Result<Self, Failure> {
        if matches!(name, "-" | ".") {
            return Ok(Self::Stdin);
        }
        // Opening tells at once whether it can be read.
        let about = File::open(name).and_then(|file| file.metadata());
        let about = about.map_err(|error| Failure::reading(name, &error))?;
        if about.is_dir() {
            return Err(Failure::reading(name, &std::io::Error::from(ErrorKind::IsADirectory)));
        }
        if about.is_file() {
            return Ok(Self::File { name: name.to_owned(), bytes: about.len() });
        }
        // Of a device nobody knows the length.
        fs::read(name).map(Self::Bytes).map_err(|error| Failure::reading(name, &error))
    }
}

impl Body {
    /// A body that is there already.
    pub(crate) fn whole(bytes: Vec<u8>) -> Self {
        Self { pieces: Some(vec![Piece::Bytes(bytes)]) }
    }

    /// How long it is, if there is one and that is known.
    pub(crate) fn bytes(&self) -> Option<u64> {
        self.pieces.as_ref()?.iter().try_fold(0_u64, |sum, piece| match piece {
            Piece::Bytes(bytes) => Some(sum + bytes.len() as u64),
            Piece::File { bytes, .. } => Some(sum + bytes),
            Piece::Stdin => None,
        })
    }

    /// Whether it can be sent once only.
    pub(crate) fn once(&self) -> bool {
        self.pieces.iter().flatten().any(|piece| *piece == Piece::Stdin)
    }

    /// Gives all of it, a little at a time.
    pub(crate) fn pieces(&self, sink: &mut dyn FnMut(&[u8]) -> Result<(), Trouble>) -> Result<(), Trouble> {
        for piece in self.pieces.iter().flatten() {
            match piece {
                Piece::Bytes(bytes) => sink(bytes)?,
                Piece::Stdin => {
                    copy(std::io::stdin().lock(), "standard input", sink)?;
                }
                Piece::File { name, bytes } => {
                    let file = File::open(name).map_err(|error| Trouble::Reading(Failure::reading(name, &error)))?;
                    if copy(file.take(*bytes), name, sink)? < *bytes {
                        let text = format!("{name} became shorter while it was sent");
                        return Err(Trouble::Reading(Failure::new(code::READ, text)));
                    }
                }
            }
        }
        Ok(())
    }
}

fn copy(mut from: impl Read, name: &str, sink: &mut dyn FnMut(&[u8]) -> Result<(), Trouble>) -> Result<u64, Trouble> {
    let mut buffer = vec![0; PIECE_BYTES];
    let mut all = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(all),
            Ok(bytes) => {
                sink(&buffer[..bytes])?;
                all += bytes as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(Trouble::Reading(Failure::reading(name, &error))),
        }
    }
}

/// What the first request of a transfer is, before an address is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What the options make it, without `-X`.
    pub(crate) base: &'static str,
    /// What `-X` says, which no redirect changes.
    custom: Option<String>,
    pub(crate) body: Body,
    /// What the body is.
    pub(crate) media: Option<String>,
    /// What `-G` and `--url-query` add to the address.
    pub(crate) query: String,
}

impl Plan {
    /// Reads what is to be sent, as far as it must be known.
    pub(crate) fn new(options: &Options, upload: Option<&str>) -> Result<Self, Failure> {
        let mut query = data::query(&options.url_query)?;
        let (mut method, mut body, mut media) = ("GET", Body::default(), None);
        if let Some(name) = upload {
            (method, body) = ("PUT", Body { pieces: Some(vec![Piece::file(name)?]) });
        } else if !options.form.is_empty() {
            let form = form::multipart(&options.form)?;
            (method, body, media) = ("POST", form.body, Some(form.media));
        } else if options.get && !options.data.is_empty() {
            let asked = String::from_utf8_lossy(&data::joined(&options.data)?).into_owned();
            query = [query, asked].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
        } else if !options.data.is_empty() {
            body = Body::whole(data::joined(&options.data)?);
            (method, media) = ("POST", Some(data::media(&options.data).to_owned()));
        }
        if options.head {
            method = "HEAD";
        }
        Ok(Self { base: method, custom: options.method.clone(), body, media, query })
    }

    /// What a redirect with that status makes of it.
    pub(crate) fn redirect(&mut self, options: &Options, status: u16) {
        let kept = self.base == "POST" && options.keep_post.contains(&status);
        let changes = match status {
            301 | 302 => self.base == "POST",
            303 => !matches!(self.base, "GET" | "HEAD"),
            _ => false,
        };
        if changes && !kept {
            (self.base, self.body, self.media) = ("GET", Body::default(), None);
        }
    }

    /// In capitals, usually.
    pub(crate) fn method(&self) -> &str {
        self.custom.as_deref().unwrap_or(self.base)
    }

    /// The request to an address.
    pub(crate) fn request(&self, options: &Options, going: Going<'_>) -> Request {
        let mut headers = self.usual(options, &going);
        for line in &options.headers {
            let Some((name, value)) = header(line) else { continue };
            let is = |own: &str| own.eq_ignore_ascii_case(name);
            if FRAMING.iter().any(|own| is(own)) || (!going.trusted && (is("authorization") || is("cookie"))) {
                continue;
            }
            // A line replaces what would be sent by itself, and two lines stand beside each other.
            headers.retain(|(own, _, given)| *given || !is(own));
            headers.extend(value.map(|value| (name.to_owned(), value.to_owned(), true)));
        }
        let headers = headers.into_iter().map(|(name, value, _)| (name, value)).collect();
        Request { method: self.method().to_owned(), url: going.url.clone(), headers, body: self.body.clone() }
    }

    /// What curl sends by itself. The third says whether the user typed it as a header.
    fn usual(&self, options: &Options, going: &Going<'_>) -> Vec<(String, String, bool)> {
        let mut headers = Vec::new();
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value, false));
        let bearer = options.bearer.as_ref().filter(|_| going.trusted);
        if let Some(user) = going.user.or(options.user.as_deref().filter(|_| going.trusted)) {
            let user = if user.contains(':') { user.to_owned() } else { format!("{user}:") };
            add("Authorization", format!("Basic {}", BASE64.encode(user)));
        } else if let Some(token) = bearer {
            add("Authorization", format!("Bearer {token}"));
        }
        let agent = options.agent.clone().unwrap_or_else(|| AGENT.to_owned());
        if !agent.is_empty() {
            add("User-Agent", agent);
        }
        if let Some(referer) = going.referer.as_ref().filter(|referer| !referer.is_empty()) {
            add("Referer", referer.clone());
        }
        let json = data::is_json(&options.data);
        add("Accept", if json { "application/json" } else { "*/*" }.to_owned());
        if let Some(cookie) = &going.cookie {
            add("Cookie", cookie.clone());
        }
        if let Some(range) = &going.range {
            add("Range", format!("bytes={range}"));
        }
        if let Some(media) = &self.media {
            add("Content-Type", media.clone());
        }
        headers
    }
}

/// Where a request goes, and what may go along.
pub(crate) struct Going<'a> {
    pub(crate) url: &'a Url,
    /// Whether it goes to where the user sent it, or is trusted as that.
    pub(crate) trusted: bool,
    /// Name and password out of the address.
    pub(crate) user: Option<&'a str>,
    pub(crate) cookie: Option<String>,
    pub(crate) referer: Option<String>,
    pub(crate) range: Option<String>,
}

/// `Name: value`; `Name:` for none, and `Name;` for an empty one.
fn header(line: &str) -> Option<(&str, Option<&str>)> {
    if let Some((name, value)) = line.split_once(':') {
        let value = value.trim();
        return Some((name.trim(), (!value.is_empty()).then_some(value)));
    }
    let name = line.trim_end().strip_suffix(';')?;
    Some((name.trim(), Some("")))
}

/// Headers that were typed but are not sent, for who wonders.
pub(crate) fn unsent<'a>(options: &'a Options, url: &Url) -> Option<&'a str> {
    let host = |line: &&String| {
        header(line).is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("host")
                && value.is_some_and(|value| Some(value.split(':').next().unwrap_or(value)) != url.host_str())
        })
    };
    options.headers.iter().find(host).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Asked, parse};

    fn request(args: &[&str], trusted: bool) -> Request {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        let Ok(Asked::Transfers(groups)) = parse(&args) else { panic!("{args:?}") };
        let plan = Plan::new(&groups[0], groups[0].uploads.first().map(String::as_str)).unwrap();
        let mut url = crate::address::parse(&groups[0].urls[0]).unwrap();
        let user = crate::address::take_user(&mut url);
        crate::address::add_query(&mut url, &plan.query);
        let (cookie, referer, range) = (None, groups[0].referer.clone(), groups[0].range.clone());
        plan.request(&groups[0], Going { url: &url, trusted, user: user.as_deref(), cookie, referer, range })
    }

    fn shown(args: &[&str]) -> String {
        request(args, true).lines().join("\n")
    }

    #[test]
    fn a_plain_request_is_curls() {
        let expected = "GET /a?b HTTP/1.1\nHost: example.com:81\nUser-Agent: curl/8.0 (handbox)\nAccept: */*";
        assert_eq!(shown(&["example.com:81/a?b#c"]), expected);
    }

    #[test]
    fn headers_replace_what_goes_by_itself_and_add_up() {
        let args =
            ["-H", "accept: text/html", "-H", "User-Agent:", "-H", "X-A: 1", "-H", "X-A: 2", "-H", "X-B;", "a.test"];
        assert_eq!(shown(&args), "GET / HTTP/1.1\nHost: a.test\naccept: text/html\nX-A: 1\nX-A: 2\nX-B: ");
        assert!(!shown(&["-H", "Transfer-Encoding: chunked", "-H", "Host: b.test", "a.test"]).contains("chunked"));
    }

    #[test]
    fn posting_says_what_it_posts() {
        let posted = shown(&["-d", "a=1", "-d", "b", "a.test"]);
        assert!(posted.starts_with("POST / "), "{posted}");
        assert!(posted.ends_with("Content-Type: application/x-www-form-urlencoded\nContent-Length: 5"), "{posted}");
        let json = shown(&["--json", "{}", "-H", "Content-Type: application/x", "a.test"]);
        assert!(json.contains("Accept: application/json\nContent-Type: application/x\n"), "{json}");
        assert!(shown(&["-d", "", "a.test"]).ends_with("Content-Length: 0"));
        assert!(shown(&["-X", "DELETE", "a.test"]).starts_with("DELETE / "));
        assert!(shown(&["-I", "a.test"]).starts_with("HEAD / "));
    }

    #[test]
    fn what_is_got_is_in_the_address() {
        let got = shown(&["-G", "-d", "a=1", "--data-urlencode", "q=x y", "--url-query", "z=ä", "a.test/?p"]);
        assert!(got.starts_with("GET /?p&z=%C3%A4&a=1&q=x%20y HTTP"), "{got}");
    }

    #[test]
    fn who_it_is_from_goes_only_where_it_was_sent() {
        let basic = "Authorization: Basic bWU6cDo=";
        assert!(shown(&["-u", "me:p:", "a.test"]).contains(basic));
        assert!(shown(&["http://me:p%3A@a.test"]).contains(basic));
        assert!(shown(&["--oauth2-bearer", "t", "a.test"]).contains("Authorization: Bearer t"));
        for args in [&["-u", "me:p", "a.test"][..], &["-H", "Authorization: x", "-H", "Cookie: x", "a.test"]] {
            let elsewhere = request(args, false).lines().join("\n");
            assert!(!elsewhere.contains("Authorization") && !elsewhere.contains("Cookie"), "{elsewhere}");
        }
    }

    #[test]
    fn a_redirect_makes_a_get_of_what_posts() {
        let redirected = |args: &[&str], status| {
            let args: Vec<String> = args.iter().map(ToString::to_string).collect();
            let Ok(Asked::Transfers(groups)) = parse(&args) else { panic!("{args:?}") };
            let mut plan = Plan::new(&groups[0], groups[0].uploads.first().map(String::as_str)).unwrap();
            plan.redirect(&groups[0], status);
            (plan.method().to_owned(), plan.body.bytes())
        };
        for (args, status, method, body) in [
            (&["-d", "a", "x.test"][..], 301, "GET", None),
            (&["-d", "a", "x.test"], 302, "GET", None),
            (&["-d", "a", "x.test"], 303, "GET", None),
            (&["-d", "a", "x.test"], 307, "POST", Some(1)),
            (&["-d", "a", "x.test"], 308, "POST", Some(1)),
            (&["-d", "a", "--post302", "x.test"], 302, "POST", Some(1)),
            (&["-d", "a", "--post302", "x.test"], 301, "GET", None),
            (&["-d", "a", "-X", "PATCH", "x.test"], 302, "PATCH", None),
            (&["-T", "/dev/null", "x.test"], 302, "PUT", Some(0)),
            (&["-T", "/dev/null", "x.test"], 303, "GET", None),
            (&["-I", "x.test"], 303, "HEAD", None),
        ] {
            assert_eq!(redirected(args, status), (method.to_owned(), body), "{args:?} {status}");
        }
    }

    #[test]
    fn a_file_is_sent_from_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("up");
        fs::write(&path, "content").unwrap();
        let sent = request(&["-T", path.to_str().unwrap(), "a.test/up"], true);
        assert_eq!((sent.method.as_str(), sent.body.bytes()), ("PUT", Some(7)));
        let mut bytes = Vec::new();
        sent.body
            .pieces(&mut |piece| {
                bytes.extend_from_slice(piece);
                Ok(())
            })
            .unwrap();
        assert_eq!(bytes, b"content");
        fs::write(&path, "con").unwrap();
        assert!(matches!(sent.body.pieces(&mut |_| Ok(())), Err(Trouble::Reading(_))));
        assert_eq!(Piece::file("/no/such/file").unwrap_err().code, 26);
        assert_eq!(Piece::file(folder.path().to_str().unwrap()).unwrap_err().code, 26);
    }
}
