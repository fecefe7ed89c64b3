//! The standard tool `web_search`, with the name and input of `agent_toolset_20260401`. It is a
//! component of its own, so that it can be left out where no search API is configured.

mod provider;
mod searching;

use handbox_guest_http::Network;
use handbox_tool::{Fault, input, tool};
use searching::Search;

/// Input of `web_search`.
#[input]
#[serde(deny_unknown_fields)]
pub struct WebSearch {
    /// What to look for, as one would type it into a search engine.
    query: String,
}

/// Searches the web. Gives titles, addresses and a few words of each page found, the best
/// first. Read a page with web_fetch.
#[tool(read_only, idempotent, open_world, recovery = retry)]
fn web_search(input: WebSearch) -> Result<String, Fault> {
    searching::run(&Network, &Search::current()?, &input)
}

handbox_tool::export!(web_search);
