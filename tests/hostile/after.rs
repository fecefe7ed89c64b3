//! What must be true after every attack.

use handbox_bundle::{Limits, State};
use handbox_hand::{HandError, Limit, Output};
use handbox_tests::{Lab, call};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};

/// How much memory a host may have grown by after an attack, in bytes. Allocators keep
/// some; an attack that leaks would leave hundreds of MiB.
const GROWTH_BYTES_MAX: u64 = 96 << 20;

/// The engine keeps the initial memory of a component as a file from its first instance on.
const MEMORY_IMAGES: usize = 1;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs one test while no other test of this process has any file open.
pub(crate) fn alone(test: impl Future<Output = ()>) {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(test);
}

/// What this process holds, where the system says so.
struct Held {
    files: usize,
    bytes: u64,
}

fn held() -> Option<Held> {
    let files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(Held { files, bytes: kib << 10 })
}

/// Runs one attack in `lab` and checks that nothing is left of it.
pub(crate) async fn attack(lab: &Lab, guest: &str, input: Value) -> Result<Output, HandError> {
    let honest = lab.load("hello", State::Fresh).await.unwrap_or_else(|error| panic!("hello: {error}"));
    let greet = || call(&honest, "greet", json!({"name": "you"}));
    let greeting = greet().await.expect("an honest call works before the attack").text();
    let toolbox = lab.load(guest, State::Fresh).await?;
    // What a hand holds between calls (its open folders) is not left by the attack.
    toolbox.warm().await?;
    let before = held();
    let answer = call(&toolbox, "attack", input).await;
    let after = held();
    if let (Some(before), Some(after)) = (before, after) {
        assert!(
            after.files <= before.files + MEMORY_IMAGES,
            "{guest}: {} files were open, now {}",
            before.files,
            after.files
        );
        let grown = after.bytes.saturating_sub(before.bytes);
        assert!(grown <= GROWTH_BYTES_MAX, "{guest}: the host grew by {} MiB", grown >> 20);
    }
    assert_eq!(greet().await.expect("an honest call works after the attack").text(), greeting);
    answer
}

/// Expects that an attack ended at `limit`.
pub(crate) fn assert_limit(answer: &Result<Output, HandError>, limit: Limit) {
    match answer {
        Err(HandError::Limit(hit)) => assert_eq!(hit.limit, limit, "{hit}"),
        other => panic!("expected the {} limit, got {other:?}", limit.name()),
    }
}

/// Small budgets, so that attacks end soon.
pub(crate) fn small(limits: Limits) -> Limits {
    Limits { cpu_fuel: 500_000_000, time: std::time::Duration::from_secs(20), memory_bytes: 32 << 20, ..limits }
}
