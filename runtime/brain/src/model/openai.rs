//! Any endpoint that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM, and the hosted ones.

use super::openai_reply::Assembly;
use super::openai_request::{Dialect, body};
use super::sse::SseStream;
use super::wire::{Caller, REPLY_BYTES_MAX, error, read, settle};
use super::{Listener, Model, ModelError, ModelErrorKind, ModelRequest, Reply};
use async_trait::async_trait;
use handbox_hand::{Http, HttpResponse, Principal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How an endpoint is reached.
pub struct OpenAiOptions {
    /// What sends the requests. It adds the key, if there is one: a bearer token.
    pub http: Arc<dyn Http>,
    /// In whose name.
    pub principal: Principal,
    /// Where, with the version: `https://api.openai.com/v1`, `http://127.0.0.1:11434/v1`.
    pub base_url: String,
}

/// A model behind a chat completions endpoint, streamed if the endpoint can.
///
/// Endpoints differ in whether they take `stream_options` and what they call `max_tokens`. One that refuses a member by
/// name is asked again without it at once, and from then on; it did nothing for the first question.
///
/// What an endpoint that sends no usage used is estimated by whoever asks.
pub struct OpenAi {
    caller: Caller,
    url: String,
    asks_usage: AtomicBool,
    says_completion: AtomicBool,
}

impl OpenAi {
    /// Where OpenAI itself answers.
    pub const BASE_URL: &str = "https://api.openai.com/v1";

    /// Made from its options; nothing is sent.
    #[must_use]
    pub fn new(options: OpenAiOptions) -> Self {
        let OpenAiOptions { http, principal, base_url } = options;
        let base_url = base_url.trim_end_matches('/');
        Self {
            caller: Caller { http, principal, provider: "openai" },
            url: format!("{base_url}/chat/completions"),
            asks_usage: AtomicBool::new(true),
            // Its newer models refuse the older name; few others know the newer one.
            says_completion: AtomicBool::new(base_url == Self::BASE_URL),
        }
    }

    /// Sends a request in the dialect that the endpoint is known to take.
    async fn post(&self, request: &ModelRequest) -> Result<HttpResponse, ModelError> {
        loop {
            let dialect = Dialect {
                usage: self.asks_usage.load(Ordering::Relaxed),
                completion_tokens: self.says_completion.load(Ordering::Relaxed),
            };
            let body = body(request, dialect).map_err(|failed| {
                let message = format!("a request to this endpoint cannot be written: {failed}");
                error(ModelErrorKind::Rejected, message)
            })?;
            match self.caller.post(&self.url, &[], body).await {
                Err(error) if error.kind == ModelErrorKind::Rejected && self.learn(dialect, &error.message) => {}
                answer => return answer,
            }
        }
    }

    /// Whether a refusal names a member that can be done without. Each is given up once, so this ends.
    fn learn(&self, dialect: Dialect, refusal: &str) -> bool {
        let (give_up, flag, value) = if dialect.usage && refusal.contains("stream_options") {
            (true, &self.asks_usage, false)
        } else {
            let wanted = !dialect.completion_tokens && refusal.contains("max_completion_tokens");
            (wanted, &self.says_completion, true)
        };
        if give_up {
            flag.store(value, Ordering::Relaxed);
        }
        give_up
    }

    async fn stream(&self, response: HttpResponse, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let mut stream = SseStream::new(response.body);
        let mut assembly = Assembly::default();
        loop {
            let next = stream.next().await.map_err(|error| assembly.with_usage(self.caller.stream(&error)))?;
            match next {
                // Some servers end a stream so whose model they could not run.
                Some(event) if event.data.trim() == "[DONE]" && assembly.is_empty() => {
                    return Err(assembly.with_usage(self.caller.cut("ended its reply before it began")));
                }
                Some(event) if event.data.trim() == "[DONE]" => {
                    settle(stream).await;
                    return assembly.finish(&self.caller);
                }
                Some(event) => assembly.take(&self.caller, &event.data, listener)?,
                // Not all say that they are done.
                None if assembly.is_whole() => return assembly.finish(&self.caller),
                None => return Err(assembly.with_usage(self.caller.cut("ended its reply in the middle"))),
            }
        }
    }

    /// A reply of an endpoint that does not stream.
    async fn whole(&self, mut response: HttpResponse, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let text = read(&mut *response.body, REPLY_BYTES_MAX).await.map_err(|error| self.caller.http(&error))?;
        let text = std::str::from_utf8(&text).map_err(|_| self.caller.cut("sent a reply that is not UTF-8"))?;
        let mut assembly = Assembly::default();
        assembly.take(&self.caller, text, listener)?;
        if !assembly.is_whole() {
            return Err(assembly.with_usage(self.caller.cut("sent JSON that is no reply")));
        }
        assembly.finish(&self.caller)
    }
}

#[async_trait]
impl Model for OpenAi {
    fn provider(&self) -> &str {
        self.caller.provider
    }

    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let response = self.post(request).await?;
        let kind = response.header("content-type").unwrap_or("text/event-stream").to_ascii_lowercase();
        if kind.starts_with("text/event-stream") {
            self.stream(response, listener).await
        } else if kind.starts_with("application/json") {
            self.whole(response, listener).await
        } else {
            Err(self.caller.no_reply(response).await)
        }
    }
}
