//! Anthropic's Messages API.

use super::anthropic_block::Members;
use super::anthropic_reply::{Assembly, Progress};
use super::content::is_blank;
use super::sse::SseStream;
use super::wire::{Caller, error, settle};
use super::{Listener, Message, Model, ModelError, ModelErrorKind, ModelRequest, Reply, Role};
use async_trait::async_trait;
use handbox_hand::{Http, HttpResponse, Principal};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The version of the API that is spoken.
const VERSION: &str = "2023-06-01";
/// Members that a request has of itself, whatever its options say.
const OWN: [&str; 6] = ["model", "max_tokens", "system", "tools", "messages", "stream"];

/// How Anthropic, or whoever speaks its API, is reached.
pub struct AnthropicOptions {
    /// What sends the requests. It adds the key: a binding for the header [`Anthropic::KEY_HEADER`].
    pub http: Arc<dyn Http>,
    /// In whose name.
    pub principal: Principal,
    /// Where, without `/v1`; see [`Anthropic::BASE_URL`].
    pub base_url: String,
    /// Values of the header `anthropic-beta`.
    pub betas: Vec<String>,
}

/// A model behind Anthropic's Messages API, streamed.
pub struct Anthropic {
    caller: Caller,
    url: String,
    betas: String,
}

impl Anthropic {
    /// Where Anthropic itself answers.
    pub const BASE_URL: &str = "https://api.anthropic.com";
    /// The header that carries the key.
    pub const KEY_HEADER: &str = "x-api-key";

    /// Made from its options; nothing is sent.
    #[must_use]
    pub fn new(options: AnthropicOptions) -> Self {
        let AnthropicOptions { http, principal, base_url, betas } = options;
        let caller = Caller { http, principal, provider: "anthropic" };
        let url = format!("{}/v1/messages", base_url.trim_end_matches('/'));
        Self { caller, url, betas: betas.join(",") }
    }

    async fn assemble(&self, response: HttpResponse, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let kind = response.header("content-type").unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("text/event-stream") {
            return Err(self.caller.no_reply(response).await);
        }
        let mut stream = SseStream::new(response.body);
        let mut assembly = Assembly::default();
        loop {
            let next = stream.next().await.map_err(|error| assembly.with_usage(self.caller.stream(&error)))?;
            let Some(event) = next else {
                return Err(assembly.cut(&self.caller, "ended its reply in the middle"));
            };
            if let Progress::Whole = assembly.take(&self.caller, &event.data, listener)? {
                settle(stream).await;
                return assembly.finish(&self.caller);
            }
        }
    }
}

#[async_trait]
impl Model for Anthropic {
    fn provider(&self) -> &str {
        self.caller.provider
    }

    async fn ask(&self, request: &ModelRequest, listener: &mut dyn Listener) -> Result<Reply, ModelError> {
        let body = body(request).map_err(|failed| {
            let message = format!("a request to anthropic cannot be written: {failed}");
            error(ModelErrorKind::Rejected, message)
        })?;
        let mut headers = vec![("anthropic-version", VERSION)];
        if !self.betas.is_empty() {
            headers.push(("anthropic-beta", &self.betas));
        }
        let response = self.caller.post(&self.url, &headers, body).await?;
        self.assemble(response, listener).await
    }
}

/// A request's body. The same request gives the same bytes, and each prefix of its messages the same prefix, which is
/// what the provider's cache goes by.
fn body(request: &ModelRequest) -> Result<String, serde_json::Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        model: &'a str,
        max_tokens: u64,
        stream: bool,
        #[serde(skip_serializing_if = "Map::is_empty")]
        #[serde(flatten)]
        options: Map<String, Value>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        tools: &'a [Box<RawValue>],
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        system: &'a [Box<RawValue>],
        messages: Vec<Message>,
    }
    let options = request.options.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
    serde_json::to_string(&Body {
        model: &request.model,
        max_tokens: request.max_tokens,
        stream: true,
        options: options.map(|(name, value)| (name.clone(), value.clone())).collect(),
        tools: &request.tools,
        system: &request.system,
        messages: acceptable(&request.messages)?,
    })
}

