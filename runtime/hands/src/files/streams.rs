//! File streams that keep their file counted as open, and meter what is written.

use super::OpenToken;
use crate::meter::Meter;
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
    pub(super) meter: Arc<Meter>,
    pub(super) read_only: Arc<AtomicBool>,
    pub(super) _open: Option<Arc<OpenToken>>,
}

impl MeteredOutput {
    fn take(&self, bytes: usize) -> StreamResult<()> {
        // Opened by an earlier call of a kept hand, used by one that only reads.
        if self.read_only.load(Relaxed) {
            return Err(StreamError::Closed);
        }
        if self.meter.take(Limit::FileBytes, bytes as u64) {
            return Ok(());
        }
        Err(StreamError::LastOperationFailed(out_of_space().into()))
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
        self.take(bytes.len())?;
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.inner.check_write()
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(bytes.len())?;
        self.inner.blocking_write_and_flush(bytes).await
    }

    fn write_zeroes(&mut self, count: usize) -> StreamResult<()> {
        self.take(count)?;
        self.inner.write_zeroes(count)
    }

    async fn write_ready(&mut self) -> StreamResult<usize> {
        self.inner.write_ready().await
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
    }
}
