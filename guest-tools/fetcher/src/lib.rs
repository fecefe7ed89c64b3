//! Sends any request and shows all that comes back: the probe of the network's tests.
//!
//! It is written as anybody would write a tool that is not of Handbox, against an ordinary HTTP
//! client that knows nothing of Handbox, and it checks nothing: what it may not do, the host
//! must refuse. It is not the client of the standard tools, so that two of them are tried.

#[cfg_attr(target_arch = "wasm32", path = "sending.rs")]
#[cfg_attr(not(target_arch = "wasm32"), path = "native.rs")]
mod sending;

pub mod memory;

use handbox_tool::{Fault, input, tool};

/// Input of `fetcher`.
#[input]
#[serde(deny_unknown_fields)]
pub struct Fetcher {
    /// Where to, as it is.
    url: String,
    /// GET if left out.
    method: Option<String>,
    /// Names and values, as they are, in this order.
    headers: Option<Vec<[String; 2]>>,
    /// What to send.
    body: Option<String>,
    /// How many requests to send at once; 1 if left out. All are sent before the first answer
    /// is waited for.
    times: Option<u32>,
    /// How many redirects to follow, sending the same headers and body again; none if left out.
    follow: Option<u32>,
    /// Whether to say the size of each piece of the body as it comes, and when.
    chunks: Option<bool>,
}

/// Sends a request and shows status, headers and body as they come.
#[tool(open_world)]
fn fetcher(input: Fetcher) -> Result<String, Fault> {
    sending::run(&input)
}

/// The same request, by a tool that claims to read only.
#[tool(read_only, open_world)]
fn reader(input: Fetcher) -> Result<String, Fault> {
    sending::run(&input)
}

/// Input of `remember`.
#[input]
#[serde(deny_unknown_fields)]
pub struct Remember {
    /// The request, as `fetcher` takes it.
    request: Fetcher,
    /// What to look for afterwards.
    needles: Vec<memory::Needle>,
}

/// Sends a request, keeps all that comes back, and says how often each needle is in its memory.
#[tool(open_world)]
fn remember(input: Remember) -> Result<String, Fault> {
    let kept = sending::run(&input.request);
    let counts = memory::search(&input.needles)?;
    // Kept until here, whether it came or not.
    Ok(format!("{counts}\n{}", kept.map_or_else(|fault| format!("{fault:?}").len(), |text| text.len())))
}

handbox_tool::export!(fetcher, reader, remember);
