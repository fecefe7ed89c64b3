//! Beginning, describing, listing and removing sessions.

use super::Factory;
use super::bench::{Bench, assert_refused, batch, seq};
use crate::{LogError, NewSession, Seq, Slice, genesis, kinds};
use std::time::Duration;

/// Without an event there is no session, and none takes another's id.
pub async fn a_session_begins_with_an_event_and_an_id_of_its_own(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let id = bench.session_id();
    assert_refused(bench.log().create(NewSession::own(id, Vec::new())).await);
    assert_eq!(bench.log().record(id).await, Err(LogError::NoSession(id)));
    let events = bench.messages(2);
    let record = bench.log().create(NewSession::own(id, events.clone())).await.expect("the id was not taken");
    assert_eq!(record, bench.record(id).await, "what is created is what is there");
    assert_refused(bench.log().create(NewSession::own(id, bench.messages(1))).await);
    assert_refused(bench.log().create(NewSession::fork(id, id, seq(1))).await);
    assert_eq!(bench.all(id).await, events);
}

/// Whatever is asked of a session that does not exist, it is named.
pub async fn a_session_that_is_not_there_is_named_in_the_error(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let id = bench.session_id();
    let missing = LogError::NoSession(id);
    let log = bench.log();
    assert_eq!(bench.put(batch(id, bench.messages(1))).await, Err(missing.clone()));
    assert_eq!(log.read(id, Slice::default()).await, Err(missing.clone()));
    assert_eq!(log.find(id, bench.event_id()).await, Err(missing.clone()));
    assert_eq!(log.tail(id, None).await.err(), Some(missing.clone()));
    assert_eq!(log.record(id).await, Err(missing.clone()));
    assert_eq!(log.remove(id).await, Err(missing.clone()));
    assert_eq!(log.claim(id, "brain", Duration::from_secs(9)).await, Err(missing.clone()));
    let fork = NewSession::fork(bench.session_id(), id, seq(1));
    assert_eq!(log.create(fork).await, Err(missing));
    log.preview(id, crate::Preview("{}".to_owned()));
}

/// Head, last event, checkpoint and compaction are those of the events.
pub async fn a_record_says_what_the_events_say(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let (mut checkpoint, mut compaction) = (None, None);
    let steps = [
        kinds::USER_MESSAGE,
        kinds::HANDBOX_CHECKPOINT,
        kinds::AGENT_THREAD_CONTEXT_COMPACTED,
        kinds::AGENT_MESSAGE,
        kinds::HANDBOX_CHECKPOINT,
        kinds::HANDBOX_CHECKPOINT,
        kinds::AGENT_MESSAGE,
    ];
    for kind in steps {
        // The one that counts is neither the first nor the last of its batch.
        let events = vec![bench.message(), bench.event(&kind, "content", "x"), bench.message()];
        let last = events[2].id();
        let places = bench.append(session, events).await;
        let place = places.first.plus(1);
        checkpoint = if kind == kinds::HANDBOX_CHECKPOINT { Some(place) } else { checkpoint };
        compaction = if kind == kinds::AGENT_THREAD_CONTEXT_COMPACTED { Some(place) } else { compaction };
        let record = bench.record(session).await;
        assert_eq!((record.id, record.lineage.len(), record.holder), (session, 0, None));
        assert_eq!((record.head, record.last), (places.last, last));
        assert_eq!((record.checkpoint, record.compaction), (checkpoint, compaction), "after {kind}");
    }
    let before = bench.record(session).await;
    if bench.subject.reopen().await {
        assert_eq!(bench.record(session).await, before);
    }
}

/// The hash is the genesis and every event's bytes at its place, and nothing else.
pub async fn the_hash_of_a_record_is_the_chain_of_its_events(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let events = bench.messages(1);
    let (one, two) = (bench.begin_with(events.clone()).await, bench.begin_with(events).await);
    assert_ne!(bench.record(one).await.hash, bench.record(two).await.hash, "the session is part of it");
    for count in 1..4 {
        bench.append(one, bench.messages(count)).await;
        assert_eq!(bench.record(one).await.hash, bench.chained(one, genesis(one, None), 0).await);
    }
}

/// Newest first, page by page, without a removed one.
pub async fn sessions_are_listed_from_the_newest_on(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    assert_eq!(bench.log().sessions(None, 10).await, Ok(Vec::new()));
    let mut ids = Vec::new();
    for _ in 0..6 {
        ids.push(bench.session_id());
    }
    // The order of ids counts, not that of creation.
    for index in [3, 0, 5, 1, 4, 2] {
        let new = NewSession::own(ids[index], bench.messages(1));
        bench.log().create(new).await.expect("a fresh session");
    }
    ids.push(bench.fork(ids[2], 1).await);
    bench.log().remove(ids.remove(4)).await.expect("nobody holds it");
    ids.reverse();
    for limit in [1, 2, 3, 100, usize::MAX] {
        let mut listed = Vec::new();
        let mut before = None;
        loop {
            let page = bench.log().sessions(before, limit).await.expect("sessions are listed");
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            listed.extend(page);
        }
        assert_eq!(listed.iter().map(|record| record.id).collect::<Vec<_>>(), ids, "in pages of {limit}");
        for record in listed {
            assert_eq!(record, bench.record(record.id).await);
        }
    }
    assert_eq!(bench.log().sessions(None, 0).await, Ok(Vec::new()));
    let between = bench.log().sessions(Some(bench.session_id()), 1).await.expect("sessions are listed");
    assert_eq!(between[0].id, ids[0], "what a page is before need not be there");
}

/// A removed session is not there for anything, also after a reopen; its id can be taken again.
pub async fn a_removed_session_is_gone(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let (session, other) = (bench.begin(3).await, bench.begin(2).await);
    bench.log().remove(session).await.expect("nobody holds it");
    for _ in 0..2 {
        assert_eq!(bench.log().record(session).await, Err(LogError::NoSession(session)));
        assert_eq!(bench.log().read(session, Slice::default()).await, Err(LogError::NoSession(session)));
        assert_eq!(bench.log().remove(session).await, Err(LogError::NoSession(session)));
        assert_eq!(bench.head(other).await, 2);
        if !bench.subject.reopen().await {
            break;
        }
    }
    let events = bench.messages(1);
    let again = bench.log().create(NewSession::own(session, events.clone())).await.expect("the id is free");
    assert_eq!(again.head, Seq::FIRST);
    assert_eq!(bench.all(session).await, events, "nothing of the removed one is left");
}
