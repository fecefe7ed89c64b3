//! Bits of the file change, and sectors are lost: the log gives the right answers or says what is damaged.
//!
//! The engine may end the process over a page that makes no sense, which is seen too. So children look at the files.

use crate::chance::Chance;
use crate::child::{self, say};
use crate::disk::Disk;
use crate::questions::Answers;
use crate::story::Story;
use crate::support::{is_long, open, options, seed};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

const SECTOR: usize = 512;
const PAGE: usize = 4096;
/// How many images a child looks at, unless it ends before.
const IMAGES_MAX: usize = 400;
/// An image that takes longer hangs.
const IMAGE_TIME_MAX: Duration = Duration::from_secs(30);

/// One change of a file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Flip { at: usize, bit: u8 },
    Zero { at: usize },
}

impl Harm {
    /// The bit by which the engine says which of its two last commits counts. In a store that was not closed the other
    /// value is what a power loss in the middle of the last commit leaves, so nothing in the file can tell: the log shows
    /// the state before that commit. In one that was closed, the last commit holds no events.
    fn is_last_word(self) -> bool {
        matches!(self, Self::Flip { at: 9, bit: 0 })
    }

    fn apply(self, bytes: &mut [u8]) {
        match self {
            Self::Flip { at, bit } => bytes[at] ^= 1 << bit,
            Self::Zero { at } => bytes[at..at + SECTOR].fill(0),
        }
    }
}

/// All harm that is done to a file: the same in the test and in its children.
fn harms(bytes: &[u8], seed: u64) -> Vec<Harm> {
    let mut chance = Chance::new(seed);
    let used = |size: usize| {
        let parts = bytes.chunks_exact(size).enumerate();
        parts.filter(|(_, part)| part.iter().any(|byte| *byte != 0)).map(move |(index, _)| index * size)
    };
    let sectors = used(SECTOR).step_by(if is_long() { 1 } else { 3 });
    let mut harms: Vec<_> = sectors.map(|at| Harm::Zero { at }).collect();
    let pages: Vec<_> = used(PAGE).collect();
    if is_long() {
        let all = pages.iter().flat_map(|page| *page..page + PAGE);
        harms.extend(all.map(|at| Harm::Flip { at, bit: chance.below(8) as u8 }));
    } else {
        // The engine's header, of which each bit counts, and a sample of the rest.
        harms.extend(
            (0..128).chain((128..320 * 8).step_by(5)).map(|bit| Harm::Flip { at: bit / 8, bit: (bit % 8) as u8 }),
        );
        let mut sample = || Harm::Flip { at: chance.pick(&pages) + chance.below(PAGE), bit: chance.below(8) as u8 };
        harms.extend((0..1000).map(|_| sample()));
    }
    harms
}

/// A store that was closed, or one that was not and has events that no table knows.
fn store(seed: u64, closed: bool) -> Vec<u8> {
    let disk = Disk::default();
    let log = open(disk.clone(), options(if closed { 7 } else { 25 })).unwrap();
    Story::new(&log, &disk, seed).run(if is_long() { 60 } else { 40 }).unwrap();
    let cut = disk.state().bytes.clone();
    drop(log);
    if closed { disk.state().bytes.clone() } else { cut }
}

/// Looks at some of the images, and says what it saw.
pub(crate) fn look(file: &Path, seed: u64, from: usize) {
    let bytes = std::fs::read(file).unwrap();
    let answers = Answers::of(&bytes);
    for (index, harm) in harms(&bytes, seed).into_iter().enumerate().skip(from).take(IMAGES_MAX) {
        let mut image = bytes.clone();
        harm.apply(&mut image);
        match answers.check(image) {
            Ok(told) => say(&format!("image {index} {told:?}")),
            Err(what) => say(&format!("image {index} WRONG {what}")),
        }
    }
}

#[derive(Debug, Default)]
struct Count {
    outcomes: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Count {
    fn note(&mut self, outcome: &str) {
        *self.outcomes.entry(outcome.to_owned()).or_default() += 1;
    }
}

/// Starts children until all images were looked at.
fn harm(bytes: &[u8], (seed, closed): (u64, bool), count: &mut Count) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let harms = harms(bytes, seed);
    let mut next = 0;
    while next < harms.len() {
        let begin = next;
        let role = ["flips", file.path().to_str().unwrap(), &seed.to_string(), &next.to_string()];
        let mut child = child::command(&role).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (lines, heard) = mpsc::channel();
        let reader =
            std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let hangs = loop {
            let line = match heard.recv_timeout(IMAGE_TIME_MAX) {
                Ok(line) => line,
                Err(error) => break error == mpsc::RecvTimeoutError::Timeout,
            };
            let Some((_, outcome)) = line.strip_prefix("image ").and_then(|line| line.split_once(' ')) else {
                continue;
            };
            let wrong = outcome.starts_with("WRONG");
            if wrong && !closed && harms[next].is_last_word() {
                count.note("LastWord");
                next += 1;
                continue;
            }
            if wrong {
                count.wrong.push(format!("seed {seed}, {:?}: {outcome}", harms[next]));
            }
            count.note(outcome.split(' ').next().unwrap_or_default());
            next += 1;
        };
        child.kill().ok();
        child.wait().unwrap();
        reader.join().unwrap().ok();
        if hangs {
            count.wrong.push(format!("seed {seed}, {:?}: it hangs", harms[next]));
            next += 1;
        } else if next < harms.len() && next < begin + IMAGES_MAX {
            count.note("Aborted");
            next += 1;
        }
    }
}

#[test]
fn what_changed_on_the_disk_is_never_a_wrong_answer() {
    let mut count = Count::default();
    for closed in [true, false] {
        harm(&store(seed(), closed), (seed(), closed), &mut count);
    }
    let images: usize = count.outcomes.values().sum();
    eprintln!("changed bits and zeroed sectors: seed {}: {images} images: {:?}", seed(), count.outcomes);
    assert!(count.wrong.is_empty(), "{} wrong answers:\n{}", count.wrong.len(), count.wrong.join("\n"));
}
