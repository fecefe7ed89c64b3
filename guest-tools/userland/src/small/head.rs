//! `head` of standard input, where what comes behind what it shows is left to who reads next.

use super::dd::amount;
use crate::options::{Known, read};
use crate::report;
use crate::stdin::Stdin;
use std::ffi::OsString;
use std::io::{BufWriter, Read as _, Write as _};

const KNOWN: Known = Known {
    letters: "n:c:qz",
    names: &[("lines=", 'n'), ("bytes=", 'c'), ("quiet", 'q'), ("silent", 'q'), ("zero-terminated", 'z')],
    ends_at_operand: false,
};

/// So many lines are each written for themselves.
const FEW: u64 = 1_000;
/// How much is passed on at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Runs `head` where it reads a known part of standard input and nothing else; None where it does not.
pub(super) fn of_stdin(args: &[OsString]) -> Option<u8> {
    if args.iter().any(|arg| matches!(arg.to_str(), Some("--help" | "--version"))) {
        return None;
    }
    let given = read(&numbered(args), &KNOWN).ok()?;
    if given.operands.iter().any(|path| path != "-") || given.operands.len() > 1 {
        return None;
    }
    let counted = given.options.iter().rev().find(|(letter, _)| matches!(letter, 'n' | 'c'));
    let (letter, count) = counted.map_or(('n', "10"), |(letter, count)| (*letter, count.as_str()));
    let count =
        amount(count.trim_start_matches('+')).filter(|_| !count.ends_with(['c', 'w']) && !count.contains('x'))?;
    let shown = if letter == 'c' { bytes(count) } else { lines(count, if given.has('z') { 0 } else { b'\n' }) };
    Some(shown.unwrap_or_else(|error| {
        report("head", &format!("error reading 'standard input': {}", crate::reason(&error)));
        1
    }))
}

/// `-5` in the way of today: `-n 5`.
fn numbered(args: &[OsString]) -> Vec<OsString> {
    let new = |arg: &OsString| -> Option<OsString> {
        let digits = arg.to_str()?.strip_prefix('-')?;
        (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| format!("-n{digits}").into())
    };
    args.iter().map(|arg| new(arg).unwrap_or_else(|| arg.clone())).collect()
}

fn lines(count: u64, end: u8) -> std::io::Result<u8> {
    // A few are shown as they come.
    let room = if count > FEW { PIECE_BYTES } else { 0 };
    let mut out = BufWriter::with_capacity(room, crate::output::stdout());
    let (mut from, mut left) = (Stdin::new()?, count);
    while left > 0 {
        // A line may have no end.
        let piece = from.piece(end)?;
        if piece.is_empty() {
            break;
        }
        left -= u64::from(piece.last() == Some(&end));
        if out.write_all(&piece).is_err() {
            return Ok(1);
        }
    }
    Ok(u8::from(out.flush().is_err()))
}

fn bytes(count: u64) -> std::io::Result<u8> {
    let (mut from, mut out) = (Stdin::new()?.take(count), crate::output::stdout());
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let length = from.read(&mut piece)?;
        if length == 0 {
            break;
        }
        if out.write_all(&piece[..length]).is_err() {
            return Ok(1);
        }
    }
    Ok(u8::from(out.flush().is_err()))
}
