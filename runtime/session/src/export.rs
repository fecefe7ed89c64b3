//! A session as lines of JSON, to be kept elsewhere and taken in again with the same hashes.
//!
//! The first line names the session and its lineage, the last its head and hash; between them is one line for each entry:
//!
//! ```text
//! {"handbox_log":1,"session":"sesn_…","lineage":[{"session":"sesn_…","at":3,"hash":"…"}]}
//! {"seq":1,"hash":"…","event":{…}}
//! {"head":1,"hash":"…"}
//! ```
//!
//! Each event stands there byte for byte as it was stored. The form is strict: what differs by a space is refused, so that
//! two exports of one session are the same bytes.

use crate::verify::{at_end, in_turn};
use crate::{Chain, Entry, Event, Flaw, Fork, Hash, Record, Seq, SessionId, advance};
use serde::{Deserialize, Serialize};

/// The form of the lines.
const FORMAT: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    handbox_log: u64,
    session: SessionId,
    lineage: Vec<Fork>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    head: Seq,
    hash: Hash,
}

/// Is fed the entries of a session and gives the lines of its export, without their line ends.
#[derive(Debug)]
pub struct Exporter {
    chain: Chain,
    record: Record,
    /// The first entry that no hash of the record has proven yet.
    unproven: Seq,
}

impl Exporter {
    /// Begins the export of a session as this record describes it: up to its head, whatever came after.
    ///
    /// # Errors
    ///
    /// [`Flaw::Lineage`].
    pub fn new(record: Record) -> Result<Self, Flaw> {
        let chain = Chain::new(record.id, record.lineage.clone())?;
        Ok(Self { chain, record, unproven: Seq::FIRST })
    }

    /// The first line.
    #[must_use]
    pub fn header(&self) -> String {
        to_line(&Header { handbox_log: FORMAT, session: self.record.id, lineage: self.record.lineage.clone() })
    }

