//! Expansion: from words to the fields that a command gets.

mod brace;
mod field;
mod glob;
mod ops;
mod param;
mod transform;

pub(crate) use field::Field;
pub(crate) use param::{Got, split_reference};

use crate::pattern::is_pattern;
use crate::shell::{Flow, Shell};
use crate::state::{BRACES, EXTGLOB, FAILGLOB, NOGLOB, NULLGLOB};
use crate::word::Piece;
use brush_parser::ast;
use field::{Fields, Splitting};

impl Shell {
    /// The fields of words.
    pub(crate) fn expand_words<'a>(
        &mut self,
        words: impl IntoIterator<Item = &'a ast::Word>,
    ) -> Result<Vec<String>, Flow> {
        let mut all = Vec::new();
        for word in words {
            self.expand_into(&word.value, &mut all)?;
        }
        Ok(all)
    }

    /// The fields of one word's source.
    pub(crate) fn expand_into(&mut self, source: &str, all: &mut Vec<String>) -> Result<(), Flow> {
        if plain(source) {
            all.push(source.to_owned());
            return Ok(());
        }
        if !self.state.has(BRACES) || !source.contains('{') {
            return self.expand_unbraced(source, all);
        }
        let Some(words) = brace::expand(source) else {
            self.complain("brace expansion: more words than memory holds");
            return self.expand_unbraced(source, all);
        };
        for word in words {
            if plain(&word) {
                all.push(word);
            } else {
                self.expand_unbraced(&word, all)?;
            }
        }
        Ok(())
    }

    fn expand_unbraced(&mut self, source: &str, all: &mut Vec<String>) -> Result<(), Flow> {
        let word = self.word(source, if looks_assigned(source) { 'n' } else { 'w' });
        let mut fields = Fields::new(Splitting::At(self.ifs()));
        self.expand_pieces(&word, &mut fields, false)?;
        for field in fields.finish() {
            self.glob_into(&field, all)?;
        }
        Ok(())
    }

    fn glob_into(&mut self, field: &Field, all: &mut Vec<String>) -> Result<(), Flow> {
        if self.state.has(NOGLOB) || !field.may_be_pattern() {
            all.push(field.plain());
            return Ok(());
        }
        let pattern = field.pattern();
        if !is_pattern(&pattern, self.state.shopt(EXTGLOB)) {
            all.push(field.plain());
            return Ok(());
        }
        let mut found = self.glob(&pattern);
        if !found.is_empty() {
            all.append(&mut found);
        } else if self.state.shopt(FAILGLOB) {
            self.complain(&format!("no match: {}", field.plain()));
            return Err(Flow::Discard(1));
        } else if !self.state.shopt(NULLGLOB) {
            all.push(field.plain());
        }
        Ok(())
    }

    /// A word as one text: nothing is split, no pattern is looked up.
    pub(crate) fn expand_one(&mut self, source: &str) -> Result<String, Flow> {
        Ok(self.expand_field(source, 'w')?.plain())
    }

    /// What is assigned, as one text.
    pub(crate) fn expand_assigned(&mut self, source: &str) -> Result<String, Flow> {
        Ok(self.expand_field(source, 'a')?.plain())
    }

    /// The text of a here-document.
    pub(crate) fn expand_here(&mut self, source: &str) -> Result<String, Flow> {
        let word = self.word(source, 'h');
        let mut fields = Fields::new(Splitting::Never);
        self.expand_pieces(&word, &mut fields, true)?;
        Ok(fields.into_one().plain())
    }

    /// A word as a pattern.
    pub(crate) fn expand_pattern(&mut self, source: &str) -> Result<String, Flow> {
        Ok(self.expand_field(source, 'w')?.pattern())
    }

    /// A word as one field, which knows what of it was quoted.
    pub(crate) fn expand_field(&mut self, source: &str, kind: char) -> Result<Field, Flow> {
        let word = self.word(source, kind);
        self.pieces_to_field(&word)
    }

    pub(crate) fn pieces_to_field(&mut self, pieces: &[Piece]) -> Result<Field, Flow> {
        let mut fields = Fields::new(Splitting::Never);
        self.expand_pieces(pieces, &mut fields, false)?;
        Ok(fields.into_one())
    }

    pub(crate) fn pieces_to_text(&mut self, pieces: &[Piece]) -> Result<String, Flow> {
        Ok(self.pieces_to_field(pieces)?.plain())
    }

    /// Expands pieces into fields. `quoted`: they stand within double quotes.
    fn expand_pieces(&mut self, pieces: &[Piece], into: &mut Fields, quoted: bool) -> Result<(), Flow> {
        for piece in pieces {
            match piece {
                Piece::Text(text) if into.splits_text() && !quoted => into.split(text),
                Piece::Text(text) => into.push(text, quoted),
                Piece::Quoted(text) => into.push(text, true),
                Piece::Tilde(user) => {
                    let home = self.tilde(user);
                    into.push(&home, true);
                }
                Piece::Double(inner) => {
                    into.open_quotes(inner.is_empty());
                    self.expand_pieces(inner, into, true)?;
                    into.close_quotes(only_all_args(inner));
                }
                Piece::Param(param) => self.expand_param(param, into, quoted)?,
                Piece::Command(source) => {
                    let text = self.substitute(source)?;
                    into.value(&text, quoted);
                }
                Piece::Arithmetic(word) => {
                    let source = self.pieces_to_text(word)?;
                    let value = self.arithmetic(&source)?;
                    into.value(&value.to_string(), quoted);
                }
            }
        }
        Ok(())
    }

    fn tilde(&self, user: &str) -> String {
        let known = match user {
            "" => Some(self.var("HOME").unwrap_or_else(|| "/root".to_owned())),
            "+" => self.var("PWD"),
            "-" => self.var("OLDPWD"),
            "root" => Some("/root".to_owned()),
            _ => None,
        };
        known.unwrap_or_else(|| format!("~{user}"))
    }

    /// The value of an arithmetic expression.
    pub(crate) fn arithmetic(&mut self, source: &str) -> Result<i64, Flow> {
        match crate::arith::evaluate(self, source) {
            Ok(value) => Ok(value),
            Err(crate::arith::Trouble::Flow(flow)) => Err(flow),
            Err(crate::arith::Trouble::Says(why)) => {
                self.complain(&why);
                Err(Flow::Discard(1))
            }
        }
    }
}

/// Whether a word is nothing but `"$@"`, or the like: then it can be no field at all.
fn only_all_args(pieces: &[Piece]) -> bool {
    use crate::word::{Index, Op};
    let all = |piece: &Piece| match piece {
        Piece::Param(param) => {
            let each =
                param.name == "@" || param.index == Some(Index::Each) || matches!(param.op, Op::Keys { joined: false });
            let tested = matches!(param.op, Op::Test { .. } | Op::Length);
            each && (!tested || matches!(param.op, Op::Test { kind: '+', .. }))
        }
        _ => false,
    };
    !pieces.is_empty() && pieces.iter().all(all)
}

/// Whether a tilde counts where it would in an assignment: `name=~`.
fn looks_assigned(source: &str) -> bool {
    source.contains('~') && source.split_once('=').is_some_and(|(name, _)| crate::state::is_name(name))
}

/// Whether a word means itself.
fn plain(source: &str) -> bool {
    source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./,:+=%@".contains(&byte)) && !source.is_empty()
}

/// A command's output without the newlines at its end.
pub(crate) fn without_newlines(mut bytes: Vec<u8>) -> String {
    let end = bytes.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    bytes.truncate(end);
    bytes.retain(|byte| *byte != 0);
    crate::text::from_owned_bytes(bytes)
}
