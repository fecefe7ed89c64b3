//! Sessions that come from elsewhere.

use super::Factory;
use super::bench::{Bench, assert_refused, batch, plain, seq};
use crate::{
    Arrival, Batch, Epoch, Event, Fork, Hash, LogError, NewSession, Places, Preview, Record, SessionId, Slice, Ticket,
    Writer,
};
use std::time::Duration;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(300);
const TICKET: Ticket = Ticket([7; 16]);
const OTHER: Ticket = Ticket([8; 16]);

/// Where a session of this record ends.
fn arrival(record: &Record) -> Arrival {
    Arrival { head: record.head, hash: record.hash, ticket: TICKET }
}

fn arriving(session: SessionId, ticket: Ticket, events: &[Event]) -> Batch {
    Batch { writer: Writer::Arriving(ticket), ..batch(session, events.to_vec()) }
}

/// What is taken in: three events of a session that is elsewhere.
struct Elsewhere {
    id: SessionId,
    arrival: Arrival,
    events: Vec<Event>,
}

async fn elsewhere(factory: &dyn Factory) -> Elsewhere {
    let there = Bench::new(factory).await;
    // So that its ids are not those that are minted here.
    for _ in 0..1000 {
        there.session_id();
    }
    let id = there.begin(3).await;
    Elsewhere { id, arrival: arrival(&there.record(id).await), events: there.all(id).await }
}

impl Elsewhere {
    fn first(&self, count: usize) -> NewSession {
        NewSession::imported(self.id, Vec::new(), self.arrival, self.events[..count].to_vec())
    }

    async fn begin(&self, bench: &Bench) {
        let record = bench.log().create(self.first(1)).await.expect("a session begins to arrive");
        assert_eq!((record.id, record.head), (self.id, seq(1)), "the importer is told how far it is");
    }
}

async fn assert_is_not_there(bench: &Bench, id: SessionId) {
    let (log, gone) = (bench.log(), LogError::NoSession(id));
    assert_eq!(log.record(id).await, Err(gone.clone()));
    assert_eq!(log.read(id, Slice::default()).await, Err(gone.clone()));
    assert_eq!(log.find(id, bench.event_id()).await, Err(gone.clone()));
    assert_eq!(log.tail(id, None).await.err(), Some(gone.clone()));
    assert_eq!(log.claim(id, "a brain", LONG).await, Err(gone.clone()));
    assert_eq!(log.remove(id).await, Err(gone.clone()));
    for writer in [Writer::Client, Writer::Brain(Epoch(1)), Writer::Arriving(OTHER)] {
        for events in [bench.messages(1), Vec::new()] {
            assert_eq!(bench.put(Batch { writer, ..batch(id, events) }).await, Err(gone.clone()), "{writer:?}");
        }
    }
    assert_eq!(log.create(NewSession::fork(bench.session_id(), id, seq(1))).await, Err(gone.clone()));
    assert_eq!(log.abandon(id, OTHER).await, Err(gone));
    assert_eq!(log.sessions(None, 10).await, Ok(Vec::new()));
    log.preview(id, Preview("{}".to_owned()));
}

/// Whatever anybody asks, there is no such session before its last event is there, and a whole one after that.
pub async fn a_session_that_arrives_is_not_there_until_it_is_whole(factory: &dyn Factory) {
    let (bench, from) = (Bench::new(factory).await, elsewhere(factory).await);
    from.begin(&bench).await;
    assert_is_not_there(&bench, from.id).await;
    assert_refused(bench.log().create(from.first(3)).await);
    assert_refused(bench.log().create(NewSession::own(from.id, bench.messages(1))).await);
    let places = bench.put(arriving(from.id, TICKET, &from.events[1..2])).await;
    assert_eq!(places, Ok(Some(Places { first: seq(2), last: seq(2) })));
    assert_is_not_there(&bench, from.id).await;
    let last = Batch { after: Some(seq(2)), ..arriving(from.id, TICKET, &from.events[2..]) };
    assert_eq!(bench.put(last).await, Ok(Some(Places { first: seq(3), last: seq(3) })));
    assert_eq!(bench.all(from.id).await, from.events);
    assert_eq!(bench.record(from.id).await.hash, from.arrival.hash);
    assert_eq!(bench.log().sessions(None, 10).await, Ok(vec![bench.record(from.id).await]));
    bench.append(from.id, bench.messages(1)).await;
    bench.log().claim(from.id, "a brain", LONG).await.expect("it is a session like any other");
}

