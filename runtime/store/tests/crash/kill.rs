//! A process with many writers on a real file, killed again and again.

use crate::chance::Chance;
use crate::child::{self, say};
use crate::support::{all, batch, event, is_long, letters, seed, wait};
use handbox_session::{Event, EventId, NewSession, SessionId, SessionLog};
use handbox_store::{Options, RedbLog};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const WRITERS: u64 = 64;
const SESSIONS: u64 = 24;

/// What was acknowledged: the event's id, and where it is.
type Acknowledged = HashMap<EventId, (SessionId, u64)>;

fn options() -> Options {
    Options { index_events_max: 700, ..Options::standard() }
}

fn session(number: u64) -> SessionId {
    SessionId::from(u128::from(number) + (1_700_000_000_000 << 80))
}

/// An event whose text follows from its id, and says which other one came with it.
fn made(id: EventId, other: Option<EventId>) -> Event {
    let bytes = id.to_bytes();
    let mut chance = Chance::new(bytes.iter().fold(0, |sum: u64, byte| sum.rotate_left(5) ^ u64::from(*byte)));
    let size = chance.below(120);
    let other = other.map(|other| other.to_string()).unwrap_or_default();
    event(id, "user.message", &format!("{other} {}", letters(&mut chance, size)))
}

/// What the child does until it is killed: all writers append, and say what was acknowledged.
pub(crate) fn write(folder: &Path, round: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let log = Arc::new(RedbLog::open(folder, options()).unwrap());
        for number in 0..SESSIONS {
            if log.record(session(number)).await.is_err() {
                let id = EventId::from((1_600_000_000_000 << 80) + u128::from(number));
                log.create(NewSession::own(session(number), vec![made(id, None)])).await.unwrap();
            }
        }
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(append(Arc::clone(&log), round, writer))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn append(log: Arc<RedbLog>, round: u64, writer: u64) {
    let mut chance = Chance::new(round << 8 | writer);
    let mut minted = (1_700_000_000_000 << 80) + (u128::from(round) << 48) + (u128::from(writer) << 32);
    loop {
        minted += 2;
        let (one, two) = (EventId::from(minted), EventId::from(minted + 1));
        let first = chance.next() % SESSIONS;
        let pair = chance.one_in(4);
        let mut batches = vec![batch(session(first), vec![made(one, pair.then_some(two))])];
        if pair {
            let second = (first + 1 + chance.next() % (SESSIONS - 1)) % SESSIONS;
            batches.push(batch(session(second), vec![made(two, Some(one))]));
        }
        let ids: Vec<_> = batches.iter().map(|batch| (batch.session, batch.events[0].id())).collect();
        let places = log.append(batches).await.unwrap();
        let told =
            ids.iter().zip(places).map(|((session, id), places)| format!("{session} {id} {}", places.unwrap().first));
        say(&format!("ack {}", told.collect::<Vec<_>>().join(" ")));
    }
}

/// Runs a child until it acknowledged so many appends, and kills it.
fn round(folder: &Path, round: u64, appends: usize, acknowledged: &mut Acknowledged) {
    let role = ["kill", folder.to_str().unwrap(), &round.to_string()];
    let mut child = child::command(&role).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (mut line, mut heard) = (String::new(), 0);
    let mut chance = Chance::new(round);
    while out.read_line(&mut line).unwrap() > 0 {
        if let Some(told) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("ack ")) {
            hear(told, acknowledged);
            heard += 1;
            if heard == appends {
                std::thread::sleep(Duration::from_micros(chance.next() % 3000));
                child.kill().unwrap();
            }
        }
        line.clear();
    }
    let status = child.wait().unwrap();
    assert!(heard >= appends, "round {round}: the child ended by itself, with {status}, after {heard} appends");
}

fn hear(told: &str, acknowledged: &mut Acknowledged) {
    let words: Vec<_> = told.split(' ').collect();
    for words in words.chunks_exact(3) {
        let place = (words[0].parse().unwrap(), words[2].parse().unwrap());
        let before = acknowledged.insert(words[1].parse().unwrap(), place);
        assert_eq!(before, None, "{told}");
    }
}

/// Opens the log, and finds everything in its place. Gives the number of events.
fn check(folder: &Path, acknowledged: &Acknowledged) -> usize {
    let log = RedbLog::open(folder, options()).unwrap();
    let verdict = log.verify().unwrap();
    assert_eq!(verdict.damages, []);
    let mut found = BTreeMap::new();
    for number in 0..SESSIONS {
        let entries = wait(all(&log, session(number))).unwrap();
        for (entry, place) in entries.into_iter().zip(1..) {
            assert_eq!(entry.seq.get(), place, "a hole in session {number}");
            let before = found.insert(entry.event.id(), (session(number), place, entry.event));
            assert!(before.is_none(), "{before:?} comes twice");
        }
    }
    for (id, (session, place)) in acknowledged {
        let (found, at, _) = found.get(id).unwrap_or_else(|| panic!("{id} is lost: place {place} of {session}"));
        assert_eq!((found, at), (session, place), "{id} is in another place");
    }
    for (id, (_, _, event)) in &found {
        let text = event.members()["text"].as_str().unwrap().to_owned();
        let other: Option<EventId> = text.split(' ').next().and_then(|other| other.parse().ok());
        assert_eq!(*event, made(*id, other), "what was written is another");
        assert!(other.is_none_or(|other| found.contains_key(&other)), "{id} is there without {other:?}");
    }
    assert_eq!(verdict.events, found.len() as u64);
    found.len()
}

/// Where the store is: a folder that is named and kept, so that `handbox log verify` can look at it, or one that goes.
enum Place {
    Named(PathBuf),
    Passing(tempfile::TempDir),
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Passing(folder) => folder.path(),
        }
    }
}

fn folder() -> Place {
    match std::env::var_os("HANDBOX_PROOF_FOLDER") {
        Some(folder) => Place::Named(PathBuf::from(folder)),
        None => Place::Passing(tempfile::tempdir().unwrap()),
    }
}

#[test]
fn a_process_killed_again_and_again_loses_nothing() {
    let (kills, appends, checks) = if is_long() { (400, 2500, 20) } else { (10, 900, 1) };
    let (folder, mut acknowledged) = (folder(), Acknowledged::new());
    let folder = folder.path();
    let mut chance = Chance::new(seed());
    eprintln!("kills: seed {}", seed());
    let mut events = 0;
    for number in 0..kills {
        let appends = appends / 2 + chance.below(appends);
        round(folder, number + (seed() << 16), appends, &mut acknowledged);
        if number % checks == 0 || number + 1 == kills {
            events = check(folder, &acknowledged);
        }
    }
    eprintln!(
        "kills: {kills} of a process with {WRITERS} writers on {SESSIONS} sessions; {} events acknowledged, {events} there, \
         none lost, verify clean",
        acknowledged.len()
    );
}
