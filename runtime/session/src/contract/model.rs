//! Random operations, done to the log under test and to the log in memory alike.

use super::bench::{Bench, plain, seq};
use super::{Factory, Subject};
use crate::memory::{ManualClock, MemoryLog};
use crate::{
    Batch, Epoch, Event, Followed, Kind, Lease, LogError, NewSession, Order, Seq, SessionId, SessionLog, Slice, Writer,
    kinds,
};
use std::fmt::Debug;
use std::time::{Duration, Instant};

const SEEDS: [u64; 4] = [1, 2, 3, 4];
const OPERATIONS: usize = 300;
/// How many sessions there are at most, so that operations meet.
const SESSIONS: usize = 7;
const LONG: Duration = Duration::from_secs(300);

/// Three hundred operations for each of four seeds; [`random_operations`] does more.
pub async fn random_operations_do_what_the_model_does(factory: &dyn Factory) {
    for seed in SEEDS {
        random_operations(factory, seed, OPERATIONS).await;
    }
}

/// Does random operations, the same for the same seed, and compares every answer with that of the log in memory.
///
/// # Panics
///
/// At the first answer that differs; the text names the seed and the operation.
pub async fn random_operations(factory: &dyn Factory, seed: u64, operations: usize) {
    let clock = ManualClock::new(Instant::now());
    let mut run = Run {
        bench: Bench::new(factory).await,
        model: MemoryLog::new(move || clock.now()),
        random: Random(seed),
        sessions: Vec::new(),
        leases: Vec::new(),
        events: Vec::new(),
        what: String::new(),
    };
    for number in 0..operations {
        run.what = format!("seed {seed}, operation {number}");
        run.operation().await;
    }
    run.what = format!("seed {seed}, at the end");
    run.compare_all().await;
}

/// SplitMix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit.max(1) as u64).unwrap_or(0)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// A lease as the log under test and as the model gave it: their epochs need not be the same numbers.
#[derive(Debug, Clone)]
struct Leases {
    log: Lease,
    model: Lease,
}

struct Run {
    bench: Bench,
    model: MemoryLog,
    random: Random,
    sessions: Vec<SessionId>,
    leases: Vec<Leases>,
    events: Vec<Event>,
    /// Which operation of which run it is, for whoever has to find out.
    what: String,
}

/// An answer without what implementations may say differently.
fn answer<T>(result: Result<T, LogError>) -> Result<T, LogError> {
    result.map_err(|error| match plain(error) {
        LogError::Fenced { session, .. } => LogError::Fenced { session, epoch: Epoch(0), newest: Epoch(0) },
        other => other,
    })
}

impl Run {
    fn same<T: PartialEq + Debug>(&self, log: Result<T, LogError>, model: Result<T, LogError>) -> Option<T> {
        let (log, model) = (answer(log), answer(model));
        assert!(log == model, "{}:\nthe log answers   {log:?}\nthe model answers {model:?}", self.what);
        log.ok()
    }

    async fn operation(&mut self) {
        match self.random.below(20) {
            0 | 1 => self.create().await,
            2 => self.fork().await,
            3..=9 => self.append().await,
            10..=12 => self.read().await,
            13 => self.find().await,
            14 | 15 => self.claim().await,
            16 => self.end_lease().await,
            17 => self.remove().await,
            18 => self.follow().await,
            _ => self.reopen().await,
        }
    }

    fn session(&mut self) -> SessionId {
        let known = self.random.pick(&self.sessions).copied();
        // Now and then one that is not there.
        if self.random.one_in(30) { self.bench.session_id() } else { known.unwrap_or_else(|| self.bench.session_id()) }
    }

    /// A place that is mostly within a session.
    fn place(&mut self) -> Seq {
        seq(self.random.below(40) as u64 + 1)
    }

    fn event(&mut self) -> Event {
        let known = self.random.pick(&self.events).cloned();
        if let Some(known) = known.filter(|_| self.random.one_in(15)) {
            return known;
        }
        let kind = [kinds::USER_MESSAGE, kinds::HANDBOX_CHECKPOINT, kinds::AGENT_THREAD_CONTEXT_COMPACTED];
        let kind = &kind[self.random.below(3)];
        let size = if self.random.one_in(10) { 20_000 } else { 40 };
        let event = match self.random.below(3) {
            0 => self.bench.event(kind, "session_thread_id", "sthr_1"),
            _ => self.bench.event(kind, "content", "x".repeat(self.random.below(size))),
        };
        self.events.push(event.clone());
        event
    }

    fn some_events(&mut self, limit: usize) -> Vec<Event> {
        let count = self.random.below(limit);
        (0..count).map(|_| self.event()).collect()
    }

    async fn create(&mut self) {
        let known = self.random.pick(&self.sessions).copied();
        let id = known.filter(|_| self.random.one_in(5)).unwrap_or_else(|| self.bench.session_id());
        if self.sessions.len() < SESSIONS {
            let new = NewSession::own(id, self.some_events(5));
            self.begin(new).await;
        }
    }

    async fn fork(&mut self) {
        let (parent, at) = (self.session(), self.place());
        let id = self.bench.session_id();
        if self.sessions.len() < SESSIONS {
            let new = NewSession { events: self.some_events(3), ..NewSession::fork(id, parent, at) };
            self.begin(new).await;
        }
    }

