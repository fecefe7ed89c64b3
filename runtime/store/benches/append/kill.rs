//! Opening a store whose process was killed in the middle of its appends.

use crate::support::{append_many, batch, event, session};
use handbox_session::{NewSession, SessionLog, Slice};
use handbox_store::{Commit, FILE, Options, RedbLog};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const KILLS: usize = 5;

pub(crate) fn run() {
    println!("\nopening after a SIGKILL in the middle of the appends of 8 writers, {KILLS} times each");
    println!("{:<12} {:<14} {:>12} {:>12} {:>12} {:>14}", "events", "commits", "fastest", "median", "slowest", "MiB");
    for (count, commit) in [
        (10_000, "quick-repair"),
        (100_000, "quick-repair"),
        (1_000_000, "quick-repair"),
        (1_000_000, "two-phase"),
        (1_000_000, "one-phase"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        // The first child also fills the store.
        let mut times: Vec<_> = (0..KILLS)
            .map(|kill| {
                kill_one(folder.path(), commit, if kill == 0 { count } else { 0 });
                let started = Instant::now();
                let log = RedbLog::open(folder.path(), options(commit)).unwrap();
                let took = started.elapsed();
                assert!(has_heads(&log), "an event is missing");
                took
            })
            .collect();
        times.sort();
        let size = std::fs::metadata(folder.path().join(FILE)).unwrap().len() >> 20;
        println!(
            "{count:<12} {commit:<14} {:>12.2?} {:>12.2?} {:>12.2?} {size:>14}",
            times[0],
            times[KILLS / 2],
            times[KILLS - 1]
        );
    }
}

fn options(commit: &str) -> Options {
    let commit = match commit {
        "one-phase" => Commit::OnePhase,
        "two-phase" => Commit::TwoPhase,
        _ => Commit::QuickRepair,
    };
    Options { commit, ..Options::standard() }
}

/// Starts a child that appends, and kills it while it does.
fn kill_one(folder: &Path, commit: &str, count: usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child-kill", folder.to_str().unwrap(), commit, &count.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "appending\n");
    std::thread::sleep(Duration::from_millis(700));
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Fills the store, says so, and appends until it is killed.
pub(crate) fn child(folder: &Path, commit: &str, count: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let log = Arc::new(RedbLog::open(folder, options(commit)).unwrap());
    runtime.block_on(async {
        if count > 0 {
            append_many(&log, count).await;
        }
        println!("appending");
        for _ in 0..8 {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let id = session();
                log.create(NewSession::own(id, vec![event(1024)])).await.unwrap();
                loop {
                    log.append(vec![batch(id, vec![event(1024)])]).await.unwrap();
                }
            });
        }
        std::future::pending::<()>().await;
    });
}

/// Whether the last event of each of the newest sessions can be read.
fn has_heads(log: &RedbLog) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for record in log.sessions(None, 8).await.unwrap() {
            let page = log.read(record.id, Slice::last(1)).await.unwrap();
            if page.entries.first().map(|entry| entry.event.id()) != Some(record.last) {
                return false;
            }
        }
        true
    })
}
