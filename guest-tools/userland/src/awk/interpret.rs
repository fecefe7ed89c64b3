//! Runs a program: its variables, and the values of expressions.

use super::Problem;
use super::fields::Record;
use super::input::Inputs;
use super::output::Outputs;
use super::syntax::{
    Arithmetic, CONVFMT, Expr, FNR, FS, IGNORECASE, NF, NR, OFMT, OFS, ORS, Place, Program, RLENGTH, RS, SUBSEP,
    Source, Step,
};
use super::value::{Text, Value, holds};
use indexmap::IndexMap;
use regex::bytes::Regex;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

pub(super) type Array = IndexMap<Text, Value>;

/// What a variable holds.
#[derive(Clone, Debug)]
pub(super) enum Slot {
    Value(Value),
    Array(Rc<RefCell<Array>>),
}

/// Why a statement was left from within an expression.
#[derive(Debug)]
pub(super) enum Halt {
    Problem(Problem),
    Next,
    NextFile,
    Exit,
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// How deep functions may call each other: the stack of a component is small.
const DEPTH_MAX: usize = 1000;
/// How many regular expressions made from text are kept.
const REGEXES_MAX: usize = 200;

pub(super) struct Interpreter<'a> {
    pub(super) program: &'a Program,
    pub(super) globals: Vec<Slot>,
    pub(super) frames: Vec<Vec<Slot>>,
    pub(super) record: Record,
    pub(super) inputs: Inputs,
    pub(super) outputs: Outputs,
    pub(super) ranges: Vec<bool>,
    pub(super) exit: i32,
    pub(super) random: super::text::Random,
    regexes: HashMap<(Text, bool), Rc<Regex>>,
}

