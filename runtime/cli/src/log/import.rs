//! `handbox log import`: a session that was exported, with the same hashes.

use super::open;
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::{
    APPEND_EVENTS_MAX, Batch, EVENT_BYTES_MAX, Entry, Event, Flaw, Importer, LogError, NewSession, Record,
    SESSIONS_MAX, Seq, SessionId, SessionLog, Writer,
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

/// Take in a session that `log export` wrote.
///
/// Everything is checked first: a file in which anything was changed, cut off, left out or moved is
/// refused with the place, and nothing is kept of it. The session keeps its id and its hashes; if
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
    hash: String,
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

    fn next(&mut self) -> Result<Option<String>, Failure> {
        let failed = |error: std::io::Error| Failure::usage(format!("{}: {error}", self.name));
        let mut line = Vec::new();
        let read = (&mut self.from).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).map_err(failed)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        // A line that is too long or no text is cut or mangled here, and then refused as what it is: no line of an export.
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }
}

fn flawed(name: &str, flaw: &Flaw) -> Failure {
    let kind = if matches!(flaw, Flaw::Header(_)) { Kind::Usage } else { Kind::Broken };
    Failure::new(kind, format!("{name}: {flaw}"))
        .hint("nothing was imported; export the session again where it is sound")
}

fn begin(lines: &mut Lines<'_>) -> Result<Importer, Failure> {
    let header = lines.next()?.unwrap_or_default();
    Importer::new(&header).map_err(|flaw| flawed(lines.name, &flaw))
}

/// Reads all of it, before anything is kept.
fn check(file: &mut File, name: &str) -> Result<Checked, Failure> {
    let lines = &mut Lines::new(file, name);
    let mut importer = begin(lines)?;
    let session = importer.session();
    let (mut head, mut last) = (None, String::new());
    while let Some(line) = lines.next()? {
        if let Some(entry) = importer.line(&line).map_err(|flaw| flawed(name, &flaw))? {
            head = Some(entry.seq);
        }
        last = line;
    }
    importer.finish().map_err(|flaw| flawed(name, &flaw))?;
    let end: serde_json::Value = serde_json::from_str(&last).map_err(Failure::internal)?;
    let hash = end["hash"].as_str().unwrap_or_default().to_owned();
    let head = head.ok_or_else(|| Failure::usage(format!("{name}: a session without events")))?;
    Ok(Checked { session, head, hash })
}

async fn refuse_existing(log: &dyn SessionLog, checked: &Checked, name: &str) -> Result<(), Failure> {
    let record = match log.record(checked.session).await {
        Err(LogError::NoSession(_)) => return Ok(()),
        record => record?,
    };
    let (id, head) = (record.id, record.head);
    let failure =
        Failure::usage(format!("there is a session {id} already, with {head} events; {name} has {}", checked.head));
    Err(if record.hash.to_string() == checked.hash {
        failure.hint("it is the same, event for event: there is nothing to import")
    } else {
        failure.hint(format!(
            "`handbox sessions rm {id}` removes that one, for example if an earlier import was killed half-way"
        ))
    })
}

/// Keeps it; or takes away what was begun.
async fn take_in(log: &dyn SessionLog, file: &mut File, name: &str, checked: &Checked) -> Result<(), Failure> {
    let mut begun = None;
    let kept = keep(log, &mut Lines::new(file, name), &mut begun).await;
    let failure = match (kept, &begun) {
        (Ok(()), Some(record)) if record.head == checked.head && record.hash.to_string() == checked.hash => {
            return Ok(());
        }
        (Ok(()), _) => Failure::usage(format!("{name} was changed while it was read")),
        (Err(failure), _) => failure,
    };
    let Some(begun) = begun else { return Err(explained(log, failure, checked).await) };
    Err(match log.remove(begun.id).await {
        Ok(()) => failure,
        Err(error) => {
            let hint = format!(
                "a part of it was kept, and could not be removed ({error}): `handbox sessions rm {}`",
                begun.id
            );
            failure.hint(hint)
        }
    })
}

/// Names the forks that keep the events of a session that was removed, if that is why it cannot come back.
async fn explained(log: &dyn SessionLog, failure: Failure, checked: &Checked) -> Failure {
    let (mut forks, mut before) = (Vec::new(), None);
    while let Ok(records) = log.sessions(before, SESSIONS_MAX).await {
        let Some(last) = records.last() else { break };
        before = Some(last.id);
        let is_fork = |record: &&Record| record.lineage.iter().any(|part| part.session == checked.session);
        forks.extend(records.iter().filter(is_fork).map(|record| record.id.to_string()));
    }
    if forks.is_empty() {
        return failure;
    }
    failure.hint(format!(
        "nothing was imported; remove the forks first: handbox sessions rm {} (`handbox log export ID` keeps a copy)",
        forks.join(" ")
    ))
}

/// Hands the entries on. `begun` is what the log has of the session.
async fn keep(log: &dyn SessionLog, lines: &mut Lines<'_>, begun: &mut Option<Record>) -> Result<(), Failure> {
    let name = lines.name;
    let mut importer = begin(lines)?;
    let new = NewSession::imported(importer.session(), importer.lineage().to_vec(), Vec::new());
    let (mut group, mut bytes) = (Vec::new(), 0);
    while let Some(line) = lines.next()? {
        let Some(Entry { event, .. }) = importer.line(&line).map_err(|flaw| flawed(name, &flaw))? else { continue };
        bytes += event.json().len();
        group.push(event);
        if group.len() == APPEND_EVENTS_MAX || bytes >= GROUP_BYTES {
            put(log, &new, std::mem::take(&mut group), begun).await?;
            bytes = 0;
        }
    }
    importer.finish().map_err(|flaw| flawed(name, &flaw))?;
    put(log, &new, group, begun).await?;
    *begun = Some(log.record(new.id).await?);
    Ok(())
}

async fn put(
    log: &dyn SessionLog,
    new: &NewSession,
    events: Vec<Event>,
    begun: &mut Option<Record>,
) -> Result<(), Failure> {
    if events.is_empty() {
        return Ok(());
    }
    match begun {
        None => *begun = Some(log.create(NewSession { events, ..new.clone() }).await?),
        Some(record) => {
            // Whoever else writes to it meanwhile is refused rather than mixed in.
            let batch = Batch { session: new.id, writer: Writer::Client, after: Some(record.head), events };
            let placed = log.append(vec![batch]).await?;
            if let Some(places) = placed.into_iter().flatten().next() {
                record.head = places.last;
            }
        }
    }
    Ok(())
}
