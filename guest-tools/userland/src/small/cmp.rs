//! `cmp`.

use super::dd::amount;
use crate::options::{Given, Known, read};
use crate::{print, report};
use std::ffi::OsString;

/// A byte as text: what cannot be shown has a `^` or `M-` before it.
pub(super) fn visible(byte: u8) -> String {
    match byte {
        0x80.. => format!("M-{}", visible(byte - 0x80)),
        0x7f => "^?".to_owned(),
        0x20.. => char::from(byte).to_string(),
        _ => format!("^{}", char::from(byte + 0x40)),
    }
}

/// Runs `cmp`; the first argument is its name.
pub(super) fn cmp(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "sbln:i:",
        names: &[
            ("silent", 's'),
            ("quiet", 's'),
            ("verbose", 'l'),
            ("print-bytes", 'b'),
            ("bytes=", 'n'),
            ("ignore-initial=", 'i'),
        ],
        ends_at_operand: false,
    };
    let done = read(args, &known).and_then(|given| {
        let done = compare(&given);
        // Silent is also who finds a file missing (POSIX.1-2024, `cmp`).
        if given.has('s') { Ok(done.unwrap_or(2)) } else { done }
    });
    done.unwrap_or_else(|problem| {
        report("cmp", &problem);
        2
    })
}

/// The part of each file that is compared starts behind what is left out.
fn skipped(given: &Given) -> Result<(usize, usize), String> {
    let number = |text: &str| amount(text).ok_or_else(|| format!("invalid --ignore-initial value '{text}'"));
    let both = given.value('i').unwrap_or("0");
    let (first, second) = both.split_once(':').unwrap_or((both, both));
    let place = |at: usize, text: &str| given.operands.get(at).map_or_else(|| number(text), |text| number(text));
    let usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok((usize(place(2, first)?), usize(place(3, second)?)))
}

fn compare(given: &Given) -> Result<u8, String> {
    let from = given.operands.first().ok_or("missing operand; usage: cmp [-bls] [-i SKIP] [-n LIMIT] FILE1 [FILE2]")?;
    let to = given.operands.get(1).map_or("-", String::as_str);
    let (skip_from, skip_to) = skipped(given)?;
    let most = match given.value('n') {
        Some(text) => Some(amount(text).ok_or_else(|| format!("invalid --bytes value '{text}'"))?),
        None => None,
    };
    let part = |path: &str, skip: usize| -> Result<Vec<u8>, String> {
        let mut bytes = crate::read(path).map_err(|reason| format!("{path}: {reason}"))?;
        bytes.drain(..skip.min(bytes.len()));
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(bytes.len());
        bytes.truncate(most);
        Ok(bytes)
    };
    let (left, right) = (part(from, skip_from)?, part(to, skip_to)?);
    let mut differing = left.iter().zip(&right).enumerate().filter(|(_, (left, right))| left != right).peekable();
    let differs = differing.peek().is_some();
    if given.has('s') {
        return Ok(u8::from(differs || left.len() != right.len()));
    }
    let mut out = String::new();
    if given.has('l') {
        let width = left.len().min(right.len()).to_string().len();
        for (at, (left, right)) in differing {
            let at = at + 1;
            out.push_str(&if given.has('b') {
                format!("{at:>width$} {left:3o} {:<4} {right:3o} {}\n", visible(*left), visible(*right))
            } else {
                format!("{at:>width$} {left:3o} {right:3o}\n")
            });
        }
    } else if let Some((at, (first, second))) = differing.next() {
        let line = left[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        let bytes = if given.has('b') {
            format!(" is {first:3o} {} {second:3o} {}", visible(*first), visible(*second))
        } else {
            String::new()
        };
        out = format!("{from} {to} differ: byte {}, line {line}{bytes}\n", at + 1);
    }
    let printed = print(out.as_bytes());
    if left.len() != right.len() && (given.has('l') || !differs) {
        report("cmp", &end_of(given, (from, &left), (to, &right)));
    }
    Ok(if printed { u8::from(differs || left.len() != right.len()) } else { 2 })
}

/// Says which of them ends first, and where.
fn end_of(given: &Given, from: (&str, &[u8]), to: (&str, &[u8])) -> String {
    let (name, short) = if from.1.len() < to.1.len() { from } else { to };
    let whole = short.iter().filter(|byte| **byte == b'\n').count();
    let length = short.len();
    if short.is_empty() {
        format!("EOF on {name} which is empty")
    } else if given.has('l') {
        format!("EOF on {name} after byte {length}")
    } else if short.ends_with(b"\n") {
        format!("EOF on {name} after byte {length}, line {whole}")
    } else {
        format!("EOF on {name} after byte {length}, in line {}", whole + 1)
    }
}
