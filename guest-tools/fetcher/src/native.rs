//! Outside a component there is no network.

use crate::Fetcher;
use handbox_tool::Fault;

pub(crate) fn run(input: &Fetcher) -> Result<String, Fault> {
    let Fetcher { url, method, headers, body, times, follow, chunks } = input;
    Err(Fault::failed(format!("not sent: {url} {method:?} {headers:?} {body:?} {times:?} {follow:?} {chunks:?}")))
}
