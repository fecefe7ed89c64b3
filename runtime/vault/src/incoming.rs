//! What comes back, on its way in.

use crate::expiry::Expiry;
use crate::failure::Carried;
use crate::headers;
use crate::party::Party;
use crate::record::Record;
use crate::scrub::Needles;
use async_trait::async_trait;
use bytes::Bytes;
use handbox_hand::{HttpBody, HttpError};
use http_body::{Body, Frame, SizeHint};
use reqwest::Response;
use reqwest::header::HeaderMap;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};
use tokio::sync::{Mutex, OwnedSemaphorePermit};
use tokio::task::JoinHandle;
use tokio::time::Instant;

type Trailers = Arc<std::sync::Mutex<Option<HeaderMap>>>;

/// Counts the bytes of a response as they are on the wire, and keeps its trailers, which the HTTP library drops.
struct Counted {
    body: reqwest::Body,
    party: Arc<Party>,
    trailers: Trailers,
}

/// The same response, counted, and where its trailers will be.
pub(crate) fn counted(response: Response, party: Arc<Party>) -> (Response, Trailers) {
    let trailers = Trailers::default();
    let (parts, body) = http::Response::<reqwest::Body>::from(response).into_parts();
    let counted = Counted { body, party, trailers: Arc::clone(&trailers) };
    let response = http::Response::from_parts(parts, reqwest::Body::wrap(counted));
    (Response::from(response), trailers)
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            Poll::Ready(Some(Err(error))) => return Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => return Poll::Pending,
        };
        if let Some(trailers) = frame.trailers_ref() {
            *self.trailers.lock().unwrap_or_else(PoisonError::into_inner) = Some(trailers.clone());
        }
        let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
        let counted = self.party.count_bytes(bytes);
        Poll::Ready(Some(counted.map(|()| frame).map_err(|error| Carried(error).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body with all that ends when it ends: the record, and the place among the connections.
///
/// It ends at its time limit, too, while nobody reads it: a guest that kept it would keep the connection otherwise. One that
/// began to read and then waits for nothing does neither: each piece is read by a task of its own, which goes on to its end.
pub(crate) struct Incoming {
    held: Arc<Mutex<Held>>,
    /// The piece that is asked for.
    reading: Option<JoinHandle<Result<Option<Bytes>, HttpError>>>,
    needles: Needles,
    header_bytes_max: usize,
    is_over: bool,
}

/// What is given back at the end, or when this is dropped.
pub(crate) struct Held {
    pub(crate) body: crate::body::Body,
    pub(crate) trailers: Trailers,
    pub(crate) record: Record,
    pub(crate) permits: Vec<OwnedSemaphorePermit>,
}

impl Held {
    /// The next piece; at the end, all is given back.
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        let next = if Instant::now() < self.body.deadline {
            self.body.next().await
        } else {
            // What has come already would be there at once, however late it is asked for.
            Err(late())
        };
        if let Ok(Some(piece)) = &next {
            self.record.redacted(self.body.found());
            self.record.received(piece.len() as u64);
        } else {
            self.end(next.as_ref().err());
        }
        next
    }

    fn end(&mut self, error: Option<&HttpError>) {
        self.record.redacted(self.body.found());
        self.record.ended(error);
        self.body.response = None;
        self.body.decoder = None;
        self.permits.clear();
    }

    /// Nobody read it in time.
    pub(crate) fn expire(&mut self) {
        self.end(Some(&late()));
    }
}

fn late() -> HttpError {
    HttpError::TimedOut("the answer was not read in time".to_owned())
}

impl Incoming {
    pub(crate) fn new(held: Held, header_bytes_max: usize, expiry: &Expiry) -> Self {
        let (deadline, needles) = (held.body.deadline, held.body.needles.clone());
        let held = Arc::new(Mutex::new(held));
        expiry.watch(deadline, &held);
        Self { held, reading: None, needles, header_bytes_max, is_over: false }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if let Some(reading) = &self.reading {
            reading.abort();
        }
    }
}

#[async_trait]
impl HttpBody for Incoming {
    async fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        if self.is_over {
            return Ok(None);
        }
        let held = &self.held;
        let reading = self.reading.get_or_insert_with(|| {
            let held = Arc::clone(held);
            tokio::spawn(async move { held.lock().await.next().await })
        });
        let next = reading.await;
        self.reading = None;
        let next = match next {
            Ok(next) => next,
            // A library panicked over what it was sent.
            Err(_) => {
                let error = HttpError::Unusable("the answer cannot be read".to_owned());
                self.held.lock().await.end(Some(&error));
                Err(error)
            }
        };
        if !matches!(next, Ok(Some(_))) {
            self.is_over = true;
        }
        next
    }

    fn trailers(&mut self) -> Vec<(String, String)> {
        let held = self.held.try_lock().ok().filter(|_| self.is_over);
        let came = held.and_then(|held| held.trailers.lock().unwrap_or_else(PoisonError::into_inner).take());
        // More of them than may be are none: nobody relies on trailers.
        let shown = came.map(|came| headers::of_response(&came, &self.needles, None, self.header_bytes_max));
        shown.and_then(Result::ok).unwrap_or_default()
    }
}
