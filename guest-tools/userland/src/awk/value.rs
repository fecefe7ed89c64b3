//! Values, and how text and numbers become each other.

use super::format::general;
use super::syntax::Comparison;
use std::cmp::Ordering;
use std::rc::Rc;

pub(super) type Text = Rc<[u8]>;

#[derive(Clone, Debug)]
pub(super) enum Value {
    Unset,
    Number(f64),
    String(Text),
    /// What was read: a number where it looks like one.
    Read(Text),
}

impl Value {
    pub(super) fn string(bytes: impl AsRef<[u8]>) -> Self {
        Self::String(Rc::from(bytes.as_ref()))
    }

    pub(super) fn read(bytes: impl AsRef<[u8]>) -> Self {
        Self::Read(Rc::from(bytes.as_ref()))
    }

    pub(super) fn truth(&self) -> bool {
        match self {
            Self::Unset => false,
            Self::Number(number) => *number != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::Read(text) => whole_number(text).map_or(!text.is_empty(), |number| number != 0.0),
        }
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Unset => 0.0,
            Self::Number(number) => *number,
            Self::String(text) | Self::Read(text) => leading_number(text).0,
        }
    }

    /// As text, a number that is no integer as `form` says.
    pub(super) fn text(&self, form: &str) -> Text {
        match self {
            Self::Unset => Rc::from(&b""[..]),
            Self::Number(number) => Rc::from(number_text(*number, form).as_bytes()),
            Self::String(text) | Self::Read(text) => Rc::clone(text),
        }
    }

    /// The number it is compared as, if it is.
    fn comparable(&self) -> Option<f64> {
        match self {
            Self::Unset => Some(0.0),
            Self::Number(number) => Some(*number),
            Self::String(_) => None,
            Self::Read(text) => whole_number(text),
        }
    }

    /// None where a number is compared with what is none.
    pub(super) fn compare(&self, other: &Self, form: &str) -> Option<Ordering> {
        match (self.comparable(), other.comparable()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => Some(self.text(form).cmp(&other.text(form))),
        }
    }
}

/// A number as text.
pub(super) fn number_text(number: f64, form: &str) -> String {
    if number.is_finite() && number == number.trunc() && number.abs() < 1e16 {
        // A negative zero is printed as none.
        return format!("{:.0}", number + 0.0);
    }
    if number.is_nan() {
        return if number.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if number.is_infinite() {
        return if number < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    if form == "%.6g" {
        return general(number, 6, false);
    }
    let bytes = super::format::format(form.as_bytes(), &[Value::Number(number)], form).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The number that the whole text is, but for blanks around it.
pub(super) fn whole_number(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    let (number, used) = leading_number(text);
    (used > 0 && used == text.len()).then_some(number)
}

/// The number that a text starts with, and how many bytes say it, with the blanks before.
pub(super) fn leading_number(text: &[u8]) -> (f64, usize) {
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = &text[blanks..];
    let length = decimal_length(rest);
    if length == 0 {
        return signed_word(rest).map_or((0.0, 0), |number| (number, blanks + 4));
    }
    let number = std::str::from_utf8(&rest[..length]).ok().and_then(|text| text.parse().ok());
    (number.unwrap_or(0.0), blanks + length)
}

/// `+nan`, `-inf` and their like, which count only with a sign.
fn signed_word(text: &[u8]) -> Option<f64> {
    let word = text.get(..4)?.to_ascii_lowercase();
    if text.get(4).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    match word.as_slice() {
        b"+nan" => Some(f64::NAN),
        b"-nan" => Some(-f64::NAN),
        b"+inf" => Some(f64::INFINITY),
        b"-inf" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// How many bytes of a text are a decimal number.
pub(super) fn decimal_length(text: &[u8]) -> usize {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let sign = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut fraction = 0;
    if text.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    end
}

/// Where each character of a text starts; a byte that is part of none counts as one.
pub(super) fn characters(text: &[u8]) -> Vec<usize> {
    let mut starts = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        starts.push(at);
        at += character_length(&text[at..]);
    }
    starts
}

/// How many characters a text has.
pub(super) fn character_count(text: &[u8]) -> usize {
    if text.is_ascii() { text.len() } else { characters(text).len() }
}

fn character_length(text: &[u8]) -> usize {
    let length = match text[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if length > 1 && text.get(..length).is_some_and(|bytes| std::str::from_utf8(bytes).is_ok()) { length } else { 1 }
}

/// Whether two values that compare so are as is asked.
pub(super) fn holds(comparison: Comparison, order: Option<Ordering>) -> bool {
    match comparison {
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}
