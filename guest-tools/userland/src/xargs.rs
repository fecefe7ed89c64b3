//! `xargs`.

use crate::options::{Given, Known, read};
use crate::report;
use crate::spawn::{Child, Stdin, Stdout, start};
use std::collections::VecDeque;
use std::ffi::OsString;

const KNOWN: Known = Known {
    letters: "0n:I:i::L:l::P:rtd:s:xpa:E:e::",
    names: &[
        ("null", '0'),
        ("max-args=", 'n'),
        ("replace?", 'i'),
        ("max-lines?", 'l'),
        ("max-procs=", 'P'),
        ("no-run-if-empty", 'r'),
        ("verbose", 't'),
        ("delimiter=", 'd'),
        ("max-chars=", 's'),
        ("exit", 'x'),
        ("arg-file=", 'a'),
        ("eof?", 'e'),
    ],
    ends_at_operand: true,
};

/// How many bytes of arguments one command gets, unless `-s` says so.
const COMMAND_BYTES_MAX: usize = 128 << 10;

/// Runs `xargs`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    match read(args, &KNOWN).and_then(|given| execute(&given)) {
        Ok(status) => status,
        Err(problem) => {
            report("xargs", &problem);
            1
        }
    }
}

fn number(given: &Given, letter: char) -> Result<Option<usize>, String> {
    let Some(value) = given.value(letter) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| format!("invalid number \"{value}\" for -{letter} option"))
}

fn execute(given: &Given) -> Result<u8, String> {
    let from = given.value('a').unwrap_or("-");
    let text = crate::read(from).map_err(|reason| format!("{from}: {reason}"))?;
    let replace = given.value('I').or_else(|| given.value('i').map(|text| if text.is_empty() { "{}" } else { text }));
    let by_lines = match given.value('L').or_else(|| given.value('l')) {
        Some("") => Some(1),
        Some(lines) => Some(lines.parse().map_err(|_| format!("invalid number \"{lines}\" for -L option"))?),
        None => None,
    };
    let mut command = given.operands.clone();
    if command.is_empty() {
        command.push("echo".to_owned());
    }
    let groups = if given.has('0') || given.has('d') {
        let delimiter = if given.has('0') { 0 } else { delimiter(given.value('d').unwrap_or("\n"))? };
        let items = delimited(&text, delimiter);
        grouped(items.into_iter().map(|item| vec![item]).collect(), by_lines.or(replace.map(|_| 1)))
    } else if replace.is_some() {
        lines(&text)?.into_iter().map(|line| vec![line]).collect()
    } else {
        let lines = words(&text, given.value('E').or_else(|| given.value('e')))?;
        grouped(lines, by_lines)
    };
    let mut runner = Runner {
        most: number(given, 'P')?.map_or(1, |most| if most == 0 { 8 } else { most }),
        trace: given.has('t'),
        own_input: given.has('a'),
        running: VecDeque::new(),
        status: 0,
    };
    if let Some(mark) = replace {
        for group in groups {
            let item = group.concat();
            runner.start(command.iter().map(|word| word.replace(mark, &item)).collect());
            if runner.stopped() {
                break;
            }
        }
        return Ok(runner.finish());
    }
    let limit = number(given, 's')?.unwrap_or(COMMAND_BYTES_MAX);
    let batches =
        if by_lines.is_some() { groups } else { batches(groups.concat(), number(given, 'n')?, &command, limit) };
    if batches.is_empty() && !given.has('r') {
        runner.start(command.clone());
    }
    for batch in batches {
        runner.start(command.iter().cloned().chain(batch).collect());
        if runner.stopped() {
            break;
        }
    }
    Ok(runner.finish())
}

fn delimiter(text: &str) -> Result<u8, String> {
    let bytes = match text {
        "\\n" => b"\n",
        "\\t" => b"\t",
        "\\0" => b"\0",
        "\\r" => b"\r",
        _ => text.as_bytes(),
    };
    match bytes {
        [byte] => Ok(*byte),
        _ => Err(format!("Invalid input delimiter specification {text}: it must be a single character")),
    }
}

fn delimited(text: &[u8], delimiter: u8) -> Vec<String> {
    let text = text.strip_suffix(&[delimiter]).unwrap_or(text);
    if text.is_empty() {
        return Vec::new();
    }
    text.split(|byte| *byte == delimiter).map(|item| String::from_utf8_lossy(item).into_owned()).collect()
}

