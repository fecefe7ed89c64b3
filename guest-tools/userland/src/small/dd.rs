//! `dd`.

use crate::report;
use crate::stdin::Stdin;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{Read, Seek as _, SeekFrom, Write};
use std::time::Instant;

/// A number with the units of `dd`: `4`, `2k`, `1MB`, `3x512`. None if it is none.
pub(super) fn amount(text: &str) -> Option<u64> {
    if let Some((first, rest)) = text.split_once('x') {
        return amount(first)?.checked_mul(amount(rest)?);
    }
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[end..] {
        "" | "c" => 1,
        "w" => 2,
        "b" => 512,
        "kB" | "KB" => 1_000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        _ => return None,
    };
    text[..end].parse::<u64>().ok()?.checked_mul(unit)
}

/// What a command line asks for.
struct Copy {
    from: Option<String>,
    to: Option<String>,
    in_bytes: u64,
    out_bytes: u64,
    count: Option<u64>,
    skip: u64,
    seek: u64,
    /// The words of `conv=`, `iflag=` and `oflag=`.
    words: Vec<String>,
    status: String,
}

impl Copy {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|known| known == word)
    }
}

const WORDS: [&str; 18] = [
    "notrunc",
    "ucase",
    "lcase",
    "swab",
    "sync",
    "noerror",
    "fsync",
    "fdatasync",
    "excl",
    "nocreat",
    "fullblock",
    "skip_bytes",
    "count_bytes",
    "seek_bytes",
    "append",
    "direct",
    "nofollow",
    "binary",
];

fn parse(args: &[OsString]) -> Result<Copy, String> {
    let mut copy = Copy {
        from: None,
        to: None,
        in_bytes: 512,
        out_bytes: 512,
        count: None,
        skip: 0,
        seek: 0,
        words: Vec::new(),
        status: String::new(),
    };
    for arg in args.iter().skip(1).map(|arg| arg.to_string_lossy()).filter(|arg| arg != "--") {
        let (key, value) = arg.split_once('=').ok_or_else(|| format!("unrecognized operand ‘{arg}’"))?;
        let number = || amount(value).ok_or_else(|| format!("invalid number: ‘{value}’"));
        let size = || number()?.checked_sub(1).map(|size| size + 1).ok_or_else(|| format!("invalid number: ‘{value}’"));
        match key {
            "if" => copy.from = Some(value.to_owned()),
            "of" => copy.to = Some(value.to_owned()),
            "bs" => (copy.in_bytes, copy.out_bytes) = (size()?, size()?),
            "ibs" => copy.in_bytes = size()?,
            "obs" => copy.out_bytes = size()?,
            "count" => copy.count = Some(number()?),
            "skip" | "iseek" => copy.skip = number()?,
            "seek" | "oseek" => copy.seek = number()?,
            "status" => value.clone_into(&mut copy.status),
            "conv" | "iflag" | "oflag" => {
                for word in value.split(',') {
                    if !WORDS.contains(&word) {
                        return Err(format!("invalid {key}: ‘{word}’"));
                    }
                    copy.words.push(word.to_owned());
                }
            }
            _ => return Err(format!("unrecognized operand ‘{arg}’")),
        }
    }
    if copy.in_bytes > 1 << 30 || copy.out_bytes > 1 << 30 {
        return Err("a block may have 1 GiB at most".to_owned());
    }
    Ok(copy)
}

/// Bytes that nobody can foretell, where no file gives them.
struct Random(RandomState, u64);

impl Read for Random {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        for part in into.chunks_mut(8) {
            self.1 += 1;
            part.copy_from_slice(&self.0.hash_one(self.1).to_le_bytes()[..part.len()]);
        }
        Ok(into.len())
    }
}

fn input(copy: &Copy) -> Result<Box<dyn Read>, String> {
    let skip = if copy.has("skip_bytes") { copy.skip } else { copy.skip.saturating_mul(copy.in_bytes) };
    let mut from: Box<dyn Read> = match copy.from.as_deref() {
        None | Some("-" | "/dev/stdin") => Box::new(Stdin::new().map_err(|error| crate::reason(&error))?),
        // A sandbox need not have these.
        Some("/dev/zero") => Box::new(std::io::repeat(0)),
        Some("/dev/null") => Box::new(std::io::empty()),
        Some(path) => match File::open(path) {
            Ok(mut file) => {
                if skip > 0 && file.seek(SeekFrom::Start(skip)).is_ok() {
                    return Ok(Box::new(file));
                }
                Box::new(file)
            }
            Err(_) if matches!(path, "/dev/urandom" | "/dev/random") => Box::new(Random(RandomState::new(), 0)),
            Err(error) => return Err(format!("failed to open '{path}': {}", crate::reason(&error))),
        },
    };
    std::io::copy(&mut from.by_ref().take(skip), &mut std::io::sink()).map_err(|error| crate::reason(&error))?;
    Ok(from)
}

