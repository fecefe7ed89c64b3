//! Searches files and prints what is found.

use super::{last, number, times};
use crate::options::Given;
use grep_matcher::LineTerminator;
use grep_printer::{JSON, JSONBuilder, Standard, StandardBuilder, Summary, SummaryBuilder, SummaryKind};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Encoding, Searcher, SearcherBuilder};
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use termcolor::NoColor;

type Out = BufWriter<crate::output::Output>;

enum Printer {
    Standard(Box<Standard<NoColor<Out>>>),
    Summary(Box<Summary<NoColor<Out>>>),
    Json(Box<JSON<Out>>),
}

/// A search through many files.
pub(super) struct Search {
    matcher: RegexMatcher,
    searcher: Searcher,
    printer: Printer,
    /// How files are treated that were named, and those that were come by.
    binary: (BinaryDetection, BinaryDetection),
    quits_early: bool,
    matched: bool,
    broken: bool,
}

impl Search {
    pub(super) fn new(given: &Given, patterns: &[String], many: bool) -> Result<Self, String> {
        let binary = if given.has('a') {
            (BinaryDetection::none(), BinaryDetection::none())
        } else if given.has('+') || times(given, 'u') > 2 {
            (BinaryDetection::convert(0), BinaryDetection::convert(0))
        } else {
            (BinaryDetection::convert(0), BinaryDetection::quit(0))
        };
        Ok(Self {
            matcher: matcher(given, patterns)?,
            searcher: searcher(given)?,
            printer: printer(given, many)?,
            binary,
            quits_early: given.has('q'),
            matched: false,
            broken: false,
        })
    }

    /// Whether the rest need not be searched.
    pub(super) fn done(&self) -> bool {
        self.broken || self.quits_early && self.matched
    }

    /// Writes what is left. True if something matched.
    pub(super) fn finish(&mut self) -> bool {
        let flushed = match &mut self.printer {
            Printer::Standard(printer) => printer.get_mut().get_mut().flush(),
            Printer::Summary(printer) => printer.get_mut().get_mut().flush(),
            Printer::Json(printer) => printer.get_mut().flush(),
        };
        // Where nobody reads, nobody misses it.
        let _ = flushed;
        self.matched
    }

    pub(super) fn stdin(&mut self) -> Result<(), String> {
        self.searcher.set_binary_detection(self.binary.0.clone());
        self.search(Path::new("<stdin>"), io::stdin().lock())
    }

    pub(super) fn file(&mut self, path: &Path, asked_for: bool) -> Result<(), String> {
        self.searcher.set_binary_detection(if asked_for { self.binary.0.clone() } else { self.binary.1.clone() });
        let shown = path.display();
        let file = crate::open(&path.to_string_lossy()).map_err(|reason| format!("{shown}: {reason}"))?;
        self.search(path, file)
    }

    fn search(&mut self, path: &Path, from: impl io::Read) -> Result<(), String> {
        let (matcher, searcher) = (&self.matcher, &mut self.searcher);
        let searched = match &mut self.printer {
            Printer::Standard(printer) => {
                let mut sink = printer.sink_with_path(matcher, path);
                searcher.search_reader(matcher, from, &mut sink).map(|()| sink.has_match())
            }
            Printer::Summary(printer) => {
                let mut sink = printer.sink_with_path(matcher, path);
                searcher.search_reader(matcher, from, &mut sink).map(|()| sink.has_match())
            }
            Printer::Json(printer) => {
                let mut sink = printer.sink_with_path(matcher, path);
                searcher.search_reader(matcher, from, &mut sink).map(|()| sink.has_match())
            }
        };
        match searched {
            Ok(matched) => {
                self.matched |= matched;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.broken = true;
                Ok(())
            }
            Err(error) => Err(format!("{}: {}", path.display(), crate::reason(&error))),
        }
    }
}

