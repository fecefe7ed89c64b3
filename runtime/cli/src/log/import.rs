//! `handbox log import`: a session that was exported, with the same hashes.

use super::open;
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::{
    APPEND_EVENTS_MAX, Arrival, Batch, EVENT_BYTES_MAX, Entry, Event, Flaw, Hash, Importer, LogError, NewSession, Seq,
    SessionId, SessionLog, Ticket, Writer,
};
use serde_json::json;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The longest line: an event and what stands beside it, or a lineage.
const LINE_BYTES_MAX: u64 = EVENT_BYTES_MAX as u64 + 128 * 1024;
/// Events are handed on once they have so many bytes: half of what one append takes.
const GROUP_BYTES: usize = handbox_session::APPEND_BYTES_MAX / 2;
/// How often it is begun again after the process that holds the store died. Holders do not die that often; what kills
/// them may be it.
const TRIES_MAX: usize = 5;

/// Take in a session that `log export` wrote.
///
/// Everything is checked first: a file in which anything was changed, cut off, left out or moved is
/// refused with the place, and nothing is kept of it. Nobody sees the session before all of it is
/// there, and if this command is killed nothing of it is left. It keeps its id and its hashes; if
/// there is a session of that id already, the file is refused.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox log import session.jsonl
  gunzip < session.jsonl.gz | handbox log import -")]
pub(super) struct Import {
    /// What `log export` wrote, or `-` for standard input
    file: PathBuf,
}

/// What a file says of its session.
struct Checked {
    session: SessionId,
    head: Seq,
    hash: Hash,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Import) -> Result<ExitCode, Failure> {
    let name =
        if command.file.as_os_str() == "-" { "standard input".into() } else { command.file.display().to_string() };
    let mut file = source(&command.file, &name)?;
    let checked = check(&mut file, &name)?;
    open::make_folder(paths)?;
    open::with(paths, "handbox log import", async |log| {
        refuse_existing(log, &checked, &name).await?;
        rewind(&mut file, &name)?;
        take_in(log, &mut file, &name, &checked).await
    })?;
    let Checked { session, head, .. } = checked;
    if global.json {
        output::json_line(&json!({ "session": session, "events": head, "hash": checked.hash }));
    } else {
        output::data(&session.to_string());
        if !global.quiet {
            output::note(Tone::Note, &format!("imported {head} events; `handbox sessions show {session}` shows it"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The file to read twice: once to check it, once to take it in.
fn source(path: &Path, name: &str) -> Result<File, Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("{name}: {error}"));
    if path.as_os_str() != "-" {
        // Asked before opening, because opening a FIFO would wait for a writer.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(Failure::usage(format!("{name} is not a regular file")).hint("`-` reads standard input"));
        }
        return File::open(path).map_err(failed);
    }
    let mut file = tempfile::tempfile().map_err(failed)?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file).map_err(failed)?;
    rewind(&mut file, name)?;
    Ok(file)
}

fn rewind(file: &mut File, name: &str) -> Result<(), Failure> {
    file.seek(SeekFrom::Start(0)).map(drop).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

/// The lines of a file, each of a length that an export's can have.
struct Lines<'a> {
    from: BufReader<&'a mut File>,
    name: &'a str,
}

impl<'a> Lines<'a> {
    fn new(file: &'a mut File, name: &'a str) -> Self {
        Self { from: BufReader::new(file), name }
    }

    /// The next line; `Err` says why what stands there is none.
    fn next(&mut self) -> Result<Option<Result<String, &'static str>>, Failure> {
        let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", self.name));
        let mut line = Vec::new();
        let read = (&mut self.from).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(failed)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if read as u64 == LINE_BYTES_MAX {
            return Ok(Some(Err("it is longer than any line of an export")));
        }
        Ok(Some(String::from_utf8(line).map_err(|_| "it is no text")))
    }

    /// The next line, where this entry or the end is due.
    fn due(&mut self, seq: Seq) -> Result<Option<String>, Failure> {
        let unreadable = |what: &str| flawed(self.name, &Flaw::Unreadable { seq, what: what.to_owned() });
        self.next()?.transpose().map_err(unreadable)
    }
}

fn flawed(name: &str, flaw: &Flaw) -> Failure {
    let kind = if matches!(flaw, Flaw::Header(_)) { Kind::Usage } else { Kind::Broken };
    Failure::new(kind, format!("{name}: {flaw}"))
        .hint("nothing was imported; export the session again where it is sound")
}

fn begin(lines: &mut Lines<'_>) -> Result<Importer, Failure> {
    let header = lines.next()?.unwrap_or_else(|| Ok(String::new()));
    let header = header.map_err(|what| flawed(lines.name, &Flaw::Header(what.to_owned())))?;
    Importer::new(&header).map_err(|flaw| flawed(lines.name, &flaw))
}

