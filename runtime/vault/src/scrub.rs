//! Takes a principal's secrets out of whatever comes back.
//!
//! Found is the raw value alone: a server that sends it back encoded (Base64, percent, JSON escapes) is not caught yet.

use crate::Secret;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// What stands where a secret was.
const MASK: &[u8] = b"****";

/// Searches one body for several secrets.
pub(crate) struct Scrubber {
    searches: Vec<Search>,
}

impl Scrubber {
    pub(crate) fn new(needles: &Needles) -> Self {
        Self { searches: needles.0.iter().map(|needle| Search { needle: Arc::clone(needle), matched: 0 }).collect() }
    }

    /// What of it may be shown now. Held back is only what may be the beginning of a secret.
    pub(crate) fn push(&mut self, piece: Bytes) -> Bytes {
        self.searches.iter_mut().fold(piece, |piece, search| search.push(piece))
    }

    /// What was held back to the end.
    pub(crate) fn finish(&mut self) -> Bytes {
        let mut rest = Bytes::new();
        for search in &mut self.searches {
            let mut shown = BytesMut::from(search.push(rest));
            shown.extend_from_slice(search.held());
            search.matched = 0;
            rest = shown.freeze();
        }
        rest
    }
}

/// The secrets of a principal, ready to be searched for.
#[derive(Clone, Default)]
pub(crate) struct Needles(Arc<[Arc<Needle>]>);

impl Needles {
    pub(crate) fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        let mut needles: Vec<_> = secrets.map(|secret| Arc::new(Needle::new(secret.clone()))).collect();
        // The longest first: otherwise one that begins another would leave the rest of it.
        needles.sort_by_key(|needle| std::cmp::Reverse(needle.secret.reveal().len()));
        Self(needles.into())
    }

    /// A text without them.
    pub(crate) fn scrub_text(&self, text: String) -> String {
        let mut scrubber = Scrubber::new(self);
        let mut shown = BytesMut::from(scrubber.push(Bytes::from(text)));
        shown.extend_from_slice(&scrubber.finish());
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Whether a text that lost its case holds one of them.
    pub(crate) fn are_in_lower_case(&self, text: &str) -> bool {
        self.0
            .iter()
            .any(|needle| text.contains(&*String::from_utf8_lossy(needle.secret.reveal()).to_ascii_lowercase()))
    }
}

/// A secret with its table of borders (Knuth, Morris, Pratt).
struct Needle {
    secret: Secret,
    /// At `i`: the length of the longest proper prefix of `secret[..=i]` that also ends it.
    borders: Vec<usize>,
}

impl Needle {
    fn new(secret: Secret) -> Self {
        let bytes = secret.reveal();
        let mut borders = vec![0; bytes.len()];
        let mut length = 0;
        for at in 1..bytes.len() {
            while length > 0 && bytes[at] != bytes[length] {
                length = borders[length - 1];
            }
            length += usize::from(bytes[at] == bytes[length]);
            borders[at] = length;
        }
        Self { secret, borders }
    }
}

struct Search {
    needle: Arc<Needle>,
    /// How many bytes of the secret end what was pushed; exactly these are held back.
    matched: usize,
}

impl Search {
    fn held(&self) -> &[u8] {
        &self.needle.secret.reveal()[..self.matched]
    }

    fn push(&mut self, piece: Bytes) -> Bytes {
        let secret = self.needle.secret.reveal();
        if self.matched == 0 && !piece.contains(&secret[0]) {
            return piece;
        }
        let mut shown = BytesMut::with_capacity(piece.len() + self.matched);
        for &byte in &piece {
            while self.matched > 0 && byte != secret[self.matched] {
                let border = self.needle.borders[self.matched - 1];
                shown.extend_from_slice(&secret[..self.matched - border]);
                self.matched = border;
            }
            if byte == secret[self.matched] {
                self.matched += 1;
            } else {
                shown.extend_from_slice(&[byte]);
            }
            if self.matched == secret.len() {
                shown.extend_from_slice(MASK);
                self.matched = 0;
            }
        }
        shown.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(secrets: &[&str]) -> Needles {
        let secrets: Vec<_> = secrets.iter().map(|secret| Secret::new(*secret).unwrap()).collect();
        Needles::new(secrets.iter())
    }

    fn scrub(needles: &Needles, pieces: &[&str]) -> String {
        let mut scrubber = Scrubber::new(needles);
        let mut shown: Vec<u8> = Vec::new();
        for piece in pieces {
            shown.extend_from_slice(&scrubber.push(Bytes::copy_from_slice(piece.as_bytes())));
        }
        shown.extend_from_slice(&scrubber.finish());
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_secret_is_found_wherever_the_pieces_break() {
        let secret = "abacabadabacabae";
        let needles = needles(&[secret]);
        let text = format!("x{secret}{secret}abacabad{secret}abac");
        let wanted = "x********abacabad****abac";
        for first in 0..text.len() {
            for second in first..text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(scrub(&needles, &pieces), wanted, "{first} {second}");
            }
        }
    }

    #[test]
    fn nothing_is_held_back_but_the_beginning_of_a_secret() {
        let needles = needles(&["sk-canary-0123"]);
        let mut scrubber = Scrubber::new(&needles);
        assert_eq!(scrubber.push(Bytes::from_static(b"data: hello\n\n")), "data: hello\n\n");
        assert_eq!(scrubber.push(Bytes::from_static(b"a sk-can")), "a ");
        assert_eq!(scrubber.push(Bytes::from_static(b"t")), "sk-cant");
        assert_eq!(scrubber.finish(), "");
    }

    #[test]
    fn of_two_secrets_neither_is_shown() {
        let both = needles(&["sk-canary", "sk-canary-long"]);
        assert_eq!(scrub(&both, &["sk-canary-lo", "ng sk-canary sk-canary-lon"]), "**** **** ****-lon");
        assert!(both.are_in_lower_case("x-sk-canary-y"));
        assert_eq!(both.scrub_text("é sk-canary".to_owned()), "é ****");
        assert_eq!(Needles::default().scrub_text("all".to_owned()), "all");
    }
}
