//! Exchanges with a provider, recorded and given again.
//!
//! A recording is JSON lines, one exchange a line. It holds what was asked and answered in full, so it is as private as
//! a session's log. Credentials are not in it: they are added and scrubbed on the other side of [`Http`], and headers
//! that could carry one are left away all the same.

use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::BASE64;
use handbox_hand::{Http, HttpBody, HttpError, HttpRequest, HttpResponse, RequestBody, Sender};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// The most bytes of a body that are recorded.
const RECORDED_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Headers that could carry a credential.
const PRIVATE: [&str; 8] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "cookie",
    "set-cookie",
    "x-auth-token",
];

/// Takes the lines of a recording, each without its line feed. Called from whatever task ends an exchange.
pub type Sink = Arc<dyn Fn(String) + Send + Sync>;

/// One exchange.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Exchange {
    method: String,
    url: String,
    /// BLAKE3 of the request's body.
    hash: String,
    headers: Vec<(String, String)>,
    request: Content,
    status: u16,
    response_headers: Vec<(String, String)>,
    response: Content,
    /// The lengths of the pieces in which the response came.
    pieces: Vec<usize>,
    /// Why the response ended before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
}

/// Bytes, readable if they can be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Text(String),
    Base64(String),
}

impl Content {
    fn new(bytes: &[u8]) -> Self {
        std::str::from_utf8(bytes)
            .map_or_else(|_| Self::Base64(BASE64.encode(bytes)), |text| Self::Text(text.to_owned()))
    }

    fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Base64(text) => BASE64.decode(text.as_bytes()).ok(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Failure {
    Unreachable(String),
    Lost(String),
    TimedOut(String),
    Unusable(String),
    /// Whoever asked went away.
    Dropped,
    /// It was longer than is recorded.
    TooLong,
}

impl Failure {
    /// `None` for what never left the process, which is no exchange.
    fn of(error: &HttpError) -> Option<Self> {
        Some(match error {
            HttpError::Unreachable(why) => Self::Unreachable(why.text.clone()),
            HttpError::Lost(text) => Self::Lost(text.clone()),
            HttpError::TimedOut(text) => Self::TimedOut(text.clone()),
            HttpError::Unusable(text) => Self::Unusable(text.clone()),
            HttpError::Denied(_) | HttpError::Invalid(_) | HttpError::Quota(_) | HttpError::Unrecorded(_) => {
                return None;
            }
        })
    }

    fn error(self) -> HttpError {
        match self {
            Self::Unreachable(text) => HttpError::Unreachable(text.into()),
            Self::Lost(text) => HttpError::Lost(text),
            Self::TimedOut(text) => HttpError::TimedOut(text),
            Self::Unusable(text) => HttpError::Unusable(text),
            Self::Dropped => HttpError::Lost("the recording ends here, since whoever asked went away".to_owned()),
            Self::TooLong => HttpError::Lost("the recording ends here, since the answer was too long".to_owned()),
        }
    }
}

fn without_credentials(headers: &[(String, String)]) -> Vec<(String, String)> {
    let is_private = |name: &str| PRIVATE.contains(&name.to_ascii_lowercase().as_str());
    headers.iter().filter(|(name, _)| !is_private(name)).cloned().collect()
}

/// Passes exchanges on, and tells a sink about each one once it has ended.
pub struct Recorder {
    inner: Arc<dyn Http>,
    sink: Sink,
}

impl Recorder {
    /// Records what goes through `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Http>, sink: Sink) -> Self {
        Self { inner, sink }
    }
}

#[async_trait]
impl Http for Recorder {
    async fn send(&self, sender: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let sent = whole(&request.body)?;
        let mut exchange = Exchange {
            method: request.method.clone(),
            url: request.url.clone(),
            hash: blake3::hash(&sent).to_hex().to_string(),
            headers: without_credentials(&request.headers),
            request: Content::new(&sent),
            status: 0,
            response_headers: Vec::new(),
            response: Content::Text(String::new()),
            pieces: Vec::new(),
            failure: None,
        };
        let response = match self.inner.send(sender, request).await {
            Ok(response) => response,
            Err(error) => {
                exchange.failure = Failure::of(&error);
                if exchange.failure.is_some() {
                    tell(&self.sink, &exchange);
                }
                return Err(error);
            }
        };
        let HttpResponse { status, headers, body } = response;
        exchange.status = status;
        exchange.response_headers = without_credentials(&headers);
        let body = Recording { inner: body, sink: Arc::clone(&self.sink), exchange: Some(exchange), bytes: Vec::new() };
        Ok(HttpResponse { status, headers, body: Box::new(body) })
    }
}

/// Models are sent whole bodies; others cannot be told apart by a hash before they are sent.
fn whole(body: &RequestBody) -> Result<Bytes, HttpError> {
    match body {
        RequestBody::Whole(bytes) => Ok(bytes.clone()),
        RequestBody::Stream { .. } => {
            Err(HttpError::Invalid("a body that comes while it is sent is not recorded".to_owned()))
        }
    }
}

fn tell(sink: &Sink, exchange: &Exchange) {
    // Strings and numbers alone: this cannot fail, and a recording is nothing to stop for.
    if let Ok(line) = serde_json::to_string(exchange) {
        sink(line);
    }
}

/// A body whose pieces are kept until its end.
struct Recording {
    inner: Box<dyn HttpBody>,
    sink: Sink,
    /// `None` once the sink was told.
    exchange: Option<Exchange>,
    bytes: Vec<u8>,
}

impl Recording {
    fn end(&mut self, failure: Option<Failure>) {
        if let Some(mut exchange) = self.exchange.take() {
            exchange.response = Content::new(&std::mem::take(&mut self.bytes));
            exchange.failure = failure;
            tell(&self.sink, &exchange);
        }
    }
}

#[async_trait]
impl HttpBody for Recording {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let came = self.inner.next().await;
        match &came {
            Ok(Some(piece)) if self.bytes.len() + piece.len() > RECORDED_BYTES_MAX => self.end(Some(Failure::TooLong)),
            Ok(Some(piece)) => {
                if let Some(exchange) = &mut self.exchange {
                    exchange.pieces.push(piece.len());
                    self.bytes.extend_from_slice(piece);
                }
            }
            Ok(None) => self.end(None),
            Err(error) => self.end(Failure::of(error)),
        }
        came
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.end(Some(Failure::Dropped));
    }
}

