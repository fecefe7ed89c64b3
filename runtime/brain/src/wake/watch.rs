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
    /// Up to where it was followed.
    seen: Seq,
    /// The latest interrupt that was seen. It stays news until the brain has read it, however often the wait for it is
    /// given up and begun anew.
    interrupt: Option<Seq>,
    tail: Option<Box<dyn Tail>>,
}

impl<'a> Watch<'a> {
    pub(super) fn new(log: &'a dyn SessionLog, session: SessionId) -> Self {
        Self { log, session, seen: Seq::FIRST, interrupt: None, tail: None }
    }

    /// Waits for an interrupt after the place up to which the brain has read. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`WakeError::NoSession`] if the session was taken away.
    pub(super) async fn interrupt(&mut self, after: Seq) -> Result<(), WakeError> {
        while self.interrupt.is_none_or(|interrupt| interrupt <= after) {
            match self.next(after).await {
                Ok(()) => {}
                Err(LogError::NoSession(session)) => return Err(WakeError::NoSession(session)),
                Err(_) => {
                    self.tail = None;
                    tokio::time::sleep(REOPEN).await;
                }
            }
        }
        Ok(())
    }

    /// Waits for the next thing that is followed.
    async fn next(&mut self, after: Seq) -> Result<(), LogError> {
        let tail = match &mut self.tail {
            Some(tail) => tail,
            None => {
                self.seen = self.seen.max(after);
                self.tail.insert(self.log.tail(self.session, Some(self.seen)).await?)
            }
        };
        let Followed::Event(entry) = tail.next().await? else { return Ok(()) };
        self.seen = entry.seq;
        if *entry.event.kind() == kinds::USER_INTERRUPT {
            self.interrupt = Some(entry.seq);
        }
        Ok(())
    }
}
