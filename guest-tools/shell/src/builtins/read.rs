//! `read` and `mapfile`.

use crate::expand::split_reference;
use crate::shell::{Run, Shell};
use crate::system::Input;
use crate::text::{from_bytes, single_quoted};
use std::collections::BTreeMap;

#[derive(Default)]
struct Wish {
    raw: bool,
    array: Option<String>,
    delimiter: Option<u8>,
    chars: Option<usize>,
    exact: bool,
    fd: i32,
    names: Vec<String>,
}

pub(super) fn read(shell: &mut Shell, args: &[String]) -> Run {
    let wish = match wish(args) {
        Ok(wish) => wish,
        Err(why) => {
            shell.complain(&format!("read: {why}"));
            return Ok(2);
        }
    };
    let Some(input) = shell.io.input(wish.fd) else {
        return shell.fail(&format!("read: {}: invalid file descriptor: Bad file descriptor", wish.fd));
    };
    let (line, ended) = line(&input, &wish);
    let status = i32::from(!ended);
    let ifs = shell.ifs();
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
                'p' | 't' | 'i' => {}
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

/// Reads a line; says whether it was ended by its delimiter.
fn line(input: &Input, wish: &Wish) -> (Chars, bool) {
    let delimiter = wish.delimiter.unwrap_or(b'\n');
    let mut chars = Chars::new();
    if let Some(most) = wish.chars {
        return counted(input, wish, most, delimiter);
    }
    loop {
        let Ok(bytes) = input.read_until(delimiter, 65_536) else { return (chars, false) };
        if bytes.is_empty() {
            return (chars, false);
        }
        let ended = bytes.last() == Some(&delimiter);
        let text = from_bytes(&bytes[..bytes.len() - usize::from(ended)]);
        let mut rest = text.chars().filter(|c| *c != '\0');
        let mut continues = false;
        while let Some(c) = rest.next() {
            if c != '\\' || wish.raw {
                chars.push((c, false));
            } else if let Some(next) = rest.next() {
                if next != '\n' {
                    chars.push((next, true));
                }
            } else {
                continues = ended;
            }
        }
        if ended && !continues {
            return (chars, true);
        }
    }
}

fn counted(input: &Input, wish: &Wish, most: usize, delimiter: u8) -> (Chars, bool) {
    let mut bytes = Vec::new();
    loop {
        let text = from_bytes(&bytes);
        if text.chars().count() >= most && std::str::from_utf8(&bytes).is_ok() {
            return (text.chars().map(|c| (c, false)).collect(), true);
        }
        match input.read(1) {
            Ok(byte) if byte.is_empty() => return (text.chars().map(|c| (c, false)).collect(), false),
            Ok(byte) if byte[0] == delimiter && !wish.exact => {
                return (text.chars().map(|c| (c, false)).collect(), true);
            }
            Ok(byte) => bytes.extend(byte),
            Err(_) => return (text.chars().map(|c| (c, false)).collect(), false),
        }
    }
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
    let mut values = Vec::new();
    while values.len() < most.saturating_add(skipped) {
        let line = whole_line(&input, delimiter);
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

fn whole_line(input: &Input, delimiter: u8) -> Vec<u8> {
    let mut line = Vec::new();
    while let Ok(part) = input.read_until(delimiter, 65_536) {
        let done = part.is_empty() || part.last() == Some(&delimiter);
        line.extend(part);
        if done {
            break;
        }
    }
    line
}
