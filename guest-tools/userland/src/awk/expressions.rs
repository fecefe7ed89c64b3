//! Tokens to expressions, from what binds least to what binds most.

use super::Problem;
use super::parse::Parser;
use super::syntax::{Arithmetic, Builtin, Comparison, Expr, Source, Step};
use super::tokens::Token;
use std::rc::Rc;

impl Parser {
    /// Values up to a closing sign, which is taken too.
    pub(super) fn list(&mut self, close: &str) -> Result<Vec<Expr>, Problem> {
        let print = std::mem::replace(&mut self.in_print, false);
        let mut values = Vec::new();
        self.skip_newlines();
        while !self.accept(close) {
            values.push(self.expr()?);
            self.skip_newlines();
            if !self.is(close) {
                self.expect(",")?;
                self.skip_newlines();
            }
        }
        self.in_print = print;
        Ok(values)
    }

    pub(super) fn expr(&mut self) -> Result<Expr, Problem> {
        let left = self.choice()?;
        if !is_place(&left) {
            return Ok(left);
        }
        let Token::Sign(sign) = *self.peek() else {
            return Ok(left);
        };
        let operator = match sign {
            "=" => None,
            "+=" => Some(Arithmetic::Add),
            "-=" => Some(Arithmetic::Subtract),
            "*=" => Some(Arithmetic::Multiply),
            "/=" => Some(Arithmetic::Divide),
            "%=" => Some(Arithmetic::Remainder),
            "^=" => Some(Arithmetic::Power),
            _ => return Ok(left),
        };
        self.take();
        self.skip_newlines();
        let right = self.expr()?;
        Ok(Expr::Assign(operator, Box::new(left), Box::new(right)))
    }

    /// Where `print` writes: a comparison is none, a choice may be.
    pub(super) fn target(&mut self) -> Result<Expr, Problem> {
        let name = self.concat()?;
        self.choice_of(name)
    }

    fn choice(&mut self) -> Result<Expr, Problem> {
        let condition = self.or()?;
        self.choice_of(condition)
    }

    fn choice_of(&mut self, condition: Expr) -> Result<Expr, Problem> {
        if !self.accept("?") {
            return Ok(condition);
        }
        self.skip_newlines();
        let yes = self.expr()?;
        self.skip_newlines();
        self.expect(":")?;
        self.skip_newlines();
        let no = self.expr()?;
        Ok(Expr::Choice(Box::new(condition), Box::new(yes), Box::new(no)))
    }

