//! `http_request`: from input to request.

use crate::{HttpRequest, showing};
use handbox_guest_http::{Fetch, Request, web_address};
use handbox_tool::{Fault, Output, serde_json};

/// What the host or the connection decides.
const NOT_OURS: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// How many headers are sent.
const HEADERS_MAX: usize = 64;

/// Sends one request.
pub(crate) fn run(network: &impl Fetch, input: HttpRequest) -> Result<Output, Fault> {
    let request = request(input)?;
    match network.fetch(&request) {
        Ok(response) => Ok(showing::show(&request, response)),
        Err(trouble) => Err(trouble.fault(&request.url)),
    }
}

fn request(input: HttpRequest) -> Result<Request, Fault> {
    let url = web_address(&input.url)?;
    let is_json = input.body_json.is_some();
    let body = match (input.body, input.body_json) {
        (Some(_), Some(_)) => return Err(Fault::invalid("there are both body and body_json; give one")),
        (Some(text), None) => Some(text.into_bytes()),
        (None, Some(json)) => Some(serde_json::to_vec(&json)?),
        (None, None) => None,
    };
    let method = method(input.method.as_deref(), body.is_some())?;
    let mut headers = Vec::new();
    for (name, value) in input.headers.unwrap_or_default() {
        headers.push(header(&name, value)?);
    }
    if headers.len() > HEADERS_MAX {
        return Err(Fault::invalid(format!("headers: {} are more than {HEADERS_MAX}", headers.len())));
    }
    let mut add = |name: &str, value: &str| {
        if headers.iter().all(|(own, _)| own != name) {
            headers.push((name.to_owned(), value.to_owned()));
        }
    };
    if is_json {
        add("content-type", "application/json");
    }
    add("accept", "*/*");
    // What comes back otherwise would have to be unpacked here, and could grow without end.
    add("accept-encoding", "identity");
    add("user-agent", concat!("handbox-request/", env!("CARGO_PKG_VERSION")));
    Ok(Request { method, url, headers, body: body.unwrap_or_default() })
}

fn method(asked: Option<&str>, has_body: bool) -> Result<String, Fault> {
    let method = asked.unwrap_or(if has_body { "POST" } else { "GET" }).trim().to_ascii_uppercase();
    if method.is_empty() || method.len() > 20 || !method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-') {
        return Err(Fault::invalid(format!("method: {method:?} is none; write it as in GET or PATCH")));
    }
    if matches!(&*method, "CONNECT" | "TRACE") {
        return Err(Fault::invalid(format!("method: {method} cannot be sent from here")));
    }
    if has_body && matches!(&*method, "GET" | "HEAD") {
        return Err(Fault::invalid(format!("a {method} has no body; leave it out, or choose another method")));
    }
    Ok(method)
}

fn header(name: &str, value: String) -> Result<(String, String), Fault> {
    let name = name.trim().to_ascii_lowercase();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
        return Err(Fault::invalid(format!("headers: {name:?} is not the name of a header")));
    }
    if NOT_OURS.contains(&&*name) {
        return Err(Fault::invalid(format!("headers: {name} is set on the way; leave it out")));
    }
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Fault::invalid(format!("headers: the value of {name} has line ends or control characters in it")));
    }
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_guest_http::canned::Canned;
    use serde_json::json;

    fn input(json: serde_json::Value) -> HttpRequest {
        serde_json::from_value(json).unwrap()
    }

    fn built(json: serde_json::Value) -> Request {
        request(input(json)).unwrap()
    }

    fn text(output: &Output) -> String {
        output.parts.iter().map(|part| String::from_utf8_lossy(&part.data)).collect()
    }

    #[test]
    fn a_body_makes_it_a_post() {
        let url = "https://api.example.com/items";
        let plain = built(json!({"url": url}));
        assert_eq!((plain.method.as_str(), plain.body.len()), ("GET", 0));
        let posted = built(json!({"url": url, "body_json": {"b": [1, null]}}));
        assert_eq!((posted.method.as_str(), posted.body.as_slice()), ("POST", &br#"{"b":[1,null]}"#[..]));
        assert!(posted.headers.contains(&("content-type".into(), "application/json".into())));
        let own = built(json!({
            "url": url, "method": "patch", "body_json": {}, "headers": {"Content-Type": "application/merge-patch+json"}
        }));
        let types: Vec<_> = own.headers.iter().filter(|(name, _)| name == "content-type").collect();
        assert_eq!(
            (own.method.as_str(), types),
            ("PATCH", vec![&("content-type".into(), "application/merge-patch+json".into())])
        );
        let form = built(json!({"url": url, "body": "a=b"}));
        assert!(form.headers.iter().all(|(name, _)| name != "content-type"));
    }

    #[test]
    fn what_makes_no_sense_is_not_sent() {
        let network = Canned::default();
        for (more, part) in [
            (json!({"body": "a", "body_json": 1}), "give one"),
            (json!({"method": "GET", "body": "a"}), "has no body"),
            (json!({"method": "CONNECT"}), "cannot be sent"),
            (json!({"method": "GET /x HTTP/1.1"}), "write it as in GET"),
            (json!({"headers": {"Host": "other.test"}}), "set on the way"),
            (json!({"headers": {"a b": "c"}}), "name of a header"),
            (json!({"headers": {"x-a": "b\r\nhost: other.test"}}), "line ends"),
            (json!({"url": "ftp://example.com/"}), "only http and https"),
        ] {
            let mut json = json!({"url": "https://example.com/"});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let fault = run(&network, input(json.clone())).unwrap_err();
            assert!(matches!(&fault, Fault::InvalidInput(why) if why.contains(part)), "{json}: {fault}");
        }
        assert!(network.urls().is_empty());
    }

    #[test]
    fn any_status_is_an_answer_and_redirects_are_not_followed() {
        let network = Canned::default().redirect("https://example.com/a", "https://other.test/").with(
            "https://example.com/b",
            500,
            &[("content-type", "application/json")],
            r#"{"error":"no"}"#,
        );
        let sent = |url: &str| run(&network, input(json!({"url": url})));
        assert_eq!(text(&sent("https://example.com/a").unwrap()), "HTTP 302 Found\nlocation: https://other.test/\n");
        let failed = text(&sent("https://example.com/b").unwrap());
        assert_eq!(failed, "HTTP 500 Internal Server Error\ncontent-type: application/json\n\n{\"error\":\"no\"}");
        let fault = sent("https://example.com/c").unwrap_err();
        assert!(matches!(&fault, Fault::Denied(why) if why.contains("The operator can allow it")), "{fault}");
        assert_eq!(network.urls().len(), 3);
    }
}
