//! The standard tool `web_fetch`, with the name and input of `agent_toolset_20260401`.

mod config;
mod fetching;
mod filter;
mod page;
mod pdf;
mod showing;

use config::Config;
use handbox_guest_http::Network;
use handbox_tool::{Fault, Output, input, tool};

/// Input of `web_fetch`.
#[input]
#[serde(deny_unknown_fields)]
pub struct WebFetch {
    /// The whole address, as in https://example.com/page.
    url: String,
}

/// Fetches a page, file or API answer from the web by its address.
///
/// A web page comes back as Markdown, with its links whole, so that they can be fetched next;
/// a PDF as its text; text and JSON as they are; PNG, JPEG, GIF and WebP images to be looked
/// at. Redirects are followed and named. Not every address can be reached from here.
#[tool(read_only, idempotent, open_world, recovery = retry)]
fn web_fetch(input: WebFetch) -> Result<Output, Fault> {
    fetching::run(&Network, &Config::current()?, &input)
}

handbox_tool::export!(web_fetch);
