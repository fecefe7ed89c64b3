//! `{a,b}` and `[1-3]` in URLs.

use crate::failure::{Failure, code};

/// The most URLs that one pattern stands for.
const URLS_MAX: usize = 100_000;

/// One of the URLs that a pattern stands for, and what stood in its places: `#1`, `#2`, … of `-o`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) url: String,
    pub(crate) places: Vec<String>,
}

impl Expanded {
    /// A name with `#1` replaced.
    pub(crate) fn name(&self, pattern: &str) -> String {
        let mut name = String::new();
        let mut rest = pattern;
        while let Some(at) = rest.find('#') {
            let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
            let number = rest[at + 1..at + 1 + digits].parse::<usize>().ok();
            let place = number.and_then(|number| self.places.get(number.checked_sub(1)?));
            name.push_str(&rest[..at]);
            name.push_str(place.map_or(&rest[at..=at + digits], String::as_str));
            rest = &rest[at + 1 + digits..];
        }
        name + rest
    }
}

/// All that a pattern stands for, the last place changing fastest.
pub(crate) fn expand(pattern: &str) -> Result<Vec<Expanded>, Failure> {
    let mut all = vec![Expanded::default()];
    let mut rest = pattern;
    let bad = |what: &str, rest: &str| {
        let position = pattern.len() - rest.len() + 1;
        Failure::new(code::URL, format!("{what} in URL position {position}: {pattern} (-g takes it as it is)"))
    };
    while let Some(at) = rest.find(['[', '{', ']', '}', '\\']) {
        all.iter_mut().for_each(|one| one.url.push_str(&rest[..at]));
        rest = &rest[at..];
        let (values, length) = match rest.as_bytes()[0] {
            b'\\' if rest[1..].starts_with(['[', '{', ']', '}']) => {
                all.iter_mut().for_each(|one| one.url.push_str(&rest[1..2]));
                rest = &rest[2..];
                continue;
            }
            b'{' => {
                let end = rest.find('}').ok_or_else(|| bad("unmatched brace", rest))?;
                (rest[1..end].split(',').map(str::to_owned).collect::<Vec<_>>(), end + 1)
            }
            b'[' => {
                let end = rest.find(']').ok_or_else(|| bad("bad range", rest))?;
                if rest[1..end].contains(':') && rest[1..end].parse::<std::net::Ipv6Addr>().is_ok() {
                    all.iter_mut().for_each(|one| one.url.push_str(&rest[..=end]));
                    rest = &rest[end + 1..];
                    continue;
                }
                (range(&rest[1..end]).ok_or_else(|| bad("bad range", rest))?, end + 1)
            }
            b'\\' => (vec!["\\".to_owned()], 1),
            _ => return Err(bad("unmatched close brace/bracket", rest)),
        };
        if all.len().saturating_mul(values.len()) > URLS_MAX {
            return Err(bad("too many URLs", rest));
        }
        let place = rest.as_bytes()[0] != b'\\';
        all = all.iter().flat_map(|one| values.iter().map(move |value| with(one, value, place))).collect();
        rest = &rest[length..];
    }
    all.iter_mut().for_each(|one| one.url.push_str(rest));
    Ok(all)
}

fn with(one: &Expanded, value: &str, place: bool) -> Expanded {
    let mut one = one.clone();
    one.url.push_str(value);
    if place {
        one.places.push(value.to_owned());
    }
    one
}

/// `1-3`, `01-10`, `a-c`, `0-10:2`.
fn range(text: &str) -> Option<Vec<String>> {
    let (span, step) = text.split_once(':').unwrap_or((text, "1"));
    let step: usize = step.parse().ok().filter(|&step| step > 0)?;
    let (first, last) = span.split_once('-')?;
    if let (&[first], &[last]) = (first.as_bytes(), last.as_bytes())
        && first.is_ascii_alphabetic()
        && last.is_ascii_alphabetic()
    {
        let values = (first..=last).step_by(step).map(|byte| char::from(byte).to_string());
        return Some(values.collect()).filter(|values: &Vec<_>| !values.is_empty());
    }
    let width = if first.starts_with('0') { first.len() } else { 0 };
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    if first > last || (last - first) / step as u64 >= URLS_MAX as u64 {
        return None;
    }
    Some((first..=last).step_by(step).map(|number| format!("{number:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(pattern: &str) -> Vec<String> {
        expand(pattern).unwrap().into_iter().map(|one| one.url).collect()
    }

    #[test]
    fn places_multiply() {
        assert_eq!(urls("a/{x,y}[1-2]"), ["a/x1", "a/x2", "a/y1", "a/y2"]);
        assert_eq!(urls("[08-10]"), ["08", "09", "10"]);
        assert_eq!(urls("[a-e:2]"), ["a", "c", "e"]);
        assert_eq!(urls("http://[::1]:80/"), ["http://[::1]:80/"]);
        assert_eq!(urls(r"a\[b\]"), ["a[b]"]);
    }

    #[test]
    fn names_take_what_stood_there() {
        let all = expand("{x,y}/[1-2]").unwrap();
        assert_eq!(all[2].name("f_#1_#2_#3#.txt"), "f_y_1_#3#.txt");
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for pattern in ["a?b[c]=1", "{a", "[9-1]", "a]", "[1-999999999]", "{a,b}[1-99999]"] {
            assert_eq!(expand(pattern).unwrap_err().code, 3, "{pattern}");
        }
    }
}