/// Messages without what this API refuses, though another provider, a person or a tool may say it. All blocks that stay
/// are the bytes they were.
fn acceptable(messages: &[Message]) -> Result<Vec<Message>, serde_json::Error> {
    let mut kept: Vec<Message> = Vec::with_capacity(messages.len());
    for Message { role, content } in messages {
        let blocks: Result<Vec<_>, _> = content.iter().filter_map(|block| block_of(*role, block).transpose()).collect();
        let mut blocks = blocks?;
        if blocks.is_empty() && *role == Role::User {
            // The model has its turn all the same, and a conversation cannot end with its own word.
            blocks.push(to_raw_value(&json!({"type": "text", "text": "(nothing)"}))?);
        }
        match kept.last_mut() {
            _ if blocks.is_empty() => {}
            Some(last) if last.role == *role => last.content.extend(blocks),
            _ => kept.push(Message { role: *role, content: blocks }),
        }
    }
    Ok(kept)
}

/// A block as this API takes it: no text without a word, no thinking that nobody signed, and no text of arguments that
/// were not understood.
fn block_of(role: Role, block: &RawValue) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    // Most blocks are none of these, which is seen without reading them.
    if !["\"text\"", "\"input_text\"", "\"thinking\""].iter().any(|name| block.get().contains(name)) {
        return Ok(Some(block.to_owned()));
    }
    if is_blank(block) {
        return Ok(None);
    }
    let mut members: Members = serde_json::from_str(block.get())?;
    match (role, members.text("type").as_deref()) {
        (Role::Assistant, Some("thinking")) if members.text("signature").unwrap_or_default().is_empty() => Ok(None),
        (Role::Assistant, Some("tool_use")) if members.get("input_text").is_some() => {
            members.remove("input_text");
            members.to_raw().map(Some)
        }
        (Role::User, Some("tool_result")) => {
            let content = members.get("content").and_then(|content| serde_json::from_str(content.get()).ok());
            let content: Vec<Box<RawValue>> = content.unwrap_or_default();
            if !content.iter().any(|block| is_blank(block)) {
                return Ok(Some(block.to_owned()));
            }
            let said: Vec<_> = content.iter().filter(|block| !is_blank(block)).collect();
            members.set("content", to_raw_value(&said)?);
            members.to_raw().map(Some)
        }
        _ => Ok(Some(block.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_same_bytes_each_time_and_keeps_blocks_as_they_were() {
        let thinking = r#"{"type":"thinking", "thinking":"h\u006dm","signature":"abc=="}"#;
        let call = r#"{"type":"tool_use","id":"t1","name":"n","input":{"a": 1.0, "b":12345678901234567890123}}"#;
        let broken = r#"{"type":"tool_use","id":"t2","name":"n","input":{},"input_text":"{\"a\":"}"#;
        let unsigned = r#"{"type":"thinking","thinking":"of another provider"}"#;
        let text = format!(
            r#"{{"model":"m","max_tokens":9,"system":[{{"type":"text","text":"s"}}],"tools":[{{"name":"n","input_schema":{{"z":1,"a":2}}}}],
            "messages":[{{"role":"user","content":[{{"type":"text","text":"hi"}}]}},
            {{"role":"assistant","content":[{unsigned},{thinking},{call},{broken}]}}],
            "temperature":0.5,"stream":false,"thinking":{{"type":"enabled","budget_tokens":5}}}}"#
        );
        let request: ModelRequest = serde_json::from_str(&text).unwrap();
        let wanted = format!(
            r#"{{"model":"m","max_tokens":9,"stream":true,"temperature":0.5,"thinking":{{"type":"enabled","budget_tokens":5}},"tools":[{{"name":"n","input_schema":{{"z":1,"a":2}}}}],"system":[{{"type":"text","text":"s"}}],"messages":[{{"role":"user","content":[{{"type":"text","text":"hi"}}]}},{{"role":"assistant","content":[{thinking},{call},{{"type":"tool_use","id":"t2","name":"n","input":{{}}}}]}}]}}"#
        );
        assert_eq!(body(&request).unwrap(), wanted);
        assert_eq!(body(&request.clone()).unwrap(), wanted);
    }
}
