//! `printf`: also of numbers that become text.

use super::value::{Value, characters};

/// One `%` of a format.
#[derive(Default)]
struct Directive {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats the values; `form` is for numbers as text. None if there are fewer than it asks for.
pub(super) fn format(form_text: &[u8], values: &[Value], form: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut values = values.iter();
    let mut rest = form_text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        out.extend_from_slice(&rest[..at]);
        let start = &rest[at..];
        rest = &start[1..];
        let directive = directive(&mut rest, &mut values);
        let Some((&kind, after)) = rest.split_first() else {
            out.extend_from_slice(start);
            return Some(out);
        };
        rest = after;
        if kind == b'%' {
            out.push(b'%');
        } else if b"diouxXcseEfFgG".contains(&kind) {
            let value = values.next()?;
            one(&mut out, &directive, kind, value, form);
        } else {
            out.extend_from_slice(&start[..start.len() - rest.len()]);
        }
    }
    out.extend_from_slice(rest);
    Some(out)
}

fn directive<'a>(rest: &mut &[u8], values: &mut impl Iterator<Item = &'a Value>) -> Directive {
    let mut directive = Directive::default();
    while let Some((flag, after)) = rest.split_first() {
        match flag {
            b'-' => directive.left = true,
            b'+' => directive.plus = true,
            b' ' => directive.space = true,
            b'0' => directive.zero = true,
            b'#' => directive.alternate = true,
            _ => break,
        }
        *rest = after;
    }
    if let Some(width) = count(rest, values) {
        directive.left |= width < 0;
        directive.width = usize::try_from(width.unsigned_abs()).unwrap_or(0).min(1 << 20);
    }
    if let Some((b'.', after)) = rest.split_first() {
        *rest = after;
        let precision = count(rest, values).unwrap_or(0);
        directive.precision = usize::try_from(precision).ok().map(|precision| precision.min(1 << 20));
    }
    while let Some((b'l' | b'h' | b'L' | b'q' | b'z', after)) = rest.split_first() {
        *rest = after;
    }
    directive
}

/// A width or precision, which may be taken from the values.
fn count<'a>(rest: &mut &[u8], values: &mut impl Iterator<Item = &'a Value>) -> Option<i64> {
    if let Some((b'*', after)) = rest.split_first() {
        *rest = after;
        #[expect(clippy::cast_possible_truncation, reason = "a width too big is cut later")]
        return values.next().map(|value| value.number() as i64);
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, after) = rest.split_at(digits);
    *rest = after;
    std::str::from_utf8(number).ok()?.parse().ok()
}

fn one(out: &mut Vec<u8>, directive: &Directive, kind: u8, value: &Value, form: &str) {
    match kind {
        b's' => {
            let text = value.text(form);
            pad(out, directive, first(&text, directive.precision), false);
        }
        b'c' => {
            let text = match value {
                Value::Number(number) => {
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked by char")]
                    let code = *number as u32;
                    char::from_u32(code).map(|character| character.to_string().into_bytes()).unwrap_or_default()
                }
                // Of nothing it is the byte that ends a text in C.
                _ => match first(&value.text(form), Some(1)) {
                    [] => vec![0],
                    text => text.to_vec(),
                },
            };
            pad(out, directive, &text, false);
        }
        b'd' | b'i' => {
            let number = value.number();
            if number.is_finite() {
                let digits = format!("{:.0}", number.trunc().abs());
                let digits = at_least(digits, directive.precision);
                let sign = sign(number.trunc() < 0.0, directive);
                signed(out, directive, sign, &digits, directive.precision.is_none());
            } else {
                pad(out, directive, super::value::number_text(number, form).as_bytes(), false);
            }
        }
        b'o' | b'x' | b'X' | b'u' => {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as C does it")]
            let number = if value.number() < 0.0 { value.number() as i64 as u64 } else { value.number() as u64 };
            let (prefix, digits) = match kind {
                b'o' => ("0", format!("{number:o}")),
                b'x' => ("0x", format!("{number:x}")),
                b'X' => ("0X", format!("{number:X}")),
                _ => ("", number.to_string()),
            };
            let prefix = if directive.alternate && number != 0 { prefix } else { "" };
            let digits = at_least(digits, directive.precision);
            signed(out, directive, prefix, &digits, directive.precision.is_none());
        }
        _ => float(out, directive, kind, value.number()),
    }
}

fn float(out: &mut Vec<u8>, directive: &Directive, kind: u8, number: f64) {
    if !number.is_finite() {
        let text = super::value::number_text(number, "%.6g");
        return pad(out, directive, text.as_bytes(), false);
    }
    let precision = directive.precision.unwrap_or(6);
    let size = number.abs();
    let digits = match kind {
        b'f' | b'F' => format!("{size:.precision$}"),
        b'e' | b'E' => exponential(size, precision),
        _ => general(size, precision, directive.alternate),
    };
    let digits = if kind.is_ascii_uppercase() { digits.to_ascii_uppercase() } else { digits };
    signed(out, directive, sign(number.is_sign_negative(), directive), &digits, true);
}

fn sign(negative: bool, directive: &Directive) -> &'static str {
    match (negative, directive.plus, directive.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn at_least(digits: String, precision: Option<usize>) -> String {
    match precision {
        Some(precision) => format!("{digits:0>precision$}"),
        None => digits,
    }
}

fn signed(out: &mut Vec<u8>, directive: &Directive, sign: &str, digits: &str, zeros: bool) {
    if directive.zero && zeros && !directive.left {
        let width = directive.width.saturating_sub(sign.len());
        out.extend_from_slice(format!("{sign}{digits:0>width$}").as_bytes());
    } else {
        pad(out, directive, format!("{sign}{digits}").as_bytes(), true);
    }
}

fn pad(out: &mut Vec<u8>, directive: &Directive, text: &[u8], ascii: bool) {
    let length = if ascii { text.len() } else { super::value::character_count(text) };
    let blanks = vec![b' '; directive.width.saturating_sub(length)];
    if directive.left {
        out.extend_from_slice(text);
        out.extend(blanks);
    } else {
        out.extend(blanks);
        out.extend_from_slice(text);
    }
}

/// The first characters of a text.
fn first(text: &[u8], most: Option<usize>) -> &[u8] {
    match most {
        Some(most) if most < text.len() => {
            let end = characters(text).get(most).copied().unwrap_or(text.len());
            &text[..end]
        }
        _ => text,
    }
}

/// As C's `%e` writes it.
fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, size) = exponent.strip_prefix('-').map_or(('+', exponent), |size| ('-', size));
    format!("{digits}e{sign}{size:0>2}")
}

/// As C's `%g` writes it.
pub(super) fn general(number: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    if number == 0.0 {
        return "0".to_owned();
    }
    let rounded = format!("{:.*e}", precision - 1, number);
    let exponent: i32 = rounded.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let fits = i32::try_from(precision).is_ok_and(|precision| exponent < precision);
    let text = if exponent >= -4 && fits {
        let decimals = i32::try_from(precision).unwrap_or(0) - 1 - exponent;
        format!("{number:.*}", usize::try_from(decimals).unwrap_or(0))
    } else {
        exponential(number, precision - 1)
    };
    if keep_zeros { text } else { without_zeros(&text) }
}

fn without_zeros(text: &str) -> String {
    let (digits, exponent) = text.find('e').map_or((text, ""), |at| text.split_at(at));
    if !digits.contains('.') {
        return text.to_owned();
    }
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{digits}{exponent}")
}
