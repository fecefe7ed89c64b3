//! For how long a brain may act.

use super::WakeError;
use crate::Surroundings;
use handbox_session::fold::{BrainWoke, bodies::Body};
use handbox_session::{Epoch, LEASE_TIME_MAX, Lease, LogError, Seq, SessionId, SessionLog, Slice, kinds};
use std::sync::{Arc, Mutex, PoisonError};
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
///
/// A lease also ends without anybody taking the session over: with the process that holds the store, or while the machine
/// sleeps. The brain then claims again, and goes on with what it has going if no other brain was at work meanwhile.
pub(super) struct Tenure {
    log: Arc<dyn SessionLog>,
    surroundings: Arc<dyn Surroundings>,
    pub(super) session: SessionId,
    holder: String,
    time: Duration,
    /// The last place before the first claim.
    since: Seq,
    now: Mutex<Claim>,
    /// Every claim there was; the last is the present one. Held while one is made.
    claims: tokio::sync::Mutex<Vec<Epoch>>,
}

/// A claim, and when it was asked for.
#[derive(Clone, Copy)]
struct Claim {
    epoch: Epoch,
    asked: Clocks,
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

impl Tenure {
    /// Claims a session.
    pub(super) async fn claim(brain: &super::Brain, session: SessionId) -> Result<Arc<Self>, WakeError> {
        let (log, surroundings) = (Arc::clone(&brain.log), Arc::clone(&brain.surroundings));
        let holder = brain.settings.holder.clone();
        let time = brain.settings.lease.min(LEASE_TIME_MAX);
        let asked = Clocks::now(&*surroundings);
        let epoch = log.claim(session, &holder, time).await?.epoch;
        let (now, claims) = (Mutex::new(Claim { epoch, asked }), tokio::sync::Mutex::new(vec![epoch]));
        let since = log.record(session).await?.head;
        Ok(Arc::new(Self { log, surroundings, session, holder, time, since, now, claims }))
    }

    /// One that was claimed already, for tests of what needs no more of a brain.
    #[cfg(test)]
    pub(super) fn at(
        log: Arc<dyn SessionLog>,
        surroundings: Arc<dyn Surroundings>,
        (session, epoch): (SessionId, Epoch),
    ) -> Arc<Self> {
        let now = Mutex::new(Claim { epoch, asked: Clocks::now(&*surroundings) });
        let claims = tokio::sync::Mutex::new(vec![epoch]);
        let (holder, time, since) = ("test".to_owned(), LEASE_TIME_MAX, Seq::FIRST);
        Arc::new(Self { log, surroundings, session, holder, time, since, now, claims })
    }

    /// What every append of this brain carries.
    pub(super) fn epoch(&self) -> Epoch {
        self.now().epoch
    }

    /// Gives the session back. A lease that cannot be given back ends by itself.
    pub(super) async fn release(&self) {
        if let Err(error) = self.log.release(&self.lease()).await {
            tracing::debug!(session = %self.session, %error, "the lease is not given back");
        }
    }

    fn lease(&self) -> Lease {
        Lease { session: self.session, epoch: self.epoch() }
    }

    /// Claims the session again after a lease ended, unless another brain has it or had it.
    ///
    /// # Errors
    ///
    /// [`LogError::Held`] or [`LogError::Fenced`] if one has, or had; those of the log.
    pub(super) async fn regain(&self, lost: Epoch) -> Result<(), LogError> {
        let mut claims = self.claims.lock().await;
        if self.epoch() != lost {
            // It was regained already.
            return Ok(());
        }
        let asked = Clocks::now(&*self.surroundings);
        let lease = self.log.claim(self.session, &self.holder, self.time).await?;
        // Nobody else can have begun from here on, so that what is looked at stays so.
        let stranger = self.stranger(&claims).await;
        if !matches!(stranger, Ok(None)) {
            if let Err(error) = self.log.release(&lease).await {
                tracing::debug!(session = %self.session, %error, "the lease is not given back");
            }
            let newest = stranger?.unwrap_or(lease.epoch);
            return Err(LogError::Fenced { session: self.session, epoch: lost, newest });
        }
        tracing::info!(session = %self.session, "the lease had ended, and nobody else was at work: it is claimed again");
        claims.push(lease.epoch);
        *self.now() = Claim { epoch: lease.epoch, asked };
        Ok(())
    }

    /// The claim of another brain that was at work since the first claim.
    async fn stranger(&self, claims: &[Epoch]) -> Result<Option<Epoch>, LogError> {
        let mut next = Some(self.since.plus(1));
        while let Some(from) = next {
            let page = self
                .log
                .read(self.session, Slice { kinds: vec![kinds::HANDBOX_BRAIN_WOKE], ..Slice::from(from) })
                .await?;
            let woke = page
                .entries
                .iter()
                .map(|entry| BrainWoke::from_event(&entry.event).map_or(Epoch(0), |woke| woke.epoch));
            if let Some(other) = woke.into_iter().find(|epoch| !claims.contains(epoch)) {
                return Ok(Some(other));
            }
            next = page.next;
        }
        Ok(None)
    }

    /// Until when it surely holds, for whoever acts on a task of its own.
    pub(super) fn until(&self) -> Until {
        Until { asked: self.now().asked, usable: self.time - self.time / MARGIN }
    }

    /// Makes sure that it holds for now: by its clocks, or else by renewing it.
    pub(super) async fn hold(&self) -> Result<Until, WakeError> {
        while !self.until().holds(&*self.surroundings) {
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
                Err(LogError::Unavailable(error) | LogError::Unreachable(error)) => {
                    tracing::warn!(session = %self.session, error, "lease not renewed");
                }
                Err(error) => return error.into(),
            }
        }
    }

    async fn renew(&self) -> Result<(), LogError> {
        let (lease, asked) = (self.lease(), Clocks::now(&*self.surroundings));
        match self.log.renew(&lease, self.time).await {
            Ok(()) => {
                let mut now = self.now();
                // Another claim may have taken its place meanwhile.
                if now.epoch == lease.epoch {
                    now.asked = asked;
                }
                Ok(())
            }
            Err(LogError::Fenced { epoch, newest, .. }) if newest == epoch => self.regain(epoch).await,
            Err(_) if self.epoch() != lease.epoch => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Claim> {
        // Nobody panics while he holds three numbers.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
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
