//! Takes a principal's secrets out of whatever comes back.
//!
//! A secret is searched for in every form that a common server or framework writes, across the borders of the pieces that a
//! body comes in, and replaced by `****` (in the characters of the text, if those are UTF-16 or UTF-32). Held back is only
//! what may still become one.
//!
//! # What is found
//!
//! | form | such as, for `sk-1` |
//! |---|---|
//! | as it is, in any case | `sk-1`, `SK-1`, `Sk-1` |
//! | UTF-16 and UTF-32, either byte order | `s\0k\0-\01\0` |
//! | hexadecimal digits in any case, alone or separated | `736b2d31`, `73:6B:2D:31`, `0x73, 0x6b, 0x2d, 0x31` |
//! | a list of decimal numbers | `[115,107,45,49]`, `115 107 45 49` |
//! | Base64, both alphabets, padded or not, in lines or not, wherever in a longer value it stands | `c2stMQ==` |
//! | Base32, likewise, in any case | `ONVS2MI=` |
//!
//! In each of them, each byte may also be escaped, each in its own way:
//!
//! | escape | such as, for `/` |
//! |---|---|
//! | percent, once or up to three times over | `%2F`, `%2f`, `%252F`, `%u002f` |
//! | JSON, JavaScript, Python, C, Rust, regular expressions, shells | `\/`, `\u002f`, `\u{2f}`, `\U0000002f`, `\x2f`, `\57`, `\057` |
//! | the same in a string in a string, up to three deep | `\\\/`, `\\u002f` |
//! | HTML and XML, with leading zeros, with or without the semicolon, once or up to three times over | `&#47;`, `&#x2F;`, `&sol;`, `&amp;#47;` |
//! | quoted-printable, with its line breaks | `=2F` |
//! | quotes within quotes, of SQL, CSV and shells | `""`, `''`, `'\''` |
//!
//! So Base64 in a JSON string, or hexadecimal digits in a URL, are found too.
//!
//! # What is not found
//!
//! An encoding of an encoding other than by escapes (Base64 of Base64, Base64 of UTF-16); Base85, Base58, uuencode, yEnc, a hexdump
//! with offsets and a column of text; ciphers, hashes and compression (content codings are undone before, see
//! `decode.rs`); reversed, spaced out or one character a line; a part of a secret. Of the first character that Base64 or
//! Base32 shares with what stands before the secret, up to four bits stay. Whoever has the secret can always write it in a
//! way of his own: this guards against servers that repeat what they were sent, not against those that want to tell.
//!
//! # At the end
//!
//! What a text ends with, and a secret begins with, is given if it is short (`sk-`). From eight bytes of the secret on, or
//! more than half of it, `****` stands there: the text may have been cut within it. If the text ends because it was
//! cut, by a limit or a lost connection, what was held back is never given.

mod class;
mod escapes;
mod filter;
mod forms;
mod search;
#[cfg(test)]
mod tests;

use crate::Secret;
use bytes::{Bytes, BytesMut};
use filter::Cursor;
use search::{Forms, Trial};
use std::sync::Arc;

/// What stands where a secret was. In UTF-16 and UTF-32 with the zeros between, as the secret had them: a mask of other than
/// whole characters would garble all that follows.
const MASK: &[u8] = b"****";

/// The secrets of a principal, ready to be searched for. Cheap to clone; making it costs about 10 KB and 0.1 ms a secret.
#[derive(Clone)]
pub struct Needles(Arc<Forms>);

impl Needles {
    /// Searches for these.
    pub fn new<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Self {
        Self::of(secrets.map(Secret::reveal))
    }

    /// Searches for these values: secrets, and what is made of them, such as the Base64 that HTTP Basic sends. A scheme
    /// (`Bearer `) in front of a secret is left away, or it would count as a part of the secret.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        Self(Arc::new(Forms::new(values)))
    }

    /// A text without them.
    #[must_use]
    pub fn scrub_text(&self, text: String) -> String {
        String::from_utf8_lossy(&self.scrub_bytes(text.into_bytes())).into_owned()
    }

    /// Bytes without them; the same if there are none in them.
    #[must_use]
    pub fn scrub_bytes(&self, bytes: Vec<u8>) -> Vec<u8> {
        if self.is_empty() {
            return bytes;
        }
        let mut scrubber = Scrubber::new(self);
        let mut shown = BytesMut::from(scrubber.push(Bytes::from(bytes)));
        shown.extend_from_slice(&scrubber.finish());
        shown.into()
    }

    /// Whether a text holds one of them, or the beginning of one at its end that is long enough to be withheld.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let mut scrubber = Scrubber::new(self);
        scrubber.push(Bytes::copy_from_slice(text.as_bytes()));
        scrubber.finish();
        scrubber.found > 0
    }

    /// Whether there is nothing to search for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Default for Needles {
    fn default() -> Self {
        Self::of(std::iter::empty())
    }
}

