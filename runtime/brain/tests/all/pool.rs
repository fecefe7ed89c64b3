//! Many sessions in one process.

use async_trait::async_trait;
use handbox_brain::model::{Listener, Model, ModelError, ModelRequest, Reply};
use handbox_brain::{Agent, Brain, Machine, NoHands, NoScratch, Pool, RunsWith, Settings};
use handbox_session::fold::{StopReason, Tokens};
use handbox_session::memory::MemoryLog;
use handbox_session::{Seq, SessionId, Slice, kinds};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Answers after a while, and counts how many wait for it.
#[derive(Default)]
struct Slow {
    asked: AtomicUsize,
    at_once: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Model for Slow {
    fn provider(&self) -> &str {
        "slow"
    }

    async fn ask(&self, _: &ModelRequest, _: &mut dyn Listener) -> Result<Reply, ModelError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.most.fetch_max(self.at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        let content = r#"[{"type":"text","text":"Done."}]"#.to_owned();
        let stop_reason = Some("end_turn".to_owned());
        Ok(Reply { model: "slow".to_owned(), content, stop_reason, usage: Some(Tokens::default()) })
    }
}

fn brain(model: &Arc<Slow>) -> Brain {
    let log = MemoryLog::new(Instant::now);
    Brain {
        log: Arc::new(log.clone()),
        blobs: Arc::new(log),
        model: model.clone(),
        hands: Arc::new(NoHands),
        scratch: Arc::new(NoScratch),
        surroundings: Arc::new(Machine),
        settings: Settings::usual("a pool"),
    }
}

async fn begin(brain: &Brain, number: u8) -> SessionId {
    let session = SessionId::at(0, [number; 10]);
    let begun = brain.begin(session, &RunsWith::new(Agent::new("slow")), None, Default::default(), "Hello!").await;
    // In one append: no crash leaves a session that was told nothing.
    assert_eq!(begun.unwrap().head, Seq::new(2).unwrap());
    session
}

#[tokio::test]
async fn any_number_of_sessions_is_worked_on_a_few_at_a_time() {
    let model = Arc::new(Slow::default());
    let (brain, pool) = (brain(&model), Arc::new(Pool::new(4)));
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..24 {
        let session = begin(&brain, number).await;
        let (pool, brain) = (Arc::clone(&pool), brain.clone());
        tasks.spawn(async move { pool.wake(&brain, session).await });
    }
    for rest in tasks.join_all().await {
        assert_eq!(rest.unwrap().stop_reason, Some(StopReason::EndTurn));
    }
    assert_eq!((model.asked.load(Ordering::SeqCst), model.most.load(Ordering::SeqCst)), (24, 4));
}

#[tokio::test]
async fn a_session_that_is_woken_by_many_is_worked_on_once_and_held_for_nobody() {
    let model = Arc::new(Slow::default());
    let (brain, pool) = (brain(&model), Arc::new(Pool::new(4)));
    let session = begin(&brain, 1).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (pool, brain) = (Arc::clone(&pool), brain.clone());
        tasks.spawn(async move { pool.wake(&brain, session).await });
    }
    // Somebody who gives up waiting keeps nobody else from it.
    let gave_up = tokio::time::timeout(Duration::from_millis(5), async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        pool.wake(&brain, session).await
    });
    assert!(gave_up.await.is_err(), "the model takes longer");
    for rest in tasks.join_all().await {
        assert_eq!(rest.unwrap().stop_reason, Some(StopReason::EndTurn));
    }
    assert_eq!(model.asked.load(Ordering::SeqCst), 1);
    let kinds = vec![kinds::AGENT_MESSAGE];
    let said = brain.log.read(session, Slice { kinds, ..Slice::from(Seq::FIRST) }).await.unwrap();
    assert_eq!(said.entries.len(), 1);
}
