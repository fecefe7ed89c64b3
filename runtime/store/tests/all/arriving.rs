//! Sessions that come from elsewhere, beside what the contract says: who lets them arrive may be killed.

use crate::backend::Disk;
use crate::support::{all, batch, begin, event, lazy, open, seq};
use handbox_session::{Arrival, Batch, Event, LogError, NewSession, SessionId, SessionLog, Ticket, Writer};
use handbox_store::{Options, RedbLog, Surroundings};
use std::time::Duration;

const TICKET: Ticket = Ticket([3; 16]);

/// A session that is elsewhere, with its last place and hash.
async fn elsewhere(count: usize) -> (SessionId, Arrival, Vec<Event>) {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let id = begin(&log, 1).await;
    let events = (1..count).map(|number| event(&number.to_string())).collect();
    log.append(vec![batch(id, events)]).await.unwrap();
    let record = log.record(id).await.unwrap();
    let events = all(&log, id).await.into_iter().map(|entry| entry.event).collect();
    (id, Arrival { head: record.head, hash: record.hash, ticket: TICKET }, events)
}

fn arriving(id: SessionId, events: &[Event]) -> Batch {
    Batch { writer: Writer::Arriving(TICKET), ..batch(id, events.to_vec()) }
}

#[tokio::test]
async fn what_arrives_goes_with_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let (id, arrival, events) = elsewhere(5).await;
    let begun = |count: usize| NewSession::imported(id, Vec::new(), arrival, events[..count].to_vec());
    let connection = log.connection();
    connection.create(begun(2)).await.unwrap();
    assert!(matches!(log.create(begun(2)).await, Err(LogError::Refused(_))), "another is at it");
    drop(connection);
    let connection = log.connection();
    connection.create(begun(2)).await.expect("whoever began it is gone");
    connection.append(vec![arriving(id, &events[2..])]).await.unwrap();
    drop(connection);
    assert_eq!(all(&log, id).await.len(), 5, "what has arrived stays");
    assert_eq!(log.verify().unwrap().damages, []);
}

/// What a disk holds when the process dies in the middle, however far the tables follow.
#[tokio::test]
async fn what_did_not_arrive_is_dropped_when_the_store_is_opened() {
    let (id, arrival, events) = elsewhere(600).await;
    for index_events_max in [1, usize::MAX] {
        for count in [1, 300, 599] {
            let options = Options { index_events_max, ..lazy() };
            let around = Surroundings::memory;
            let disk = Disk::default();
            let log = RedbLog::open_with(disk.clone(), options.clone(), around()).unwrap();
            let other = begin(&log, 3).await;
            let new = NewSession::imported(id, Vec::new(), arrival, events[..1].to_vec());
            log.create(new.clone()).await.unwrap();
            for event in &events[1..count] {
                log.append(vec![arriving(id, std::slice::from_ref(event))]).await.unwrap();
            }
            let verdict = log.verify().unwrap();
            assert_eq!((verdict.damages, verdict.heads.len()), (vec![], 1), "it is no session yet");
            let left = disk.copy();
            // Twice, because the first may die before it has dropped anything.
            for _ in 0..2 {
                let log = RedbLog::open_with(left.copy(), options.clone(), around()).unwrap();
                assert_eq!(log.record(id).await, Err(LogError::NoSession(id)));
                assert_eq!(log.sessions(None, 10).await.unwrap().len(), 1);
                log.create(new.clone()).await.expect("its id is free");
                log.append(vec![arriving(id, &events[1..])]).await.unwrap();
                assert_eq!(log.record(id).await.unwrap().hash, arrival.hash);
                assert_eq!(log.verify().unwrap().damages, []);
            }
            let log = RedbLog::open_with(left, options, around()).unwrap();
            log.remove(other).await.unwrap();
            let mut frames = u64::MAX;
            for _ in 0..200 {
                frames = log.verify().unwrap().frames;
                if frames == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(frames, 0, "its frames are freed");
            assert_eq!(log.verify().unwrap().damages, []);
        }
    }
}

/// Its event and its arrival are in one commit, so that a crash shows neither or both.
#[tokio::test]
async fn what_arrived_stays() {
    let (id, arrival, events) = elsewhere(4).await;
    let disk = Disk::default();
    let log = RedbLog::open_with(disk.clone(), lazy(), Surroundings::memory()).unwrap();
    log.create(NewSession::imported(id, Vec::new(), arrival, events[..3].to_vec())).await.unwrap();
    log.fold().await.unwrap();
    let before = disk.copy();
    log.append(vec![Batch { after: Some(seq(3)), ..arriving(id, &events[3..]) }]).await.unwrap();
    let after = disk.copy();
    for (disk, heads) in [(before, 0), (after, 1)] {
        let log = RedbLog::open_with(disk, lazy(), Surroundings::memory()).unwrap();
        assert_eq!(log.sessions(None, 10).await.unwrap().len(), heads);
        let verdict = log.verify().unwrap();
        assert_eq!((verdict.damages, verdict.heads.len()), (vec![], heads));
    }
}
