//! `rg`, over the crates that ripgrep is made of.
//!
//! Never colours, as nothing here is a terminal; and always sorts, as it has one thread.

mod search;
mod walk;

use crate::options::{Given, Known, read};
use crate::report;
use std::ffi::OsString;
use std::io::BufRead as _;

const KNOWN: Known = Known {
    letters: "nNilcvwFxe:f:g:t:T:A:B:C:or:qSsuHIhUPaLm:M:j:pbz0Vd:E:.",
    names: &[
        ("line-number", 'n'),
        ("no-line-number", 'N'),
        ("ignore-case", 'i'),
        ("case-sensitive", 's'),
        ("smart-case", 'S'),
        ("files-with-matches", 'l'),
        ("files-without-match", '1'),
        ("count", 'c'),
        ("count-matches", '2'),
        ("include-zero", '3'),
        ("invert-match", 'v'),
        ("word-regexp", 'w'),
        ("line-regexp", 'x'),
        ("fixed-strings", 'F'),
        ("regexp=", 'e'),
        ("file=", 'f'),
        ("glob=", 'g'),
        ("iglob=", '4'),
        ("glob-case-insensitive", '5'),
        ("type=", 't'),
        ("type-not=", 'T'),
        ("type-add=", '6'),
        ("type-clear=", '7'),
        ("type-list", '8'),
        ("after-context=", 'A'),
        ("before-context=", 'B'),
        ("context=", 'C'),
        ("only-matching", 'o'),
        ("replace=", 'r'),
        ("quiet", 'q'),
        ("unrestricted", 'u'),
        ("with-filename", 'H'),
        ("no-filename", 'I'),
        ("multiline", 'U'),
        ("multiline-dotall", '9'),
        ("pcre2", 'P'),
        ("text", 'a'),
        ("binary", '+'),
        ("follow", 'L'),
        ("max-count=", 'm'),
        ("max-columns=", 'M'),
        ("max-depth=", 'd'),
        ("maxdepth=", 'd'),
        ("max-filesize=", '-'),
        ("byte-offset", 'b'),
        ("null", '0'),
        ("column", '/'),
        ("vimgrep", '~'),
        ("heading", '['),
        ("no-heading", ']'),
        ("pretty", 'p'),
        ("files", '='),
        ("json", '{'),
        ("hidden", '.'),
        ("no-hidden", '}'),
        ("no-ignore", '('),
        ("no-ignore-vcs", ')'),
        ("no-ignore-dot", '<'),
        ("no-ignore-parent", '>'),
        ("no-ignore-exclude", ';'),
        ("ignore-file=", '%'),
        ("passthru", '*'),
        ("passthrough", '*'),
        ("trim", '&'),
        ("crlf", '@'),
        ("no-messages", '^'),
        ("context-separator=", '_'),
        ("no-context-separator", '|'),
        ("sort=", ','),
        ("sortr=", ','),
        ("color=", ','),
        ("colors=", ','),
        ("threads=", ','),
        ("engine=", ','),
        ("encoding=", 'E'),
        ("no-config", ' '),
        ("no-require-git", ' '),
        ("no-ignore-global", ' '),
        ("no-ignore-messages", ' '),
        ("no-mmap", ' '),
        ("mmap", ' '),
        ("line-buffered", ' '),
        ("block-buffered", ' '),
        ("no-unicode", ' '),
        ("one-file-system", ' '),
        ("version", 'V'),
    ],
    ends_at_operand: false,
};

/// What stands for standard input.
const STDIN: &str = "-";

/// Runs `rg`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    match read(args, &KNOWN).and_then(|given| execute(&given)) {
        Ok(status) => status,
        Err(problem) => {
            report("rg", &problem);
            2
        }
    }
}

fn execute(given: &Given) -> Result<u8, String> {
    if given.has('V') {
        return Ok(u8::from(!crate::help::version("ripgrep")));
    }
    for (letter, what) in [('P', "PCRE2"), ('z', "searching compressed files")] {
        if given.has(letter) {
            return Err(format!("{what} is not available here"));
        }
    }
    if given.has('8') {
        return walk::list_types(given);
    }
    let mut operands = given.operands.clone();
    let patterns = if given.has('=') { Vec::new() } else { patterns(given, &mut operands)? };
    if given.has('=') {
        return walk::list_files(given, &operands);
    }
    // Whether something is piped in cannot be asked for: it is if something comes.
    if operands.is_empty() {
        let mut stdin = std::io::stdin().lock();
        let start = stdin.fill_buf().map_err(|error| format!("-: {}", crate::reason(&error)))?;
        if !start.is_empty() {
            operands.push(STDIN.to_owned());
        }
    }
    let single = operands.len() == 1 && (operands[0] == STDIN || !std::path::Path::new(&operands[0]).is_dir());
    let mut search = search::Search::new(given, &patterns, !single)?;
    let mut failed = false;
    walk::each(given, &operands, |found| {
        let problem = match found {
            Ok(walk::Found::Stdin) => search.stdin().err(),
            Ok(walk::Found::File { path, asked_for }) => search.file(&path, asked_for).err(),
            Err(problem) => Some(problem),
        };
        if let Some(problem) = problem {
            failed = true;
            if !given.has('^') {
                report("rg", &problem);
            }
        }
        !search.done()
    })?;
    let matched = search.finish();
    Ok(match (matched, failed) {
        (true, _) if given.has('q') => 0,
        (_, true) => 2,
        (true, false) => 0,
        (false, false) => 1,
    })
}

/// The patterns of the command line; without any, the first operand is one.
fn patterns(given: &Given, operands: &mut Vec<String>) -> Result<Vec<String>, String> {
    let mut patterns: Vec<String> = given.values('e').map(str::to_owned).collect();
    for path in given.values('f') {
        let text = crate::read(path).map_err(|reason| format!("{path}: {reason}"))?;
        patterns.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
    }
    if !given.has('e') && !given.has('f') {
        if operands.is_empty() {
            return Err("no pattern; usage: rg [OPTIONS] PATTERN [PATH ...]".to_owned());
        }
        patterns.push(operands.remove(0));
    }
    Ok(patterns)
}

/// The number that an option was given.
fn number<N: std::str::FromStr>(given: &Given, letter: char) -> Result<Option<N>, String> {
    let Some(value) = given.value(letter) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| format!("{value}: not a number"))
}

/// The one of these options that was given last.
fn last(given: &Given, letters: &str) -> Option<char> {
    given.options.iter().rev().map(|(letter, _)| *letter).find(|letter| letters.contains(*letter))
}

/// How often an option was given.
fn times(given: &Given, wanted: char) -> usize {
    given.options.iter().filter(|(letter, _)| *letter == wanted).count()
}