/// One that is given whole is there at once.
pub async fn a_session_that_is_given_whole_is_there_at_once(factory: &dyn Factory) {
    let (bench, from) = (Bench::new(factory).await, elsewhere(factory).await);
    let record = bench.log().create(from.first(3)).await.expect("it is whole");
    assert_eq!((record.head, record.hash), (from.arrival.head, from.arrival.hash));
    assert_eq!(bench.record(from.id).await, record);
    let late = arriving(from.id, TICKET, &bench.messages(1));
    assert_eq!(bench.put(late).await, Err(LogError::NoSession(from.id)), "it does not arrive any more");
    assert_eq!(bench.log().abandon(from.id, TICKET).await, Err(LogError::NoSession(from.id)));
    assert_eq!(bench.all(from.id).await, from.events);
}

/// Events that lead elsewhere are refused, all that came with them too, and the right ones are taken after that.
pub async fn a_session_arrives_where_it_was_said_to(factory: &dyn Factory) {
    let (bench, from) = (Bench::new(factory).await, elsewhere(factory).await);
    let mut changed = from.events.clone();
    changed[2] = bench.message();
    let mut longer = from.events.clone();
    longer.push(bench.message());
    for events in [&changed, &longer] {
        let new = NewSession::imported(from.id, Vec::new(), from.arrival, events.clone());
        assert_refused(bench.log().create(new).await);
    }
    from.begin(&bench).await;
    assert_refused(bench.put(arriving(from.id, TICKET, &changed[1..])).await);
    assert_refused(bench.put(arriving(from.id, TICKET, &longer[1..])).await);
    let stale = Batch { after: Some(seq(2)), ..arriving(from.id, TICKET, &from.events[1..]) };
    assert_eq!(bench.put(stale).await, Err(LogError::Moved { session: from.id, head: seq(1) }));
    assert_refused(bench.put(arriving(from.id, TICKET, &from.events[..1])).await);
    let (second, third) = (&from.events[1..2], &from.events[2..]);
    // In one call, with something for another session that is refused, and then without.
    let missing = bench.session_id();
    let all = [arriving(from.id, TICKET, second), arriving(from.id, TICKET, third), batch(missing, Vec::new())];
    assert_eq!(bench.log().append(all.to_vec()).await, Err(LogError::NoSession(missing)));
    assert_is_not_there(&bench, from.id).await;
    bench.log().append(all[..2].to_vec()).await.expect("these are the events");
    assert_eq!(bench.all(from.id).await, from.events);
}

/// Nothing is left of it, and it can begin again.
pub async fn a_session_that_is_given_up_is_gone(factory: &dyn Factory) {
    let (bench, from) = (Bench::new(factory).await, elsewhere(factory).await);
    for _ in 0..3 {
        from.begin(&bench).await;
        assert_eq!(bench.log().abandon(from.id, TICKET).await, Ok(()));
        assert_is_not_there(&bench, from.id).await;
        let late = arriving(from.id, TICKET, &from.events[1..]);
        assert_eq!(bench.put(late).await, Err(LogError::NoSession(from.id)));
        assert_eq!(bench.log().abandon(from.id, TICKET).await, Err(LogError::NoSession(from.id)));
    }
    let own = bench.messages(1);
    bench.log().create(NewSession::own(from.id, own.clone())).await.expect("the id is free");
    assert_eq!(bench.all(from.id).await, own);
}

/// Whoever opens the log finds sessions that are whole, and no others.
pub async fn a_session_that_has_not_arrived_is_gone_after_a_reopen(factory: &dyn Factory) {
    let (mut bench, from) = (Bench::new(factory).await, elsewhere(factory).await);
    for _ in 0..2 {
        from.begin(&bench).await;
        bench.put(arriving(from.id, TICKET, &from.events[1..2])).await.expect("it goes on");
        if !bench.subject.reopen().await {
            return;
        }
        assert_is_not_there(&bench, from.id).await;
        let late = arriving(from.id, TICKET, &from.events[2..]);
        assert_eq!(bench.put(late).await, Err(LogError::NoSession(from.id)), "its importer begins again");
    }
    from.begin(&bench).await;
    bench.put(arriving(from.id, TICKET, &from.events[1..])).await.expect("and it arrives");
    assert!(bench.subject.reopen().await);
    assert_eq!(bench.all(from.id).await, from.events);
}

