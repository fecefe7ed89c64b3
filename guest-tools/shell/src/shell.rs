//! The shell: its state, its streams, and what it knows for as long as it runs.

use crate::exec::jobs::Jobs;
use crate::io::Io;
use crate::state::{State, Traps};
use crate::system;
use crate::text::to_bytes;
use crate::vars::{Value, Variable, Variables};
use crate::word::Word;
use brush_parser::ast;
use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

/// Why a command did not simply end with a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Leaves so many loops.
    Break(u32),
    /// Goes on with the next round of the loop so many out.
    Continue(u32),
    /// Leaves the function or sourced file.
    Return(i32),
    /// Leaves the shell.
    Exit(i32),
    /// An expansion failed: leaves the whole line.
    Discard(i32),
    /// The time is over.
    TimedOut,
}

/// How a command ended.
pub(crate) type Run = Result<i32, Flow>;

/// How much of the stack may be taken, in tenths of a KiB. A component has 2 MiB: what is left is for what reads a text
/// (4.5 KiB for each construct that stands in another) and for the builtin at the end.
pub(crate) const STACK_MAX: usize = 7800;

/// What is taken by what runs in something else, in the same measure. It was measured natively, as the least stack on
/// which functions that do this call each other to the limit; a change that lets a frame grow changes it.
pub(crate) mod takes {
    /// A function, with its body.
    pub(crate) const CALL: usize = 13;
    pub(crate) const COMPOUND: usize = 13;
    pub(crate) const SUBSHELL: usize = 9;
    pub(crate) const SUBSTITUTION: usize = 18;
    /// A text that is evaluated.
    pub(crate) const TEXT: usize = 16;
}

/// After so many commands the time is looked at.
const COMMANDS_UNASKED: u32 = 64;

/// How many parsed texts are kept.
const CACHE_MAX: usize = 2048;

/// How much of a file is read as a script, in bytes.
const READ_BYTES_MAX: usize = 16 << 20;

/// The longest of them, in bytes: what is longer is hardly read twice.
const CACHED_BYTES_MAX: usize = 16 << 10;

/// A shell.
pub(crate) struct Shell {
    pub(crate) state: State,
    pub(crate) io: Io,
    pub(crate) jobs: Jobs,
    /// When the call must have ended.
    pub(crate) deadline: Option<Instant>,
    /// How many commands were run, to look at the time now and then.
    commands: Cell<u32>,
    /// How much of the stack is taken: see [`STACK_MAX`].
    pub(crate) depth: usize,
    /// The status of the last command substitution of this command.
    pub(crate) substituted: Option<i32>,
    /// Files that stand for process substitutions of this command.
    pub(crate) temporary: Vec<Temporary>,
    /// How many aliases of aliases are being read.
    pub(crate) in_alias: usize,
    /// A trap is being run.
    pub(crate) in_trap: bool,
    /// The text comes from a script: errors of expansion end a command, not all.
    pub(crate) scripted: bool,
    /// For which traps signals are caught, and whether any are.
    pub(crate) caught: Rc<Traps>,
    pub(crate) catches: bool,
    /// What is started now is a job, which may outlive the call.
    pub(crate) beside: bool,
    /// What `$RANDOM` goes on from: each subshell has its own.
    pub(crate) seed: u64,
    programs: HashMap<String, Rc<ast::Program>>,
    words: HashMap<(String, char), Word>,
}

/// A file that stands for `<(…)` or `>(…)`.
pub(crate) struct Temporary {
    pub(crate) path: String,
    /// What reads it in the end.
    pub(crate) reader: Option<ast::CompoundList>,
}

impl Shell {
    pub(crate) fn new(state: State, io: Io) -> Self {
        Self {
            state,
            io,
            jobs: Jobs::default(),
            deadline: None,
            commands: Cell::new(0),
            depth: 0,
            substituted: None,
            temporary: Vec::new(),
            in_alias: 0,
            in_trap: false,
            caught: Rc::default(),
            catches: false,
            scripted: false,
            beside: false,
            seed: crate::scratch::chance() | (1 << 40),
            programs: HashMap::new(),
            words: HashMap::new(),
        }
    }

