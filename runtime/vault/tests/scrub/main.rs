//! The scrubber against everything that a server may write a secret as.
#![expect(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "where a helper cannot go on, the test has failed"
)]

mod invariant;
mod readers;
mod writers;

use bytes::Bytes;
use handbox_vault::{Needles, Scrubber, Secret};
use invariant::{assert_scrubbed, holds, scrub};
use proptest::prelude::*;
use writers::{Dice, ESCAPES, FORMS, write_form};

fn needles(secrets: &[&str]) -> Needles {
    let secrets: Vec<Secret> = secrets.iter().map(|secret| Secret::new(*secret).unwrap()).collect();
    Needles::new(secrets.iter())
}

/// Letters with which no form goes on, so that it is clear what a mask should cover.
const AROUND: &[u8] = b"<p>~\x01\xff";

/// So long that the secret begins anywhere in what the filter looks at in one go.
fn before(dice: &mut Dice) -> Vec<u8> {
    AROUND.iter().copied().cycle().take(dice.roll(150)).collect()
}

#[test]
fn every_form_with_every_escape_is_found() {
    for secret in [
        "sk-canary-0123456789",
        "a/b+c=%\\&\"'<x>",
        "AKIAIOSFODNN7EXAMPLE",
        "0x00112233\\u0041",
        "aaaaabcd",
        "%25%2541",
    ] {
        let needles = needles(&[secret]);
        for form in FORMS {
            for escape in ESCAPES {
                for share in [0, 30, 100] {
                    for seed in 0..4 {
                        let case = (form, escape, share);
                        let mut dice = Dice::new(seed);
                        let around = (&before(&mut dice)[..], &before(&mut dice)[..]);
                        assert_scrubbed(&needles, secret.as_bytes(), case, around, &mut dice);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

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
        let mut dice = Dice::new(seed);
        let around = (&before(&mut dice)[..], &before(&mut dice)[..]);
        assert_scrubbed(&needles(&all), secret.as_bytes(), (form, escape, share), around, &mut dice);
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
        let mut dice = Dice::new(seed);
        let start = |dice: &mut Dice| {
            let form = FORMS[dice.roll(FORMS.len())];
            write_form(form, &secret.as_bytes()[..cut], dice)
        };
        let text: Vec<u8> = text.into_iter().flat_map(|part| [part, start(&mut dice)].concat()).collect();
        prop_assume!(!holds(&text, secret.as_bytes()));
        prop_assert_eq!(scrub(&needles(&[&secret]), &text, &mut dice), text);
    }

    /// Held back is nothing but a live beginning: it is one of those that a writer of the secret could have written.
    #[test]
    fn a_stream_is_not_delayed(
        secret in "[a-zA-Z0-9]{8,40}",
        pieces in prop::collection::vec("[ -~]{0,12}", 1..12),
    ) {
        let needles = needles(&[&secret]);
        let mut scrubber = Scrubber::new(&needles);
        let (mut pushed, mut shown) = (Vec::new(), Vec::new());
        for piece in pieces {
            pushed.extend_from_slice(piece.as_bytes());
            shown.extend_from_slice(&scrubber.push(Bytes::from(piece)));
            let held = pushed.strip_prefix(&shown[..]).unwrap();
            prop_assert!(is_live(held, secret.as_bytes()), "{} is held back for {secret}", held.escape_ascii());
        }
        shown.extend_from_slice(&scrubber.finish());
        prop_assert_eq!(shown, pushed);
    }
}

/// Whether a text may be the beginning of a secret, in a form without a gap or with an escape begun.
fn is_live(held: &[u8], secret: &[u8]) -> bool {
    // What an escape or a gap may follow is judged by what is before it.
    let plain = held.iter().position(|byte| b"%\\&= \t,:;-.".contains(byte)).unwrap_or(held.len());
    let bits = |bits: usize, before: usize, alphabet: &[u8]| -> Vec<u8> {
        let bit = |at: usize| usize::from(secret[at / 8] >> (7 - at % 8) & 1);
        let start = (bits - before * 8 % bits) % bits;
        let places = (start..secret.len() * 8 - bits + 1).step_by(bits);
        places.map(|at| alphabet[(at..at + bits).fold(0, |digit, at| digit * 2 + bit(at))]).collect()
    };
    let base64: Vec<u8> = (b'A'..=b'Z').chain(b'a'..=b'z').chain(b'0'..=b'9').chain(*b"+/").collect();
    let mut forms = vec![
        secret.to_vec(),
        secret.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect(),
        secret[0].to_string().into_bytes(),
    ];
    forms.extend((0..3).map(|before| bits(6, before, &base64)));
    forms.extend((0..5).map(|before| bits(5, before, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")));
    // The `0` and `x` before a number are a gap too.
    let gapped = held.iter().position(|byte| matches!(byte, b'0' | b'x' | b'X')).unwrap_or(held.len()).min(plain);
    let begins = |form: &Vec<u8>, length: usize| {
        form.get(..length).is_some_and(|start| start.eq_ignore_ascii_case(&held[..length]))
    };
    forms.iter().any(|form| begins(form, plain) || begins(form, gapped))
}
