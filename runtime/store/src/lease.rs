//! Who may write which session as its brain. Nothing of it is stored: a lease does not outlive the opening of the store.

use handbox_session::{Epoch, LEASE_TIME_MAX, Lease, LogError, SessionId};
use std::collections::HashMap;
use std::time::Duration;

/// Leases that ended are forgotten beyond this many; they only name the newest claim to a brain that is late.
const ENDED_MAX: usize = 4096;

#[derive(Debug)]
pub(crate) struct Leases {
    /// Epochs of this opening are greater, and those of earlier ones are not.
    first: Epoch,
    /// The last that was given.
    last: Epoch,
    held: HashMap<SessionId, Held>,
}

#[derive(Debug)]
struct Held {
    epoch: Epoch,
    holder: String,
    connection: u64,
    until: Duration,
}

impl Leases {
    /// For the `opening`th time that the store is open.
    pub(crate) fn new(opening: u64) -> Self {
        let first = Epoch(opening << 32);
        Self { first, last: first, held: HashMap::new() }
    }

    /// Who holds the session's lease.
    pub(crate) fn holder(&self, session: SessionId, now: Duration) -> Option<&str> {
        self.held.get(&session).filter(|held| now < held.until).map(|held| held.holder.as_str())
    }

    pub(crate) fn check_free(&self, session: SessionId, now: Duration) -> Result<(), LogError> {
        match self.holder(session, now) {
            Some(holder) => Err(LogError::Held { session, holder: holder.to_owned() }),
            None => Ok(()),
        }
    }

    /// Whether a brain may write under this claim.
    pub(crate) fn admit(&self, session: SessionId, epoch: Epoch, now: Duration) -> Result<(), LogError> {
        match self.held.get(&session) {
            Some(held) if held.epoch == epoch && now < held.until => Ok(()),
            Some(held) => Err(LogError::Fenced { session, epoch, newest: held.epoch }),
            None => Err(LogError::Fenced { session, epoch, newest: self.earlier(epoch) }),
        }
    }

    /// The newest claim of a session that has none since the opening: the one it names, if an earlier opening gave it.
    fn earlier(&self, epoch: Epoch) -> Epoch {
        let given = self.first.0 >= epoch.0 && epoch.0 > 1 << 32;
        if given { epoch } else { Epoch(0) }
    }

    pub(crate) fn claim(
        &mut self,
        session: SessionId,
        holder: String,
        connection: u64,
        (now, time): (Duration, Duration),
    ) -> Result<Lease, LogError> {
        self.check_free(session, now)?;
        if self.held.len() >= ENDED_MAX {
            self.held.retain(|_, held| now < held.until);
        }
        let epoch = Epoch(self.last.0 + 1);
        if epoch.0 >> 32 != self.first.0 >> 32 {
            // The next would be one that the next opening gives too.
            return Err(LogError::Refused("there were too many claims; open the store again".to_owned()));
        }
        self.last = epoch;
        self.held.insert(session, Held { epoch, holder, connection, until: now + time.min(LEASE_TIME_MAX) });
        Ok(Lease { session, epoch })
    }

    pub(crate) fn renew(&mut self, lease: &Lease, now: Duration, time: Duration) -> Result<(), LogError> {
        self.admit(lease.session, lease.epoch, now)?;
        if let Some(held) = self.held.get_mut(&lease.session) {
            held.until = now + time.min(LEASE_TIME_MAX);
        }
        Ok(())
    }

    pub(crate) fn release(&mut self, lease: &Lease) {
        if let Some(held) = self.held.get_mut(&lease.session)
            && held.epoch == lease.epoch
        {
            held.until = Duration::ZERO;
        }
    }

    /// Ends what a connection holds.
    pub(crate) fn hang_up(&mut self, connection: u64) {
        let theirs = self.held.values_mut().filter(|held| held.connection == connection);
        theirs.for_each(|held| held.until = Duration::ZERO);
    }
}
