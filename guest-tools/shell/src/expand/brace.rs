//! `{a,b}` and `{1..9}`.

/// The words that a word's source gives.
pub(super) fn expand(source: &str) -> Vec<String> {
    let chars: Vec<char> = source.chars().collect();
    expand_chars(&chars)
}

/// More than this many words come of no brace that anybody means.
const WORDS_MAX: usize = 1 << 22;

fn expand_chars(chars: &[char]) -> Vec<String> {
    let mut from = 0;
    while let Some(open) = find_open(chars, from) {
        if let Some(close) = find_close(chars, open)
            && let Some(middle) = members(&chars[open + 1..close])
        {
            let before: String = chars[..open].iter().collect();
            let after = expand_chars(&chars[close + 1..]);
            if middle.len().saturating_mul(after.len()) > WORDS_MAX {
                break;
            }
            let joined =
                |middle: &String| after.iter().map(|after| format!("{before}{middle}{after}")).collect::<Vec<_>>();
            return middle.iter().flat_map(joined).collect();
        }
        from = open + 1;
    }
    vec![chars.iter().collect()]
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
fn members(inner: &[char]) -> Option<Vec<String>> {
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
    Some(parts.into_iter().flat_map(expand_chars).collect())
}

fn sequence(inner: &str) -> Option<Vec<String>> {
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
        return Some(steps(first, last, step)?.into_iter().map(|n| format!("{n:0width$}")).collect());
    }
    let letter = |text: &str| text.chars().next().filter(|c| text.len() == 1 && c.is_ascii_alphabetic());
    let (first, last) = (letter(from)?, letter(to)?);
    let char = |n: i64| u8::try_from(n).ok().map(|byte| char::from(byte).to_string());
    steps(i64::from(u32::from(first)), i64::from(u32::from(last)), step)?.into_iter().map(char).collect()
}

fn steps(first: i64, last: i64, step: u64) -> Option<Vec<i64>> {
    let count = first.abs_diff(last) / step;
    let count = i64::try_from(count).ok().filter(|count| *count < WORDS_MAX as i64)?;
    let step = i64::try_from(step).ok()?;
    let by = if first <= last { step } else { -step };
    Some((0..=count).map(|n| first + n * by).collect())
}
