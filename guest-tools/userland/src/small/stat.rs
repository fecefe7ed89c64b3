//! `stat`.

use crate::about::{About, BLOCK_BYTES, Kind, Moment};
use crate::options::{Known, read};
use crate::quote::quoted;
use crate::{print, report};
use std::ffi::OsString;

/// Runs `stat`; the first argument is its name.
pub(super) fn stat(args: &[OsString]) -> u8 {
    let known = Known {
        letters: "c:Lft",
        names: &[
            ("format=", 'c'),
            ("printf=", 'p'),
            ("dereference", 'L'),
            ("file-system", 'f'),
            ("terse", 't'),
            ("cached=", '.'),
        ],
        ends_at_operand: false,
    };
    let given = match read(args, &known) {
        Ok(given) if !given.operands.is_empty() => given,
        Ok(_) => {
            report("stat", "missing operand");
            return 1;
        }
        Err(problem) => {
            report("stat", &problem);
            return 1;
        }
    };
    let form = given.options.iter().rev().find(|(letter, _)| matches!(letter, 'c' | 'p'));
    let mut status = 0;
    let mut out = String::new();
    for path in &given.operands {
        let about = match if given.has('L') { About::of(path) } else { About::of_link(path) } {
            Ok(about) => about,
            Err(error) => {
                let text = format!("cannot statx {}: {}", quoted(path), crate::reason(&error));
                report("stat", &text);
                status = 1;
                continue;
            }
        };
        let part: fn(char, &str, &About) -> String = if given.has('f') { of_system } else { of_file };
        let usual = match (given.has('f'), given.has('t')) {
            (true, true) => SYSTEM_TERSE,
            (true, false) => SYSTEM,
            (false, true) => TERSE,
            (false, false) => STAT,
        };
        let (form, end) = match form {
            Some(('p', form)) => (escaped(form), ""),
            Some((_, form)) => (form.clone(), "\n"),
            None => (usual.to_owned(), "\n"),
        };
        out.push_str(&directives(&form, path, &about, part));
        out.push_str(end);
    }
    if print(out.as_bytes()) { status } else { 1 }
}

const STAT: &str = "  File: %=
  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F
Device: %Hd,%Ld\tInode: %-11i Links: %h
Access: (%04a/%10.10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)
Access: %x
Modify: %y
Change: %z
 Birth: %w";
const TERSE: &str = "%n %s %b %f %u %g %D %i %h %t %T %X %Y %Z %W %o";
const SYSTEM: &str = "  File: \"%n\"
    ID: %-8i Namelen: %-7l Type: %T
Block size: %-10s Fundamental block size: %S
Blocks: Total: %-10b Free: %-10f Available: %a
Inodes: Total: %-10c Free: %d";
const SYSTEM_TERSE: &str = "%n %i %l %t %s %S %b %f %a %c %d";

/// The escapes of `--printf`.
fn escaped(form: &str) -> String {
    let mut out = String::new();
    let mut rest = form.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek().copied()) {
            ('\\', Some(octal)) if octal.is_digit(8) => {
                let mut code = 0;
                for _ in 0..3 {
                    let Some(digit) = rest.peek().and_then(|digit| digit.to_digit(8)) else { break };
                    code = code * 8 + digit;
                    rest.next();
                }
                out.push(char::from_u32(code & 0xff).unwrap_or(' '));
            }
            ('\\', Some(letter)) => {
                rest.next();
                out.push(match letter {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'e' => '\u{1b}',
                    'f' => '\u{c}',
                    'v' => '\u{b}',
                    other => other,
                });
            }
            _ => out.push(c),
        }
    }
    out
}

