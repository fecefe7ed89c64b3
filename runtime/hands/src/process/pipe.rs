//! A pipe between two processes: bounded, and closed when one of its ends is gone.

use super::held::Held;
use bytes::{Bytes, BytesMut};
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};

/// What a pipe holds before its writer waits, in bytes: as on Linux.
pub(super) const PIPE_BYTES_MAX: usize = 64 << 10;

/// Makes a pipe. Each end is one value: whoever shares it counts its holders.
pub(super) fn pipe(held: Held) -> (Writer, Reader) {
    let state = State { bytes: BytesMut::new(), unread: false, unwritten: false, waiting: Vec::new(), _held: held };
    let shared = Arc::new(Mutex::new(state));
    (Writer(Arc::clone(&shared)), Reader(shared))
}

struct State {
    bytes: BytesMut,
    /// The other end is gone.
    unread: bool,
    unwritten: bool,
    /// Who waits for bytes, or for room.
    waiting: Vec<Waker>,
    /// What it may hold counts as memory of its call for as long as it lives.
    _held: Held,
}

impl State {
    fn wake(&mut self) {
        self.waiting.drain(..).for_each(Waker::wake);
    }

    fn wait(&mut self, waker: &Waker) -> Poll<()> {
        if self.waiting.iter().all(|own| !own.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
        Poll::Pending
    }
}

fn lock(shared: &Mutex<State>) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end to write to. Dropping it is the end of what can be read.
pub(super) struct Writer(Arc<Mutex<State>>);

/// The end to read from. Dropping it closes the pipe for its writer.
pub(super) struct Reader(Arc<Mutex<State>>);

impl Drop for Writer {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.unwritten = true;
        state.wake();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut state = lock(&self.0);
        state.unread = true;
        state.bytes = BytesMut::new();
        state.wake();
    }
}

#[async_trait::async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        poll_fn(|context| {
            let mut state = lock(&self.0);
            if !state.bytes.is_empty() || state.unwritten { Poll::Ready(()) } else { state.wait(context.waker()) }
        })
        .await;
    }
}

impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut state = lock(&self.0);
        if state.bytes.is_empty() {
            return if state.unwritten { Err(StreamError::Closed) } else { Ok(Bytes::new()) };
        }
        let size = size.min(state.bytes.len());
        let read = state.bytes.split_to(size).freeze();
        state.wake();
        Ok(read)
    }
}

#[async_trait::async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        poll_fn(|context| {
            let mut state = lock(&self.0);
            let room = state.bytes.len() < PIPE_BYTES_MAX;
            if room || state.unread { Poll::Ready(()) } else { state.wait(context.waker()) }
        })
        .await;
    }
}

impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut state = lock(&self.0);
        if state.unread {
            return Err(StreamError::Closed);
        }
        state.bytes.extend_from_slice(&bytes);
        state.wake();
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        let state = lock(&self.0);
        if state.unread { Err(StreamError::Closed) } else { Ok(PIPE_BYTES_MAX.saturating_sub(state.bytes.len())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::Meter;
    use handbox_bundle::Profile;
    use std::time::Duration;
    use tokio::time::timeout;

    fn held() -> Held {
        Held::take(&Arc::new(Meter::new(Profile::Strict.limits())), PIPE_BYTES_MAX).expect("memory")
    }

    #[tokio::test]
    async fn a_writer_waits_for_room_and_a_reader_for_bytes() {
        let (mut writer, mut reader) = pipe(held());
        let soon = Duration::from_millis(50);
        assert!(timeout(soon, reader.ready()).await.is_err(), "nothing to read yet");
        writer.write(Bytes::from(vec![1; PIPE_BYTES_MAX])).expect("room");
        assert_eq!(writer.check_write().expect("open"), 0);
        assert!(timeout(soon, writer.ready()).await.is_err(), "no room");
        let emptied = tokio::spawn(async move {
            writer.ready().await;
            writer.check_write()
        });
        reader.ready().await;
        assert_eq!(reader.read(10).expect("bytes").len(), 10);
        assert_eq!(emptied.await.expect("it ends").expect("open"), 10);
        assert_eq!(reader.read(usize::MAX).expect("bytes").len(), PIPE_BYTES_MAX - 10);
        assert!(matches!(reader.read(1), Err(StreamError::Closed)), "the writer is gone");
    }

    #[tokio::test]
    async fn who_writes_to_nobody_is_told() {
        let (mut writer, reader) = pipe(held());
        drop(reader);
        writer.ready().await;
        assert!(matches!(writer.check_write(), Err(StreamError::Closed)));
        assert!(matches!(writer.write(Bytes::from_static(b"x")), Err(StreamError::Closed)));
    }
}
