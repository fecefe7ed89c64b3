//! Following a session as it grows.

use super::Factory;
use super::bench::{Bench, seq, soon};
use crate::{Followed, LogError, Preview, Seq, SessionId, Tail};
use std::time::Duration;

/// The next event's place, previews left out.
async fn place(tail: &mut dyn Tail) -> u64 {
    loop {
        match soon(tail.next()).await {
            Ok(Followed::Event(entry)) => return entry.seq.get(),
            Ok(Followed::Preview(_)) => {}
            Err(error) => panic!("a follower is told of an error: {error}"),
        }
    }
}

async fn follow(bench: &Bench, session: SessionId, after: u64) -> Box<dyn Tail> {
    bench.log().tail(session, Seq::new(after)).await.expect("a session is followed")
}

/// Fails if there is something to be had that should not be.
async fn assert_waits(tail: &mut dyn Tail) {
    let next = tokio::time::timeout(Duration::from_millis(30), tail.next()).await;
    assert!(next.is_err(), "there is nothing to wait for, and yet came {next:?}");
}

/// What is there and what comes then, each with the bytes that a read gives.
pub async fn a_follower_gets_every_event_once_from_any_place(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    for after in 0..=5 {
        let session = bench.begin(5).await;
        let mut tail = follow(&bench, session, after).await;
        for count in [0, 1, 3] {
            if count > 0 {
                bench.append(session, bench.messages(count)).await;
            }
        }
        let events = bench.all(session).await;
        for place in after + 1..=9 {
            let expected = events[usize::try_from(place - 1).expect("a small number")].clone();
            let entry = crate::Entry { seq: seq(place), event: expected };
            assert_eq!(soon(tail.next()).await, Ok(Followed::Event(entry)), "after {after}");
        }
        assert_waits(tail.as_mut()).await;
        bench.append(session, bench.messages(1)).await;
        assert_eq!(place(tail.as_mut()).await, 10);
    }
}

/// A follower that asks for what comes after a place beyond the end sees nothing before that.
pub async fn a_place_that_is_not_reached_is_waited_for(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(2).await;
    let mut tail = follow(&bench, session, 4).await;
    assert_waits(tail.as_mut()).await;
    bench.append(session, bench.messages(2)).await;
    assert_waits(tail.as_mut()).await;
    bench.append(session, bench.messages(2)).await;
    assert_eq!((place(tail.as_mut()).await, place(tail.as_mut()).await), (5, 6));
}

/// Followers from everywhere, while two writers append.
pub async fn followers_and_writers_do_not_disturb_each_other(factory: &dyn Factory) {
    const END: u64 = 1 + 2 * 40 * 3;
    let bench = Bench::new(factory).await;
    let (session, other) = (bench.begin(1).await, bench.begin(1).await);
    let write = async || {
        for _ in 0..40 {
            bench.append(session, bench.messages(3)).await;
            bench.append(other, bench.messages(1)).await;
            tokio::task::yield_now().await;
        }
    };
    let read = async |after: u64| {
        let mut tail = follow(&bench, session, after).await;
        for expected in after + 1..=END {
            assert_eq!(place(tail.as_mut()).await, expected, "a follower from {after}");
        }
        assert_waits(tail.as_mut()).await;
    };
    soon(async { tokio::join!(read(0), read(1), write(), read(0), read(100), write(), read(END - 1)) }).await;
}

/// Whoever does not look for a while finds everything, and appends do not wait for it.
pub async fn a_slow_follower_misses_nothing_and_delays_nobody(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let mut tail = follow(&bench, session, 0).await;
    assert_eq!(place(tail.as_mut()).await, 1);
    for _ in 0..60 {
        bench.log().preview(session, Preview("{}".to_owned()));
        soon(bench.append(session, bench.messages(100))).await;
    }
    for expected in 2..=6001 {
        assert_eq!(place(tail.as_mut()).await, expected);
    }
    assert_waits(tail.as_mut()).await;
}

/// A wait that is dropped takes nothing with it.
pub async fn giving_up_a_wait_loses_nothing(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let mut tail = follow(&bench, session, 1).await;
    let write = async {
        for _ in 0..50 {
            bench.append(session, bench.messages(1)).await;
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
    };
    let read = async {
        let mut expected = 2;
        while expected <= 51 {
            // As short as the pauses between appends, so that waits are given up in every state.
            match tokio::time::timeout(Duration::from_micros(200), tail.next()).await {
                Ok(Ok(Followed::Event(entry))) => {
                    assert_eq!(entry.seq.get(), expected);
                    expected += 1;
                }
                Ok(Ok(Followed::Preview(_))) | Err(_) => {}
                Ok(Err(error)) => panic!("a follower is told of an error: {error}"),
            }
        }
    };
    soon(async { tokio::join!(write, read) }).await;
}

/// Those who wait and those who did not look; and a new session of that name is not the one they followed.
pub async fn the_follower_of_a_removed_session_is_told(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let (mut idle, mut waiting) = (follow(&bench, session, 1).await, follow(&bench, session, 1).await);
    let wait = soon(waiting.next());
    let remove = async {
        tokio::task::yield_now().await;
        bench.log().remove(session).await.expect("nobody holds it");
        let again = crate::NewSession::own(session, bench.messages(3));
        bench.log().create(again).await.expect("the id is free");
    };
    let (told, ()) = tokio::join!(wait, remove);
    assert_eq!(told, Err(LogError::NoSession(session)));
    assert_eq!(soon(idle.next()).await, Err(LogError::NoSession(session)));
    assert_eq!(soon(idle.next()).await, Err(LogError::NoSession(session)), "also when it asks again");
}

/// Previews may be lost, but what comes is in its order, and never after an event that was appended later.
pub async fn a_preview_comes_before_later_events_or_not_at_all(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(1).await;
    let mut tail = follow(&bench, session, 0).await;
    for round in 0..20 {
        for part in 0..3 {
            bench.log().preview(session, Preview(format!("{}", round * 3 + part)));
        }
        bench.append(session, bench.messages(1)).await;
    }
    let (mut head, mut last) = (0, None);
    while head < 21 {
        match soon(tail.next()).await.expect("the session is there") {
            Followed::Event(entry) => {
                assert_eq!(entry.seq.get(), head + 1);
                head += 1;
            }
            Followed::Preview(Preview(text)) => {
                let number: u64 = text.parse().expect("what was sent");
                assert_eq!(number / 3 + 1, head, "{number} was shown before the event {}", number / 3 + 2);
                assert!(last < Some(number), "{number} came after {last:?}");
                last = Some(number);
            }
        }
    }
    assert_waits(tail.as_mut()).await;
    assert_eq!(bench.head(session).await, 21, "a preview is not stored");
}

/// Of its own session, not of another's.
pub async fn a_waiting_follower_sees_previews_of_its_session(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let (session, other) = (bench.begin(1).await, bench.begin(1).await);
    let mut tail = follow(&bench, session, 1).await;
    let seen = async {
        let next = soon(tail.next()).await;
        assert_eq!(next, Ok(Followed::Preview(Preview(r#"{"mine":1}"#.to_owned()))));
    };
    let show = async {
        // One may be lost, so it is shown again and again.
        loop {
            bench.log().preview(other, Preview(r#"{"other":1}"#.to_owned()));
            bench.log().preview(session, Preview(r#"{"mine":1}"#.to_owned()));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = seen => {}
        () = show => {}
    }
}
