//! What the holder does for one request or one tail.

use super::connection::{Desk, TAIL_WINDOW_BYTES, ended};
use super::frame::{Frame, FrameError, Sort, decode, encode};
use super::message::{Answer, Ask, Put, Reply};
use bytes::Bytes;
use handbox_session::{LogError, NewSession, PAGE_BYTES_MAX, Record, Seq, SessionId, SessionLog, Slice};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// From this many bytes on a body is read on a thread for such work, as parsing its events takes long.
const DECODE_INLINE_BYTES: usize = 64 * 1024;

/// Does what a frame asks and sends what became of it.
pub(super) async fn answer(desk: &Desk, frame: Frame) {
    let request = frame.request;
    let done = match frame.sort {
        Sort::Put => put(desk, frame.body).await.map(|reply| (reply, None)),
        _ => match frame.decode() {
            Ok(Ask::Read(session, slice)) => read(desk, session, slice).await,
            Ok(ask) => {
                if matches!(ask, Ask::Claim(..)) {
                    desk.pulse.keep();
                }
                Ok((perform(&*desk.log, ask).await, None))
            }
            Err(error) => Err(error),
        },
    };
    match done {
        // A log whose disk failed takes nothing more until it is opened anew, which the next holder does. Its client looks
        // there what became of this.
        Ok((Err(LogError::ReadOnly(_) | LogError::Unavailable(_)), _)) => desk.lose_log(),
        Ok((done, page)) => reply(desk, request, &done, page).await,
        Err(_) => desk.break_off(),
    }
}

/// Sends what became of a request.
pub(super) async fn reply(desk: &Desk, request: u64, reply: &Reply, page: Option<OwnedSemaphorePermit>) {
    let frame = encode(Sort::Reply, request, reply).or_else(|bytes| {
        let what = format!("the answer has {bytes} bytes, which is too much for the socket; ask for less");
        encode(Sort::Reply, request, &Reply::Err(LogError::Refused(what)))
    });
    match frame {
        Ok(frame) => desk.send(frame, page).await,
        Err(_) => desk.break_off(),
    }
}

async fn put(desk: &Desk, body: Bytes) -> Result<Reply, FrameError> {
    Ok(match decode_apart(body).await? {
        Put::Append(batches) => desk.log.append(batches).await.map(Answer::Appended),
        Put::Create { id, fork, lineage, arrival, events } => {
            if arrival.is_some() {
                desk.pulse.keep();
            }
            desk.log.create(NewSession { id, fork, lineage, arrival, events }).await.map(Answer::Created)
        }
    })
}

async fn perform(log: &dyn SessionLog, ask: Ask) -> Reply {
    Ok(match ask {
        Ask::Read(session, slice) => Answer::Page(log.read(session, slice).await?),
        Ask::Find(session, event) => Answer::Found(log.find(session, event).await?),
        Ask::Record(session) => Answer::Record(log.record(session).await?),
        Ask::Sessions(before, limit) => Answer::Sessions(fitting(log.sessions(before, limit as usize).await?)),
        Ask::Remove(session) => log.remove(session).await.map(|()| Answer::Done)?,
        Ask::Claim(session, holder, time) => Answer::Claimed(log.claim(session, &holder, time).await?),
        Ask::Renew(lease, time) => log.renew(&lease, time).await.map(|()| Answer::Done)?,
        Ask::Release(lease) => log.release(&lease).await.map(|()| Answer::Done)?,
        Ask::Abandon(session, ticket) => log.abandon(session, ticket).await.map(|()| Answer::Done)?,
    })
}

/// As many records as fit one answer, at least one; the client asks for the rest.
fn fitting(mut records: Vec<Record>) -> Vec<Record> {
    // A fork has a place, a hash of 64 digits and an id.
    let size = |record: &Record| 512 + record.holder.as_ref().map_or(0, String::len) + 128 * record.lineage.len();
    let mut bytes = 0;
    let fits = records.iter().take_while(|record| {
        bytes += size(record);
        bytes <= PAGE_BYTES_MAX
    });
    let count = fits.count().max(1);
    records.truncate(count);
    records
}

/// Reads a page while there is room for one; the room is given back once it is sent.
async fn read(
    desk: &Desk,
    session: SessionId,
    slice: Slice,
) -> Result<(Reply, Option<OwnedSemaphorePermit>), FrameError> {
    let closed = |_| FrameError::malformed("the connection ends");
    let room = Arc::clone(&desk.pages).acquire_owned().await.map_err(closed)?;
    Ok((perform(&*desk.log, Ask::Read(session, slice)).await, Some(room)))
}

/// Follows a session until it ends or the task does.
pub(super) async fn follow(desk: &Desk, request: u64, session: SessionId, after: Option<Seq>, window: &Semaphore) {
    let mut tail = match desk.log.tail(session, after).await {
        Ok(tail) => tail,
        Err(error) => return reply(desk, request, &Err(error), None).await,
    };
    reply(desk, request, &Ok(Answer::Following), None).await;
    loop {
        let followed = match tail.next().await {
            Ok(followed) => followed,
            Err(error) => return desk.send(ended(request, &error), None).await,
        };
        let frame = match encode(Sort::Followed, request, &followed) {
            Ok(frame) => frame,
            // A preview may be lost; an event is never so large.
            Err(_) => continue,
        };
        // A follower that takes nothing holds up only this task.
        match window.acquire_many(cost(frame.len())).await {
            Ok(permit) => permit.forget(),
            Err(_) => return,
        }
        desk.send(frame, None).await;
    }
}

/// What a frame of a tail costs of its window. One that is larger than the window costs all of it.
pub(super) fn cost(frame_bytes: usize) -> u32 {
    u32::try_from(frame_bytes.min(TAIL_WINDOW_BYTES)).unwrap_or(u32::MAX)
}

/// A body as what it should be, on another thread if it is large.
pub(super) async fn decode_apart<T: DeserializeOwned + Send + 'static>(body: Bytes) -> Result<T, FrameError> {
    if body.len() < DECODE_INLINE_BYTES {
        return decode(&body);
    }
    let decoded = tokio::task::spawn_blocking(move || decode(&body)).await;
    decoded.unwrap_or_else(|_| Err(FrameError::malformed("a body that cannot be read")))
}
