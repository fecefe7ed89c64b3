//! `cp`, `install` and `mv`.

mod backup;
mod install;
mod moves;
mod settings;

use crate::about::{About, Moment, executable, set_mode, set_times, umask};
use crate::quote::quoted;
use crate::stdin::Stdin;
use crate::{print, report};
pub(crate) use install::install;
pub(crate) use moves::mv;
use settings::{Follow, Settings, Way};
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;

/// Runs `cp`; the first argument is its name.
pub(crate) fn cp(args: &[OsString]) -> u8 {
    let settings = match Settings::read(args) {
        Ok(settings) => settings,
        Err(problem) => {
            report("cp", &format!("{problem}\nTry 'cp --help' for more information."));
            return 1;
        }
    };
    let mut run = Run::new("cp", &settings);
    run.operands();
    u8::from(run.failed)
}

/// The last part of a path.
fn last(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    trimmed.rsplit('/').next().unwrap_or(trimmed)
}

fn join(folder: &str, name: &str) -> String {
    let sign = if folder.ends_with('/') { "" } else { "/" };
    format!("{folder}{sign}{name}")
}

struct Run<'a> {
    program: &'static str,
    settings: &'a Settings,
    failed: bool,
    /// Where files with several names were copied to.
    linked: HashMap<(u64, u64), String>,
    /// What this run made: it is not written over.
    made: HashSet<(u64, u64)>,
    /// The folders among it.
    folders: HashSet<(u64, u64)>,
    /// What is copied for the command line at this time, and where to.
    operand: (String, String),
}

impl<'a> Run<'a> {
    fn new(program: &'static str, settings: &'a Settings) -> Self {
        Self {
            program,
            settings,
            failed: false,
            linked: HashMap::new(),
            made: HashSet::new(),
            folders: HashSet::new(),
            operand: Default::default(),
        }
    }

    fn fail(&mut self, text: &str) {
        report(self.program, text);
        self.failed = true;
    }

    fn fault(&mut self, what: &str, path: &str, error: &io::Error) {
        self.fail(&format!("{what} {}: {}", quoted(path), crate::reason(error)));
    }

    fn operands(&mut self) {
        let settings = self.settings;
        let into = match &settings.into {
            Some(folder) => {
                if !fs::metadata(folder).is_ok_and(|about| about.is_dir()) {
                    let reason =
                        if fs::metadata(folder).is_ok() { "Not a directory" } else { "No such file or directory" };
                    let what = if settings.into_given { "target directory" } else { "target" };
                    self.fail(&format!("{what} {}: {reason}", quoted(folder)));
                    return;
                }
                folder
            }
            None => {
                let to = settings.to.clone();
                for source in &settings.sources {
                    self.one(source, &to, true);
                }
                return;
            }
        };
        for source in &settings.sources {
            let to = if settings.parents {
                if !self.parents(source, into) {
                    continue;
                }
                join(into, source.trim_start_matches('/'))
            } else {
                join(into, last(source))
            };
            // `a/..` goes into the folder itself.
            let to = if last(source) == ".." && !settings.parents { into.clone() } else { to };
            self.one(source, &to, true);
        }
    }

    /// Makes the folders of `--parents`, as those that they are copies of.
    fn parents(&mut self, source: &str, into: &str) -> bool {
        let source = source.trim_end_matches('/');
        for (at, _) in source.match_indices('/').filter(|(at, _)| *at > 0) {
            let (from, to) = (&source[..at], join(into, source[..at].trim_start_matches('/')));
            if fs::metadata(&to).is_ok_and(|about| about.is_dir()) {
                continue;
            }
            if let Err(error) = fs::create_dir(&to) {
                self.fault("cannot make directory", &to, &error);
                return false;
            }
            let mode = About::of(from).map_or(0o755, |about| about.mode);
            let _ = set_mode(&to, mode & 0o777 & !umask());
            if self.settings.verbose {
                print(format!("{from} -> {to}\n").as_bytes());
            }
        }
        true
    }

