//! Searches one file, and prints what is found.

use super::matcher::Matcher;
use std::collections::VecDeque;
use std::io::{BufWriter, Read, Write};

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// A file is binary if there is a zero byte in this much of its start.
const SNIFFED_BYTES: usize = 32 << 10;

/// What is printed of what is found.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(super) struct Show {
    pub(super) invert: bool,
    pub(super) count: bool,
    pub(super) names: bool,
    pub(super) names_without: bool,
    pub(super) quiet: bool,
    pub(super) only: bool,
    pub(super) numbers: bool,
    pub(super) offsets: bool,
    pub(super) file_names: bool,
    pub(super) null_names: bool,
    pub(super) delimiter: u8,
    /// Most lines selected in a file.
    pub(super) most: Option<usize>,
    pub(super) before: usize,
    pub(super) after: usize,
    pub(super) as_text: bool,
    pub(super) skip_binary: bool,
    /// Stands between groups of context.
    pub(super) separator: Option<String>,
    pub(super) label: String,
}

/// What came of all files.
pub(super) struct Totals {
    out: BufWriter<std::io::Stdout>,
    pub(super) selected: bool,
    pub(super) failed: bool,
    printed_group: bool,
    broken: bool,
}

impl Default for Totals {
    fn default() -> Self {
        let out = BufWriter::with_capacity(32 << 10, std::io::stdout());
        Self { out, selected: false, failed: false, printed_group: false, broken: false }
    }
}

impl Totals {
    /// Whether the rest need not be searched.
    pub(super) fn done(&self, show: &Show) -> bool {
        (show.quiet && self.selected) || self.broken
    }

    /// Writes what is left. False if something could not be written.
    pub(super) fn finish(&mut self) -> bool {
        self.out.flush().is_ok() && !self.broken
    }

    fn write(&mut self, bytes: &[u8]) {
        self.broken |= self.out.write_all(bytes).is_err();
    }
}

/// Searches a file, or standard input for `-`. What is wrong in words.
pub(super) fn search(path: &str, matcher: &Matcher, show: &Show, totals: &mut Totals) -> Result<(), String> {
    let from: Box<dyn Read> = if path == "-" { Box::new(std::io::stdin()) } else { Box::new(crate::open(path)?) };
    let name = if path == "-" { show.label.clone() } else { path.to_owned() };
    let mut run = Run {
        name,
        matcher,
        show,
        totals,
        line: 0,
        offset: 0,
        selected: 0,
        after: 0,
        before: VecDeque::new(),
        last_printed: 0,
        binary: false,
        ended: false,
    };
    run.read(from)?;
    run.end();
    Ok(())
}

/// The search of one file.
struct Run<'a> {
    name: String,
    matcher: &'a Matcher,
    show: &'a Show,
    totals: &'a mut Totals,
    line: usize,
    offset: usize,
    selected: usize,
    /// How many more lines are context.
    after: usize,
    before: VecDeque<(usize, usize, Vec<u8>)>,
    last_printed: usize,
    binary: bool,
    ended: bool,
}

