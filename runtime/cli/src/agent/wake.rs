//! `handbox wake`.

use super::brain::{brain, log, state};
use super::drive::Drive;
use super::model::Choice;
use super::report::words;
use super::wake_all;
use crate::args::Global;
use crate::failure::Failure;
use crate::log::open;
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::vault;
use handbox_session::SessionLog;
use handbox_vault::keep::Keep;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// Go on with a session from its last event, whoever worked on it before.
///
/// What was going on when its last brain died is recovered first: a call that only reads runs again, one whose outcome
/// nobody can tell is answered so. Calls that wait for somebody's yes or no go on waiting if there is no terminal to ask on
/// (exit status 3): see `approve` and `deny`. Exit status as of `run`.
#[derive(clap::Args)]
pub(crate) struct Wake {
    /// The session, by its id or the beginning of it
    #[arg(required_unless_present = "all")]
    id: Option<String>,
    /// Every session that was left in the middle of something, a few at a time (`awake_max` under [agents] in config.toml)
    #[arg(long, conflicts_with = "id")]
    all: bool,
}

pub(crate) fn run(global: &Global, command: &Wake) -> Result<ExitCode, Failure> {
    let paths = Paths::find(global)?;
    let runtime = open::runtime()?;
    let done = runtime.block_on(async {
        let shared = log(&paths, "handbox wake").await?;
        let opened: Arc<dyn SessionLog> = Arc::<handbox_store::socket::SharedLog>::clone(&shared);
        let keep = vault::keep(&paths);
        let done = work(opened, command, (global, &keep), &paths).await;
        shared.close().await;
        vault::settle(&keep, global.quiet).await;
        done
    });
    runtime.shutdown_background();
    done
}

async fn work(
    log: Arc<dyn SessionLog>,
    command: &Wake,
    (global, keep): (&Global, &Keep),
    paths: &Paths,
) -> Result<ExitCode, Failure> {
    let Some(id) = &command.id else { return wake_all::all(log, (global, keep), paths).await };
    let session = open::resolve(&*log, id).await?;
    let (fold, runs) = state(&*log, session).await?;
    let record = log.record(session).await?;
    if !global.json && record.holder.is_none() && fold.calls.is_empty() && !wake_all::has_work(&fold, &runs) {
        let (how, code) = words(&fold);
        let how = if fold.turn.start.is_some() { how } else { "was never told what to do" };
        output::note(Tone::Note, &format!("{session}: {how}; nothing is left to do"));
        output::note(Tone::Hint, &format!("go on with: handbox run --session {session} \"…\""));
        return Ok(code);
    }
    let choice = Choice::pinned(&runs.agent.model)?;
    let after = record.head;
    // What a session runs with does not depend on where it is woken.
    let (brain, hands) = brain(log, &choice, (global, keep), Path::new("/")).await?;
    Drive { brain, hands, session, after, global, paths, scripted: choice.is_scripted(), denies: false }.run().await
}
