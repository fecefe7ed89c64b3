//! Finds credentials that a request brings itself, on their way to somebody whose they are not.

use crate::Secret;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;

/// A credential with its table of borders (Knuth, Morris, Pratt).
pub(crate) struct Pattern {
    /// The name of the binding whose credential it is.
    pub(crate) of: Arc<str>,
    pub(crate) secret: Secret,
    borders: Vec<usize>,
}

impl Pattern {
    pub(crate) fn new(of: Arc<str>, secret: Secret) -> Self {
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
        Self { of, secret, borders }
    }

    /// How much of the credential ends what came so far; `None` once all of it came.
    fn step(&self, mut matched: usize, byte: u8) -> Option<usize> {
        let bytes = self.secret.reveal();
        while matched > 0 && byte != bytes[matched] {
            matched = self.borders[matched - 1];
        }
        matched += usize::from(byte == bytes[matched]);
        (matched < bytes.len()).then_some(matched)
    }
}

/// Whether one of them stands in these bytes; the name of whose it is.
pub(crate) fn find(patterns: &[Arc<Pattern>], bytes: &[u8]) -> Option<Arc<str>> {
    // Most texts of a request's head are shorter than any credential, which is seen before they are searched.
    let found = patterns.iter().find(|pattern| {
        let secret = pattern.secret.reveal();
        secret.len() <= bytes.len() && memchr::memmem::find(bytes, secret).is_some()
    });
    found.map(|pattern| Arc::clone(&pattern.of))
}

/// Searches a body that comes in pieces. What may be the beginning of a credential is held back, so that not even most of
/// it leaves.
pub(crate) struct Scan {
    patterns: Vec<(Arc<Pattern>, usize)>,
    held: BytesMut,
}

impl Scan {
    pub(crate) fn new(patterns: Vec<Arc<Pattern>>) -> Self {
        Self { patterns: patterns.into_iter().map(|pattern| (pattern, 0)).collect(), held: BytesMut::new() }
    }

    /// What of it may leave now.
    pub(crate) fn push(&mut self, piece: Bytes) -> Result<Bytes, Arc<str>> {
        for (pattern, matched) in &mut self.patterns {
            for &byte in &piece {
                *matched = pattern.step(*matched, byte).ok_or_else(|| Arc::clone(&pattern.of))?;
            }
        }
        let longest = self.patterns.iter().map(|(_, matched)| *matched).max().unwrap_or_default();
        if longest == 0 && self.held.is_empty() {
            return Ok(piece);
        }
        self.held.extend_from_slice(&piece);
        let free = self.held.len() - longest;
        Ok(self.held.split_to(free).freeze())
    }

    /// What was held back to the end.
    pub(crate) fn finish(&mut self) -> Bytes {
        self.held.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(value: &str) -> Arc<Pattern> {
        Arc::new(Pattern::new("own".into(), Secret::new(value).unwrap()))
    }

    #[test]
    fn a_credential_is_found_wherever_the_pieces_break_and_no_more_than_its_beginning_was_let_go() {
        let secret = "abacabadabacabae";
        let text = format!("x{secret}y");
        for first in 0..text.len() {
            let mut scan = Scan::new(vec![pattern("canary-0"), pattern(secret)]);
            let mut left = Vec::new();
            let mut found = false;
            for piece in [&text[..first], &text[first..]] {
                match scan.push(Bytes::copy_from_slice(piece.as_bytes())) {
                    Ok(bytes) => left.extend_from_slice(&bytes),
                    Err(_) => found = true,
                }
            }
            assert!(found && left.len() <= 1, "{first}: {left:?}");
        }
        assert!(find(&[pattern(secret)], text.as_bytes()).is_some());
        assert!(find(&[pattern(secret)], &text.as_bytes()[..secret.len()]).is_none());
    }

    #[test]
    fn whatever_holds_none_leaves_whole() {
        let mut scan = Scan::new(vec![pattern("abacabad"), pattern("bacabbbd")]);
        let mut left = Vec::new();
        for piece in ["xxabaca", "b", "acabxabacab", "bb"] {
            left.extend_from_slice(&scan.push(Bytes::copy_from_slice(piece.as_bytes())).unwrap());
        }
        left.extend_from_slice(&scan.finish());
        assert_eq!(left, b"xxabacabacabxabacabbb");
    }
}
