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
