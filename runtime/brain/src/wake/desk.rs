//! A brain's view of its session while it works, and its pen.

use super::tenure::Tenure;
use super::{Brain, WakeError, runs_with};
use crate::{Agent, RunsWith};
use handbox_session::fold::{Fold, bodies::Body, fold_to};
use handbox_session::{
    Batch, Entry, Event, EventId, Kind, LogError, Minter, Seq, SessionId, Slice, Writer, entry_at, kinds,
};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// How often an append is tried whose outcome is not known.
pub(super) const APPEND_TRIES: u32 = 5;
/// How often it is looked for, if that is not answered either: about as long as a lease holds.
const FIND_TRIES: u32 = 30;

/// How often an append survives the end of its lease: whatever ends it again and again may be this append.
pub(super) const REGAINS_MAX: u32 = 5;

/// What a brain knows of its session, and what it has decided and not yet written.
///
/// Decisions that nothing happened for yet are *staged*: they count for the next decision, and are written together with
/// the next intent, outcome or rest. If somebody else wrote in between, an intent is not written and what was staged is
/// decided anew.
pub(super) struct Desk<'a> {
    pub(super) brain: &'a Brain,
    pub(super) tenure: &'a Arc<Tenure>,
    pub(super) session: SessionId,
    /// What the session runs with; a bare agent if it is unusable.
    pub(super) runs: RunsWith,
    /// Why it cannot be read, if so.
    pub(super) unusable: Option<String>,
    runs_of: Option<Seq>,
    /// What is written.
    written: Fold,
    /// That, and what is staged.
    pub(super) fold: Fold,
    staged: Vec<Entry>,
    minter: Minter,
}

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// It is on disk.
    Written,
    /// Something else came first: decide again.
    Overtaken,
}

impl<'a> Desk<'a> {
    pub(super) async fn open(brain: &'a Brain, tenure: &'a Arc<Tenure>) -> Result<Self, WakeError> {
        let session = tenure.session;
        let record = brain.log.record(session).await?;
        let fold = fold_to(&*brain.log, &record, None).await?;
        let mut desk = Self {
            brain,
            tenure,
            session,
            runs: RunsWith::new(Agent::new("")),
            unusable: None,
            runs_of: fold.anchors.changed,
            written: fold.clone(),
            fold,
            staged: Vec::new(),
            minter: Minter::default(),
        };
        desk.read_runs().await?;
        Ok(desk)
    }

    pub(super) fn now(&self) -> u64 {
        self.brain.surroundings.now_unix_ms()
    }

    pub(super) fn mint(&mut self) -> EventId {
        let mut chance = [0; 10];
        self.brain.surroundings.chance(&mut chance);
        self.minter.mint(self.now(), chance)
    }

