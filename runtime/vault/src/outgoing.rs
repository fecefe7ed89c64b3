//! The body of a request, on its way out.

use crate::failure::Carried;
use crate::party::{Party, brought};
use crate::scan::Scan;
use bytes::Bytes;
use handbox_hand::{HttpBody, HttpError};
use http_body::{Body, Frame, SizeHint};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, ready};

/// What is known of a request on its way.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    /// Bytes that left so far.
    pub(crate) bytes: Arc<AtomicU64>,
    /// Why it ended early; the HTTP library says only that it did.
    pub(crate) fault: Arc<OnceLock<HttpError>>,
    /// Whether the server answered, so that it got a request, whatever becomes of a second one.
    pub(crate) answered: Arc<AtomicBool>,
}

/// A body that comes while it is sent: bounded, of the length that was declared, and searched for credentials.
pub(crate) struct Outgoing {
    // The library wants its bodies `Sync`; it never shares them.
    state: Mutex<State>,
    party: Arc<Party>,
    progress: Progress,
    scan: Scan,
    declared: Option<u64>,
    came: u64,
    bytes_max: u64,
}

type Piece = Result<Option<Bytes>, HttpError>;
/// The body, back from the call that borrowed it.
type Next = (Box<dyn HttpBody>, Piece);

enum State {
    Idle(Box<dyn HttpBody>),
    Pending(Pin<Box<dyn Future<Output = Next> + Send>>),
    Done,
}

impl Outgoing {
    pub(crate) fn new(
        body: Box<dyn HttpBody>,
        declared: Option<u64>,
        bytes_max: u64,
        scan: Scan,
        party: Arc<Party>,
        progress: Progress,
    ) -> Self {
        Self { state: Mutex::new(State::Idle(body)), party, progress, scan, declared, came: 0, bytes_max }
    }

    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut pending = match std::mem::replace(state, State::Done) {
            State::Done => return Poll::Ready(None),
            State::Pending(pending) => pending,
            State::Idle(mut body) => Box::pin(async move {
                let piece = body.next().await;
                (body, piece)
            }),
        };
        match pending.as_mut().poll(context) {
            Poll::Pending => {
                *state = State::Pending(pending);
                Poll::Pending
            }
            Poll::Ready((body, piece)) => {
                if matches!(piece, Ok(Some(_))) {
                    *state = State::Idle(body);
                }
                Poll::Ready(Some(piece))
            }
        }
    }

    /// What may leave of a piece.
    fn pass(&mut self, piece: Option<Bytes>) -> Result<Bytes, HttpError> {
        let wrong = |why: String| Err(HttpError::Invalid(why));
        let Some(piece) = piece else {
            return match self.declared {
                Some(declared) if declared != self.came => {
                    wrong(format!("the body has {} bytes; {declared} were announced", self.came))
                }
                _ => Ok(self.scan.finish()),
            };
        };
        self.came = self.came.saturating_add(piece.len() as u64);
        if self.came > self.bytes_max {
            return wrong(format!("a request of more than {} bytes", self.bytes_max));
        }
        if let Some(declared) = self.declared.filter(|declared| self.came > *declared) {
            return wrong(format!("the body has more than the {declared} bytes that were announced"));
        }
        self.party.count_bytes(piece.len() as u64)?;
        self.scan.push(piece).map_err(|of| brought(&of))
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Carried;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Carried>>> {
        loop {
            let Some(piece) = ready!(self.poll_piece(context)) else { return Poll::Ready(None) };
            let is_last = matches!(piece, Ok(None));
            match piece.and_then(|piece| self.pass(piece)) {
                Ok(bytes) if bytes.is_empty() => {
                    if is_last {
                        return Poll::Ready(None);
                    }
                }
                Ok(bytes) => {
                    self.progress.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Err(error) => {
                    *self.state.get_mut().unwrap_or_else(PoisonError::into_inner) = State::Done;
                    let _ = self.progress.fault.set(error.clone());
                    return Poll::Ready(Some(Err(Carried(error))));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.declared.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
