//! Where records come from: files, and the output of commands.

use super::Problem;
use super::interpret::{Halt, Interpreter, Slot};
use super::syntax::{FILENAME, FNR, RS};
use super::value::Value;
use crate::spawn::{Child, Stdin, Stdout, start_shell};
use std::collections::HashMap;
use std::io::Read;
use std::rc::Rc;

/// How much is read at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Something that records are read from.
pub(super) struct Reader {
    from: Box<dyn Read>,
    buffer: Vec<u8>,
    start: usize,
    ended: bool,
    child: Option<Child>,
}

impl Reader {
    pub(super) fn new(from: Box<dyn Read>) -> Self {
        Self { from, buffer: Vec::new(), start: 0, ended: false, child: None }
    }

    fn fill(&mut self) -> Result<(), Problem> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK_BYTES, 0);
        let read = self.from.read(&mut self.buffer[length..]).map_err(|error| Problem(crate::reason(&error)))?;
        self.buffer.truncate(length + read);
        self.ended = read == 0;
        Ok(())
    }

    /// The next record. None at the end.
    pub(super) fn next(&mut self, separator: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        let regex = match separator {
            [] | [_] => None,
            _ => Some(super::regex(separator, false)?),
        };
        if separator.is_empty() {
            self.skip_newlines()?;
        }
        // What was looked at need not be looked at again.
        let mut seen = 0;
        loop {
            let rest = &self.buffer[self.start..];
            let found = match (separator, &regex) {
                ([byte], _) => memchr::memchr(*byte, &rest[seen..]).map(|at| (seen + at, seen + at + 1)),
                (_, Some(regex)) => {
                    let found = regex.find(rest).filter(|found| !found.is_empty());
                    // At the end of what is there it might go on.
                    found.map(|found| (found.start(), found.end())).filter(|found| self.ended || found.1 < rest.len())
                }
                _ => memchr::memmem::find(rest, b"\n\n").map(|at| (at, at + 2)),
            };
            if let Some((end, next)) = found {
                let record = rest[..end].to_vec();
                self.start += next;
                return Ok(Some(record));
            }
            if self.ended {
                let mut record = rest.to_vec();
                self.start = self.buffer.len();
                if separator.len() != 1 && record.ends_with(b"\n") {
                    record.pop();
                }
                return Ok((!rest.is_empty() || !record.is_empty()).then_some(record));
            }
            seen = rest.len();
            self.fill()?;
        }
    }

    fn skip_newlines(&mut self) -> Result<(), Problem> {
        loop {
            let rest = &self.buffer[self.start..];
            let newlines = rest.iter().take_while(|byte| **byte == b'\n').count();
            self.start += newlines;
            if self.start < self.buffer.len() || self.ended {
                return Ok(());
            }
            self.fill()?;
        }
    }
}

pub(super) struct Inputs {
    /// What the command line names and is not read yet, if `ARGV` was not touched.
    pub(super) operands: Vec<String>,
    next: usize,
    named_any: bool,
    current: Option<Reader>,
    files: HashMap<String, Reader>,
    commands: HashMap<String, Reader>,
}

impl Inputs {
    pub(super) fn new() -> Self {
        Self {
            operands: Vec::new(),
            next: 0,
            named_any: false,
            current: None,
            files: HashMap::new(),
            commands: HashMap::new(),
        }
    }

    pub(super) fn file(&mut self, name: &str) -> Option<&mut Reader> {
        if !self.files.contains_key(name) {
            let from: Box<dyn Read> = if name == "-" || name == "/dev/stdin" {
                Box::new(std::io::stdin())
            } else {
                Box::new(std::fs::File::open(name).ok()?)
            };
            self.files.insert(name.to_owned(), Reader::new(from));
        }
        self.files.get_mut(name)
    }

    pub(super) fn command(&mut self, command: &str) -> Result<&mut Reader, Problem> {
        if !self.commands.contains_key(command) {
            let mut child = start_shell(command, Stdin::Own, Stdout::Read).map_err(Problem)?;
            let from = child.take_stdout().ok_or_else(|| Problem("a command has no output".to_owned()))?;
            let mut reader = Reader::new(from);
            reader.child = Some(child);
            self.commands.insert(command.to_owned(), reader);
        }
        self.commands.get_mut(command).ok_or_else(|| Problem("a command is gone".to_owned()))
    }

    /// Closes a file or command. Its status; None if none is open under this name.
    pub(super) fn close(&mut self, name: &str) -> Option<i32> {
        if self.files.remove(name).is_some() {
            return Some(0);
        }
        let reader = self.commands.remove(name)?;
        drop(reader.from);
        reader.child.map(Child::wait)
    }

    pub(super) fn skip_file(&mut self) {
        self.current = None;
    }
}

impl Interpreter<'_> {
    /// The next record of the files that the command line names.
    pub(super) fn next_record(&mut self) -> Result<Option<Vec<u8>>, Halt> {
        let separator = self.special(RS);
        loop {
            if self.inputs.current.is_none() && !self.open_next()? {
                return Ok(None);
            }
            if let Some(reader) = &mut self.inputs.current {
                if let Some(record) = reader.next(&separator)? {
                    return Ok(Some(record));
                }
                self.inputs.current = None;
            }
        }
    }

    /// What `ARGV` says at this place; nothing behind its end.
    fn operand(&mut self, place: usize) -> Option<String> {
        let count = match self.global("ARGC").map(|place| &self.globals[place]) {
            Some(Slot::Value(value)) => value.number(),
            #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
            _ => self.inputs.operands.len() as f64 + 1.0,
        };
        #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
        if place as f64 >= count {
            return None;
        }
        match self.global("ARGV").map(|place| &self.globals[place]) {
            Some(Slot::Array(array)) => {
                let value = array.borrow().get(place.to_string().as_bytes()).cloned();
                Some(value.map(|value| String::from_utf8_lossy(&value.text("%.6g")).into_owned()).unwrap_or_default())
            }
            _ => self.inputs.operands.get(place - 1).cloned(),
        }
    }

    fn open_next(&mut self) -> Result<bool, Halt> {
        loop {
            self.inputs.next += 1;
            let Some(name) = self.operand(self.inputs.next) else {
                if self.inputs.named_any {
                    return Ok(false);
                }
                self.inputs.named_any = true;
                self.inputs.current = Some(Reader::new(Box::new(std::io::stdin())));
                return Ok(true);
            };
            if name.is_empty() || self.assign_text(&name) {
                continue;
            }
            self.inputs.named_any = true;
            let from: Box<dyn Read> = if name == "-" || name == "/dev/stdin" {
                Box::new(std::io::stdin())
            } else {
                match crate::open(&name) {
                    Ok(file) => Box::new(file),
                    Err(reason) => {
                        crate::report("awk", &format!("cannot open \"{name}\" ({reason})"));
                        self.exit = 2;
                        continue;
                    }
                }
            };
            self.globals[FILENAME] = Slot::Value(Value::String(Rc::from(name.as_bytes())));
            self.globals[FNR] = Slot::Value(Value::Number(0.0));
            self.inputs.current = Some(Reader::new(from));
            return Ok(true);
        }
    }
}
