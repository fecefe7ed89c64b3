//! Requests, responses, and what can go wrong between them.

use handbox_tool::Fault;
use url::Url;

/// The most bytes of a body that are read, 10 MiB: more than any page has of text, and
/// little enough for several copies of it to fit into a guest's memory.
pub const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Sends one request.
pub trait Fetch {
    /// Sends it and reads the body, up to [`BODY_BYTES_MAX`]. Redirects come back as they are.
    ///
    /// # Errors
    ///
    /// The host refused, or no answer came.
    fn fetch(&self, request: &Request) -> Result<Response, Trouble>;
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// `http` or `https`; see [`web_address`].
    pub url: Url,
    /// In the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
}

impl Request {
    /// A GET without a body.
    pub fn get(url: Url, headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { method: "GET".to_owned(), url, headers, body: Vec::new() }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// From 100 to 999.
    pub status: u16,
    /// Names in small letters, in the order in which they came; bytes that are no UTF-8 are replaced.
    pub headers: Vec<(String, String)>,
    /// At most [`BODY_BYTES_MAX`].
    pub body: Vec<u8>,
    /// Why the body does not go on, if it does not end here.
    pub broken_off: Option<String>,
}

impl Response {
    /// The first header of that name, which is in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The status as it is written: `404 Not Found`.
    pub fn status_line(&self) -> String {
        let reason = reason(self.status);
        if reason.is_empty() { self.status.to_string() } else { format!("{} {reason}", self.status) }
    }

    /// Where a redirect points, seen from `base`. `None` if this is none, or points nowhere.
    pub fn redirect(&self, base: &Url) -> Option<Url> {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        base.join(self.header("location")?).ok()
    }
}

/// Why there is no response. The texts are constant as far as the host's are: what is
/// allowed is the operator's business, and a model that could probe it would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The host does not let the request out.
    Refused,
    /// It did not work, for this reason.
    Failed(String),
}

impl Trouble {
    /// What the model is told about a request to `url`.
    pub fn fault(self, url: &Url) -> Fault {
        match self {
            Self::Refused => Fault::denied(format!(
                "{url} may not be reached from here. The operator can allow it; trying again will not help"
            )),
            Self::Failed(why) => Fault::failed(format!("{url}: {why}")),
        }
    }
}

/// Reads the address of something on the web, and takes the fragment off.
///
/// # Errors
///
/// It is none, or has a user name or password in it.
pub fn web_address(text: &str) -> Result<Url, Fault> {
    let text = text.trim();
    let mut url = Url::parse(text).map_err(|error| {
        Fault::invalid(format!(
            "url: {text:?} is not an address ({error}). Write it whole, as in https://example.com/page"
        ))
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Fault::invalid(format!("url: only http and https can be fetched, and this is {}", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Fault::invalid(
            "url: leave out the user name and the password: credentials are the operator's to add",
        ));
    }
    url.set_fragment(None);
    Ok(url)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        418 => "I'm a teapot",
        422 => "Unprocessable Content",
        423 => "Locked",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_whole_and_without_secrets() {
        assert_eq!(web_address(" https://example.com/a?b=c#d ").unwrap().as_str(), "https://example.com/a?b=c");
        for (text, part) in [
            ("example.com", "Write it whole"),
            ("file:///etc/passwd", "only http and https"),
            ("https://me:key@example.com/", "operator's to add"),
            ("https://key@example.com/", "operator's to add"),
        ] {
            let fault = web_address(text).unwrap_err().to_string();
            assert!(fault.contains(part), "{text}: {fault}");
            assert!(!fault.contains("key"), "{fault}");
        }
    }

    #[test]
    fn a_redirect_is_seen_from_where_it_was_met() {
        let base = Url::parse("https://example.com/a/b?c").unwrap();
        let answer = |status, to: &str| Response {
            status,
            headers: vec![("location".into(), to.into())],
            body: Vec::new(),
            broken_off: None,
        };
        let to = |status, to: &str| answer(status, to).redirect(&base).map(String::from);
        assert_eq!(to(301, "../x").as_deref(), Some("https://example.com/x"));
        assert_eq!(to(307, "//other.example/y").as_deref(), Some("https://other.example/y"));
        assert_eq!(to(200, "/x"), None);
        assert_eq!(to(304, "/x"), None);
        assert_eq!(to(302, "http://[").as_deref(), None);
    }

    #[test]
    fn a_refusal_says_who_can_lift_it() {
        let url = Url::parse("https://example.com/").unwrap();
        let fault = Trouble::Refused.fault(&url);
        assert!(matches!(&fault, Fault::Denied(why) if why.contains("The operator can allow it")), "{fault}");
    }
}