fn directives(form: &str, path: &str, about: &About, part: fn(char, &str, &About) -> String) -> String {
    let mut out = String::new();
    let mut rest = form;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let flags = behind.len() - behind.trim_start_matches(['-', '0', '+', ' ', '#', '\'', 'I']).len();
        let size = behind[flags..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(behind.len() - flags);
        let mut letters = behind[flags + size..].chars();
        let Some(mut kind) = letters.next() else {
            out.push_str(&rest[at..]);
            return out;
        };
        // Numbers of a device are said apart; which is which nobody can know here.
        if matches!(kind, 'H' | 'L') {
            kind = letters.next().unwrap_or('d');
        }
        let (width, precision) = match behind[flags..flags + size].split_once('.') {
            Some((width, precision)) => (width.parse().unwrap_or(0), precision.parse().ok()),
            None => (behind[flags..flags + size].parse().unwrap_or(0), None),
        };
        let text = fraction(kind, precision, about).unwrap_or_else(|| part(kind, path, about));
        let numeric = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let text = match precision {
            Some(most) if !numeric && !"XYZW".contains(kind) => text.chars().take(most).collect(),
            _ => text,
        };
        let prefix = if behind[..flags].contains('#') && kind == 'a' { "0" } else { "" };
        let text = format!("{prefix}{text}");
        out.push_str(&match behind[..flags].contains('-') {
            true => format!("{text:<width$}"),
            false if behind[..flags].contains('0') && numeric => format!("{text:0>width$}"),
            false => format!("{text:>width$}"),
        });
        rest = letters.as_str();
    }
    out.push_str(rest);
    out
}

/// A time with so many digits behind the point, where they are asked for.
fn fraction(kind: char, precision: Option<usize>, about: &About) -> Option<String> {
    let time = moment(kind, about)?;
    let digits = precision?;
    let nanos = format!("{:09}", time.nanos);
    Some(match digits {
        0 => time.seconds.to_string(),
        digits => format!("{}.{:0<digits$}", time.seconds, &nanos[..digits.min(9)]),
    })
}

fn moment(kind: char, about: &About) -> Option<Moment> {
    match kind {
        'X' => Some(about.accessed),
        'Y' => Some(about.modified),
        'Z' => Some(about.changed),
        _ => None,
    }
}

fn of_file(kind: char, path: &str, about: &About) -> String {
    let link = || std::fs::read_link(path).ok().filter(|_| about.is_link());
    match kind {
        'n' => path.to_owned(),
        // As `%N`, and not quoted: the first line of what it prints unasked.
        '=' => link().map_or(path.to_owned(), |target| format!("{path} -> {}", target.display())),
        'N' => match link() {
            Some(target) => format!("{} -> {}", quoted(path), quoted(&target.to_string_lossy())),
            None => quoted(path),
        },
        's' => about.size.to_string(),
        'b' => about.blocks().to_string(),
        'B' => BLOCK_BYTES.to_string(),
        'o' => "4096".to_owned(),
        'h' => about.links.to_string(),
        'i' => about.inode.to_string(),
        'd' => about.device.to_string(),
        'D' => format!("{:x}", about.device),
        'f' => format!("{:x}", type_bits(about.kind) | about.mode),
        't' | 'T' | 'r' | 'W' => "0".to_owned(),
        'a' => format!("{:o}", about.mode),
        'A' => about.letters(),
        'u' | 'g' => "1000".to_owned(),
        'U' | 'G' => "agent".to_owned(),
        'm' => "/".to_owned(),
        'F' => named(about).to_owned(),
        'X' | 'Y' | 'Z' => moment(kind, about).map_or(String::new(), |time| time.seconds.to_string()),
        'w' => "-".to_owned(),
        'x' => time(about.accessed),
        'y' => time(about.modified),
        'z' => time(about.changed),
        'C' => "?".to_owned(),
        '%' => "%".to_owned(),
        _ => "?".to_owned(),
    }
}

fn named(about: &About) -> &'static str {
    match about.kind {
        Kind::Folder => "directory",
        Kind::Link => "symbolic link",
        Kind::Device => "character special file",
        Kind::Pipe => "fifo",
        Kind::Socket => "socket",
        Kind::File if about.size == 0 => "regular empty file",
        Kind::File => "regular file",
    }
}

fn type_bits(kind: Kind) -> u32 {
    match kind {
        Kind::File => 0o100_000,
        Kind::Folder => 0o040_000,
        Kind::Link => 0o120_000,
        Kind::Device => 0o020_000,
        Kind::Pipe => 0o010_000,
        Kind::Socket => 0o140_000,
    }
}

fn time(moment: Moment) -> String {
    crate::calendar::shown("%Y-%m-%d %H:%M:%S.%N %z", moment)
}

/// How full a disk is cannot be seen from a sandbox: what is certain is said, and zeros for the rest.
fn of_system(kind: char, path: &str, _: &About) -> String {
    match kind {
        'n' => path.to_owned(),
        'l' => "255".to_owned(),
        's' | 'S' => "4096".to_owned(),
        'T' => "UNKNOWN".to_owned(),
        '%' => "%".to_owned(),
        _ => "0".to_owned(),
    }
}
