//! Pipelines.

use super::simple::{Who, parts, spaced};
use super::subshell::Job;
use crate::builtins;
use crate::clock;
use crate::io::{Fd, Io};
use crate::shell::{Flow, Run, Shell};
use crate::state::{FUNCTRACE, LASTPIPE, PIPEFAIL};
use crate::system::{self, Capture, Child, Input};
use brush_parser::ast;
use std::rc::Rc;

/// A stage of a pipeline that was begun.
enum Stage {
    Runs(Child),
    Ended(i32),
}

/// The output that a builtin may leave for the next stage, in bytes.
const BUILTIN_BYTES_MAX: u64 = 16 << 20;

impl Shell {
    pub(crate) fn run_pipeline(&mut self, pipeline: &ast::Pipeline) -> Run {
        let began = clock::now();
        let status = match pipeline.seq.as_slice() {
            [command] => {
                let status = self.run_command(command)?;
                self.state.pipe = vec![status];
                status
            }
            stages => self.run_stages(stages)?,
        };
        if let Some(timed) = &pipeline.timed {
            self.show_time(began, timed.is_posix_output());
        }
        Ok(if pipeline.bang { i32::from(status == 0) } else { status })
    }

    #[inline(never)]
    fn show_time(&self, began: std::time::Duration, posix: bool) {
        let real = clock::now().saturating_sub(began).as_secs_f64();
        let format = self.var("TIMEFORMAT");
        let format = match &format {
            _ if posix => "real %2R\nuser %2U\nsys %2S",
            Some(format) if format.is_empty() => return,
            Some(format) => format,
            None => "\nreal\t%3lR\nuser\t%3lU\nsys\t%3lS",
        };
        self.err(&format!("{}\n", timed(format, real)));
    }

    #[inline(never)]
    fn run_stages(&mut self, commands: &[ast::Command]) -> Run {
        let mut stages = Vec::new();
        let mut input: Option<Rc<Input>> = None;
        // The trap DEBUG runs in this shell for the stages that do not inherit it.
        let traced = !self.state.has(FUNCTRACE) && !self.state.shopt(LASTPIPE);
        for (at, command) in commands.iter().enumerate() {
            if let ast::Command::Simple(simple) = command
                && traced
            {
                self.before(|| spaced(simple))?;
            }
            let mut io = self.io.clone();
            if let Some(input) = input.take() {
                io.set(0, Fd::In(input));
            }
            let stage = if at + 1 < commands.len() {
                let (stage, next) = self.start_stage(command, io)?;
                input = Some(next);
                stage
            } else {
                match self.last_stage(command, io) {
                    Ok(stage) => stage,
                    Err(flow) => {
                        end_stages(&stages, flow);
                        return Err(flow);
                    }
                }
            };
            stages.push(stage);
        }
        self.collect(stages)
    }

    fn collect(&mut self, stages: Vec<Stage>) -> Run {
        let mut statuses = Vec::new();
        let mut late = false;
        for stage in stages {
            statuses.push(match stage {
                Stage::Ended(status) => status,
                Stage::Runs(child) => match self.wait_for(&child) {
                    Ok(status) => status,
                    Err(_) => {
                        late = true;
                        124
                    }
                },
            });
        }
        if late {
            return Err(Flow::TimedOut);
        }
        let last = statuses.last().copied().unwrap_or(0);
        let failed = statuses.iter().rev().copied().find(|status| *status != 0);
        let status = if self.state.has(PIPEFAIL) { failed.unwrap_or(0) } else { last };
        self.state.pipe = statuses;
        Ok(status)
    }

    /// Begins a stage that is not the last, and gives what the next one reads.
    fn start_stage(&mut self, command: &ast::Command, mut io: Io) -> Result<(Stage, Rc<Input>), Flow> {
        if self.gives_little(command) {
            return self.run_small_stage(command, io);
        }
        let (output, input) = match system::pipe() {
            Ok(ends) => ends,
            Err(fault) => {
                self.complain(&format!("pipe: {fault}"));
                return Err(Flow::Discard(1));
            }
        };
        io.set(1, Fd::Out(Rc::new(output)));
        let stage = self.start_command(command, io)?;
        Ok((stage, Rc::new(input)))
    }

