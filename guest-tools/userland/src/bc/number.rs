//! Decimal numbers as `bc` knows them: as many digits as one likes, so many of them behind the point.

use num_bigint::{BigInt, Sign};
use std::cmp::Ordering;

/// Digits, and how many of them stand behind the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    digits: BigInt,
    pub(super) scale: usize,
}

/// Ten to this power.
pub(super) fn ten(power: usize) -> BigInt {
    BigInt::from(10).pow(u32::try_from(power).unwrap_or(u32::MAX))
}

impl Number {
    pub(super) fn new(digits: BigInt, scale: usize) -> Self {
        Self { digits, scale }
    }

    pub(super) fn of(value: usize) -> Self {
        Self::new(BigInt::from(value), 0)
    }

    pub(super) fn truth(value: bool) -> Self {
        Self::of(usize::from(value))
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.sign() == Sign::NoSign
    }

    /// The number with another count of digits behind the point; what is beyond is cut off.
    pub(super) fn scaled(&self, scale: usize) -> Self {
        let digits = if scale >= self.scale {
            &self.digits * ten(scale - self.scale)
        } else {
            &self.digits / ten(self.scale - scale)
        };
        Self::new(digits, scale)
    }

    /// The digits, if so many stood behind the point.
    pub(super) fn digits_at(&self, scale: usize) -> BigInt {
        self.scaled(scale).digits
    }

    pub(super) fn whole(&self) -> BigInt {
        self.digits_at(0)
    }

    pub(super) fn to_usize(&self) -> Option<usize> {
        usize::try_from(self.whole()).ok()
    }

    pub(super) fn negated(&self) -> Self {
        Self::new(-&self.digits, self.scale)
    }

    pub(super) fn add(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self::new(self.digits_at(scale) + other.digits_at(scale), scale)
    }

    pub(super) fn subtract(&self, other: &Self) -> Self {
        self.add(&other.negated())
    }

    pub(super) fn multiply(&self, other: &Self, scale: usize) -> Self {
        let full = self.scale + other.scale;
        let kept = full.min(scale.max(self.scale).max(other.scale));
        Self::new(&self.digits * &other.digits, full).scaled(kept)
    }

    /// None if it is divided by zero.
    pub(super) fn divide(&self, other: &Self, scale: usize) -> Option<Self> {
        if other.is_zero() {
            return None;
        }
        let digits = &self.digits * ten(scale + other.scale) / (&other.digits * ten(self.scale));
        Some(Self::new(digits, scale))
    }

    pub(super) fn remainder(&self, other: &Self, scale: usize) -> Option<Self> {
        let times = self.divide(other, scale)?;
        let kept = self.scale.max(scale + other.scale);
        let product = Self::new(&times.digits * &other.digits, times.scale + other.scale);
        Some(self.subtract(&product).scaled(kept))
    }

    /// None if it is zero to a power below zero.
    pub(super) fn power(&self, exponent: &BigInt, scale: usize) -> Option<Self> {
        let size = u32::try_from(exponent.magnitude().clone()).ok()?;
        let full = self.scale.checked_mul(size as usize)?;
        let power = Self::new(self.digits.pow(size), full);
        if exponent.sign() == Sign::Minus {
            return Self::of(1).divide(&power, scale);
        }
        Some(power.scaled(full.min(scale.max(self.scale))))
    }

    /// None of a number below zero.
    pub(super) fn root(&self, scale: usize) -> Option<Self> {
        if self.digits.sign() == Sign::Minus {
            return None;
        }
        let scale = scale.max(self.scale);
        Some(Self::new(self.digits_at(2 * scale).sqrt(), scale))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.digits_at(scale).cmp(&other.digits_at(scale))
    }

    /// How many digits it has.
    pub(super) fn length(&self) -> usize {
        if self.is_zero() { self.scale.max(1) } else { self.digits.magnitude().to_string().len().max(self.scale) }
    }

    /// Reads digits of a base. A single one is what it is in any base; of several none is above the base's last.
    pub(super) fn parse(text: &str, base: usize) -> Self {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let most = if whole.len() + part.len() == 1 { 15 } else { base - 1 };
        let value = |digit: char| BigInt::from((digit.to_digit(16).unwrap_or(0) as usize).min(most));
        let fold = |digits: &str| digits.chars().fold(BigInt::ZERO, |sum, digit| sum * base + value(digit));
        let (integer, fraction) = (fold(whole), fold(part));
        let scale = part.len();
        let size = BigInt::from(base).pow(u32::try_from(scale).unwrap_or(u32::MAX));
        Self::new(integer * ten(scale) + fraction * ten(scale) / size, scale)
    }

    pub(super) fn shown(&self, base: usize) -> String {
        let sign = if self.digits.sign() == Sign::Minus { "-" } else { "" };
        let digits = BigInt::from_biguint(Sign::Plus, self.digits.magnitude().clone());
        let unit = ten(self.scale);
        let (whole, mut part) = (&digits / &unit, &digits % &unit);
        if self.is_zero() {
            return "0".to_owned();
        }
        if base == 10 {
            let whole = if whole.sign() == Sign::NoSign { String::new() } else { whole.to_string() };
            let (part, scale) = (part.to_string(), self.scale);
            let point = if scale > 0 { format!(".{part:0>scale$}") } else { String::new() };
            return format!("{sign}{whole}{point}");
        }
        let mut out = sign.to_owned();
        let mut places = Vec::new();
        let mut rest = whole;
        while rest.sign() != Sign::NoSign {
            places.push(usize::try_from(&rest % base).unwrap_or(0));
            rest /= base;
        }
        out.extend(places.iter().rev().map(|place| digit(*place, base)));
        if self.scale > 0 {
            out.push('.');
            let mut reached = BigInt::from(1);
            while reached.to_string().len() <= self.scale {
                part *= base;
                out.push_str(&digit(usize::try_from(&part / &unit).unwrap_or(0), base));
                part %= &unit;
                reached *= base;
            }
        }
        out
    }
}

/// A digit; in bases above 16 a number, with a space before it.
fn digit(value: usize, base: usize) -> String {
    if base > 16 {
        let width = (base - 1).to_string().len();
        return format!(" {value:0>width$}");
    }
    format!("{value:X}")
}
