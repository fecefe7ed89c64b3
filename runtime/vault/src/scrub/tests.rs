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
    assert_eq!(scrubber.push(Bytes::from_static(b"!")), "sk-can!");
    assert_eq!(scrubber.finish(), "");
}

#[test]
fn of_two_secrets_neither_is_shown() {
    let both = needles(&["sk-canary", "sk-canary-long"]);
    assert_eq!(scrub(&both, &["sk-canary-lo", "ng sk-canary sk-canary-lon"]), "**** **** ****");
    assert!(both.are_in("x-sk-canary-y"));
    assert_eq!(both.scrub_text("é sk-canary".to_owned()), "é ****");
    assert_eq!(Needles::default().scrub_text("all".to_owned()), "all");
}

#[test]
fn what_cannot_go_on_is_shown_at_once() {
    let needles = needles(&["sk-canary-0123"]);
    for (piece, shown) in [
        ("data: {\"text\":\"hello\"}\n\n", "data: {\"text\":\"hello\"}\n\n"),
        ("hello\n\n", "hello\n\n"),
        ("a%", "a"),
        ("a%7", "a"),
        ("a%8", "a%8"),
        ("a%73", "a"),
        ("a%73!", "a%73!"),
        ("a\\u00", "a"),
        ("a\\u01", "a\\u01"),
        ("a\\u0021", "a\\u0021"),
        ("a&#11", "a"),
        ("a&#13", "a&#13"),
        ("a&am", "a"),
        ("a&eacut", "a&eacut"),
        ("a=\r", "a"),
        ("a=\r\n", "a=\r\n"),
        ("a=\r!", "a=\r!"),
        ("73:6b:", ""),
        ("73:6b!", "73:6b!"),
        ("[115, 107", "["),
        ("[115, 108", "[115, 108"),
    ] {
        let mut scrubber = Scrubber::new(&needles);
        let got = scrubber.push(Bytes::from(piece.to_owned()));
        // Of what is held, a part may be the beginning of something else.
        assert!(got.len() <= shown.len() && shown.as_bytes().starts_with(&got), "{piece:?} showed {got:?}");
        assert!(shown.len() - got.len() <= 1, "{piece:?} showed {got:?}");
        assert_eq!([got, scrubber.finish()].concat(), piece.as_bytes());
    }
}

#[test]
fn a_text_that_ends_within_a_secret_does_not_show_it() {
    let needles = needles(&["sk-canary-0123456789"]);
    for (text, wanted) in [
        ("a sk-", "a sk-"),
        ("a sk-canar", "a ****"),
        ("a sk-canary-012345678", "a ****"),
        ("a sk-canary-0123456789 sk-canary-0123456789-sk-canary", "a **** ****-****"),
        ("a \\u0073\\u006b-canary-01", "a ****"),
        ("a c2stY2FuYXJ5", "a ****"),
        ("a 736b2d63616e617279", "a ****"),
    ] {
        assert_eq!(scrub(&needles, &[text]), wanted);
        let letters: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(scrub(&needles, &letters), wanted, "letter by letter");
    }
    assert!(needles.are_in("x-sk-CANARY-0123456789-x") && !needles.are_in("x-sk-canary-x"));
}

#[test]
fn what_overlaps_is_under_one_mask() {
    let needles = needles(&["abcdefgh-1234", "1234-ijklmnop", "abcdefgh-1234-ijk"]);
    for text in ["<abcdefgh-1234-ijklmnop>", "<abcdefgh-1234-ijk>"] {
        assert_eq!(scrub(&needles, &[text]), "<****>");
        let letters: Vec<&str> = text.split_inclusive(|_| true).collect();
        assert_eq!(scrub(&needles, &letters), "<****>", "letter by letter");
    }
}

#[test]
fn a_value_that_was_made_of_a_secret_is_searched_for_too() {
    // Basic of `me:sk-canary-0123`: the value as a whole, and the secret within it.
    let needles = Needles::of([&b"bWU6c2stY2FuYXJ5LTAxMjM="[..], b"sk-canary-0123"].into_iter());
    assert_eq!(scrub(&needles, &["Basic bWU6c2stY2FuYXJ5LTAxMjM=, sk-canary-0123"]), "Basic ****, ****");
    assert_eq!(scrub(&needles, &["Basic bWU6c2stY2FuYXJ5LTAxMjM%3D"]), "Basic ****");
    assert_eq!(Scrubber::new(&needles).found(), 0);
}

#[test]
fn a_number_of_html_may_have_many_leading_zeros() {
    let needles = needles(&["sk-canary-0123"]);
    for zeros in [0, 9, 11, 200] {
        let zeros = "0".repeat(zeros);
        for text in [format!("a sk-&#{zeros}99;anary-0123 b"), format!("a &#{zeros}115;k-&#x{zeros}63;anary-0123 b")] {
            assert_eq!(scrub(&needles, &[&text]), "a **** b");
            for at in 0..text.len() {
                assert_eq!(scrub(&needles, &[&text[..at], &text[at..]]), "a **** b", "{at}");
            }
        }
    }
}

#[test]
fn what_follows_a_mask_in_wide_characters_can_be_read() {
    let needles = needles(&["sk-canary-0123456789"]);
    for (bytes, is_big) in [(2, false), (2, true), (4, false), (4, true)] {
        let wide = |c: char| match is_big {
            true => u32::from(c).to_be_bytes()[4 - bytes..].to_vec(),
            false => u32::from(c).to_le_bytes()[..bytes].to_vec(),
        };
        let write = |text: &str| -> Vec<u8> { text.chars().flat_map(wide).collect() };
        for (text, wanted) in [
            ("é sk-canary-0123456789 ✓ sk-canary-0123456789SK-CANARY-0123456789.", "é **** ✓ ********."),
            ("é sk-canary-0123456", "é ****"),
        ] {
            let text = write(text);
            for at in 0..text.len() {
                let mut scrubber = Scrubber::new(&needles);
                let pieces = [&text[..at], &text[at..]].map(Bytes::copy_from_slice);
                let mut shown: Vec<u8> = pieces.into_iter().flat_map(|piece| scrubber.push(piece)).collect();
                shown.extend_from_slice(&scrubber.finish());
                assert_eq!(shown, write(wanted), "{}", text.escape_ascii());
            }
        }
    }
    let escaped = "s%00k%00-%00c%00a%00n%00a%00r%00y%00-%000%001%002%003%004%005%006%007%008%009";
    assert_eq!(scrub(&needles, &[escaped, "%00!"]), "****%00!", "no zero stands in a text that has none");
}
