//! `web_fetch`: from address to content, through redirects.

use crate::WebFetch;
use crate::config::Config;
use crate::showing::{self, Shown};
use handbox_guest_http::{Fetch, Request, Response, Trouble, web_address};
use handbox_tool::{Fault, Output};
use url::Url;

/// How many redirects are followed. Each is a new request, and a new decision of the host.
const REDIRECTS_MAX: usize = 5;

/// How much of a failure's own page is shown, in characters.
const FAILURE_CHARS_MAX: usize = 2_000;

const HEADERS: [(&str, &str); 3] = [
    ("accept", "text/markdown, text/html;q=0.9, application/xhtml+xml;q=0.9, text/*;q=0.8, */*;q=0.5"),
    // What comes back otherwise would have to be unpacked here, and could grow without end.
    ("accept-encoding", "identity"),
    ("user-agent", concat!("handbox-web/", env!("CARGO_PKG_VERSION"))),
];

/// Fetches one address.
pub(crate) fn run(network: &impl Fetch, config: &Config, input: &WebFetch) -> Result<Output, Fault> {
    let first = web_address(&input.url)?;
    let (url, response) = follow(network, config, first.clone())?;
    if !(200..300).contains(&response.status) {
        return Err(Fault::failed(unwelcome(&url, response)));
    }
    let mut head = format!("URL: {url}\n");
    if url != first {
        head.push_str(&format!("Redirected from: {first}\n"));
    }
    let Shown { about, content } = showing::show(&url, response, config.chars_max);
    head.push_str(&about);
    head.push('\n');
    let mut output = Output::text(head);
    output.parts.extend(content.parts);
    Ok(output)
}

/// Sends requests until one is answered with something else than a redirect.
fn follow(network: &impl Fetch, config: &Config, first: Url) -> Result<(Url, Response), Fault> {
    let mut url = first;
    let mut from: Option<Url> = None;
    for _ in 0..=REDIRECTS_MAX {
        config.domains.check(&url).map_err(|fault| pointed(fault, from.as_ref()))?;
        let response = match network.fetch(&Request::get(url.clone(), &HEADERS)) {
            Ok(response) => response,
            Err(trouble) => return Err(no_answer(trouble, &url, from.as_ref())),
        };
        let Some(mut to) = response.redirect(&url) else { return Ok((url, response)) };
        if !matches!(to.scheme(), "http" | "https") || !to.username().is_empty() || to.password().is_some() {
            let why = format!("{url} redirects to {}, which is no address that can be fetched", to.scheme());
            return Err(Fault::failed(why));
        }
        if url.scheme() == "https" && to.scheme() == "http" {
            // What was asked for in secret would be seen, and could be changed, on the way.
            let why =
                format!("{url} redirects from https to http, which is not followed; fetch {to} itself if that will do");
            return Err(Fault::failed(why));
        }
        to.set_fragment(None);
        from = Some(std::mem::replace(&mut url, to));
    }
    let from = from.as_ref().unwrap_or(&url);
    Err(Fault::failed(format!(
        "{from} redirects to {url}, after {REDIRECTS_MAX} redirects before it; that is where it ends"
    )))
}

fn no_answer(trouble: Trouble, url: &Url, from: Option<&Url>) -> Fault {
    pointed(trouble.fault(url), from)
}

/// A fault at the end of a redirect says how it got there.
fn pointed(fault: Fault, from: Option<&Url>) -> Fault {
    let Some(from) = from else { return fault };
    let say = |why: String| format!("{why} ({from} redirects there)");
    match fault {
        Fault::Denied(why) => Fault::Denied(say(why)),
        Fault::Failed(why) => Fault::Failed(say(why)),
        fault => fault,
    }
}