    pub(crate) fn vars(&mut self) -> &mut Variables {
        Rc::make_mut(&mut self.state.vars)
    }

    /// A variable's bare value.
    pub(crate) fn var(&self, name: &str) -> Option<String> {
        self.state.vars.get(name).and_then(|variable| variable.value.scalar())
    }

    pub(crate) fn ifs(&self) -> String {
        self.var("IFS").unwrap_or_else(|| " \t\n".to_owned())
    }

    /// Sets without asking anything: for the shell's own variables.
    pub(crate) fn set_own(&mut self, name: &str, value: impl Into<String>) {
        self.vars().entry(name).value = Value::Scalar(value.into());
    }

    pub(crate) fn set_list(&mut self, name: &str, values: Vec<String>) {
        *self.vars().entry(name) = Variable { value: Value::list(values), ..Variable::default() };
    }

    /// Writes to standard output. A closed pipe ends the shell, as its signal would.
    pub(crate) fn out(&mut self, text: &str) -> Run {
        match self.io.write(1, &to_bytes(text)) {
            Ok(()) => Ok(0),
            Err(system::Fault::Closed) => Err(Flow::Exit(141)),
            Err(fault) => {
                self.complain(&format!("write error: {fault}"));
                Ok(1)
            }
        }
    }

    /// Writes to standard error.
    pub(crate) fn err(&self, text: &str) {
        // Nobody is left to be told that nobody can be told.
        let _ = self.io.write(2, &to_bytes(text));
    }

    /// An error in bash's shape.
    pub(crate) fn complain(&self, what: &str) {
        self.err(&format!("{}: line {}: {what}\n", self.state.name, self.state.line));
    }

    /// An error of a builtin; it ends with 1.
    #[expect(clippy::unnecessary_wraps, reason = "it is how a builtin ends")]
    pub(crate) fn fail(&self, what: &str) -> Run {
        self.complain(what);
        Ok(1)
    }

    /// Ends the call if its time is over.
    pub(crate) fn check_time(&self) -> Result<(), Flow> {
        let commands = self.commands.get().wrapping_add(1);
        self.commands.set(commands);
        // Asking costs more than most commands: the clock is the host's.
        if !commands.is_multiple_of(COMMANDS_UNASKED) {
            return Ok(());
        }
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late || crate::system::interrupted() { Err(Flow::TimedOut) } else { Ok(()) }
    }

    /// Waits until there is something to read, or the end: false if neither came in time.
    ///
    /// # Errors
    ///
    /// The call's own time is over.
    pub(crate) fn await_input(&self, input: &system::Input, until: Option<Instant>) -> Result<bool, Flow> {
        let Some(last) = [until, self.deadline].into_iter().flatten().min() else { return Ok(true) };
        if input.ready(Some(last.saturating_duration_since(Instant::now()))) {
            return Ok(true);
        }
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if late || until.is_none() || system::interrupted() { Err(Flow::TimedOut) } else { Ok(false) }
    }

    /// Everything that can still be read, as far as memory holds it.
    ///
    /// # Errors
    ///
    /// The call's time is over.
    pub(crate) fn read_all(&self, input: &system::Input) -> Result<Vec<u8>, Flow> {
        let mut bytes = Vec::new();
        loop {
            self.await_input(input, None)?;
            match input.read(65_536) {
                Ok(more) if !more.is_empty() && bytes.len() < READ_BYTES_MAX => bytes.extend(more),
                _ => return Ok(bytes),
            }
        }
    }

