//! Checking sessions by reading them and following their hashes: what every reader can do, without the store's file.

use handbox_session::{Anchor, Damage, Flaw, LogError, Record, Seq, SessionId, SessionLog, Slice, Verifier};
use serde::{Deserialize, Serialize};

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    /// Where; `None` for the store itself.
    pub(super) session: Option<SessionId>,
    /// The first place that is wrong.
    pub(super) seq: Option<Seq>,
    pub(super) what: String,
}

impl Found {
    pub(super) fn store(what: impl Into<String>) -> Self {
        Self { session: None, seq: None, what: what.into() }
    }

    fn flaw(session: SessionId, flaw: &Flaw) -> Self {
        Self { session: Some(session), seq: flaw.place(), what: flaw.to_string() }
    }

    /// A session that was there once, by its anchor.
    pub(super) fn gone(anchor: &Anchor) -> Self {
        let what = format!(
            "missing: the whole session, which once reached {} (right only if it was removed on purpose)",
            anchor.seq
        );
        Self { session: Some(anchor.session), seq: Some(Seq::FIRST), what }
    }
}

impl From<Damage> for Found {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Event { session, seq, what } => Self { session: Some(session), seq: Some(seq), what },
            Damage::Store(what) => Self::store(what),
        }
    }
}

/// What a check gave.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Report {
    pub(super) events: u64,
    /// The last place and hash of each session.
    pub(super) heads: Vec<Anchor>,
    /// The first that is wrong of each session, and what is wrong with the store.
    pub(super) damages: Vec<Found>,
}

/// Checks all sessions, or one.
pub(super) async fn check(
    log: &dyn SessionLog,
    only: Option<SessionId>,
    anchors: &[Anchor],
) -> Result<Report, LogError> {
    let mut report = Report::default();
    if let Some(only) = only {
        take(log, log.record(only).await?, anchors, &mut report).await?;
        return Ok(report);
    }
    let mut before = None;
    loop {
        let records = log.sessions(before, handbox_session::SESSIONS_MAX).await?;
        let Some(last) = records.last() else { break };
        before = Some(last.id);
        for record in records {
            take(log, record, anchors, &mut report).await?;
        }
    }
    report.heads.reverse();
    missing(anchors, &mut report);
    Ok(report)
}

/// Finds the anchors whose session is nowhere in a report of all sessions.
pub(super) fn missing(anchors: &[Anchor], report: &mut Report) {
    for anchor in anchors {
        let known = report.heads.iter().any(|head| head.session == anchor.session);
        if !known && !report.damages.iter().any(|found| found.session == Some(anchor.session)) {
            report.damages.push(Found::gone(anchor));
        }
    }
}

async fn take(log: &dyn SessionLog, record: Record, anchors: &[Anchor], report: &mut Report) -> Result<(), LogError> {
    let head = Anchor { session: record.id, seq: record.head, hash: record.hash };
    match session(log, record, anchors).await {
        Ok(found) => report.damages.extend(found),
        Err(LogError::Damaged(damage)) => report.damages.push(damage.into()),
        // Somebody removed it meanwhile.
        Err(LogError::NoSession(_)) => return Ok(()),
        Err(error) => return Err(error),
    }
    report.events += head.seq.get();
    report.heads.push(head);
    Ok(())
}

/// The first that is wrong with a session, up to the head of its record.
pub(super) async fn session(
    log: &dyn SessionLog,
    record: Record,
    anchors: &[Anchor],
) -> Result<Option<Found>, LogError> {
    let (id, head) = (record.id, record.head);
    let mut verifier = match Verifier::new(record, anchors) {
        Ok(verifier) => verifier,
        Err(flaw) => return Ok(Some(Found::flaw(id, &flaw))),
    };
    let mut next = Some(Seq::FIRST);
    while let Some(from) = next {
        let page = log.read(id, Slice { to: Some(head), ..Slice::from(from) }).await?;
        for entry in &page.entries {
            if let Err(flaw) = verifier.entry(entry, None) {
                return Ok(Some(Found::flaw(id, &flaw)));
            }
        }
        next = page.next;
    }
    Ok(verifier.finish().err().map(|flaw| Found::flaw(id, &flaw)))
}
