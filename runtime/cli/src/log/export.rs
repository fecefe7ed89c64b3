//! `handbox log export`: a session as lines of JSON, verbatim.

use super::open;
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::{Exporter, Flaw, Record, Seq, SessionId, SessionLog, Slice};
use serde_json::json;
use std::io::{BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Write a session as lines of JSON, to be kept elsewhere or imported.
///
/// Each event stands there byte for byte as it was stored, with its place and hash; two exports of
/// one session are the same bytes. It goes on working while others use the store, so it is
/// the way to back sessions up.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox log export sesn_1Ch -o session.jsonl
  handbox log export sesn_1Ch | gzip > session.jsonl.gz")]
pub(super) struct Export {
    /// The session, by its id or the beginning of it
    id: String,
    /// Write into this file, whole or not at all, rather than to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Export) -> Result<ExitCode, Failure> {
    open::with_session(paths, "handbox log export", &command.id, async |log, id| {
        let record = log.record(id).await?;
        match &command.output {
            None => {
                let out = std::io::stdout();
                let shown = out.is_terminal();
                let mut out = BufWriter::new(out);
                write(log, &record, &mut |line| {
                    let line = if shown { output::visible(line) } else { line.to_owned() };
                    writeln!(out, "{line}")
                })
                .await?;
                flushed(out.flush())
            }
            Some(file) => {
                into_file(log, &record, file).await?;
                told(global, id, record.head, file);
                Ok(())
            }
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn told(global: &Global, id: SessionId, head: Seq, file: &Path) {
    if global.json {
        output::json_line(&json!({ "session": id, "events": head, "file": file }));
    } else if !global.quiet {
        output::note(Tone::Note, &format!("{id}: {head} events written to {}", file.display()));
    }
}

async fn into_file(log: &dyn SessionLog, record: &Record, path: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::usage(format!("{} cannot be written: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let message = format!("{} cannot be written: there is no folder {}", path.display(), folder.display());
        return Err(Failure::usage(message).hint("create it first, or name another file"));
    }
    // What was said to an agent is private until its owner decides otherwise: a new file is its owner's alone.
    let file = tempfile::Builder::new().prefix(".handbox-").tempfile_in(folder).map_err(failed)?;
    let mut out = BufWriter::new(file);
    write(log, record, &mut |line| writeln!(out, "{line}")).await?;
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map(drop).map_err(|error| failed(error.error))
}

/// Gives the lines one by one. Ends early, without a fault, when nobody reads them any more.
async fn write(
    log: &dyn SessionLog,
    record: &Record,
    line: &mut dyn FnMut(&str) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let flawed = |flaw: Flaw| {
        let message = format!("{} is damaged: {flaw}", record.id);
        Failure::new(Kind::Broken, message).hint("`handbox log verify` says how far it reaches")
    };
    let mut exporter = Exporter::new(record.clone()).map_err(flawed)?;
    flushed(line(&exporter.header()))?;
    let mut next = Some(Seq::FIRST);
    while let Some(from) = next {
        let page = log.read(record.id, Slice { to: Some(record.head), ..Slice::from(from) }).await?;
        for entry in &page.entries {
            let text = exporter.entry(entry).map_err(flawed)?;
            match line(&text) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                written => flushed(written)?,
            }
        }
        next = page.next;
    }
    flushed(line(&exporter.finish().map_err(flawed)?))
}

fn flushed(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("the export cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
