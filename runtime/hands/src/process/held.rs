//! Memory of the host that counts as its call's.

use crate::meter::Meter;
use handbox_hand::Limit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// So many are noted before it is looked which of them ended.
const HOLDINGS_MIN: usize = 64;

/// What the host holds for a guest outside of the guest's memory; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held(Arc<Account>);

/// Whose it is, and how much.
#[derive(Debug)]
struct Account {
    meter: Mutex<Arc<Meter>>,
    bytes: u64,
}

impl Account {
    fn meter(&self) -> MutexGuard<'_, Arc<Meter>> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// There is no memory left for it.
#[derive(Debug, thiserror::Error)]
#[error("what the host holds for the guest does not fit into its memory")]
pub(crate) struct NoMemory;

impl Held {
    pub(crate) fn take(meter: &Arc<Meter>, bytes: usize) -> Result<Self, NoMemory> {
        let bytes = bytes as u64;
        if !meter.take(Limit::Memory, bytes) {
            return Err(NoMemory);
        }
        Ok(Self(Arc::new(Account { meter: Mutex::new(Arc::clone(meter)), bytes })))
    }

    /// From now on it is of another call, whether it fits there or not.
    pub(crate) fn charge(&self, meter: &Arc<Meter>) {
        self.0.charge(meter);
    }
}

impl Account {
    fn charge(&self, meter: &Arc<Meter>) {
        let mut own = self.meter();
        own.give_back(Limit::Memory, self.bytes);
        meter.bring_memory(self.bytes);
        *own = Arc::clone(meter);
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.meter().give_back(Limit::Memory, self.bytes);
    }
}

/// What is held for one store. A kept one brings it along to each call.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    accounts: Vec<Weak<Account>>,
    /// When those that ended are sorted out.
    full: usize,
}

impl Holdings {
    /// Takes so much; it is noted here while it lives.
    pub(crate) fn take(&mut self, meter: &Arc<Meter>, bytes: usize) -> Result<Held, NoMemory> {
        let held = Held::take(meter, bytes)?;
        if self.accounts.len() >= self.full {
            self.accounts.retain(|account| account.strong_count() > 0);
            self.full = HOLDINGS_MIN.max(2 * self.accounts.len());
        }
        self.accounts.push(Arc::downgrade(&held.0));
        Ok(held)
    }

    /// From now on all of it is of another call.
    pub(crate) fn charge(&mut self, meter: &Arc<Meter>) {
        for account in self.accounts.iter().filter_map(Weak::upgrade) {
            account.charge(meter);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::Profile;

    #[test]
    fn what_is_held_counts_until_it_is_let_go() {
        let meter = Arc::new(Meter::new(Profile::Strict.limits()));
        let all = usize::try_from(meter.limits().memory_bytes).expect("it fits");
        let held = Held::take(&meter, all).expect("all is free");
        assert!(Held::take(&meter, 1).is_err(), "nothing is left");
        drop(held);
        assert!(Held::take(&meter, 1).is_ok());
    }

    #[test]
    fn what_a_kept_store_holds_counts_in_each_of_its_calls() {
        let meter = || Arc::new(Meter::new(Profile::Strict.limits()));
        let (first, second) = (meter(), meter());
        let all = usize::try_from(first.limits().memory_bytes).expect("it fits");
        let mut holdings = Holdings::default();
        for _ in 0..10 * HOLDINGS_MIN {
            drop(holdings.take(&first, 1).expect("it is free"));
        }
        assert!(holdings.accounts.len() <= HOLDINGS_MIN, "{}", holdings.accounts.len());
        let held = holdings.take(&first, all).expect("all is free");
        holdings.charge(&second);
        assert!(first.take(Limit::Memory, 1) && !second.take(Limit::Memory, 1));
        drop(held);
        assert!(second.take(Limit::Memory, 1));
    }
}
