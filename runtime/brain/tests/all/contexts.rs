//! What a model is shown: made from the log alone, and no more of it read than is needed.

use super::bench::{Bench, HIDDEN, calls, check, runs, says};
use super::wrapped::{Around, Wrapped};
use async_trait::async_trait;
use handbox_brain::context::{self, Context, Material, read, request_at};
use handbox_brain::model::{Listener, Model, ModelError, ModelRequest, Reply};
use handbox_brain::{RunsWith, runs_with};
use handbox_hand::misleads;
use handbox_session::fold::{StopReason, Tokens, fold_to};
use handbox_session::memory::MemoryLog;
use handbox_session::{Blobs, Event, NewSession, Page, Seq, SessionId, SessionLog};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

fn script() -> Value {
    json!([
        {"when": {"text": "Sum up"}, "reply": [says("they said go, and it looked")]},
        {"when": {"step": 1}, "reply": [{"thinking": "hm"}, says("looking"), calls("look"), calls("look")]},
        {"when": {"step": 2}, "reply": [calls("picture")]},
        {"reply": [says("done")]},
    ])
}

fn with(context: Context) -> RunsWith {
    RunsWith { context, ..runs() }
}

async fn talked(context: Context, turns: usize) -> Bench {
    let bench = Bench::new(&script(), &with(context)).await;
    for turn in 0..turns {
        bench.say(&format!("go {turn}")).await;
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    }
    bench
}

/// The places of requests.
async fn starts(bench: &Bench) -> Vec<Seq> {
    let entries = bench.entries().await;
    let starts = entries.iter().filter(|entry| entry.event.kind().as_str() == "span.model_request_start");
    starts.map(|entry| entry.seq).collect()
}

async fn remade(bench: &Bench, place: Seq) -> ModelRequest {
    remade_from(&bench.log, bench.session, place).await
}

async fn remade_from(log: &MemoryLog, session: SessionId, place: Seq) -> ModelRequest {
    let record = log.record(session).await.unwrap();
    let fold = fold_to(log, &record, Some(place)).await.unwrap();
    let runs = runs_with(log, session, &fold).await.unwrap();
    let material = read(log, log, session, &runs.context, place).await.unwrap();
    request_at(&material, &runs, place)
}

fn text(request: &ModelRequest) -> String {
    serde_json::to_string(request).unwrap()
}

#[tokio::test]
async fn every_request_is_made_again_from_the_log_byte_for_byte() {
    let summary = Context::Summary { at_tokens: 400 };
    for context in [summary, Context::Everything, Context::LastTurns { turns: 2 }, Context::ClearedResults { keep: 2 }]
    {
        let bench = talked(context.clone(), 4).await;
        let made = bench.model.requests.lock().unwrap().clone();
        let starts = starts(&bench).await;
        assert_eq!(made.len(), starts.len());
        for (request, place) in made.iter().zip(starts) {
            assert_eq!(text(request), text(&remade(&bench, place).await), "{context:?} at {place}");
        }
    }
}

/// Replies as Anthropic's API sends them: what is in them would not survive being read as values.
struct Anthropic;

const THOUGHT: &str = r#"{"type":"thinking", "thinking":"h\u006dm \ud83d\ude00\/ \u00e9","signature":"EqQB\/+=="}"#;
const CALL: &str = r#"{"type":"tool_use","id":"toolu_1","name":"look","input":{"x": "\u0061", "n": 1e2, "b":12345678901234567890123,"f":1.0,"a":-0.0},"caller":{"type":"direct"}}"#;
const BROKEN: &str = r#"{"type":"tool_use","id":"toolu_2","name":"look","input":{"x":"\ud83d"}}"#;

#[async_trait]
impl Model for Anthropic {
    fn provider(&self) -> &str {
        "anthropic"
    }

