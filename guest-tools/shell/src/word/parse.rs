//! From a word's source to its pieces.

use super::scan::{after_backquote, after_single, closing_arithmetic, closing_bracket, closing_paren};
use super::{Index, Op, Param, Piece, Word};
use crate::text::{Escapes, unescape};

/// How characters count where they stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Outside of quotes.
    Plain,
    /// Within double quotes.
    Double,
    /// In a here-document: as within double quotes, but for the quotes.
    Here,
    /// The word of `"${x:-word}"`: single quotes are letters, double ones are quotes.
    Operand,
}

/// A word of a command.
pub(crate) fn parse_word(source: &str) -> Word {
    Reader::new(source, false).pieces(Quoting::Plain, &[]).into()
}

/// What is assigned: a tilde counts after each colon, too.
pub(crate) fn parse_assigned(source: &str) -> Word {
    Reader::new(source, true).pieces(Quoting::Plain, &[]).into()
}

/// A word that looks like an assignment, `name=~`: its tildes count, too.
pub(crate) fn parse_named(source: &str) -> Word {
    let mut reader = Reader::new(source, true);
    reader.named = true;
    reader.pieces(Quoting::Plain, &[]).into()
}

/// The text of a here-document.
pub(crate) fn parse_here(source: &str) -> Word {
    Reader::new(source, false).pieces(Quoting::Here, &[]).into()
}

pub(super) struct Reader {
    pub(super) chars: Vec<char>,
    pub(super) at: usize,
    assigned: bool,
    /// The name of the assignment is there, too.
    named: bool,
}

/// Pieces as they come; text is joined.
#[derive(Default)]
struct Pieces {
    done: Vec<Piece>,
    text: String,
    quoted: bool,
}

impl Pieces {
    fn text(&mut self, c: char, quoted: bool) {
        if quoted != self.quoted {
            self.flush();
            self.quoted = quoted;
        }
        self.text.push(c);
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.done.push(if self.quoted { Piece::Quoted(text) } else { Piece::Text(text) });
        }
    }

    fn push(&mut self, piece: Piece) {
        self.flush();
        self.done.push(piece);
    }
}

impl Reader {
    fn new(source: &str, assigned: bool) -> Self {
        Self { chars: source.chars().collect(), at: 0, assigned, named: false }
    }

    pub(super) fn peek(&self, by: usize) -> Option<char> {
        self.chars.get(self.at + by).copied()
    }

    /// Reads up to one of `stop`, which is not taken.
    pub(super) fn pieces(&mut self, quoting: Quoting, stop: &[char]) -> Vec<Piece> {
        let mut pieces = Pieces::default();
        let start = self.at;
        while let Some(c) = self.peek(0) {
            if stop.contains(&c) {
                break;
            }
            match c {
                '\\' => self.backslash(quoting, &mut pieces),
                '$' => self.dollar(quoting, &mut pieces),
                '`' => self.backquote(quoting, &mut pieces),
                '\'' if quoting == Quoting::Plain => self.single_quotes(&mut pieces),
                '"' if matches!(quoting, Quoting::Plain | Quoting::Operand) => {
                    self.at += 1;
                    let inner = self.pieces(Quoting::Double, &['"']);
                    self.at += 1;
                    pieces.push(Piece::Double(inner));
                }
                '~' if quoting == Quoting::Plain && self.tilde_counts(start) => self.tilde(&mut pieces),
                c => {
                    pieces.text(c, false);
                    self.at += 1;
                }
            }
        }
        pieces.flush();
        pieces.done
    }

    fn tilde_counts(&self, start: usize) -> bool {
        self.at == start
            || (self.assigned
                && match self.chars[self.at - 1] {
                    ':' => true,
                    '=' => self.named && self.name_before(),
                    _ => false,
                })
    }

    /// Whether what stands before the `=` here is a name: a word that looks like an assignment.
    fn name_before(&self) -> bool {
        let name: String = self.chars[..self.at - 1].iter().collect();
        crate::state::is_name(&name)
    }

    fn tilde(&mut self, pieces: &mut Pieces) {
        self.at += 1;
        let from = self.at;
        let name = |c: char| c.is_alphanumeric() || "_-+.".contains(c);
        while self.peek(0).is_some_and(name) {
            self.at += 1;
        }
        let after = self.peek(0);
        let user: String = self.chars[from..self.at].iter().collect();
        if after.is_none_or(|c| c == '/' || c == '}' || (c == ':' && self.assigned)) {
            pieces.push(Piece::Tilde(user));
        } else {
            pieces.text('~', false);
            self.at = from;
        }
    }

