//! Tells quickly where no form begins.

use super::class::{Class, Gap, Symbol};
use super::escapes;
use super::forms::{Form, PREFIX, SEPARATORS};

/// Kinds of bytes: letters and digits each have one of their own.
const KINDS: usize = 64;
/// What escapes begin with, and line breaks: whatever follows has to be read.
const SPECIAL: u8 = 62;
/// All other bytes.
const OTHER: u8 = 63;
/// Places that are looked at in one go.
const BLOCK: usize = 16;

/// Which three bytes, by their kinds, a form may begin with: at the kinds of two, a bit for each kind of the third.
pub(super) struct Filter {
    kinds: [u8; 256],
    triples: Box<[u64; KINDS * KINDS]>,
}

impl Filter {
    pub(super) fn new(forms: &[Form], classes: &[Class]) -> Self {
        let mut filter = Self { kinds: std::array::from_fn(kind), triples: Box::new([0; KINDS * KINDS]) };
        for form in forms {
            filter.add(&form.symbols, classes, &[]);
        }
        filter
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

    /// The first place from `at` on where a form may begin. The last two bytes are always such places.
    pub(super) fn next(&self, text: &[u8], mut at: usize) -> usize {
        while let Some(block) = text.get(at..at + BLOCK + 2) {
            let kinds: [usize; BLOCK + 2] =
                std::array::from_fn(|at| usize::from(self.kinds[usize::from(block[at])] & 63));
            let mut hits = 0_u32;
            for place in 0..BLOCK {
                let row = self.triples[kinds[place] * KINDS + kinds[place + 1]];
                hits |= ((row >> kinds[place + 2] & 1) as u32) << place;
            }
            if hits != 0 {
                return at + hits.trailing_zeros() as usize;
            }
            at += BLOCK;
        }
        while let Some(&[first, second, third]) = text.get(at..at + 3) {
            let kind = |byte: u8| usize::from(self.kinds[usize::from(byte)]);
            if self.triples[kind(first) * KINDS + kind(second)] >> kind(third) & 1 == 1 {
                return at;
            }
            at += 1;
        }
        at.min(text.len())
    }
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
    let own = class.bytes().map(|byte| Next { byte, is_known: !matches!(byte, b'"' | b'\'') });
    let gap = match symbol.gap() {
        Gap::None => Vec::new(),
        Gap::Lines => b"\n".to_vec(),
        Gap::Separators => [SEPARATORS, PREFIX].concat(),
    };
    let open = gap.into_iter().chain([b'\\']).map(|byte| Next { byte, is_known: false });
    own.chain(open).collect()
}