/// Answers from a recording: a request with the same method, URL and body gets what it got then, equal ones one after
/// the other. Opens no connection.
pub struct Replay {
    exchanges: Mutex<HashMap<Key, VecDeque<Exchange>>>,
    count: usize,
}

/// Method, URL and the hash of the body.
type Key = (String, String, String);

/// Why a recording cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the recording is no exchange: {why}")]
pub struct ReplayError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: String,
}

impl Replay {
    /// Reads a recording; empty lines are passed over.
    ///
    /// # Errors
    ///
    /// [`ReplayError`] for the first line that is none.
    pub fn parse(recording: &str) -> Result<Self, ReplayError> {
        let mut exchanges: HashMap<Key, VecDeque<Exchange>> = HashMap::new();
        let mut count = 0;
        for (index, line) in recording.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |why: String| ReplayError { line: index + 1, why };
            let exchange: Exchange = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
            let bytes = exchange.response.bytes().ok_or_else(|| wrong("its response is no Base64".to_owned()))?;
            let sum = exchange.pieces.iter().try_fold(0_usize, |sum, length| sum.checked_add(*length));
            if sum != Some(bytes.len()) {
                return Err(wrong("its pieces are not as long as its response".to_owned()));
            }
            let key = (exchange.method.clone(), exchange.url.clone(), exchange.hash.clone());
            exchanges.entry(key).or_default().push_back(exchange);
            count += 1;
        }
        Ok(Self { exchanges: Mutex::new(exchanges), count })
    }
}

#[async_trait]
impl Http for Replay {
    async fn send(&self, _: &Sender, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let hash = blake3::hash(&whole(&request.body)?).to_hex().to_string();
        let key = (request.method, request.url, hash);
        let found = {
            let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
            exchanges.get_mut(&key).and_then(VecDeque::pop_front)
        };
        let Some(exchange) = found else {
            let (method, url, hash) = key;
            let count = self.count;
            return Err(HttpError::Invalid(format!(
                "none of the recording's {count} exchanges, or no further one, is {method} {url} with a body of BLAKE3 {hash}; record it again"
            )));
        };
        if let (0, Some(failure)) = (exchange.status, exchange.failure.clone()) {
            return Err(failure.error());
        }
        let mut rest = Bytes::from(exchange.response.bytes().unwrap_or_default());
        let pieces = exchange.pieces.iter().map(|length| rest.split_to((*length).min(rest.len()))).collect();
        let body = Replayed { pieces, failure: exchange.failure };
        Ok(HttpResponse { status: exchange.status, headers: exchange.response_headers, body: Box::new(body) })
    }
}

struct Replayed {
    pieces: VecDeque<Bytes>,
    failure: Option<Failure>,
}

#[async_trait]
impl HttpBody for Replayed {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        match self.pieces.pop_front() {
            Some(piece) => Ok(Some(piece)),
            None => self.failure.take().map_or(Ok(None), |failure| Err(failure.error())),
        }
    }
}
