//! Runs statements, and a program from its start to its end.

use super::Problem;
use super::interpret::{Halt, Interpreter, Slot};
use super::output::Opening;
use super::syntax::{Expr, OFMT, OFS, ORS, Pattern, Statement, Target};
use super::value::Value;
use std::rc::Rc;

/// What comes after a statement.
pub(super) enum Flow {
    Go,
    Break,
    Continue,
    Return(Value),
}

impl Interpreter<'_> {
    /// Runs the program over its input.
    pub(super) fn run(&mut self) -> Result<(), Halt> {
        let program = self.program;
        let begun = self.blocks(&program.begin);
        let exits = match begun {
            Ok(()) if program.rules.is_empty() && program.end.is_empty() => return Ok(()),
            Ok(()) => self.records(),
            other => other,
        };
        match exits {
            Ok(()) | Err(Halt::Exit) => {}
            Err(halt) => return Err(halt),
        }
        self.blocks(&program.end)
    }

    fn blocks(&mut self, blocks: &[Vec<Statement>]) -> Result<(), Halt> {
        for block in blocks {
            match self.statements(block) {
                Err(Halt::Next | Halt::NextFile) => {
                    return Err(Problem("next is used in BEGIN or END".to_owned()).into());
                }
                other => other?,
            };
        }
        Ok(())
    }

    fn records(&mut self) -> Result<(), Halt> {
        while let Some(record) = self.next_record()? {
            self.count(true);
            self.set_record(Rc::from(record));
            match self.rules() {
                Ok(()) | Err(Halt::Next) => {}
                Err(Halt::NextFile) => self.inputs.skip_file(),
                Err(halt) => return Err(halt),
            }
        }
        Ok(())
    }

    fn rules(&mut self) -> Result<(), Halt> {
        let program = self.program;
        for (pattern, action) in &program.rules {
            if !self.applies(pattern)? {
                continue;
            }
            match action {
                Some(statements) => {
                    self.statements(statements)?;
                }
                None => self.print(&[], &Target::Output)?,
            }
        }
        Ok(())
    }

    fn applies(&mut self, pattern: &Pattern) -> Result<bool, Halt> {
        match pattern {
            Pattern::Always => Ok(true),
            Pattern::When(expr) => Ok(self.eval(expr)?.truth()),
            Pattern::Range(first, last, place) => {
                if !self.ranges[*place] && !self.eval(first)?.truth() {
                    return Ok(false);
                }
                self.ranges[*place] = !self.eval(last)?.truth();
                Ok(true)
            }
        }
    }

    pub(super) fn function_body(&mut self, body: &[Statement]) -> Result<Value, Halt> {
        match self.statements(body)? {
            Flow::Return(value) => Ok(value),
            _ => Ok(Value::Unset),
        }
    }

    fn statements(&mut self, statements: &[Statement]) -> Result<Flow, Halt> {
        for statement in statements {
            match self.statement(statement)? {
                Flow::Go => {}
                other => return Ok(other),
            }
        }
        Ok(Flow::Go)
    }

    fn statement(&mut self, statement: &Statement) -> Result<Flow, Halt> {
        match statement {
            Statement::Expr(expr) => {
                self.eval(expr)?;
            }
            Statement::Print(values, target) => self.print(values, target)?,
            Statement::Printf(values, target) => {
                let text = self.formatted(values)?;
                self.write(&text, target)?;
            }
            Statement::If(condition, then, otherwise) => {
                if self.eval(condition)?.truth() {
                    return self.statement(then);
                }
                if let Some(otherwise) = otherwise {
                    return self.statement(otherwise);
                }
            }
            Statement::While(condition, body) => {
                while self.eval(condition)?.truth() {
                    match self.statement(body)? {
                        Flow::Break => break,
                        Flow::Return(value) => return Ok(Flow::Return(value)),
                        _ => {}
                    }
                }
            }
            Statement::DoWhile(body, condition) => loop {
                match self.statement(body)? {
                    Flow::Break => break,
                    Flow::Return(value) => return Ok(Flow::Return(value)),
                    _ => {}
                }
                if !self.eval(condition)?.truth() {
                    break;
                }
            },
            Statement::For(start, condition, step, body) => {
                return self.counted(start.as_deref(), condition.as_ref(), step.as_deref(), body);
            }
            Statement::ForIn(name, array, body) => {
                let keys: Vec<_> = self.array(*array)?.borrow().keys().cloned().collect();
                for key in keys {
                    self.set_variable(*name, Value::Read(key));
                    if let flow @ (Flow::Break | Flow::Return(_)) = self.statement(body)? {
                        return Ok(if matches!(flow, Flow::Break) { Flow::Go } else { flow });
                    }
                }
            }
            Statement::Block(statements) => return self.statements(statements),
            Statement::Next => return Err(Halt::Next),
            Statement::NextFile => return Err(Halt::NextFile),
            Statement::Exit(status) => return self.leave(status.as_ref()),
            Statement::Return(value) => {
                let value = value.as_ref().map_or(Ok(Value::Unset), |value| self.eval(value))?;
                return Ok(Flow::Return(value));
            }
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Delete(array, index) if index.is_empty() => self.array(*array)?.borrow_mut().clear(),
            Statement::Delete(array, index) => {
                let key = self.key(index)?;
                self.array(*array)?.borrow_mut().shift_remove(&key);
            }
        }
        Ok(Flow::Go)
    }

    fn leave(&mut self, status: Option<&Expr>) -> Result<Flow, Halt> {
        if let Some(status) = status {
            #[expect(clippy::cast_possible_truncation, reason = "cut to a byte later")]
            let status = self.eval(status)?.number() as i32;
            self.exit = status;
        }
        Err(Halt::Exit)
    }

    fn counted(
        &mut self,
        start: Option<&Statement>,
        condition: Option<&Expr>,
        step: Option<&Statement>,
        body: &Statement,
    ) -> Result<Flow, Halt> {
        if let Some(start) = start {
            self.statement(start)?;
        }
        loop {
            if let Some(condition) = condition
                && !self.eval(condition)?.truth()
            {
                break;
            }
            match self.statement(body)? {
                Flow::Break => break,
                Flow::Return(value) => return Ok(Flow::Return(value)),
                _ => {}
            }
            if let Some(step) = step {
                self.statement(step)?;
            }
        }
        Ok(Flow::Go)
    }

    fn print(&mut self, values: &[Expr], target: &Target) -> Result<(), Halt> {
        let mut line = Vec::new();
        if values.is_empty() {
            line.extend_from_slice(&self.record.text());
        }
        for (place, value) in values.iter().enumerate() {
            if place > 0 {
                line.extend_from_slice(&self.special(OFS));
            }
            match self.eval(value)? {
                Value::Number(number) if number != number.trunc() => {
                    let form = String::from_utf8_lossy(&self.special(OFMT)).into_owned();
                    line.extend_from_slice(&Value::Number(number).text(&form));
                }
                value => line.extend_from_slice(&value.text("%.6g")),
            }
        }
        line.extend_from_slice(&self.special(ORS));
        self.write(&line, target)
    }

    pub(super) fn formatted(&mut self, values: &[Expr]) -> Result<Vec<u8>, Halt> {
        let mut evaluated = Vec::with_capacity(values.len());
        for value in values {
            evaluated.push(self.eval(value)?);
        }
        let form = self.form();
        let Some((text, rest)) = evaluated.split_first() else {
            return Ok(Vec::new());
        };
        let text = text.text(&form);
        super::format::format(&text, rest, &form).ok_or_else(|| {
            let shown = String::from_utf8_lossy(&text).into_owned();
            Halt::Problem(Problem(format!("not enough arguments to satisfy format string `{shown}'")))
        })
    }

    fn write(&mut self, bytes: &[u8], target: &Target) -> Result<(), Halt> {
        let (name, how) = match target {
            Target::Output => return Ok(self.outputs.print(bytes)?),
            Target::File(name) => (name, Opening::Anew),
            Target::Append(name) => (name, Opening::Append),
            Target::Command(name) => (name, Opening::Command),
        };
        let name = self.eval(name)?;
        let name = String::from_utf8_lossy(&self.text(&name)).into_owned();
        Ok(self.outputs.print_to(&name, how, bytes)?)
    }

    pub(super) fn set_special(&mut self, place: usize, value: f64) {
        self.globals[place] = Slot::Value(Value::Number(value));
    }
}
