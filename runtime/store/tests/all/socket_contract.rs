//! The contract of the log, through the socket.

use crate::contract::Set;
use crate::socket_support::Store;
use crate::support::lazy;
use async_trait::async_trait;
use handbox_session::SessionLog;
use handbox_session::contract::{Factory, Subject, assert_log_contract};
use handbox_session::memory::{ManualClock, MemoryLog};
use handbox_store::socket::{Opener, RemoteLog, Server, SharedLog, serve};
use handbox_store::{OpenError, RedbLog, Surroundings};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Remote;

struct RemoteSubject {
    data: TempDir,
    store: Arc<Store>,
    clock: ManualClock,
    server: Option<Server>,
    log: RemoteLog,
}

fn store() -> (Arc<Store>, ManualClock) {
    let clock = ManualClock::new(Instant::now());
    let time = clock.clone();
    (Store::of(MemoryLog::new(move || time.now())), clock)
}

async fn connect(data: &TempDir, store: &Store) -> (Option<Server>, RemoteLog) {
    let server = serve(data.path(), "a test", store.open().expect("nobody holds it")).expect("served");
    (Some(server), RemoteLog::connect(data.path()).await.expect("connected"))
}

#[async_trait]
impl Factory for Remote {
    async fn fresh(&self) -> Box<dyn Subject> {
        let data = tempfile::tempdir().expect("a folder");
        let (store, clock) = store();
        let (server, log) = connect(&data, &store).await;
        Box::new(RemoteSubject { data, store, clock, server, log })
    }
}

#[async_trait]
impl Subject for RemoteSubject {
    fn log(&self) -> &dyn SessionLog {
        &self.log
    }

    async fn reopen(&mut self) -> bool {
        self.server.take().expect("it serves").close().await;
        (self.server, self.log) = connect(&self.data, &self.store).await;
        true
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

/// A log that lost its holder must look like one that was reopened. So this holds the store in one, asks another, and
/// closes only the first to reopen.
struct Shared;

struct SharedSubject {
    data: TempDir,
    store: Arc<Store>,
    clock: ManualClock,
    holder: SharedLog,
    log: SharedLog,
}

async fn share(data: &TempDir, store: &Arc<Store>) -> SharedLog {
    SharedLog::open(data.path(), "a test", store.opener()).await.expect("opened")
}

#[async_trait]
impl Factory for Shared {
    async fn fresh(&self) -> Box<dyn Subject> {
        let data = tempfile::tempdir().expect("a folder");
        let (store, clock) = store();
        let holder = share(&data, &store).await;
        let log = share(&data, &store).await;
        assert!(holder.is_holder() && !log.is_holder());
        Box::new(SharedSubject { data, store, clock, holder, log })
    }
}

#[async_trait]
impl Subject for SharedSubject {
    fn log(&self) -> &dyn SessionLog {
        &self.log
    }

    async fn reopen(&mut self) -> bool {
        // The two change seats every time: the first reopen makes the log under test the holder. Asking for something makes
        // it notice now; an append would, but not be told apart from one whose answer was lost.
        if self.log.is_holder() {
            self.log.close().await;
            self.holder.sessions(None, 1).await.expect("the other takes over");
            self.log = share(&self.data, &self.store).await;
        } else {
            self.holder.close().await;
            self.log.sessions(None, 1).await.expect("the log takes over");
            self.holder = share(&self.data, &self.store).await;
        }
        true
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remote_log_keeps_the_contract() {
    assert_log_contract(&Remote).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shared_log_keeps_the_contract_also_when_it_loses_its_holder() {
    assert_log_contract(&Shared).await;
}

/// As [`Shared`], over the log that processes have.
struct SharedRedb;

struct SharedRedbSubject {
    data: TempDir,
    clock: ManualClock,
    begin: Instant,
    holder: SharedLog,
    log: SharedLog,
}

async fn share_redb(data: &TempDir, clock: &ManualClock, begin: Instant) -> SharedLog {
    let (folder, clock) = (data.path().to_owned(), clock.clone());
    let opener: Opener = Arc::new(move || {
        let time = Box::new(Set(clock.clone(), begin));
        let around = Surroundings { clock: time, ..Surroundings::memory() };
        match RedbLog::open_in(&folder, lazy(), around) {
            Ok(log) => Ok(Some(Arc::new(move || Arc::new(log.connection())))),
            Err(OpenError::Busy) => Ok(None),
            Err(error) => panic!("{error}"),
        }
    });
    SharedLog::open(data.path(), "a test", opener).await.expect("opened")
}

#[async_trait]
impl Factory for SharedRedb {
    async fn fresh(&self) -> Box<dyn Subject> {
        let (data, begin) = (tempfile::tempdir().expect("a folder"), Instant::now());
        let clock = ManualClock::new(begin);
        let holder = share_redb(&data, &clock, begin).await;
        let log = share_redb(&data, &clock, begin).await;
        assert!(holder.is_holder() && !log.is_holder());
        Box::new(SharedRedbSubject { data, clock, begin, holder, log })
    }
}

#[async_trait]
impl Subject for SharedRedbSubject {
    fn log(&self) -> &dyn SessionLog {
        &self.log
    }

    async fn reopen(&mut self) -> bool {
        if self.log.is_holder() {
            self.log.close().await;
            self.holder.sessions(None, 1).await.expect("the other takes over");
            self.log = share_redb(&self.data, &self.clock, self.begin).await;
        } else {
            self.holder.close().await;
            self.log.sessions(None, 1).await.expect("the log takes over");
            self.holder = share_redb(&self.data, &self.clock, self.begin).await;
        }
        true
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_on_redb_keeps_the_contract_through_the_socket() {
    assert_log_contract(&SharedRedb).await;
}
