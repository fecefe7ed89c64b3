//! What a script sees of a request.

use super::parse::When;
use crate::model::{ModelRequest, Role};
use serde_json::Value;
use std::collections::HashMap;

/// What a request says, as far as a script looks at it.
pub(super) struct Seen {
    /// What the user said last.
    pub(super) prompt: String,
    /// Results of tools since then, oldest first: the tool and the text.
    pub(super) results: Vec<(String, String)>,
    /// How many of them the last message has.
    fresh: usize,
    /// Which message of the user it is, from 1.
    pub(super) turn: u64,
    /// Which request since then, from 1.
    pub(super) step: u64,
    /// How long the request is.
    pub(super) bytes: usize,
}

impl Seen {
    pub(super) fn of(request: &ModelRequest) -> Self {
        let mut seen = Self { prompt: String::new(), results: Vec::new(), fresh: 0, turn: 0, step: 1, bytes: 0 };
        let mut tools: HashMap<String, String> = HashMap::new();
        for message in &request.messages {
            seen.bytes += message.content.iter().map(|block| block.get().len()).sum::<usize>();
            let blocks: Vec<Value> =
                message.content.iter().filter_map(|block| serde_json::from_str(block.get()).ok()).collect();
            match message.role {
                Role::Assistant => {
                    seen.step += 1;
                    let called = blocks.iter().filter(|block| block["type"] == "tool_use");
                    tools.extend(called.map(|block| (string(&block["id"]), string(&block["name"]))));
                }
                Role::User => seen.hear(&blocks, &tools),
            }
        }
        seen
    }

    fn hear(&mut self, blocks: &[Value], tools: &HashMap<String, String>) {
        let said: Vec<&str> =
            blocks.iter().filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()).collect();
        if !said.is_empty() {
            self.prompt = said.join("\n");
            // What is said beside results is said in the middle of a turn.
            if !blocks.iter().any(|block| block["type"] == "tool_result") {
                self.turn += 1;
                self.step = 1;
                self.results.clear();
            }
        }
        let before = self.results.len();
        for block in blocks.iter().filter(|block| block["type"] == "tool_result") {
            let tool = tools.get(block["tool_use_id"].as_str().unwrap_or_default()).cloned().unwrap_or_default();
            self.results.push((tool, text(&block["content"])));
        }
        self.fresh = self.results.len() - before;
    }

    /// Whether an entry is meant.
    pub(super) fn matches(&self, when: &When) -> bool {
        let fresh = &self.results[self.results.len() - self.fresh..];
        let of_tool = |tool: &str| when.tool.as_ref().is_none_or(|wanted| wanted == tool);
        let contains = |text: &str| when.contains.as_ref().is_none_or(|wanted| text.contains(wanted));
        let result = when.tool.is_none() && when.contains.is_none()
            || fresh.iter().any(|(tool, text)| of_tool(tool) && contains(text));
        result
            && when.text.as_ref().is_none_or(|wanted| self.prompt.contains(wanted))
            && when.turn.is_none_or(|turn| turn == self.turn)
            && when.step.is_none_or(|step| step == self.step)
    }

    /// The latest result of a tool, or of any.
    pub(super) fn result(&self, tool: Option<&str>) -> &str {
        let of = |own: &str| tool.is_none_or(|tool| tool == own);
        self.results.iter().rev().find(|(own, _)| of(own)).map_or("", |(_, text)| text)
    }
}

fn string(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(blocks) => blocks.iter().filter_map(|block| block["text"].as_str()).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}
