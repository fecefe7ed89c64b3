//! Sessions as lines, and the flaws that are found in them.

use handbox_session::memory::MemoryLog;
use handbox_session::{
    Arrival, Batch, ChainError, Entry, Event, EventId, Exporter, Flaw, Hash, Importer, NewSession, Record, Seq,
    SessionId, SessionLog, Slice, Ticket, Writer, kinds,
};
use serde_json::{Map, json};
use std::time::Instant;

fn seq(place: u64) -> Seq {
    Seq::new(place).expect("a place")
}

pub(crate) fn event(number: u64) -> Event {
    let content = format!("é \u{1} \"head\": {number} \n }}");
    let members = Map::from_iter([("content".to_owned(), json!([content, number, 0.1]))]);
    Event::new(EventId::from(u128::from(number)), kinds::USER_MESSAGE, members).expect("an event")
}

/// A session of this many events, forked twice on the way: the third, after 2 events of the first and 4 of the second.
pub(crate) async fn stored(log: &MemoryLog, events: u64) -> (Record, Vec<Entry>) {
    let ids = [1, 2, 3].map(SessionId::from);
    log.create(NewSession::own(ids[0], vec![event(1), event(2), event(100)])).await.expect("a session");
    for (parent, child, from, to) in [(ids[0], ids[1], 3, 4), (ids[1], ids[2], 5, events)] {
        log.create(NewSession::fork(child, parent, seq(from - 1))).await.expect("a fork");
        let events = (from..=to).map(event).collect();
        let batch = Batch { session: child, writer: Writer::Client, after: None, events };
        log.append(vec![batch]).await.expect("a client may append");
    }
    let entries = log.read(ids[2], Slice::default()).await.expect("a session").entries;
    (log.record(ids[2]).await.expect("a session"), entries)
}

fn export(record: &Record, entries: &[Entry]) -> Result<Vec<String>, Flaw> {
    let mut exporter = Exporter::new(record.clone())?;
    let mut lines = vec![exporter.header()];
    for entry in entries {
        lines.push(exporter.entry(entry)?);
    }
    lines.push(exporter.finish()?);
    Ok(lines)
}

fn import<S: AsRef<str>>(lines: &[S]) -> Result<Vec<Entry>, Flaw> {
    let mut importer = Importer::new(lines.first().map_or("", S::as_ref))?;
    let mut entries = Vec::new();
    for line in lines.iter().skip(1) {
        entries.extend(importer.line(line.as_ref())?);
    }
    importer.finish()?;
    Ok(entries)
}

async fn exported(events: u64) -> Vec<String> {
    let (record, entries) = stored(&MemoryLog::new(Instant::now), events).await;
    export(&record, &entries).expect("the session is sound")
}

#[tokio::test]
async fn an_exported_session_is_imported_with_the_same_hashes() {
    for events in [4, 5, 8] {
        let log = MemoryLog::new(Instant::now);
        let (record, entries) = stored(&log, events).await;
        let lines = export(&record, &entries).expect("the session is sound");
        assert_eq!(lines.len() as u64, events + 2);
        assert_eq!(import(&lines), Ok(entries.clone()));

        let elsewhere = MemoryLog::new(Instant::now);
        let importer = Importer::new(&lines[0]).expect("an export");
        let all = entries.iter().map(|entry| entry.event.clone()).collect();
        let arrival = Arrival { head: record.head, hash: record.hash, ticket: Ticket([1; 16]) };
        let new = NewSession::imported(importer.session(), importer.lineage().to_vec(), arrival, all);
        let imported = elsewhere.create(new.clone()).await.expect("its lineage is right");
        assert_eq!(imported, record);
        let again = elsewhere.read(record.id, Slice::default()).await.expect("a session").entries;
        assert_eq!(export(&imported, &again), Ok(lines), "exported again it is the same bytes");
        assert!(elsewhere.create(new).await.is_err(), "an id that exists is not imported");
    }
}

