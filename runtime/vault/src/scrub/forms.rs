//! How servers write a value: each form as a row of sets of bytes.

use super::class::{Class, Classes, Gap, Symbol};
use zeroize::Zeroizing;

/// A form of fewer symbols occurs by chance.
const SYMBOLS_MIN: usize = 6;

/// One way to write one value.
pub(super) struct Form {
    pub(super) symbols: Zeroizing<Vec<Symbol>>,
    /// Bytes of the value.
    pub(super) value_bytes: usize,
    /// Zeros between its characters, in UTF-16 and UTF-32.
    pub(super) zeros: usize,
}

impl Form {
    /// Whether so many symbols are enough of a value to be withheld at the end of a text: eight bytes, or more than half.
    pub(super) fn reveals(&self, symbols: usize) -> bool {
        let bytes = symbols * self.value_bytes / self.symbols.len();
        bytes >= 8.min(self.value_bytes / 2 + 1)
    }
}

/// Every form of a value, but for escapes, which may stand for any byte of any form.
pub(super) fn of(value: &[u8], classes: &mut Classes) -> Vec<Form> {
    let mut rows = vec![(0, raw(value, classes)), (0, hex(value, classes)), (0, decimal(value, classes))];
    // Big-endian is little-endian but for a zero at either end.
    rows.extend([1, 3].map(|zeros| (zeros, wide(value, zeros, classes))));
    rows.extend((0..3).map(|before| (0, radix(value, before, &BASE64, classes))));
    rows.extend((0..5).map(|before| (0, radix(value, before, &BASE32, classes))));
    let form = |(zeros, symbols)| Form { symbols: Zeroizing::new(symbols), value_bytes: value.len(), zeros };
    let forms = rows.into_iter().map(form);
    forms.filter(|form| form.symbols.len() >= SYMBOLS_MIN).collect()
}

/// As it is, in any case. A form's `+` for a space too.
fn raw(value: &[u8], classes: &mut Classes) -> Vec<Symbol> {
    let class = |byte: &u8| if *byte == b' ' { Class::of(b" +") } else { Class::any_case(*byte) };
    value.iter().map(|byte| classes.symbol(class(byte), Gap::None)).collect()
}

/// UTF-16 and UTF-32.
fn wide(value: &[u8], zeros: usize, classes: &mut Classes) -> Vec<Symbol> {
    let zero = classes.symbol(Class::of(&[0]), Gap::None);
    let mut symbols = Vec::with_capacity(value.len() * (zeros + 1));
    for (at, byte) in value.iter().enumerate() {
        symbols.extend(std::iter::repeat_n(zero, if at == 0 { 0 } else { zeros }));
        symbols.push(classes.symbol(Class::any_case(*byte), Gap::None));
    }
    symbols
}

/// Two digits a byte, as `736b2d`, `73:6b:2d`, `0x73, 0x6b`.
fn hex(value: &[u8], classes: &mut Classes) -> Vec<Symbol> {
    let mut symbols = Vec::with_capacity(value.len() * 2);
    for byte in value {
        for (digit, gap) in [(byte >> 4, Gap::Separators), (byte & 15, Gap::None)] {
            let class = Class::any_case(b"0123456789abcdef"[usize::from(digit)]);
            symbols.push(classes.symbol(class, if symbols.is_empty() { Gap::None } else { gap }));
        }
    }
    symbols
}

/// A list of numbers, as JSON writes bytes: `115,107,45`.
fn decimal(value: &[u8], classes: &mut Classes) -> Vec<Symbol> {
    let mut symbols = Vec::with_capacity(value.len() * 4);
    for byte in value {
        let mut gap = Gap::None;
        if !symbols.is_empty() {
            symbols.push(classes.symbol(Class::of(SEPARATORS), Gap::None));
            gap = Gap::Separators;
        }
        for digit in byte.to_string().bytes() {
            symbols.push(classes.symbol(Class::of(&[digit]), gap));
            gap = Gap::None;
        }
    }
    symbols
}

/// What stands between numbers,
pub(super) const SEPARATORS: &[u8] = b" \t\r\n,:;-.";
/// and in front of each, as in `0x73` and `073`.
pub(super) const PREFIX: &[u8] = b"0xX";

/// An encoding that cuts bytes into digits of a few bits.
struct Radix {
    bits: usize,
    digit: fn(usize) -> Class,
}

const BASE64: Radix = Radix { bits: 6, digit: base64_digit };
const BASE32: Radix = Radix { bits: 5, digit: base32_digit };

/// In the standard alphabet, and in that for URLs.
fn base64_digit(value: usize) -> Class {
    const DIGITS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    match value {
        62 => Class::of(b"+-"),
        63 => Class::of(b"/_"),
        _ => Class::of(&[DIGITS[value]]),
    }
}

fn base32_digit(value: usize) -> Class {
    Class::any_case(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[value])
}

/// A value with `before` bytes in front of it. Searched for are the digits that nothing in front of it decides; the last
/// may be decided by what follows in part.
fn radix(value: &[u8], before: usize, radix: &Radix, classes: &mut Classes) -> Vec<Symbol> {
    let bits = radix.bits;
    let bit = |at: usize| usize::from(value[at / 8] >> (7 - at % 8) & 1);
    // The first digit that begins within the value, in bits from its beginning.
    let start = (bits - before * 8 % bits) % bits;
    let mut symbols = Vec::with_capacity(value.len() * 8 / bits + 1);
    for at in (start..value.len() * 8).step_by(bits) {
        let known = (value.len() * 8 - at).min(bits);
        let high = (at..at + known).fold(0, |digit, at| digit << 1 | bit(at)) << (bits - known);
        let class = (0..1 << (bits - known)).map(|low| (radix.digit)(high | low));
        let class = class.fold(Class::default(), Class::with);
        symbols.push(classes.symbol(class, if symbols.is_empty() { Gap::None } else { Gap::Lines }));
    }
    symbols
}
