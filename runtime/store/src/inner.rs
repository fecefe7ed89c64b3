//! What the writer and all readers share.

use crate::book::Book;
use crate::error::engine;
use crate::follow::Followers;
use crate::gaps;
use crate::known::Known;
use crate::lease::Leases;
use crate::lock::{Held, Lock};
use crate::options::{Options, Surroundings};
use crate::tables::{self, GRAVES, IDS, MARKS, SESSIONS, SHARES};
use handbox_session::{EventId, LogError, Record, Seq, SessionId};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable};
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) database: Database,
    /// Changed by the writer alone, and never held across a wait.
    book: RwLock<Book>,
    /// Changed by the writer alone.
    pub(crate) leases: Mutex<Leases>,
    pub(crate) followers: Followers,
    pub(crate) options: Options,
    pub(crate) surroundings: Surroundings,
    /// Goes after the database.
    _lock: Option<Lock>,
}

/// Locks that nobody leaves half-changed: what can fail is done before, on copies.
pub(crate) trait Locked<T> {
    fn locked(&self) -> impl DerefMut<Target = T>;
}

impl<T> Locked<T> for Mutex<T> {
    fn locked(&self) -> impl DerefMut<Target = T> {
        self.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which part of the reserve is not to be used.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kept {
    /// All of it, by what adds.
    All,
    /// The last of it, by what orders and frees.
    Last,
}

/// What memory says of a session.
enum Remembered {
    Known(Arc<Known>),
    Removed,
    Nothing,
}

impl Inner {
    pub(crate) fn new(
        Held { database, lock }: Held,
        book: Book,
        leases: Leases,
        (options, surroundings): (Options, Surroundings),
    ) -> Self {
        let followers = Followers::new(options.previews_max);
        let (book, leases) = (RwLock::new(book), Mutex::new(leases));
        Self { database, book, leases, followers, options, surroundings, _lock: lock }
    }

    pub(crate) fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn book_mut(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, LogError> {
        self.database.begin_read().map_err(engine)
    }

    fn remembered(&self, session: SessionId) -> Remembered {
        match self.book().sessions.get(&session) {
            Some(slot) if slot.removed => Remembered::Removed,
            Some(slot) => Remembered::Known(Arc::clone(&slot.known)),
            None => Remembered::Nothing,
        }
    }

    /// Whether there is room for so many bytes, beside a share of what is kept in reserve.
    pub(crate) fn check_space(&self, bytes: u64, kept: Kept) -> Result<(), LogError> {
        let space = &self.surroundings.space;
        let reserve = self.options.reserve_bytes.min(space.size().unwrap_or(u64::MAX) / 8);
        let reserve = match kept {
            Kept::All => reserve,
            Kept::Last => reserve / 8,
        };
        match space.free() {
            Ok(free) if free < reserve.saturating_add(bytes) => Err(LogError::Full(format!(
                "{free} bytes are free, and {reserve} are kept beside what is written; make room and try again"
            ))),
            _ => Ok(()),
        }
    }

    /// What is known of a session that is there for everybody.
    pub(crate) fn known(&self, session: SessionId) -> Result<Arc<Known>, LogError> {
        let known = self.any(session)?;
        if known.arrival.is_none() { Ok(known) } else { Err(LogError::NoSession(session)) }
    }

    /// What is known of a session, also of one that arrives.
    pub(crate) fn any(&self, session: SessionId) -> Result<Arc<Known>, LogError> {
        // Memory first: what it forgets is in the tables before, and the transaction begins after.
        match self.remembered(session) {
            Remembered::Known(known) => Ok(known),
            Remembered::Removed => Err(LogError::NoSession(session)),
            Remembered::Nothing => {
                let read = self.begin_read()?;
                let key = session.to_bytes();
                let table = read.open_table(SESSIONS).map_err(engine)?;
                match gaps::floor(&table, &key, |key, value| tables::unseal_known("sessions", key, value))? {
                    Some((found, known)) if found == key => Ok(Arc::new(known)),
                    _ => Err(LogError::NoSession(session)),
                }
            }
        }
    }

    pub(crate) fn record(&self, session: SessionId) -> Result<Record, LogError> {
        let known = self.known(session)?;
        Ok(self.with_holder(&known))
    }

    pub(crate) fn with_holder(&self, known: &Known) -> Record {
        let now = self.surroundings.clock.now();
        known.record(self.leases.locked().holder(known.id, now).map(str::to_owned))
    }

    /// Sessions below an id, from the newest on.
    pub(crate) fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        let (mut found, passed) = self.remembered_before(before, limit);
        let lowest = found.last().map(|known| known.id);
        let full = found.len() >= limit;
        // Those that arrive are not in `found`, wherever they are.
        let passed_max = limit + passed.len() + self.book().arriving.len();
        let read = self.begin_read()?;
        let table = read.open_table(SESSIONS).map_err(engine)?;
        let upto = before.map_or([u8::MAX; 16], SessionId::to_bytes);
        gaps::floor(&table, &upto, |key, value| tables::unseal_known("sessions", key, value))?;
        let mut last = None;
        for (stored, looked) in table.range::<&[u8; 16]>(..=&upto).map_err(engine)?.rev().zip(0..) {
            let (key, value) = stored.map_err(engine)?;
            let id = SessionId::from_bytes(*key.value());
            if last.replace(id).is_some_and(|last| id >= last) {
                return Err(gaps::disordered());
            }
            // Below the lowest of a full page, or after as many as could be wanted, nothing can be added.
            if looked > passed_max || (full && lowest.is_some_and(|lowest| id < lowest)) {
                break;
            }
            if Some(id) != before && !passed.contains(&id) {
                let known = tables::unseal_known("sessions", key.value(), value.value())?;
                if known.arrival.is_none() {
                    found.push(Arc::new(known));
                }
            }
        }
        found.sort_unstable_by_key(|known| std::cmp::Reverse(known.id));
        found.truncate(limit);
        Ok(found.iter().map(|known| self.with_holder(known)).collect())
    }

    /// The newest sessions that are in memory, and the ids of those and of the removed ones between them.
    fn remembered_before(&self, before: Option<SessionId>, limit: usize) -> (Vec<Arc<Known>>, Vec<SessionId>) {
        let (mut found, mut passed) = (Vec::new(), Vec::new());
        let book = self.book();
        for (id, slot) in book.sessions.iter().rev().filter(|(id, _)| before.is_none_or(|before| **id < before)) {
            if found.len() == limit {
                break;
            }
            passed.push(*id);
            if !slot.removed && slot.known.arrival.is_none() {
                found.push(Arc::clone(&slot.known));
            }
        }
        passed.sort_unstable();
        (found, passed)
    }

    pub(crate) fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        let known = self.known(session)?;
        Ok(self.place_of(&known, event)?.and_then(Seq::new))
    }

    /// Where a session has an event that is durable.
    pub(crate) fn place_of(&self, known: &Known, event: EventId) -> Result<Option<u64>, LogError> {
        if event > known.greatest {
            return Ok(None);
        }
        let theirs = |found: &(u64, u64)| found.1 <= known.head && known.has(found.0, found.1);
        let recent = self.book().tail.ids.get(&event).and_then(|places| places.iter().copied().find(theirs));
        if let Some((_, place)) = recent {
            return Ok(Some(place));
        }
        let read = self.begin_read()?;
        let table = read.open_table(IDS).map_err(engine)?;
        let (low, high) = (tables::with_number(event.to_bytes(), 0), tables::with_number(event.to_bytes(), u64::MAX));
        let found = gaps::within(&table, (&low, &high), |key, value| tables::unseal("ids", key, value))?;
        Ok(found.into_iter().find(|(key, place)| theirs(&(tables::number_of(key), *place))).map(|(_, place)| place))
    }

    /// The latest mark of a sort at or before a place.
    pub(crate) fn mark_before(&self, known: &Known, mark: u8, at: u64) -> Result<Option<Seq>, LogError> {
        let recent: Vec<_> = self.book().tail.marks.iter().filter(|found| found.1 == mark).copied().collect();
        let read = self.begin_read()?;
        let table = read.open_table(MARKS).map_err(engine)?;
        for segment in known.segments(1, at).into_iter().rev() {
            let within = |place: &u64| (segment.first..=segment.last).contains(place);
            let recent = recent.iter().filter(|found| found.0 == segment.number).map(|found| found.2);
            let mut best = recent.filter(within).max();
            let low = tables::mark_key(segment.number, mark, segment.first);
            let high = tables::mark_key(segment.number, mark, segment.last);
            let last = gaps::floor(&table, &high, |key, value| tables::unseal("marks", key, value))?;
            if let Some((_, place)) = last.filter(|(key, _)| *key >= low) {
                best = best.max(Some(place));
            }
            if let Some(best) = best {
                return Ok(Seq::new(best));
            }
        }
        Ok(None)
    }

    /// The numbers under which an id was removed while its frames are still there, as far as the tables know.
    pub(crate) fn graves_of(&self, session: SessionId) -> Result<Vec<u64>, LogError> {
        let (low, high) =
            (tables::with_number(session.to_bytes(), 0), tables::with_number(session.to_bytes(), u64::MAX));
        let read = self.begin_read()?;
        let table = read.open_table(GRAVES).map_err(engine)?;
        let graves = gaps::within(&table, (&low, &high), |key, value| tables::unseal_known("graves", key, value))?;
        Ok(graves.iter().map(|(key, _)| tables::number_of(key)).collect())
    }

    /// The numbers of the sessions that share frames of this one, as far as the tables know, with the last places shared.
    pub(crate) fn sharers(&self, number: u64) -> Result<Vec<(u64, u64)>, LogError> {
        let read = self.begin_read()?;
        sharers(&read.open_table(SHARES).map_err(engine)?, number)
    }
}

pub(crate) fn sharers(
    table: &impl ReadableTable<&'static [u8; 16], &'static [u8; 16]>,
    number: u64,
) -> Result<Vec<(u64, u64)>, LogError> {
    let (low, high) = (tables::pair(number, 0), tables::pair(number, u64::MAX));
    let shares = gaps::within(table, (&low, &high), |key, value| tables::unseal("shares", key, value))?;
    Ok(shares.into_iter().map(|(key, upto)| (tables::unpair(&key).1, upto)).collect())
}
