//! What a hand keeps lives on in another process, or the model is told that it is gone.

use super::bench::{Gate, NoPoints, Points};
use super::counters::{Pair, counts, peeking};
use super::wrapped::{Around, Wrapped};
use async_trait::async_trait;
use handbox_brain::{Policy, RunsWith, STATE_BYTES_MAX, ToolSpec};
use handbox_hand::{HandError, Limit, LimitHit, ToolFault};
use handbox_session::fold::{SessionChanged, bodies::Body};
use handbox_session::memory::MemoryLog;
use handbox_session::{Batch, Event, LogError, NewSession, Seq, SessionId, SessionLog};
use serde_json::{Value, json};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const KEPT: &str = "handbox.hand_kept";

fn keeping() -> RunsWith {
    let mut runs = counts(Policy::AlwaysAllow);
    runs.tools.push(ToolSpec::of_hand("test", &peeking(), Policy::AlwaysAllow));
    runs
}

async fn pair_at(points: Arc<dyn Points>) -> Pair {
    let pair = Pair::of(points, &keeping(), &keeping()).await;
    pair.hands.keeps.store(true, SeqCst);
    pair
}

async fn pair() -> Pair {
    pair_at(Arc::new(NoPoints)).await
}

/// What the log says that the giver's hand keeps, each time that it says so.
async fn states(pair: &mut Pair) -> Vec<Value> {
    let giver = pair.giver;
    pair.all(giver, KEPT).await.into_iter().map(|kept| kept["state"].clone()).collect()
}

fn state(text: &str) -> Value {
    json!(blake3::hash(text.as_bytes()).to_hex().as_str())
}

#[derive(Default)]
struct Seen(Mutex<Vec<Vec<Event>>>);

#[async_trait]
impl Around for Arc<Seen> {
    async fn before_append(&self, batches: &[Batch]) -> Result<(), LogError> {
        self.0.lock().unwrap().extend(batches.iter().map(|batch| batch.events.clone()));
        Ok(())
    }
}

#[tokio::test]
async fn what_a_hand_keeps_is_written_with_the_outcome_of_the_call_that_changed_it() {
    let mut pair = pair().await;
    let (giver, seen) = (pair.giver, Arc::new(Seen::default()));
    pair.bench.brain.log = Arc::new(Wrapped { log: pair.bench.log.clone(), around: seen.clone() });
    assert_eq!(pair.count(giver).await, "1");
    let appends = std::mem::take(&mut *seen.0.lock().unwrap());
    let with: Vec<Vec<&str>> = appends
        .iter()
        .map(|events| events.iter().map(|event| event.kind().as_str()).collect::<Vec<_>>())
        .filter(|kinds| kinds.contains(&KEPT))
        .collect();
    assert_eq!(with, [["handbox.call_ended", "agent.tool_result", KEPT]]);
    let kept = pair.all(giver, KEPT).await;
    assert_eq!(kept[0]["state"], state("0 1"));
    assert_eq!((&kept[0]["hand"], &kept[0]["incarnation"], &kept[0]["runs"]), (&json!("test"), &json!(1), &json!(1)));
}

#[tokio::test]
async fn another_process_goes_on_where_the_one_before_ended() {
    let mut pair = pair().await;
    let giver = pair.giver;
    assert_eq!((pair.count(giver).await, pair.count(giver).await), ("1".into(), "2".into()));
    pair.hands.die();
    assert_eq!(pair.count(giver).await, "restored 3");
    assert_eq!(pair.count(giver).await, "4", "once it lives it is not made again");
    let made = pair.all(giver, "handbox.hand_provisioned").await;
    let made: Vec<_> = made.iter().map(|made| (made["incarnation"].clone(), made["reason"].clone())).collect();
    assert_eq!(made, [(json!(1), json!("first_call")), (json!(2), json!("restored"))]);
}

#[tokio::test]
async fn a_fork_goes_on_from_where_it_was_forked() {
    let mut pair = pair().await;
    let giver = pair.giver;
    pair.count(giver).await;
    let at = pair.bench.log.record(giver).await.unwrap().head;
    pair.count(giver).await;
    let fork = SessionId::at(3, [4; 10]);
    pair.bench.log.create(NewSession::fork(fork, giver, at)).await.unwrap();
    assert_eq!((pair.count(fork).await, pair.count(giver).await), ("restored 2".into(), "3".into()));
}

#[tokio::test]
async fn what_did_not_change_is_not_said_again_and_tools_that_keep_nothing_cost_nothing() {
    let mut pair = pair().await;
    let giver = pair.giver;
    assert_eq!(pair.call(giver, "peek").await, "sees 0");
    assert_eq!((states(&mut pair).await.len(), pair.hands.asked.load(SeqCst)), (0, 0));
    pair.hands.die();
    assert_eq!(pair.call(giver, "peek").await, "sees 0", "a hand that kept nothing begins anew without a word");
    pair.count(giver).await;
    pair.call(giver, "peek").await;
    assert_eq!((states(&mut pair).await, pair.hands.asked.load(SeqCst)), (vec![state("1 1")], 1));
    *pair.hands.fails.lock().unwrap() = Some(HandError::Input("not like this".into()));
    pair.count(giver).await;
    assert_eq!(pair.hands.asked.load(SeqCst), 1, "a call that did not run changes nothing");
    pair.hands.rewind(giver, 1);
    pair.count(giver).await;
    pair.hands.rewind(giver, 1);
    pair.count(giver).await;
    assert_eq!(states(&mut pair).await, [state("1 1"), state("1 2")]);
}

