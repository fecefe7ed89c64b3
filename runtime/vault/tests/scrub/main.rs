//! The scrubber against everything that a server may write a secret as.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "where a helper cannot go on, the test has failed"
)]

mod invariant;
mod readers;
mod writers;

use handbox_vault::{Needles, Secret};
use invariant::{assert_scrubbed, holds, scrub};
use proptest::prelude::*;
use writers::{Dice, ESCAPES, FORMS, write_form};

fn needles(secrets: &[&str]) -> Needles {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret).unwrap()).collect();
    Needles::new(secrets.iter())
}

/// Letters with which no form goes on, so that it is clear what a mask should cover.
const AROUND: &[u8] = b"<p>~\x01\xff";

#[test]
fn every_form_with_every_escape_is_found() {
    for secret in [
        "sk-canary-0123456789",
        "a/b+c=%\\&\"'<x>",
        "AKIAIOSFODNN7EXAMPLE",
        "0x00112233\\u0041",
        "aaaaaaaa",
        "%25%2541",
    ] {
        let needles = needles(&[secret]);
        for form in FORMS {
            for escape in ESCAPES {
                for share in [0, 30, 100] {
                    for seed in 0..12 {
                        let case = (form, escape, share);
                        assert_scrubbed(&needles, secret.as_bytes(), case, (AROUND, AROUND), &mut Dice(seed));
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn no_reading_of_what_is_shown_holds_the_secret(
        secret in "[!-~]{8,60}",
        others in prop::collection::vec("[!-~]{8,20}", 0..3),
        form in prop::sample::select(&FORMS[..]),
        escape in prop::sample::select(&ESCAPES[..]),
        share in 0_usize..=100,
        seed in any::<u64>(),
    ) {
        let all: Vec<&str> = others.iter().map(String::as_str).chain([secret.as_str()]).collect();
        assert_scrubbed(&needles(&all), secret.as_bytes(), (form, escape, share), (AROUND, AROUND), &mut Dice(seed));
    }

    #[test]
    fn a_text_without_the_secret_is_shown_as_it_is(
        secret in "[!-~]{8,40}",
        text in prop::collection::vec(prop_oneof![
            "[ -~\r\n]{0,40}".prop_map(String::into_bytes),
            "[A-Za-z0-9+/=_-]{0,80}".prop_map(String::into_bytes),
            "(%[0-9a-f]{2}|\\\\u00[0-9a-f]{2}|&#[0-9]{1,3};|\\\\[\"n/]|=3D){0,10}".prop_map(String::into_bytes),
            "eyJ[A-Za-z0-9_-]{30}\\.[A-Za-z0-9_-]{30}\\.[A-Za-z0-9_-]{20}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..40),
        ], 0..8),
        cut in 1_usize..4,
        seed in any::<u64>(),
    ) {
        // A short beginning of the secret, in some form, at every border.
        let mut dice = Dice(seed);
        let start = |dice: &mut Dice| {
            let form = FORMS[dice.roll(FORMS.len())];
            write_form(form, &secret.as_bytes()[..cut], dice)
        };
        let text: Vec<u8> = text.into_iter().flat_map(|part| [part, start(&mut dice)].concat()).collect();
        prop_assume!(!holds(&text, secret.as_bytes()));
        prop_assert_eq!(scrub(&needles(&[&secret]), &text, &mut dice), text);
    }
}
