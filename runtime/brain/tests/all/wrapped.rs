//! A log around which something happens: it counts, loses answers, or stops at a point.

use async_trait::async_trait;
use handbox_session::memory::MemoryLog;
use handbox_session::{
    Batch, EventId, Lease, LogError, NewSession, Page, Places, Preview, Record, Seq, SessionId, SessionLog, Slice,
    Tail, Ticket,
};
use std::time::Duration;

/// What happens around a log's operations: nothing, as a rule.
#[async_trait]
pub(crate) trait Around: Send + Sync {
    /// Before an append. An error is what the caller gets, and nothing is appended.
    async fn before_append(&self, _batches: &[Batch]) -> Result<(), LogError> {
        Ok(())
    }
    /// After one that was made. An error is what the caller gets all the same.
    async fn after_append(&self, _batches: &[Batch]) -> Result<(), LogError> {
        Ok(())
    }
    /// Before an event is looked for. An error is what the caller gets.
    async fn before_find(&self) -> Result<(), LogError> {
        Ok(())
    }
    /// What was read.
    fn read(&self, _page: &Page) {}
}

/// A log, and what happens around it.
pub(crate) struct Wrapped<A> {
    pub(crate) log: MemoryLog,
    pub(crate) around: A,
}

#[async_trait]
impl<A: Around> SessionLog for Wrapped<A> {
    async fn create(&self, new: NewSession) -> Result<Record, LogError> {
        self.log.create(new).await
    }
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Option<Places>>, LogError> {
        self.around.before_append(&batches).await?;
        let places = self.log.append(batches.clone()).await?;
        self.around.after_append(&batches).await?;
        Ok(places)
    }
    async fn read(&self, session: SessionId, slice: Slice) -> Result<Page, LogError> {
        let page = self.log.read(session, slice).await?;
        self.around.read(&page);
        Ok(page)
    }
    async fn find(&self, session: SessionId, event: EventId) -> Result<Option<Seq>, LogError> {
        self.around.before_find().await?;
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
