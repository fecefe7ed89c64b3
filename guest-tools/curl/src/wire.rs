//! What carries requests: the host, or in tests a list of answers.

#[cfg_attr(target_os = "wasi", path = "wire/wasi.rs")]
#[cfg_attr(not(target_os = "wasi"), path = "wire/native.rs")]
mod network;

pub(crate) use network::Network;

use crate::failure::Trouble;
use crate::request::Request;
use std::time::{Duration, Instant};

/// Sends one request, and follows nothing.
pub(crate) trait Wire {
    /// Sends it, and gives the head of the answer.
    fn open(&self, request: &Request, times: Times) -> Result<Answer, Trouble>;

    /// Lets time pass.
    fn wait(&self, time: Duration);
}

/// When to give up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// Until all is there.
    pub(crate) end: Option<Instant>,
    /// Until there is a connection.
    pub(crate) connect: Option<Duration>,
}

/// The head of an answer, and the rest of it.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// In the order in which they came; bytes that are no UTF-8 are replaced.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Box<dyn Incoming>,
}

impl Answer {
    /// The first header of that name, which is in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// A body that comes piece by piece.
pub(crate) trait Incoming {
    /// The next piece; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Trouble>;
}