    fn or(&mut self) -> Result<Expr, Problem> {
        let mut left = self.and()?;
        while self.accept("||") {
            self.skip_newlines();
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Problem> {
        let mut left = self.contains()?;
        while self.accept("&&") {
            self.skip_newlines();
            left = Expr::And(Box::new(left), Box::new(self.contains()?));
        }
        Ok(left)
    }

    fn contains(&mut self) -> Result<Expr, Problem> {
        let mut left = self.matches()?;
        while self.is_word("in") {
            self.take();
            let Token::Name(array) = self.take() else {
                return self.unexpected("an array is expected behind in");
            };
            let array = self.place(&array);
            let index = if let Expr::Group(index) = left { index } else { vec![left] };
            left = Expr::Contains(index, array);
        }
        Ok(left)
    }

    fn matches(&mut self) -> Result<Expr, Problem> {
        let mut left = self.compare()?;
        loop {
            let wanted = if self.accept("~") {
                true
            } else if self.accept("!~") {
                false
            } else {
                return Ok(left);
            };
            let pattern = self.compare()?;
            left = Expr::Match { wanted, text: Box::new(left), pattern: Box::new(pattern) };
        }
    }

    fn compare(&mut self) -> Result<Expr, Problem> {
        let mut left = self.concat()?;
        left = self.command_getline(left)?;
        let Token::Sign(sign) = *self.peek() else {
            return Ok(left);
        };
        let comparison = match sign {
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            ">" if !self.in_print => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return Ok(left),
        };
        self.take();
        let right = self.concat()?;
        Ok(Expr::Compare(comparison, Box::new(left), Box::new(right)))
    }

    /// `command | getline`, as often as it stands there.
    fn command_getline(&mut self, mut left: Expr) -> Result<Expr, Problem> {
        while self.is("|") && matches!(self.peek_after(1), Token::Word("getline")) {
            self.take();
            self.take();
            let target = self.getline_target()?;
            left = Expr::Getline(Source::Command(Box::new(left)), target);
        }
        Ok(left)
    }

    pub(super) fn concat(&mut self) -> Result<Expr, Problem> {
        let mut left = self.add()?;
        while self.value_follows() {
            let right = self.add()?;
            left = Expr::Concat(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn value_follows(&self) -> bool {
        match self.peek() {
            Token::Number(_) | Token::String(_) | Token::Regex(_) | Token::Name(_) | Token::Call(_) => true,
            Token::Sign(sign) => matches!(*sign, "$" | "!" | "(" | "++" | "--"),
            _ => false,
        }
    }

    fn add(&mut self) -> Result<Expr, Problem> {
        let mut left = self.multiply()?;
        loop {
            let operator = if self.accept("+") {
                Arithmetic::Add
            } else if self.accept("-") {
                Arithmetic::Subtract
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(operator, Box::new(left), Box::new(self.multiply()?));
        }
    }

    fn multiply(&mut self) -> Result<Expr, Problem> {
        let mut left = self.unary()?;
        loop {
            let operator = if self.accept("*") {
                Arithmetic::Multiply
            } else if self.accept("/") {
                Arithmetic::Divide
            } else if self.accept("%") {
                Arithmetic::Remainder
            } else {
                return Ok(left);
            };
            left = Expr::Arithmetic(operator, Box::new(left), Box::new(self.unary()?));
        }
    }

    fn unary(&mut self) -> Result<Expr, Problem> {
        if self.accept("!") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.accept("-") {
            return Ok(Expr::Negate(Box::new(self.unary()?)));
        }
        if self.accept("+") {
            return Ok(Expr::Number1(Box::new(self.unary()?)));
        }
        self.power()
    }

    fn power(&mut self) -> Result<Expr, Problem> {
        let base = self.postfix()?;
        if !self.accept("^") {
            return Ok(base);
        }
        // To the right, and its sign binds more: 2^-1.
        let exponent = if self.accept("-") {
            Expr::Negate(Box::new(self.power()?))
        } else {
            self.accept("+");
            self.power()?
        };
        Ok(Expr::Arithmetic(Arithmetic::Power, Box::new(base), Box::new(exponent)))
    }

    fn postfix(&mut self) -> Result<Expr, Problem> {
        let value = self.primary()?;
        if is_place(&value) {
            if self.accept("++") {
                return Ok(Expr::Step(Step::AfterUse(1.0), Box::new(value)));
            }
            if self.accept("--") {
                return Ok(Expr::Step(Step::AfterUse(-1.0), Box::new(value)));
            }
        }
        Ok(value)
    }

    fn primary(&mut self) -> Result<Expr, Problem> {
        match self.peek().clone() {
            Token::Number(number) => {
                self.take();
                Ok(Expr::Number(number))
            }
            Token::String(text) => {
                self.take();
                Ok(Expr::String(Rc::from(text)))
            }
            Token::Regex(text) => {
                self.take();
                let regex = super::regex(text.as_bytes(), false)?;
                Ok(Expr::Regex(Rc::new(regex)))
            }
            Token::Sign(sign) => self.signed(sign),
            Token::Name(name) => {
                self.take();
                let place = self.place(&name);
                if self.accept("[") {
                    return Ok(Expr::Element(place, self.list("]")?));
                }
                Ok(Expr::Variable(place))
            }
            Token::Call(name) => {
                self.take();
                self.call(&name)
            }
            Token::Word("getline") => {
                self.take();
                let target = self.getline_target()?;
                if self.accept("<") {
                    let file = self.postfix()?;
                    return Ok(Expr::Getline(Source::File(Box::new(file)), target));
                }
                Ok(Expr::Getline(Source::Main, target))
            }
            _ => self.unexpected("a value is expected"),
        }
    }

    fn signed(&mut self, sign: &str) -> Result<Expr, Problem> {
        match sign {
            "$" => {
                self.take();
                if self.is("++") || self.is("--") || self.is("-") {
                    let inner =
                        if self.accept("-") { Expr::Negate(Box::new(self.primary()?)) } else { self.primary()? };
                    return Ok(Expr::Field(Box::new(inner)));
                }
                Ok(Expr::Field(Box::new(self.primary()?)))
            }
            "++" | "--" => {
                self.take();
                let value = self.primary()?;
                if !is_place(&value) {
                    return self.unexpected("only a variable can be counted up");
                }
                let step = if sign == "++" { 1.0 } else { -1.0 };
                Ok(Expr::Step(Step::BeforeUse(step), Box::new(value)))
            }
            "(" => {
                self.take();
                Ok(Expr::Group(self.list(")")?))
            }
            "-" | "+" | "!" => self.unary(),
            _ => self.unexpected("a value is expected"),
        }
    }

    fn call(&mut self, name: &str) -> Result<Expr, Problem> {
        let builtin = Builtin::named(name);
        let arguments = if self.accept("(") {
            self.list(")")?
        } else if builtin == Some(Builtin::Length) {
            Vec::new()
        } else {
            return self.unexpected(&format!("\"(\" is expected behind {name}"));
        };
        if let Some(builtin) = builtin {
            return Ok(Expr::Builtin(builtin, arguments));
        }
        let place = self.function(name);
        Ok(Expr::Call(place, arguments))
    }

    fn getline_target(&mut self) -> Result<Option<Box<Expr>>, Problem> {
        let follows = matches!(self.peek(), Token::Name(_)) || self.is("$");
        if !follows {
            return Ok(None);
        }
        Ok(Some(Box::new(self.primary()?)))
    }
}

/// Whether something can be assigned to it.
fn is_place(value: &Expr) -> bool {
    matches!(value, Expr::Variable(_) | Expr::Field(_) | Expr::Element(..))
}
