//! Lists archives and unpacks them.

use super::header::{Width, shown};
use super::wanted::{Excluded, Members};
use super::{Outcome, Stop, folder};
use crate::about::{set_mode, umask};
use crate::inside::{self, Inside};
use crate::options::Given;
use crate::pack::set_written_at;
use crate::report;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use tar::{Archive, Entry, EntryType};

type Member<'a> = Entry<'a, Box<dyn Read>>;

/// Lists or unpacks an archive.
pub(super) fn read(given: &Given, stream: Box<dyn Read>) -> Result<Outcome, Stop> {
    let unpack = given.has('x');
    let strip = given.value('4').map_or(Ok(0), str::parse);
    let strip = strip.map_err(|_| format!("{}: Invalid number of elements", given.value('4').unwrap_or_default()))?;
    let mut members = Members::new(given)?;
    let excluded = Excluded::new(given)?;
    let target = if unpack { folder(given, usize::MAX)? } else { PathBuf::new() };
    let mut run = Run {
        given,
        unpack,
        strip,
        inside: Inside::new(target),
        out: BufWriter::with_capacity(32 << 10, crate::output::stdout()),
        outcome: Outcome::Done,
        told: None,
        width: Width(19),
        folders: Vec::new(),
        verbose: given.options.iter().filter(|(letter, _)| *letter == 'v').count(),
    };
    let mut archive = Archive::new(stream);
    archive.set_ignore_zeros(given.has('i'));
    let entries = archive.entries().map_err(|error| broken(&error, true))?;
    let mut first = true;
    for entry in entries {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                run.finish();
                return Err(broken(&error, first));
            }
        };
        first = false;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let global = entry.header().entry_type().is_pax_global_extensions();
        if !global && members.take(&name) && !excluded.has(&name) && !run.member(&mut entry, &name)? {
            break;
        }
    }
    run.finish();
    for name in members.missed() {
        report("tar", &format!("{name}: Not found in archive"));
        run.outcome = Outcome::Failed;
    }
    Ok(run.outcome)
}

fn broken(error: &io::Error, first: bool) -> Stop {
    let text = crate::reason(error);
    if error.kind() == io::ErrorKind::UnexpectedEof
        || text.contains("failed to read entire block")
        || text.contains("unexpected EOF")
    {
        let text = if first { "This does not look like a tar archive" } else { "Unexpected EOF in archive" };
        return format!("{text}\nError is not recoverable: exiting now");
    }
    if first {
        return "This does not look like a tar archive\nExiting with failure status due to previous errors".to_owned();
    }
    format!("{text}\nError is not recoverable: exiting now")
}

struct Run<'a> {
    given: &'a Given,
    unpack: bool,
    strip: usize,
    inside: Inside,
    out: BufWriter<crate::output::Output>,
    outcome: Outcome,
    /// The beginning of names that it was said is taken away.
    told: Option<String>,
    width: Width,
    /// Folders that were made, when they were written, and their bits: set at the end, as what comes into them
    /// writes them.
    folders: Vec<(PathBuf, u64, u32)>,
    verbose: usize,
}

