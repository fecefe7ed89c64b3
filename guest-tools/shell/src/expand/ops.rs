//! What is done to the values of parameters.

use super::param::Got;
use crate::pattern::Pattern;
use crate::shell::{Flow, Shell};
use crate::word::{Case, End, Index, Op, Piece, Place, Word};

impl Shell {
    pub(super) fn operate(&mut self, op: &Op, of: (&str, Option<&Index>), got: Got) -> Result<Got, Flow> {
        Ok(match op {
            Op::Length => Got::One(
                match got {
                    Got::Unset => 0,
                    Got::One(value) => value.chars().count(),
                    Got::Many { values, .. } => values.len(),
                }
                .to_string(),
            ),
            Op::Remove { end, longest, pattern } => {
                let pattern = self.operand_pattern(pattern)?;
                got.map(|value| remove(&value, &pattern, *end, *longest))
            }
            Op::Replace { place, pattern, with } => {
                let pattern = self.operand_pattern(pattern)?;
                let with = self.replacement(with)?;
                got.map(|value| replace(&value, &pattern, &with, *place))
            }
            Op::Case { change, all, pattern } => {
                let pattern = if pattern.is_empty() { None } else { Some(self.operand_pattern(pattern)?) };
                got.map(|value| change_case(&value, *change, *all, pattern.as_ref()))
            }
            Op::Substring { offset, length } => {
                let offset = self.operand_number(offset)?;
                let length = length.as_ref().map(|length| self.operand_number(length)).transpose()?;
                self.substring(of, got, offset, length)?
            }
            Op::Transform(kind) => self.transform(*kind, of, got)?,
            _ => got,
        })
    }

    fn operand_pattern(&mut self, word: &Word) -> Result<Pattern, Flow> {
        let field = self.pieces_to_field(word)?;
        Ok(Pattern::new(&field.pattern()).ignoring_case(false))
    }

    fn operand_number(&mut self, word: &Word) -> Result<i64, Flow> {
        let source = self.pieces_to_text(word)?;
        self.arithmetic(&source)
    }

    /// What is put in place: an unquoted `&` is what was matched.
    fn replacement(&mut self, word: &Word) -> Result<Vec<Option<String>>, Flow> {
        let mut parts = Vec::new();
        for piece in word.iter() {
            let text = self.pieces_to_text(std::slice::from_ref(piece))?;
            let quoted = matches!(piece, Piece::Quoted(_) | Piece::Double(_));
            if quoted || !text.contains('&') {
                parts.push(Some(text));
                continue;
            }
            for (at, part) in text.split('&').enumerate() {
                if at > 0 {
                    parts.push(None);
                }
                parts.push(Some(part.to_owned()));
            }
        }
        Ok(parts)
    }

    fn substring(
        &mut self,
        (name, index): (&str, Option<&Index>),
        got: Got,
        offset: i64,
        length: Option<i64>,
    ) -> Result<Got, Flow> {
        match got {
            Got::Unset => Ok(Got::Unset),
            Got::One(value) => {
                let chars: Vec<char> = value.chars().collect();
                let range = self.range(chars.len(), offset, length, true)?;
                Ok(Got::One(chars[range].iter().collect()))
            }
            Got::Many { mut values, joined } => {
                if name == "@" || name == "*" {
                    values.insert(0, self.state.name.clone());
                }
                let mut offset = offset;
                if index.is_some()
                    && offset >= 0
                    && let Some(variable) = self.state.vars.get(&self.target(name).0)
                {
                    // An array's offset is an index, and there may be gaps.
                    let before = variable
                        .value
                        .keys()
                        .iter()
                        .filter(|key| key.parse::<i64>().is_ok_and(|key| key < offset))
                        .count();
                    if matches!(variable.value, crate::vars::Value::Indexed(_)) {
                        offset = i64::try_from(before).unwrap_or(i64::MAX);
                    }
                }
                let range = self.range(values.len(), offset, length, false)?;
                Ok(Got::many(values[range].to_vec(), joined))
            }
        }
    }

