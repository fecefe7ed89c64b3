//! `tar`: makes archives, lists and unpacks them.

mod create;
mod extract;
mod header;
mod wanted;

use super::stream::{self, Format};
use super::zstd::Frames;
use crate::options::{Given, Known, read};
use crate::report;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

const KNOWN: Known = Known {
    letters: "ctxruAdf:zjJZaC:vkOpPhmT:X:SWUI:b:BwlniRoNK:?",
    names: &[
        ("create", 'c'),
        ("list", 't'),
        ("extract", 'x'),
        ("get", 'x'),
        ("append", 'r'),
        ("update", 'u'),
        ("catenate", 'A'),
        ("concatenate", 'A'),
        ("diff", 'd'),
        ("compare", 'd'),
        ("delete", 'D'),
        ("file=", 'f'),
        ("gzip", 'z'),
        ("gunzip", 'z'),
        ("ungzip", 'z'),
        ("bzip2", 'j'),
        ("xz", 'J'),
        ("lzma", 'J'),
        ("compress", 'Z'),
        ("zstd", '1'),
        ("auto-compress", 'a'),
        ("use-compress-program=", 'I'),
        ("directory=", 'C'),
        ("verbose", 'v'),
        ("keep-old-files", 'k'),
        ("skip-old-files", '2'),
        ("overwrite", '.'),
        ("unlink-first", '.'),
        ("to-stdout", 'O'),
        ("preserve-permissions", 'p'),
        ("same-permissions", 'p'),
        ("no-same-permissions", '.'),
        ("same-owner", '.'),
        ("no-same-owner", '.'),
        ("absolute-names", 'P'),
        ("dereference", 'h'),
        ("touch", 'm'),
        ("files-from=", 'T'),
        ("exclude-from=", 'X'),
        ("null", '0'),
        ("exclude=", '-'),
        ("exclude-vcs", '3'),
        ("strip-components=", '4'),
        ("wildcards", '*'),
        ("no-wildcards", '5'),
        ("no-recursion", '6'),
        ("recursion", '.'),
        ("ignore-zeros", 'i'),
        ("numeric-owner", '7'),
        ("owner=", '8'),
        ("group=", '9'),
        ("mode=", 'M'),
        ("mtime=", '+'),
        ("sort=", '='),
        ("format=", '='),
        ("warning=", '='),
        ("blocking-factor=", 'b'),
        ("show-transformed-names", '~'),
        ("sparse", '.'),
        ("verify", '.'),
        ("one-file-system", '.'),
        ("totals", '.'),
        ("no-xattrs", '.'),
        ("xattrs", '.'),
        ("no-acls", '.'),
        ("no-selinux", '.'),
        ("anchored", '.'),
        ("no-anchored", '.'),
        ("force-local", '.'),
        ("version", 'V'),
    ],
    ends_at_operand: false,
};

/// Why `tar` ends before its work is done: what it says, and 2.
type Stop = String;

/// Runs `tar`; the first argument is its name.
pub(super) fn run(args: &[OsString]) -> u8 {
    let done = dashed(args)
        .and_then(|args| read(&args, &KNOWN))
        .map_err(|problem| format!("{problem}\nTry 'tar --help' or 'tar --usage' for more information."));
    match done.and_then(|given| execute(&given)) {
        Ok(Outcome::Done) => 0,
        Ok(Outcome::Failed) => {
            report("tar", "Exiting with failure status due to previous errors");
            2
        }
        Err(problem) => {
            for line in problem.lines() {
                if line.starts_with("Try ") { eprintln!("{line}") } else { report("tar", line) }
            }
            2
        }
    }
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    /// Something, which was said, was not done.
    Failed,
}

/// The old way to write options, `xzf archive`, in the new one. What is wrong in words.
fn dashed(args: &[OsString]) -> Result<Vec<OsString>, String> {
    let Some(first) = args.get(1).map(|arg| arg.to_string_lossy().into_owned()) else {
        return Ok(args.to_vec());
    };
    if first.starts_with('-') || first.is_empty() {
        return Ok(args.to_vec());
    }
    let mut out = vec![args[0].clone()];
    let mut rest = args[2..].iter();
    for letter in first.chars() {
        out.push(format!("-{letter}").into());
        if KNOWN.letters.contains(&format!("{letter}:")) {
            let value = rest.next();
            out.push(value.ok_or_else(|| format!("Old option '{letter}' requires an argument."))?.clone());
        }
    }
    out.extend(rest.cloned());
    Ok(out)
}

