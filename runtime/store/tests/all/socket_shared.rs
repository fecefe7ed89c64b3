//! Many processes' view of one log, played by parts of this one: each [`SharedLog`] is what a process has.

use crate::socket_support::{LONG_LEASE, Store, append, batch, begin, event, ids, soon, until};
use handbox_session::{Entry, Followed, LogError, Preview, Seq, SessionId, SessionLog, Tail, Writer};
use handbox_store::socket::{RemoteLog, SharedLog, holder, serve};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::Semaphore;

pub(crate) async fn open(data: &TempDir, store: &Arc<Store>) -> SharedLog {
    SharedLog::open(data.path(), "a test", store.opener()).await.expect("opened")
}

/// A holder, a client and a session.
pub(crate) async fn pair() -> (TempDir, Arc<Store>, SharedLog, SharedLog, SessionId) {
    let (data, store) = (tempfile::tempdir().unwrap(), Store::new());
    let first = open(&data, &store).await;
    let second = open(&data, &store).await;
    assert!(first.is_holder() && !second.is_holder());
    let session = begin(&first).await;
    (data, store, first, second, session)
}

async fn next_event(tail: &mut Box<dyn Tail>) -> Entry {
    loop {
        if let Followed::Event(entry) = soon(tail.next()).await.expect("it follows") {
            return entry;
        }
    }
}

