//! What is recorded, and given again.
#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod models_support;

use handbox_brain::model::record::{Recorder, Replay, Sink};
use handbox_brain::model::{Model as _, ModelErrorKind, NoListener};
use handbox_hand::{Http as _, HttpError, HttpRequest, Sender};
use models_support::fake::{Act, Server, answer, chunk, end, head};
use models_support::{anthropic_over, principal, proxy, request};
use std::sync::{Arc, Mutex};

const START: &str =
    "data: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":1}}}\n\n";
const STOP: &str = "data: {\"type\":\"message_stop\"}\n\n";
const BASE: &str = "https://api.example.com";

fn sink() -> (Sink, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::<Mutex<Vec<String>>>::default();
    let own = Arc::clone(&lines);
    (Arc::new(move |line| own.lock().unwrap().push(line)), lines)
}

#[tokio::test]
async fn an_exchange_is_answered_from_its_recording_without_a_server() {
    // A piece ends inside a character, and the second answer breaks off.
    let text = "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"é\"}}\n\n\
        data: {\"type\":\"content_block_stop\",\"index\":0}\n\n";
    let split = text.find('é').unwrap() + 1;
    let (one, two) = text.as_bytes().split_at(split);
    let whole = vec![head("text/event-stream"), chunk(START), chunk(one), chunk(two), chunk(STOP), end()];
    let cut = vec![head("text/event-stream"), chunk(START), Act::Cut];
    let answers = Mutex::new(vec![answer(529, "set-cookie: session=1\r\n", ""), cut, whole]);
    let server = Server::new(move |_| Ok(answers.lock().unwrap().pop().unwrap())).await;
    let (sink, lines) = sink();
    let http = Arc::new(Recorder::new(proxy(&server, Some("x-api-key")), sink));
    let model = anthropic_over(http, server.url());
    let mut wanted = Vec::new();
    for _ in 0..3 {
        wanted.push(model.ask(&request(), &mut NoListener).await);
    }
    assert!(wanted[0].as_ref().unwrap().content.contains('é'));

    let recording = lines.lock().unwrap().join("\n");
    assert_eq!(recording.lines().count(), 3);
    assert!(!recording.contains("canary") && !recording.contains("session=1"), "{recording}");
    assert!(recording.contains("my private prompt"), "a recording is whole");

    let url = server.url();
    drop(server);
    let replay = Arc::new(Replay::parse(&recording).unwrap());
    let model = anthropic_over(replay, url);
    for wanted in wanted {
        assert_eq!(model.ask(&request(), &mut NoListener).await, wanted);
    }
    let error = model.ask(&request(), &mut NoListener).await.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Rejected);
    assert!(error.message.contains("none of the recording's 3 exchanges"), "{error}");
}

#[tokio::test]
async fn a_request_with_another_body_is_not_in_the_recording() {
    let replay = Replay::parse("\n").unwrap();
    let request = HttpRequest { method: "POST".into(), url: BASE.into(), headers: Vec::new(), body: "x".into() };
    let error = replay.send(&Sender::new(principal()), request).await.unwrap_err();
    let HttpError::Invalid(text) = error else { panic!("{error:?}") };
    assert!(text.contains("POST https://api.example.com"), "{text}");
}

#[tokio::test]
async fn a_reply_that_nobody_waits_for_is_recorded_as_far_as_it_came() {
    let endless = vec![head("text/event-stream"), chunk(START), Act::Wait(std::time::Duration::from_secs(5))];
    let server = Server::always(endless).await;
    let (sink, lines) = sink();
    let http = Arc::new(Recorder::new(proxy(&server, Some("x-api-key")), sink));
    let model = anthropic_over(http, server.url());
    let request = request();
    let asked = tokio::time::timeout(std::time::Duration::from_millis(200), model.ask(&request, &mut NoListener)).await;
    assert!(asked.is_err());
    let lines = lines.lock().unwrap();
    assert!(lines.len() == 1 && lines[0].contains("\"dropped\"") && lines[0].contains("message_start"), "{lines:?}");
}

#[test]
fn what_is_no_recording_says_where() {
    let error = Replay::parse("\n{}\n").err().unwrap();
    assert_eq!(error.line, 2);
}