    pub(super) fn event(&mut self, kind: Kind, members: Value) -> Result<Event, WakeError> {
        let members = match members {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        let id = self.mint();
        Ok(Event::new(id, kind, members)?)
    }

    pub(super) fn body(&mut self, body: &impl Body) -> Result<Event, WakeError> {
        let id = self.mint();
        Ok(body.to_event(id)?)
    }

    /// The last place that is written.
    pub(super) fn written(&self) -> Seq {
        self.written.through().unwrap_or(Seq::FIRST)
    }

    /// What is staged, in the places where it will be unless somebody else writes first.
    pub(super) fn staged(&self) -> &[Entry] {
        &self.staged
    }

    /// Decides, without writing yet.
    pub(super) fn stage(&mut self, events: Vec<Event>) -> Result<(), WakeError> {
        for event in events {
            let seq = self.fold.next();
            apply(&mut self.fold, &Entry { seq, event: event.clone() })?;
            self.staged.push(Entry { seq, event });
        }
        Ok(())
    }

    /// Writes what is staged and, last, an intent, unless somebody else wrote meanwhile.
    pub(super) async fn intend(&mut self, events: Vec<Event>) -> Result<Intent, WakeError> {
        self.stage(events)?;
        self.write(Some(self.written())).await
    }

    /// Writes what is staged and what happened.
    pub(super) async fn tell(&mut self, events: Vec<Event>) -> Result<(), WakeError> {
        self.stage(events)?;
        self.write(None).await.map(|_| ())
    }

    async fn write(&mut self, after: Option<Seq>) -> Result<Intent, WakeError> {
        let events: Vec<Event> = std::mem::take(&mut self.staged).into_iter().map(|entry| entry.event).collect();
        let Some(first) = events.first().map(Event::id) else {
            return Ok(Intent::Written);
        };
        let place = match self.append(first, &events, after).await {
            Ok(place) => place,
            Err(LogError::Moved { head, .. }) => {
                self.fold.clone_from(&self.written);
                self.catch_up(head).await?;
                return Ok(Intent::Overtaken);
            }
            Err(error) => return Err(error.into()),
        };
        if place == self.written.next() {
            // What was staged is what was written, where it was meant to be.
            self.written.clone_from(&self.fold);
        } else {
            self.fold.clone_from(&self.written);
            self.catch_up(place.plus(events.len() as u64 - 1)).await?;
        }
        self.checkpoint().await?;
        Ok(Intent::Written)
    }

    /// Appends, and gives the place of the first event.
    ///
    /// An append whose outcome is not known is looked for before it is tried again, however long that takes to be
    /// answered; and what the next try says counts only once it is sure that none before it was taken after all.
    async fn append(&self, first: EventId, events: &[Event], after: Option<Seq>) -> Result<Seq, LogError> {
        let session = self.session;
        let (mut tries, mut regained) = (0, 0);
        loop {
            let writer = Writer::Brain(self.tenure.epoch());
            let batch = Batch { session, writer, after, events: events.to_vec() };
            let error = match self.brain.log.append(vec![batch]).await {
                Ok(places) => {
                    let places = places.into_iter().next().flatten();
                    return Ok(places.map_or_else(|| self.written.next(), |places| places.first));
                }
                // The lease ended, and nobody took the session over, as far as the log knows.
                Err(LogError::Fenced { epoch, newest, .. })
                    if regained < REGAINS_MAX && (newest == epoch || newest == self.tenure.epoch()) =>
                {
                    regained += 1;
                    self.tenure.regain(epoch).await?;
                    match self.find(first).await? {
                        Some(place) => return Ok(place),
                        None => continue,
                    }
                }
                Err(error) => error,
            };
            let lost = matches!(error, LogError::Unavailable(_));
            let own = tries > 0 && matches!(error, LogError::Moved { .. } | LogError::Refused(_));
            if !lost && !own {
                return Err(error);
            }
            tries += 1;
            if lost {
                self.pause(tries).await;
            }
            match self.find(first).await? {
                Some(place) => return Ok(place),
                None if own || tries >= APPEND_TRIES => return Err(error),
                None => {}
            }
        }
    }

    /// Looks for an event of this brain's, until it is known whether it is there.
    pub(super) async fn find(&self, event: EventId) -> Result<Option<Seq>, LogError> {
        let mut tries = 0;
        loop {
            match self.brain.log.find(self.session, event).await {
                Err(LogError::Unavailable(_) | LogError::Unreachable(_)) if tries < FIND_TRIES => {
                    tries += 1;
                    self.pause(tries).await;
                }
                found => return found,
            }
        }
    }

    /// Waits for what is lost to come back: 40 ms, and twice as long each time up to a second.
    pub(super) async fn pause(&self, tries: u32) {
        let wait = Duration::from_millis(20 << tries.min(6)).min(Duration::from_secs(1));
        self.brain.surroundings.sleep(wait).await;
    }

    /// Reads what others wrote.
    async fn catch_up(&mut self, to: Seq) -> Result<(), WakeError> {
        let mut next = Some(self.written.next()).filter(|next| *next <= to);
        while let Some(from) = next {
            let slice = Slice { to: Some(to), ..Slice::from(from) };
            let page = self.brain.log.read(self.session, slice).await?;
            for entry in &page.entries {
                apply(&mut self.written, entry)?;
            }
            next = page.next;
        }
        self.fold.clone_from(&self.written);
        Ok(())
    }

    /// Reads what came meanwhile, unless there is something staged.
    pub(super) async fn look(&mut self) -> Result<(), WakeError> {
        let head = self.brain.log.record(self.session).await?.head;
        if self.staged.is_empty() { self.catch_up(head).await } else { Ok(()) }
    }

    /// Reads again what the session runs with, if that was changed.
    pub(super) async fn refresh(&mut self) -> Result<(), WakeError> {
        if self.fold.anchors.changed != self.runs_of {
            self.runs_of = self.fold.anchors.changed;
            self.read_runs().await?;
        }
        Ok(())
    }

    /// The place of the event that says what the session runs with.
    pub(super) fn runs_place(&self) -> Seq {
        self.runs_of.unwrap_or(Seq::FIRST)
    }

    async fn read_runs(&mut self) -> Result<(), WakeError> {
        (self.runs, self.unusable) = match runs_with(&*self.brain.log, self.session, &self.written).await {
            Ok(runs) => (runs, None),
            Err(WakeError::Unusable(what)) => (RunsWith::new(Agent::new("")), Some(what)),
            Err(error) => return Err(error),
        };
        Ok(())
    }

    async fn checkpoint(&mut self) -> Result<(), WakeError> {
        if !self.written.checkpoint_due() {
            return Ok(());
        }
        let Some(members) = self.written.checkpoint() else { return Ok(()) };
        let id = self.mint();
        let Ok(event) = Event::new(id, kinds::HANDBOX_CHECKPOINT, members) else { return Ok(()) };
        let place = self.append(id, &[event], None).await?;
        self.catch_up(place).await
    }

    /// The event at a place that is written.
    pub(super) async fn at(&self, place: Seq) -> Result<Event, WakeError> {
        if let Some(entry) = self.staged.iter().find(|entry| entry.seq == place) {
            return Ok(entry.event.clone());
        }
        let entry = entry_at(&*self.brain.log, self.session, place).await?;
        entry.map(|entry| entry.event).ok_or_else(|| WakeError::Unusable(format!("nothing is at place {place}")))
    }
}

fn apply(fold: &mut Fold, entry: &Entry) -> Result<(), WakeError> {
    fold.apply(entry.seq, &entry.event).map_err(|gap| WakeError::Bug(gap.to_string()))
}
