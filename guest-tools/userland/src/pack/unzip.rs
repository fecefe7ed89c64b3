//! `unzip`.

use super::set_written_at;
use crate::inside::{self, Inside};
use crate::pattern::wildcard;
use crate::report;
use globset::GlobMatcher;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use zip::read::ZipFile;
use zip::{CompressionMethod, DateTime, ZipArchive};

type Archive = ZipArchive<BufReader<File>>;

/// What is to be done with an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Work {
    #[default]
    Unpack,
    List,
    Names,
    Print,
    Test,
}

/// What happens to files that are there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Existing {
    /// It would be asked; nobody answers, so they stay.
    #[default]
    Ask,
    Keep,
    Replace,
}

#[derive(Default)]
struct Options {
    work: Work,
    existing: Existing,
    quiet: bool,
    flat: bool,
    folder: Option<String>,
    archive: Option<String>,
    members: Vec<GlobMatcher>,
    shown: Vec<String>,
    excluded: Vec<GlobMatcher>,
}

/// Runs `unzip`; the first argument is its name.
pub(super) fn run(args: &[OsString]) -> u8 {
    let args: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let options = match options(&args) {
        Ok(options) => options,
        Err(problem) => {
            report("unzip", &problem);
            return 10;
        }
    };
    let Some(path) = &options.archive else {
        report("unzip", "usage: unzip [-lopqntj] file[.zip] [list] [-x xlist] [-d exdir]");
        return 10;
    };
    let found =
        [path.clone(), format!("{path}.zip")].into_iter().find(|path| fs::metadata(path).is_ok_and(|at| at.is_file()));
    let Some(path) = found else {
        report("unzip", &format!(" cannot find or open {path}, {path}.zip or {path}.ZIP."));
        return 9;
    };
    let opened = File::open(&path).map_err(|error| crate::reason(&error));
    let archive = opened.and_then(|file| ZipArchive::new(BufReader::new(file)).map_err(|error| error.to_string()));
    match archive {
        Ok(archive) => execute(&options, &path, archive),
        Err(reason) => {
            if !options.quiet {
                crate::print(format!("Archive:  {path}\n").as_bytes());
            }
            report("unzip", &format!(" {path} is no zipfile that can be read: {reason}"));
            9
        }
    }
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter();
    let mut excludes = false;
    while let Some(arg) = args.next() {
        if arg == "-d" {
            options.folder = Some(args.next().ok_or("-d takes a folder")?.clone());
        } else if arg == "-x" {
            excludes = true;
        } else if let (Some(letters), None) = (arg.strip_prefix('-').filter(|rest| !rest.is_empty()), &options.archive)
        {
            options.letters(letters)?;
        } else if options.archive.is_none() {
            options.archive = Some(arg.clone());
        } else if excludes {
            options.excluded.push(wildcard(arg, false)?);
        } else {
            options.members.push(wildcard(arg, false)?);
            options.shown.push(arg.clone());
        }
    }
    Ok(options)
}

impl Options {
    fn letters(&mut self, letters: &str) -> Result<(), String> {
        if let Some(folder) = letters.strip_prefix('d') {
            self.folder = Some(folder.to_owned());
            return Ok(());
        }
        for letter in letters.chars() {
            match letter {
                'l' | 'v' => self.work = Work::List,
                'Z' | '1' => self.work = Work::Names,
                'p' | 'c' => self.work = Work::Print,
                't' => self.work = Work::Test,
                'o' => self.existing = Existing::Replace,
                'n' => self.existing = Existing::Keep,
                'q' => self.quiet = true,
                'j' => self.flat = true,
                'a' | 'b' | 'u' | 'f' | 'C' | 'L' | 'X' | 'K' | 'U' | 'D' | ':' => {}
                _ => return Err(format!("invalid option -{letter}")),
            }
        }
        Ok(())
    }
}

