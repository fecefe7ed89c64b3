//! `{a,b}` and `{1..9}`.

/// The words that a word's source gives. None if memory does not hold them.
pub(super) fn expand(source: &str) -> Option<Vec<String>> {
    let chars: Vec<char> = source.chars().collect();
    expand_chars(&chars).ok()
}

/// How much memory the words of a brace may take, in bytes.
const WORDS_BYTES_MAX: usize = 40 << 20;

/// What a word takes beside its text, in bytes.
const WORD_BYTES: usize = 28;

/// The words are too many.
struct TooMany;

/// Whether so many words of so many bytes find room.
fn room(words: usize, bytes: usize) -> Result<(), TooMany> {
    let all = words.saturating_mul(bytes.saturating_add(WORD_BYTES));
    if all > WORDS_BYTES_MAX { Err(TooMany) } else { Ok(()) }
}

fn longest(words: &[String]) -> usize {
    words.iter().map(String::len).max().unwrap_or(0)
}

fn expand_chars(chars: &[char]) -> Result<Vec<String>, TooMany> {
    let mut from = 0;
    while let Some(open) = find_open(chars, from) {
        if let Some(close) = find_close(chars, open)
            && let Some(middle) = members(&chars[open + 1..close])?
        {
            let before: String = chars[..open].iter().collect();
            if before.is_empty() && close + 1 == chars.len() {
                return Ok(middle);
            }
            let after = expand_chars(&chars[close + 1..])?;
            let bytes = before.len() + longest(&middle) + longest(&after);
            room(middle.len().saturating_mul(after.len()), bytes)?;
            let mut words = Vec::with_capacity(middle.len() * after.len());
            for middle in middle {
                words.extend(after.iter().map(|after| format!("{before}{middle}{after}")));
            }
            return Ok(words);
        }
        from = open + 1;
    }
    Ok(vec![chars.iter().collect()])
}

/// Past quotes and `${…}` that begin here; the same place if none do.
fn skip(chars: &[char], at: usize) -> usize {
    match chars[at] {
        '\\' => at + 2,
        quote @ ('\'' | '"' | '`') => {
            let mut i = at + 1;
            while i < chars.len() && chars[i] != quote {
                if quote == '"' && chars[i] == '$' && matches!(chars.get(i + 1), Some('(' | '{')) {
                    i = skip(chars, i);
                    continue;
                }
                i += if chars[i] == '\\' && quote != '\'' { 2 } else { 1 };
            }
            i + 1
        }
        '$' if matches!(chars.get(at + 1), Some('{' | '(')) => {
            let (open, close) = if chars[at + 1] == '{' { ('{', '}') } else { ('(', ')') };
            let (mut depth, mut i) = (0_usize, at + 1);
            while i < chars.len() {
                if chars[i] == open {
                    depth += 1;
                } else if chars[i] == close {
                    depth -= 1;
                    if depth == 0 {
                        return i + 1;
                    }
                }
                let next = if "'\"\\`".contains(chars[i]) { skip(chars, i) } else { i + 1 };
                i = next;
            }
            i
        }
        _ => at,
    }
}

fn find_open(chars: &[char], from: usize) -> Option<usize> {
    let mut i = from;
    while i < chars.len() {
        let past = skip(chars, i);
        if past > i {
            i = past;
        } else if chars[i] == '{' {
            return Some(i);
        } else {
            i += 1;
        }
    }
    None
}

fn find_close(chars: &[char], open: usize) -> Option<usize> {
    let (mut depth, mut i) = (0_usize, open);
    while i < chars.len() {
        let past = skip(chars, i);
        if past > i {
            i = past;
            continue;
        }
        match chars[i] {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(i);
                }
            }
            c if c.is_whitespace() => return None,
            _ => {}
        }
        i += 1;
    }
    None
}

/// What stands between braces, each expanded; none if these are no such braces.
fn members(inner: &[char]) -> Result<Option<Vec<String>>, TooMany> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut i) = (0_usize, 0, 0);
    while i < inner.len() {
        let past = skip(inner, i);
        if past > i {
            i = past;
            continue;
        }
        match inner[i] {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&inner[start..i]);
                start = i + 1;
            }
            _ => {}
        }
        i += 1;
    }
    if parts.is_empty() {
        return sequence(&inner.iter().collect::<String>());
    }
    parts.push(&inner[start..]);
    let mut words = Vec::new();
    for part in parts {
        words.append(&mut expand_chars(part)?);
        room(words.len(), 0)?;
    }
    Ok(Some(words))
}

fn sequence(inner: &str) -> Result<Option<Vec<String>>, TooMany> {
    let Some((first, last, step)) = range(inner) else { return Ok(None) };
    let (ends, width) = match (first, last) {
        (End::Number(first, wide), End::Number(last, also)) => ((first, last), wide.max(also)),
        (End::Letter(first), End::Letter(last)) => ((first, last), 0),
        _ => return Ok(None),
    };
    let letters = matches!(first, End::Letter(_));
    let (first, last) = ends;
    let count = first.abs_diff(last) / step;
    room(usize::try_from(count).unwrap_or(usize::MAX), width)?;
    let (Ok(count), Ok(step)) = (i64::try_from(count), i64::try_from(step)) else { return Ok(None) };
    let by = if first <= last { step } else { -step };
    let numbers = (0..=count).map(|n| first + n * by);
    if letters {
        let letter = |n: i64| u8::try_from(n).ok().map(|byte| char::from(byte).to_string());
        return Ok(numbers.map(letter).collect());
    }
    Ok(Some(numbers.map(|n| format!("{n:0width$}")).collect()))
}

/// One end of a sequence.
#[derive(Clone, Copy)]
enum End {
    /// And how wide its numbers are: 0 if they are not filled up.
    Number(i64, usize),
    Letter(i64),
}

/// `a..b` and `a..b..step`.
fn range(inner: &str) -> Option<(End, End, u64)> {
    let parts: Vec<&str> = inner.split("..").collect();
    let (from, to) = (*parts.first()?, *parts.get(1)?);
    let step: i64 = match parts.get(2) {
        Some(step) => step.parse().ok()?,
        None => 1,
    };
    if parts.len() > 3 {
        return None;
    }
    let step = step.unsigned_abs().max(1);
    if let (Ok(first), Ok(last)) = (from.parse::<i64>(), to.parse::<i64>()) {
        let padded =
            |text: &str| text.trim_start_matches('-').starts_with('0') && text.trim_start_matches('-').len() > 1;
        let width = if padded(from) || padded(to) { from.len().max(to.len()) } else { 0 };
        return Some((End::Number(first, width), End::Number(last, width), step));
    }
    let letter = |text: &str| {
        let first = text.bytes().next().filter(|byte| text.len() == 1 && byte.is_ascii_alphabetic());
        first.map(|byte| End::Letter(i64::from(byte)))
    };
    Some((letter(from)?, letter(to)?, step))
}
