//! File streams that keep their file counted as open, and meter what is written.

use super::ledger::Taken;
use super::{OpenToken, SharedMeter};
use bytes::Bytes;
use handbox_hand::Limit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

/// A stream that reads a file.
pub(super) struct CountedInput {
    pub(super) inner: DynInputStream,
    pub(super) _open: Option<Arc<OpenToken>>,
}

#[async_trait::async_trait]
impl Pollable for CountedInput {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait::async_trait]
impl InputStream for CountedInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.inner.read(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.inner.blocking_read(size).await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}

/// A stream that writes a file.
pub(super) struct MeteredOutput {
    pub(super) inner: DynOutputStream,
    pub(super) metered: Metered,
}

/// Whom a stream's bytes are charged to.
pub(super) struct Metered {
    pub(super) meter: SharedMeter,
    pub(super) read_only: Arc<AtomicBool>,
    /// Set for files that the call made.
    pub(super) taken: Option<Arc<Taken>>,
    pub(super) _open: Option<Arc<OpenToken>>,
}

impl Metered {
    fn check_may_change(&self) -> StreamResult<()> {
        // Opened by an earlier call of a kept hand, used by one that only reads.
        if self.read_only.load(Relaxed) { Err(StreamError::Closed) } else { Ok(()) }
    }

    fn take(&self, bytes: usize) -> StreamResult<()> {
        self.check_may_change()?;
        if !self.meter.get().take(Limit::FileBytes, bytes as u64) {
            return Err(StreamError::LastOperationFailed(out_of_space().into()));
        }
        if let Some(taken) = &self.taken {
            taken.add(bytes as u64);
        }
        Ok(())
    }

    /// How many of `ready` bytes may be written now: like a disk, the quota takes what still
    /// fits. With nothing left it is one, which is then refused: refusing already here would
    /// fail the flush of what did fit.
    fn cut(&self, ready: usize) -> StreamResult<usize> {
        self.check_may_change()?;
        Ok(ready.min(usize::try_from(self.meter.get().file_bytes_left().max(1)).unwrap_or(usize::MAX)))
    }
}

#[cfg(windows)]
const DISK_FULL: i32 = 112;
#[cfg(not(windows))]
const DISK_FULL: i32 = 28;

/// The error of a full disk, which is what a guest's libc knows how to report.
fn out_of_space() -> std::io::Error {
    std::io::Error::from_raw_os_error(DISK_FULL)
}

pub(super) fn is_out_of_space(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(DISK_FULL)
}

#[async_trait::async_trait]
impl Pollable for MeteredOutput {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for MeteredOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.metered.take(bytes.len())?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let ready = self.inner.check_write()?;
        self.metered.cut(ready)
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.metered.take(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    fn write_zeroes(&mut self, count: usize) -> StreamResult<()> {
        self.metered.take(count)?;
        self.inner.write_zeroes(count)
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
