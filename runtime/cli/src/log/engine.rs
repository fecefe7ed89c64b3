//! What asks the storage engine about a file that may be damaged, in a process of its own.
//!
//! On a damaged file the engine may end its whole process. So this program starts itself again with the hidden verb `log
//! engine`, which prints one line of JSON; a process that ended without it gave up on the file.

use super::chain::{self, Found, Report};
use crate::failure::{Failure, Kind};
use crate::output;
use handbox_session::{Anchor, LogError, SESSIONS_MAX, SessionLog};
use handbox_store::{OpenError, Options, RedbLog};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};

/// The most characters of what a process that ended said last.
const LAST_WORDS_MAX: usize = 300;

/// Work for `log verify` and `doctor`, in a process that may break.
#[derive(clap::Args)]
#[command(hide = true)]
pub(super) struct Engine {
    task: Task,
    folder: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Task {
    /// Read and check all there is. Anchors come on standard input.
    Verify,
    /// Open it, and count its sessions.
    Open,
}

/// The line that the process prints.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Report(Report),
    Opened {
        sessions: usize,
    },
    /// Another process holds the store.
    Busy,
    /// It is not damaged, and yet cannot be used.
    Refused(String),
}

pub(super) fn run(command: &Engine) -> Result<ExitCode, Failure> {
    let answer = match command.task {
        Task::Verify => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map_err(Failure::internal)?;
            let anchors: Vec<Anchor> = serde_json::from_str(&text).map_err(Failure::internal)?;
            verify(&command.folder, &anchors)
        }
        Task::Open => open(&command.folder),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(OpenError::Busy) => Answer::Busy,
        Err(OpenError::Log(LogError::Damaged(damage))) => Answer::Report(damaged(damage.into())),
        Err(error) => Answer::Refused(error.to_string()),
    };
    output::json_line(&serde_json::to_value(&answer).map_err(Failure::internal)?);
    Ok(ExitCode::SUCCESS)
}

fn damaged(found: Found) -> Report {
    Report { damages: vec![found], ..Report::default() }
}

fn open(folder: &Path) -> Result<Answer, OpenError> {
    let log = RedbLog::open(folder, Options::standard())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    let sessions = runtime.block_on(async {
        let (mut count, mut before) = (0, None);
        loop {
            let records = log.sessions(before, SESSIONS_MAX).await?;
            count += records.len();
            match records.last() {
                Some(last) => before = Some(last.id),
                None => return Ok::<_, LogError>(count),
            }
        }
    })?;
    Ok(Answer::Opened { sessions })
}

fn verify(folder: &Path, anchors: &[Anchor]) -> Result<Answer, OpenError> {
    let verdict = RedbLog::verify_folder(folder, &Options::standard())?;
    let heads = verdict.heads.into_iter().map(|(session, seq, hash)| Anchor { session, seq, hash }).collect();
    let damages = verdict.damages.into_iter().map(Found::from).collect();
    let mut report = Report { events: verdict.events, heads, damages };
    chain::missing(anchors, &mut report);
    compare(folder, anchors, &mut report)?;
    Ok(Answer::Report(report))
}

/// Compares the sessions that are sound in themselves with their anchors.
fn compare(folder: &Path, anchors: &[Anchor], report: &mut Report) -> Result<(), OpenError> {
    let broken = |session| report.damages.iter().any(|found| found.session == Some(session));
    let heads = report.heads.iter().filter(|head| anchors.iter().any(|anchor| anchor.session == head.session));
    let sessions: Vec<_> = heads.map(|head| head.session).filter(|session| !broken(*session)).collect();
    // A store that is damaged may be sound enough to be walked through and not to be opened.
    if sessions.is_empty() || report.damages.iter().any(|found| found.session.is_none()) {
        return Ok(());
    }
    let log = RedbLog::open(folder, Options::standard())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build()?;
    runtime.block_on(async {
        for session in sessions {
            match chain::session(&log, log.record(session).await?, anchors).await {
                Ok(found) => report.damages.extend(found),
                Err(LogError::Damaged(damage)) => report.damages.push(damage.into()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Has another process do this with the store in a folder. What that process could not survive is a damage of the store.
pub(super) fn ask(task: Task, folder: &Path, anchors: &[Anchor]) -> Result<Answer, Failure> {
    let failed = |error: std::io::Error| Failure::internal(format!("the checking process cannot be run: {error}"));
    let name = match task {
        Task::Verify => "verify",
        Task::Open => "open",
    };
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["log", "engine", name]).arg(folder);
    // Its log lines and panics are read below, and are no part of what people are told.
    command.env_remove("HANDBOX_LOG").env_remove("RUST_BACKTRACE");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    let anchors = serde_json::to_vec(anchors).map_err(Failure::internal)?;
    feed(&mut child, anchors);
    let ended = child.wait_with_output().map_err(failed)?;
    if let Ok(answer) = serde_json::from_slice(&ended.stdout) {
        return Ok(answer);
    }
    if was_stopped(ended.status) {
        let message = format!("the checking process was ended from outside ({})", ended.status);
        return Err(Failure::new(Kind::Limit, message).hint("if nobody did that, the machine may lack memory"));
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    let said: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LAST_WORDS_MAX).collect();
    let what = format!("the storage engine gave up on the file and ended its process ({}): {said}", ended.status);
    Ok(Answer::Report(damaged(Found::store(what.trim_end_matches([':', ' '])))))
}

/// In a thread, since the process may print before it has read everything.
fn feed(child: &mut Child, bytes: Vec<u8>) {
    if let Some(mut pipe) = child.stdin.take() {
        // A process that ended early says so by its status.
        std::thread::spawn(move || drop(pipe.write_all(&bytes)));
    }
}

/// Whether somebody ended the process, rather than it itself.
#[cfg(unix)]
fn was_stopped(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    // SIGHUP, SIGINT, SIGKILL, SIGTERM: their numbers are the same everywhere.
    matches!(status.signal(), Some(1 | 2 | 9 | 15))
}

#[cfg(not(unix))]
fn was_stopped(_: ExitStatus) -> bool {
    false
}
