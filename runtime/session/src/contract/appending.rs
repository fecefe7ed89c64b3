//! What becomes of events that are appended.

use super::Factory;
use super::bench::{Bench, assert_refused, batch, seq};
use crate::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, Batch, EVENT_BYTES_MAX, Epoch, Event, LogError, NewSession, Places, SessionId,
    Writer, kinds,
};
use std::collections::BTreeSet;

/// The places 1, 2, 3 … are given in the order of the appends.
pub async fn events_get_dense_places_in_the_order_of_their_appends(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let mut expected = bench.messages(2);
    let session = bench.begin_with(expected.clone()).await;
    for count in [1, 3, 2] {
        let events = bench.messages(count);
        let places = bench.append(session, events.clone()).await;
        let first = seq(expected.len() as u64 + 1);
        assert_eq!(places, Places { first, last: first.plus(count as u64 - 1) });
        expected.extend(events);
    }
    assert_eq!(bench.all(session).await, expected);
}

/// A call may name a session twice; the second batch finds what the first left.
pub async fn several_batches_of_one_session_follow_each_other(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let (one, two) = (bench.messages(2), bench.messages(1));
    let first = Batch { after: Some(seq(1)), ..batch(session, one.clone()) };
    let second = Batch { after: Some(seq(3)), ..batch(session, two.clone()) };
    let places = bench.log().append(vec![first, second]).await;
    let expected = [(2, 3), (4, 4)].map(|(first, last)| Some(Places { first: seq(first), last: seq(last) }));
    assert_eq!(places, Ok(expected.to_vec()));
    assert_eq!(bench.all(session).await[1..], [one, two].concat());

    let stale = Batch { after: Some(seq(4)), ..batch(session, bench.messages(1)) };
    let result = bench.log().append(vec![batch(session, bench.messages(1)), stale]).await;
    assert_eq!(result, Err(LogError::Moved { session, head: seq(5) }));
    assert_eq!(bench.head(session).await, 4, "what the first batch would have left is not there");
}

/// Whatever the second batch fails on, the first is not appended; and whatever the first fails on, the second is not.
pub async fn all_batches_are_appended_or_none(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let (first, second) = (bench.begin(1).await, bench.begin(2).await);
    let before = (bench.record(first).await, bench.record(second).await);
    let missing = bench.session_id();
    let brain = Writer::Brain(Epoch(7));
    let known = bench.all(second).await.remove(0);
    let failing = [
        (batch(missing, bench.messages(1)), LogError::NoSession(missing)),
        (
            Batch { writer: brain, ..batch(second, bench.messages(1)) },
            LogError::Fenced { session: second, epoch: Epoch(7), newest: Epoch(0) },
        ),
        (
            Batch { after: Some(seq(1)), ..batch(second, bench.messages(1)) },
            LogError::Moved { session: second, head: seq(2) },
        ),
        (batch(second, vec![bench.message(), known]), LogError::Refused(String::new())),
    ];
    for (bad, error) in failing {
        let good = batch(first, bench.messages(2));
        for batches in [vec![good.clone(), bad.clone()], vec![bad.clone(), good.clone()]] {
            let result = bench.log().append(batches).await;
            assert_eq!(result.map_err(super::bench::plain), Err(error.clone()));
            assert_eq!((bench.record(first).await, bench.record(second).await), before, "after {error:?}");
            for event in &good.events {
                assert_eq!(bench.log().find(first, event.id()).await, Ok(None));
            }
        }
        // What was refused with others is taken alone, so nothing of it was kept, not even its ids.
    }
    let places = bench.log().append(vec![batch(first, bench.messages(1)), batch(second, bench.messages(1))]).await;
    let expected = [2, 3].map(|place| Some(Places { first: seq(place), last: seq(place) }));
    assert_eq!(places, Ok(expected.to_vec()), "and nothing of what was refused holds a place");
}

