//! Slices of a session.

use super::Factory;
use super::bench::{Bench, batch, seq};
use crate::{
    APPEND_EVENTS_MAX, EVENT_BYTES_MAX, Entry, Event, Kind, Order, PAGE_BYTES_MAX, PAGE_EVENTS_MAX, PAGE_SCAN_MAX, Seq,
    SessionId, Slice, kinds,
};

const ORDERS: [Order; 2] = [Order::OldestFirst, Order::NewestFirst];

/// What a slice without a filter and with no end to its pages holds, found the simplest way.
fn expected(events: &[Event], slice: &Slice) -> Vec<Entry> {
    let places = (1..).filter_map(Seq::new);
    let mut entries: Vec<Entry> = places
        .zip(events)
        .map(|(seq, event)| Entry { seq, event: event.clone() })
        .filter(|entry| slice.from.is_none_or(|from| entry.seq >= from))
        .filter(|entry| slice.to.is_none_or(|to| entry.seq <= to))
        .filter(|entry| slice.admits(&entry.event))
        .collect();
    if slice.order == Order::NewestFirst {
        entries.reverse();
    }
    entries
}

/// Every first and last place, within the session and beyond it, in both orders, with every limit.
pub async fn a_slice_is_any_part_from_either_end(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let events = bench.messages(5);
    let session = bench.begin_with(events.clone()).await;
    let ends: Vec<Option<Seq>> = [None].into_iter().chain([1, 2, 3, 5, 6, 7, u64::MAX].map(Seq::new)).collect();
    for from in &ends {
        for to in &ends {
            for order in ORDERS {
                for limit in [None, Some(0), Some(1), Some(2), Some(5), Some(usize::MAX)] {
                    let slice = Slice { from: *from, to: *to, order, limit, ..Slice::default() };
                    let whole = expected(&events, &slice);
                    let page = bench.read(session, slice.clone()).await;
                    let count = whole.len().min(limit.unwrap_or(usize::MAX));
                    assert_eq!(page.entries, whole[..count], "{slice:?}");
                    let next = if count == 0 { None } else { whole.get(count).map(|entry| entry.seq) };
                    assert_eq!(page.next, next, "{slice:?}");
                    if count > 0 {
                        assert_eq!(bench.pages(session, slice.clone()).await, whole, "{slice:?}, page by page");
                    }
                }
            }
        }
    }
}

