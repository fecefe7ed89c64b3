//! What a sync costs at the moment, on whose multiple everything else depends.

use anyhow::{Context, Result};
use std::io::Write;
use std::time::Instant;

const SYNCS: usize = 50;

/// The median of appending 1 KiB to a file and syncing it.
pub(crate) fn fdatasync_micros() -> Result<f64> {
    let mut file = tempfile::tempfile()?;
    let mut times = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let started = Instant::now();
        file.write_all(&[b'x'; 1024])?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(SYNCS / 2).context("a time")?.as_secs_f64() * 1e6)
}
