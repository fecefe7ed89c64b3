//! `handbox wake --all`: every session that was left in the middle of something.

use super::brain::{brain, folded};
use super::model::Choice;
use super::report::words;
use crate::args::Global;
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_brain::step::{Step, next_step};
use handbox_brain::{Brain, Machine, Pool, Rest, RunsWith, Surroundings, WakeError, runs_with};
use handbox_session::{Fold, SessionId, SessionLog};
use handbox_vault::keep::Keep;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How many sessions are looked at in one go.
const PAGE: usize = 500;

/// Works on all sessions for which there is something to do, a few at a time; says how each came to rest.
pub(super) async fn all(
    log: Arc<dyn SessionLog>,
    (global, keep): (&Global, &Keep),
    paths: &Paths,
) -> Result<ExitCode, Failure> {
    let config = Config::load(paths, Path::new("/"))?;
    let pool = Arc::new(Pool::new(config.operator.agents.awake_max));
    let mut brains: Vec<(Choice, Brain)> = Vec::new();
    let mut awake = JoinSet::new();
    let mut worst = ExitCode::SUCCESS;
    let mut before = None;
    loop {
        let page = log.sessions(before, PAGE).await?;
        for record in &page {
            let session = record.id;
            let brain = match brain_for(&log, session, (global, keep), &mut brains).await {
                Ok(Some(brain)) => brain,
                Ok(None) => continue,
                // One that cannot be gone on with keeps no other waiting.
                Err(failure) => {
                    worst = said(global, session, &failure.message, 0, ExitCode::from(failure.kind.code()));
                    continue;
                }
            };
            let pool = Arc::clone(&pool);
            awake.spawn(async move { (session, pool.wake(&brain, session).await) });
        }
        before = page.last().map(|record| record.id);
        if page.len() < PAGE {
            break;
        }
    }
    let found = awake.len();
    while let Some(woken) = awake.join_next().await {
        let (session, rest) = woken.map_err(Failure::internal)?;
        let code = tell(&*log, global, session, rest).await?;
        if worst == ExitCode::SUCCESS {
            worst = code;
        }
    }
    if found == 0 && worst == ExitCode::SUCCESS && !global.json && !global.quiet {
        output::note(Tone::Note, "every session is at rest, or waits for somebody");
    }
    Ok(worst)
}

/// The brain for a session in which there is something to do.
async fn brain_for(
    log: &Arc<dyn SessionLog>,
    session: SessionId,
    (global, keep): (&Global, &Keep),
    brains: &mut Vec<(Choice, Brain)>,
) -> Result<Option<Brain>, Failure> {
    let fold = folded(&**log, session).await?;
    // One from elsewhere may not say what it runs with, and rests.
    let Ok(runs) = runs_with(&**log, session, &fold).await else { return Ok(None) };
    if !has_work(&fold, &runs) {
        return Ok(None);
    }
    let choice = Choice::pinned(&runs.agent.model)?;
    if let Some((_, brain)) = brains.iter().find(|(known, _)| *known == choice) {
        return Ok(Some(brain.clone()));
    }
    let (brain, _) = brain(Arc::clone(log), &choice, (global, keep), Path::new("/")).await?;
    brains.push((choice, brain.clone()));
    Ok(Some(brain))
}

/// Whether a brain would do anything now.
pub(super) fn has_work(fold: &Fold, runs: &RunsWith) -> bool {
    !matches!(next_step(fold, runs, Machine.now_unix_ms()), Step::Rest(_))
}

async fn tell(
    log: &dyn SessionLog,
    global: &Global,
    session: SessionId,
    rest: Result<Rest, WakeError>,
) -> Result<ExitCode, Failure> {
    let (how, code, waiting) = match rest {
        Ok(rest) => {
            let (how, code) = words(&folded(log, session).await?);
            (how.to_owned(), code, rest.waiting.len())
        }
        // Whoever works on it goes on with it.
        Err(WakeError::Held { holder, .. }) => (format!("{holder} works on it"), ExitCode::SUCCESS, 0),
        Err(error) => (error.to_string(), ExitCode::from(Kind::Tool.code()), 0),
    };
    Ok(said(global, session, &how, waiting, code))
}

fn said(global: &Global, session: SessionId, how: &str, waiting: usize, code: ExitCode) -> ExitCode {
    if global.json {
        output::json_line(&json!({ "session": session, "ended": how, "waiting": waiting }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("{session}: {how}"));
    }
    code
}
