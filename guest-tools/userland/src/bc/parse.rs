//! The text of `bc` to statements.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Number(String),
    Place(Place),
    /// To a place: with an operator before the sign, or none.
    Assign(Place, Option<char>, Box<Expr>),
    /// One more or less; whether the old value counts.
    Step {
        place: Place,
        up: bool,
        old: bool,
    },
    Negate(Box<Expr>),
    Not(Box<Expr>),
    /// `+ - * / % ^`.
    Arithmetic(char, Box<Expr>, Box<Expr>),
    Compare(&'static str, Box<Expr>, Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Place {
    Variable(String),
    Element(String, Box<Expr>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Statement {
    Expr(Expr),
    String(String),
    Print(Vec<Item>),
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    While(Expr, Box<Statement>),
    For(Option<Expr>, Option<Expr>, Option<Expr>, Box<Statement>),
    Block(Vec<Statement>),
    Define(String, Function),
    Return(Option<Expr>),
    Break,
    Continue,
    /// Leaves as soon as it is read.
    Quit,
    /// Leaves when it is reached.
    Halt,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Text(String),
    Value(Expr),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Function {
    pub(super) parameters: Vec<String>,
    pub(super) own: Vec<String>,
    pub(super) body: Vec<Statement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Number(String),
    Name(String),
    String(String),
    Sign(&'static str),
    Newline,
    End,
}

/// The longer ones first.
const SIGNS: [&str; 35] = [
    "==", "!=", "<=", ">=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "+", "-", "*", "/", "%", "^",
    "=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ",", ";", ".", "?", "$",
];

pub(super) struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
}

/// What cannot be read, by its line.
pub(super) struct Wrong(pub(super) usize);

type Read<T> = Result<T, Wrong>;

impl Parser {
    pub(super) fn new(text: &str) -> Self {
        Self { tokens: tokens(text), at: 0 }
    }

    /// The statements of the next line; several lines where a block goes on. None at the end.
    pub(super) fn line(&mut self) -> Option<Read<Vec<Statement>>> {
        while self.accept_newline() {}
        if *self.peek() == Token::End {
            return None;
        }
        let read = self.statements();
        if read.is_err() {
            while !matches!(self.peek(), Token::Newline | Token::End) {
                self.at += 1;
            }
        }
        Some(read)
    }

    fn statements(&mut self) -> Read<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            while self.accept(";") {}
            if matches!(self.peek(), Token::Newline | Token::End) {
                return Ok(statements);
            }
            statements.push(self.statement()?);
            if !self.is(";") && !matches!(self.peek(), Token::Newline | Token::End) {
                return self.wrong();
            }
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    fn wrong<T>(&self) -> Read<T> {
        Err(Wrong(self.tokens[self.at.min(self.tokens.len() - 1)].1))
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn accept(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Read<()> {
        if self.accept(sign) { Ok(()) } else { self.wrong() }
    }

    fn accept_newline(&mut self) -> bool {
        let found = *self.peek() == Token::Newline;
        self.at += usize::from(found);
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Name(name) if name == word);
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Read<String> {
        let Token::Name(name) = self.peek().clone() else { return self.wrong() };
        self.at += 1;
        Ok(name)
    }

    fn statement(&mut self) -> Read<Statement> {
        if let Token::String(text) = self.peek().clone() {
            self.at += 1;
            return Ok(Statement::String(text));
        }
        if self.is("{") {
            return Ok(Statement::Block(self.block()?));
        }
        let Token::Name(word) = self.peek().clone() else {
            return Ok(Statement::Expr(self.expr()?));
        };
        self.at += 1;
        match word.as_str() {
            "quit" => Ok(Statement::Quit),
            "halt" => Ok(Statement::Halt),
            "break" => Ok(Statement::Break),
            "continue" => Ok(Statement::Continue),
            "return" => {
                let ends = self.is(";") || self.is("}") || matches!(self.peek(), Token::Newline | Token::End);
                Ok(Statement::Return(if ends { None } else { Some(self.expr()?) }))
            }
            "print" => self.print(),
            "if" => self.condition(),
            "while" => {
                self.expect("(")?;
                let condition = self.expr()?;
                self.expect(")")?;
                Ok(Statement::While(condition, self.body()?))
            }
            "for" => {
                self.expect("(")?;
                let start = self.unless(";")?;
                self.expect(";")?;
                let condition = self.unless(";")?;
                self.expect(";")?;
                let step = self.unless(")")?;
                self.expect(")")?;
                Ok(Statement::For(start, condition, step, self.body()?))
            }
            "define" => self.define(),
            _ => {
                self.at -= 1;
                Ok(Statement::Expr(self.expr()?))
            }
        }
    }

    fn unless(&mut self, end: &str) -> Read<Option<Expr>> {
        if self.is(end) { Ok(None) } else { self.expr().map(Some) }
    }

    fn body(&mut self) -> Read<Box<Statement>> {
        while self.accept_newline() {}
        Ok(Box::new(self.statement()?))
    }

    fn condition(&mut self) -> Read<Statement> {
        self.expect("(")?;
        let condition = self.expr()?;
        self.expect(")")?;
        let then = self.body()?;
        let before = self.at;
        // An else may come behind the end of the line, where a block goes on.
        while self.accept_newline() || self.accept(";") {}
        if self.accept_word("else") {
            return Ok(Statement::If(condition, then, Some(self.body()?)));
        }
        self.at = before;
        Ok(Statement::If(condition, then, None))
    }

    fn block(&mut self) -> Read<Vec<Statement>> {
        self.expect("{")?;
        let mut statements = Vec::new();
        loop {
            while self.accept_newline() || self.accept(";") {}
            if self.accept("}") {
                return Ok(statements);
            }
            statements.push(self.statement()?);
            if !self.is(";") && !self.is("}") && *self.peek() != Token::Newline {
                return self.wrong();
            }
        }
    }

    fn print(&mut self) -> Read<Statement> {
        let mut items = Vec::new();
        loop {
            if let Token::String(text) = self.peek().clone() {
                self.at += 1;
                items.push(Item::Text(text));
            } else {
                items.push(Item::Value(self.expr()?));
            }
            if !self.accept(",") {
                return Ok(Statement::Print(items));
            }
        }
    }

    fn define(&mut self) -> Read<Statement> {
        let name = self.name()?;
        self.expect("(")?;
        let parameters = self.names(")")?;
        self.expect(")")?;
        while self.accept_newline() {}
        self.expect("{")?;
        while self.accept_newline() || self.accept(";") {}
        let own = if self.accept_word("auto") { self.names(";")? } else { Vec::new() };
        // The rest is a block like any other.
        self.at -= 1;
        self.tokens[self.at].0 = Token::Sign("{");
        let body = self.block()?;
        Ok(Statement::Define(name, Function { parameters, own, body }))
    }

    fn names(&mut self, end: &str) -> Read<Vec<String>> {
        let mut names = Vec::new();
        while !self.is(end) && *self.peek() != Token::Newline {
            let mut name = self.name()?;
            if self.accept("[") {
                self.expect("]")?;
                name.push_str("[]");
            }
            names.push(name);
            if !self.accept(",") {
                break;
            }
        }
        Ok(names)
    }

    fn expr(&mut self) -> Read<Expr> {
        let mut left = self.and()?;
        while self.accept("||") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Read<Expr> {
        let mut left = self.not()?;
        while self.accept("&&") {
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Read<Expr> {
        if self.accept("!") { Ok(Expr::Not(Box::new(self.not()?))) } else { self.compare() }
    }

    fn compare(&mut self) -> Read<Expr> {
        let mut left = self.assign()?;
        while let Some(sign) = ["==", "!=", "<=", ">=", "<", ">"].into_iter().find(|sign| self.is(sign)) {
            self.at += 1;
            left = Expr::Compare(sign, Box::new(left), Box::new(self.assign()?));
        }
        Ok(left)
    }

    fn assign(&mut self) -> Read<Expr> {
        let left = self.sum()?;
        let Expr::Place(place) = &left else { return Ok(left) };
        let signs = ["=", "+=", "-=", "*=", "/=", "%=", "^="];
        let Some(sign) = signs.into_iter().find(|sign| self.is(sign)) else { return Ok(left) };
        self.at += 1;
        let operator = sign.chars().next().filter(|_| sign.len() > 1);
        Ok(Expr::Assign(place.clone(), operator, Box::new(self.assign()?)))
    }

    fn sum(&mut self) -> Read<Expr> {
        let mut left = self.product()?;
        while let Some(sign) = ['+', '-'].into_iter().find(|sign| self.is(sign.encode_utf8(&mut [0; 4]))) {
            self.at += 1;
            left = Expr::Arithmetic(sign, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Read<Expr> {
        let mut left = self.power()?;
        while let Some(sign) = ['*', '/', '%'].into_iter().find(|sign| self.is(sign.encode_utf8(&mut [0; 4]))) {
            self.at += 1;
            left = Expr::Arithmetic(sign, Box::new(left), Box::new(self.power()?));
        }
        Ok(left)
    }

    fn power(&mut self) -> Read<Expr> {
        let left = self.minus()?;
        if !self.accept("^") {
            return Ok(left);
        }
        Ok(Expr::Arithmetic('^', Box::new(left), Box::new(self.power()?)))
    }

    /// A minus binds more than a power here.
    fn minus(&mut self) -> Read<Expr> {
        if self.accept("-") {
            return Ok(Expr::Negate(Box::new(self.minus()?)));
        }
        for (sign, up) in [("++", true), ("--", false)] {
            if self.accept(sign) {
                let Expr::Place(place) = self.value()? else { return self.wrong() };
                return Ok(Expr::Step { place, up, old: false });
            }
        }
        let value = self.value()?;
        let Expr::Place(place) = &value else { return Ok(value) };
        for (sign, up) in [("++", true), ("--", false)] {
            if self.accept(sign) {
                return Ok(Expr::Step { place: place.clone(), up, old: true });
            }
        }
        Ok(value)
    }

    fn value(&mut self) -> Read<Expr> {
        match self.peek().clone() {
            Token::Number(digits) => {
                self.at += 1;
                Ok(Expr::Number(digits))
            }
            Token::Sign("(") => {
                self.at += 1;
                let inner = self.expr()?;
                self.expect(")")?;
                // In brackets an assignment is a value.
                Ok(if matches!(inner, Expr::Assign(..) | Expr::Place(_)) {
                    Expr::Call("+".to_owned(), vec![inner])
                } else {
                    inner
                })
            }
            Token::Sign(".") => {
                self.at += 1;
                Ok(Expr::Place(Place::Variable("last".to_owned())))
            }
            Token::Name(name) => {
                self.at += 1;
                if self.accept("[") {
                    if self.accept("]") {
                        return Ok(Expr::Place(Place::Variable(format!("{name}[]"))));
                    }
                    let index = self.expr()?;
                    self.expect("]")?;
                    return Ok(Expr::Place(Place::Element(name, Box::new(index))));
                }
                if !self.accept("(") {
                    return Ok(Expr::Place(Place::Variable(name)));
                }
                let mut values = Vec::new();
                while !self.accept(")") {
                    values.push(self.expr()?);
                    if !self.is(")") {
                        self.expect(",")?;
                    }
                }
                Ok(Expr::Call(name, values))
            }
            _ => self.wrong(),
        }
    }
}

fn tokens(text: &str) -> Vec<(Token, usize)> {
    let mut tokens = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let span = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let length = if rest.starts_with("\\\n") {
            2
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if first == '#' {
            rest.find('\n').unwrap_or(rest.len())
        } else if first == '\n' {
            tokens.push((Token::Newline, line));
            1
        } else if first.is_whitespace() {
            first.len_utf8()
        } else if first == '"' {
            let end = rest[1..].find('"').map_or(rest.len(), |end| end + 1);
            tokens.push((Token::String(rest[1..end].to_owned()), line));
            (end + 1).min(rest.len())
        } else if first.is_ascii_digit()
            || first.is_ascii_uppercase()
            || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase())
        {
            let digits = span(|c| c.is_ascii_digit() || c.is_ascii_uppercase() || c == '.');
            // A second point begins another number.
            let points = rest[..digits].match_indices('.').nth(1);
            let digits = points.map_or(digits, |(at, _)| at);
            tokens.push((Token::Number(rest[..digits].to_owned()), line));
            digits
        } else if first.is_ascii_lowercase() {
            let name = span(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
            tokens.push((Token::Name(rest[..name].to_owned()), line));
            name
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push((Token::Sign(sign), line));
            sign.len()
        } else {
            tokens.push((Token::Sign("?"), line));
            first.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    tokens.push((Token::End, line));
    tokens
}
