//! What a session costs that nobody writes or reads.

use crate::support::{event, session};
use handbox_session::{NewSession, SessionLog};
use handbox_store::{FILE, Options, RedbLog};
use std::process::Command;

const SESSIONS: usize = 100_000;
/// How many are created at once.
const AT_ONCE: usize = 500;

pub(crate) fn run() {
    println!("\n{SESSIONS} resting sessions of one event of 300 bytes");
    for (name, cache) in [("cache of 1 MiB", 1 << 20), ("standard cache", Options::standard().cache_bytes_max)] {
        // In a process of its own, in which nothing was freed yet that could be used again.
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["child-resting", &SESSIONS.to_string(), &cache.to_string()])
            .output()
            .unwrap();
        assert!(child.status.success());
        println!("{name:<16} {}", String::from_utf8(child.stdout).unwrap().trim());
    }
}

pub(crate) fn child(count: usize, cache_bytes_max: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = Options { cache_bytes_max, ..Options::standard() };
    let log = RedbLog::open(folder.path(), options).unwrap();
    let size = || std::fs::metadata(folder.path().join(FILE)).unwrap().len();
    runtime.block_on(create(&log, AT_ONCE));
    let (memory, before) = (resident(), size());
    runtime.block_on(create(&log, count));
    let (grown, after) = (resident().saturating_sub(memory), size() - before);
    drop(log);
    println!(
        "memory {} B each, file {} B each, closed {} B each",
        grown / count as u64,
        after / count as u64,
        (size().saturating_sub(before)) / count as u64
    );
}

async fn create(log: &RedbLog, count: usize) {
    for _ in 0..count / AT_ONCE {
        let news: Vec<_> = (0..AT_ONCE).map(|_| log.create(NewSession::own(session(), vec![event(300)]))).collect();
        for new in futures(news).await {
            new.unwrap();
        }
    }
    // Twice, for what was written since the last time is kept until the next.
    log.fold().await.unwrap();
    log.create(NewSession::own(session(), vec![event(300)])).await.unwrap();
    log.fold().await.unwrap();
}

/// Polls all of them until each is done.
async fn futures<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<_> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done).filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = future.as_mut().poll(context) {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// The process's resident memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
