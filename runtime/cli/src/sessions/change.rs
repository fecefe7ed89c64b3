//! `handbox sessions fork` and `rm`.

use super::place;
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::log::{self, open};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::{NewSession, Seq, SessionId};
use serde_json::json;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// Begin a new session with the first events of another, and print its id.
///
/// The events are shared, not copied, so this takes no time and no space; the other session stays as
/// it is. `handbox sessions events` shows the places.
#[derive(clap::Args)]
pub(super) struct Fork {
    /// The session, by its id or the beginning of it
    id: String,
    /// The last place that both will have; otherwise the last there is
    #[arg(long, value_name = "PLACE", value_parser = place)]
    at: Option<Seq>,
}

/// Remove sessions for good, and print their ids.
///
/// Nothing is asked before. A session that a brain works on is refused. Events that forks share stay
/// until the last fork goes; until then no session of that id can be imported.
#[derive(clap::Args)]
pub(super) struct Rm {
    /// The sessions, by their ids or at least 8 digits of them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

pub(super) fn fork(global: &Global, paths: &Paths, command: &Fork) -> Result<ExitCode, Failure> {
    let (fork, parent, at) = open::with_session(paths, "handbox sessions fork", &command.id, async |log, parent| {
        let at = match command.at {
            Some(at) => at,
            None => log.record(parent).await?.head,
        };
        Ok((log.create(NewSession::fork(mint()?, parent, at)).await?.id, parent, at))
    })?;
    if global.json {
        output::json_line(&json!({ "session": fork, "forked_from": { "session": parent, "at": at } }));
    } else {
        output::data(&fork.to_string());
        if !global.quiet {
            output::note(Tone::Note, &format!("it shares the events 1 to {at} of {parent}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn mint() -> Result<SessionId, Failure> {
    let now =
        SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Failure::usage("the clock is set before 1970"))?;
    let mut chance = [0; 10];
    getrandom::fill(&mut chance).map_err(Failure::internal)?;
    Ok(SessionId::at(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), chance))
}

pub(super) fn rm(global: &Global, paths: &Paths, command: &Rm) -> Result<ExitCode, Failure> {
    command.ids.iter().try_for_each(|text| open::check_removal(text))?;
    let first = command.ids.first().map_or("", String::as_str);
    let (removed, forks, failed) = open::with_session(paths, "handbox sessions rm", first, async |log, _| {
        // All are looked up before any is removed, so that a typing mistake removes nothing.
        let mut ids: Vec<SessionId> = Vec::new();
        for text in &command.ids {
            let id = open::resolve(log, text).await?;
            log.record(id).await?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let mut removed = Vec::new();
        for id in ids {
            match log.remove(id).await {
                Ok(()) => removed.push(id),
                Err(error) => return Ok((removed, Vec::new(), Some(Failure::from(error)))),
            }
        }
        let forks = log::forks_of(log, &removed).await?;
        Ok((removed, forks, None))
    })?;
    if global.json {
        let error = failed.as_ref().map(Failure::to_json);
        output::json_line(&json!({ "removed": removed, "forks": forks, "error": error }));
    } else {
        let lines: Vec<String> = removed.iter().map(SessionId::to_string).collect();
        output::data(&lines.join("\n"));
        if !forks.is_empty() && !global.quiet {
            let forks = forks.iter().map(SessionId::to_string).collect::<Vec<_>>().join(" ");
            output::note(Tone::Note, &format!("what forks share of it stays until they go, too: {forks}"));
        }
        failed.iter().for_each(Failure::report_text);
    }
    Ok(ExitCode::from(failed.map_or(0, |failure: Failure| Kind::code(failure.kind))))
}
