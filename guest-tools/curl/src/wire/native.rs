//! Outside a component there is no host to ask.

use super::{Answer, Times, Wire};
use crate::failure::Trouble;
use crate::request::Request;
use std::time::Duration;

/// The network, as far as the host allows it.
pub(crate) struct Network;

impl Wire for Network {
    fn open(&self, _request: &Request, _times: Times) -> Result<Answer, Trouble> {
        Err(Trouble::Refused)
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