    /// The line of the next entry.
    ///
    /// # Errors
    ///
    /// [`Flaw::Missing`], [`Flaw::Repeated`] for an entry that is not the next; [`Flaw::Lineage`] at a fork whose hash
    /// differs.
    pub fn entry(&mut self, entry: &Entry) -> Result<String, Flaw> {
        let seq = in_turn(&self.chain, entry.seq)?;
        let (_, hash) = self.chain.push(entry.event.json())?;
        if self.record.lineage.iter().any(|fork| fork.at == seq) {
            self.unproven = seq.plus(1);
        }
        Ok(format!(r#"{{"seq":{seq},"hash":"{hash}","event":{}}}"#, entry.event.json()))
    }

    /// The last line.
    ///
    /// # Errors
    ///
    /// As [`Verifier::finish`](crate::Verifier::finish): what was exported is not what the record says.
    pub fn finish(self) -> Result<String, Flaw> {
        at_end(&self.chain, self.unproven, self.record.head, self.record.hash)?;
        Ok(to_line(&End { head: self.record.head, hash: self.record.hash }))
    }
}

/// Is fed the lines of an export, without their line ends, and gives its entries.
///
/// What it has not yet ended with [`Self::finish`] may lack a part, or have a wrong one behind what was given so far.
#[derive(Debug)]
pub struct Importer {
    chain: Chain,
    session: SessionId,
    lineage: Vec<Fork>,
    ended: bool,
    /// An entry was not in its place, and this one was: whether it comes later is still looked for.
    missed: Option<Seq>,
}

impl Importer {
    /// Begins with the first line.
    ///
    /// # Errors
    ///
    /// [`Flaw::Header`], also for an export of a newer form; [`Flaw::Lineage`].
    pub fn new(header: &str) -> Result<Self, Flaw> {
        let wrong = |error: serde_json::Error| Flaw::Header(error.to_string());
        let form: serde_json::Value = serde_json::from_str(header).map_err(wrong)?;
        match form.get("handbox_log").and_then(serde_json::Value::as_u64) {
            Some(FORMAT) => {}
            Some(newer) => {
                return Err(Flaw::Header(format!("its form is {newer}, and this Handbox knows {FORMAT}")));
            }
            None => return Err(Flaw::Header("its first line has no `handbox_log`".to_owned())),
        }
        let read: Header = serde_json::from_str(header).map_err(wrong)?;
        if to_line(&read) != header {
            return Err(Flaw::Header("its first line is not written as an export writes it".to_owned()));
        }
        let chain = Chain::new(read.session, read.lineage.clone())?;
        Ok(Self { chain, session: read.session, lineage: read.lineage, ended: false, missed: None })
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// How its entries are chained, see [`Record::lineage`].
    #[must_use]
    pub fn lineage(&self) -> &[Fork] {
        &self.lineage
    }

    /// Takes the next line: an entry; or the end, for which there is `None`.
    ///
    /// If an entry is not in its place, it gives nothing from there on and looks for that one: it was
    /// [moved](Flaw::Moved) if it comes, and is [missing](Flaw::Missing) if [`Self::finish`] comes first.
    ///
    /// # Errors
    ///
    /// The first [`Flaw`]; there is no going on after it.
    pub fn line(&mut self, line: &str) -> Result<Option<Entry>, Flaw> {
        if let Some(found) = self.missed {
            return self.seek(line, found).map(|()| None);
        }
        let due = self.chain.next();
        let unreadable = |what: String| Flaw::Unreadable { seq: due, what };
        if self.ended {
            return Err(unreadable("it comes after the last line".to_owned()));
        }
        let Some((seq, hash, event)) = parts(line) else {
            self.end(line).map_err(|flaw| flaw.unwrap_or_else(|| unreadable("it has another form".to_owned())))?;
            return Ok(None);
        };
        if seq > due {
            self.missed = Some(seq);
            return Ok(None);
        }
        let seq = in_turn(&self.chain, seq)?;
        let event = Event::from_canonical(event.as_bytes()).map_err(|error| unreadable(error.to_string()))?;
        if advance(self.chain.hash(), seq, event.json()) != hash {
            return Err(Flaw::Changed { first: seq, last: seq });
        }
        self.chain.push(event.json())?;
        Ok(Some(Entry { seq, event }))
    }

    /// Looks whether a line is the entry that is due, in whose place was `found`.
    fn seek(&self, line: &str, found: Seq) -> Result<(), Flaw> {
        let due = self.chain.next();
        match parts(line) {
            Some((seq, hash, event)) if seq == due && advance(self.chain.hash(), due, event) == hash => {
                Err(Flaw::Moved { seq, found })
            }
            _ => Ok(()),
        }
    }

    /// Takes the last line; `Err(None)` if it is none.
    fn end(&mut self, line: &str) -> Result<(), Option<Flaw>> {
        let end: End = serde_json::from_str(line).map_err(|_| None)?;
        if to_line(&end) != line {
            return Err(None);
        }
        // Every entry's own hash was right, so it is none of them that is wrong.
        at_end(&self.chain, self.chain.next(), end.head, end.hash).map_err(Some)?;
        self.ended = true;
        Ok(())
    }

    /// Ends after the last line.
    ///
    /// # Errors
    ///
    /// [`Flaw::NoEnd`], and [`Flaw::Missing`] for what [`Self::line`] looked for.
    pub fn finish(self) -> Result<(), Flaw> {
        if self.missed.is_some() {
            return Err(Flaw::Missing { seq: self.chain.next(), found: self.missed });
        }
        if self.ended { Ok(()) } else { Err(Flaw::NoEnd { head: self.chain.head() }) }
    }
}

/// The parts of an entry's line, taken apart as they are put together, so that the event keeps its bytes.
fn parts(line: &str) -> Option<(Seq, Hash, &str)> {
    let (seq, rest) = line.strip_prefix(r#"{"seq":"#)?.split_once(r#","hash":""#)?;
    let (hash, rest) = rest.split_once(r#"","event":"#)?;
    let place = seq.parse().ok().and_then(Seq::new).filter(|place| place.to_string() == seq)?;
    Some((place, hash.parse().ok()?, rest.strip_suffix('}')?))
}

fn to_line(value: &impl Serialize) -> String {
    // Ids, numbers and hashes are always JSON; should they not be, an empty line is read by nobody.
    serde_json::to_string(value).unwrap_or_default()
}
