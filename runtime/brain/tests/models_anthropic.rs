//! Anthropic's Messages API, against a server that behaves, and that does not.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod models_support;

use handbox_brain::model::{Model as _, ModelErrorKind, NoListener};
use models_support::fake::{Act, Received, Server, answer, chunk, end, head, stream};
use models_support::{Heard, KEY, anthropic, ask, check, request};
use serde_json::{Value, json};
use std::time::Duration;

const START: &str = concat!(
    "event: message_start\n",
    r#"data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"model":"m-2026","stop_reason":null,"#,
    r#""usage":{"input_tokens":7,"cache_creation_input_tokens":30,"cache_read_input_tokens":100,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":1}}}"#,
    "\n\n"
);
const TEXT: &str = concat!(
    r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
    "\n\n",
    r#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"He"}}"#,
    "\n\n"
);
const STOP: &str = "data: {\"type\":\"message_stop\"}\n\n";

fn event(json: &str) -> String {
    format!("data: {json}\n\n")
}

fn delta(stop_reason: &str) -> String {
    event(&format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"{stop_reason}","stop_sequence":null}},"usage":{{"output_tokens":42}}}}"#
    ))
}

fn block(index: usize, block: &str, deltas: &[&str]) -> String {
    let mut text = event(&format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#));
    for delta in deltas {
        text += &event(&format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#));
    }
    text + &event(&format!(r#"{{"type":"content_block_stop","index":{index}}}"#))
}

/// What the Messages API says of a request's messages before it asks the model.
fn acceptable(body: &Value) -> Result<(), String> {
    let none = Vec::new();
    let messages = body["messages"].as_array().unwrap_or(&none);
    for (index, message) in messages.iter().enumerate() {
        let blocks = message["content"].as_array().unwrap_or(&none);
        if blocks.is_empty() || message["role"] != ["user", "assistant"][index % 2] {
            return Err(format!("messages.{index}: roles must alternate, and content must be non-empty"));
        }
        let nested = blocks.iter().filter_map(|block| block["content"].as_array()).flatten();
        let blank = |block: &&Value| block["type"] == "text" && block["text"].as_str().unwrap_or("").trim().is_empty();
        if blocks.iter().chain(nested).any(|block| blank(&block)) {
            return Err(format!("messages.{index}: text content blocks must be non-empty"));
        }
        if blocks
            .iter()
            .any(|block| block["type"] == "thinking" && block["signature"].as_str().is_none_or(str::is_empty))
        {
            return Err(format!("messages.{index}: thinking must be signed"));
        }
    }
    Ok(())
}

fn checked(request: &Received) -> Result<(), String> {
    let body = check(request, "/v1/messages", ("x-api-key", KEY))?;
    acceptable(&body)?;
    let headers = (request.header("anthropic-version"), request.header("anthropic-beta"));
    if headers == (Some("2023-06-01"), Some("a-1,b-2")) { Ok(()) } else { Err(format!("{headers:?}")) }
}

async fn server(acts: Vec<Act>) -> Server {
    Server::new(move |request| checked(request).map(|()| acts.clone())).await
}

#[tokio::test]
async fn a_reply_is_its_blocks_as_they_came() {
    let blocks = [
        block(0, r#"{"type":"thinking","thinking":"","signature":""}"#, &[
            r#"{"type":"thinking_delta","thinking":"Let me"}"#,
            r#"{"type":"thinking_delta","thinking":" see é"}"#,
            r#"{"type":"signature_delta","signature":"EqQB/+=="}"#,
        ]),
        block(1, r#"{"type":"redacted_thinking","data":"Emw+"}"#, &[]),
        block(2, r#"{"type":"text","text":""}"#, &[
            r#"{"type":"text_delta","text":"Hel"}"#,
            r#"{"type":"text_delta","text":"lo \"😀\""}"#,
            r#"{"type":"citations_delta","citation":{"type":"page_location", "n":1.50}}"#,
        ]),
        block(3, r#"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{}}"#, &[
            r#"{"type":"input_json_delta","partial_json":"{\"query\":\"x\"}"}"#,
        ]),
        block(4, r#"{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"z":1,"a":12345678901234567890123}]}"#, &[]),
        block(5, r#"{"type":"tool_use","id":"toolu_1","name":"read","input":{}}"#, &[
            r#"{"type":"input_json_delta","partial_json":""}"#,
            r#"{"type":"input_json_delta","partial_json":"{\"path\": \"a"}"#,
            r#"{"type":"input_json_delta","partial_json":".rs\", \"n\": 1e2}"}"#,
        ]),
        block(6, r#"{"type":"tool_use","id":"toolu_2","name":"now","input":{},"caller":{"type":"direct"}}"#, &[]),
        block(7, r#"{"type":"of_tomorrow","note":"a"}"#, &[r#"{"type":"note_delta","note":"b"}"#]),
    ]
    .concat();
    let text = [START, "event: ping\ndata: {\"type\": \"ping\"}\n\n", &blocks, &delta("tool_use"), STOP].concat();
    let wanted = concat!(
        r#"[{"type":"thinking","thinking":"Let me see é","signature":"EqQB/+=="},"#,
        r#"{"type":"redacted_thinking","data":"Emw+"},"#,
        r#"{"type":"text","text":"Hello \"😀\"","citations":[{"type":"page_location", "n":1.50}]},"#,
        r#"{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{"query":"x"}},"#,
        r#"{"type":"web_search_tool_result","tool_use_id":"srvtoolu_1","content":[{"z":1,"a":12345678901234567890123}]},"#,
        r#"{"type":"tool_use","id":"toolu_1","name":"read","input":{"path": "a.rs", "n": 1e2}},"#,
        r#"{"type":"tool_use","id":"toolu_2","name":"now","input":{},"caller":{"type":"direct"}},"#,
        r#"{"type":"of_tomorrow","note":"ab"}]"#,
    );
    // Cut into pieces of every odd size, also in the middle of a character.
    for size in [1, 7, 1000, 100_000] {
        let pieces = text.as_bytes().chunks(size).map(chunk);
        let acts = [head("text/event-stream; charset=utf-8")].into_iter().chain(pieces).chain([end()]).collect();
        let server = server(acts).await;
        let (reply, heard) = ask(&anthropic(&server)).await;
        let reply = reply.unwrap();
        assert_eq!(reply.content, wanted);
        assert_eq!((reply.model.as_str(), reply.stop_reason.as_deref()), ("m-2026", Some("tool_use")));
        let usage = reply.usage.unwrap();
        let cache = usage.cache_creation;
        assert_eq!((usage.input_tokens, usage.output_tokens, usage.cache_read_input_tokens), (7, 42, 100));
        assert_eq!((cache.ephemeral_5m_input_tokens, cache.ephemeral_1h_input_tokens), (10, 20));
        assert_eq!(heard[..4], ["0 thinking", "1 redacted_thinking", "2 text", "2 \"Hel\""]);
        assert_eq!(heard.len(), 10);
    }
}

#[tokio::test]
async fn arguments_that_are_no_object_are_kept_as_text() {
    for (parts, wanted) in [
        (vec!["{\\\"a\\\":"], r#"{},"input_text":"{\"a\":""#),
        (vec!["[1]"], r#"{},"input_text":"[1]""#),
        (vec!["{} {}"], r#"{},"input_text":"{} {}""#),
        (vec!["", ""], "{}"),
        (vec![" {\\\"a\\\" : 1} "], r#"{"a" : 1}"#),
    ] {
        let deltas: Vec<_> =
            parts.iter().map(|part| format!(r#"{{"type":"input_json_delta","partial_json":"{part}"}}"#)).collect();
        let deltas: Vec<_> = deltas.iter().map(String::as_str).collect();
        let call = block(0, r#"{"type":"tool_use","id":"t","name":"n","input":{}}"#, &deltas);
        let server = server(stream(&[START, &call, &delta("max_tokens"), STOP])).await;
        let reply = ask(&anthropic(&server)).await.0.unwrap();
        assert_eq!(reply.content, format!(r#"[{{"type":"tool_use","id":"t","name":"n","input":{wanted}}}]"#));
    }
}

#[tokio::test]
async fn every_stop_reason_and_unknown_event_is_taken() {
    for reason in ["end_turn", "max_tokens", "stop_sequence", "refusal", "pause_turn", "of_tomorrow"] {
        let odd = event(r#"{"type":"of_tomorrow","delta":7,"index":"x"}"#);
        let server = server(stream(&[START, &odd, ": comment\n\n", &delta(reason), STOP])).await;
        let reply = ask(&anthropic(&server)).await.0.unwrap();
        assert_eq!((reply.stop_reason.as_deref(), reply.content.as_str()), (Some(reason), "[]"));
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_no_reply() {
    let overloaded = event(r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#);
    let internal = event(r#"{"type":"error","error":{"type":"api_error","message":"Internal"}}"#);
    let huge = format!("data: {}", "x".repeat(9 * 1024 * 1024));
    let wait = Act::Wait(Duration::from_secs(2));
    let begun = vec![head("text/event-stream"), chunk(START), chunk(TEXT)];
    let then = |acts: &[Act]| [begun.clone(), acts.to_vec()].concat();
    for (acts, kind) in [
        (then(&[Act::Cut]), ModelErrorKind::Cut),
        (then(&[end()]), ModelErrorKind::Cut),
        (then(std::slice::from_ref(&wait)), ModelErrorKind::Cut),
        (then(&[chunk(&overloaded), end()]), ModelErrorKind::Overloaded),
        (then(&[chunk(&internal), end()]), ModelErrorKind::Failed),
        (then(&[chunk(&huge), end()]), ModelErrorKind::Cut),
        (then(&[chunk("data: {\"type\":\n\n"), end()]), ModelErrorKind::Cut),
        (then(&[chunk(b"data: \xff\n\n"), end()]), ModelErrorKind::Cut),
        (then(&[chunk(TEXT), end()]), ModelErrorKind::Cut),
        (then(&[chunk(event(r#"{"type":"content_block_delta","index":5,"delta":{}}"#)), end()]), ModelErrorKind::Cut),
        (then(&[chunk(STOP), end()]), ModelErrorKind::Cut),
        // Half of a character: left out, it would change what the model said.
        (
            then(&[chunk(event(
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\ud83d"}}"#,
            ))]),
            ModelErrorKind::Cut,
        ),
    ] {
        let server = server(acts).await;
        let (reply, heard) = ask(&anthropic(&server)).await;
        let error = reply.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(error.usage.map(|usage| usage.input_tokens), Some(7), "{error}: what it took is known");
        assert_eq!(heard[..2], ["0 text", "0 \"He\""]);
        assert_eq!(server.requests().len(), 1, "asked once");
    }
    // Before the first event nothing is known of usage.
    let slow = vec![wait.clone(), head("text/event-stream")];
    for acts in [slow, vec![head("text/event-stream"), wait], vec![Act::Cut], stream(&[])] {
        let error = ask(&anthropic(&server(acts).await)).await.0.unwrap_err();
        assert_eq!((error.kind, error.usage), (ModelErrorKind::Cut, None), "{error}");
    }
}

#[tokio::test]
async fn all_that_the_model_wrote_is_counted_while_it_comes() {
    let thinking = r#"{"type":"thinking_delta","thinking":"hmm"}"#;
    let signature = r#"{"type":"signature_delta","signature":"not written"}"#;
    let arguments = r#"{"type":"input_json_delta","partial_json":"{\"a\":1}"}"#;
    let begun = [
        START,
        &block(0, r#"{"type":"thinking","thinking":"","signature":""}"#, &[thinking, signature]),
        &block(1, r#"{"type":"text","text":"y"}"#, &[r#"{"type":"text_delta","text":"es"}"#]),
        &block(2, r#"{"type":"tool_use","id":"not written","name":"n","input":{}}"#, &[arguments]),
    ];
    let server = server(vec![head("text/event-stream"), chunk(begun.concat()), Act::Cut]).await;
    let mut heard = Heard::default();
    let error = anthropic(&server).ask(&request(), &mut heard).await.unwrap_err();
    assert_eq!((error.kind, heard.bytes), (ModelErrorKind::Cut, "hmmyes{'a':1}".len()));
    // What the provider counted by then is what it was asked, and next to nothing of its answer.
    let counted = heard.counted.unwrap();
    assert_eq!((counted.input_tokens, counted.cache_read_input_tokens, counted.output_tokens), (7, 100, 1));
}

#[tokio::test]
async fn an_answer_that_is_an_error_says_what_to_do() {
    let error = |kind: &str, message: &str| {
        format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{message} {KEY}"}}}}"#)
    };
    use ModelErrorKind::{Billing, Cut, Failed, Overloaded, RateLimited, Rejected, Unauthorized};
    for (status, body, kind) in [
        (400, error("invalid_request_error", "no"), Rejected),
        (400, error("invalid_request_error", "Your credit balance is too low"), Billing),
        (401, error("authentication_error", "invalid x-api-key"), Unauthorized),
        (402, error("billing_error", "no"), Billing),
        (403, error("permission_error", "no"), Unauthorized),
        (403, "<html>blocked</html>".to_owned(), Unauthorized),
        (404, error("not_found_error", "model: m"), Rejected),
        (413, error("request_too_large", "no"), Rejected),
        (429, error("rate_limit_error", "no"), RateLimited),
        (500, error("api_error", "no"), Failed),
        (502, String::new(), Failed),
        (503, String::new(), Overloaded),
        (529, error("overloaded_error", "Overloaded"), Overloaded),
        (302, String::new(), Rejected),
        (200, "<html>login</html>".to_owned(), Cut),
        (200, error("overloaded_error", "Overloaded"), Overloaded),
    ] {
        let server = server(answer(status, "content-type: text/html\r\nlocation: /elsewhere\r\n", &body)).await;
        let error = ask(&anthropic(&server)).await.0.unwrap_err();
        assert_eq!(error.kind, kind, "{status} {body}: {error}");
        assert!(status == 200 || error.message.contains(&status.to_string()), "{error}");
        assert!(!body.contains(KEY) || error.message.contains("****"), "{error}");
        assert_eq!(server.requests().len(), 1, "neither tried again nor followed");
    }
}

#[tokio::test]
async fn a_limit_says_how_long_to_wait() {
    for (header, seconds) in [
        ("retry-after: 7\r\n", 7),
        ("date: Wed, 21 Oct 2026 07:28:00 GMT\r\nretry-after: Wed, 21 Oct 2026 07:29:00 GMT\r\n", 60),
    ] {
        let server = server(answer(429, header, "")).await;
        let error = ask(&anthropic(&server)).await.0.unwrap_err();
        assert_eq!((error.kind, error.retry_after), (ModelErrorKind::RateLimited, Some(Duration::from_secs(seconds))));
    }
}

#[tokio::test]
async fn a_whole_reply_leaves_its_connection_for_the_next() {
    let text = block(0, r#"{"type":"text","text":"hi"}"#, &[]);
    let server = server(stream(&[START, &text, &delta("end_turn"), STOP])).await;
    let model = anthropic(&server);
    for _ in 0..3 {
        let (reply, heard) = ask(&model).await;
        assert_eq!(reply.unwrap().content, r#"[{"type":"text","text":"hi"}]"#);
        assert_eq!(heard, ["0 text", "0 \"hi\""]);
    }
    assert_eq!(*server.log.connections.lock().unwrap(), 1);
    let bodies: Vec<_> = server.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "the same request is the same bytes");
}

#[tokio::test]
async fn a_server_that_does_not_end_its_stream_delays_the_reply_by_less_than_a_second() {
    let acts = vec![
        head("text/event-stream"),
        chunk(START),
        chunk(delta("end_turn")),
        chunk(STOP),
        Act::Wait(Duration::from_secs(5)),
    ];
    let server = server(acts).await;
    let start = std::time::Instant::now();
    ask(&anthropic(&server)).await.0.unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_request_to_a_place_that_is_not_granted_is_the_operators_matter() {
    let (bound, other) = (server(Vec::new()).await, server(Vec::new()).await);
    let http = models_support::proxy(&bound, Some("x-api-key"));
    let model = models_support::anthropic_over(http, other.url());
    let error = model.ask(&request(), &mut NoListener).await.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Unauthorized);
    assert!(error.message.contains(&format!("--host {}", other.url())), "{error}");
    assert!(bound.requests().is_empty() && other.requests().is_empty());
}

#[tokio::test]
async fn texts_without_a_word_are_not_sent() {
    let text = |text: &str| json!({"type": "text", "text": text});
    let marked = |text: &str| json!({"type": "text", "text": text, "cache_control": {"type": "ephemeral"}});
    let thinking = json!({"type": "thinking", "thinking": "of another provider"});
    let call = json!({"type": "tool_use", "id": "t1", "name": "n", "input": {}});
    let result = |content: Value| json!({"type": "tool_result", "tool_use_id": "t1", "content": content});
    let user = |content: Value| json!({"role": "user", "content": content});
    let model = |content: Value| json!({"role": "assistant", "content": content});
    let cases = [
        (json!([user(json!([text("hi"), text(""), marked(" \n")]))]), json!([user(json!([text("hi")]))])),
        // Nothing was said, and the model has its turn all the same.
        (json!([user(json!([text("")]))]), json!([user(json!([text("(nothing)")]))])),
        // A reply that is gone joins what was said before and after it.
        (
            json!([user(json!([text("a")])), model(json!([text(""), thinking])), user(json!([text("b")]))]),
            json!([user(json!([text("a"), text("b")]))]),
        ),
        (
            json!([
                user(json!([text("a")])),
                model(json!([text(""), call])),
                user(json!([result(json!([text(""), text("x")])), text("b")])),
                model(json!([text("c")])),
                user(json!([text("\t")])),
            ]),
            json!([
                user(json!([text("a")])),
                model(json!([call])),
                user(json!([result(json!([text("x")])), text("b")])),
                model(json!([text("c")])),
                user(json!([text("(nothing)")])),
            ]),
        ),
        (
            json!([user(json!([text("a")])), model(json!([call])), user(json!([result(json!([text("")]))]))]),
            json!([user(json!([text("a")])), model(json!([call])), user(json!([result(json!([]))]))]),
        ),
    ];
    let whole = [START, &block(0, r#"{"type":"text","text":"ok"}"#, &[]), &delta("end_turn"), STOP].concat();
    let server = server(stream(&[&whole])).await;
    for (messages, sent) in cases {
        let request = json!({"model": "m", "max_tokens": 9, "messages": messages});
        let request = serde_json::from_value(request).unwrap();
        anthropic(&server).ask(&request, &mut NoListener).await.unwrap();
        let body: Value = serde_json::from_str(&server.requests().last().unwrap().body).unwrap();
        assert_eq!(body["messages"], sent);
    }
}
