//! The values of parameters.

use super::field::Fields;
use crate::clock;
use crate::shell::{Flow, Shell};
use crate::state::{NOUNSET, is_name};
use crate::vars::Value;
use crate::word::{Index, Op, Param};

/// What a parameter gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Unset,
    One(String),
    /// Several; `joined` if they are one within quotes, as `$*` is.
    Many {
        values: Vec<String>,
        joined: bool,
    },
}

impl Got {
    pub(super) fn many(values: Vec<String>, joined: bool) -> Self {
        Self::Many { values, joined }
    }

    pub(super) fn map(self, mut change: impl FnMut(String) -> String) -> Self {
        match self {
            Self::Unset => Self::Unset,
            Self::One(value) => Self::One(change(value)),
            Self::Many { values, joined } => Self::many(values.into_iter().map(change).collect(), joined),
        }
    }

    fn null(&self, colon: bool) -> bool {
        match self {
            Self::Unset => true,
            Self::One(value) => colon && value.is_empty(),
            Self::Many { values, .. } => values.is_empty() || (colon && values.iter().all(String::is_empty)),
        }
    }
}

impl Shell {
    /// Expands a parameter into fields.
    pub(super) fn expand_param(&mut self, param: &Param, into: &mut Fields, quoted: bool) -> Result<(), Flow> {
        match &param.op {
            Op::Bad(source) => {
                self.complain(&format!("{source}: bad substitution"));
                return Err(Flow::Discard(1));
            }
            Op::Names { joined } => {
                let visible = self.state.vars.visible();
                let names = visible.into_keys().filter(|name| name.starts_with(&param.name)).cloned().collect();
                self.push(Got::many(names, *joined), into, quoted);
                return Ok(());
            }
            Op::Keys { joined } => {
                let keys = self.state.vars.get(&self.target(&param.name).0).map(|variable| variable.value.keys());
                self.push(Got::many(keys.unwrap_or_default(), *joined), into, quoted);
                return Ok(());
            }
            _ => {}
        }
        let (name, index) = self.meant(param)?;
        let got = self.parameter(&name, index.as_ref())?;
        match &param.op {
            Op::Test { kind, colon, word } => {
                self.test_param((&name, index.as_ref()), got, (*kind, *colon, word), into, quoted)
            }
            op => {
                self.refuse_unset(&name, index.as_ref(), &got)?;
                let got = self.operate(op, (&name, index.as_ref()), got)?;
                self.push(got, into, quoted);
                Ok(())
            }
        }
    }

    /// The name and index that are meant: through `!`, those that the value names.
    fn meant(&mut self, param: &Param) -> Result<(String, Option<Index>), Flow> {
        if !param.indirect {
            return Ok((param.name.clone(), param.index.clone()));
        }
        if let Some(variable) = self.state.vars.get(&param.name).filter(|variable| variable.has.nameref) {
            // `${!ref}` is the name that a reference holds: given as a text that expands to it.
            let name = variable.value.scalar().unwrap_or_default();
            self.set_own("__handbox_name", name);
            return Ok(("__handbox_name".to_owned(), None));
        }
        let value = match self.parameter(&param.name, param.index.as_ref())? {
            Got::One(value) => value,
            Got::Many { values, .. } => values.join(" "),
            Got::Unset => {
                self.complain(&format!("{}: invalid indirect expansion", param.name));
                return Err(Flow::Discard(1));
            }
        };
        let (name, index) = split_reference(&value);
        let special = !name.is_empty() && (name.chars().all(|c| c.is_ascii_digit()) || "@*#?-$!".contains(&name));
        if !is_name(&name) && !special {
            self.complain(&format!("{value}: invalid variable name"));
            return Err(Flow::Discard(1));
        }
        Ok((name, index))
    }

    /// Follows references by name.
    pub(crate) fn target(&self, name: &str) -> (String, Option<Index>) {
        let mut name = name.to_owned();
        for _ in 0..10 {
            match self.state.vars.get(&name) {
                Some(variable) if variable.has.nameref => match variable.value.scalar() {
                    Some(next) if !next.is_empty() => {
                        let (next, index) = split_reference(&next);
                        if index.is_some() {
                            return (next, index);
                        }
                        name = next;
                    }
                    _ => break,
                },
                _ => break,
            }
        }
        (name, None)
    }

