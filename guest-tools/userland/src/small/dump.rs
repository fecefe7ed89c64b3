//! `hexdump` and `hd`.

use crate::options::{Given, Known, read};
use crate::stdin::Stdin;
use crate::{print, report};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Read as _;

/// How many bytes stand in a line.
const ROW: usize = 16;

/// Runs `hexdump`, or `hd`; the first argument is its name.
pub(super) fn hexdump(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "bcCdoxvn:s:e:f:",
        names: &[
            ("canonical", 'C'),
            ("no-squeezing", 'v'),
            ("length=", 'n'),
            ("skip=", 's'),
            ("one-byte-octal", 'b'),
            ("one-byte-char", 'c'),
            ("two-bytes-decimal", 'd'),
            ("two-bytes-octal", 'o'),
            ("two-bytes-hex", 'x'),
        ],
        ends_at_operand: false,
    };
    let run = read(args, &known).and_then(|given| {
        if given.has('e') || given.has('f') {
            return Err("own formats are not available here; -C, -b, -c, -d, -o and -x are".to_owned());
        }
        let canonical = args.first().is_some_and(|name| name.to_string_lossy().ends_with("hd"));
        let kind = given.options.iter().rev().map(|(letter, _)| *letter).find(|letter| "bcCdox".contains(*letter));
        let (bytes, start, failed) = input(&given)?;
        let shown = dump(&bytes, start, kind.unwrap_or(if canonical { 'C' } else { ' ' }), given.has('v'));
        Ok(u8::from(failed | !print(shown.as_bytes())))
    });
    run.unwrap_or_else(|problem| {
        report("hexdump", &problem);
        1
    })
}

/// What is shown, where it starts, and whether some of it could not be read.
fn input(given: &Given) -> Result<(Vec<u8>, u64, bool), String> {
    let number =
        |letter| given.value(letter).map(|text| amount(text).ok_or_else(|| format!("bad number {text}"))).transpose();
    let (skip, most) = (number('s')?.unwrap_or(0), number('n')?);
    let own = ["-".to_owned()];
    let paths = if given.operands.is_empty() { &own[..] } else { &given.operands };
    let (mut bytes, mut failed) = (Vec::new(), false);
    let wanted = most.map(|most| skip.saturating_add(most));
    for path in paths {
        let left = wanted.map_or(u64::MAX, |wanted| wanted.saturating_sub(bytes.len() as u64));
        let read = if path == "-" {
            Stdin::new().and_then(|from| from.take(left).read_to_end(&mut bytes)).map_err(|error| crate::reason(&error))
        } else {
            crate::open(path)
                .and_then(|file| file.take(left).read_to_end(&mut bytes).map_err(|error| crate::reason(&error)))
        };
        if let Err(reason) = read {
            report("hexdump", &format!("{path}: {reason}"));
            failed = true;
        }
    }
    let cut = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
    bytes.drain(..cut);
    Ok((bytes, cut as u64, failed))
}

/// A number as `10`, `0x10`, `010` or `1k`.
fn amount(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'b' if !text.starts_with("0x") => (&text[..text.len() - 1], 9),
        _ => (text, 0),
    };
    let number = match (digits.strip_prefix("0x"), digits.strip_prefix('0')) {
        (Some(hex), _) => u64::from_str_radix(hex, 16).ok()?,
        (None, Some(octal)) if !octal.is_empty() => u64::from_str_radix(octal, 8).ok()?,
        _ => digits.parse().ok()?,
    };
    number.checked_mul(1 << shift)
}

fn dump(bytes: &[u8], start: u64, kind: char, all: bool) -> String {
    let mut out = String::new();
    let mut before: Option<&[u8]> = None;
    let mut starred = false;
    for (place, row) in bytes.chunks(ROW).enumerate() {
        if before == Some(row) && !all {
            if !starred {
                out.push_str("*\n");
                starred = true;
            }
            continue;
        }
        (before, starred) = (Some(row), false);
        let at = start + (place * ROW) as u64;
        let _ = if kind == 'C' { write!(out, "{at:08x}") } else { write!(out, "{at:07x}") };
        line(&mut out, row, kind);
        out.push('\n');
    }
    let end = start + bytes.len() as u64;
    if end > 0 {
        let _ = if kind == 'C' { writeln!(out, "{end:08x}") } else { writeln!(out, "{end:07x}") };
    }
    out
}

fn line(out: &mut String, row: &[u8], kind: char) {
    let mut text = String::new();
    if kind == 'C' {
        for (place, byte) in row.iter().enumerate() {
            let _ = write!(text, "{} {byte:02x}", if place % 8 == 0 { " " } else { "" });
        }
        let _ = write!(out, "{text:<50}  |");
        out.extend(row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }));
        out.push('|');
        return;
    }
    let width = match kind {
        'b' | 'c' => {
            for byte in row {
                text.push(' ');
                text.push_str(&if kind == 'b' { format!("{byte:03o}") } else { character(*byte) });
            }
            4 * ROW
        }
        _ => {
            for pair in row.chunks(2) {
                let value = u16::from(pair[0]) | u16::from(pair.get(1).copied().unwrap_or(0)) << 8;
                text.push_str(&match kind {
                    'd' => format!("   {value:05}"),
                    'o' => format!("  {value:06o}"),
                    'x' => format!("    {value:04x}"),
                    _ => format!(" {value:04x}"),
                });
            }
            if kind == ' ' { 5 * ROW / 2 } else { 4 * ROW }
        }
    };
    // A short line is filled up with blanks.
    let _ = write!(out, "{text:<width$}");
}

fn character(byte: u8) -> String {
    match byte {
        0 => " \\0".to_owned(),
        7 => " \\a".to_owned(),
        8 => " \\b".to_owned(),
        9 => " \\t".to_owned(),
        10 => " \\n".to_owned(),
        11 => " \\v".to_owned(),
        12 => " \\f".to_owned(),
        13 => " \\r".to_owned(),
        0x20..0x7f => format!("  {}", char::from(byte)),
        _ => format!("{byte:03o}"),
    }
}
