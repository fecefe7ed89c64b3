//! A hand goes from one session to another.

use super::bench::{NoPoints, runs};
use super::counters::{Pair, counts};
use super::wrapped::{Around, Wrapped};
use async_trait::async_trait;
use handbox_brain::{NoHands, PassError, Policy, Pool, RunsWith, STATE_BYTES_MAX, WakeError};
use handbox_session::fold::{Passed, SessionChanged, StopReason, bodies::Body};
use handbox_session::memory::MemoryLog;
use handbox_session::{Batch, Event, EventId, LogError, SessionId, SessionLog, Writer};
use serde_json::json;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Keeps what is appended, and writes something itself before the first append of two batches.
#[derive(Default)]
struct Seen {
    appends: Mutex<Vec<Vec<Batch>>>,
    meddles: Mutex<Option<(MemoryLog, Batch)>>,
}

#[async_trait]
impl Around for Arc<Seen> {
    async fn before_append(&self, batches: &[Batch]) -> Result<(), LogError> {
        self.appends.lock().unwrap().push(batches.to_vec());
        let meddles = if batches.len() == 2 { self.meddles.lock().unwrap().take() } else { None };
        if let Some((log, batch)) = meddles {
            log.append(vec![batch]).await?;
        }
        Ok(())
    }
}

async fn pair() -> Pair {
    Pair::new(Arc::new(NoPoints)).await
}

fn watched(pair: &mut Pair) -> Arc<Seen> {
    let seen = Arc::new(Seen::default());
    pair.bench.brain.log = Arc::new(Wrapped { log: pair.bench.log.clone(), around: seen.clone() });
    seen
}

