//! Runs what `bc` reads.

use super::number::Number;
use super::parse::{Expr, Function, Item, Parser, Place, Statement, Wrong};
use super::{complain, series};
use std::collections::HashMap;
use std::io::{BufWriter, Write};
use std::rc::Rc;

/// Functions call each other so deep at most.
const DEPTH_MAX: usize = 400;
/// A line of output is broken before it is longer, unless the environment says otherwise.
const LINE: usize = 70;

/// Why a line is left.
enum Halt {
    Break,
    Continue,
    Return(Number),
    Quit,
    Error(String),
}

type Run<T> = Result<T, Halt>;

pub(super) struct Machine {
    out: BufWriter<crate::output::Output>,
    failed: bool,
    variables: HashMap<String, Number>,
    arrays: HashMap<String, HashMap<usize, Number>>,
    functions: HashMap<String, Rc<Function>>,
    scale: usize,
    input: usize,
    output: usize,
    last: Number,
    depth: usize,
    library: bool,
    width: usize,
    column: usize,
}

fn error<T>(text: &str) -> Run<T> {
    Err(Halt::Error(text.to_owned()))
}

impl Machine {
    pub(super) fn new(library: bool) -> Self {
        let width = std::env::var("BC_LINE_LENGTH").ok().and_then(|width| width.parse().ok()).unwrap_or(LINE);
        Self {
            out: BufWriter::new(crate::output::stdout()),
            failed: false,
            variables: HashMap::new(),
            arrays: HashMap::new(),
            functions: HashMap::new(),
            scale: if library { 20 } else { 0 },
            input: 10,
            output: 10,
            last: Number::of(0),
            depth: 0,
            library,
            width,
            column: 0,
        }
    }

    pub(super) fn end(&mut self) -> u8 {
        let flushed = self.out.flush().is_ok();
        u8::from(self.failed || !flushed)
    }

    /// Runs a text, line by line. False if it said to leave.
    pub(super) fn run(&mut self, text: &str) -> bool {
        let mut parser = Parser::new(text);
        while let Some(line) = parser.line() {
            let statements = match line {
                Ok(statements) => statements,
                Err(Wrong(line)) => {
                    complain(&format!("(standard_in) {line}: syntax error"));
                    continue;
                }
            };
            if statements.contains(&Statement::Quit) {
                return false;
            }
            match self.all(&statements) {
                Err(Halt::Quit) => return false,
                Err(Halt::Error(text)) => {
                    self.depth = 0;
                    complain(&format!("Runtime error (func=(main), adr=0): {text}"));
                }
                _ => {}
            }
        }
        true
    }

    fn all(&mut self, statements: &[Statement]) -> Run<()> {
        statements.iter().try_for_each(|statement| self.statement(statement))
    }

    fn write(&mut self, text: &str) {
        self.failed |= self.out.write_all(text.as_bytes()).is_err();
    }

    /// Writes a number, broken where the line would be too long.
    fn write_number(&mut self, number: &Number) {
        let shown = number.shown(self.output);
        let mut out = String::with_capacity(shown.len());
        for character in shown.chars() {
            self.column += 1;
            if self.width > 2 && self.column == self.width - 1 {
                out.push_str("\\\n");
                self.column = 1;
            }
            out.push(character);
        }
        self.write(&out);
    }

