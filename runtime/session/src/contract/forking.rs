//! Sessions that share what was before.

use super::Factory;
use super::bench::{Bench, assert_refused, batch, seq};
use crate::{Followed, Fork, LogError, NewSession, Seq, Slice, advance, genesis, kinds};
use std::time::Duration;

/// Both have the same events up to the fork, and places of their own from there.
pub async fn a_fork_shares_what_was_and_goes_on_alone(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let events = bench.messages(5);
    let parent = bench.begin_with(events.clone()).await;
    let child = bench.fork(parent, 3).await;
    assert_eq!(bench.all(child).await, events[..3]);
    let (mine, theirs) = (bench.messages(2), bench.messages(1));
    assert_eq!(bench.append(child, mine.clone()).await.first, seq(4));
    assert_eq!(bench.append(parent, theirs.clone()).await.first, seq(6));
    assert_eq!(bench.all(child).await, [&events[..3], &mine].concat());
    assert_eq!(bench.all(parent).await, [events.clone(), theirs].concat());
    let across = bench.read(child, Slice::last(3)).await;
    assert_eq!(across.entries.iter().map(|entry| entry.seq.get()).collect::<Vec<_>>(), [5, 4, 3]);
    assert_eq!(bench.log().find(child, events[2].id()).await, Ok(Some(seq(3))));
    assert_eq!(bench.log().find(child, events[3].id()).await, Ok(None), "what came after the fork is the parent's");
    assert_eq!(bench.log().find(parent, mine[0].id()).await, Ok(None));

    // A fork may be created with events of its own, and the parent's later ids are free for it.
    let id = bench.session_id();
    let new = NewSession { events: vec![events[4].clone()], ..NewSession::fork(id, parent, seq(1)) };
    assert_eq!(bench.log().create(new).await.map(|record| record.head), Ok(seq(2)));
    assert_eq!(bench.all(id).await, [events[0].clone(), events[4].clone()]);
}

/// The child's first own event is chained to its genesis, which holds parent, place and the parent's hash there.
pub async fn the_hash_of_a_fork_is_chained_to_its_genesis(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let events = bench.messages(3);
    let parent = bench.begin_with(events.clone()).await;
    let child = bench.fork(parent, 2).await;
    let shared = events[..2].iter().zip([seq(1), seq(2)]);
    let hash = shared.fold(genesis(parent, None), |hash, (event, place)| advance(hash, place, event.json()));
    let fork = Fork { session: parent, at: seq(2), hash };
    let record = bench.record(child).await;
    assert_eq!(record.lineage, [fork]);
    assert_eq!(record.hash, genesis(child, Some(&fork)), "without own events");
    bench.append(child, bench.messages(2)).await;
    assert_eq!(bench.record(child).await.hash, bench.chained(child, genesis(child, Some(&fork)), 2).await);
    let twin = bench.fork(parent, 2).await;
    assert_ne!(bench.record(twin).await.hash, record.hash, "two forks at one place differ");
}

/// A lineage holds every session whose events are shared, the oldest first.
pub async fn a_fork_of_a_fork_has_both_in_its_lineage(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let first = bench.begin(3).await;
    let second = bench.fork(first, 2).await;
    bench.append(second, bench.messages(3)).await;
    let third = bench.fork(second, 4).await;
    bench.append(third, bench.messages(1)).await;
    let lineage = bench.record(third).await.lineage;
    assert_eq!(lineage.iter().map(|fork| (fork.session, fork.at.get())).collect::<Vec<_>>(), [(first, 2), (second, 4)]);
    assert_eq!(lineage[..1], bench.record(second).await.lineage);
    let (all, of_second) = (bench.all(third).await, bench.all(second).await);
    assert_eq!(all[..4], of_second[..4]);
    assert_eq!(all.len(), 5);
    let shared = bench.pages(second, Slice { from: Some(seq(3)), to: Some(seq(4)), ..Slice::default() }).await;
    let begin = genesis(second, Some(&lineage[0]));
    let hash = shared.iter().fold(begin, |hash, entry| advance(hash, entry.seq, entry.event.json()));
    assert_eq!(lineage[1].hash, hash);
    assert_eq!(bench.record(third).await.hash, bench.chained(third, genesis(third, Some(&lineage[1])), 4).await);
}

