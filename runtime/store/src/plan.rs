//! What the next commit will hold: each request is checked against what is durable and what the commit holds already.

use crate::book::Note;
use crate::error::store;
use crate::frame::{self, Header, Origin, What};
use crate::inner::{Inner, Kept, Locked};
use crate::known::{self, Known};
use crate::read;
use handbox_session::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, Arrival, Batch, Chain, ChainError, Epoch, Event, EventId, Fork, LINEAGE_MAX,
    LogError, NewSession, Places, Record, Seq, SessionId, Ticket, Writer, genesis,
};
use std::collections::HashMap;
use std::time::Duration;

/// What requests change.
#[derive(Debug, Default)]
struct Changes {
    /// Sessions as they will be; `None` for one that goes.
    sessions: HashMap<SessionId, Option<Known>>,
    ids: HashMap<EventId, Vec<(u64, u64)>>,
    frames: Vec<(u64, Vec<u8>)>,
    notes: Vec<Note>,
    bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Plan<'a> {
    inner: &'a Inner,
    now: Duration,
    last_frame: u64,
    agreed: Changes,
    /// What the request that is being checked would change.
    trial: Changes,
}

fn refused(what: impl ToString) -> LogError {
    LogError::Refused(what.to_string())
}

/// A session that shares nothing.
fn own(lineage: Vec<Fork>, arrival: Option<Arrival>) -> Origin {
    let none = EventId::from_bytes([0; 16]);
    Origin { lineage, links: Vec::new(), last: none, greatest: none, checkpoint: None, compaction: None, arrival }
}

/// Whether a session may be as it would be after a request, if it arrives.
fn check_arrival(known: &Known, arrival: Option<Arrival>) -> Result<(), LogError> {
    let head = Seq::new(known.head).unwrap_or(Seq::FIRST);
    arrival.map_or(Ok(()), |arrival| arrival.check(known.id, head, known.hash))
}

