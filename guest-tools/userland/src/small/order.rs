//! `sort -c`, `-C` and `-m`, and `sort` of what is large: what of it cannot be taken as it is, for it needs threads.

use crate::options::{Given, Known, read};
use crate::report;
use std::cmp::Ordering;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Read, Write};

/// How much of a file is read at a time.
const READ_BYTES: usize = 64 << 10;

const KNOWN: Known = Known {
    letters: "bdfghiMnRrVcCmk:o:S:st:T:uz",
    names: &[
        ("ignore-leading-blanks", 'b'),
        ("dictionary-order", 'd'),
        ("ignore-case", 'f'),
        ("general-numeric-sort", 'g'),
        ("human-numeric-sort", 'h'),
        ("ignore-nonprinting", 'i'),
        ("month-sort", 'M'),
        ("numeric-sort", 'n'),
        ("reverse", 'r'),
        ("version-sort", 'V'),
        ("check?", 'c'),
        ("merge", 'm'),
        ("key=", 'k'),
        ("output=", 'o'),
        ("stable", 's'),
        ("field-separator=", 't'),
        ("unique", 'u'),
        ("zero-terminated", 'z'),
    ],
    ends_at_operand: false,
};

/// Runs it, if that is what is asked for; the first argument is its name.
pub(super) fn sort(args: &[OsString]) -> Option<u8> {
    let given = read(args, &KNOWN).ok()?;
    let checks = given.has('c') || given.has('C');
    let is_large = !checks && !given.has('m') && super::large::is_large(&given);
    if !checks && !given.has('m') && !is_large || is_large && given.has('R') {
        return None;
    }
    let done = Order::new(&given).and_then(|order| match (checks, is_large) {
        (true, _) => check(&given, &order),
        (_, true) => super::large::sort(&given, &order),
        _ => merge(&given, &order),
    });
    Some(done.unwrap_or_else(|problem| {
        report("sort", &problem);
        2
    }))
}

/// What of a line is compared, and how.
struct Key {
    /// Field and character, from 1 on.
    start: (usize, usize),
    /// Field and character, the last that belong to it; 0 is the field's end.
    end: Option<(usize, usize)>,
    blanks_before_start: bool,
    blanks_before_end: bool,
    flags: String,
}

pub(super) struct Order {
    /// Lines are compared as they are.
    plain: bool,
    keys: Vec<Key>,
    separator: Option<u8>,
    /// Whether lines whose keys are the same are the same.
    keys_alone: bool,
    reverse: bool,
}

impl Order {
    fn new(given: &Given) -> Result<Self, String> {
        let global: String =
            given.options.iter().map(|(letter, _)| *letter).filter(|l| "bdfghiMnrV".contains(*l)).collect();
        if given.has('R') {
            return Err("-R goes neither with -c nor with -m here".to_owned());
        }
        let plain = !given.has('k') && global.chars().all(|letter| letter == 'r');
        let mut keys = given.values('k').map(|text| key(text, &global)).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            keys.push(key("1", &global)?);
        }
        let separator = given.value('t').map(|text| if text == "\\0" { 0 } else { text.bytes().next().unwrap_or(0) });
        let reverse = global.contains('r');
        Ok(Self { plain, keys, separator, keys_alone: given.has('u') || given.has('s'), reverse })
    }

    fn compare(&self, left: &[u8], right: &[u8]) -> Ordering {
        if self.plain {
            return if self.reverse { right.cmp(left) } else { left.cmp(right) };
        }
        for key in &self.keys {
            let (left, right) = (self.part(left, key), self.part(right, key));
            let found = by_flags(left, right, &key.flags);
            if found != Ordering::Equal {
                return if key.flags.contains('r') { found.reverse() } else { found };
            }
        }
        match (self.keys_alone, self.reverse) {
            (true, _) => Ordering::Equal,
            (false, true) => right.cmp(left),
            (false, false) => left.cmp(right),
        }
    }

    /// Where each field starts and ends. Blanks before a field are its own, unless a sign parts
    /// the fields.
    fn fields(&self, line: &[u8]) -> Vec<(usize, usize)> {
        let (mut fields, mut start) = (Vec::new(), 0);
        for at in 0..line.len() {
            let ends = match self.separator {
                Some(separator) => line[at] == separator,
                None => at > start && is_blank(line[at]) && !is_blank(line[at - 1]),
            };
            if ends {
                fields.push((start, at));
                start = if self.separator.is_some() { at + 1 } else { at };
            }
        }
        fields.push((start, line.len()));
        fields
    }

    fn part<'a>(&self, line: &'a [u8], key: &Key) -> &'a [u8] {
        let fields = self.fields(line);
        let without_blanks = |from: usize, skip: bool| {
            let blanks = line[from..].iter().take_while(|byte| skip && is_blank(**byte)).count();
            from + blanks
        };
        let start = fields.get(key.start.0 - 1).map_or(line.len(), |(start, _)| {
            (without_blanks(*start, key.blanks_before_start) + key.start.1 - 1).min(line.len())
        });
        let end = match key.end {
            None => line.len(),
            Some((field, character)) => fields.get(field - 1).map_or(line.len(), |(start, end)| match character {
                0 => *end,
                count => (without_blanks(*start, key.blanks_before_end) + count).min(line.len()),
            }),
        };
        &line[start..end.max(start)]
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