    /// What a parameter holds.
    pub(crate) fn parameter(&mut self, name: &str, index: Option<&Index>) -> Result<Got, Flow> {
        let one = |text: String| Ok(Got::One(text));
        match name {
            "@" | "*" => return Ok(Got::many(self.state.args.to_vec(), name == "*")),
            "#" => return one(self.state.args.len().to_string()),
            "?" => return one(self.state.status.to_string()),
            "-" => return one(self.state.flags()),
            "$" => return one(self.state.pid.to_string()),
            "!" => return Ok(self.state.last_background.map_or(Got::Unset, |id| Got::One(id.to_string()))),
            "0" => return one(self.state.name.clone()),
            _ => {}
        }
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            let at: usize = name.parse().unwrap_or(usize::MAX);
            return Ok(self.state.args.get(at.wrapping_sub(1)).map_or(Got::Unset, |arg| Got::One(arg.clone())));
        }
        if let Some(value) = self.dynamic(name) {
            return self.element(&value, index);
        }
        let (name, own_index) = self.target(name);
        let index = own_index.as_ref().or(index);
        if index.is_none() {
            return Ok(self.var(&name).map_or(Got::Unset, Got::One));
        }
        match self.state.vars.get(&name).map(|variable| variable.value.clone()) {
            Some(value) => self.element(&value, index),
            None if matches!(index, Some(Index::Each | Index::Joined)) => self.element(&Value::Unset, index),
            None => Ok(Got::Unset),
        }
    }

    fn element(&mut self, value: &Value, index: Option<&Index>) -> Result<Got, Flow> {
        let got = |found: Option<String>| Ok(found.map_or(Got::Unset, Got::One));
        match index {
            None => got(value.scalar()),
            Some(Index::Each) => Ok(Got::many(value.values(), false)),
            Some(Index::Joined) => Ok(Got::many(value.values(), true)),
            Some(Index::At(source)) => match value {
                Value::Table(items) => {
                    let key = self.expand_one(source)?;
                    got(items.get(&key).cloned())
                }
                value => {
                    let source = self.expand_one(source)?;
                    let at = self.arithmetic(&source)?;
                    got(match value {
                        Value::Indexed(items) => {
                            let end = items.keys().next_back().map_or(0, |last| last + 1);
                            items.get(&if at < 0 { end + at } else { at }).cloned()
                        }
                        value if at == 0 || at == -1 => value.scalar(),
                        _ => None,
                    })
                }
            },
        }
    }

    /// Variables whose value is made when it is asked for.
    pub(crate) fn dynamic(&mut self, name: &str) -> Option<Value> {
        if !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        let now = clock::now();
        Some(Value::Scalar(match name {
            "RANDOM" => (self.random() & 0x7fff).to_string(),
            "SRANDOM" => (self.random() & 0xffff_ffff).to_string(),
            "SECONDS" => (clock::seconds() - self.state.began).to_string(),
            "LINENO" => self.state.line.to_string(),
            "EPOCHSECONDS" => now.as_secs().to_string(),
            "EPOCHREALTIME" => format!("{}.{:06}", now.as_secs(), now.subsec_micros()),
            "BASHPID" => self.own_number().to_string(),
            "BASH_SUBSHELL" => self.state.subshell.to_string(),
            "PPID" => crate::system::parent_id().to_string(),
            "SHELLOPTS" => crate::builtins::options::enabled(self.state.options),
            "FUNCNAME" if self.state.frames.is_empty() => return Some(Value::Unset),
            "FUNCNAME" | "BASH_SOURCE" | "BASH_LINENO" => return Some(self.frames(name)),
            "PIPESTATUS" => return Some(Value::list(self.state.pipe.iter().map(ToString::to_string))),
            "DIRSTACK" => {
                return Some(Value::list(std::iter::once(self.state.cwd.clone()).chain(self.state.dirs.clone())));
            }
            _ => return None,
        }))
    }

    fn frames(&self, name: &str) -> Value {
        let frames = self.state.frames.iter().rev();
        match name {
            "FUNCNAME" => {
                Value::list(frames.map(|frame| frame.function.clone()).chain(self.scripted.then(|| "main".to_owned())))
            }
            "BASH_SOURCE" => {
                let main = self.scripted.then(|| self.state.name.clone());
                Value::list(frames.map(|frame| frame.file.clone()).chain(main))
            }
            _ => Value::list(frames.map(|frame| frame.line.to_string()).chain(std::iter::once("0".to_owned()))),
        }
    }

    fn test_param(
        &mut self,
        (name, index): (&str, Option<&Index>),
        got: Got,
        (kind, colon, word): (char, bool, &crate::word::Word),
        into: &mut Fields,
        quoted: bool,
    ) -> Result<(), Flow> {
        let null = got.null(colon);
        match kind {
            '-' if null => self.expand_operand(word, into, quoted),
            '+' if null => Ok(()),
            '+' => self.expand_operand(word, into, quoted),
            '=' if null => {
                let value = self.pieces_to_text(word)?;
                if self.assign((name, index), &value, false).is_err() {
                    return Err(Flow::Discard(1));
                }
                into.value(&value, quoted);
                Ok(())
            }
            '?' if null => {
                let why = self.pieces_to_text(word)?;
                let usual = if colon { "parameter null or not set" } else { "parameter not set" };
                self.complain(&format!("{name}: {}", if word.is_empty() { usual } else { &why }));
                Err(self.unset_ends())
            }
            _ => {
                self.push(got, into, quoted);
                Ok(())
            }
        }
    }

    /// The word of a test: its text is split, too, and its own quotes count.
    fn expand_operand(&mut self, word: &crate::word::Word, into: &mut Fields, quoted: bool) -> Result<(), Flow> {
        let was = into.split_text(!quoted);
        let done = self.expand_pieces(word, into, quoted);
        into.split_text(was);
        done
    }

    fn refuse_unset(&mut self, name: &str, index: Option<&Index>, got: &Got) -> Result<(), Flow> {
        if *got != Got::Unset || !self.state.has(NOUNSET) {
            return Ok(());
        }
        let shown = match index {
            Some(Index::At(source)) => format!("{name}[{source}]"),
            _ if name.starts_with(|c: char| c.is_ascii_digit()) || name == "!" => format!("${name}"),
            _ => name.to_owned(),
        };
        self.complain(&format!("{shown}: unbound variable"));
        Err(self.unset_ends())
    }

    /// What a parameter that must be set, and is not, does: 127 ends the shell of `bash -c`.
    fn unset_ends(&self) -> Flow {
        Flow::Exit(if self.scripted || self.state.subshell > 0 { 1 } else { 127 })
    }

    /// Puts values where they belong.
    pub(super) fn push(&mut self, got: Got, into: &mut Fields, quoted: bool) {
        match got {
            Got::Unset => {}
            Got::One(value) => into.value(&value, quoted),
            Got::Many { values, joined } if joined && (quoted || !into.splits()) => {
                let ifs = self.var("IFS").unwrap_or_else(|| " ".to_owned());
                let separator = ifs.chars().next().map(String::from).unwrap_or_default();
                into.push(&values.join(&separator), true);
            }
            Got::Many { values, .. } if !into.splits() => into.push(&values.join(" "), true),
            Got::Many { values, .. } => into.values(&values, quoted),
        }
    }
}

/// `name` or `name[index]`.
pub(crate) fn split_reference(reference: &str) -> (String, Option<Index>) {
    match reference.split_once('[') {
        Some((name, rest)) if rest.ends_with(']') => {
            let index = match &rest[..rest.len() - 1] {
                "@" => Index::Each,
                "*" => Index::Joined,
                source => Index::At(source.to_owned()),
            };
            (name.to_owned(), Some(index))
        }
        _ => (reference.to_owned(), None),
    }
}