/// Whether events are few and small enough for one call.
pub(crate) fn check_size<'a>(events: impl Iterator<Item = &'a Event>) -> Result<usize, LogError> {
    let (count, bytes) = events.fold((0, 0), |(count, bytes), event| (count + 1, bytes + event.json().len()));
    if count > APPEND_EVENTS_MAX || bytes > APPEND_BYTES_MAX {
        return Err(refused(format!(
            "{count} events of {bytes} bytes at once; the most are {APPEND_EVENTS_MAX} events and {APPEND_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}

impl<'a> Plan<'a> {
    pub(crate) fn new(inner: &'a Inner) -> Self {
        let (now, last_frame) = (inner.surroundings.clock.now(), inner.book().last_frame);
        Self { inner, now, last_frame, agreed: Changes::default(), trial: Changes::default() }
    }

    /// Whether there is room for what the request adds. What takes away is not asked: it makes room.
    fn check_space(&self) -> Result<(), LogError> {
        if self.trial.frames.is_empty() {
            return Ok(());
        }
        self.inner.check_space((self.agreed.bytes + self.trial.bytes) as u64, Kept::All)
    }

    /// Whether it depends on the commit that there is such a session, or that there is none.
    pub(crate) fn decides(&self, session: SessionId) -> bool {
        match self.agreed.sessions.get(&session) {
            None => false,
            Some(None) => true,
            Some(Some(_)) => self.inner.known(session).is_err(),
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<(u64, Vec<u8>)>, Vec<Note>) {
        (self.agreed.frames, self.agreed.notes)
    }

    /// Begins with a request. What another that failed left is dropped.
    fn begin(&mut self) {
        self.trial = Changes::default();
    }

    /// The request is done as a whole.
    fn agree(&mut self) {
        let trial = std::mem::take(&mut self.trial);
        self.last_frame += trial.frames.len() as u64;
        self.agreed.sessions.extend(trial.sessions);
        for (id, places) in trial.ids {
            self.agreed.ids.entry(id).or_default().extend(places);
        }
        self.agreed.frames.extend(trial.frames);
        self.agreed.notes.extend(trial.notes);
        self.agreed.bytes += trial.bytes;
    }

    /// A session that is there for everybody.
    fn known(&self, session: SessionId) -> Result<Known, LogError> {
        self.any(session).and_then(|known| match known.arrival {
            None => Ok(known),
            Some(_) => Err(LogError::NoSession(session)),
        })
    }

    fn any(&self, session: SessionId) -> Result<Known, LogError> {
        match self.trial.sessions.get(&session) {
            Some(known) => known.clone().ok_or(LogError::NoSession(session)),
            None => self.before(session),
        }
    }

    /// A session as it is before this request.
    fn before(&self, session: SessionId) -> Result<Known, LogError> {
        match self.agreed.sessions.get(&session) {
            Some(known) => known.clone().ok_or(LogError::NoSession(session)),
            None => self.inner.any(session).map(|known| known.as_ref().clone()),
        }
    }

    /// The arrival of a session that this writer may write; `None` if it is there for everybody.
    fn arrival(&self, session: SessionId, writer: Writer) -> Result<Option<Arrival>, LogError> {
        let arrival = self.before(session)?.arrival;
        let admitted = match writer {
            Writer::Arriving(ticket) => arrival.is_some_and(|arrival| arrival.ticket == ticket),
            Writer::Client | Writer::Brain(_) => arrival.is_none(),
        };
        if admitted { Ok(arrival) } else { Err(LogError::NoSession(session)) }
    }

    pub(crate) fn append(&mut self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        self.begin();
        check_size(batches.iter().flat_map(|batch| &batch.events))?;
        let answer = batches.into_iter().map(|batch| self.batch(batch)).collect::<Result<_, _>>()?;
        self.check_space()?;
        self.agree();
        Ok(answer)
    }

    fn batch(&mut self, batch: Batch) -> Result<Option<Places>, LogError> {
        let arrival = self.arrival(batch.session, batch.writer)?;
        let known = self.any(batch.session)?;
        if let Writer::Brain(epoch) = batch.writer {
            self.inner.leases.locked().admit(batch.session, epoch, self.now)?;
        }
        let head = Seq::new(known.head).unwrap_or(Seq::FIRST);
        if batch.after.is_some_and(|after| after != head) {
            return Err(LogError::Moved { session: batch.session, head });
        }
        if batch.events.is_empty() {
            return Ok(None);
        }
        let last = head.plus(batch.events.len() as u64);
        let known = self.put(known, What::Events, frame::epoch(batch.writer), &batch.events)?;
        check_arrival(&known, arrival)?;
        Ok(Some(Places { first: head.plus(1), last }))
    }

    pub(crate) fn create(&mut self, new: NewSession) -> Result<Record, LogError> {
        self.begin();
        check_size(new.events.iter())?;
        self.check_free(new.id)?;
        new.check()?;
        let origin = match new.fork {
            Some((parent, at)) => self.fork(parent, at)?,
            None => own(new.lineage, new.arrival),
        };
        let chain = Chain::new(new.id, origin.lineage.clone()).map_err(refused)?;
        let hash = if origin.links.is_empty() { chain.hash() } else { genesis(new.id, origin.lineage.last()) };
        let known = Known::begin(new.id, self.last_frame + 1, &origin, hash);
        let what = What::Create(origin);
        let known = self.put(known, what, Epoch(0), &new.events)?;
        check_arrival(&known, new.arrival)?;
        self.check_space()?;
        self.agree();
        Ok(known.record(None))
    }

    /// Whether an id can be given to a session.
    fn check_free(&self, session: SessionId) -> Result<(), LogError> {
        match self.any(session) {
            Ok(known) if known.arrival.is_some() => {
                return Err(refused(format!("the session {session} is being imported; wait until it has arrived")));
            }
            Ok(_) => return Err(refused(format!("there is a session {session} already"))),
            Err(LogError::NoSession(_)) => {}
            Err(error) => return Err(error),
        }
        let mut numbers = self.inner.graves_of(session)?;
        let book = self.inner.book();
        numbers.extend(book.tail.graves.iter().filter(|grave| grave.id == session).map(|grave| grave.number));
        drop(book);
        numbers.extend(self.agreed.notes.iter().filter(|n| n.removes && n.known.id == session).map(|n| n.known.number));
        for number in numbers {
            if self.is_shared(number)? {
                return Err(refused(format!("forks of an earlier session {session} still share its events")));
            }
        }
        Ok(())
    }

    /// Whether a living session has frames of this one. It is asked for ids that were removed, which is rare.
    fn is_shared(&self, number: u64) -> Result<bool, LogError> {
        let book = self.inner.book();
        let shares = |known: &Known| known.links.iter().any(|link| link.number == number);
        let agreed = &self.agreed.sessions;
        let lives = |known: &Known| agreed.get(&known.id).is_none_or(Option::is_some);
        let recent = book.sessions.values().filter(|slot| !slot.removed).map(|slot| slot.known.as_ref());
        if recent.filter(|known| lives(known)).any(shares) || agreed.values().flatten().any(shares) {
            return Ok(true);
        }
        let gone = |sharer: u64| {
            book.tail.graves.iter().any(|grave| grave.number == sharer)
                || self.agreed.notes.iter().any(|note| note.removes && note.known.number == sharer)
        };
        Ok(self.inner.sharers(number)?.into_iter().any(|(sharer, _)| !gone(sharer)))
    }

    /// A fork of what is durable of a session.
    fn fork(&self, parent: SessionId, at: Seq) -> Result<Origin, LogError> {
        self.known(parent)?;
        let origin = self.inner.known(parent)?;
        if at.get() > origin.head {
            let head = origin.head;
            return Err(refused(format!("no place {at} to fork at: session {parent} ends at {head}")));
        }
        if origin.lineage.len() >= LINEAGE_MAX {
            return Err(refused(format!("a fork of {LINEAGE_MAX} forks of each other; fork an older one")));
        }
        let (last, hash) = read::event_at(self.inner, &origin, at.get())?;
        Ok(Origin {
            lineage: Fork::lineage(parent, &origin.lineage, at, hash),
            links: origin.links_at(at.get()),
            last,
            // Of the whole parent, which is no less than that of the part.
            greatest: origin.greatest,
            checkpoint: self.inner.mark_before(&origin, known::CHECKPOINT, at.get())?,
            compaction: self.inner.mark_before(&origin, known::COMPACTION, at.get())?,
            arrival: None,
        })
    }

    pub(crate) fn remove(&mut self, session: SessionId) -> Result<(), LogError> {
        self.begin();
        let known = self.known(session)?;
        self.inner.leases.locked().check_free(session, self.now)?;
        self.put(known, What::Remove, Epoch(0), &[])?;
        self.trial.sessions.insert(session, None);
        self.agree();
        Ok(())
    }

    /// Takes away what there is of a session that arrives; of any, if nobody says under which ticket.
    pub(crate) fn abandon(&mut self, session: SessionId, ticket: Option<Ticket>) -> Result<(), LogError> {
        self.begin();
        let known = self.any(session)?;
        if known.arrival.is_none_or(|arrival| ticket.is_some_and(|ticket| ticket != arrival.ticket)) {
            return Err(LogError::NoSession(session));
        }
        self.put(known, What::Remove, Epoch(0), &[])?;
        self.trial.sessions.insert(session, None);
        self.agree();
        Ok(())
    }

    /// Whether there is such a session, also for what only concerns leases.
    pub(crate) fn check_session(&self, session: SessionId) -> Result<(), LogError> {
        self.known(session).map(|_| ())
    }

    /// Puts events into as many frames as they need, the first of which says what this is.
    fn put(&mut self, mut known: Known, what: What, epoch: Epoch, events: &[Event]) -> Result<Known, LogError> {
        self.check_new(&known, events)?;
        let mut what = Some(what);
        let mut rest = events;
        while let Some(what) = what.take().or_else(|| (!rest.is_empty()).then_some(What::Events)) {
            let fork = known.awaited().copied();
            let upto = fork.map_or(u64::MAX, |fork| fork.at.get() - known.head);
            let count = frame::fitting(rest).min(usize::try_from(upto).unwrap_or(usize::MAX));
            let (now, later) = rest.split_at(count);
            rest = later;
            let number = self.last_frame + 1 + self.trial.frames.len() as u64;
            let removes = what == What::Remove;
            let first = known.head + 1;
            let header = Header { what, session: known.id, number: known.number, first, epoch, before: known.hash };
            let (bytes, after) = frame::encode(number, &header, now);
            if let Some(fork) = fork.filter(|fork| fork.at.get() == known.head + count as u64 && fork.hash != after) {
                return Err(refused(ChainError::Fork { fork }));
            }
            let marks: Vec<_> = now.iter().map(|event| (event.id(), known::mark(event.kind().as_str()))).collect();
            known.take(marks.iter().copied(), after);
            self.trial.bytes += bytes.len();
            self.trial.frames.push((number, bytes));
            self.trial.notes.push(Note { frame: number, known: known.clone(), removes, events: marks });
        }
        self.trial.sessions.insert(known.id, Some(known.clone()));
        Ok(known)
    }

    /// Whether none of the events' ids is in the session, and none comes twice.
    fn check_new(&mut self, known: &Known, events: &[Event]) -> Result<(), LogError> {
        let mut greatest = known.greatest;
        for (event, place) in events.iter().zip(known.head + 1..) {
            let id = event.id();
            // Ids rise as a rule, and one that is greater than all before cannot be among them.
            if id > greatest {
                greatest = id;
            } else if self.has(known, id)? {
                return Err(refused(format!("the session {} has the event {id} already", known.id)));
            }
            if place == u64::MAX {
                return Err(store("a session without end"));
            }
            self.trial.ids.entry(id).or_default().push((known.number, place));
        }
        Ok(())
    }

    fn has(&self, known: &Known, id: EventId) -> Result<bool, LogError> {
        let planned = [&self.trial, &self.agreed].into_iter().filter_map(|changes| changes.ids.get(&id)).flatten();
        // Forks are of durable places only, so what is planned is of the session itself.
        if planned.into_iter().any(|(number, _)| *number == known.number) {
            return Ok(true);
        }
        self.inner.place_of(known, id).map(|place| place.is_some())
    }
}