fn execute(options: &Options, path: &str, mut archive: Archive) -> u8 {
    let root = options.folder.clone().unwrap_or_default();
    if options.work == Work::Unpack
        && !root.is_empty()
        && let Err(error) = fs::create_dir_all(&root)
    {
        report("unzip", &format!(" cannot create extraction directory: {root}: {}", crate::reason(&error)));
        return 3;
    }
    let mut run = Run {
        options,
        inside: Inside::new(PathBuf::from(&root)),
        root: root.trim_end_matches('/').to_owned(),
        listed: (0, 0),
        links: Vec::new(),
        status: 0,
    };
    if !options.quiet && !matches!(options.work, Work::Print | Work::Names) {
        run.say(&format!("Archive:  {path}\n"));
    }
    if options.work == Work::List {
        run.say("  Length      Date    Time    Name\n---------  ---------- -----   ----\n");
    }
    let mut found = vec![false; options.members.len()];
    for place in 0..archive.len() {
        let mut file = match archive.by_index(place) {
            Ok(file) => file,
            Err(error) => {
                run.fail(3, &format!("member {place}: {error}"));
                continue;
            }
        };
        let name = String::from_utf8_lossy(file.name_raw()).into_owned();
        let fits = |glob: &GlobMatcher| glob.is_match(&name);
        for (found, glob) in found.iter_mut().zip(&options.members) {
            *found |= fits(glob);
        }
        if (options.members.is_empty() || options.members.iter().any(fits)) && !options.excluded.iter().any(fits) {
            run.member(&mut file, &name);
        }
    }
    run.end(path);
    for (found, shown) in found.iter().zip(&options.shown) {
        if !found {
            eprintln!("caution: filename not matched:  {shown}");
            run.status = 11;
        }
    }
    run.status
}

struct Run<'a> {
    options: &'a Options,
    inside: Inside,
    root: String,
    /// How many members were listed, and how long they are together.
    listed: (usize, u64),
    /// Links, which are made when all else is done.
    links: Vec<(PathBuf, String, String)>,
    status: u8,
}

