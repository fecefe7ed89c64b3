//! Models, as an interface: one request, and the reply that comes for it piece by piece.
//!
//! Requests and replies have the shape of Anthropic's Messages API, which is what sessions keep; what speaks another
//! protocol translates at its own border.

mod anthropic;
mod anthropic_block;
mod anthropic_reply;
pub(crate) mod content;
mod openai;
mod openai_reply;
mod openai_request;
pub mod record;
pub mod script;
pub mod sse;
mod wire;

pub use anthropic::{Anthropic, AnthropicOptions};
pub use openai::{OpenAi, OpenAiOptions};

use async_trait::async_trait;
use handbox_session::fold::Tokens;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::time::Duration;

/// Somebody who answers requests.
///
/// # Contract
///
/// * `ask` tries once. When and whether to try again is the brain's to decide, by the error.
/// * Dropping the future ends the request at once; nothing is left open.
/// * A reply is whole: a stream that ends before its last message is [`ModelError`] `Cut`, whatever came before.
/// * No error text holds a credential, or the body of a request.
#[async_trait]
pub trait Model: Send + Sync {
    /// Who is asked, as `handbox.model_reply` names it: `anthropic`, `openai`, `script`, …
    fn provider(&self) -> &str;

    /// Asks once; tells `listener` what has come so far.
    ///
    /// # Errors
    ///
    /// Sorted by what to do next, see [`ModelErrorKind`].
    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError>;
}

/// What a model is asked. Made from the log alone, so that it can be made again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelRequest {
    /// The model's name, as its provider knows it.
    pub model: String,
    /// The most tokens that the reply may have.
    pub max_tokens: u64,
    /// The system prompt: text blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<Box<RawValue>>,
    /// The tools: objects with `name`, `description` and `input_schema`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Box<RawValue>>,
    /// What was said so far. Roles alternate, and the first is the user's.
    pub messages: Vec<Message>,
    /// Further members as the provider knows them, such as `thinking` or `temperature`.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

/// What one side said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    /// Who.
    pub role: Role,
    /// Content blocks. Those of a reply are byte for byte what the model sent.
    pub content: Vec<Box<RawValue>>,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Whoever talks to the model, tools included.
    User,
    /// The model.
    Assistant,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The model, as it named itself.
    pub model: String,
    /// The JSON text of the array of content blocks. A block `tool_use` whose arguments were no JSON object has the text
    /// that came instead as `input_text`, and an empty `input`.
    pub content: String,
    /// Why it stopped: `end_turn`, `tool_use`, `max_tokens`, `stop_sequence`, `refusal`, `pause_turn`, or what else its
    /// provider says.
    pub stop_reason: Option<String>,
    /// The tokens it took, as its provider counted them. `None`, or a side of it that is 0, if it did not.
    pub usage: Option<Tokens>,
}

/// Hears a reply while it comes. Called from the task that asks, so it must return at once.
///
/// What is heard is what a request is charged by that ends before its reply is whole.
pub trait Listener: Send {
    /// A content block begins; `kind` is its type.
    fn block(&mut self, index: usize, kind: &str);
    /// A text block goes on.
    fn text(&mut self, index: usize, text: &str);
    /// So many bytes came that the model wrote: of texts, which [`Self::text`] is told as well, of thinking, of arguments.
    fn wrote(&mut self, bytes: usize);
    /// What the provider has counted so far.
    fn counted(&mut self, tokens: Tokens);
}

/// A listener that does not listen.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoListener;

impl Listener for NoListener {
    fn block(&mut self, _: usize, _: &str) {}
    fn text(&mut self, _: usize, _: &str) {}
    fn wrote(&mut self, _: usize) {}
    fn counted(&mut self, _: Tokens) {}
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    /// What to do next.
    pub kind: ModelErrorKind,
    /// For people. It holds no credential.
    pub message: String,
    /// How long the provider wants to be left alone.
    pub retry_after: Option<Duration>,
    /// What was used all the same, as far as it is known.
    pub usage: Option<Tokens>,
}

/// What to do about a reply that did not come. Scripts name them in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelErrorKind {
    /// The provider has too much to do: try again later.
    Overloaded,
    /// This account asks too often: try again when it may.
    RateLimited,
    /// The connection was lost, or never made, or what came was no reply: try again.
    Cut,
    /// The provider is at fault: try again.
    Failed,
    /// The request is not acceptable, and never will be: do not repeat it.
    Rejected,
    /// The credential is missing, wrong or not allowed this: the operator must act.
    Unauthorized,
    /// There is no money left at the provider: the operator must act.
    Billing,
}

impl ModelErrorKind {
    /// Whether asking the same again may help.
    #[must_use]
    pub fn is_passing(self) -> bool {
        matches!(self, Self::Overloaded | Self::RateLimited | Self::Cut | Self::Failed)
    }
}
