//! The functions of `bc -l`: as whole numbers of so small parts that what is cut off in the end is right.

use super::number::{Number, ten};
use num_bigint::{BigInt, Sign};

/// Digits that are worked with behind those that are asked for.
const GUARD: usize = 12;
/// More than this no power of e can be waited for.
const EXPONENT_MAX: usize = 100_000;

/// Numbers as multiples of a small part.
struct Parts {
    scale: usize,
    one: BigInt,
}

impl Parts {
    fn new(scale: usize) -> Self {
        Self { scale, one: ten(scale) }
    }

    fn times(&self, left: &BigInt, right: &BigInt) -> BigInt {
        left * right / &self.one
    }

    fn over(&self, left: &BigInt, right: &BigInt) -> BigInt {
        left * &self.one / right
    }

    fn root(&self, parts: &BigInt) -> BigInt {
        (parts * &self.one).sqrt()
    }

    /// A sum of terms, each made of the one before it and its place, until they are nothing.
    fn sum(first: BigInt, mut next: impl FnMut(BigInt, usize) -> BigInt) -> BigInt {
        let (mut sum, mut term, mut place) = (BigInt::ZERO, first, 1);
        while term.sign() != Sign::NoSign {
            sum += &term;
            term = next(term, place);
            place += 1;
        }
        sum
    }

    /// The sum of every second power over its number, with signs that change or not.
    fn odd_powers(&self, of: &BigInt, alternating: bool) -> BigInt {
        let square = self.times(of, of);
        let mut power = of.clone();
        let mut sum = power.clone();
        let mut place = 1_usize;
        while power.sign() != Sign::NoSign {
            power = self.times(&power, &square);
            if alternating {
                power = -power;
            }
            place += 2;
            sum += &power / place;
        }
        sum
    }

    fn arctangent(&self, tangent: &BigInt) -> BigInt {
        let (mut tangent, mut halved) = (tangent.clone(), 0);
        // Small ones need few terms; half of an angle has (√(1+t²) − 1) / t.
        while tangent.magnitude() * 10_u32 > *self.one.magnitude() {
            let root = self.root(&(&self.one + self.times(&tangent, &tangent)));
            tangent = self.over(&tangent, &(&self.one + root));
            halved += 1;
        }
        self.odd_powers(&tangent, true) << halved
    }

    fn exponential(&self, exponent: &BigInt) -> BigInt {
        let (mut small, mut halved) = (exponent.clone(), 0);
        while small.magnitude() * 4_u32 > *self.one.magnitude() {
            small /= 2;
            halved += 1;
        }
        let mut power = Self::sum(self.one.clone(), |term, place| self.times(&term, &small) / place);
        for _ in 0..halved {
            power = self.times(&power, &power);
        }
        power
    }

    fn logarithm(&self, number: &BigInt) -> BigInt {
        let (mut near, mut roots) = (number.clone(), 0);
        while near > &self.one * 11 / 10 || near < &self.one * 9 / 10 {
            near = self.root(&near);
            roots += 1;
        }
        let ratio = self.over(&(&near - &self.one), &(&near + &self.one));
        self.odd_powers(&ratio, false) << (roots + 1)
    }

    fn sine(&self, angle: &BigInt) -> BigInt {
        let square = self.times(angle, angle);
        Self::sum(angle.clone(), |term, place| -self.times(&term, &square) / (2 * place * (2 * place + 1)))
    }
}

fn worked(number: &Number, scale: usize, more: usize, work: impl Fn(&Parts, BigInt) -> BigInt) -> Number {
    let parts = Parts::new(scale.max(number.scale) + GUARD + more);
    let digits = work(&parts, number.digits_at(parts.scale));
    Number::new(digits, parts.scale).scaled(scale)
}

pub(super) fn arctangent(number: &Number, scale: usize) -> Number {
    worked(number, scale, 0, |parts, tangent| parts.arctangent(&tangent))
}

/// None where it is too big to wait for.
pub(super) fn exponential(number: &Number, scale: usize) -> Option<Number> {
    let size = usize::try_from(number.whole().magnitude().clone()).ok().filter(|size| *size <= EXPONENT_MAX)?;
    // Every squaring doubles what is cut off, and the power has digits before the point.
    Some(worked(number, scale, size / 2 + 20, |parts, exponent| {
        if exponent.sign() == Sign::Minus {
            return parts.over(&parts.one, &parts.exponential(&-exponent));
        }
        parts.exponential(&exponent)
    }))
}

/// None if it has no logarithm that is a number: `bc` gives the smallest it can write, then.
pub(super) fn logarithm(number: &Number, scale: usize) -> Option<Number> {
    if number.compare(&Number::of(0)).is_le() {
        return None;
    }
    let more = number.length() / 2 + 20;
    Some(worked(number, scale, more, |parts, number| parts.logarithm(&number)))
}

pub(super) fn sine(number: &Number, scale: usize) -> Number {
    turned(number, scale, 0)
}

pub(super) fn cosine(number: &Number, scale: usize) -> Number {
    turned(number, scale, 1)
}

/// The sine of an angle so many quarters on.
fn turned(number: &Number, scale: usize, quarters: usize) -> Number {
    let more = number.length();
    worked(number, scale, more, |parts, angle| {
        let half = parts.arctangent(&parts.one) * 2;
        let straight: BigInt = &half * 2;
        let mut angle = (angle + &half * quarters) % (&straight * 2);
        // To between a quarter back and a quarter on, where few terms are needed.
        if angle > straight {
            angle -= &straight * 2;
        } else if angle < -&straight {
            angle += &straight * 2;
        }
        if angle > half {
            angle = &straight - angle;
        } else if angle < -&half {
            angle = -&straight - angle;
        }
        parts.sine(&angle)
    })
}
