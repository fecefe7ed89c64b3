//! What was changed on the disk is named, and what cannot be written is refused.

use crate::backend::Disk;
use crate::support::{all, batch, begin, event, event_id, event_with, lazy, seq, session};
use handbox_session::{Damage, LogError, NewSession, SessionLog, Slice};
use handbox_store::{Options, RedbLog, Space, Surroundings};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

fn open(disk: &Disk) -> RedbLog {
    RedbLog::open_with(disk.clone(), lazy(), Surroundings::memory()).unwrap()
}

/// Where this text is on the disk.
fn find(disk: &Disk, text: &str) -> Vec<usize> {
    let bytes = disk.bytes.lock().unwrap();
    bytes.windows(text.len()).enumerate().filter(|(_, found)| *found == text.as_bytes()).map(|(at, _)| at).collect()
}

#[tokio::test]
async fn a_changed_bit_of_an_event_is_named_by_session_and_place() {
    let disk = Disk::default();
    let log = open(&disk);
    let id = begin(&log, 3).await;
    log.append(vec![batch(id, vec![event("before"), event("find-me-here"), event("after")])]).await.unwrap();
    log.fold().await.unwrap();
    drop(log);
    let places = find(&disk, "find-me-here");
    assert!(!places.is_empty());
    for place in places {
        disk.bytes.lock().unwrap()[place + 3] ^= 1;
    }
    let log = open(&disk);
    let named = |damage: &Damage| matches!(damage, Damage::Event { session, seq: place, .. } if *session == id && *place == seq(5));
    let read = log.read(id, Slice::from(seq(5))).await;
    assert!(matches!(&read, Err(LogError::Damaged(damage)) if named(damage)), "{read:?}");
    let verdict = log.verify().unwrap();
    assert!(verdict.damages.iter().any(named), "{verdict:?}");
    // What is before it can be read.
    assert_eq!(log.read(id, Slice { to: Some(seq(3)), ..Slice::default() }).await.unwrap().entries.len(), 3);
}

#[tokio::test]
async fn after_a_failed_write_nothing_is_taken_until_the_store_is_opened_again() {
    let disk = Disk::default();
    let log = open(&disk);
    let id = begin(&log, 3).await;
    disk.fails.store(true, Ordering::SeqCst);
    let failed = log.append(vec![batch(id, vec![event("lost")])]).await;
    assert!(matches!(failed, Err(LogError::ReadOnly(_) | LogError::Unavailable(_))), "{failed:?}");
    let asked = disk.asked.load(Ordering::SeqCst);
    disk.fails.store(false, Ordering::SeqCst);
    for _ in 0..3 {
        let again = log.append(vec![batch(id, vec![event("again")])]).await;
        assert!(matches!(again, Err(LogError::ReadOnly(_))), "{again:?}");
    }
    assert_eq!(log.record(id).await.unwrap().head, seq(3));
    let copy = disk.copy();
    drop(log);
    assert!(asked >= 1);
    let log = open(&copy);
    assert!(all(&log, id).await.len() >= 3);
    assert_eq!(log.verify().unwrap().damages, []);
}

struct Room(Arc<AtomicU64>);

impl Space for Room {
    fn free(&self) -> io::Result<u64> {
        Ok(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test]
async fn a_full_disk_refuses_before_the_effect() {
    let free = Arc::new(AtomicU64::new(u64::MAX));
    let around = Surroundings { space: Box::new(Room(Arc::clone(&free))), ..Surroundings::memory() };
    let options = Options { reserve_bytes: 1000, ..lazy() };
    let log = RedbLog::open_with(Disk::default(), options, around).unwrap();
    let id = begin(&log, 2).await;
    free.store(1100, Ordering::SeqCst);
    assert!(matches!(log.append(vec![batch(id, vec![event(&"x".repeat(500))])]).await, Err(LogError::Full(_))));
    free.store(u64::MAX, Ordering::SeqCst);
    log.append(vec![batch(id, vec![event("3")])]).await.unwrap();
    assert_eq!(all(&log, id).await.len(), 3);
}

#[tokio::test]
async fn an_id_comes_once_wherever_the_first_is() {
    let disk = Disk::default();
    let log = open(&disk);
    let (early, id) = (event_id(), session());
    let first = event("first");
    log.create(NewSession::own(id, vec![first.clone()])).await.unwrap();
    for fold in [false, true] {
        if fold {
            log.fold().await.unwrap();
        }
        let twice = log.append(vec![batch(id, vec![event("new"), first.clone()])]).await;
        assert!(matches!(twice, Err(LogError::Refused(_))), "{twice:?}");
    }
    // One that was minted before but not appended is not there yet.
    log.append(vec![batch(id, vec![event_with(early, "user.message", "early")])]).await.unwrap();
    assert_eq!(log.find(id, early).await.unwrap(), Some(seq(2)));
}

#[tokio::test]
async fn what_was_removed_is_freed_and_what_a_fork_shares_stays() {
    let disk = Disk::default();
    let log = open(&disk);
    let parent = begin(&log, 600).await;
    let fork = session();
    log.create(NewSession::fork(fork, parent, seq(100))).await.unwrap();
    log.append(vec![batch(fork, vec![event("own")])]).await.unwrap();
    let frames = log.verify().unwrap().frames;
    log.remove(parent).await.unwrap();
    let mut left = frames;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        // The disk as it is in the middle of it is whole.
        let (now, copy) = (log.verify().unwrap(), open(&disk.copy()));
        assert_eq!((now.damages, copy.verify().unwrap().damages), (vec![], vec![]));
        left = now.frames;
        if left < 110 {
            break;
        }
    }
    assert!(left < 110, "{left} of {frames} frames are left");
    assert_eq!(all(&log, fork).await.len(), 101);
    log.remove(fork).await.unwrap();
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        left = log.verify().unwrap().frames;
        if left == 0 {
            break;
        }
    }
    assert_eq!(left, 0);
    assert_eq!(log.verify().unwrap().damages, []);
}
