//! `handbox log verify`: whether what is stored is what was written.

use super::chain::{self, Found, Report};
use super::engine::{self, Answer, Task};
use super::open;
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use crate::{describe, whole_file};
use handbox_session::{Anchor, SessionId};
use handbox_store::socket::{ConnectError, Holder, RECOVERY_TIME_MAX, RemoteLog, holder};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The largest file of anchors: some 300 000 sessions.
const ANCHORS_BYTES_MAX: u64 = 64 << 20;
/// Between two looks at who holds the store.
const PAUSE: Duration = Duration::from_millis(200);
/// Digits of a hash that people are shown.
const HASH_SHOWN: usize = 12;

/// Check that what is stored is what was written.
///
/// Reads everything, and names the first bad place of each session. It works in a process of its
/// own, because the storage engine may give up on a damaged file. If another process holds
/// the store, the sessions are read through that one and checked by their hashes; the rest of
/// the file is checked only while nobody holds it.
///
/// A log whose end was cut off, or that somebody wrote anew, is sound in itself. To notice that,
/// keep the output of --json somewhere else, and give it back later with --anchors.
///
/// Exit status: 0 all is well, 5 something is damaged.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox log verify
  handbox log verify --json > /elsewhere/heads.json
  handbox log verify --anchors /elsewhere/heads.json")]
pub(super) struct Verify {
    /// Only this session, by its id or the beginning of it
    id: Option<String>,
    /// What an earlier `log verify --json` printed: each session must still hold what it held then
    #[arg(long, value_name = "FILE")]
    anchors: Option<PathBuf>,
}

/// How it was checked.
enum Through {
    File,
    Holder(Option<Holder>),
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Verify) -> Result<ExitCode, Failure> {
    let anchors = command.anchors.as_deref().map(anchors).transpose()?.unwrap_or_default();
    if !open::is_there(paths) {
        return absent(global, paths, command, &anchors);
    }
    let (through, report) = check(global, paths, command.id.as_deref(), &anchors)?;
    let report = match &command.id {
        Some(text) => narrowed(report, text)?,
        None => report,
    };
    print(global, &through, &report);
    Ok(if report.damages.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(Kind::Broken.code()) })
}

fn absent(global: &Global, paths: &Paths, command: &Verify, anchors: &[Anchor]) -> Result<ExitCode, Failure> {
    let where_ = paths.data.display();
    if let Some(id) = &command.id {
        return Err(Failure::usage(format!("there is no session `{id}`: {where_} keeps no sessions"))
            .hint("--data DIR names another data folder"));
    }
    let mut report = Report::default();
    chain::missing(anchors, &mut report);
    if !global.quiet && !global.json && report.damages.is_empty() {
        output::note(Tone::Note, &format!("{where_} keeps no sessions yet, so there is nothing to check"));
        return Ok(ExitCode::SUCCESS);
    }
    print(global, &Through::File, &report);
    Ok(if report.damages.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(Kind::Broken.code()) })
}

/// The `heads` of a file that `--json` printed, or a list of them.
fn anchors(file: &Path) -> Result<Vec<Anchor>, Failure> {
    let bytes = whole_file::read(file, ANCHORS_BYTES_MAX)?;
    let wrong = |error: serde_json::Error| {
        Failure::usage(format!("{} holds no anchors: {error}", file.display()))
            .hint("give what `handbox log verify --json` printed")
    };
    let mut value: Value = serde_json::from_slice(&bytes).map_err(wrong)?;
    let heads = value.get_mut("heads").map(Value::take).unwrap_or(value);
    serde_json::from_value(heads).map_err(wrong)
}

