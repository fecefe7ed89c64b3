//! Programs that change or find text: `col`, `dos2unix`, `envsubst`, `look`, `sponge` and `strings`.

use crate::options::{Given, Known, read};
use crate::{print, report};
use std::ffi::OsString;

fn fail(program: &str, text: &str) -> u8 {
    report(program, text);
    1
}

/// The files that are named, or standard input. What is wrong is said.
fn inputs(program: &str, operands: &[String]) -> (Vec<(String, Vec<u8>)>, u8) {
    let own = ["-".to_owned()];
    let paths = if operands.is_empty() { &own[..] } else { operands };
    let (mut found, mut status) = (Vec::new(), 0);
    for path in paths {
        match crate::read(path) {
            Ok(bytes) => found.push((path.clone(), bytes)),
            Err(reason) => status = fail(program, &format!("{path}: {reason}")),
        }
    }
    (found, status)
}

/// What in a file can be read.
pub(super) fn strings(args: &[OsString]) -> u8 {
    let digits = |arg: &OsString| arg.to_str().and_then(|arg| arg.strip_prefix('-')?.parse::<usize>().ok());
    let args: Vec<OsString> =
        args.iter().map(|arg| digits(arg).map_or(arg.clone(), |least| format!("-n{least}").into())).collect();
    let known = Known {
        letters: "an:t:fowe:d",
        names: &[("all", 'a'), ("bytes=", 'n'), ("radix=", 't'), ("print-file-name", 'f'), ("data", 'd')],
        ends_at_operand: false,
    };
    let given = match read(&args, &known) {
        Ok(given) => given,
        Err(problem) => return fail("strings", &problem),
    };
    let Ok(least) = given.value('n').unwrap_or("4").parse::<usize>() else {
        return fail("strings", "invalid minimum string length");
    };
    let radix = if given.has('o') { Some("o") } else { given.value('t') };
    let (inputs, status) = inputs("strings", &given.operands);
    let mut out = Vec::new();
    for (path, bytes) in inputs {
        let path = if path == "-" { "{standard input}" } else { &path };
        let mut start = 0;
        let readable = |byte: u8| (0x20..0x7f).contains(&byte) || byte == b'\t';
        while start < bytes.len() {
            let length = bytes[start..].iter().take_while(|byte| readable(**byte)).count();
            if length >= least.max(1) {
                if given.has('f') {
                    out.extend_from_slice(format!("{path}: ").as_bytes());
                }
                match radix {
                    Some("o") => out.extend_from_slice(format!("{start:7o} ").as_bytes()),
                    Some("x") => out.extend_from_slice(format!("{start:7x} ").as_bytes()),
                    Some(_) => out.extend_from_slice(format!("{start:7} ").as_bytes()),
                    None => {}
                }
                out.extend_from_slice(&bytes[start..start + length]);
                out.push(b'\n');
            }
            start += length + 1;
        }
    }
    if print(&out) { status } else { 1 }
}

/// Puts the environment's values where `$NAME` or `${NAME}` stands.
pub(super) fn envsubst(args: &[OsString]) -> u8 {
    let known = Known { letters: "v", names: &[("variables", 'v')], ends_at_operand: false };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => return fail("envsubst", &problem),
    };
    let format = given.operands.first();
    let names = format.map(|format| {
        let mut names = Vec::new();
        variables(format, |name| {
            names.push(name.to_owned());
            None
        });
        names
    });
    if given.has('v') {
        return u8::from(!print(
            names.unwrap_or_default().iter().map(|name| format!("{name}\n")).collect::<String>().as_bytes(),
        ));
    }
    let text = String::from_utf8_lossy(&crate::read("-").unwrap_or_default()).into_owned();
    let out = variables(&text, |name| {
        let wanted = names.as_ref().is_none_or(|names| names.iter().any(|known| known == name));
        wanted.then(|| std::env::var(name).unwrap_or_default())
    });
    u8::from(!print(out.as_bytes()))
}

