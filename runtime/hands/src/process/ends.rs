//! Ends of streams that several processes hold at once.

use super::held::Held;
use bytes::Bytes;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use wasmtime_wasi::cli::{IsTerminal, StdinStream, StdoutStream};
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

/// The most bytes that are read or written at once.
pub(super) const PIECE_BYTES_MAX: usize = 64 << 10;

/// One stream, and whose turn it is to wait for it: what waits in a stream is one task.
struct Shared<S> {
    stream: Mutex<S>,
    turn: tokio::sync::Mutex<()>,
}

impl<S: Pollable> Shared<S> {
    fn new(stream: S) -> Arc<Self> {
        Arc::new(Self { stream: Mutex::new(stream), turn: tokio::sync::Mutex::new(()) })
    }

    fn lock(&self) -> MutexGuard<'_, S> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ready(&self) {
        let _turn = self.turn.lock().await;
        poll_fn(|context| {
            let mut stream = self.lock();
            let ready = pin!(stream.ready());
            ready.poll(context)
        })
        .await;
    }
}

/// A stream with what was read from it and not taken yet.
struct Ahead {
    bytes: Bytes,
    stream: DynInputStream,
    /// What `bytes` began with counts as memory of its call.
    _held: Option<Held>,
}

#[async_trait::async_trait]
impl Pollable for Ahead {
    async fn ready(&mut self) {
        if self.bytes.is_empty() {
            self.stream.ready().await;
        }
    }
}

/// An end to read from. Its clones are the same end.
#[expect(unreachable_pub, reason = "what is generated from the WIT names it")]
#[derive(Clone)]
pub struct Input(Arc<Shared<Ahead>>);

impl Input {
    pub(super) fn of(stream: DynInputStream) -> Self {
        Self(Shared::new(Ahead { bytes: Bytes::new(), stream, _held: None }))
    }

    pub(super) fn of_bytes(bytes: Bytes, held: Option<Held>) -> Self {
        Self(Shared::new(Ahead { bytes, stream: Box::new(wasmtime_wasi::p2::pipe::ClosedInputStream), _held: held }))
    }

    /// Waits for at most `max` bytes; none at the end.
    pub(super) async fn next(&self, max: usize) -> StreamResult<Bytes> {
        loop {
            self.0.ready().await;
            match self.clone().read(max) {
                Ok(bytes) if bytes.is_empty() => {}
                Err(StreamError::Closed) => return Ok(Bytes::new()),
                other => return other,
            }
        }
    }

    /// Waits for everything up to a byte, that byte, or `max` bytes, or what there is before the end.
    pub(super) async fn next_until(&self, end: u8, max: usize) -> StreamResult<Vec<u8>> {
        let mut taken = Vec::new();
        while taken.len() < max {
            let piece = self.next(PIECE_BYTES_MAX).await?;
            if piece.is_empty() {
                break;
            }
            let room = piece.len().min(max - taken.len());
            let length = piece[..room].iter().position(|byte| *byte == end).map_or(room, |place| place + 1);
            taken.extend_from_slice(&piece[..length]);
            self.put_back(piece.slice(length..));
            if taken.last() == Some(&end) {
                break;
            }
        }
        Ok(taken)
    }

    fn put_back(&self, rest: Bytes) {
        if rest.is_empty() {
            return;
        }
        let mut ahead = self.0.lock();
        // Somebody else may have put something back meanwhile, who read after this one did.
        ahead.bytes =
            if ahead.bytes.is_empty() { rest } else { [rest, std::mem::take(&mut ahead.bytes)].concat().into() };
    }
}

#[async_trait::async_trait]
impl Pollable for Input {
    async fn ready(&mut self) {
        self.0.ready().await;
    }
}

#[async_trait::async_trait]
impl InputStream for Input {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let mut ahead = self.0.lock();
        if ahead.bytes.is_empty() {
            return ahead.stream.read(size.min(PIECE_BYTES_MAX));
        }
        let size = size.min(ahead.bytes.len());
        Ok(ahead.bytes.split_to(size))
    }

    // The usual one gives up when others are faster ten times.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        match self.next(size).await? {
            bytes if bytes.is_empty() && size > 0 => Err(StreamError::Closed),
            bytes => Ok(bytes),
        }
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        Box::new(tokio::io::empty()) // of WASI 0.3, which is not linked
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        Box::new(self.clone())
    }
}