fn execute(given: &Given) -> Result<Outcome, Stop> {
    if given.has('V') {
        crate::help::version("tar");
        return Ok(Outcome::Done);
    }
    let mut modes: Vec<char> =
        given.options.iter().map(|(letter, _)| *letter).filter(|letter| "ctxruAdD".contains(*letter)).collect();
    modes.dedup();
    let help = "\nTry 'tar --help' or 'tar --usage' for more information.";
    match modes[..] {
        ['c' | 'r' | 'u'] => create::create(given),
        ['t' | 'x'] => {
            let archive = given.value('f').unwrap_or("-");
            extract::read(given, open(archive, format(given)?)?)
        }
        [] => Err(format!("You must specify one of the '-ctrux' options{help}")),
        [mode] => Err(format!("-{mode} is not available here; make the archive anew")),
        _ => Err(format!("You may not specify more than one of the '-ctrux' options{help}")),
    }
}

/// How the command line says that the archive is packed.
fn format(given: &Given) -> Result<Option<Format>, Stop> {
    let wanted = given.options.iter().rev().find_map(|(letter, value)| match (letter, value.as_str()) {
        ('z', _) | ('I', "gzip" | "pigz") => Some(Format::Gzip),
        ('j', _) => Some(Format::Missing("bzip2")),
        ('J', _) => Some(Format::Missing("xz")),
        ('Z', _) => Some(Format::Missing("compress")),
        ('1', _) | ('I', "zstd") => Some(Format::Zstd),
        ('I', _) => Some(Format::Missing("this program to compress")),
        _ => None,
    });
    match wanted {
        Some(Format::Missing(program)) => Err(missing(program)),
        wanted => Ok(wanted),
    }
}

fn missing(program: &str) -> Stop {
    format!("{program} is not available here\nError is not recoverable: exiting now")
}

/// Opens an archive for reading, and unpacks the stream if it is packed.
fn open(path: &str, format: Option<Format>) -> Result<Box<dyn Read>, Stop> {
    let stop = |problem: String| format!("{problem}\nError is not recoverable: exiting now");
    let file: Box<dyn Read> = if path == "-" {
        Box::new(std::io::stdin())
    } else {
        Box::new(File::open(path).map_err(|error| stop(format!("{path}: Cannot open: {}", crate::reason(&error))))?)
    };
    let (start, stream) = stream::peek(BufReader::with_capacity(64 << 10, file), 6)
        .map_err(|error| stop(format!("{path}: Cannot read: {}", crate::reason(&error))))?;
    let found = stream::by_start(&start);
    match (found, format) {
        (Format::Missing(program), _) => Err(missing(program)),
        (Format::Plain, Some(Format::Gzip | Format::Zstd)) => Err(stop("not packed as it was said".to_owned())),
        (Format::Plain, _) => Ok(Box::new(stream)),
        (Format::Zstd, _) => Ok(Box::new(Frames::new(stream))),
        (Format::Gzip, _) => Ok(Box::new(stream::Gunzip::new(stream))),
    }
}

/// The folder that holds after so many operands, by the `-C` before them. An error if it is none.
fn folder(given: &Given, operands: usize) -> Result<PathBuf, Stop> {
    let mut folder = PathBuf::new();
    for ((letter, value), before) in given.options.iter().zip(&given.before) {
        if *letter == 'C' && *before <= operands {
            folder.push(value);
            if let Err(error) = std::fs::read_dir(&folder) {
                let reason = crate::reason(&error);
                return Err(format!("{value}: Cannot open: {reason}\nError is not recoverable: exiting now"));
            }
        }
    }
    Ok(folder)
}

/// The names that the command line asks for, those from files behind the others.
fn operands(given: &Given) -> Result<Vec<String>, Stop> {
    let mut operands = given.operands.clone();
    for path in given.values('T') {
        let text = crate::read(path).map_err(|reason| format!("{path}: Cannot open: {reason}"))?;
        let end = if given.has('0') { '\0' } else { '\n' };
        let text = String::from_utf8_lossy(&text).into_owned();
        operands.extend(text.split(end).filter(|line| !line.is_empty()).map(str::to_owned));
    }
    Ok(operands)
}

/// A path as it would be from the root, with `.` and `..` worked off.
fn absolute(path: &Path) -> PathBuf {
    let mut out = std::env::current_dir().unwrap_or_default();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                out.pop();
            }
            std::path::Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}