/// Reads `2,3.1nr`.
fn key(text: &str, global: &str) -> Result<Key, String> {
    let wrong = || format!("invalid key: ‘{text}’");
    let place = |text: &str| -> Option<((usize, Option<usize>), String)> {
        let at = text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(text.len());
        let (numbers, flags) = text.split_at(at);
        let (field, character) = numbers.split_once('.').map_or((numbers, None), |(field, rest)| (field, Some(rest)));
        let character = character.map(str::parse).transpose().ok()?;
        let field = field.parse().ok().filter(|field| *field > 0)?;
        flags.chars().all(|flag| "bdfghiMnrV".contains(flag)).then(|| ((field, character), flags.to_owned()))
    };
    let (first, last) = text.split_once(',').map_or((text, None), |(first, last)| (first, Some(last)));
    let ((field, character), mut flags) = place(first).ok_or_else(wrong)?;
    let start = (field, character.unwrap_or(1).max(1));
    let mut blanks_before_start = flags.contains('b');
    let (mut end, mut blanks_before_end) = (None, false);
    if let Some(last) = last {
        let ((field, character), more) = place(last).ok_or_else(wrong)?;
        end = Some((field, character.unwrap_or(0)));
        blanks_before_end = more.contains('b');
        flags.push_str(&more);
    }
    if flags.is_empty() {
        global.clone_into(&mut flags);
        (blanks_before_start, blanks_before_end) = (flags.contains('b'), flags.contains('b'));
    }
    Ok(Key { start, end, blanks_before_start, blanks_before_end, flags })
}

fn by_flags(left: &[u8], right: &[u8], flags: &str) -> Ordering {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_start().to_owned();
    match flags.chars().find(|flag| "ghMnV".contains(*flag)) {
        Some('g') => general(&text(left)).total_cmp(&general(&text(right))),
        Some('h') => human(&text(left)).cmp(&human(&text(right))).then_with(|| number(&text(left), &text(right))),
        Some('M') => month(&text(left)).cmp(&month(&text(right))),
        Some('n') => number(&text(left), &text(right)),
        Some('V') => version(left, right),
        _ => {
            let kept = |bytes: &[u8]| -> Vec<u8> {
                let bytes = bytes.iter().filter(|byte| {
                    (!flags.contains('d') || byte.is_ascii_alphanumeric() || is_blank(**byte))
                        && (!flags.contains('i') || (0x20..0x7f).contains(*byte))
                });
                bytes.map(|byte| if flags.contains('f') { byte.to_ascii_uppercase() } else { *byte }).collect()
            };
            kept(left).cmp(&kept(right))
        }
    }
}