/// What has to be done first.
fn refused(passed: Result<(), PassError>) -> String {
    match passed {
        Err(PassError::Refused(what)) => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_hand_goes_with_what_it_keeps_and_comes_back() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    assert_eq!((pair.count(giver).await, pair.count(giver).await), ("1".into(), "2".into()));
    let seen = watched(&mut pair);
    pair.pass(giver, receiver).await.unwrap();

    let appends = std::mem::take(&mut *seen.appends.lock().unwrap());
    let of: Vec<Vec<(SessionId, bool)>> = appends
        .iter()
        .map(|batches| batches.iter().map(|batch| (batch.session, batch.after.is_some())).collect())
        .collect();
    assert_eq!(of, [[(giver, true), (receiver, true)]], "one append, of both, where they are as they were");
    let said = pair.all(giver, "handbox.hand_passed").await;
    let heard = pair.all(receiver, "handbox.hand_passed").await;
    assert_eq!((said[0]["to"].clone(), heard[0]["from"].clone()), (json!(receiver), json!(giver)));
    for one in [&said[0], &heard[0]] {
        assert_eq!((&one["hand"], &one["bundle"], &one["incarnation"]), (&json!("test"), &json!("digest"), &json!(1)));
        assert_eq!(one["state"], blake3::hash(b"0 2").to_hex().as_str());
    }
    assert!(!pair.hands.lives_of(giver), "nobody uses it there any more");

    let told = pair.count(giver).await;
    assert!(told.contains(&format!("passed on to session {receiver}")), "{told}");
    assert_eq!(pair.count(receiver).await, "3");
    assert_eq!(pair.all(giver, "handbox.hand_provisioned").await.len(), 1, "none is made ready there");
    assert!(pair.all(giver, "session.error").await.is_empty(), "which is no mistake of anybody's");
    assert_eq!(pair.all(giver, "agent.tool_result").await[2]["handbox"]["why"], "passed_on");
    assert_eq!(pair.all(receiver, "handbox.hand_provisioned").await[0]["reason"], "passed");

    pair.pass(receiver, giver).await.unwrap();
    assert_eq!((pair.count(giver).await, pair.count(giver).await), ("4".into(), "5".into()));
    assert!(pair.count(receiver).await.contains("passed on to session"));
    assert_eq!(pair.fold(giver).await.hands["test"], 2);
}

#[tokio::test]
async fn a_hand_that_came_goes_on_as_it_came_and_takes_the_place_of_another() {
    let mut pair = pair().await;
    let (giver, receiver, third) = (pair.giver, pair.receiver, pair.third);
    pair.count(giver).await;
    assert_eq!((pair.count(third).await, pair.count(third).await), ("1".into(), "2".into()));
    pair.pass(giver, receiver).await.unwrap();
    pair.pass(receiver, third).await.unwrap();
    assert!(!pair.hands.lives_of(third), "what its own hand kept is given up");
    assert!(pair.count(receiver).await.contains(&format!("passed on to session {third}")));
    assert_eq!((pair.count(third).await, pair.count(third).await), ("2".into(), "3".into()));
    assert_eq!(pair.all(receiver, "handbox.hand_passed").await[1]["incarnation"], 0);
}

#[tokio::test]
async fn nobody_is_asked_whether_a_call_may_run_whose_hand_is_gone() {
    let asks = counts(Policy::AlwaysAsk);
    let mut pair = Pair::of(Arc::new(NoPoints), &asks, &counts(Policy::AlwaysAllow)).await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.bench.say("count").await;
    let rest = pair.bench.wake().await;
    let open = refused(pair.pass(giver, receiver).await);
    assert!(open.contains("open call") && open.contains(&rest.waiting[0].id.to_string()), "{open}");
    pair.bench.confirm(rest.waiting[0].id, "allow").await;
    pair.bench.wake().await;
    pair.pass(giver, receiver).await.unwrap();
    assert!(pair.count(giver).await.contains("passed on to session"));
    assert_eq!(pair.fold(giver).await.stop_reason, Some(StopReason::EndTurn));
}

#[tokio::test]
async fn what_cannot_be_passed_is_refused_with_what_to_do_first() {
    let mut other = counts(Policy::AlwaysAllow);
    other.bundles.insert("test".to_owned(), "another".to_owned());
    let mut toolless = counts(Policy::AlwaysAllow);
    toolless.tools.clear();
    for (runs, says) in [(other, "has another of that name"), (toolless, "none of its tools"), (runs(), "no bundle")] {
        let mut pair = Pair::of(Arc::new(NoPoints), &counts(Policy::AlwaysAllow), &runs).await;
        let (giver, receiver) = (pair.giver, pair.receiver);
        assert!(refused(pair.pass(giver, receiver).await).contains("was not used"));
        pair.count(giver).await;
        let what = refused(pair.pass(giver, receiver).await);
        assert!(what.contains(says) && what.contains("the same bundle under the same name"), "{what}");
        assert!(refused(pair.pass(giver, giver).await).contains("name another"));
        let unknown = refused(pair.bench.brain.pass_hand(giver, receiver, "none").await);
        assert!(unknown.contains("its hands are: test"), "{unknown}");
        let none = pair.pass(giver, SessionId::at(9, [9; 10])).await;
        assert!(matches!(none, Err(PassError::Session(WakeError::NoSession(_)))), "{none:?}");
        // Nothing was written, and neither session is held.
        assert!(pair.fold(giver).await.passed.is_empty() && pair.fold(receiver).await.passed.is_empty());
        assert_eq!(pair.count(giver).await, "2");
    }
    let mut pair = pair().await;
    let (giver, receiver, third) = (pair.giver, pair.receiver, pair.third);
    pair.count(giver).await;
    pair.pass(giver, receiver).await.unwrap();
    let again = refused(pair.pass(giver, third).await);
    assert!(again.contains(&format!("passed on to session {receiver}; pass it on from there")), "{again}");
    pair.bench.session = third;
    pair.bench.client("session.status_terminated", json!({})).await;
    assert!(refused(pair.pass(receiver, third).await).contains("ended for good"));
}

#[tokio::test]
async fn a_session_that_a_brain_is_at_work_on_is_named_and_the_other_is_free() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    for held in [giver, receiver] {
        let lease = pair.bench.log.claim(held, "somebody", Duration::from_secs(9)).await.unwrap();
        match pair.pass(giver, receiver).await {
            Err(PassError::Session(WakeError::Held { session, .. })) => assert_eq!(session, held),
            other => panic!("{other:?}"),
        }
        let free = if held == giver { receiver } else { giver };
        assert_eq!(pair.bench.log.record(free).await.unwrap().holder, None);
        pair.bench.log.release(&lease).await.unwrap();
    }
    assert_eq!(pair.count(giver).await, "2");
}