/// `Slice::last` and `Slice::before`.
pub async fn the_last_events_and_those_before_a_place_have_a_short_form(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let session = bench.begin(6).await;
    let places = async |slice| {
        let page = bench.read(session, slice).await;
        page.entries.iter().map(|entry| entry.seq.get()).collect::<Vec<_>>()
    };
    assert_eq!(places(Slice::last(2)).await, [6, 5]);
    assert_eq!(places(Slice::last(9)).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(places(Slice::before(seq(4), 2)).await, [3, 2]);
    assert_eq!(places(Slice::before(seq(40), 2)).await, [6, 5]);
    assert_eq!(places(Slice::before(seq(1), 2)).await, [0_u64; 0]);
    assert_eq!(places(Slice::from(seq(5))).await, [5, 6]);
}

/// Filters hold together with each other and with the places, whatever the limit.
pub async fn a_filter_admits_types_and_threads(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let kinds = [kinds::AGENT_MESSAGE, kinds::USER_MESSAGE, kinds::AGENT_TOOL_USE];
    let kind = |index: usize| &kinds[index % 3];
    let mut events = Vec::new();
    for index in 0..24 {
        // Every fourth has no thread, and one has a thread that is no text.
        events.push(match index % 4 {
            0 => bench.event(kind(index), "content", "sthr_1"),
            3 if index > 12 => bench.event(kind(index), "session_thread_id", 1),
            thread => bench.event(kind(index), "session_thread_id", format!("sthr_{thread}")),
        });
    }
    let session = bench.begin_with(events.clone()).await;
    let unknown = Kind::new("somebody.elses_event").expect("a name of an event");
    let wanted = [
        (vec![], Some("sthr_1")),
        (vec![], Some("sthr_none")),
        (vec![kinds::USER_MESSAGE], None),
        (vec![kinds::USER_MESSAGE, kinds::AGENT_MESSAGE], Some("sthr_2")),
        (vec![unknown], None),
    ];
    for (kinds, thread) in wanted {
        for order in ORDERS {
            for (from, to) in [(None, None), (Some(seq(5)), Some(seq(17)))] {
                for limit in [1, 2, 100] {
                    let (kinds, thread) = (kinds.clone(), thread.map(str::to_owned));
                    let slice = Slice { from, to, order, limit: Some(limit), kinds, thread };
                    let whole = expected(&events, &slice);
                    let page = bench.read(session, slice.clone()).await;
                    assert_eq!(page.entries, whole[..limit.min(whole.len())], "{slice:?}");
                    assert_eq!(bench.pages(session, slice.clone()).await, whole, "{slice:?}, page by page");
                }
            }
        }
    }
}

/// A session with more events than a page, in both orders.
pub async fn pages_follow_each_other_without_a_gap(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let mut events = bench.messages(1);
    let session = bench.begin_with(events.clone()).await;
    for count in [APPEND_EVENTS_MAX, 400] {
        let more = bench.messages(count);
        bench.append(session, more.clone()).await;
        events.extend(more);
    }
    for order in ORDERS {
        for limit in [None, Some(1500), Some(usize::MAX)] {
            let slice = Slice { order, limit, ..Slice::default() };
            let page = bench.read(session, slice.clone()).await;
            assert_eq!(page.entries.len(), limit.unwrap_or(PAGE_EVENTS_MAX).min(PAGE_EVENTS_MAX));
            assert!(bench.pages(session, slice.clone()).await == expected(&events, &slice), "{slice:?}");
        }
    }
    // A page that reaches the last place says that nothing comes after it.
    let slice = Slice { to: Seq::new(PAGE_EVENTS_MAX as u64), ..Slice::default() };
    assert_eq!(bench.read(session, slice).await.next, None);
}

/// No page is so large that its reader could not hold it.
pub async fn a_page_ends_once_its_bytes_are_many(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let mut events = bench.messages(1);
    let session = bench.begin_with(events.clone()).await;
    for _ in 0..2 {
        let more: Vec<_> = (0..9).map(|_| bench.sized(EVENT_BYTES_MAX - 7)).collect();
        bench.append(session, more.clone()).await;
        events.extend(more);
    }
    for order in ORDERS {
        let slice = Slice { order, ..Slice::default() };
        let page = bench.read(session, slice.clone()).await;
        let bytes = |entries: &[Entry]| entries.iter().map(|entry| entry.event.json().len()).sum::<usize>();
        let (_, but_one) = page.entries.split_last().expect("a page is not empty");
        assert!(bytes(but_one) < PAGE_BYTES_MAX && bytes(&page.entries) >= PAGE_BYTES_MAX, "{order:?}");
        assert!(bench.pages(session, slice.clone()).await == expected(&events, &slice), "{order:?}");
    }
}

/// A read for what is rare ends before it has looked at everything, and says where to go on.
pub async fn a_filter_that_admits_little_gives_empty_pages_with_a_next(factory: &dyn Factory) {
    let bench = Bench::new(factory).await;
    let rare = || bench.event(&kinds::SESSION_ERROR, "content", "x");
    let session: SessionId = bench.begin_with(vec![rare()]).await;
    for _ in 0..PAGE_SCAN_MAX / APPEND_EVENTS_MAX {
        bench.put(batch(session, bench.messages(APPEND_EVENTS_MAX))).await.expect("a client may append");
    }
    bench.append(session, vec![bench.message(), rare()]).await;
    let end = PAGE_SCAN_MAX as u64 + 3;
    for (order, places) in [(Order::OldestFirst, [1, end]), (Order::NewestFirst, [end, 1])] {
        let slice = Slice { order, kinds: vec![kinds::SESSION_ERROR], ..Slice::default() };
        let page = bench.read(session, slice.clone()).await;
        assert!(page.next.is_some() && page.entries.len() == 1, "{order:?}: a page looks at few places");
        let found = bench.pages(session, slice).await;
        assert_eq!(found.iter().map(|entry| entry.seq.get()).collect::<Vec<_>>(), places, "{order:?}");
    }
    let nothing = Slice { from: Some(seq(2)), kinds: vec![kinds::SESSION_UPDATED], ..Slice::default() };
    let page = bench.read(session, nothing.clone()).await;
    assert!(page.next.is_some() && page.entries.is_empty(), "an empty page can have a next one");
    assert_eq!(bench.pages(session, nothing).await, []);
}

/// In the session that has it, and in no other.
pub async fn an_event_is_found_by_its_id(factory: &dyn Factory) {
    let mut bench = Bench::new(factory).await;
    let events = bench.messages(4);
    let (session, other) = (bench.begin_with(events.clone()).await, bench.begin(1).await);
    bench.append(session, bench.messages(1)).await;
    for _ in 0..2 {
        for (event, place) in events.iter().zip(1..) {
            assert_eq!(bench.log().find(session, event.id()).await, Ok(Seq::new(place)));
            assert_eq!(bench.log().find(other, event.id()).await, Ok(None));
        }
        assert_eq!(bench.log().find(session, bench.event_id()).await, Ok(None));
        if !bench.subject.reopen().await {
            break;
        }
    }
}
