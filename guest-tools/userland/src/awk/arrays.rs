//! Which parameters of functions are arrays: found before anything runs, so that a call
//! can hand one over that nobody has put anything in.

use super::syntax::{Expr, Place, Program, Source, Statement, Target};

/// Marks parameters that are used as arrays, in the functions that use them or hand them
/// on, and the arguments that are arrays.
pub(super) fn infer(program: &mut Program) {
    loop {
        let known = known(program);
        for function in &mut program.functions {
            let mut finder = Finder { known: &known, arrays: std::mem::take(&mut function.arrays) };
            finder.statements(&mut function.body);
            function.arrays = finder.arrays;
        }
        if known == self::known(program) {
            break;
        }
    }
    let known = known(program);
    let mut finder = Finder { known: &known, arrays: Vec::new() };
    program.begin.iter_mut().chain(&mut program.end).for_each(|block| finder.statements(block));
    for (pattern, action) in &mut program.rules {
        match pattern {
            super::syntax::Pattern::Always => {}
            super::syntax::Pattern::When(expr) => finder.expr(expr),
            super::syntax::Pattern::Range(first, last, _) => {
                finder.expr(first);
                finder.expr(last);
            }
        }
        action.iter_mut().for_each(|block| finder.statements(block));
    }
}

struct Finder<'a> {
    known: &'a [Vec<bool>],
    arrays: Vec<bool>,
}

fn known(program: &Program) -> Vec<Vec<bool>> {
    program.functions.iter().map(|function| function.arrays.clone()).collect()
}

impl Finder<'_> {
    fn mark(&mut self, place: Place) {
        if let Place::Local(place) = place
            && let Some(array) = self.arrays.get_mut(place)
        {
            *array = true;
        }
    }

    fn statements(&mut self, statements: &mut [Statement]) {
        statements.iter_mut().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &mut Statement) {
        match statement {
            Statement::Expr(expr) | Statement::Exit(Some(expr)) | Statement::Return(Some(expr)) => self.expr(expr),
            Statement::Print(values, target) | Statement::Printf(values, target) => {
                self.all(values);
                match target {
                    Target::Output => {}
                    Target::File(expr) | Target::Append(expr) | Target::Command(expr) => self.expr(expr),
                }
            }
            Statement::If(condition, then, otherwise) => {
                self.expr(condition);
                self.statement(then);
                otherwise.iter_mut().for_each(|otherwise| self.statement(otherwise));
            }
            Statement::While(condition, body) | Statement::DoWhile(body, condition) => {
                self.expr(condition);
                self.statement(body);
            }
            Statement::For(start, condition, step, body) => {
                start.iter_mut().chain(step).for_each(|statement| self.statement(statement));
                condition.iter_mut().for_each(|condition| self.expr(condition));
                self.statement(body);
            }
            Statement::ForIn(_, array, body) => {
                self.mark(*array);
                self.statement(body);
            }
            Statement::Block(statements) => self.statements(statements),
            Statement::Delete(array, index) => {
                self.mark(*array);
                self.all(index);
            }
            _ => {}
        }
    }

    fn all(&mut self, exprs: &mut [Expr]) {
        exprs.iter_mut().for_each(|expr| self.expr(expr));
    }

    /// An argument that is an array is said to be one.
    fn argument(&mut self, argument: &mut Expr, is_array: bool) {
        match argument {
            Expr::Variable(place) if is_array => {
                self.mark(*place);
                *argument = Expr::Array(*place);
            }
            Expr::Array(place) => self.mark(*place),
            _ => self.expr(argument),
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Number(_) | Expr::String(_) | Expr::Regex(_) | Expr::Variable(_) | Expr::Array(_) => {}
            Expr::Field(inner)
            | Expr::Step(_, inner)
            | Expr::Not(inner)
            | Expr::Negate(inner)
            | Expr::Number1(inner) => self.expr(inner),
            Expr::Element(place, index) | Expr::Contains(index, place) => {
                self.mark(*place);
                self.all(index);
            }
            Expr::Assign(_, left, right)
            | Expr::Or(left, right)
            | Expr::And(left, right)
            | Expr::Arithmetic(_, left, right)
            | Expr::Concat(left, right)
            | Expr::Compare(_, left, right)
            | Expr::Match { text: left, pattern: right, .. } => {
                self.expr(left);
                self.expr(right);
            }
            Expr::Choice(condition, yes, no) => [condition, yes, no].into_iter().for_each(|expr| self.expr(expr)),
            Expr::Call(function, arguments) => {
                let known = self.known;
                for (place, argument) in arguments.iter_mut().enumerate() {
                    let array = known.get(*function).and_then(|arrays| arrays.get(place)).copied();
                    self.argument(argument, array.unwrap_or(false));
                }
            }
            Expr::Builtin(builtin, arguments) => {
                for (place, argument) in arguments.iter_mut().enumerate() {
                    self.argument(argument, builtin.takes_array(place));
                }
            }
            Expr::Getline(source, target) => {
                target.iter_mut().for_each(|target| self.expr(target));
                if let Source::File(expr) | Source::Command(expr) = source {
                    self.expr(expr);
                }
            }
            Expr::Group(values) => self.all(values),
        }
    }
}
