//! What processes write, kept for the one who started them.

use super::ends::{Output, PIECE_BYTES_MAX};
use crate::meter::Meter;
use bytes::Bytes;
use handbox_hand::{Limit, Stream, Watcher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Keeps what is written to its end, up to a bound.
#[expect(unreachable_pub, reason = "what is generated from the WIT names it")]
pub struct Capture {
    kept: Arc<Mutex<Kept>>,
    watcher: Arc<dyn Watcher>,
}

/// What was kept, and whose it is: in their order a source and how many bytes.
pub(super) type Taken = (Vec<u8>, Vec<(u8, u64)>);

/// What a change of the source counts as, in bytes.
const RUN_BYTES: u64 = 16;

struct Kept {
    bytes: Vec<u8>,
    runs: Vec<(u8, u64)>,
    /// Bytes that may still be kept.
    room: u64,
    dropped: u64,
    /// Bytes that count as memory of this call.
    held: u64,
    meter: Arc<Meter>,
}

impl Capture {
    pub(super) fn new(max: u64, meter: Arc<Meter>, watcher: Arc<dyn Watcher>) -> Self {
        let kept = Kept { bytes: Vec::new(), runs: Vec::new(), room: max, dropped: 0, held: 0, meter };
        Self { kept: Arc::new(Mutex::new(kept)), watcher }
    }

    pub(super) fn output(&self, source: u8) -> Output {
        let shown = match source {
            1 => Some(Stream::Output),
            2 => Some(Stream::Error),
            _ => None,
        };
        let shown = shown.map(|stream| (stream, Arc::clone(&self.watcher)));
        Output::of(Box::new(Keeping { kept: Arc::clone(&self.kept), source, shown }))
    }

    pub(super) fn take(&self) -> Taken {
        let mut kept = lock(&self.kept);
        let held = std::mem::take(&mut kept.held);
        kept.meter.give_back(Limit::Memory, held);
        (std::mem::take(&mut kept.bytes), std::mem::take(&mut kept.runs))
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

impl Kept {
    fn keep(&mut self, source: u8, bytes: &[u8]) {
        let same = self.runs.last().is_some_and(|(last, _)| *last == source);
        let more = if same { 0 } else { RUN_BYTES };
        let fits = self.room.saturating_sub(more).min(bytes.len() as u64);
        let fits = if fits > 0 && self.meter.take(Limit::Memory, fits + more) { fits } else { 0 };
        self.dropped += bytes.len() as u64 - fits;
        if fits == 0 {
            return;
        }
        self.room -= fits + more;
        self.held += fits + more;
        match self.runs.last_mut().filter(|_| same) {
            Some((_, length)) => *length += fits,
            None => self.runs.push((source, fits)),
        }
        // `fits` is at most the length of `bytes`.
        self.bytes.extend_from_slice(&bytes[..fits as usize]);
    }
}

/// An end that belongs to one source.
struct Keeping {
    kept: Arc<Mutex<Kept>>,
    source: u8,
    /// Who sees at once what is written.
    shown: Option<(Stream, Arc<dyn Watcher>)>,
}

#[async_trait::async_trait]
impl Pollable for Keeping {
    async fn ready(&mut self) {}
}

impl OutputStream for Keeping {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if let Some((stream, watcher)) = &self.shown {
            watcher.printed(*stream, &bytes);
        }
        lock(&self.kept).keep(self.source, &bytes);
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
    use handbox_hand::NoWatcher;

    #[tokio::test]
    async fn what_two_write_is_kept_in_its_order_and_told_apart() {
        let capture = Capture::new(1000, Arc::new(Meter::new(Profile::Strict.limits())), Arc::new(NoWatcher));
        let (out, err) = (capture.output(1), capture.output(2));
        for (end, bytes) in [(&out, "a"), (&out, "b"), (&err, "c"), (&out, "d")] {
            end.put(Bytes::from(bytes)).await.expect("it takes everything");
        }
        assert_eq!(capture.take(), (b"abcd".to_vec(), vec![(1, 2), (2, 1), (1, 1)]));
        assert_eq!(capture.take(), (Vec::new(), Vec::new()));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_counted_and_memory_is_given_back() {
        let meter = Arc::new(Meter::new(Profile::Strict.limits()));
        let capture = Capture::new(2 * RUN_BYTES + 4, Arc::clone(&meter), Arc::new(NoWatcher));
        capture.output(1).put(Bytes::from_static(b"abc")).await.expect("it takes everything");
        assert_eq!((capture.take(), capture.dropped()), ((b"abc".to_vec(), vec![(1, 3)]), 0));
        capture.output(1).put(Bytes::from_static(b"def")).await.expect("it takes everything");
        assert_eq!((capture.take(), capture.dropped()), ((b"d".to_vec(), vec![(1, 1)]), 2));
        let all = meter.limits().memory_bytes;
        assert!(meter.take(Limit::Memory, all), "all memory is free again");
    }
}
