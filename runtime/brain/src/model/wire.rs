//! What every provider's wire has in common: how a request is sent, and what failures mean.

use super::{ModelError, ModelErrorKind};
use crate::model::sse::{SseError, SseStream};
use handbox_hand::{Http, HttpBody, HttpError, HttpRequest, HttpResponse, Principal, Sender};
use handbox_session::fold::Tokens;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The most bytes that are read of an answer that is no reply. An error's text is near its beginning.
const FAILURE_BYTES_MAX: usize = 64 * 1024;
/// The most characters of a provider's error that are shown.
const SHOWN_CHARS_MAX: usize = 500;
/// The most bytes of a reply's content. The longest replies of today have below 1 MiB.
pub(super) const REPLY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// The longest wait that is believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// How long to wait for the end of a body whose reply is there. Read to its end, its connection can be used again,
/// which spares the next request three round trips; a server that does not end it costs this much.
const END_TIME_MAX: Duration = Duration::from_millis(50);

/// One provider, and in whose name it is asked.
pub(super) struct Caller {
    pub(super) http: Arc<dyn Http>,
    pub(super) principal: Principal,
    pub(super) provider: &'static str,
}

impl Caller {
    /// Posts JSON, and gives an answer whose status is 200.
    pub(super) async fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<HttpResponse, ModelError> {
        let own = [("content-type", "application/json"), ("accept", "text/event-stream, application/json")];
        let headers =
            own.iter().chain(headers).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = HttpRequest { method: "POST".to_owned(), url: url.to_owned(), headers, body: body.into() };
        let mut response =
            self.http.send(&Sender::new(self.principal.clone()), request).await.map_err(|error| self.http(&error))?;
        if response.status == 200 {
            return Ok(response);
        }
        // An answer that was cut is judged by its status.
        let body = read(&mut *response.body, FAILURE_BYTES_MAX).await.unwrap_or_default();
        Err(self.failed(&response, &body))
    }

    /// An answer with another status than 200.
    fn failed(&self, response: &HttpResponse, body: &[u8]) -> ModelError {
        let status = response.status;
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let (name, text) = explanation(&body);
        let kind = kind_of_name(&name, &text).unwrap_or_else(|| kind_of_status(status));
        let mut message = format!("{} answered {status}", self.provider);
        if (300..400).contains(&status) {
            message.push_str(" and a redirect, which is not followed: its address has moved");
        }
        for part in [name, text].iter().filter(|part| !part.is_empty()) {
            message = format!("{message}: {}", shown(part));
        }
        ModelError { retry_after: retry_after(response), ..error(kind, message) }
    }

    /// An error that the provider sent as part of a stream.
    pub(super) fn sent_error(&self, body: &Value, usage: Tokens) -> ModelError {
        let (name, text) = explanation(body);
        let kind = kind_of_name(&name, &text).unwrap_or(ModelErrorKind::Failed);
        let message = format!("{} ended its reply: {}: {}", self.provider, shown(&name), shown(&text));
        ModelError { usage: Some(usage), ..error(kind, message) }
    }

    /// A status of 200, and yet no reply.
    pub(super) async fn no_reply(&self, mut response: HttpResponse) -> ModelError {
        let body = read(&mut *response.body, FAILURE_BYTES_MAX).await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if body.get("error").is_some_and(|error| !error.is_null()) {
            return self.sent_error(&body, Tokens::default());
        }
        let kind = shown(response.header("content-type").unwrap_or("nothing"));
        self.cut(&format!("answered with {kind}, which is no reply"))
    }

    /// A reply that is not whole.
    pub(super) fn cut(&self, what: &str) -> ModelError {
        error(ModelErrorKind::Cut, format!("{} {what}", self.provider))
    }

    /// A stream that cannot be read on.
    pub(super) fn stream(&self, broken: &SseError) -> ModelError {
        match broken {
            SseError::Http(error) => self.http(error),
            SseError::TooLarge | SseError::NotText => self.cut(&format!("sent {broken}")),
        }
    }

    /// What kept a request or its answer from passing.
    pub(super) fn http(&self, failed: &HttpError) -> ModelError {
        let (kind, what) = match failed {
            HttpError::Denied(refusal) => {
                (ModelErrorKind::Unauthorized, format!("may not be asked: {refusal}; to allow it: {}", refusal.hint))
            }
            HttpError::Invalid(_) => (ModelErrorKind::Rejected, format!("could not be asked: {failed}")),
            // Nothing was sent, so nothing was used.
            HttpError::Unreachable(_) | HttpError::Quota(_) | HttpError::Unrecorded(_) => {
                let what = format!("{} cannot be reached: {failed}", self.provider);
                return ModelError { usage: Some(Tokens::default()), ..error(ModelErrorKind::Cut, what) };
            }
            HttpError::Lost(_) | HttpError::TimedOut(_) | HttpError::Unusable(_) => {
                (ModelErrorKind::Cut, format!("did not answer whole: {failed}"))
            }
        };
        error(kind, format!("{} {what}", self.provider))
    }
}

/// An error that says nothing more.
pub(super) fn error(kind: ModelErrorKind, message: String) -> ModelError {
    ModelError { kind, message, retry_after: None, usage: None }
}

/// A body of at most so many bytes; what goes beyond is not read.
pub(super) async fn read(body: &mut dyn HttpBody, bytes_max: usize) -> Result<Vec<u8>, HttpError> {
    let mut whole = Vec::new();
    while whole.len() < bytes_max {
        let Some(piece) = body.next().await? else { break };
        whole.extend_from_slice(&piece[..piece.len().min(bytes_max - whole.len())]);
    }
    Ok(whole)
}

