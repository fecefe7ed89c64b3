//! What asks the storage engine about a file that may be damaged, in a process of its own.
//!
//! On a damaged file the engine may end its whole process. So this program starts itself again with the hidden verb `log
//! engine`, which prints one line of JSON; a process that ended without it gave up on the file.
//!
//! That process changes nothing and keeps nobody out: it takes no lock, and what the engine writes stays in its memory
//! (`overlay.rs`). Should another process have written meanwhile, its answer means nothing, and is not given.

use super::chain::{self, Found, Report};
use super::open;
use super::overlay::Overlay;
use crate::failure::{Failure, Kind};
use crate::output;
use handbox_session::{Anchor, LogError, SESSIONS_MAX, SessionLog};
use handbox_store::{OpenError, Options, RedbLog, Surroundings};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::SystemTime;

/// The most characters of what a process that ended said last.
const LAST_WORDS_MAX: usize = 300;
/// The front of the file, which the engine writes with every commit.
const FRONT_BYTES: u64 = 4096;

/// Work for `log verify` and `doctor`, in a process that may break. It ends when its standard input does.
#[derive(clap::Args)]
#[command(hide = true)]
pub(super) struct Engine {
    task: Task,
    folder: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Task {
    /// Read and check all there is. Anchors come as the first line of standard input.
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
    /// It was written while it was read.
    Disturbed,
    /// It is not damaged, and yet cannot be used.
    Refused(String),
}

pub(super) fn run(command: &Engine) -> Result<ExitCode, Failure> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(Failure::internal)?;
    std::thread::spawn(end_with_input);
    let answer = match command.task {
        Task::Verify => {
            let anchors: Vec<Anchor> = serde_json::from_str(&line).map_err(Failure::internal)?;
            verify(&command.folder, &anchors)
        }
        Task::Open => count(&command.folder),
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(OpenError::Busy) => Answer::Disturbed,
        Err(OpenError::Log(LogError::Damaged(damage))) => Answer::Report(damaged(damage.into())),
        Err(error) => Answer::Refused(error.to_string()),
    };
    output::json_line(&serde_json::to_value(&answer).map_err(Failure::internal)?);
    Ok(ExitCode::SUCCESS)
}

/// Nobody waits for an answer once the process that asked is gone, however that ended.
fn end_with_input() {
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    std::process::exit(0);
}

fn damaged(found: Found) -> Report {
    Report { damages: vec![found], ..Report::default() }
}

/// The log of a folder, whose file stays as it is.
fn opened(folder: &Path) -> Result<RedbLog, OpenError> {
    RedbLog::open_with(Overlay::open(&open::file(folder))?, Options::standard(), Surroundings::memory())
}

fn count(folder: &Path) -> Result<Answer, OpenError> {
    let log = opened(folder)?;
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
    let verdict = RedbLog::verify_with(Overlay::open(&open::file(folder))?, &Options::standard())?;
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
    let log = opened(folder)?;
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

/// What changes with every commit to a file.
#[derive(PartialEq, Eq)]
struct Stamp {
    len: u64,
    changed: Option<SystemTime>,
    front: Vec<u8>,
}

impl Stamp {
    fn of(file: &Path) -> std::io::Result<Self> {
        let opened = File::open(file)?;
        let about = opened.metadata()?;
        let mut front = Vec::new();
        opened.take(FRONT_BYTES).read_to_end(&mut front)?;
        Ok(Self { len: about.len(), changed: about.modified().ok(), front })
    }
}

/// Has another process do this with the store in a folder. What that process could not survive is a damage of the store.
pub(super) fn ask(task: Task, folder: &Path, anchors: &[Anchor]) -> Result<Answer, Failure> {
    let file = open::file(folder);
    let stamp = || {
        let failed = |error| Failure::usage(format!("{} cannot be read: {error}", file.display()));
        Stamp::of(&file).map_err(failed)
    };
    // Commits write where nothing was, and last the front: as long as that stays, so does all it leads to.
    let before = stamp()?;
    let answer = ask_once(task, folder, anchors)?;
    Ok(if stamp()? == before { answer } else { Answer::Disturbed })
}

fn ask_once(task: Task, folder: &Path, anchors: &[Anchor]) -> Result<Answer, Failure> {
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
    let mut line = serde_json::to_vec(anchors).map_err(Failure::internal)?;
    line.push(b'\n');
    let pipe = feed(&mut child, line);
    let ended = child.wait_with_output().map_err(failed)?;
    drop(pipe);
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

/// In a thread, since the process may print before it has read everything. The pipe stays open as long as what this gives.
fn feed(child: &mut Child, bytes: Vec<u8>) -> Option<JoinHandle<ChildStdin>> {
    let mut pipe = child.stdin.take()?;
    Some(std::thread::spawn(move || {
        // A process that ended early says so by its status.
        let _ = pipe.write_all(&bytes);
        pipe
    }))
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
