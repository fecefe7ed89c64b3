//! Frames: a length, what sort it is, which request it belongs to, and a body.
//!
//! ```text
//! u32 length of what follows · u8 sort · u64 request · body        (numbers little-endian, bodies postcard)
//! ```

use bytes::{Buf, Bytes, BytesMut};
use handbox_session::{APPEND_BYTES_MAX, EVENT_BYTES_MAX, PAGE_BYTES_MAX};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Length, sort and request.
const HEADER_BYTES: usize = 4 + 1 + 8;
/// What the length counts beside the body.
const COUNTED_BYTES: usize = 1 + 8;
/// How much is asked of the socket at once. Memory grows with what arrives, never with what a peer announces.
const READ_BYTES: usize = 64 * 1024;

/// The most bytes of a body that carries events to be appended: the most that the log takes at once, and what names the
/// sessions and separates the events.
pub const PUT_BYTES_MAX: usize = APPEND_BYTES_MAX + 1024 * 1024;
/// The most bytes of a body that asks for something. A slice with 15 000 types still fits.
pub const ASK_BYTES_MAX: usize = 1024 * 1024;
/// How long a frame may take from its first byte to its last. Both sides are on one machine.
pub const FRAME_TIME_MAX: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(30) };
/// The most bytes of a preview; a longer one is not sent.
pub const PREVIEW_BYTES_MAX: usize = EVENT_BYTES_MAX;
/// The most bytes of a body from the holder: a page, the event that passed its limit, and what separates its events.
pub const REPLY_BYTES_MAX: usize = PAGE_BYTES_MAX + 2 * EVENT_BYTES_MAX;

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Sort {
    /// To the holder: a request without events, [`Ask`](super::message::Ask).
    Ask = 1,
    /// To the holder: a request with events, [`Put`](super::message::Put).
    Put = 2,
    /// To the holder: begin a tail under this number, [`Follow`](super::message::Follow).
    Follow = 3,
    /// To the holder: the request or tail of this number is not wanted any more.
    Cancel = 4,
    /// To the holder: so many more bytes of the tail of this number may be sent, a `u32`.
    Credit = 5,
    /// To the holder: show this preview to followers, [`Shown`](super::message::Shown).
    Preview = 6,
    /// From the holder: what became of a request, `Result<Answer, LogError>`.
    Reply = 16,
    /// From the holder: what a tail saw, [`Followed`](handbox_session::Followed).
    Followed = 17,
    /// From the holder: why a tail ended, [`LogError`](handbox_session::LogError).
    Ended = 18,
}

impl Sort {
    fn of(byte: u8) -> Option<Self> {
        use Sort::{Ask, Cancel, Credit, Ended, Follow, Followed, Preview, Put, Reply};
        let all = [Ask, Put, Follow, Cancel, Credit, Preview, Reply, Followed, Ended];
        all.into_iter().find(|sort| *sort as u8 == byte)
    }

    fn bytes_max(self) -> usize {
        match self {
            Self::Ask | Self::Follow => ASK_BYTES_MAX,
            Self::Put => PUT_BYTES_MAX,
            Self::Cancel => 0,
            Self::Credit => 8,
            // A session's id and a length stand beside the text, an event's place beside its text.
            Self::Preview => PREVIEW_BYTES_MAX + 64,
            Self::Followed => EVENT_BYTES_MAX.max(PREVIEW_BYTES_MAX) + 64,
            Self::Reply => REPLY_BYTES_MAX,
            Self::Ended => ASK_BYTES_MAX,
        }
    }
}

/// One frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) sort: Sort,
    pub(super) request: u64,
    pub(super) body: Bytes,
    /// What it occupies of the budget of all connections.
    _room: Option<OwnedSemaphorePermit>,
}

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// What came is no frame, or not one that may come here.
    #[error("the peer sent something that this protocol does not have: {0}")]
    Malformed(String),
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
}

impl FrameError {
    pub(super) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed(what.into())
    }
}

impl Frame {
    /// The body as what it should be.
    pub(super) fn decode<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        decode(&self.body)
    }
}

/// A body as what it should be, and nothing behind it.
pub(super) fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(FrameError::malformed(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(FrameError::malformed(error.to_string())),
    }
}

/// A frame as bytes. `Err` has the size of a body that is too large to be sent.
pub(super) fn encode(sort: Sort, request: u64, body: &impl Serialize) -> Result<Vec<u8>, usize> {
    let mut bytes = vec![0; HEADER_BYTES];
    // The types of this protocol all have a form in postcard; should one not, it is told apart by its impossible size.
    bytes = postcard::to_extend(body, bytes).map_err(|_| usize::MAX)?;
    let length = bytes.len() - HEADER_BYTES;
    if length > sort.bytes_max() {
        return Err(length);
    }
    let counted = u32::try_from(length + COUNTED_BYTES).map_err(|_| length)?;
    bytes[..4].copy_from_slice(&counted.to_le_bytes());
    bytes[4] = sort as u8;
    bytes[5..HEADER_BYTES].copy_from_slice(&request.to_le_bytes());
    Ok(bytes)
}

/// A frame without a body.
pub(super) fn bare(sort: Sort, request: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend_from_slice(&(COUNTED_BYTES as u32).to_le_bytes());
    bytes.push(sort as u8);
    bytes.extend_from_slice(&request.to_le_bytes());
    bytes
}

