//! Shells within the shell: in place on a copy of the state, or as a process of its own.

use crate::expand::without_newlines;
use crate::io::{Fd, Io};
use crate::scratch::{self, PIECE_BYTES_MAX};
use crate::shell::{Flow, Run, Shell, Temporary, takes};
use crate::state::{ERREXIT, ERRTRACE, FUNCTRACE, INHERIT_ERREXIT, State};
use crate::system::{Capture, Child, Command, Input};
use brush_parser::ast::{self, IoFileRedirectKind, IoFileRedirectTarget, IoRedirect};
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// How much a command substitution may give, in bytes.
const SUBSTITUTION_BYTES_MAX: u64 = 16 << 20;

/// How much a shell that is started as a process can be given, in bytes.
const HANDED_BYTES_MAX: usize = 16 << 20;

/// What a new shell does.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Job {
    Command(ast::Command),
    List(ast::CompoundList),
    AndOr(ast::AndOrList),
    /// Words that are expanded.
    Args(Vec<String>),
}

/// What a shell that is started as a process gets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handed {
    pub(crate) state: State,
    pub(crate) job: Job,
}

impl Handed {
    /// Reads it, or the file whose path was handed over since it was too large.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.starts_with(b"/") {
            return serde_json::from_slice(bytes).map_err(|error| error.to_string());
        }
        let path = String::from_utf8_lossy(bytes);
        let read = std::fs::read(&*path);
        scratch::remove(&path);
        serde_json::from_slice(&read.map_err(|error| error.to_string())?).map_err(|error| error.to_string())
    }
}

impl Shell {
    /// Runs something in a subshell in place, with these streams; gives how it ended.
    pub(crate) fn in_subshell(&mut self, io: Io, run: impl FnOnce(&mut Self) -> Run) -> Run {
        if self.is_deep() {
            return self.fail("fork: retry: Resource temporarily unavailable");
        }
        let state = self.state.clone();
        let seed = std::mem::replace(&mut self.seed, scratch::chance() | (1 << 40));
        let io = std::mem::replace(&mut self.io, io);
        let ended = std::mem::take(&mut self.jobs.ended);
        let own_jobs = std::mem::replace(&mut self.jobs.own_from, self.jobs.all.len());
        let beside = std::mem::take(&mut self.beside);
        self.depth += takes::SUBSHELL;
        self.state.enter_subshell();
        let done = run(self);
        let status = self.finish(done);
        self.depth -= takes::SUBSHELL;
        self.state = state;
        self.seed = seed;
        self.io = io;
        self.jobs.leave();
        self.jobs.own_from = own_jobs;
        self.beside = beside;
        self.jobs.ended = ended;
        status
    }

    /// `( … )`.
    pub(crate) fn run_subshell(&mut self, list: &ast::CompoundList) -> Run {
        self.in_subshell(self.io.clone(), |shell| shell.run_list(list))
    }

    /// `$(…)`: its output.
    pub(crate) fn substitute(&mut self, source: &str) -> Result<String, Flow> {
        let capture = match Capture::new(SUBSTITUTION_BYTES_MAX).and_then(|capture| Ok((capture.output(0)?, capture))) {
            Ok(made) => made,
            Err(fault) => {
                self.complain(&format!("command substitution: {fault}"));
                return Err(Flow::Discard(1));
            }
        };
        let (output, capture) = capture;
        let mut io = self.io.clone();
        io.set(1, Fd::Out(Rc::new(output)));
        let line = self.state.line;
        self.depth += takes::SUBSTITUTION;
        let done = self.in_subshell(io, |shell| {
            if !shell.state.shopt(INHERIT_ERREXIT) {
                shell.state.options &= !ERREXIT;
            }
            shell.substitution(source)
        });
        self.depth -= takes::SUBSTITUTION;
        let status = done?;
        self.state.line = line;
        self.state.status = status;
        self.substituted = Some(status);
        if capture.dropped() > 0 {
            self.complain("command substitution: more output than memory holds");
            return Err(Flow::Discard(1));
        }
        let bytes = capture.take().bytes;
        if bytes.contains(&0) {
            self.complain("warning: command substitution: ignored null byte in input");
        }
        Ok(without_newlines(bytes))
    }

    fn substitution(&mut self, source: &str) -> Run {
        if let Ok(program) = self.parse(source)
            && let Some(word) = only_reads(&program)
        {
            let path = self.expand_one(&word.value)?;
            return match self.open_input(&path) {
                Ok(input) => self.copy_out(&input),
                Err(fault) => self.fail(&format!("{path}: {fault}")),
            };
        }
        self.run_text(source)
    }

