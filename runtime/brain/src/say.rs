//! What a client tells a session, for programs that embed the runtime.

use crate::{Brain, WakeError};
use handbox_session::{Batch, Event, EventId, Seq, SessionId, Writer, kinds};
use serde_json::{Map, json};

impl Brain {
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
        let mut members = Map::new();
        members.insert("content".to_owned(), json!([{ "type": "text", "text": text }]));
        let event = Event::new(self.new_id(), kinds::USER_MESSAGE, members)?;
        let batch = Batch { session, writer: Writer::Client, after: None, events: vec![event] };
        let places = self.log.append(vec![batch]).await?;
        let place = places.into_iter().next().flatten().map(|places| places.first);
        place.ok_or_else(|| WakeError::Bug("the log took an event and gave it no place".to_owned()))
    }

    /// An id that sorts by time. Ids of one millisecond are in no order.
    pub(crate) fn new_id(&self) -> EventId {
        let mut chance = [0; 10];
        self.surroundings.chance(&mut chance);
        EventId::at(self.surroundings.now_unix_ms(), chance)
    }
}
