//! What processes write, kept for the one who started them.

use super::ends::{Output, PIECE_BYTES_MAX};
use crate::meter::Meter;
use bytes::Bytes;
use handbox_hand::{Limit, Stream, Watcher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Keeps what is written to its end, up to a bound.
#[expect(unreachable_pub, reason = "what is generated from the WIT names it")]
pub struct Capture(Arc<Mutex<Kept>>);

/// What was kept, and whose it is: in their order a source and how many bytes.
pub(super) type Taken = (Vec<u8>, Vec<(u8, u64)>);

/// What a change of the source counts as, in bytes.
const RUN_BYTES: u64 = 16;

struct Kept {
    bytes: Vec<u8>,
    runs: Vec<(u8, u64)>,
    /// The most that is kept at once, in bytes, and how much of that is left.
    max: u64,
    room: u64,
    dropped: u64,
    /// Bytes that count as memory of this call.
    held: u64,
    meter: Arc<Meter>,
    /// Who sees at once what is written.
    watcher: Arc<dyn Watcher>,
}

impl Capture {
    pub(super) fn new(max: u64, meter: Arc<Meter>, watcher: Arc<dyn Watcher>) -> Self {
        let kept = Kept { bytes: Vec::new(), runs: Vec::new(), max, room: max, dropped: 0, held: 0, meter, watcher };
        Self(Arc::new(Mutex::new(kept)))
    }

    pub(super) fn output(&self, source: u8) -> Output {
        Output::of(Box::new(Keeping { kept: Arc::clone(&self.0), source }))
    }

    pub(super) fn take(&self) -> Taken {
        let mut kept = lock(&self.0);
        kept.let_go();
        (kept.room, kept.dropped) = (kept.max, 0);
        (std::mem::take(&mut kept.bytes), std::mem::take(&mut kept.runs))
    }

    /// What is kept, and what comes from now on, is of another call, and shown to whoever watches that.
    pub(super) fn renew(&self, meter: &Arc<Meter>, watcher: &Arc<dyn Watcher>) {
        let mut kept = lock(&self.0);
        let held = kept.held;
        kept.let_go();
        meter.bring_memory(held);
        (kept.meter, kept.watcher, kept.held) = (Arc::clone(meter), Arc::clone(watcher), held);
        let mut rest = kept.bytes.as_slice();
        for (source, length) in &kept.runs {
            let (run, after) = rest.split_at(*length as usize);
            kept.show(*source, run);
            rest = after;
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        lock(&self.0).dropped
    }
}

impl Drop for Capture {
    /// Whoever still writes there writes for nobody.
    fn drop(&mut self) {
        let mut kept = lock(&self.0);
        kept.let_go();
        kept.room = 0;
        (kept.bytes, kept.runs) = (Vec::new(), Vec::new());
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Kept {
    fn show(&self, source: u8, bytes: &[u8]) {
        match source {
            1 => self.watcher.printed(Stream::Output, bytes),
            2 => self.watcher.printed(Stream::Error, bytes),
            _ => {}
        }
    }

    fn let_go(&mut self) {
        self.meter.give_back(Limit::Memory, std::mem::take(&mut self.held));
    }

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
}

#[async_trait::async_trait]
impl Pollable for Keeping {
    async fn ready(&mut self) {}
}

impl OutputStream for Keeping {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut kept = lock(&self.kept);
        kept.show(self.source, &bytes);
        kept.keep(self.source, &bytes);
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

    fn meter() -> Arc<Meter> {
        Arc::new(Meter::new(Profile::Strict.limits()))
    }

    fn watcher() -> Arc<dyn Watcher> {
        Arc::new(NoWatcher)
    }

    async fn write(capture: &Capture, source: u8, bytes: &'static str) {
        capture.output(source).put(Bytes::from(bytes)).await.expect("it takes everything");
    }

    #[tokio::test]
    async fn what_two_write_is_kept_in_its_order_and_told_apart() {
        let meter = meter();
        let capture = Capture::new(1000, Arc::clone(&meter), watcher());
        for (source, bytes) in [(1, "a"), (1, "b"), (2, "c"), (1, "d")] {
            write(&capture, source, bytes).await;
        }
        assert_eq!(capture.take(), (b"abcd".to_vec(), vec![(1, 2), (2, 1), (1, 1)]));
        assert_eq!(capture.take(), (Vec::new(), Vec::new()));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_counted_until_it_is_asked_for() {
        let meter = meter();
        let capture = Capture::new(RUN_BYTES + 4, Arc::clone(&meter), watcher());
        write(&capture, 1, "abcdef").await;
        assert_eq!(capture.dropped(), 2);
        assert_eq!(capture.take(), (b"abcd".to_vec(), vec![(1, 4)]));
        write(&capture, 1, "ghij").await;
        assert_eq!(capture.dropped(), 0, "there is room again");
        assert_eq!(capture.take(), (b"ghij".to_vec(), vec![(1, 4)]));
    }

    #[tokio::test]
    async fn what_is_kept_counts_as_memory_of_the_call_that_it_is_of() {
        let (first, second) = (meter(), meter());
        let capture = Capture::new(1000, Arc::clone(&first), watcher());
        write(&capture, 1, "abc").await;
        let all = first.limits().memory_bytes;
        assert!(!first.take(Limit::Memory, all));
        capture.renew(&second, &watcher());
        assert!(first.take(Limit::Memory, all), "all of its memory is free again");
        assert!(!second.take(Limit::Memory, all));
        let end = capture.output(1);
        drop(capture);
        end.put(Bytes::from_static(b"ghi")).await.expect("it takes everything");
        assert!(second.take(Limit::Memory, all), "what nobody will ask for is not kept");
    }
}
