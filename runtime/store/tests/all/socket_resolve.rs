//! What a process makes of answers that were lost with their holder, while others use the same ids.

use crate::socket_shared::pair;
use crate::socket_support::{append, batch, event, ids, mint, soon, until};
use handbox_session::{Arrival, Batch, LogError, NewSession, SessionId, SessionLog, Slice, Ticket, Writer};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn another_session_of_the_same_id_is_not_taken_for_the_own() {
    let shared = event();
    let (one, two) = (event(), event());
    let own = vec![shared.clone(), one.clone()];
    // The same first event, and then fewer, other or more events.
    let others = [
        (vec![shared.clone()], false),
        (vec![shared.clone(), two.clone()], false),
        (vec![two.clone(), shared.clone(), one.clone()], false),
        (own.clone(), true),
        (vec![shared.clone(), one.clone(), two.clone()], true),
    ];
    for (events, same) in others {
        let (_data, store, first, second, _) = pair().await;
        let id: SessionId = mint();
        store.trip.lost_creates.store(1, Ordering::SeqCst);
        let (log, new) = (second.clone(), NewSession::own(id, own.clone()));
        let creating = tokio::spawn(async move { log.create(new).await });
        until("the request", async || store.trip.hung.load(Ordering::SeqCst) == 1).await;
        store.log().create(NewSession::own(id, events.clone())).await.unwrap();
        first.close().await;
        let created = soon(creating).await.unwrap();
        assert_eq!(created.is_ok(), same, "{created:?}, and there are {} events", events.len());
        assert!(same || matches!(created, Err(LogError::Refused(_))), "{created:?}");
    }
}

#[tokio::test]
async fn a_creation_that_happened_is_found_whatever_it_was() {
    let (_data, store, first, second, session) = pair().await;
    append(&first, session).await;
    let own = NewSession::own(mint(), vec![event(), event()]);
    let fork = NewSession::fork(mint(), session, handbox_session::Seq::FIRST);
    let grown = NewSession { id: mint(), events: vec![event()], ..fork.clone() };
    store.trip.silent_creates.store(3, Ordering::SeqCst);
    let mut creating = tokio::task::JoinSet::new();
    for new in [own, fork, grown] {
        let log = second.clone();
        creating.spawn(async move { (new.id, log.create(new).await.map(|record| record.id)) });
    }
    until("the requests", async || store.trip.hung.load(Ordering::SeqCst) == 3).await;
    first.close().await;
    for (id, created) in soon(creating.join_all()).await {
        assert_eq!(created, Ok(id));
    }
}

/// One id that is there does not say that the append happened.
#[tokio::test]
async fn an_append_of_which_another_has_a_part_did_not_happen() {
    let (one, two, three) = (event(), event(), event());
    let (first_half, mixed) = (vec![one.clone()], vec![one.clone(), three.clone(), two.clone()]);
    for theirs in [first_half, mixed] {
        let (_data, store, first, second, session) = pair().await;
        store.trip.lost.store(1, Ordering::SeqCst);
        let (log, batches) = (second.clone(), vec![batch(session, Writer::Client, vec![one.clone(), two.clone()])]);
        let appending = tokio::spawn(async move { log.append(batches).await });
        until("the request", async || store.trip.hung.load(Ordering::SeqCst) == 1).await;
        store.log().append(vec![batch(session, Writer::Client, theirs.clone())]).await.unwrap();
        first.close().await;
        let appended = soon(appending).await.unwrap();
        assert!(matches!(appended, Err(LogError::Refused(_))), "{appended:?}");
        assert_eq!(ids(&second, session).await.len(), 1 + theirs.len());
    }
}

/// An importer whose holder dies is told that nothing is left, and begins again.
#[tokio::test]
async fn what_arrives_goes_with_the_holder_and_can_begin_again() {
    let (_data, store, first, second, session) = pair().await;
    append(&first, session).await;
    append(&first, session).await;
    let (record, page) = (first.record(session).await.unwrap(), first.read(session, Slice::default()).await.unwrap());
    let events: Vec<_> = page.entries.into_iter().map(|entry| entry.event).collect();
    first.remove(session).await.unwrap();
    let ticket = Ticket([9; 16]);
    let arrival = Arrival { head: record.head, hash: record.hash, ticket };
    let new = NewSession::imported(session, Vec::new(), arrival, events[..1].to_vec());
    second.create(new.clone()).await.unwrap();
    first.close().await;
    let rest = Batch {
        session,
        writer: Writer::Arriving(ticket),
        after: Some(record.head.before().unwrap().before().unwrap()),
        events: events[1..].to_vec(),
    };
    assert_eq!(second.append(vec![rest.clone()]).await, Err(LogError::NoSession(session)));
    second.create(new).await.expect("it begins again");
    assert_eq!(second.record(session).await, Err(LogError::NoSession(session)));
    second.append(vec![rest]).await.unwrap();
    assert_eq!(second.record(session).await.unwrap().hash, record.hash);
    assert_eq!(store.trip.hung.load(Ordering::SeqCst), 0);
}

/// Whoever asks, and whoever holds it: the store is opened anew, and the append is made once.
#[tokio::test]
async fn a_log_whose_disk_failed_is_opened_anew() {
    for client_asks in [false, true] {
        for unknown in [0, 1] {
            let (_data, store, first, second, session) = pair().await;
            store.trip.broken.store(unknown == 0, Ordering::SeqCst);
            store.trip.unknown.store(unknown, Ordering::SeqCst);
            let log = if client_asks { &second } else { &first };
            let event = soon(append(log, session)).await;
            assert_eq!(store.trip.openings.load(Ordering::SeqCst), 2, "of {unknown} unknown");
            assert_eq!(ids(log, session).await[1..], [event.id()]);
            soon(append(&first, session)).await;
            soon(append(&second, session)).await;
            assert_eq!(ids(&first, session).await, ids(&second, session).await);
            assert!(first.is_holder() != second.is_holder());
        }
    }
}
