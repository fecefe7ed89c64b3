//! The right to write a session as its brain.

use super::Factory;
use super::bench::{Bench, batch, seq};
use crate::{Batch, Epoch, Lease, LogError, SessionId, Writer};
use std::time::Duration;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(300);
/// Long enough to do something within it, short enough to wait for its end.
const SHORT: Duration = Duration::from_secs(2);

async fn claim(bench: &Bench, session: SessionId) -> Lease {
    bench.log().claim(session, "a brain", LONG).await.expect("nobody holds it")
}

async fn write(bench: &Bench, lease: &Lease) -> Result<(), LogError> {
    let events = bench.messages(1);
    let batch = Batch { writer: Writer::Brain(lease.epoch), ..batch(lease.session, events) };
    bench.put(batch).await.map(drop)
}

fn fenced(lease: &Lease, newest: &Lease) -> LogError {
    LogError::Fenced { session: lease.session, epoch: lease.epoch, newest: newest.epoch }
}

/// A second claim is refused and names the holder, whoever makes it; another session is another matter.
pub async fn one_brain_holds_a_session(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let (session, other) = (bench.begin(1).await, bench.begin(1).await);
    let lease = bench.log().claim(session, "the first", LONG).await.expect("nobody holds it");
    assert_eq!(lease.session, session);
    let held = LogError::Held { session, holder: "the first".to_owned() };
    for holder in ["the second", "the first"] {
        assert_eq!(bench.log().claim(session, holder, LONG).await, Err(held.clone()));
    }
    assert_eq!(bench.record(session).await.holder.as_deref(), Some("the first"));
    assert_eq!(bench.record(other).await.holder, None);
    assert_eq!(write(&bench, &lease).await, Ok(()), "and refused claims change nothing");
    claim(&bench, other).await;
}

/// The same append, as an earlier and as the present brain.
pub async fn a_stale_epoch_is_fenced_where_a_fresh_one_works(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let stale = claim(&bench, session).await;
    assert_eq!(write(&bench, &stale).await, Ok(()));
    bench.log().release(&stale).await.expect("a lease is given back");
    let fresh = claim(&bench, session).await;
    let events = bench.messages(1);
    let append = |lease: &Lease| Batch {
        writer: Writer::Brain(lease.epoch),
        after: Some(seq(2)),
        ..batch(session, events.clone())
    };
    assert_eq!(bench.put(append(&stale)).await, Err(fenced(&stale, &fresh)));
    assert!(bench.put(append(&fresh)).await.is_ok());
    // Both are wrong now: a brain that lost its session has no use for the head.
    assert_eq!(bench.put(append(&stale)).await, Err(fenced(&stale, &fresh)));
    assert_eq!(bench.put(append(&fresh)).await, Err(LogError::Moved { session, head: seq(3) }));
    assert_eq!(bench.log().renew(&stale, LONG).await, Err(fenced(&stale, &fresh)));
    bench.log().release(&stale).await.expect("giving back what ended is no error");
    assert_eq!(write(&bench, &fresh).await, Ok(()), "and takes nothing from the present brain");
}

/// A guess does not help, be it lower or higher.
pub async fn an_epoch_that_was_never_given_is_fenced(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    for epoch in [0, 1, 2, u64::MAX] {
        let guess = Lease { session, epoch: Epoch(epoch) };
        let newest = Lease { session, epoch: Epoch(0) };
        assert_eq!(write(&bench, &guess).await, Err(fenced(&guess, &newest)), "before any claim");
    }
    let lease = claim(&bench, session).await;
    for epoch in [0, lease.epoch.0.wrapping_sub(1), lease.epoch.0 + 1, u64::MAX] {
        let guess = Lease { session, epoch: Epoch(epoch) };
        assert_eq!(write(&bench, &guess).await, Err(fenced(&guess, &lease)));
        assert_eq!(bench.log().renew(&guess, LONG).await, Err(fenced(&guess, &lease)));
    }
    assert_eq!(bench.head(session).await, 1);
}

