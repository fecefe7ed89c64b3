//! What a kept hand runs beside its calls: processes that outlive the call that started them.

use super::family::Family;
use crate::job::Job;
use crate::meter::Meter;
use handbox_bundle::Limits;
use handbox_hand::{LogLevel, Stream, Usage, Watcher};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};

/// How many calls' worth of CPU and of calls into the host is there for what runs beside them.
const CALLS: u64 = 10;

/// The processes that belong to a kept hand. They end with it.
pub(crate) struct Beside {
    family: Arc<Family>,
    /// What they use up together, until none of them is left and another call begins.
    meter: Option<Arc<Meter>>,
    /// Of which call the budgets are.
    of: Weak<Meter>,
}

impl Beside {
    /// For a hand whose calls start such processes.
    pub(super) fn of(calls: &Family) -> Self {
        Self { family: calls.another(), meter: None, of: Weak::new() }
    }

    /// The job of a process that `job` starts, as one of the hand's.
    pub(super) fn job(&mut self, job: &Job) -> Job {
        // One call gets them once: what it starts after the other beside itself would have no limits else.
        let same = std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(&job.meter));
        let meter = match self.meter.take().filter(|_| same || !self.family.is_idle()) {
            Some(meter) => meter,
            None => Arc::new(Meter::new(limits(*job.meter.limits()))),
        };
        (self.meter, self.of) = (Some(Arc::clone(&meter)), Arc::downgrade(&job.meter));
        let over = job.family.as_ref().map(|family| family.over());
        Job { meter, family: Some(Arc::clone(&self.family)), sends_until: over, ..job.clone() }
    }

    /// As [`Family::send`].
    pub(super) fn send(&self, id: u32, signal: u8) -> bool {
        self.family.send(id, signal)
    }

    /// Ends all of them.
    pub(super) fn clear(&self) {
        self.family.clear();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.family.end();
    }
}

/// The same as for a call, but for what is used up by and by.
fn limits(of_call: Limits) -> Limits {
    let (cpu_fuel, host_calls) = (of_call.cpu_fuel.saturating_mul(CALLS), of_call.host_calls.saturating_mul(CALLS));
    Limits { cpu_fuel, host_calls, ..of_call }
}

/// Hears nothing of a call that is over: what outlives it is not what was watched.
pub(crate) struct WhileCalled {
    watcher: Arc<dyn Watcher>,
    over: Arc<AtomicBool>,
}

impl WhileCalled {
    pub(crate) fn new(watcher: Arc<dyn Watcher>, calls: &Family) -> Arc<Self> {
        Arc::new(Self { watcher, over: calls.over() })
    }

    fn listening(&self) -> Option<&dyn Watcher> {
        (!self.over.load(Relaxed)).then_some(&*self.watcher)
    }
}

impl Watcher for WhileCalled {
    fn progress(&self, fraction: Option<f32>, message: &str) {
        self.listening().into_iter().for_each(|watcher| watcher.progress(fraction, message));
    }

    fn log(&self, level: LogLevel, message: &str) {
        self.listening().into_iter().for_each(|watcher| watcher.log(level, message));
    }

    fn printed(&self, stream: Stream, bytes: &[u8]) {
        self.listening().into_iter().for_each(|watcher| watcher.printed(stream, bytes));
    }

    fn finished(&self, usage: &Usage) {
        self.watcher.finished(usage);
    }
}
