//! What one request put down for one session: the log's only truth.
//!
//! ```text
//! head    version u8, kind u8, events u32, session's number u64, session 16 B, first place u64, epoch u64, hash before 32 B
//!         kind create: forks u16 [parent 16 B, place u64, hash 32 B]…, links u16 [number u64, last place u64]…,
//!         last id 16 B, greatest id 16 B, checkpoint u64, compaction u64; kind arrive: the same, then last place u64,
//!         hash there 32 B, ticket 16 B
//! events  for each: bytes u32, id 16 B, check of the body 8 B, first 8 B of the hash after it, type's bytes u8, type
//! seal    check of the frame's own number, head and events 8 B
//! bodies  the canonical bytes, one after the other
//! ```
//!
//! Two things are told apart. The *checks* are against the disk: cheap enough for every read, see [`checksum`]. The *chain*
//! is against people: BLAKE3 over all there is, which whoever verifies, forks or opens computes again, and a reader does
//! not. A body's check is salted with the hash before the frame, which nobody knows who only chooses contents.
//!
//! Numbers are little-endian. A frame ends where a lineage that was imported forks, so that `advance` alone leads through it.

use crate::checksum;
use handbox_session::{
    Arrival, Epoch, Event, EventId, Fork, Hash, Kind, Seq, SessionId, Ticket, Writer, advance, kinds,
};
use std::ops::Range;

/// The most bytes of a frame that holds more than one event, without what describes them.
pub(crate) const BODY_BYTES_MAX: usize = 192 * 1024;
/// The most events of a frame. Both limits bound what has to be read for one event.
pub(crate) const EVENTS_MAX: usize = 1024;

const VERSION: u8 = 1;
/// Enough of the hash after an event to name the first that is not what was chained.
const CHAIN: usize = 8;

/// An ancestor, and the last place that counts of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) upto: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Events,
    Create(Origin),
    Remove,
}

/// How a session begins: for a fork, with what it takes over, so that opening need not read that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) lineage: Vec<Fork>,
    pub(crate) links: Vec<Link>,
    pub(crate) last: EventId,
    pub(crate) greatest: EventId,
    pub(crate) checkpoint: Option<Seq>,
    pub(crate) compaction: Option<Seq>,
    /// Where it ends, if it comes from elsewhere.
    pub(crate) arrival: Option<Arrival>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) what: What,
    pub(crate) session: SessionId,
    /// Names the session within the store; it is the number of the frame that created it.
    pub(crate) number: u64,
    /// The place of the first event, or where one would be.
    pub(crate) first: u64,
    pub(crate) epoch: Epoch,
    pub(crate) before: Hash,
}

/// An event of a frame.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    pub(crate) id: EventId,
    pub(crate) kind: &'a str,
    check: [u8; checksum::BYTES],
    /// The beginning of the session's hash after it.
    chained: [u8; CHAIN],
    body: Range<usize>,
}

/// A frame that was found to be what was written.
#[derive(Debug)]
pub(crate) struct Frame<'a> {
    pub(crate) header: Header,
    pub(crate) items: Vec<Item<'a>>,
    bytes: &'a [u8],
}

/// Why a frame is not what was written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The event of this place.
    Event(u64),
    /// Something else in it.
    Whole,
}

pub(crate) fn epoch(writer: Writer) -> Epoch {
    match writer {
        Writer::Client | Writer::Arriving(_) => Epoch(0),
        Writer::Brain(epoch) => epoch,
    }
}

/// How many of these events go into the next frame.
pub(crate) fn fitting(events: &[Event]) -> usize {
    let mut bytes = 0;
    let fits = |event: &&Event| {
        bytes += event.json().len();
        bytes <= BODY_BYTES_MAX
    };
    events.iter().take(EVENTS_MAX).take_while(fits).count().max(1).min(events.len())
}

