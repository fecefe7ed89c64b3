//! What is told of the requests of one call is on disk before they go, whoever else is at it.

use super::*;
use crate::Machine;
use handbox_session::{Epoch, Lease, NewSession, Page, Places, Preview, Record, Seq, Slice, Tail, Ticket};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// A log that takes one append for each place that a test gives it, or fails.
struct Slow {
    places: Semaphore,
    began: Semaphore,
    /// How many appends fail, and with what.
    failure: Mutex<Option<(usize, LogError)>>,
    /// Whether what failed is there all the same.
    is_there: bool,
    appended: Mutex<Vec<usize>>,
}

#[async_trait]
impl SessionLog for Slow {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        self.appended.lock().unwrap().push(batches.iter().map(|batch| batch.events.len()).sum());
        self.began.add_permits(1);
        self.places.acquire().await.unwrap().forget();
        match self.failure.lock().unwrap().as_mut().filter(|(left, _)| *left > 0) {
            None => Ok(Vec::new()),
            Some((left, error)) => {
                *left -= 1;
                Err(error.clone())
            }
        }
    }
    async fn create(&self, _: NewSession) -> Result<Record, LogError> {
        unreachable!("egress only appends")
    }
    async fn read(&self, _: SessionId, _: Slice) -> Result<Page, LogError> {
        Ok(Page { entries: Vec::new(), next: None })
    }
    async fn find(&self, _: SessionId, _: EventId) -> Result<Option<Seq>, LogError> {
        Ok(self.is_there.then_some(Seq::FIRST))
    }
    async fn tail(&self, _: SessionId, _: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        unreachable!("egress only appends")
    }
    async fn record(&self, _: SessionId) -> Result<Record, LogError> {
        unreachable!("egress only appends")
    }
    async fn sessions(&self, _: Option<SessionId>, _: usize) -> Result<Vec<Record>, LogError> {
        unreachable!("egress only appends")
    }
    async fn remove(&self, _: SessionId) -> Result<(), LogError> {
        unreachable!("egress only appends")
    }
    async fn abandon(&self, _: SessionId, _: Ticket) -> Result<(), LogError> {
        unreachable!("egress only appends")
    }
    async fn claim(&self, session: SessionId, _: &str, _: Duration) -> Result<Lease, LogError> {
        Ok(Lease { session, epoch: Epoch(2) })
    }
    async fn renew(&self, _: &Lease, _: Duration) -> Result<(), LogError> {
        unreachable!("egress only appends")
    }
    async fn release(&self, _: &Lease) -> Result<(), LogError> {
        unreachable!("egress only appends")
    }
    fn preview(&self, _: SessionId, _: Preview) {}
}

/// The machine, but for waiting.
struct Hurried;

#[async_trait]
impl Surroundings for Hurried {
    fn now_unix_ms(&self) -> u64 {
        Machine.now_unix_ms()
    }
    fn steady(&self) -> Duration {
        Machine.steady()
    }
    fn chance(&self, bytes: &mut [u8]) {
        Machine.chance(bytes);
    }
    async fn sleep(&self, _: Duration) {
        tokio::task::yield_now().await;
    }
}

struct Bench {
    slow: Arc<Slow>,
    log: Arc<EgressLog>,
}

impl Bench {
    /// With a log that takes so many appends at once.
    fn new(places: usize, failure: Option<LogError>) -> Self {
        Self::failing(places, failure.map(|error| (usize::MAX, error)), false)
    }

    fn failing(places: usize, failure: Option<(usize, LogError)>, is_there: bool) -> Self {
        let failure = Mutex::new(failure);
        let (places, began) = (Semaphore::new(places), Semaphore::new(0));
        let slow = Arc::new(Slow { places, began, failure, is_there, appended: Mutex::default() });
        let session = SessionId::at(0, [1; 10]);
        let log = EgressLog {
            log: Arc::<Slow>::clone(&slow),
            surroundings: Arc::new(Hurried),
            session,
            tenure: Tenure::at(Arc::<Slow>::clone(&slow), Arc::new(Hurried), (session, Epoch(1))),
            call: Minter::default().mint(0, [2; 10]),
            waiting: Arc::default(),
            writing: Arc::default(),
        };
        Self { slow, log: Arc::new(log) }
    }

    fn decides(&self, durable: bool) -> JoinHandle<Result<(), AuditError>> {
        let log = Arc::clone(&self.log);
        tokio::spawn(async move { log.decided(&egress(durable)).await })
    }

    async fn append_began(&self) {
        let began = tokio::time::timeout(Duration::from_secs(10), self.slow.began.acquire()).await;
        began.expect("an append begins").unwrap().forget();
    }

    fn appended(&self) -> Vec<usize> {
        self.slow.appended.lock().unwrap().clone()
    }

    fn waits(&self) -> usize {
        locked(&self.log.waiting).events.len()
    }
}

fn egress(durable: bool) -> Egress {
    Egress {
        id: 7,
        principal: "test".into(),
        tool: None,
        method: if durable { "POST".into() } else { "GET".into() },
        origin: "https://api.example.com".into(),
        path: "/v1".into(),
        verdict: Verdict::Allowed { rule: "https://api.example.com".into(), credential: None },
        durable,
    }
}

