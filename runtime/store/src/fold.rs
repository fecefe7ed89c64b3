//! Writing down what follows from frames, so that opening need not read them again.

use crate::book::{Book, Slot};
use crate::error::engine;
use crate::gaps;
use crate::inner::Inner;
use crate::known::Known;
use crate::tables::{self, GRAVES, IDS, INDEX, MARKS, META, SESSIONS, SHARES};
use handbox_session::LogError;
use redb::WriteTransaction;

/// Whether it is time to, before a commit of more events.
pub(crate) fn is_due(inner: &Inner) -> bool {
    let book = inner.book();
    let waited = inner.surroundings.clock.now().saturating_sub(book.tail.since);
    let many = book.tail.events.max(book.tail.frames) >= inner.options.index_events_max;
    many || (book.tail.frames > 0 && waited >= inner.options.index_time_max)
}

/// Puts what is in the tail into the tables. The caller calls [`Book::folded`] once that is committed.
pub(crate) fn fold(inner: &Inner, write: &WriteTransaction) -> Result<(), LogError> {
    let book = inner.book();
    spans_and_ids(&book, write)?;
    marks_and_graves(&book, write)?;
    sessions(&book, write)?;
    let mut meta = write.open_table(META).map_err(engine)?;
    let value = tables::seal("meta", b"indexed", book.last_frame);
    meta.insert("indexed", &value).map_err(engine)?;
    // Whoever opens the store looks for them only if there are any.
    let arriving = tables::seal("meta", b"arriving", book.arriving.len() as u64);
    meta.insert("arriving", &arriving).map_err(engine)?;
    Ok(())
}

/// In the order of their keys, so that each page is filled in one go.
fn spans_and_ids(book: &Book, write: &WriteTransaction) -> Result<(), LogError> {
    let mut index = write.open_table(INDEX).map_err(engine)?;
    let mut numbers: Vec<_> = book.tail.spans.iter().collect();
    numbers.sort_unstable_by_key(|(number, _)| **number);
    let mut keys = Vec::new();
    for (number, spans) in numbers {
        for span in spans {
            let key = tables::pair(*number, span.first);
            index.insert(&key, &tables::seal("index", &key, span.frame)).map_err(engine)?;
            keys.push(key);
        }
    }
    gaps::check_inserted(&index, &keys, |key, value| tables::unseal("index", key, value))?;
    let mut ids = write.open_table(IDS).map_err(engine)?;
    let mut events: Vec<_> = book.tail.ids.iter().collect();
    events.sort_unstable_by_key(|(id, _)| **id);
    let mut keys = Vec::new();
    for (id, places) in events {
        for (number, place) in places {
            let key = tables::with_number(id.to_bytes(), *number);
            ids.insert(&key, &tables::seal("ids", &key, *place)).map_err(engine)?;
            keys.push(key);
        }
    }
    keys.sort_unstable();
    gaps::check_inserted(&ids, &keys, |key, value| tables::unseal("ids", key, value))
}

fn marks_and_graves(book: &Book, write: &WriteTransaction) -> Result<(), LogError> {
    let mut marks = write.open_table(MARKS).map_err(engine)?;
    let mut keys = Vec::new();
    for (number, mark, place) in &book.tail.marks {
        let key = tables::mark_key(*number, *mark, *place);
        marks.insert(&key, &tables::seal("marks", &key, *place)).map_err(engine)?;
        keys.push(key);
    }
    keys.sort_unstable();
    gaps::check_inserted(&marks, &keys, |key, value| tables::unseal("marks", key, value))?;
    let mut graves = write.open_table(GRAVES).map_err(engine)?;
    let mut shares = write.open_table(SHARES).map_err(engine)?;
    let mut table = write.open_table(SESSIONS).map_err(engine)?;
    let mut keys = Vec::new();
    for grave in &book.tail.graves {
        let key = tables::with_number(grave.id.to_bytes(), grave.number);
        graves.insert(&key, tables::seal_known("graves", &key, grave).as_slice()).map_err(engine)?;
        keys.push(key);
        table.remove(&grave.id.to_bytes()).map_err(engine)?;
        for link in grave.links.iter() {
            shares.remove(&tables::pair(link.number, grave.number)).map_err(engine)?;
        }
    }
    keys.sort_unstable();
    gaps::check_inserted(&graves, &keys, |key, value| tables::unseal_known("graves", key, value))
}

fn sessions(book: &Book, write: &WriteTransaction) -> Result<(), LogError> {
    let mut table = write.open_table(SESSIONS).map_err(engine)?;
    let mut shares = write.open_table(SHARES).map_err(engine)?;
    let changed = |slot: &&Slot| slot.dirty && !slot.removed;
    let (mut keys, mut shared) = (Vec::new(), Vec::new());
    for known in book.sessions.values().filter(changed).map(|slot| slot.known.as_ref()) {
        let key = known.id.to_bytes();
        let value = tables::seal_known("sessions", &key, known);
        keys.push(key);
        let before = table.insert(&key, value.as_slice()).map_err(engine)?;
        if before.is_none() && !known.links.is_empty() {
            drop(before);
            shared.extend(share(known, &mut shares)?);
        }
    }
    // Sessions come in the order of their ids.
    gaps::check_inserted(&table, &keys, |key, value| tables::unseal_known("sessions", key, value))?;
    shared.sort_unstable();
    gaps::check_inserted(&shares, &shared, |key, value| tables::unseal("shares", key, value))
}

fn share(known: &Known, shares: &mut redb::Table<'_, &[u8; 16], &[u8; 16]>) -> Result<Vec<[u8; 16]>, LogError> {
    let mut keys = Vec::new();
    for link in known.links.iter() {
        let key = tables::pair(link.number, known.number);
        shares.insert(&key, &tables::seal("shares", &key, link.upto)).map_err(engine)?;
        keys.push(key);
    }
    Ok(keys)
}
