//! Whether a log that may be damaged gives the right answers, or says that it is.

use crate::disk::Disk;
use crate::oracle::{Shown, show};
use crate::support::{Ids, all, batch, event, open, options, wait};
use handbox_session::{
    Damage, Entry, EventId, Kind, LogError, NewSession, Order, Record, Seq, SessionId, SessionLog, Slice,
};
use handbox_store::{OpenError, RedbLog};
use std::collections::BTreeMap;

/// What a log answers while it is whole.
pub(crate) struct Answers {
    shown: Shown,
    records: BTreeMap<SessionId, Record>,
    heads: Vec<(SessionId, Seq, handbox_session::Hash)>,
}

/// How much of it was said to be damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// Nothing: all answers were right.
    Nothing,
    /// Only the check of all there is found something, which no answer needed.
    Verify,
    /// An event, by session and place.
    Event,
    /// The store.
    Store,
    /// It does not open.
    Opening,
}

/// What was asked so far.
struct Asking<'a> {
    log: &'a RedbLog,
    told: Told,
    /// Whether only what is not there was in doubt.
    beside: bool,
    answers: &'a Answers,
}

impl Answers {
    pub(crate) fn of(image: &[u8]) -> Self {
        let log = open(Disk::holding(image.to_vec()), options(usize::MAX)).unwrap();
        let shown = show(&log).unwrap();
        let records = wait(log.sessions(None, usize::MAX)).unwrap();
        let records = records.into_iter().map(|record| (record.id, record)).collect();
        let verdict = log.verify().unwrap();
        assert_eq!(verdict.damages, []);
        Self { shown, records, heads: verdict.heads }
    }

    /// Asks a log that holds this. A wrong answer is the error.
    pub(crate) fn check(&self, image: Vec<u8>) -> Result<Told, String> {
        let log = match open(Disk::holding(image), options(usize::MAX)) {
            Ok(log) => log,
            Err(OpenError::Log(_) | OpenError::Io(_) | OpenError::Newer { .. }) => return Ok(Told::Opening),
            Err(error) => return Err(format!("opening: {error}")),
        };
        let mut asking = Asking { log: &log, told: Told::Nothing, beside: true, answers: self };
        wait(asking.ask())?;
        asking.verify()?;
        wait(asking.change())?;
        Ok(asking.told)
    }
}

