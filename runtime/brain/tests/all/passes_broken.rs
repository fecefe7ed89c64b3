//! A hand that goes from one session to another while brains, processes and connections fail.

use super::bench::{NoPoints, Points};
use super::counters::{Kept, Pair};
use super::crashes::{Bomb, Brittle};
use super::wrapped::Wrapped;
use handbox_brain::{PassError, WakeError};
use handbox_session::SessionId;
use handbox_session::fold::Oddities;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What ends when something is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The brain; hands live on.
    Brain,
    /// The process, with its hands.
    Process,
}

struct Trial {
    pair: Pair,
    bomb: Arc<Bomb>,
    ends: Ends,
    crashes: Vec<String>,
}

impl Trial {
    async fn new(ends: Ends) -> Self {
        let bomb = Arc::new(Bomb::default());
        let mut pair = Pair::new(bomb.clone()).await;
        let giver = pair.giver;
        assert_eq!((pair.count(giver).await, pair.count(giver).await), ("1".into(), "2".into()));
        let around = Brittle::new(bomb.clone());
        pair.bench.brain.log = Arc::new(Wrapped { log: pair.bench.log.clone(), around });
        Self { pair, bomb, ends, crashes: Vec::new() }
    }

    /// Does something until it is killed.
    async fn until_killed<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            done = work => return Some(done),
            () = self.bomb.blown.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(10)) => panic!("stuck after {:?}", self.crashes),
        }
        self.crashes.push(self.bomb.at.lock().unwrap().clone());
        if self.ends == Ends::Process {
            self.pair.hands.die();
        }
        self.pair.bench.pass(Duration::from_secs(3 * 60 * 60));
        let (gave, took) = self.whose().await;
        assert_eq!(gave, took, "both or none, after {:?}", self.crashes);
        None
    }

    /// How often the giver gave its hand, and the receiver got it.
    async fn whose(&mut self) -> (usize, usize) {
        let (giver, receiver) = (self.pair.giver, self.pair.receiver);
        let gave = self.pair.all(giver, "handbox.hand_passed").await.len();
        (gave, self.pair.all(receiver, "handbox.hand_passed").await.len())
    }

    async fn pass(&mut self) {
        let (giver, receiver) = (self.pair.giver, self.pair.receiver);
        loop {
            let brain = self.pair.bench.brain.clone();
            match self.until_killed(brain.pass_hand(giver, receiver, "test")).await {
                Some(Ok(())) => return,
                Some(Err(PassError::Refused(what))) => {
                    // It was passed before somebody was killed.
                    assert!(what.contains(&format!("passed on to session {receiver}")), "{what}");
                    assert!(!self.crashes.is_empty(), "{what}");
                    return;
                }
                // What it kept ended with the process; another one begins.
                Some(Err(PassError::Hand { .. })) if self.ends == Ends::Process => drop(self.count(giver).await),
                Some(Err(error)) => panic!("{error} after {:?}", self.crashes),
                None => {}
            }
        }
    }

    async fn count(&mut self, session: SessionId) -> String {
        self.pair.bench.session = session;
        self.pair.bench.say("count").await;
        loop {
            let brain = self.pair.bench.brain.clone();
            if let Some(rest) = self.until_killed(async move { brain.wake(session).await }).await {
                rest.unwrap();
                self.pair.bench.session = session;
                return self.pair.bench.results().await.pop().unwrap();
            }
        }
    }

    /// Passes the hand, and has both call it.
    async fn run(&mut self, fuse: i64) {
        self.bomb.set(fuse);
        let (giver, receiver) = (self.pair.giver, self.pair.receiver);
        self.pass().await;
        let received = self.count(receiver).await;
        let given = self.count(giver).await;
        let why =
            format!("{:?} killed at {:?}: {:?}", self.ends, self.crashes, self.pair.hands.counted.lock().unwrap());
        assert!(given.contains(&format!("passed on to session {receiver}")), "{given}; {why}");
        let unknown = received.contains("outcome of this call is unknown");
        assert!(unknown && !self.crashes.is_empty() || received.parse::<u64>().is_ok(), "{received}; {why}");
        if self.crashes.is_empty() {
            assert_eq!(received, "3");
        }
        assert_eq!(self.whose().await, (1, 1), "{why}");
        for session in [giver, receiver] {
            let fold = self.pair.fold(session).await;
            assert_eq!(fold.oddities, Oddities::default(), "{why}");
            assert_eq!(fold.passed_on("test"), (session == giver).then_some(receiver), "{why}");
        }
        self.check(&why);
    }

    /// Of each life, every count was given once, first to the giver alone and then to the receiver alone.
    fn check(&self, why: &str) {
        let mut lives: BTreeMap<u64, Vec<(SessionId, u64)>> = BTreeMap::new();
        for (session, Kept { life, count }) in self.pair.hands.counted.lock().unwrap().iter() {
            lives.entry(*life).or_default().push((*session, *count));
        }
        for counted in lives.values() {
            let counts: Vec<u64> = counted.iter().map(|(_, count)| *count).collect();
            assert_eq!(counts, (1..=counts.len() as u64).collect::<Vec<_>>(), "{why}");
            let given = counted.iter().take_while(|(session, _)| *session == self.pair.giver).count();
            assert!(counted[given..].iter().all(|(session, _)| *session == self.pair.receiver), "{why}");
        }
    }
}

#[tokio::test]
async fn a_hand_whose_passing_is_killed_anywhere_is_one_session_s_and_never_both_s() {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    for ends in [Ends::Brain, Ends::Process] {
        for fuse in 1.. {
            let mut trial = Trial::new(ends).await;
            trial.run(fuse).await;
            let Some(at) = trial.crashes.first() else { break };
            *names.entry(at.clone()).or_default() += 1;
        }
    }
    let expected = [
        "save",
        "saved",
        "before handbox.hand_passed",
        "after handbox.hand_passed",
        "retire",
        "provide",
        "provided",
        "before handbox.call_started",
        "after handbox.call_started",
        "tool started",
        "effect done",
    ];
    for point in expected {
        assert!(names.contains_key(point), "nothing was killed at {point}: {names:#?}");
    }
}

#[tokio::test]
async fn a_pass_whose_answer_is_lost_is_looked_for_and_not_made_twice() {
    for from in 0..3 {
        let mut trial = Trial::new(Ends::Brain).await;
        let (log, around) = (trial.pair.bench.log.clone(), Brittle::losing(Arc::new(NoPoints), from));
        trial.pair.bench.brain.log = Arc::new(Wrapped { log, around });
        trial.run(0).await;
    }
}

#[tokio::test]
async fn whoever_lost_a_session_meanwhile_passes_nothing() {
    let gate = super::bench::Gate::at_point("saved");
    let points: Arc<dyn Points> = gate.clone();
    let mut pair = Pair::new(points).await;
    let (giver, receiver) = (pair.giver, pair.receiver);
    pair.count(giver).await;
    let slow = tokio::spawn({
        let brain = pair.bench.brain.clone();
        async move { brain.pass_hand(giver, receiver, "test").await }
    });
    gate.reached().await;
    // It stands still for longer than its leases hold, and another brain works on the giver.
    pair.bench.pass(Duration::from_secs(60));
    assert_eq!(pair.count(giver).await, "2");
    gate.open();
    let passed = slow.await.unwrap();
    assert!(
        matches!(passed, Err(PassError::Session(WakeError::Fenced { session, .. })) if session == giver),
        "{passed:?}"
    );
    assert!(pair.fold(giver).await.passed.is_empty() && pair.fold(receiver).await.passed.is_empty());
    assert_eq!(pair.count(giver).await, "3");
}
