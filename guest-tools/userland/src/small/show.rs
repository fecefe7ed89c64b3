//! Programs that show text: `column`, `file`, `less`, `rev` and `xxd`.

use crate::options::{Given, Known, read};
use crate::{print, report};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;

/// The files that are named, or standard input, each read whole.
fn inputs(program: &str, operands: &[String]) -> (Vec<(String, Vec<u8>)>, u8) {
    let own = ["-".to_owned()];
    let paths = if operands.is_empty() { &own[..] } else { operands };
    let mut status = 0;
    let mut found = Vec::new();
    for path in paths {
        match crate::read(path) {
            Ok(bytes) => found.push((path.clone(), bytes)),
            Err(reason) => {
                report(program, &format!("{path}: {reason}"));
                status = 1;
            }
        }
    }
    (found, status)
}

fn written(bytes: &[u8], status: u8) -> u8 {
    if print(bytes) { status } else { 1 }
}

/// Nobody sits here to page: it shows all, as the real one does into a pipe.
pub(super) fn less(args: &[OsString]) -> u8 {
    let words = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned());
    let operands: Vec<String> = words.filter(|word| word == "-" || !word.starts_with(['-', '+'])).collect();
    let (inputs, status) = inputs("less", &operands);
    written(&inputs.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<u8>>(), status)
}

pub(super) fn rev(args: &[OsString]) -> u8 {
    let operands: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let (inputs, status) = inputs("rev", &operands);
    let mut out = String::new();
    for (_, bytes) in inputs {
        for line in String::from_utf8_lossy(&bytes).split_inclusive('\n') {
            let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
            out.extend(line.chars().rev());
            out.push_str(end);
        }
    }
    written(out.as_bytes(), status)
}

pub(super) fn column(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "ts:o:c:xn:N:R:",
        names: &[
            ("table", 't'),
            ("separator=", 's'),
            ("output-separator=", 'o'),
            ("table-columns=", 'N'),
            ("table-right=", 'R'),
        ],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => {
            report("column", &problem);
            return 1;
        }
    };
    let (inputs, status) = inputs("column", &given.operands);
    let text: String = inputs.iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let out = if given.has('t') { table(lines, &given) } else { filled(&lines.collect::<Vec<_>>(), &given) };
    written(out.as_bytes(), status)
}