    fn range(
        &mut self,
        count: usize,
        offset: i64,
        length: Option<i64>,
        from_end: bool,
    ) -> Result<std::ops::Range<usize>, Flow> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let start = if offset < 0 { count + offset } else { offset };
        if start < 0 || start > count {
            return Ok(0..0);
        }
        let end = match length {
            None => count,
            Some(length) if length >= 0 => start.saturating_add(length).min(count),
            Some(length) if from_end && count + length >= start => count + length,
            Some(length) => {
                self.complain(&format!("{length}: substring expression < 0"));
                return Err(Flow::Discard(1));
            }
        };
        let index = |n: i64| usize::try_from(n).unwrap_or(0);
        Ok(index(start)..index(end))
    }
}

fn remove(value: &str, pattern: &Pattern, end: End, longest: bool) -> String {
    if let Some(literal) = pattern.literal() {
        let rest = match end {
            End::Prefix => value.strip_prefix(&literal),
            End::Suffix => value.strip_suffix(&literal),
        };
        return rest.unwrap_or(value).to_owned();
    }
    let chars: Vec<char> = value.chars().collect();
    let kept = match end {
        End::Prefix => {
            let ends = pattern.ends(&chars, 0);
            let cut = if longest { ends.last() } else { ends.first() };
            &chars[cut.copied().unwrap_or(0)..]
        }
        End::Suffix => {
            let fits = |start: &usize| pattern.ends(&chars, *start).contains(&chars.len());
            let cut = if longest { (0..=chars.len()).find(fits) } else { (0..=chars.len()).rev().find(fits) };
            &chars[..cut.unwrap_or(chars.len())]
        }
    };
    kept.iter().collect()
}

fn replace(value: &str, pattern: &Pattern, with: &[Option<String>], place: Place) -> String {
    if let (Some(literal), [] | [Some(_)]) = (pattern.literal(), with) {
        let with = with.first().and_then(Option::as_deref).unwrap_or("");
        match place {
            _ if literal.is_empty() && place != Place::Prefix && place != Place::Suffix => return value.to_owned(),
            Place::First => return value.replacen(&literal, with, 1),
            Place::All => return value.replace(&literal, with),
            _ => {}
        }
    }
    let chars: Vec<char> = value.chars().collect();
    let put = |out: &mut String, from: usize, to: usize| {
        for part in with {
            match part {
                Some(text) => out.push_str(text),
                None => out.extend(&chars[from..to]),
            }
        }
    };
    let mut out = String::new();
    match place {
        Place::Prefix => {
            let end = pattern.ends(&chars, 0).last().copied();
            if let Some(end) = end {
                put(&mut out, 0, end);
            }
            out.extend(&chars[end.unwrap_or(0)..]);
        }
        Place::Suffix => {
            let start = (0..=chars.len()).find(|start| pattern.ends(&chars, *start).contains(&chars.len()));
            out.extend(&chars[..start.unwrap_or(chars.len())]);
            if let Some(start) = start {
                put(&mut out, start, chars.len());
            }
        }
        Place::First | Place::All => {
            let mut at = 0;
            let mut done = false;
            while at < chars.len() {
                let end = if done { None } else { pattern.ends(&chars, at).last().copied().filter(|end| *end > at) };
                match end {
                    Some(end) => {
                        put(&mut out, at, end);
                        at = end;
                        done = place == Place::First;
                    }
                    None => {
                        out.push(chars[at]);
                        at += 1;
                    }
                }
            }
        }
    }
    out
}

fn change_case(value: &str, change: Case, all: bool, pattern: Option<&Pattern>) -> String {
    let mut out = String::new();
    for (at, c) in value.chars().enumerate() {
        let fits = pattern.is_none_or(|pattern| pattern.matches(c.encode_utf8(&mut [0; 4])));
        if !fits || (at > 0 && !all) {
            out.push(c);
            continue;
        }
        match change {
            Case::Upper => out.extend(c.to_uppercase()),
            Case::Lower => out.extend(c.to_lowercase()),
            Case::Toggle if c.is_uppercase() => out.extend(c.to_lowercase()),
            Case::Toggle => out.extend(c.to_uppercase()),
        }
    }
    out
}
