//! Searches one file, and prints what is found.

use super::matcher::Matcher;
use crate::stdin::Stdin;
use std::collections::VecDeque;
use std::io::{BufWriter, Read, Write};

/// How much is read at a time.
const CHUNK_BYTES: usize = 256 << 10;
/// A file is binary if there is a zero byte in this much of its start.
const SNIFFED_BYTES: usize = 32 << 10;

/// The columns of the largest number, where numbers stand below each other.
const COUNT_WIDTH: usize = 19;

/// What colours things have, as a terminal is told.
const FILE_NAME: &str = "35";
const NUMBER: &str = "32";
const SIGN: &str = "36";
const MATCH: &str = "01;31";
/// Ends a colour.
const PLAIN: &str = "\x1b[m\x1b[K";

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
    /// Whether what is printed of a line begins at a tab stop.
    pub(super) tab: bool,
    pub(super) delimiter: u8,
    /// Most lines selected in a file.
    pub(super) most: Option<usize>,
    pub(super) before: usize,
    pub(super) after: usize,
    /// Whether context was asked for, be it none.
    pub(super) context: bool,
    pub(super) as_text: bool,
    pub(super) skip_binary: bool,
    /// Stands between groups of context.
    pub(super) separator: Option<String>,
    pub(super) label: String,
    /// Whether names, numbers and matches are coloured.
    pub(super) colors: bool,
}