impl Run<'_> {
    fn read(&mut self, mut from: Box<dyn Read>) -> Result<(), String> {
        let mut buffer: Vec<u8> = Vec::new();
        let mut first = true;
        loop {
            let length = buffer.len();
            buffer.resize(length + CHUNK_BYTES, 0);
            let read = from.read(&mut buffer[length..]).map_err(|error| crate::reason(&error))?;
            buffer.truncate(length + read);
            if first && read > 0 {
                first = false;
                let sniffed = &buffer[..buffer.len().min(SNIFFED_BYTES)];
                self.binary = !self.show.as_text && memchr::memchr(0, sniffed).is_some();
                if self.binary && self.show.skip_binary {
                    return Ok(());
                }
            }
            let end = if read == 0 {
                buffer.len()
            } else {
                memchr::memrchr(self.show.delimiter, &buffer).map_or(0, |at| at + 1)
            };
            self.lines(&buffer[..end]);
            if read == 0 || self.ended {
                return Ok(());
            }
            buffer.drain(..end);
        }
    }

    /// Looks through whole lines.
    fn lines(&mut self, lines: &[u8]) {
        let mut at = 0;
        let mut candidate = self.matcher.candidate(lines, 0);
        while at < lines.len() && !self.ended {
            let end = memchr::memchr(self.show.delimiter, &lines[at..]).map_or(lines.len(), |length| at + length);
            if candidate.is_some_and(|candidate| candidate < at) {
                candidate = self.matcher.candidate(lines, at);
            }
            let line = &lines[at..end];
            // A match found in many lines might reach over the end of this one.
            let may = candidate.is_some_and(|candidate| candidate <= end);
            let matched = may && self.matcher.find(line, 0).is_some();
            self.line += 1;
            self.take(line, matched);
            self.offset += line.len() + 1;
            at = end + 1;
        }
    }

    fn take(&mut self, line: &[u8], matched: bool) {
        if matched != self.show.invert {
            self.selected += 1;
            self.totals.selected |= !self.show.names_without;
            let only_names = self.show.quiet || self.show.names || self.show.names_without;
            if only_names || (self.binary && !self.show.count) {
                self.ended = true;
            } else if !self.show.count {
                self.print_selected(line);
            }
            if self.show.most.is_some_and(|most| self.selected >= most) {
                self.ended = self.ended || self.after == 0;
                if self.show.most == Some(self.selected) {
                    self.after = self.show.after;
                    self.ended = self.after == 0 || only_names;
                }
            }
            return;
        }
        if self.after > 0 {
            self.after -= 1;
            self.print_line(b'-', self.line, self.offset, line);
            self.ended = self.after == 0 && self.show.most.is_some_and(|most| self.selected >= most);
        } else if self.show.before > 0 {
            if self.before.len() == self.show.before {
                self.before.pop_front();
            }
            self.before.push_back((self.line, self.offset, line.to_vec()));
        }
    }

    fn print_selected(&mut self, line: &[u8]) {
        if self.show.most.is_some_and(|most| self.selected > most) {
            // Behind the last one only context is printed.
            self.after = 0;
            self.ended = true;
            return;
        }
        let first = self.before.front().map_or(self.line, |(line, ..)| *line);
        let context = self.show.before > 0 || self.show.after > 0;
        if context
            && self.totals.printed_group
            && (self.last_printed == 0 || first > self.last_printed + 1)
            && let Some(separator) = &self.show.separator
        {
            let separator = format!("{separator}\n");
            self.totals.write(separator.as_bytes());
        }
        for (number, offset, line) in std::mem::take(&mut self.before) {
            self.print_line(b'-', number, offset, &line);
        }
        self.totals.printed_group = true;
        self.after = self.show.after;
        if self.show.only {
            self.last_printed = self.line;
            return self.print_matches(line);
        }
        self.print_line(b':', self.line, self.offset, line);
    }

    fn print_matches(&mut self, line: &[u8]) {
        if self.show.invert {
            return;
        }
        let mut from = 0;
        while let Some((start, end)) = self.matcher.find(line, from) {
            if start < end {
                self.print_prefix(b':', self.line, self.offset + start);
                self.totals.write(&line[start..end]);
                self.totals.write(&[self.show.delimiter]);
            }
            from = if end > start { end } else { end + 1 };
            if from > line.len() {
                break;
            }
        }
    }

    fn print_line(&mut self, sign: u8, number: usize, offset: usize, line: &[u8]) {
        self.last_printed = number;
        if self.show.only {
            return;
        }
        self.print_prefix(sign, number, offset);
        self.totals.write(line);
        self.totals.write(&[self.show.delimiter]);
    }

    fn print_prefix(&mut self, sign: u8, number: usize, offset: usize) {
        let sign = char::from(sign);
        let mut prefix = String::new();
        if self.show.file_names {
            prefix.push_str(&self.name);
            prefix.push(if self.show.null_names { '\0' } else { sign });
        }
        if self.show.numbers {
            prefix.push_str(&format!("{number}{sign}"));
        }
        if self.show.offsets {
            prefix.push_str(&format!("{offset}{sign}"));
        }
        self.totals.write(prefix.as_bytes());
    }

    /// What is printed at the end of a file.
    fn end(&mut self) {
        let found = self.selected > 0;
        if self.show.names_without {
            self.totals.selected |= !found;
        }
        if self.show.quiet {
            return;
        }
        if self.show.names || self.show.names_without {
            if found == self.show.names {
                let end = if self.show.null_names { '\0' } else { '\n' };
                let line = format!("{}{end}", self.name);
                self.totals.write(line.as_bytes());
            }
        } else if self.show.count {
            let end = if self.show.null_names { '\0' } else { ':' };
            let name = if self.show.file_names { format!("{}{end}", self.name) } else { String::new() };
            let line = format!("{name}{}\n", self.selected);
            self.totals.write(line.as_bytes());
        } else if self.binary && found {
            let line = format!("grep: {}: binary file matches\n", self.name);
            self.totals.write(line.as_bytes());
        }
    }
}
