//! `wasi:http` for guests: each request goes to whoever sends for their hand, or nowhere.
//!
//! A guest builds an ordinary request with `wasi:http/types` and hands it to `wasi:http/outgoing-handler`. What comes out of
//! that is given to the environment's [`Http`] in the name of the hand. No other way out is linked: this crate opens no
//! connection, and wasmtime's own sender is not compiled in.

use crate::job::Job;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use handbox_hand::{Http, HttpBody, HttpError, HttpRequest, HttpResponse, Obstacle, Principal, RequestBody, Sender};
use http::header::{ACCEPT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TE};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, StreamBody};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// A body of at most so many bytes is read before it is sent: then it can be searched, and sent again under a renewed
/// credential.
const WHOLE_BYTES_MAX: usize = 64 << 10;
/// The most bytes of a request's body that a guest writes at once. Two such pieces wait in the host for each request that it
/// holds.
const OUTGOING_BYTES_MAX: usize = 16 << 10;
/// How long to wait for such a body. A guest that wants an answer before it has said all does not wait for ever.
const WHOLE_TIME_MAX: Duration = Duration::from_secs(1);
/// The most that a guest's own time-outs are believed; the call's wall time ends before.
const TIMEOUT_MAX: Duration = Duration::from_secs(60 * 60);

/// Who sends for hands, and in whose name.
#[derive(Clone)]
pub struct Network {
    /// Sends, or refuses.
    pub http: Arc<dyn Http>,
    /// Who has the hands: one bundle, of a session or a command. Only a name; two owners share no rule, connection or quota.
    pub owner: Arc<str>,
}

impl Network {
    /// In whose name a component of a bundle sends: by its place in that, from 0, since authors choose names as they like.
    #[must_use]
    pub fn principal(&self, component: usize) -> Principal {
        Self::principal_of(&self.owner, component)
    }

    /// The same, for an owner whose network is still to be made.
    #[must_use]
    pub fn principal_of(owner: &str, component: usize) -> Principal {
        Principal::new(format!("{owner}/{component}"))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// What one hand may send, and through whom; `None` if its environment has no network.
pub(crate) type Line = Option<(Arc<dyn Http>, Principal)>;

/// The way out of one store.
pub(crate) struct Outgoing {
    line: Line,
    sender: Option<Sender>,
    /// See [`Job::sends_until`].
    until: Option<Arc<AtomicBool>>,
}

impl Outgoing {
    /// For calls of nobody yet.
    pub(crate) fn new(line: Line) -> Self {
        Self { line, sender: None, until: None }
    }

    /// What is sent from now on belongs to this call.
    pub(crate) fn start_call(&mut self, job: &Job) {
        self.until.clone_from(&job.sends_until);
        self.sender = self.line.as_ref().filter(|_| job.sends).map(|(_, principal)| Sender {
            principal: principal.clone(),
            tool: Some(job.call.name.as_str().into()),
            call: Some(job.call.id.clone()),
            read_only: job.hints.read_only,
            audit: Arc::clone(&job.call.audit),
        });
    }
}

/// What wasmtime's crate passes on.
type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Exchange = Box<dyn Future<Output = Result<(http::Response<WasiBody>, Io), Error>> + Send>;

impl WasiHttpHooks for Outgoing {
    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        OUTGOING_BYTES_MAX
    }

    fn set_host_header(&mut self) -> bool {
        false // the sender's, from the URL
    }

    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io, // nobody is told how a response was read
    ) -> Exchange {
        let line = self.line.as_ref().map(|(http, _)| Arc::clone(http));
        let Some((http, sender)) = line.zip(self.sender.clone()) else {
            return Box::new(async { Err(Error::HttpRequestDenied) });
        };
        if is_over(self.until.as_ref()) {
            return Box::new(async { Err(over()) });
        }
        let times = Times::of(options);
        let until = self.until.clone();
        Box::new(async move {
            let request = translate(request, until.clone()).await.map_err(|error| told(&error))?;
            if is_over(until.as_ref()) {
                return Err(over());
            }
            let came = timeout(times.head, http.send(&sender, request));
            let response = came.await.map_err(|_| Error::ConnectionReadTimeout)?.map_err(|error| told(&error))?;
            let response = give(response, times.between)?;
            Ok((response, Box::new(async { Ok(()) }) as Io))
        })
    }
}

/// A guest's own time-outs.
#[derive(Clone, Copy)]
struct Times {
    /// Until the response begins.
    head: Duration,
    /// Between two pieces of its body.
    between: Duration,
}

