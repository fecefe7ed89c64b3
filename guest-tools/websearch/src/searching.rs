//! `web_search`: from query to what was found.

use crate::WebSearch;
use crate::provider::{Provider, Template};
use handbox_guest_http::{Domains, Fetch, decode};
use handbox_guest_support::Room;
use handbox_tool::Fault;
use handbox_tool::serde::Deserialize;
use handbox_tool::serde_json::{self, Value};

/// The environment value that says where to search: a JSON object, with `url` and the pointers
/// of [`Template`], and `allowed_domains` or `blocked_domains` as `agent_toolset_20260401` has them.
const VARIABLE: &str = "HANDBOX_WEB_SEARCH";

/// How many pages are shown, and how much of each, in characters.
const FOUND_MAX: usize = 20;
const TITLE_CHARS_MAX: usize = 300;
const SNIPPET_CHARS_MAX: usize = 1_000;

/// The longest query, in characters.
const QUERY_CHARS_MAX: usize = 1_000;

/// How much of a failure's own words are shown, in characters.
const FAILURE_CHARS_MAX: usize = 500;

/// Where to search, and what of it to show.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(crate = "handbox_tool::serde")]
pub(crate) struct Search {
    #[serde(flatten)]
    template: Template,
    #[serde(flatten)]
    domains: Domains,
}

impl Search {
    /// Reads the environment.
    pub(crate) fn current() -> Result<Self, Fault> {
        match std::env::var(VARIABLE) {
            Ok(json) => Self::parse(&json),
            Err(_) => Err(Fault::denied(format!("no search API is configured here; the operator sets {VARIABLE}"))),
        }
    }

    fn parse(json: &str) -> Result<Self, Fault> {
        let broken = |why: String| Fault::failed(format!("{VARIABLE}, which the operator set, cannot be used: {why}"));
        let search: Self = serde_json::from_str(json).map_err(|error| broken(error.to_string()))?;
        search.template.validate().map_err(broken)?;
        search.domains.validate().map_err(broken)?;
        Ok(search)
    }
}

/// Searches.
pub(crate) fn run(network: &impl Fetch, search: &Search, input: &WebSearch) -> Result<String, Fault> {
    let query = input.query.trim();
    if query.is_empty() || query.chars().count() > QUERY_CHARS_MAX {
        return Err(Fault::invalid(format!("query: write 1 to {QUERY_CHARS_MAX} characters")));
    }
    let request = search.template.request(query).map_err(Fault::failed)?;
    // The address has the query in it and is the operator's business; the model knows both or neither.
    let mut api = request.url.clone();
    api.set_query(None);
    api.set_path("/");
    let response = network.fetch(&request).map_err(|trouble| trouble.fault(&api))?;
    let status = response.status;
    let line = response.status_line();
    let body = decode(response.body, None, false);
    if !(200..300).contains(&status) {
        let said = Room::of(FAILURE_CHARS_MAX).beginning(body.trim());
        return Err(Fault::failed(format!("the search API answers {line}: {said}")));
    }
    let answer: Value = serde_json::from_str(&body)
        .map_err(|error| Fault::failed(format!("the search API's answer is not JSON: {error}")))?;
    let found = search.template.read(&answer).ok_or_else(|| {
        Fault::failed(format!("the search API's answer has no list of results where {VARIABLE} says it is"))
    })?;
    let shown: Vec<_> = found.iter().filter(|one| search.domains.allow(&one.url)).take(FOUND_MAX).collect();
    if shown.is_empty() {
        return Ok("Nothing was found.".to_owned());
    }
    let mut text = String::new();
    for (i, one) in shown.iter().enumerate() {
        let title = if one.title.is_empty() { one.url.host_str().unwrap_or_default() } else { one.title.as_str() };
        text.push_str(&format!("{}. {}\n   {}\n", i + 1, Room::of(TITLE_CHARS_MAX).beginning(title), one.url));
        if !one.snippet.is_empty() {
            text.push_str(&format!("   {}\n", Room::of(SNIPPET_CHARS_MAX).beginning(&one.snippet)));
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_guest_http::canned::Canned;

    const API: &str = r#"{"url":"https://api.test/s?q={query}","snippet":"/content","blocked_domains":["ads.test"]}"#;
    const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

    fn search(network: &Canned, query: &str) -> Result<String, Fault> {
        run(network, &Search::parse(API).unwrap(), &WebSearch { query: query.to_owned() })
    }

    #[test]
    fn what_was_found_is_a_list() {
        let answer = r#"{"results":[
            {"title":"The <b>Rust</b> book","url":"https://doc.test/book","content":"Learn\nRust."},
            {"title":"Buy","url":"https://www.ads.test/","content":"now"},
            {"title":"","url":"http://other.test/a","content":""}]}"#;
        let network = Canned::default().with("https://api.test/s?q=rust%20book", 200, JSON, answer);
        let text = search(&network, " rust book ").unwrap();
        assert_eq!(
            text,
            "1. The Rust book\n   https://doc.test/book\n   Learn Rust.\n2. other.test\n   http://other.test/a\n"
        );
        let asked = network.asked.borrow();
        assert_eq!((asked[0].method.as_str(), asked[0].body.len()), ("GET", 0));
    }

    #[test]
    fn what_comes_back_is_bounded() {
        let long = "w".repeat(5_000);
        let one = format!(r#"{{"title":"{long}","url":"https://a.test/","content":"{long}"}}"#);
        let answer = format!(r#"{{"results":[{}]}}"#, vec![one; 100].join(","));
        let network = Canned::default().with("https://api.test/s?q=x", 200, JSON, answer);
        let text = search(&network, "x").unwrap();
        assert!(text.contains("\n20. w") && !text.contains("\n21. "), "{}", text.len());
        assert!(text.len() < 20 * 1_400, "{}", text.len());
    }

    #[test]
    fn failures_are_the_apis_or_the_operators() {
        let network = Canned::default()
            .with("https://api.test/s?q=key", 401, JSON, r#"{"error":"no key"}"#)
            .with("https://api.test/s?q=page", 200, &[], "<html>")
            .with("https://api.test/s?q=shape", 200, JSON, r#"{"items":[]}"#)
            .with("https://api.test/s?q=none", 200, JSON, r#"{"results":[]}"#);
        let fault = |query: &str| search(&network, query).unwrap_err().to_string();
        assert_eq!(fault("key"), "the search API answers 401 Unauthorized: {\"error\":\"no key\"}");
        assert!(fault("page").contains("not JSON"));
        assert!(fault("shape").contains("HANDBOX_WEB_SEARCH"));
        assert_eq!(search(&network, "none").unwrap(), "Nothing was found.");
        assert!(fault("refused").contains("https://api.test/ may not be reached from here"), "{}", fault("refused"));
        assert!(fault(" ").contains("1 to 1000"));
        assert!(
            Search::parse(r#"{"url":"https://api.test/"}"#).unwrap_err().to_string().contains("HANDBOX_WEB_SEARCH")
        );
        let both = API.replace("\"blocked_domains\"", "\"allowed_domains\":[\"a.test\"],\"blocked_domains\"");
        assert!(Search::parse(&both).unwrap_err().to_string().contains("give one"), "{both}");
    }
}
