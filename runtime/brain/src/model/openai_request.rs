//! A request in the words of OpenAI's chat completions.

use super::anthropic_block::Members;
use super::{Message, ModelRequest, Role};
use serde_json::value::RawValue;
use serde_json::{Error, Map, Value, json};

/// Options that only Anthropic knows, or that are translated.
const NOT_PASSED: [&str; 15] = [
    "model",
    "messages",
    "max_tokens",
    "system",
    "tools",
    "stream",
    "stream_options",
    "thinking",
    "output_config",
    "context_management",
    "mcp_servers",
    "container",
    "metadata",
    "stop_sequences",
    "tool_choice",
];

/// What an endpoint takes; found out by what it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Whether it may be asked to end a stream with its usage.
    pub(super) usage: bool,
    /// Whether it calls `max_tokens` by its newer name.
    pub(super) completion_tokens: bool,
}

/// The body. The same request in the same dialect gives the same bytes.
pub(super) fn body(request: &ModelRequest, dialect: Dialect) -> Result<String, Error> {
    let mut body = Map::new();
    let limit = if dialect.completion_tokens { "max_completion_tokens" } else { "max_tokens" };
    body.insert("model".into(), json!(request.model));
    body.insert(limit.into(), json!(request.max_tokens));
    body.insert("stream".into(), json!(true));
    if dialect.usage {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    for (name, value) in &request.options {
        if !NOT_PASSED.contains(&name.as_str()) {
            body.insert(name.clone(), value.clone());
        }
    }
    if let Some(stop) = request.options.get("stop_sequences") {
        body.insert("stop".into(), stop.clone());
    }
    let tools: Vec<Value> = request.tools.iter().map(|tool| self::tool(tool)).collect::<Result<_, _>>()?;
    let tools: Vec<Value> = tools.into_iter().filter(|tool| !tool.is_null()).collect();
    if !tools.is_empty() {
        body.insert("tools".into(), json!(tools));
        tool_choice(request.options.get("tool_choice"), &mut body);
    }
    let mut messages = Vec::new();
    let system: Vec<String> = request.system.iter().map(|block| text_of(block)).collect::<Result<_, _>>()?;
    if !system.is_empty() {
        messages.push(json!({"role": "system", "content": system.join("\n\n")}));
    }
    for message in &request.messages {
        match message.role {
            Role::User => user(message, &mut messages)?,
            Role::Assistant => messages.push(assistant(message)?),
        }
    }
    body.insert("messages".into(), messages.into());
    serde_json::to_string(&body)
}

/// A tool; null for one that Anthropic's servers run themselves and that has no schema.
fn tool(tool: &RawValue) -> Result<Value, Error> {
    let tool: Value = serde_json::from_str(tool.get())?;
    let Some(schema) = tool.get("input_schema") else { return Ok(Value::Null) };
    let description = tool.get("description").cloned().unwrap_or_else(|| json!(""));
    Ok(
        json!({"type": "function", "function": {"name": tool["name"], "description": description, "parameters": schema}}),
    )
}

fn tool_choice(choice: Option<&Value>, body: &mut Map<String, Value>) {
    let Some(choice) = choice else { return };
    let translated = match choice.get("type").and_then(Value::as_str) {
        Some("any") => json!("required"),
        Some("tool") => json!({"type": "function", "function": {"name": choice["name"]}}),
        Some(same @ ("auto" | "none")) => json!(same),
        _ => choice.clone(),
    };
    body.insert("tool_choice".into(), translated);
    if choice.get("disable_parallel_tool_use") == Some(&Value::Bool(true)) {
        body.insert("parallel_tool_calls".into(), json!(false));
    }
}

/// The results of calls, which must follow these at once, each as a message; then the rest. Results hold text alone, so
/// their images come with the rest.
fn user(message: &Message, out: &mut Vec<Value>) -> Result<(), Error> {
    let mut parts: Vec<Value> = Vec::new();
    for block in &message.content {
        let block: Value = serde_json::from_str(block.get())?;
        if block["type"] == "tool_result" {
            out.push(tool_result(&block, &mut parts));
        } else {
            parts.push(part(&block));
        }
    }
    if !parts.is_empty() {
        out.push(json!({"role": "user", "content": content(parts)}));
    }
    Ok(())
}

fn tool_result(block: &Value, images: &mut Vec<Value>) -> Value {
    let mut texts = Vec::new();
    match &block["content"] {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(blocks) => {
            for part in blocks.iter().map(part) {
                if let Some(text) = part["text"].as_str() {
                    texts.push(text.to_owned());
                } else {
                    texts.push("[an image, shown after the results]".to_owned());
                    images.push(part);
                }
            }
        }
        _ => {}
    }
    // This protocol has no mark for a failed call.
    let mark = if block["is_error"] == true { "Error: " } else { "" };
    json!({"role": "tool", "tool_call_id": block["tool_use_id"], "content": format!("{mark}{}", texts.join("\n"))})
}

/// A block as a content part.
fn part(block: &Value) -> Value {
    let text = |text: &str| json!({"type": "text", "text": text});
    let source = &block["source"];
    let member = |name: &str| source[name].as_str().unwrap_or_default();
    match (block["type"].as_str().unwrap_or_default(), member("type")) {
        ("text", _) => text(block["text"].as_str().unwrap_or_default()),
        ("image", "url") => json!({"type": "image_url", "image_url": {"url": source["url"]}}),
        ("image", "base64") => {
            let url = format!("data:{};base64,{}", member("media_type"), member("data"));
            json!({"type": "image_url", "image_url": {"url": url}})
        }
        ("document", "text") => text(member("data")),
        // Said rather than left away, so that the model can tell somebody.
        (kind, _) => text(&format!("[a {kind}, which cannot be shown to this model]")),
    }
}

/// Text alone is a string: many local servers take nothing else.
fn content(parts: Vec<Value>) -> Value {
    let texts: Option<Vec<&str>> = parts.iter().map(|part| part["text"].as_str()).collect();
    match texts {
        Some(texts) => texts.join("\n\n").into(),
        None => parts.into(),
    }
}

/// What the model said. Its thinking is not shown to it again.
fn assistant(message: &Message) -> Result<Value, Error> {
    let (mut texts, mut calls) = (Vec::new(), Vec::new());
    for block in &message.content {
        let members: Members = serde_json::from_str(block.get())?;
        match members.text("type").as_deref() {
            Some("text") => texts.push(members.text("text").unwrap_or_default()),
            Some("tool_use") => {
                // As they came: what was not understood is beside the input, and all else is the input's own text.
                let input = members.get("input").map_or("{}", RawValue::get);
                let arguments = members.text("input_text").unwrap_or_else(|| input.to_owned());
                let function = json!({"name": members.text("name"), "arguments": arguments});
                calls.push(json!({"id": members.text("id"), "type": "function", "function": function}));
            }
            _ => {}
        }
    }
    let text = texts.join("\n\n");
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { text.into() };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    Ok(message)
}

fn text_of(block: &RawValue) -> Result<String, Error> {
    let block: Members = serde_json::from_str(block.get())?;
    Ok(block.text("text").unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIALECT: Dialect = Dialect { usage: true, completion_tokens: false };

    #[test]
    fn a_conversation_with_tools_and_images_is_translated() {
        let request = r#"{"model":"m","max_tokens":9,
          "system":[{"type":"text","text":"a"},{"type":"text","text":"b","cache_control":{"type":"ephemeral"}}],
          "tools":[{"name":"n","description":"d","input_schema":{"type":"object","z":1,"a":2}},{"type":"web_search_20250305","name":"web_search"}],
          "messages":[
            {"role":"user","content":[{"type":"text","text":"look"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAA="}}]},
            {"role":"assistant","content":[{"type":"thinking","thinking":"t"},{"type":"text","text":"ok"},
              {"type":"tool_use","id":"1","name":"n","input":{"b": 1.0,"a":"x"}},
              {"type":"tool_use","id":"2","name":"n","input":{},"input_text":"{\"a\":"}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":[{"type":"text","text":"r"},{"type":"image","source":{"type":"url","url":"https://i"}}]},
              {"type":"tool_result","tool_use_id":"2","content":"bad","is_error":true}]}],
          "temperature":0.5,"thinking":{"type":"enabled"},"stop_sequences":["x"],"tool_choice":{"type":"any","disable_parallel_tool_use":true}}"#;
        let request: ModelRequest = serde_json::from_str(request).unwrap();
        let wanted = concat!(
            r#"{"model":"m","max_tokens":9,"stream":true,"stream_options":{"include_usage":true},"temperature":0.5,"stop":["x"],"#,
            r#""tools":[{"type":"function","function":{"name":"n","description":"d","parameters":{"type":"object","z":1,"a":2}}}],"#,
            r#""tool_choice":"required","parallel_tool_calls":false,"messages":[{"role":"system","content":"a\n\nb"},"#,
            r#"{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAA="}}]},"#,
            r#"{"role":"assistant","content":"ok","tool_calls":[{"id":"1","type":"function","function":{"name":"n","arguments":"{\"b\": 1.0,\"a\":\"x\"}"}},"#,
            r#"{"id":"2","type":"function","function":{"name":"n","arguments":"{\"a\":"}}]},"#,
            r#"{"role":"tool","tool_call_id":"1","content":"r\n[an image, shown after the results]"},"#,
            r#"{"role":"tool","tool_call_id":"2","content":"Error: bad"},"#,
            r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://i"}}]}]}"#,
        );
        assert_eq!(body(&request, DIALECT).unwrap(), wanted);
        let newer = body(&request, Dialect { usage: false, completion_tokens: true }).unwrap();
        assert!(newer.starts_with(r#"{"model":"m","max_completion_tokens":9,"stream":true,"temperature""#), "{newer}");
    }
}