impl std::fmt::Debug for Needles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Needles(****)")
    }
}

/// Searches one text, which comes in pieces.
pub struct Scrubber {
    needles: Needles,
    trial: Trial,
    /// From the first place on where a form has begun that is not decided on.
    held: BytesMut,
    /// How much of that is covered by a mask already.
    covered: usize,
    found: u64,
}

impl Scrubber {
    /// At the beginning of a text.
    #[must_use]
    pub fn new(needles: &Needles) -> Self {
        let needles = needles.clone();
        Self { needles, trial: Trial::default(), held: BytesMut::new(), covered: 0, found: 0 }
    }

    /// What of it may be shown now. Held back is only what may be the beginning of a secret.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        if piece.is_empty() || self.needles.is_empty() {
            return piece;
        }
        if self.held.is_empty() {
            return self.scan(piece, Begin::Fresh, End::MayFollow);
        }
        self.held.extend_from_slice(&piece);
        self.needles.0.resume(&self.held, &mut self.trial);
        if self.trial.end <= self.covered && !self.trial.open.is_empty() {
            return Bytes::new();
        }
        let text = std::mem::take(&mut self.held).freeze();
        self.scan(text, Begin::Resumed, End::MayFollow)
    }

    /// What was held back to the end of a text that is whole.
    pub fn finish(&mut self) -> Bytes {
        let text = std::mem::take(&mut self.held).freeze();
        if text.is_empty() {
            return text;
        }
        self.trial.end = 0;
        self.scan(text, Begin::Resumed, End::IsHere)
    }

    /// How often a secret was found so far.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.found
    }

    /// Shows `text` up to where something is open, and holds the rest.
    fn scan(&mut self, text: Bytes, begin: Begin, end: End) -> Bytes {
        let forms = Arc::clone(&self.needles.0);
        // Up to where the text was shown, or is covered by a mask.
        let mut done = std::mem::take(&mut self.covered);
        let mut shown = Shown { text: text.clone(), masked: BytesMut::new() };
        let mut cursor = Cursor::default();
        let mut at = match begin {
            Begin::Fresh => forms.next(&text, &mut cursor),
            Begin::Resumed => 0,
        };
        if matches!(begin, Begin::Resumed) {
            cursor = Cursor::from(1);
        }
        let mut is_resumed = matches!(begin, Begin::Resumed);
        while at < text.len() {
            if !std::mem::take(&mut is_resumed) {
                forms.begin(&text[at..], &mut self.trial);
            }
            let (mut to, mut zeros) = (at + self.trial.end, self.trial.zeros);
            let is_open = !self.trial.open.is_empty();
            if matches!(end, End::IsHere)
                && let Some(of_cut) = forms.reveals(&self.trial)
            {
                (to, zeros) = (text.len(), of_cut);
            }
            if to > at {
                // What overlaps is under one mask.
                if at >= done {
                    shown.mask(done..at, zeros, to - at);
                    self.found += 1;
                }
                done = done.max(to);
            }
            if is_open && matches!(end, End::MayFollow) {
                break;
            }
            at = forms.next(&text, &mut cursor);
        }
        if at < text.len() {
            self.held = BytesMut::from(&text[at..]);
            self.covered = done.saturating_sub(at);
        }
        shown.rest(done..at)
    }
}

/// Whether the first place of a text was tried already.
enum Begin {
    Fresh,
    Resumed,
}

/// Whether more of a text may come.
enum End {
    MayFollow,
    IsHere,
}

/// What is shown of a text: a part of it, without copying, as long as there is no mask in it.
struct Shown {
    text: Bytes,
    masked: BytesMut,
}

impl Shown {
    /// Shows what stands before, and a mask for so many bytes.
    fn mask(&mut self, before: std::ops::Range<usize>, zeros: usize, bytes: usize) {
        self.masked.extend_from_slice(&self.text[before]);
        for (at, byte) in MASK.iter().enumerate() {
            self.masked.extend(std::iter::repeat_n(0, if at == 0 { 0 } else { zeros }));
            self.masked.extend([*byte]);
        }
        // A text may end within the zeros of a character.
        self.masked.extend(std::iter::repeat_n(0, (bytes - 1) % (zeros + 1)));
    }

    fn rest(mut self, rest: std::ops::Range<usize>) -> Bytes {
        let rest = rest.start.min(rest.end)..rest.end;
        if self.masked.is_empty() {
            return self.text.slice(rest);
        }
        self.masked.extend_from_slice(&self.text[rest]);
        self.masked.freeze()
    }
}
