//! `handbox log export`: a session as lines of JSON, verbatim.

use super::open;
use crate::args::Global;
use crate::failure::{Failure, Kind};
use crate::output::{self, Tone};
use crate::paths::Paths;
use handbox_session::{Exporter, Flaw, Record, Seq, SessionId, SessionLog, Slice};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tempfile::NamedTempFile;

/// Write a session as lines of JSON, to be kept elsewhere or imported.
///
/// Each event stands there byte for byte as it was stored, with its place and hash; two exports of
/// one session are the same bytes. It goes on working while others use the store, so it is
/// the way to back sessions up.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  handbox log export sesn_1ChFqbrR -o session.jsonl
  handbox log export sesn_1ChFqbrR | gzip > session.jsonl.gz")]
pub(super) struct Export {
    /// The session, by its id or the beginning of it
    id: String,
    /// Write into this file, whole or not at all, rather than to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace that file if it is there
    #[arg(long, requires = "output")]
    force: bool,
}

pub(super) fn run(global: &Global, paths: &Paths, command: &Export) -> Result<ExitCode, Failure> {
    // Before the log is opened: opening a FIFO waits for its reader, and others may want the store.
    let mut target = command.output.as_deref().map(|path| Target::open(path, paths, command.force)).transpose()?;
    open::with_session(paths, "handbox log export", &command.id, async |log, id| {
        let record = log.record(id).await?;
        match target.take() {
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
            Some(target) => {
                let file = target.path.clone();
                target.fill(log, &record).await?;
                told(global, id, record.head, &file);
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

/// Where an export goes.
struct Target {
    path: PathBuf,
    into: Into,
}

enum Into {
    /// Put in the place of this path once it is complete.
    Whole { file: NamedTempFile, real: PathBuf, force: bool },
    /// A device or a FIFO, which takes what comes.
    Stream(File),
}

impl Target {
    fn open(path: &Path, paths: &Paths, force: bool) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| unwritable(path, &error);
        // Through a link, so that what it leads to is looked at and replaced.
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(_) if path.symlink_metadata().is_ok() => {
                return Err(Failure::usage(format!("{} is a link that leads to nothing", path.display()))
                    .hint("name another file"));
            }
            Err(_) => path.to_owned(),
        };
        let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            let message = format!("{} cannot be written: there is no folder {}", path.display(), folder.display());
            return Err(Failure::usage(message).hint("create it first"));
        }
        let kept = paths.data.canonicalize();
        if kept.is_ok_and(|kept| folder.canonicalize().is_ok_and(|folder| folder.starts_with(kept))) {
            let message = format!("{} lies in the data folder, which is Handbox's own", path.display());
            return Err(Failure::usage(message).hint("name a file elsewhere"));
        }
        match std::fs::metadata(&real) {
            Ok(about) if about.is_dir() => {
                return Err(Failure::usage(format!("{} is a folder", path.display())).hint("name a file in it"));
            }
            Ok(about) if !about.is_file() => {
                let stream = OpenOptions::new().write(true).open(&real).map_err(failed)?;
                return Ok(Self { path: path.to_owned(), into: Into::Stream(stream) });
            }
            Ok(_) if !force => return Err(taken(path)),
            _ => {}
        }
        // What was said to an agent is private until its owner decides otherwise: a new file is its owner's alone.
        let file = tempfile::Builder::new().prefix(".handbox-").tempfile_in(folder);
        // Its error names a file that nobody asked for.
        let file = file.map_err(|error| failed(error.kind().into()))?;
        Ok(Self { path: path.to_owned(), into: Into::Whole { file, real, force } })
    }

    async fn fill(self, log: &dyn SessionLog, record: &Record) -> Result<(), Failure> {
        let Self { path, into } = self;
        let failed = |error: std::io::Error| unwritable(&path, &error);
        match into {
            Into::Stream(stream) => {
                let mut out = BufWriter::new(stream);
                write(log, record, &mut |line| writeln!(out, "{line}")).await?;
                out.flush().map_err(failed)
            }
            Into::Whole { file, real, force } => {
                let mut out = BufWriter::new(file);
                write(log, record, &mut |line| writeln!(out, "{line}")).await?;
                let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
                file.as_file().sync_all().map_err(failed)?;
                let kept = if force { file.persist(real) } else { file.persist_noclobber(real) };
                kept.map(drop).map_err(|error| match error.error.kind() {
                    ErrorKind::AlreadyExists => taken(&path),
                    _ => failed(error.error),
                })
            }
        }
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{} cannot be written: {error}", path.display()))
}

fn taken(path: &Path) -> Failure {
    let message = format!("{} is there already", path.display());
    Failure::usage(message).hint("name another file, or add --force to replace it")
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
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => flushed(written)?,
            }
        }
        next = page.next;
    }
    flushed(line(&exporter.finish().map_err(flawed)?))
}

fn flushed(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("the export cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}
