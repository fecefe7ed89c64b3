//! `read` and `mapfile`.

use crate::expand::split_reference;
use crate::shell::{Flow, Run, Shell};
use crate::system::Input;
use crate::text::{from_bytes, from_owned_bytes, single_quoted};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What `read -t` ends with when its time is over: what SIGALRM would.
const LATE: i32 = 128 + 14;

/// The longest line that is one value, in bytes.
const TEXT_BYTES_MAX: usize = 16 << 20;

/// The longest line that is split: each of its characters takes eight bytes for a while.
const LINE_BYTES_MAX: usize = 4 << 20;

/// How much `mapfile` reads, in bytes.
const LINES_BYTES_MAX: usize = 24 << 20;

#[derive(Default)]
struct Wish {
    raw: bool,
    array: Option<String>,
    delimiter: Option<u8>,
    chars: Option<usize>,
    exact: bool,
    fd: i32,
    time: Option<Duration>,
    names: Vec<String>,
}

pub(super) fn read(shell: &mut Shell, args: &[String]) -> Run {
    let wish = match wish(args) {
        Ok(wish) => wish,
        Err(why) => {
            shell.complain(&format!("read: {why}"));
            return Ok(if why.starts_with('-') { 2 } else { 1 });
        }
    };
    let Some(input) = shell.io.input(wish.fd) else {
        return shell.fail(&format!("read: {}: invalid file descriptor: Bad file descriptor", wish.fd));
    };
    if wish.time == Some(Duration::ZERO) {
        return Ok(i32::from(!input.ready(wish.time)));
    }
    let ifs = shell.ifs();
    if wish.is_one_text() && ifs.chars().all(char::is_whitespace) {
        return read_text(shell, &input, &wish, &ifs);
    }
    let (line, end) = line(shell, &input, &wish)?;
    let status = end.status(shell);
    if let Some(name) = &wish.array {
        let values = split(&line, &ifs, usize::MAX);
        shell.set_list(name, values.into_iter().map(|chars| plain(&chars)).collect());
        return Ok(status);
    }
    if wish.names.is_empty() {
        shell.set_own("REPLY", plain(&line));
        return Ok(status);
    }
    let mut values = if wish.exact { vec![line] } else { split(&line, &ifs, wish.names.len()) }.into_iter();
    for name in &wish.names {
        let value = values.next().map(|chars| plain(&chars)).unwrap_or_default();
        let (name, index) = split_reference(name);
        if !crate::state::is_name(&name) {
            return shell.fail(&format!("read: `{name}': not a valid identifier"));
        }
        if shell.assign((&name, index.as_ref()), &value, false).is_err() {
            return Ok(1);
        }
    }
    Ok(status)
}

impl Wish {
    /// Whether the line is one value, in which nothing is quoted.
    fn is_one_text(&self) -> bool {
        self.raw && self.array.is_none() && self.chars.is_none() && self.names.len() <= 1
    }

    fn delimiter(&self) -> u8 {
        self.delimiter.unwrap_or(b'\n')
    }

    fn until(&self) -> Option<Instant> {
        self.time.and_then(|time| Instant::now().checked_add(time))
    }
}

/// Reads a line that is one value: it may be a whole file, so it is not taken apart.
fn read_text(shell: &mut Shell, input: &Input, wish: &Wish, ifs: &str) -> Run {
    let source = Source { shell, input, until: wish.until() };
    let (mut bytes, end) = source.line(wish.delimiter(), TEXT_BYTES_MAX)?;
    bytes.retain(|byte| *byte != 0);
    let text = from_owned_bytes(bytes);
    let status = end.status(shell);
    let Some(name) = wish.names.first() else {
        shell.set_own("REPLY", text);
        return Ok(status);
    };
    let (name, index) = split_reference(name);
    if !crate::state::is_name(&name) {
        return shell.fail(&format!("read: `{name}': not a valid identifier"));
    }
    let value = text.trim_matches(|c| ifs.contains(c));
    if shell.assign((&name, index.as_ref()), value, false).is_err() { Ok(1) } else { Ok(status) }
}

fn wish(args: &[String]) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            wish.names.push(arg.clone());
            wish.names.extend(rest.cloned());
            break;
        };
        if letters == "-" {
            wish.names.extend(rest.cloned());
            break;
        }
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            if matches!(letter, 'r' | 's' | 'e') {
                wish.raw |= letter == 'r';
                continue;
            }
            let attached: String = letters.by_ref().collect();
            let value = if attached.is_empty() {
                rest.next().cloned().ok_or_else(|| format!("-{letter}: option requires an argument"))?
            } else {
                attached
            };
            let number = || value.parse::<usize>().map_err(|_| format!("{value}: invalid number"));
            match letter {
                'a' => wish.array = Some(value),
                'd' => wish.delimiter = Some(value.bytes().next().unwrap_or(0)),
                'n' => wish.chars = Some(number()?),
                'N' => (wish.chars, wish.exact) = (Some(number()?), true),
                'u' => wish.fd = i32::try_from(number()?).unwrap_or(-1),
                't' => {
                    let seconds = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                    wish.time = Some(seconds.ok_or_else(|| format!("{value}: invalid timeout specification"))?);
                }
                'p' | 'i' => {}
                other => return Err(format!("-{other}: invalid option")),
            }
        }
    }
    Ok(wish)
}