/// What a fork shares belongs to whoever stored it: forking there forks that session.
pub async fn a_fork_within_the_shared_part_is_one_of_the_first_session(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let first = bench.begin(5).await;
    let second = bench.fork(first, 3).await;
    bench.append(second, bench.messages(2)).await;
    for at in [1, 3] {
        let (direct, through) = (bench.fork(first, at).await, bench.fork(second, at).await);
        let lineage = bench.record(through).await.lineage;
        assert_eq!(lineage, bench.record(direct).await.lineage, "at {at}");
        assert_eq!((lineage.len(), lineage[0].session), (1, first));
        assert_eq!(bench.all(through).await, bench.all(direct).await);
        bench.append(through, bench.messages(1)).await;
        assert_eq!(bench.head(through).await, at + 1);
    }
}

/// A fork at the last place has everything, and is none the longer when its parent grows.
pub async fn a_fork_at_the_head_is_its_parent_so_far(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let parent = bench.begin(4).await;
    let child = bench.fork(parent, 4).await;
    let record = bench.record(child).await;
    let of_parent = bench.record(parent).await;
    assert_eq!((record.head, record.last), (of_parent.head, of_parent.last));
    assert_eq!(record.lineage[0].hash, of_parent.hash);
    let grandchild = bench.fork(child, 4).await;
    bench.append(parent, bench.messages(3)).await;
    assert_eq!((bench.head(child).await, bench.head(grandchild).await), (4, 4));
    assert_eq!(bench.append(grandchild, bench.messages(1)).await.last, seq(5));
    assert_eq!((bench.head(parent).await, bench.head(child).await), (7, 4));
}

/// A fork at a place that is not there is refused, and so is one that brings a lineage.
pub async fn a_fork_beyond_the_head_is_refused(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let parent = bench.begin(3).await;
    let id = bench.session_id();
    for at in [4, 5, u64::MAX] {
        assert_refused(bench.log().create(NewSession::fork(id, parent, seq(at))).await);
    }
    let lineage = vec![Fork { session: parent, at: seq(2), hash: bench.record(parent).await.hash }];
    assert_refused(bench.log().create(NewSession { lineage, ..NewSession::fork(id, parent, seq(2)) }).await);
    assert_eq!(bench.log().record(id).await, Err(LogError::NoSession(id)), "nothing is left of what was refused");
    let child = bench.fork(parent, 1).await;
    assert_refused(bench.log().create(NewSession::fork(id, child, seq(2))).await);
}

/// What a fork shares is its own: no id of it comes again.
pub async fn a_fork_refuses_the_ids_of_its_shared_part(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let events = bench.messages(3);
    let parent = bench.begin_with(events.clone()).await;
    let child = bench.fork(parent, 2).await;
    for _ in 0..2 {
        assert_refused(bench.put(batch(child, vec![bench.message(), events[1].clone()])).await);
        let id = bench.session_id();
        let new = NewSession { events: vec![events[0].clone()], ..NewSession::fork(id, child, seq(1)) };
        assert_refused(bench.log().create(new).await);
        if !bench.subject.reopen().await {
            break;
        }
    }
    assert_eq!(bench.append(child, vec![events[2].clone()]).await.last, seq(3));
}

/// Once its parent is removed a fork reads, grows, is forked; and the parent's id stays taken until it goes too.
pub async fn a_fork_outlives_its_parent(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let first = bench.begin(4).await;
    let second = bench.fork(first, 3).await;
    bench.append(second, bench.messages(2)).await;
    let third = bench.fork(second, 4).await;
    let before = (bench.record(second).await, bench.all(second).await, bench.record(third).await);
    for parent in [first, second] {
        if parent == second {
            assert_eq!((bench.record(second).await, bench.all(second).await), (before.0.clone(), before.1.clone()));
        }
        bench.log().remove(parent).await.expect("nobody holds it");
        bench.subject.reopen().await;
        assert_eq!(bench.log().record(parent).await, Err(LogError::NoSession(parent)));
        assert_refused(bench.log().create(NewSession::own(parent, bench.messages(1))).await);
        assert_eq!(bench.record(third).await, before.2);
        assert_eq!(bench.all(third).await, before.1[..4]);
    }
    let fork = bench.fork(third, 2).await;
    assert_eq!(bench.all(fork).await, before.1[..2], "what a removed session stored can be forked");
    assert_eq!(bench.append(fork, bench.messages(1)).await.last, seq(3));
    assert_eq!(bench.append(third, bench.messages(1)).await.last, seq(5));
    for session in [third, fork] {
        bench.log().remove(session).await.expect("nobody holds it");
    }
    let again = bench.messages(1);
    bench.log().create(NewSession::own(first, again.clone())).await.expect("nobody shares its events any more");
    assert_eq!(bench.all(first).await, again);
}

