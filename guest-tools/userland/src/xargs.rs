//! `xargs`.

use crate::options::{Given, Known, read};
use crate::report;
use crate::spawn::{Child, Stdin, Stdout, start};
use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};

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

/// Says which of two options that exclude each other does not count.
fn warn(given: &Given) {
    let place = |letters: &str| given.options.iter().position(|(letter, _)| letters.contains(*letter));
    if place("n").is_some() && place("Ii") > place("n") {
        let options = "options --max-args and --replace/-I/-i are mutually exclusive";
        report("xargs", &format!("warning: {options}, ignoring previous --max-args value"));
    }
}

fn execute(given: &Given) -> Result<u8, String> {
    if given.has('p') {
        return Err("failed to open /dev/tty for reading: No such device or address".to_owned());
    }
    warn(given);
    let from = given.value('a').unwrap_or("-");
    let stream: Box<dyn Read> = if from == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(crate::open(from).map_err(|reason| format!("{from}: {reason}"))?)
    };
    let replace = given.value('I').or_else(|| given.value('i').map(|text| if text.is_empty() { "{}" } else { text }));
    let by_lines = match given.value('L').or_else(|| given.value('l')) {
        Some("") => Some(1),
        Some(lines) => Some(lines.parse().map_err(|_| format!("invalid number \"{lines}\" for -L option"))?),
        None => None,
    };
    let kind = if given.has('0') {
        Kind::Delimited(0)
    } else if given.has('d') {
        Kind::Delimited(delimiter(given.value('d').unwrap_or("\n"))?)
    } else if replace.is_some() {
        Kind::Lines
    } else {
        Kind::Words
    };
    let end = given.value('E').or_else(|| given.value('e')).filter(|end| !end.is_empty()).map(str::to_owned);
    let mut items = Items { from: BufReader::new(stream), kind, end, ended: false };
    let mut command = given.operands.clone();
    if command.is_empty() {
        command.push("echo".to_owned());
    }
    let mut commands = Commands {
        most: number(given, 'n')?,
        lines: by_lines,
        limit: number(given, 's')?.unwrap_or(COMMAND_BYTES_MAX),
        replace: replace.map(str::to_owned),
        base: command.iter().map(|word| word.len() + 1).sum(),
        command,
        held: Vec::new(),
        held_bytes: 0,
        held_lines: 0,
        started: false,
        runner: Runner {
            most: number(given, 'P')?.map_or(1, |most| if most == 0 { 8 } else { most }),
            trace: given.has('t'),
            own_input: given.has('a'),
            running: VecDeque::new(),
            status: 0,
        },
    };
    let mut problem = None;
    while !commands.runner.stopped() {
        match items.next() {
            Ok(Some(line)) => commands.take(line),
            Ok(None) => break,
            Err(text) => {
                problem = Some(text);
                break;
            }
        }
    }
    if !commands.held.is_empty() || !commands.started && !given.has('r') && replace.is_none() && problem.is_none() {
        commands.start();
    }
    let status = commands.runner.finish();
    problem.map_or(Ok(status), Err)
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

/// How the input is cut into items.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// By a byte; quotes are nothing special.
    Delimited(u8),
    /// Each line is one, for `-I`: blanks before it do not count, empty ones neither.
    Lines,
    Words,
    /// A quote had no end, and what stood before it was handed out.
    Broken(char),
}

/// What commands are made of, as it comes.
struct Items<R> {
    from: BufReader<R>,
    kind: Kind,
    /// The word behind which nothing counts.
    end: Option<String>,
    ended: bool,
}

impl<R: Read> Items<R> {
    /// The items of the next line that has some. None at the end.
    fn next(&mut self) -> Result<Option<Vec<String>>, String> {
        if let Kind::Delimited(delimiter) = self.kind {
            let item = self.until(delimiter)?;
            return Ok(item.map(|item| vec![item.strip_suffix(char::from(delimiter)).unwrap_or(&item).to_owned()]));
        }
        match self.kind {
            Kind::Words => return self.words(),
            Kind::Broken(quote) => return Err(unmatched(quote)),
            _ => {}
        }
        while let Some(line) = self.until(b'\n')? {
            let line = line.trim_end_matches('\n').trim_start_matches([' ', '\t']);
            if !line.is_empty() {
                return unquoted(line).map(|line| Some(vec![line]));
            }
        }
        Ok(None)
    }

