//! `sort` of what is too large to be held: it is cut into parts, each is sorted by itself, and the parts are merged.

use super::order::{Order, end, merge, reader};
use crate::options::Given;
use crate::spawn::{Stdin, Stdout, start};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufWriter, Write as _};
use std::path::PathBuf;

/// What is sorted in one piece. Beside its bytes each line takes memory, short ones more than they are long; with that it
/// stays below half of what a call may use, unless the call was given less than is usual.
const PART_BYTES: u64 = 32 << 20;

/// Whether there is more to sort than goes in one piece. How much comes from standard input is not known before.
pub(super) fn is_large(given: &Given) -> bool {
    let size = |path: &String| fs::metadata(path).map_or(0, |about| about.len());
    !given.operands.is_empty() && given.operands.iter().map(size).sum::<u64>() > PART_BYTES
}

/// A folder that is gone in the end, whatever happens.
struct Parts(PathBuf);

impl Parts {
    fn new(given: &Given) -> Result<Self, String> {
        let told = given.value('T').map(str::to_owned).or_else(|| std::env::var("TMPDIR").ok());
        let above = PathBuf::from(told.filter(|path| !path.is_empty()).unwrap_or_else(|| "/tmp".to_owned()));
        let failed = |error: &std::io::Error| {
            format!("cannot create temporary file in '{}': {}", above.display(), crate::reason(error))
        };
        for number in 0.. {
            let path = above.join(format!("sort.{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // Another one is at work.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Err(String::new())
    }

    fn path(&self, number: usize) -> String {
        self.0.join(number.to_string()).to_string_lossy().into_owned()
    }

    /// Cuts all files into parts at the ends of lines. How many there are.
    fn fill(&self, given: &Given) -> Result<usize, String> {
        let failed = |error: std::io::Error| format!("write failed: {}: {}", self.0.display(), crate::reason(&error));
        let end = end(given);
        let (mut count, mut filled) = (0, PART_BYTES);
        let mut part: Option<BufWriter<File>> = None;
        let mut line = Vec::new();
        for path in &given.operands {
            let mut from = reader(path)?;
            loop {
                line.clear();
                let read = from.read_until(end, &mut line);
                if read.map_err(|error| format!("cannot read: {path}: {}", crate::reason(&error)))? == 0 {
                    break;
                }
                if line.last() != Some(&end) {
                    line.push(end);
                }
                if filled >= PART_BYTES {
                    if let Some(mut full) = part.take() {
                        full.flush().map_err(failed)?;
                    }
                    part = Some(BufWriter::new(File::create(self.path(count)).map_err(failed)?));
                    (count, filled) = (count + 1, 0);
                }
                if let Some(part) = &mut part {
                    part.write_all(&line).map_err(failed)?;
                }
                filled += line.len() as u64;
            }
        }
        part.map_or(Ok(()), |mut last| last.flush()).map_err(failed)?;
        Ok(count)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // What is left there is thrown away with the call.
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn sort(given: &Given, order: &Order) -> Result<u8, String> {
    let parts = Parts::new(given)?;
    let count = parts.fill(given)?;
    for number in 0..count {
        let command = command(given, &parts.path(number));
        let child = start(&command, None, Stdin::Empty, Stdout::Own).map_err(|refused| refused.explain("sort").0)?;
        // It said itself what is wrong.
        let status = child.wait();
        if status != 0 {
            return Ok(u8::try_from(status).unwrap_or(2));
        }
    }
    let operands = (0..count).map(|number| parts.path(number)).collect();
    merge(&Given { operands, ..given.clone() }, order)
}

/// Sorts one part in its place, as all of it is to be sorted.
fn command(given: &Given, part: &str) -> Vec<OsString> {
    let mut words = vec!["sort".to_owned()];
    for (letter, value) in given.options.iter().filter(|(letter, _)| !"oST".contains(*letter)) {
        words.push(format!("-{letter}"));
        if "kt".contains(*letter) {
            words.push(value.clone());
        }
    }
    words.extend(["-o".to_owned(), part.to_owned(), part.to_owned()]);
    words.into_iter().map(OsString::from).collect()
}
