//! Running commands.

pub(crate) mod compound;
pub(crate) mod condition;
pub(crate) mod function;
pub(crate) mod jobs;
pub(crate) mod pipeline;
pub(crate) mod redirect;
pub(crate) mod simple;
pub(crate) mod subshell;

use crate::shell::{Flow, Run, Shell, takes};
use crate::source;
use crate::state::{ERREXIT, NOEXEC};
use brush_parser::ast::{self, AndOr, CompoundListItem, SeparatorOperator};

impl Shell {
    /// Runs a script's text to its end; says what it ended with. `exit` and errors of
    /// expansion go out as they are.
    pub(crate) fn run_text(&mut self, text: &str) -> Run {
        match self.parse(text) {
            Ok(program) => self.run_program(&program),
            Err(error) => {
                let (line, complaint) = source::complaint(text, &error);
                if let Some(part) = source::readable_part(text, &error)
                    && let Ok(program) = self.parse(part)
                {
                    self.run_program(&program)?;
                }
                self.state.line = line;
                self.complain(&complaint);
                self.state.status = 2;
                Ok(2)
            }
        }
    }

    fn run_program(&mut self, program: &ast::Program) -> Run {
        for list in &program.complete_commands {
            match self.run_list(list) {
                // What is wrong with one line of a text is not wrong with the next; a subshell ends with it.
                Err(Flow::Discard(status)) if self.state.subshell == 0 => self.state.status = status,
                Err(flow) => return Err(flow),
                Ok(_) => {}
            }
        }
        Ok(self.state.status)
    }

    pub(crate) fn run_list(&mut self, list: &ast::CompoundList) -> Run {
        for CompoundListItem(and_or, separator) in &list.0 {
            self.check_time()?;
            self.run_traps()?;
            if self.state.has(NOEXEC) {
                continue;
            }
            if matches!(separator, SeparatorOperator::Async) {
                self.state.status = self.start_in_background(and_or)?;
            } else {
                self.run_and_or(and_or)?;
            }
        }
        Ok(self.state.status)
    }

    fn run_and_or(&mut self, list: &ast::AndOrList) -> Run {
        let last = list.additional.len();
        self.run_counted(&list.first, last > 0)?;
        for (at, next) in list.additional.iter().enumerate() {
            let (wanted, pipeline) = match next {
                AndOr::And(pipeline) => (true, pipeline),
                AndOr::Or(pipeline) => (false, pipeline),
            };
            if (self.state.status == 0) == wanted {
                self.run_counted(pipeline, at + 1 < last)?;
            }
        }
        Ok(self.state.status)
    }

    /// Runs a pipeline of a list. What stands before `&&` or `||`, or after `!`, may fail.
    fn run_counted(&mut self, pipeline: &ast::Pipeline, may_fail: bool) -> Result<(), Flow> {
        let may_fail = may_fail || pipeline.bang;
        self.state.in_condition += u32::from(may_fail);
        let done = self.run_pipeline(pipeline);
        self.state.in_condition -= u32::from(may_fail);
        self.state.status = done?;
        if self.state.status != 0 && !may_fail && !exempt(pipeline) {
            self.failed()?;
        }
        Ok(())
    }

    /// A command failed where that counts.
    #[inline(never)]
    fn failed(&mut self) -> Result<(), Flow> {
        if self.state.in_condition > 0 {
            return Ok(());
        }
        let status = self.state.status;
        if !self.in_trap
            && let Some(command) = self.state.traps.get("ERR").cloned()
        {
            self.run_trap(&command)?;
            self.state.status = status;
        }
        if self.state.has(ERREXIT) { Err(Flow::Exit(status)) } else { Ok(()) }
    }

    /// Runs a list whose failure is an answer.
    pub(crate) fn run_condition(&mut self, list: &ast::CompoundList) -> Result<bool, Flow> {
        self.state.in_condition += 1;
        let done = self.run_list(list);
        self.state.in_condition -= 1;
        Ok(done? == 0)
    }