fn table<'a>(lines: impl Iterator<Item = &'a str>, given: &Given) -> String {
    let cells = |line: &str| -> Vec<String> {
        match given.value('s') {
            Some(signs) => line.split(|character| signs.contains(character)).map(str::to_owned).collect(),
            None => line.split_whitespace().map(str::to_owned).collect(),
        }
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    if let Some(names) = given.value('N') {
        rows.push(names.split(',').map(str::to_owned).collect());
    }
    rows.extend(lines.map(cells));
    let mut widths: Vec<usize> = Vec::new();
    for row in &rows {
        for (place, cell) in row.iter().enumerate() {
            if widths.len() <= place {
                widths.push(0);
            }
            widths[place] = widths[place].max(cell.chars().count());
        }
    }
    let right: Vec<usize> = given
        .value('R')
        .map(|columns| columns.split(',').filter_map(|column| column.parse().ok()).collect())
        .unwrap_or_default();
    let between = given.value('o').unwrap_or("  ");
    let mut out = String::new();
    for row in rows {
        let last = row.len().saturating_sub(1);
        for (place, cell) in row.iter().enumerate() {
            let width = widths[place];
            let _ = match (right.contains(&(place + 1)), place == last) {
                (true, _) => write!(out, "{cell:>width$}"),
                // Where a row has all columns, its last cell is not filled up.
                (_, true) if place + 1 == widths.len() => write!(out, "{cell}"),
                (_, _) => write!(out, "{cell:<width$}"),
            };
            if place != last {
                out.push_str(between);
            }
        }
        out.push('\n');
    }
    out
}

fn filled(lines: &[&str], given: &Given) -> String {
    let total: usize = given.value('c').and_then(|width| width.parse().ok()).unwrap_or(80);
    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    let width = (widest / 8 + 1) * 8;
    let columns = (total / width).max(1);
    let rows = lines.len().div_ceil(columns).max(1);
    let mut out = String::new();
    for row in 0..rows {
        for column in 0..columns {
            let place = if given.has('x') { row * columns + column } else { column * rows + row };
            let Some(line) = lines.get(place) else { break };
            let next = if given.has('x') { place + 1 } else { place + rows };
            out.push_str(line);
            if column + 1 < columns && next < lines.len() {
                let tabs = (width - line.chars().count()).div_ceil(8);
                out.push_str(&"\t".repeat(tabs));
            }
        }
        out.push('\n');
    }
    if lines.is_empty() { String::new() } else { out }
}

pub(super) fn xxd(args: &[OsString]) -> u8 {
    let known = Known { letters: "aeEprubil:s:c:g:o:n:d", names: &[], ends_at_operand: false };
    let given = match read(&lettered(args), &known) {
        Ok(given) => given,
        Err(problem) => {
            report("xxd", &problem);
            return 1;
        }
    };
    let path = given.operands.first().cloned().unwrap_or_else(|| "-".to_owned());
    let bytes = match crate::read(&path) {
        Ok(bytes) => bytes,
        Err(reason) => {
            report("xxd", &format!("{path}: {reason}"));
            return 2;
        }
    };
    let to = given.operands.get(1).map(String::as_str);
    if given.has('r') {
        return put(to, &reverted(&String::from_utf8_lossy(&bytes), given.has('p')), false);
    }
    let number = |letter: char| given.value(letter).and_then(|value| usize::try_from(count(value)?).ok());
    let Some(start) = start(given.value('s').unwrap_or("0"), &path, bytes.len()) else {
        report("xxd", "Sorry, cannot seek.");
        return 4;
    };
    let offset = number('o').unwrap_or(0);
    let end = number('l').map_or(bytes.len(), |length| start.saturating_add(length).min(bytes.len()));
    let shown = &bytes[start..end];
    let mut out = String::new();
    if given.has('p') {
        for row in shown.chunks(number('c').unwrap_or(30).max(1)) {
            row.iter().for_each(|byte| out.push_str(&format!("{byte:02x}")));
            out.push('\n');
        }
        return put(to, out.as_bytes(), true);
    }
    if given.has('i') {
        return put(to, included(&path, shown, number('c').unwrap_or(12).max(1), given.has('u')).as_bytes(), true);
    }
    let bits = given.has('b');
    let columns = number('c').unwrap_or(if bits { 6 } else { 16 }).max(1);
    let group = number('g').unwrap_or(if bits { 1 } else { 2 });
    let group = if group == 0 { columns } else { group };
    for (place, row) in shown.chunks(columns).enumerate() {
        let mut hex = String::new();
        for (at, byte) in row.iter().enumerate() {
            if at > 0 && at % group == 0 {
                hex.push(' ');
            }
            hex.push_str(&if bits {
                format!("{byte:08b}")
            } else if given.has('u') {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            });
        }
        let text: String =
            row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        let width = columns * if bits { 8 } else { 2 } + (columns - 1) / group;
        let _ = writeln!(out, "{:08x}: {hex:<width$}  {text}", offset + start + place * columns);
    }
    put(to, out.as_bytes(), true)
}

/// Writes what `xxd` makes, to the file that it was told or to standard output. Its status. A file is emptied first, or
/// written over from its start.
fn put(to: Option<&str>, bytes: &[u8], empties: bool) -> u8 {
    let Some(path) = to.filter(|path| *path != "-") else { return written(bytes, 0) };
    let is_new = std::fs::symlink_metadata(path).is_err();
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(empties).open(path);
    match file.and_then(|mut file| file.write_all(bytes)) {
        Ok(()) if is_new => crate::about::masked(path),
        Ok(()) => {}
        Err(error) => {
            report("xxd", &format!("{path}: {}", crate::reason(&error)));
            return 3;
        }
    }
    0
}

/// Where `xxd -s` begins: below 0 from the end, of a file alone, as only that has one that is known before.
fn start(text: &str, path: &str, length: usize) -> Option<usize> {
    if let Some(back) = text.strip_prefix('-').and_then(count) {
        let is_file = std::fs::metadata(path).is_ok_and(|about| about.is_file());
        return is_file.then(|| length.saturating_sub(usize::try_from(back).unwrap_or(0)));
    }
    let start = count(text.trim_start_matches('+')).unwrap_or(0);
    Some(usize::try_from(start).unwrap_or(usize::MAX).min(length))
}

/// A number as C writes it: `16`, `0x10` or `020`.
fn count(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if text.len() > 1 && text.starts_with('0') => u64::from_str_radix(&text[1..], 8).ok(),
        None => text.parse().ok(),
    }
}