/// The value of the longest beginning that is a number; what is none stands before all.
fn general(text: &str) -> f64 {
    let ends = (0..=text.len()).rev().filter(|end| text.is_char_boundary(*end));
    ends.filter_map(|end| text[..end].parse::<f64>().ok()).next().unwrap_or(f64::NEG_INFINITY)
}

/// Sign, whole digits without zeros before them, and digits behind the point.
fn digits(text: &str) -> (bool, &str, &str) {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let end = |text: &str| text.find(|sign: char| !sign.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end(text));
    let behind = rest.strip_prefix('.').map_or("", |rest| &rest[..end(rest)]);
    (negative, whole.trim_start_matches('0'), behind.trim_end_matches('0'))
}

/// As numbers of any length.
fn number(left: &str, right: &str) -> Ordering {
    let (left, right) = (digits(left), digits(right));
    let zero = |number: &(bool, &str, &str)| number.1.is_empty() && number.2.is_empty();
    let sign = |number: &(bool, &str, &str)| {
        if zero(number) {
            0
        } else if number.0 {
            -1
        } else {
            1
        }
    };
    let size = left.1.len().cmp(&right.1.len()).then_with(|| left.1.cmp(right.1)).then_with(|| left.2.cmp(right.2));
    sign(&left).cmp(&sign(&right)).then(if left.0 { size.reverse() } else { size })
}

/// How large the unit behind a number is, below 0 for what is below 0.
fn human(text: &str) -> i32 {
    let (negative, whole, behind) = digits(text);
    if whole.is_empty() && behind.is_empty() {
        return 0;
    }
    let sign = text.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '-' || sign == '.').chars().next();
    let unit = sign.and_then(|sign| "KMGTPEZYRQ".find(if sign == 'k' { 'K' } else { sign }));
    let size = unit.and_then(|unit| i32::try_from(unit + 2).ok()).unwrap_or(1);
    if negative { -size } else { size }
}

fn month(text: &str) -> usize {
    let start: String = text.chars().take(3).collect::<String>().to_ascii_uppercase();
    let found = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC".as_bytes().chunks(3).position(|name| name == start.as_bytes());
    found.map_or(0, |at| at + 1)
}

/// Numbers in the text count by their value.
fn version(mut left: &[u8], mut right: &[u8]) -> Ordering {
    // The end stands before all but `~`, letters before other signs.
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None | Some(b'0'..=b'9') => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    while !left.is_empty() || !right.is_empty() {
        let is_text = |text: &[u8]| text.first().is_some_and(|byte| !byte.is_ascii_digit());
        while is_text(left) || is_text(right) {
            let found = weight(left.first()).cmp(&weight(right.first()));
            if found != Ordering::Equal {
                return found;
            }
            (left, right) = (left.get(1..).unwrap_or_default(), right.get(1..).unwrap_or_default());
        }
        let count = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (first, second) = (left.split_at(count(left)), right.split_at(count(right)));
        let text = |digits: &[u8]| String::from_utf8_lossy(digits).into_owned();
        let found = number(&text(first.0), &text(second.0));
        if found != Ordering::Equal {
            return found;
        }
        (left, right) = (first.1, second.1);
    }
    Ordering::Equal
}

fn lines(path: &str, end: u8) -> Result<Vec<Vec<u8>>, String> {
    let text = crate::read(path).map_err(|reason| format!("cannot read: {path}: {reason}"))?;
    let mut lines: Vec<Vec<u8>> = text.split(|byte| *byte == end).map(<[u8]>::to_vec).collect();
    if lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    Ok(lines)
}

pub(super) fn end(given: &Given) -> u8 {
    if given.has('z') { 0 } else { b'\n' }
}