    fn copy_out(&mut self, input: &Input) -> Run {
        loop {
            self.await_input(input, None)?;
            match input.read(65_536) {
                Ok(bytes) if bytes.is_empty() => return Ok(0),
                Ok(bytes) if self.io.write(1, &bytes).is_ok() => {}
                _ => return Ok(1),
            }
        }
    }

    /// Starts a shell as a process with the streams of this one.
    pub(crate) fn start_shell(&mut self, job: Job) -> Result<Child, i32> {
        let env = self.environment();
        let mut state = self.state.clone();
        state.enter_subshell();
        let handed = match serde_json::to_vec(&Handed { state, job }) {
            Ok(handed) if handed.len() <= HANDED_BYTES_MAX => handed,
            Ok(handed) => {
                self.complain(&format!("fork: the shell's variables take {} bytes, which is too much", handed.len()));
                return Err(254);
            }
            Err(error) => {
                self.complain(&format!("fork: {error}"));
                return Err(254);
            }
        };
        let command = |handed| Command { program: "sh".to_owned(), args: vec!["sh".to_owned()], env, handed };
        if handed.len() <= PIECE_BYTES_MAX {
            return self.spawn(&command(handed));
        }
        let path = scratch::holding(&handed).map_err(|fault| {
            self.complain(&format!("fork: {fault}"));
            254
        })?;
        drop(handed);
        let child = self.spawn(&command(path.clone().into_bytes()));
        if child.is_err() {
            scratch::remove(&path);
        }
        child
    }

    /// Runs what a parent shell handed over.
    pub(crate) fn run_job(&mut self, job: &Job) -> Run {
        match job {
            Job::Command(command) => self.run_command(command),
            Job::List(list) => self.run_list(list),
            Job::AndOr(list) => self.run_list(&ast::CompoundList(vec![ast::CompoundListItem(
                list.clone(),
                ast::SeparatorOperator::Sequence,
            )])),
            Job::Args(args) => self.run_expanded(args),
        }
    }

    /// The file that stands for `<(…)` or `>(…)`.
    pub(crate) fn process_file(
        &mut self,
        kind: &ast::ProcessSubstitutionKind,
        list: &ast::CompoundList,
    ) -> Result<String, Flow> {
        let (path, output) = match scratch::create() {
            Ok(made) => made,
            Err(fault) => {
                self.complain(&format!("process substitution: {fault}"));
                return Err(Flow::Discard(1));
            }
        };
        let mut reader = None;
        if matches!(kind, ast::ProcessSubstitutionKind::Read) {
            let mut io = self.io.clone();
            io.set(1, Fd::Out(Rc::new(output)));
            self.in_subshell(io, |shell| shell.run_list(list))?;
        } else {
            reader = Some(list.clone());
        }
        self.temporary.push(Temporary { path: path.clone(), reader });
        Ok(path)
    }

    /// Ends the process substitutions of a command: those past the first so many.
    #[inline(never)]
    pub(crate) fn finish_temporary(&mut self, from: usize) -> Result<(), Flow> {
        if self.temporary.len() <= from {
            return Ok(());
        }
        let status = self.state.status;
        for Temporary { path, reader } in self.temporary.split_off(from) {
            if let Some(list) = reader
                && let Ok(input) = Input::open(&path)
            {
                let mut io = self.io.clone();
                io.set(0, Fd::In(Rc::new(input)));
                self.in_subshell(io, |shell| shell.run_list(&list))?;
            }
            scratch::remove(&path);
        }
        self.state.status = status;
        Ok(())
    }
}

impl State {
    pub(crate) fn enter_subshell(&mut self) {
        self.subshell += 1;
        if !self.traps.is_empty() {
            let (keeps_err, keeps_debug) = (self.has(ERRTRACE), self.has(FUNCTRACE));
            self.outer_traps.get_or_insert_with(|| Rc::clone(&self.traps));
            Rc::make_mut(&mut self.traps).retain(|name, command| {
                let kept = (name == "ERR" && keeps_err) || (matches!(name.as_str(), "DEBUG" | "RETURN") && keeps_debug);
                command.is_empty() || kept
            });
        }
    }
}

/// `< file` and nothing else: the file.
fn only_reads(program: &ast::Program) -> Option<&ast::Word> {
    let [list] = program.complete_commands.as_slice() else { return None };
    let [ast::CompoundListItem(and_or, _)] = list.0.as_slice() else { return None };
    let [ast::Command::Simple(simple)] = and_or.first.seq.as_slice() else { return None };
    let parts = super::simple::parts(simple);
    match parts.redirects.as_slice() {
        [IoRedirect::File(None | Some(0), IoFileRedirectKind::Read, IoFileRedirectTarget::Filename(word))]
            if parts.words.is_empty() && parts.assignments.is_empty() && and_or.additional.is_empty() =>
        {
            Some(word)
        }
        _ => None,
    }
}
