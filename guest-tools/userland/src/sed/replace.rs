//! What `s` and `y` make of a line.

use super::matcher::{Found, Pattern};
use super::script::{Piece, Substitution, Table};

/// The line as it becomes; None if nothing in it is replaced.
pub(super) fn substitute(line: &[u8], pattern: &Pattern, how: &Substitution) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut from, mut copied, mut count) = (0, 0, 0);
    let mut ended = None;
    let mut replaced = false;
    while from <= line.len() {
        let Some(found) = pattern.find(line, from, how.groups) else { break };
        let Some(Some((start, end))) = found.first().copied() else { break };
        // Nothing right behind a match is no match of its own.
        if start < end || ended != Some(start) {
            count += 1;
            if count >= how.number {
                out.extend_from_slice(&line[copied..start]);
                put(&mut out, line, &found, &how.replacement);
                copied = end;
                replaced = true;
                if !how.all {
                    break;
                }
            }
        }
        ended = Some(end);
        from = if start < end { end } else { end + length_at(line, end) };
    }
    if !replaced {
        return None;
    }
    out.extend_from_slice(&line[copied..]);
    Some(out)
}

/// How many bytes the character here has.
fn length_at(line: &[u8], at: usize) -> usize {
    let most = line.len().min(at + 4);
    let Some(rest) = line.get(at..most) else { return 1 };
    let Some(chunk) = rest.utf8_chunks().next() else { return 1 };
    chunk.valid().chars().next().map_or(1, char::len_utf8)
}

fn put(out: &mut Vec<u8>, line: &[u8], found: &Found, pieces: &[Piece]) {
    let mut case = Case::default();
    for piece in pieces {
        match piece {
            Piece::Text(text) => case.put(out, text),
            Piece::Group(group) => {
                if let Some(Some((start, end))) = found.get(*group) {
                    case.put(out, &line[*start..*end]);
                }
            }
            Piece::Case(b'E') => case = Case::default(),
            Piece::Case(letter @ (b'U' | b'L')) => case.all = Some(*letter == b'U'),
            Piece::Case(letter) => case.next = Some(*letter == b'u'),
        }
    }
}

/// How characters change as they are put; true is to upper case.
#[derive(Default)]
struct Case {
    all: Option<bool>,
    /// Only the next one.
    next: Option<bool>,
}

impl Case {
    fn put(&mut self, out: &mut Vec<u8>, text: &[u8]) {
        if self.all.is_none() && self.next.is_none() {
            out.extend_from_slice(text);
            return;
        }
        for chunk in text.utf8_chunks() {
            for character in chunk.valid().chars() {
                let mut bytes = [0; 4];
                match self.next.take().or(self.all) {
                    Some(true) => out.extend(character.to_uppercase().to_string().bytes()),
                    Some(false) => out.extend(character.to_lowercase().to_string().bytes()),
                    None => out.extend(character.encode_utf8(&mut bytes).bytes()),
                }
            }
            out.extend_from_slice(chunk.invalid());
        }
    }
}

pub(super) fn translate(line: &mut Vec<u8>, table: &Table) {
    if table.characters.is_empty() {
        line.iter_mut().for_each(|byte| *byte = table.bytes[usize::from(*byte)]);
        return;
    }
    let mut out = Vec::with_capacity(line.len());
    for chunk in line.utf8_chunks() {
        for character in chunk.valid().chars() {
            match table.characters.iter().find(|(from, _)| *from == character) {
                Some((_, to)) => out.extend_from_slice(to),
                None => out.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            }
        }
        out.extend_from_slice(chunk.invalid());
    }
    *line = out;
}
