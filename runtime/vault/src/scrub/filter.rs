//! Tells quickly where no form begins.
//!
//! Two filters. The quick one looks at four bytes in a row, every four bytes: a form that is written without escapes has
//! seven plain bytes, and so one such window. The exact one looks at three bytes at each place, where the quick one cannot
//! say: around what escapes begin with and line breaks, and where all is digits, which may be separated in many ways.

use super::class::{Class, Gap, Symbol};
use super::escapes;
use super::forms::{Form, PREFIX, SEPARATORS};

/// Kinds of bytes: letters and digits each have one of their own.
const KINDS: usize = 64;
/// What escapes begin with, and line breaks: whatever follows has to be read.
const SPECIAL: u8 = 62;
/// All other bytes.
const OTHER: u8 = 63;
/// Places that the exact filter looks at in one go.
const EXACT: usize = 8;
/// Bytes of a window, and from one to the next.
const WINDOW: usize = 4;
/// Bytes that the quick filter looks at in one go: two windows, and a group, of which one byte is to be no digit.
const GROUP: usize = 8;
/// Where special bytes are nearer to each other than this, looking for the next one costs more than it saves.
const DENSE: usize = 48;
/// How far before a group a form may begin that has one of its windows there, or is of digits and fills it.
const BEHIND: usize = 15;

pub(super) struct Filter {
    kinds: [u8; 256],
    /// Which three bytes, by their kinds, a form may begin with: at the kinds of two, a bit for each kind of the third.
    triples: Box<[u64; KINDS * KINDS]>,
    /// Which four bytes, by a number made of them, may be among the first seven of a form: a bit for each number.
    windows: Box<[u64; 1 << (NUMBER_BITS - 6)]>,
    /// Whether a value has quotes, which may be doubled anywhere.
    is_exact: bool,
}

/// Where to look on.
#[derive(Default)]
pub(super) struct Cursor {
    at: usize,
    /// Up to where each place is looked at.
    exact: usize,
    /// The next special byte of either half of them, where it is known.
    special: [usize; 2],
}

impl Cursor {
    pub(super) fn from(at: usize) -> Self {
        Self { at, exact: at, special: [0; 2] }
    }

    /// The next special byte; the text's length if there is none.
    fn next_special(&mut self, text: &[u8]) -> usize {
        let [first, second] = &mut self.special;
        let rest = &text[self.at..];
        if *first < self.at || self.at == 0 {
            *first = memchr::memchr3(b'%', b'\\', b'&', rest).map_or(text.len(), |place| self.at + place);
        }
        if *second < self.at || self.at == 0 {
            *second = memchr::memchr3(b'=', b'\r', b'\n', rest).map_or(text.len(), |place| self.at + place);
        }
        (*first).min(*second)
    }
}

impl Filter {
    pub(super) fn new(forms: &[Form], classes: &[Class]) -> Self {
        let mut filter = Self {
            kinds: std::array::from_fn(kind),
            triples: Box::new([0; KINDS * KINDS]),
            windows: Box::new([0; 1 << (NUMBER_BITS - 6)]),
            is_exact: false,
        };
        for form in forms {
            filter.add(&form.symbols, classes, &[]);
            let is_digits = form.symbols.iter().any(|symbol| symbol.gap() == Gap::Separators);
            let windows = form.symbols.windows(WINDOW).take(WINDOW).filter(|_| !is_digits);
            windows.for_each(|window| filter.add_window(window, classes, &[]));
            filter.is_exact |= form.symbols.iter().any(|symbol| classes[symbol.class()].bytes().any(is_quote));
        }
        filter
    }

    fn add_window(&mut self, symbols: &[Symbol], classes: &[Class], known: &[u8]) {
        let Some(symbol) = symbols.first() else {
            let number = number([known[0], known[1], known[2], known[3]]);
            self.windows[number >> 6] |= 1 << (number & 63);
            return;
        };
        let mut folded: Vec<u8> = classes[symbol.class()].bytes().map(|byte| byte | CASE).collect();
        folded.sort_unstable();
        folded.dedup();
        for byte in folded {
            self.add_window(&symbols[1..], classes, &[known, &[byte]].concat());
        }
    }

    /// Adds what the first three bytes may be, of which some are known.
    fn add(&mut self, symbols: &[Symbol], classes: &[Class], known: &[u8]) {
        let Some(symbol) = symbols.first().filter(|_| known.len() < 3) else { return self.set(known) };
        for next in nexts(*symbol, classes) {
            let known = [known, &[kind(usize::from(next.byte))]].concat();
            if next.is_known {
                self.add(&symbols[1..], classes, &known);
            } else {
                self.set(&known);
            }
        }
    }

    fn set(&mut self, known: &[u8]) {
        let kinds = |at: usize| {
            let all = 0..KINDS;
            known.get(at).map_or(all, |kind| usize::from(*kind)..usize::from(*kind) + 1)
        };
        for first in kinds(0) {
            for second in kinds(1) {
                for third in kinds(2) {
                    self.triples[first * KINDS + second] |= 1 << third;
                }
            }
        }
    }

