//! Outside a component there is no host to ask.

use crate::{Fetch, Request, Response, Trouble};

/// The network, as far as the host allows it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network;

impl Fetch for Network {
    fn fetch(&self, _request: &Request) -> Result<Response, Trouble> {
        Err(Trouble::Refused)
    }
}