fn matcher(given: &Given, patterns: &[String]) -> Result<RegexMatcher, String> {
    let mut builder = RegexMatcherBuilder::new();
    builder
        .multi_line(true)
        .case_insensitive(matches!(last(given, "isS"), Some('i')))
        .case_smart(matches!(last(given, "isS"), Some('S')))
        .fixed_strings(given.has('F'))
        .word(given.has('w') && !given.has('x'))
        .whole_line(given.has('x'))
        .dot_matches_new_line(given.has('U') && given.has('9'));
    if !given.has('U') {
        if given.has('@') {
            builder.crlf(true);
        } else {
            builder.line_terminator(Some(b'\n'));
        }
    }
    builder.build_many(patterns).map_err(|error| {
        let hint = if error.to_string().contains("\\n") { "\nuse -U to match over lines" } else { "" };
        format!("{error}{hint}")
    })
}

fn searcher(given: &Given) -> Result<Searcher, String> {
    let around = number(given, 'C')?;
    let (before, after): (Option<usize>, Option<usize>) =
        (number(given, 'B')?.or(around), number(given, 'A')?.or(around));
    // Nothing here is a terminal, so lines are counted only where that is asked for.
    let numbered = last(given, "nNp").map(|letter| letter != 'N');
    let numbers = numbered.unwrap_or(given.has('/') || given.has('~') || given.has('{'));
    let encoding = match given.value('E') {
        None | Some("auto" | "none") => None,
        Some(label) => Some(Encoding::new(label).map_err(|error| error.to_string())?),
    };
    let end = if given.has('@') && !given.has('U') { LineTerminator::crlf() } else { LineTerminator::byte(b'\n') };
    Ok(SearcherBuilder::new()
        .line_terminator(end)
        .line_number(numbers)
        .invert_match(given.has('v'))
        .multi_line(given.has('U'))
        .before_context(before.unwrap_or(0))
        .after_context(after.unwrap_or(0))
        .passthru(given.has('*'))
        .max_matches(number(given, 'm')?)
        .encoding(encoding)
        .build())
}

fn printer(given: &Given, many: bool) -> Result<Printer, String> {
    let out = BufWriter::with_capacity(32 << 10, crate::output::stdout());
    let path = last(given, "HI").map_or(many || given.has('~'), |letter| letter == 'H');
    let counts = match last(given, "c2") {
        Some('c') if given.has('o') && !given.has('v') => Some(SummaryKind::CountMatches),
        Some('2') if !given.has('v') => Some(SummaryKind::CountMatches),
        Some(_) => Some(SummaryKind::Count),
        None => None,
    };
    let kind = match last(given, "l1") {
        _ if given.has('q') => Some(SummaryKind::QuietWithMatch),
        Some('l') => Some(SummaryKind::PathWithMatch),
        Some(_) => Some(SummaryKind::PathWithoutMatch),
        None => counts,
    };
    let end = given.has('0').then_some(0);
    if let Some(kind) = kind {
        let mut builder = SummaryBuilder::new();
        builder.kind(kind).path(path).path_terminator(end).exclude_zero(!given.has('3'));
        return Ok(Printer::Summary(Box::new(builder.build_no_color(out))));
    }
    let replacement = given.value('r').map(|text| text.as_bytes().to_vec());
    if given.has('{') {
        return Ok(Printer::Json(Box::new(JSONBuilder::new().replacement(replacement).build(out))));
    }
    let separator = if given.has('|') { None } else { Some(given.value('_').unwrap_or("--").as_bytes().to_vec()) };
    let mut builder = StandardBuilder::new();
    builder
        .path(path)
        .heading(matches!(last(given, "[]p"), Some('[' | 'p')))
        .only_matching(given.has('o'))
        .per_match(given.has('~'))
        .per_match_one_line(true)
        .replacement(replacement)
        .max_columns(number(given, 'M')?.filter(|columns| *columns > 0))
        .column(given.has('/') || given.has('~'))
        .byte_offset(given.has('b'))
        .trim_ascii(given.has('&'))
        .separator_context(separator.clone())
        .separator_search(None)
        .path_terminator(end);
    let contexts = ['A', 'B', 'C'].iter().any(|letter| given.value(*letter).is_some_and(|lines| lines != "0"));
    if matches!(last(given, "[]p"), Some('[' | 'p')) {
        builder.separator_search(Some(Vec::new()));
    } else if contexts {
        builder.separator_search(separator);
    }
    Ok(Printer::Standard(Box::new(builder.build_no_color(out))))
}