    /// Whether it is a builtin that ends by itself and gives no more than memory holds.
    fn gives_little(&self, command: &ast::Command) -> bool {
        let ast::Command::Simple(simple) = command else { return false };
        let Some(word) = &simple.word_or_name else { return true };
        builtins::ends_by_itself(&word.value) && !self.state.functions.contains_key(&word.value)
    }

    fn run_small_stage(&mut self, command: &ast::Command, mut io: Io) -> Result<(Stage, Rc<Input>), Flow> {
        let made = Capture::new(BUILTIN_BYTES_MAX).and_then(|capture| Ok((capture.output(0)?, capture)));
        let Ok((output, capture)) = made else { return Err(Flow::Discard(1)) };
        io.set(1, Fd::Out(Rc::new(output)));
        let status = self.in_subshell(io, |shell| shell.run_command(command))?;
        if capture.dropped() > 0 {
            self.complain("a builtin wrote more into a pipe than memory holds");
            return Err(Flow::Discard(1));
        }
        match crate::scratch::input_of(&capture.take().bytes) {
            Ok(input) => Ok((Stage::Ended(status), Rc::new(input))),
            Err(fault) => {
                self.complain(&format!("pipe: {fault}"));
                Err(Flow::Discard(1))
            }
        }
    }

    /// The last stage: a program is started, all else runs in place on a copy of the state.
    fn last_stage(&mut self, command: &ast::Command, io: Io) -> Result<Stage, Flow> {
        if self.state.shopt(LASTPIPE) {
            let was = std::mem::replace(&mut self.io, io);
            let done = self.run_command(command);
            self.io = was;
            return Ok(Stage::Ended(done?));
        }
        Ok(Stage::Ended(self.in_subshell(io, |shell| shell.run_command(command))?))
    }

    /// Starts a command as a process: a program itself, all else as a shell.
    fn start_command(&mut self, command: &ast::Command, io: Io) -> Result<Stage, Flow> {
        let mut started = None;
        let ended = {
            let state = self.state.clone();
            let io = std::mem::replace(&mut self.io, io);
            let done = self.start_in(command, &mut started);
            self.state = state;
            self.io = io;
            done
        };
        match (started, ended) {
            (Some(child), _) => Ok(Stage::Runs(child)),
            (None, Ok(status) | Err(Flow::Exit(status) | Flow::Discard(status))) => Ok(Stage::Ended(status)),
            (None, Err(flow)) => Err(flow),
        }
    }

    fn start_in(&mut self, command: &ast::Command, started: &mut Option<Child>) -> Run {
        let keep = |result: Result<Child, i32>, started: &mut Option<Child>| match result {
            Ok(child) => {
                *started = Some(child);
                Ok(0)
            }
            Err(status) => Ok(status),
        };
        let ast::Command::Simple(simple) = command else {
            let result = self.start_shell(Job::Command(command.clone()));
            return keep(result, started);
        };
        let parts = parts(simple);
        self.note_line(simple, &parts);
        let declares = simple.word_or_name.as_ref().is_some_and(|word| builtins::takes_assignments(&word.value));
        // A shell of its own waits for what reads and writes beside the command, and tidies up.
        if declares || parts.words.is_empty() || parts.substitutes_processes() {
            let result = self.start_shell(Job::Command(command.clone()));
            return keep(result, started);
        }
        let args = self.expand_args(&parts.words)?;
        self.with_redirect_refs(&parts.redirects, |shell| {
            if args.is_empty() {
                return Ok(shell.substituted.unwrap_or(0));
            }
            shell.assign_for_a_while(&parts.assignments)?;
            let result = match shell.who(&args[0]) {
                Who::Program => {
                    let env = shell.environment();
                    shell.start_program(&args, env)
                }
                _ => shell.start_shell(Job::Args(args.clone())),
            };
            keep(result, started)
        })
    }

