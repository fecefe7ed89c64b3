//! `handbox sessions events`.

use super::project::{Projection, Wanted, last};
use super::{count, line, place};
use crate::args::Global;
use crate::failure::Failure;
use crate::log::open;
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::fold::Shown;
use handbox_session::{Entry, Followed, Kind, LogError, Seq, SessionId, SessionLog, Slice, kinds};
use std::process::ExitCode;

/// Print the events of a session, oldest first, and follow it.
///
/// For people each line is: place, time, type, and what it says. With --json each line is the event as
/// clients of Managed Agents get it, with `processed_at`; with --raw it is what is stored,
/// byte for byte. Input stands where the agent took it up, and at the end while it is queued. Handbox's own
/// events (`handbox.*`) are left out unless you ask for them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox sessions events sesn_1Ch --last 20
  handbox sessions events sesn_1Ch --follow --json | jq .type
  handbox sessions events sesn_1Ch --types agent.tool_use,agent.tool_result")]
pub(super) struct Events {
    /// The session, by its id or the beginning of it
    id: String,
    /// Then wait for further events, until you end it (Ctrl-C); input appears when it comes and when it is taken up
    #[arg(long, short)]
    follow: bool,
    /// From this place on
    #[arg(long, value_name = "PLACE", value_parser = place)]
    from: Option<Seq>,
    /// Up to this place
    #[arg(long, value_name = "PLACE", value_parser = place)]
    to: Option<Seq>,
    /// Only the last so many
    #[arg(long, value_name = "COUNT", value_parser = count)]
    last: Option<u64>,
    /// Only of these types
    #[arg(long, value_name = "TYPE", value_delimiter = ',', value_parser = Kind::new)]
    types: Vec<Kind>,
    /// Handbox's own events, too
    #[arg(long)]
    all: bool,
    /// What is stored, byte for byte, in the order of places
    #[arg(long, conflicts_with = "json")]
    raw: bool,
}

/// How an event is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Raw,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Events) -> Result<ExitCode, Failure> {
    for kind in command.types.iter().filter(|kind| !kinds::ALL.contains(kind)) {
        if !global.quiet {
            output::note(Tone::Warning, &format!("this Handbox knows no events of the type `{kind}`"));
        }
    }
    let form = match (command.raw, global.json) {
        (true, _) => Form::Raw,
        (false, true) => Form::Json,
        (false, false) => Form::Text,
    };
    let printer = Printer { form, wanted: Wanted { kinds: command.types.clone(), own: command.all } };
    let name = if command.follow { "handbox sessions events --follow" } else { "handbox sessions events" };
    open::with_session(paths, name, &command.id, async |log, id| {
        let (projection, end) = present(log, id, command, &printer).await?;
        match end {
            Some(end) if command.follow => follow(log, id, command, &printer, (projection, end)).await,
            _ => Ok(()),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what is there. Gives the place after which further events come, if any can.
async fn present(
    log: &dyn SessionLog,
    id: SessionId,
    command: &Events,
    printer: &Printer,
) -> Result<(Projection, Option<Seq>), Failure> {
    let record = log.record(id).await?;
    let head = record.head;
    let to = command.to.map_or(head, |to| to.min(head));
    let mut from = command.from.unwrap_or(Seq::FIRST);
    if let Some(count) = command.last {
        from = last(log, id, (from, to), &printer.wanted, count).await?.unwrap_or(from);
    }
    let mut projection = Projection::default();
    if printer.form == Form::Raw {
        raw(log, id, (from, to), printer).await?;
    } else {
        projection.read(log, id, (from, to, head), &printer.wanted, |shown| printer.shown(shown)).await?;
    }
    let ends = command.to.is_some_and(|to| to <= head);
    if command.follow && !ends {
        projection.remember(log, &record).await?;
    }
    Ok((projection, (!ends).then(|| from.before().map_or(head, |before| before.max(head)))))
}

async fn raw(log: &dyn SessionLog, id: SessionId, within: (Seq, Seq), printer: &Printer) -> Result<(), LogError> {
    let mut next = (within.0 <= within.1).then_some(within.0);
    while let Some(at) = next {
        let slice = Slice { to: Some(within.1), kinds: printer.wanted.kinds.clone(), ..Slice::from(at) };
        let page = log.read(id, slice).await?;
        next = page.next;
        if !page.entries.iter().all(|entry| printer.stored(entry)) {
            break;
        }
    }
    Ok(())
}

async fn follow(
    log: &dyn SessionLog,
    id: SessionId,
    command: &Events,
    printer: &Printer,
    (mut projection, end): (Projection, Seq),
) -> Result<(), Failure> {
    let mut tail = log.tail(id, Some(end)).await?;
    while !output::is_done() {
        let Followed::Event(entry) = tail.next().await? else { continue };
        let seq = entry.seq;
        if printer.form == Form::Raw {
            printer.stored(&entry);
        } else {
            let _ = projection.follow(entry).iter().all(|shown| printer.shown(shown));
        }
        if command.to.is_some_and(|to| to <= seq) {
            break;
        }
    }
    Ok(())
}

struct Printer {
    form: Form,
    wanted: Wanted,
}

impl Printer {
    /// Prints an event as clients see it, if it is wanted; says whether to go on.
    fn shown(&self, shown: &Shown) -> bool {
        let kind = shown.json.get("type").and_then(serde_json::Value::as_str).unwrap_or_default();
        if self.wanted.admits(kind) {
            match self.form {
                Form::Json => output::json_line(&shown.json),
                _ => output::data(&line::of(shown)),
            }
        }
        !output::is_done()
    }

    /// Prints an event as it is stored, if it is wanted; says whether to go on.
    fn stored(&self, entry: &Entry) -> bool {
        if self.wanted.admits(entry.event.kind().as_str()) {
            output::data(entry.event.json());
        }
        !output::is_done()
    }
}
