//! What the audit is told.

use crate::outgoing::Progress;
use crate::policy::Allowed;
use crate::scrub::Needles;
use handbox_hand::{Audit, AuditError, Egress, EgressEnd, HttpError, HttpRequest, Sender, Target, Verdict, plain};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Numbers the decisions of this process.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The most bytes of what is told.
const METHOD_BYTES_MAX: usize = 32;
const ORIGIN_BYTES_MAX: usize = 512;
const PATH_BYTES_MAX: usize = 1024;
const TEXT_BYTES_MAX: usize = 2048;

/// One decision, as the audit is told of it.
pub(crate) struct Record {
    egress: Egress,
    audit: Arc<dyn Audit>,
    start: Instant,
    end: EgressEnd,
    progress: Progress,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nobody was told that it may go.
    Closed,
    /// The end is to be told.
    Open,
}

impl Record {
    /// Of a request on which nothing is decided yet.
    pub(crate) fn new(sender: &Sender, request: &HttpRequest, needles: &Needles) -> Self {
        let shown = |text: &str, bytes_max: usize| bounded(&plain(&needles.scrub_text(text.to_owned())), bytes_max);
        let target = Target::parse(&request.url).ok();
        let egress = Egress {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            principal: sender.principal.0.to_string(),
            tool: sender.tool.as_deref().map(str::to_owned),
            method: shown(&request.method, METHOD_BYTES_MAX),
            origin: target.as_ref().map_or_else(String::new, |target| shown(&target.origin(), ORIGIN_BYTES_MAX)),
            path: target.as_ref().map_or_else(String::new, |target| shown(target.url().path(), PATH_BYTES_MAX)),
            verdict: Verdict::Refused { reason: String::new(), hint: String::new() },
            durable: false,
        };
        let (audit, start) = (Arc::clone(&sender.audit), Instant::now());
        Self { egress, audit, start, end: EgressEnd::default(), progress: Progress::default(), state: State::Closed }
    }

    /// It may go. Nothing may be sent if this fails.
    pub(crate) async fn allowed(
        &mut self,
        allowed: &Allowed,
        credential: Option<&str>,
        time_max: Duration,
    ) -> Result<(), HttpError> {
        let credential = credential.map(|name| bounded(name, TEXT_BYTES_MAX));
        self.egress.durable = credential.is_some() || !matches!(self.egress.method.as_str(), "GET" | "HEAD");
        self.egress.verdict = Verdict::Allowed { rule: bounded(&allowed.rule, TEXT_BYTES_MAX), credential };
        self.tell(time_max).await?;
        self.state = State::Open;
        Ok(())
    }

    /// It may not, and this is why.
    pub(crate) async fn refused(
        &mut self,
        error: &HttpError,
        needles: &Needles,
        time_max: Duration,
    ) -> Result<(), HttpError> {
        let (reason, hint) = match error {
            HttpError::Denied(refusal) => (refusal.reason.clone(), refusal.hint.clone()),
            other => (other.to_string(), String::new()),
        };
        let shown = |text: String| bounded(&plain(&needles.scrub_text(text)), TEXT_BYTES_MAX);
        self.egress.verdict = Verdict::Refused { reason: shown(reason), hint: shown(hint) };
        self.egress.durable = false;
        self.tell(time_max).await
    }

    async fn tell(&self, time_max: Duration) -> Result<(), HttpError> {
        let told = tokio::time::timeout(time_max, self.audit.decided(&self.egress)).await;
        let late = || AuditError("the record was not kept within the time allowed".to_owned());
        told.unwrap_or_else(|_| Err(late())).map_err(HttpError::Unrecorded)
    }

    /// From here on the server may have got it.
    pub(crate) fn sent(&mut self, progress: Progress) {
        self.end.sent = true;
        self.progress = progress;
    }

    pub(crate) fn status(&mut self, status: u16) {
        self.end.status = Some(status);
    }

    pub(crate) fn received(&mut self, bytes: u64) {
        self.end.response_bytes += bytes;
    }

    /// How often a credential was taken out of the body so far.
    pub(crate) fn redacted(&mut self, found: u64) {
        self.end.redacted = found;
    }

    /// No answer came.
    pub(crate) fn failed(&mut self, error: &HttpError) {
        let was_sent = self.progress.fault.get().is_some() || self.progress.answered.load(Ordering::Relaxed);
        if !was_sent && matches!(error, HttpError::Denied(_) | HttpError::Unreachable(_)) {
            self.end.sent = false;
        }
        self.ended(Some(error));
    }

    /// The record itself, to whoever sees the end; what stays behind tells nothing more.
    pub(crate) fn handed_over(&mut self) -> Self {
        let mut own = self.copy();
        own.state = std::mem::replace(&mut self.state, State::Closed);
        own
    }

    /// Another decision on the same request.
    pub(crate) fn again(&self) -> Self {
        let mut own = self.copy();
        own.egress.id = NEXT.fetch_add(1, Ordering::Relaxed);
        own
    }

    fn copy(&self) -> Self {
        let (egress, end, audit) = (self.egress.clone(), self.end.clone(), Arc::clone(&self.audit));
        Self { egress, audit, start: self.start, end, progress: self.progress.clone(), state: State::Closed }
    }

    /// Tells the end, once.
    pub(crate) fn ended(&mut self, error: Option<&HttpError>) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.end.error = error.map(|error| bounded(&plain(&error.to_string()), TEXT_BYTES_MAX));
        self.end.request_bytes = self.progress.bytes.load(Ordering::Relaxed);
        self.end.duration_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.audit.ended(&self.egress, &self.end);
    }
}

/// Whoever sent it went away.
impl Drop for Record {
    fn drop(&mut self) {
        let dropped = HttpError::Lost("whoever sent it did not wait for the end".to_owned());
        self.ended(Some(&dropped));
    }
}

/// The beginning of a text.
fn bounded(text: &str, bytes_max: usize) -> String {
    text[..text.floor_char_boundary(bytes_max)].to_owned()
}
