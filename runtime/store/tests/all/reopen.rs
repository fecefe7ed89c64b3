//! What is there after a log was closed, or was not.

use crate::support::{all, batch, begin, copy, event, lazy, open, seq, texts};
use handbox_session::{Fork, LogError, NewSession, SessionLog, Slice, Writer};
use handbox_store::{FILE, OpenError, Options, RedbLog};
use std::time::Duration;

#[tokio::test]
async fn what_was_appended_is_there_after_closing() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let session = begin(&log, 20).await;
    let (before, record) = (all(&log, session).await, log.record(session).await.unwrap());
    drop(log);
    let log = open(folder.path());
    assert_eq!(all(&log, session).await, before);
    assert_eq!(log.record(session).await.unwrap(), record);
    assert_eq!(texts(&before), (1..=20).map(|place| place.to_string()).collect::<Vec<_>>());
    assert!(log.verify().unwrap().damages.is_empty());
}

#[tokio::test]
async fn what_was_appended_is_there_without_closing() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let session = begin(&log, 10).await;
    let first = copy(folder.path());
    log.fold().await.unwrap();
    let fork = crate::support::session();
    log.create(NewSession::fork(fork, session, seq(4))).await.unwrap();
    log.append(vec![batch(session, vec![event("11")]), batch(fork, vec![event("5'")])]).await.unwrap();
    let second = copy(folder.path());
    for (folder, last) in [(&first, "10"), (&second, "11")] {
        let log = open(folder.path());
        let verdict = log.verify().unwrap();
        assert_eq!(verdict.damages, []);
        let page = log.read(session, Slice::last(2)).await.unwrap();
        assert_eq!(texts(&page.entries)[0], last);
        // It goes on where it was.
        log.append(vec![batch(session, vec![event("on")])]).await.unwrap();
        assert_eq!(all(&log, session).await.last().unwrap().seq, page.entries[0].seq.plus(1));
        assert_eq!(log.verify().unwrap().damages, []);
    }
    let log = open(second.path());
    assert_eq!(texts(&all(&log, fork).await), ["1", "2", "3", "4", "5'"]);
    let record = log.record(fork).await.unwrap();
    assert!(
        matches!(record.lineage.as_slice(), [Fork { session: parent, at, .. }] if *parent == session && at.get() == 4)
    );
}

#[tokio::test]
async fn a_store_that_is_open_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    assert!(matches!(RedbLog::open(folder.path(), lazy()), Err(OpenError::Busy)));
    drop(log);
    open(folder.path());
}

/// A file that lost all it had looks as one that was never finished. Only its lock's file knows better.
#[tokio::test]
async fn a_store_that_was_emptied_is_damaged_and_no_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let session = begin(&open(folder.path()), 3).await;
    let kept = copy(folder.path());
    for left in [Vec::new(), vec![0; 1 << 20]] {
        std::fs::write(folder.path().join(FILE), left).unwrap();
        let opened = RedbLog::open(folder.path(), lazy()).map(drop);
        assert!(matches!(&opened, Err(OpenError::Log(LogError::Damaged(_)))), "{opened:?}");
    }
    std::fs::copy(kept.path().join(FILE), folder.path().join(FILE)).unwrap();
    assert_eq!(all(&open(folder.path()), session).await.len(), 3, "a copy takes its place");
    std::fs::remove_file(folder.path().join(FILE)).unwrap();
    assert_eq!(open(folder.path()).sessions(None, 10).await, Ok(vec![]), "who takes it away begins anew");
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("run")).unwrap();
    for name in [FILE, "run/holder.json"] {
        let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap();
        assert!(made.success(), "{name}");
    }
    let opened = RedbLog::open(folder.path(), lazy()).map(drop);
    assert!(matches!(&opened, Err(OpenError::Io(error)) if error.to_string().contains("not a file")), "{opened:?}");
    assert_eq!(handbox_store::socket::holder(folder.path()), None);
}

#[tokio::test]
async fn no_lease_outlives_the_opening() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let session = begin(&log, 1).await;
    let lease = log.claim(session, "one", Duration::from_secs(60)).await.unwrap();
    drop(log);
    let log = open(folder.path());
    let mut late = batch(session, vec![event("late")]);
    late.writer = Writer::Brain(lease.epoch);
    assert!(matches!(log.append(vec![late]).await, Err(LogError::Fenced { .. })));
    let next = log.claim(session, "two", Duration::from_secs(60)).await.unwrap();
    assert!(next.epoch > lease.epoch);
}

#[tokio::test]
async fn a_lease_ends_with_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let session = begin(&log, 1).await;
    let connection = log.connection();
    connection.claim(session, "one", Duration::from_secs(60)).await.unwrap();
    assert!(matches!(
        log.claim(session, "two", Duration::from_secs(60)).await,
        Err(LogError::Held { holder, .. }) if holder == "one"
    ));
    assert_eq!(log.record(session).await.unwrap().holder.as_deref(), Some("one"));
    drop(connection);
    log.claim(session, "two", Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn the_index_follows_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { index_events_max: 4, ..lazy() };
    let log = RedbLog::open(folder.path(), options).unwrap();
    let session = begin(&log, 50).await;
    assert_eq!(all(&log, session).await.len(), 50);
    assert_eq!(log.verify().unwrap().damages, []);
    for event in [3, 47] {
        let id = all(&log, session).await[event].event.id();
        assert_eq!(log.find(session, id).await.unwrap(), Some(seq(event as u64 + 1)));
    }
}
