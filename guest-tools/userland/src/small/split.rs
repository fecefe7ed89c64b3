//! `split --filter`: each piece goes through a command instead of into a file.

use super::dd::amount;
use crate::options::{Given, Known, read};
use crate::report;
use crate::spawn::{Stdin, Stdout, start};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};

const KNOWN: Known = Known {
    letters: "a:b:C:dn:l:t:x",
    names: &[
        ("suffix-length=", 'a'),
        ("additional-suffix=", '+'),
        ("bytes=", 'b'),
        ("line-bytes=", 'C'),
        ("numeric-suffixes?", 'd'),
        ("hex-suffixes?", 'x'),
        ("number=", 'n'),
        ("lines=", 'l'),
        ("separator=", 't'),
        ("filter=", '|'),
        ("elide-empty-files", '.'),
        ("verbose", '.'),
    ],
    ends_at_operand: false,
};

/// How much goes into a piece.
enum Piece {
    Lines(u64),
    Bytes(u64),
}

/// Runs `split` where it has a filter; None where it does not.
pub(super) fn filtered(args: &[OsString]) -> Option<u8> {
    if !args.iter().any(|arg| arg.to_string_lossy().starts_with("--filter")) {
        return None;
    }
    Some(read(args, &KNOWN).and_then(|given| run(&given)).unwrap_or_else(|problem| {
        report("split", &problem);
        1
    }))
}

fn run(given: &Given) -> Result<u8, String> {
    let command = given.value('|').unwrap_or_default();
    if given.has('C') || given.has('n') {
        return Err("with --filter, pieces are counted in lines (-l) or bytes (-b) here".to_owned());
    }
    let size = |letter: char, what: &str| {
        let size = given.value(letter).map(|text| amount(text).filter(|size| *size > 0).ok_or(text)).transpose();
        size.map_err(|text| format!("invalid number of {what}: ‘{text}’"))
    };
    let piece = match size('b', "bytes")? {
        Some(bytes) => Piece::Bytes(bytes),
        None => Piece::Lines(size('l', "lines")?.unwrap_or(1_000)),
    };
    let end = match given.value('t') {
        None => b'\n',
        Some("\\0") => 0,
        Some(text) if text.len() == 1 => text.as_bytes()[0],
        Some(text) => return Err(format!("multi-character separator ‘{text}’")),
    };
    let path = given.operands.first().map_or("-", String::as_str);
    let from: Box<dyn Read> = match path {
        "-" | "/dev/stdin" => Box::new(std::io::stdin()),
        path => Box::new(crate::open(path).map_err(|reason| format!("cannot open '{path}' for reading: {reason}"))?),
    };
    let mut from = BufReader::with_capacity(64 << 10, from);
    let failed = |error: std::io::Error| format!("{path}: {}", crate::reason(&error));
    let mut number = 0;
    while !from.fill_buf().map_err(failed)?.is_empty() {
        let name = name(given, number)?;
        number += 1;
        let mut environment: Vec<(OsString, OsString)> = std::env::vars_os().filter(|(key, _)| key != "FILE").collect();
        environment.push(("FILE".into(), name.clone().into()));
        let shell: Vec<OsString> = ["sh", "-c", command].iter().map(OsString::from).collect();
        let started = start(&shell, Some(environment), Stdin::Write, Stdout::Own);
        let mut child = started.map_err(|refused| refused.explain("sh").0)?;
        if let Some(mut to) = child.take_stdin() {
            pass(&mut from, &piece, end, &mut *to).map_err(failed)?;
        }
        match child.wait() {
            0 => {}
            status => return Err(format!("with FILE={name}, exit {status} from command: {command}")),
        }
    }
    Ok(0)
}

/// Passes a piece on. Whoever stops reading has seen enough of it.
fn pass(from: &mut BufReader<Box<dyn Read>>, piece: &Piece, end: u8, to: &mut dyn Write) -> std::io::Result<()> {
    let mut reads = true;
    let mut give = |bytes: &[u8]| reads = reads && to.write_all(bytes).is_ok();
    match *piece {
        Piece::Bytes(mut left) => loop {
            let bytes = from.fill_buf()?;
            let length = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if length == 0 {
                return Ok(());
            }
            give(&bytes[..length]);
            from.consume(length);
            left -= length as u64;
        },
        Piece::Lines(lines) => {
            let mut line = Vec::new();
            for _ in 0..lines {
                line.clear();
                if from.read_until(end, &mut line)? == 0 {
                    break;
                }
                give(&line);
            }
            Ok(())
        }
    }
}

/// What the file would be called that this piece would go to.
fn name(given: &Given, number: usize) -> Result<String, String> {
    let (base, first) = match (given.has('d'), given.has('x')) {
        (true, _) => (10, b"0123456789".as_slice()),
        (_, true) => (16, b"0123456789abcdef".as_slice()),
        _ => (26, b"abcdefghijklmnopqrstuvwxyz".as_slice()),
    };
    let begun = given.value('d').or(given.value('x')).and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    let asked = given.value('a').and_then(|text| text.parse::<usize>().ok());
    let mut rest = number + begun;
    let mut suffix = Vec::new();
    while rest > 0 || suffix.len() < asked.unwrap_or(2).min(64) {
        suffix.push(char::from(first[rest % base]));
        rest /= base;
    }
    if asked.is_some_and(|asked| suffix.len() > asked) {
        return Err("output file suffixes exhausted".to_owned());
    }
    let prefix = given.operands.get(1).map_or("x", String::as_str);
    Ok(format!("{prefix}{}{}", suffix.into_iter().rev().collect::<String>(), given.value('+').unwrap_or_default()))
}