impl Times {
    fn of(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let bounded = |time: Option<Duration>| time.unwrap_or(TIMEOUT_MAX).min(TIMEOUT_MAX);
        let head = bounded(options.connect_timeout).saturating_add(bounded(options.first_byte_timeout));
        Self { head, between: bounded(options.between_bytes_timeout) }
    }
}

/// The record of what a call sent is closed with the call: what it started may run on, and say no more.
const OVER: &str = "the call that started this is over, so it may send no more";

fn over() -> Error {
    Error::InternalError(Some(OVER.to_owned()))
}

fn is_over(until: Option<&Arc<AtomicBool>>) -> bool {
    until.is_some_and(|over| over.load(Relaxed))
}

async fn translate(request: http::Request<WasiBody>, until: Option<Arc<AtomicBool>>) -> Result<HttpRequest, HttpError> {
    let (parts, body) = request.into_parts();
    let body = Going::new(body, until);
    let mut headers = Vec::with_capacity(parts.headers.len());
    let mut declared = None;
    for (name, value) in &parts.headers {
        // Framing is the sender's; that the number is one, and the only one, was checked before it came here.
        if name == CONTENT_LENGTH {
            declared = value.to_str().ok().and_then(|digits| digits.parse().ok());
            continue;
        }
        // So are the ways in which an answer may be encoded: clients of all kinds name theirs.
        if name == ACCEPT_ENCODING || name == TE {
            continue;
        }
        let value =
            value.to_str().map_err(|_| HttpError::Invalid(format!("the header {name} is not visible ASCII")))?;
        headers.push((name.as_str().to_owned(), value.to_owned()));
    }
    let body = whole_or_stream(body, declared).await?;
    Ok(HttpRequest { method: parts.method.to_string(), url: parts.uri.to_string(), headers, body })
}

/// A short body whole, others as they come.
async fn whole_or_stream(mut going: Going, declared: Option<u64>) -> Result<RequestBody, HttpError> {
    if going.body.is_none() {
        return Ok(Bytes::new().into());
    }
    if declared.is_some_and(|bytes| bytes > WHOLE_BYTES_MAX as u64) {
        return Ok(RequestBody::Stream { body: Box::new(going), bytes: declared });
    }
    let end = Instant::now() + WHOLE_TIME_MAX;
    let mut first = BytesMut::new();
    while first.len() <= WHOLE_BYTES_MAX {
        match timeout_at(end, going.next()).await {
            Ok(Ok(Some(piece))) => first.extend_from_slice(&piece),
            Ok(Ok(None)) if declared.is_none_or(|bytes| bytes == first.len() as u64) => {
                return Ok(first.freeze().into());
            }
            Ok(Ok(None)) => {
                return Err(HttpError::Invalid("the body is not as long as content-length says".to_owned()));
            }
            Ok(Err(error)) => return Err(error),
            Err(_) => break,
        }
    }
    going.first = first.freeze();
    Ok(RequestBody::Stream { body: Box::new(going), bytes: declared })
}

/// A request's body on its way out of a guest.
///
/// What nobody wants any more is read and thrown away, as long as the guest writes: else its writes would fail, and it would not
/// hear why its request was refused.
struct Going {
    /// Until its end.
    body: Option<WasiBody>,
    /// What was read of it before it was known to be long.
    first: Bytes,
    /// See [`Job::sends_until`].
    until: Option<Arc<AtomicBool>>,
}

impl Going {
    fn new(body: WasiBody, until: Option<Arc<AtomicBool>>) -> Self {
        Self { body: Some(body).filter(|body| !body.is_end_stream()), first: Bytes::new(), until }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let (Some(mut body), Ok(runtime)) = (self.body.take(), tokio::runtime::Handle::try_current()) else { return };
        // Ends with the guest's store at last.
        runtime.spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
    }
}

#[async_trait]
impl HttpBody for Going {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        if !self.first.is_empty() {
            return Ok(Some(std::mem::take(&mut self.first)));
        }
        let Some(body) = &mut self.body else { return Ok(None) };
        match body.frame().await {
            None => {
                self.body = None;
                Ok(None)
            }
            Some(Ok(_)) if is_over(self.until.as_ref()) => Err(HttpError::Invalid(OVER.to_owned())),
            Some(Ok(frame)) => {
                let data =
                    frame.into_data().map_err(|_| HttpError::Invalid("requests have no trailers here".to_owned()));
                data.map(Some)
            }
            Some(Err(_)) => {
                self.body = None;
                Err(HttpError::Invalid("the guest did not finish the body of its request".to_owned()))
            }
        }
    }
}

