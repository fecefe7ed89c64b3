//! Whose hand it is, when hands go from one session to another, and what they keep.

use crate::fold_story::{BEGIN_UNIX_MS, Story, histories};
use handbox_session::fold::{
    BrainWoke, CHECKPOINT_BYTES_MAX, HANDS_MAX, HandKept, HandPassed, HandProvisioned, Kept, Passed, Way,
    bodies::{Body, NAME_BYTES_MAX},
};
use handbox_session::{Entry, Epoch, Fold, Hash, Seq, SessionId};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn session(number: u8) -> SessionId {
    SessionId::at(0, [number; 10])
}

fn passed(hand: &str, way: Way, state: u8) -> HandPassed {
    HandPassed { hand: hand.to_owned(), way, state: Hash([state; 32]), bundle: "d".to_owned(), incarnation: 1 }
}

fn made(hand: &str, incarnation: u64) -> HandProvisioned {
    HandProvisioned { hand: hand.to_owned(), incarnation, bundle: None, reason: "first_call".to_owned() }
}

fn keeps(hand: &str, state: Option<u8>) -> HandKept {
    let state = state.map(|state| Hash([state; 32]));
    HandKept { hand: hand.to_owned(), incarnation: 1, state, runs: Seq::FIRST }
}

fn kept(state: Option<u8>) -> Kept {
    Kept { state: state.map(|state| Hash([state; 32])), runs: Seq::FIRST }
}

#[test]
fn what_a_hand_keeps_is_what_the_next_incarnation_begins_with_until_something_else_is() {
    let mut story = Story::new();
    story.say(&made("std", 1));
    assert!(story.fold_all().kept.is_empty(), "nobody said that it keeps anything");
    story.say(&keeps("std", Some(1)));
    story.say(&made("std", 2));
    assert_eq!(story.fold_all().kept["std"], kept(Some(1)));
    story.say(&keeps("std", None));
    assert_eq!(story.fold_all().kept["std"], kept(None), "what could not be saved is gone with its hand");
    story.say(&keeps("std", Some(2)));
    story.say(&keeps("own", Some(3)));
    assert_eq!(story.fold_all().kept["std"], kept(Some(2)));
}

#[test]
fn what_a_hand_keeps_goes_with_it_and_what_comes_takes_its_place() {
    let (mut story, other) = (Story::new(), session(2));
    story.say(&made("std", 1));
    story.say(&keeps("std", Some(1)));
    story.say(&passed("std", Way::To(other), 1));
    story.say(&keeps("std", Some(2)));
    let fold = story.fold_all();
    assert_eq!((fold.kept.len(), fold.oddities.stray), (0, 1), "it keeps nothing here");

    story.say(&passed("std", Way::From(other), 7));
    assert!(story.fold_all().kept.is_empty(), "it comes with its state, and nothing was made of it yet");
    story.say(&made("std", 2));
    assert_eq!(story.fold_all().kept["std"], kept(Some(7)), "also if its process ends before its first call does");
}

#[test]
fn a_hand_that_was_passed_on_is_gone_until_it_is_passed_back() {
    let (mut story, other) = (Story::new(), session(2));
    story.say(&made("std", 1));
    story.say(&passed("std", Way::To(other), 1));
    let gone = Passed::On { to: other };
    assert_eq!(story.fold_all().passed["std"], gone);
    story.say(&made("std", 2));
    story.say(&passed("std", Way::To(session(3)), 1));
    let fold = story.fold_all();
    assert_eq!((fold.passed["std"], fold.hands["std"], fold.oddities.stray), (gone, 1, 2), "there is none to pass");

    story.say(&passed("std", Way::From(other), 7));
    assert_eq!(story.fold_all().passed["std"], Passed::Here { from: other, state: Hash([7; 32]) });
    story.say(&made("own", 1));
    assert_eq!(story.fold_all().passed.len(), 1, "another one's state it does not take");
    story.say(&made("std", 2));
    let fold = story.fold_all();
    assert_eq!((fold.passed.len(), fold.hands["std"], fold.oddities.stray), (0, 2, 2), "it has its state");
}

#[test]
fn a_hand_that_came_can_be_passed_on_before_it_is_made_ready() {
    let mut story = Story::new();
    story.say(&passed("std", Way::From(session(2)), 1));
    story.say(&passed("std", Way::From(session(3)), 2));
    assert_eq!(story.fold_all().passed["std"], Passed::Here { from: session(3), state: Hash([2; 32]) });
    story.say(&passed("std", Way::To(session(4)), 2));
    let fold = story.fold_all();
    assert_eq!((fold.passed["std"], fold.oddities.stray), (Passed::On { to: session(4) }, 0));
}

#[test]
fn what_does_not_say_which_way_or_has_too_long_a_name_is_malformed() {
    let mut story = Story::new();
    story.add("handbox.hand_passed", json!({"hand": "std", "state": "01".repeat(32), "bundle": "d", "incarnation": 1}));
    story.say(&passed(&"n".repeat(NAME_BYTES_MAX + 1), Way::To(session(2)), 1));
    let fold = story.fold_all();
    assert_eq!((fold.passed.len(), fold.oddities.malformed), (0, 2));
}

#[test]
fn passing_a_hand_is_no_work_of_the_session_that_has_it() {
    let mut story = Story::new();
    story.add("session.status_running", json!({}));
    story.add("span.model_request_start", json!({}));
    // The brain is gone by now.
    story.say(&passed("std", Way::From(session(2)), 1));
    story.say(&BrainWoke { holder: "b".to_owned(), epoch: Epoch(2), reason: None });
    let fold = story.fold_all();
    assert_eq!(fold.turn.work.active_ms, 1000);
    assert_eq!(fold.turn.running_since_unix_ms, Some(BEGIN_UNIX_MS + 4000));
}