/// Checks the file in another process, or through whoever holds it.
fn check(global: &Global, paths: &Paths, only: Option<&str>, anchors: &[Anchor]) -> Result<(Through, Report), Failure> {
    let late = Instant::now() + RECOVERY_TIME_MAX;
    loop {
        match engine::ask(Task::Verify, &paths.data, anchors)? {
            Answer::Report(report) => return Ok((Through::File, report)),
            Answer::Refused(why) => return Err(Failure::usage(why)),
            Answer::Opened { .. } => return Err(Failure::internal("the checking process answered something else")),
            Answer::Busy => {}
        }
        // It may be given up at any moment; then the file can be checked after all.
        let why = match through(global, paths, only, anchors)? {
            Ok(checked) => return Ok(checked),
            Err(why) => why,
        };
        if Instant::now() > late {
            let who = who(holder(&paths.data).as_ref());
            let message = format!("{who} holds the store and does not answer: {why}");
            return Err(Failure::new(Kind::Denied, message).hint("try again once it has ended"));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Checks through the holder; the inner error says why there is none to be asked.
fn through(
    global: &Global,
    paths: &Paths,
    only: Option<&str>,
    anchors: &[Anchor],
) -> Result<Result<(Through, Report), String>, Failure> {
    open::runtime()?.block_on(async {
        let log = match RemoteLog::connect(&paths.data).await {
            Ok(log) => log,
            Err(ConnectError::Absent(why)) => return Ok(Err(why)),
            Err(ConnectError::Refused(why)) => return Err(Failure::new(Kind::Denied, why)),
        };
        let holder = holder(&paths.data);
        if !global.quiet {
            let what = "so the sessions are read through it and checked by their hashes; \
                 the store's file itself is checked only while nobody holds it";
            output::note(Tone::Note, &format!("{} holds the store, {what}", who(holder.as_ref())));
        }
        let only = match only {
            Some(text) => Some(open::resolve(&log, text).await?),
            None => None,
        };
        match chain::check(&log, only, anchors).await {
            Ok(report) => Ok(Ok((Through::Holder(holder), report))),
            Err(error) if log.is_lost() => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    })
}

/// The process that holds a store.
pub(super) fn who(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => format!("process {} ({})", holder.process, output::visible(&holder.command)),
        None => "another process".to_owned(),
    }
}

/// What a report says of one session, and of the store.
fn narrowed(mut report: Report, text: &str) -> Result<Report, Failure> {
    let known = report.heads.iter().map(|head| head.session);
    let mut known: Vec<SessionId> = known.chain(report.damages.iter().filter_map(|found| found.session)).collect();
    known.sort_unstable();
    known.dedup();
    let text_ends = |id: &SessionId| {
        let id = id.to_string();
        id.starts_with(text) || id.strip_prefix("sesn_").is_some_and(|digits| digits.starts_with(text))
    };
    known.retain(text_ends);
    let [id] = known[..] else {
        let message = match known.len() {
            0 => format!("no session's id is `{text}` or begins so"),
            _ => format!("`{text}` fits {} sessions; give more of the id", known.len()),
        };
        return Err(
            Failure::usage(message).hint("`handbox sessions` lists those there are; without an id, all are checked")
        );
    };
    report.heads.retain(|head| head.session == id);
    report.damages.retain(|found| found.session.is_none_or(|session| session == id));
    report.events = report.heads.first().map_or(0, |head| head.seq.get());
    Ok(report)
}

fn print(global: &Global, through: &Through, report: &Report) {
    if global.json {
        let holder = match through {
            Through::File => Value::Null,
            Through::Holder(holder) => json!(holder),
        };
        let (through, sound) = (matches!(through, Through::File), report.damages.is_empty());
        output::json_line(&json!({
            "status": if sound { "sound" } else { "damaged" },
            "through": if through { "file" } else { "holder" },
            "holder": holder,
            "events": report.events,
            "heads": report.heads,
            "damages": report.damages,
        }));
        return;
    }
    output::data(&text(report));
    if report.damages.is_empty() && !global.quiet {
        let (sessions, events) = (report.heads.len(), report.events);
        let counted = format!("{}, {}", describe_count(sessions as u64, "session"), describe_count(events, "event"));
        output::note(Tone::Note, &format!("{counted}: all as they were written"));
    }
    if let Some(first) = report.damages.first() {
        // Of a store that does not open, no session can be taken out.
        let sound = report.heads.iter().map(|head| head.session);
        let store = report.damages.iter().any(|found| found.session.is_none());
        let sound = sound.filter(|id| !store && report.damages.iter().all(|found| found.session != Some(*id)));
        let ids: Vec<String> = sound.map(|id| id.to_string()).collect();
        let take_out = match ids.as_slice() {
            [] => String::new(),
            [id, ..] => {
                format!("; `handbox log export {id} -o FILE` takes out a sound session, and so for each that is sound")
            }
        };
        let count = describe_count(report.damages.len() as u64, "damage");
        output::note(Tone::Error, &format!("{count} found; the first: {}", sentence(first)));
        let restore = "; what is damaged comes back from a backup: `handbox log import FILE` of what `handbox log export` wrote, \
                       into a new data folder (--data DIR)";
        output::note(Tone::Hint, &format!("keep a copy of the file{take_out}{restore}"));
    }
}

fn describe_count(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn sentence(found: &Found) -> String {
    match (found.session, found.seq) {
        (Some(session), Some(seq)) => format!("{session} at {seq}: {}", found.what),
        (Some(session), None) => format!("{session}: {}", found.what),
        (None, _) => format!("the store is damaged: {}", found.what),
    }
}

/// A line for each session, and for what is wrong with the store.
fn text(report: &Report) -> String {
    let mut sessions: Vec<SessionId> = report.heads.iter().map(|head| head.session).collect();
    sessions.extend(report.damages.iter().filter_map(|found| found.session));
    sessions.sort_unstable();
    sessions.dedup();
    let state = |session: SessionId| match report.damages.iter().find(|found| found.session == Some(session)) {
        None => "sound".to_owned(),
        Some(Found { seq, what, .. }) => {
            format!("DAMAGED{}: {what}", seq.map_or_else(String::new, |seq| format!(" at {seq}")))
        }
    };
    let line = |session: SessionId| {
        let head = report.heads.iter().find(|head| head.session == session);
        let (seq, hash) =
            head.map_or((String::from("?"), String::new()), |head| (head.seq.to_string(), short(&head.hash)));
        (session.to_string(), format!("{seq:>7}  {hash:HASH_SHOWN$}  {}", state(session)))
    };
    let store = report.damages.iter().filter(|found| found.session.is_none());
    let store =
        store.map(|found| ("store".to_owned(), format!("{:>7}  {:HASH_SHOWN$}  DAMAGED: {}", "", "", found.what)));
    let rows: Vec<(String, String)> = sessions.into_iter().map(line).chain(store).collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = ("SESSION".to_owned(), format!("{:>7}  {:HASH_SHOWN$}  STATE", "EVENTS", "HASH"));
    let rows: Vec<(&str, String)> =
        std::iter::once(&head).chain(&rows).map(|(name, rest)| (name.as_str(), rest.clone())).collect();
    describe::table(&rows)
}

fn short(hash: &handbox_session::Hash) -> String {
    hash.to_string().chars().take(HASH_SHOWN).collect()
}
