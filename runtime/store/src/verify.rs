//! Reading all there is, and saying what is not as it was written.

use crate::error::{engine, event, guard, store};
use crate::frame::{Frame, What};
use crate::gaps;
use crate::known::{self, Known};
use crate::open::meta;
use crate::tables::{self, FRAMES, GRAVES, IDS, INDEX, MARKS, META, SESSIONS, SHARES};
use handbox_session::{Damage, Hash, LogError, Seq, SessionId, genesis};
use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, ReadableTableMetadata};
use std::collections::{HashMap, HashSet};

/// What [`RedbLog::verify`](crate::RedbLog::verify) found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The first damage of each session, and what is wrong with the store itself. Empty if all is well.
    pub damages: Vec<Damage>,
    /// The sessions with their last places and hashes, as far as their frames can be read, by id.
    pub heads: Vec<(SessionId, Seq, Hash)>,
    /// How many events were read.
    pub events: u64,
    /// How many frames hold them.
    pub frames: u64,
}

pub(crate) fn database(database: &Database) -> Result<Verdict, LogError> {
    guard(|| {
        let read = database.begin_read().map_err(engine)?;
        let mut walk = Walk::new(&read)?;
        // What cannot be read any further is a damage like any other.
        if let Err(LogError::Damaged(damage)) = guard(|| walk.run(&read)) {
            walk.verdict.damages.push(damage);
        }
        Ok(walk.finish())
    })
}

struct Walk {
    verdict: Verdict,
    sessions: HashMap<u64, Known>,
    /// Sessions of which a damage is told already.
    told: HashSet<SessionId>,
    indexed: u64,
    /// What the index should hold.
    spans: u64,
    ids: u64,
    /// Session's number, sort, place.
    marks: Vec<(u64, u8, u64)>,
    graves: HashSet<u64>,
}

impl Walk {
    fn new(read: &ReadTransaction) -> Result<Self, LogError> {
        let indexed = meta(&read.open_table(META).map_err(engine)?, "indexed")?.unwrap_or(0);
        let mut graves = HashSet::new();
        for stored in read.open_table(GRAVES).map_err(engine)?.range::<&[u8; 24]>(..).map_err(engine)? {
            let (key, value) = stored.map_err(engine)?;
            tables::unseal_known("graves", key.value(), value.value())?;
            graves.insert(tables::number_of(key.value()));
        }
        let (verdict, sessions, told) = (Verdict::default(), HashMap::new(), HashSet::new());
        Ok(Self { verdict, sessions, told, indexed, spans: 0, ids: 0, marks: Vec::new(), graves })
    }

    fn run(&mut self, read: &ReadTransaction) -> Result<(), LogError> {
        let index = read.open_table(INDEX).map_err(engine)?;
        let ids = read.open_table(IDS).map_err(engine)?;
        let mut compared = false;
        let frames = read.open_table(FRAMES).map_err(engine)?;
        for stored in frames.range::<u64>(..).map_err(engine)? {
            let (number, bytes) = stored.map_err(engine)?;
            let number = number.value();
            if number > self.indexed && !compared {
                compared = true;
                self.compare(read)?;
            }
            self.verdict.frames += 1;
            let frame = Frame::decode(number, bytes.value()).and_then(|frame| Ok((frame.after()?, frame)));
            match frame {
                Err(broken) => {
                    let session = session_in(bytes.value());
                    let known = self.sessions.values().find(|known| Some(known.id) == session);
                    let store = || store(broken.what(number));
                    self.tell(known.map_or_else(store, |known| broken.damage(number, known.id, known.head)));
                }
                Ok((after, frame)) => {
                    self.take(number, &frame, after);
                    // A reader comes by the number, and not from the frame before.
                    if frames.get(number).map_err(engine)?.is_none() {
                        self.tell(store(format!("frame {number} is not where it is looked for")));
                    }
                    if number <= self.indexed {
                        self.check_derived(number, &frame, &index, &ids)?;
                    }
                }
            }
        }
        if compared { Ok(()) } else { self.compare(read) }
    }

    fn tell(&mut self, error: LogError) {
        let LogError::Damaged(damage) = error else { return };
        let first = match &damage {
            Damage::Event { session, .. } => self.told.insert(*session),
            Damage::Store(_) => true,
        };
        if first {
            self.verdict.damages.push(damage);
        }
    }

    /// Follows the chain of the frame's session.
    fn take(&mut self, number: u64, frame: &Frame<'_>, after: Hash) {
        let header = &frame.header;
        self.verdict.events += frame.items.len() as u64;
        let mut known = match &header.what {
            What::Create(origin) => {
                let known = Known::begin(header.session, number, origin, header.before);
                let last = origin.lineage.last();
                let first = origin.lineage.first().map_or(header.session, |fork| fork.session);
                let begin = if origin.links.is_empty() { genesis(first, None) } else { genesis(header.session, last) };
                if begin != header.before {
                    self.tell(event(header.session, header.first, "it is not chained to its beginning"));
                }
                known
            }
            What::Events | What::Remove => match self.sessions.remove(&header.number) {
                Some(known) => known,
                // The rest of one that was removed, while it is being freed; or of one whose beginning is damaged.
                None => return self.orphan(frame),
            },
        };
        if known.head + 1 != header.first || known.hash != header.before {
            let place = header.first.min(known.head + 1);
            if !self.graves.contains(&header.number) {
                self.tell(event(header.session, place, "it is missing, or not chained to what comes before it"));
            }
            (known.head, known.hash) = (header.first - 1, header.before);
        }
        known.take(frame.items.iter().map(|item| (item.id, known::mark(item.kind))), after);
        if header.what != What::Remove {
            self.sessions.insert(header.number, known);
        }
    }

