//! Tries what is found, and does what was asked for.

use super::Entry;
use super::parse::{Command, Expr};
use crate::report;
use crate::spawn::{Stdin, Stdout, start};
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{BufWriter, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// How many bytes of arguments one command gets.
const BATCH_BYTES_MAX: usize = 100_000;

pub(super) struct Finder {
    out: BufWriter<std::io::Stdout>,
    now: SystemTime,
    pub(super) failed: bool,
    pub(super) prune: bool,
    pub(super) quit: bool,
    /// Files that wait for their command, by its place.
    batches: Vec<Vec<String>>,
}

impl Finder {
    pub(super) fn new() -> Self {
        Self {
            out: BufWriter::with_capacity(32 << 10, std::io::stdout()),
            now: SystemTime::now(),
            failed: false,
            prune: false,
            quit: false,
            batches: Vec::new(),
        }
    }

    /// Runs what is left of batches; the status.
    pub(super) fn finish(&mut self, expr: &Expr) -> u8 {
        self.run_batches(expr);
        let flushed = self.out.flush().is_ok();
        u8::from(self.failed || !flushed)
    }

    pub(super) fn matches(&mut self, expr: &Expr, entry: &Entry, metadata: &Metadata) -> bool {
        match expr {
            Expr::Constant(value) => *value,
            Expr::Not(inner) => !self.matches(inner, entry, metadata),
            Expr::And(parts) => parts.iter().all(|part| !self.quit && self.matches(part, entry, metadata)),
            Expr::Or(parts) => parts.iter().any(|part| self.matches(part, entry, metadata)),
            Expr::Then(parts) => parts.iter().fold(false, |_, part| self.matches(part, entry, metadata)),
            Expr::Name(glob) => glob.is_match(entry.name()),
            Expr::Path(glob) => glob.is_match(&entry.path),
            Expr::Regex(regex) => regex.is_match(&entry.path),
            Expr::Type(kinds) => kinds.split(',').any(|kind| kind == kind_of(metadata)),
            #[expect(clippy::cast_precision_loss, reason = "no file is that long")]
            Expr::Size(amount, unit) => amount.holds((metadata.len() as f64 / unit).ceil()),
            Expr::Age(amount, unit) => {
                let age = metadata.modified().ok().and_then(|time| self.now.duration_since(time).ok());
                amount.holds((age.unwrap_or_default().as_secs_f64() / unit).floor())
            }
            Expr::Newer(than) => metadata.modified().is_ok_and(|time| time > *than),
            Expr::Empty if metadata.is_dir() => {
                fs::read_dir(&entry.path).is_ok_and(|mut entries| entries.next().is_none())
            }
            Expr::Empty => metadata.is_file() && metadata.len() == 0,
            Expr::Links(amount) => amount.holds(1.0),
            Expr::LinkName(glob) => fs::read_link(&entry.path).is_ok_and(|target| glob.is_match(target)),
            _ => self.act(expr, entry, metadata),
        }
    }

    fn act(&mut self, action: &Expr, entry: &Entry, metadata: &Metadata) -> bool {
        match action {
            Expr::Print(end) => {
                let line = format!("{}{end}", entry.path);
                self.write(line.as_bytes());
            }
            Expr::PrintTo(file, end) => {
                let line = format!("{}{end}", entry.path);
                self.failed |= file.borrow_mut().write_all(line.as_bytes()).is_err();
            }
            Expr::Printf(form) => {
                let text = printf(form, entry, metadata);
                self.write(text.as_bytes());
            }
            Expr::Ls => {
                let kind = if metadata.is_dir() { 'd' } else { '-' };
                let line = format!("{kind}rw-r--r-- {:>10} {}\n", metadata.len(), entry.path);
                self.write(line.as_bytes());
            }
            Expr::Delete => return self.delete(entry, metadata),
            Expr::Prune => self.prune = true,
            Expr::Quit => self.quit = true,
            Expr::Exec(command) => return self.exec(command, entry),
            _ => {}
        }
        true
    }

    fn write(&mut self, bytes: &[u8]) {
        // Whoever read this has seen enough.
        if self.out.write_all(bytes).is_err() {
            self.failed = true;
            self.quit = true;
        }
    }

    fn delete(&mut self, entry: &Entry, metadata: &Metadata) -> bool {
        // Where the search starts is not deleted under the name of the working directory.
        if entry.path == "." {
            return true;
        }
        let removed = if metadata.is_dir() { fs::remove_dir(&entry.path) } else { fs::remove_file(&entry.path) };
        if let Err(error) = removed {
            report("find", &format!("cannot delete ‘{}’: {}", entry.path, crate::reason(&error)));
            self.failed = true;
            return false;
        }
        true
    }

    fn exec(&mut self, command: &Command, entry: &Entry) -> bool {
        let path = if command.in_folder { format!("./{}", entry.name()) } else { entry.path.clone() };
        let Some(batch) = command.batch else {
            let words = command.words.iter().map(|word| word.replace("{}", &path)).collect();
            return self.start(words) == 0;
        };
        if self.batches.len() <= batch {
            self.batches.resize(batch + 1, Vec::new());
        }
        self.batches[batch].push(path);
        let size: usize = self.batches[batch].iter().map(|path| path.len() + 1).sum();
        if size > BATCH_BYTES_MAX {
            self.run_batch(command, batch);
        }
        true
    }

    fn run_batches(&mut self, expr: &Expr) {
        match expr {
            Expr::Not(inner) => self.run_batches(inner),
            Expr::And(parts) | Expr::Or(parts) | Expr::Then(parts) => {
                parts.iter().for_each(|part| self.run_batches(part));
            }
            Expr::Exec(command) => {
                if let Some(batch) = command.batch {
                    self.run_batch(command, batch);
                }
            }
            _ => {}
        }
    }

    fn run_batch(&mut self, command: &Command, batch: usize) {
        let files = self.batches.get_mut(batch).map(std::mem::take).unwrap_or_default();
        if !files.is_empty() {
            let status = self.start(command.words.iter().cloned().chain(files).collect());
            self.failed |= status != 0;
        }
    }

    fn start(&mut self, words: Vec<String>) -> i32 {
        let _ = self.out.flush();
        let command: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        match start(&command, None, Stdin::Own, Stdout::Own) {
            Ok(child) => child.wait(),
            Err(refused) => {
                report("find", &refused.explain(&command[0].to_string_lossy()).0);
                self.failed = true;
                127
            }
        }
    }
}

fn kind_of(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        "l"
    } else if kind.is_dir() {
        "d"
    } else if kind.is_file() {
        "f"
    } else {
        "c"
    }
}