fn give(response: HttpResponse, between: Duration) -> Result<http::Response<WasiBody>, Error> {
    let mut given = http::Response::builder().status(response.status);
    if let Some(headers) = given.headers_mut() {
        *headers = fields(&response.headers);
    }
    let body = StreamBody::new(frames(response.body, between)).boxed_unsync();
    given.body(body).map_err(|_| Error::HttpProtocolError)
}

/// What is no header is left away: it is not for a guest to trip over.
fn fields(given: &[(String, String)]) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(given.len());
    for (name, value) in given {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            fields.append(name, value);
        }
    }
    fields
}

fn frames(
    body: Box<dyn HttpBody>,
    between: Duration,
) -> impl futures_util::Stream<Item = Result<Frame<Bytes>, Error>> + Send {
    futures_util::stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match timeout(between, body.next()).await {
            Err(_) => Some((Err(Error::ConnectionReadTimeout), None)),
            Ok(Err(error)) => Some((Err(told(&error)), None)),
            Ok(Ok(Some(piece))) => Some((Ok(Frame::data(piece)), Some(body))),
            Ok(Ok(None)) => {
                let trailers = fields(&body.trailers());
                (!trailers.is_empty()).then(|| (Ok(Frame::trailers(trailers)), None))
            }
        }
    })
}

/// What a guest is told. Of a refusal nothing: the operator reads why in the record.
fn told(error: &HttpError) -> Error {
    match error {
        HttpError::Denied(_) => Error::HttpRequestDenied,
        // Of what the log says nothing, but that nobody forbade it.
        HttpError::Unrecorded(_) => {
            Error::InternalError(Some("it could not be put on record, so it was not sent; try again later".to_owned()))
        }
        // A code alone reads as if it were well to send it again.
        HttpError::TimedOut(_) => Error::InternalError(Some(
            "no whole answer came in time; the server may have done what it was asked for".to_owned(),
        )),
        HttpError::Lost(_) => Error::InternalError(Some(
            "no whole answer came back; the server may have done what it was asked for".to_owned(),
        )),
        HttpError::Unreachable(why) => match why.obstacle {
            Obstacle::Name => Error::DnsError { rcode: None, info_code: None },
            Obstacle::Refused => Error::ConnectionRefused,
            Obstacle::Slow => Error::ConnectionTimeout,
            Obstacle::Certificate => Error::TlsCertificateError,
            Obstacle::Tls => Error::TlsProtocolError,
            Obstacle::Other => Error::InternalError(Some(error.to_string())),
        },
        // No code says that it is the caller who has had enough, and that to try again is of no use.
        HttpError::Quota(why) => Error::InternalError(Some(format!("this call may send no more now: {why}"))),
        HttpError::Invalid(_) | HttpError::Unusable(_) => Error::InternalError(Some(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, HttpError, Obstacle, told};
    use handbox_hand::Unreachable;

    #[test]
    fn a_guest_learns_of_which_kind_a_failure_is() {
        let unreachable = |obstacle| told(&HttpError::Unreachable(Unreachable { obstacle, text: "why".to_owned() }));
        assert!(matches!(unreachable(Obstacle::Name), Error::DnsError { .. }));
        assert!(matches!(unreachable(Obstacle::Refused), Error::ConnectionRefused));
        assert!(matches!(unreachable(Obstacle::Slow), Error::ConnectionTimeout));
        assert!(matches!(unreachable(Obstacle::Certificate), Error::TlsCertificateError));
        assert!(matches!(unreachable(Obstacle::Tls), Error::TlsProtocolError));
        assert!(matches!(unreachable(Obstacle::Other), Error::InternalError(Some(_))));
        for late in [HttpError::TimedOut("why".to_owned()), HttpError::Lost("why".to_owned())] {
            let Error::InternalError(Some(text)) = told(&late) else { panic!("nobody knows what the server did") };
            assert!(text.ends_with("may have done what it was asked for"), "{text}");
        }
        let Error::InternalError(Some(text)) = told(&HttpError::Quota("more than 10 requests".to_owned())) else {
            panic!("a quota is nothing that passes by itself")
        };
        assert!(text.contains("more than 10 requests"), "{text}");
    }
}