    async fn begin(&mut self, new: NewSession) {
        let id = new.id;
        let (log, model) = (self.bench.log().create(new.clone()).await, self.model.create(new).await);
        if self.same(log, model).is_some() {
            self.sessions.push(id);
        }
    }

    async fn append(&mut self) {
        let (mut for_log, mut for_model) = (Vec::new(), Vec::new());
        for _ in 0..=self.random.below(3) {
            let leases = self.random.pick(&self.leases).cloned().filter(|_| self.random.one_in(2));
            let session = leases.as_ref().map_or_else(|| self.session(), |leases| leases.log.session);
            let after = match self.random.below(4) {
                0 => Some(self.place()),
                1 => self.model.record(session).await.ok().map(|record| record.head),
                _ => None,
            };
            let events = self.some_events(6);
            let batch = Batch { session, writer: Writer::Client, after, events };
            let writer = |lease: fn(&Leases) -> &Lease| {
                leases.as_ref().map_or(Writer::Client, |leases| Writer::Brain(lease(leases).epoch))
            };
            for_log.push(Batch { writer: writer(|leases| &leases.log), ..batch.clone() });
            for_model.push(Batch { writer: writer(|leases| &leases.model), ..batch });
        }
        let (log, model) = (self.bench.log().append(for_log).await, self.model.append(for_model).await);
        self.same(log, model);
        for session in self.sessions.clone() {
            let (log, model) = (self.bench.log().record(session).await, self.model.record(session).await);
            self.same(log, model);
        }
    }

    async fn read(&mut self) {
        let session = self.session();
        let slice = Slice {
            from: self.random.one_in(2).then(|| self.place()),
            to: self.random.one_in(2).then(|| self.place()),
            order: if self.random.one_in(2) { Order::OldestFirst } else { Order::NewestFirst },
            limit: self.random.one_in(2).then(|| self.random.below(12)),
            kinds: self
                .random
                .pick(&[vec![], vec![kinds::HANDBOX_CHECKPOINT]])
                .map_or_else(Vec::new, Vec::<Kind>::clone),
            thread: self.random.one_in(4).then(|| "sthr_1".to_owned()),
        };
        let log = self.bench.log().read(session, slice.clone()).await;
        let model = self.model.read(session, slice).await;
        self.same(log, model);
    }

    async fn find(&mut self) {
        let (session, event) = (self.session(), self.event());
        let event = self.random.pick(&self.events).map_or(event.id(), Event::id);
        let (log, model) = (self.bench.log().find(session, event).await, self.model.find(session, event).await);
        self.same(log, model);
    }

    async fn claim(&mut self) {
        let session = self.session();
        let log = self.bench.log().claim(session, "a brain", LONG).await;
        let model = self.model.claim(session, "a brain", LONG).await;
        if let (Ok(log), Ok(model)) = (&log, &model) {
            let before = self.leases.iter().filter(|leases| leases.log.session == session);
            assert!(before.clone().all(|leases| leases.log.epoch < log.epoch), "{}: epochs rise", self.what);
            self.leases.push(Leases { log: log.clone(), model: model.clone() });
        }
        self.same(log.map(drop), model.map(drop));
    }

    async fn end_lease(&mut self) {
        let Some(Leases { log, model }) = self.random.pick(&self.leases).cloned() else { return };
        if self.random.one_in(3) {
            let (log, model) = (self.bench.log().renew(&log, LONG).await, self.model.renew(&model, LONG).await);
            self.same(log, model);
        } else {
            let (log, model) = (self.bench.log().release(&log).await, self.model.release(&model).await);
            self.same(log, model);
        }
    }

    async fn remove(&mut self) {
        let session = self.session();
        let (log, model) = (self.bench.log().remove(session).await, self.model.remove(session).await);
        if self.same(log, model).is_some() {
            self.sessions.retain(|known| *known != session);
        }
    }

    /// From some place on, as far as there is something.
    async fn follow(&mut self) {
        let (session, after) = (self.session(), self.random.one_in(2).then(|| self.place()));
        let (log, model) = (self.bench.log().tail(session, after).await, self.model.tail(session, after).await);
        let (mut log, mut model) = match (log, model) {
            (Ok(log), Ok(model)) => (log, model),
            (log, model) => {
                self.same(log.map(drop), model.map(drop));
                return;
            }
        };
        let Ok(record) = self.model.record(session).await else { return };
        for _ in after.map_or(0, Seq::get)..record.head.get() {
            let log = super::bench::soon(log.next()).await;
            let entry = self.same(log, model.next().await);
            assert!(matches!(entry, Some(Followed::Event(_))), "{}: nobody sent a preview", self.what);
        }
    }

    async fn reopen(&mut self) {
        let subject: &mut dyn Subject = self.bench.subject.as_mut();
        if self.random.one_in(3) && subject.reopen().await {
            self.model = self.model.reopened();
        }
    }

    async fn compare_all(&mut self) {
        let (log, model) = (self.bench.log().sessions(None, 100).await, self.model.sessions(None, 100).await);
        let records = self.same(log, model).unwrap_or_default();
        assert_eq!(records.len(), self.sessions.len(), "{}", self.what);
        for record in records {
            let log = self.bench.log().read(record.id, Slice::default()).await;
            let model = self.model.read(record.id, Slice::default()).await;
            self.same(log, model);
        }
    }
}
