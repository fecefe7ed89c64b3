//! Tries what is found, and does what was asked for.

use super::Entry;
use super::parse::{Command, Expr};
use super::show::{kind_of, listed, printf};
use crate::about::{self, About, Moment};
use crate::report;
use crate::spawn::{self, Stdout, start};
use crate::stdin::Stdin;
use std::ffi::OsString;
use std::fs;
use std::io::{BufWriter, Write};

/// How many bytes of arguments one command gets.
const BATCH_BYTES_MAX: usize = 100_000;

pub(super) struct Finder {
    out: BufWriter<crate::output::Output>,
    now: Moment,
    /// Whether links are followed.
    follow: bool,
    pub(super) failed: bool,
    pub(super) prune: bool,
    pub(super) quit: bool,
    /// Files that wait for their command, by its place.
    batches: Vec<Vec<String>>,
}

impl Finder {
    pub(super) fn new(follow: bool) -> Self {
        Self {
            out: BufWriter::with_capacity(32 << 10, crate::output::stdout()),
            now: Moment::now(),
            follow,
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

    pub(super) fn matches(&mut self, expr: &Expr, entry: &Entry, about: &About) -> bool {
        match expr {
            Expr::Constant(value) => *value,
            Expr::Not(inner) => !self.matches(inner, entry, about),
            Expr::And(parts) => parts.iter().all(|part| !self.quit && self.matches(part, entry, about)),
            Expr::Or(parts) => parts.iter().any(|part| self.matches(part, entry, about)),
            Expr::Then(parts) => parts.iter().fold(false, |_, part| self.matches(part, entry, about)),
            Expr::Name(glob) => glob.is_match(entry.name()),
            Expr::Path(glob) => glob.is_match(&entry.path),
            Expr::Regex(regex) => regex.is_match(&entry.path),
            Expr::Type(kinds) => kinds.split(',').any(|kind| kind == kind_of(about.kind)),
            Expr::TypeElsewhere(kinds) => {
                let other = if self.follow { About::of_link(&entry.path) } else { About::of(&entry.path) };
                let kind = other.map_or(about.kind, |other| other.kind);
                kinds.split(',').any(|wanted| wanted == kind_of(kind))
            }
            #[expect(clippy::cast_precision_loss, reason = "no file is that long")]
            Expr::Size(amount, unit) => amount.holds((about.size as f64 / unit).ceil()),
            Expr::Age(time, amount, unit) => {
                let then = time.of(about);
                #[expect(clippy::cast_precision_loss, reason = "no time is that far")]
                let age = (self.now.seconds - then.seconds) as f64
                    + (f64::from(self.now.nanos) - f64::from(then.nanos)) / 1e9;
                amount.holds((age / unit).floor())
            }
            Expr::Newer(time, than) => time.of(about) > *than,
            Expr::Empty if about.is_folder() => {
                fs::read_dir(&entry.path).is_ok_and(|mut entries| entries.next().is_none())
            }
            Expr::Empty => about.is_file() && about.size == 0,
            #[expect(clippy::cast_precision_loss, reason = "no file has that many links")]
            Expr::Links(amount) => amount.holds(about.links as f64),
            #[expect(clippy::cast_precision_loss, reason = "near numbers are told apart below that")]
            Expr::Inode(amount) => amount.holds(about.inode as f64),
            Expr::Same(device, inode) => (about.device, about.inode) == (*device, *inode),
            Expr::Perm(perm) => perm.holds(about),
            Expr::May('r') => about::readable(&entry.path, about),
            Expr::May('w') => about::writable(&entry.path, about),
            Expr::May(_) => about::executable(about),
            Expr::LinkName(glob) => fs::read_link(&entry.path).is_ok_and(|target| glob.is_match(target)),
            _ => self.act(expr, entry, about),
        }
    }

    fn act(&mut self, action: &Expr, entry: &Entry, about: &About) -> bool {
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
                let text = printf(form, entry, about);
                self.write(text.as_bytes());
            }
            Expr::Ls => {
                let line = listed(entry, about, self.now);
                self.write(line.as_bytes());
            }
            Expr::Delete => return self.delete(entry, about),
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

    fn delete(&mut self, entry: &Entry, about: &About) -> bool {
        // Where the search starts is not deleted under the name of the working directory.
        if entry.path == "." {
            return true;
        }
        let removed = if about.is_folder() { fs::remove_dir(&entry.path) } else { fs::remove_file(&entry.path) };
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
            if command.asks && !self.is_wanted(command, entry) {
                return false;
            }
            let words = command.words.iter().map(|word| word.replace("{}", &path)).collect();
            // What a command is asked about with is not for the command to read.
            let stdin = if command.asks { spawn::Stdin::Empty } else { spawn::Stdin::Own };
            return self.start(words, stdin) == 0;
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

    /// Asks whether to run a command. Whoever says nothing means no.
    fn is_wanted(&mut self, command: &Command, entry: &Entry) -> bool {
        let _ = self.out.flush();
        eprint!("< {} ... {} > ? ", command.words[0], entry.path);
        let mut reply = Vec::new();
        let read = Stdin::new().and_then(|mut from| from.read_until(b'\n', &mut reply));
        read.is_ok() && matches!(reply.first(), Some(b'y' | b'Y'))
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
            let status = self.start(command.words.iter().cloned().chain(files).collect(), spawn::Stdin::Own);
            self.failed |= status != 0;
        }
    }

    fn start(&mut self, words: Vec<String>, stdin: spawn::Stdin) -> i32 {
        let _ = self.out.flush();
        let command: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        match start(&command, None, stdin, Stdout::Own) {
            Ok(child) => child.wait(),
            Err(refused) => {
                report("find", &refused.explain(&command[0].to_string_lossy()).0);
                self.failed = true;
                127
            }
        }
    }
}