/// An append that builds on a head is taken at that head alone.
pub async fn an_expected_head_is_the_head_or_the_append_is_refused(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(3).await;
    for place in [1, 2, 4, 1_000_000, u64::MAX] {
        let result = bench.put(Batch { after: Some(seq(place)), ..batch(session, bench.messages(1)) }).await;
        assert_eq!(result, Err(LogError::Moved { session, head: seq(3) }), "at {place}");
    }
    let result = bench.put(Batch { after: Some(seq(3)), ..batch(session, bench.messages(2)) }).await;
    assert_eq!(result, Ok(Some(Places { first: seq(4), last: seq(5) })));
}

/// A batch without events has no place, and fails as one with events does.
pub async fn an_empty_batch_only_checks(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(2).await;
    let before = bench.record(session).await;
    let empty = batch(session, Vec::new());
    assert_eq!(bench.log().append(Vec::new()).await, Ok(Vec::new()));
    assert_eq!(bench.put(empty.clone()).await, Ok(None));
    assert_eq!(bench.put(Batch { after: Some(seq(2)), ..empty.clone() }).await, Ok(None));
    let moved = bench.put(Batch { after: Some(seq(1)), ..empty.clone() }).await;
    assert_eq!(moved, Err(LogError::Moved { session, head: seq(2) }));
    let fenced = bench.put(Batch { writer: Writer::Brain(Epoch(1)), ..empty }).await;
    assert_eq!(fenced, Err(LogError::Fenced { session, epoch: Epoch(1), newest: Epoch(0) }));
    let missing = bench.session_id();
    assert_eq!(bench.put(batch(missing, Vec::new())).await, Err(LogError::NoSession(missing)));
    assert_eq!(bench.record(session).await, before);
}

/// An id is in a session once, whoever says it again and when; another session may have it too.
pub async fn an_event_id_is_taken_once(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let twice = bench.message();
    let session = bench.begin_with(vec![bench.message(), twice.clone()]).await;
    let other = bench.begin_with(vec![twice.clone()]).await;
    let new = bench.message();
    for _ in 0..2 {
        assert_refused(bench.put(batch(session, vec![twice.clone()])).await);
        assert_refused(bench.put(batch(session, vec![new.clone(), new.clone()])).await);
        let batches = vec![batch(session, vec![new.clone()]), batch(session, vec![new.clone()])];
        assert_refused(bench.log().append(batches).await);
        let create = NewSession::own(bench.session_id(), vec![new.clone(), new.clone()]);
        assert_refused(bench.log().create(create).await);
        assert_eq!(bench.head(session).await, 2);
        if !bench.subject.reopen().await {
            break;
        }
    }
    assert_eq!(bench.append(other, vec![new.clone()]).await.last, seq(2));
    assert_eq!(bench.append(session, vec![new]).await.last, seq(3), "a refused event can be appended later");
}

/// Events and bytes of one call are counted over all its batches; the most is taken.
pub async fn what_is_too_much_is_refused(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let (one, two) = (bench.begin(1).await, bench.begin(1).await);
    let many = bench.messages(APPEND_EVENTS_MAX);
    let more = bench.message();
    assert_refused(bench.put(batch(one, [many.clone(), vec![more.clone()]].concat())).await);
    assert_refused(bench.log().append(vec![batch(one, many.clone()), batch(two, vec![more.clone()])]).await);
    let create = NewSession::own(bench.session_id(), [many.clone(), vec![more.clone()]].concat());
    assert_refused(bench.log().create(create).await);
    assert_eq!((bench.head(one).await, bench.head(two).await), (1, 1));
    assert_eq!(bench.append(one, many).await.last, seq(APPEND_EVENTS_MAX as u64 + 1));

    let large: Vec<Event> = (0..APPEND_BYTES_MAX / EVENT_BYTES_MAX).map(|_| bench.sized(EVENT_BYTES_MAX)).collect();
    assert_refused(bench.log().append(vec![batch(two, large.clone()), batch(one, vec![more])]).await);
    assert_eq!(bench.head(two).await, 1);
    assert_eq!(bench.append(two, large.clone()).await.last, seq(large.len() as u64 + 1));
    assert_eq!(bench.all(two).await[1..], large);
}

