//! Time and chance, as an interface, so that tests own both.

use async_trait::async_trait;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Where a brain gets time and chance from.
#[async_trait]
pub trait Surroundings: Send + Sync {
    /// Milliseconds since 1970 (UTC).
    fn now_unix_ms(&self) -> u64;

    /// What passed since some moment of this process: a clock that nobody sets.
    ///
    /// A lease is held by it, and by the one above. Tests that move one move both.
    fn steady(&self) -> Duration {
        static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGIN.elapsed()
    }

    /// Fills a buffer with bytes that nobody can foretell.
    fn chance(&self, buffer: &mut [u8]);

    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// The machine's own clock and random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Machine;

#[async_trait]
impl Surroundings for Machine {
    fn now_unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn chance(&self, buffer: &mut [u8]) {
        // Ids and jitter only: without chance they still rise, by the minter, and a place that has them refuses doubles.
        if let Err(error) = getrandom::fill(buffer) {
            tracing::warn!(%error, "the machine gives no random numbers");
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