/// Lines for `-I`: blanks before them do not count, empty ones neither.
fn lines(text: &[u8]) -> Result<Vec<String>, String> {
    let text = String::from_utf8_lossy(text);
    let mut found = Vec::new();
    for line in text.split('\n').map(|line| line.trim_start_matches([' ', '\t'])).filter(|line| !line.is_empty()) {
        found.push(unquoted(line)?);
    }
    Ok(found)
}

fn unquoted(line: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut quote = None;
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        match (character, quote) {
            ('\\', None) => out.extend(rest.next()),
            ('\'' | '"', None) => quote = Some(character),
            (_, Some(open)) if character == open => quote = None,
            _ => out.push(character),
        }
    }
    match quote {
        None => Ok(out),
        Some(open) => Err(unmatched(open)),
    }
}

fn unmatched(quote: char) -> String {
    let kind = if quote == '"' { "double" } else { "single" };
    format!("unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option")
}

/// Words, each line's by themselves; a blank at the end of a line joins the next one to it.
fn words(text: &[u8], end: Option<&str>) -> Result<Vec<Vec<String>>, String> {
    let text = String::from_utf8_lossy(text);
    let mut lines = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut before = ' ';
    let mut rest = text.chars();
    loop {
        let next = rest.next();
        let character = next.unwrap_or('\n');
        match (character, quote) {
            (_, Some(open)) if character == open => quote = None,
            ('\n', Some(open)) => return Err(unmatched(open)),
            (_, Some(_)) => word.get_or_insert_default().push(character),
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            ('\\', None) => word.get_or_insert_default().extend(rest.next()),
            (' ' | '\t' | '\n', None) => {
                let ended = word.take();
                if ended.is_some() && ended.as_deref() == end {
                    break;
                }
                if let Some(line) = lines.last_mut() {
                    line.extend(ended);
                }
                if character == '\n' && !matches!(before, ' ' | '\t') {
                    lines.push(Vec::new());
                }
            }
            _ => word.get_or_insert_default().push(character),
        }
        before = character;
        if next.is_none() {
            break;
        }
    }
    lines.retain(|line| !line.is_empty());
    Ok(lines)
}

/// So many lines together; each by itself if nothing is said.
fn grouped(lines: Vec<Vec<String>>, count: Option<usize>) -> Vec<Vec<String>> {
    lines.chunks(count.unwrap_or(1).max(1)).map(<[Vec<String>]>::concat).collect()
}

fn batches(items: Vec<String>, most: Option<usize>, command: &[String], limit: usize) -> Vec<Vec<String>> {
    let base: usize = command.iter().map(|word| word.len() + 1).sum();
    let mut batches: Vec<Vec<String>> = Vec::new();
    let mut size = 0;
    for item in items {
        let full = batches.last().is_none_or(|batch| most.is_some_and(|most| batch.len() >= most));
        if full || base + size + item.len() + 1 > limit {
            batches.push(Vec::new());
            size = 0;
        }
        size += item.len() + 1;
        if let Some(batch) = batches.last_mut() {
            batch.push(item);
        }
    }
    batches
}

/// Runs commands, so many at once.
struct Runner {
    most: usize,
    trace: bool,
    /// The items came from a file, so that commands may read what this program reads.
    own_input: bool,
    running: VecDeque<Child>,
    status: u8,
}

impl Runner {
    fn start(&mut self, words: Vec<String>) {
        if self.trace {
            eprintln!("{}", words.join(" "));
        }
        while self.running.len() >= self.most {
            self.join();
        }
        if self.stopped() {
            return;
        }
        let command: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        let stdin = if self.own_input { Stdin::Own } else { Stdin::Empty };
        match start(&command, None, stdin, Stdout::Own) {
            Ok(child) => self.running.push_back(child),
            Err(refused) => {
                let (text, status) = refused.explain(&command[0].to_string_lossy());
                report("xargs", &text);
                self.status = status;
            }
        }
        if self.most == 1 {
            self.join();
        }
    }

    fn join(&mut self) {
        match self.running.pop_front().map(Child::wait) {
            Some(0) | None => {}
            Some(255) => {
                report("xargs", "a command exited with status 255; aborting");
                self.status = 124;
            }
            Some(126 | 127) if self.status == 0 => self.status = 123,
            Some(128..) => self.status = 125,
            Some(_) if self.status == 0 => self.status = 123,
            Some(_) => {}
        }
    }

    /// Whether no more commands are started.
    fn stopped(&self) -> bool {
        matches!(self.status, 124..=127)
    }

    fn finish(mut self) -> u8 {
        while !self.running.is_empty() {
            self.join();
        }
        self.status
    }
}
