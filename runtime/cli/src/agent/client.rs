//! What a client says to a session.

use crate::failure::Failure;
use handbox_brain::{Machine, Surroundings};
use handbox_session::{Batch, Event, EventId, Kind, Seq, SessionId, SessionLog, Writer};
use serde_json::{Map, Value};

/// A new id of an event.
pub(super) fn mint() -> EventId {
    let mut chance = [0; 10];
    Machine.chance(&mut chance);
    EventId::at(Machine.now_unix_ms(), chance)
}

/// An event of a client, with a new id.
pub(super) fn event(kind: Kind, members: Value) -> Result<Event, Failure> {
    let members = if let Value::Object(members) = members { members } else { Map::new() };
    Event::new(mint(), kind, members).map_err(too_much)
}

/// For an event that cannot be made.
pub(super) fn too_much(error: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("this is too much for one event: {error}"))
}

/// Appends what a client says, and gives the last place of it.
pub(super) async fn say(log: &dyn SessionLog, session: SessionId, events: Vec<Event>) -> Result<Option<Seq>, Failure> {
    let places = log.append(vec![Batch { session, writer: Writer::Client, after: None, events }]).await?;
    Ok(places.into_iter().next().flatten().map(|places| places.last))
}
