//! The time limits of responses that nobody reads.
//!
//! One task watches all of them. A timer for each, with a task to wait for it, costs much of a short exchange: a timer
//! may have to wake the thread that waits for sockets.

use crate::incoming::Held;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::time::Instant;

/// How often responses that ended are let go of, and so how late the limit of one may be that nobody reads.
const EVERY: Duration = Duration::from_secs(1);

/// Those that are under way.
#[derive(Clone, Default)]
pub(crate) struct Expiry(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    /// Kept by whoever reads them: what is dropped is given back then, not at the limit.
    all: Vec<(Instant, Weak<tokio::sync::Mutex<Held>>)>,
    is_watched: bool,
}

impl Expiry {
    /// Ends this one then, if it did not end before. Must be called in a runtime.
    pub(crate) fn watch(&self, deadline: Instant, held: &Arc<tokio::sync::Mutex<Held>>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.all.push((deadline, Arc::downgrade(held)));
        if !std::mem::replace(&mut waiting.is_watched, true) {
            tokio::spawn(Watch(Arc::clone(&self.0)).run());
        }
    }
}

/// The one task that watches, as long as there is something to be watched.
struct Watch(Arc<Mutex<Waiting>>);

impl Watch {
    async fn run(self) {
        while let Some(next) = self.next() {
            tokio::time::sleep_until(next).await;
            for held in self.late() {
                // Whoever reads now stops at the same limit.
                tokio::spawn(async move { held.lock().await.expire() });
            }
        }
    }

    /// When to look again; `None` if nothing is under way.
    fn next(&self) -> Option<Instant> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.all.retain(|(_, held)| held.strong_count() > 0);
        let first = waiting.all.iter().map(|(deadline, _)| *deadline).min();
        waiting.is_watched = first.is_some();
        first.map(|first| first.min(Instant::now() + EVERY))
    }

    fn late(&self) -> Vec<Arc<tokio::sync::Mutex<Held>>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let late = waiting.all.extract_if(.., |(deadline, _)| *deadline <= now);
        late.filter_map(|(_, held)| held.upgrade()).collect()
    }
}

impl Drop for Watch {
    /// With its runtime, perhaps: the next response is watched in another.
    fn drop(&mut self) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.all.is_empty() {
            waiting.is_watched = false;
        }
    }
}