/// Reads frames.
pub(super) struct Frames<R> {
    from: R,
    held: BytesMut,
    /// When the frame that is held in part has to be there.
    late: Option<Instant>,
    /// KiB that large frames occupy, also those of other connections.
    budget: Option<Arc<Semaphore>>,
    room: Option<OwnedSemaphorePermit>,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, held: BytesMut::new(), late: None, budget: None, room: None }
    }

    /// Frames that share a budget with others.
    pub(super) fn within(from: R, budget: Arc<Semaphore>) -> Self {
        Self { budget: Some(budget), ..Self::new(from) }
    }

    /// The next frame; `None` at an end between two frames. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            if let Some(frame) = self.take()? {
                self.late = None;
                return Ok(Some(frame));
            }
            if !self.held.is_empty() {
                self.late.get_or_insert_with(|| Instant::now() + FRAME_TIME_MAX);
            }
            if self.more().await? == 0 {
                return match self.held.len() {
                    0 => Ok(None),
                    _ => Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into())),
                };
            }
        }
    }

    /// Reads on, within the time that the frame has.
    async fn more(&mut self) -> Result<usize, FrameError> {
        let late = self.late;
        let reading = async {
            if let (Some(budget), None, Some(kib)) = (&self.budget, &self.room, large(&self.held)) {
                self.room = Arc::clone(budget).acquire_many_owned(kib).await.ok();
            }
            self.held.reserve(READ_BYTES);
            self.from.read_buf(&mut self.held).await
        };
        let read = match late {
            Some(late) => tokio::time::timeout_at(late, reading).await,
            None => Ok(reading.await),
        };
        let slow = |_| io::Error::new(io::ErrorKind::TimedOut, "a frame did not arrive in time");
        Ok(read.map_err(slow)??)
    }

    fn take(&mut self) -> Result<Option<Frame>, FrameError> {
        let mut header = &self.held[..];
        if header.len() < HEADER_BYTES {
            return Ok(None);
        }
        let (counted, sort, request) = (header.get_u32_le() as usize, header.get_u8(), header.get_u64_le());
        let Some(sort) = Sort::of(sort) else {
            return Err(FrameError::malformed(format!("a frame of sort {sort}")));
        };
        let Some(length) = counted.checked_sub(COUNTED_BYTES) else {
            return Err(FrameError::malformed("a frame shorter than its header"));
        };
        if length > sort.bytes_max() {
            let what = format!("a frame {sort:?} of {length} bytes; the most is {}", sort.bytes_max());
            return Err(FrameError::malformed(what));
        }
        if self.held.len() < HEADER_BYTES + length {
            return Ok(None);
        }
        self.held.advance(HEADER_BYTES);
        let body = self.held.split_to(length).freeze();
        Ok(Some(Frame { sort, request, body, _room: self.room.take() }))
    }
}

/// The KiB of a frame that is large, and of which this is the beginning.
fn large(mut header: &[u8]) -> Option<u32> {
    let length = if header.len() < HEADER_BYTES { 0 } else { header.get_u32_le() };
    (length as usize > READ_BYTES).then(|| length.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;

    #[tokio::test]
    async fn a_frame_survives_any_cut_of_the_stream() {
        let bytes = encode(Sort::Ask, 7, &"some text").expect("small");
        let (mut into, from) = tokio::io::duplex(64);
        tokio::spawn(async move {
            for byte in bytes {
                into.write_all(&[byte]).await.expect("open");
            }
        });
        let mut frames = Frames::new(from);
        let frame = frames.next().await.expect("well-formed").expect("one frame");
        assert_eq!((frame.sort, frame.request), (Sort::Ask, 7));
        assert_eq!(frame.decode::<String>().expect("text"), "some text");
        assert!(frames.next().await.expect("an end between frames").is_none());
    }

    #[tokio::test]
    async fn a_length_is_refused_before_anything_is_kept_for_it() {
        let mut bytes = bare(Sort::Ask, 1);
        bytes[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = Frames::new(&bytes[..]).next().await.expect_err("too long");
        assert!(error.to_string().contains("the most is 1048576"), "{error}");
    }

    #[tokio::test]
    async fn a_frame_that_does_not_go_on_ends_the_connection_and_gives_back_its_room() {
        let budget = Arc::new(Semaphore::new(1000));
        let mut header = bare(Sort::Put, 1);
        header[..4].copy_from_slice(&500_000_u32.to_le_bytes());
        let (mut into, from) = tokio::io::duplex(64);
        let mut frames = Frames::within(from, Arc::clone(&budget));
        into.write_all(&header).await.expect("open");
        let waiting = tokio::time::timeout(FRAME_TIME_MAX / 2, frames.next()).await;
        assert!(waiting.is_err() && budget.available_permits() < 600, "it is on its way");
        let error = frames.next().await.expect_err("it does not come");
        assert!(matches!(&error, FrameError::Io(error) if error.kind() == io::ErrorKind::TimedOut), "{error}");
        drop(frames);
        assert_eq!(budget.available_permits(), 1000);
    }

    #[tokio::test]
    async fn an_end_within_a_frame_is_an_error() {
        let bytes = encode(Sort::Ask, 1, &"cut").expect("small");
        let error = Frames::new(&bytes[..bytes.len() - 1]).next().await.expect_err("cut off");
        assert!(matches!(error, FrameError::Io(_)), "{error}");
    }

    #[test]
    fn what_stands_behind_a_body_is_refused() {
        assert!(decode::<u8>(&[1, 2]).is_err());
    }

    #[test]
    fn what_is_too_large_is_not_encoded() {
        assert_eq!(encode(Sort::Credit, 1, &[0_u8; 9]), Err(9));
    }
}
