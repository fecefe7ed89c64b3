//! Sending HTTP on somebody's behalf, as an interface.

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
    async fn send(&self, principal: &Principal, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}

#[async_trait]
impl<H: Http + ?Sized> Http for Arc<H> {
    async fn send(&self, principal: &Principal, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        (**self).send(principal, request).await
    }
}

/// One request. Holds no credential: that is added on the way out.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// An absolute `http` or `https` URL.
    pub url: String,
    /// Names and values, in order. Framing (`Content-Length`, `Host`, …) is the sender's.
    pub headers: Vec<(String, String)>,
    /// All of it.
    pub body: Bytes,
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
}

/// A body that is there already.
struct Whole(Option<Bytes>);

#[async_trait]
impl HttpBody for Whole {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        Ok(self.0.take())
    }
}

/// Why nothing, or not all, came back. The texts hold no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// It may not be sent; an operator can allow it.
    #[error("{0}")]
    Denied(crate::Refusal),
    /// There was no connection, so nothing was sent.
    #[error("cannot connect: {0}")]
    Unreachable(String),
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
