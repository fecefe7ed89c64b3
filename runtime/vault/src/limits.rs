//! What one exchange may take, and one principal.

use std::time::Duration;

/// What one exchange may take. Every field is set by the caller; there is no `Default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For a connection: the name's look-up, TCP and TLS together. As long may the record of a decision take, or the
    /// other way a credential is had.
    pub connect_time_max: Duration,
    /// From the start until the response's head is there.
    pub head_time_max: Duration,
    /// Between two pieces of a response's body.
    pub idle_time_max: Duration,
    /// From the start to the end of the response's body, pauses of its reader included.
    pub total_time_max: Duration,
    /// Bytes of a request's body.
    pub request_bytes_max: usize,
    /// Bytes of the names and values of a request's headers, and of a response's, and of its trailers.
    pub header_bytes_max: usize,
    /// Bytes of a response's body.
    pub body_bytes_max: u64,
    /// What each principal may take, over all its exchanges.
    pub quota: Quota,
}

/// What one principal may take until it is forgotten or [refilled](crate::Proxy::refill). No `Default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests, those that were refused included.
    pub requests_max: u64,
    /// Requests at once, from the decision to the end of the response's body; each may take a connection.
    pub connections_max: usize,
    /// Bytes of bodies, both ways together, as they are on the wire.
    pub bytes_max: u64,
}

impl Limits {
    /// For model calls.
    ///
    /// A hosted provider sends a head at once and pings while the model thinks; a local one may be silent for minutes
    /// while it reads a long prompt, and so may one that does not stream. The largest request a provider takes is
    /// 32 MiB; a reply of 128 000 tokens, each in an event of its own, is about 20 MiB. A brain's principal lives as long
    /// as the process, and money bounds its requests, so that its quota is only against a loop gone wild.
    pub const MODELS: Self = Self {
        connect_time_max: Duration::from_secs(15),
        head_time_max: Duration::from_secs(10 * 60),
        idle_time_max: Duration::from_secs(5 * 60),
        total_time_max: Duration::from_secs(60 * 60),
        request_bytes_max: 64 << 20,
        header_bytes_max: 64 << 10,
        body_bytes_max: 128 << 20,
        quota: Quota { requests_max: u64::MAX, connections_max: 1024, bytes_max: u64::MAX },
    };

    /// For hands: what a tool needs of an API, and less than it takes to be a nuisance.
    pub const HANDS: Self = Self {
        connect_time_max: Duration::from_secs(15),
        head_time_max: Duration::from_secs(5 * 60),
        idle_time_max: Duration::from_secs(60),
        total_time_max: Duration::from_secs(5 * 60),
        request_bytes_max: 32 << 20,
        header_bytes_max: 64 << 10,
        body_bytes_max: 64 << 20,
        quota: Quota { requests_max: 10_000, connections_max: 64, bytes_max: 4 << 30 },
    };
}
