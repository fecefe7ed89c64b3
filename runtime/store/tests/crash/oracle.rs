//! What a log may show after a crash, from what was asked of it and what it answered.

use crate::chance::Chance;
use crate::support::{Ids, all, batch, event, seq, wait};
use handbox_session::{Chain, Event, Hash, LogError, NewSession, Record, SessionId, SessionLog};
use handbox_store::RedbLog;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Nobody answered.
    Unknown,
    /// By then it was said to be done.
    Acknowledged(usize),
    /// It was said that nothing was done.
    Refused,
}

#[derive(Debug, Clone, Copy)]
struct Request {
    issued: usize,
    fate: Fate,
}

/// Whether what a request did may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Must,
    May,
    Never,
}

#[derive(Debug, Clone)]
struct Part {
    request: usize,
    event: Event,
}

/// A session from its creation to its removal; an id may have several.
#[derive(Debug, Clone)]
struct Life {
    id: SessionId,
    created: usize,
    removed: Option<usize>,
    events: Vec<Part>,
}

/// All that was asked, in order. Moments are lengths of the disk's trace.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    requests: Vec<Request>,
    lives: Vec<Life>,
}

/// What a log shows: the sessions, their events, and the hashes after these.
pub(crate) type Shown = BTreeMap<SessionId, (Vec<Event>, Hash)>;

impl History {
    pub(crate) fn issue(&mut self, now: usize) -> usize {
        self.requests.push(Request { issued: now, fate: Fate::Unknown });
        self.requests.len() - 1
    }

    pub(crate) fn settle(&mut self, request: usize, fate: Fate) {
        self.requests[request].fate = fate;
    }

    pub(crate) fn begin(&mut self, request: usize, id: SessionId, shared: Vec<Event>, own: Vec<Event>) {
        let events = shared.into_iter().chain(own).map(|event| Part { request, event }).collect();
        self.lives.push(Life { id, created: request, removed: None, events });
    }

    pub(crate) fn append(&mut self, request: usize, session: SessionId, events: &[Event]) {
        let life = self.lives.iter_mut().rfind(|life| life.id == session).unwrap();
        life.events.extend(events.iter().map(|event| Part { request, event: event.clone() }));
    }

    pub(crate) fn end(&mut self, request: usize, session: SessionId) {
        self.lives.iter_mut().rfind(|life| life.id == session).unwrap().removed = Some(request);
    }

    pub(crate) fn living(&self) -> Vec<SessionId> {
        self.lives.iter().filter(|life| life.removed.is_none()).map(|life| life.id).collect()
    }

    /// Ids that were removed and not used again.
    pub(crate) fn gone(&self) -> Vec<SessionId> {
        let ids: BTreeSet<_> = self.lives.iter().map(|life| life.id).collect();
        let living = self.living();
        ids.into_iter().filter(|id| !living.contains(id)).collect()
    }

    pub(crate) fn events(&self, session: SessionId) -> Vec<Event> {
        let life = self.lives.iter().rfind(|life| life.id == session).unwrap();
        life.events.iter().map(|part| part.event.clone()).collect()
    }

    /// How many requests were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.requests.iter().filter(|request| matches!(request.fate, Fate::Acknowledged(_))).count()
    }

    fn seen(&self, request: usize, now: usize) -> Seen {
        match self.requests[request] {
            Request { issued, .. } if issued > now => Seen::Never,
            Request { fate: Fate::Acknowledged(at), .. } if at <= now => Seen::Must,
            Request { fate: Fate::Refused, .. } => Seen::Never,
            Request { .. } => Seen::May,
        }
    }

    /// Whether what a log shows is what it may, if power was lost at this moment: all that was acknowledged, nothing that
    /// was not asked, each request as a whole.
    pub(crate) fn check(&self, shown: &Shown, now: usize) -> Result<(), String> {
        let ids: BTreeSet<_> = self.lives.iter().map(|life| life.id).chain(shown.keys().copied()).collect();
        let mut whole = HashMap::new();
        for id in ids {
            let found = shown.get(&id).map(|(events, _)| events.as_slice());
            let lives: Vec<_> = self.lives.iter().filter(|life| life.id == id).collect();
            let is = |life: &&&Life| found.is_some_and(|events| events.first() == Some(&life.events[0].event));
            let living = lives.iter().rfind(is).copied();
            if found.is_some() && living.is_none() {
                return Err(format!("the session {id} is there, and nobody made it: {found:?}"));
            }
            for life in lives {
                if living.is_some_and(|living| std::ptr::eq(living, life)) {
                    self.check_life(life, found.unwrap_or_default(), now, &mut whole)?;
                } else {
                    self.check_absent(life, now, &mut whole)?;
                }
            }
        }
        Ok(())
    }

    fn check_absent(&self, life: &Life, now: usize, whole: &mut HashMap<usize, bool>) -> Result<(), String> {
        let id = life.id;
        let ends = life.removed.map_or(Seen::Never, |request| self.seen(request, now));
        if self.seen(life.created, now) == Seen::Must && ends == Seen::Never {
            return Err(format!("P1: the session {id} is lost"));
        }
        // Whatever else it had cannot be told if it may have been removed.
        if ends == Seen::Never {
            for part in &life.events {
                note(whole, part.request, false).map_err(|what| format!("P3: {what} (session {id} is not there)"))?;
            }
        }
        Ok(())
    }

    fn check_life(
        &self,
        life: &Life,
        found: &[Event],
        now: usize,
        whole: &mut HashMap<usize, bool>,
    ) -> Result<(), String> {
        let id = life.id;
        if self.seen(life.created, now) == Seen::Never {
            return Err(format!("P3: the session {id} is there before it was made"));
        }
        if life.removed.is_some_and(|request| self.seen(request, now) == Seen::Must) {
            return Err(format!("P1: the session {id} is there after its removal"));
        }
        if found.len() > life.events.len() {
            return Err(format!("the session {id} has {} events, of {}", found.len(), life.events.len()));
        }
        for (index, part) in life.events.iter().enumerate() {
            let place = index + 1;
            match (found.get(index), self.seen(part.request, now)) {
                (None, Seen::Must) => return Err(format!("P1: the event {place} of session {id} is lost")),
                (Some(_), Seen::Never) => {
                    return Err(format!("P3: the event {place} of session {id} is there, and should not"));
                }
                (Some(event), _) if *event != part.event => {
                    return Err(format!("P1: the event {place} of session {id} is another: {event:?}"));
                }
                (event, _) => note(whole, part.request, event.is_some())
                    .map_err(|what| format!("P3: {what} (session {id}, place {place})"))?,
            }
        }
        Ok(())
    }
}