    fn until(&mut self, delimiter: u8) -> Result<Option<String>, String> {
        let mut bytes = Vec::new();
        self.from.read_until(delimiter, &mut bytes).map_err(|error| crate::reason(&error))?;
        Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The words of a line; a blank at the end of a line joins the next one to it.
    fn words(&mut self) -> Result<Option<Vec<String>>, String> {
        let mut found = Vec::new();
        let mut word: Option<String> = None;
        while !self.ended {
            let Some(line) = self.until(b'\n')? else { break };
            let mut quote = None;
            let mut before = ' ';
            let mut rest = line.chars();
            let mut goes_on = false;
            while let Some(character) = rest.next() {
                match (character, quote) {
                    (_, Some(open)) if character == open => quote = None,
                    ('\n', Some(open)) => return self.unmatched(open, found),
                    (_, Some(_)) => word.get_or_insert_default().push(character),
                    ('\'' | '"', None) => {
                        quote = Some(character);
                        word.get_or_insert_default();
                    }
                    ('\\', None) => {
                        let escaped = rest.next();
                        goes_on = escaped == Some('\n');
                        word.get_or_insert_default().extend(escaped);
                    }
                    (' ' | '\t' | '\n', None) => {
                        let ended = word.take();
                        if ended.is_some() && ended == self.end {
                            self.ended = true;
                            break;
                        }
                        found.extend(ended);
                        goes_on = character == '\n' && matches!(before, ' ' | '\t');
                    }
                    _ => word.get_or_insert_default().push(character),
                }
                before = character;
            }
            if let Some(open) = quote {
                return self.unmatched(open, found);
            }
            if !goes_on && word.is_none() && !found.is_empty() {
                return Ok(Some(found));
            }
        }
        found.extend(word.filter(|word| !self.ended && Some(word) != self.end.as_ref()));
        Ok((!found.is_empty()).then_some(found))
    }

    /// What stands before a quote without an end still counts; the problem comes next.
    fn unmatched(&mut self, quote: char, found: Vec<String>) -> Result<Option<Vec<String>>, String> {
        if found.is_empty() {
            return Err(unmatched(quote));
        }
        // Read again, the rest has no end either.
        self.kind = Kind::Broken(quote);
        Ok(Some(found))
    }
}

/// Commands, started as soon as they have all their words.
struct Commands {
    most: Option<usize>,
    lines: Option<usize>,
    limit: usize,
    replace: Option<String>,
    /// How long the command is without items.
    base: usize,
    command: Vec<String>,
    held: Vec<String>,
    held_bytes: usize,
    held_lines: usize,
    started: bool,
    runner: Runner,
}

impl Commands {
    /// Takes the items of a line.
    fn take(&mut self, line: Vec<String>) {
        if let Some(mark) = &self.replace {
            let item = line.concat();
            self.started = true;
            return self.runner.start(self.command.iter().map(|word| word.replace(mark, &item)).collect());
        }
        self.held_lines += 1;
        for item in line {
            let bytes = item.len() + 1;
            let full = self.base + self.held_bytes + bytes > self.limit;
            if full && self.lines.is_none() && !self.held.is_empty() {
                self.start();
            }
            self.held_bytes += bytes;
            self.held.push(item);
            if self.lines.is_none() && self.most.is_some_and(|most| self.held.len() >= most) {
                self.start();
            }
            if self.runner.stopped() {
                return;
            }
        }
        if self.lines.is_some_and(|lines| self.held_lines >= lines) {
            self.start();
        }
    }

    fn start(&mut self) {
        let held = std::mem::take(&mut self.held);
        (self.held_bytes, self.held_lines, self.started) = (0, 0, true);
        self.runner.start(self.command.iter().cloned().chain(held).collect());
    }
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