#[tokio::test]
async fn a_call_that_failed_or_ran_into_a_limit_leaves_what_it_changed() {
    let mut pair = pair().await;
    let giver = pair.giver;
    let limit = HandError::Limit(LimitHit { limit: Limit::Time, allowed: "1 s".into() });
    for (error, counted) in [(HandError::Tool(ToolFault::Failed("no".into())), 1), (limit, 3)] {
        *pair.hands.fails.lock().unwrap() = Some(error);
        pair.count(giver).await;
        pair.hands.die();
        assert_eq!(pair.count(giver).await, format!("restored {}", counted + 1));
    }
}

#[tokio::test]
async fn what_cannot_be_saved_is_said_once_and_told_when_it_is_gone() {
    for heavy in [false, true] {
        let mut pair = pair().await;
        let giver = pair.giver;
        pair.count(giver).await;
        pair.hands.mute.store(!heavy, SeqCst);
        pair.hands.heavy.store(if heavy { STATE_BYTES_MAX } else { 0 }, SeqCst);
        assert_eq!((pair.count(giver).await, pair.count(giver).await), ("2".into(), "3".into()), "no call fails");
        assert_eq!(states(&mut pair).await, [state("0 1"), Value::Null], "what was saved before is not it");
        pair.hands.die();
        assert_eq!((pair.count(giver).await, pair.count(giver).await), ("lost 1".into(), "2".into()));
        pair.hands.mute.store(false, SeqCst);
        pair.hands.heavy.store(0, SeqCst);
        pair.count(giver).await;
        pair.hands.die();
        assert_eq!(pair.count(giver).await, "restored 4");
    }
}

#[tokio::test]
async fn a_hand_that_takes_too_long_to_say_what_it_keeps_holds_nobody_up() {
    let mut pair = pair_at(Gate::at_point("save")).await;
    let giver = pair.giver;
    pair.bench.brain.settings.save = Duration::from_millis(20);
    assert_eq!(pair.count(giver).await, "1");
    assert_eq!(states(&mut pair).await, [Value::Null]);
}

#[tokio::test]
async fn a_hand_that_died_within_a_call_is_followed_by_one_that_is_as_before_that_call() {
    let mut pair = pair().await;
    let giver = pair.giver;
    pair.count(giver).await;
    *pair.hands.fails.lock().unwrap() = Some(HandError::Broken("unreachable".into()));
    pair.count(giver).await;
    assert_eq!((states(&mut pair).await.len(), pair.count(giver).await), (1, "restored 2".into()));

    let receiver = pair.receiver;
    *pair.hands.fails.lock().unwrap() = Some(HandError::Gone("killed".into()));
    pair.count(receiver).await;
    assert_eq!(pair.count(receiver).await, "lost 1", "of its first call nothing is known");
}

#[tokio::test]
async fn what_a_call_did_until_it_was_cut_off_is_kept() {
    let gate = Gate::at_point("effect done");
    let mut pair = pair_at(gate.clone()).await;
    let (giver, brain) = (pair.giver, pair.bench.brain.clone());
    pair.bench.say("count").await;
    let woken = tokio::spawn(async move { brain.wake(giver).await });
    gate.reached().await;
    pair.bench.interrupt().await;
    tokio::time::timeout(Duration::from_secs(10), woken).await.unwrap().unwrap().unwrap();
    assert_eq!(states(&mut pair).await, [state("0 1")]);
    pair.hands.die();
    gate.open();
    // The script's first reply after an interrupt goes to what was interrupted.
    assert!(pair.count(giver).await.contains("interrupted"));
    assert_eq!(pair.count(giver).await, "restored 2");
}

#[tokio::test]
async fn a_state_that_is_not_there_is_told_as_lost() {
    let mut pair = pair().await;
    let giver = pair.giver;
    pair.count(giver).await;
    pair.hands.die();
    pair.bench.brain.blobs = Arc::new(MemoryLog::new(Instant::now));
    assert_eq!(pair.count(giver).await, "lost 1");
}

/// Values of its environment may be in it that the session has no longer, and others are not that it has now.
#[tokio::test]
async fn a_hand_with_other_grants_does_not_begin_with_what_one_kept() {
    for (grants, answer) in [(json!({"env": []}), "lost 1"), (Value::Null, "restored 2")] {
        let mut pair = pair().await;
        let giver = pair.giver;
        pair.count(giver).await;
        let runs = RunsWith { grants, system: Some("Anew.".to_owned()), ..keeping() };
        let changed = SessionChanged(runs.created(None, Default::default())).members().unwrap();
        pair.bench.session = giver;
        pair.bench.client("handbox.session_changed", Value::Object(changed)).await;
        pair.hands.die();
        assert_eq!(pair.count(giver).await, answer);
        let kept = pair.all(giver, KEPT).await;
        assert!(kept[1]["runs"].as_u64().unwrap() > Seq::FIRST.get(), "from here on it is of these");
        pair.hands.die();
        assert!(pair.count(giver).await.starts_with("restored "));
    }
}

#[tokio::test]
async fn a_hand_that_was_passed_keeps_its_state_before_its_first_call_ended() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    pair.count(receiver).await;
    pair.count(receiver).await;
    pair.pass(giver, receiver).await.unwrap();
    assert_eq!(pair.call(receiver, "peek").await, "sees 1", "what its own kept is given up");
    pair.hands.die();
    assert_eq!(pair.count(receiver).await, "restored 2");
    assert!(pair.count(giver).await.contains("passed on"));
}
