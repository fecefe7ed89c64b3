//! The hash over everything that happened.

use handbox_session::{Chain, ChainError, Fork, Hash, LINEAGE_MAX, Seq, SessionId, advance, genesis};
use std::collections::HashSet;

fn seq(place: u64) -> Seq {
    Seq::new(place).expect("a place")
}

fn session(number: u128) -> SessionId {
    SessionId::from(number)
}

/// Known values: whoever changes one changes every log there is.
#[test]
fn the_hashes_stay_as_they_are() {
    let begin = genesis(session(1), None);
    assert_eq!(begin.to_string(), "689a3b465542fb271ed78ffb5f674ca7da00946c8e4777496eab354c9453e346");
    let first = advance(begin, seq(1), "{}");
    assert_eq!(first.to_string(), "6a264724cf654c94d62042b2e81edf6aa8b2edffeb4585942881c2e065a19e56");
    let fork = Fork { session: session(1), at: seq(1), hash: first };
    assert_eq!(
        genesis(session(2), Some(&fork)).to_string(),
        "55ef7d0ae73b0afcdef83fc3363f197cbb3e8eaed9e34fa6b71c64f93b1e7989"
    );
}

#[test]
fn whatever_differs_has_another_hash() {
    let hash = genesis(session(1), None);
    let fork = Fork { session: session(1), at: seq(1), hash };
    let all = [
        hash,
        genesis(session(2), None),
        genesis(session(2), Some(&fork)),
        genesis(session(3), Some(&fork)),
        genesis(session(2), Some(&Fork { session: session(3), ..fork })),
        genesis(session(2), Some(&Fork { at: seq(2), ..fork })),
        genesis(session(2), Some(&Fork { hash: genesis(session(9), None), ..fork })),
        advance(hash, seq(1), "{}"),
        advance(hash, seq(2), "{}"),
        advance(hash, seq(1), "{} "),
        advance(genesis(session(2), None), seq(1), "{}"),
    ];
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn a_chain_goes_through_its_lineage() {
    let events: Vec<String> = (0..7).map(|number| number.to_string()).collect();
    let run = |from: Hash, places: std::ops::Range<usize>| {
        places.fold(from, |hash, index| advance(hash, seq(index as u64 + 1), &events[index]))
    };
    let one = Fork { session: session(1), at: seq(2), hash: run(genesis(session(1), None), 0..2) };
    let two = Fork { session: session(2), at: seq(5), hash: run(genesis(session(2), Some(&one)), 2..5) };
    let lineage = vec![one, two];
    let mut chain = Chain::new(session(3), lineage.clone()).expect("a lineage");
    for (index, event) in events.iter().enumerate() {
        if let Some(head) = chain.head() {
            let resumed = Chain::resume(session(3), lineage.clone(), head, chain.hash()).expect("a lineage");
            assert_eq!(resumed.clone().push(event), chain.clone().push(event), "resumed after {head}");
            assert_eq!((resumed.head(), resumed.awaited()), (chain.head(), chain.awaited()));
        }
        let (place, hash) = chain.push(event).expect("the events are those that were forked");
        assert_eq!(place, seq(index as u64 + 1));
        let expected = [(one.at, one.hash), (two.at, two.hash)].into_iter().find(|(at, _)| *at == place);
        assert!(expected.is_none_or(|(_, expected)| expected == hash), "the hash of an event is its owner's");
    }
    assert_eq!(chain.hash(), run(genesis(session(3), Some(&two)), 5..7));
    assert_eq!(chain.awaited(), None);

    let mut wrong = Chain::new(session(3), lineage).expect("a lineage");
    wrong.push("another").expect("no fork is here");
    assert_eq!(wrong.push(&events[1]), Err(ChainError::Fork { fork: one }));
    assert_eq!(wrong.head(), Some(seq(1)), "what contradicts the lineage is not taken");
}

#[test]
fn a_lineage_names_who_stored_what_is_shared() {
    let hash = genesis(session(1), None);
    let lineage = [(1, 3), (2, 6)].map(|(parent, at)| Fork { session: session(parent), at: seq(at), hash });
    let names = |at: u64| {
        let whole = Fork::lineage(session(3), &lineage, seq(at), hash);
        whole.iter().map(|fork| (fork.session, fork.at.get())).collect::<Vec<_>>()
    };
    assert_eq!(names(1), [(session(1), 1)]);
    assert_eq!(names(3), [(session(1), 3)]);
    assert_eq!(names(4), [(session(1), 3), (session(2), 4)]);
    assert_eq!(names(6), [(session(1), 3), (session(2), 6)]);
    assert_eq!(names(7), [(session(1), 3), (session(2), 6), (session(3), 7)]);
}

#[test]
fn a_lineage_rises_and_names_each_session_once() {
    let hash = genesis(session(1), None);
    let fork = |parent: u128, at: u64| Fork { session: session(parent), at: seq(at), hash };
    let wrong =
        [vec![fork(1, 2), fork(2, 2)], vec![fork(1, 3), fork(2, 2)], vec![fork(1, 1), fork(1, 2)], vec![fork(9, 1)]];
    for lineage in wrong {
        assert_eq!(Chain::new(session(9), lineage).err(), Some(ChainError::Lineage));
    }
    let long = |count: usize| (1..=count as u64).map(|at| fork(u128::from(at) + 9, at)).collect::<Vec<_>>();
    assert!(Chain::new(session(9), long(LINEAGE_MAX)).is_ok());
    assert_eq!(Chain::new(session(9), long(LINEAGE_MAX + 1)).err(), Some(ChainError::Lineage));
}
