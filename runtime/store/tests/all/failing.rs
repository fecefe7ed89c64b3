//! Requests that share a commit with what fails, and disks that are full.

use crate::backend::Disk;
use crate::support::{all, batch, begin, event, lazy, session};
use handbox_session::{LogError, NewSession, SessionLog};
use handbox_store::{OpenError, Options, RedbLog, Space, Surroundings};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(300);
/// How long the writer is busy with an append, in which others come.
const BUSY: Duration = Duration::from_millis(400);

#[derive(Clone)]
struct Room {
    free: Arc<AtomicU64>,
    size: u64,
    slow: Arc<AtomicBool>,
}

impl Room {
    fn new(size: u64) -> Self {
        Self { free: Arc::new(AtomicU64::new(size)), size, slow: Arc::default() }
    }

    fn around(&self) -> Surroundings {
        Surroundings { space: Box::new(self.clone()), ..Surroundings::memory() }
    }
}

impl Space for Room {
    fn free(&self) -> io::Result<u64> {
        if self.slow.load(Ordering::SeqCst) {
            std::thread::sleep(BUSY);
        }
        Ok(self.free.load(Ordering::SeqCst))
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.size)
    }
}

/// A lease is not stored, so a disk that fails takes none away and gives none unseen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leases_do_not_depend_on_a_commit_that_fails() {
    let (disk, room) = (Disk::default(), Room::new(u64::MAX));
    let log = RedbLog::open_with(disk.clone(), lazy(), room.around()).unwrap();
    let (one, free, held) = (begin(&log, 1).await, begin(&log, 1).await, begin(&log, 1).await);
    let given_back = begin(&log, 1).await;
    let lease = log.claim(held, "a brain", LONG).await.unwrap();
    let late = log.claim(given_back, "a brain", LONG).await.unwrap();
    let fresh = session();
    room.slow.store(true, Ordering::SeqCst);
    let first = vec![batch(one, vec![event("first")])];
    let second = vec![batch(one, vec![event("second")])];
    let busy = log.append(first);
    let others = async {
        // These come while the writer is at the first, in this order, and fall into one commit.
        tokio::time::sleep(BUSY / 4).await;
        tokio::join!(
            biased;
            log.append(second),
            log.claim(free, "another", LONG),
            log.renew(&lease, LONG),
            log.release(&late),
            log.create(NewSession::own(fresh, vec![event("fresh")])),
            log.claim(fresh, "early", LONG),
        )
    };
    let breaking = async {
        busy.await.unwrap();
        disk.fails.store(true, Ordering::SeqCst);
    };
    let ((appended, claimed, renewed, released, created, early), ()) = tokio::join!(others, breaking);
    assert!(appended.is_err() && created.is_err(), "{appended:?}, {created:?}");
    assert_eq!(claimed.as_ref().map(|lease| lease.session), Ok(free));
    assert_eq!((renewed, released), (Ok(()), Ok(())));
    assert!(early.is_err(), "a session that did not come to be: {early:?}");
    let holder = async |id| log.record(id).await.unwrap().holder;
    assert_eq!(holder(free).await.as_deref(), Some("another"));
    assert_eq!(holder(held).await.as_deref(), Some("a brain"));
    assert_eq!(holder(given_back).await, None);
    assert_eq!(log.release(&claimed.unwrap()).await, Ok(()), "also when nothing is written any more");
    assert_eq!(holder(free).await, None);
}

/// What takes away, and what frees, may use what is kept in reserve.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_can_be_relieved() {
    let room = Room::new(u64::MAX);
    let options = Options { reserve_bytes: 10_000, ..lazy() };
    let log = RedbLog::open_with(Disk::default(), options, room.around()).unwrap();
    let (wanted, unwanted) = (begin(&log, 2).await, begin(&log, 50).await);
    room.free.store(9_000, Ordering::SeqCst);
    room.slow.store(true, Ordering::SeqCst);
    let another = begin_busy(&log, wanted);
    let others = async {
        tokio::time::sleep(BUSY / 4).await;
        tokio::join!(log.append(vec![batch(wanted, vec![event("3")])]), log.remove(unwanted))
    };
    let (first, (appended, removed)) = tokio::join!(another, others);
    room.slow.store(false, Ordering::SeqCst);
    assert!(matches!(&first, Err(LogError::Full(_))) && matches!(&appended, Err(LogError::Full(_))), "{appended:?}");
    assert_eq!(removed, Ok(()), "though it shares a commit with what is refused");
    let created = log.create(NewSession::own(session(), vec![event("1")])).await;
    assert!(matches!(created, Err(LogError::Full(_))), "{created:?}");
    let mut frames = u64::MAX;
    for _ in 0..200 {
        frames = log.verify().unwrap().frames;
        if frames == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(frames, 2, "what was removed is freed");
    room.free.store(u64::MAX, Ordering::SeqCst);
    log.append(vec![batch(wanted, vec![event("3")])]).await.expect("and nothing was broken by it");
    assert_eq!(all(&log, wanted).await.len(), 3);
}

async fn begin_busy(log: &RedbLog, id: handbox_session::SessionId) -> Result<(), LogError> {
    log.append(vec![batch(id, vec![event("busy")])]).await.map(drop)
}

#[tokio::test]
async fn a_small_disk_can_hold_a_store() {
    let room = Room::new(32 * 1024 * 1024);
    let log = RedbLog::open_with(Disk::default(), Options::standard(), room.around()).unwrap();
    begin(&log, 3).await;
    room.free.store(3 * 1024 * 1024, Ordering::SeqCst);
    let refused = log.create(NewSession::own(session(), vec![event("1")])).await;
    assert!(matches!(refused, Err(LogError::Full(_))), "an eighth is kept: {refused:?}");
}

/// Whatever else changed in it.
#[tokio::test]
async fn a_newer_format_is_named_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    drop(crate::support::open(folder.path()));
    let path = folder.path().join(handbox_store::FILE);
    let write = |name: &str, value: [u8; 16]| {
        let table: redb::TableDefinition<'_, &str, &[u8; 16]> = redb::TableDefinition::new("meta");
        let database = redb::Database::open(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(table).unwrap().insert(name, &value).unwrap();
        write.commit().unwrap();
    };
    write("opening", [0xaa; 16]);
    let mut format = [0xff; 16];
    format[..8].copy_from_slice(&7_u64.to_le_bytes());
    format[8] = !7;
    write("format", format);
    let opened = RedbLog::open(folder.path(), lazy()).map(drop);
    assert!(matches!(opened, Err(OpenError::Newer { found: 7, known: 1 })), "{opened:?}");
    format[3] ^= 1;
    write("format", format);
    let opened = RedbLog::open(folder.path(), lazy()).map(drop);
    assert!(matches!(opened, Err(OpenError::Log(LogError::Damaged(_)))), "{opened:?}");
}
