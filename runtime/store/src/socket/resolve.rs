//! What became of a request whose answer was lost.

use handbox_session::{
    Batch, Event, Fork, LogError, NewSession, Order, Places, Record, Seq, SessionId, SessionLog, Slice,
};

/// Where the events of an append are, if they are in the log as one; `None` if they are not, or if there were none.
///
/// Ids are the caller's, and others may have used some of them: each has to be where the append would have put it.
pub(super) async fn appended(log: &dyn SessionLog, batches: &[Batch]) -> Result<Option<Vec<Option<Places>>>, LogError> {
    let mut all = Vec::with_capacity(batches.len());
    for batch in batches {
        let Some(first) = batch.events.first() else {
            all.push(None);
            continue;
        };
        let Some(place) = log.find(batch.session, first.id()).await? else { return Ok(None) };
        if batch.after.is_some_and(|after| after.plus(1) != place) {
            return Ok(None);
        }
        let Some(places) = stand_at(log, batch.session, place, &batch.events).await? else { return Ok(None) };
        all.push(Some(places));
    }
    Ok(all.iter().any(Option::is_some).then_some(all))
}

/// The places of these events, if they stand one after the other from this place on.
async fn stand_at(
    log: &dyn SessionLog,
    session: SessionId,
    first: Seq,
    events: &[Event],
) -> Result<Option<Places>, LogError> {
    let mut next = first;
    let mut rest = events;
    while !rest.is_empty() {
        let slice = Slice { order: Order::OldestFirst, limit: Some(rest.len()), ..Slice::from(next) };
        let page = log.read(session, slice).await?;
        let same = page.entries.iter().zip(rest).all(|(entry, event)| entry.event == *event);
        if page.entries.is_empty() || !same {
            return Ok(None);
        }
        rest = &rest[page.entries.len().min(rest.len())..];
        next = next.plus(page.entries.len() as u64);
    }
    Ok(next.before().map(|last| Places { first, last }))
}

/// The record of a session that was to be created, if it is this one and not another's of the same id.
pub(super) async fn created(log: &dyn SessionLog, new: &NewSession) -> Result<Option<Record>, LogError> {
    let record = match log.record(new.id).await {
        Ok(record) => record,
        // One that arrives is not there, and went with its holder.
        Err(LogError::NoSession(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let shared = match new.fork {
        Some((parent, at)) if is_forked(log, &record.lineage, parent, at).await? => Some(at),
        None if record.lineage == new.lineage => None,
        _ => return Ok(None),
    };
    let first = shared.map_or(Seq::FIRST, |at| at.plus(1));
    let stand = new.events.is_empty() || stand_at(log, new.id, first, &new.events).await?.is_some();
    Ok(stand.then_some(record))
}

/// Whether a lineage is that of a fork of this session at this place.
async fn is_forked(log: &dyn SessionLog, lineage: &[Fork], parent: SessionId, at: Seq) -> Result<bool, LogError> {
    let Some(last) = lineage.last().filter(|fork| fork.at == at) else { return Ok(false) };
    match log.record(parent).await {
        Ok(record) => Ok(Fork::lineage(parent, &record.lineage, at, last.hash) == lineage),
        // The parent may be gone by now; what is left of it stands in the lineage.
        Err(LogError::NoSession(_)) => Ok(true),
        Err(error) => Err(error),
    }
}