    /// Copies or moves one thing. `named`: it stands on the command line.
    fn one(&mut self, from: &str, to: &str, named: bool) {
        if named {
            self.operand = (from.to_owned(), to.to_owned());
        }
        if self.settings.moves && named { self.moved(from, to) } else { self.copied(from, to, named) }
    }

    fn copied(&mut self, from: &str, to: &str, named: bool) {
        let settings = self.settings;
        let follow = match settings.follow {
            Follow::Always => true,
            Follow::Operands => named,
            Follow::Never => false,
        };
        let about = match if follow { About::of(from) } else { About::of_link(from) } {
            Ok(about) => about,
            // Nothing need stand there for what comes in.
            Err(_) if from == "/dev/stdin" => return self.input(to),
            Err(error) => return self.fault("cannot stat", from, &error),
        };
        let there = About::of_link(to).ok();
        if about.is_folder() {
            return self.folder(from, to, &about, there);
        }
        let mut kept = None;
        if let Some(there) = there {
            match self.make_room(from, to, &about, &there) {
                Room::Made(backup) => kept = backup,
                Room::Skipped => return,
            }
        }
        if settings.links
            && about.links > 1
            && let Some(first) = self.linked.get(&(about.device, about.inode)).cloned()
        {
            let _ = fs::remove_file(to);
            if let Err(error) = fs::hard_link(&first, to) {
                self.fault("cannot create hard link", to, &error);
            }
            return;
        }
        let done = match settings.way {
            Way::Link => self.hard_link(from, to, &about),
            Way::Symbolic => self.symbolic(from, to),
            Way::Copy if about.is_link() => self.link(from, to, &about),
            Way::Copy => self.file(from, to, &about),
        };
        if !done {
            return;
        }
        if settings.links && about.links > 1 {
            self.linked.insert((about.device, about.inode), to.to_owned());
        }
        if let Ok(made) = About::of_link(to) {
            self.made.insert((made.device, made.inode));
        }
        if settings.verbose && !settings.moves {
            let backup = kept.map(|path| format!(" (backup: {})", quoted(&path))).unwrap_or_default();
            print(format!("{} -> {}{backup}\n", quoted(from), quoted(to)).as_bytes());
        }
    }

    /// Sees to what stands where the copy goes.
    fn make_room(&mut self, from: &str, to: &str, about: &About, there: &About) -> Room {
        let settings = self.settings;
        let target = About::of(to).ok();
        if target.is_some_and(|target| target.is_folder()) && (!there.is_link() || !about.is_link()) {
            self.fail(&format!("cannot overwrite directory {} with non-directory", quoted(to)));
            return Room::Skipped;
        }
        // With a backup or what is removed first, a file may take its own place.
        let same = target.is_some_and(|target| target.same_file(about)) || there.same_file(about);
        let linking = settings.way == Way::Link && same && !there.is_link();
        if same && linking {
            return Room::Skipped;
        }
        let stays = there.same_file(about) || !there.is_link() || !(settings.unlink || about.is_link());
        if same && stays && settings.backup.is_none() && !(settings.way != Way::Copy && settings.force) {
            self.fail(&format!("{} and {} are the same file", quoted(from), quoted(to)));
            return Room::Skipped;
        }
        if settings.keep || settings.update && target.is_some_and(|target| target.modified >= about.modified) {
            return Room::Skipped;
        }
        if self.made.contains(&(there.device, there.inode)) && settings.backup.is_none() {
            self.fail(&format!("will not overwrite just-created {} with {}", quoted(to), quoted(from)));
            return Room::Skipped;
        }
        if settings.ask && !self.answered(to) {
            return Room::Skipped;
        }
        if let Some(kind) = settings.backup {
            let path = kind.path(to, &settings.suffix);
            if let Err(error) = fs::rename(to, &path) {
                self.fault("cannot backup", to, &error);
                return Room::Skipped;
            }
            return Room::Made(Some(path));
        }
        let replaced = settings.way != Way::Copy && settings.force;
        if about.is_link() && settings.way == Way::Copy || settings.unlink || replaced {
            if let Err(error) = fs::remove_file(to) {
                self.fault("cannot remove", to, &error);
                return Room::Skipped;
            }
            if settings.verbose && (settings.unlink || replaced) {
                print(format!("removed {}\n", quoted(to)).as_bytes());
            }
        } else if there.is_link() && target.is_none() && settings.way == Way::Copy {
            self.fail(&format!("not writing through dangling symlink {}", quoted(to)));
            return Room::Skipped;
        }
        Room::Made(None)
    }