#[tokio::test]
async fn the_holder_is_named_while_there_is_one() {
    let (data, _store, first, second, _) = pair().await;
    let named = second.holder().expect("there is one");
    assert_eq!((named.process, named.command.as_str()), (std::process::id(), "a test"));
    second.close().await;
    first.close().await;
    assert_eq!(holder(data.path()), None);
    assert!(!data.path().join("run/holder.sock").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_append_at_once_and_nothing_is_lost() {
    let (data, store, first, _second, session) = pair().await;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let log = open(&data, &store).await;
        clients.spawn(async move {
            let mut appended = Vec::new();
            for _ in 0..25 {
                appended.push(append(&log, session).await.id());
            }
            appended
        });
    }
    let mut appended = soon(clients.join_all()).await.concat();
    let mut found = ids(&first, session).await.split_off(1);
    appended.sort();
    found.sort();
    assert_eq!(appended, found);
}

#[tokio::test]
async fn the_next_takes_over_and_its_tails_go_on() {
    let (_data, _store, first, second, session) = pair().await;
    let mut tail = second.tail(session, None).await.unwrap();
    assert_eq!(next_event(&mut tail).await.seq, Seq::FIRST);
    append(&first, session).await;
    first.close().await;
    assert!(!second.is_holder());
    append(&second, session).await;
    assert!(second.is_holder());
    for place in 2..=3 {
        assert_eq!(next_event(&mut tail).await.seq.get(), place);
    }
    let closed = first.record(session).await;
    assert!(matches!(closed, Err(LogError::Unavailable(_))), "{closed:?}");
}

/// A tail alone notices that the holder is gone.
#[tokio::test]
async fn a_waiting_tail_makes_its_process_take_over() {
    let (_data, store, first, second, session) = pair().await;
    let mut tail = second.tail(session, Some(Seq::FIRST)).await.unwrap();
    let waiting = tokio::spawn(async move { next_event(&mut tail).await });
    first.close().await;
    until("the succession", async || second.is_holder()).await;
    append(&store.log(), session).await;
    assert_eq!(soon(waiting).await.unwrap().seq.get(), 2);
}

#[tokio::test]
async fn an_append_that_happened_without_an_answer_is_not_repeated() {
    let (_data, store, first, second, session) = pair().await;
    store.trip.silent.store(1, Ordering::SeqCst);
    let (one, two) = (event(), event());
    let batches = vec![
        batch(session, Writer::Client, vec![one.clone(), two.clone()]),
        batch(session, Writer::Client, Vec::new()),
    ];
    let log = second.clone();
    let appending = tokio::spawn(async move { log.append(batches).await });
    until("the append", async || store.trip.hung.load(Ordering::SeqCst) == 1).await;
    first.close().await;
    let places = soon(appending).await.unwrap().unwrap();
    let both = places[0].unwrap();
    assert_eq!((both.first.get(), both.last.get(), places[1]), (2, 3, None));
    assert_eq!(ids(&second, session).await.split_off(1), [one.id(), two.id()]);
}

#[tokio::test]
async fn an_append_that_was_lost_is_made_again() {
    let (_data, store, first, second, session) = pair().await;
    store.trip.lost.store(1, Ordering::SeqCst);
    let log = second.clone();
    let appending = tokio::spawn(async move { append(&log, session).await });
    until("the append", async || store.trip.hung.load(Ordering::SeqCst) == 1).await;
    first.close().await;
    let event = soon(appending).await.unwrap();
    assert_eq!(ids(&second, session).await.split_off(1), [event.id()]);
}

#[tokio::test]
async fn a_brain_whose_append_was_lost_is_fenced_and_one_whose_append_happened_is_told() {
    for happened in [false, true] {
        let (_data, store, first, second, session) = pair().await;
        let lease = second.claim(session, "a brain", LONG_LEASE).await.unwrap();
        let trip = if happened { &store.trip.silent } else { &store.trip.lost };
        trip.store(1, Ordering::SeqCst);
        let (log, batches) = (second.clone(), vec![batch(session, Writer::Brain(lease.epoch), vec![event()])]);
        let appending = tokio::spawn(async move { log.append(batches).await });
        until("the append", async || store.trip.hung.load(Ordering::SeqCst) == 1).await;
        first.close().await;
        let appended = soon(appending).await.unwrap();
        let fenced = LogError::Fenced { session, epoch: lease.epoch, newest: lease.epoch };
        let place = handbox_session::Places { first: Seq::FIRST.plus(1), last: Seq::FIRST.plus(1) };
        assert_eq!(appended, if happened { Ok(vec![Some(place)]) } else { Err(fenced.clone()) });
        assert_eq!(second.renew(&lease, LONG_LEASE).await, Err(fenced), "the lease is void in both cases");
    }
}

#[tokio::test]
async fn a_lease_ends_at_once_with_its_connection() {
    let (_data, _store, first, second, session) = pair().await;
    second.claim(session, "a brain", LONG_LEASE).await.unwrap();
    assert!(matches!(first.claim(session, "another", LONG_LEASE).await, Err(LogError::Held { .. })));
    let began = Instant::now();
    second.close().await;
    until("the end of the lease", async || first.claim(session, "another", LONG_LEASE).await.is_ok()).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn previews_travel_both_ways() {
    let (_data, _store, first, second, session) = pair().await;
    for (from, to) in [(&first, &second), (&second, &first)] {
        let mut tail = to.tail(session, Some(Seq::FIRST)).await.unwrap();
        let preview = Preview(r#"{"type":"event_delta"}"#.to_owned());
        let seen = tokio::spawn(async move { tail.next().await });
        let shown = Followed::Preview(preview.clone());
        until("a preview", async || {
            from.preview(session, preview.clone());
            tokio::time::sleep(Duration::from_millis(10)).await;
            seen.is_finished()
        })
        .await;
        assert_eq!(seen.await.unwrap().unwrap(), shown);
    }
}

#[tokio::test]
async fn what_is_dropped_ends_at_the_holder() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::new();
    let server = serve(data.path(), "a test", store.open().unwrap()).unwrap();
    let log = RemoteLog::connect(data.path()).await.unwrap();
    let session = begin(&log).await;
    // Far more than one connection may have at once.
    for _ in 0..10_000 {
        drop(soon(log.tail(session, None)).await.expect("a place among the tails is given back"));
    }
    store.trip.lost.store(1_000, Ordering::SeqCst);
    for _ in 0..500 {
        let hanging = log.append(vec![batch(session, Writer::Client, vec![event()])]);
        assert!(tokio::time::timeout(Duration::from_millis(1), hanging).await.is_err());
    }
    store.trip.lost.store(0, Ordering::SeqCst);
    soon(append(&log, session)).await;
    server.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_followers_see_everything_once() {
    let (data, store, first, _second, session) = pair().await;
    let mut followers = tokio::task::JoinSet::new();
    let ready = Arc::new(Semaphore::new(0));
    for _ in 0..10 {
        let log = open(&data, &store).await;
        for _ in 0..100 {
            let mut tail = log.tail(session, None).await.unwrap();
            let arrived = Arc::clone(&ready);
            followers.spawn(async move {
                for place in 1..=20 {
                    assert_eq!(next_event(&mut tail).await.seq.get(), place);
                }
                arrived.add_permits(1);
                assert_eq!(next_event(&mut tail).await.seq.get(), 21);
                Instant::now()
            });
        }
    }
    for _ in 0..19 {
        append(&first, session).await;
    }
    let _all = soon(ready.acquire_many(1000)).await.unwrap();
    append(&first, session).await;
    let last = Instant::now();
    let seen = soon(followers.join_all()).await;
    let mut delays: Vec<_> = seen.into_iter().map(|seen| seen.saturating_duration_since(last)).collect();
    delays.sort();
    println!("1000 followers saw an event {:?} (median) and {:?} (last) after its append", delays[500], delays[999]);
    assert_eq!(delays.len(), 1000);
}

#[tokio::test]
async fn a_log_that_nobody_serves_is_given_up_in_time() {
    let (data, store) = (tempfile::tempdir().unwrap(), Store::new());
    let _held = store.open().unwrap();
    let began = Instant::now();
    let opened = SharedLog::open(data.path(), "a test", store.opener()).await.map(drop);
    assert!(matches!(opened, Err(LogError::Unreachable(_))), "nothing was asked: {opened:?}");
    assert!(began.elapsed() < handbox_store::socket::RECOVERY_TIME_MAX + Duration::from_secs(10));
}
