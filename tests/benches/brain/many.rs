//! A thousand sessions awake at once, on a model that takes no time.

use async_trait::async_trait;
use handbox_brain::Brain;
use handbox_brain::model::ModelRequest;
use handbox_hand::Hand;
use handbox_session::SessionId;
use handbox_tests::lab::{Always, Before, Idle, Rounds, begin, brain, runs, share};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tokio::sync::{Barrier, Notify};

const SESSIONS: usize = 1000;
const ROUNDS: usize = 5;

/// Lets nobody answer before all have asked once.
struct Together {
    asked: AtomicU64,
    all: Notify,
    gate: Barrier,
}

#[async_trait]
impl Before for Together {
    async fn answer(&self, _: &ModelRequest) {
        let asked = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if asked <= SESSIONS as u64 {
            if asked == SESSIONS as u64 {
                self.all.notify_one();
            }
            self.gate.wait().await;
        }
    }
}

pub(crate) async fn measure() {
    let folder = tempfile::tempdir().expect("a folder");
    let hand = Arc::new(Idle::new(false));
    let together =
        Arc::new(Together { asked: AtomicU64::new(0), all: Notify::new(), gate: Barrier::new(SESSIONS + 1) });
    let model = Rounds { rounds: ROUNDS, call: ("look", json!({})), before: Arc::clone(&together) };
    let brain = brain(folder.path(), Arc::new(model), Arc::new(Always(hand.clone())));
    let runs = runs(hand.tools());
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        let session = begin(&brain, &runs).await;
        brain.say(session, "Look around.").await.expect("said");
        sessions.push(session);
    }
    let resting = anonymous_bytes();
    let awake: Vec<_> = sessions
        .iter()
        .map(|session| {
            let (brain, session) = (brain.clone(), *session);
            tokio::spawn(async move {
                brain.wake(session).await.expect("it works");
                Instant::now()
            })
        })
        .collect();
    together.all.notified().await;
    let each = anonymous_bytes().saturating_sub(resting) / SESSIONS as u64;
    let before = heads(&brain, &sessions).await;
    let began = Instant::now();
    together.gate.wait().await;
    let mut times = Vec::new();
    for session in awake {
        times.push(session.await.expect("it does not panic").saturating_duration_since(began));
    }
    let took = began.elapsed().as_secs_f64();
    let events = heads(&brain, &sessions).await - before;
    println!(
        "{SESSIONS} sessions awake at once: {:.0} events a second ({events} in {took:.1} s), {} KB each while they wait for a model",
        events as f64 / took,
        each / 1000,
    );
    println!(
        "fairness: of {SESSIONS} equal sessions the first is done after {:.2} s, half after {:.2} s, the last after {:.2} s",
        share(&mut times, 0.0).as_secs_f64(),
        share(&mut times, 0.5).as_secs_f64(),
        share(&mut times, 1.0).as_secs_f64(),
    );
}

async fn heads(brain: &Brain, sessions: &[SessionId]) -> u64 {
    let mut sum = 0;
    for session in sessions {
        sum += brain.log.record(*session).await.expect("a record").head.get();
    }
    sum
}

/// What this process has in memory that is no file's (Linux; 0 elsewhere).
fn anonymous_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kilobytes| kilobytes * 1024)
}
