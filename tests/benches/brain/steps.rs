//! One session: a round of a turn, and an interrupt.

use async_trait::async_trait;
use handbox_brain::context::Context;
use handbox_brain::model::ModelRequest;
use handbox_brain::{Brain, RunsWith};
use handbox_hand::Hand;
use handbox_session::{Event, Lease, Seq, Slice, Writer, kinds};
use handbox_tests::lab::{
    Always, AtOnce, Before, Idle, Rounds, append, begin, brain, event_id, interrupt, runs, share, spread,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;
const TURNS: usize = 30;

/// A round is a request, a reply with a call, the call, its result: four commits, each before anything is built on it.
pub(crate) async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let hand = Arc::new(Idle::new(false));
    let model = Rounds { rounds: ROUNDS, call: ("look", json!({})), before: AtOnce };
    let brain = brain(folder.path(), Arc::new(model), Arc::new(Always(hand.clone())));
    let mut runs = runs(hand.tools());
    runs.context = Context::LastTurns { turns: 1 };
    runs.limits.turn.model_requests = None;
    let session = begin(&brain, &runs).await;
    let reference = begin(&brain, &runs).await;
    let reference = brain.log.claim(reference, "reference", Duration::from_secs(300)).await.expect("a claim");
    let round = one_round(&brain, &runs).await;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let began = Instant::now();
        brain.say(session, "Look around.").await.expect("said");
        brain.wake(session).await.expect("it works");
        let between = Instant::now();
        copy(&brain, &reference, &round).await;
        // The first turns warm what both use.
        if turn >= TURNS / 10 {
            ours.push((between - began) / ROUNDS as u32);
            theirs.push(between.elapsed() / ROUNDS as u32);
        }
    }
    let (ours, theirs) = (share(&mut ours, 0.5), share(&mut theirs, 0.5));
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "steps: a round of a turn takes {:.0} µs, its four appends alone {:.0} µs: {:.2}x, {:.0} µs are the brain's",
        micros(ours),
        micros(theirs),
        micros(ours) / micros(theirs),
        micros(ours) - micros(theirs),
    );
}

/// The events of a round, as a brain wrote them, in the groups in which it writes them.
async fn one_round(brain: &Brain, runs: &RunsWith) -> Vec<Vec<Value>> {
    let session = begin(brain, runs).await;
    brain.say(session, "Look around.").await.expect("said");
    brain.wake(session).await.expect("it works");
    let page = brain.log.read(session, Slice::from(Seq::FIRST)).await.expect("a page");
    let mut groups: Vec<Vec<Value>> = Vec::new();
    let mut requests = 0;
    for entry in page.entries {
        let kind = entry.event.kind();
        requests += usize::from(*kind == kinds::SPAN_MODEL_REQUEST_START);
        // The second round is like all that follow; the first one also begins the turn.
        if requests != 2 {
            continue;
        }
        let intents = [
            kinds::SPAN_MODEL_REQUEST_START,
            kinds::HANDBOX_MODEL_REPLY,
            kinds::HANDBOX_CALL_STARTED,
            kinds::HANDBOX_CALL_ENDED,
        ];
        if intents.contains(kind) {
            groups.push(Vec::new());
        }
        let event = serde_json::from_str(entry.event.json()).expect("JSON");
        groups.last_mut().expect("a round begins with a request").push(event);
    }
    assert_eq!(groups.len(), 4, "a round is four commits");
    groups
}

/// Appends the same bytes in the same groups, and nothing else.
async fn copy(brain: &Brain, lease: &Lease, round: &[Vec<Value>]) {
    for _ in 0..ROUNDS {
        for group in round {
            let events = group.iter().map(|event| {
                let mut event = event.clone();
                event["id"] = json!(event_id());
                Event::from_json(&event.to_string()).expect("an event")
            });
            append(&*brain.log, lease.session, Writer::Brain(lease.epoch), events.collect()).await;
        }
    }
}

/// A model that never answers.
struct Never;

#[async_trait]
impl Before for Never {
    async fn answer(&self, _: &ModelRequest) {
        std::future::pending::<()>().await;
    }
}

/// From the moment at which `user.interrupt` is about to be appended to that at which the session rests.
pub(crate) async fn interrupts() {
    let folder = tempfile::tempdir().expect("a folder");
    let hand: Arc<Idle> = Arc::new(Idle::new(true));
    let model = Rounds { rounds: 1, call: ("look", json!({})), before: Never };
    let asking = brain(folder.path(), Arc::new(model), Arc::new(Always(hand.clone())));
    let model = Rounds { rounds: 1, call: ("look", json!({})), before: AtOnce };
    let calling = Brain { model: Arc::new(model), ..asking.clone() };
    for (name, brain, kind) in [
        ("in the middle of a model request", asking, kinds::SPAN_MODEL_REQUEST_START),
        ("in the middle of a tool", calling, kinds::HANDBOX_CALL_STARTED),
    ] {
        let mut times = Vec::new();
        for _ in 0..60 {
            let session = begin(&brain, &runs(hand.tools())).await;
            brain.say(session, "Look around.").await.expect("said");
            let awake = tokio::spawn({
                let brain = brain.clone();
                async move { brain.wake(session).await }
            });
            let mut tail = brain.log.tail(session, None).await.expect("it is followed");
            loop {
                let followed = tail.next().await.expect("it goes on");
                if matches!(followed, handbox_session::Followed::Event(entry) if *entry.event.kind() == kind) {
                    break;
                }
            }
            // Past the append itself, so that what runs is the request or the tool.
            tokio::time::sleep(Duration::from_millis(3)).await;
            let began = Instant::now();
            interrupt(&*brain.log, session).await;
            awake.await.expect("it does not panic").expect("it rests");
            times.push(began.elapsed());
        }
        println!("interrupt {name}: at rest after {} (goal 100 ms)", spread(&mut times));
    }
}
