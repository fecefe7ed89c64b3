//! `${…}`.

use super::parse::{Quoting, Reader};
use super::scan::{closing_brace, closing_bracket};
use super::{Case, End, Index, Op, Param, Piece, Place, Word};

impl Reader {
    /// Past `${`; takes the closing brace.
    pub(super) fn braced(&mut self, quoting: Quoting) -> Piece {
        let from = self.at;
        if let Some(param) = self.parameter(quoting)
            && self.peek(0) == Some('}')
        {
            self.at += 1;
            return Piece::Param(Box::new(param));
        }
        let end = closing_brace(&self.chars, from).unwrap_or(self.chars.len());
        let source: String = self.chars[from..end].iter().collect();
        self.at = (end + 1).min(self.chars.len());
        let op = Op::Bad(format!("${{{source}}}"));
        Piece::Param(Box::new(Param { name: String::new(), index: None, indirect: false, op }))
    }

    fn parameter(&mut self, quoting: Quoting) -> Option<Param> {
        if self.peek(0) == Some('#')
            && let Some(param) = self.length()
        {
            return Some(param);
        }
        let indirect = self.peek(0) == Some('!')
            && self.peek(1).is_some_and(|c| c == '_' || c.is_ascii_alphanumeric() || c == '@' || c == '*' || c == '#');
        if indirect {
            self.at += 1;
        }
        let name = self.parameter_name()?;
        let index = self.index();
        if indirect && let Some(op) = self.names_or_keys(index.as_ref()) {
            return Some(Param { name, index: None, indirect: false, op });
        }
        let op = self.operation(quoting)?;
        Some(Param { name, index, indirect, op })
    }

    fn length(&mut self) -> Option<Param> {
        let from = self.at;
        self.at += 1;
        if let Some(name) = self.parameter_name() {
            let index = self.index();
            if self.peek(0) == Some('}') {
                return Some(Param { name, index, indirect: false, op: Op::Length });
            }
        }
        self.at = from;
        None
    }

    fn parameter_name(&mut self) -> Option<String> {
        let c = self.peek(0)?;
        if c == '_' || c.is_ascii_alphabetic() {
            return Some(self.name());
        }
        let from = self.at;
        if c.is_ascii_digit() {
            while self.peek(0).is_some_and(|c| c.is_ascii_digit()) {
                self.at += 1;
            }
        } else if "@*#?-$!".contains(c) {
            self.at += 1;
        } else {
            return None;
        }
        Some(self.chars[from..self.at].iter().collect())
    }

    fn index(&mut self) -> Option<Index> {
        if self.peek(0) != Some('[') {
            return None;
        }
        let end = closing_bracket(&self.chars, self.at + 1)?;
        let source: String = self.chars[self.at + 1..end].iter().collect();
        self.at = end + 1;
        Some(match source.as_str() {
            "@" => Index::Each,
            "*" => Index::Joined,
            _ => Index::At(source),
        })
    }

    fn names_or_keys(&mut self, index: Option<&Index>) -> Option<Op> {
        match (index, self.peek(0)) {
            (Some(Index::Each), Some('}')) => Some(Op::Keys { joined: false }),
            (Some(Index::Joined), Some('}')) => Some(Op::Keys { joined: true }),
            (None, Some(c @ ('*' | '@'))) if self.peek(1) == Some('}') => {
                self.at += 1;
                Some(Op::Names { joined: c == '*' })
            }
            _ => None,
        }
    }

    fn operation(&mut self, quoting: Quoting) -> Option<Op> {
        let c = self.peek(0)?;
        let next = self.peek(1);
        Some(match c {
            '}' => Op::Get,
            ':' if next.is_some_and(|c| "-=?+".contains(c)) => {
                self.at += 1;
                self.test(quoting, true)?
            }
            '-' | '=' | '?' | '+' => self.test(quoting, false)?,
            ':' => self.substring(),
            '#' | '%' => {
                let longest = self.doubled(c);
                let end = if c == '#' { End::Prefix } else { End::Suffix };
                Op::Remove { end, longest, pattern: self.operand(Quoting::Plain, &['}']) }
            }
            '/' => self.replacement(),
            '^' | ',' | '~' => {
                let all = self.doubled(c);
                let change = match c {
                    '^' => Case::Upper,
                    ',' => Case::Lower,
                    _ => Case::Toggle,
                };
                Op::Case { change, all, pattern: self.operand(Quoting::Plain, &['}']) }
            }
            '@' if next.is_some_and(|c| "QEPAaUuLKk".contains(c)) && self.peek(2) == Some('}') => {
                self.at += 2;
                Op::Transform(next?)
            }
            _ => return None,
        })
    }

    /// Takes one such character, or two: whether it was two.
    fn doubled(&mut self, c: char) -> bool {
        self.at += 1;
        let twice = self.peek(0) == Some(c);
        self.at += usize::from(twice);
        twice
    }

    fn operand(&mut self, quoting: Quoting, stop: &[char]) -> Word {
        self.pieces(quoting, stop).into()
    }

    fn test(&mut self, quoting: Quoting, colon: bool) -> Option<Op> {
        let kind = self.peek(0)?;
        self.at += 1;
        let quoting = if quoting == Quoting::Plain { Quoting::Plain } else { Quoting::Operand };
        Some(Op::Test { kind, colon, word: self.operand(quoting, &['}']) })
    }

    fn substring(&mut self) -> Op {
        self.at += 1;
        let offset = self.operand(Quoting::Operand, &[':', '}']);
        let mut length = None;
        if self.peek(0) == Some(':') {
            self.at += 1;
            length = Some(self.operand(Quoting::Operand, &['}']));
        }
        Op::Substring { offset, length }
    }

    fn replacement(&mut self) -> Op {
        self.at += 1;
        let place = match self.peek(0) {
            Some('/') => Place::All,
            Some('#') => Place::Prefix,
            Some('%') => Place::Suffix,
            _ => Place::First,
        };
        if place != Place::First {
            self.at += 1;
        }
        let pattern = self.operand(Quoting::Plain, &['/', '}']);
        let mut with: Word = Vec::new().into();
        if self.peek(0) == Some('/') {
            self.at += 1;
            with = self.operand(Quoting::Plain, &['}']);
        }
        Op::Replace { place, pattern, with }
    }
}