impl Show {
    /// A text in one of a terminal's colours, if there shall be any.
    fn colored(&self, color: &str, text: &str) -> String {
        if self.colors { format!("\x1b[{color}m\x1b[K{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// What came of all files.
pub(super) struct Totals {
    out: BufWriter<crate::output::Output>,
    pub(super) selected: bool,
    pub(super) failed: bool,
    printed_group: bool,
    broken: bool,
}

impl Default for Totals {
    fn default() -> Self {
        let out = BufWriter::with_capacity(32 << 10, crate::output::stdout());
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
        // What comes behind it would be lost as well.
        self.broken = self.broken || self.out.write_all(bytes).is_err();
    }
}

/// Searches a file, or standard input for `-`. What is wrong in words.
pub(super) fn search(path: &str, matcher: &Matcher, show: &Show, totals: &mut Totals) -> Result<(), String> {
    let from = match path {
        // Whoever reads behind the last match gets the rest.
        "-" if show.most.is_some() => Source::Lines(Stdin::new().map_err(|error| crate::reason(&error))?),
        "-" => Source::Pieces(Box::new(std::io::stdin())),
        path => Source::Pieces(Box::new(crate::open(path)?)),
    };
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
    // With none to find nothing is read.
    if show.most != Some(0) {
        run.read(from)?;
    }
    run.end();
    Ok(())
}

/// Where lines come from.
enum Source {
    /// Many at once.
    Pieces(Box<dyn Read>),
    /// Each for itself.
    Lines(Stdin),
}

impl Source {
    /// Appends more. How much that was: 0 at the end.
    fn read(&mut self, delimiter: u8, into: &mut Vec<u8>) -> std::io::Result<usize> {
        match self {
            Self::Pieces(from) => {
                let length = into.len();
                into.resize(length + CHUNK_BYTES, 0);
                let read = from.read(&mut into[length..]);
                into.truncate(length + read.as_ref().unwrap_or(&0));
                read
            }
            Self::Lines(from) => from.read_until(delimiter, into),
        }
    }
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
    fn read(&mut self, mut from: Source) -> Result<(), String> {
        let mut buffer: Vec<u8> = Vec::new();
        let mut first = true;
        loop {
            let read = from.read(self.show.delimiter, &mut buffer).map_err(|error| crate::reason(&error))?;
            if read > 0 && !self.binary && (first || matches!(from, Source::Lines(_))) {
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
            if read == 0 || self.ended || self.totals.broken {
                return Ok(());
            }
            buffer.drain(..end);
        }
    }

    /// Looks through whole lines.
    fn lines(&mut self, lines: &[u8]) {
        let mut at = 0;
        let mut candidate = self.matcher.candidate(lines, 0);
        while at < lines.len() && !self.ended && !self.totals.broken {
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
        let enough = self.show.most.is_some_and(|most| self.selected >= most);
        if matched != self.show.invert && !enough {
            self.selected += 1;
            self.totals.selected = true;
            let only_names = self.show.quiet || self.show.names || self.show.names_without;
            if only_names || (self.binary && !self.show.count) {
                self.ended = true;
            } else if !self.show.count {
                self.print_selected(line);
            }
            if self.show.most == Some(self.selected) {
                self.after = self.show.after;
                self.ended = self.after == 0 || only_names;
            }
            return;
        }
        if self.after > 0 {
            self.after -= 1;
            self.print_line(b'-', self.line, self.offset, line);
            self.ended = self.after == 0 && enough;
        } else if self.show.before > 0 {
            if self.before.len() == self.show.before {
                self.before.pop_front();
            }
            self.before.push_back((self.line, self.offset, line.to_vec()));
        }
    }

    fn print_selected(&mut self, line: &[u8]) {
        let first = self.before.front().map_or(self.line, |(line, ..)| *line);
        if self.show.context
            && self.totals.printed_group
            && (self.last_printed == 0 || first > self.last_printed + 1)
            && let Some(separator) = &self.show.separator
        {
            let separator = format!("{}\n", self.show.colored(SIGN, separator));
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
                self.print_match(&line[start..end]);
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
        // What matches stands in the context, where the other lines are selected.
        if self.show.colors && (sign == b':') != self.show.invert {
            self.print_colored(line);
        } else {
            self.totals.write(line);
        }
        self.totals.write(&[self.show.delimiter]);
    }

    fn print_colored(&mut self, line: &[u8]) {
        let (mut from, mut printed) = (0, 0);
        while from <= line.len()
            && let Some((start, end)) = self.matcher.find(line, from)
        {
            if start < end {
                self.totals.write(&line[printed..start]);
                self.print_match(&line[start..end]);
                printed = end;
            }
            from = if end > start { end } else { end + 1 };
        }
        self.totals.write(&line[printed..]);
    }

    fn print_match(&mut self, text: &[u8]) {
        if !self.show.colors {
            return self.totals.write(text);
        }
        self.totals.write(format!("\x1b[{MATCH}m\x1b[K").as_bytes());
        self.totals.write(text);
        self.totals.write(PLAIN.as_bytes());
    }

    fn print_prefix(&mut self, sign: u8, number: usize, offset: usize) {
        let show = self.show;
        let sign = show.colored(SIGN, &char::from(sign).to_string());
        let mut prefix = String::new();
        if show.file_names {
            prefix.push_str(&self.shown_name(&sign));
        }
        for (_, number) in [(show.numbers, number), (show.offsets, offset)].iter().filter(|(shown, _)| *shown) {
            // How many there may be is not known of standard input.
            let width = if show.tab && self.name == show.label { COUNT_WIDTH } else { 0 };
            prefix.push_str(&show.colored(NUMBER, &format!("{number:>width$}")));
            prefix.push_str(&sign);
        }
        if show.tab && !prefix.is_empty() {
            prefix.push('\t');
        }
        self.totals.write(prefix.as_bytes());
    }

    /// The file's name, and what ends it.
    fn shown_name(&self, end: &str) -> String {
        let name = self.show.colored(FILE_NAME, &self.name);
        format!("{name}{}", if self.show.null_names { "\0" } else { end })
    }

    /// What is printed at the end of a file.
    fn end(&mut self) {
        let found = self.selected > 0;
        if self.show.quiet {
            return;
        }
        if self.show.names || self.show.names_without {
            if found == self.show.names {
                let line = self.shown_name("\n");
                self.totals.write(line.as_bytes());
            }
        } else if self.show.count {
            let end = self.show.colored(SIGN, ":");
            let name = if self.show.file_names { self.shown_name(&end) } else { String::new() };
            let line = format!("{name}{}\n", self.selected);
            self.totals.write(line.as_bytes());
        } else if self.binary && found {
            crate::report("grep", &format!("{}: binary file matches", self.name));
        }
    }
}
