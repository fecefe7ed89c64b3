//! How soon followers see an event, and what they cost the one who appends.

use crate::support::{batch, event, session};
use handbox_session::{Followed, NewSession, SessionLog, Tail};
use handbox_store::{Options, RedbLog};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// How many events are followed, after some that do not count.
const EVENTS: usize = 100;
const WARM: usize = 5;

pub(crate) fn run(runtime: &tokio::runtime::Runtime) {
    println!("\nfollowers of one session: an append, then the time from its answer until they have the event");
    println!(
        "{:<12} {:>12} {:>12} {:>14} {:>14} {:>14} {:>14}",
        "followers", "append", "p99", "first", "half of them", "99 %", "the last"
    );
    for followers in [0, 1, 100, 1000] {
        runtime.block_on(follow(followers));
    }
}

async fn follow(followers: usize) {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(RedbLog::open(folder.path(), Options::standard()).unwrap());
    let id = session();
    let first = log.create(NewSession::own(id, vec![event(1024)])).await.unwrap();
    let (seen, mut sees) = mpsc::unbounded_channel();
    for _ in 0..followers {
        let tail = log.tail(id, Some(first.head)).await.unwrap();
        tokio::spawn(report(tail, seen.clone()));
    }
    let (mut appends, mut delays): (Vec<Duration>, [Vec<Duration>; 4]) = Default::default();
    for round in 0..WARM + EVENTS {
        let started = Instant::now();
        log.append(vec![batch(id, vec![event(1024)])]).await.unwrap();
        let answered = Instant::now();
        let mut times = Vec::with_capacity(followers);
        for _ in 0..followers {
            let at: Instant = sees.recv().await.unwrap();
            times.push(at.saturating_duration_since(answered));
        }
        times.sort();
        if round < WARM {
            continue;
        }
        appends.push(answered - started);
        if followers > 0 {
            let at = [0, followers / 2, followers * 99 / 100, followers - 1];
            delays.iter_mut().zip(at).for_each(|(delays, at)| delays.push(times[at]));
        }
    }
    appends.sort();
    let [first, half, most, last] = delays.map(|mut delays| {
        delays.sort();
        delays.get(EVENTS / 2).map_or("–".to_owned(), |delay| format!("{delay:.2?}"))
    });
    println!(
        "{followers:<12} {:>12.2?} {:>12.2?} {first:>14} {half:>14} {most:>14} {last:>14}",
        appends[EVENTS / 2],
        appends[EVENTS * 99 / 100]
    );
}

/// Says when each event came, until the log closes.
async fn report(mut tail: Box<dyn Tail>, seen: mpsc::UnboundedSender<Instant>) {
    while let Ok(followed) = tail.next().await {
        if matches!(followed, Followed::Event(_)) && seen.send(Instant::now()).is_err() {
            break;
        }
    }
}