    fn statement(&mut self, statement: &Statement) -> Run<()> {
        match statement {
            Statement::Expr(expr) => {
                let value = self.eval(expr)?;
                if !matches!(expr, Expr::Assign(..)) {
                    self.write_number(&value);
                    self.write("\n");
                    self.column = 0;
                    self.last = value;
                }
            }
            Statement::String(text) => self.write(text),
            Statement::Print(items) => {
                for item in items {
                    match item {
                        Item::Text(text) => self.write(&escaped(text)),
                        Item::Value(expr) => {
                            let value = self.eval(expr)?;
                            self.write_number(&value);
                            self.last = value;
                        }
                    }
                }
                self.column = 0;
            }
            Statement::If(condition, then, otherwise) => {
                if !self.eval(condition)?.is_zero() {
                    self.statement(then)?;
                } else if let Some(otherwise) = otherwise {
                    self.statement(otherwise)?;
                }
            }
            Statement::While(condition, body) => self.looped(Some(condition), None, body)?,
            Statement::For(start, condition, step, body) => {
                if let Some(start) = start {
                    self.eval(start)?;
                }
                self.looped(condition.as_ref(), step.as_ref(), body)?;
            }
            Statement::Block(statements) => self.all(statements)?,
            Statement::Define(name, function) => {
                self.functions.insert(name.clone(), Rc::new(function.clone()));
            }
            Statement::Return(value) => {
                let value = value.as_ref().map_or(Ok(Number::of(0)), |value| self.eval(value))?;
                return Err(Halt::Return(value));
            }
            Statement::Break => return Err(Halt::Break),
            Statement::Continue => return Err(Halt::Continue),
            Statement::Quit | Statement::Halt => return Err(Halt::Quit),
        }
        Ok(())
    }

    fn looped(&mut self, condition: Option<&Expr>, step: Option<&Expr>, body: &Statement) -> Run<()> {
        loop {
            if let Some(condition) = condition
                && self.eval(condition)?.is_zero()
            {
                return Ok(());
            }
            match self.statement(body) {
                Ok(()) | Err(Halt::Continue) => {}
                Err(Halt::Break) => return Ok(()),
                Err(halt) => return Err(halt),
            }
            if let Some(step) = step {
                self.eval(step)?;
            }
        }
    }

    fn eval(&mut self, expr: &Expr) -> Run<Number> {
        match expr {
            Expr::Number(digits) => Ok(Number::parse(digits, self.input)),
            Expr::Place(place) => self.get(place),
            Expr::Assign(place, operator, value) => {
                let value = self.eval(value)?;
                let value = match operator {
                    Some(operator) => {
                        let before = self.get(place)?;
                        self.arithmetic(*operator, &before, &value)?
                    }
                    None => value,
                };
                self.set(place, value)
            }
            Expr::Step { place, up, old } => {
                let before = self.get(place)?;
                let one = Number::of(1);
                let after = if *up { before.add(&one) } else { before.subtract(&one) };
                let after = self.set(place, after)?;
                Ok(if *old { before } else { after })
            }
            Expr::Negate(inner) => Ok(self.eval(inner)?.negated()),
            Expr::Not(inner) => Ok(Number::truth(self.eval(inner)?.is_zero())),
            Expr::Arithmetic(sign, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                self.arithmetic(*sign, &left, &right)
            }
            Expr::Compare(sign, left, right) => {
                let order = self.eval(left)?.compare(&self.eval(right)?);
                Ok(Number::truth(match *sign {
                    "==" => order.is_eq(),
                    "!=" => order.is_ne(),
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    ">" => order.is_gt(),
                    _ => order.is_ge(),
                }))
            }
            Expr::And(left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                Ok(Number::truth(!left.is_zero() && !right.is_zero()))
            }
            Expr::Or(left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                Ok(Number::truth(!left.is_zero() || !right.is_zero()))
            }
            Expr::Call(name, values) => self.call(name, values),
        }
    }

    fn arithmetic(&self, sign: char, left: &Number, right: &Number) -> Run<Number> {
        let done = match sign {
            '+' => Some(left.add(right)),
            '-' => Some(left.subtract(right)),
            '*' => Some(left.multiply(right, self.scale)),
            '/' => left.divide(right, self.scale),
            '%' => left.remainder(right, self.scale),
            _ => left.power(&right.whole(), self.scale),
        };
        done.map_or_else(|| error("Divide by zero"), Ok)
    }

    fn get(&mut self, place: &Place) -> Run<Number> {
        Ok(match place {
            Place::Variable(name) => match name.as_str() {
                "scale" => Number::of(self.scale),
                "ibase" => Number::of(self.input),
                "obase" => Number::of(self.output),
                "last" => self.last.clone(),
                name => self.variables.get(name).cloned().unwrap_or_else(|| Number::of(0)),
            },
            Place::Element(name, index) => {
                let index = self.index(index)?;
                let found = self.arrays.get(name).and_then(|array| array.get(&index));
                found.cloned().unwrap_or_else(|| Number::of(0))
            }
        })
    }