#[test]
fn as_many_hands_as_there_may_be_fit_into_a_checkpoint_and_one_more_does_not() {
    let mut story = Story::new();
    for number in 0..HANDS_MAX {
        let name = format!("{number:0>width$}", width = NAME_BYTES_MAX);
        story.say(&made(&name, u64::MAX));
        story.say(&passed(&name, Way::From(session(2)), 255));
        story.say(&keeps(&name, Some(255)));
    }
    let fold = story.fold_all();
    let members = fold.checkpoint().expect("it fits");
    assert!(Value::Object(members.clone()).to_string().len() < CHECKPOINT_BYTES_MAX / 8);
    assert_eq!((fold.passed.len(), fold.kept.len()), (HANDS_MAX, HANDS_MAX));
    story.checkpoint(members);
    assert_eq!(Fold::restore(&story.entries.last().expect("an entry").event), Some(fold));
    story.say(&passed("one more", Way::To(session(2)), 0));
    let mut fold = story.fold_all();
    assert!(fold.checkpoint().is_none());
    fold.passed.remove("one more");
    fold.kept.insert("one more".to_owned(), kept(None));
    assert!(fold.checkpoint().is_none());
}

/// Whose each hand is, by a look at all events: gone since the first `to` after the last `from`, waiting for its state if
/// it was not made ready after that `from`.
fn naive(entries: &[Entry]) -> BTreeMap<String, Passed> {
    let mut events: BTreeMap<String, Vec<Option<HandPassed>>> = BTreeMap::new();
    for entry in entries {
        if let Ok(passed) = HandPassed::from_event(&entry.event) {
            events.entry(passed.hand.clone()).or_default().push(Some(passed));
        } else if let Ok(made) = HandProvisioned::from_event(&entry.event) {
            events.entry(made.hand).or_default().push(None);
        }
    }
    let way = |event: &Option<HandPassed>| event.as_ref().map(|passed| passed.way);
    let whose = |events: Vec<Option<HandPassed>>| {
        let came = events.iter().rposition(|event| matches!(way(event), Some(Way::From(_))));
        let since = &events[came.unwrap_or(0)..];
        let on = since.iter().find_map(|event| match way(event) {
            Some(Way::To(to)) => Some(Passed::On { to }),
            _ => None,
        });
        let here = || match (came, events[came?].as_ref()?.way) {
            (Some(_), Way::From(from)) if since.iter().all(Option::is_some) => {
                Some(Passed::Here { from, state: events[came?].as_ref()?.state })
            }
            _ => None,
        };
        on.or_else(here)
    };
    events.into_iter().filter_map(|(hand, events)| Some((hand, whose(events)?))).collect()
}

/// What each hand keeps that is here, by a look at all events: what was said last since it came, its coming being the first
/// that was said once it was made ready.
fn naively_kept(entries: &[Entry]) -> BTreeMap<String, Option<Hash>> {
    let mut said: BTreeMap<String, Option<Hash>> = BTreeMap::new();
    let mut came: BTreeMap<String, Hash> = BTreeMap::new();
    let is_gone = |place: usize, hand: &String| matches!(naive(&entries[..place]).get(hand), Some(Passed::On { .. }));
    for (place, entry) in entries.iter().enumerate() {
        if let Ok(HandPassed { hand, way, state, .. }) = HandPassed::from_event(&entry.event) {
            said.remove(&hand);
            came.remove(&hand);
            if matches!(way, Way::From(_)) {
                came.insert(hand, state);
            }
        } else if let Ok(HandProvisioned { hand, .. }) = HandProvisioned::from_event(&entry.event) {
            said.extend(came.remove(&hand).map(|state| (hand, Some(state))));
        } else if let Ok(HandKept { hand, state, .. }) = HandKept::from_event(&entry.event)
            && !is_gone(place, &hand)
        {
            said.insert(hand, state);
        }
    }
    said
}

proptest! {
    #[test]
    fn a_fold_says_whose_a_hand_is_as_a_look_at_all_events_does(story in histories(120)) {
        let fold = story.fold_all();
        prop_assert_eq!(&fold.passed, &naive(&story.entries));
        let kept: BTreeMap<String, Option<Hash>> = fold.kept.into_iter().map(|(hand, kept)| (hand, kept.state)).collect();
        prop_assert_eq!(kept, naively_kept(&story.entries));
    }

    /// Hands go round among four sessions, each pass written in both; whoever was given it last has it, and nobody else.
    #[test]
    fn of_the_sessions_that_had_a_hand_one_has_it(passes in prop::collection::vec((0..4_usize, any::<bool>()), 1..40)) {
        let mut stories: Vec<Story> = (0..4).map(|_| Story::new()).collect();
        let (mut holder, mut had) = (0, vec![0]);
        for (to, makes) in passes {
            if to == holder {
                continue;
            }
            stories[holder].say(&passed("std", Way::To(session(to as u8)), 1));
            stories[to].say(&passed("std", Way::From(session(holder as u8)), 1));
            if makes {
                stories[to].say(&made("std", 1));
            }
            holder = to;
            had.push(to);
            for one in &had {
                let fold = stories[*one].fold_all();
                let gone = matches!(fold.passed.get("std"), Some(Passed::On { .. }));
                prop_assert_eq!(gone, *one != holder);
                prop_assert_eq!(fold.oddities.stray, 0);
            }
        }
    }
}
