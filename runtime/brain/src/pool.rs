//! Many sessions in one process.

use crate::{Brain, PassError, Rest, WakeError};
use handbox_session::SessionId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::Semaphore;

/// Lets any number of sessions be worked on, a bounded number of them at once.
///
/// A session that rests, or waits for a person or a client, takes no place: only its events are kept, on disk. The pool
/// starts no task. Whoever wakes a session does so from a task of their own, on their own runtime:
///
/// ```no_run
/// # use handbox_brain::{Brain, Pool};
/// # use handbox_session::SessionId;
/// # use std::sync::Arc;
/// # async fn all(brain: Brain, sessions: Vec<SessionId>) {
/// let pool = Arc::new(Pool::new(16));
/// for session in sessions {
///     let (pool, brain) = (Arc::clone(&pool), brain.clone());
///     tokio::spawn(async move { pool.wake(&brain, session).await });
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct Pool {
    places: Semaphore,
    /// Sessions that somebody works on, or is about to.
    turns: Mutex<HashMap<SessionId, Weak<Turn>>>,
}

type Turn = tokio::sync::Mutex<()>;

impl Pool {
    /// A pool in which so many sessions are awake at most; at least one.
    #[must_use]
    pub fn new(awake_max: usize) -> Self {
        let places = Semaphore::new(awake_max.clamp(1, Semaphore::MAX_PERMITS));
        Self { places, turns: Mutex::default() }
    }

    /// Works on a session until it rests, once there is a place for it; first come, first served.
    ///
    /// A session that is being worked on through this pool already is woken again afterwards, so that what was appended
    /// meanwhile is seen, and nobody is told that the session is held. Dropping the future is what it is for
    /// [`Brain::wake`].
    ///
    /// # Errors
    ///
    /// Those of [`Brain::wake`].
    pub async fn wake(&self, brain: &Brain, session: SessionId) -> Result<Rest, WakeError> {
        let waiting = Waiting::new(self, session);
        let _turn = waiting.turn.lock().await;
        let place = self.places.acquire().await;
        let _place = place.map_err(|_closed| WakeError::Bug("the pool was closed".to_owned()))?;
        brain.wake(session).await
    }

    /// Passes a hand once nobody works on either session through this pool, so that nobody here is told that one is held.
    ///
    /// # Errors
    ///
    /// Those of [`Brain::pass_hand`].
    pub async fn pass_hand(&self, brain: &Brain, from: SessionId, to: SessionId, hand: &str) -> Result<(), PassError> {
        if from == to {
            // Which is refused, and needs no turn.
            return brain.pass_hand(from, to, hand).await;
        }
        // Always in the same order, so that of two nobody waits for the other.
        let waiting = [from.min(to), from.max(to)].map(|session| Waiting::new(self, session));
        let _first = waiting[0].turn.lock().await;
        let _second = waiting[1].turn.lock().await;
        brain.pass_hand(from, to, hand).await
    }

    fn turn(&self, session: SessionId) -> Arc<Turn> {
        let mut turns = self.lock();
        if let Some(turn) = turns.get(&session).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::new(Turn::default());
        turns.insert(session, Arc::downgrade(&turn));
        turn
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Weak<Turn>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who wants a session worked on. The last one to go forgets the session.
struct Waiting<'a> {
    pool: &'a Pool,
    session: SessionId,
    turn: Arc<Turn>,
}

impl<'a> Waiting<'a> {
    fn new(pool: &'a Pool, session: SessionId) -> Self {
        Self { pool, session, turn: pool.turn(session) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut turns = self.pool.lock();
        // Under the lock nobody takes another one, so that one is this one.
        if Arc::strong_count(&self.turn) == 1 {
            turns.remove(&self.session);
        }
    }
}
