//! What the log costs, beside what it could cost at best, in the same run.
//!
//! These machines are shared, so a figure alone says little: what is compared is measured in turns, A B A B, and what
//! counts is the ratio of the medians.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops where it fails")]

mod support;

use handbox_session::{NewSession, SessionId, SessionLog};
use handbox_session::{Slice, kinds};
use handbox_store::{Commit, FILE, Options, RedbLog};
use std::sync::Arc;
use std::time::{Duration, Instant};
use support::{Naive, PlainFile, batch, event, median, session};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let only = std::env::args().nth(1).filter(|word| !word.starts_with('-'));
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wanted("append") {
        appends(&runtime);
    }
    if wanted("large") {
        large(&runtime);
    }
}

/// How long one side of a turn runs.
const TURN: Duration = Duration::from_millis(1500);
const TURNS: usize = 3;

fn appends(runtime: &tokio::runtime::Runtime) {
    println!(
        "{:<44} {:>12} {:>12} {:>12} {:>12}",
        "appends a second, 1 KiB", "ours", "one-phase", "plain file", "naive"
    );
    for writers in [1, 8, 64] {
        let mut rates: [Vec<f64>; 4] = Default::default();
        for _ in 0..TURNS {
            rates[0].push(ours(runtime, writers, Commit::QuickRepair));
            rates[1].push(ours(runtime, writers, Commit::OnePhase));
            rates[2].push(plain(writers));
            rates[3].push(naive(writers));
        }
        let [ours, one, plain, naive] = rates.map(|rates| median(&rates));
        println!("{:<44} {ours:>12.0} {one:>12.0} {plain:>12.0} {naive:>12.0}", format!("{writers} writers"));
        println!(
            "{:<44} {:>11.2}x of plain, {:.1}x of naive; plain/ours {:.2}",
            "",
            ours / plain,
            ours / naive,
            plain / ours
        );
    }
}

fn ours(runtime: &tokio::runtime::Runtime, writers: usize, commit: Commit) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { commit, ..Options::standard() };
    let log = Arc::new(RedbLog::open(folder.path(), options).unwrap());
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

fn large(runtime: &tokio::runtime::Runtime) {
    println!(
        "{:<24} {:>12} {:>12} {:>14} {:>12} {:>12}",
        "events", "last 100", "10 of a kind", "scan, events/s", "reopen", "bytes each"
    );
    for count in [1_000, 10_000, 100_000, 1_000_000] {
        let folder = tempfile::tempdir().unwrap();
        let log = RedbLog::open(folder.path(), Options::standard()).unwrap();
        let session = runtime.block_on(fill(&log, count));
        // Unfolded frames at the end, as a running log has them.
        runtime.block_on(async {
            for _ in 0..200 {
                log.append(vec![batch(session, vec![event(1024)])]).await.unwrap();
            }
        });
        let last = time(runtime, 50, || log.read(session, Slice::last(100)));
        let rare = Slice { kinds: vec![kinds::USER_MESSAGE], ..Slice::last(10) };
        let kind = time(runtime, 50, || log.read(session, rare.clone()));
        let scanned = scan(runtime, &log, session);
        let copy = tempfile::tempdir().unwrap();
        std::fs::copy(folder.path().join(FILE), copy.path().join(FILE)).unwrap();
        let size = std::fs::metadata(folder.path().join(FILE)).unwrap().len();
        drop(log);
        // Opening syncs the file. After a crash that finds little to write; after this copy, all of it.
        std::fs::File::open(copy.path().join(FILE)).unwrap().sync_all().unwrap();
        let started = Instant::now();
        let log = RedbLog::open(copy.path(), Options::standard()).unwrap();
        let reopened = started.elapsed();
        drop(log);
        println!(
            "{count:<24} {last:>12.2?} {kind:>12.2?} {scanned:>14.0} {reopened:>12.2?} {:>12.0}",
            size as f64 / count as f64
        );
    }
}

async fn fill(log: &RedbLog, count: usize) -> SessionId {
    let id = session();
    log.create(NewSession::own(id, vec![event(1024)])).await.unwrap();
    for _ in 0..count / 1000 {
        // Each event is a batch, and so a frame of its own, as a brain writes them.
        let batches = (0..1000).map(|_| batch(id, vec![event(1024)])).collect();
        log.append(batches).await.unwrap();
    }
    id
}

fn time<F: Future<Output = Result<T, E>>, T, E: std::fmt::Debug>(
    runtime: &tokio::runtime::Runtime,
    rounds: usize,
    mut work: impl FnMut() -> F,
) -> Duration {
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let started = Instant::now();
            runtime.block_on(work()).unwrap();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn scan(runtime: &tokio::runtime::Runtime, log: &RedbLog, session: SessionId) -> f64 {
    let started = Instant::now();
    let count = runtime.block_on(async {
        let (mut count, mut next) = (0, Some(handbox_session::Seq::FIRST));
        while let Some(first) = next {
            let page = log.read(session, Slice::from(first)).await.unwrap();
            count += page.entries.len();
            next = page.next;
        }
        count
    });
    count as f64 / started.elapsed().as_secs_f64()
}