    fn backslash(&mut self, quoting: Quoting, pieces: &mut Pieces) {
        let next = self.peek(1);
        let special = match quoting {
            Quoting::Plain => next.is_some(),
            Quoting::Double => next.is_some_and(|c| "$`\"\\\n".contains(c)),
            Quoting::Here => next.is_some_and(|c| "$`\\\n".contains(c)),
            Quoting::Operand => next.is_some_and(|c| "$`\"\\\n}".contains(c)),
        };
        match next {
            Some('\n') => {}
            Some(c) if special => pieces.text(c, true),
            _ => {
                pieces.text('\\', quoting != Quoting::Plain);
                self.at += 1;
                return;
            }
        }
        self.at += 2;
    }

    fn single_quotes(&mut self, pieces: &mut Pieces) {
        let end = after_single(&self.chars, self.at).unwrap_or(self.chars.len() + 1);
        pieces.push(Piece::Quoted(self.chars[self.at + 1..end - 1].iter().collect()));
        self.at = end.min(self.chars.len());
    }

    fn backquote(&mut self, quoting: Quoting, pieces: &mut Pieces) {
        let Some(end) = after_backquote(&self.chars, self.at) else {
            pieces.text('`', false);
            self.at += 1;
            return;
        };
        let mut source = String::new();
        let mut inner = self.chars[self.at + 1..end - 1].iter().copied().peekable();
        while let Some(c) = inner.next() {
            let escaped = |next: &char| "$`\\".contains(*next) || (quoting == Quoting::Double && *next == '"');
            match inner.next_if(|next| c == '\\' && escaped(next)) {
                Some(next) => source.push(next),
                None => source.push(c),
            }
        }
        pieces.push(Piece::Command(source.into()));
        self.at = end;
    }

    fn dollar(&mut self, quoting: Quoting, pieces: &mut Pieces) {
        match self.peek(1) {
            Some('\'') if quoting == Quoting::Plain => {
                self.at += 1;
                let end = after_single(&self.chars, self.at).unwrap_or(self.chars.len() + 1);
                let source: String = self.chars[self.at + 1..end - 1].iter().collect();
                pieces.push(Piece::Quoted(unescape(&source, Escapes::Quote).text));
                self.at = end.min(self.chars.len());
            }
            Some('"') if quoting == Quoting::Plain => self.at += 1,
            Some('{') => {
                self.at += 2;
                let piece = self.braced(quoting);
                pieces.push(piece);
            }
            Some('(') => self.parenthesis(pieces),
            Some('[') => self.old_arithmetic(pieces),
            Some(c) if c == '_' || c.is_ascii_alphabetic() => {
                self.at += 1;
                let name = self.name();
                pieces.push(plain(name));
            }
            Some(c) if c.is_ascii_digit() || "@*#?-$!".contains(c) => {
                self.at += 2;
                pieces.push(plain(c.to_string()));
            }
            _ => {
                pieces.text('$', false);
                self.at += 1;
            }
        }
    }

    pub(super) fn name(&mut self) -> String {
        let from = self.at;
        while self.peek(0).is_some_and(|c| c == '_' || c.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect()
    }

    fn parenthesis(&mut self, pieces: &mut Pieces) {
        if self.peek(2) == Some('(')
            && let Some(end) = closing_arithmetic(&self.chars, self.at + 3)
        {
            let inner = self.inner(self.at + 3, end);
            pieces.push(Piece::Arithmetic(inner));
            self.at = end + 2;
            return;
        }
        let end = closing_paren(&self.chars, self.at + 2).unwrap_or(self.chars.len());
        let source: String = self.chars[self.at + 2..end].iter().collect();
        pieces.push(Piece::Command(source.into()));
        self.at = (end + 1).min(self.chars.len());
    }

    fn old_arithmetic(&mut self, pieces: &mut Pieces) {
        let Some(end) = closing_bracket(&self.chars, self.at + 2) else {
            pieces.text('$', false);
            self.at += 1;
            return;
        };
        let inner = self.inner(self.at + 2, end);
        pieces.push(Piece::Arithmetic(inner));
        self.at = end + 1;
    }

    fn inner(&self, from: usize, to: usize) -> Word {
        let mut reader = Self { chars: self.chars[from..to].to_vec(), at: 0, assigned: false, named: false };
        reader.pieces(Quoting::Operand, &[]).into()
    }
}

fn plain(name: String) -> Piece {
    let index: Option<Index> = None;
    Piece::Param(Box::new(Param { name, index, indirect: false, op: Op::Get }))
}
