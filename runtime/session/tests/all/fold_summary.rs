//! Sums of sessions in a log, and what reading them costs.

use crate::fold_story::{Story, histories};
use async_trait::async_trait;
use handbox_session::fold::{Money, Status, StopReason, fold_to, summary};
use handbox_session::memory::MemoryLog;
use handbox_session::{
    Batch, EventId, Fold, Lease, LogError, NewSession, Page, Places, Preview, Record, Seq, SessionId, SessionLog,
    Slice, Tail, Ticket, Writer,
};
use proptest::prelude::*;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const SESSION: u128 = 7;

/// A log that counts the events that were read.
struct Counting {
    log: MemoryLog,
    read: AtomicUsize,
}

#[async_trait]
impl SessionLog for Counting {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        self.log.create(new).await
    }
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        self.log.append(batches).await
    }
    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        // Small pages, so that there are several.
        let limit = Some(slice.limit.unwrap_or(100).min(100));
        let page = self.log.read(session, Slice { limit, ..slice }).await?;
        self.read.fetch_add(page.entries.len(), Ordering::Relaxed);
        Ok(page)
    }
    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        self.log.find(session, event).await
    }
    async fn tail(&self, session: SessionId, after: Option<Seq>) -> Result<Box<dyn Tail>, LogError> {
        self.log.tail(session, after).await
    }
    async fn record(&self, session: SessionId) -> Result<Record, LogError> {
        self.log.record(session).await
    }
    async fn sessions(&self, before: Option<SessionId>, limit: usize) -> Result<Vec<Record>, LogError> {
        self.log.sessions(before, limit).await
    }
    async fn remove(&self, session: SessionId) -> Result<(), LogError> {
        self.log.remove(session).await
    }
    async fn abandon(&self, session: SessionId, ticket: Ticket) -> Result<(), LogError> {
        self.log.abandon(session, ticket).await
    }
    async fn claim(&self, session: SessionId, holder: &str, time: Duration) -> Result<Lease, LogError> {
        self.log.claim(session, holder, time).await
    }
    async fn renew(&self, lease: &Lease, time: Duration) -> Result<(), LogError> {
        self.log.renew(lease, time).await
    }
    async fn release(&self, lease: &Lease) -> Result<(), LogError> {
        self.log.release(lease).await
    }
    fn preview(&self, session: SessionId, preview: Preview) {
        self.log.preview(session, preview);
    }
}

impl Counting {
    async fn of(story: &Story) -> Self {
        let log = MemoryLog::new(Instant::now);
        let mut events: Vec<_> = story.entries.iter().map(|entry| entry.event.clone()).collect();
        let rest = events.split_off(1);
        log.create(NewSession::own(SessionId::from(SESSION), events)).await.expect("a session");
        let session = SessionId::from(SESSION);
        // What stories write as a brain is appended as one.
        let lease = log.claim(session, "a story", Duration::from_secs(60)).await.expect("a lease");
        for events in rest.chunks(1000) {
            let writer = Writer::Brain(lease.epoch);
            log.append(vec![Batch { session, writer, after: None, events: events.to_vec() }]).await.expect("appended");
        }
        Self { log, read: AtomicUsize::new(0) }
    }

    async fn fold(&self, to: Option<Seq>) -> Fold {
        let record = self.record(SessionId::from(SESSION)).await.expect("a record");
        fold_to(self, &record, to).await.expect("a fold")
    }
}

#[tokio::test]
async fn a_summary_says_what_the_events_say() {
    let mut story = Story::new();
    let hello = story.message("hello");
    story.add("session.status_running", json!({}));
    story.take(&[hello]);
    let start = story.add("span.model_request_start", json!({}));
    story.reply(start, 10, 12_000_000_000);
    story.tool_use("ask");
    story.idle("requires_action");
    story.message("and this");
    let log = Counting::of(&story).await;
    let summary = summary(&log, SessionId::from(SESSION)).await.unwrap();
    assert_eq!((summary.status, summary.stop_reason), (Status::Idle, Some(StopReason::RequiresAction)));
    assert_eq!((summary.title.as_deref(), summary.events), (Some("a story"), 9));
    assert_eq!((summary.waiting, summary.queued), (1, 1));
    assert_eq!(summary.total.spend, Money::from_picodollars(12_000_000_000));
    assert_eq!(summary.active_unix_ms, story.entries[8].event.id().unix_ms());
    assert_eq!(summary.holder.as_deref(), Some("a story"));
}

#[tokio::test]
async fn no_session_is_an_error() {
    let log = MemoryLog::new(Instant::now);
    let id = SessionId::from(SESSION);
    assert_eq!(summary(&log, id).await, Err(LogError::NoSession(id)));
}

/// A story with checkpoints as they are due.
fn long_story(events: usize) -> Story {
    let mut story = Story::new();
    let mut fold = story.fold_all();
    while story.entries.len() < events {
        let id = story.message("hello");
        story.take(&[id]);
        fold.apply_all(&story.entries[fold.next().get() as usize - 1..]).expect("no gap");
        if fold.checkpoint_due() {
            story.checkpoint(fold.checkpoint().expect("it fits"));
        }
    }
    story
}

#[tokio::test]
async fn what_a_summary_reads_does_not_grow_with_the_session() {
    for events in [1_000, 10_000] {
        let story = long_story(events);
        let log = Counting::of(&story).await;
        assert_eq!(log.fold(None).await, story.fold_all());
        let read = log.read.swap(0, Ordering::Relaxed);
        assert!(read <= 260, "{read} events of {events}");
        let middle = story.entries[events / 2].seq;
        assert_eq!(log.fold(Some(middle)).await, story.fold(middle.get() as usize));
        let read = log.read.load(Ordering::Relaxed);
        assert!(read <= 260, "{read} events of {events} for a place in the middle");
    }
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_used_costs_time_only() {
    let mut story = long_story(300);
    let mut members = story.fold_all().checkpoint().unwrap();
    members["version"] = json!(77);
    story.checkpoint(members);
    story.message("after");
    assert_eq!(Counting::of(&story).await.fold(None).await, story.fold_all());

    // One that counts on events that were not the ones before it: a client's came in between.
    let mut believed = Story::new();
    believed.message("never written");
    let mut story = Story::new();
    story.add("agent.thinking", json!({}));
    let mut members = believed.fold_all().checkpoint().unwrap();
    members["fold"]["through"] = json!([2, EventId::from(5)]);
    story.checkpoint(members.clone());
    assert_eq!(Counting::of(&story).await.fold(None).await, story.fold_all());

    // And one that claims to know what comes after itself.
    members["fold"]["through"] = json!([4, EventId::from(5)]);
    story.checkpoint(members);
    assert_eq!(Counting::of(&story).await.fold(None).await, story.fold_all());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 16, ..ProptestConfig::default() })]

    #[test]
    fn a_fold_read_to_any_place_is_the_fold_of_all_before(story in histories(80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let log = Counting::of(&story).await;
            for entry in &story.entries {
                assert_eq!(log.fold(Some(entry.seq)).await, story.fold(entry.seq.get() as usize));
            }
            assert_eq!(log.fold(Some(Seq::new(u64::MAX).unwrap())).await, story.fold_all());
        });
    }
}
