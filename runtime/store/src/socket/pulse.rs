//! Whether a connection is of use to its client at present.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// What a connection is about.
#[derive(Debug)]
pub(super) struct Pulse {
    /// Requests that are worked on, and tails.
    busy: AtomicUsize,
    /// Whether it may hold a lease, or let a session arrive, which would end with it.
    keeps: AtomicBool,
    /// When it was last busy.
    since: Mutex<Instant>,
}

/// Something that a connection is busy with.
#[derive(Debug)]
pub(super) struct Busy(Arc<Pulse>);

impl Pulse {
    pub(super) fn new() -> Arc<Self> {
        let since = Mutex::new(Instant::now());
        Arc::new(Self { busy: AtomicUsize::new(0), keeps: AtomicBool::new(false), since })
    }

    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::SeqCst);
        Busy(Arc::clone(self))
    }

    pub(super) fn keep(&self) {
        self.keeps.store(true, Ordering::SeqCst);
    }

    /// Since when it does nothing, and would lose nothing by its end.
    pub(super) fn idle(&self) -> Option<Instant> {
        let idle = self.busy.load(Ordering::SeqCst) == 0 && !self.keeps.load(Ordering::SeqCst);
        idle.then(|| *self.since.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}
