//! Reads a script.

use super::matcher::{Meant, Pattern};
use super::script::{Action, Address, Command, Jump, Script, When};
use super::text;
use std::rc::Rc;

/// Where a piece of a script comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The number of the `-e`, from 1 on.
    Expression(usize),
    File(String),
}

/// A piece of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) source: Source,
    pub(super) text: Vec<u8>,
}

/// What a script does not get from its own text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    pub(super) extended: bool,
    /// Commands that read or write files are refused.
    pub(super) sandbox: bool,
}

/// Reads a script. What is wrong in words, with the place.
pub(super) fn read(parts: &[Part], reading: Reading) -> Result<Script, String> {
    let mut text = Vec::new();
    let mut starts = Vec::with_capacity(parts.len());
    for part in parts {
        starts.push(text.len());
        text.extend_from_slice(&part.text);
        text.push(b'\n');
    }
    // The end of the script is no end of a line.
    text.pop();
    let mut parser = Parser { text, at: 0, reading, script: Script::default(), open: Vec::new(), labels: Vec::new() };
    let read = parser.run();
    let (at, reason) = match read {
        Ok(()) => return Ok(parser.script),
        Err(Wrong::Somewhere(reason)) => return Err(reason),
        Err(Wrong::Unplaced(reason)) => (None, reason),
        Err(Wrong::Here(reason)) => (Some(parser.at), reason),
    };
    Err(placed(parts, &starts, at, &reason))
}

fn placed(parts: &[Part], starts: &[usize], at: Option<usize>, reason: &str) -> String {
    let which = match at {
        // What ends a piece belongs to it.
        Some(at) => starts.iter().rposition(|start| *start < at).unwrap_or(0),
        None => 0,
    };
    let (Some(part), Some(start)) = (parts.get(which), starts.get(which)) else { return reason.to_owned() };
    let inside = at.map_or(0, |at| (at - start).min(part.text.len()));
    match &part.source {
        Source::Expression(number) => format!("-e expression #{number}, char {inside}: {reason}"),
        Source::File(name) => {
            let line = 1 + part.text[..inside].iter().filter(|byte| **byte == b'\n').count();
            format!("file {name} line {}: {reason}", if at.is_some() { line } else { 0 })
        }
    }
}

/// What is wrong, and what is known of the place.
#[derive(Debug)]
pub(super) enum Wrong {
    Here(String),
    /// The place is not said.
    Unplaced(String),
    /// Nothing of the place is said.
    Somewhere(String),
}

pub(super) fn here<T>(reason: &str) -> Result<T, Wrong> {
    Err(Wrong::Here(reason.to_owned()))
}

pub(super) struct Parser {
    text: Vec<u8>,
    at: usize,
    pub(super) reading: Reading,
    script: Script,
    /// The commands that open the blocks around.
    open: Vec<usize>,
    labels: Vec<(String, usize)>,
}

impl Parser {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n' && byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Takes the rest of the line with its end. False, with nothing taken, if it is not blank.
    pub(super) fn eat_blank_line(&mut self) -> bool {
        let start = self.at;
        self.skip_blanks();
        let blank = self.eat(b'\n');
        if !blank && self.peek().is_some() {
            self.at = start;
        }
        blank
    }

