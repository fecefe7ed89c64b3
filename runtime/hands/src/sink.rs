//! Where a guest's standard output and error go: kept up to a cap, counted beyond
//! it, and never blocking. (wasmtime's own memory pipe closes when it is full, and
//! a program whose output closes usually dies of it.)

use crate::meter::Meter;
use bytes::Bytes;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Bytes a guest may hand over in one write.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Which budget the bytes count against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Budget {
    /// They are the result of the call.
    Output,
    /// They are for the operator.
    Log,
}

/// A bounded buffer that guest and host share.
#[derive(Clone)]
pub(crate) struct Sink {
    shared: Arc<Mutex<Shared>>,
    budget: Budget,
}

struct Shared {
    kept: Vec<u8>,
    meter: Arc<Meter>,
}

impl Sink {
    pub(crate) fn new(meter: Arc<Meter>, budget: Budget) -> Self {
        Self { shared: Arc::new(Mutex::new(Shared { kept: Vec::new(), meter })), budget }
    }

    /// Takes what was kept so far.
    pub(crate) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().kept)
    }

    /// Charges what comes from now on to another call.
    pub(crate) fn start_call(&self, meter: &Arc<Meter>) {
        let mut shared = self.lock();
        shared.kept.clear();
        shared.meter = Arc::clone(meter);
    }

    fn push(&self, bytes: &[u8]) {
        let wanted = bytes.len() as u64;
        let mut shared = self.lock();
        let room = match self.budget {
            Budget::Log => shared.meter.take_log(wanted),
            Budget::Output => shared.output_room(wanted),
        };
        // `room` is at most the length of `bytes`.
        shared.kept.extend_from_slice(&bytes[..room as usize]);
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn output_room(&self, wanted: u64) -> u64 {
        let free = self.meter.limits().output_bytes.saturating_sub(self.kept.len() as u64);
        let room = wanted.min(free);
        if room < wanted {
            self.meter.drop_bytes(wanted - room);
        }
        room
    }
}

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait::async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}

impl AsyncWrite for Sink {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handbox_bundle::{Limits, Profile};

    #[test]
    fn what_does_not_fit_is_counted_and_the_guest_goes_on() {
        let limits = Limits { output_bytes: 4, log_bytes: 3, ..Profile::Strict.limits() };
        let meter = Arc::new(Meter::new(limits));
        let mut out = Sink::new(Arc::clone(&meter), Budget::Output);
        let log = Sink::new(Arc::clone(&meter), Budget::Log);
        for _ in 0..3 {
            assert!(out.write(Bytes::from_static(b"abc")).is_ok());
        }
        log.push(b"12345");
        assert_eq!(out.take(), b"abca");
        assert_eq!(log.take(), b"123");
        assert_eq!(meter.dropped_bytes(), 5 + 2);
        assert_eq!(meter.hit(), None);
    }
}
