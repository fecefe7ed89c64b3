//! What is asked and answered: one form for each operation of [`SessionLog`](handbox_session::SessionLog).
//!
//! The forms of `handbox-session` are sent as they are. When one of them or of these changes,
//! [`PROTOCOL`](super::PROTOCOL) must change too; `the_forms_are_those_of_this_protocol` notices.

use handbox_session::{
    Arrival, Batch, Event, EventId, Fork, Lease, LogError, NewSession, Page, Places, Preview, Record, Seq, SessionId,
    Slice, Ticket,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A request that carries no events.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ask {
    Read(SessionId, Slice),
    Find(SessionId, EventId),
    Record(SessionId),
    Sessions(Option<SessionId>, u32),
    Remove(SessionId),
    Claim(SessionId, String, Duration),
    Renew(Lease, Duration),
    Release(Lease),
    Abandon(SessionId, Ticket),
}

/// A request that carries events.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Put {
    Append(Vec<Batch>),
    Create {
        id: SessionId,
        fork: Option<(SessionId, Seq)>,
        lineage: Vec<Fork>,
        arrival: Option<Arrival>,
        events: Vec<Event>,
    },
}

impl From<NewSession> for Put {
    fn from(new: NewSession) -> Self {
        let NewSession { id, fork, lineage, arrival, events } = new;
        Self::Create { id, fork, lineage, arrival, events }
    }
}

/// The beginning of a tail.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Follow(pub(super) SessionId, pub(super) Option<Seq>);

/// A preview for followers of a session.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Shown(pub(super) SessionId, pub(super) Preview);

/// What a request gave.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Created(Record),
    Appended(Vec<Option<Places>>),
    Page(Page),
    Found(Option<Seq>),
    Following,
    Record(Record),
    Sessions(Vec<Record>),
    Claimed(Lease),
    Done,
}

/// What became of a request.
pub(super) type Reply = Result<Answer, LogError>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::PROTOCOL;
    use handbox_session::{Entry, Epoch, Followed, Hash, Kind, Order, Writer};

    fn event() -> Event {
        let json = r#"{"id":"sevt_1111111111111111111111","type":"user.message"}"#;
        Event::from_json(json).expect("an event")
    }

    fn record() -> Record {
        let session = SessionId::at(1, [1; 10]);
        let fork = Fork { session, at: Seq::FIRST, hash: Hash([1; 32]) };
        Record {
            id: session,
            lineage: vec![fork],
            head: Seq::FIRST,
            last: event().id(),
            hash: Hash([2; 32]),
            checkpoint: Some(Seq::FIRST),
            compaction: None,
            holder: Some("brain".to_owned()),
        }
    }

    fn asks() -> Vec<Ask> {
        let (session, time) = (SessionId::at(1, [1; 10]), Duration::from_millis(1500));
        let lease = Lease { session, epoch: Epoch(3) };
        let slice = Slice {
            from: Some(Seq::FIRST),
            to: None,
            order: Order::NewestFirst,
            limit: Some(300),
            kinds: vec![Kind::new("user.message").expect("a kind")],
            thread: Some("sthr_1".to_owned()),
        };
        vec![
            Ask::Read(session, slice),
            Ask::Find(session, event().id()),
            Ask::Record(session),
            Ask::Sessions(Some(session), 10),
            Ask::Remove(session),
            Ask::Claim(session, "brain".to_owned(), time),
            Ask::Renew(lease.clone(), time),
            Ask::Release(lease),
            Ask::Abandon(session, Ticket([4; 16])),
        ]
    }

    fn puts() -> Vec<Put> {
        let session = SessionId::at(1, [1; 10]);
        let ticket = Ticket([4; 16]);
        let batch = |writer| Batch { session, writer, after: Some(Seq::FIRST), events: vec![event()] };
        vec![
            Put::Append(vec![batch(Writer::Client), batch(Writer::Brain(Epoch(2))), batch(Writer::Arriving(ticket))]),
            Put::Create {
                id: session,
                fork: Some((session, Seq::FIRST)),
                lineage: record().lineage,
                arrival: Some(Arrival { head: Seq::FIRST, hash: Hash([3; 32]), ticket }),
                events: vec![event()],
            },
        ]
    }

    fn replies() -> Vec<Reply> {
        let session = SessionId::at(1, [1; 10]);
        let entry = Entry { seq: Seq::FIRST, event: event() };
        let places = Places { first: Seq::FIRST, last: Seq::FIRST.plus(1) };
        vec![
            Ok(Answer::Created(record())),
            Ok(Answer::Appended(vec![Some(places), None])),
            Ok(Answer::Page(Page { entries: vec![entry], next: Some(Seq::FIRST) })),
            Ok(Answer::Found(Some(Seq::FIRST))),
            Ok(Answer::Following),
            Ok(Answer::Record(record())),
            Ok(Answer::Sessions(vec![record()])),
            Ok(Answer::Claimed(Lease { session, epoch: Epoch(300) })),
            Ok(Answer::Done),
            Err(LogError::NoSession(session)),
            Err(LogError::Fenced { session, epoch: Epoch(1), newest: Epoch(2) }),
            Err(LogError::Moved { session, head: Seq::FIRST }),
            Err(LogError::Held { session, holder: "brain".to_owned() }),
            Err(LogError::Refused("r".to_owned())),
            Err(LogError::Full("f".to_owned())),
            Err(LogError::ReadOnly("o".to_owned())),
            Err(LogError::Damaged(handbox_session::Damage::Store("d".to_owned()))),
            Err(LogError::Unavailable("u".to_owned())),
            Err(LogError::Unreachable("n".to_owned())),
        ]
    }

    /// Two builds that speak the same protocol must mean the same by the same bytes. When this fails, raise `PROTOCOL`
    /// and write the new digest beside it.
    #[test]
    fn the_forms_are_those_of_this_protocol() {
        let session = SessionId::at(1, [1; 10]);
        let preview = Preview("{}".to_owned());
        let followed = [Followed::Event(Entry { seq: Seq::FIRST, event: event() }), Followed::Preview(preview.clone())];
        let follow = Follow(session, Some(Seq::FIRST));
        let all = (asks(), puts(), replies(), followed, follow, Shown(session, preview));
        let bytes = postcard::to_stdvec(&all).expect("all have a form");
        let digest = blake3::hash(&bytes).to_hex();
        assert_eq!((PROTOCOL, &digest[..16]), (2, "e0b2d6a618668829"));
    }

    #[test]
    fn every_form_reads_back() {
        for put in puts() {
            let bytes = postcard::to_stdvec(&put).expect("a form");
            let again: Put = super::super::frame::decode(&bytes).expect("reads back");
            assert_eq!(format!("{put:?}"), format!("{again:?}"));
        }
        for reply in replies() {
            let bytes = postcard::to_stdvec(&reply).expect("a form");
            let again: Reply = super::super::frame::decode(&bytes).expect("reads back");
            assert_eq!(format!("{reply:?}"), format!("{again:?}"));
        }
    }
}