    fn answered(&mut self, to: &str) -> bool {
        eprint!("{}: overwrite {}? ", self.program, quoted(to));
        let mut answer = Vec::new();
        let read = Stdin::new().and_then(|mut from| from.read_until(b'\n', &mut answer));
        let yes = read.is_ok() && answer.trim_ascii_start().first().is_some_and(|first| matches!(first, b'y' | b'Y'));
        if !yes && answer.is_empty() {
            eprintln!();
        }
        yes
    }

    fn folder(&mut self, from: &str, to: &str, about: &About, there: Option<About>) {
        let settings = self.settings;
        if !settings.recursive {
            self.fail(&format!("-r not specified; omitting directory {}", quoted(from)));
            return;
        }
        let target = About::of(to).ok();
        if there.is_some() && !target.is_some_and(|target| target.is_folder()) {
            self.fail(&format!("cannot overwrite non-directory {} with directory {}", quoted(to), quoted(from)));
            return;
        }
        if target.is_some_and(|target| target.same_file(about)) {
            self.fail(&format!("{} and {} are the same file", quoted(from), quoted(to)));
            return;
        }
        if self.folders.contains(&(about.device, about.inode)) {
            let (from, to) = &self.operand;
            self.fail(&format!("cannot copy a directory, {}, into itself, {}", quoted(from), quoted(to)));
            return;
        }
        let made = target.is_none();
        if made {
            if let Err(error) = fs::create_dir(to) {
                return self.fault("cannot create directory", to, &error);
            }
            // A copy that lies in what is copied is no part of it.
            if let Ok(made) = About::of(to) {
                self.folders.insert((made.device, made.inode));
            }
            if settings.verbose && !settings.moves {
                print(format!("{} -> {}\n", quoted(from), quoted(to)).as_bytes());
            }
        }
        let (names, fault) = crate::listing::names(from);
        for name in names {
            self.one(&join(from, &name), &join(to, &name), false);
        }
        if let Some(error) = fault {
            self.fault("cannot access", from, &error);
        }
        // At the end: what may not be written to would take nothing in, and each entry is a change.
        if settings.mode {
            let _ = set_mode(to, about.mode);
        } else if made {
            let _ = set_mode(to, about.mode & 0o777 & !umask());
        }
        self.keep_times(to, about);
    }

    fn input(&mut self, to: &str) {
        let is_new = fs::symlink_metadata(to).is_err();
        let copied = self.open(to).and_then(|mut target| io::copy(&mut io::stdin(), &mut target));
        match copied {
            Ok(_) if is_new => crate::about::masked(to),
            Ok(_) => {}
            Err(error) => self.fault("cannot create regular file", to, &error),
        }
    }

    fn hard_link(&mut self, from: &str, to: &str, about: &About) -> bool {
        // A link that is followed leads to the file that gets another name.
        let source = if about.is_link() { from.to_owned() } else { crate::about::led_to(from) };
        let linked = fs::hard_link(source, to);
        if let Err(error) = &linked {
            self.fail(&format!("cannot create hard link {} to {}: {}", quoted(to), quoted(from), crate::reason(error)));
        }
        linked.is_ok()
    }

