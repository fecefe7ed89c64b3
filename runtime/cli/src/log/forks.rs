//! Which sessions keep the events of one that was removed.

use super::open;
use crate::failure::Failure;
use crate::paths::Paths;
use handbox_session::{LogError, SESSIONS_MAX, SessionId, SessionLog};

/// The sessions that were forked from one of these, the newest first, without these themselves.
///
/// A fork that was imported is among them, although it shares nothing: what a record says of both is the same.
pub(crate) async fn of(log: &dyn SessionLog, parents: &[SessionId]) -> Result<Vec<SessionId>, LogError> {
    let (mut forks, mut before) = (Vec::new(), None);
    loop {
        let records = log.sessions(before, SESSIONS_MAX).await?;
        let Some(last) = records.last() else { return Ok(forks) };
        before = Some(last.id);
        let forked = records.iter().filter(|record| record.lineage.iter().any(|fork| parents.contains(&fork.session)));
        forks.extend(forked.map(|record| record.id).filter(|id| !parents.contains(id)));
    }
}

/// Adds to the refusal of an id that forks keep which forks those are.
pub(super) fn named(paths: &Paths, failure: Failure) -> Failure {
    let words = failure.message.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let id: Option<SessionId> = words.filter_map(|word| word.parse().ok()).next();
    let Some(id) = id.filter(|_| failure.hint.is_none() && failure.message.contains("forks of")) else {
        return failure;
    };
    match open::with(paths, "handbox log import", async |log| Ok(of(log, &[id]).await?)) {
        Ok(forks) if !forks.is_empty() => {
            let forks = forks.iter().map(SessionId::to_string).collect::<Vec<_>>().join(" ");
            failure.hint(format!("it can be imported once they are removed: handbox sessions rm {forks}"))
        }
        _ => failure,
    }
}
