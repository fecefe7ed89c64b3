//! The log keeps every promise of the trait, however far its index lags behind.

use crate::support::lazy;
use async_trait::async_trait;
use handbox_session::SessionLog;
use handbox_session::contract::{self, Factory, Subject};
use handbox_session::memory::ManualClock;
use handbox_store::{Clock, FileBlobs, Options, RedbLog, Surroundings};
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Redb(Options);

struct Opened {
    log: Option<RedbLog>,
    folder: TempDir,
    clock: ManualClock,
    begin: Instant,
    options: Options,
}

pub(crate) struct Set(pub(crate) ManualClock, pub(crate) Instant);

impl Clock for Set {
    fn now(&self) -> Duration {
        self.0.now() - self.1
    }
}

impl Opened {
    fn open(&mut self) {
        let clock = Box::new(Set(self.clock.clone(), self.begin));
        let around = Surroundings { clock, ..Surroundings::memory() };
        self.log = Some(RedbLog::open_in(self.folder.path(), self.options.clone(), around).unwrap());
    }
}

#[async_trait]
impl Factory for Redb {
    async fn fresh(&self) -> Box<dyn Subject> {
        let (begin, folder) = (Instant::now(), tempfile::tempdir().unwrap());
        let clock = ManualClock::new(begin);
        let mut opened = Opened { log: None, folder, clock, begin, options: self.0.clone() };
        opened.open();
        Box::new(opened)
    }
}

#[async_trait]
impl Subject for Opened {
    fn log(&self) -> &dyn SessionLog {
        self.log.as_ref().unwrap()
    }

    async fn reopen(&mut self) -> bool {
        self.log = None;
        self.open();
        assert_eq!(self.log.as_ref().unwrap().verify().unwrap().damages, []);
        true
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_keeps_the_contract_while_its_index_lags_behind() {
    contract::assert_log_contract(&Redb(lazy())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_keeps_the_contract_while_its_index_follows_at_once() {
    contract::assert_log_contract(&Redb(Options { index_events_max: 1, ..lazy() })).await;
}

#[tokio::test]
async fn files_keep_blobs() {
    let folder = tempfile::tempdir().unwrap();
    contract::assert_blobs_contract(&FileBlobs::open(folder.path()).unwrap()).await;
}