    fn symbolic(&mut self, from: &str, to: &str) -> bool {
        if !from.starts_with('/') && to.contains('/') && !to.starts_with("./") {
            self.fail(&format!("{}: can make relative symbolic links only in current directory", quoted(to)));
            return false;
        }
        let linked = crate::inside::link(from, to.as_ref());
        if let Err(error) = &linked {
            let reason = crate::reason(error);
            self.fail(&format!("cannot create symbolic link {} to {}: {reason}", quoted(to), quoted(from)));
        }
        linked.is_ok()
    }

    fn link(&mut self, from: &str, to: &str, about: &About) -> bool {
        let made = fs::read_link(from).and_then(|target| crate::inside::link(&target.to_string_lossy(), to.as_ref()));
        if let Err(error) = &made {
            self.fault("cannot create symbolic link", to, error);
            return false;
        }
        self.keep_times(to, about);
        true
    }

    fn file(&mut self, from: &str, to: &str, about: &About) -> bool {
        if to.ends_with('/') {
            self.fail(&format!("cannot create regular file {}: Not a directory", quoted(to)));
            return false;
        }
        let is_new = fs::symlink_metadata(to).is_err();
        let source = if self.settings.attributes { Ok(None) } else { File::open(from).map(Some) };
        let mut source = match source {
            Ok(source) => source,
            Err(error) => {
                self.fault("cannot open", from, &error);
                return false;
            }
        };
        let mut target = match self.open(to) {
            Ok(target) => target,
            Err(error) => {
                self.fault("cannot create regular file", to, &error);
                return false;
            }
        };
        let copied = source.as_mut().map_or(Ok(0), |source| io::copy(source, &mut target));
        drop(target);
        if let Err(error) = copied {
            self.fault("error copying", from, &error);
            return false;
        }
        let mode = match (self.settings.mode, is_new) {
            (true, _) => Some(about.mode),
            // What is not asked to be kept is what a new file has.
            (false, true) if self.settings.no_mode => Some(0o666 & !umask()),
            (false, true) => Some(about.mode & 0o777 & !umask()),
            (false, false) => None,
        };
        let usual = About::of(to).map_or(0, |made| made.mode);
        if let Some(mode) = mode.filter(|mode| *mode != usual)
            && let Err(error) = set_mode(to, mode)
            && (self.settings.mode || executable(about))
        {
            self.fault("preserving permissions for", to, &error);
        }
        self.keep_times(to, about);
        true
    }

    /// Opens a file to write over; where that is refused, it is made anew if that may be.
    fn open(&mut self, to: &str) -> io::Result<File> {
        let open = || fs::OpenOptions::new().write(true).create(true).truncate(!self.settings.attributes).open(to);
        match open() {
            Err(error) if self.settings.force && fs::symlink_metadata(to).is_ok() => {
                fs::remove_file(to).map_err(|_| error)?;
                if self.settings.verbose {
                    print(format!("removed {}\n", quoted(to)).as_bytes());
                }
                open()
            }
            opened => opened,
        }
    }

    fn keep_times(&mut self, to: &str, about: &About) {
        if self.settings.times {
            let (accessed, modified): (Moment, Moment) = (about.accessed, about.modified);
            if let Err(error) = set_times(to, accessed, modified, about.is_link()) {
                self.fault("preserving times for", to, &error);
            }
        }
    }
}

/// Whether a copy can be made, and where what was there is kept.
enum Room {
    Made(Option<String>),
    Skipped,
}

/// Whether a path lies in a folder, however it is written: one of the folders above it is the same one.
fn inside(path: &str, folder: &About) -> bool {
    let path = std::env::current_dir().unwrap_or_default().join(path);
    path.ancestors().any(|above| About::of(&above.to_string_lossy()).is_ok_and(|above| above.same_file(folder)))
}