/// The bytes of a frame, and the hash after its last event.
pub(crate) fn encode(number: u64, header: &Header, events: &[Event]) -> (Vec<u8>, Hash) {
    let bodies: usize = events.iter().map(|event| event.json().len()).sum();
    let mut bytes = Vec::with_capacity(bodies + events.len() * 64 + 256);
    encode_header(header, events.len(), &mut bytes);
    let salt = salt(header.before);
    let mut hash = header.before;
    for (event, place) in events.iter().zip(header.first..) {
        hash = advance(hash, seq(place), event.json());
        bytes.extend_from_slice(&u32::try_from(event.json().len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&event.id().to_bytes());
        bytes.extend_from_slice(&checksum::of(salt, event.json().as_bytes()));
        bytes.extend_from_slice(&hash.0[..CHAIN]);
        bytes.push(u8::try_from(event.kind().as_str().len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(event.kind().as_str().as_bytes());
    }
    let seal = checksum::of(number, &bytes);
    bytes.extend_from_slice(&seal);
    events.iter().for_each(|event| bytes.extend_from_slice(event.json().as_bytes()));
    (bytes, hash)
}

fn encode_header(header: &Header, events: usize, bytes: &mut Vec<u8>) {
    let kind = match &header.what {
        What::Events => 1,
        What::Create(Origin { arrival: None, .. }) => 2,
        What::Remove => 3,
        What::Create(Origin { arrival: Some(_), .. }) => 4,
    };
    bytes.extend_from_slice(&[VERSION, kind]);
    bytes.extend_from_slice(&u32::try_from(events).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(&header.number.to_le_bytes());
    bytes.extend_from_slice(&header.session.to_bytes());
    bytes.extend_from_slice(&header.first.to_le_bytes());
    bytes.extend_from_slice(&header.epoch.0.to_le_bytes());
    bytes.extend_from_slice(&header.before.0);
    if let What::Create(origin) = &header.what {
        put_origin(&origin.lineage, &origin.links, bytes);
        bytes.extend_from_slice(&origin.last.to_bytes());
        bytes.extend_from_slice(&origin.greatest.to_bytes());
        bytes.extend_from_slice(&origin.checkpoint.map_or(0, Seq::get).to_le_bytes());
        bytes.extend_from_slice(&origin.compaction.map_or(0, Seq::get).to_le_bytes());
        origin.arrival.iter().for_each(|arrival| put_arrival(arrival, bytes));
    }
}

pub(crate) fn put_arrival(arrival: &Arrival, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&arrival.head.get().to_le_bytes());
    bytes.extend_from_slice(&arrival.hash.0);
    bytes.extend_from_slice(&arrival.ticket.0);
}

pub(crate) fn take_arrival(rest: &mut Bytes<'_>) -> Option<Arrival> {
    let head = Seq::new(rest.number()?)?;
    Some(Arrival { head, hash: Hash(rest.array()?), ticket: Ticket(rest.array()?) })
}

pub(crate) fn put_origin(lineage: &[Fork], links: &[Link], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&u16::try_from(lineage.len()).unwrap_or(u16::MAX).to_le_bytes());
    for fork in lineage {
        bytes.extend_from_slice(&fork.session.to_bytes());
        bytes.extend_from_slice(&fork.at.get().to_le_bytes());
        bytes.extend_from_slice(&fork.hash.0);
    }
    bytes.extend_from_slice(&u16::try_from(links.len()).unwrap_or(u16::MAX).to_le_bytes());
    for link in links {
        bytes.extend_from_slice(&link.number.to_le_bytes());
        bytes.extend_from_slice(&link.upto.to_le_bytes());
    }
}

fn salt(before: Hash) -> u64 {
    before.0.iter().take(8).fold(0, |salt, byte| salt << 8 | u64::from(*byte))
}

fn seq(place: u64) -> Seq {
    Seq::new(place).unwrap_or(Seq::FIRST)
}

impl<'a> Frame<'a> {
    /// Reads and checks a frame.
    pub(crate) fn decode(number: u64, bytes: &'a [u8]) -> Result<Self, Broken> {
        let mut rest = Bytes(bytes);
        let (header, count) = take_header(&mut rest).ok_or(Broken::Whole)?;
        let mut items = Vec::with_capacity(count.min(EVENTS_MAX));
        for _ in 0..count {
            items.push(take_item(&mut rest).ok_or(Broken::Whole)?);
        }
        let described = &bytes[..bytes.len() - rest.0.len()];
        // First this, so that it is known which event a body belongs to.
        if rest.array() != Some(checksum::of(number, described)) {
            return Err(Broken::Whole);
        }
        let salt = salt(header.before);
        for (item, place) in items.iter_mut().zip(header.first..) {
            let at = bytes.len() - rest.0.len();
            let body = rest.take(item.body.len()).ok_or(Broken::Event(place))?;
            if checksum::of(salt, body) != item.check {
                return Err(Broken::Event(place));
            }
            item.body = at..at + body.len();
        }
        if rest.0.is_empty() { Ok(Self { header, items, bytes }) } else { Err(Broken::Whole) }
    }

    /// The session's hash after the frame, computed from what it holds.
    pub(crate) fn after(&self) -> Result<Hash, Broken> {
        self.hash_at(self.last())
    }

    /// The session's hash after one of its events, computed from what it holds.
    pub(crate) fn hash_at(&self, upto: u64) -> Result<Hash, Broken> {
        let mut hash = self.header.before;
        for (item, place) in self.items.iter().zip(self.header.first..=upto) {
            hash = advance(hash, seq(place), self.json(item).ok_or(Broken::Event(place))?);
            if hash.0[..CHAIN] != item.chained {
                return Err(Broken::Event(place));
            }
        }
        Ok(hash)
    }

    /// The place of the last event, or of the one before the first if there is none.
    pub(crate) fn last(&self) -> u64 {
        self.header.first.saturating_add(self.items.len() as u64).saturating_sub(1)
    }

    pub(crate) fn item(&self, place: u64) -> Option<&Item<'a>> {
        self.items.get(usize::try_from(place.checked_sub(self.header.first)?).ok()?)
    }

    pub(crate) fn event(&self, item: &Item<'_>) -> Option<Event> {
        // The check says that these are the bytes that an event was stored with.
        Some(Event::sealed(item.id, kind(item.kind)?, self.json(item)?))
    }

    fn json(&self, item: &Item<'_>) -> Option<&'a str> {
        std::str::from_utf8(&self.bytes[item.body.clone()]).ok()
    }
}

/// A type by its name. Those that Handbox knows need no memory of their own, which shows in a scan.
fn kind(name: &str) -> Option<Kind> {
    let known = kinds::ALL.iter().find(|kind| kind.as_str() == name);
    known.cloned().or_else(|| Kind::new(name).ok())
}

fn take_header(rest: &mut Bytes<'_>) -> Option<(Header, usize)> {
    let [version, kind] = rest.array()?;
    let count = usize::try_from(u32::from_le_bytes(rest.array()?)).ok()?;
    let number = rest.number()?;
    let session = SessionId::from_bytes(rest.array()?);
    let (first, epoch) = (rest.number()?, Epoch(rest.number()?));
    let before = Hash(rest.array()?);
    let what = match kind {
        1 => What::Events,
        2 | 4 => {
            let (lineage, links) = take_origin(rest)?;
            What::Create(Origin {
                lineage,
                links,
                last: EventId::from_bytes(rest.array()?),
                greatest: EventId::from_bytes(rest.array()?),
                checkpoint: Seq::new(rest.number()?),
                compaction: Seq::new(rest.number()?),
                arrival: if kind == 4 { Some(take_arrival(rest)?) } else { None },
            })
        }
        3 => What::Remove,
        _ => return None,
    };
    // A frame of more events than bytes is not one, and must not make us reserve room for them.
    let sound = version == VERSION && first > 0 && count <= rest.0.len();
    sound.then_some((Header { what, session, number, first, epoch, before }, count))
}

pub(crate) fn take_origin(rest: &mut Bytes<'_>) -> Option<(Vec<Fork>, Vec<Link>)> {
    let mut lineage = Vec::new();
    for _ in 0..u16::from_le_bytes(rest.array()?) {
        lineage.push(Fork {
            session: SessionId::from_bytes(rest.array()?),
            at: Seq::new(rest.number()?)?,
            hash: Hash(rest.array()?),
        });
    }
    let mut links = Vec::new();
    for _ in 0..u16::from_le_bytes(rest.array()?) {
        links.push(Link { number: rest.number()?, upto: rest.number()? });
    }
    Some((lineage, links))
}

/// What is said of an event. Where its body is follows later.
fn take_item<'a>(rest: &mut Bytes<'a>) -> Option<Item<'a>> {
    let length = usize::try_from(u32::from_le_bytes(rest.array()?)).ok()?;
    let id = EventId::from_bytes(rest.array()?);
    let (check, chained) = (rest.array()?, rest.array()?);
    let [kind] = rest.array()?;
    let kind = std::str::from_utf8(rest.take(usize::from(kind))?).ok()?;
    Some(Item { id, kind, check, chained, body: 0..length })
}

/// Bytes from which the front is taken.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}
