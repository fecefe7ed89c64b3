//! Text and bytes.
//!
//! The shell works on `String`s, and what programs write may be any bytes. A byte that is
//! not UTF-8 becomes a character of a private plane, and that byte again when it is written.

/// The character that stands for byte 0 of those that are not UTF-8.
const RAW_BASE: u32 = 0x10_FF00;

/// Reads bytes as text; nothing is lost.
pub(crate) fn from_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(RAW_BASE + u32::from(*byte))));
    }
    text
}

/// [`from_bytes`] without a copy where the bytes are text already.
pub(crate) fn from_owned_bytes(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| from_bytes(error.as_bytes()))
}

/// Text as the bytes it was read from.
pub(crate) fn to_bytes(text: &str) -> Vec<u8> {
    // All of the private characters start with this byte, and nothing else in usual text does.
    if !text.as_bytes().contains(&0xF4) {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from(u32::from(c).wrapping_sub(RAW_BASE)) {
            Ok(byte) if byte >= 0x80 => bytes.push(byte),
            _ => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// A character for a byte, as `\xHH` gives it: ASCII is itself.
pub(crate) fn raw(byte: u8) -> char {
    if byte < 0x80 { char::from(byte) } else { char::from_u32(RAW_BASE + u32::from(byte)).unwrap_or('?') }
}

/// Joins raw bytes that together are UTF-8 to the characters they are.
pub(crate) fn settled(text: &str) -> String {
    if text.as_bytes().contains(&0xF4) { from_bytes(&to_bytes(text)) } else { text.to_owned() }
}

/// Quotes a word so that a shell reads it back, as `printf %q` and `declare -p` of old do.
pub(crate) fn backslashed(text: &str) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if text.chars().any(|c| c.is_control()) {
        return dollar_quoted(text);
    }
    let mut quoted = String::with_capacity(text.len() + 8);
    for (at, c) in text.chars().enumerate() {
        let special = " \t!\"$&'()*,;<>?[\\]^`{|}".contains(c) || (at == 0 && (c == '~' || c == '#'));
        if special {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// Quotes a word with single quotes, as `${x@Q}` does.
pub(crate) fn single_quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return dollar_quoted(text);
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Quotes only what needs it, as `set` and `set -x` show it.
pub(crate) fn quoted_if_needed(text: &str) -> String {
    let special = |c: char| " \t\n!\"$&'()*;<>?[\\]^`{|}".contains(c);
    if text.is_empty() {
        "''".to_owned()
    } else if text.chars().any(char::is_control) {
        dollar_quoted(text)
    } else if text.chars().any(special) || text.starts_with(['~', '#']) {
        single_quoted(text)
    } else {
        text.to_owned()
    }
}

/// Quotes with double quotes, as `declare -p` shows values.
pub(crate) fn double_quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return dollar_quoted(text);
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if "\"$`\\".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

fn dollar_quoted(text: &str) -> String {
    let mut quoted = String::from("$'");
    for c in text.chars() {
        match c {
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{1b}' => quoted.push_str("\\E"),
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.push_str(&format!("\\{:03o}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// Who reads escapes: each has small differences.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// `$'…'`.
    Quote,
    /// `echo -e` and `printf %b`, where `\c` ends the output and `\0` starts octal.
    Echo,
    /// The format of `printf`.
    Format,
}

/// What escapes gave.
pub(crate) struct Unescaped {
    pub(crate) text: String,
    /// There was a `\c`.
    pub(crate) ended: bool,
}

/// Replaces backslash escapes.
pub(crate) fn unescape(text: &str, by: Escapes) -> Unescaped {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(next) = rest.next() else {
            out.push('\\');
            break;
        };
        match next {
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'e' | 'E' => out.push('\u{1b}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\u{b}'),
            '\\' => out.push('\\'),
            '\'' | '"' | '?' if by == Escapes::Quote => out.push(next),
            '\'' | '"' if by == Escapes::Format => out.push(next),
            'c' if by == Escapes::Echo => return Unescaped { text: settled(&out), ended: true },
            'c' if by == Escapes::Quote => {
                if let Some(c) = rest.next() {
                    out.push(char::from((u32::from(c) & 0x1f) as u8));
                }
            }
            'x' => number(&mut rest, &mut out, next, (16, 2)),
            'u' => number(&mut rest, &mut out, next, (16, 4)),
            'U' => number(&mut rest, &mut out, next, (16, 8)),
            '0' if by == Escapes::Echo => number(&mut rest, &mut out, next, (8, 3)),
            '0'..='7' => {
                let mut value = next.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = rest.peek().and_then(|c| c.to_digit(8)) else { break };
                    value = value * 8 + digit;
                    rest.next();
                }
                out.push(raw((value & 0xff) as u8));
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    Unescaped { text: settled(&out), ended: false }
}

fn number(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    out: &mut String,
    kind: char,
    (radix, most): (u32, u32),
) {
    let (mut value, mut digits) = (0_u32, 0);
    while digits < most {
        let Some(digit) = rest.peek().and_then(|c| c.to_digit(radix)) else { break };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        digits += 1;
        rest.next();
    }
    if digits == 0 && kind != '0' {
        out.push('\\');
        out.push(kind);
    } else if matches!(kind, 'u' | 'U') {
        out.push(char::from_u32(value).unwrap_or('\u{fffd}'));
    } else {
        out.push(raw((value & 0xff) as u8));
    }
}