    /// `… &`.
    #[inline(never)]
    pub(crate) fn start_in_background(&mut self, list: &ast::AndOrList) -> Run {
        let mut io = self.io.clone();
        io.set(0, Fd::In(Rc::new(Input::empty())));
        let single = match list.first.seq.as_slice() {
            [command] if list.additional.is_empty() && !list.first.bang => Some(command),
            _ => None,
        };
        self.beside = true;
        let stage = match single {
            Some(command) => self.start_command(command, io),
            None => {
                let was = std::mem::replace(&mut self.io, io);
                let started = self.start_shell(Job::AndOr(list.clone()));
                self.io = was;
                Ok(started.map_or_else(Stage::Ended, Stage::Runs))
            }
        };
        self.beside = false;
        match stage? {
            Stage::Runs(child) => self.add_job(child, list.to_string()),
            Stage::Ended(status) => self.add_ended_job(status, list.to_string()),
        }
        Ok(0)
    }

    /// `coproc`: a job whose input and output this shell holds the other ends of.
    pub(crate) fn run_coprocess(&mut self, command: &ast::CoprocessCommand) -> Run {
        let (Ok((to, input)), Ok((output, from))) = (system::pipe(), system::pipe()) else {
            return self.fail("coproc: no pipe can be made");
        };
        let mut io = self.io.clone();
        io.set(0, Fd::In(Rc::new(input)));
        io.set(1, Fd::Out(Rc::new(output)));
        let was = std::mem::replace(&mut self.io, io);
        self.beside = true;
        let started = self.start_shell(Job::Command((*command.body).clone()));
        self.beside = false;
        self.io = was;
        let child = match started {
            Ok(child) => child,
            Err(status) => return Ok(status),
        };
        let name = command.name.as_ref().map_or("COPROC", |name| name.value.as_str()).to_owned();
        let mut numbers = Vec::new();
        for fd in [Fd::In(Rc::new(from)), Fd::Out(Rc::new(to))] {
            let number = self.io.free();
            self.io.set(number, fd);
            numbers.push(number.to_string());
        }
        self.set_list(&name, numbers);
        self.set_own(&format!("{name}_PID"), child.id().to_string());
        self.add_job(child, command.to_string());
        Ok(0)
    }

    /// Starts a list whose output is read, or whose input is written: `< <(…)`, `> >(…)`.
    pub(crate) fn start_list(&mut self, list: &ast::CompoundList, io: Io) -> Result<Child, i32> {
        let was = std::mem::replace(&mut self.io, io);
        let started = self.start_shell(Job::List(list.clone()));
        self.io = was;
        started
    }
}

/// Ends what was begun of a pipeline whose time is over.
fn end_stages(stages: &[Stage], flow: Flow) {
    for stage in stages {
        if let (Stage::Runs(child), Flow::TimedOut) = (stage, flow) {
            child.kill(9);
        }
    }
}

/// Writes a time as `TIMEFORMAT` asks. What a program used of the processor is not known: it is 0.
fn timed(format: &str, real: f64) -> String {
    let mut text = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut next = rest.next();
        let mut places = 3;
        if let Some(digit) = next.and_then(|c| c.to_digit(10)) {
            places = digit.min(3) as usize;
            next = rest.next();
        }
        let minutes = next == Some('l');
        if minutes {
            next = rest.next();
        }
        let seconds = match next {
            Some('R') => real,
            Some('U' | 'S') => 0.0,
            Some('P') => {
                text.push_str("0.00");
                continue;
            }
            other => {
                text.extend(other);
                continue;
            }
        };
        if minutes {
            let whole = (seconds / 60.0).floor();
            text += &format!("{whole:.0}m{:.places$}s", seconds - whole * 60.0);
        } else {
            text += &format!("{seconds:.places$}");
        }
    }
    text
}
