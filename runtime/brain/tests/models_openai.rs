//! Chat completions endpoints of many kinds, against a server that behaves, and that does not.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod models_support;

use handbox_brain::model::{Message, Model as _, ModelErrorKind, NoListener, Role};
use models_support::fake::{Act, Received, Server, answer, chunk, end, head, stream};
use models_support::{Heard, KEY, ask, check, openai, request};
use serde_json::value::RawValue;
use std::time::Duration;

const DONE: &str = "data: [DONE]\n\n";

fn event(json: &str) -> String {
    format!("data: {json}\n\n")
}

fn delta(delta: &str) -> String {
    event(&format!(r#"{{"id":"c1","model":"m-2026","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#))
}

fn finish(reason: &str) -> String {
    event(&format!(
        r#"{{"id":"c1","model":"m-2026","choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}"#
    ))
}

fn checked(request: &Received) -> Result<(), String> {
    let key = format!("Bearer {KEY}");
    let body = check(request, "/v1/chat/completions", ("authorization", &key))?;
    if body["max_tokens"] == 99 || body["max_completion_tokens"] == 99 { Ok(()) } else { Err(body.to_string()) }
}

async fn server(acts: Vec<Act>) -> Server {
    Server::new(move |request| checked(request).map(|()| acts.clone())).await
}

/// The content of the reply that these pieces are, and why it stopped.
async fn content(pieces: &[&str]) -> (String, String) {
    let reply = ask(&openai(&server(stream(pieces)).await)).await.0.unwrap();
    (reply.content, reply.stop_reason.unwrap())
}

#[tokio::test]
async fn text_reasoning_and_parallel_calls_become_blocks() {
    let text = [
        delta(r#"{"role":"assistant","content":"","reasoning_content":null}"#),
        delta(r#"{"reasoning_content":"Hm","reasoning":"Hm"}"#),
        delta(r#"{"reasoning":"m é"}"#),
        delta(r#"{"content":"Hel"}"#),
        delta(r#"{"content":"lo"}"#),
        delta(r#"{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"read","arguments":""}}]}"#),
        delta(r#"{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"now","arguments":"{}"}}]}"#),
        delta(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"path\": \"a"}}]}"#),
        delta(r#"{"tool_calls":[{"index":0,"function":{"name":null,"arguments":".rs\", \"n\": 1e2}"}}]}"#),
        finish("tool_calls"),
        event(r#"{"id":"c1","choices":[],"usage":{"prompt_tokens":100,"completion_tokens":42,"prompt_tokens_details":{"cached_tokens":64}}}"#),
        DONE.to_owned(),
    ]
    .concat();
    for size in [1, 7, 1000, 100_000] {
        let pieces = text.as_bytes().chunks(size).map(chunk);
        let acts = [head("text/event-stream")].into_iter().chain(pieces).chain([end()]).collect();
        let (reply, heard) = ask(&openai(&server(acts).await)).await;
        let reply = reply.unwrap();
        assert_eq!(
            reply.content,
            concat!(
                r#"[{"type":"thinking","thinking":"Hmm é"},{"type":"text","text":"Hello"},"#,
                r#"{"type":"tool_use","id":"call_a","name":"read","input":{"path": "a.rs", "n": 1e2}},"#,
                r#"{"type":"tool_use","id":"call_b","name":"now","input":{}}]"#
            )
        );
        assert_eq!((reply.model.as_str(), reply.stop_reason.as_deref()), ("m-2026", Some("tool_use")));
        let usage = reply.usage.unwrap();
        assert_eq!((usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens), (36, 64, 42));
        assert_eq!(heard, ["0 thinking", "1 text", "1 \"Hel\"", "1 \"lo\"", "2 tool_use", "3 tool_use"]);
    }
}

#[tokio::test]
async fn arguments_go_back_as_they_came() {
    for arguments in [r#"{"a": 1.0,  "b":"\u00e9"}"#, r#"{"a":"#, "[1]", "not JSON", r#"{"a":1} {"b":2}"#] {
        let quoted = serde_json::to_string(arguments).unwrap();
        let call = delta(&format!(
            r#"{{"tool_calls":[{{"index":0,"id":"1","function":{{"name":"n","arguments":{quoted}}}}}]}}"#
        ));
        let server = server(stream(&[&call, &finish("tool_calls"), DONE])).await;
        let model = openai(&server);
        let reply = ask(&model).await.0.unwrap();
        assert_eq!(reply.content.contains("input_text"), !arguments.ends_with(r#"\u00e9"}"#), "{}", reply.content);
        let content: Vec<Box<RawValue>> = serde_json::from_str(&reply.content).unwrap();
        let mut next = request();
        next.messages.push(Message { role: Role::Assistant, content });
        model.ask(&next, &mut NoListener).await.unwrap();
        let sent: serde_json::Value = serde_json::from_str(&server.requests()[1].body).unwrap();
        assert_eq!(sent["messages"][1]["tool_calls"][0]["function"]["arguments"], arguments);
    }
}

#[tokio::test]
async fn endpoints_that_stream_in_their_own_way_are_understood() {
    let tool = |call: &str| delta(&format!(r#"{{"tool_calls":[{call}]}}"#));
    let text = delta(r#"{"content":"x"}"#);
    let one = r#"{"type":"tool_use","id":"1","name":"n","input":{"a":1}}"#;
    let two = r#"{"type":"tool_use","id":"2","name":"n","input":{}}"#;
    let said = |reason: &str| (r#"[{"type":"text","text":"x"}]"#.to_owned(), reason.to_owned());
    // No [DONE]; [DONE] and no reason; no usage; a reason of its own.
    assert_eq!(content(&[&text, &finish("stop")]).await, said("end_turn"));
    assert_eq!(content(&[&text, DONE]).await, said("end_turn"));
    assert_eq!(content(&[&text, &finish("length"), DONE]).await, said("max_tokens"));
    assert_eq!(content(&[&text, &finish("content_filter"), DONE]).await, said("refusal"));
    assert_eq!(content(&[&text, &finish("of_tomorrow"), DONE]).await, said("of_tomorrow"));
    assert_eq!(content(&[&delta(r#"{"refusal":"x"}"#), &finish("stop"), DONE]).await, said("refusal"));
    assert_eq!(content(&[&delta(r#"{"content":[{"type":"text","text":"x"}]}"#), DONE]).await, said("end_turn"));
    // The same index for each call; no index; arguments that are an object; "stop" for a call.
    let both = (format!("[{one},{two}]"), "tool_use".to_owned());
    let first = tool(r#"{"index":0,"id":"1","function":{"name":"n","arguments":"{\"a\":1}"}}"#);
    let second = tool(r#"{"index":0,"id":"2","function":{"name":"n","arguments":""}}"#);
    assert_eq!(content(&[&first, &second, &finish("stop")]).await, both);
    let first = tool(r#"{"id":"1","function":{"name":"n","arguments":{"a":1}}}"#);
    let second = tool(r#"{"id":"2","function":{"name":"n"}}"#);
    assert_eq!(content(&[&first, &second, DONE]).await, both);
    // No ids at all: two calls, with ids made of the completion's.
    let call = tool(r#"{"function":{"name":"n","arguments":"{}"}}"#);
    let made = r#"[{"type":"tool_use","id":"c1-0","name":"n","input":{}},{"type":"tool_use","id":"c1-1","name":"n","input":{}}]"#;
    assert_eq!(content(&[&call, &call, &finish("stop")]).await, (made.to_owned(), "tool_use".to_owned()));
}

#[tokio::test]
async fn an_endpoint_that_does_not_stream_is_understood() {
    let body = r#"{"id":"c1","object":"chat.completion","model":"m-2026","choices":[{"index":0,"message":{"role":"assistant","content":"x",
        "tool_calls":[{"id":"1","type":"function","function":{"name":"n","arguments":"{\"a\":1}"}}]},"finish_reason":"tool_calls"}],
        "usage":{"prompt_tokens":5,"completion_tokens":2}}"#;
    let server = server(answer(200, "content-type: application/json\r\n", body)).await;
    let (reply, heard) = ask(&openai(&server)).await;
    let reply = reply.unwrap();
    let wanted = r#"[{"type":"text","text":"x"},{"type":"tool_use","id":"1","name":"n","input":{"a":1}}]"#;
    assert_eq!((reply.content.as_str(), reply.usage.unwrap().total()), (wanted, 7));
    assert_eq!(heard, ["0 text", "0 \"x\"", "1 tool_use"]);
}

#[tokio::test]
async fn an_endpoint_that_refuses_a_member_is_asked_without_it_and_not_again() {
    let server = Server::new(|request| {
        checked(request)?;
        let refuse = |message: &str| {
            let body = format!(r#"{{"error":{{"message":"{message}","type":"invalid_request_error"}}}}"#);
            Ok(answer(400, "", &body))
        };
        if request.body.contains("stream_options") {
            return refuse("Unknown parameter: 'stream_options'.");
        }
        if request.body.contains("\"max_tokens\"") {
            return refuse("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.");
        }
        Ok(stream(&[&delta(r#"{"content":"x"}"#), &finish("stop"), DONE]))
    })
    .await;
    let model = openai(&server);
    for asked in [3, 4, 5] {
        ask(&model).await.0.unwrap();
        assert_eq!(server.requests().len(), asked);
    }
}

#[tokio::test]
async fn a_stream_that_breaks_is_no_reply() {
    let overloaded = event(r#"{"error":{"message":"busy","type":"overloaded_error","code":529}}"#);
    let server_error = event(r#"{"error":"out of memory"}"#);
    let huge = format!("data: {}", "x".repeat(9 * 1024 * 1024));
    let wait = Act::Wait(Duration::from_secs(2));
    let begun = vec![head("text/event-stream"), chunk(delta(r#"{"content":"x"}"#))];
    let then = |acts: &[Act]| [begun.clone(), acts.to_vec()].concat();
    let whole = |body: &str| answer(200, "content-type: application/json; charset=utf-8\r\n", body);
    for (acts, kind) in [
        (then(&[Act::Cut]), ModelErrorKind::Cut),
        (then(&[end()]), ModelErrorKind::Cut),
        (stream(&[DONE]), ModelErrorKind::Cut),
        (then(std::slice::from_ref(&wait)), ModelErrorKind::Cut),
        (then(&[chunk(&overloaded), end()]), ModelErrorKind::Overloaded),
        (then(&[chunk(&server_error), end()]), ModelErrorKind::Failed),
        (then(&[chunk(&huge), end()]), ModelErrorKind::Cut),
        (then(&[chunk("data: {\"id\":\n\n"), end()]), ModelErrorKind::Cut),
        (then(&[chunk(b"data: \xff\n\n"), end()]), ModelErrorKind::Cut),
        (vec![wait, head("text/event-stream")], ModelErrorKind::Cut),
        (vec![Act::Cut], ModelErrorKind::Cut),
        (whole("{}"), ModelErrorKind::Cut),
        (whole(r#"{"choices":["#), ModelErrorKind::Cut),
        (whole(r#"{"error":{"message":"busy","code":"rate_limit_exceeded"}}"#), ModelErrorKind::RateLimited),
        (answer(200, "content-type: text/html\r\n", "<html>login</html>"), ModelErrorKind::Cut),
    ] {
        let server = server(acts).await;
        let error = ask(&openai(&server)).await.0.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(server.requests().len(), 1, "asked once");
    }
}

#[tokio::test]
async fn an_answer_that_is_an_error_says_what_to_do() {
    use ModelErrorKind::{Billing, Failed, Overloaded, RateLimited, Rejected, Unauthorized};
    for (status, body, kind) in [
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-canary-0123456789","code":"invalid_api_key"}}"#,
            Unauthorized,
        ),
        (403, "", Unauthorized),
        (404, r#"{"error":"model 'm' not found"}"#, Rejected),
        (
            400,
            r#"{"error":{"message":"too long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            Rejected,
        ),
        (422, r#"{"detail":[{"msg":"field required","input":"my private prompt"}]}"#, Rejected),
        (429, r#"{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}"#, RateLimited),
        (429, r#"{"error":{"message":"no money","type":"insufficient_quota","code":"insufficient_quota"}}"#, Billing),
        (402, "", Billing),
        (500, "", Failed),
        (503, r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, Overloaded),
        (301, "", Rejected),
    ] {
        let server = server(answer(status, "retry-after: 2\r\n", body)).await;
        let error = ask(&openai(&server)).await.0.unwrap_err();
        assert_eq!((error.kind, error.retry_after), (kind, Some(Duration::from_secs(2))), "{status} {body}: {error}");
        assert_eq!(server.requests().len(), 1, "asked once");
    }
}

#[tokio::test]
async fn all_that_the_model_wrote_is_counted_while_it_comes() {
    let parts = [
        delta(r#"{"reasoning_content":"hmm"}"#),
        delta(r#"{"content":"yes"}"#),
        delta(r#"{"tool_calls":[{"index":0,"id":"1","function":{"name":"n","arguments":"{\"a\":1}"}}]}"#),
        finish("tool_calls"),
    ];
    let parts: Vec<&str> = parts.iter().map(String::as_str).chain([DONE]).collect();
    let server = server(stream(&parts)).await;
    let mut heard = Heard::default();
    let reply = openai(&server).ask(&request(), &mut heard).await.unwrap();
    // This endpoint counts nothing itself.
    assert_eq!((heard.bytes, heard.counted, reply.usage), ("hmmyes{'a':1}".len(), None, None));
}
