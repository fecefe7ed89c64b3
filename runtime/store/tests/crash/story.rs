//! What is done to a log, from a seed: sessions, forks, removals, claims, and many requests at once.

use crate::chance::Chance;
use crate::disk::Disk;
use crate::oracle::{Fate, History};
use crate::support::{Asked, Ids, batch, event, letters, seq, together, wait};
use handbox_session::{Batch, Event, Lease, LogError, NewSession, SessionId, SessionLog, Writer};
use handbox_store::RedbLog;
use std::collections::HashMap;
use std::time::Duration;

/// One request.
#[derive(Debug, Clone)]
enum Act {
    Create(NewSession),
    Append(Vec<Batch>),
    Remove(SessionId),
}

#[derive(Debug)]
pub(crate) struct Story<'a> {
    log: &'a RedbLog,
    disk: &'a Disk,
    chance: Chance,
    ids: Ids,
    leases: HashMap<SessionId, Lease>,
    pub(crate) history: History,
}

impl<'a> Story<'a> {
    pub(crate) fn new(log: &'a RedbLog, disk: &'a Disk, seed: u64) -> Self {
        let (chance, ids) = (Chance::new(seed), Ids::new(seed));
        Self { log, disk, chance, ids, leases: HashMap::new(), history: History::default() }
    }

    /// Goes on for some steps, or until a request fails; that is the error.
    pub(crate) fn run(&mut self, steps: usize) -> Result<(), LogError> {
        for _ in 0..steps {
            match self.chance.below(20) {
                0..=2 => self.create()?,
                3..=4 => self.fork()?,
                5 => self.remove()?,
                6 => self.claim()?,
                7 => wait(self.log.fold())?,
                8..=10 => self.crowd()?,
                _ => {
                    let sessions = 1 + self.chance.below(3);
                    let act = self.append(sessions);
                    self.perform(act.into_iter().collect())?;
                }
            }
        }
        Ok(())
    }

    fn event(&mut self) -> Event {
        let kind = match self.chance.below(8) {
            0 => "handbox.checkpoint",
            1 => "agent.thread_context_compacted",
            _ => "user.message",
        };
        let size = match self.chance.below(30) {
            0 => 30_000,
            1..=3 => 3000,
            _ => 150,
        };
        let size = 8 + self.chance.below(size);
        event(self.ids.mint(), kind, &letters(&mut self.chance, size))
    }

    fn events(&mut self, most: usize) -> Vec<Event> {
        let count = 1 + self.chance.below(most);
        (0..count).map(|_| self.event()).collect()
    }

    fn create(&mut self) -> Result<(), LogError> {
        // Now and then under an id that was removed.
        let gone = self.history.gone();
        let id = if gone.is_empty() || self.chance.one_in(2) { self.ids.mint() } else { *self.chance.pick(&gone) };
        let events = self.events(4);
        let request = self.history.issue(self.disk.now());
        let act = Act::Create(NewSession::own(id, events.clone()));
        match wait(self.ask(act)) {
            // Its forks still share what it had.
            Err(LogError::Refused(_)) => self.history.settle(request, Fate::Refused),
            result => {
                self.history.begin(request, id, Vec::new(), events);
                self.settle(request, result)?;
            }
        }
        Ok(())
    }

    fn fork(&mut self) -> Result<(), LogError> {
        let living = self.history.living();
        if living.is_empty() {
            return Ok(());
        }
        let parent = *self.chance.pick(&living);
        let shared = self.history.events(parent);
        let at = 1 + self.chance.below(shared.len());
        let id = self.ids.mint();
        let own = if self.chance.one_in(2) { Vec::new() } else { self.events(2) };
        let new = NewSession { events: own.clone(), ..NewSession::fork(id, parent, seq(at)) };
        let request = self.history.issue(self.disk.now());
        self.history.begin(request, id, shared[..at].to_vec(), own);
        let result = wait(self.ask(Act::Create(new)));
        self.settle(request, result)
    }

    fn remove(&mut self) -> Result<(), LogError> {
        let free: Vec<_> =
            self.history.living().into_iter().filter(|session| !self.leases.contains_key(session)).collect();
        if free.len() < 3 {
            return Ok(());
        }
        let session = *self.chance.pick(&free);
        let request = self.history.issue(self.disk.now());
        self.history.end(request, session);
        let result = wait(self.ask(Act::Remove(session)));
        self.settle(request, result)?;
        self.rest();
        Ok(())
    }

    /// Lets the log free what was removed.
    fn rest(&self) {
        let mut before = self.disk.now();
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(3));
            if self.disk.now() == std::mem::replace(&mut before, self.disk.now()) {
                break;
            }
        }
    }

    /// Takes or gives back a lease. Nothing of that is stored.
    fn claim(&mut self) -> Result<(), LogError> {
        let living = self.history.living();
        if let Some(session) = living.get(self.chance.below(living.len().max(1))) {
            match self.leases.remove(session) {
                Some(lease) => wait(self.log.release(&lease))?,
                None => {
                    let lease = wait(self.log.claim(*session, "a brain", Duration::from_secs(60)))?;
                    self.leases.insert(*session, lease);
                }
            }
        }
        Ok(())
    }

    /// Appends to some sessions, all or nothing.
    fn append(&mut self, sessions: usize) -> Option<Vec<Batch>> {
        let mut living = self.history.living();
        self.chance.shuffle(&mut living);
        living.truncate(sessions);
        let batches = living.into_iter().map(|session| {
            let writer = self.leases.get(&session).map_or(Writer::Client, |lease| Writer::Brain(lease.epoch));
            Batch { writer, ..batch(session, self.events(3)) }
        });
        let batches: Vec<_> = batches.collect();
        (!batches.is_empty()).then_some(batches)
    }

    /// Many requests at once, each for sessions of its own.
    fn crowd(&mut self) -> Result<(), LogError> {
        let mut batches = self.append(8).unwrap_or_default();
        let mut acts = Vec::new();
        while !batches.is_empty() {
            let count = batches.len().min(1 + self.chance.below(2));
            acts.push(batches.drain(..count).collect());
        }
        self.perform(acts)
    }

    fn perform(&mut self, acts: Vec<Vec<Batch>>) -> Result<(), LogError> {
        let now = self.disk.now();
        let mut requests = Vec::new();
        for batches in &acts {
            let request = self.history.issue(now);
            for batch in batches {
                self.history.append(request, batch.session, &batch.events);
            }
            requests.push(request);
        }
        let asked = acts.into_iter().map(|batches| self.ask(Act::Append(batches))).collect();
        let results = wait(together(asked));
        let mut failed = Ok(());
        for (request, result) in requests.into_iter().zip(results) {
            failed = self.settle(request, result).and(failed);
        }
        failed
    }

    fn ask(&self, act: Act) -> Asked<'static, Result<(), LogError>> {
        let log = self.log.connection();
        Box::pin(async move {
            match act {
                Act::Create(new) => log.create(new).await.map(|_| ()),
                Act::Append(batches) => log.append(batches).await.map(|_| ()),
                Act::Remove(session) => log.remove(session).await,
            }
        })
    }

    /// Notes what became of a request.
    fn settle(&mut self, request: usize, result: Result<(), LogError>) -> Result<(), LogError> {
        let fate = match &result {
            Ok(()) => Fate::Acknowledged(self.disk.now()),
            Err(LogError::Unavailable(_)) => Fate::Unknown,
            Err(_) => Fate::Refused,
        };
        self.history.settle(request, fate);
        result
    }
}
