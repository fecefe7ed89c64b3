//! Reads the texts of a script: patterns, replacements, and what is put in.

use super::matcher::Meant;
use super::parse::{Parser, Wrong, here};
use super::script::{Piece, Substitution, Table};

/// What stands between delimiters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Pattern,
    Replacement,
    /// A side of `y`.
    Characters,
}

/// Reads up to the delimiter, which is taken too. None if it is missing.
pub(super) fn delimited(parser: &mut Parser, delimiter: u8, side: Side) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    loop {
        match parser.next()? {
            byte if byte == delimiter => break,
            b'\n' if side != Side::Characters => return None,
            b'[' if side == Side::Pattern => brackets(parser, &mut text)?,
            b'\\' => match parser.next()? {
                b'n' if side == Side::Pattern => text.push(b'\n'),
                b'\n' => text.push(b'\n'),
                byte if byte == delimiter && (side != Side::Replacement || byte != b'&') => text.push(byte),
                byte => text.extend([b'\\', byte]),
            },
            byte => text.push(byte),
        }
    }
    if side == Side::Pattern { Some(numbered(&text)) } else { Some(text) }
}

/// Inside brackets the delimiter is a character like any other.
fn brackets(parser: &mut Parser, text: &mut Vec<u8>) -> Option<()> {
    text.push(b'[');
    if parser.eat(b'^') {
        text.push(b'^');
    }
    let mut first = true;
    loop {
        let byte = parser.next()?;
        match byte {
            b'\n' => return None,
            b'[' if matches!(parser.peek(), Some(b':' | b'.' | b'=')) => {
                let sign = parser.next()?;
                text.extend([b'[', sign]);
                loop {
                    let inside = parser.next().filter(|byte| *byte != b'\n')?;
                    text.push(inside);
                    if inside == sign && parser.eat(b']') {
                        text.push(b']');
                        break;
                    }
                }
            }
            _ => text.push(byte),
        }
        if byte == b']' && !first {
            return Some(());
        }
        first = false;
    }
}

/// What a backslash and the text behind it stand for, as `\x41`: the byte, and how much of
/// the text says it.
fn numbered_byte(rest: &[u8]) -> Option<(u8, usize)> {
    let (radix, most) = match rest.first()? {
        b'd' => (10, 3),
        b'o' => (8, 3),
        b'x' => (16, 2),
        b'c' => return rest.get(1).map(|byte| (byte.to_ascii_uppercase() ^ 0x40, 2)),
        _ => return None,
    };
    let digits = rest[1..].iter().take(most).take_while(|byte| char::from(**byte).is_digit(radix)).count();
    let text = std::str::from_utf8(&rest[1..=digits]).ok()?;
    let value = u32::from_str_radix(text, radix).ok()?;
    u8::try_from(value & 0xff).ok().map(|byte| (byte, digits + 1))
}

fn lettered_byte(letter: u8) -> Option<u8> {
    Some(match letter {
        b'a' => 7,
        b'f' => 12,
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        _ => return None,
    })
}

/// A pattern with `\x41` and the like as the characters they stand for.
fn numbered(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'\\' {
            if let Some((byte, length)) = numbered_byte(&text[at + 1..]) {
                out.push(byte);
                at += 1 + length;
                continue;
            }
            out.extend(&text[at..text.len().min(at + 2)]);
            at += 2;
            continue;
        }
        out.push(text[at]);
        at += 1;
    }
    out
}

/// Reads `s` behind its letter.
pub(super) fn substitution(parser: &mut Parser) -> Result<Substitution, Wrong> {
    let unterminated = "unterminated `s' command";
    let Some(delimiter) = parser.next().filter(|byte| !matches!(byte, b'\n' | b'\\')) else {
        return here(unterminated);
    };
    let Some(pattern) = delimited(parser, delimiter, Side::Pattern) else { return here(unterminated) };
    let Some(replacement) = delimited(parser, delimiter, Side::Replacement) else { return here(unterminated) };
    let replacement = pieces(&replacement);
    let groups = replacement.iter().map(|piece| if let Piece::Group(group) = piece { *group } else { 0 }).max();
    let mut substitution = Substitution {
        pattern: None,
        replacement,
        groups: groups.unwrap_or(0),
        all: false,
        print: false,
        number: 1,
        write: None,
    };
    let mut meant = Meant { extended: parser.reading.extended, ..Meant::default() };
    flags(parser, &mut substitution, &mut meant)?;
    substitution.pattern = parser.pattern(&pattern, meant)?;
    if let Some(pattern) = &substitution.pattern
        && substitution.groups > pattern.groups
    {
        return here(&format!("invalid reference \\{} on `s' command's RHS", substitution.groups));
    }
    Ok(substitution)
}

