//! Sending HTTP on somebody's behalf, as an interface.

use crate::Sender;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// On whose behalf something is sent. Opaque: only whoever made it knows what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Principal(pub Arc<str>);

impl Principal {
    /// Under this name.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }
}

/// Whoever may open connections: the one way out of the process.
///
/// # Contract
///
/// * What leaves was decided on, and carries a credential only if exactly one binding asks for it; see the vault.
/// * Redirects are given back, not followed. No compression is asked for; a body that is compressed still is given
///   decompressed, without its `content-encoding`.
/// * It tries once.
/// * Dropping the future, or the body, ends the request.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends one request, and gives the head of what comes back.
    ///
    /// # Errors
    ///
    /// [`HttpError`], which holds no credential.
    async fn send(&self, sender: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError>;

    /// Takes the credentials of a principal out of what it made of responses: what came in pieces, compressed or between the
    /// tags of a page holds a credential only once a tool has put it together. Nothing to take out, unless said otherwise.
    fn scrub(&self, _principal: &Principal, bytes: Vec<u8>) -> Vec<u8> {
        bytes
    }
}

#[async_trait]
impl<H: Http + ?Sized> Http for Arc<H> {
    async fn send(&self, sender: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        (**self).send(sender, request).await
    }

    fn scrub(&self, principal: &Principal, bytes: Vec<u8>) -> Vec<u8> {
        (**self).scrub(principal, bytes)
    }
}

/// One request. Holds no credential: that is added on the way out.
#[derive(Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// Names and values, in order. Framing (`Content-Length`, `Host`, …) is the sender's.
    pub headers: Vec<(String, String)>,
    /// What follows them.
    pub body: RequestBody,
}

/// The body of a request.
pub enum RequestBody {
    /// All of it.
    Whole(Bytes),
    /// It comes while it is sent. Its error ends the request, which the server sees as cut.
    Stream {
        /// The pieces.
        body: Box<dyn HttpBody>,
        /// How many bytes there will be, if whoever sends it says so. It is an error if there are more or fewer.
        bytes: Option<u64>,
    },
}

impl RequestBody {
    /// How many bytes there will be, if that is known.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        match self {
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Stream { bytes, .. } => *bytes,
        }
    }
}

impl<B: Into<Bytes>> From<B> for RequestBody {
    fn from(bytes: B) -> Self {
        Self::Whole(bytes.into())
    }
}

impl fmt::Debug for RequestBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Stream { bytes, .. } => write!(f, "a stream of {bytes:?} bytes"),
        }
    }
}

/// What came back.
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names in lower case, and values. Without those that are about the connection or the length of the body.
    pub headers: Vec<(String, String)>,
    /// The rest of it, as it comes.
    pub body: Box<dyn HttpBody>,
}

impl HttpResponse {
    /// A response that is there already, as tests and replays give it.
    #[must_use]
    pub fn whole(status: u16, headers: Vec<(String, String)>, body: impl Into<Bytes>) -> Self {
        let body = Some(body.into()).filter(|body| !body.is_empty());
        Self { status, headers, body: Box::new(Whole(body)) }
    }

    /// The value of a header, by its name in lower case; the first if there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// A body that comes piece by piece.
#[async_trait]
pub trait HttpBody: Send {
    /// The next piece; `None` at the end of a body that came whole.
    ///
    /// # Errors
    ///
    /// [`HttpError`]; there is nothing more after it.
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError>;

    /// What came behind the last piece, names in lower case. Empty before the end.
    fn trailers(&mut self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// A body that is there already.
struct Whole(Option<Bytes>);

#[async_trait]
impl HttpBody for Whole {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        Ok(self.0.take())
    }
}

/// What kept a connection from being made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// Where it ended.
    pub obstacle: Obstacle,
    /// Why, for people. Holds no credential.
    pub text: String,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Of which nobody knows more than the text.
impl From<String> for Unreachable {
    fn from(text: String) -> Self {
        Self { obstacle: Obstacle::Other, text }
    }
}

/// Where the way to a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// There is no address for its name.
    Name,
    /// Nothing listens at its address.
    Refused,
    /// It took too long.
    Slow,
    /// Its certificate is not to be believed.
    Certificate,
    /// It speaks no TLS, or none that is spoken here.
    Tls,
    /// Something else.
    Other,
}

/// Why nothing, or not all, came back. The texts hold no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It may not be sent; an operator can allow it.
    #[error("{0}")]
    Denied(crate::Refusal),
    /// Too many requests, connections or bytes of one principal. Some may go later, or in another call.
    #[error("{0}")]
    Quota(String),
    /// It could not be put on record, so it was not sent. An operator must act.
    #[error("{0}")]
    Unrecorded(crate::AuditError),
    /// There was no connection, so nothing was sent.
    #[error("cannot connect: {0}")]
    Unreachable(Unreachable),
    /// The connection was lost; what was sent may have had its effect.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// It took longer than it may.
    #[error("no answer within the time allowed: {0}")]
    TimedOut(String),
    /// The request is not HTTP, or beyond what is taken; nothing was sent.
    #[error("{0}")]
    Invalid(String),
    /// What came back is beyond what is taken, or cannot be searched for credentials; the request had its effect.
    #[error("{0}")]
    Unusable(String),
}
