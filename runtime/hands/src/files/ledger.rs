//! What a call took of its disk quota, file by file, so that only that is given back.
//!
//! Whatever else a guest deletes, empties or replaces was there before, or was paid for by
//! somebody else, and gains it nothing.

use super::protect::Identity;
use crate::meter::Meter;
use handbox_hand::Limit;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What one call took. A kept store has another one for each call.
///
/// It holds no more files than the call may make: one that was made keeps what it took of
/// that budget until it leaves the ledger.
pub(super) struct Ledger {
    meter: Arc<Meter>,
    made: HashMap<Identity, Made>,
}

/// A file, folder or link that the call made, or gave another name.
#[derive(Default)]
struct Made {
    /// Names that were paid for and are still there.
    names: u64,
    taken: Arc<Taken>,
}

/// The bytes that were taken for one file.
#[derive(Default)]
pub(super) struct Taken(AtomicU64);

impl Taken {
    pub(super) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Relaxed);
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.0.load(Relaxed) == 0
    }

    /// The bytes, which nobody can get again.
    pub(super) fn settle(&self) -> u64 {
        self.0.swap(0, Relaxed)
    }
}

impl Ledger {
    pub(super) fn new(meter: &Arc<Meter>) -> Self {
        Self { meter: Arc::clone(meter), made: HashMap::new() }
    }

    pub(super) fn is_of(&self, meter: &Arc<Meter>) -> bool {
        Arc::ptr_eq(&self.meter, meter)
    }

    /// Notes a name that was paid for and made.
    ///
    /// The system may have given the file the identity of one that is gone without this call
    /// (replaced by a rename, or deleted by somebody else). What was taken for that one then
    /// counts for this one: its room is free again.
    pub(super) fn named(&mut self, identity: Identity) {
        self.made.entry(identity).or_default().names += 1;
    }

    /// What was taken for a file, if the call made it or a name of it.
    pub(super) fn taken(&self, identity: Identity) -> Option<Arc<Taken>> {
        self.made.get(&identity).map(|made| Arc::clone(&made.taken))
    }

    /// Gives back a name that is gone, if it was paid for.
    pub(super) fn name_gone(&mut self, identity: Identity) {
        let Some(made) = self.made.get_mut(&identity) else { return };
        self.meter.give_back(Limit::Files, 1);
        made.names -= 1;
        if made.names == 0 {
            self.made.remove(&identity);
        }
    }
}

/// Bytes that are given back when this is dropped.
pub(super) struct Refund {
    pub(super) meter: Arc<Meter>,
    pub(super) bytes: u64,
}

impl Drop for Refund {
    fn drop(&mut self) {
        self.meter.give_back(Limit::FileBytes, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::{Limits, Profile};

    #[test]
    fn a_name_is_given_back_as_often_as_it_was_paid_for() {
        let meter = Arc::new(Meter::new(Limits { files: 2, ..Profile::Strict.limits() }));
        let mut ledger = Ledger::new(&meter);
        assert!(meter.take(Limit::Files, 2));
        ledger.named((1, 1));
        ledger.named((1, 1));
        for _ in 0..3 {
            ledger.name_gone((1, 1));
            ledger.name_gone((2, 2));
        }
        assert!(meter.take(Limit::Files, 2) && !meter.take(Limit::Files, 1));
        assert!(ledger.taken((1, 1)).is_none());
    }
}