/// No character, number or order of members is another when it is read.
pub async fn the_canonical_bytes_come_back_verbatim(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let odd = [
        r#""\u0000\u0001\b\t\n\f\r\u001b\"\\/ \u007f é 漢 😀 \u2028 \ufeff""#,
        "[0,-0.0,1.0,1e300,5e-324,18446744073709551615,-9223372036854775808,0.1,123456789.12345679]",
        r#"{"":null,"z":{"b":[],"a":{}},"é":true,"A":false}"#,
        r#""</script><!-- {{handlebars}} ${shell} '; DROP TABLE sessions; --""#,
    ];
    let events: Vec<Event> = odd
        .iter()
        .map(|json| {
            let value: serde_json::Value = serde_json::from_str(json).expect("this is JSON");
            bench.event(&kinds::AGENT_MESSAGE, "content", value)
        })
        .collect();
    let session = bench.begin_with(events.clone()).await;
    for _ in 0..2 {
        for (read, written) in bench.all(session).await.iter().zip(&events) {
            assert_eq!(read.json(), written.json());
            assert_eq!((read.id(), read.kind()), (written.id(), written.kind()));
        }
        assert_eq!(bench.head(session).await, events.len() as u64);
        if !bench.subject.reopen().await {
            break;
        }
    }
}

/// Whoever opens the log again finds every event, every record, and goes on behind them.
pub async fn what_was_appended_survives_a_reopen(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let mut sessions = vec![bench.begin(1).await, bench.begin(3).await];
    bench.append(sessions[0], bench.messages(5)).await;
    sessions.push(bench.fork(sessions[0], 4).await);
    bench.append(sessions[2], bench.messages(2)).await;
    for round in 1..=3 {
        let mut before = Vec::new();
        for session in &sessions {
            before.push((bench.record(*session).await, bench.all(*session).await));
        }
        if !bench.subject.reopen().await {
            return;
        }
        for (session, (record, events)) in sessions.iter().zip(before) {
            assert_eq!(bench.record(*session).await, record, "after {round} reopens");
            assert_eq!(bench.all(*session).await, events, "after {round} reopens");
            let places = bench.append(*session, bench.messages(1)).await;
            assert_eq!(places.first, record.head.plus(1), "after {round} reopens");
        }
    }
}

/// Writers at the same time get places of their own, each append's next to each other.
pub async fn many_appends_at_once_leave_no_gap(factory: &dyn Factory) {
    const WRITERS: usize = 16;
    const APPENDS: usize = 8;
    let bench = Bench::new(factory).await;
    let sessions = [bench.begin(1).await, bench.begin(1).await];
    let writer = async |number: usize| {
        let mut written: Vec<(SessionId, u64, Event)> = Vec::new();
        for round in 0..APPENDS {
            let batches = sessions.map(|session| batch(session, bench.messages(1 + (number + round) % 3)));
            let places = bench.log().append(batches.to_vec()).await.expect("clients may append at once");
            for (batch, places) in batches.into_iter().zip(places) {
                let places = places.expect("events have places");
                assert_eq!(places.last, places.first.plus(batch.events.len() as u64 - 1));
                written.extend((places.first.get()..).zip(batch.events).map(|(at, event)| (batch.session, at, event)));
            }
        }
        written
    };
    let mut written = Vec::new();
    let mut writers: Vec<_> = (0..WRITERS).map(|number| Box::pin(writer(number))).collect();
    // Polled in turn, each to its end only when its appends are done: nobody waits for the one before.
    std::future::poll_fn(|context| {
        writers.retain_mut(|writer| match writer.as_mut().poll(context) {
            std::task::Poll::Ready(done) => {
                written.extend(done);
                false
            }
            std::task::Poll::Pending => true,
        });
        if writers.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    for session in sessions {
        let events = bench.all(session).await;
        let mine = || written.iter().filter(|(of, ..)| *of == session);
        assert_eq!(
            mine().map(|(_, at, _)| at).collect::<BTreeSet<_>>().len(),
            events.len() - 1,
            "no gap, nothing twice"
        );
        for (_, at, event) in mine() {
            assert_eq!(events[usize::try_from(*at).expect("a small number") - 1], *event, "at {at}");
        }
    }
}