    /// So many of the next bytes, which are not taken.
    pub(super) fn ahead(&self, count: usize) -> Vec<u8> {
        self.text.iter().skip(self.at).take(count).copied().collect()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = None;
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            number = Some(number.unwrap_or(0_u64).saturating_mul(10).saturating_add(u64::from(byte - b'0')));
            self.at += 1;
        }
        number
    }

    fn run(&mut self) -> Result<(), Wrong> {
        if self.text.starts_with(b"#n\n") || self.text == b"#n" {
            self.script.silent = true;
        }
        loop {
            while self.peek().is_some_and(|byte| byte == b';' || byte.is_ascii_whitespace()) {
                self.at += 1;
            }
            if self.peek().is_none() {
                break;
            }
            self.command()?;
        }
        if !self.open.is_empty() {
            return Err(Wrong::Unplaced("unmatched `{'".to_owned()));
        }
        self.resolve()
    }

    fn resolve(&mut self) -> Result<(), Wrong> {
        let end = self.script.commands.len();
        for command in &mut self.script.commands {
            let Action::Branch(jump) = &mut command.action else { continue };
            jump.to = end;
            if !jump.label.is_empty() {
                let found = self.labels.iter().find(|(label, _)| *label == jump.label);
                let Some((_, to)) = found else {
                    return Err(Wrong::Somewhere(format!("can't find label for jump to `{}'", jump.label)));
                };
                jump.to = *to;
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Result<(), Wrong> {
        let (first, second) = self.addresses()?;
        self.skip_blanks();
        let mut negated = false;
        while self.eat(b'!') {
            if negated {
                return here("multiple `!'s");
            }
            negated = true;
            self.skip_blanks();
        }
        let addresses = usize::from(first.is_some()) + usize::from(second.is_some());
        let action = self.action(addresses)?;
        self.script.commands.push(Command { first, second, negated, action });
        Ok(())
    }

    fn addresses(&mut self) -> Result<(Option<Address>, Option<Address>), Wrong> {
        let Some(first) = self.address(false)? else { return Ok((None, None)) };
        self.skip_blanks();
        let mut second = None;
        if self.eat(b',') {
            self.skip_blanks();
            second = self.address(true)?;
            if second.is_none() {
                self.next();
                return here("unexpected `,'");
            }
            self.skip_blanks();
        }
        if matches!(first, Address::Line(0)) && !matches!(second, Some(Address::Matching(_))) {
            self.next();
            return here("invalid usage of line address 0");
        }
        Ok((Some(first), second))
    }

    fn address(&mut self, second: bool) -> Result<Option<Address>, Wrong> {
        let address = match self.peek() {
            Some(b'$') => {
                self.at += 1;
                Address::Last
            }
            Some(b'/') => {
                self.at += 1;
                self.matching(b'/')?
            }
            Some(b'\\') => {
                self.at += 1;
                let Some(delimiter) = self.next() else { return here("unterminated address regex") };
                self.matching(delimiter)?
            }
            Some(sign @ (b'+' | b'~')) if second => {
                self.at += 1;
                let number = self.number().unwrap_or(0);
                if sign == b'+' { Address::More(number) } else { Address::Multiple(number) }
            }
            Some(byte) if byte.is_ascii_digit() => {
                let line = self.number().unwrap_or(0);
                self.skip_blanks();
                if !second && self.eat(b'~') {
                    self.skip_blanks();
                    Address::Step(line, self.number().unwrap_or(0))
                } else {
                    Address::Line(line)
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(address))
    }

    fn matching(&mut self, delimiter: u8) -> Result<Address, Wrong> {
        let Some(text) = text::delimited(self, delimiter, text::Side::Pattern) else {
            return here("unterminated address regex");
        };
        let mut meant = Meant { extended: self.reading.extended, ..Meant::default() };
        loop {
            match self.peek() {
                Some(b'I') => meant.ignore_case = true,
                Some(b'M') => meant.lines = true,
                _ => break,
            }
            self.at += 1;
        }
        Ok(Address::Matching(self.pattern(&text, meant)?))
    }

    /// None is the pattern that was used last.
    pub(super) fn pattern(&self, text: &[u8], meant: Meant) -> Result<Option<Rc<Pattern>>, Wrong> {
        if text.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(text);
        Pattern::new(&text, meant).map(|pattern| Some(Rc::new(pattern))).map_err(Wrong::Here)
    }

    fn action(&mut self, addresses: usize) -> Result<Action, Wrong> {
        let Some(letter) = self.next() else { return here("missing command") };
        let action = match letter {
            b'\n' => return here("missing command"),
            b'#' if addresses > 0 => return here("comments don't accept any addresses"),
            b'#' => {
                self.line();
                return Ok(Action::Nothing);
            }
            b':' => return self.label(addresses),
            b'{' => {
                self.open.push(self.script.commands.len());
                return Ok(Action::Block(0));
            }
            b'}' => self.close(addresses)?,
            b'a' => return Ok(Action::Append(text::block(self)?)),
            b'i' => return Ok(Action::Insert(text::block(self)?)),
            b'c' => return Ok(Action::Change(text::block(self)?)),
            b'b' => self.branch(When::Always),
            b't' => self.branch(When::Replaced),
            b'T' => self.branch(When::NotReplaced),
            b'r' => return Ok(Action::ReadFile(self.file_name()?)),
            b'R' => {
                let name = self.file_name()?;
                return Ok(Action::ReadLine(place(&mut self.script.read, name)));
            }
            b'w' => return Ok(Action::Write(self.written()?)),
            b'W' => return Ok(Action::WriteFirst(self.written()?)),
            b's' => Action::Substitute(Box::new(text::substitution(self)?)),
            b'y' => Action::Translate(Box::new(text::table(self)?)),
            b'q' | b'Q' if addresses > 1 => return here("command only uses one address"),
            b'q' => Action::Quit(self.status()),
            b'Q' => Action::QuitSilently(self.status()),
            b'l' => {
                self.skip_blanks();
                Action::List(self.number().map(|width| usize::try_from(width).unwrap_or(0)))
            }
            b'v' => {
                self.line();
                return Ok(Action::Nothing);
            }
            b'e' => return here("the `e' command is not supported: sed starts no programs here"),
            letter => plain(letter)?,
        };
        self.end()?;
        Ok(action)
    }

    fn status(&mut self) -> u8 {
        self.skip_blanks();
        self.number().and_then(|status| u8::try_from(status & 0xff).ok()).unwrap_or(0)
    }

    fn close(&mut self, addresses: usize) -> Result<Action, Wrong> {
        let Some(opened) = self.open.pop() else { return here("unexpected `}'") };
        if addresses > 0 {
            return here("} doesn't want any addresses");
        }
        let behind = self.script.commands.len() + 1;
        if let Some(command) = self.script.commands.get_mut(opened) {
            command.action = Action::Block(behind);
        }
        Ok(Action::Nothing)
    }

    fn label(&mut self, addresses: usize) -> Result<Action, Wrong> {
        if addresses > 0 {
            return here(": doesn't want any addresses");
        }
        self.skip_blanks();
        let start = self.at;
        while self.peek().is_some_and(|byte| byte != b'\n' && byte != b';') {
            self.at += 1;
        }
        let label = String::from_utf8_lossy(&self.text[start..self.at]).trim_end().to_owned();
        if label.is_empty() {
            return here("\":\" lacks a label");
        }
        self.labels.push((label, self.script.commands.len()));
        Ok(Action::Nothing)
    }

    fn branch(&mut self, when: When) -> Action {
        self.skip_blanks();
        let start = self.at;
        while self.peek().is_some_and(|byte| !byte.is_ascii_whitespace() && byte != b';' && byte != b'}') {
            self.at += 1;
        }
        let label = String::from_utf8_lossy(&self.text[start..self.at]).into_owned();
        Action::Branch(Jump { when, label, to: 0 })
    }

    /// The rest of the line.
    fn line(&mut self) -> String {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.at += 1;
        }
        String::from_utf8_lossy(&self.text[start..self.at]).into_owned()
    }

    fn file_name(&mut self) -> Result<String, Wrong> {
        self.skip_blanks();
        let name = self.line();
        if name.is_empty() {
            return here("missing filename in r/R/w/W commands");
        }
        if self.reading.sandbox {
            return here("e/r/w commands disabled in sandbox mode");
        }
        Ok(name)
    }

    /// The place of a file that is written to.
    pub(super) fn written(&mut self) -> Result<usize, Wrong> {
        let name = self.file_name()?;
        Ok(place(&mut self.script.written, name))
    }

    /// The end of a command.
    pub(super) fn end(&mut self) -> Result<(), Wrong> {
        self.skip_blanks();
        match self.peek() {
            None | Some(b'}' | b'#') => Ok(()),
            Some(b';' | b'\n') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => {
                self.at += 1;
                here("extra characters after command")
            }
        }
    }
}

fn place(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|known| *known == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}

/// The commands that are a letter and no more.
fn plain(letter: u8) -> Result<Action, Wrong> {
    Ok(match letter {
        b'd' => Action::Delete,
        b'D' => Action::DeleteFirst,
        b'F' => Action::FileName,
        b'g' => Action::Get,
        b'G' => Action::GetAppend,
        b'h' => Action::Hold,
        b'H' => Action::HoldAppend,
        b'x' => Action::Exchange,
        b'n' => Action::Next,
        b'N' => Action::NextAppend,
        b'=' => Action::Number,
        b'p' => Action::Print,
        b'P' => Action::PrintFirst,
        b'z' => Action::Zap,
        letter => return here(&format!("unknown command: `{}'", char::from(letter))),
    })
}
