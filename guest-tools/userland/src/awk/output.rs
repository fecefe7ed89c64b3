//! Where `print` writes: standard output, files, and the input of commands.

use super::Problem;
use crate::spawn::{Child, Stdin, Stdout, start_shell};
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};

enum Sink {
    File(BufWriter<std::fs::File>),
    Error,
    Output,
    Command(Option<Box<dyn Write>>, Child),
}

/// What is written to, by name.
pub(super) struct Outputs {
    own: BufWriter<crate::output::Output>,
    open: HashMap<String, Sink>,
    failed: bool,
}

impl Default for Outputs {
    fn default() -> Self {
        Self { own: BufWriter::with_capacity(32 << 10, crate::output::stdout()), open: HashMap::new(), failed: false }
    }
}

/// How a name is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    Anew,
    Append,
    Command,
}

impl Outputs {
    pub(super) fn print(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.own.write_all(bytes).map_err(|error| Problem(format!("write error: {}", crate::reason(&error))))
    }

    pub(super) fn print_to(&mut self, name: &str, how: Opening, bytes: &[u8]) -> Result<(), Problem> {
        if !self.open.contains_key(name) {
            let sink = self.start(name, how)?;
            self.open.insert(name.to_owned(), sink);
        }
        let written = match self.open.get_mut(name) {
            Some(Sink::File(file)) => file.write_all(bytes),
            Some(Sink::Error) => std::io::stderr().write_all(bytes),
            Some(Sink::Command(Some(to), _)) => to.write_all(bytes),
            _ => self.own.write_all(bytes),
        };
        // A command need not read all that it is given.
        match written {
            Err(_) if how == Opening::Command => Ok(()),
            other => other.map_err(|error| Problem(format!("cannot write to {name}: {}", crate::reason(&error)))),
        }
    }

    fn start(&mut self, name: &str, how: Opening) -> Result<Sink, Problem> {
        if how == Opening::Command {
            self.flush();
            let mut child = start_shell(name, Stdin::Write, Stdout::Own).map_err(Problem)?;
            let to = child.take_stdin();
            return Ok(Sink::Command(to, child));
        }
        match name {
            "/dev/stdout" | "-" => return Ok(Sink::Output),
            "/dev/stderr" => return Ok(Sink::Error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.create(true).write(true);
        if how == Opening::Append {
            options.append(true);
        } else {
            options.truncate(true);
        }
        let file = options.open(name);
        let file = file.map_err(|error| Problem(format!("can't redirect to {name} ({})", crate::reason(&error))))?;
        Ok(Sink::File(BufWriter::new(file)))
    }

    /// Everything that was printed is written.
    pub(super) fn flush(&mut self) {
        self.failed |= self.own.flush().is_err();
        for (name, sink) in &mut self.open {
            match sink {
                Sink::File(file) => {
                    if let Err(error) = file.flush() {
                        // It is tried again at the end.
                        if !std::mem::replace(&mut self.failed, true) {
                            crate::report("awk", &format!("cannot write to {name}: {}", crate::reason(&error)));
                        }
                    }
                }
                Sink::Command(Some(to), _) => {
                    let _ = to.flush();
                }
                _ => {}
            }
        }
    }

    /// The status of what was open under this name. None if there is none.
    pub(super) fn close(&mut self, name: &str) -> Option<i32> {
        let sink = self.open.remove(name)?;
        let _ = self.own.flush();
        Some(end(sink))
    }

    /// False if something could not be written.
    pub(super) fn close_all(&mut self) -> bool {
        self.flush();
        for (_, sink) in self.open.drain() {
            // How a command ended is its own affair.
            let of_file = matches!(sink, Sink::File(_));
            self.failed |= end(sink) != 0 && of_file;
        }
        !self.failed
    }
}

fn end(sink: Sink) -> i32 {
    match sink {
        Sink::File(mut file) => i32::from(file.flush().is_err()),
        Sink::Command(to, child) => {
            drop(to);
            child.wait()
        }
        Sink::Error | Sink::Output => 0,
    }
}