fn output(copy: &Copy) -> Result<Box<dyn Write>, String> {
    let path = match copy.to.as_deref() {
        None | Some("-" | "/dev/stdout") => return Ok(Box::new(crate::output::stdout())),
        Some("/dev/null") => return Ok(Box::new(std::io::sink())),
        Some("/dev/stderr") => return Ok(Box::new(std::io::stderr())),
        Some(path) => path,
    };
    let seek = if copy.has("seek_bytes") { copy.seek } else { copy.seek.saturating_mul(copy.out_bytes) };
    let failed = |error: &std::io::Error| format!("failed to open '{path}': {}", crate::reason(error));
    let mut options = OpenOptions::new();
    options.write(true).create(!copy.has("nocreat")).create_new(copy.has("excl")).append(copy.has("append"));
    let mut file = options.open(path).map_err(|error| failed(&error))?;
    if !copy.has("notrunc") && !copy.has("append") {
        file.set_len(seek).map_err(|error| failed(&error))?;
    }
    if seek > 0 {
        file.seek(SeekFrom::Start(seek)).map_err(|error| failed(&error))?;
    }
    Ok(Box::new(file))
}

/// Fills a block as far as the input goes: a pipe may hand it over in pieces.
fn block(from: &mut dyn Read, into: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match from.read(&mut into[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

fn convert(copy: &Copy, bytes: &mut [u8]) {
    if copy.has("swab") {
        bytes.chunks_exact_mut(2).for_each(|pair| pair.swap(0, 1));
    }
    if copy.has("ucase") {
        bytes.make_ascii_uppercase();
    }
    if copy.has("lcase") {
        bytes.make_ascii_lowercase();
    }
}

/// Runs `dd`; the first argument is its name.
pub(super) fn dd(args: &[OsString]) -> u8 {
    let begun = Instant::now();
    let opened = parse(args).and_then(|copy| Ok((input(&copy)?, output(&copy)?, copy)));
    let (mut from, mut to, copy) = match opened {
        Ok(opened) => opened,
        Err(problem) => {
            report("dd", &problem);
            return 1;
        }
    };
    let (mut whole, mut parts, mut written, mut failed) = (0_u64, 0_u64, 0_u64, None);
    let most = copy
        .count
        .map_or(u64::MAX, |count| if copy.has("count_bytes") { count } else { count.saturating_mul(copy.in_bytes) });
    let mut buffer = vec![0; usize::try_from(copy.in_bytes).unwrap_or(512)];
    let mut left = most;
    while left > 0 && failed.is_none() {
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = match block(&mut *from, &mut buffer[..wanted]) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) => {
                let name = copy.from.as_deref().unwrap_or("standard input");
                failed = Some(format!("error reading '{name}': {}", crate::reason(&error)));
                break;
            }
        };
        left -= read as u64;
        *(if read == buffer.len() { &mut whole } else { &mut parts }) += 1;
        let mut filled = read;
        if copy.has("sync") {
            buffer[read..].fill(0);
            filled = buffer.len();
        }
        convert(&copy, &mut buffer[..filled]);
        match to.write_all(&buffer[..filled]).and_then(|()| to.flush()) {
            Ok(()) => written += filled as u64,
            Err(error) => {
                let name = copy.to.as_deref().unwrap_or("standard output");
                failed = Some(format!("error writing '{name}': {}", crate::reason(&error)));
            }
        }
    }
    if let Some(problem) = &failed {
        report("dd", problem);
    }
    summary(&copy, (whole, parts), written, begun.elapsed().as_secs_f64());
    u8::from(failed.is_some())
}

fn summary(copy: &Copy, (whole, parts): (u64, u64), written: u64, seconds: f64) {
    if copy.status == "none" {
        return;
    }
    let out = (written / copy.out_bytes, u8::from(!written.is_multiple_of(copy.out_bytes)));
    let mut text = format!("{whole}+{parts} records in\n{}+{} records out\n", out.0, out.1);
    if copy.status != "noxfer" {
        let sizes = match written {
            1024.. => format!(" ({}, {})", scaled(written, 1000, "B"), scaled(written, 1024, "iB")),
            1000.. => format!(" ({})", scaled(written, 1000, "B")),
            _ => String::new(),
        };
        let bytes = if written == 1 { "byte" } else { "bytes" };
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a speed is about right"
        )]
        let speed = scaled((written as f64 / seconds.max(1e-9)) as u64, 1000, "B");
        text.push_str(&format!("{written} {bytes}{sizes} copied, {seconds:.6} s, {speed}/s\n"));
    }
    // Where standard error is closed, nobody is told.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// As `1.5 kB`, `12 MiB`.
fn scaled(bytes: u64, step: u64, behind: &str) -> String {
    let (mut unit, mut size) = (0, 1);
    while bytes / size >= step && unit < 4 {
        size *= step;
        unit += 1;
    }
    let value = bytes.saturating_mul(10).saturating_add(size / 2) / size;
    let name = if step == 1000 { ["", "k", "M", "G", "T"] } else { ["", "K", "M", "G", "T"] }[unit];
    let behind = if unit == 0 { "B" } else { behind };
    if value < 100 && unit > 0 {
        format!("{}.{} {name}{behind}", value / 10, value % 10)
    } else {
        format!("{} {name}{behind}", value / 10)
    }
}