/// Characters, and whether each was quoted by a backslash.
type Chars = Vec<(char, bool)>;

fn plain(chars: &Chars) -> String {
    chars.iter().map(|(c, _)| *c).collect()
}

/// What ended what was read.
#[derive(Clone, Copy)]
enum End {
    /// Its delimiter, or the number of characters asked for.
    Delimiter,
    Input,
    Time,
    /// Memory holds no more.
    Memory,
}

impl End {
    fn status(self, shell: &Shell) -> i32 {
        match self {
            Self::Delimiter => 0,
            Self::Input => 1,
            Self::Time => LATE,
            Self::Memory => {
                shell.complain("read: the line is longer than memory holds");
                1
            }
        }
    }
}

/// Bytes for a line, as they come.
struct Source<'a> {
    shell: &'a Shell,
    input: &'a Input,
    until: Option<Instant>,
}

impl Source<'_> {
    /// Some bytes up to the delimiter; why there are no more if there are none.
    fn next(&self, delimiter: u8) -> Result<Result<Vec<u8>, End>, Flow> {
        if !self.shell.await_input(self.input, self.until)? {
            return Ok(Err(End::Time));
        }
        // What is there may be half a line, and only single bytes leave the rest of the time.
        let max = if self.until.is_some() { 1 } else { 65_536 };
        Ok(self.input.read_until(delimiter, max).ok().filter(|bytes| !bytes.is_empty()).ok_or(End::Input))
    }

    /// A whole line without its delimiter, of so many bytes at most.
    fn line(&self, delimiter: u8, most: usize) -> Result<(Vec<u8>, End), Flow> {
        let mut line = Vec::new();
        loop {
            match self.next(delimiter)? {
                Ok(bytes) => line.extend(bytes),
                Err(end) => return Ok((line, end)),
            }
            if line.last() == Some(&delimiter) {
                line.pop();
                return Ok((line, End::Delimiter));
            }
            if line.len() > most {
                return Ok((line, End::Memory));
            }
        }
    }
}

/// Reads a line; says what ended it.
fn line(shell: &Shell, input: &Input, wish: &Wish) -> Result<(Chars, End), Flow> {
    let source = Source { shell, input, until: wish.until() };
    let delimiter = wish.delimiter();
    if let Some(most) = wish.chars {
        return counted(&source, wish, most, delimiter);
    }
    let mut chars = Chars::new();
    loop {
        let (bytes, end) = source.line(delimiter, LINE_BYTES_MAX)?;
        if !push_line(&from_owned_bytes(bytes), wish.raw, &mut chars) || !matches!(end, End::Delimiter) {
            return Ok((chars, end));
        }
    }
}

/// Adds a line's characters; says whether a backslash at its end asks for the next.
fn push_line(text: &str, raw: bool, chars: &mut Chars) -> bool {
    let mut rest = text.chars().filter(|c| *c != '\0');
    while let Some(c) = rest.next() {
        if c != '\\' || raw {
            chars.push((c, false));
            continue;
        }
        match rest.next() {
            Some('\n') => {}
            Some(next) => chars.push((next, true)),
            None => return true,
        }
    }
    false
}

fn counted(source: &Source<'_>, wish: &Wish, most: usize, delimiter: u8) -> Result<(Chars, End), Flow> {
    let (mut bytes, mut whole, mut count) = (Vec::new(), 0, 0);
    let end = loop {
        while whole < bytes.len() {
            match std::str::from_utf8(&bytes[whole..]) {
                Err(error) if error.error_len().is_none() => break,
                // No character: each of its bytes counts as one.
                Err(_) => whole += 1,
                Ok(_) => whole = bytes.len(),
            }
            count += 1;
        }
        if count >= most {
            break End::Delimiter;
        }
        if !source.shell.await_input(source.input, source.until)? {
            break End::Time;
        }
        match source.input.read(1) {
            Ok(byte) if byte.first() == Some(&delimiter) && !wish.exact => break End::Delimiter,
            Ok(byte) if !byte.is_empty() => bytes.extend(byte),
            _ => break End::Input,
        }
    };
    Ok((from_bytes(&bytes).chars().map(|c| (c, false)).collect(), end))
}

