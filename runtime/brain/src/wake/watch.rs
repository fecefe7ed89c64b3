//! Hearing of interrupts while something goes on.

use super::WakeError;
use handbox_session::{Followed, LogError, Seq, SessionId, SessionLog, Tail, kinds};
use std::time::Duration;

/// How long to wait before a tail that was lost is opened again.
const REOPEN: Duration = Duration::from_millis(20);

/// Follows a session.
pub(super) struct Watch<'a> {
    log: &'a dyn SessionLog,
    session: SessionId,
    seen: Seq,
    tail: Option<Box<dyn Tail>>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(log: &'a dyn SessionLog, session: SessionId) -> Self {
        Self { log, session, seen: Seq::FIRST, tail: None }
    }

    /// Waits for an interrupt after the place up to which the brain has read. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`WakeError::NoSession`] if the session was taken away.
    pub(super) async fn interrupt(&mut self, after: Seq) -> Result<(), WakeError> {
        loop {
            match self.next(after).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(LogError::NoSession(session)) => return Err(WakeError::NoSession(session)),
                Err(_) => {
                    self.tail = None;
                    tokio::time::sleep(REOPEN).await;
                }
            }
        }
    }

    /// Waits for the next thing that is followed, and says whether it is an interrupt that is news.
    async fn next(&mut self, after: Seq) -> Result<bool, LogError> {
        let tail = match &mut self.tail {
            Some(tail) => tail,
            None => {
                self.seen = self.seen.max(after);
                self.tail.insert(self.log.tail(self.session, Some(self.seen)).await?)
            }
        };
        let Followed::Event(entry) = tail.next().await? else { return Ok(false) };
        self.seen = entry.seq;
        Ok(entry.seq > after && *entry.event.kind() == kinds::USER_INTERRUPT)
    }
}