impl Asking<'_> {
    /// Compares an answer with the right one; saying that it cannot be given is right too.
    fn right<T: PartialEq + std::fmt::Debug>(
        &mut self,
        what: &str,
        answer: Result<T, LogError>,
        right: &Result<T, LogError>,
    ) -> Result<(), String> {
        match answer {
            Err(LogError::Damaged(damage)) => {
                self.beside &= matches!(right, Err(LogError::NoSession(_))) || what == "find nothing";
                self.damaged(what, &damage)
            }
            // The engine reads nothing more after it failed to.
            Err(LogError::ReadOnly(_)) if right.is_ok() => {
                self.told = self.told.max(Told::Store);
                Ok(())
            }
            answer if answer == *right => Ok(()),
            answer => Err(format!("{what}: {answer:.300?}, not {right:.300?}")),
        }
    }

    fn damaged(&mut self, what: &str, damage: &Damage) -> Result<(), String> {
        match damage {
            Damage::Store(_) => self.told = self.told.max(Told::Store),
            Damage::Event { session, seq, .. } => {
                // Where a session that is damaged was forked, the place is in what both have.
                let head = self.answers.records.get(session).map(|record| record.head);
                if head.is_some_and(|head| *seq > head.plus(1)) {
                    return Err(format!("{what}: names place {seq} of session {session}, which ends at {head:?}"));
                }
                self.told = self.told.max(Told::Event);
            }
        }
        Ok(())
    }

    async fn ask(&mut self) -> Result<(), String> {
        let (log, answers) = (self.log, self.answers);
        let newest: Vec<_> = answers.records.values().rev().cloned().collect();
        self.right("sessions", log.sessions(None, 1000).await, &Ok(newest.clone()))?;
        let middle = newest[newest.len() / 2].id;
        let older: Vec<_> = newest.iter().filter(|record| record.id < middle).take(2).cloned().collect();
        self.right("older sessions", log.sessions(Some(middle), 2).await, &Ok(older))?;
        for (id, record) in &answers.records {
            self.right("record", log.record(*id).await, &Ok(record.clone()))?;
            self.session(*id).await?;
            let unknown = SessionId::from_bytes((u128::from_be_bytes(id.to_bytes()) ^ (1 << 20)).to_be_bytes());
            self.right("no record", log.record(unknown).await, &Err(LogError::NoSession(unknown)))?;
        }
        Ok(())
    }

    async fn session(&mut self, id: SessionId) -> Result<(), String> {
        let (log, events) = (self.log, &self.answers.shown[&id].0);
        let entry = |(event, place): (&handbox_session::Event, u64)| Entry {
            seq: Seq::new(place).unwrap_or(Seq::FIRST),
            event: event.clone(),
        };
        let entries: Vec<_> = events.iter().zip(1..).map(entry).collect();
        self.right("read", all(log, id).await, &Ok(entries.clone()))?;
        let page = log.read(id, Slice::last(3)).await.map(|page| page.entries);
        self.right("read the last", page, &Ok(entries.iter().rev().take(3).cloned().collect()))?;
        let kind = Kind::new("handbox.checkpoint").unwrap();
        let slice = Slice { kinds: vec![kind.clone()], order: Order::NewestFirst, ..Slice::default() };
        let page = log.read(id, slice).await.map(|page| page.entries);
        let right = entries.iter().rev().filter(|entry| *entry.event.kind() == kind).cloned().collect();
        self.right("read some types", page, &Ok(right))?;
        for entry in &entries {
            let event = entry.event.id();
            self.right("find", log.find(id, event).await, &Ok(Some(entry.seq)))?;
            let unknown = EventId::from_bytes((u128::from_be_bytes(event.to_bytes()) ^ (1 << 60)).to_be_bytes());
            self.right("find nothing", log.find(id, unknown).await, &Ok(None))?;
        }
        Ok(())
    }

    /// The check of all there is names a damage if any answer did.
    fn verify(&mut self) -> Result<(), String> {
        match self.log.verify() {
            Ok(verdict) if verdict.damages.is_empty() => {
                // What lies beside something that is not there may be out of order, and yet all that is there be found.
                if self.told > Told::Nothing && !self.beside {
                    return Err(format!("verify finds nothing, and an answer did: {:?}", self.told));
                }
                if verdict.heads != self.answers.heads {
                    return Err("verify finds nothing, and other sessions".to_owned());
                }
            }
            _ => self.told = self.told.max(Told::Verify),
        }
        Ok(())
    }

    /// What must be refused is, and forks know what they share.
    async fn change(&mut self) -> Result<(), String> {
        let mut ids = Ids::new(u64::from(u32::MAX));
        for (id, record) in &self.answers.records {
            let (log, events) = (self.log, &self.answers.shown[id].0);
            let mut answers = Vec::new();
            for event in [&events[0], &events[events.len() / 2]] {
                answers.push(log.append(vec![batch(*id, vec![event.clone()])]).await.map(|_| ()));
            }
            let new = NewSession::own(*id, vec![event(ids.mint(), "user.message", "again")]);
            answers.push(log.create(new).await.map(|_| ()));
            for answer in answers {
                match answer {
                    Err(LogError::Refused(_) | LogError::ReadOnly(_)) => {}
                    Err(LogError::Damaged(damage)) => self.damaged("doing it again", &damage)?,
                    answer => return Err(format!("what is there already was answered {answer:?}")),
                }
            }
            let at = record.head.get().div_ceil(2);
            let fork = NewSession::fork(ids.mint(), *id, Seq::new(at).unwrap_or(Seq::FIRST));
            let latest = |kind: &str| {
                let is = |index: &usize| events[*index].kind().as_str() == kind;
                (0..at as usize).rfind(is).and_then(|index| Seq::new(index as u64 + 1))
            };
            let right = Ok((latest("handbox.checkpoint"), latest("agent.thread_context_compacted")));
            let made = log.create(fork).await.map(|record| (record.checkpoint, record.compaction));
            self.right("a fork's marks", made, &right)?;
        }
        Ok(())
    }
}
