//! One amount with its unit: how people write it, and how it is printed.

use std::fmt;

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Bytes,
    Milliseconds,
    Count,
}

const BYTE_UNITS: [(&str, u64); 5] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
const TIME_UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
const COUNT_UNITS: [(&str, u64); 5] =
    [("T", 1_000_000_000_000), ("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000), ("", 1)];

impl Unit {
    fn names(self) -> &'static [(&'static str, u64)] {
        match self {
            Self::Bytes => &BYTE_UNITS,
            Self::Milliseconds => &TIME_UNITS,
            Self::Count => &COUNT_UNITS,
        }
    }

    /// An amount as somebody would write it, for hints.
    pub(crate) fn example(self) -> &'static str {
        match self {
            Self::Bytes => "a whole number with B, KiB, MiB, GiB or TiB, such as 64MiB",
            Self::Milliseconds => "a whole number with ms, s, min or h, such as 30s",
            Self::Count => "a whole number, if need be with k, M, G or T, such as 5G",
        }
    }

    /// Reads `text`. A bare number is bytes or a count; a time needs its unit, because
    /// both seconds and milliseconds would be a fair guess.
    pub(crate) fn parse(self, text: &str) -> Option<u64> {
        let text = text.trim();
        let digits_end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits_end);
        let unit = unit.trim_start();
        let digits: String = digits.chars().filter(|c| *c != '_').collect();
        let number: u64 = digits.parse().ok()?;
        let scale = match (self, unit) {
            (Self::Bytes | Self::Count, "") => 1,
            _ => self.names().iter().find(|(name, _)| *name == unit)?.1,
        };
        number.checked_mul(scale)
    }

    /// `amount` with the largest unit that needs no fraction. Times are never printed in
    /// minutes or hours: "600 s" compares better with "30 s" than "10 min".
    pub(crate) fn show(self, amount: u64) -> Shown {
        let fits = |scale: u64, name: &str| amount.is_multiple_of(scale) && !matches!(name, "min" | "h");
        let best = self.names().iter().find(|(name, scale)| amount > 0 && fits(*scale, name));
        let (name, scale) = match (best, self) {
            (Some(best), _) => *best,
            (None, Self::Bytes) => ("B", 1),
            (None, Self::Milliseconds) => ("s", 1000),
            (None, Self::Count) => ("", 1),
        };
        Shown { number: amount / scale, unit: name }
    }
}

/// An amount ready to print: `{}` gives "64 MiB", `{:#}` gives "64MiB".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    number: u64,
    unit: &'static str,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if f.alternate() || self.unit.is_empty() { "" } else { " " };
        write!(f, "{}{space}{}", self.number, self.unit)
    }
}
