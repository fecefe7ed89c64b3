//! What must hold for every secret and every text. The fuzzer calls it too.

use crate::readers::readings;
use crate::writers::{Dice, Escape, Form, write_escaped, write_form};
use bytes::Bytes;
use handbox_vault::{Needles, Scrubber};

/// A text in pieces as the dice have it, scrubbed.
pub(crate) fn scrub(needles: &Needles, text: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut scrubber = Scrubber::new(needles);
    let mut shown = Vec::new();
    let (mut rest, most) = (text, [1, 2, 7, 100, 100_000][dice.roll(5)]);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + dice.roll(most)).min(rest.len()));
        shown.extend_from_slice(&scrubber.push(Bytes::copy_from_slice(piece)));
        rest = after;
    }
    shown.extend_from_slice(&scrubber.finish());
    shown
}

/// Whether a text, read in some way, holds a secret in any case.
pub(crate) fn holds(text: &[u8], secret: &[u8]) -> bool {
    let same = |window: &[u8]| window.eq_ignore_ascii_case(secret);
    readings(text).iter().any(|reading| reading.windows(secret.len()).any(same))
}

/// What stands where a secret was, of characters with so many zeros between.
fn mask(zeros: usize) -> Vec<u8> {
    let wide = [&b"*"[..], &vec![0; zeros]].concat().repeat(4);
    wide[..wide.len() - zeros].to_vec()
}

/// Writes the secret between two texts, and asserts that nothing of what is shown can be read as it, and that the texts
/// are shown as they are.
pub(crate) fn assert_scrubbed(
    needles: &Needles,
    secret: &[u8],
    (form, escape, share): (Form, Escape, usize),
    (before, after): (&[u8], &[u8]),
    dice: &mut Dice,
) {
    let written = write_escaped(escape, &write_form(form, secret, dice), share, dice);
    let text = [before, &written, after].concat();
    let shown = scrub(needles, &text, dice);
    let show = |text: &[u8]| text.escape_ascii().to_string();
    let case = || format!("{form:?} {escape:?} {share}: {} became {}", show(&text), show(&shown));
    // Between wide characters are zeros.
    let is_masked = |zeros: usize| shown.windows(4 + 3 * zeros).any(|window| window == mask(zeros));
    assert!([0, 1, 3].into_iter().any(is_masked), "{}", case());
    assert!(!holds(&shown, secret), "{}", case());
    assert!(shown.starts_with(before) && shown.ends_with(after), "{}", case());
    assert_eq!(shown, scrub(needles, &text, &mut Dice::new(1)), "pieces must not matter: {}", case());
}