/// A text with each variable replaced by what is said, where something is.
fn variables(text: &str, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let inner = behind.strip_prefix('{').unwrap_or(behind);
        let braced = inner.len() < behind.len();
        let first = inner.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(inner.len());
        let closed = !braced || inner[end..].starts_with('}');
        let length = 1 + end + if braced { 2 } else { 0 };
        match value_of(first && closed, &inner[..end], &mut value) {
            Some(found) => {
                out.push_str(&found);
                rest = &rest[at + length..];
            }
            None => {
                out.push('$');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

fn value_of(is_name: bool, name: &str, value: &mut impl FnMut(&str) -> Option<String>) -> Option<String> {
    if is_name { value(name) } else { None }
}

pub(super) fn dos2unix(args: &[OsString]) -> u8 {
    converted("dos2unix", args, |bytes| {
        let mut out = Vec::with_capacity(bytes.len());
        for (place, byte) in bytes.iter().enumerate() {
            if !(*byte == b'\r' && bytes.get(place + 1) == Some(&b'\n')) {
                out.push(*byte);
            }
        }
        out
    })
}

pub(super) fn unix2dos(args: &[OsString]) -> u8 {
    converted("unix2dos", args, |bytes| {
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if *byte == b'\n' && out.last() != Some(&b'\r') {
                out.push(b'\r');
            }
            out.push(*byte);
        }
        out
    })
}

/// Changes the ends of lines: of files in place, or of what comes in.
fn converted(program: &str, args: &[OsString], convert: fn(&[u8]) -> Vec<u8>) -> u8 {
    let known = Known {
        letters: "fknoqsvu",
        names: &[
            ("force", 'f'),
            ("keepdate", 'k'),
            ("newfile", 'n'),
            ("oldfile", 'o'),
            ("quiet", 'q'),
            ("safe", 's'),
            ("verbose", 'v'),
        ],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => return fail(program, &problem),
    };
    if given.operands.is_empty() {
        return u8::from(!print(&convert(&crate::read("-").unwrap_or_default())));
    }
    let mut status = 0;
    for (from, to) in pairs(&given) {
        let done = crate::read(from).and_then(|bytes| {
            if bytes.contains(&0) && !given.has('f') {
                report(program, &format!("Skipping binary file {from}"));
                return Ok(());
            }
            let written = std::fs::write(to, convert(&bytes)).map_err(|error| crate::reason(&error));
            if written.is_ok() && !given.has('q') {
                report(program, &format!("converting file {from}..."));
            }
            written
        });
        if let Err(reason) = done {
            status = fail(program, &format!("{from}: {reason}"));
        }
    }
    status
}

/// Each file, and where it is written: itself, or, with `-n`, the one named behind it.
fn pairs(given: &Given) -> Vec<(&str, &str)> {
    if given.has('n') {
        return given.operands.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    }
    given.operands.iter().map(|path| (path.as_str(), path.as_str())).collect()
}

/// Takes back what steps back: each letter followed by a backspace goes.
pub(super) fn col(args: &[OsString]) -> u8 {
    let known = Known { letters: "bfhpxl:", names: &[], ends_at_operand: false };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => return fail("col", &problem),
    };
    let text = String::from_utf8_lossy(&crate::read("-").unwrap_or_default()).into_owned();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut cells: Vec<char> = Vec::new();
        let mut at: usize = 0;
        for character in line.chars() {
            match character {
                '\u{8}' => at = at.saturating_sub(1),
                '\r' => at = 0,
                '\t' => at += 8 - at % 8,
                character if character.is_control() => {}
                character => {
                    cells.resize(cells.len().max(at + 1), ' ');
                    cells[at] = character;
                    at += 1;
                }
            }
        }
        let line: String = cells.into_iter().collect();
        out.push_str(&if given.has('x') { line.trim_end().to_owned() } else { with_tabs(line.trim_end()) });
        out.push('\n');
    }
    u8::from(!print(out.as_bytes()))
}

/// Spaces that reach a tab stop become a tab.
fn with_tabs(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let (mut at, mut blanks) = (0, 0);
    for character in line.chars() {
        if character == ' ' {
            blanks += 1;
            continue;
        }
        while blanks > 1 && 8 - at % 8 <= blanks {
            let step = 8 - at % 8;
            out.push('\t');
            at += step;
            blanks -= step;
        }
        out.extend(std::iter::repeat_n(' ', blanks));
        at += blanks + 1;
        blanks = 0;
        out.push(character);
    }
    out
}

/// Lines of a sorted file that begin so.
pub(super) fn look(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "abdft:",
        names: &[("ignore-case", 'f'), ("alphanum", 'd'), ("terminate=", 't')],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) if !given.operands.is_empty() => given,
        Ok(_) => return fail("look", "bad usage"),
        Err(problem) => return fail("look", &problem),
    };
    let Some(path) = given.operands.get(1) else {
        return fail("look", "/usr/share/dict/words: No such file or directory");
    };
    let fold = |text: &str| {
        let text: String = text.chars().filter(|c| !given.has('d') || c.is_alphanumeric() || *c == ' ').collect();
        if given.has('f') { text.to_lowercase() } else { text }
    };
    let end = given.value('t').and_then(|end| end.chars().next());
    let wanted = given.operands[0].split_inclusive(|c| Some(c) == end).next().unwrap_or_default();
    let wanted = fold(wanted);
    match crate::read(path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let found: String =
                text.lines().filter(|line| fold(line).starts_with(&wanted)).map(|line| format!("{line}\n")).collect();
            u8::from(found.is_empty() || !print(found.as_bytes()))
        }
        Err(reason) => fail("look", &format!("{path}: {reason}")),
    }
}

/// Reads all there is before it writes, so that a pipe may end where it began.
pub(super) fn sponge(args: &[OsString]) -> u8 {
    let known = Known { letters: "a", names: &[], ends_at_operand: false };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => return fail("sponge", &problem),
    };
    let mut bytes = crate::read("-").unwrap_or_default();
    let Some(path) = given.operands.first() else { return u8::from(!print(&bytes)) };
    if given.has('a') {
        let mut before = crate::read(path).unwrap_or_default();
        before.append(&mut bytes);
        bytes = before;
    }
    match std::fs::write(path, bytes) {
        Ok(()) => 0,
        Err(error) => fail("sponge", &format!("{path}: {}", crate::reason(&error))),
    }
}