impl<'a> Interpreter<'a> {
    pub(super) fn new(program: &'a Program, operands: &[String]) -> Self {
        let mut interpreter = Self {
            program,
            globals: vec![Slot::Value(Value::Unset); program.globals.len()],
            frames: Vec::new(),
            record: Record::default(),
            inputs: Inputs::new(),
            outputs: Outputs::default(),
            ranges: vec![false; program.ranges],
            exit: 0,
            random: super::text::Random::default(),
            regexes: HashMap::new(),
        };
        for (place, text) in
            [(FS, " "), (OFS, " "), (ORS, "\n"), (RS, "\n"), (SUBSEP, "\x1c"), (CONVFMT, "%.6g"), (OFMT, "%.6g")]
        {
            interpreter.globals[place] = Slot::Value(Value::string(text));
        }
        interpreter.globals[NR] = Slot::Value(Value::Number(0.0));
        interpreter.globals[FNR] = Slot::Value(Value::Number(0.0));
        interpreter.globals[RLENGTH] = Slot::Value(Value::Number(-1.0));
        interpreter.fill(
            "ENVIRON",
            std::env::vars_os()
                .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())),
        );
        let names = std::iter::once("awk".to_owned()).chain(operands.iter().cloned());
        interpreter.fill("ARGV", names.enumerate().map(|(place, name)| (place.to_string(), name)));
        interpreter.inputs.operands = operands.to_vec();
        if let Some(place) = interpreter.global("ARGC") {
            #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
            let count = (operands.len() + 1) as f64;
            interpreter.globals[place] = Slot::Value(Value::Number(count));
        }
        interpreter
    }

    pub(super) fn global(&self, name: &str) -> Option<usize> {
        self.program.globals.iter().position(|global| global == name)
    }

    fn fill(&mut self, name: &str, values: impl Iterator<Item = (String, String)>) {
        if let Some(place) = self.global(name) {
            let array = values.map(|(key, value)| (Rc::from(key.as_bytes()), Value::read(value))).collect();
            self.globals[place] = Slot::Array(Rc::new(RefCell::new(array)));
        }
    }

    pub(super) fn set_separator(&mut self, text: &[u8]) {
        self.globals[FS] = Slot::Value(Value::string(text));
    }

    /// `name=value`, as given for `-v` and among the files. False if it is no such thing.
    pub(super) fn assign_text(&mut self, text: &str) -> bool {
        let Some((name, value)) = text.split_once('=') else {
            return false;
        };
        let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if !starts || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return false;
        }
        if let Some(place) = self.global(name) {
            let value = Value::read(super::tokens::unescape(value.as_bytes()));
            self.set_variable(Place::Global(place), value);
        }
        true
    }

    pub(super) fn status(&self) -> u8 {
        u8::try_from(self.exit & 0xff).unwrap_or(0)
    }

    pub(super) fn close_all(&mut self) -> bool {
        self.outputs.close_all()
    }

    pub(super) fn slot(&mut self, place: Place) -> &mut Slot {
        match place {
            Place::Global(place) => &mut self.globals[place],
            Place::Local(place) => {
                let depth = self.frames.len() - 1;
                &mut self.frames[depth][place]
            }
        }
    }

    pub(super) fn special(&self, place: usize) -> Text {
        match &self.globals[place] {
            Slot::Value(value) => value.text("%.6g"),
            Slot::Array(_) => Rc::from(&b""[..]),
        }
    }

    pub(super) fn form(&self) -> String {
        String::from_utf8_lossy(&self.special(CONVFMT)).into_owned()
    }

    pub(super) fn text(&self, value: &Value) -> Text {
        match value {
            Value::Number(number) if *number != number.trunc() => value.text(&self.form()),
            _ => value.text("%.6g"),
        }
    }

    pub(super) fn array(&mut self, place: Place) -> Result<Rc<RefCell<Array>>, Problem> {
        let slot = self.slot(place);
        match slot {
            Slot::Array(array) => Ok(Rc::clone(array)),
            Slot::Value(Value::Unset) => {
                let array = Rc::new(RefCell::new(Array::new()));
                *slot = Slot::Array(Rc::clone(&array));
                Ok(array)
            }
            Slot::Value(_) => Err(Problem("a plain variable is used as an array".to_owned())),
        }
    }

    fn variable(&mut self, place: Place) -> Result<Value, Halt> {
        if place == Place::Global(NF) {
            self.split_record()?;
            #[expect(clippy::cast_precision_loss, reason = "there are not so many")]
            return Ok(Value::Number(self.record.fields.len() as f64));
        }
        match self.slot(place) {
            Slot::Value(value) => Ok(value.clone()),
            Slot::Array(_) => Err(Problem("an array is used as a plain variable".to_owned()).into()),
        }
    }

    pub(super) fn set_variable(&mut self, place: Place, value: Value) {
        if place == Place::Global(NF) {
            let _ = self.split_record();
            let separator = self.special(OFS);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
            let count = value.number().clamp(0.0, 10_000_000.0) as usize;
            self.record.set_count(count, separator);
        }
        *self.slot(place) = Slot::Value(value);
    }

    pub(super) fn ignores_case(&self) -> bool {
        matches!(&self.globals[IGNORECASE], Slot::Value(value) if value.truth())
    }

    /// A regular expression that is given as text.
    pub(super) fn compiled(&mut self, pattern: &Text) -> Result<Rc<Regex>, Problem> {
        let key = (Rc::clone(pattern), self.ignores_case());
        if let Some(regex) = self.regexes.get(&key) {
            return Ok(Rc::clone(regex));
        }
        let regex = Rc::new(super::regex(pattern, key.1)?);
        if self.regexes.len() >= REGEXES_MAX {
            self.regexes.clear();
        }
        self.regexes.insert(key, Rc::clone(&regex));
        Ok(regex)
    }

    /// What an expression means where a regular expression is expected.
    pub(super) fn pattern(&mut self, expr: &Expr) -> Result<Rc<Regex>, Halt> {
        match expr {
            Expr::Regex(regex) if !self.ignores_case() => Ok(Rc::clone(regex)),
            Expr::Group(inner) if inner.len() == 1 => self.pattern(&inner[0]),
            _ => {
                let text = match expr {
                    Expr::Regex(regex) => Rc::from(regex.as_str().as_bytes()),
                    _ => {
                        let value = self.eval(expr)?;
                        self.text(&value)
                    }
                };
                Ok(self.compiled(&text)?)
            }
        }
    }

    pub(super) fn split_record(&mut self) -> Result<(), Halt> {
        if self.record.is_split() {
            return Ok(());
        }
        let separator = Rc::clone(&self.record.separator);
        let text = self.record.text();
        let fields = self.split_text(&text, &separator)?;
        self.record.set_fields(fields.into_iter().map(Value::Read).collect());
        Ok(())
    }

    /// The key of an element: several are joined.
    pub(super) fn key(&mut self, index: &[Expr]) -> Result<Text, Halt> {
        if let [only] = index {
            let value = self.eval(only)?;
            return Ok(self.text(&value));
        }
        let mut key = Vec::new();
        for (place, part) in index.iter().enumerate() {
            if place > 0 {
                key.extend_from_slice(&self.special(SUBSEP));
            }
            let value = self.eval(part)?;
            key.extend_from_slice(&self.text(&value));
        }
        Ok(Rc::from(key))
    }

    pub(super) fn eval(&mut self, expr: &Expr) -> Result<Value, Halt> {
        Ok(match expr {
            Expr::Number(number) => Value::Number(*number),
            Expr::String(text) => Value::String(Rc::clone(text)),
            Expr::Regex(_) => {
                let regex = self.pattern(expr)?;
                truth(regex.is_match(&self.record.text()))
            }
            Expr::Variable(place) => self.variable(*place)?,
            Expr::Field(inner) => {
                let place = self.field_place(inner)?;
                self.field(place)?
            }
            Expr::Element(place, index) => {
                let key = self.key(index)?;
                let array = self.array(*place)?;
                let mut array = array.borrow_mut();
                array.entry(key).or_insert(Value::Unset).clone()
            }
            Expr::Assign(operator, target, value) => self.assign_expr(*operator, target, value)?,
            Expr::Step(step, target) => {
                let old = self.eval(target)?.number();
                let (Step::BeforeUse(amount) | Step::AfterUse(amount)) = step;
                self.assign(target, Value::Number(old + amount))?;
                Value::Number(if matches!(step, Step::BeforeUse(_)) { old + amount } else { old })
            }
            Expr::Choice(condition, yes, no) => {
                let chosen = if self.eval(condition)?.truth() { yes } else { no };
                self.eval(chosen)?
            }
            Expr::Or(left, right) => truth(self.eval(left)?.truth() || self.eval(right)?.truth()),
            Expr::And(left, right) => truth(self.eval(left)?.truth() && self.eval(right)?.truth()),
            Expr::Not(inner) => truth(!self.eval(inner)?.truth()),
            Expr::Negate(inner) => Value::Number(-self.eval(inner)?.number()),
            Expr::Number1(inner) => Value::Number(self.eval(inner)?.number()),
            Expr::Arithmetic(operator, left, right) => {
                let (left, right) = (self.eval(left)?.number(), self.eval(right)?.number());
                Value::Number(arithmetic(*operator, left, right)?)
            }
            Expr::Concat(left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                Value::String(Rc::from([&*self.text(&left), &*self.text(&right)].concat()))
            }
            Expr::Compare(comparison, left, right) => {
                let (left, right) = (self.eval(left)?, self.eval(right)?);
                truth(holds(*comparison, left.compare(&right, "%.6g")))
            }
            Expr::Match { wanted, text, pattern } => {
                let text = self.eval(text)?;
                let regex = self.pattern(pattern)?;
                truth(regex.is_match(&self.text(&text)) == *wanted)
            }
            Expr::Contains(index, place) => {
                let key = self.key(index)?;
                let array = self.array(*place)?;
                truth(array.borrow().contains_key(&key))
            }
            Expr::Call(function, arguments) => self.call(*function, arguments)?,
            Expr::Builtin(builtin, arguments) => self.builtin(*builtin, arguments)?,
            Expr::Getline(source, target) => self.getline(source, target.as_deref())?,
            Expr::Group(values) => match values.as_slice() {
                [only] => self.eval(only)?,
                several => Value::String(self.key(several)?),
            },
            Expr::Array(_) => return Err(Problem("an array is used as a plain variable".to_owned()).into()),
        })
    }

    fn assign_expr(&mut self, operator: Option<Arithmetic>, target: &Expr, value: &Expr) -> Result<Value, Halt> {
        let value = match operator {
            None => self.eval(value)?,
            Some(operator) => {
                let right = self.eval(value)?.number();
                let left = self.eval(target)?.number();
                Value::Number(arithmetic(operator, left, right)?)
            }
        };
        self.assign(target, value.clone())?;
        Ok(value)
    }

    pub(super) fn assign(&mut self, target: &Expr, value: Value) -> Result<(), Halt> {
        match target {
            Expr::Variable(place) => {
                if matches!(self.slot(*place), Slot::Array(_)) {
                    return Err(Problem("an array is used as a plain variable".to_owned()).into());
                }
                self.set_variable(*place, value);
            }
            Expr::Element(place, index) => {
                let key = self.key(index)?;
                self.array(*place)?.borrow_mut().insert(key, value);
            }
            Expr::Field(inner) => {
                let place = self.field_place(inner)?;
                self.set_field(place, value)?;
            }
            Expr::Group(inner) if inner.len() == 1 => self.assign(&inner[0], value)?,
            _ => return Err(Problem("nothing can be assigned to this".to_owned()).into()),
        }
        Ok(())
    }

    fn field_place(&mut self, inner: &Expr) -> Result<usize, Halt> {
        let place = self.eval(inner)?.number();
        if !(0.0..=10_000_000.0).contains(&place.trunc()) {
            return Err(Problem(format!("there is no field {place}")).into());
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "just checked")]
        Ok(place as usize)
    }

    fn field(&mut self, place: usize) -> Result<Value, Halt> {
        if place == 0 {
            return Ok(Value::Read(self.record.text()));
        }
        self.split_record()?;
        Ok(self.record.fields.get(place - 1).cloned().unwrap_or(Value::Unset))
    }

    fn set_field(&mut self, place: usize, value: Value) -> Result<(), Halt> {
        if place == 0 {
            let text = self.text(&value);
            self.set_record(text);
            return Ok(());
        }
        self.split_record()?;
        let separator = self.special(OFS);
        // What is read back of it is text, unless it was a number.
        let value = match value {
            Value::Number(_) => Value::Read(self.text(&value)),
            other => other,
        };
        self.record.set_field(place, value, separator);
        Ok(())
    }

    pub(super) fn set_record(&mut self, text: Text) {
        let separator = self.special(FS);
        self.record.replace(text, separator);
    }

    fn call(&mut self, function: usize, arguments: &[Expr]) -> Result<Value, Halt> {
        let program = self.program;
        let definition = &program.functions[function];
        if arguments.len() > definition.parameters.len() {
            return Err(Problem("a function is called with more arguments than it takes".to_owned()).into());
        }
        if self.frames.len() >= DEPTH_MAX {
            return Err(Problem("functions call each other too deeply".to_owned()).into());
        }
        let mut frame = Vec::with_capacity(definition.parameters.len());
        for argument in arguments {
            frame.push(match argument {
                Expr::Array(place) => Slot::Array(self.array(*place)?),
                Expr::Variable(place) if matches!(self.slot(*place), Slot::Array(_)) => self.slot(*place).clone(),
                _ => Slot::Value(self.eval(argument)?),
            });
        }
        frame.resize(definition.parameters.len(), Slot::Value(Value::Unset));
        self.frames.push(frame);
        let outcome = self.function_body(&definition.body);
        self.frames.pop();
        outcome
    }

    fn getline(&mut self, source: &Source, target: Option<&Expr>) -> Result<Value, Halt> {
        let separator = self.special(RS);
        let record = match source {
            Source::Main => self.next_record()?,
            Source::File(file) => {
                let name = self.eval(file)?;
                let name = String::from_utf8_lossy(&self.text(&name)).into_owned();
                match self.inputs.file(&name) {
                    Some(reader) => reader.next(&separator)?,
                    None => return Ok(Value::Number(-1.0)),
                }
            }
            Source::Command(command) => {
                let command = self.eval(command)?;
                let command = String::from_utf8_lossy(&self.text(&command)).into_owned();
                self.outputs.flush();
                self.inputs.command(&command)?.next(&separator)?
            }
        };
        let Some(record) = record else {
            return Ok(Value::Number(0.0));
        };
        match source {
            Source::Main => self.count(true),
            Source::Command(_) => self.count(false),
            Source::File(_) => {}
        }
        match target {
            Some(target) => self.assign(target, Value::read(record))?,
            None => self.set_record(Rc::from(record)),
        }
        Ok(Value::Number(1.0))
    }

    /// One more record was read.
    pub(super) fn count(&mut self, of_file: bool) {
        let places: &[usize] = if of_file { &[NR, FNR] } else { &[NR] };
        for place in places {
            if let Slot::Value(value) = &self.globals[*place] {
                let next = value.number() + 1.0;
                self.globals[*place] = Slot::Value(Value::Number(next));
            }
        }
    }
}

pub(super) fn truth(holds: bool) -> Value {
    Value::Number(if holds { 1.0 } else { 0.0 })
}

fn arithmetic(operator: Arithmetic, left: f64, right: f64) -> Result<f64, Problem> {
    Ok(match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide if right == 0.0 => return Err(Problem("division by zero".to_owned())),
        Arithmetic::Remainder if right == 0.0 => return Err(Problem("division by zero in %".to_owned())),
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
        Arithmetic::Power => left.powf(right),
    })
}
