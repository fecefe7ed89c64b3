//! Models that say what they were told to.

use super::bench::{Bench, runs};
use handbox_brain::model::{Message, Model, ModelErrorKind, ModelRequest, NoListener, Role, script::Script};
use handbox_session::fold::StopReason;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

fn request(messages: &Value) -> ModelRequest {
    let messages = messages.as_array().unwrap().iter().enumerate().map(|(index, content)| Message {
        role: if index % 2 == 0 { Role::User } else { Role::Assistant },
        content: content.as_array().unwrap().iter().map(|block| to_raw_value(block).unwrap()).collect(),
    });
    let (model, messages) = ("m".to_owned(), messages.collect());
    ModelRequest { model, max_tokens: 1, system: Vec::new(), tools: Vec::new(), messages, options: Map::new() }
}

async fn answer(script: &Value, messages: &Value) -> String {
    let script = Script::parse("test", &script.to_string()).unwrap();
    script.ask(&request(messages), &mut NoListener).await.map_or_else(|error| error.to_string(), |reply| reply.content)
}

#[tokio::test]
async fn the_first_entry_that_matches_answers() {
    let said = |text: &str| json!([{"type": "text", "text": text}]);
    let called = json!([{"type": "tool_use", "id": "a", "name": "grep", "input": {}}]);
    let result = json!([{"type": "tool_result", "tool_use_id": "a", "content": said("x.rs:3: TODO\ny.rs:4: TODO")}]);
    let script = json!([
        {"when": {"turn": 2}, "reply": [{"text": "second"}]},
        {"when": {"tool": "grep", "contains": "TODO"},
         "reply": [{"text": "{{result:grep | lines}} in {{result | field 1}}, {{result:grep | last_line}}, {{odd}} {{prompt | words}}"}]},
        {"when": {"text": "hello", "step": 1}, "reply": [{"text": "hi"}]},
    ]);
    assert!(answer(&script, &json!([said("hello you")])).await.contains("\"hi\""));
    let second = answer(&script, &json!([said("hello you"), called, result])).await;
    assert!(second.contains("2 in x.rs, y.rs:4: TODO, {{odd}} 2"), "{second}");
    assert!(answer(&script, &json!([said("a"), said("b"), said("c")])).await.contains("second"));
    assert_eq!(answer(&script, &json!([said("other")])).await, "script `test`: no entry matches step 1 of turn 1");
}

#[test]
fn what_is_wrong_with_a_script_is_said_with_its_line() {
    let wrong = |text: &str| Script::parse("test", text).err().unwrap().to_string();
    let error = wrong("[\n {\"reply\": []},\n {\"when\":\n  {\"txt\": \"x\"}}\n]");
    assert!(error.starts_with("script, line 4, entry 2: unknown field `txt`"), "{error}");
    assert!(wrong("[\n{,]").starts_with("script, line 2: "), "{}", wrong("[\n{,]"));
    assert!(wrong(r#"[{"error": {"kind": "odd"}}]"#).contains("unknown variant `odd`"));
}

#[tokio::test]
async fn an_entry_fails_as_often_as_it_says() {
    let script = json!([{"times": 2, "error": {"kind": "cut", "after_chunks": 1}, "reply": [{"text": "abc"}], "chunk": 1},
        {"reply": [{"text": "whole"}]}]);
    let script = Script::parse("test", &script.to_string()).unwrap();
    let request = request(&json!([[{"type": "text", "text": "x"}]]));
    for _ in 0..2 {
        assert_eq!(script.ask(&request, &mut NoListener).await.unwrap_err().kind, ModelErrorKind::Cut);
    }
    assert!(script.ask(&request, &mut NoListener).await.unwrap().content.contains("whole"));
}

#[tokio::test]
async fn the_tour_calls_real_tools_and_says_that_it_is_scripted() {
    let mut bench = Bench::new(&json!([]), &runs()).await;
    bench.brain.model = std::sync::Arc::new(Script::tour());
    bench.say("Look around").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let said = bench.all("agent.message").await;
    assert!(
        said[0]["content"][0]["text"]
            .as_str()
            .unwrap()
            .starts_with("(Scripted, no model asked.) You said: Look around")
    );
    let called: Vec<Value> = bench.all("agent.tool_use").await.iter().map(|call| call["name"].clone()).collect();
    assert_eq!(called, ["glob", "grep"]);
}