fn printf(form: &str, entry: &Entry, metadata: &Metadata) -> String {
    let mut out = String::new();
    let mut rest = form.chars().peekable();
    while let Some(character) = rest.next() {
        match (character, rest.peek().copied()) {
            ('\\', Some(escape)) => {
                rest.next();
                match escape {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    '0' => out.push('\0'),
                    '\\' => out.push('\\'),
                    other => {
                        out.push('\\');
                        out.push(other);
                    }
                }
            }
            ('%', Some(kind)) => {
                rest.next();
                let time = if matches!(kind, 'T' | 'A' | 'C') { rest.next() } else { None };
                out.push_str(&directive(kind, time, entry, metadata));
            }
            _ => out.push(character),
        }
    }
    out
}

fn directive(kind: char, time: Option<char>, entry: &Entry, metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    match kind {
        'p' => entry.path.clone(),
        'f' => entry.name().to_owned(),
        'h' => match entry.path.trim_end_matches('/').rsplit_once('/') {
            Some((folder, _)) => folder.to_owned(),
            None => ".".to_owned(),
        },
        'P' => entry.path[entry.start.len().min(entry.path.len())..].trim_start_matches('/').to_owned(),
        'H' => entry.start.clone(),
        's' => metadata.len().to_string(),
        'k' => metadata.len().div_ceil(1024).to_string(),
        'b' => metadata.len().div_ceil(512).to_string(),
        'd' => entry.depth.to_string(),
        'y' | 'Y' => kind_of(metadata).to_owned(),
        'l' => fs::read_link(&entry.path).map(|target| target.to_string_lossy().into_owned()).unwrap_or_default(),
        'm' => if metadata.is_dir() { "755" } else { "644" }.to_owned(),
        'u' | 'g' => "agent".to_owned(),
        't' => crate::calendar::format("%a %b %e %H:%M:%S %Y", modified.as_secs_f64()),
        'T' | 'A' | 'C' => match time {
            Some('@') => format!("{}.{:09}0", modified.as_secs(), modified.subsec_nanos()),
            Some('+') => crate::calendar::format("%Y-%m-%d+%H:%M:%S", modified.as_secs_f64()),
            Some(part) => crate::calendar::format(&format!("%{part}"), modified.as_secs_f64()),
            None => String::new(),
        },
        '%' => "%".to_owned(),
        other => format!("%{other}"),
    }
}