#[tokio::test]
async fn of_many_who_pass_hands_at_once_at_least_one_gets_on() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    pair.count(receiver).await;
    let there_and_back = (0..8).map(|number| {
        let ends = if number % 2 == 0 { (giver, receiver) } else { (receiver, giver) };
        let brain = pair.bench.brain.clone();
        tokio::spawn(async move { brain.pass_hand(ends.0, ends.1, "test").await })
    });
    let mut passed = 0;
    for one in there_and_back.collect::<Vec<_>>() {
        match tokio::time::timeout(Duration::from_secs(10), one).await.unwrap().unwrap() {
            Ok(()) => passed += 1,
            Err(PassError::Session(WakeError::Held { .. }) | PassError::Refused(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    let of = [pair.fold(giver).await, pair.fold(receiver).await];
    assert_eq!(of.iter().filter(|fold| fold.passed_on("test").is_some()).count(), 1);
    assert!(passed >= 1);
}

#[tokio::test]
async fn in_a_pool_a_hand_is_passed_between_two_turns() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    let pool = Arc::new(Pool::new(1));
    let mut works = Vec::new();
    for number in 0..24 {
        let (pool, brain) = (Arc::clone(&pool), pair.bench.brain.clone());
        let (from, to) = if number % 4 == 1 { (giver, receiver) } else { (receiver, giver) };
        works.push(tokio::spawn(async move {
            if number % 2 == 0 {
                brain.say(from, "count").await.unwrap();
                return pool.wake(&brain, from).await.map(drop).map_err(PassError::from);
            }
            match pool.pass_hand(&brain, from, to, "test").await {
                // Then it was there already.
                Err(PassError::Refused(what)) => assert!(what.contains("pass it on from there"), "{what}"),
                other => other?,
            }
            pool.pass_hand(&brain, from, from, "test").await.unwrap_err();
            Ok(())
        }));
    }
    for work in works {
        tokio::time::timeout(Duration::from_secs(10), work).await.unwrap().unwrap().unwrap();
    }
    assert!(pair.all(giver, "handbox.hand_passed").await.len() > 1);
}

#[tokio::test]
async fn a_hand_that_does_not_give_its_state_stays() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    pair.hands.heavy.store(STATE_BYTES_MAX, Ordering::SeqCst);
    let heavy = pair.pass(giver, receiver).await.unwrap_err().to_string();
    assert!(heavy.contains("the most is 16777216"), "{heavy}");
    pair.hands.heavy.store(STATE_BYTES_MAX - 3, Ordering::SeqCst);
    let mut brain = pair.bench.brain.clone();
    brain.hands = Arc::new(NoHands);
    let keeps = brain.pass_hand(giver, receiver, "test").await.unwrap_err().to_string();
    assert!(keeps.contains("keeps no state that can be passed on"), "{keeps}");
    assert_eq!(pair.count(giver).await, "2");
    pair.pass(giver, receiver).await.unwrap();
    assert_eq!(pair.count(receiver).await, "3");
    pair.hands.die();
    assert!(matches!(pair.pass(receiver, giver).await, Err(PassError::Hand { session, .. }) if session == receiver));
    assert!(pair.fold(receiver).await.passed.is_empty());
}

#[tokio::test]
async fn a_hand_is_not_used_without_the_state_that_it_came_with() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    pair.pass(giver, receiver).await.unwrap();
    pair.pass(receiver, giver).await.unwrap();
    pair.pass(giver, receiver).await.unwrap();
    let blobs = std::mem::replace(&mut pair.bench.brain.blobs, Arc::new(MemoryLog::new(Instant::now)));
    let lost = pair.count(receiver).await;
    assert!(lost.contains("could not be made ready"), "{lost}");
    pair.bench.brain.blobs = blobs;
    assert!(matches!(pair.fold(receiver).await.passed["test"], Passed::Here { from, .. } if from == giver));
    assert_eq!(pair.count(receiver).await, "2");
}

#[tokio::test]
async fn a_hand_that_is_given_as_it_was_in_place_of_one_with_the_state_is_not_used() {
    let mut pair = pair().await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    pair.count(receiver).await;
    pair.hands.forgets.store(true, Ordering::SeqCst);
    pair.pass(giver, receiver).await.unwrap();
    let told = pair.count(receiver).await;
    assert!(told.contains("could not be made ready"), "{told}");
    pair.hands.forgets.store(false, Ordering::SeqCst);
    assert_eq!((pair.count(receiver).await, pair.fold(receiver).await.hands["test"]), ("2".into(), 2));
}

#[tokio::test]
async fn what_others_write_meanwhile_matters_only_if_it_does() {
    let message =
        |pair: &Pair| pair.bench.event("user.message", json!({"content": [{"type": "text", "text": "hello"}]}));
    let changed = |runs: &RunsWith| {
        let body = SessionChanged(runs.created(None, Default::default()));
        body.to_event(EventId::at(1, [7; 10])).unwrap()
    };
    let mut another = counts(Policy::AlwaysAllow);
    another.bundles.insert("test".to_owned(), "another".to_owned());
    for matters in [false, true] {
        let mut pair = pair().await;
        let (giver, receiver) = (pair.giver, pair.receiver);
        pair.count(giver).await;
        let seen = watched(&mut pair);
        let event: Event = if matters { changed(&another) } else { message(&pair) };
        let batch = Batch { session: receiver, writer: Writer::Client, after: None, events: vec![event] };
        *seen.meddles.lock().unwrap() = Some((pair.bench.log.clone(), batch));
        let passed = pair.pass(giver, receiver).await;
        assert_eq!(seen.appends.lock().unwrap().len(), if matters { 1 } else { 2 });
        if matters {
            assert!(refused(passed).contains("has another of that name"));
            assert_eq!(pair.count(giver).await, "2");
        } else {
            passed.unwrap();
            assert_eq!(pair.count(receiver).await, "2");
        }
    }
}
