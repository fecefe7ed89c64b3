//! Tokens to a program: rules, functions and statements.

use super::Problem;
use super::syntax::{Expr, Function, Pattern, Place, Program, SPECIALS, Statement, Target};
use super::tokens::{Token, tokens};
use std::collections::HashMap;

/// Reads a program.
pub(super) fn parse(source: &[u8]) -> Result<Program, Problem> {
    let mut parser = Parser::new(tokens(source)?);
    parser.program()?;
    super::arrays::infer(&mut parser.program);
    Ok(parser.program)
}

pub(super) struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    pub(super) program: Program,
    globals: HashMap<String, usize>,
    functions: HashMap<String, usize>,
    /// Parameters of the function being read.
    locals: Vec<String>,
    /// `>` is a redirection here, and no comparison.
    pub(super) in_print: bool,
}

impl Parser {
    fn new(tokens: Vec<(Token, usize)>) -> Self {
        let globals: HashMap<String, usize> =
            SPECIALS.iter().enumerate().map(|(place, name)| ((*name).to_owned(), place)).collect();
        let program =
            Program { globals: SPECIALS.iter().map(|name| (*name).to_owned()).collect(), ..Program::default() };
        Self { tokens, at: 0, program, globals, functions: HashMap::new(), locals: Vec::new(), in_print: false }
    }

    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.at.min(self.tokens.len() - 1)].0
    }

    pub(super) fn peek_after(&self, ahead: usize) -> &Token {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)].0
    }

    pub(super) fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    pub(super) fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if *found == word)
    }

    pub(super) fn accept(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        self.at += usize::from(found);
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Problem> {
        if self.accept(sign) { Ok(()) } else { self.unexpected(&format!("{sign:?} is expected")) }
    }

    pub(super) fn unexpected<T>(&self, wanted: &str) -> Result<T, Problem> {
        let (token, line) = &self.tokens[self.at.min(self.tokens.len() - 1)];
        let found = match token {
            Token::Newline => "newline".to_owned(),
            Token::End => "end of program".to_owned(),
            Token::Sign(text) | Token::Word(text) => (*text).to_owned(),
            Token::Name(name) | Token::Call(name) => name.clone(),
            Token::Number(number) => number.to_string(),
            Token::String(text) => format!("\"{}\"", String::from_utf8_lossy(text)),
            Token::Regex(text) => format!("/{text}/"),
        };
        Err(Problem(format!("syntax error at source line {line}, near {found}: {wanted}")))
    }

    pub(super) fn skip_newlines(&mut self) {
        while matches!(self.peek(), Token::Newline) {
            self.at += 1;
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.peek(), Token::Newline) || self.is(";") {
            self.at += 1;
        }
    }

    pub(super) fn place(&mut self, name: &str) -> Place {
        if let Some(place) = self.locals.iter().position(|local| local == name) {
            return Place::Local(place);
        }
        if let Some(place) = self.globals.get(name) {
            return Place::Global(*place);
        }
        let place = self.program.globals.len();
        self.program.globals.push(name.to_owned());
        self.globals.insert(name.to_owned(), place);
        Place::Global(place)
    }

    pub(super) fn function(&mut self, name: &str) -> usize {
        if let Some(place) = self.functions.get(name) {
            return *place;
        }
        let place = self.program.functions.len();
        self.program.functions.push(Function::default());
        self.functions.insert(name.to_owned(), place);
        place
    }

    fn program(&mut self) -> Result<(), Problem> {
        self.skip_ends();
        while *self.peek() != Token::End {
            self.item()?;
            self.skip_ends();
        }
        let missing = self.functions.iter().find(|(_, place)| !self.program.functions[**place].defined);
        match missing {
            Some((name, _)) => Err(Problem(format!("function {name} is called and not defined"))),
            None => Ok(()),
        }
    }

    fn item(&mut self) -> Result<(), Problem> {
        if self.accept_word("BEGIN") {
            self.skip_newlines();
            let block = self.braces()?;
            self.program.begin.push(block);
        } else if self.accept_word("END") {
            self.skip_newlines();
            let block = self.braces()?;
            self.program.end.push(block);
        } else if self.accept_word("function") || self.accept_word("func") {
            self.definition()?;
        } else {
            let pattern = if self.is("{") { Pattern::Always } else { self.pattern()? };
            let action = if self.is("{") { Some(self.braces()?) } else { None };
            self.program.rules.push((pattern, action));
        }
        Ok(())
    }

    fn pattern(&mut self) -> Result<Pattern, Problem> {
        let first = self.expr()?;
        if !self.accept(",") {
            return Ok(Pattern::When(first));
        }
        self.skip_newlines();
        let last = self.expr()?;
        self.program.ranges += 1;
        Ok(Pattern::Range(first, last, self.program.ranges - 1))
    }

    fn definition(&mut self) -> Result<(), Problem> {
        let (Token::Name(name) | Token::Call(name)) = self.take() else {
            return self.unexpected("a function needs a name");
        };
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.accept(")") {
            self.skip_newlines();
            let Token::Name(parameter) = self.take() else {
                return self.unexpected("a parameter is a name");
            };
            parameters.push(parameter);
            self.skip_newlines();
            if !self.is(")") {
                self.expect(",")?;
            }
        }
        self.skip_newlines();
        let place = self.function(&name);
        self.locals.clone_from(&parameters);
        let body = self.braces()?;
        self.locals.clear();
        let arrays = vec![false; parameters.len()];
        self.program.functions[place] = Function { parameters, body, defined: true, arrays };
        Ok(())
    }

    fn braces(&mut self) -> Result<Vec<Statement>, Problem> {
        self.expect("{")?;
        let mut statements = Vec::new();
        self.skip_ends();
        while !self.accept("}") {
            if *self.peek() == Token::End {
                return self.unexpected("a block has no end");
            }
            statements.push(self.statement()?);
            self.skip_ends();
        }
        Ok(statements)
    }

    fn statement(&mut self) -> Result<Statement, Problem> {
        if self.is("{") {
            return Ok(Statement::Block(self.braces()?));
        }
        if self.accept(";") {
            return Ok(Statement::Block(Vec::new()));
        }
        let Token::Word(word) = *self.peek() else {
            return self.simple_and_end();
        };
        match word {
            "if" => self.when(),
            "while" => {
                self.at += 1;
                let condition = self.condition()?;
                if self.accept(";") {
                    return Ok(Statement::While(condition, Box::new(Statement::Block(Vec::new()))));
                }
                Ok(Statement::While(condition, self.body()?))
            }
            "do" => {
                self.at += 1;
                let body = self.body()?;
                self.skip_ends();
                if !self.accept_word("while") {
                    return self.unexpected("while is expected behind do");
                }
                let condition = self.condition()?;
                self.end_of_statement()?;
                Ok(Statement::DoWhile(body, condition))
            }
            "for" => self.each(),
            _ => self.simple_and_end(),
        }
    }

    fn simple_and_end(&mut self) -> Result<Statement, Problem> {
        let statement = self.simple()?;
        self.end_of_statement()?;
        Ok(statement)
    }

    fn end_of_statement(&mut self) -> Result<(), Problem> {
        if self.is("}") || self.accept(";") {
            return Ok(());
        }
        match self.peek() {
            Token::Newline | Token::End => Ok(()),
            _ => self.unexpected("a statement ends before this"),
        }
    }

    fn condition(&mut self) -> Result<Expr, Problem> {
        self.expect("(")?;
        self.skip_newlines();
        let condition = self.expr()?;
        self.skip_newlines();
        self.expect(")")?;
        Ok(condition)
    }

    fn body(&mut self) -> Result<Box<Statement>, Problem> {
        self.skip_newlines();
        Ok(Box::new(self.statement()?))
    }

    fn when(&mut self) -> Result<Statement, Problem> {
        self.at += 1;
        let condition = self.condition()?;
        let then = self.body()?;
        let before = self.at;
        self.skip_ends();
        if self.accept_word("else") {
            return Ok(Statement::If(condition, then, Some(self.body()?)));
        }
        self.at = before;
        Ok(Statement::If(condition, then, None))
    }

    fn each(&mut self) -> Result<Statement, Problem> {
        self.at += 1;
        self.expect("(")?;
        if let (Token::Name(name), Token::Word("in"), Token::Name(array), Token::Sign(")")) =
            (self.peek().clone(), self.peek_after(1).clone(), self.peek_after(2).clone(), self.peek_after(3))
        {
            self.at += 4;
            let (name, array) = (self.place(&name), self.place(&array));
            return Ok(Statement::ForIn(name, array, self.body()?));
        }
        self.skip_newlines();
        let start = if self.is(";") { None } else { Some(Box::new(self.simple()?)) };
        self.expect(";")?;
        self.skip_newlines();
        let condition = if self.is(";") { None } else { Some(self.expr()?) };
        self.expect(";")?;
        self.skip_newlines();
        let step = if self.is(")") { None } else { Some(Box::new(self.simple()?)) };
        self.skip_newlines();
        self.expect(")")?;
        if self.accept(";") {
            return Ok(Statement::For(start, condition, step, Box::new(Statement::Block(Vec::new()))));
        }
        Ok(Statement::For(start, condition, step, self.body()?))
    }

    fn simple(&mut self) -> Result<Statement, Problem> {
        let Token::Word(word) = *self.peek() else {
            return Ok(Statement::Expr(self.expr()?));
        };
        let alone = match word {
            "next" => Some(Statement::Next),
            "nextfile" => Some(Statement::NextFile),
            "break" => Some(Statement::Break),
            "continue" => Some(Statement::Continue),
            _ => None,
        };
        if let Some(alone) = alone {
            self.at += 1;
            return Ok(alone);
        }
        match word {
            "print" | "printf" => {
                self.at += 1;
                self.print(word == "printf")
            }
            "exit" => {
                self.at += 1;
                Ok(Statement::Exit(self.value_if_any()?))
            }
            "return" => {
                self.at += 1;
                Ok(Statement::Return(self.value_if_any()?))
            }
            "delete" => {
                self.at += 1;
                self.delete()
            }
            _ => Ok(Statement::Expr(self.expr()?)),
        }
    }

    fn value_if_any(&mut self) -> Result<Option<Expr>, Problem> {
        if self.at_end() { Ok(None) } else { Ok(Some(self.expr()?)) }
    }

    fn at_end(&self) -> bool {
        self.is(";") || self.is("}") || matches!(self.peek(), Token::Newline | Token::End)
    }

    fn delete(&mut self) -> Result<Statement, Problem> {
        let Token::Name(name) = self.take() else {
            return self.unexpected("delete needs an array");
        };
        let place = self.place(&name);
        let mut index = Vec::new();
        if self.accept("[") {
            index = self.list("]")?;
        }
        Ok(Statement::Delete(place, index))
    }

    fn print(&mut self, formatted: bool) -> Result<Statement, Problem> {
        let outer = std::mem::replace(&mut self.in_print, true);
        let mut values = Vec::new();
        if !self.at_end() && !self.is(">") && !self.is(">>") && !self.is("|") {
            values.push(self.expr()?);
            while self.accept(",") {
                self.skip_newlines();
                values.push(self.expr()?);
            }
        }
        if let [Expr::Group(_)] = values.as_slice()
            && let Some(Expr::Group(inner)) = values.pop()
        {
            values = inner;
        }
        let target = if self.accept(">") {
            Target::File(self.target()?)
        } else if self.accept(">>") {
            Target::Append(self.target()?)
        } else if self.accept("|") {
            Target::Command(self.concat()?)
        } else {
            Target::Output
        };
        self.in_print = outer;
        if formatted && values.is_empty() {
            return self.unexpected("printf needs a format");
        }
        Ok(if formatted { Statement::Printf(values, target) } else { Statement::Print(values, target) })
    }
}