/// Every task that can go on does. There is one thread.
async fn all_went_on() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

async fn ended(decided: JoinHandle<Result<(), AuditError>>) -> Result<(), AuditError> {
    tokio::time::timeout(Duration::from_secs(10), decided).await.expect("an answer").unwrap()
}

fn unavailable() -> LogError {
    LogError::Unavailable("the disk is gone".to_owned())
}

fn fenced() -> LogError {
    LogError::Fenced { session: SessionId::at(0, [1; 10]), epoch: Epoch(1), newest: Epoch(2) }
}

#[tokio::test]
async fn of_two_requests_at_once_neither_is_sent_before_both_are_on_disk() {
    let bench = Bench::new(0, None);
    let (one, other) = (bench.decides(true), bench.decides(true));
    bench.append_began().await;
    all_went_on().await;
    assert_eq!(bench.appended(), [2], "one append takes both along");
    assert!(!one.is_finished() && !other.is_finished(), "neither is on disk");
    bench.slow.places.add_permits(2);
    assert_eq!((ended(one).await, ended(other).await), (Ok(()), Ok(())));
    assert_eq!(bench.appended(), [2]);
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_lets_nobody_send_what_is_not_on_disk() {
    let bench = Bench::new(0, None);
    let (one, other) = (bench.decides(true), bench.decides(true));
    bench.append_began().await;
    one.abort();
    all_went_on().await;
    assert!(!other.is_finished(), "it was taken along, and is not on disk");
    bench.slow.places.add_permits(2);
    assert_eq!(ended(other).await, Ok(()));
}

#[tokio::test]
async fn a_failed_append_refuses_those_that_it_took_along_and_all_after_them() {
    for (failure, is_known) in [(unavailable(), false), (fenced(), true)] {
        let bench = Bench::new(0, Some(failure));
        let (one, other) = (bench.decides(true), bench.decides(true));
        bench.append_began().await;
        all_went_on().await;
        bench.slow.places.add_permits(Semaphore::MAX_PERMITS / 2);
        for decided in [one, other] {
            assert!(ended(decided).await.is_err());
        }
        for durable in [true, false].repeat(100) {
            assert!(ended(bench.decides(durable)).await.is_err());
        }
        let tries = if is_known { 1 } else { APPEND_TRIES as usize };
        assert_eq!(bench.appended(), vec![2; tries], "the log is not asked again");
        // What was certainly not written goes with the result; of the rest nobody knows, and an id counts once.
        assert_eq!(bench.log.end().len(), if is_known { 2 } else { 0 });
    }
}

#[tokio::test]
async fn what_only_reads_waits_until_there_are_64() {
    let bench = Bench::new(8, None);
    for count in 1..64 {
        assert_eq!(ended(bench.decides(false)).await, Ok(()));
        assert_eq!((bench.waits(), bench.appended()), (count, vec![]));
    }
    assert_eq!(ended(bench.decides(false)).await, Ok(()));
    assert_eq!((bench.waits(), bench.appended()), (0, vec![64]));
}

#[tokio::test]
async fn what_the_end_of_the_call_takes_along_is_not_sent() {
    let bench = Bench::new(0, None);
    let one = bench.decides(true);
    bench.append_began().await;
    let other = bench.decides(true);
    all_went_on().await;
    assert_eq!(bench.log.end().len(), 1, "it waits for its turn");
    bench.slow.places.add_permits(2);
    assert_eq!(ended(one).await, Ok(()));
    assert!(ended(other).await.is_err(), "nobody knows whether the result is written");
    assert!(ended(bench.decides(false)).await.is_err(), "the call has ended");
    assert_eq!(bench.waits(), 0);
}

#[tokio::test]
async fn a_store_that_changes_hands_refuses_no_request() {
    for (lost, is_there, appends) in [
        (LogError::Unavailable("the holder ended".to_owned()), false, 3),
        (LogError::Unreachable("nobody holds it".to_owned()), false, 3),
        (LogError::Unavailable("it was written all the same".to_owned()), true, 1),
    ] {
        let bench = Bench::failing(8, Some((2, lost)), is_there);
        assert_eq!(ended(bench.decides(true)).await, Ok(()));
        assert_eq!(bench.appended(), vec![1; appends]);
        assert_eq!(ended(bench.decides(true)).await, Ok(()), "the call goes on");
    }
}

#[tokio::test]
async fn a_lease_that_ended_with_its_holder_is_claimed_again_and_refuses_no_request() {
    let fenced =
        |newest| LogError::Fenced { session: SessionId::at(0, [1; 10]), epoch: Epoch(1), newest: Epoch(newest) };
    let bench = Bench::failing(10, Some((1, fenced(1))), false);
    bench.decides(true).await.unwrap().expect("the lease is claimed again");
    assert_eq!(bench.log.tenure.epoch(), Epoch(2));
    assert_eq!(bench.slow.appended.lock().unwrap().as_slice(), [1, 1], "refused once, then taken");
    let bench = Bench::failing(10, Some((1, fenced(7))), false);
    bench.decides(true).await.unwrap().expect_err("another brain has the session");
}
