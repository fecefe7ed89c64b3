//! What `sub`, `gsub`, `gensub` and `rand` do.

use regex::bytes::{Captures, Regex};

/// A generator of numbers that are not to be guessed at a glance, the same in each run
/// until `srand` says otherwise.
pub(super) struct Random {
    state: u64,
    pub(super) seed: f64,
}

impl Default for Random {
    fn default() -> Self {
        let mut random = Self { state: 0, seed: 0.0 };
        random.sow(0.0);
        random
    }
}

impl Random {
    pub(super) fn sow(&mut self, seed: f64) {
        self.seed = seed;
        self.state = seed.to_bits() ^ 0x9e37_79b9_7f4a_7c15;
    }

    /// From 0 up to 1. (SplitMix64.)
    pub(super) fn next(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let part = (mixed >> 11) as f64;
        part / (1_u64 << 53) as f64
    }
}

/// Which matches are replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// Counted from 1.
    Nth(usize),
}

/// Replaces matches. The text, and how many were replaced; `groups` says whether `\1`
/// means a group, as for `gensub`.
pub(super) fn replace(text: &[u8], regex: &Regex, by: &[u8], which: Which, groups: bool) -> (Vec<u8>, usize) {
    let mut out = Vec::with_capacity(text.len());
    let (mut from, mut count, mut seen) = (0, 0, 0);
    // Where the last match ended, so that nothing empty is found right there.
    let mut last_end = None;
    for found in regex.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        if whole.is_empty() && last_end == Some(whole.start()) {
            continue;
        }
        last_end = Some(whole.end());
        seen += 1;
        if let Which::Nth(wanted) = which
            && seen != wanted
        {
            continue;
        }
        out.extend_from_slice(&text[from..whole.start()]);
        expand(&mut out, &found, by, groups);
        from = whole.end();
        count += 1;
        if which != Which::All {
            break;
        }
    }
    out.extend_from_slice(&text[from..]);
    (out, count)
}

fn expand(out: &mut Vec<u8>, found: &Captures<'_>, by: &[u8], groups: bool) {
    let group = |out: &mut Vec<u8>, number: usize| {
        out.extend_from_slice(found.get(number).map_or(&b""[..], |group| group.as_bytes()));
    };
    let mut at = 0;
    while at < by.len() {
        match (by[at], by.get(at + 1)) {
            (b'&', _) => group(out, 0),
            (b'\\', Some(b'&')) => {
                out.push(b'&');
                at += 1;
            }
            (b'\\', Some(b'\\')) => {
                out.push(b'\\');
                at += 1;
            }
            (b'\\', Some(digit @ b'0'..=b'9')) if groups => {
                group(out, usize::from(digit - b'0'));
                at += 1;
            }
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
}
