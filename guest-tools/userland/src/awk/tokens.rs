//! A program's text as tokens.

use super::Problem;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Newline,
    Number(f64),
    String(Vec<u8>),
    Regex(String),
    Name(String),
    /// A name right before its parenthesis.
    Call(String),
    Word(&'static str),
    /// Signs, by how they are written.
    Sign(&'static str),
    End,
}

const WORDS: [&str; 19] = [
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "nextfile",
    "exit", "return", "delete", "in", "getline", "print",
];
const PRINTF: &str = "printf";

/// Longer ones first.
const SIGNS: [&str; 44] = [
    "**=", "&&", "||", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "**", "==", "<=", ">=", "!=", ">>", "!~",
    "|&", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "|", "?", ":", "~", "$",
    "=", "&",
];

/// Cuts a program into tokens, each with its line.
pub(super) fn tokens(source: &[u8]) -> Result<Vec<(Token, usize)>, Problem> {
    let mut reader = Reader { source, at: 0, line: 1, found: Vec::new() };
    while reader.next()? {}
    let line = reader.line;
    reader.found.push((Token::Newline, line));
    reader.found.push((Token::End, line));
    Ok(reader.found)
}

struct Reader<'a> {
    source: &'a [u8],
    at: usize,
    line: usize,
    found: Vec<(Token, usize)>,
}

impl Reader<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.source.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn push(&mut self, token: Token) {
        self.found.push((token, self.line));
    }

    fn problem<T>(&self, text: &str) -> Result<T, Problem> {
        Err(Problem(format!("line {}: {text}", self.line)))
    }

    fn next(&mut self) -> Result<bool, Problem> {
        if self.at >= self.source.len() {
            return Ok(false);
        }
        let byte = self.peek(0);
        match byte {
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'\n' => {
                self.push(Token::Newline);
                self.at += 1;
                self.line += 1;
            }
            b'\\' if self.peek(1) == b'\n' || (self.peek(1) == b'\r' && self.peek(2) == b'\n') => {
                self.at += if self.peek(1) == b'\r' { 3 } else { 2 };
                self.line += 1;
            }
            b'#' => {
                while self.at < self.source.len() && self.peek(0) != b'\n' {
                    self.at += 1;
                }
            }
            b'"' => self.string()?,
            b'/' if self.regex_may_start() => self.regex()?,
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.name(),
            _ => self.sign()?,
        }
        Ok(true)
    }

    /// A slash behind a value divides.
    fn regex_may_start(&self) -> bool {
        match self.found.last().map(|(token, _)| token) {
            Some(Token::Number(_) | Token::String(_) | Token::Name(_) | Token::Regex(_)) => false,
            Some(Token::Sign(sign)) => !matches!(*sign, ")" | "]" | "$" | "++" | "--"),
            _ => true,
        }
    }

    fn number(&mut self) {
        let rest = &self.source[self.at..];
        if rest.len() > 2 && rest[0] == b'0' && matches!(rest[1], b'x' | b'X') && rest[2].is_ascii_hexdigit() {
            let length = rest[2..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
            let digits = String::from_utf8_lossy(&rest[2..2 + length]).into_owned();
            #[expect(clippy::cast_precision_loss, reason = "numbers are floats here")]
            let number = u64::from_str_radix(&digits, 16).unwrap_or(u64::MAX) as f64;
            self.at += 2 + length;
            return self.push(Token::Number(number));
        }
        let length = super::value::decimal_length(rest).max(1);
        let number = super::value::leading_number(&rest[..length]).0;
        self.at += length;
        self.push(Token::Number(number));
    }

    fn name(&mut self) {
        let rest = &self.source[self.at..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
        let name = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length;
        let token = match WORDS.iter().find(|word| **word == name) {
            Some(word) => Token::Word(word),
            None if name == PRINTF => Token::Word(PRINTF),
            None if self.peek(0) == b'(' => Token::Call(name),
            None if super::syntax::Builtin::named(&name).is_some() => Token::Call(name),
            None => Token::Name(name),
        };
        self.push(token);
    }

    fn sign(&mut self) -> Result<(), Problem> {
        let rest = &self.source[self.at..];
        let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(sign.as_bytes())) else {
            return self.problem(&format!("unexpected {:?}", char::from(rest[0])));
        };
        self.at += sign.len();
        self.push(Token::Sign(match *sign {
            "**" => "^",
            "**=" => "^=",
            other => other,
        }));
        Ok(())
    }

    fn string(&mut self) -> Result<(), Problem> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.source.get(end) {
                None | Some(b'\n') => return self.problem("a string has no end"),
                Some(b'"') => break,
                Some(b'\\') => {
                    if self.source.get(end + 1) == Some(&b'\n') {
                        self.line += 1;
                    }
                    end += 2;
                }
                Some(_) => end += 1,
            }
        }
        self.push(Token::String(unescape(&self.source[start..end])));
        self.at = end + 1;
        Ok(())
    }

    fn regex(&mut self) -> Result<(), Problem> {
        let start = self.at + 1;
        let mut end = start;
        let mut in_class = false;
        loop {
            match self.source.get(end) {
                None | Some(b'\n') => return self.problem("a regular expression has no end"),
                Some(b'/') if !in_class => break,
                Some(b'\\') => end += 1,
                Some(b'[') if !in_class => {
                    in_class = true;
                    // A bracket right at the start is one of the class.
                    if self.source.get(end + 1) == Some(&b'^') {
                        end += 1;
                    }
                    if self.source.get(end + 1) == Some(&b']') {
                        end += 1;
                    }
                }
                // Not the end of the class: one with a name.
                Some(b'[') if self.source.get(end + 1) == Some(&b':') => {
                    let rest = &self.source[end + 2..];
                    end += 2 + rest.windows(2).position(|two| two == b":]").map_or(0, |at| at + 1);
                }
                Some(b']') => in_class = false,
                Some(_) => {}
            }
            end += 1;
        }
        let text = String::from_utf8_lossy(&self.source[start..end]).replace("\\/", "/");
        self.push(Token::Regex(text));
        self.at = end + 1;
        Ok(())
    }
}

/// What a string's text stands for.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'\\' || at + 1 == text.len() {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let escape = text[at + 1];
        at += 2;
        match escape {
            b'n' => out.push(b'\n'),
            b't' => out.push(b'\t'),
            b'r' => out.push(b'\r'),
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'v' => out.push(11),
            b'\\' | b'"' | b'/' => out.push(escape),
            b'\n' => {}
            b'0'..=b'7' => {
                let more = text[at..].iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let digits = &text[at - 1..at + more];
                let code = digits.iter().fold(0_u32, |code, digit| code * 8 + u32::from(digit - b'0'));
                out.push(u8::try_from(code & 0xff).unwrap_or(0));
                at += more;
            }
            b'x' if text.get(at).is_some_and(u8::is_ascii_hexdigit) => {
                let more = text[at..].iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
                let digits = std::str::from_utf8(&text[at..at + more]).unwrap_or("0");
                out.push(u8::from_str_radix(digits, 16).unwrap_or(0));
                at += more;
            }
            // As it stands: for regular expressions that are written as strings.
            other => out.extend_from_slice(&[b'\\', other]),
        }
    }
    out
}