/// Several arrive at once, among others that are there.
pub async fn sessions_that_arrive_are_not_counted(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let mut whole = Vec::new();
    for _ in 0..5 {
        whole.push(bench.begin(1).await);
        let from = elsewhere(factory).await;
        let new = NewSession { id: bench.session_id(), ..from.first(1) };
        bench.log().create(new).await.expect("a session begins to arrive");
    }
    whole.reverse();
    for limit in 0..=6 {
        let listed: Vec<_> =
            bench.log().sessions(None, limit).await.expect("listed").into_iter().map(|record| record.id).collect();
        assert_eq!(listed, whole[..limit.min(5)], "of at most {limit}");
    }
}

/// Events that come from another place with their lineage have the hashes that they had there.
pub async fn a_session_from_elsewhere_keeps_its_hashes(factory: &dyn Factory) {
    let (there, mut here) = (Bench::new(factory).await, Bench::new(factory).await);
    let first = there.begin(3).await;
    let second = there.fork(first, 2).await;
    there.append(second, there.messages(2)).await;
    let third = there.fork(second, 3).await;
    there.append(third, there.messages(2)).await;
    let (record, events) = (there.record(third).await, there.all(third).await);
    // However the events are divided.
    for divided in 1..=events.len() {
        let new = NewSession::imported(third, record.lineage.clone(), arrival(&record), events[..divided].to_vec());
        here.log().create(new).await.expect("the lineage is that of the events");
        for event in &events[divided..] {
            here.put(arriving(third, TICKET, std::slice::from_ref(event))).await.expect("the next event");
        }
        here.subject.reopen().await;
        assert_eq!(here.record(third).await, record, "divided after {divided}");
        assert_eq!(here.all(third).await, events);
        assert_eq!(here.log().record(first).await, Err(LogError::NoSession(first)), "it shares nothing here");
        if divided < events.len() {
            here.log().remove(third).await.expect("nobody holds it");
        }
    }
    // It can be forked, also where it had been a fork, and the same is said of that as would be there.
    for at in 1..=5 {
        let id = there.session_id();
        let mut records = Vec::new();
        for bench in [&there, &here] {
            records.push(bench.log().create(NewSession::fork(id, third, seq(at))).await);
        }
        assert!(records[0].is_ok() && records[0] == records[1], "at {at}: {records:?}");
        assert_eq!(here.all(id).await, events[..usize::try_from(at).expect("a small number")]);
    }
    here.log().remove(third).await.expect("nobody holds it");
    assert_refused(here.log().create(NewSession::own(third, here.messages(1))).await);
}

/// An event that is not what was forked is refused where that shows, with all that was appended with it.
pub async fn a_session_from_elsewhere_that_contradicts_its_lineage_is_refused(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let first = bench.begin(3).await;
    let second = bench.fork(first, 2).await;
    bench.append(second, bench.messages(1)).await;
    let (record, events) = (bench.record(second).await, bench.all(second).await);
    let (lineage, end) = (record.lineage.clone(), arrival(&record));
    let id = bench.session_id();
    let changed = vec![events[0].clone(), bench.message(), events[2].clone()];
    let import = |events: &[Event]| NewSession::imported(id, lineage.clone(), end, events.to_vec());
    assert_refused(bench.log().create(import(&changed)).await);
    assert_eq!(bench.log().record(id).await, Err(LogError::NoSession(id)));
    bench.log().create(import(&changed[..1])).await.expect("so far it is right");
    assert_refused(bench.put(arriving(id, TICKET, &changed[1..])).await);
    bench.put(arriving(id, TICKET, &events[1..2])).await.expect("and this is right");
    bench.log().abandon(id, TICKET).await.expect("it has not arrived");

    let fork = lineage[0];
    let twice = vec![fork, Fork { session: second, ..fork }];
    let falling = vec![Fork { at: seq(3), ..fork }, Fork { session: second, ..fork }];
    let own = vec![Fork { session: id, ..fork }];
    for wrong in [twice, falling, own] {
        let id = if wrong[0].session == id { id } else { bench.session_id() };
        assert_refused(bench.log().create(NewSession::imported(id, wrong, end, events[..1].to_vec())).await);
    }
    let early = Arrival { head: seq(1), hash: Hash([1; 32]), ticket: TICKET };
    for new in [
        NewSession { arrival: None, ..import(&events) },
        NewSession { arrival: Some(early), ..import(&events[..1]) },
        NewSession { arrival: Some(end), ..NewSession::fork(id, first, seq(1)) },
        import(&[]),
    ] {
        assert_eq!(bench.log().create(new).await.map_err(plain), Err(LogError::Refused(String::new())));
    }
}
