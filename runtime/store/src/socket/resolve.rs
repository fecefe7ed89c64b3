//! What became of a request whose answer was lost.

use handbox_session::{Batch, LogError, NewSession, Places, Record, SessionLog};

/// Where the events of an append are, if they are in the log; `None` if they are not, or if there were none.
///
/// All batches of an append are in the log or none, so one that is found says it of all.
pub(super) async fn appended(log: &dyn SessionLog, batches: &[Batch]) -> Result<Option<Vec<Option<Places>>>, LogError> {
    let mut all = Vec::with_capacity(batches.len());
    for batch in batches {
        let Some(first) = batch.events.first() else {
            all.push(None);
            continue;
        };
        let Some(place) = log.find(batch.session, first.id()).await? else { return Ok(None) };
        let further = u64::try_from(batch.events.len() - 1).unwrap_or(u64::MAX);
        all.push(Some(Places { first: place, last: place.plus(further) }));
    }
    Ok(all.iter().any(Option::is_some).then_some(all))
}

/// The record of a session that was to be created, if it is this one and not another's of the same id.
pub(super) async fn created(log: &dyn SessionLog, new: &NewSession) -> Result<Option<Record>, LogError> {
    let record = match log.record(new.id).await {
        Ok(record) => record,
        Err(LogError::NoSession(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let same = match new.events.first() {
        Some(first) => log.find(new.id, first.id()).await?.is_some(),
        // A fork without events of its own is told by where it was forked.
        None => new.fork.map(|(_, at)| at) == record.lineage.last().map(|fork| fork.at),
    };
    Ok(same.then_some(record))
}
