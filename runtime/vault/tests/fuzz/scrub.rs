//! The scrubber: whatever a server writes a secret as, wherever it stands and the pieces break, it is not shown.

use crate::invariant::{assert_scrubbed, scrub};
use crate::writers::{Dice, ESCAPES, FORMS, Form, write_form};
use handbox_vault::{Needles, Secret};

/// Letters with which no form goes on, so that it is clear what a mask should cover.
const AROUND: &[u8] = b"<p>~\x01\xff";

/// Up to four parts, with a byte between them that no text in UTF-8 has: the secret, choices of form, escapes and pieces,
/// and, if they are there, the texts before and behind the secret.
pub(crate) fn check(text: &[u8]) {
    let mut parts = text.splitn(4, |byte| *byte == 0xff);
    let value = parts.next().unwrap_or_default().trim_ascii();
    let choices = parts.next().unwrap_or_default();
    let (before, behind) = (parts.next(), parts.next().unwrap_or_default());
    // What is none, or looks like a mask itself.
    let Some(secret) = Secret::new(value).ok().filter(|_| !value.windows(2).any(|two| two == b"**")) else { return };
    let needles = Needles::new([secret].iter());
    let dice = &mut Dice { choices: choices.iter().rev().copied().collect(), ..Dice::new(0) };
    let form = FORMS[dice.roll(FORMS.len())];
    if let Some(before) = before {
        return assert_masked(&needles, value, form, (before, behind), dice);
    }
    let escape = ESCAPES[dice.roll(ESCAPES.len())];
    let share = dice.roll(101);
    let around = |dice: &mut Dice| AROUND.iter().copied().cycle().take(dice.roll(150)).collect::<Vec<u8>>();
    let around = (&around(dice)[..], &around(dice)[..]);
    assert_scrubbed(&needles, value, (form, escape, share), around, dice);
}

/// Writes the secret between any texts, which may go on with it, hold it or the beginning of it themselves: what was
/// written is not shown, and the pieces do not matter.
fn assert_masked(needles: &Needles, secret: &[u8], form: Form, (before, behind): (&[u8], &[u8]), dice: &mut Dice) {
    let written = write_form(form, secret, dice);
    let text = [before, &written, behind].concat();
    let shown = scrub(needles, &text, dice);
    let case = || format!("{form:?}: {} became {}", text.escape_ascii(), shown.escape_ascii());
    assert!(!shown.windows(written.len()).any(|window| window == written), "{}", case());
    assert!(!shown.windows(secret.len()).any(|window| window.eq_ignore_ascii_case(secret)), "{}", case());
    assert_eq!(shown, scrub(needles, &text, &mut Dice::new(1)), "pieces must not matter: {}", case());
}
