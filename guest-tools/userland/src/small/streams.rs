//! Programs that pass text on: `cat`, `paste`, `tac` and `tee`.

use super::cmp::visible;
use crate::options::{Given, Known, read};
use crate::pattern::{Kind, translate};
use crate::{print, report};
use regex::bytes::{Regex, RegexBuilder};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};

/// How much is passed on at a time.
const CHUNK_BYTES: usize = 64 << 10;

fn failed(program: &str, problem: &str) -> u8 {
    report(program, problem);
    1
}

fn source(path: &str) -> Result<Box<dyn Read>, String> {
    Ok(match path {
        "-" | "/dev/stdin" => Box::new(std::io::stdin()),
        "/dev/null" => Box::new(std::io::empty()),
        _ => {
            let file = crate::open(path)?;
            // What is written to it meanwhile is no part of it: else `cat f >> f` had no end. A device is a file without a
            // length.
            let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |about| about.len());
            Box::new(file.take(if length == 0 { u64::MAX } else { length }))
        }
    })
}

fn paths(given: &Given) -> Vec<String> {
    if given.operands.is_empty() { vec!["-".to_owned()] } else { given.operands.clone() }
}

/// Runs `cat`; the first argument is its name.
pub(super) fn cat(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "AbeEnstTuv",
        names: &[
            ("show-all", 'A'),
            ("number-nonblank", 'b'),
            ("show-ends", 'E'),
            ("number", 'n'),
            ("squeeze-blank", 's'),
            ("show-tabs", 'T'),
            ("show-nonprinting", 'v'),
        ],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => return failed("cat", &problem),
    };
    let any = |letters: &[char]| letters.iter().any(|letter| given.has(*letter));
    let mut shown = Shown {
        ends: any(&['A', 'e', 'E']),
        tabs: any(&['A', 't', 'T']),
        marks: any(&['A', 'e', 't', 'v']),
        number_all: given.has('n'),
        number_full: given.has('b'),
        squeeze: given.has('s'),
        line: 0,
        inside: false,
        empty: 0,
        ..Shown::default()
    };
    let plain = given.options.iter().all(|(letter, _)| *letter == 'u');
    let mut status = 0;
    let mut out = crate::output::stdout();
    let mut buffer = vec![0; CHUNK_BYTES];
    for path in paths(&given) {
        let mut from = match source(&path) {
            Ok(from) => from,
            Err(reason) => {
                status = failed("cat", &format!("{path}: {reason}"));
                continue;
            }
        };
        loop {
            let length = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) => {
                    status = failed("cat", &format!("{path}: {}", crate::reason(&error)));
                    break;
                }
            };
            let written =
                if plain { out.write_all(&buffer[..length]) } else { out.write_all(&shown.of(&buffer[..length])) };
            // It shows as it comes, though the last line may not have ended.
            if written.and_then(|()| out.flush()).is_err() {
                return 1;
            }
        }
    }
    let rest = shown.rest();
    if out.write_all(&rest).and_then(|()| out.flush()).is_ok() { status } else { 1 }
}

/// How text is shown, and where in it we are.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
#[derive(Default)]
struct Shown {
    ends: bool,
    tabs: bool,
    marks: bool,
    number_all: bool,
    number_full: bool,
    squeeze: bool,
    line: usize,
    /// Whether a line has begun.
    inside: bool,
    /// How many empty lines came one behind the other.
    empty: usize,
    /// Whether the last byte was a CR, that is shown by what follows it.
    held: bool,
}