fn flags(parser: &mut Parser, substitution: &mut Substitution, meant: &mut Meant) -> Result<(), Wrong> {
    let mut numbered = false;
    loop {
        parser.skip_blanks();
        let Some(flag) = parser.peek().filter(|byte| !matches!(byte, b'\n' | b';' | b'}' | b'#')) else {
            return Ok(());
        };
        if flag.is_ascii_digit() {
            substitution.number = parser.number().unwrap_or(0);
            if numbered {
                return here("multiple number options to `s' command");
            }
            if substitution.number == 0 {
                return here("number option to `s' command may not be zero");
            }
            numbered = true;
            continue;
        }
        parser.next();
        match flag {
            b'g' if substitution.all => return here("multiple `g' options to `s' command"),
            b'g' => substitution.all = true,
            b'p' if substitution.print => return here("multiple `p' options to `s' command"),
            b'p' => substitution.print = true,
            b'i' | b'I' => meant.ignore_case = true,
            b'm' | b'M' => meant.lines = true,
            b'w' => {
                substitution.write = Some(parser.written()?);
                return Ok(());
            }
            b'e' => return here("the `e' flag is not supported: sed starts no programs here"),
            _ => return here("unknown option to `s'"),
        }
    }
}

fn pieces(text: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        let piece = match byte {
            b'&' => Some(Piece::Group(0)),
            b'\\' => {
                let escaped = text.get(at).copied();
                at += 1;
                match escaped {
                    Some(digit @ b'0'..=b'9') => Some(Piece::Group(usize::from(digit - b'0'))),
                    Some(case @ (b'U' | b'L' | b'E' | b'u' | b'l')) => Some(Piece::Case(case)),
                    Some(b'n') => {
                        plain.push(b'\n');
                        None
                    }
                    Some(other) => {
                        let (byte, length) = numbered_byte(&text[at - 1..]).unwrap_or((other, 1));
                        plain.push(lettered_byte(other).unwrap_or(byte));
                        at += length - 1;
                        None
                    }
                    None => {
                        plain.push(b'\\');
                        None
                    }
                }
            }
            byte => {
                plain.push(byte);
                None
            }
        };
        if let Some(piece) = piece {
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece);
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    pieces
}

/// Reads `y` behind its letter.
pub(super) fn table(parser: &mut Parser) -> Result<Table, Wrong> {
    let unterminated = "unterminated `y' command";
    let Some(delimiter) = parser.next().filter(|byte| !matches!(byte, b'\n' | b'\\')) else {
        return here(unterminated);
    };
    let Some(from) = delimited(parser, delimiter, Side::Characters) else { return here(unterminated) };
    let Some(to) = delimited(parser, delimiter, Side::Characters) else { return here(unterminated) };
    let (from, to) = (characters(&from), characters(&to));
    if from.len() != to.len() {
        return here("strings for `y' command are different lengths");
    }
    let mut table = Table { bytes: std::array::from_fn(|at| u8::try_from(at).unwrap_or(0)), characters: Vec::new() };
    // Of what is named twice the first counts.
    for (from, to) in from.into_iter().zip(to).rev() {
        if from.is_ascii() && to.is_ascii() {
            table.bytes[from as usize] = to as u8;
        }
        table.characters.push((from, to.to_string().into_bytes()));
    }
    table.characters.reverse();
    if table.characters.iter().all(|(from, to)| from.is_ascii() && to.len() == 1) {
        table.characters.clear();
    }
    Ok(table)
}

fn characters(text: &[u8]) -> Vec<char> {
    let text = String::from_utf8_lossy(text);
    let mut characters = Vec::new();
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            characters.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => characters.push('\n'),
            Some(other) => {
                let byte = u8::try_from(other).ok().and_then(lettered_byte);
                characters.push(byte.map_or(other, char::from));
            }
            None => characters.push('\\'),
        }
    }
    characters
}

/// Reads the text of `a`, `i` or `c`, behind its letter, up to a line that does not end in
/// a backslash.
pub(super) fn block(parser: &mut Parser) -> Result<Vec<u8>, Wrong> {
    parser.skip_blanks();
    match parser.peek() {
        None | Some(b'\n') => return here("expected \\ after `a', `c' or `i'"),
        Some(b'\\') => {
            parser.next();
            if !parser.eat_blank_line() && parser.peek().is_none() {
                return Ok(Vec::new());
            }
        }
        Some(_) => {}
    }
    let mut text = Vec::new();
    while let Some(byte) = parser.next() {
        match byte {
            b'\n' => break,
            b'\\' => {
                let Some(escaped) = parser.next() else { break };
                let rest: Vec<u8> = std::iter::once(escaped).chain(parser.ahead(3)).collect();
                let (byte, length) = numbered_byte(&rest).unwrap_or((escaped, 1));
                text.push(if escaped == b'n' { b'\n' } else { lettered_byte(escaped).unwrap_or(byte) });
                for _ in 1..length {
                    parser.next();
                }
            }
            byte => text.push(byte),
        }
    }
    text.push(b'\n');
    Ok(text)
}
