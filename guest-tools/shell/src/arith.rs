//! Arithmetic: evaluated while it is read.

use crate::expand::Got;
use crate::shell::{Flow, Shell};
use crate::word::Index;

/// How deep a variable may hold an expression that names a variable that holds one.
const DEPTH_MAX: usize = 100;

/// How far brackets and signs may stand in each other: a bracket takes as much of the stack as four signs.
const STACK_MAX: usize = 256;

/// Why there is no value.
pub(crate) enum Trouble {
    /// What to say about it.
    Says(String),
    Flow(Flow),
}

impl From<Flow> for Trouble {
    fn from(flow: Flow) -> Self {
        Self::Flow(flow)
    }
}

type Got64 = Result<i64, Trouble>;

/// What an expression that can be assigned to is.
#[derive(Clone)]
struct Place {
    name: String,
    index: Option<Index>,
}

struct Reader<'a> {
    shell: &'a mut Shell,
    source: &'a str,
    chars: Vec<char>,
    at: usize,
    /// What is read is not evaluated: it is the side that is not taken.
    skips: bool,
    depth: usize,
    /// How much of the stack its brackets and signs take: see [`STACK_MAX`].
    stack: usize,
}

/// The value of an expression whose parameters are expanded.
pub(crate) fn evaluate(shell: &mut Shell, source: &str) -> Got64 {
    evaluate_at(shell, source, 0)
}

fn evaluate_at(shell: &mut Shell, source: &str, depth: usize) -> Got64 {
    let trimmed = source.trim();
    if let Ok(number) = trimmed.parse::<i64>()
        && (!trimmed.trim_start_matches(['-', '+']).starts_with('0') || trimmed == "0")
    {
        return Ok(number);
    }
    if depth > DEPTH_MAX {
        return Err(Trouble::Says(format!(
            "{source}: expression recursion level exceeded (error token is \"{source}\")"
        )));
    }
    let mut reader = Reader { shell, source, chars: source.chars().collect(), at: 0, skips: false, depth, stack: 0 };
    reader.space();
    if reader.at == reader.chars.len() {
        return Ok(0);
    }
    let value = reader.comma()?;
    if reader.at < reader.chars.len() {
        return Err(reader.trouble("syntax error in expression"));
    }
    Ok(value)
}