    pub(crate) fn run_command(&mut self, command: &ast::Command) -> Run {
        match command {
            ast::Command::Simple(simple) => self.run_simple(simple),
            ast::Command::Compound(compound, redirects) => {
                if self.is_deep() {
                    return self.refuse_depth();
                }
                self.depth += takes::COMPOUND;
                let done = self.with_redirects(redirects.as_ref(), |shell| shell.run_compound(compound));
                self.depth -= takes::COMPOUND;
                done
            }
            ast::Command::Function(definition) => self.define(definition),
            ast::Command::ExtendedTest(test, redirects) => {
                self.state.line = test.loc.start.line;
                self.before(|| format!("[[ {test} ]]"))?;
                self.with_redirects(redirects.as_ref(), |shell| shell.run_extended_test(&test.expr))
            }
        }
    }

    /// Notes what is carried out, for `$BASH_COMMAND`: asked for only where a trap could.
    // Out of line: its callers are on the stack once for each level of functions.
    #[inline(never)]
    pub(crate) fn note_command(&mut self, text: impl FnOnce() -> String) {
        if !self.in_trap && self.state.notes_commands {
            self.set_own("BASH_COMMAND", text());
        }
    }

    /// Runs the trap DEBUG before a command.
    pub(crate) fn before(&mut self, text: impl FnOnce() -> String) -> Result<(), Flow> {
        self.note_command(text);
        self.run_own_trap("DEBUG")
    }

    /// Runs the trap of one of the shell's own events, if there is one.
    #[inline(never)]
    pub(crate) fn run_own_trap(&mut self, name: &str) -> Result<(), Flow> {
        if self.in_trap || self.state.traps.is_empty() {
            return Ok(());
        }
        let Some(command) = self.state.traps.get(name).filter(|command| !command.is_empty()).cloned() else {
            return Ok(());
        };
        let (pipe, line) = (self.state.pipe.clone(), self.state.line);
        let done = self.run_trap(&command);
        (self.state.pipe, self.state.line) = (pipe, line);
        done
    }

    /// Runs a trap's command. `$?` is again what it was.
    pub(crate) fn run_trap(&mut self, command: &str) -> Result<(), Flow> {
        let status = self.state.status;
        let was = std::mem::replace(&mut self.in_trap, true);
        let done = self.run_text(command);
        self.in_trap = was;
        done?;
        self.state.status = status;
        Ok(())
    }

    /// Runs the traps of signals that came.
    #[inline(never)]
    fn run_traps(&mut self) -> Result<(), Flow> {
        if !self.in_trap {
            self.look_for_signals()?;
        }
        for signal in std::mem::take(&mut self.jobs.pending) {
            if let Some(command) = self.state.traps.get(&signal).cloned() {
                self.run_trap(&command)?;
            }
        }
        Ok(())
    }

    /// Runs the trap of the shell's end; gives the status to end with.
    pub(crate) fn finish(&mut self, done: Run) -> Result<i32, Flow> {
        let done = done.and_then(|status| self.run_traps().map(|()| status));
        let status = match done {
            Ok(status) | Err(Flow::Exit(status) | Flow::Discard(status) | Flow::Return(status)) => status,
            Err(Flow::Break(_) | Flow::Continue(_)) => self.state.status,
            Err(Flow::TimedOut) => return Err(Flow::TimedOut),
        };
        let Some(command) = self.state.traps.get("EXIT").cloned() else { return Ok(status) };
        std::rc::Rc::make_mut(&mut self.state.traps).remove("EXIT");
        self.state.status = status;
        self.state.in_condition = 0;
        // `$BASH_COMMAND` stays what was run last.
        self.state.notes_commands = false;
        match self.run_text(&command) {
            Err(Flow::Exit(status)) => Ok(status),
            Err(Flow::TimedOut) => Err(Flow::TimedOut),
            _ => Ok(status),
        }
    }
}

/// Whether a failure of this was counted where it happened: inside of a compound command.
fn exempt(pipeline: &ast::Pipeline) -> bool {
    use ast::{Command, CompoundCommand as C};
    let [Command::Compound(compound, _)] = pipeline.seq.as_slice() else { return false };
    !matches!(compound, C::Arithmetic(_) | C::Subshell(_))
}