/// Reads all of it, before anything is kept.
fn check(file: &mut File, name: &str) -> Result<Checked, Failure> {
    let lines = &mut Lines::new(file, name);
    let mut importer = begin(lines)?;
    let session = importer.session();
    let (mut head, mut last) = (None, String::new());
    while let Some(line) = lines.due(after(head))? {
        if let Some(entry) = importer.line(&line).map_err(|flaw| flawed(name, &flaw))? {
            head = Some(entry.seq);
        }
        last = line;
    }
    importer.finish().map_err(|flaw| flawed(name, &flaw))?;
    let end: serde_json::Value = serde_json::from_str(&last).map_err(Failure::internal)?;
    let hash = end["hash"].as_str().unwrap_or_default().parse().map_err(Failure::internal)?;
    let head = head.ok_or_else(|| Failure::usage(format!("{name}: a session without events")))?;
    Ok(Checked { session, head, hash })
}

fn after(head: Option<Seq>) -> Seq {
    head.map_or(Seq::FIRST, |head| head.plus(1))
}

async fn refuse_existing(log: &dyn SessionLog, checked: &Checked, name: &str) -> Result<(), Failure> {
    let record = match log.record(checked.session).await {
        Err(LogError::NoSession(_)) => return Ok(()),
        record => record?,
    };
    let (id, head) = (record.id, record.head);
    let failure =
        Failure::usage(format!("there is a session {id} already, with {head} events; {name} has {}", checked.head));
    Err(if record.hash == checked.hash {
        failure.hint("it is the same, event for event: there is nothing to import")
    } else {
        failure.hint(format!("`handbox sessions rm {id}` removes that one, if it is not wanted"))
    })
}

/// Keeps all of it or nothing.
async fn take_in(log: &dyn SessionLog, file: &mut File, name: &str, checked: &Checked) -> Result<(), Failure> {
    for _ in 1..TRIES_MAX {
        match attempt(log, file, name, checked).await {
            // The process that held the store died, and what had not arrived went with it.
            Err(Stopped::Lost) => rewind(file, name)?,
            Err(Stopped::Failed(failure)) => return Err(failure),
            Ok(()) => return Ok(()),
        }
    }
    match attempt(log, file, name, checked).await {
        Ok(()) => Ok(()),
        Err(Stopped::Failed(failure)) => Err(failure),
        Err(Stopped::Lost) => {
            let what = "the process that holds the store ended again and again while the session was taken in";
            Err(Failure::new(Kind::Denied, what).hint("nothing was imported; try again"))
        }
    }
}

/// Why an import did not come to its end.
enum Stopped {
    /// What there was of it is gone: begin again.
    Lost,
    Failed(Failure),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Lets the session arrive, or gives it up.
async fn attempt(log: &dyn SessionLog, file: &mut File, name: &str, checked: &Checked) -> Result<(), Stopped> {
    let mut ticket = [0; 16];
    getrandom::fill(&mut ticket).map_err(Failure::internal)?;
    let Checked { head, hash, .. } = *checked;
    let arrival = Arrival { head, hash, ticket: Ticket(ticket) };
    let kept = keep(log, &mut Lines::new(file, name), checked.session, arrival).await;
    if kept.is_err() {
        // Only what has not arrived is given up. If that fails, it ends with this connection.
        let _ = log.abandon(checked.session, arrival.ticket).await;
    }
    kept
}

/// Hands the entries on.
async fn keep(log: &dyn SessionLog, lines: &mut Lines<'_>, id: SessionId, arrival: Arrival) -> Result<(), Stopped> {
    let name = lines.name;
    let mut importer = begin(lines)?;
    let changed = || Failure::usage(format!("{name} was changed while it was read"));
    if importer.session() != id {
        return Err(changed().into());
    }
    let new = NewSession::imported(id, importer.lineage().to_vec(), arrival, Vec::new());
    let (mut group, mut bytes, mut kept, mut head) = (Vec::new(), 0, None, None);
    while let Some(line) = lines.due(after(head))? {
        let Some(Entry { seq, event }) = importer.line(&line).map_err(|flaw| flawed(name, &flaw))? else { continue };
        head = Some(seq);
        bytes += event.json().len();
        group.push(event);
        if group.len() == APPEND_EVENTS_MAX || bytes >= GROUP_BYTES {
            put(log, &new, std::mem::take(&mut group), &mut kept).await?;
            bytes = 0;
        }
    }
    importer.finish().map_err(|flaw| flawed(name, &flaw))?;
    put(log, &new, group, &mut kept).await?;
    if kept == Some(arrival.head) { Ok(()) } else { Err(changed().into()) }
}

/// Hands some on. `kept` is the last place that the log has.
async fn put(
    log: &dyn SessionLog,
    new: &NewSession,
    events: Vec<Event>,
    kept: &mut Option<Seq>,
) -> Result<(), Stopped> {
    let Some(arrival) = new.arrival.filter(|_| !events.is_empty()) else { return Ok(()) };
    let failed = |error| Stopped::Failed(Failure::from(error));
    match kept {
        None => *kept = Some(log.create(NewSession { events, ..new.clone() }).await.map_err(failed)?.head),
        Some(head) => {
            let writer = Writer::Arriving(arrival.ticket);
            let batch = Batch { session: new.id, writer, after: Some(*head), events };
            let placed = log.append(vec![batch]).await.map_err(|error| match error {
                LogError::NoSession(_) => Stopped::Lost,
                error => failed(error),
            })?;
            if let Some(places) = placed.into_iter().flatten().next() {
                *head = places.last;
            }
        }
    }
    Ok(())
}