/// Reads to the end what should end now.
pub(super) async fn settle(mut stream: SseStream) {
    let end = async { while matches!(stream.next().await, Ok(Some(_))) {} };
    // Not reaching it costs a connection and nothing else.
    let _: Result<(), _> = tokio::time::timeout(END_TIME_MAX, end).await;
}

/// The name and the text of an error, in any of the shapes in which providers send one.
fn explanation(body: &Value) -> (String, String) {
    let inner = body.get("error").unwrap_or(body);
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    // FastAPI lists what it did not like, and repeats the input beside it; only its texts are taken.
    let listed = || text(body.pointer("/detail/0/msg"));
    let message = text(Some(inner)).or_else(|| text(inner.get("message"))).or_else(|| text(body.get("detail")));
    // OpenAI has the precise name in `code`, which others fill with the status as a number.
    let code = text(inner.get("code")).filter(|code| kind_of_name(code, "").is_some());
    let name = code.or_else(|| text(inner.get("type"))).unwrap_or_default();
    (name, message.or_else(listed).unwrap_or_default())
}

fn kind_of_name(name: &str, text: &str) -> Option<ModelErrorKind> {
    // Anthropic's answer to an empty account is an invalid request by name.
    if text.contains("credit balance is too low") {
        return Some(ModelErrorKind::Billing);
    }
    Some(match name {
        "overloaded_error" | "engine_overloaded" | "slow_down" => ModelErrorKind::Overloaded,
        "rate_limit_error" | "rate_limit_exceeded" => ModelErrorKind::RateLimited,
        "billing_error" | "insufficient_quota" | "billing_hard_limit_reached" => ModelErrorKind::Billing,
        "authentication_error" | "permission_error" | "invalid_api_key" => ModelErrorKind::Unauthorized,
        "invalid_request_error" | "not_found_error" | "request_too_large" | "context_length_exceeded" => {
            ModelErrorKind::Rejected
        }
        "api_error" | "timeout_error" | "server_error" => ModelErrorKind::Failed,
        _ => return None,
    })
}

fn kind_of_status(status: u16) -> ModelErrorKind {
    match status {
        401 | 403 | 407 => ModelErrorKind::Unauthorized,
        402 => ModelErrorKind::Billing,
        429 => ModelErrorKind::RateLimited,
        503 | 529 => ModelErrorKind::Overloaded,
        408 | 425 | 500.. => ModelErrorKind::Failed,
        // Also 2xx and 3xx: no reply comes by asking the same again.
        _ => ModelErrorKind::Rejected,
    }
}

/// `retry-after` in seconds or as a date, or OpenAI's `retry-after-ms`.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let number = |name: &str| response.header(name).and_then(|value| value.trim().parse::<f64>().ok());
    let wait = match (number("retry-after-ms"), number("retry-after")) {
        (Some(ms), _) => Duration::try_from_secs_f64(ms / 1000.0).ok(),
        (None, Some(seconds)) => Duration::try_from_secs_f64(seconds).ok(),
        (None, None) => {
            let at = httpdate::parse_http_date(response.header("retry-after")?.trim()).ok()?;
            // By the provider's own clock if it tells it, since ours may be wrong.
            let now = response.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
            Some(at.duration_since(now.unwrap_or_else(SystemTime::now)).unwrap_or_default())
        }
    };
    wait.map(|wait| wait.min(RETRY_AFTER_MAX))
}

/// A foreign text, short and on one line.
fn shown(text: &str) -> String {
    let line: String =
        text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(SHOWN_CHARS_MAX).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() { line + "…" } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&str, &str)]) -> Option<Duration> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        retry_after(&HttpResponse::whole(429, headers, ""))
    }

    #[test]
    fn retry_after_is_seconds_milliseconds_or_a_date() {
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(wait(&[("retry-after", "1"), ("retry-after-ms", "250")]), Some(Duration::from_millis(250)));
        let now = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"), now]), Some(Duration::from_secs(30)));
        assert_eq!(wait(&[("retry-after", "Wed, 21 Oct 2026 07:00:00 GMT"), now]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "1e300")]), None);
        assert_eq!(wait(&[("retry-after", "99999999")]), Some(RETRY_AFTER_MAX));
        for nonsense in ["-1", "soon", "NaN", ""] {
            assert_eq!(wait(&[("retry-after", nonsense)]), None, "{nonsense:?}");
        }
    }

    #[test]
    fn errors_of_every_shape_are_explained_without_the_input() {
        for (body, name, text) in [
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                "overloaded_error",
                "Overloaded",
            ),
            (r#"{"error":{"message":"m","type":"x","code":"insufficient_quota"}}"#, "insufficient_quota", "m"),
            (r#"{"error":{"message":"m","type":"BadRequestError","code":400}}"#, "BadRequestError", "m"),
            (r#"{"error":"model not found"}"#, "", "model not found"),
            (r#"{"object":"error","message":"m","type":"t"}"#, "t", "m"),
            (r#"{"detail":[{"msg":"field required","input":"my prompt"}]}"#, "", "field required"),
            ("[]", "", ""),
        ] {
            let body = serde_json::from_str(body).unwrap();
            assert_eq!(explanation(&body), (name.to_owned(), text.to_owned()), "{body}");
        }
    }
}
