//! `grep`, `egrep` and `fgrep`.

mod matcher;
mod search;
mod walk;

use crate::options::{Given, Known, read};
use crate::report;
use matcher::{Matcher, Wanted};
use search::{Show, Totals, search};
use std::ffi::OsString;

const KNOWN: Known = Known {
    letters: "EFGPe:f:iyvwxcLlqsonHhbZzarRIUm:A:B:C:0123456789Td:D:u",
    names: &[
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("basic-regexp", 'G'),
        ("perl-regexp", 'P'),
        ("regexp=", 'e'),
        ("file=", 'f'),
        ("ignore-case", 'i'),
        ("no-ignore-case", 'N'),
        ("invert-match", 'v'),
        ("word-regexp", 'w'),
        ("line-regexp", 'x'),
        ("count", 'c'),
        ("files-without-match", 'L'),
        ("files-with-matches", 'l'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("no-messages", 's'),
        ("only-matching", 'o'),
        ("line-number", 'n'),
        ("with-filename", 'H'),
        ("no-filename", 'h'),
        ("byte-offset", 'b'),
        ("null", 'Z'),
        ("null-data", 'z'),
        ("text", 'a'),
        ("recursive", 'r'),
        ("dereference-recursive", 'R'),
        ("binary-files=", 'K'),
        ("max-count=", 'm'),
        ("after-context=", 'A'),
        ("before-context=", 'B'),
        ("context=", 'C'),
        ("include=", '+'),
        ("exclude=", '-'),
        ("exclude-dir=", '/'),
        ("color?", '!'),
        ("colour?", '!'),
        ("line-buffered", 'u'),
        ("label=", '@'),
        ("no-group-separator", '='),
        ("group-separator=", '~'),
        ("initial-tab", 'T'),
        ("directories=", 'd'),
        ("devices=", 'D'),
        ("version", 'V'),
    ],
    ends_at_operand: false,
};

/// Runs `grep`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    let name = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match read(args, &KNOWN).and_then(|given| execute(&given, &name)) {
        Ok(status) => status,
        Err(problem) => {
            report("grep", &problem);
            2
        }
    }
}

fn execute(given: &Given, name: &str) -> Result<u8, String> {
    if given.has('V') {
        return Ok(u8::from(!crate::help::version("grep")));
    }
    let mut operands = given.operands.clone();
    let mut patterns: Vec<String> = Vec::new();
    for (letter, value) in &given.options {
        match letter {
            'e' => patterns.extend(value.split('\n').map(str::to_owned)),
            'f' => {
                let text = crate::read(value).map_err(|reason| format!("{value}: {reason}"))?;
                let text = String::from_utf8_lossy(&text).into_owned();
                patterns.extend(text.lines().map(str::to_owned));
            }
            _ => {}
        }
    }
    if !given.has('e') && !given.has('f') {
        if operands.is_empty() {
            return Err("no pattern; usage: grep [OPTION]... PATTERNS [FILE]...".to_owned());
        }
        patterns.extend(operands.remove(0).split('\n').map(str::to_owned));
    }
    let matcher = Matcher::new(&patterns, &wanted(given, name))?;
    let recursive = given.has('r') || given.has('R') || given.value('d') == Some("recurse");
    let show = show(given, &operands, recursive)?;
    let files = walk::files(given, operands, recursive);
    let mut totals = Totals::default();
    for file in files {
        match file {
            Ok(path) => match search(&path, &matcher, &show, &mut totals) {
                Ok(()) => {}
                Err(reason) => {
                    totals.failed = true;
                    if !given.has('s') {
                        report("grep", &format!("{path}: {reason}"));
                    }
                }
            },
            Err((path, reason)) => {
                totals.failed = true;
                if !given.has('s') {
                    report("grep", &format!("{path}: {reason}"));
                }
            }
        }
        if totals.done(&show) {
            break;
        }
    }
    let written = totals.finish();
    let answered = given.has('q') && totals.selected;
    Ok(match (totals.failed && !answered || !written, totals.selected) {
        (true, _) => 2,
        (false, true) => 0,
        (false, false) => 1,
    })
}

fn wanted(given: &Given, name: &str) -> Wanted {
    let kind = given.options.iter().rev().map(|(letter, _)| *letter).find(|letter| "EFGP".contains(*letter));
    let by_name = if name.ends_with("egrep") {
        'E'
    } else if name.ends_with("fgrep") {
        'F'
    } else {
        'G'
    };
    Wanted {
        kind: kind.unwrap_or(by_name),
        ignore_case: given.has('i') || given.has('y'),
        words: given.has('w'),
        lines: given.has('x'),
        null_data: given.has('z'),
    }
}

fn show(given: &Given, operands: &[String], recursive: bool) -> Result<Show, String> {
    let number = |letter: char| -> Result<Option<usize>, String> {
        let Some(value) = given.value(letter) else { return Ok(None) };
        if letter == 'm' && value.starts_with('-') {
            return Ok(None);
        }
        let problem = || match letter {
            'm' => "invalid max count".to_owned(),
            _ => format!("{value}: invalid context length argument"),
        };
        value.parse().map(Some).map_err(|_| problem())
    };
    let digits: String = given.options.iter().map(|(letter, _)| *letter).filter(char::is_ascii_digit).collect();
    let around = number('C')?.or_else(|| digits.parse().ok());
    let single = operands.len() < 2 && !(recursive && operands.iter().all(|path| std::path::Path::new(path).is_dir()));
    let last = given.options.iter().rev().map(|(letter, _)| *letter).find(|letter| "Hh".contains(*letter));
    Ok(Show {
        invert: given.has('v'),
        count: given.has('c'),
        names: given.has('l'),
        names_without: given.has('L'),
        quiet: given.has('q'),
        only: given.has('o'),
        numbers: given.has('n'),
        offsets: given.has('b'),
        file_names: last.map_or(!single, |letter| letter == 'H'),
        null_names: given.has('Z'),
        tab: given.has('T'),
        delimiter: if given.has('z') { 0 } else { b'\n' },
        most: number('m')?,
        before: number('B')?.or(around).unwrap_or(0),
        after: number('A')?.or(around).unwrap_or(0),
        context: around.is_some() || given.has('A') || given.has('B'),
        as_text: given.has('a') || given.value('K') == Some("text") || given.has('z'),
        skip_binary: given.has('I') || given.value('K') == Some("without-match"),
        separator: if given.has('=') { None } else { Some(given.value('~').unwrap_or("--").to_owned()) },
        label: given.value('@').unwrap_or("(standard input)").to_owned(),
        colors: given.value('!') == Some("always"),
    })
}
