//! The log in memory keeps every promise of the trait.

use async_trait::async_trait;
use handbox_session::SessionLog;
use handbox_session::contract::{self, Factory, Subject};
use handbox_session::memory::{ManualClock, MemoryLog};
use std::time::{Duration, Instant};

struct InMemory;

struct Opened {
    log: MemoryLog,
    clock: ManualClock,
}

#[async_trait]
impl Factory for InMemory {
    async fn fresh(&self) -> Box<dyn Subject> {
        let clock = ManualClock::new(Instant::now());
        let log = MemoryLog::new({
            let clock = clock.clone();
            move || clock.now()
        });
        Box::new(Opened { log, clock })
    }
}

#[async_trait]
impl Subject for Opened {
    fn log(&self) -> &dyn SessionLog {
        &self.log
    }

    async fn reopen(&mut self) -> bool {
        self.log = self.log.reopened();
        true
    }

    async fn pass(&self, time: Duration) {
        self.clock.pass(time);
    }
}

#[tokio::test]
async fn the_log_in_memory_keeps_the_contract() {
    contract::assert_log_contract(&InMemory).await;
}

#[tokio::test]
async fn the_log_in_memory_keeps_blobs() {
    contract::assert_blobs_contract(&MemoryLog::new(Instant::now)).await;
}

#[test]
fn no_promise_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
    let mut written = Vec::new();
    for file in std::fs::read_dir(folder).expect("the contract").flatten() {
        let text = std::fs::read_to_string(file.path()).expect("a file of the contract");
        for line in text.lines() {
            if let Some((name, _)) =
                line.strip_prefix("pub async fn ").and_then(|rest| rest.split_once("(factory: &dyn Factory)"))
            {
                written.push(name.to_owned());
            }
        }
    }
    written.sort();
    let mut run: Vec<_> = contract::PROMISES.to_vec();
    run.sort_unstable();
    assert_eq!(written, run, "the macro `promises` names what is run");
}