/// Removing a fork takes nothing from its parent or its siblings.
pub async fn a_parent_outlives_its_fork(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let parent = bench.begin(4).await;
    let (child, sibling) = (bench.fork(parent, 3).await, bench.fork(parent, 3).await);
    bench.append(child, bench.messages(2)).await;
    let before = (bench.record(parent).await, bench.all(parent).await, bench.all(sibling).await);
    bench.log().remove(child).await.expect("nobody holds it");
    for _ in 0..2 {
        assert_eq!(bench.log().record(child).await, Err(LogError::NoSession(child)));
        assert_eq!((bench.record(parent).await, bench.all(parent).await, bench.all(sibling).await), before);
        if !bench.subject.reopen().await {
            break;
        }
    }
    assert_eq!(bench.append(parent, bench.messages(1)).await.last, seq(5));
}

/// The latest checkpoint of a fork is the latest that it has, not the latest of its parent.
pub async fn a_fork_knows_its_own_checkpoints(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let (mark, summary) = (kinds::HANDBOX_CHECKPOINT, kinds::AGENT_THREAD_CONTEXT_COMPACTED);
    let events = [&kinds::USER_MESSAGE, &mark, &summary, &kinds::USER_MESSAGE, &mark, &summary];
    let parent = bench.begin_with(events.map(|kind| bench.event(kind, "content", "x")).to_vec()).await;
    let expected = [(None, None), (Some(2), None), (Some(2), Some(3)), (Some(2), Some(3)), (Some(5), Some(3))];
    for ((checkpoint, compaction), at) in expected.into_iter().zip(1..) {
        let child = bench.fork(parent, at).await;
        let record = bench.record(child).await;
        let places = |record: crate::Record| (record.checkpoint.map(Seq::get), record.compaction.map(Seq::get));
        assert_eq!(places(record), (checkpoint, compaction), "at {at}");
        bench.append(child, vec![bench.event(&mark, "content", "x"), bench.message()]).await;
        assert_eq!(places(bench.record(child).await), (Some(at + 1), compaction), "after an own one");
    }
}

/// A follower does not see where the shared part ends.
pub async fn a_fork_follows_from_the_shared_part_into_its_own(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let parent = bench.begin(3).await;
    let child = bench.fork(parent, 2).await;
    let mut tail = bench.log().tail(child, Some(seq(1))).await.expect("a fork is followed");
    bench.append(parent, bench.messages(2)).await;
    bench.append(child, bench.messages(2)).await;
    for entry in bench.pages(child, Slice::from(seq(2))).await {
        assert_eq!(super::bench::soon(tail.next()).await, Ok(Followed::Event(entry)));
    }
}

/// A lease is one session's: neither parent nor fork has any of the other's.
pub async fn a_fork_is_not_its_parents_to_lease(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let parent = bench.begin(2).await;
    let time = Duration::from_secs(300);
    let lease = bench.log().claim(parent, "a brain", time).await.expect("nobody holds it");
    let child = bench.fork(parent, 2).await;
    assert_eq!(bench.record(child).await.holder, None);
    let writer = crate::Writer::Brain(lease.epoch);
    let result = bench.put(crate::Batch { writer, ..batch(child, bench.messages(1)) }).await;
    assert!(matches!(result, Err(LogError::Fenced { .. })), "{result:?}");
    bench.log().claim(child, "another", time).await.expect("nobody holds the fork");
}
