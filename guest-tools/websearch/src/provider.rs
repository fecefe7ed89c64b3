//! Search APIs.

use handbox_guest_http::Request;
use handbox_tool::serde::Deserialize;
use handbox_tool::serde_json::Value;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// What stands for the query in a template.
const QUERY: &str = "{query}";

/// One page that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) title: String,
    pub(crate) url: Url,
    pub(crate) snippet: String,
}

/// How to ask a search API, and how to read its answer. Its credential is none of a
/// provider's business: the host adds it to requests to that address.
pub(crate) trait Provider {
    /// The request for a query; a GET, since searching only reads.
    fn request(&self, query: &str) -> Result<Request, String>;

    /// What an answer lists. `None` if there is no list in it.
    fn read(&self, answer: &Value) -> Option<Vec<Found>>;
}

/// An API that takes the query in its address and answers with JSON, described by a template
/// and JSON pointers (RFC 6901).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(crate = "handbox_tool::serde")]
pub(crate) struct Template {
    /// The address, as in `https://api.search.example/search?q={query}`.
    url: String,
    /// From the answer to the list of what was found.
    #[serde(default = "results")]
    results: String,
    /// From what was found to its title, its address and its words.
    #[serde(default = "title")]
    title: String,
    #[serde(default = "link")]
    link: String,
    #[serde(default = "snippet")]
    snippet: String,
}

fn results() -> String {
    "/results".to_owned()
}

fn title() -> String {
    "/title".to_owned()
}

fn link() -> String {
    "/url".to_owned()
}

fn snippet() -> String {
    "/snippet".to_owned()
}

impl Template {
    /// Checks that it can be used.
    pub(crate) fn validate(&self) -> Result<(), String> {
        if !self.url.contains(QUERY) {
            return Err(format!("url has no {QUERY} in it"));
        }
        let (sample, other) = (self.address("a")?, self.address("b")?);
        if sample.origin() != other.origin() {
            return Err(format!("url: {QUERY} may stand in the path or after the question mark only"));
        }
        for (name, pointer) in
            [("results", &self.results), ("title", &self.title), ("link", &self.link), ("snippet", &self.snippet)]
        {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return Err(format!("{name}: {pointer:?} is not a JSON pointer; write it as in /web/results"));
            }
        }
        Ok(())
    }

    fn address(&self, query: &str) -> Result<Url, String> {
        let query: String = byte_serialize(query.as_bytes()).collect();
        // A + is a space only after the question mark; this is one everywhere.
        let url = self.url.replace(QUERY, &query.replace('+', "%20"));
        let url = Url::parse(&url).map_err(|error| format!("url: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            return Err("url must be http or https, without credentials: the host adds those".to_owned());
        }
        Ok(url)
    }
}

impl Provider for Template {
    fn request(&self, query: &str) -> Result<Request, String> {
        let headers = [
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", concat!("handbox-websearch/", env!("CARGO_PKG_VERSION"))),
        ];
        Ok(Request::get(self.address(query)?, &headers))
    }

    fn read(&self, answer: &Value) -> Option<Vec<Found>> {
        let list = answer.pointer(&self.results)?.as_array()?;
        let text =
            |one: &Value, pointer: &str| one.pointer(pointer).and_then(Value::as_str).map(plain).unwrap_or_default();
        let found = list.iter().filter_map(|one| {
            let url = Url::parse(one.pointer(&self.link)?.as_str()?).ok()?;
            matches!(url.scheme(), "http" | "https").then(|| Found {
                title: text(one, &self.title),
                url,
                snippet: text(one, &self.snippet),
            })
        });
        Some(found.collect())
    }
}

/// Text as a line, without the tags and entities that search APIs mark words with.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain.push_str(&rest[..at]);
        let tag = rest[at + 1..].trim_start_matches('/');
        let end = rest[at..].find('>').filter(|end| *end < 40 && tag.starts_with(|c: char| c.is_ascii_alphabetic()));
        match end {
            Some(end) => rest = &rest[at + end + 1..],
            None => {
                plain.push('<');
                rest = &rest[at + 1..];
            }
        }
    }
    plain.push_str(rest);
    for (entity, text) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        plain = plain.replace(entity, text);
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_tool::serde_json::{self, json};

    fn template(json: Value) -> Template {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_query_stays_one_value_whatever_is_in_it() {
        let template = template(json!({"url": "https://api.test/s?q={query}&n=5"}));
        template.validate().unwrap();
        let url = |query: &str| template.request(query).unwrap().url.to_string();
        assert_eq!(url("rust wasm"), "https://api.test/s?q=rust%20wasm&n=5");
        assert_eq!(url("a&key=b#c+d%20{query}é"), "https://api.test/s?q=a%26key%3Db%23c%2Bd%2520%7Bquery%7D%C3%A9&n=5");
        let path = self::template(json!({"url": "https://api.test/{query}/list"}));
        assert_eq!(path.request("../../admin?x").unwrap().url.as_str(), "https://api.test/..%2F..%2Fadmin%3Fx/list");
    }

    #[test]
    fn a_template_that_cannot_be_used_says_why() {
        for (json, part) in [
            (json!({"url": "https://api.test/s"}), "no {query}"),
            (json!({"url": "https://{query}.test/"}), "after the question mark only"),
            (json!({"url": "file:///{query}"}), "must be http"),
            (json!({"url": "https://me:key@api.test/?q={query}"}), "the host adds those"),
            (json!({"url": "https://api.test/?q={query}", "results": "web.results"}), "not a JSON pointer"),
        ] {
            let why = template(json.clone()).validate().unwrap_err();
            assert!(why.contains(part) && !why.contains("key"), "{json}: {why}");
        }
    }

    #[test]
    fn pointers_find_what_was_found() {
        let template = template(json!({
            "url": "https://api.test/?q={query}", "results": "/web/results", "title": "/meta/0/name", "link": "/u", "snippet": ""
        }));
        let answer = json!({"web": {"results": [
            {"meta": [{"name": "One"}], "u": "https://a.test/"},
            {"meta": [], "u": "https://b.test/x y"},
            {"meta": [{"name": "bad"}], "u": "javascript:alert(1)"},
            {"meta": [{"name": "none"}]},
            "nonsense",
        ]}});
        let found = template.read(&answer).unwrap();
        let shown: Vec<_> = found.iter().map(|one| (one.title.as_str(), one.url.as_str())).collect();
        assert_eq!(shown, [("One", "https://a.test/"), ("", "https://b.test/x%20y")]);
        assert_eq!(template.read(&json!({"web": {}})), None);
        assert_eq!(template.read(&json!({"web": {"results": []}})), Some(vec![]));
    }

    #[test]
    fn marks_of_search_apis_are_taken_out() {
        assert_eq!(plain("a <strong>bold</strong> &amp; <b>b</b>\n &lt;tag&gt; &#39;q&#39;"), "a bold & b <tag> 'q'");
        assert_eq!(plain("1 < 2 and 3 > 2"), "1 < 2 and 3 > 2");
        assert_eq!(plain("&amp;lt;"), "&lt;");
        assert_eq!(plain("cut <str"), "cut <str");
    }
}