/// Options with one dash and more letters, as the one letter each stands for.
fn lettered(args: &[OsString]) -> Vec<OsString> {
    let letter = |arg: &OsString| {
        let text = arg.to_string_lossy();
        let name = text.strip_prefix('-').map(|name| name.trim_start_matches('-')).unwrap_or_default();
        let letter = match name {
            "ps" | "postscript" | "plain" | "postscript-plain" => "-p",
            "cols" => "-c",
            "len" => "-l",
            "seek" | "skip" => "-s",
            "include" => "-i",
            "revert" => "-r",
            "bits" => "-b",
            "groupsize" => "-g",
            "uppercase" | "upper" => "-u",
            "autoskip" => "-a",
            _ => return arg.clone(),
        };
        letter.into()
    };
    args.iter().map(letter).collect()
}

/// As a part of a program in C; without a name from standard input.
fn included(path: &str, bytes: &[u8], columns: usize, capitals: bool) -> String {
    let value = |byte: &u8| if capitals { format!("0X{byte:02X}") } else { format!("0x{byte:02x}") };
    let rows: Vec<String> = bytes
        .chunks(columns)
        .map(|row| format!("  {}", row.iter().map(value).collect::<Vec<_>>().join(", ")))
        .collect();
    let rows = if rows.is_empty() { String::new() } else { format!("{}\n", rows.join(",\n")) };
    if path == "-" {
        return rows;
    }
    let mut name = path.replace(|sign: char| !sign.is_ascii_alphanumeric(), "_");
    if name.starts_with(|sign: char| sign.is_ascii_digit()) {
        name.insert_str(0, "__");
    }
    format!("unsigned char {name}[] = {{\n{rows}}};\nunsigned int {name}_len = {};\n", bytes.len())
}

fn reverted(text: &str, plain: bool) -> Vec<u8> {
    let mut digits = String::new();
    for line in text.lines() {
        let line = if plain { line } else { line.split_once(": ").map_or(line, |(_, rest)| rest) };
        let line = if plain { line } else { line.split("  ").next().unwrap_or(line) };
        digits.extend(line.chars().filter(char::is_ascii_hexdigit));
    }
    let pairs = digits.as_bytes().chunks_exact(2);
    pairs.filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

pub(super) fn file(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "biLhz0",
        names: &[("brief", 'b'), ("mime-type", 'i'), ("mime", 'i')],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) => given,
        Err(problem) => {
            report("file", &problem);
            return 1;
        }
    };
    let mut out = String::new();
    for path in &given.operands {
        let kind = kind(path);
        let _ =
            if given.has('b') || path.is_empty() { writeln!(out, "{kind}") } else { writeln!(out, "{path}: {kind}") };
    }
    written(out.as_bytes(), 0)
}

fn kind(path: &str) -> String {
    if path.is_empty() {
        return "cannot open `' (No such file or directory)".to_owned();
    }
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => return "directory".to_owned(),
        Ok(metadata) if metadata.is_symlink() => {
            let target = std::fs::read_link(path).unwrap_or_default();
            return format!("symbolic link to {}", target.display());
        }
        Ok(metadata) if metadata.len() == 0 => return "empty".to_owned(),
        Ok(_) => {}
        Err(error) => return format!("cannot open `{path}' ({})", crate::reason(&error)),
    }
    let bytes = crate::read(path).unwrap_or_default();
    let starts: [(&[u8], &str); 12] = [
        (b"\x89PNG", "PNG image data"),
        (b"\xff\xd8\xff", "JPEG image data"),
        (b"GIF8", "GIF image data"),
        (b"%PDF", "PDF document"),
        (b"PK\x03\x04", "Zip archive data"),
        (b"\x1f\x8b", "gzip compressed data"),
        (b"\x28\xb5\x2f\xfd", "Zstandard compressed data"),
        (b"\x7fELF", "ELF executable"),
        (b"\0asm", "WebAssembly (wasm) binary module"),
        (b"SQLite format 3\0", "SQLite 3.x database"),
        (b"<?xml", "XML document, text"),
        (b"#!/bin/sh", "POSIX shell script, ASCII text executable"),
    ];
    if let Some((_, kind)) = starts.iter().find(|(start, _)| bytes.starts_with(start)) {
        return (*kind).to_owned();
    }
    if let Some(line) = bytes.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        return format!("a {} script, text executable", String::from_utf8_lossy(line).trim());
    }
    match std::str::from_utf8(&bytes) {
        Ok(_) if bytes.contains(&0) => "data".to_owned(),
        Ok(text) if matches!(text.trim_start().chars().next(), Some('{' | '[')) && looks_like_json(text) => {
            "JSON text data".to_owned()
        }
        Ok(text) if text.is_ascii() => "ASCII text".to_owned(),
        Ok(_) => "Unicode text, UTF-8 text".to_owned(),
        Err(_) => "data".to_owned(),
    }
}

fn looks_like_json(text: &str) -> bool {
    matches!(text.trim_end().chars().last(), Some('}' | ']'))
}
