//! Reading from logs of a thousand to a million events, and their size on disk.

use crate::support::{append_many, batch, event, median_time};
use handbox_session::{Seq, SessionId, SessionLog, Slice, kinds};
use handbox_store::{FILE, Options, RedbLog};
use std::time::Instant;

/// How often the whole log is read.
const SCANS: usize = 3;

pub(crate) fn run(runtime: &tokio::runtime::Runtime) {
    println!("\nreading, and size: one session of events of 1 KiB, each in a frame of its own");
    println!(
        "{:<12} {:>12} {:>14} {:>16} {:>14} {:>16}",
        "events", "last 100", "10 of a type", "scan, frames/s", "bytes each", "closed, bytes"
    );
    for count in [1_000, 10_000, 100_000, 1_000_000] {
        let folder = tempfile::tempdir().unwrap();
        let log = RedbLog::open(folder.path(), Options::standard()).unwrap();
        let session = runtime.block_on(append_many(&log, count));
        // Unfolded frames at the end, as a running log has them.
        runtime.block_on(async {
            for _ in 0..200 {
                log.append(vec![batch(session, vec![event(1024)])]).await.unwrap();
            }
        });
        let last = median_time(runtime, 50, || log.read(session, Slice::last(100)));
        let rare = Slice { kinds: vec![kinds::USER_MESSAGE], ..Slice::last(10) };
        let kind = median_time(runtime, 20, || log.read(session, rare.clone()));
        let mut scans: Vec<_> = (0..SCANS).map(|_| scan(runtime, &log, session)).collect();
        scans.sort_by(f64::total_cmp);
        let size = || std::fs::metadata(folder.path().join(FILE)).unwrap().len() as f64 / count as f64;
        let open = size();
        drop(log);
        let closed = size();
        println!(
            "{count:<12} {last:>12.2?} {kind:>14.2?} {:>16} {open:>14.0} {closed:>16.0}",
            format!("{:.0} ({:.0}–{:.0})", scans[SCANS / 2], scans[0], scans[SCANS - 1])
        );
    }
}

fn scan(runtime: &tokio::runtime::Runtime, log: &RedbLog, session: SessionId) -> f64 {
    let started = Instant::now();
    let count = runtime.block_on(async {
        let (mut count, mut next) = (0, Some(Seq::FIRST));
        while let Some(first) = next {
            let page = log.read(session, Slice::from(first)).await.unwrap();
            count += page.entries.len();
            next = page.next;
        }
        count
    });
    count as f64 / started.elapsed().as_secs_f64()
}