/// After its time a lease writes nothing, not even while nobody else claims; renewed in time, it goes on.
pub async fn a_lease_ends_with_its_time_and_lasts_when_renewed(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let (session, kept) = (bench.begin(1).await, bench.begin(1).await);
    let lease = bench.log().claim(session, "a brain", SHORT).await.expect("nobody holds it");
    let renewed = bench.log().claim(kept, "a brain", SHORT).await.expect("nobody holds it");
    bench.log().renew(&renewed, LONG).await.expect("it holds still");
    bench.subject.pass(SHORT + Duration::from_millis(100)).await;
    assert_eq!(write(&bench, &lease).await, Err(fenced(&lease, &lease)));
    assert_eq!(bench.log().renew(&lease, LONG).await, Err(fenced(&lease, &lease)), "it is too late");
    assert_eq!(bench.record(session).await.holder, None);
    assert_eq!(write(&bench, &renewed).await, Ok(()));
    let next = claim(&bench, session).await;
    assert!(next.epoch > lease.epoch);
    assert_eq!(write(&bench, &lease).await, Err(fenced(&lease, &next)));
    assert_eq!(write(&bench, &next).await, Ok(()));

    // A lease may also be made shorter.
    bench.log().renew(&next, Duration::ZERO).await.expect("it holds");
    assert_eq!(write(&bench, &next).await, Err(fenced(&next, &next)));
}

/// The next brain does not wait for the time of one that is done.
pub async fn a_lease_that_is_given_back_ends_at_once(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let lease = claim(&bench, session).await;
    for _ in 0..2 {
        bench.log().release(&lease).await.expect("a lease can be given back, also twice");
        assert_eq!(bench.record(session).await.holder, None);
        assert_eq!(write(&bench, &lease).await, Err(fenced(&lease, &lease)));
    }
    assert!(claim(&bench, session).await.epoch > lease.epoch);
    let gone = Lease { session: bench.session_id(), epoch: Epoch(1) };
    bench.log().release(&gone).await.expect("a lease of a session that is gone has ended");
}

/// Nobody takes a session away from under its brain.
pub async fn a_session_that_is_held_is_not_removed(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let lease = claim(&bench, session).await;
    let held = LogError::Held { session, holder: "a brain".to_owned() };
    assert_eq!(bench.log().remove(session).await, Err(held));
    assert_eq!(write(&bench, &lease).await, Ok(()));
    bench.log().release(&lease).await.expect("a lease is given back");
    assert_eq!(bench.log().remove(session).await, Ok(()));
}

/// Each claim's epoch is greater than all before, so that no old brain is ever taken for a new one.
pub async fn epochs_rise_strictly_also_over_a_reopen(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let mut leases: Vec<Lease> = Vec::new();
    for round in 0..6 {
        let lease = claim(&bench, session).await;
        assert!(leases.iter().all(|earlier| earlier.epoch < lease.epoch), "{lease:?} after {leases:?}");
        for earlier in &leases {
            assert_eq!(write(&bench, earlier).await, Err(fenced(earlier, &lease)));
        }
        bench.log().release(&lease).await.expect("a lease is given back");
        leases.push(lease);
        if round % 2 == 0 {
            bench.subject.reopen().await;
        }
    }
}

/// Whoever opens the log again finds every session free, and every earlier brain fenced.
pub async fn no_lease_survives_a_reopen(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let lease = claim(&bench, session).await;
    if !bench.subject.reopen().await {
        return;
    }
    assert_eq!(bench.record(session).await.holder, None);
    assert_eq!(write(&bench, &lease).await, Err(fenced(&lease, &lease)));
    assert_eq!(bench.log().renew(&lease, LONG).await, Err(fenced(&lease, &lease)));
    let next = claim(&bench, session).await;
    assert!(next.epoch > lease.epoch);
    assert_eq!(write(&bench, &next).await, Ok(()));
}

/// Clients write whoever holds the session, and move its head.
pub async fn a_client_needs_no_lease(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let lease = claim(&bench, session).await;
    bench.append(session, bench.messages(2)).await;
    let brain = Batch { writer: Writer::Brain(lease.epoch), ..batch(session, bench.messages(1)) };
    let result = bench.put(Batch { after: Some(seq(1)), ..brain.clone() }).await;
    assert_eq!(result, Err(LogError::Moved { session, head: seq(3) }));
    let (client, both) = (batch(session, bench.messages(1)), Batch { after: Some(seq(4)), ..brain });
    assert!(bench.log().append(vec![client, both]).await.is_ok(), "also in one call");
    bench.log().release(&lease).await.expect("a lease is given back");
    assert_eq!(bench.append(session, bench.messages(1)).await.last, seq(6));
}
