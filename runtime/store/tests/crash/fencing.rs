//! Many brains and clients on the same sessions, while leases run out and the clock jumps.
//!
//! Every call notes when it began and when it was answered; what came out is judged from these notes and from the log.

use crate::chance::Chance;
use crate::disk::Disk;
use crate::oracle::{show, sound};
use crate::support::{batch, event, is_long, options, seed};
use handbox_session::{Batch, Epoch, EventId, LogError, NewSession, Seq, SessionId, SessionLog, Writer};
use handbox_store::{Clock, RedbLog, Surroundings};
use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TASKS: u64 = 64;
const SESSIONS: u64 = 6;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A clock that jumps, in milliseconds.
#[derive(Clone, Default)]
struct Jumping(Arc<AtomicU64>);

impl Clock for Jumping {
    fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[derive(Debug, Clone, Copy)]
struct Claimed {
    session: SessionId,
    epoch: Epoch,
    /// When it was answered.
    at: u64,
    /// What the clock showed then at the latest, and for how long it was asked.
    until_ms: u64,
}

#[derive(Debug, Clone)]
struct Appended {
    session: SessionId,
    epoch: Option<Epoch>,
    after: Option<Seq>,
    id: EventId,
    /// When it began, in calls and as the clock showed.
    at: u64,
    at_ms: u64,
    place: Option<Seq>,
}

#[derive(Debug, Default)]
struct Notes {
    claims: Vec<Claimed>,
    appends: Vec<Appended>,
    fenced: usize,
    moved: usize,
    held: usize,
}

struct Stage {
    log: RedbLog,
    clock: Jumping,
    /// Counts calls and answers, so that each has a place in one order.
    ticks: AtomicU64,
    notes: Mutex<Notes>,
}

fn session(number: u64) -> SessionId {
    SessionId::from(u128::from(number) + (1_700_000_000_000 << 80))
}

/// One brain or client: it keeps claims that ran out, and tries them later.
struct Actor {
    stage: Arc<Stage>,
    chance: Chance,
    minted: u128,
    claims: Vec<Claimed>,
}

impl Actor {
    fn tick(&self) -> u64 {
        self.stage.ticks.fetch_add(1, Ordering::SeqCst)
    }

    async fn act(&mut self) {
        match self.chance.below(10) {
            0..=2 => self.claim().await,
            3 => self.jump(),
            4..=7 if !self.claims.is_empty() => {
                // The newest or a stale one.
                let index =
                    if self.chance.one_in(3) { self.chance.below(self.claims.len()) } else { self.claims.len() - 1 };
                let claim = self.claims[index];
                self.append(claim.session, Some(claim.epoch)).await;
            }
            8 if !self.claims.is_empty() => {
                let claim = *self.chance.pick(&self.claims);
                let lease = handbox_session::Lease { session: claim.session, epoch: claim.epoch };
                self.stage.log.release(&lease).await.unwrap();
            }
            _ => {
                let number = self.chance.next() % SESSIONS;
                self.append(session(number), None).await;
            }
        }
        tokio::task::yield_now().await;
    }

    fn jump(&mut self) {
        let by = if self.chance.one_in(8) { DAY_MS } else { self.chance.next() % 40 };
        self.stage.clock.0.fetch_add(by, Ordering::SeqCst);
    }

    async fn claim(&mut self) {
        let session = session(self.chance.next() % SESSIONS);
        let time = 1 + self.chance.next() % 60;
        match self.stage.log.claim(session, "a brain", Duration::from_millis(time)).await {
            Ok(lease) => {
                let until_ms = self.stage.clock.0.load(Ordering::SeqCst) + time;
                let claim = Claimed { session, epoch: lease.epoch, at: self.tick(), until_ms };
                self.claims.push(claim);
                self.stage.notes.lock().unwrap().claims.push(claim);
            }
            Err(LogError::Held { .. }) => self.stage.notes.lock().unwrap().held += 1,
            Err(error) => panic!("{error}"),
        }
    }