    fn orphan(&mut self, frame: &Frame<'_>) {
        if !self.graves.contains(&frame.header.number) {
            self.tell(event(frame.header.session, frame.header.first, "the session's beginning is missing"));
        }
    }

    fn check_derived(
        &mut self,
        number: u64,
        frame: &Frame<'_>,
        index: &impl ReadableTable<&'static [u8; 16], &'static [u8; 16]>,
        ids: &impl ReadableTable<&'static [u8; 24], &'static [u8; 16]>,
    ) -> Result<(), LogError> {
        let header = &frame.header;
        if !frame.items.is_empty() || header.what == What::Remove {
            self.spans += 1;
            let key = tables::pair(header.number, header.first);
            // From its last place, as a reader comes who wants only that.
            let last = tables::pair(header.number, frame.last().max(header.first));
            let found = gaps::floor(index, &last, |key, value| tables::unseal("index", key, value));
            if found != Ok(Some((key, number))) {
                self.tell(event(header.session, header.first, "the index does not lead to it"));
            }
        }
        for (item, place) in frame.items.iter().zip(header.first..) {
            self.ids += 1;
            let mark = known::mark(item.kind);
            if mark > 0 {
                self.marks.push((header.number, mark, place));
            }
            let key = tables::with_number(item.id.to_bytes(), header.number);
            let found = ids.get(&key).map_err(engine)?;
            let found = found.map(|value| tables::unseal("ids", &key, value.value())).transpose();
            if found != Ok(Some(place)) {
                self.tell(event(header.session, place, "its id does not lead to it"));
            }
        }
        Ok(())
    }

    /// Compares the tables with the frames up to where they go.
    fn compare(&mut self, read: &ReadTransaction) -> Result<(), LogError> {
        let mut expected: HashMap<SessionId, Known> = self
            .sessions
            .values()
            .filter(|known| !self.graves.contains(&known.number))
            .map(|k| (k.id, k.clone()))
            .collect();
        let table = read.open_table(SESSIONS).map_err(engine)?;
        for stored in table.range::<&[u8; 16]>(..).map_err(engine)? {
            let (key, value) = stored.map_err(engine)?;
            let sought = gaps::floor(&table, key.value(), |key, value| tables::unseal_known("sessions", key, value))?;
            if sought.is_none_or(|(found, _)| found != *key.value()) {
                self.tell(store("a record is not where it is looked for"));
            }
            let id = SessionId::from_bytes(*key.value());
            let found = tables::unseal_known("sessions", key.value(), value.value());
            let known = expected.remove(&id);
            if found.as_ref().ok() != known.as_ref() {
                let place = known.map_or(1, |known| known.head);
                self.tell(event(id, place, "its record does not say what its events do"));
            }
        }
        for known in expected.into_values() {
            self.tell(event(known.id, known.head, "it has no record"));
        }
        self.compare_rest(read)?;
        let lengths = (
            read.open_table(INDEX).map_err(engine)?.len().map_err(engine)?,
            read.open_table(IDS).map_err(engine)?.len().map_err(engine)?,
        );
        if lengths != (self.spans, self.ids) && self.verdict.damages.is_empty() {
            self.tell(store("the index holds what no frame does"));
        }
        Ok(())
    }

    /// Compares what forks and those who free frames look for.
    fn compare_rest(&mut self, read: &ReadTransaction) -> Result<(), LogError> {
        let (marks, shares) = (read.open_table(MARKS).map_err(engine)?, read.open_table(SHARES).map_err(engine)?);
        for (number, mark, place) in std::mem::take(&mut self.marks) {
            let key = tables::mark_key(number, mark, place);
            let found = gaps::floor(&marks, &key, |key, value| tables::unseal("marks", key, value))?;
            if found != Some((key, place)) {
                self.tell(store("a mark does not lead to its event"));
            }
        }
        for stored in marks.range::<&[u8; 17]>(..).map_err(engine)? {
            let (key, value) = stored.map_err(engine)?;
            tables::unseal("marks", key.value(), value.value())?;
        }
        for known in self.sessions.values().filter(|known| !self.graves.contains(&known.number)) {
            for link in known.links.iter() {
                let key = tables::pair(link.number, known.number);
                let found = gaps::floor(&shares, &key, |key, value| tables::unseal("shares", key, value))?;
                if found != Some((key, link.upto)) {
                    return Err(store("what a fork shares is not noted"));
                }
            }
        }
        for stored in shares.range::<&[u8; 16]>(..).map_err(engine)? {
            let (key, value) = stored.map_err(engine)?;
            tables::unseal("shares", key.value(), value.value())?;
        }
        Ok(())
    }

    fn finish(self) -> Verdict {
        let mut verdict = self.verdict;
        let living = self.sessions.into_values().filter(|known| !self.graves.contains(&known.number));
        let living = living.filter(|known| known.arrival.is_none());
        let head = |known: Known| Seq::new(known.head).map(|head| (known.id, head, known.hash));
        verdict.heads = living.filter_map(head).collect();
        verdict.heads.sort_unstable_by_key(|(id, ..)| *id);
        verdict
    }
}

/// The session that a damaged frame names, if it does.
pub(crate) fn session_in(bytes: &[u8]) -> Option<SessionId> {
    Some(SessionId::from_bytes(bytes.get(14..30)?.try_into().ok()?))
}
