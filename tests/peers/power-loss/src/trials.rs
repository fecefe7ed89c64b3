//! All trials of all patterns.

use crate::arguments::Arguments;
use crate::disk::Disk;
use crate::pattern::{Pattern, Promise};
use crate::table::{self, Sum};
use crate::trial;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// The power goes at some moment between these, from when the writer began.
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(6);

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let folder = tempfile::Builder::new()
        .prefix("handbox-power-loss-")
        .tempdir_in(&arguments.folder)
        .with_context(|| format!("a folder in {}", arguments.folder.display()))?;
    if let Err(error) = Disk::try_out(folder.path()) {
        return Ok(crate::say_missing(&[format!("an ext4 file system on a loop device: {error:#}")]));
    }
    println!(
        "Handbox {}, SQLite {}; the power is cut {} to {} s after a writer began; {} at once; seed {}",
        env!("CARGO_PKG_VERSION"),
        rusqlite::version(),
        SHORTEST.as_secs(),
        LONGEST.as_secs(),
        arguments.lanes,
        arguments.seed
    );
    table::print_head();
    let mut sums = Vec::new();
    for pattern in &arguments.patterns {
        let sum = all(pattern, arguments, folder.path())?;
        table::print_row(pattern, &sum);
        sums.push((*pattern, sum));
    }
    table::print_rest(&sums);
    Ok(verdict(&sums))
}

/// All trials of a pattern, some at once.
fn all(pattern: &Pattern, arguments: &Arguments, folder: &Path) -> Result<Sum> {
    let (next, failed, sum) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Sum::default()));
    let lane = || -> Result<()> {
        while !failed.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= arguments.trials {
                break;
            }
            let outcome = trial::run(pattern, folder, number, moment(arguments.seed, number))
                .inspect_err(|_| failed.store(true, Ordering::Relaxed))
                .with_context(|| format!("{}, trial {number}", pattern.name))?;
            sum.lock().map_err(|_| anyhow::anyhow!("a lane panicked"))?.add(outcome);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..arguments.lanes).map(|_| scope.spawn(lane)).collect();
        lanes.into_iter().try_for_each(|lane| lane.join().map_err(|_| anyhow::anyhow!("a lane panicked"))?)
    })?;
    sum.into_inner().map_err(|_| anyhow::anyhow!("a lane panicked"))
}

/// When the power goes; the same for the same trial of every pattern.
fn moment(seed: u64, trial: u64) -> Duration {
    // SplitMix64.
    let mut number = seed.wrapping_shl(32).wrapping_add(trial + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^= number >> 31;
    let span = u64::try_from((LONGEST - SHORTEST).as_micros()).unwrap_or(u64::MAX);
    SHORTEST + Duration::from_micros(number % span)
}

/// Fails if what promises to keep events lost some, and if what promises nothing kept all: then nothing was cut.
fn verdict(sums: &[(&Pattern, Sum)]) -> ExitCode {
    let broken = |(pattern, sum): &&(&Pattern, Sum)| pattern.promise == Promise::Durable && sum.has_loss();
    for (pattern, sum) in sums.iter().filter(broken) {
        println!("!! {} lost {} acknowledged events", pattern.name, sum.lost);
    }
    let mut control = sums.iter().filter(|(pattern, _)| pattern.promise == Promise::None).peekable();
    let blind = control.peek().is_some() && control.all(|(_, sum)| !sum.has_loss());
    if blind {
        println!("!! what is never synced was not lost either, so these trials prove nothing");
    }
    let good = !blind && sums.iter().find(broken).is_none();
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, SHORTEST, moment};

    #[test]
    fn the_power_goes_at_other_moments_in_each_trial_and_at_the_same_with_a_seed() {
        let moments: std::collections::BTreeSet<_> = (0..100).map(|trial| moment(1, trial)).collect();
        assert_eq!(moments.len(), 100);
        assert!(moments.iter().all(|moment| (SHORTEST..LONGEST).contains(moment)));
        assert_eq!(moment(7, 3), moment(7, 3));
        assert_ne!(moment(7, 3), moment(8, 3));
    }
}
