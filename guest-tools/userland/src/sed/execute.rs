//! Carries a script out, line by line.

use super::input::{self, Input, Reader};
use super::matcher::Pattern;
use super::output::Output;
use super::replace;
use super::script::{Action, Address, Command, Jump, Script, Substitution, When};
use super::{Fatal, Settings};
use std::rc::Rc;

/// A line that is worked on, and whether it has an end.
#[derive(Clone, Debug)]
struct Space {
    text: Vec<u8>,
    ends: bool,
}

/// What comes behind the line.
enum Queued {
    Text(Vec<u8>),
    File(String),
}

/// Where a command stands between its first line and its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Outside,
    /// The number of its last line, if that is known.
    Inside(Option<u64>),
    /// It was there, and a line's number does not come again.
    Over,
}

/// How things go on after a command.
enum Flow {
    On,
    To(usize),
    /// The end of the script, as if it were reached.
    End,
    /// The next line, and this one is not printed.
    Deleted,
    /// The script again with what is left.
    Again,
    Quit {
        status: u8,
        print: bool,
    },
}

struct Machine<'a> {
    script: &'a Script,
    settings: Settings,
    input: Input,
    out: Output,
    pattern: Space,
    hold: Space,
    /// Something was replaced since the last line was read, or since this was asked.
    replaced: bool,
    queue: Vec<Queued>,
    ranges: Vec<Range>,
    used: Option<Rc<Pattern>>,
    /// The files of `R`; None is one that cannot be read.
    read: Vec<Option<Reader>>,
}

/// Carries a script out on these files. The status.
pub(super) fn run(script: &Script, settings: Settings, files: Vec<String>) -> Result<u8, Fatal> {
    let separator = settings.taking.separator;
    let mut machine = Machine {
        script,
        input: Input::new(files, settings.taking.clone()),
        out: Output::new(&script.written, separator, settings.unbuffered)?,
        settings,
        pattern: Space { text: Vec::new(), ends: true },
        hold: Space { text: Vec::new(), ends: true },
        replaced: false,
        queue: Vec::new(),
        ranges: starts(script),
        used: None,
        read: script.read.iter().map(|name| input::by_lines(name)).collect(),
    };
    let ran = machine.lines();
    let flushed = machine.out.flush();
    let status = ran?;
    flushed?;
    Ok(if status == 0 { machine.input.status } else { status })
}

fn starts(script: &Script) -> Vec<Range> {
    let start = |command: &Command| match command.first {
        Some(Address::Line(0)) => Range::Inside(None),
        _ => Range::Outside,
    };
    script.commands.iter().map(start).collect()
}

