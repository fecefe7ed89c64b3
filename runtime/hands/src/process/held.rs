//! Memory of the host that counts as its call's.

use crate::meter::Meter;
use handbox_hand::Limit;
use std::sync::Arc;

/// What the host holds for a guest outside of the guest's memory; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    meter: Arc<Meter>,
    bytes: u64,
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
        Ok(Self { meter: Arc::clone(meter), bytes })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.meter.give_back(Limit::Memory, self.bytes);
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
}
