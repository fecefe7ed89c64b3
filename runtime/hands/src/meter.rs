//! The budgets of one call, shared by everything that runs for it.
//!
//! A call may own many stores, so nothing here belongs to a store. Budgets are
//! plain atomics: a call is rarely on two threads at once, and an update that
//! is seen a little late only moves a limit by what is in flight.

use handbox_bundle::Limits;
use handbox_hand::{Limit, LimitHit};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The part of a call's fuel that is kept for the process that it began with.
const RESERVE_SHARE: u64 = 50;

/// The part of a call's memory that is kept for the process that it began with.
const MEMORY_RESERVE_SHARE: u64 = 8;

/// A budget that only shrinks, with what was used of it.
#[derive(Debug, Default)]
struct Counter {
    used: AtomicU64,
    peak: AtomicU64,
}

impl Counter {
    /// Takes `amount` if it fits under `max`.
    fn take(&self, amount: u64, max: u64) -> bool {
        let taken =
            self.used.fetch_update(Relaxed, Relaxed, |used| used.checked_add(amount).filter(|total| *total <= max));
        let Ok(before) = taken else { return false };
        self.peak.fetch_max(before + amount, Relaxed);
        true
    }

    fn give_back(&self, amount: u64) {
        // Never fails: the closure always returns a value.
        let _ = self.used.fetch_update(Relaxed, Relaxed, |used| Some(used.saturating_sub(amount)));
    }
}

/// What one call may consume and has consumed.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    memory: Counter,
    fuel: Counter,
    host_calls: Counter,
    log: Counter,
    file_bytes: Counter,
    files: Counter,
    dropped: AtomicU64,
    hit: OnceLock<Limit>,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            memory: Counter::default(),
            fuel: Counter::default(),
            host_calls: Counter::default(),
            log: Counter::default(),
            file_bytes: Counter::default(),
            files: Counter::default(),
            dropped: AtomicU64::new(0),
            hit: OnceLock::new(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Remembers that `limit` was reached. The first one is what the call is told:
    /// later ones are usually its consequences.
    pub(crate) fn reached(&self, limit: Limit) {
        // Losing the race means that another limit came first.
        let _ = self.hit.set(limit);
    }

    /// The first limit that was reached, if any.
    pub(crate) fn hit(&self) -> Option<LimitHit> {
        self.hit.get().map(|limit| self.describe(*limit))
    }

    pub(crate) fn describe(&self, limit: Limit) -> LimitHit {
        LimitHit { limit, allowed: self.limits.describe(limit) }
    }

    /// Takes `amount` of a budget; on refusal the limit counts as reached.
    pub(crate) fn take(&self, limit: Limit, amount: u64) -> bool {
        let limits = &self.limits;
        let taken = match limit {
            Limit::Memory => self.memory.take(amount, limits.memory_bytes),
            Limit::HostCalls => self.host_calls.take(amount, limits.host_calls),
            Limit::FileBytes => self.file_bytes.take(amount, limits.file_bytes),
            Limit::Files => self.files.take(amount, limits.files),
            Limit::Cpu => self.fuel.take(amount, limits.cpu_fuel),
            _ => true,
        };
        if !taken {
            self.reached(limit);
        }
        taken
    }

    /// Takes memory, but not the last so many bytes of it.
    pub(crate) fn take_memory(&self, amount: u64, kept_back: u64) -> bool {
        let taken = self.memory.take(amount, self.limits.memory_bytes.saturating_sub(kept_back));
        if !taken {
            self.reached(Limit::Memory);
        }
        taken
    }

    /// Memory that only the process that a call began with may take: it outlives what it started.
    pub(crate) fn memory_reserve(&self) -> u64 {
        self.limits.memory_bytes / MEMORY_RESERVE_SHARE
    }

    /// Returns what was taken, when a file is deleted or a handle closed.
    pub(crate) fn give_back(&self, limit: Limit, amount: u64) {
        match limit {
            Limit::Memory => self.memory.give_back(amount),
            Limit::FileBytes => self.file_bytes.give_back(amount),
            Limit::Files => self.files.give_back(amount),
            _ => {}
        }
    }

    /// Counts memory that a kept store brings along, whether it fits or not.
    pub(crate) fn bring_memory(&self, bytes: u64) {
        let now = self.memory.used.fetch_add(bytes, Relaxed) + bytes;
        self.memory.peak.fetch_max(now, Relaxed);
    }

    /// How many of `wanted` log bytes may be kept; the rest is counted as dropped.
    pub(crate) fn take_log(&self, wanted: u64) -> u64 {
        let free = self.limits.log_bytes.saturating_sub(self.log.used.load(Relaxed));
        let kept = wanted.min(free);
        self.log.used.fetch_add(kept, Relaxed);
        self.drop_bytes(wanted - kept);
        kept
    }

    pub(crate) fn drop_bytes(&self, bytes: u64) {
        self.dropped.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn dropped_bytes(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory.peak.load(Relaxed)
    }

    /// Bytes that may still be written to files.
    pub(crate) fn file_bytes_left(&self) -> u64 {
        self.limits.file_bytes.saturating_sub(self.file_bytes.used.load(Relaxed))
    }

    /// Fuel that no store has taken yet.
    pub(crate) fn fuel_left(&self) -> u64 {
        self.limits.cpu_fuel.saturating_sub(self.fuel.used.load(Relaxed))
    }

    /// Fuel that only the process that a call began with may burn: it ends what it started, and answers.
    pub(crate) fn fuel_reserve(&self) -> u64 {
        self.limits.cpu_fuel / RESERVE_SHARE
    }

    pub(crate) fn fuel_used(&self) -> u64 {
        self.fuel.used.load(Relaxed)
    }

    /// Settles fuel that a store has burnt. It is gone even if it is more than was left.
    pub(crate) fn burn(&self, fuel: u64) {
        self.fuel.used.fetch_add(fuel, Relaxed);
        if self.fuel_left() == 0 {
            self.reached(Limit::Cpu);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::Profile;

    #[test]
    fn a_refused_amount_is_not_taken_and_names_the_first_limit() {
        let meter = Meter::new(Limits { files: 2, file_bytes: 10, ..Profile::Strict.limits() });
        assert!(meter.take(Limit::Files, 2));
        assert!(!meter.take(Limit::Files, 1));
        assert!(!meter.take(Limit::FileBytes, u64::MAX));
        assert!(meter.take(Limit::FileBytes, 10));
        meter.give_back(Limit::Files, 1);
        assert!(meter.take(Limit::Files, 1));
        assert_eq!(meter.hit().map(|hit| hit.limit), Some(Limit::Files));
    }

    #[test]
    fn the_last_part_of_the_memory_is_the_first_processs() {
        let meter = Meter::new(Profile::Strict.limits());
        let (all, reserve) = (meter.limits().memory_bytes, meter.memory_reserve());
        assert!(meter.take_memory(all - reserve, reserve) && !meter.take_memory(1, reserve));
        assert!(meter.take_memory(reserve, 0) && !meter.take_memory(1, 0));
    }

    #[test]
    fn the_memory_peak_survives_giving_back() {
        let meter = Meter::new(Profile::Strict.limits());
        assert!(meter.take(Limit::Memory, 100));
        meter.give_back(Limit::Memory, 100);
        assert!(meter.take(Limit::Memory, 30));
        assert_eq!(meter.memory_peak(), 100);
    }
}