    /// The next place where a form may begin; the text's length if there is none. The last two bytes are always such places.
    pub(super) fn next(&self, text: &[u8], cursor: &mut Cursor) -> usize {
        loop {
            if cursor.at < cursor.exact {
                let found = self.next_exact(text, cursor.at, cursor.exact);
                cursor.at = found + 1;
                if found < cursor.exact {
                    return found;
                }
                cursor.at = cursor.exact;
            }
            if cursor.at >= text.len() {
                return text.len();
            }
            self.look_ahead(text, cursor);
        }
    }

    /// Goes to the next places that have to be looked at exactly.
    fn look_ahead(&self, text: &[u8], cursor: &mut Cursor) {
        let from = cursor.at;
        let special = cursor.next_special(text);
        let quick = if self.is_exact { &[] } else { &text[from..special.saturating_sub(BEHIND).max(from)] };
        let groups = quick.as_chunks::<GROUP>().0;
        let found = groups.iter().position(|group| is_digits(*group) | self.is_hit(*group));
        let at = from + found.unwrap_or(groups.len()) * GROUP;
        cursor.at = at.saturating_sub(BEHIND).max(from);
        cursor.exact = match found {
            Some(_) => at + GROUP,
            None if special - from < DENSE => text.len().min(from + DENSE),
            None => text.len().min(special + 1),
        };
    }

    /// Whether a window may be of a form.
    fn is_hit(&self, [a, b, c, d, e, f, g, h]: [u8; GROUP]) -> bool {
        let bit = |number: usize| self.windows[number >> 6] >> (number & 63) & 1;
        bit(number([a, b, c, d])) | bit(number([e, f, g, h])) == 1
    }

    fn next_exact(&self, text: &[u8], mut at: usize, end: usize) -> usize {
        while let Some(block) = text.get(at..).and_then(<[u8]>::first_chunk::<{ EXACT + 2 }>).filter(|_| at < end) {
            let mut hits = 0_u32;
            for place in 0..EXACT {
                hits |= (self.triple(block[place], block[place + 1], block[place + 2]) as u32) << place;
            }
            if hits != 0 {
                return at + hits.trailing_zeros() as usize;
            }
            at += EXACT;
        }
        while let Some(&[first, second, third]) = text.get(at..).and_then(<[u8]>::first_chunk::<3>).filter(|_| at < end)
        {
            if self.triple(first, second, third) == 1 {
                return at;
            }
            at += 1;
        }
        at
    }

    fn triple(&self, first: u8, second: u8, third: u8) -> u64 {
        let kind = |byte: u8| usize::from(self.kinds[usize::from(byte)] & 63);
        self.triples[kind(first) << 6 | kind(second)] >> kind(third) & 1
    }
}

/// Bits of the number that is made of four bytes.
const NUMBER_BITS: u32 = 18;
/// What differs between the cases of a letter.
const CASE: u8 = 0x20;

fn number(bytes: [u8; WINDOW]) -> usize {
    let folded = u32::from_le_bytes(bytes) | u32::from_le_bytes([CASE; WINDOW]);
    (folded.wrapping_mul(0x9e37_79b1) >> (u32::BITS - NUMBER_BITS)) as usize
}

/// Whether all may be digits and separators: there is no letter from `g` to `w`, and nothing but ASCII.
fn is_digits(group: [u8; GROUP]) -> bool {
    let each = |byte: u8| u64::from_le_bytes([byte; GROUP]);
    let high = each(0x80);
    let bytes = u64::from_le_bytes(group) | each(CASE);
    // The highest bit of a byte that is less than 128 says whether it is at least so much.
    let at_least = |least: u8| (bytes & !high) + each(0x80 - least);
    (at_least(b'g') & !at_least(b'x') | bytes) & high == 0
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}

fn kind(byte: usize) -> u8 {
    let byte = byte as u8;
    match byte {
        b'0'..=b'9' => byte - b'0',
        b'a'..=b'z' => byte - b'a' + 10,
        b'A'..=b'Z' => byte - b'A' + 36,
        b'\r' | b'\n' => SPECIAL,
        _ if escapes::is_introducer(byte) => SPECIAL,
        _ => OTHER,
    }
}

/// A byte that a symbol may begin with.
struct Next {
    byte: u8,
    /// Whether the next symbol follows it.
    is_known: bool,
}

fn nexts(symbol: Symbol, classes: &[Class]) -> Vec<Next> {
    let class = classes[symbol.class()];
    // A quote may be doubled.
    let own = class.bytes().map(|byte| Next { byte, is_known: !is_quote(byte) });
    let gap = match symbol.gap() {
        Gap::None => Vec::new(),
        Gap::Lines => b"\n".to_vec(),
        Gap::Separators => [SEPARATORS, PREFIX].concat(),
    };
    let open = gap.into_iter().chain([b'\\']).map(|byte| Next { byte, is_known: false });
    own.chain(open).collect()
}
