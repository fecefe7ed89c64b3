//! What a log may consume, and what it asks the machine for.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How a commit reaches stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// One sync. Whoever chooses what is stored and when the process dies could make a torn commit look whole, and
    /// reopening after an unclean end reads the whole file.
    OnePhase,
    /// Two syncs, so that what a commit points to is on disk before it is pointed to.
    TwoPhase,
    /// Two syncs, and the map of free pages with them: reopening after an unclean end takes milliseconds.
    QuickRepair,
}

/// What a log may consume. Start from [`Options::standard`].
#[derive(Debug, Clone)]
pub struct Options {
    /// How a commit reaches stable storage.
    pub commit: Commit,
    /// The most memory for pages of the file, in bytes.
    pub cache_bytes_max: usize,
    /// The most events that the index lags behind; opening reads that many again.
    pub index_events_max: usize,
    /// The longest time for which the index lags behind.
    pub index_time_max: Duration,
    /// The most requests that wait for the writer; later ones wait for a place.
    pub queue_requests_max: usize,
    /// The most bytes of events that wait for the writer, from 16 MiB on.
    pub queue_bytes_max: usize,
    /// The most bytes of events in one commit; a single larger request has a commit of its own.
    pub group_bytes_max: usize,
    /// How long the writer waits for as many requests as it last answered at once. It is a bound on what company costs
    /// a request, and it buys whole groups where many writers wait for the same sync.
    pub group_time_max: Duration,
    /// Appends are refused while the disk has less than this free, or an eighth of itself if that is less, in bytes. What
    /// takes away may use it, so that a full disk can be relieved.
    pub reserve_bytes: u64,
    /// The most previews that a slow follower may lag behind before it loses the oldest.
    pub previews_max: usize,
}

impl Options {
    /// What one machine with many sessions needs.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            commit: Commit::QuickRepair,
            cache_bytes_max: 64 * 1024 * 1024,
            index_events_max: 8192,
            index_time_max: Duration::from_secs(1),
            queue_requests_max: 4096,
            queue_bytes_max: 64 * 1024 * 1024,
            group_bytes_max: 16 * 1024 * 1024,
            group_time_max: Duration::from_micros(100),
            reserve_bytes: 64 * 1024 * 1024,
            previews_max: 256,
        }
    }
}

/// Time that only goes forward.
pub trait Clock: Send + Sync {
    /// The time since some moment that stays the same.
    fn now(&self) -> Duration;
}

/// Room on the disk.
pub trait Space: Send + Sync {
    /// The bytes that may still be written.
    ///
    /// # Errors
    ///
    /// If that cannot be found out; appends then go on, and a full disk shows when they fail.
    fn free(&self) -> io::Result<u64>;

    /// The bytes that the disk has in all.
    ///
    /// # Errors
    ///
    /// If that cannot be found out, which the standard form never does: it says that there is no end.
    fn size(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// What a log asks the machine for; tests bring their own.
pub struct Surroundings {
    /// Tells when leases end.
    pub clock: Box<dyn Clock>,
    /// Tells when the disk is full.
    pub space: Box<dyn Space>,
}

impl Surroundings {
    /// The machine's own clock, and room without end.
    #[must_use]
    pub fn memory() -> Self {
        Self { clock: Box::new(Ticks(Instant::now())), space: Box::new(Endless) }
    }

    /// The machine's own clock, and the disk that a folder is on.
    #[must_use]
    pub fn disk(folder: PathBuf) -> Self {
        Self { space: Box::new(Disk(folder)), ..Self::memory() }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings")
    }
}

struct Ticks(Instant);

impl Clock for Ticks {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Endless;

impl Space for Endless {
    fn free(&self) -> io::Result<u64> {
        Ok(u64::MAX)
    }
}

struct Disk(PathBuf);

impl Space for Disk {
    fn free(&self) -> io::Result<u64> {
        fs4::available_space(&self.0)
    }

    fn size(&self) -> io::Result<u64> {
        fs4::total_space(&self.0)
    }
}
