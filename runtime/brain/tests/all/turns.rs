//! What a turn writes, and in which order.

use super::bench::{Bench, Gate, Ledger, calls, runs, says};
use handbox_session::fold::{Fold, Own, Status, StopReason, project};
use handbox_session::{Followed, SessionLog};
use serde_json::{Value, json};

#[tokio::test]
async fn a_turn_with_a_tool_writes_what_the_reference_says_in_its_order() {
    let script = json!([
        {"when": {"step": 1}, "reply": [{"thinking": "hm"}, says("looking"), calls("look")]},
        {"when": {"tool": "look", "contains": "look"}, "reply": [says("seen: {{result:look}}")]},
    ]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("hello").await;
    let rest = bench.wake().await;
    assert_eq!((rest.status, rest.stop_reason), (Status::Idle, Some(StopReason::EndTurn)));
    let expected = [
        "handbox.session_created",
        "user.message",
        "handbox.brain_woke",
        "session.status_running",
        "session.thread_status_running",
        "handbox.input_taken",
        "span.model_request_start",
        "handbox.model_reply",
        "agent.thinking",
        "agent.message",
        "agent.tool_use",
        "span.model_request_end",
        "handbox.hand_provisioned",
        "handbox.call_started",
        "handbox.call_ended",
        "agent.tool_result",
        "span.model_request_start",
        "handbox.model_reply",
        "agent.message",
        "span.model_request_end",
        "session.thread_status_idle",
        "session.usage",
        "session.status_idle",
    ];
    assert_eq!(bench.kinds().await, expected);
    assert_eq!(bench.all("agent.message").await[1]["content"], json!([{"type": "text", "text": "seen: look look"}]));
    assert_eq!(bench.fold().await.oddities, handbox_session::fold::Oddities::default());
    assert_eq!(bench.model.requests.lock().unwrap().len(), 2);
    assert_eq!(bench.fold().await.total.spend, *bench.model.charged.lock().unwrap());
}

#[tokio::test]
async fn a_client_is_shown_what_the_reference_says_and_nothing_of_handboxs_own() {
    use handbox_session::Fold;
    use handbox_session::fold::{Own, project};
    let script = json!([{"when": {"step": 1}, "reply": [calls("send")]}, {"reply": [says("done")]}]);
    let mut runs = runs();
    runs.agent.name = "a".to_owned();
    runs.tools.iter_mut().for_each(|tool| tool.permission = handbox_brain::Policy::AlwaysAsk);
    let bench = Bench::new(&script, &runs).await;
    bench.say("hello").await;
    bench.wake().await;
    bench.confirm(bench.call(0).await, "allow").await;
    bench.wake().await;
    let shown = project(&bench.entries().await, &Fold::default(), Own::Hidden);
    let shown: Vec<Value> = shown.into_iter().map(|shown| shown.json).collect();
    let kinds: Vec<&str> = shown.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let rest = ["session.thread_status_idle", "session.usage", "session.status_idle"];
    let running = ["session.status_running", "session.thread_status_running"];
    let asked = ["span.model_request_start", "agent.tool_use", "span.model_request_end"];
    let said = ["span.model_request_start", "agent.message", "span.model_request_end"];
    let wanted: Vec<&str> = [&running[..], &["user.message"], &asked, &rest, &running, &["user.tool_confirmation"]]
        .concat()
        .into_iter()
        .chain([&["agent.tool_result"], &said[..], &rest].concat())
        .collect();
    assert_eq!(kinds, wanted);
    assert!(shown.iter().all(|event| event.get("handbox").is_none()), "{shown:#?}");
    let threads: Vec<&Value> = shown.iter().filter(|event| event["session_thread_id"].is_string()).collect();
    assert_eq!(threads.len(), 4);
    for thread in &threads {
        assert!(thread["session_thread_id"].as_str().unwrap().starts_with("sthr_"));
        assert_eq!(
            (&thread["session_thread_id"], &thread["agent_name"]),
            (&threads[0]["session_thread_id"], &json!("a"))
        );
    }
    // An idle thread says what its session says right after it.
    for at in kinds.iter().enumerate().filter(|(_, kind)| **kind == rest[0]).map(|(at, _)| at) {
        for member in ["stop_reason", "stop_details"] {
            assert!(shown[at].get(member).is_some());
            assert_eq!(shown[at][member], shown[at + 2][member]);
        }
    }
}

#[tokio::test]
async fn previews_come_under_the_ids_of_the_events_that_end_them() {
    let script = json!([{"reply": [says("one two three")], "chunk": 4}]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("hello").await;
    let mut tail = bench.log.tail(bench.session, None).await.unwrap();
    bench.wake().await;
    let (mut started, mut text) = (None, String::new());
    loop {
        match tail.next().await.unwrap() {
            Followed::Preview(preview) => {
                let preview: Value = serde_json::from_str(&preview.0).unwrap();
                if preview["type"] == "event_start" {
                    assert_eq!(preview["event"]["type"], "agent.message");
                    started = preview["event"]["id"].as_str().map(str::to_owned);
                } else {
                    assert_eq!(preview["event_id"].as_str().map(str::to_owned), started);
                    text.push_str(preview["delta"]["content"]["text"].as_str().unwrap());
                }
            }
            Followed::Event(entry) if entry.event.kind().as_str() == "agent.message" => {
                assert_eq!(Some(entry.event.id().to_string()), started);
                break;
            }
            Followed::Event(_) => {}
        }
    }
    assert_eq!(text, "one two three");
}

#[tokio::test]
async fn input_that_comes_within_a_turn_is_taken_before_the_next_request() {
    let script = json!([
        {"when": {"step": 1, "text": "first"}, "reply": [calls("look")]},
        {"when": {"text": "second"}, "reply": [says("heard second")]},
    ]);
    let gate = Gate::at_point("effect done");
    let bench = Bench::with(&script, &runs(), gate.clone(), Ledger::default()).await;
    let first = bench.say("first").await;
    let wake = tokio::spawn({
        let (brain, session) = (bench.brain.clone(), bench.session);
        async move { brain.wake(session).await }
    });
    gate.reached().await;
    let second = bench.say("second").await;
    gate.open();
    assert_eq!(wake.await.unwrap().unwrap().stop_reason, Some(StopReason::EndTurn));
    let kinds = bench.kinds().await;
    let of_turn: Vec<&str> = kinds.iter().map(String::as_str).filter(|kind| MATTERS.contains(kind)).collect();
    let (started, taken) = ("handbox.call_started", "handbox.input_taken");
    let (asked, result) = ("span.model_request_start", "agent.tool_result");
    let (said, runs) = ("user.message", "session.status_running");
    assert_eq!(of_turn, [said, runs, taken, asked, started, said, result, taken, asked]);
    let taken: Vec<Value> = bench.all(taken).await.iter().map(|taken| taken["ids"].clone()).collect();
    assert_eq!(taken, [json!([first]), json!([second])]);
    let said = bench.all("agent.message").await;
    assert_eq!(said[0]["content"][0]["text"], "heard second");
    // A client sees it as processed when it was taken, and not before the result that was shown with it.
    let shown = project(&bench.entries().await, &Fold::default(), Own::Hidden);
    let at = |kind: &str| shown.iter().rposition(|shown| shown.json["type"] == kind).unwrap();
    assert!(at("agent.tool_result") < at("user.message"), "{shown:#?}");
    assert!(shown[at("user.message")].json["processed_at"].is_string());
}

const MATTERS: [&str; 6] = [
    "user.message",
    "session.status_running",
    "handbox.input_taken",
    "span.model_request_start",
    "handbox.call_started",
    "agent.tool_result",
];

#[tokio::test]
async fn reads_run_together_and_everything_else_in_order() {
    let script = json!([
        {"when": {"step": 1}, "reply": [calls("look"), calls("look"), calls("pay"), calls("look"), calls("send")]},
        {"reply": [says("done")]},
    ]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("go").await;
    bench.wake().await;
    let kinds: Vec<String> = bench.kinds().await.into_iter().filter(|kind| kind.starts_with("handbox.call_")).collect();
    let (s, e) = ("handbox.call_started", "handbox.call_ended");
    assert_eq!(kinds, [s, s, e, e, s, e, s, e, s, e]);
    assert_eq!(bench.results().await.len(), 5);
}

#[tokio::test]
async fn what_a_hand_does_wrong_is_read_by_the_model_and_the_session_goes_on() {
    let script = json!([
        {"when": {"step": 1}, "reply": [calls("fail"), calls("panic"), calls("trap"), calls("die"), calls("nothing")]},
        {"when": {"step": 2}, "reply": [calls("look"), calls("limit")]},
        {"reply": [says("done")]},
    ]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let results = bench.results().await;
    let find = |text: &str| results.iter().any(|result| result.contains(text));
    assert_eq!(results.len(), 7);
    assert!(find("the tool says: no such thing \\u{1b}[31m"), "control characters are visible: {results:?}");
    assert!(find("fault of the host") && find("The tool is broken") && find("There is no tool \"nothing\""));
    assert!(
        find("the hand is gone: it died (The hand `test`, incarnation 2, is dead; the next call gets another.)"),
        "{results:#?}"
    );
    let provisioned = bench.all("handbox.hand_provisioned").await;
    let incarnations: Vec<_> = provisioned.iter().map(|event| (&event["incarnation"], &event["reason"])).collect();
    assert_eq!(
        incarnations,
        [(&json!(1), &json!("first_call")), (&json!(2), &json!("died")), (&json!(3), &json!("died"))]
    );
    let ended = bench.all("handbox.call_ended").await;
    let outcomes: Vec<&str> = ended.iter().map(|ended| ended["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "unknown").count(), 2, "{outcomes:?}");
    let error = &bench.all("session.error").await[0];
    assert_eq!((&error["handbox"]["part"], &error["handbox"]["incarnation"]), (&json!("hand"), &json!(1)));
}

/// A model whose first reply has this content, and whose second says that it is done.
struct Raw(String);

#[async_trait::async_trait]
impl handbox_brain::model::Model for Raw {
    fn provider(&self) -> &str {
        "raw"
    }
    async fn ask(
        &self,
        request: &handbox_brain::model::ModelRequest,
        _: &mut dyn handbox_brain::model::Listener,
    ) -> Result<handbox_brain::model::Reply, handbox_brain::model::ModelError> {
        let content = if request.messages.len() == 1 { &self.0 } else { r#"[{"type":"text","text":"ok"}]"# };
        let usage = Default::default();
        Ok(handbox_brain::model::Reply { model: "r".into(), content: content.to_owned(), stop_reason: None, usage })
    }
}

async fn replied(content: &str) -> Bench {
    let bench = Bench::asking(Raw(content.to_owned()), &runs()).await;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    bench
}

#[tokio::test]
async fn arguments_that_are_none_are_an_answer_to_the_model() {
    let deep = format!("{}{}", "[".repeat(110), "]".repeat(110));
    let content = format!(
        r#"[{{"type":"tool_use","id":"a","name":"look","input":{{}},"input_text":"{{\"x\": "}},
            {{"type":"tool_use","id":"b","name":"look","input":[1]}},
            {{"type":"tool_use","id":"c","name":"look","input":{{"x":{deep}}}}},
            {{"type":"tool_use","id":"d","name":"evil\n[31m","input":{{}}}}]"#
    );
    let bench = replied(&content).await;
    let results = bench.results().await;
    assert_eq!(results.len(), 4, "{results:#?}");
    assert!(results.iter().filter(|result| result.starts_with("invalid input: ")).count() == 3, "{results:#?}");
    assert!(results.iter().any(|result| result.contains(r#""evil\n"#)), "{results:#?}");
    assert!(bench.all("handbox.call_started").await.is_empty());
}

#[tokio::test]
async fn arguments_that_cannot_be_read_take_no_other_calls_result() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    for (input, why) in [(r#"{"q":"\ud83d"}"#, "hex escape"), (r#"{"n":1e999}"#, "out of range"), (&deep, "recursion")]
    {
        let call = format!(r#"{{"type":"tool_use","id":"bad","name":"look","input":{input}}}"#);
        let good = r#"{"type":"tool_use","id":"good","name":"look","input":{"x":"seen"}}"#;
        // Alone it would have ended the turn; before another it took that one's result.
        assert_eq!(replied(&format!("[{call}]")).await.results().await.len(), 1, "{why}");
        let bench = replied(&format!("[{call},{good}]")).await;
        let results = bench.all("agent.tool_result").await;
        let calls = [bench.call(0).await.to_string(), bench.call(1).await.to_string()];
        let of = |index: usize| {
            let id = calls[index].as_str();
            results.iter().find(|result| result["tool_use_id"] == *id).unwrap()["content"][0]["text"].to_string()
        };
        assert!(of(0).contains("invalid input: ") && of(0).contains(why), "{}", of(0));
        assert_eq!(of(1), r#""look seen""#);
    }
}

#[tokio::test]
async fn a_reply_that_is_no_array_of_blocks_is_none() {
    let mut bench = Bench::asking(Raw(r#"[{"type":"text","text":"a"},7]"#.to_owned()), &runs()).await;
    bench.brain.settings.retries_max = 1;
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::RetriesExhausted));
    assert!(bench.all("agent.message").await.is_empty());
}

#[tokio::test]
async fn a_long_result_is_a_preview_and_a_blob_and_an_image_is_an_image() {
    use handbox_session::{Blobs, Hash};
    let script = json!([
        {"when": {"step": 1}, "reply": [calls("long"), calls("picture")]},
        {"reply": [says("done")]},
    ]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("go").await;
    bench.wake().await;
    let results = bench.all("agent.tool_result").await;
    let long = results.iter().find(|result| result["handbox"]["blob"].is_string()).unwrap();
    assert!(long["content"][0]["text"].as_str().unwrap().len() < 10_000);
    let digest: Hash = serde_json::from_value(long["handbox"]["blob"].clone()).unwrap();
    assert_eq!(bench.log.get(digest).await.unwrap().unwrap().len(), 200_000);
    let request = serde_json::to_value(&bench.model.requests.lock().unwrap()[1]).unwrap();
    let shown = &request["messages"][2]["content"][1]["content"];
    assert_eq!((&shown[0]["text"], &shown[1]["type"]), (&json!("see"), &json!("image")));
    assert!(shown[1]["source"]["data"].as_str().unwrap().len() > 900_000);
}

#[tokio::test]
async fn what_a_tool_says_is_seen_by_whoever_reads_it_and_bounded_as_it_is_shown() {
    use handbox_hand::misleads;
    let script = json!([{"when": {"step": 1}, "reply": [calls("hidden"), calls("junk")]}, {"reply": [says("done")]}]);
    let bench = Bench::new(&script, &runs()).await;
    bench.say("go").await;
    bench.wake().await;
    let results = bench.results().await;
    assert!(results.iter().all(|result| !result.contains(misleads)), "{results:?}");
    let seen = r"seen \u{e0041}\u{e0042} \u{2028} \u{202e} \u{200b} \u{feff} \u{61c}".to_owned() + "\r\n\tend";
    assert!(results.contains(&seen), "{results:?}");
    let junk = results.iter().find(|result| **result != seen).unwrap();
    assert!(junk.chars().count() < 6_000 && junk.contains("has 90000 characters"), "{}", junk.chars().count());
    assert!(junk.contains("(… 89445 characters left out …)"), "{junk}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chatty_client_neither_starves_a_brain_nor_is_missed() {
    let script = json!([{"when": {"step": 1}, "reply": [calls("look"), calls("send")]}, {"reply": [says("done")]}]);
    let bench = std::sync::Arc::new(Bench::new(&script, &runs()).await);
    bench.say("first").await;
    let client = tokio::spawn({
        let bench = std::sync::Arc::clone(&bench);
        async move {
            for number in 0..300 {
                bench.say(&format!("more {number}")).await;
                tokio::time::sleep(std::time::Duration::from_micros(200)).await;
            }
        }
    });
    while !client.is_finished() {
        bench.wake().await;
    }
    client.await.unwrap();
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let kinds = bench.kinds().await;
    let woke = kinds.iter().position(|kind| kind == "handbox.brain_woke");
    let running = kinds.iter().position(|kind| kind == "session.status_running");
    assert!(woke.is_some() && woke < running, "whoever works says so first");
    assert!(bench.fold().await.queue.is_empty());
    let taken: usize =
        bench.all("handbox.input_taken").await.iter().map(|taken| taken["ids"].as_array().unwrap().len()).sum();
    assert_eq!(taken, 301);
}
