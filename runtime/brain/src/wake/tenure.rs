//! For how long a brain may act.

use super::WakeError;
use crate::Surroundings;
use handbox_session::{LEASE_TIME_MAX, Lease, LogError, SessionLog};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Which part of a lease is left unused at its end: between the look at it and the effect lie a few instructions and
/// whatever the machine does in between.
const MARGIN: u32 = 6;

/// A lease, and until when it surely holds.
///
/// The log refuses what a brain *writes* too late. What it *does* nobody refuses: a brain that was stopped after it wrote
/// an intent (a signal, a machine that slept) would go on with a call that another brain has made meanwhile. So it looks
/// at its own clocks right before each effect. They start before the lease is asked for, and so end before it does.
///
/// What remains is an effect that is under way when the lease ends: the brain is stopped between the look and the effect
/// for longer than the margin, or within a call. That is the window of any lease; only an outside that checks a key
/// (`recovery` of tools, the call's id) closes it.
pub(super) struct Tenure<'a> {
    log: &'a dyn SessionLog,
    surroundings: &'a dyn Surroundings,
    pub(super) lease: Lease,
    time: Duration,
    asked: Mutex<Clocks>,
}

/// Both clocks of a machine: the steady one may stand still while it sleeps, and the other one may be set.
#[derive(Clone, Copy)]
struct Clocks {
    steady: Duration,
    unix_ms: u64,
}

impl Clocks {
    fn now(surroundings: &dyn Surroundings) -> Self {
        Self { steady: surroundings.steady(), unix_ms: surroundings.now_unix_ms() }
    }

    /// What passed since, by the clock that says more.
    fn since(self, earlier: Self) -> Duration {
        let wall = Duration::from_millis(self.unix_ms.saturating_sub(earlier.unix_ms));
        self.steady.saturating_sub(earlier.steady).max(wall)
    }
}

impl<'a> Tenure<'a> {
    /// Claims a session.
    pub(super) async fn claim(brain: &'a super::Brain, session: handbox_session::SessionId) -> Result<Self, WakeError> {
        let (log, surroundings) = (&*brain.log, &*brain.surroundings);
        let time = brain.settings.lease.min(LEASE_TIME_MAX);
        let asked = Mutex::new(Clocks::now(surroundings));
        let lease = log.claim(session, &brain.settings.holder, time).await?;
        Ok(Self { log, surroundings, lease, time, asked })
    }

    /// Until when it surely holds, for whoever acts on a task of its own.
    pub(super) fn until(&self) -> Until {
        Until { asked: *self.asked(), usable: self.time - self.time / MARGIN }
    }

    /// Makes sure that it holds for now: by its clocks, or else by renewing it.
    pub(super) async fn hold(&self) -> Result<Until, WakeError> {
        while !self.until().holds(self.surroundings) {
            self.renew().await?;
        }
        Ok(self.until())
    }

    /// Renews it in time, until it is lost.
    pub(super) async fn keep(&self) -> WakeError {
        loop {
            self.surroundings.sleep(self.time / 3).await;
            match self.renew().await {
                Ok(()) => {}
                // It may come back before the lease ends; if not, the next append says so.
                Err(LogError::Unavailable(error)) => {
                    tracing::warn!(session = %self.lease.session, error, "lease not renewed");
                }
                Err(error) => return error.into(),
            }
        }
    }

    async fn renew(&self) -> Result<(), LogError> {
        let asked = Clocks::now(self.surroundings);
        self.log.renew(&self.lease, self.time).await?;
        *self.asked() = asked;
        Ok(())
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, Clocks> {
        // Nobody panics while he holds two numbers.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Until when a lease surely holds.
#[derive(Clone, Copy)]
pub(super) struct Until {
    asked: Clocks,
    usable: Duration,
}

impl Until {
    pub(super) fn holds(&self, surroundings: &dyn Surroundings) -> bool {
        Clocks::now(surroundings).since(self.asked) < self.usable
    }
}