    fn index(&mut self, index: &Expr) -> Run<usize> {
        self.eval(index)?.to_usize().map_or_else(|| error("Array subscript out of bounds."), Ok)
    }

    fn set(&mut self, place: &Place, value: Number) -> Run<Number> {
        match place {
            Place::Variable(name) => match name.as_str() {
                "scale" => self.scale = value.to_usize().unwrap_or(0),
                "ibase" => self.input = value.to_usize().unwrap_or(2).clamp(2, 16),
                "obase" => self.output = value.to_usize().unwrap_or(2).max(2),
                "last" => self.last = value.clone(),
                name => {
                    self.variables.insert(name.to_owned(), value.clone());
                }
            },
            Place::Element(name, index) => {
                let index = self.index(index)?;
                self.arrays.entry(name.clone()).or_default().insert(index, value.clone());
            }
        }
        Ok(value)
    }

    fn call(&mut self, name: &str, values: &[Expr]) -> Run<Number> {
        if let Some(function) = self.functions.get(name).cloned() {
            return self.own(&function, values);
        }
        let [value] = values else { return error(&format!("Function {name} not defined.")) };
        let value = self.eval(value)?;
        let library = self.library;
        let done = match name {
            "+" => Some(value),
            "length" => Some(Number::of(value.length())),
            "scale" => Some(Number::of(value.scale)),
            "sqrt" => match value.root(self.scale) {
                Some(root) => Some(root),
                None => return error("Square root of a negative number"),
            },
            "s" if library => Some(series::sine(&value, self.scale)),
            "c" if library => Some(series::cosine(&value, self.scale)),
            "a" if library => Some(series::arctangent(&value, self.scale)),
            "e" if library => series::exponential(&value, self.scale),
            "l" if library => Some(series::logarithm(&value, self.scale).unwrap_or_else(|| self.smallest())),
            _ => None,
        };
        done.map_or_else(|| error(&format!("Function {name} not defined.")), Ok)
    }

    /// What `bc` gives for a logarithm that does not exist: (1 - 10^scale).
    fn smallest(&self) -> Number {
        Number::of(1).subtract(&Number::new(super::number::ten(self.scale), 0)).scaled(self.scale)
    }

    fn own(&mut self, function: &Function, values: &[Expr]) -> Run<Number> {
        if values.len() != function.parameters.len() {
            return error("Parameter number mismatch");
        }
        if self.depth >= DEPTH_MAX {
            return error("functions call each other too deep");
        }
        let mut saved = Vec::new();
        let mut given = Vec::new();
        for (name, value) in function.parameters.iter().zip(values) {
            match (name.strip_suffix("[]"), value) {
                (Some(_), Expr::Place(Place::Variable(from))) => {
                    let from = from.trim_end_matches("[]");
                    given.push((name.clone(), None, self.arrays.get(from).cloned().unwrap_or_default()));
                }
                _ => given.push((name.clone(), Some(self.eval(value)?), HashMap::new())),
            }
        }
        let own = function.own.iter().map(|name| (name.clone(), Some(Number::of(0)), HashMap::new()));
        for (name, value, array) in given.into_iter().chain(own) {
            if let Some(name) = name.strip_suffix("[]") {
                saved.push((name.to_owned(), None, self.arrays.insert(name.to_owned(), array)));
            } else if let Some(value) = value {
                saved.push((name.clone(), self.variables.insert(name, value), None));
            }
        }
        self.depth += 1;
        let done = self.all(&function.body);
        self.depth = self.depth.saturating_sub(1);
        for (name, value, array) in saved.into_iter().rev() {
            match (value, array) {
                (Some(value), _) => drop(self.variables.insert(name, value)),
                (None, Some(array)) => drop(self.arrays.insert(name, array)),
                (None, None) => {
                    self.variables.remove(&name);
                }
            }
        }
        match done {
            Ok(()) => Ok(Number::of(0)),
            Err(Halt::Return(value)) => Ok(value),
            Err(halt) => Err(halt),
        }
    }
}

/// The escapes of `print`.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next() {
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('q') => out.push('"'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('\\') | None => out.push('\\'),
            Some(_) => {}
        }
    }
    out
}
