//! Appends a second, beside a plain file and one commit for each event.

use crate::support::{Naive, PlainFile, batch, event, median, session};
use handbox_session::{NewSession, SessionLog};
use handbox_store::{Commit, Options, RedbLog};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one side of a turn runs.
const TURN: Duration = Duration::from_millis(1000);
const TURNS: usize = 5;

pub(crate) fn run(runtime: &tokio::runtime::Runtime) {
    println!("\nappends a second, 1 KiB, each on disk when it returns; medians of {TURNS} turns");
    println!(
        "{:<12} {:>10} {:>10} {:>10} {:>10} {:>10}   ours / plain, ours / naive, plain / ours",
        "", "ours", "two-phase", "one-phase", "plain", "naive"
    );
    for writers in [1, 8, 64] {
        let mut rates: [Vec<f64>; 5] = Default::default();
        let mut ratios: [Vec<f64>; 2] = Default::default();
        for _ in 0..TURNS {
            let turn = [
                ours(runtime, writers, Commit::QuickRepair),
                ours(runtime, writers, Commit::TwoPhase),
                ours(runtime, writers, Commit::OnePhase),
                plain(writers),
                naive(writers),
            ];
            rates.iter_mut().zip(turn).for_each(|(rates, rate)| rates.push(rate));
            ratios[0].push(turn[0] / turn[3]);
            ratios[1].push(turn[0] / turn[4]);
        }
        let [ours, two, one, plain, naive] = rates.map(|rates| median(&rates));
        let [of_plain, of_naive] = ratios.map(|ratios| median(&ratios));
        println!(
            "{:<12} {ours:>10.0} {two:>10.0} {one:>10.0} {plain:>10.0} {naive:>10.0}   {:.0} %, {of_naive:.1}x, {:.2}x",
            format!("{writers} writers"),
            100.0 * of_plain,
            1.0 / of_plain
        );
    }
}

fn ours(runtime: &tokio::runtime::Runtime, writers: usize, commit: Commit) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(RedbLog::open(folder.path(), Options { commit, ..Options::standard() }).unwrap());
    runtime.block_on(async {
        let mut tasks = Vec::new();
        let until = Instant::now() + TURN;
        for _ in 0..writers {
            let log = Arc::clone(&log);
            tasks.push(tokio::spawn(async move {
                let id = session();
                log.create(NewSession::own(id, vec![event(1024)])).await.unwrap();
                let mut count = 0_u64;
                while Instant::now() < until {
                    log.append(vec![batch(id, vec![event(1024)])]).await.unwrap();
                    count += 1;
                }
                count
            }));
        }
        let mut count = 0;
        for task in tasks {
            count += task.await.unwrap();
        }
        count as f64 / TURN.as_secs_f64()
    })
}

fn plain(writers: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(PlainFile::open(&folder.path().join("plain")));
    threads(writers, move || {
        let file = Arc::clone(&file);
        move || file.append(event(1024).json().as_bytes())
    })
}

fn naive(writers: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let naive = Arc::new(Naive::open(&folder.path().join("naive")));
    threads(writers, move || {
        let naive = Arc::clone(&naive);
        let session = naive.session();
        let mut place = 0;
        move || {
            place += 1;
            naive.append(session, place, event(1024).json().as_bytes());
        }
    })
}

fn threads<W: FnMut() + Send + 'static>(writers: usize, make: impl Fn() -> W) -> f64 {
    let until = Instant::now() + TURN;
    let writers: Vec<_> = (0..writers)
        .map(|_| {
            let mut write = make();
            std::thread::spawn(move || {
                let mut count = 0_u64;
                while Instant::now() < until {
                    write();
                    count += 1;
                }
                count
            })
        })
        .collect();
    let count: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    count as f64 / TURN.as_secs_f64()
}
