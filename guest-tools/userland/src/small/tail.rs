//! `tail -f`.

use crate::options::{Known, read};
use crate::{print, report};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

const KNOWN: Known = Known {
    letters: "n:c:qvfFs:z",
    names: &[
        ("lines=", 'n'),
        ("bytes=", 'c'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("verbose", 'v'),
        ("follow?", 'f'),
        ("retry", 'r'),
        ("sleep-interval=", 's'),
        ("pid=", 'p'),
        ("max-unchanged-stats=", '.'),
    ],
    ends_at_operand: false,
};

/// How often it is looked for more, unless the command line says so.
const INTERVAL: Duration = Duration::from_millis(100);

/// Runs `tail` where it follows files; None where it does not. It ends when it is stopped, with its call at
/// the latest, or when nobody reads on.
pub(super) fn followed(args: &[OsString]) -> Option<u8> {
    let given = read(&numbered(args), &KNOWN).ok()?;
    // What comes in ends by itself.
    let paths: Vec<String> = given.operands.iter().filter(|path| *path != "-").cloned().collect();
    if !(given.has('f') || given.has('F')) || paths.is_empty() {
        return None;
    }
    let interval = given.value('s').and_then(|text| Duration::try_from_secs_f64(text.parse().ok()?).ok());
    let retries = given.has('F') || given.has('r');
    let mut follower =
        Follower { files: Vec::new(), titled: given.has('v') || paths.len() > 1 && !given.has('q'), shown: None };
    let mut status = 0;
    for path in paths {
        match std::fs::read(&path) {
            Ok(bytes) => {
                follower.files.push((path, bytes.len() as u64));
                let start = start(&bytes, given.value('c'), given.value('n'));
                if !follower.show(follower.files.len() - 1, &bytes[start..], true) {
                    return Some(1);
                }
            }
            Err(error) => {
                report("tail", &format!("cannot open '{path}' for reading: {}", crate::reason(&error)));
                status = 1;
                if retries {
                    follower.files.push((path, 0));
                }
            }
        }
    }
    if follower.files.is_empty() {
        report("tail", "no files remaining");
        return Some(status);
    }
    loop {
        std::thread::sleep(interval.unwrap_or(INTERVAL));
        for place in 0..follower.files.len() {
            if !follower.more(place) {
                return Some(status);
            }
        }
    }
}

/// `-5f` in the way of today: `-n 5 -f`.
fn numbered(args: &[OsString]) -> Vec<OsString> {
    let old = |arg: &OsString| -> Option<[OsString; 2]> {
        let text = arg.to_str()?.strip_prefix('-')?;
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let letters = &text[end..];
        (end > 0 && matches!(letters, "" | "f"))
            .then(|| [format!("-n{}", &text[..end]).into(), if letters.is_empty() { "-q" } else { "-f" }.into()])
    };
    args.iter().flat_map(|arg| old(arg).map_or_else(|| vec![arg.clone()], |both| both.to_vec())).collect()
}

/// From where on a file is shown at first.
fn start(bytes: &[u8], count: Option<&str>, lines: Option<&str>) -> usize {
    let number = |text: &str| text.trim_start_matches(['+', '-']).parse::<usize>().unwrap_or(10);
    if let Some(count) = count {
        let at = number(count);
        return if count.starts_with('+') {
            at.saturating_sub(1).min(bytes.len())
        } else {
            bytes.len().saturating_sub(at)
        };
    }
    let lines = lines.unwrap_or("10");
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let mut starts: Vec<usize> = std::iter::once(0).chain(ends).filter(|start| *start < bytes.len()).collect();
    if lines.starts_with('+') {
        return starts.get(number(lines).saturating_sub(1)).copied().unwrap_or(bytes.len());
    }
    starts.reverse();
    match number(lines) {
        0 => bytes.len(),
        count => starts.get(count - 1).copied().unwrap_or(0),
    }
}

struct Follower {
    /// Their paths, and how much of each was shown.
    files: Vec<(String, u64)>,
    titled: bool,
    shown: Option<usize>,
}

impl Follower {
    /// Shows a part of a file. False if nobody reads on.
    fn show(&mut self, place: usize, bytes: &[u8], first: bool) -> bool {
        if bytes.is_empty() && !first {
            return true;
        }
        let mut out = Vec::new();
        if self.titled && self.shown != Some(place) {
            let gap = if self.shown.is_some() { "\n" } else { "" };
            out.extend_from_slice(format!("{gap}==> {} <==\n", self.files[place].0).as_bytes());
            self.shown = Some(place);
        }
        out.extend_from_slice(bytes);
        print(&out)
    }

    /// Shows what a file has more than before.
    fn more(&mut self, place: usize) -> bool {
        let (path, known) = self.files[place].clone();
        let Ok(mut file) = File::open(&path) else { return true };
        let length = file.metadata().map_or(known, |metadata| metadata.len());
        let from = if length < known {
            report("tail", &format!("{path}: file truncated"));
            0
        } else {
            known
        };
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(from)).and_then(|_| file.read_to_end(&mut bytes));
        if read.is_err() {
            return true;
        }
        self.files[place].1 = from + bytes.len() as u64;
        self.show(place, &bytes, false)
    }
}