    async fn ask(&self, request: &ModelRequest, _: &mut dyn Listener) -> Result<Reply, ModelError> {
        let odd = r#"{"type":"of_tomorrow","z":1,"a":[1.50]}"#;
        // The second of each turn is kept as a blob.
        let long = format!(r#"{{"type":"text","text":"\u0041{}"}}"#, "long ".repeat(10_000));
        let blocks = match request.messages.len() % 4 {
            1 => [THOUGHT, r#"{"type":"redacted_thinking","data":"Emw+"}"#, CALL, BROKEN].join(","),
            _ => [THOUGHT, odd, &long].join(", "),
        };
        let usage = Some(Tokens { input_tokens: 5, output_tokens: 5, ..Tokens::default() });
        Ok(Reply { model: "claude".to_owned(), content: format!("[{blocks}]"), stop_reason: None, usage })
    }
}

#[tokio::test]
async fn replies_of_a_provider_are_shown_again_byte_for_byte_by_another_process() {
    for context in [Context::Everything, Context::LastTurns { turns: 2 }, Context::ClearedResults { keep: 2 }] {
        let bench = Bench::asking(Anthropic, &with(context.clone())).await;
        for turn in 0..3 {
            bench.say(&format!("go {turn}")).await;
            assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
        }
        let other = copied(&bench).await;
        let made = bench.model.requests.lock().unwrap().clone();
        let starts = starts(&bench).await;
        assert_eq!((made.len(), starts.len()), (6, 6));
        for (request, place) in made.iter().zip(starts) {
            assert_eq!(text(request), text(&remade_from(&other, bench.session, place).await), "{context:?} at {place}");
        }
        let last = text(made.last().unwrap());
        assert!([THOUGHT, CALL, BROKEN].iter().all(|block| last.contains(block)), "{last:.2000}");
    }
}

/// A log that has only what was written: each event read again from its own text, and the blobs.
async fn copied(bench: &Bench) -> MemoryLog {
    let log = MemoryLog::new(std::time::Instant::now);
    let entries = bench.entries().await;
    let events = entries.iter().map(|entry| Event::from_json(entry.event.json()).unwrap()).collect();
    log.create(NewSession::own(bench.session, events)).await.unwrap();
    let everything =
        context::read(&bench.log, &bench.log, bench.session, &Context::Everything, entries[entries.len() - 1].seq);
    for (digest, content) in everything.await.unwrap().blobs {
        assert_eq!(log.put(content).await.unwrap(), digest);
    }
    log
}

#[tokio::test]
async fn a_reply_is_shown_again_as_it_came_and_the_prefix_stays() {
    let bench = talked(Context::Everything, 2).await;
    let requests = bench.model.requests.lock().unwrap().clone();
    let raw = requests[1].messages[1].content.iter().map(|block| block.get().to_owned()).collect::<Vec<_>>();
    let replies = bench.all("handbox.model_reply").await;
    assert_eq!(format!("[{}]", raw.join(",")), replies[0]["content"].as_str().unwrap());
    assert!(raw[0].contains("signature"));
    let unmarked = |request: &ModelRequest| text(request).replace(r#","cache_control":{"type":"ephemeral"}"#, "");
    for pair in requests.windows(2) {
        let (before, after) = (unmarked(&pair[0]), unmarked(&pair[1]));
        let end = before.rfind("]}]").unwrap();
        assert_eq!(before[..end], after[..end], "what was sent before is the beginning of what is sent now");
    }
    let marks = text(requests.last().unwrap()).matches("cache_control").count();
    assert_eq!(marks, 3);
}

/// A model that says, byte for byte, what no writer of JSON here would.
struct Verbatim(std::sync::Mutex<Vec<String>>);

const ODD: &str = r#"[{"type":"thinking","thinking":"h\u00e9 \/ \ud83d\ude00","signature":"a+b\/c=="} ,
  {"type":"tool_use","id":"t", "input":{"x":"1", "n":1e2,"big":12345678901234567890123,"z":-0.0,"a":1},"name":"look"}]"#;

#[async_trait::async_trait]
impl handbox_brain::model::Model for Verbatim {
    fn provider(&self) -> &str {
        "verbatim"
    }
    async fn ask(
        &self,
        request: &ModelRequest,
        _: &mut dyn handbox_brain::model::Listener,
    ) -> Result<handbox_brain::model::Reply, handbox_brain::model::ModelError> {
        self.0.lock().unwrap().push(text(request));
        let first = request.messages.len() == 1;
        let content = if first { ODD.to_owned() } else { r#"[{"type":"text","text":"ok"}]"#.to_owned() };
        let (stop_reason, usage) = (None, handbox_session::fold::Tokens::default());
        Ok(handbox_brain::model::Reply { model: "v".to_owned(), content, stop_reason, usage: Some(usage) })
    }
}

#[tokio::test]
async fn what_a_provider_signed_is_sent_back_as_it_was_also_from_a_log_that_was_closed() {
    let mut bench = Bench::new(&json!([]), &runs()).await;
    let model = std::sync::Arc::new(Verbatim(std::sync::Mutex::default()));
    bench.brain.model = model.clone();
    bench.say("go").await;
    assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
    let sent = model.0.lock().unwrap().clone();
    for odd in [
        r#"{"type":"thinking","thinking":"h\u00e9 \/ \ud83d\ude00","signature":"a+b\/c=="}"#,
        r#""n":1e2,"big":12345678901234567890123,"z":-0.0"#,
    ] {
        assert!(sent[1].contains(odd), "{}", sent[1]);
    }
    bench.log = bench.log.reopened();
    for (sent, place) in sent.iter().zip(starts(&bench).await) {
        assert_eq!(*sent, text(&remade(&bench, place).await));
    }
}

#[tokio::test]
async fn the_last_turns_are_whole_turns() {
    let bench = talked(Context::LastTurns { turns: 2 }, 5).await;
    let last = bench.model.requests.lock().unwrap().last().unwrap().clone();
    let said = text(&last);
    assert!(said.contains("go 3") && said.contains("go 4") && !said.contains("go 2"), "{said}");
    check(&last);
}

#[tokio::test]
async fn old_results_are_only_mentioned() {
    let bench = talked(Context::ClearedResults { keep: 2 }, 3).await;
    let requests = bench.model.requests.lock().unwrap();
    let last = text(requests.last().unwrap());
    let cleared = last.matches("This result was cleared").count();
    assert!((4..9).contains(&cleared), "{cleared}");
    assert!(last.contains("go 0"));
}

#[tokio::test]
async fn a_context_that_grows_too_long_is_summed_up_and_the_log_stays_whole() {
    let bench = talked(Context::Summary { at_tokens: 400 }, 6).await;
    let compacted = bench.all("agent.thread_context_compacted").await;
    assert!(!compacted.is_empty());
    assert_eq!(compacted[0]["handbox"]["summary"], "they said go, and it looked");
    let requests = bench.model.requests.lock().unwrap().clone();
    let last = text(requests.last().unwrap());
    assert!(last.contains("<summary of the conversation so far>") && !last.contains("go 0"), "{last}");
    // It is counted, and nothing of it is lost or shown.
    let fold = bench.fold().await;
    assert_eq!(fold.total.spend, *bench.model.charged.lock().unwrap());
    assert_eq!((fold.total.model_requests, fold.total.model_requests_lost), (requests.len() as u64, 0));
    let shown = bench.all("agent.message").await;
    assert!(shown.iter().all(|message| message["content"][0]["text"] != "they said go, and it looked"));
    // Made again from the log, the requests for summaries, too.
    for (request, place) in requests.iter().zip(starts(&bench).await) {
        assert_eq!(text(request), text(&remade(&bench, place).await), "at {place}");
    }
    // These have the tools, which what is cached begins with and what was called needs; but they are not to be called.
    let (sums, asks): (Vec<_>, Vec<_>) =
        requests.iter().partition(|request| text(request).contains("Sum up this conversation"));
    assert!(sums.iter().all(|request| request.options["tool_choice"] == json!({"type": "none"})));
    assert!(asks.iter().all(|request| !request.options.contains_key("tool_choice")));
    let tools = |request: &ModelRequest| serde_json::to_string(&request.tools).unwrap();
    assert!(requests.iter().all(|request| tools(request) == tools(&requests[0])));
    let head = bench.fold().await.through().unwrap();
    let material = read(&bench.log, &bench.log, bench.session, &Context::Everything, head).await.unwrap();
    assert!(text(&request_at(&material, &runs(), head)).contains("go 0"));
}

#[tokio::test]
async fn what_a_hand_says_of_its_tools_is_seen_bounded_and_marked_as_its_words() {
    let mut runs = runs();
    let tool = &mut runs.tools[0];
    tool.description = format!("{HIDDEN}{}", "x".repeat(100_000));
    tool.input_schema = json!({"type": "object", "description": HIDDEN, "properties": {
        "description": {"type": "string", "title": HIDDEN, "enum": ["as it is\u{200b}"]},
        "a": {"anyOf": [{"const": 1, "$comment": "y".repeat(9_000)}]}}});
    let (name, said) = (tool.name.to_string(), tool.description.clone());
    let bench = Bench::new(&script(), &runs).await;
    bench.say("go").await;
    bench.wake().await;
    let request = bench.model.requests.lock().unwrap()[0].clone();
    let shown: Vec<Value> = request.tools.iter().map(|tool| serde_json::from_str(tool.get()).unwrap()).collect();
    let description = shown[0]["description"].as_str().unwrap();
    assert!(description.starts_with("(In the words of the hand `test`:) seen \\u{e0041}"), "{description:.80}");
    assert!(!description.contains(misleads) && description.chars().count() < 20_100 && description.ends_with("x…"));
    let schema = &shown[0]["input_schema"];
    let texts = [&schema["description"], &schema["properties"]["description"]["title"]];
    assert!(texts.iter().all(|text| !text.as_str().unwrap().contains(misleads)), "{texts:?}");
    assert_eq!(schema["properties"]["a"]["anyOf"][0]["$comment"].as_str().unwrap().chars().count(), 4_000);
    // What decides about input stays to the letter, and so does what was pinned and approved.
    assert_eq!(schema["properties"]["description"]["enum"], json!(["as it is\u{200b}"]));
    assert_eq!(shown[1]["input_schema"], runs.tools[1].input_schema);
    let pinned = runs_with(&bench.log, bench.session, &bench.fold().await).await.unwrap();
    assert_eq!(pinned.tool(&name).unwrap().description, said);
}

/// Counts what is read of a log.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Around for Counting {
    fn read(&self, page: &Page) {
        self.0.fetch_add(page.entries.len(), Ordering::SeqCst);
    }
}

#[tokio::test]
async fn a_bounded_strategy_reads_the_same_of_a_long_log_as_of_a_short_one() {
    let contexts = [Context::LastTurns { turns: 2 }, Context::Summary { at_tokens: 400 }];
    for context in contexts {
        let mut most = 0;
        let script = json!([
            {"when": {"text": "Sum up"}, "reply": [says("they said go, and it looked")]},
            {"when": {"step": 1}, "reply": [calls("look"), calls("look"), calls("pay"), calls("send")]},
            {"reply": [says("done")]},
        ]);
        let mut bench = Bench::new(&script, &with(context.clone())).await;
        let counting = std::sync::Arc::new(Wrapped { log: bench.log.clone(), around: Counting::default() });
        bench.brain.log = counting.clone();
        for turn in 0..40 {
            bench.say(&format!("go {turn}")).await;
            counting.around.0.store(0, Ordering::SeqCst);
            bench.wake().await;
            most = most.max(counting.around.0.load(Ordering::SeqCst));
        }
        let whole = bench.entries().await.len();
        assert!(whole > 900 && most < 700, "{context:?} reads {most} of {whole}");
        assert!(bench.kinds().await.iter().filter(|kind| *kind == "handbox.checkpoint").count() >= 3);
    }
}

#[tokio::test]
async fn at_any_place_there_is_a_request_that_a_provider_would_take() {
    let bench = talked(Context::Everything, 2).await;
    let entries = bench.entries().await;
    for entry in entries.iter().skip(4) {
        let request = remade(&bench, entry.seq).await;
        if request.messages.last().is_some_and(|last| last.role == handbox_brain::model::Role::User) {
            check(&request);
        }
    }
    let nothing = Material { entries: Vec::new(), blobs: HashMap::new() };
    assert!(request_at(&nothing, &runs(), Seq::FIRST).messages.is_empty());
    let _: fn(&[handbox_session::Entry], &HashMap<handbox_session::Hash, Vec<u8>>) -> context::Transcript =
        context::transcript;
}

#[tokio::test]
async fn a_turn_that_stopped_at_its_limit_is_a_turn() {
    let mut runs = with(Context::LastTurns { turns: 2 });
    runs.limits.turn.tokens = Some(1);
    let script = json!([{"reply": [calls("look"), calls("look")]}]);
    let mut bench = Bench::new(&script, &runs).await;
    let counting = std::sync::Arc::new(Wrapped { log: bench.log.clone(), around: Counting::default() });
    bench.brain.log = counting.clone();
    let mut most = 0;
    for turn in 0..60 {
        bench.say(&format!("go {turn}.")).await;
        counting.around.0.store(0, Ordering::SeqCst);
        assert_eq!(bench.wake().await.stop_reason, Some(StopReason::BudgetReached));
        most = most.max(counting.around.0.load(Ordering::SeqCst));
    }
    let last = bench.model.requests.lock().unwrap().last().unwrap().clone();
    assert!(text(&last).contains("go 58.") && !text(&last).contains("go 57."), "{}", text(&last));
    let whole = bench.entries().await.len();
    assert!(whole > 900 && most < 700, "{most} of {whole}");
    let requests = bench.model.requests.lock().unwrap().clone();
    for (request, place) in requests.iter().zip(starts(&bench).await) {
        assert_eq!(text(request), text(&remade(&bench, place).await), "at {place}");
    }
}

#[tokio::test]
async fn what_shows_nothing_is_no_question() {
    for (kind, members) in [
        ("user.message", json!({"content": []})),
        ("user.message", json!({"content": [{"type": "redacted"}]})),
        ("user.of_a_later_time", json!({})),
        ("user.define_outcome", json!({"description": "d", "rubric": {"type": "text", "content": "r"}})),
    ] {
        let bench = Bench::new(&script(), &runs()).await;
        for spoken in [false, true] {
            if spoken {
                bench.say("go").await;
                assert_eq!(bench.wake().await.stop_reason, Some(StopReason::EndTurn));
            }
            let asked = bench.model.requests.lock().unwrap().len();
            bench.client(kind, members.clone()).await;
            let rest = bench.wake().await;
            assert!(matches!(rest.stop_reason, None | Some(StopReason::EndTurn)), "{kind}: {rest:?}");
            assert_eq!(bench.model.requests.lock().unwrap().len(), asked, "{kind}");
        }
    }
}

/// A client that says something right before each request of a brain, so many times.
struct Chatty {
    bench: std::sync::Mutex<Option<std::sync::Arc<Bench>>>,
    left: AtomicUsize,
    read: Counting,
}

#[async_trait::async_trait]
impl Around for Chatty {
    async fn before_append(&self, batches: &[handbox_session::Batch]) -> Result<(), handbox_session::LogError> {
        let last = batches[0].events.last().map(|event| event.kind().to_string());
        let bench = self.bench.lock().unwrap().clone();
        if last.as_deref() == Some("span.model_request_start")
            && let Some(bench) = bench
            && self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        {
            bench.say("one more thing").await;
        }
        Ok(())
    }
    fn read(&self, page: &Page) {
        self.read.read(page);
    }
}

#[tokio::test]
async fn a_client_that_is_always_faster_is_answered_all_the_same_and_costs_no_more_than_it_says() {
    let script = json!([{"when": {"step": 1}, "reply": [calls("look"), calls("look")]}, {"reply": [says("done")]}]);
    let bench = Bench::new(&script, &runs()).await;
    for turn in 0..40 {
        bench.say(&format!("go {turn}")).await;
        bench.wake().await;
    }
    let log = bench.log.clone();
    let whole = bench.entries().await.len();
    let asked = bench.model.requests.lock().unwrap().len();
    let bench = std::sync::Arc::new(bench);
    let around = Chatty { bench: std::sync::Mutex::default(), left: AtomicUsize::new(40), read: Counting::default() };
    let chatty = std::sync::Arc::new(Wrapped { log, around });
    *chatty.around.bench.lock().unwrap() = Some(bench.clone());
    let mut brain = bench.brain.clone();
    brain.log = chatty.clone();
    bench.say("go on").await;
    let rest = brain.wake(bench.session).await.unwrap();
    assert_eq!(rest.stop_reason, Some(StopReason::EndTurn));
    let requests = bench.model.requests.lock().unwrap().clone();
    assert!(requests.len() > asked + 8, "{} requests in spite of 40 messages", requests.len() - asked);
    let read = chatty.around.read.0.load(Ordering::SeqCst);
    assert!(read < 3 * whole, "{read} events read of a log that had {whole}");
    for (request, place) in requests.iter().zip(starts(&bench).await) {
        assert_eq!(text(request), text(&remade(&bench, place).await), "at {place}");
    }
    *chatty.around.bench.lock().unwrap() = None;
}

/// Blobs of which none is there any more.
struct Gone;

#[async_trait]
impl Blobs for Gone {
    async fn put(&self, _: Vec<u8>) -> Result<handbox_session::Hash, handbox_session::LogError> {
        Err(handbox_session::LogError::Refused("none is kept".to_owned()))
    }
    async fn get(&self, _: handbox_session::Hash) -> Result<Option<Vec<u8>>, handbox_session::LogError> {
        Ok(None)
    }
}

/// Left out, the model would be shown a conversation that never was.
#[tokio::test]
async fn a_reply_whose_content_is_gone_is_damage() {
    let long = "x".repeat(20_000);
    let bench = Bench::new(&json!([{"reply": [says(&long)]}]), &runs()).await;
    bench.say("go").await;
    bench.wake().await;
    let head = bench.fold().await.through().unwrap();
    let there = read(&bench.log, &bench.log, bench.session, &Context::Everything, head).await.unwrap();
    assert!(text(&request_at(&there, &runs(), head)).contains(&long));
    let gone = read(&bench.log, &Gone, bench.session, &Context::Everything, head).await;
    let Err(handbox_session::LogError::Damaged(damage)) = gone else { panic!("it is read all the same") };
    assert!(damage.to_string().contains("is not there"), "{damage}");
}