/// A request is seen everywhere or nowhere.
fn note(whole: &mut HashMap<usize, bool>, request: usize, seen: bool) -> Result<(), String> {
    let before = *whole.entry(request).or_insert(seen);
    if before == seen { Ok(()) } else { Err(format!("the request {request} is done in part")) }
}

/// What a log shows, if that hangs together.
pub(crate) fn show(log: &RedbLog) -> Result<Shown, String> {
    wait(async {
        let mut shown = Shown::new();
        for record in log.sessions(None, usize::MAX).await.map_err(said("sessions"))? {
            let id = record.id;
            if log.record(id).await.as_ref() != Ok(&record) {
                return Err(format!("the session {id} has two records"));
            }
            let events = session(log, &record).await?;
            shown.insert(id, (events, record.hash));
        }
        Ok(shown)
    })
}

async fn session(log: &RedbLog, record: &Record) -> Result<Vec<Event>, String> {
    let id = record.id;
    let entries = all(log, id).await.map_err(said("read"))?;
    let mut chain = Chain::new(id, record.lineage.clone()).map_err(said("chain"))?;
    let (mut checkpoint, mut compaction) = (None, None);
    for (entry, place) in entries.iter().zip(1..) {
        if entry.seq != seq(place) {
            return Err(format!("P2: the session {id} has at place {place} the event of {}", entry.seq));
        }
        match entry.event.kind().as_str() {
            "handbox.checkpoint" => checkpoint = Some(entry.seq),
            "agent.thread_context_compacted" => compaction = Some(entry.seq),
            _ => {}
        }
        chain.push(entry.event.json()).map_err(said("chain"))?;
        let found = log.find(id, entry.event.id()).await.map_err(said("find"))?;
        if found != Some(entry.seq) {
            return Err(format!("the session {id} has the event of {place} at {found:?}"));
        }
    }
    let derived = (chain.head(), chain.hash(), checkpoint, compaction, entries.last().map(|entry| entry.event.id()));
    if derived != (Some(record.head), record.hash, record.checkpoint, record.compaction, Some(record.last)) {
        return Err(format!("P2: what is known of session {id} is not what its events say: {record:?}"));
    }
    Ok(entries.into_iter().map(|entry| entry.event).collect())
}

pub(crate) fn said<E: std::fmt::Display>(what: &str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

/// Whether the log takes what comes next, and is sound after it.
pub(crate) fn go_on(log: &RedbLog, shown: &Shown, chance: &mut Chance) -> Result<(), String> {
    let mut ids = Ids::new(u64::from(u32::MAX));
    let living: Vec<_> = shown.keys().copied().collect();
    wait(async {
        if !living.is_empty() {
            let id = *chance.pick(&living);
            let next = seq(shown[&id].0.len() + 1);
            let places = log.append(vec![batch(id, vec![event(ids.mint(), "user.message", "next")])]).await;
            let places = places.map_err(said("P4: append"))?;
            if places.first().copied().flatten().map(|places| places.first) != Some(next) {
                return Err(format!("P4: the next event of session {id} came to {places:?}, not {next}"));
            }
        }
        let new = NewSession::own(ids.mint(), vec![event(ids.mint(), "user.message", "new")]);
        log.create(new).await.map_err(said("P4: create"))?;
        Ok::<_, String>(())
    })?;
    sound(log)
}

/// Whether the log itself finds nothing wrong.
pub(crate) fn sound(log: &RedbLog) -> Result<(), String> {
    match log.verify() {
        Ok(verdict) if verdict.damages.is_empty() => Ok(()),
        Ok(verdict) => Err(format!("verify: {:?}", verdict.damages)),
        Err(error) => Err(format!("verify: {error}")),
    }
}

/// An error that says that nothing is known, or nothing was done.
pub(crate) fn is_loss(error: &LogError) -> bool {
    matches!(error, LogError::ReadOnly(_) | LogError::Full(_) | LogError::Unavailable(_))
}
