//! `sed`: edits lines as they pass.

mod execute;
mod input;
mod matcher;
mod output;
mod parse;
mod replace;
mod script;
mod text;

use crate::options::{self, Given, Known};
use input::Taking;
use parse::{Part, Reading, Source};
use std::ffi::OsString;
use std::io::Write as _;

const USAGE: &str = "\
Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...

  -n, --quiet, --silent      print only what the script says
  -e SCRIPT, --expression=SCRIPT
  -f FILE, --file=FILE       take the script from a file
  -E, -r, --regexp-extended  extended regular expressions
  -i[SUFFIX], --in-place[=SUFFIX]
                             edit files in place, and keep the old ones if SUFFIX is given
  -l N, --line-length=N      where `l' breaks lines
  -s, --separate             each file for itself
  -u, --unbuffered           write each line at once
  -z, --null-data            lines end in a null character
      --follow-symlinks      with -i, edit what a link leads to
      --sandbox              refuse the commands e, r and w
      --posix                is taken and changes nothing
      --help, --version
";

const KNOWN: Known = Known {
    letters: "bne:f:ErsuzhHVSPi::l:",
    names: &[
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression=", 'e'),
        ("file=", 'f'),
        ("regexp-extended", 'E'),
        ("in-place?", 'i'),
        ("line-length=", 'l'),
        ("separate", 's'),
        ("unbuffered", 'u'),
        ("null-data", 'z'),
        ("zero-terminated", 'z'),
        ("binary", 'b'),
        ("follow-symlinks", 'H'),
        ("sandbox", 'S'),
        ("posix", 'P'),
        ("help", 'h'),
        ("version", 'V'),
    ],
    ends_at_operand: false,
};

/// Why nothing more is done.
#[derive(Debug)]
struct Fatal {
    status: u8,
    text: String,
}

impl Fatal {
    fn new(status: u8, text: String) -> Self {
        Self { status, text }
    }
}

/// How a script is carried out.
struct Settings {
    quiet: bool,
    unbuffered: bool,
    /// Where `l` breaks lines, in characters.
    width: usize,
    taking: Taking,
}

pub(crate) fn run(args: &[OsString]) -> u8 {
    let given = match options::read(args, &KNOWN) {
        Ok(given) => given,
        Err(text) => {
            crate::report("sed", &text);
            return usage();
        }
    };
    if given.has('h') {
        return if crate::print(USAGE.as_bytes()) { 0 } else { 4 };
    }
    if given.has('V') {
        return if crate::print(b"sed (Handbox, as GNU sed) 4.9\n") { 0 } else { 4 };
    }
    match edit(given) {
        Ok(Some(status)) => status,
        Ok(None) => usage(),
        Err(fatal) => {
            crate::report("sed", &fatal.text);
            fatal.status
        }
    }
}

/// Says how it is called.
fn usage() -> u8 {
    // Where that is closed, nobody is told.
    let _ = std::io::stderr().write_all(USAGE.as_bytes());
    1
}

/// The status; None if there is no script.
fn edit(mut given: Given) -> Result<Option<u8>, Fatal> {
    let mut parts = parts(&given)?;
    if parts.is_empty() {
        if given.operands.is_empty() {
            return Ok(None);
        }
        let text = given.operands.remove(0).into_bytes();
        parts.push(Part { source: Source::Expression(1), text });
    }
    let reading = Reading { extended: given.has('E') || given.has('r'), sandbox: given.has('S') };
    let script = parse::read(&parts, reading).map_err(|text| Fatal::new(1, text))?;
    let width = match given.value('l') {
        Some(text) => text.parse().map_err(|_| Fatal::new(1, format!("invalid line length: {text}")))?,
        None => 70,
    };
    let in_place = given.value('i').map(str::to_owned);
    let taking = Taking {
        separate: given.has('s') || in_place.is_some(),
        in_place,
        follow_links: given.has('H'),
        separator: if given.has('z') { 0 } else { b'\n' },
        leaves: script.quits(),
    };
    let settings = Settings { quiet: given.has('n') || script.silent, unbuffered: given.has('u'), width, taking };
    let mut files = given.operands;
    if files.is_empty() {
        if settings.taking.in_place.is_some() {
            return Err(Fatal::new(4, "no input files".to_owned()));
        }
        files.push("-".to_owned());
    }
    execute::run(&script, settings, files).map(Some)
}

/// The pieces of the script, in their order.
fn parts(given: &Given) -> Result<Vec<Part>, Fatal> {
    let mut parts = Vec::new();
    let mut expressions = 0;
    for (letter, value) in &given.options {
        match letter {
            'e' => {
                expressions += 1;
                parts.push(Part { source: Source::Expression(expressions), text: value.clone().into_bytes() });
            }
            'f' => {
                let read = crate::read(value);
                let mut text = read.map_err(|reason| Fatal::new(4, format!("couldn't open file {value}: {reason}")))?;
                if text.last() == Some(&b'\n') {
                    text.pop();
                }
                parts.push(Part { source: Source::File(value.clone()), text });
            }
            _ => {}
        }
    }
    Ok(parts)
}