    /// An absolute, normal path.
    pub(crate) fn absolute(&self, path: &str) -> String {
        normal(&if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.state.cwd) })
    }

    /// The environment that programs get.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let visible = self.state.vars.visible();
        let exported = visible.into_iter().filter(|(_, variable)| variable.has.exported);
        let mut all: Vec<_> =
            exported.filter_map(|(name, variable)| Some((name.clone(), variable.value.scalar()?))).collect();
        let (before, after) = crate::state::EXPORTED;
        for (name, function) in self.state.functions.iter().filter(|(_, function)| function.exported) {
            if let Ok(text) = serde_json::to_string(&**function) {
                all.push((format!("{before}{name}{after}"), text));
            }
        }
        if cfg!(target_os = "wasi") && !all.iter().any(|(name, _)| name == "PWD") {
            all.push((crate::state::FOLDER.to_owned(), self.state.cwd.clone()));
        }
        if self.state.umask != crate::state::UMASK_USUAL {
            all.push((crate::state::UMASK.to_owned(), format!("{:04o}", self.state.umask)));
        }
        all
    }

    /// Reads a script's text, or gives what was read before.
    ///
    /// # Errors
    ///
    /// It is no script.
    pub(crate) fn parse(&mut self, source: &str) -> Result<Rc<ast::Program>, brush_parser::ParseError> {
        if let Some(program) = self.programs.get(source) {
            return Ok(Rc::clone(program));
        }
        let program = Rc::new(crate::source::parse(source)?);
        if source.len() > CACHED_BYTES_MAX {
            return Ok(program);
        }
        if self.programs.len() >= CACHE_MAX {
            self.programs.clear();
        }
        self.programs.insert(source.to_owned(), Rc::clone(&program));
        Ok(program)
    }

    /// Whether the stack bears no more.
    pub(crate) fn is_deep(&self) -> bool {
        self.depth >= STACK_MAX
    }

    /// A word's pieces. `kind` says which reader: `w` for words, `a` for what is assigned,
    /// `n` for a name with what is assigned, `h` for here-documents.
    pub(crate) fn word(&mut self, source: &str, kind: char) -> Word {
        let key = (source.to_owned(), kind);
        if let Some(word) = self.words.get(&key) {
            return Rc::clone(word);
        }
        let word = match kind {
            'a' => crate::word::parse_assigned(source),
            'n' => crate::word::parse_named(source),
            'h' => crate::word::parse_here(source),
            _ => crate::word::parse_word(source),
        };
        if source.len() > CACHED_BYTES_MAX {
            return word;
        }
        if self.words.len() >= CACHE_MAX {
            self.words.clear();
        }
        self.words.insert(key, Rc::clone(&word));
        word
    }

    /// A random number as `$RANDOM` gives it.
    pub(crate) fn random(&mut self) -> u64 {
        let state = &mut self.seed;
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state >> 16
    }
}

/// How many links a path may lead through.
const LINKS_MAX: usize = 40;

/// Where an absolute path leads in the end, through all links. None if nothing is there.
pub(crate) fn real(path: &str) -> Option<String> {
    let mut left: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
    let (mut real, mut links) = (String::new(), 0);
    while let Some(part) = left.pop() {
        match part.as_str() {
            "" | "." => continue,
            ".." => {
                real.truncate(real.rfind('/').unwrap_or(0));
                continue;
            }
            _ => {}
        }
        let here = format!("{real}/{part}");
        if let Ok(target) = std::fs::read_link(&here) {
            links += 1;
            let target = crate::text::from_bytes(target.as_os_str().as_encoded_bytes());
            if links > LINKS_MAX {
                return None;
            }
            if target.starts_with('/') {
                real.clear();
            }
            left.extend(target.split('/').rev().map(str::to_owned));
        } else {
            real = here;
        }
    }
    if real.is_empty() {
        return Some("/".to_owned());
    }
    // The folders above a granted one may not show themselves, so only the end is looked at.
    std::fs::symlink_metadata(&real).ok().map(|_| real)
}

/// Takes `.`, `..` and doubled slashes out of an absolute path.
pub(crate) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
