//! What the tests share.

use handbox_session::{
    Batch, Entry, Event, EventId, Kind, Minter, NewSession, Seq, SessionId, SessionLog, Slice, Writer,
};
use handbox_store::{FILE, Options, RedbLog};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

static MINTER: Mutex<Option<Minter>> = Mutex::new(None);

fn mint<I: From<u128>>() -> I {
    let mut minter = MINTER.lock().unwrap_or_else(PoisonError::into_inner);
    minter.get_or_insert_default().mint(1_700_000_000_000, [7; 10])
}

pub(crate) fn session() -> SessionId {
    mint()
}

pub(crate) fn event_id() -> EventId {
    mint()
}

pub(crate) fn event_with(id: EventId, kind: &str, text: &str) -> Event {
    let members = serde_json::json!({ "text": text });
    let members = members.as_object().cloned().unwrap();
    Event::new(id, Kind::new(kind).unwrap(), members).unwrap()
}

pub(crate) fn event(text: &str) -> Event {
    event_with(event_id(), "user.message", text)
}

pub(crate) fn batch(session: SessionId, events: Vec<Event>) -> Batch {
    Batch { session, writer: Writer::Client, after: None, events }
}

pub(crate) fn seq(place: u64) -> Seq {
    Seq::new(place).unwrap()
}

/// A session with this many events, `1`, `2`, ….
pub(crate) async fn begin(log: &dyn SessionLog, count: u64) -> SessionId {
    let id = session();
    log.create(NewSession::own(id, vec![event("1")])).await.unwrap();
    for place in 2..=count {
        log.append(vec![batch(id, vec![event(&place.to_string())])]).await.unwrap();
    }
    id
}

pub(crate) async fn all(log: &dyn SessionLog, session: SessionId) -> Vec<Entry> {
    let (mut entries, mut from) = (Vec::new(), Some(Seq::FIRST));
    while let Some(first) = from {
        let page = log.read(session, Slice::from(first)).await.unwrap();
        entries.extend(page.entries);
        from = page.next;
    }
    entries
}

pub(crate) fn texts(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.event.members()["text"].as_str().unwrap().to_owned()).collect()
}

/// Options under which nothing is indexed by itself.
pub(crate) fn lazy() -> Options {
    Options {
        index_events_max: usize::MAX,
        index_time_max: std::time::Duration::from_secs(3600),
        reserve_bytes: 0,
        ..Options::standard()
    }
}

/// What the disk holds while the log is open and at rest, in a folder of its own.
pub(crate) fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    std::fs::copy(folder.join(FILE), copy.path().join(FILE)).unwrap();
    copy
}

pub(crate) fn open(folder: &Path) -> RedbLog {
    RedbLog::open(folder, lazy()).unwrap()
}