/// An end to write to. Its clones are the same end.
#[expect(unreachable_pub, reason = "what is generated from the WIT names it")]
#[derive(Clone)]
pub struct Output(Arc<Shared<DynOutputStream>>);

impl Output {
    pub(super) fn of(stream: DynOutputStream) -> Self {
        Self(Shared::new(stream))
    }

    /// Waits until all of it is taken.
    pub(super) async fn put(&self, bytes: Bytes) -> StreamResult<()> {
        let mut bytes = bytes;
        while !bytes.is_empty() {
            self.0.ready().await;
            let mut stream = self.0.lock();
            let room = stream.check_write()?.min(bytes.len()).min(PIECE_BYTES_MAX);
            if room > 0 {
                stream.write(bytes.split_to(room))?;
            }
        }
        self.0.lock().flush()?;
        self.0.ready().await;
        // What went wrong with the last piece is known now.
        self.0.lock().check_write().map(drop)
    }
}

/// The writer of a pipe that nobody reads any more was ended, as by a signal.
#[derive(Debug, thiserror::Error)]
#[error("nobody reads any more what it writes")]
pub(super) struct BrokenPipe;

/// A process's own standard output or error: it ends when nobody reads it.
#[derive(Clone)]
pub(crate) struct Standard(pub(crate) Output);

fn broken(error: StreamError) -> StreamError {
    match error {
        StreamError::Closed => StreamError::Trap(BrokenPipe.into()),
        other => other,
    }
}

#[async_trait::async_trait]
impl Pollable for Standard {
    async fn ready(&mut self) {
        self.0.0.ready().await;
    }
}

#[async_trait::async_trait]
impl OutputStream for Standard {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        // Others may have filled it since it was asked how much room there is: a little more than its bound is held then.
        self.0.0.lock().write(bytes).map_err(broken)
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.0.0.lock().flush().map_err(broken)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(self.0.0.lock().check_write().map_err(broken)?.min(PIECE_BYTES_MAX))
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0.put(bytes).await.map_err(broken)
    }
}

impl IsTerminal for Standard {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Standard {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink()) // of WASI 0.3, which is not linked
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::pipe::{PIPE_BYTES_MAX, pipe};
    use super::*;
    use crate::meter::Meter;
    use handbox_bundle::Profile;

    #[tokio::test]
    async fn a_line_is_taken_and_what_comes_after_it_is_the_next_ones() {
        let input = Input::of_bytes(Bytes::from_static(b"one\ntwo\nrest"), None);
        assert_eq!(input.next_until(b'\n', 100).await.expect("a line"), b"one\n");
        assert_eq!(input.clone().next_until(b'\n', 2).await.expect("a part of one"), b"tw");
        assert_eq!(input.next(2).await.expect("bytes"), "o\n");
        assert_eq!(input.next_until(b'\n', 100).await.expect("what is left"), b"rest");
        assert!(input.next(1).await.expect("the end").is_empty());
    }

    #[tokio::test]
    async fn two_who_read_one_pipe_get_every_byte_once() {
        let meter = Arc::new(Meter::new(Profile::Strict.limits()));
        let (writer, reader) = pipe(Held::take(&meter, PIPE_BYTES_MAX).expect("memory"));
        let (output, input) = (Output::of(Box::new(writer)), Input::of(Box::new(reader)));
        let readers = [input.clone(), input].map(|input| {
            tokio::spawn(async move {
                let mut bytes = 0;
                loop {
                    let piece = input.next(1000).await.expect("bytes");
                    if piece.is_empty() {
                        return bytes;
                    }
                    bytes += piece.len();
                }
            })
        });
        let writers = [output.clone(), output].map(|output| {
            tokio::spawn(async move { output.put(Bytes::from(vec![7; 300_000])).await.expect("somebody reads") })
        });
        for writer in writers {
            writer.await.expect("it ends");
        }
        let mut bytes = 0;
        for reader in readers {
            bytes += reader.await.expect("it ends");
        }
        assert_eq!(bytes, 600_000);
    }
}