impl Shown {
    fn of(&mut self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + text.len() / 4);
        for byte in text {
            if std::mem::take(&mut self.held) {
                out.extend_from_slice(if *byte == b'\n' { b"^M" } else { b"\r" });
            }
            if !self.inside {
                self.empty = if *byte == b'\n' { self.empty + 1 } else { 0 };
                if self.squeeze && self.empty > 1 {
                    continue;
                }
                if self.number_full && *byte != b'\n' || self.number_all && !self.number_full {
                    self.line += 1;
                    out.extend_from_slice(format!("{:6}\t", self.line).as_bytes());
                }
            }
            self.inside = *byte != b'\n';
            match byte {
                b'\n' if self.ends => out.extend_from_slice(b"$\n"),
                b'\t' if self.tabs => out.extend_from_slice(b"^I"),
                b'\r' if self.ends && !self.marks => self.held = true,
                b'\n' | b'\t' => out.push(*byte),
                _ if self.marks => out.extend_from_slice(visible(*byte).as_bytes()),
                _ => out.push(*byte),
            }
        }
        out
    }

    fn rest(&self) -> Vec<u8> {
        if self.held { vec![b'\r'] } else { Vec::new() }
    }
}

/// Runs `tac`; the first argument is its name.
pub(super) fn tac(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "brs:",
        names: &[("before", 'b'), ("regex", 'r'), ("separator=", 's')],
        ends_at_operand: false,
    };
    let separator = |given: &Given| -> Result<Regex, String> {
        let text = match given.value('s').unwrap_or("\n") {
            "" => "\0",
            text => text,
        };
        let translated = if given.has('r') { translate(text, Kind::Basic)?.text } else { regex::escape(text) };
        RegexBuilder::new(&translated).multi_line(true).build().map_err(|error| error.to_string())
    };
    let read = read(args, &known).and_then(|given| Ok((separator(&given)?, given)));
    let (separator, given) = match read {
        Ok(read) => read,
        Err(problem) => return failed("tac", &problem),
    };
    let mut status = 0;
    for path in paths(&given) {
        match crate::read(&path) {
            Ok(text) => {
                if !print(&backwards(&text, &separator, given.has('b'))) {
                    return 1;
                }
            }
            Err(reason) => status = failed("tac", &format!("failed to open '{path}' for reading: {reason}")),
        }
    }
    status
}

/// The records in the other order; a separator belongs to the record before it, or behind it.
fn backwards(text: &[u8], separator: &Regex, before: bool) -> Vec<u8> {
    let mut starts = Vec::new();
    let mut from = 0;
    while from <= text.len()
        && let Some(found) = separator.find_at(text, from)
    {
        starts.push(found.start());
        from = found.start() + 1;
    }
    let mut out = Vec::with_capacity(text.len());
    // It is looked for from the end on, so one cannot reach into the next.
    let (mut limit, mut end) = (text.len(), text.len());
    for start in starts.into_iter().rev() {
        let found = separator.find_at(&text[..limit], start);
        let Some(found) = found.filter(|found| found.start() == start && !found.is_empty()) else { continue };
        limit = start;
        let cut = if before { start } else { found.end() };
        out.extend_from_slice(&text[cut..end]);
        end = cut;
    }
    out.extend_from_slice(&text[..end]);
    out
}

/// Runs `tee`; the first argument is its name.
pub(super) fn tee(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "aip",
        names: &[("append", 'a'), ("ignore-interrupts", 'i'), ("output-error?", 'p')],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => return failed("tee", &problem),
    };
    let mut status = 0;
    let mut outputs: Vec<(String, Box<dyn Write>)> =
        vec![("standard output".to_owned(), Box::new(crate::output::stdout()))];
    for path in given.operands {
        let opened: std::io::Result<Box<dyn Write>> = match path.as_str() {
            "/dev/stdout" => Ok(Box::new(crate::output::stdout())),
            "/dev/stderr" => Ok(Box::new(std::io::stderr())),
            "/dev/null" => Ok(Box::new(std::io::sink())),
            _ => {
                let append = given.options.iter().any(|(letter, _)| *letter == 'a');
                let mut options = OpenOptions::new();
                options.create(true).append(append).write(!append).truncate(!append);
                let is_new = std::fs::symlink_metadata(&path).is_err();
                let opened = options.open(&path).map(|file| Box::new(file) as Box<dyn Write>);
                if is_new && opened.is_ok() {
                    crate::about::masked(&path);
                }
                opened
            }
        };
        match opened {
            Ok(opened) => outputs.push((path, opened)),
            Err(error) => status = failed("tee", &format!("{path}: {}", crate::reason(&error))),
        }
    }
    let mut buffer = vec![0; CHUNK_BYTES];
    while !outputs.is_empty() {
        let length = match std::io::stdin().read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) => return failed("tee", &format!("read error: {}", crate::reason(&error))),
        };
        outputs.retain_mut(|(name, output)| {
            let written = output.write_all(&buffer[..length]).and_then(|()| output.flush());
            if let Err(error) = &written {
                status = failed("tee", &format!("{name}: {}", crate::reason(error)));
            }
            written.is_ok()
        });
    }
    status
}

