//! Names of sessions and events.

use handbox_session::{EventId, Hash, Minter, Seq, SessionId};
use proptest::prelude::*;
use std::str::FromStr;

proptest! {
    #[test]
    fn an_id_is_its_text_its_bytes_and_its_json(number: u128) {
        let id = SessionId::from(number);
        prop_assert_eq!(id.to_string().len(), "sesn_".len() + 22);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
        prop_assert_eq!(SessionId::from_bytes(id.to_bytes()), id);
        let json = serde_json::to_string(&id).expect("an id is JSON");
        prop_assert_eq!(serde_json::from_str::<SessionId>(&json).expect("an id"), id);
        // The first thread has the session's own digits.
        prop_assert_eq!(id.first_thread().to_string(), id.to_string().replacen("sesn_", "sthr_", 1));
    }

    #[test]
    fn text_bytes_and_ids_sort_alike(one: u128, two: u128) {
        let (one, two) = (EventId::from(one), EventId::from(two));
        prop_assert_eq!(one.to_string().cmp(&two.to_string()), one.cmp(&two));
        prop_assert_eq!(one.to_bytes().cmp(&two.to_bytes()), one.cmp(&two));
    }

    #[test]
    fn ids_sort_by_the_time_they_were_minted(one in 0_u64..1 << 48, two in 0_u64..1 << 48, chance: [[u8; 10]; 2]) {
        let ids = (SessionId::at(one, chance[0]), SessionId::at(two, chance[1]));
        prop_assert_eq!((ids.0.unix_ms(), ids.1.unix_ms()), (one, two));
        if one != two {
            prop_assert_eq!(ids.0.to_string() < ids.1.to_string(), one < two);
        }
    }

    #[test]
    fn a_minter_rises_strictly_whatever_its_clock_does(times in prop::collection::vec((0_u64..5, any::<[u8; 10]>()), 1..50)) {
        let mut minter = Minter::default();
        let ids: Vec<EventId> =
            times.iter().map(|(time, chance)| minter.mint(1_760_000_000_000 + time, *chance)).collect();
        prop_assert!(ids.is_sorted_by(|one, next| one < next), "{:?}", ids);
    }

    #[test]
    fn no_text_crashes_the_parsers(text: String) {
        for text in [text.clone(), format!("sesn_{text}"), format!("sevt_{text}")] {
            if let Ok(id) = SessionId::from_str(&text) {
                prop_assert_eq!(id.to_string(), text.clone());
            }
            let _ = EventId::from_str(&text);
            let _ = Hash::from_str(&text);
        }
    }
}

#[test]
fn a_minter_whose_clock_is_set_back_goes_on_from_where_it_was() {
    let mut minter = Minter::default();
    let first: SessionId = minter.mint(2_000, [7; 10]);
    let second: SessionId = minter.mint(1_000, [9; 10]);
    assert!(second > first);
    assert_eq!(second.unix_ms(), 2_000);
    let third: SessionId = minter.mint(3_000, [0; 10]);
    assert_eq!(third, SessionId::at(3_000, [0; 10]));
}

#[test]
fn text_that_is_no_id_is_refused_with_what_one_looks_like() {
    let good = SessionId::at(1_760_000_000_000, [1; 10]).to_string();
    let digits = good.trim_start_matches("sesn_");
    let bad = [
        String::new(),
        "sesn_".to_owned(),
        digits.to_owned(),
        format!("sevt_{digits}"),
        format!("SESN_{digits}"),
        format!("{good}1"),
        format!(" {good}"),
        good[..good.len() - 1].to_owned(),
        good.replace(digits, &"0".repeat(22)),
        good.replace(digits, &"z".repeat(22)),
        good.replace(digits, "é1111111111111111111"),
        "\u{1b}[2J".to_owned(),
    ];
    for text in bad {
        let error = SessionId::from_str(&text).expect_err(&text).to_string();
        assert!(error.contains("sesn_1111111111111111111111"), "{error}");
        assert!(!error.contains('\u{1b}'), "what is shown on a terminal has no control characters");
    }
    assert_eq!(SessionId::from(u128::MAX).to_string().parse(), Ok(SessionId::from(u128::MAX)));
    assert!(EventId::from_str(&good).is_err(), "a session is no event");
}

#[test]
fn no_place_is_0() {
    assert_eq!(Seq::new(0), None);
    assert_eq!(Seq::FIRST.before(), None);
    assert_eq!(Seq::FIRST.plus(u64::MAX).plus(1).get(), u64::MAX, "places end somewhere, without wrapping");
    assert!(serde_json::from_str::<Seq>("0").is_err());
}