impl Run<'_> {
    fn fail(&mut self, name: &str, text: &str) {
        report("tar", &format!("{name}: {text}"));
        self.outcome = Outcome::Failed;
    }

    /// Lists or unpacks a member. False if nobody reads on.
    fn member(&mut self, entry: &mut Member<'_>, name: &str) -> Result<bool, Stop> {
        let link = entry.link_name_bytes().map(|link| String::from_utf8_lossy(&link).into_owned()).unwrap_or_default();
        if !self.unpack {
            return Ok(self.list(entry, name, &link));
        }
        let stripped = match strip(name, self.strip) {
            Some(stripped) => stripped,
            None => return Ok(true),
        };
        if self.verbose > 0 && !self.list(entry, if self.given.has('~') { stripped } else { name }, &link) {
            return Ok(false);
        }
        if self.given.has('O') {
            let regular = is_file(entry.header().entry_type()) && !name.ends_with('/');
            return match if regular { io::copy(entry, &mut self.out) } else { Ok(0) } {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
                Err(error) => Err(broken(&error, false)),
            };
        }
        let cut = stripped.len() - stripped.trim_start_matches('/').len();
        if cut > 0 && self.told.is_none() {
            report("tar", "Removing leading `/' from member names");
            self.told = Some("/".to_owned());
        }
        let Some(parts) = inside::parts(stripped) else {
            self.fail(name, "Member name contains '..'");
            return Ok(true);
        };
        match self.place(entry, stripped, &parts, &link) {
            Ok(()) => Ok(true),
            Err(Trouble::Member(text)) => {
                self.fail(stripped, &text);
                Ok(true)
            }
            Err(Trouble::Archive(error)) => Err(broken(&error, false)),
        }
    }

    fn list(&mut self, entry: &Member<'_>, name: &str, link: &str) -> bool {
        let line = if self.verbose > usize::from(self.unpack) {
            shown(entry.header(), entry.size(), name, link, self.given.has('7'), &mut self.width)
        } else {
            format!("{name}\n")
        };
        if self.given.has('O') && self.unpack {
            eprint!("{line}");
            return true;
        }
        self.out.write_all(line.as_bytes()).is_ok()
    }

    fn place(&mut self, entry: &mut Member<'_>, name: &str, parts: &[&str], link: &str) -> Result<(), Trouble> {
        let kind = entry.header().entry_type();
        let path = self.inside.place(parts);
        let path = path.map_err(|why| Trouble::Member(format!("Cannot open: {}", why.into_text())))?;
        let time = entry.header().mtime().unwrap_or(0);
        if kind.is_dir() || is_file(kind) && name.ends_with('/') {
            return self.folder(&path, parts, time, entry.header().mode().unwrap_or(0o755));
        }
        if parts.is_empty() {
            return Err(Trouble::Member("Cannot open: Is a directory".to_owned()));
        }
        if fs::symlink_metadata(&path).is_ok() {
            if self.given.has('2') {
                return Ok(());
            }
            let said = match kind {
                EntryType::Symlink => format!("Cannot create symlink to ‘{link}’: File exists"),
                EntryType::Link => format!("Cannot hard link to ‘{link}’: File exists"),
                _ => "Cannot open: File exists".to_owned(),
            };
            if self.given.has('k') {
                return Err(Trouble::Member(said));
            }
            inside::clear(&path).map_err(|reason| Trouble::Member(format!("Cannot unlink: {reason}")))?;
        }
        match kind {
            EntryType::Symlink => inside::link(link, &path).map_err(|error| {
                Trouble::Member(format!("Cannot create symlink to ‘{link}’: {}", crate::reason(&error)))
            }),
            EntryType::Link => self.hard_link(&path, link),
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                Err(Trouble::Member("Cannot mknod: Operation not permitted".to_owned()))
            }
            _ => self.file(entry, &path, time),
        }
    }

    fn folder(&mut self, path: &Path, parts: &[&str], time: u64, mode: u32) -> Result<(), Trouble> {
        let there = fs::symlink_metadata(path);
        if there.as_ref().is_ok_and(|metadata| !metadata.is_dir()) && !parts.is_empty() {
            if self.given.has('k') {
                return Err(Trouble::Member("Cannot mkdir: File exists".to_owned()));
            }
            inside::clear(path).map_err(Trouble::Member)?;
        }
        if !there.is_ok_and(|metadata| metadata.is_dir()) && !parts.is_empty() {
            fs::create_dir(path)
                .map_err(|error| Trouble::Member(format!("Cannot mkdir: {}", crate::reason(&error))))?;
        }
        if !parts.is_empty() {
            self.folders.push((path.to_owned(), time, mode));
        }
        Ok(())
    }

    fn hard_link(&self, path: &Path, link: &str) -> Result<(), Trouble> {
        let said = |reason: String| Trouble::Member(format!("Cannot hard link to ‘{link}’: {reason}"));
        let parts = strip(link, self.strip).and_then(inside::parts).filter(|parts| !parts.is_empty());
        let parts = parts.ok_or_else(|| said("it leads out of the folder".to_owned()))?;
        let from = self.inside.place(&parts).map_err(|why| said(why.into_text()))?;
        // What it names must be a file of its own: a link to elsewhere would be followed on the way.
        let metadata = fs::symlink_metadata(&from).map_err(|error| said(crate::reason(&error)))?;
        if metadata.is_symlink() {
            let target = fs::read_link(&from).map_err(|error| said(crate::reason(&error)))?;
            return inside::link(&target.to_string_lossy(), path).map_err(|error| said(crate::reason(&error)));
        }
        // Where the file system has no hard links, a copy is as good to read.
        fs::hard_link(&from, path)
            .or_else(|_| fs::copy(&from, path).map(|_| ()))
            .map_err(|error| said(crate::reason(&error)))
    }

    fn file(&mut self, entry: &mut Member<'_>, path: &Path, time: u64) -> Result<(), Trouble> {
        let opened = File::create_new(path);
        let mut file = opened.map_err(|error| Trouble::Member(format!("Cannot open: {}", crate::reason(&error))))?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = entry.read(&mut buffer).map_err(Trouble::Archive)?;
            if read == 0 {
                break;
            }
            let written = file.write_all(&buffer[..read]);
            written.map_err(|error| Trouble::Member(format!("Cannot write: {}", crate::reason(&error))))?;
        }
        if !self.given.has('m') {
            set_written_at(&file, time);
        }
        drop(file);
        if let Ok(mode) = entry.header().mode() {
            // Without its bits the file is good all the same.
            let _ = set_mode(&path.to_string_lossy(), self.allowed(mode));
        }
        Ok(())
    }

    /// The bits that a member gets: what the mask takes stays away unless they are to be kept.
    fn allowed(&self, mode: u32) -> u32 {
        mode & 0o777 & if self.given.has('p') { 0o777 } else { !umask() }
    }

    fn finish(&mut self) {
        // Nobody is left to be told that it cannot be written.
        let _ = self.out.flush();
        for (path, time, mode) in std::mem::take(&mut self.folders).into_iter().rev() {
            let _ = set_mode(&path.to_string_lossy(), self.allowed(mode));
            if !self.given.has('m')
                && let Ok(folder) = File::open(&path)
            {
                set_written_at(&folder, time);
            }
        }
    }
}

/// What keeps a member from being unpacked.
enum Trouble {
    /// Only this one; the next may go.
    Member(String),
    /// The archive itself is no good from here on.
    Archive(io::Error),
}

fn is_file(kind: EntryType) -> bool {
    matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse)
}

/// A name without so many of its first parts. None if nothing is left.
fn strip(name: &str, count: usize) -> Option<&str> {
    let mut rest = name;
    for _ in 0..count {
        rest = rest.trim_start_matches('/').split_once('/')?.1;
    }
    let left = if count == 0 { rest } else { rest.trim_start_matches('/') };
    (count == 0 || !left.is_empty()).then_some(left)
}