impl Machine<'_> {
    fn lines(&mut self) -> Result<u8, Fatal> {
        let mut again = false;
        loop {
            if !again && !self.read(false)? {
                return Ok(0);
            }
            let flow = self.cycle()?;
            again = matches!(flow, Flow::Again);
            let prints = matches!(flow, Flow::End | Flow::Quit { print: true, .. });
            if prints && !self.settings.quiet {
                self.out.line(&self.pattern.text, self.pattern.ends)?;
            }
            if matches!(flow, Flow::Quit { print: false, .. }) {
                self.queue.clear();
            }
            self.put_queued()?;
            if let Flow::Quit { status, .. } = flow {
                self.input.close(&mut self.out)?;
                return Ok(status);
            }
        }
    }

    /// Reads the next line. False behind the last.
    fn read(&mut self, append: bool) -> Result<bool, Fatal> {
        let mut line = Vec::new();
        let (script, ranges) = (self.script, &mut self.ranges);
        let read = self.input.line(&mut line, &mut self.out, || *ranges = starts(script))?;
        let Some(ends) = read else { return Ok(false) };
        if append {
            self.pattern.text.push(self.settings.taking.separator);
            self.pattern.text.extend_from_slice(&line);
        } else {
            self.pattern.text = line;
        }
        self.pattern.ends = ends;
        Ok(true)
    }

    fn put_queued(&mut self) -> Result<(), Fatal> {
        for queued in std::mem::take(&mut self.queue) {
            match queued {
                Queued::Text(text) => self.out.text(&text)?,
                Queued::File(name) => {
                    let text = input::whole(&name);
                    if !text.is_empty() {
                        self.out.text(&text)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn cycle(&mut self) -> Result<Flow, Fatal> {
        self.replaced = false;
        let script = self.script;
        let mut at = 0;
        while let Some(command) = script.commands.get(at) {
            let selected = command.first.is_none() || self.selected(at, command)?;
            if selected == command.negated {
                at = if let Action::Block(behind) = command.action { behind } else { at + 1 };
                continue;
            }
            match self.carry_out(at, command)? {
                Flow::On => at += 1,
                Flow::To(to) => at = to,
                flow => return Ok(flow),
            }
        }
        Ok(Flow::End)
    }

    /// Whether a command is for this line.
    fn selected(&mut self, at: usize, command: &Command) -> Result<bool, Fatal> {
        let (Some(first), number) = (&command.first, self.input.number) else { return Ok(true) };
        let Some(second) = &command.second else { return self.fits(first) };
        if let Range::Inside(end) = self.ranges[at] {
            let (over, selected) = match (end, second) {
                (Some(end), _) => (number >= end, number <= end),
                (None, second) => (self.fits(second)?, true),
            };
            if over {
                self.ranges[at] = Range::Over;
            }
            return Ok(selected);
        }
        let begins = match first {
            Address::Line(line) => self.ranges[at] != Range::Over && number >= *line,
            first => self.fits(first)?,
        };
        if !begins {
            return Ok(false);
        }
        let end = match second {
            Address::Line(line) => Some(*line),
            Address::More(lines) => Some(number.saturating_add(*lines)),
            Address::Multiple(0) => Some(number),
            Address::Multiple(step) => Some(number.div_ceil(*step).saturating_mul(*step)),
            _ => None,
        };
        if end.is_some_and(|end| end <= number) {
            self.ranges[at] = Range::Over;
            // A line that was passed over begins nothing behind the end.
            return Ok(!matches!(first, Address::Line(line) if *line != number) || end == Some(number));
        }
        self.ranges[at] = Range::Inside(end);
        Ok(true)
    }

    fn fits(&mut self, address: &Address) -> Result<bool, Fatal> {
        let number = self.input.number;
        Ok(match address {
            Address::Line(line) => number == *line,
            Address::Step(first, 0) => number == *first,
            Address::Step(first, step) => number >= *first && (number - first).is_multiple_of(*step),
            Address::Last => self.input.is_last(&mut self.out)?,
            Address::Matching(pattern) => {
                let pattern = self.pattern_of(pattern.as_ref())?;
                pattern.is_match(&self.pattern.text)
            }
            Address::More(_) | Address::Multiple(_) => false,
        })
    }

    /// A pattern, or the one that was used last.
    fn pattern_of(&mut self, pattern: Option<&Rc<Pattern>>) -> Result<Rc<Pattern>, Fatal> {
        if let Some(pattern) = pattern {
            self.used = Some(Rc::clone(pattern));
        }
        self.used
            .clone()
            .ok_or_else(|| Fatal::new(1, "-e expression #1, char 0: no previous regular expression".to_owned()))
    }

    fn carry_out(&mut self, at: usize, command: &Command) -> Result<Flow, Fatal> {
        match &command.action {
            Action::Block(_) | Action::Nothing => {}
            Action::Branch(jump) => return Ok(self.branch(jump)),
            Action::Change(text) => {
                if command.second.is_none() || !matches!(self.ranges[at], Range::Inside(_)) {
                    self.out.text(text)?;
                }
                return Ok(Flow::Deleted);
            }
            Action::Delete => return Ok(Flow::Deleted),
            Action::DeleteFirst => {
                let separator = self.settings.taking.separator;
                let Some(end) = self.pattern.text.iter().position(|byte| *byte == separator) else {
                    return Ok(Flow::Deleted);
                };
                self.pattern.text.drain(..=end);
                return Ok(Flow::Again);
            }
            Action::Next | Action::NextAppend => {
                return self.next(matches!(command.action, Action::NextAppend));
            }
            Action::Quit(status) => return Ok(Flow::Quit { status: *status, print: true }),
            Action::QuitSilently(status) => return Ok(Flow::Quit { status: *status, print: false }),
            Action::Append(text) => self.queue.push(Queued::Text(text.clone())),
            Action::ReadFile(name) => self.queue.push(Queued::File(name.clone())),
            Action::ReadLine(file) => self.read_line(*file),
            Action::Substitute(substitution) => self.substitute(substitution)?,
            Action::Translate(table) => replace::translate(&mut self.pattern.text, table),
            action if self.hold(action) => {}
            action => self.show(action)?,
        }
        Ok(Flow::On)
    }

    fn branch(&mut self, jump: &Jump) -> Flow {
        let taken = match jump.when {
            When::Always => true,
            When::Replaced => std::mem::take(&mut self.replaced),
            When::NotReplaced => !std::mem::take(&mut self.replaced),
        };
        if taken { Flow::To(jump.to) } else { Flow::On }
    }

    fn next(&mut self, append: bool) -> Result<Flow, Fatal> {
        if self.input.is_last(&mut self.out)? {
            return Ok(Flow::End);
        }
        if !append && !self.settings.quiet {
            self.out.line(&self.pattern.text, self.pattern.ends)?;
        }
        self.put_queued()?;
        Ok(if self.read(append)? { Flow::On } else { Flow::End })
    }

    fn read_line(&mut self, file: usize) {
        let Some(Some(reader)) = self.read.get_mut(file) else { return };
        let mut line = Vec::new();
        let separator = self.settings.taking.separator;
        // What cannot be read is as what is not there.
        if let Ok(Some(ends)) = reader.line(separator, &mut line) {
            line.extend(ends.then_some(separator));
            self.queue.push(Queued::Text(line));
        }
    }

    fn substitute(&mut self, how: &Substitution) -> Result<(), Fatal> {
        let pattern = self.pattern_of(how.pattern.as_ref())?;
        let Some(line) = replace::substitute(&self.pattern.text, &pattern, how) else { return Ok(()) };
        self.pattern.text = line;
        self.replaced = true;
        if how.print {
            self.out.line(&self.pattern.text, self.pattern.ends)?;
        }
        match how.write {
            Some(target) => self.out.write(target, &self.pattern.text, self.pattern.ends),
            None => Ok(()),
        }
    }

    /// The commands of the hold space. False for another one.
    fn hold(&mut self, action: &Action) -> bool {
        let separator = self.settings.taking.separator;
        match action {
            Action::Get => self.pattern.clone_from(&self.hold),
            Action::GetAppend => {
                self.pattern.text.push(separator);
                self.pattern.text.extend_from_slice(&self.hold.text);
                self.pattern.ends = self.hold.ends;
            }
            Action::Hold => self.hold.clone_from(&self.pattern),
            Action::HoldAppend => {
                self.hold.text.push(separator);
                self.hold.text.extend_from_slice(&self.pattern.text);
            }
            Action::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
            Action::Zap => self.pattern.text.clear(),
            _ => return false,
        }
        true
    }

    /// The commands that print or write.
    fn show(&mut self, action: &Action) -> Result<(), Fatal> {
        let separator = self.settings.taking.separator;
        let text = &self.pattern.text;
        let first = || text.split(|byte| *byte == separator).next().unwrap_or_default();
        match action {
            Action::Insert(text) => self.out.text(text),
            Action::FileName => self.out.text(format!("{}\n", self.input.name()).as_bytes()),
            Action::Number => self.out.text(format!("{}\n", self.input.number).as_bytes()),
            Action::List(width) => self.out.text(&listed(text, width.unwrap_or(self.settings.width))),
            Action::Print => self.out.line(text, self.pattern.ends),
            Action::PrintFirst => self.out.line(first(), true),
            Action::Write(target) => self.out.write(*target, text, self.pattern.ends),
            Action::WriteFirst(target) => self.out.write(*target, first(), true),
            _ => Ok(()),
        }
    }
}

/// A line as `l` prints it: with escapes, and broken before so many characters; 0 and 1 do not
/// break it.
fn listed(text: &[u8], width: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    let mut column = 0;
    for byte in text {
        let shown = match byte {
            b'\\' => "\\\\".to_owned(),
            7 => "\\a".to_owned(),
            8 => "\\b".to_owned(),
            12 => "\\f".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\r' => "\\r".to_owned(),
            b'\t' => "\\t".to_owned(),
            11 => "\\v".to_owned(),
            b' '..=b'~' => char::from(*byte).to_string(),
            byte => format!("\\{byte:03o}"),
        };
        if width > 1 && column + shown.len() > width - 1 {
            out.extend_from_slice(b"\\\n");
            column = 0;
        }
        column += shown.len();
        out.extend_from_slice(shown.as_bytes());
    }
    out.extend_from_slice(b"$\n");
    out
}
