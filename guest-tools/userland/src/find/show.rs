//! What `find` prints.

use super::Entry;
use crate::about::{About, BLOCK_BYTES, Kind, Moment};
use crate::calendar::shown;
use std::fs;

/// Nothing is written wider.
const WIDTH_MAX: usize = 1000;

pub(super) fn kind_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Link => "l",
        Kind::Folder => "d",
        Kind::File => "f",
        Kind::Pipe => "p",
        Kind::Socket => "s",
        Kind::Device => "c",
    }
}

/// A line of `-ls`.
pub(super) fn listed(entry: &Entry, about: &About, now: Moment) -> String {
    // What is older than half a year is shown with its year.
    let recent = about.modified <= now && about.modified.seconds > now.seconds - 31_556_952 / 2;
    let time = shown(if recent { "%b %e %H:%M" } else { "%b %e  %Y" }, about.modified);
    let target = match fs::read_link(&entry.path) {
        Ok(target) if about.is_link() => format!(" -> {}", target.display()),
        _ => String::new(),
    };
    let (inode, blocks, letters, links, size) =
        (about.inode, about.blocks() * BLOCK_BYTES / 1024, about.letters(), about.links, about.size);
    format!("{inode:>9} {blocks:>6} {letters} {links:>3} agent    agent    {size:>8} {time} {}{target}\n", entry.path)
}

pub(super) fn printf(form: &str, entry: &Entry, about: &About) -> String {
    let mut out = String::new();
    let mut rest = form.chars().peekable();
    while let Some(character) = rest.next() {
        match (character, rest.peek().copied()) {
            ('\\', Some(escape)) => {
                rest.next();
                match escape {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    '0' => out.push('\0'),
                    '\\' => out.push('\\'),
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                }
            }
            ('%', Some(_)) => {
                let left = rest.next_if_eq(&'-').is_some();
                let zeros = rest.next_if_eq(&'0').is_some();
                let mut width = 0;
                while let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(10)) {
                    width = (width * 10 + digit as usize).min(WIDTH_MAX);
                    rest.next();
                }
                let Some(kind) = rest.next() else { break };
                let time = if matches!(kind, 'T' | 'A' | 'C') { rest.next() } else { None };
                let text = directive(kind, time, entry, about);
                out.push_str(&match (left, zeros) {
                    (true, _) => format!("{text:<width$}"),
                    (_, true) => format!("{text:0>width$}"),
                    _ => format!("{text:>width$}"),
                });
            }
            _ => out.push(character),
        }
    }
    out
}

fn directive(kind: char, part: Option<char>, entry: &Entry, about: &About) -> String {
    match kind {
        'p' => entry.path.clone(),
        'f' => entry.name().to_owned(),
        'h' => match entry.path.trim_end_matches('/').rsplit_once('/') {
            Some((folder, _)) => folder.to_owned(),
            None => ".".to_owned(),
        },
        'P' => entry.path[entry.start.len().min(entry.path.len())..].trim_start_matches('/').to_owned(),
        'H' => entry.start.clone(),
        's' => about.size.to_string(),
        'k' => (about.blocks() * BLOCK_BYTES / 1024).to_string(),
        'b' => about.blocks().to_string(),
        'd' => entry.depth.to_string(),
        'y' => kind_of(about.kind).to_owned(),
        'Y' => match About::of(&entry.path) {
            Ok(about) => kind_of(about.kind),
            // It leads nowhere.
            Err(_) => "N",
        }
        .to_owned(),
        'l' => fs::read_link(&entry.path).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default(),
        'm' => format!("{:o}", about.mode),
        'M' => about.letters(),
        'n' => about.links.to_string(),
        'i' => about.inode.to_string(),
        'D' => about.device.to_string(),
        'u' | 'g' => "agent".to_owned(),
        'U' | 'G' => "1000".to_owned(),
        'a' => time(about.accessed, None),
        'c' => time(about.changed, None),
        't' => time(about.modified, None),
        'A' => time(about.accessed, part),
        'C' => time(about.changed, part),
        'T' => time(about.modified, part),
        '%' => "%".to_owned(),
        other => format!("%{other}"),
    }
}

/// A time, or a part of it. Seconds have their fraction, with a zero more than they are known to.
fn time(moment: Moment, part: Option<char>) -> String {
    let form = match part {
        None => "%a %b %e %H:%M:%S.%N0 %Y",
        Some('@') => "%s.%N0",
        Some('+') => "%Y-%m-%d+%H:%M:%S.%N0",
        Some('S') => "%S.%N0",
        Some('T' | 'X') => "%H:%M:%S.%N0",
        Some('r') => "%I:%M:%S.%N0 %p",
        Some(part) => return shown(&format!("%{part}"), moment),
    };
    shown(form, moment)
}
