//! What must be true after every attack.

use handbox_bundle::{Limits, State};
use handbox_hand::{HandError, Limit, Output};
use handbox_hands::Toolbox;
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
    Some(Held { files, bytes: memory("VmRSS:")? })
}

/// One line of what the system says about this process's memory, in bytes.
fn memory(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

/// By how much this process's memory grows at most while a call runs, in bytes, where the
/// system says so.
pub(crate) async fn peak_growth<T>(call: impl Future<Output = T>) -> (Option<u64>, T) {
    // What "5" does: the peak starts again from what is used now.
    let is_reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = memory("VmHWM:").filter(|_| is_reset);
    let answer = call.await;
    let peak = before.and_then(|before| Some(memory("VmHWM:")?.saturating_sub(before)));
    (peak, answer)
}

/// Runs one attack in `lab` and checks that nothing is left of it.
pub(crate) async fn attack(lab: &Lab, guest: &str, input: Value) -> Result<Output, HandError> {
    let greeting = Greeting::of(lab).await;
    let toolbox = lab.load(guest, State::Fresh).await?;
    // What a hand holds between calls (its open folders) is not left by the attack.
    toolbox.warm().await?;
    let before = held();
    let answer = call(&toolbox, "attack", input).await;
    assert_nothing_left(guest, before, MEMORY_IMAGES);
    greeting.assert_again().await;
    answer
}

/// Runs two attacks at once in `lab`, and checks that nothing is left of either.
pub(crate) async fn attack_together(lab: &Lab, attacks: [(&str, Value); 2]) -> [Result<Output, HandError>; 2] {
    let greeting = Greeting::of(lab).await;
    let [(one, first), (other, second)] = attacks;
    let mut toolboxes = Vec::new();
    for guest in [one, other] {
        let toolbox = lab.load(guest, State::Fresh).await.unwrap_or_else(|error| panic!("{guest}: {error}"));
        toolbox.warm().await.unwrap_or_else(|error| panic!("{guest}: {error}"));
        toolboxes.push(toolbox);
    }
    let before = held();
    let answers = tokio::join!(call(&toolboxes[0], "attack", first), call(&toolboxes[1], "attack", second));
    assert_nothing_left(&format!("{one} and {other}"), before, 2 * MEMORY_IMAGES);
    greeting.assert_again().await;
    answers.into()
}

/// An honest hand, and what it answered before the attack.
struct Greeting {
    honest: Toolbox,
    text: String,
}

impl Greeting {
    async fn of(lab: &Lab) -> Self {
        let honest = lab.load("hello", State::Fresh).await.unwrap_or_else(|error| panic!("hello: {error}"));
        let text = Self::greet(&honest).await.expect("an honest call works before the attack").text();
        Self { honest, text }
    }

    async fn greet(honest: &Toolbox) -> Result<Output, HandError> {
        call(honest, "greet", json!({"name": "you"})).await
    }

    async fn assert_again(&self) {
        let answer = Self::greet(&self.honest).await.expect("an honest call works after the attack");
        assert_eq!(answer.text(), self.text);
    }
}

fn assert_nothing_left(guest: &str, before: Option<Held>, images: usize) {
    let (Some(before), Some(after)) = (before, held()) else { return };
    assert!(after.files <= before.files + images, "{guest}: {} files were open, now {}", before.files, after.files);
    let grown = after.bytes.saturating_sub(before.bytes);
    assert!(grown <= GROWTH_BYTES_MAX, "{guest}: the host grew by {} MiB", grown >> 20);
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
