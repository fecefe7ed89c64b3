//! Models over the real proxy, against a fake server.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::allow_attributes, unreachable_pub, reason = "it is part of several test programs")]

#[path = "../../../vault/tests/fake/mod.rs"]
pub mod fake;

use fake::{Received, Server};
use handbox_brain::model::{
    Anthropic, AnthropicOptions, Listener, Model, ModelError, ModelRequest, OpenAi, OpenAiOptions, Reply,
};
use handbox_hand::{Http, Principal};
use handbox_session::fold::Tokens;
use handbox_vault::{Binding, Destination, Grant, Limits, Options, Proxy, Secret, Trust};
use std::sync::Arc;
use std::time::Duration;

pub const KEY: &str = "sk-canary-0123456789";

/// Fast enough for a test to wait for.
pub const LIMITS: Limits =
    Limits { head_time_max: Duration::from_millis(500), idle_time_max: Duration::from_millis(500), ..Limits::MODELS };

pub fn principal() -> Principal {
    Principal::new("model")
}

/// A proxy that gives the key, in its provider's way, to one server.
pub fn proxy(server: &Server, header: Option<&str>) -> Arc<dyn Http> {
    let (to, secret) = (Destination::parse(&server.url()).unwrap(), Secret::new(KEY).unwrap());
    let binding = match header {
        Some(header) => Binding::header("model", to, header, secret),
        None => Binding::bearer("model", to, secret),
    };
    let grants = vec![Grant { bindings: vec![binding.unwrap()], ..Grant::new(principal()) }];
    Arc::new(Proxy::new(Options { grants, trust: Trust::Only(Vec::new()), ..Options::new(LIMITS) }).unwrap())
}

pub fn anthropic(server: &Server) -> Anthropic {
    anthropic_over(proxy(server, Some(Anthropic::KEY_HEADER)), server.url())
}

pub fn anthropic_over(http: Arc<dyn Http>, base_url: String) -> Anthropic {
    Anthropic::new(AnthropicOptions { http, principal: principal(), base_url, betas: vec!["a-1".into(), "b-2".into()] })
}

pub fn openai(server: &Server) -> OpenAi {
    let base_url = format!("{}/v1/", server.url());
    OpenAi::new(OpenAiOptions { http: proxy(server, None), principal: principal(), base_url })
}

/// What holds of every request of both providers.
pub fn check(request: &Received, path: &str, key: (&str, &str)) -> Result<serde_json::Value, String> {
    if request.line != format!("POST {path} HTTP/1.1") {
        return Err(format!("{:?} is not for {path}", request.line));
    }
    for (name, value) in [("content-type", "application/json"), key] {
        if request.header(name) != Some(value) {
            return Err(format!("{name} is {:?}, not {value:?}", request.header(name)));
        }
    }
    let shown = request.headers.iter().filter(|(_, value)| value.contains("canary")).count();
    if shown != 1 || request.body.contains("canary") || request.line.contains("canary") {
        return Err("the key is in more places than its header".to_owned());
    }
    let body: serde_json::Value = serde_json::from_str(&request.body).map_err(|error| error.to_string())?;
    if body["model"] != "m" || body["stream"] != true || !body["messages"].is_array() {
        return Err(format!("the body is {body}"));
    }
    Ok(body)
}

pub fn request() -> ModelRequest {
    let text = r#"{"model":"m","max_tokens":99,"messages":[{"role":"user","content":[{"type":"text","text":"my private prompt"}]}]}"#;
    serde_json::from_str(text).unwrap()
}

/// Writes down what it hears.
#[derive(Default)]
pub struct Heard {
    pub shown: Vec<String>,
    pub bytes: usize,
    pub counted: Option<Tokens>,
}

impl Listener for Heard {
    fn block(&mut self, index: usize, kind: &str) {
        self.shown.push(format!("{index} {kind}"));
    }
    fn text(&mut self, index: usize, text: &str) {
        self.shown.push(format!("{index} {text:?}"));
    }
    fn wrote(&mut self, bytes: usize) {
        self.bytes += bytes;
    }
    fn counted(&mut self, tokens: Tokens) {
        self.counted = Some(tokens);
    }
}

/// Asks; whatever comes, it shows neither the key nor the prompt.
pub async fn ask(model: &dyn Model) -> (Result<Reply, ModelError>, Vec<String>) {
    let mut heard = Heard::default();
    let reply = model.ask(&request(), &mut heard).await;
    let shown = format!("{reply:?} {:?}", heard.shown);
    assert!(!shown.contains("canary") && !shown.contains("private prompt"), "{shown}");
    if let Err(error) = &reply {
        assert!(!error.to_string().contains("canary") && error.message.len() < 1500, "{error}");
    }
    (reply, heard.shown)
}