#[tokio::test]
async fn an_event_stands_in_its_line_byte_for_byte() {
    let lines = exported(6).await;
    for (line, number) in lines[1..7].iter().zip(1..) {
        assert!(line.ends_with(&format!(r#","event":{}}}"#, event(number).json())), "{line}");
        let parsed: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
        assert_eq!(parsed["seq"], number);
    }
    assert!(lines[0].starts_with(r#"{"handbox_log":1,"session":"sesn_"#), "{}", lines[0]);
    assert!(lines[7].starts_with(r#"{"head":6,"hash":""#), "{}", lines[7]);
}

#[tokio::test]
async fn each_tampering_is_named_with_its_place() {
    let lines = exported(8).await;
    // The line of an entry has the number of its place.
    for place in 1..=8_usize {
        let at = seq(place as u64);
        let with = |line: String| [&lines[..place], &[line], &lines[place + 1..]].concat();
        let changed = Err(Flaw::Changed { first: at, last: at });
        assert_eq!(import(&with(lines[place].replace("0.1]", "0.2]"))), changed, "a changed event");
        let other = lines[9].split('"').nth(5).expect("the last line's hash");
        let mine = lines[place].split('"').nth(5).expect("the line's hash");
        let fresh =
            if place == 8 { &lines[1].split('"').nth(5).expect("a hash").to_owned() } else { &other.to_owned() };
        assert_eq!(import(&with(lines[place].replace(mine, fresh))), changed, "a changed hash");

        let mut missing = lines.clone();
        missing.remove(place);
        let found = (place < 8).then(|| at.plus(1));
        assert_eq!(import(&missing), Err(Flaw::Missing { seq: at, found }));

        let mut twice = lines.clone();
        twice.insert(place, lines[place].clone());
        assert_eq!(import(&twice), Err(Flaw::Repeated { seq: at, expected: at.plus(1) }));

        if place < 8 {
            let mut turned = lines.clone();
            turned.swap(place, place + 1);
            assert_eq!(import(&turned), Err(Flaw::Moved { seq: at, found: at.plus(1) }));
            // One that is in the place of another is not it.
            turned[place + 1] = turned[place + 1].replace("0.1]", "0.2]");
            assert_eq!(import(&turned), Err(Flaw::Missing { seq: at, found: Some(at.plus(1)) }));
            turned[place + 1] = turned[place + 1].replace("0.2]", "0.1]");
            // Also if whoever did it wrote the places anew.
            let numbered = |line: &str, from: usize, to: usize| {
                line.replacen(&format!(r#"{{"seq":{from},"#), &format!(r#"{{"seq":{to},"#), 1)
            };
            turned[place] = numbered(&turned[place], place + 1, place);
            turned[place + 1] = numbered(&turned[place + 1], place, place + 1);
            assert_eq!(import(&turned), changed);
        }
        let cut = import(&lines[..place]);
        assert_eq!(cut, Err(Flaw::NoEnd { head: Seq::new(place as u64 - 1) }));
        assert_eq!(cut.expect_err("it is cut").place(), Some(at));
    }
    let own_end = format!(r#"{{"head":9,"hash":"{}"}}"#, lines[9].split('"').nth(5).expect("a hash"));
    assert_eq!(import(&[&lines[..9], &[own_end]].concat()), Err(Flaw::Missing { seq: seq(9), found: None }));
    let earlier = lines[9].replace(r#""head":8"#, r#""head":7"#);
    assert_eq!(import(&[&lines[..9], &[earlier]].concat()), Err(Flaw::Surplus { seq: seq(8) }));
}

#[tokio::test]
async fn whose_session_it_is_cannot_be_changed() {
    for events in [4, 8] {
        let lines = exported(events).await;
        let with = |header: String| import(&[&[header], &lines[1..]].concat());
        let ids = [1, 2, 3, 9].map(|id| SessionId::from(id).to_string());
        let other = with(lines[0].replace(&ids[2], &ids[3]));
        let expected = if events == 4 { Flaw::Origin } else { Flaw::Changed { first: seq(5), last: seq(5) } };
        assert_eq!(other, Err(expected), "another session of {events} events");
        assert_eq!(with(lines[0].replace(&ids[0], &ids[3])), Err(Flaw::Changed { first: seq(1), last: seq(1) }));
        assert_eq!(with(lines[0].replace(&ids[1], &ids[3])), Err(Flaw::Changed { first: seq(3), last: seq(3) }));
        assert_eq!(
            with(lines[0].replace(r#""at":2"#, r#""at":3"#)),
            Err(Flaw::Changed { first: seq(3), last: seq(3) })
        );
        let hash = lines[2].split('"').nth(5).expect("the hash of the second");
        let forked = with(lines[0].replace(hash, &Hash([7; 32]).to_string()));
        assert!(matches!(forked, Err(Flaw::Lineage(ChainError::Fork { .. }))), "{forked:?}");
        let longer = lines[0].replace(r#""at":4"#, &format!(r#""at":{}"#, events + 1));
        assert!(with(longer).is_err());
    }
}

#[test]
fn what_is_no_export_is_refused() {
    let id = SessionId::from(1);
    let good = format!(r#"{{"handbox_log":1,"session":"{id}","lineage":[]}}"#);
    assert!(Importer::new(&good).is_ok());
    let bad = [
        String::new(),
        "{}".to_owned(),
        "[1]".to_owned(),
        good.replace("\":1", "\":2"),
        good.replace("\":1", "\":-1"),
        good.replace("sesn_", "sevt_"),
        good.replace(":[]", ": []"),
        good.replace(":[]", ":[],\"more\":1"),
    ];
    for header in bad {
        let error = Importer::new(&header).expect_err(&header);
        assert!(matches!(error, Flaw::Header(_)), "{header}: {error}");
    }
    assert!(Importer::new(&good.replace("\":1", "\":2")).expect_err("newer").to_string().contains("its form is 2"));
    let line = format!(r#"{{"seq":1,"hash":"{}","event":{}}}"#, Hash([0; 32]), event(1).json());
    let lines =
        ["", "{}", "null", r#"{"head":0}"#, &line[1..], &line.replace(":1,", ":0,"), &line.replace(":1,", ":01,")];
    let more = [line.replace("hash\":\"0", "hash\":\"A"), line.replace("\"id\"", " \"id\""), format!("{line} ")];
    for line in lines.into_iter().map(str::to_owned).chain(more) {
        let error = Importer::new(&good).expect("an export").line(&line).expect_err(&line);
        assert!(matches!(error, Flaw::Unreadable { .. }), "{line}: {error}");
    }
}

#[tokio::test]
async fn an_export_takes_its_entries_in_order_and_as_the_record_says() {
    let (record, entries) = stored(&MemoryLog::new(Instant::now), 8).await;
    let skipped = export(&record, &[&entries[..3], &entries[4..]].concat());
    assert_eq!(skipped, Err(Flaw::Missing { seq: seq(4), found: Some(seq(5)) }));
    assert_eq!(export(&record, &entries[..7]), Err(Flaw::Missing { seq: seq(8), found: None }));
    let mut changed = entries.clone();
    changed[6].event = event(77);
    // The fork after the fourth proves those before it.
    assert_eq!(export(&record, &changed), Err(Flaw::Changed { first: seq(5), last: seq(8) }));
}
