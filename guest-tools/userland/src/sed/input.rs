//! The lines that are read, from one file after the other.

use super::Fatal;
use super::output::Output;
use crate::stdin::Stdin;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

pub(super) enum Reader {
    /// It is taken anew for each line: a script may read from it elsewhere too.
    Stdin,
    /// The same, of which no line is taken that is not asked for. The line that was needed to see whether there is one.
    Lines(Stdin, Vec<u8>),
    File(BufReader<File>),
}

impl Reader {
    fn fill(&mut self, separator: u8) -> std::io::Result<bool> {
        match self {
            Self::Stdin => std::io::stdin().lock().fill_buf().map(|buffer| !buffer.is_empty()),
            Self::Lines(stdin, ahead) => Ok(!ahead.is_empty() || stdin.read_until(separator, ahead)? > 0),
            Self::File(file) => file.fill_buf().map(|buffer| !buffer.is_empty()),
        }
    }

    /// A line without its end. Whether it has an end; None behind the last.
    pub(super) fn line(&mut self, separator: u8, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
        line.clear();
        let length = match self {
            Self::Stdin => std::io::stdin().lock().read_until(separator, line)?,
            Self::Lines(stdin, ahead) if ahead.is_empty() => stdin.read_until(separator, line)?,
            Self::Lines(_, ahead) => {
                line.append(ahead);
                line.len()
            }
            Self::File(file) => file.read_until(separator, line)?,
        };
        if length == 0 {
            return Ok(None);
        }
        let ends = line.last() == Some(&separator);
        if ends {
            line.pop();
        }
        Ok(Some(ends))
    }
}

/// Reads a whole file for `r`; nothing if that fails.
pub(super) fn whole(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    // As of a file that is not there, no word is said.
    let _ = match name {
        "/dev/stdin" => std::io::stdin().lock().read_to_end(&mut bytes),
        name => File::open(name).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    bytes
}

/// A file for `R`. None if it cannot be read.
pub(super) fn by_lines(name: &str) -> Option<Reader> {
    if name == "/dev/stdin" {
        return Some(Reader::Stdin);
    }
    File::open(name).ok().map(|file| Reader::File(BufReader::new(file)))
}

/// How files are taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Taking {
    /// Each for itself.
    pub(super) separate: bool,
    /// What is written takes the file's place; the name's ending that the old one is kept under.
    pub(super) in_place: Option<String>,
    pub(super) follow_links: bool,
    pub(super) separator: u8,
    /// What is not edited of standard input is left there: the script may end before its end does.
    pub(super) leaves: bool,
}

pub(super) struct Input {
    files: VecDeque<String>,
    current: Option<(String, Reader)>,
    /// The next one, opened to see whether there is more.
    waiting: Option<(String, Reader)>,
    taking: Taking,
    pub(super) number: u64,
    /// 2 where a file could not be read.
    pub(super) status: u8,
}

impl Input {
    pub(super) fn new(files: Vec<String>, taking: Taking) -> Self {
        Self { files: files.into(), current: None, waiting: None, taking, number: 0, status: 0 }
    }

    /// The name of the file that is read; `-` is standard input.
    pub(super) fn name(&self) -> &str {
        self.current.as_ref().map_or("-", |(name, _)| name)
    }

    /// Reads the next line. Whether it has an end; None behind the last. `opened` is told of
    /// each file that begins for itself.
    pub(super) fn line(
        &mut self,
        line: &mut Vec<u8>,
        out: &mut Output,
        mut opened: impl FnMut(),
    ) -> Result<Option<bool>, Fatal> {
        loop {
            if let Some((name, reader)) = &mut self.current {
                let read = reader.line(self.taking.separator, line).map_err(|error| broken(name, &error))?;
                if read.is_some() {
                    self.number += 1;
                    return Ok(read);
                }
                self.close(out)?;
            }
            if !self.open(out)? {
                return Ok(None);
            }
            if self.taking.separate {
                self.number = 0;
                opened();
            }
        }
    }

    /// Ends the file that is read, also before its end.
    pub(super) fn close(&mut self, out: &mut Output) -> Result<(), Fatal> {
        self.current = None;
        match &self.taking.in_place {
            Some(suffix) => out.finish(suffix),
            None => Ok(()),
        }
    }

    fn open(&mut self, out: &mut Output) -> Result<bool, Fatal> {
        self.current = match self.waiting.take() {
            Some(waiting) => Some(waiting),
            None => self.open_next(out)?,
        };
        Ok(self.current.is_some())
    }

    fn open_next(&mut self, out: &mut Output) -> Result<Option<(String, Reader)>, Fatal> {
        while let Some(name) = self.files.pop_front() {
            if name == "-" && self.taking.in_place.is_none() {
                let reader = if self.taking.leaves {
                    Reader::Lines(Stdin::new().map_err(|error| broken(&name, &error))?, Vec::new())
                } else {
                    Reader::Stdin
                };
                return Ok(Some((name, reader)));
            }
            let metadata = match std::fs::metadata(&name) {
                Ok(metadata) => metadata,
                Err(error) => {
                    self.complain(&format!("can't read {name}: {}", crate::reason(&error)));
                    continue;
                }
            };
            if self.taking.in_place.is_some() && !metadata.is_file() {
                return Err(Fatal::new(4, format!("couldn't edit {name}: not a regular file")));
            }
            if metadata.is_dir() {
                return Err(Fatal::new(4, format!("read error on {name}: Is a directory")));
            }
            let file = match File::open(&name) {
                Ok(file) => file,
                Err(error) => {
                    self.complain(&format!("can't read {name}: {}", crate::reason(&error)));
                    continue;
                }
            };
            if self.taking.in_place.is_some() {
                let path = PathBuf::from(&name);
                let path = if self.taking.follow_links { path.canonicalize().unwrap_or(path) } else { path };
                out.begin(&path)?;
            }
            return Ok(Some((name, Reader::File(BufReader::with_capacity(1 << 16, file)))));
        }
        Ok(None)
    }

    fn complain(&mut self, text: &str) {
        crate::report("sed", text);
        self.status = 2;
    }

    /// Whether the line that was read is the last one.
    pub(super) fn is_last(&mut self, out: &mut Output) -> Result<bool, Fatal> {
        let separator = self.taking.separator;
        if let Some((name, reader)) = &mut self.current
            && reader.fill(separator).map_err(|error| broken(name, &error))?
        {
            return Ok(false);
        }
        if self.taking.separate {
            return Ok(true);
        }
        loop {
            if self.waiting.is_none() {
                self.waiting = self.open_next(out)?;
            }
            let Some((name, reader)) = &mut self.waiting else { return Ok(true) };
            if reader.fill(separator).map_err(|error| broken(name, &error))? {
                return Ok(false);
            }
            self.waiting = None;
        }
    }
}

fn broken(name: &str, error: &std::io::Error) -> Fatal {
    Fatal::new(4, format!("read error on {name}: {}", crate::reason(error)))
}
