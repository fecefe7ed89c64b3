//! What processes write, kept for the one who started them.

use super::ends::{Output, PIECE_BYTES_MAX};
use crate::meter::Meter;
use bytes::Bytes;
use handbox_hand::Limit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Keeps what is written to its end, up to a bound.
#[expect(unreachable_pub, reason = "what is generated from the WIT names it")]
pub struct Capture {
    kept: Arc<Mutex<Kept>>,
    output: Output,
}

struct Kept {
    bytes: Vec<u8>,
    /// Bytes that may still be kept.
    room: u64,
    dropped: u64,
    /// Bytes that count as memory of this call.
    held: u64,
    meter: Arc<Meter>,
}

impl Capture {
    pub(super) fn new(max: u64, meter: Arc<Meter>) -> Self {
        let kept = Kept { bytes: Vec::new(), room: max, dropped: 0, held: 0, meter };
        let kept = Arc::new(Mutex::new(kept));
        let output = Output::of(Box::new(Keeping(Arc::clone(&kept))));
        Self { kept, output }
    }

    pub(super) fn output(&self) -> Output {
        self.output.clone()
    }

    pub(super) fn take(&self) -> Vec<u8> {
        let mut kept = lock(&self.kept);
        let held = std::mem::take(&mut kept.held);
        kept.meter.give_back(Limit::Memory, held);
        std::mem::take(&mut kept.bytes)
    }

    pub(super) fn dropped(&self) -> u64 {
        lock(&self.kept).dropped
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.meter.give_back(Limit::Memory, self.held);
    }
}

struct Keeping(Arc<Mutex<Kept>>);

#[async_trait::async_trait]
impl Pollable for Keeping {
    async fn ready(&mut self) {}
}

impl OutputStream for Keeping {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut kept = lock(&self.0);
        let fits = kept.room.min(bytes.len() as u64);
        let fits = if kept.meter.take(Limit::Memory, fits) { fits } else { 0 };
        kept.room -= fits;
        kept.held += fits;
        kept.dropped += bytes.len() as u64 - fits;
        // `fits` is at most the length of `bytes`.
        kept.bytes.extend_from_slice(&bytes[..fits as usize]);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PIECE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::Profile;

    #[tokio::test]
    async fn what_does_not_fit_is_counted_and_memory_is_given_back() {
        let meter = Arc::new(Meter::new(Profile::Strict.limits()));
        let capture = Capture::new(4, Arc::clone(&meter));
        capture.output().put(Bytes::from_static(b"abc")).await.expect("it takes everything");
        assert_eq!((capture.take(), capture.dropped()), (b"abc".to_vec(), 0));
        capture.output().put(Bytes::from_static(b"def")).await.expect("it takes everything");
        assert_eq!((capture.take(), capture.dropped()), (b"d".to_vec(), 2));
        let all = meter.limits().memory_bytes;
        assert!(meter.take(Limit::Memory, all), "all memory is free again");
    }
}
