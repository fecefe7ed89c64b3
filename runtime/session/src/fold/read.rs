//! Folds of sessions that are kept in a log, at a cost that does not grow with them.

use super::{Fold, LastError, Status, StopReason, Work};
use crate::{Damage, Entry, LogError, Order, Record, Seq, SessionId, SessionLog, Slice, entry_at, kinds};

/// What a list of sessions says of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its name, which also says when it began.
    pub id: SessionId,
    /// What it does.
    pub status: Status,
    /// Why it rests.
    pub stop_reason: Option<StopReason>,
    /// What people call it.
    pub title: Option<String>,
    /// How many events it has.
    pub events: u64,
    /// When something last happened, in milliseconds since 1970. A checkpoint is nothing that happened.
    pub active_unix_ms: u64,
    /// What was done, and what it cost.
    pub total: Work,
    /// How many answers of its client it waits for.
    pub waiting: usize,
    /// How much input was not taken yet.
    pub queued: usize,
    /// What last went wrong.
    pub last_error: Option<LastError>,
    /// Who holds its lease.
    pub holder: Option<String>,
}

/// Sums up a session. Reads its record, its latest checkpoint and the events after that: a few hundred at most, unless
/// there were reasons to [leave checkpoints out](Fold::checkpoint).
///
/// # Errors
///
/// As [`SessionLog::read`].
pub async fn summary(log: &dyn SessionLog, session: SessionId) -> Result<Summary, LogError> {
    summary_of(log, &log.record(session).await?).await
}

/// Sums up a session as [`summary`] does, as of its record.
///
/// # Errors
///
/// As [`SessionLog::read`].
pub async fn summary_of(log: &dyn SessionLog, record: &Record) -> Result<Summary, LogError> {
    let fold = fold_to(log, record, None).await?;
    Ok(Summary {
        id: record.id,
        status: fold.status,
        stop_reason: fold.stop_reason.clone(),
        events: record.head.get(),
        active_unix_ms: fold.active_unix_ms,
        total: fold.total,
        waiting: fold.waiting().count(),
        queued: fold.queue.len(),
        last_error: fold.last_error,
        holder: record.holder.clone(),
        title: fold.title,
    })
}

/// Folds a session up to a place, or to its record's head, from the latest checkpoint before that on.
///
/// A checkpoint that cannot be used (of another version, or of events other than those that are there) costs time only:
/// everything is folded then. Before the latest checkpoint an earlier one has to be looked for, through the events
/// behind it.
///
/// # Errors
///
/// As [`SessionLog::read`].
pub async fn fold_to(log: &dyn SessionLog, record: &Record, to: Option<Seq>) -> Result<Fold, LogError> {
    let to = to.map_or(record.head, |to| to.min(record.head));
    let mut fold = restored(log, record, to).await?.unwrap_or_default();
    fold.forked_at = record.lineage.last().map(|fork| fork.at);
    let mut next = (fold.next() <= to).then(|| fold.next());
    while let Some(from) = next {
        let page = log.read(record.id, Slice { to: Some(to), ..Slice::from(from) }).await?;
        apply(&mut fold, record.id, &page.entries)?;
        next = page.next;
    }
    match fold.through() {
        Some(through) if through == to => Ok(fold),
        _ => Err(damaged(record.id, to, "the events up to here are not all there")),
    }
}

/// The fold of the latest usable checkpoint up to a place.
async fn restored(log: &dyn SessionLog, record: &Record, to: Seq) -> Result<Option<Fold>, LogError> {
    let Some(checkpoint) = checkpoint(log, record, to).await? else {
        return Ok(None);
    };
    let Some(fold) = Fold::restore(&checkpoint.event) else {
        return Ok(None);
    };
    // Its writer may have been wrong about which events would be before it, if a client's came in between.
    let Some(through) = fold.through().filter(|through| *through < checkpoint.seq) else {
        return Ok(None);
    };
    let last = entry_at(log, record.id, through).await?;
    Ok(last.filter(|last| Some(last.event.id()) == fold.through_id()).map(|_| fold))
}

async fn checkpoint(log: &dyn SessionLog, record: &Record, to: Seq) -> Result<Option<Entry>, LogError> {
    let Some(latest) = record.checkpoint else {
        return Ok(None);
    };
    if latest <= to {
        return entry_at(log, record.id, latest).await;
    }
    let mut slice = Slice {
        to: Some(to),
        order: Order::NewestFirst,
        limit: Some(1),
        kinds: vec![kinds::HANDBOX_CHECKPOINT],
        ..Slice::default()
    };
    loop {
        let page = log.read(record.id, slice.clone()).await?;
        if let Some(entry) = page.entries.into_iter().next() {
            return Ok(Some(entry));
        }
        match page.next {
            Some(next) => slice.to = Some(next),
            None => return Ok(None),
        }
    }
}

fn apply(fold: &mut Fold, session: SessionId, entries: &[Entry]) -> Result<(), LogError> {
    fold.apply_all(entries).map_err(|gap| damaged(session, gap.expected, &gap.to_string()))
}

fn damaged(session: SessionId, seq: Seq, what: &str) -> LogError {
    LogError::Damaged(Damage::Event { session, seq, what: what.to_owned() })
}