fn check(given: &Given, order: &Order) -> Result<u8, String> {
    if let Some(extra) = given.operands.get(1) {
        return Err(format!("extra operand '{extra}' not allowed with -c"));
    }
    let path = given.operands.first().map_or("-", String::as_str);
    let lines = lines(path, end(given))?;
    let wrong = lines.windows(2).position(|pair| match order.compare(&pair[0], &pair[1]) {
        Ordering::Greater => true,
        Ordering::Equal => given.has('u'),
        Ordering::Less => false,
    });
    let Some(at) = wrong else { return Ok(0) };
    let quiet = given.has('C') || given.values('c').any(|how| matches!(how, "quiet" | "silent"));
    if !quiet {
        report("sort", &format!("{path}:{}: disorder: {}", at + 2, String::from_utf8_lossy(&lines[at + 1])));
    }
    Ok(1)
}

/// A file whose lines are in order, read as it is needed.
struct Sorted {
    from: BufReader<Box<dyn Read>>,
    path: String,
    end: u8,
    /// The line that comes next.
    line: Option<Vec<u8>>,
}

impl Sorted {
    fn open(path: &str, end: u8) -> Result<Self, String> {
        let mut file = Self { from: reader(path)?, path: path.to_owned(), end, line: None };
        file.next()?;
        Ok(file)
    }

    /// Hands out its line, and reads the one behind it.
    fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut line = Vec::new();
        let read = self.from.read_until(self.end, &mut line);
        let read = read.map_err(|error| format!("cannot read: {}: {}", self.path, crate::reason(&error)))?;
        if line.last() == Some(&self.end) {
            line.pop();
        }
        Ok(std::mem::replace(&mut self.line, (read > 0).then_some(line)))
    }
}

/// Opens a file, or standard input for `-`. What is wrong in words.
pub(super) fn reader(path: &str) -> Result<BufReader<Box<dyn Read>>, String> {
    let from: Box<dyn Read> = match path {
        "-" | "/dev/stdin" => Box::new(std::io::stdin()),
        _ => Box::new(crate::open(path).map_err(|reason| format!("cannot read: {path}: {reason}"))?),
    };
    Ok(BufReader::with_capacity(READ_BYTES, from))
}

pub(super) fn merge(given: &Given, order: &Order) -> Result<u8, String> {
    let own = ["-".to_owned()];
    let paths = if given.operands.is_empty() { &own[..] } else { &given.operands };
    let mut files = paths.iter().map(|path| Sorted::open(path, end(given))).collect::<Result<Vec<_>, _>>()?;
    let failed = |error: std::io::Error| format!("write failed: {}", crate::reason(&error));
    // What is written over may be one of those that are read.
    let mut whole = Vec::new();
    let mut out: Box<dyn Write + '_> = match given.value('o') {
        Some(path) if !given.operands.iter().any(|other| is_same(path, other)) => {
            Box::new(BufWriter::new(File::create(path).map_err(failed)?))
        }
        Some(_) => Box::new(&mut whole),
        None => Box::new(BufWriter::new(crate::output::stdout())),
    };
    let mut last: Option<Vec<u8>> = None;
    loop {
        // Of those that are the same, the first file's comes first.
        let mut least: Option<(usize, &Vec<u8>)> = None;
        for (place, file) in files.iter().enumerate() {
            if let Some(line) = &file.line
                && least.is_none_or(|(_, found)| order.compare(line, found) == Ordering::Less)
            {
                least = Some((place, line));
            }
        }
        let Some(place) = least.map(|(place, _)| place) else { break };
        let Some(mut line) = files[place].next()? else { break };
        if given.has('u') && last.as_ref().is_some_and(|last| order.compare(last, &line) == Ordering::Equal) {
            continue;
        }
        last = given.has('u').then(|| line.clone());
        line.push(end(given));
        out.write_all(&line).map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    drop(out);
    match given.value('o').filter(|_| !whole.is_empty()) {
        Some(path) => std::fs::write(path, &whole).map(|()| 0).map_err(failed),
        None => Ok(0),
    }
}

fn is_same(left: &str, right: &str) -> bool {
    let about = crate::about::About::of;
    matches!((about(left), about(right)), (Ok(left), Ok(right)) if left.same_file(&right))
}