/// Where `paste` takes lines from.
enum Lines {
    /// Shared by all that name it.
    Own,
    File(BufReader<File>),
    Ended,
}

impl Lines {
    /// The next line without its end. None behind the last.
    fn next(&mut self, end: u8) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let length = match self {
            Self::Own => std::io::stdin().lock().read_until(end, &mut line)?,
            Self::File(file) => file.read_until(end, &mut line)?,
            Self::Ended => 0,
        };
        if length == 0 {
            *self = Self::Ended;
            return Ok(None);
        }
        if line.last() == Some(&end) {
            line.pop();
        }
        Ok(Some(line))
    }
}

/// What stands between columns, one behind the other; `\0` is nothing.
fn delimiters(list: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut characters = list.chars();
    while let Some(character) = characters.next() {
        let meant = if character == '\\' { characters.next().unwrap_or('\\') } else { character };
        found.push(match (character, meant) {
            ('\\', 'n') => "\n".to_owned(),
            ('\\', 't') => "\t".to_owned(),
            ('\\', '0') => String::new(),
            (_, meant) => meant.to_string(),
        });
    }
    if found.is_empty() { vec![String::new()] } else { found }
}

/// Runs `paste`; the first argument is its name.
pub(super) fn paste(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "d:sz",
        names: &[("delimiters=", 'd'), ("serial", 's'), ("zero-terminated", 'z')],
        ends_at_operand: false,
    };
    let pasted = read(args, &known).and_then(|given| {
        let mut sources = Vec::new();
        for path in paths(&given) {
            sources.push(match path.as_str() {
                "-" | "/dev/stdin" => Lines::Own,
                "/dev/null" => Lines::Ended,
                _ => {
                    let file = crate::open(&path).map_err(|reason| format!("{path}: {reason}"))?;
                    Lines::File(BufReader::new(file))
                }
            });
        }
        let end = if given.has('z') { 0 } else { b'\n' };
        let between = delimiters(given.value('d').unwrap_or("\t"));
        let done = if given.has('s') { rows(sources, &between, end) } else { columns(sources, &between, end) };
        done.map_err(|error| crate::reason(&error))
    });
    match pasted {
        Ok(()) => 0,
        // What it could not write is said where all programs end.
        Err(_) if crate::output::is_lost() => 1,
        Err(problem) => failed("paste", &problem),
    }
}

/// Each file is a line.
fn rows(sources: Vec<Lines>, between: &[String], end: u8) -> std::io::Result<()> {
    let mut out = BufWriter::new(crate::output::stdout());
    for mut source in sources {
        let mut place = 0;
        while let Some(line) = source.next(end)? {
            if place > 0 {
                out.write_all(between[(place - 1) % between.len()].as_bytes())?;
            }
            out.write_all(&line)?;
            place += 1;
        }
        out.write_all(&[end])?;
    }
    out.flush()
}

/// Each file is a column.
fn columns(mut sources: Vec<Lines>, between: &[String], end: u8) -> std::io::Result<()> {
    let mut out = BufWriter::new(crate::output::stdout());
    loop {
        let (mut row, mut found) = (Vec::new(), false);
        for (place, source) in sources.iter_mut().enumerate() {
            if place > 0 {
                row.extend_from_slice(between[(place - 1) % between.len()].as_bytes());
            }
            if let Some(line) = source.next(end)? {
                found = true;
                row.extend_from_slice(&line);
            }
        }
        if !found {
            return out.flush();
        }
        row.push(end);
        out.write_all(&row)?;
    }
}
