//! Counts its calls: a fresh instance never gets past one.

use handbox_tool::{Fault, SavedState, tool};
use std::sync::atomic::{AtomicU64, Ordering};

static CALLS: AtomicU64 = AtomicU64::new(0);

/// Says how many calls this instance has seen.
#[tool(read_only)]
fn attack() -> Result<String, Fault> {
    Ok((CALLS.fetch_add(1, Ordering::Relaxed) + 1).to_string())
}

/// The count, for hosts that pass it on.
struct Count;

impl SavedState for Count {
    fn save() -> Result<Vec<u8>, String> {
        Ok(CALLS.load(Ordering::Relaxed).to_le_bytes().to_vec())
    }

    fn restore(saved: Vec<u8>) -> Result<(), String> {
        let bytes = saved.try_into().map_err(|_| "not a saved count".to_owned())?;
        CALLS.store(u64::from_le_bytes(bytes), Ordering::Relaxed);
        Ok(())
    }
}

handbox_tool::export!(attack; state = Count);
