//! Sizes as people read them, and the order of versions.

use std::cmp::Ordering;

/// How sizes are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sizes {
    Plain,
    /// In powers of 1024, or of 1000.
    Human(u64),
    /// And what is written behind: the unit, where it was named without a number.
    Unit(u64, String),
}

impl Sizes {
    /// By what `--block-size` says. None if it is no size.
    pub(crate) fn named(value: &str) -> Option<Self> {
        Some(match value {
            "human-readable" => Self::Human(1024),
            "si" => Self::Human(1000),
            value => {
                let named = value.starts_with(|first: char| !first.is_ascii_digit());
                Self::Unit(unit(value)?, if named { value.to_owned() } else { String::new() })
            }
        })
    }

    pub(crate) fn show(&self, size: u64) -> String {
        match self {
            Self::Plain => size.to_string(),
            Self::Human(base) => human(size, *base),
            Self::Unit(unit, named) => format!("{}{named}", size.div_ceil(*unit)),
        }
    }
}

/// As GNU says it: `1.5K`, `12M`, rounded up; in powers of 1024 or 1000.
fn human(size: u64, base: u64) -> String {
    if size < base {
        return size.to_string();
    }
    let names = if base == 1000 { ['k', 'M', 'G', 'T', 'P'] } else { ['K', 'M', 'G', 'T', 'P'] };
    let mut unit = base;
    for name in names {
        let tenths = (u128::from(size) * 10).div_ceil(u128::from(unit));
        if tenths < 100 {
            return format!("{}.{}{name}", tenths / 10, tenths % 10);
        }
        if size.div_ceil(unit) < base {
            return format!("{}{name}", size.div_ceil(unit));
        }
        unit = unit.saturating_mul(base);
    }
    size.to_string()
}

/// A unit as `--block-size` takes it: `1`, `K`, `1M`, `kB`. None if it is none.
fn unit(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let count: u64 = if digits == 0 { 1 } else { text[..digits].parse().ok()? };
    let suffix = &text[digits..];
    let power = match suffix.chars().next() {
        None => return Some(count).filter(|count| *count > 0),
        Some('b' | 'B') if suffix.len() == 1 => return Some(count),
        Some('k' | 'K') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        Some('P') => 5,
        Some(_) => return None,
    };
    let base: u64 = match &suffix[1..] {
        "" | "iB" => 1024,
        "B" => 1000,
        _ => return None,
    };
    count.checked_mul(base.checked_pow(power)?).filter(|unit| *unit > 0)
}

/// The order in which versions follow each other: `a9` before `a10`. A name's ending does not count
/// unless all before it is the same.
pub(crate) fn version(left: &str, right: &str) -> Ordering {
    let hidden = |name: &str| name.starts_with('.');
    let stems = (stem(left), stem(right));
    let first = if stems.0 == stems.1 { Ordering::Equal } else { parts(stems.0, stems.1) };
    hidden(right).cmp(&hidden(left)).then(first).then_with(|| parts(left, right)).then_with(|| left.cmp(right))
}

/// A name without its endings: `.tar.gz` and the like, none of which begins with a digit.
fn stem(name: &str) -> &str {
    let mut end = name.len();
    while let Some(at) = name[..end].rfind('.') {
        let ending = &name[at + 1..end];
        let fits = ending.starts_with(|c: char| c.is_ascii_alphabetic() || c == '~')
            && ending.chars().all(|c| c.is_ascii_alphanumeric() || c == '~');
        if !fits || at == 0 {
            break;
        }
        end = at;
    }
    &name[..end]
}

fn parts(left: &str, right: &str) -> Ordering {
    // Before the end comes a tilde, then letters, then all other signs.
    let weight = |byte: Option<&u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while !left.is_empty() || !right.is_empty() {
        let text = |bytes: &[u8]| bytes.first().is_some_and(|byte| !byte.is_ascii_digit());
        while text(left) || text(right) {
            let order = weight(left.first()).cmp(&weight(right.first()));
            if order != Ordering::Equal {
                return order;
            }
            left = left.get(1..).unwrap_or_default();
            right = right.get(1..).unwrap_or_default();
        }
        let (one, two) = (number(&mut left), number(&mut right));
        let order = one.len().cmp(&two.len()).then_with(|| one.cmp(two));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Takes the digits that something begins with, without zeros before them.
fn number<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    let (digits, rest) = bytes.split_at(end);
    *bytes = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

#[cfg(test)]
mod tests {
    use super::{human, unit, version};
    use std::cmp::Ordering;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!(human(1023, 1024), "1023");
        assert_eq!(human(1025, 1024), "1.1K");
        assert_eq!(human(10_241, 1024), "11K");
        assert_eq!(human(1_500_000, 1000), "1.5M");
    }

    #[test]
    fn units_have_names() {
        assert_eq!(unit("1"), Some(1));
        assert_eq!(unit("K"), Some(1024));
        assert_eq!(unit("2kB"), Some(2000));
        assert_eq!(unit("x"), None);
    }

    #[test]
    fn versions_follow_each_other() {
        for (left, right) in [("a9", "a10"), ("v1.2.3", "v1.10"), ("a", "a1"), ("x.tar.gz", "x-1.tar.gz"), (".a", "a")]
        {
            assert_eq!(version(left, right), Ordering::Less, "{left} {right}");
        }
    }
}
