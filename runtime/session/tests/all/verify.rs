//! What is wrong with a stored session.

use crate::export::{event, stored};
use handbox_session::memory::MemoryLog;
use handbox_session::{
    Anchor, ChainError, Entry, Exporter, Flaw, Hash, Importer, Record, Seq, SessionId, Verifier, genesis,
};
use std::time::Instant;

fn seq(place: u64) -> Seq {
    Seq::new(place).expect("a place")
}

/// What the store holds beside each entry.
fn hashes(record: &Record, entries: &[Entry]) -> Vec<Hash> {
    let mut exporter = Exporter::new(record.clone()).expect("a lineage");
    let lines = entries.iter().map(|entry| exporter.entry(entry).expect("it is sound"));
    lines.map(|line| line.split('"').nth(5).and_then(|hash| hash.parse().ok()).expect("a hash")).collect()
}

fn verify(record: &Record, anchors: &[Anchor], entries: &[Entry], hashes: &[Hash]) -> Result<(), Flaw> {
    let mut verifier = Verifier::new(record.clone(), anchors)?;
    let mut hashes = hashes.iter();
    for entry in entries {
        verifier.entry(entry, hashes.next().copied())?;
    }
    verifier.finish()
}

#[tokio::test]
async fn a_sound_session_is_sound_with_and_without_stored_hashes() {
    for events in [4, 8] {
        let (record, entries) = stored(&MemoryLog::new(Instant::now), events).await;
        let all = hashes(&record, &entries);
        let mut anchors: Vec<Anchor> = all
            .iter()
            .zip(1..)
            .map(|(hash, place)| Anchor { session: record.id, seq: seq(place), hash: *hash })
            .collect();
        // Noted when the fork had nothing of its own, and one of a session that is not looked at.
        let fork = record.lineage.last().expect("it is a fork");
        anchors.push(Anchor { session: record.id, seq: fork.at, hash: genesis(record.id, Some(fork)) });
        anchors.push(Anchor { session: SessionId::from(9), seq: seq(99), hash: all[0] });
        for anchors in [&anchors[..], &[]] {
            assert_eq!(verify(&record, anchors, &entries, &all), Ok(()));
            assert_eq!(verify(&record, anchors, &entries, &[]), Ok(()));
        }
    }
}

#[tokio::test]
async fn a_changed_entry_is_named_by_its_hash_or_by_the_places_between_two_that_are_known() {
    let (record, entries) = stored(&MemoryLog::new(Instant::now), 8).await;
    let all = hashes(&record, &entries);
    let anchor = Anchor { session: record.id, seq: seq(6), hash: all[5] };
    // Known without stored hashes: the forks after 2 and 4, the anchor after 6, the head.
    let between = [(1, 2), (1, 2), (3, 4), (3, 4), (5, 6), (5, 6), (7, 8), (7, 8)];
    for (index, (first, last)) in between.into_iter().enumerate() {
        let mut changed = entries.clone();
        changed[index].event = event(77);
        let place = seq(index as u64 + 1);
        assert_eq!(verify(&record, &[], &changed, &all), Err(Flaw::Changed { first: place, last: place }));
        let expected = Flaw::Changed { first: seq(first), last: seq(last) };
        assert_eq!(verify(&record, &[anchor], &changed, &[]), Err(expected), "place {place}");
    }
}

#[tokio::test]
async fn missing_repeated_and_reordered_entries_are_named() {
    let (record, entries) = stored(&MemoryLog::new(Instant::now), 8).await;
    let without = |index: usize| [&entries[..index], &entries[index + 1..]].concat();
    assert_eq!(verify(&record, &[], &without(0), &[]), Err(Flaw::Missing { seq: seq(1), found: Some(seq(2)) }));
    assert_eq!(verify(&record, &[], &without(7), &[]), Err(Flaw::Missing { seq: seq(8), found: None }));
    let twice = [&entries[..3], &entries[2..]].concat();
    assert_eq!(verify(&record, &[], &twice, &[]), Err(Flaw::Repeated { seq: seq(3), expected: seq(4) }));
    let more = [entries.clone(), vec![Entry { seq: seq(9), event: event(9) }]].concat();
    assert_eq!(verify(&record, &[], &more, &[]), Err(Flaw::Surplus { seq: seq(9) }));
    let mut turned = entries.clone();
    turned.swap(5, 6);
    assert_eq!(verify(&record, &[], &turned, &[]), Err(Flaw::Missing { seq: seq(6), found: Some(seq(7)) }));
}

#[tokio::test]
async fn a_tail_that_was_cut_is_found_by_an_anchor() {
    let (whole, _) = stored(&MemoryLog::new(Instant::now), 8).await;
    let (cut, entries) = stored(&MemoryLog::new(Instant::now), 6).await;
    assert_eq!(verify(&cut, &[], &entries, &[]), Ok(()), "in itself it is sound");
    let anchor = Anchor { session: whole.id, seq: whole.head, hash: whole.hash };
    let flaw = verify(&cut, &[anchor], &entries, &[]).expect_err("it is shorter than it was");
    assert_eq!(flaw, Flaw::Cut { head: Some(seq(6)), reached: seq(8) });
    assert_eq!(flaw.to_string(), "cut: it ends at the entry 6, but once reached 8");

    // One that was cut and went on otherwise.
    let anchor = Anchor { session: whole.id, seq: seq(6), hash: Hash([7; 32]) };
    assert_eq!(verify(&cut, &[anchor], &entries, &[]), Err(Flaw::Changed { first: seq(5), last: seq(6) }));
}

#[tokio::test]
async fn a_record_that_is_wrong_is_not_blamed_on_the_entries() {
    let (record, entries) = stored(&MemoryLog::new(Instant::now), 8).await;
    let all = hashes(&record, &entries);
    let other = Record { hash: Hash([7; 32]), ..record.clone() };
    assert_eq!(verify(&other, &[], &entries, &all), Err(Flaw::Origin));
    let mut lineage = record.lineage.clone();
    lineage[1].hash = Hash([7; 32]);
    let fork = lineage[1];
    let wrong = Record { lineage, ..record };
    assert_eq!(verify(&wrong, &[], &entries, &all), Err(Flaw::Lineage(ChainError::Fork { fork })));
    assert!(Importer::new(&Exporter::new(wrong).expect("a lineage").header()).is_ok(), "only its entries tell");
}