/// Splits a line at what separates, into so many parts at most: the last takes the rest.
fn split(line: &Chars, ifs: &str, most: usize) -> Vec<Chars> {
    let separates = |(c, quoted): &(char, bool)| !quoted && ifs.contains(*c);
    let white = |item: &(char, bool)| separates(item) && item.0.is_whitespace();
    let mut parts = Vec::new();
    let mut at = line.iter().position(|item| !white(item)).unwrap_or(line.len());
    while at < line.len() {
        if parts.len() + 1 == most {
            parts.push(last_part(&line[at..], &separates, &white));
            return parts;
        }
        let end = line[at..].iter().position(separates).map_or(line.len(), |length| at + length);
        parts.push(line[at..end].to_vec());
        at = end;
        let mut hard = false;
        while at < line.len() && (white(&line[at]) || (!hard && separates(&line[at]))) {
            hard |= !white(&line[at]);
            at += 1;
        }
    }
    parts
}

/// The rest without white space at its end, and without a lone separator there.
fn last_part(
    rest: &[(char, bool)],
    separates: &dyn Fn(&(char, bool)) -> bool,
    white: &dyn Fn(&(char, bool)) -> bool,
) -> Chars {
    let trimmed = |rest: &[(char, bool)]| rest.iter().rposition(|item| !white(item)).map_or(0, |last| last + 1);
    let end = trimmed(rest);
    let kept = &rest[..end];
    let separators = kept.iter().filter(|item| separates(item) && !white(item)).count();
    match kept.last() {
        Some(last) if separators == 1 && separates(last) && !kept[..end - 1].iter().any(separates) => {
            kept[..trimmed(&kept[..end - 1])].to_vec()
        }
        _ => kept.to_vec(),
    }
}

pub(super) fn mapfile(shell: &mut Shell, args: &[String]) -> Run {
    let (mut trims, mut delimiter, mut most, mut skipped, mut origin, mut fd) = (false, b'\n', usize::MAX, 0, None, 0);
    let (mut callback, mut every) = (None, 5000);
    let mut name = "MAPFILE".to_owned();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            name.clone_from(arg);
            continue;
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            if letter == 't' {
                trims = true;
                continue;
            }
            let attached: String = letters.by_ref().collect();
            let value = if attached.is_empty() { rest.next().cloned().unwrap_or_default() } else { attached };
            match letter {
                'd' => delimiter = value.bytes().next().unwrap_or(0),
                'n' => most = value.parse().ok().filter(|most| *most > 0).unwrap_or(usize::MAX),
                's' => skipped = value.parse().unwrap_or(0),
                'O' => origin = value.parse::<i64>().ok(),
                'u' => fd = value.parse().unwrap_or(0),
                'C' => callback = Some(value),
                'c' => every = value.parse().ok().filter(|every| *every > 0).unwrap_or(every),
                _ => {}
            }
        }
    }
    let Some(input) = shell.io.input(fd) else { return shell.fail("mapfile: Bad file descriptor") };
    let (mut values, mut bytes) = (Vec::new(), 0);
    while values.len() < most.saturating_add(skipped) {
        let line = whole_line(shell, &input, delimiter)?;
        bytes += line.len();
        if bytes > LINES_BYTES_MAX {
            return shell.fail("mapfile: more lines than memory holds");
        }
        if line.is_empty() {
            break;
        }
        let kept = if trims && line.last() == Some(&delimiter) { &line[..line.len() - 1] } else { &line };
        values.push(from_bytes(kept));
        shell.check_time()?;
        let count = values.len().saturating_sub(skipped);
        if let Some(callback) = &callback
            && count > 0
            && count % every == 0
        {
            let at = origin.unwrap_or(0) + i64::try_from(count - 1).unwrap_or(i64::MAX);
            shell.run_text(&format!("{callback} {at} {}", single_quoted(&values[values.len() - 1])))?;
        }
    }
    let values = values.into_iter().skip(skipped);
    if let Some(origin) = origin {
        let items = crate::assign::indexed(&mut shell.vars().entry(&name).value);
        items.extend((origin..).zip(values).collect::<BTreeMap<_, _>>());
    } else {
        shell.set_list(&name, values.collect());
    }
    Ok(0)
}

fn whole_line(shell: &Shell, input: &Input, delimiter: u8) -> Result<Vec<u8>, Flow> {
    let mut line = Vec::new();
    loop {
        shell.await_input(input, None)?;
        let Ok(part) = input.read_until(delimiter, 65_536) else { break };
        let done = part.is_empty() || part.last() == Some(&delimiter) || line.len() > LINES_BYTES_MAX;
        line.extend(part);
        if done {
            break;
        }
    }
    Ok(line)
}
