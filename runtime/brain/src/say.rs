//! What a client tells a session, for programs that embed the runtime.

use crate::{Brain, RunsWith, WakeError};
use handbox_session::{Batch, Event, EventId, NewSession, Record, Seq, SessionId, Writer, kinds};
use serde_json::{Map, json};
use std::collections::BTreeMap;

impl Brain {
    /// Begins a session that is told something at once: both are there, or neither, whenever this process ends.
    ///
    /// # Errors
    ///
    /// As [`Self::create`].
    pub async fn begin(
        &self,
        id: SessionId,
        runs: &RunsWith,
        title: Option<String>,
        metadata: BTreeMap<String, String>,
        text: &str,
    ) -> Result<Record, WakeError> {
        let created = runs.begin(self.new_id(), title, metadata);
        let created = created.map_err(|error| WakeError::Unusable(error.to_string()))?;
        Ok(self.log.create(NewSession::own(id, vec![created, self.message(text)?])).await?)
    }

    /// Tells a session something, as its user: `user.message`. [`Brain::wake`] it afterwards; input that comes during a
    /// turn is taken by whoever works on it.
    ///
    /// # Errors
    ///
    /// Those of [`SessionLog::append`](handbox_session::SessionLog::append). After [`LogError::Unavailable`] it may have
    /// been said all the same.
    ///
    /// [`LogError::Unavailable`]: handbox_session::LogError::Unavailable
    pub async fn say(&self, session: SessionId, text: &str) -> Result<Seq, WakeError> {
        let batch = Batch { session, writer: Writer::Client, after: None, events: vec![self.message(text)?] };
        let places = self.log.append(vec![batch]).await?;
        let place = places.into_iter().next().flatten().map(|places| places.first);
        place.ok_or_else(|| WakeError::Bug("the log took an event and gave it no place".to_owned()))
    }

    fn message(&self, text: &str) -> Result<Event, WakeError> {
        let mut members = Map::new();
        members.insert("content".to_owned(), json!([{ "type": "text", "text": text }]));
        Ok(Event::new(self.new_id(), kinds::USER_MESSAGE, members)?)
    }

    /// An id that sorts by time. Ids of one millisecond are in no order.
    pub(crate) fn new_id(&self) -> EventId {
        let mut chance = [0; 10];
        self.surroundings.chance(&mut chance);
        EventId::at(self.surroundings.now_unix_ms(), chance)
    }
}
