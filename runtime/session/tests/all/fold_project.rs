//! Events as clients see them.

use crate::fold_story::{Story, histories};
use handbox_session::fold::{Entrance, Own, Shown, project, rfc3339, wanted};
use handbox_session::{Entry, Fold, Kind, Seq};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashSet;

fn places(shown: &[Shown]) -> Vec<(u64, Option<u64>)> {
    shown.iter().map(|shown| (shown.place.get(), shown.processed.map(Seq::get))).collect()
}

#[test]
fn input_has_the_place_and_time_of_its_taking() {
    let mut story = Story::new();
    let first = story.message("first"); // 2
    let second = story.message("second"); // 3
    story.add("session.status_running", json!({})); // 4
    story.take(&[second, first]); // 5
    story.message("later"); // 6
    story.add("user.interrupt", json!({})); // 7
    story.take(&[first]); // 8: again, which changes nothing
    story.idle("end_turn"); // 9

    let shown = project(&story.entries, &Fold::default(), Own::Hidden);
    let expected = [(4, Some(4)), (3, Some(5)), (2, Some(5)), (7, Some(7)), (9, Some(9)), (6, None)];
    assert_eq!(places(&shown), expected);
    assert_eq!(shown[0].json["processed_at"], "2026-11-21T00:00:03.000Z");
    assert_eq!(shown[1].json["processed_at"], "2026-11-21T00:00:04.000Z");
    assert_eq!(shown[1].json["content"][0]["text"], "second");
    assert_eq!(shown[5].json["processed_at"], Value::Null);

    let all = project(&story.entries, &Fold::default(), Own::Shown);
    assert_eq!(places(&all)[..3], [(1, Some(1)), (4, Some(4)), (5, Some(5))]);
    assert_eq!(all.len(), story.entries.len());
}

#[test]
fn what_handbox_notes_is_for_those_who_ask() {
    let mut story = Story::new();
    story.add("session.error", json!({"error": {"type": "unknown_error"}, "handbox": {"part": "hand", "hand": "x"}}));
    let queued = json!({"content": [], "handbox": 1});
    story.add("user.message", queued);
    let shown = |own| -> Vec<Value> {
        let shown = project(&story.entries, &Fold::default(), own);
        shown.into_iter().map(|shown| shown.json).filter(|json| json["type"] != "handbox.session_created").collect()
    };
    assert!(shown(Own::Hidden).iter().all(|event| event.get("handbox").is_none()));
    assert_eq!(shown(Own::Hidden).len(), 2);
    assert_eq!(shown(Own::Shown)[0]["handbox"]["hand"], "x");
    assert_eq!(shown(Own::Shown)[1]["handbox"], 1);
}

#[test]
fn answers_outcomes_and_interrupts_are_processed_at_once_and_messages_are_not() {
    let entrance = |kind: &str| Entrance::of(&Kind::new(kind).unwrap());
    for kind in ["user.interrupt", "user.custom_tool_result", "user.tool_result", "user.define_outcome"] {
        assert_eq!(entrance(kind), Entrance::AtOnce, "{kind}");
    }
    for kind in ["user.message", "user.tool_confirmation", "system.message", "user.of_a_later_time"] {
        assert_eq!(entrance(kind), Entrance::Queue, "{kind}");
    }
    for kind in ["agent.message", "handbox.input_taken", "session.error", "system.of_a_later_time"] {
        assert_eq!(entrance(kind), Entrance::NotInput, "{kind}");
    }
}

/// The last entries from an index on, with those of the first that they want or that still wait.
fn slice_from(story: &Story, index: usize, before: &Fold) -> Vec<Entry> {
    let (earlier, slice) = story.entries.split_at(index);
    let mut places: HashSet<Seq> = wanted(slice, before).into_iter().collect();
    places.extend(story.fold_all().queue.iter().map(|queued| queued.place));
    earlier.iter().filter(|entry| places.contains(&entry.seq)).chain(slice).cloned().collect()
}

proptest! {
    #[test]
    fn pages_together_are_the_whole(story in histories(60), cut in 0..200_usize) {
        let cut = 1 + cut % story.entries.len();
        let whole = project(&story.entries, &Fold::default(), Own::Shown);
        let mut pages = project(&story.entries[..cut], &Fold::default(), Own::Shown);
        // What waits at the end of the first page is told by the second.
        pages.retain(|shown| shown.processed.is_some());
        let before = story.fold(cut);
        let second = project(&slice_from(&story, cut, &before), &before, Own::Shown);
        // More of what was before than is wanted does no harm.
        prop_assert_eq!(&project(&story.entries, &before, Own::Shown), &second);
        pages.extend(second);
        prop_assert_eq!(pages, whole);
    }

    #[test]
    fn every_event_is_shown_once_and_in_order(story in histories(90)) {
        let shown = project(&story.entries, &Fold::default(), Own::Shown);
        let seen: HashSet<Seq> = shown.iter().map(|shown| shown.place).collect();
        prop_assert_eq!((seen.len(), shown.len()), (story.entries.len(), story.entries.len()));
        // Queued ones last, `None` being the least otherwise.
        prop_assert!(shown.is_sorted_by_key(|shown| (shown.processed.is_none(), shown.processed)));
        let queue: Vec<Seq> = story.fold_all().queue.iter().map(|queued| queued.place).collect();
        let waiting: Vec<Seq> = shown.iter().filter(|shown| shown.processed.is_none()).map(|shown| shown.place).collect();
        prop_assert_eq!(waiting, queue);
        for one in &shown {
            let time = one.processed.map(|at| rfc3339(story.entries[at.get() as usize - 1].event.id().unix_ms()));
            prop_assert_eq!(&one.json["processed_at"], &json!(time));
        }
    }

    #[test]
    fn hidden_is_shown_without_handboxs_own(story in histories(60)) {
        let all = project(&story.entries, &Fold::default(), Own::Shown);
        let own = |shown: &Shown| shown.json["type"].as_str().unwrap().starts_with("handbox.");
        let mut public: Vec<_> = all.into_iter().filter(|shown| !own(shown)).collect();
        public.iter_mut().filter_map(|shown| shown.json.as_object_mut()).for_each(|members| {
            members.remove("handbox");
        });
        prop_assert_eq!(project(&story.entries, &Fold::default(), Own::Hidden), public);
    }
}