impl Run<'_> {
    fn say(&self, text: &str) {
        crate::print(text.as_bytes());
    }

    fn tell(&self, text: &str) {
        if !self.options.quiet {
            self.say(text);
        }
    }

    fn fail(&mut self, status: u8, text: &str) {
        report("unzip", text);
        self.status = self.status.max(status);
    }

    fn member(&mut self, file: &mut ZipFile<'_, BufReader<File>>, name: &str) {
        match self.options.work {
            Work::Unpack => self.unpack(file, name),
            Work::List => {
                self.listed.0 += 1;
                self.listed.1 += file.size();
                let time = moment(file.last_modified());
                #[expect(clippy::cast_precision_loss, reason = "a time that far off is no date")]
                let shown = crate::calendar::format("%Y-%m-%d %H:%M", time as f64);
                self.say(&format!("{:>9}  {shown}   {name}\n", file.size()));
            }
            Work::Names => self.say(&format!("{name}\n")),
            Work::Print => {
                if let Err(error) = io::copy(file, &mut crate::output::stdout()) {
                    self.fail(3, &format!("{name}: {}", crate::reason(&error)));
                }
            }
            Work::Test => match io::copy(file, &mut io::sink()) {
                Ok(_) => self.tell(&format!("    testing: {name:<22}   OK\n")),
                Err(error) => self.fail(2, &format!("{name}: bad: {}", crate::reason(&error))),
            },
        }
    }

    fn unpack(&mut self, file: &mut ZipFile<'_, BufReader<File>>, name: &str) {
        let is_folder = name.ends_with('/');
        if self.options.flat && is_folder {
            return;
        }
        let mut parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        if name.starts_with('/') {
            self.fail(1, &format!("warning:  stripped absolute path spec from {name}"));
        }
        if parts.contains(&"..") {
            self.fail(1, &format!("warning:  skipped \"../\" path component(s) in {name}"));
            parts.retain(|part| *part != "..");
        }
        if self.options.flat {
            parts.drain(..parts.len().saturating_sub(1));
        }
        if parts.is_empty() {
            return;
        }
        let sign = if self.root.is_empty() { "" } else { "/" };
        let shown = format!("{}{sign}{}", self.root, parts.join("/"));
        let path = match self.inside.place(&parts) {
            Ok(path) => path,
            Err(why) => return self.fail(2, &format!("{shown}: {}", why.into_text())),
        };
        if is_folder {
            if !path.is_dir() {
                match inside::clear(&path).and_then(|()| fs::create_dir(&path).map_err(|error| crate::reason(&error))) {
                    Ok(()) => self.tell(&format!("   creating: {shown}/\n")),
                    Err(reason) => self.fail(2, &format!("{shown}: {reason}")),
                }
            }
            return;
        }
        if fs::symlink_metadata(&path).is_ok() {
            match self.options.existing {
                Existing::Replace => {}
                Existing::Keep => return,
                Existing::Ask => {
                    let text = format!("{shown} is there already; -o replaces it, -n keeps it");
                    return self.fail(1, &text);
                }
            }
            if let Err(reason) = inside::clear(&path) {
                return self.fail(2, &format!("{shown}: {reason}"));
            }
        }
        if let Err(reason) = self.file(file, path, &shown) {
            self.fail(3, &format!("{shown}: {reason}"));
        }
    }

    fn file(&mut self, file: &mut ZipFile<'_, BufReader<File>>, path: PathBuf, shown: &str) -> Result<(), String> {
        let words = |error: io::Error| crate::reason(&error);
        if file.is_symlink() {
            let mut target = String::new();
            file.read_to_string(&mut target).map_err(words)?;
            self.tell(&format!("    linking: {shown:<22}  -> {target} \n"));
            self.links.push((path, target, shown.to_owned()));
            return Ok(());
        }
        let does = if file.compression() == CompressionMethod::Stored { " extracting" } else { "  inflating" };
        self.tell(&format!("{does}: {shown:<22}  \n"));
        let time = moment(file.last_modified());
        let mut to = File::create_new(path).map_err(words)?;
        io::copy(file, &mut to).map_err(words)?;
        set_written_at(&to, time);
        #[cfg(unix)]
        if let Some(mode) = file.unix_mode() {
            use std::os::unix::fs::PermissionsExt as _;
            let _ = to.set_permissions(fs::Permissions::from_mode(mode & 0o755));
        }
        Ok(())
    }

    fn end(&mut self, path: &str) {
        if !self.links.is_empty() {
            self.tell("finishing deferred symbolic links:\n");
        }
        for (at, target, shown) in std::mem::take(&mut self.links) {
            self.tell(&format!("  {shown:<22} -> {target}\n"));
            if let Err(error) = inside::link(&target, &at) {
                self.fail(2, &format!("{shown}: {}", crate::reason(&error)));
            }
        }
        let mut text = String::new();
        if self.options.work == Work::List {
            let (count, length) = self.listed;
            let plural = if count == 1 { "" } else { "s" };
            let _ = write!(
                text,
                "---------                     -------\n{length:>9}                     {count} file{plural}\n"
            );
        }
        if self.options.work == Work::Test && self.status == 0 {
            let _ = writeln!(text, "No errors detected in compressed data of {path}.");
        }
        self.say(&text);
    }
}

/// The seconds since 1970 of a time in an archive.
fn moment(time: Option<DateTime>) -> u64 {
    let time = time.unwrap_or_default();
    let parts = [time.month(), time.day(), time.hour(), time.minute(), time.second()].map(i64::from);
    let [month, day, hour, minute, second] = parts;
    let seconds = crate::calendar::moment([i64::from(time.year()), month, day, hour, minute, second]);
    u64::try_from(seconds).unwrap_or(0)
}
