//! The parameter that a credential stands in, on its way back.
//!
//! A server that redirects often keeps the query, and with it the parameter that was added on the way out. Whoever follows
//! that would bring the parameter itself, which is refused: it is added again on the way out.

use reqwest::Url;
use std::borrow::Cow;

/// The parameter of a request's credential.
pub(crate) struct Parameter<'a> {
    pub(crate) name: &'a str,
    /// What was asked for.
    pub(crate) asked: &'a Url,
}

impl Parameter<'_> {
    /// The value of a header, without the parameter in the addresses that lead back to whom it was sent.
    pub(crate) fn left_away<'v>(&self, header: &str, value: &'v str) -> Cow<'v, str> {
        match header {
            "location" | "content-location" => self.of_url(value).map_or(Cow::Borrowed(value), Cow::Owned),
            // `0; url=/next`
            "refresh" => self.of_parts(value, |part| {
                let at = part.to_ascii_lowercase().find("url=")? + 4;
                let quote = usize::from(part[at..].starts_with(['"', '\'']));
                let bytes = part[at + quote..].trim_end_matches(['"', '\'']).len();
                Some(at + quote..at + quote + bytes)
            }),
            // `</next>; rel="next", </last>; rel="last"`
            "link" => self.of_parts(value, |part| {
                let at = part.find('<')? + 1;
                Some(at..at + part[at..].find('>')?)
            }),
            _ => Cow::Borrowed(value),
        }
    }

    /// Goes through a text from one address to the next.
    fn of_parts<'v>(&self, value: &'v str, next: impl Fn(&str) -> Option<std::ops::Range<usize>>) -> Cow<'v, str> {
        let (mut own, mut done) = (String::new(), 0);
        while let Some(found) = next(&value[done..]) {
            let (from, to) = (done + found.start, done + found.end);
            let url = &value[from..to];
            own.push_str(&value[done..from]);
            own.push_str(self.of_url(url).as_deref().unwrap_or(url));
            done = to;
        }
        if own.is_empty() {
            return Cow::Borrowed(value);
        }
        own.push_str(&value[done..]);
        Cow::Owned(own)
    }

    /// An address without it; `None` if it is not in there, or the address is another server's: what that is sent is not
    /// changed.
    fn of_url(&self, url: &str) -> Option<String> {
        let leads_back = self.asked.join(url).is_ok_and(|to| to.origin() == self.asked.origin());
        let (rest, fragment) = url.find('#').map_or((url, ""), |at| url.split_at(at));
        let (path, query) = rest.split_once('?').filter(|_| leads_back)?;
        // Read as it is where a request is refused for it.
        let is_own = |pair: &&str| url::form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name == self.name);
        if !query.split('&').any(|pair| is_own(&pair)) {
            return None;
        }
        let others: Vec<&str> = query.split('&').filter(|pair| !is_own(pair)).collect();
        let mark = if others.is_empty() { "" } else { "?" };
        Some(format!("{path}{mark}{}{fragment}", others.join("&")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_left_away_where_an_address_leads_back() {
        let asked = Url::parse("https://a.example/v1/list?x=1").unwrap();
        let parameter = Parameter { name: "api.key", asked: &asked };
        for (header, value, wanted) in [
            ("location", "/next?api.key=v&b=c%20d#at?api.key=v", "/next?b=c%20d#at?api.key=v"),
            ("location", "https://a.example:443/?b=1&api%2Ekey=v&&c", "https://a.example:443/?b=1&&c"),
            ("location", "?api.key", ""),
            ("location", "https://b.example/?api.key=v", "https://b.example/?api.key=v"),
            ("location", "//b.example/?api.key=v", "//b.example/?api.key=v"),
            ("location", "http://a.example/?api.key=v", "http://a.example/?api.key=v"),
            ("location", "/?xapi.key=v&api=key#?api.key=v", "/?xapi.key=v&api=key#?api.key=v"),
            ("content-location", "/a?api.key=v", "/a"),
            ("refresh", "0; URL='/a?api.key=v&b=1'", "0; URL='/a?b=1'"),
            ("refresh", "5", "5"),
            (
                "link",
                "</a?p=2&api.key=v>; rel=\"next\", <https://b.example/?api.key=v>; rel=x, </a?api.key=v>; rel=last",
                "</a?p=2>; rel=\"next\", <https://b.example/?api.key=v>; rel=x, </a>; rel=last",
            ),
            ("x-other", "/a?api.key=v", "/a?api.key=v"),
        ] {
            assert_eq!(parameter.left_away(header, value), wanted, "{header}: {value}");
        }
    }
}
