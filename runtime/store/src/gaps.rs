//! Looking into the tables so that also what is *not* there can be believed.
//!
//! An entry whose key changed is not found under it. Whoever looks for it ends beside it, though, because the engine compared
//! it on the way; and where a page's place among the others changed, beside one that is out of order. So whatever says that
//! there is nothing looks at the entries to both sides, whose checks cover their keys, and at their order. Whoever writes
//! does so too, so that nothing is put in the wrong place.

use crate::error::{engine, store};
use handbox_session::LogError;
use redb::{ReadableTable, Value};
use std::ops::Bound;

/// Reads a value that is stored under a key, and checks both.
pub(crate) trait Unseal<const N: usize, V: Value, T>:
    Fn(&[u8; N], V::SelfType<'_>) -> Result<T, LogError>
{
}

impl<const N: usize, V: Value, T, F: Fn(&[u8; N], V::SelfType<'_>) -> Result<T, LogError>> Unseal<N, V, T> for F {}

/// What is said of a table in which a greater key comes first.
pub(crate) fn disordered() -> LogError {
    store("the entries of a table are out of order")
}

/// All entries with keys from `low` to `high`.
pub(crate) fn within<const N: usize, V: Value + 'static, T>(
    table: &impl ReadableTable<&'static [u8; N], V>,
    (low, high): (&[u8; N], &[u8; N]),
    unseal: impl Unseal<N, V, T>,
) -> Result<Vec<([u8; N], T)>, LogError> {
    let mut found = Vec::new();
    if let Some(stored) = table.range::<&[u8; N]>(..low).map_err(engine)?.next_back() {
        let (key, value) = stored.map_err(engine)?;
        unseal(key.value(), value.value())?;
        if key.value() >= low {
            return Err(disordered());
        }
    }
    let mut last = None;
    for stored in table.range::<&[u8; N]>(low..).map_err(engine)? {
        let (key, value) = stored.map_err(engine)?;
        let (key, value) = (*key.value(), unseal(key.value(), value.value())?);
        if key < *low || last.is_some_and(|last| key <= last) {
            return Err(disordered());
        }
        if key > *high {
            break;
        }
        last = Some(key);
        found.push((key, value));
    }
    Ok(found)
}

/// The last entry whose key is not above this one.
pub(crate) fn floor<const N: usize, V: Value + 'static, T>(
    table: &impl ReadableTable<&'static [u8; N], V>,
    sought: &[u8; N],
    unseal: impl Unseal<N, V, T>,
) -> Result<Option<([u8; N], T)>, LogError> {
    let mut found = None;
    if let Some(stored) = table.range::<&[u8; N]>(..=sought).map_err(engine)?.next_back() {
        let (key, value) = stored.map_err(engine)?;
        found = Some((*key.value(), unseal(key.value(), value.value())?));
    }
    if found.as_ref().is_some_and(|(key, _)| key > sought) {
        return Err(disordered());
    }
    // What is there itself needs no witness.
    if found.as_ref().is_none_or(|(key, _)| key != sought) {
        let above = (Bound::Excluded(sought), Bound::Unbounded);
        if let Some(stored) = table.range::<&[u8; N]>(above).map_err(engine)?.next() {
            let (key, value) = stored.map_err(engine)?;
            unseal(key.value(), value.value())?;
            if key.value() <= sought {
                return Err(disordered());
            }
        }
    }
    Ok(found)
}

/// Checks that what was just inserted, in the order of the keys, stands where it belongs.
///
/// Beside an entry whose key changed, the engine would put new ones in the wrong order, and what is between them could no
/// longer be found, with sound entries to both sides.
pub(crate) fn check_inserted<const N: usize, V: Value + 'static, T>(
    table: &impl ReadableTable<&'static [u8; N], V>,
    inserted: &[[u8; N]],
    unseal: impl Unseal<N, V, T>,
) -> Result<(), LogError> {
    let mut rest = inserted;
    while let Some(first) = rest.first() {
        if let Some(stored) = table.range::<&[u8; N]>(..first).map_err(engine)?.next_back() {
            let (key, value) = stored.map_err(engine)?;
            unseal(key.value(), value.value())?;
            if key.value() >= first {
                return Err(disordered());
            }
        }
        let mut passed = 0;
        // As far as new ones follow each other, and one further.
        for stored in table.range::<&[u8; N]>(first..).map_err(engine)? {
            let (key, value) = stored.map_err(engine)?;
            unseal(key.value(), value.value())?;
            match rest.get(passed) {
                Some(due) if due == key.value() => passed += 1,
                _ if passed > 0 && *key.value() > rest[passed - 1] => break,
                _ => return Err(disordered()),
            }
        }
        if passed == 0 {
            return Err(disordered());
        }
        rest = &rest[passed..];
    }
    Ok(())
}
