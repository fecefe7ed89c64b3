//! The standard tool `http_request`. It is a component of its own, beside `web_fetch`, so that
//! it can be left out: it can change what it reaches.

mod requesting;
mod showing;

use handbox_guest_http::Network;
use handbox_tool::serde_json::Value;
use handbox_tool::{Fault, Output, input, tool};
use std::collections::BTreeMap;

/// Input of `http_request`.
#[input]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// The whole address, as in https://api.example.com/v1/items?page=2.
    url: String,
    /// The method, as in PATCH. If left out, it is POST with a body and GET without.
    method: Option<String>,
    /// Headers by name. Leave credentials out: the operator adds them on the way.
    headers: Option<BTreeMap<String, String>>,
    /// The body as text.
    body: Option<String>,
    /// The body as JSON, instead of body: any value. Sent as application/json, unless headers
    /// says another content-type.
    body_json: Option<Value>,
}

/// Sends one HTTP request, as to an API, and shows the answer: status, headers and body.
///
/// Redirects are shown, not followed. An answer with an error status is an answer too. To
/// read a page, use web_fetch.
#[tool(destructive, open_world, recovery = ask)]
fn http_request(input: HttpRequest) -> Result<Output, Fault> {
    requesting::run(&Network, input)
}

handbox_tool::export!(http_request);