    async fn append(&mut self, session: SessionId, epoch: Option<Epoch>) {
        self.minted += 1;
        let id = EventId::from(self.minted);
        let after = if self.chance.one_in(3) { Some(self.stage.log.record(session).await.unwrap().head) } else { None };
        let writer = epoch.map_or(Writer::Client, Writer::Brain);
        let (at, at_ms) = (self.tick(), self.stage.clock.0.load(Ordering::SeqCst));
        let batch = Batch { writer, after, ..batch(session, vec![event(id, "user.message", "said")]) };
        let mut appended = Appended { session, epoch, after, id, at, at_ms, place: None };
        let answer = self.stage.log.append(vec![batch]).await;
        let mut notes = self.stage.notes.lock().unwrap();
        match answer {
            Ok(places) => appended.place = places[0].map(|places| places.first),
            Err(LogError::Fenced { .. }) => notes.fenced += 1,
            Err(LogError::Moved { .. }) => notes.moved += 1,
            Err(error) => panic!("{error}"),
        }
        notes.appends.push(appended);
    }
}

/// Lets all act, and gives what they noted and what is in the log.
async fn play(seed: u64, acts: usize) -> (Notes, BTreeMap<SessionId, Vec<EventId>>) {
    let clock = Jumping::default();
    let around = Surroundings { clock: Box::new(clock.clone()), ..Surroundings::memory() };
    let disk = Disk::default();
    let log = RedbLog::open_with(disk, options(64), around).unwrap();
    for number in 0..SESSIONS {
        let id = EventId::from(u128::from(number) + 1);
        log.create(NewSession::own(session(number), vec![event(id, "user.message", "begin")])).await.unwrap();
    }
    let stage = Arc::new(Stage { log, clock, ticks: AtomicU64::new(0), notes: Mutex::default() });
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let minted = (1_700_000_000_000 << 80) + (u128::from(task) << 40);
            let chance = Chance::new(seed << 8 | task);
            let mut actor = Actor { stage: Arc::clone(&stage), chance, minted, claims: Vec::new() };
            tokio::spawn(async move {
                for _ in 0..acts {
                    actor.act().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let stage = Arc::into_inner(stage).unwrap();
    let log = stage.log;
    let shown = tokio::task::spawn_blocking(move || {
        sound(&log).unwrap();
        show(&log).unwrap()
    });
    let ids = |(events, _): (Vec<handbox_session::Event>, _)| events.iter().map(handbox_session::Event::id).collect();
    let stored = shown.await.unwrap().into_iter().map(|(id, shown)| (id, ids(shown))).collect();
    (stage.notes.into_inner().unwrap(), stored)
}

/// The first thing that must not have happened.
fn judge(notes: &Notes, stored: &BTreeMap<SessionId, Vec<EventId>>) -> Result<(), String> {
    let mut accepted: BTreeMap<SessionId, BTreeMap<Seq, &Appended>> = BTreeMap::new();
    for append in &notes.appends {
        let Some(place) = append.place else {
            if stored[&append.session].contains(&append.id) {
                return Err(format!("refused, and there: {append:?}"));
            }
            continue;
        };
        if let Some(before) = accepted.entry(append.session).or_default().insert(place, append) {
            return Err(format!("two at one place: {before:?} and {append:?}"));
        }
        if append.after.is_some_and(|after| after.plus(1) != place) {
            return Err(format!("not where it was expected: {append:?}"));
        }
        lawful(append, notes)?;
    }
    for (session, ids) in stored {
        let told = accepted.remove(session).unwrap_or_default();
        // The first is of the creation.
        let found: Vec<_> = (2..).zip(&ids[1..]).map(|(place, id)| (Seq::new(place), *id)).collect();
        let right: Vec<_> = told.iter().map(|(place, append)| (Some(*place), append.id)).collect();
        if found != right {
            return Err(format!("a hole, or what nobody was told, in session {session}"));
        }
        if ids.iter().collect::<HashSet<_>>().len() != ids.len() {
            return Err(format!("an event twice in session {session}"));
        }
        let epochs: Vec<_> = told.values().filter_map(|append| append.epoch).collect();
        if !epochs.is_sorted() {
            return Err(format!("a stale brain wrote after a newer one in session {session}: {epochs:?}"));
        }
    }
    Ok(())
}

/// Whether a brain's append was within its claim.
fn lawful(append: &Appended, notes: &Notes) -> Result<(), String> {
    let Some(epoch) = append.epoch else { return Ok(()) };
    let theirs = |claim: &&Claimed| claim.session == append.session;
    let mut claims = notes.claims.iter().filter(theirs);
    if let Some(newer) = claims.clone().find(|claim| claim.epoch > epoch && claim.at < append.at) {
        return Err(format!("stale, and taken: {append:?} after {newer:?}"));
    }
    let own = claims.find(|claim| claim.epoch == epoch).ok_or_else(|| format!("never claimed: {append:?}"))?;
    if append.at_ms >= own.until_ms {
        return Err(format!("too late, and taken: {append:?} under {own:?}"));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_stale_brain_writes_and_no_place_is_missing_or_given_twice() {
    let (games, acts) = if is_long() { (300, 200) } else { (4, 60) };
    let (mut accepted, mut fenced, mut moved, mut held, mut claims) = (0, 0, 0, 0, 0);
    for seed in seed()..seed() + games {
        let (notes, stored) = play(seed, acts).await;
        judge(&notes, &stored).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
        accepted += notes.appends.iter().filter(|append| append.place.is_some()).count();
        (fenced, moved, held) = (fenced + notes.fenced, moved + notes.moved, held + notes.held);
        claims += notes.claims.len();
    }
    eprintln!(
        "many writers: {TASKS} of them, seeds {} to {}: {accepted} appends taken, {fenced} fenced, {moved} moved; {claims} \
         claims given, {held} held; no stale write, no hole, no duplicate",
        seed(),
        seed() + games - 1
    );
    assert!(accepted > 0 && fenced > 0 && moved > 0 && held > 0);
}

/// A judge that sees no stale write sees nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_write_is_seen() {
    let written =
        |notes: &Notes| notes.appends.iter().position(|append| append.place.is_some() && append.epoch.is_some());
    let mut game = play(seed(), 40).await;
    // On a busy machine a game may end before anybody who claimed has written.
    for other in 1..20 {
        if written(&game.0).is_some() {
            break;
        }
        game = play(seed() + other, 40).await;
    }
    let (mut notes, stored) = game;
    judge(&notes, &stored).unwrap();
    let taken = written(&notes).expect("somebody wrote in one of twenty games");
    let append = notes.appends[taken].clone();
    let newer = Claimed { session: append.session, epoch: Epoch(u64::MAX), at: 0, until_ms: u64::MAX };
    notes.claims.push(newer);
    assert!(judge(&notes, &stored).is_err());
    notes.claims.pop();
    notes.appends.remove(taken);
    assert!(judge(&notes, &stored).is_err());
}