fn unwelcome(url: &Url, response: Response) -> String {
    let mut text = format!("{url} answers {}", response.status_line());
    if let Some(after) = response.header("retry-after") {
        text.push_str(&format!(" (retry after {})", after.chars().take(60).collect::<String>()));
    }
    if response.body.is_empty() {
        return text;
    }
    let shown = showing::show(url, response, FAILURE_CHARS_MAX);
    let said: Vec<_> = shown.content.parts.into_iter().filter(|part| part.media_type == "text/plain").collect();
    let said = said.iter().map(|part| String::from_utf8_lossy(&part.data)).collect::<String>();
    if !said.trim().is_empty() {
        text.push_str(":\n");
        text.push_str(said.trim());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_guest_http::{Domains, canned::Canned};

    fn fetch(network: &Canned, url: &str) -> Result<String, Fault> {
        fetch_with(network, &Config::default(), url)
    }

    fn fetch_with(network: &Canned, config: &Config, url: &str) -> Result<String, Fault> {
        let output = run(network, config, &WebFetch { url: url.to_owned() })?;
        let text = output.parts.iter().filter(|part| part.media_type == "text/plain");
        Ok(text.map(|part| String::from_utf8_lossy(&part.data)).collect())
    }

    #[test]
    fn a_page_is_markdown_under_its_address_and_title() {
        let page = "<title>A &amp; B</title><h1>Hi</h1><p>See <a href=next>the next</a>.";
        let network = Canned::default().page("https://example.com/a/", page);
        let text = fetch(&network, "https://example.com/a/#part").unwrap();
        assert_eq!(
            text,
            "URL: https://example.com/a/\nTitle: A & B\n\n# Hi\n\nSee [the next](https://example.com/a/next)."
        );
        let asked = network.asked.borrow();
        assert_eq!((asked.len(), asked[0].method.as_str(), asked[0].body.len()), (1, "GET", 0));
        assert!(asked[0].headers.contains(&("accept-encoding".to_owned(), "identity".to_owned())));
    }

    #[test]
    fn redirects_are_new_requests_and_named() {
        let network = Canned::default()
            .redirect("https://example.com/", "/b")
            .redirect("https://example.com/b", "https://other.test/c#d")
            .page("https://other.test/c", "there");
        let text = fetch(&network, "https://example.com").unwrap();
        assert_eq!(text, "URL: https://other.test/c\nRedirected from: https://example.com/\n\nthere");
        assert_eq!(network.urls(), ["https://example.com/", "https://example.com/b", "https://other.test/c"]);
    }

    #[test]
    fn a_refused_redirect_says_where_it_pointed() {
        let network = Canned::default().redirect("https://example.com/", "https://169.254.169.254/latest");
        let fault = fetch(&network, "https://example.com/").unwrap_err();
        let Fault::Denied(why) = fault else { panic!("{fault:?}") };
        assert!(why.starts_with("https://169.254.169.254/latest may not be reached from here"), "{why}");
        assert!(why.ends_with("(https://example.com/ redirects there)"), "{why}");
    }

    #[test]
    fn redirects_end_after_five() {
        let at = |n: usize| format!("https://example.com/{n}");
        let chain = |len: usize| {
            let network = (0..len).fold(Canned::default(), |network, n| network.redirect(&at(n), &at(n + 1)));
            network.page(&at(len), "the end")
        };
        assert!(fetch(&chain(5), &at(0)).unwrap().contains("the end"));
        let network = chain(6);
        let fault = fetch(&network, &at(0)).unwrap_err().to_string();
        assert!(fault.contains("https://example.com/6"), "{fault}");
        assert_eq!(network.urls().len(), 6, "the sixth redirect is not followed");
        let round = Canned::default().redirect("https://example.com/", "/");
        assert!(fetch(&round, "https://example.com/").is_err());
    }

    #[test]
    fn redirects_stay_on_the_web_and_carry_no_credentials() {
        for to in ["file:///etc/passwd", "https://me:secret@other.test/", "data:text/html,hi"] {
            let network = Canned::default().redirect("https://example.com/", to);
            let fault = fetch(&network, "https://example.com/").unwrap_err().to_string();
            assert!(fault.contains("no address that can be fetched") && !fault.contains("secret"), "{fault}");
            assert_eq!(network.urls().len(), 1);
        }
    }

    #[test]
    fn a_redirect_from_https_to_http_is_not_followed() {
        let network = Canned::default()
            .redirect("https://example.com/", "http://example.com/b")
            .redirect("http://example.com/", "http://example.com/b")
            .page("http://example.com/b", "there");
        let fault = fetch(&network, "https://example.com/").unwrap_err().to_string();
        assert!(fault.contains("from https to http"), "{fault}");
        assert_eq!(network.urls(), ["https://example.com/"]);
        assert!(fetch(&network, "http://example.com/").unwrap().contains("there"), "who begins so loses nothing");
    }

    #[test]
    fn every_hop_must_be_allowed() {
        let domains = Domains { allowed_domains: Some(vec!["example.com".into()]), blocked_domains: None };
        let config = Config { domains, ..Config::default() };
        let network =
            Canned::default().redirect("https://example.com/", "https://other.test/").page("https://other.test/", "x");
        let fault = fetch_with(&network, &config, "https://example.com/").unwrap_err().to_string();
        assert!(fault.contains("url_not_allowed") && fault.contains("other.test"), "{fault}");
        assert_eq!(network.urls(), ["https://example.com/"]);
        let fault = fetch_with(&network, &config, "https://other.test/").unwrap_err().to_string();
        assert!(fault.contains("url_not_allowed"), "{fault}");
        assert_eq!(network.urls().len(), 1);
    }

    #[test]
    fn failures_say_what_the_server_said() {
        let network = Canned::default()
            .with("https://example.com/gone", 404, &[("content-type", "text/html")], "<h1>Not here</h1><p>Try /new")
            .with("https://example.com/busy", 429, &[("retry-after", "30")], "")
            .with("https://example.com/long", 500, &[("content-type", "text/plain")], "x".repeat(50_000))
            .trouble("https://example.com/dns", Trouble::Failed("there is no host of that name".into()));
        let fault = |path: &str| fetch(&network, &format!("https://example.com/{path}")).unwrap_err().to_string();
        assert_eq!(fault("gone"), "https://example.com/gone answers 404 Not Found:\n# Not here\n\nTry /new");
        assert_eq!(fault("busy"), "https://example.com/busy answers 429 Too Many Requests (retry after 30)");
        assert!(fault("long").len() < 2_300 && fault("long").contains("[Cut"), "{}", fault("long").len());
        assert_eq!(fault("dns"), "https://example.com/dns: there is no host of that name");
        assert!(fault("other").contains("The operator can allow it"), "{}", fault("other"));
    }
}
