//! One call with everything that it may use up.

use crate::hop::Hop;
use crate::meter::Meter;
use crate::process::Family;
use handbox_bundle::{Limits, Mode};
use handbox_hand::{Call, Hints, Usage};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One call with its budgets.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) call: Call,
    pub(crate) hints: Hints,
    pub(crate) meter: Arc<Meter>,
    pub(crate) hop: Arc<Hop>,
    /// Whether it may send requests. What is no call of a tool is on no record, and may not.
    pub(crate) sends: bool,
    /// Set when it may send no more, although it goes on: the call that its requests are recorded with is over.
    pub(crate) sends_until: Option<Arc<AtomicBool>>,
    /// What it starts; none if its bundle has no programs.
    pub(crate) family: Option<Arc<Family>>,
}

impl Job {
    pub(crate) fn new(call: Call, hints: Hints, limits: Limits) -> Self {
        Self {
            call,
            hints,
            meter: Arc::new(Meter::new(limits)),
            hop: Arc::default(),
            sends: true,
            sends_until: None,
            family: None,
        }
    }

    /// A claim to only read is made true: it gets every folder read-only.
    pub(crate) fn weakest(&self) -> Mode {
        if self.hints.read_only { Mode::ReadOnly } else { Mode::ReadWrite }
    }

    pub(crate) fn usage(&self, time: std::time::Duration) -> Usage {
        Usage {
            time,
            fuel: self.meter.fuel_used(),
            memory_bytes: self.meter.memory_peak(),
            dropped_bytes: self.meter.dropped_bytes(),
        }
    }
}
