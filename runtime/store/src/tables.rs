//! The tables of the file. `FRAMES` is the truth; all others follow from it, and are written later.
//!
//! Every value of the others ends with a check over table, key and value, so that a changed bit is found where it is read.

use crate::checksum;
use crate::error::store;
use crate::frame::{Bytes, put_arrival, put_origin, take_arrival, take_origin};
use crate::known::Known;
use handbox_session::{EventId, Hash, LogError, Seq, SessionId};
use redb::TableDefinition;

/// The format that this build writes.
pub const FORMAT: u64 = 1;

/// What the file says of itself: `format`, `opening`, `indexed`, and how many sessions were `arriving` at that time.
pub(crate) const META: TableDefinition<'_, &str, &[u8; 16]> = TableDefinition::new("meta");
/// The frame's number, which is the order in which all was appended → the frame.
pub(crate) const FRAMES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("frames");
/// Session's number and first place → the frame's number.
pub(crate) const INDEX: TableDefinition<'_, &[u8; 16], &[u8; 16]> = TableDefinition::new("index");
/// Event's id and session's number → its place.
pub(crate) const IDS: TableDefinition<'_, &[u8; 24], &[u8; 16]> = TableDefinition::new("ids");
/// Session → what is known of it.
pub(crate) const SESSIONS: TableDefinition<'_, &[u8; 16], &[u8]> = TableDefinition::new("sessions");
/// Session's number, sort of mark, place → place.
pub(crate) const MARKS: TableDefinition<'_, &[u8; 17], &[u8; 16]> = TableDefinition::new("marks");
/// Session and number of one that was removed, whose frames are still there → what was known of it.
pub(crate) const GRAVES: TableDefinition<'_, &[u8; 24], &[u8]> = TableDefinition::new("graves");
/// Session's number and the number of one that shares its frames → the last place that is shared.
pub(crate) const SHARES: TableDefinition<'_, &[u8; 16], &[u8; 16]> = TableDefinition::new("shares");

const CHECK: usize = checksum::BYTES;

fn check(table: &str, key: &[u8], value: &[u8]) -> [u8; CHECK] {
    checksum::of(checksum::salted(checksum::salted(0, table.as_bytes()), key), value)
}

fn wrong(table: &str) -> LogError {
    store(format!("an entry of the table `{table}` is not what was written"))
}

/// A number as a value.
pub(crate) fn seal(table: &str, key: &[u8], number: u64) -> [u8; 16] {
    let mut value = [0; 16];
    value[..8].copy_from_slice(&number.to_le_bytes());
    value[8..].copy_from_slice(&check(table, key, &number.to_le_bytes()));
    value
}

/// What [`seal`] gave.
pub(crate) fn unseal(table: &str, key: &[u8], value: &[u8; 16]) -> Result<u64, LogError> {
    let mut number = [0; 8];
    number.copy_from_slice(&value[..8]);
    if check(table, key, &number) == value[8..] { Ok(u64::from_le_bytes(number)) } else { Err(wrong(table)) }
}

/// The format's number as a value: itself, and its complement. This form never changes, whatever becomes of [`seal`], so
/// that every build can say which format it has met.
pub(crate) fn put_format(number: u64) -> [u8; 16] {
    let mut value = [0; 16];
    value[..8].copy_from_slice(&number.to_le_bytes());
    value[8..].copy_from_slice(&(!number).to_le_bytes());
    value
}

/// What [`put_format`] gave.
pub(crate) fn take_format(value: &[u8; 16]) -> Result<u64, LogError> {
    let mut rest = Bytes(value);
    let (number, complement) = (rest.number(), rest.number());
    number.filter(|number| complement == Some(!number)).ok_or_else(|| wrong("meta"))
}

/// What is known of a session, as a value.
pub(crate) fn seal_known(table: &str, key: &[u8], known: &Known) -> Vec<u8> {
    let mut value = Vec::with_capacity(160);
    let place = |seq: Option<Seq>| seq.map_or(0, Seq::get).to_le_bytes();
    value.extend_from_slice(&known.id.to_bytes());
    value.extend_from_slice(&known.number.to_le_bytes());
    value.extend_from_slice(&known.head.to_le_bytes());
    value.extend_from_slice(&known.last.to_bytes());
    value.extend_from_slice(&known.greatest.to_bytes());
    value.extend_from_slice(&known.hash.0);
    value.extend_from_slice(&place(known.checkpoint));
    value.extend_from_slice(&place(known.compaction));
    put_origin(&known.lineage, &known.links, &mut value);
    known.arrival.iter().for_each(|arrival| put_arrival(arrival, &mut value));
    value.extend_from_slice(&check(table, key, &value));
    value
}

/// What [`seal_known`] gave.
pub(crate) fn unseal_known(table: &str, key: &[u8], value: &[u8]) -> Result<Known, LogError> {
    let (body, found) = value.split_at_checked(value.len().saturating_sub(CHECK)).unwrap_or_default();
    if check(table, key, body) != found {
        return Err(wrong(table));
    }
    take_known(&mut Bytes(body)).ok_or_else(|| wrong(table))
}

fn take_known(rest: &mut Bytes<'_>) -> Option<Known> {
    let id = SessionId::from_bytes(rest.array()?);
    let (number, head) = (rest.number()?, rest.number()?);
    let (last, greatest) = (EventId::from_bytes(rest.array()?), EventId::from_bytes(rest.array()?));
    let hash = Hash(rest.array()?);
    let (checkpoint, compaction) = (Seq::new(rest.number()?), Seq::new(rest.number()?));
    let (lineage, links) = take_origin(rest)?;
    let (lineage, links) = (lineage.into(), links.into());
    let arrival = if rest.0.is_empty() { None } else { Some(take_arrival(rest)?) };
    Some(Known { id, number, lineage, links, head, last, greatest, hash, checkpoint, compaction, arrival })
}

/// A key of two numbers that sorts as they do.
pub(crate) fn pair(first: u64, second: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&first.to_be_bytes());
    key[8..].copy_from_slice(&second.to_be_bytes());
    key
}

/// What [`pair`] gave.
pub(crate) fn unpair(key: &[u8; 16]) -> (u64, u64) {
    let number = u128::from_be_bytes(*key);
    ((number >> 64) as u64, number as u64)
}

/// A key of an id and a session's number.
pub(crate) fn with_number(id: [u8; 16], number: u64) -> [u8; 24] {
    let mut key = [0; 24];
    key[..16].copy_from_slice(&id);
    key[16..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The session's number of what [`with_number`] gave.
pub(crate) fn number_of(key: &[u8; 24]) -> u64 {
    key[16..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(crate) fn mark_key(number: u64, mark: u8, place: u64) -> [u8; 17] {
    let mut key = [0; 17];
    key[..8].copy_from_slice(&number.to_be_bytes());
    key[8] = mark;
    key[9..].copy_from_slice(&place.to_be_bytes());
    key
}