/// Operators of two sides by how they bind, the loosest first.
const LEVELS: [&[&str]; 10] = [
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

/// Operators that assign.
const ASSIGNING: [&str; 11] = ["<<=", ">>=", "*=", "/=", "%=", "+=", "-=", "&=", "^=", "|=", "="];

impl Reader<'_> {
    fn trouble(&self, what: &str) -> Trouble {
        let rest: String = self.chars[self.at.min(self.chars.len())..].iter().collect();
        Trouble::Says(format!("{}: {what} (error token is \"{rest}\")", self.source.trim_start()))
    }

    fn space(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(by, c)| self.chars.get(self.at + by) == Some(&c))
    }

    fn sees_one_of(&self, letters: &str) -> bool {
        self.chars.get(self.at).is_some_and(|c| letters.contains(*c))
    }

    fn takes(&mut self, text: &str) -> bool {
        let sees = self.sees(text);
        if sees {
            self.at += text.len();
            self.space();
        }
        sees
    }

    /// Reads what stands in what is being read.
    fn deeper(&mut self, by: usize, read: fn(&mut Self) -> Got64) -> Got64 {
        if self.stack + by > STACK_MAX {
            return Err(self.trouble("expression recursion level exceeded"));
        }
        self.stack += by;
        let value = read(self);
        self.stack -= by;
        value
    }

    fn comma(&mut self) -> Got64 {
        let mut value = self.assignment()?;
        while self.takes(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Got64 {
        let from = self.at;
        if let Some(place) = self.place()?
            && let Some(op) = self.assigns()
        {
            let right = self.deeper(4, Self::assignment)?;
            let value = if op.is_empty() {
                right
            } else {
                let left = self.value_of(&place)?;
                self.apply(op, left, right)?
            };
            self.put(&place, value)?;
            return Ok(value);
        }
        self.at = from;
        self.conditional()
    }

    /// An operator that assigns, without its `=`.
    fn assigns(&mut self) -> Option<&'static str> {
        if !self.sees_one_of("=<>*/%+-&^|") || self.sees("==") {
            return None;
        }
        let whole = ASSIGNING.into_iter().find(|whole| self.sees(whole))?;
        self.takes(whole);
        Some(&whole[..whole.len() - 1])
    }

    fn conditional(&mut self) -> Got64 {
        let condition = self.binary(0)?;
        if !self.takes("?") {
            return Ok(condition);
        }
        let was = self.skips;
        self.skips = was || condition == 0;
        let yes = self.deeper(4, Self::assignment)?;
        if !self.takes(":") {
            return Err(self.trouble("`:' expected for conditional expression"));
        }
        self.skips = was || condition != 0;
        let no = self.deeper(4, Self::assignment)?;
        self.skips = was;
        Ok(if condition != 0 { yes } else { no })
    }

    /// What operators of this level and of tighter ones make.
    fn binary(&mut self, level: usize) -> Got64 {
        let mut left = self.power()?;
        while let Some((op, level)) = self.operator_from(level) {
            let was = self.skips;
            self.skips = was || (op == "||" && left != 0) || (op == "&&" && left == 0);
            let right = self.binary(level + 1)?;
            self.skips = was;
            left = self.apply(op, left, right)?;
        }
        Ok(left)
    }

    /// An operator of this level or of a tighter one, with its level.
    fn operator_from(&mut self, least: usize) -> Option<(&'static str, usize)> {
        if !self.sees_one_of("|&^=!<>+-*/%") {
            return None;
        }
        (least..LEVELS.len()).find_map(|level| Some((self.operator(LEVELS[level])?, level)))
    }

    /// One of these, unless it is part of a longer operator.
    fn operator(&mut self, ops: &[&'static str]) -> Option<&'static str> {
        let op = *ops.iter().find(|op| self.sees(op))?;
        let next = self.chars.get(self.at + op.len()).copied();
        let longer = match op {
            "|" => next == Some('|') || next == Some('='),
            "&" => next == Some('&') || next == Some('='),
            "<" | ">" => next == Some(op.chars().next()?),
            "*" => next == Some('*') || next == Some('='),
            "^" | "+" | "-" | "/" | "%" | "<<" | ">>" => next == Some('='),
            _ => false,
        };
        (!longer && self.takes(op)).then_some(op)
    }

    fn power(&mut self) -> Got64 {
        let base = self.unary()?;
        if !self.takes("**") {
            return Ok(base);
        }
        let exponent = self.deeper(1, Self::power)?;
        match u32::try_from(exponent) {
            Ok(exponent) => Ok(base.wrapping_pow(exponent)),
            Err(_) if self.skips => Ok(0),
            Err(_) => Err(self.trouble("exponent less than 0")),
        }
    }

    fn unary(&mut self) -> Got64 {
        if !self.sees_one_of("+-!~") {
            return self.primary();
        }
        for op in ["++", "--"] {
            if self.sees(op) {
                let from = self.at;
                self.takes(op);
                if let Some(place) = self.place()? {
                    let by = if op == "++" { 1 } else { -1 };
                    let value = self.value_of(&place)?.wrapping_add(by);
                    self.put(&place, value)?;
                    return Ok(value);
                }
                self.at = from;
            }
        }
        if self.takes("!") {
            return Ok(i64::from(self.deeper(1, Self::unary)? == 0));
        }
        if self.takes("~") {
            return Ok(!self.deeper(1, Self::unary)?);
        }
        if self.takes("+") {
            return self.deeper(1, Self::unary);
        }
        if self.takes("-") {
            return Ok(self.deeper(1, Self::unary)?.wrapping_neg());
        }
        self.primary()
    }

    fn primary(&mut self) -> Got64 {
        if self.takes("(") {
            let value = self.deeper(4, Self::comma)?;
            if !self.takes(")") {
                return Err(self.trouble("missing `)'"));
            }
            return Ok(value);
        }
        if self.chars.get(self.at).is_some_and(char::is_ascii_digit) {
            return self.number();
        }
        let Some(place) = self.place()? else {
            return Err(self.trouble("syntax error: operand expected"));
        };
        let value = self.value_of(&place)?;
        for (op, by) in [("++", 1), ("--", -1)] {
            if self.takes(op) {
                self.put(&place, value.wrapping_add(by))?;
                break;
            }
        }
        Ok(value)
    }

    fn number(&mut self) -> Got64 {
        let from = self.at;
        while self.chars.get(self.at).is_some_and(|c| c.is_ascii_alphanumeric() || "#@_".contains(*c)) {
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        let value = parse_number(&text);
        self.space();
        value.ok_or_else(|| {
            let based = text.starts_with('0') || text.contains('#');
            let what = if based { "value too great for base" } else { "syntax error: invalid arithmetic operator" };
            Trouble::Says(format!("{text}: {what} (error token is \"{text}\")"))
        })
    }

    /// A name with its index, if one stands here.
    fn place(&mut self) -> Result<Option<Place>, Trouble> {
        let from = self.at;
        while self.chars.get(self.at).is_some_and(|c| *c == '_' || c.is_ascii_alphanumeric()) {
            self.at += 1;
        }
        let name: String = self.chars[from..self.at].iter().collect();
        if !crate::state::is_name(&name) {
            self.at = from;
            return Ok(None);
        }
        let mut index = None;
        if self.sees("[") {
            let start = self.at + 1;
            let mut depth = 0_usize;
            loop {
                match self.chars.get(self.at) {
                    Some('[') => depth += 1,
                    Some(']') => depth -= 1,
                    None => return Err(self.trouble("bad array subscript")),
                    _ => {}
                }
                self.at += 1;
                if depth == 0 {
                    break;
                }
            }
            index = Some(Index::At(self.chars[start..self.at - 1].iter().collect()));
        }
        self.space();
        Ok(Some(Place { name, index }))
    }

    fn value_of(&mut self, place: &Place) -> Got64 {
        if self.skips {
            return Ok(0);
        }
        match self.shell.parameter(&place.name, place.index.as_ref())? {
            Got::One(text) => evaluate_at(self.shell, &text, self.depth + 1),
            Got::Unset if self.shell.state.has(crate::state::NOUNSET) => {
                self.shell.complain(&format!("{}: unbound variable", place.name));
                Err(Trouble::Flow(Flow::Exit(if self.shell.scripted { 1 } else { 127 })))
            }
            _ => Ok(0),
        }
    }

    fn put(&mut self, place: &Place, value: i64) -> Result<(), Trouble> {
        if self.skips {
            return Ok(());
        }
        let assigned = self.shell.assign((&place.name, place.index.as_ref()), &value.to_string(), false);
        assigned.map_err(|_| Trouble::Flow(Flow::Discard(1)))
    }

    fn apply(&mut self, op: &str, left: i64, right: i64) -> Got64 {
        if self.skips {
            return Ok(0);
        }
        let shift = (right & 63) as u32;
        Ok(match op {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(shift),
            ">>" => left.wrapping_shr(shift),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            _ if right == 0 => {
                return Err(Trouble::Says(format!("{}: division by 0 (error token is \"0\")", self.source.trim())));
            }
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }
}

fn parse_number(text: &str) -> Option<i64> {
    if let Some((base, digits)) = text.split_once('#') {
        let base: u32 = base.parse().ok().filter(|base| (2..=64).contains(base))?;
        let mut value = 0_i64;
        for c in digits.chars() {
            let digit = match c {
                '0'..='9' => u32::from(c) - 48,
                'a'..='z' => u32::from(c) - 87,
                'A'..='Z' if base <= 36 => u32::from(c) - 55,
                'A'..='Z' => u32::from(c) - 29,
                '@' => 62,
                '_' => 63,
                _ => return None,
            };
            if digit >= base {
                return None;
            }
            value = value.wrapping_mul(i64::from(base)).wrapping_add(i64::from(digit));
        }
        return (!digits.is_empty()).then_some(value);
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok().map(u64::cast_signed);
    }
    if text.len() > 1 && text.starts_with('0') {
        return i64::from_str_radix(text, 8).ok();
    }
    text.parse::<u64>().ok().map(u64::cast_signed)
}
