//! What all parts of the proof share.

use crate::chance::Chance;
use handbox_session::{Batch, Entry, Event, EventId, Kind, LogError, Seq, SessionId, SessionLog, Slice, Writer};
use handbox_store::{OpenError, Options, RedbLog, StorageBackend, Surroundings};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

/// Whether the long runs are asked for.
pub(crate) fn is_long() -> bool {
    std::env::var("HANDBOX_PROOF").is_ok_and(|what| what == "long")
}

/// The seed to repeat, or the one that the tests always begin with.
pub(crate) fn seed() -> u64 {
    std::env::var("HANDBOX_PROOF_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1)
}

/// Options under which the index follows often, and only then.
pub(crate) fn options(index_events_max: usize) -> Options {
    Options {
        index_events_max,
        index_time_max: Duration::from_secs(3600),
        reserve_bytes: 0,
        cache_bytes_max: 4 * 1024 * 1024,
        ..Options::standard()
    }
}

pub(crate) fn open(disk: impl StorageBackend, options: Options) -> Result<RedbLog, OpenError> {
    RedbLog::open_with(disk, options, Surroundings::memory())
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread, without a runtime whose threads thousands of logs would only wait for.
pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

pub(crate) type Asked<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Waits for several futures at once.
pub(crate) async fn together<T>(mut asked: Vec<Asked<'_, T>>) -> Vec<T> {
    let mut done: Vec<Option<T>> = asked.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in asked.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let Poll::Ready(value) = future.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// Mints ids that rise, and are the same for the same seed.
#[derive(Debug)]
pub(crate) struct Ids(u128);

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self((1_700_000_000_000 << 80) + (u128::from(seed) << 48))
    }

    pub(crate) fn mint<I: From<u128>>(&mut self) -> I {
        self.0 += 1;
        I::from(self.0)
    }
}

pub(crate) fn event(id: EventId, kind: &str, text: &str) -> Event {
    let members = serde_json::json!({ "text": text });
    Event::new(id, Kind::new(kind).unwrap(), members.as_object().cloned().unwrap()).unwrap()
}

/// Letters that nothing else has.
pub(crate) fn letters(chance: &mut Chance, count: usize) -> String {
    (0..count).map(|_| char::from(b'a' + chance.below(26) as u8)).collect()
}

pub(crate) fn batch(session: SessionId, events: Vec<Event>) -> Batch {
    Batch { session, writer: Writer::Client, after: None, events }
}

pub(crate) fn seq(place: usize) -> Seq {
    Seq::new(place as u64).unwrap()
}

/// All events of a session, read page by page.
pub(crate) async fn all(log: &dyn SessionLog, session: SessionId) -> Result<Vec<Entry>, LogError> {
    let (mut entries, mut from) = (Vec::new(), Some(Seq::FIRST));
    while let Some(first) = from {
        let page = log.read(session, Slice::from(first)).await?;
        entries.extend(page.entries);
        from = page.next;
    }
    Ok(entries)
}
