//! `zip`.

use super::written_at;
use crate::pattern::wildcard;
use globset::GlobMatcher;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Cursor, Read, Write as _};
use std::path::Path;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// An archive with one member, as it goes into the real one.
type Packed = ZipArchive<Cursor<Vec<u8>>>;

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct Options {
    recurse: bool,
    quiet: bool,
    flat: bool,
    delete: bool,
    keep_links: bool,
    moves: bool,
    no_folders: bool,
    names_from_stdin: bool,
    level: Option<i64>,
    archive: Option<String>,
    operands: Vec<String>,
    excluded: Vec<GlobMatcher>,
    included: Vec<GlobMatcher>,
}

/// Runs `zip`; the first argument is its name.
pub(super) fn run(args: &[OsString]) -> u8 {
    let args: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let done = options(&args).map_err(|problem| (16, problem)).and_then(|options| execute(&options));
    match done {
        Ok(status) => status,
        Err((status, problem)) => {
            // Where the others of its messages go.
            crate::print(format!("\nzip error: {problem}\n").as_bytes());
            status
        }
    }
}

/// Where the names go that stand next on the command line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Operands,
    Excluded,
    Included,
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut list = List::Operands;
    for arg in args {
        if let Some(letters) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            list = List::Operands;
            let letters = match letters {
                "-recurse-paths" => "r",
                "-quiet" => "q",
                "-junk-paths" => "j",
                "-delete" => "d",
                "-symlinks" => "y",
                "-exclude" => "x",
                "-include" => "i",
                letters => letters,
            };
            for (at, letter) in letters.char_indices() {
                match options.letter(letter)? {
                    List::Operands => {}
                    started => {
                        list = started;
                        // The first of them may stand right behind the letter.
                        let rest = &letters[at + 1..];
                        if !rest.is_empty() {
                            options.put(list, rest)?;
                        }
                        break;
                    }
                }
            }
        } else if arg == "@" && list != List::Operands {
            list = List::Operands;
        } else {
            options.put(list, arg)?;
        }
    }
    Ok(options)
}

impl Options {
    fn letter(&mut self, letter: char) -> Result<List, String> {
        match letter {
            'r' => self.recurse = true,
            'q' => self.quiet = true,
            'j' => self.flat = true,
            'd' => self.delete = true,
            'y' => self.keep_links = true,
            'm' => self.moves = true,
            'D' => self.no_folders = true,
            '@' => self.names_from_stdin = true,
            '0'..='9' => self.level = letter.to_digit(10).map(i64::from),
            'x' => return Ok(List::Excluded),
            'i' => return Ok(List::Included),
            'X' | 'o' | 'v' | 'S' | 'k' | 'T' => {}
            'e' | 'P' => return Err("encryption is not available here".to_owned()),
            'u' | 'f' => return Err(format!("-{letter} is not available here; all that is named is packed anew")),
            _ => return Err(format!("Invalid command arguments (short option '{letter}' not supported)")),
        }
        Ok(List::Operands)
    }

    fn put(&mut self, list: List, word: &str) -> Result<(), String> {
        match list {
            List::Operands if self.archive.is_none() => self.archive = Some(word.to_owned()),
            List::Operands => self.operands.push(word.to_owned()),
            List::Excluded => self.excluded.push(wildcard(word, false)?),
            List::Included => self.included.push(wildcard(word, false)?),
        }
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        let any = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(name));
        !any(&self.excluded) && (self.included.is_empty() || any(&self.included))
    }
}

type Failed = (u8, String);

fn execute(options: &Options) -> Result<u8, Failed> {
    let Some(archive) = &options.archive else {
        return Err((16, "Invalid command arguments (usage: zip [-options] zipfile list)".to_owned()));
    };
    let last = archive.rsplit('/').next().unwrap_or(archive);
    let path = if archive == "-" || last.contains('.') { archive.clone() } else { format!("{archive}.zip") };
    let old = if path == "-" { None } else { open(&path)? };
    let mut run = Run { options, members: Vec::new(), path, status: 0, packed: Vec::new() };
    if options.delete {
        return run.delete(old);
    }
    let mut operands = options.operands.clone();
    if options.names_from_stdin {
        let text = crate::read("-").map_err(|reason| (11, reason))?;
        operands.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
    }
    for operand in &operands {
        run.operand(operand);
    }
    if run.members.is_empty() {
        return Err((12, format!("Nothing to do! ({})", run.path)));
    }
    run.write(old)
}

fn open(path: &str) -> Result<Option<ZipArchive<File>>, Failed> {
    match File::open(path) {
        Ok(file) => match ZipArchive::new(file) {
            Ok(archive) => Ok(Some(archive)),
            Err(error) => Err((3, format!("Zip file structure invalid ({path}): {error}"))),
        },
        Err(_) => Ok(None),
    }
}

struct Run<'a> {
    options: &'a Options,
    path: String,
    /// What is to be packed: where it is, and its name in the archive.
    members: Vec<(String, String)>,
    packed: Vec<String>,
    status: u8,
}

impl Run<'_> {
    fn say(&self, text: &str) {
        if self.options.quiet {
        } else if self.path == "-" {
            eprintln!("{text}");
        } else {
            crate::print(format!("{text}\n").as_bytes());
        }
    }

    fn operand(&mut self, operand: &str) {
        let trimmed = operand.trim_end_matches('/');
        if operand != "-" && fs::metadata(operand).is_err() && fs::symlink_metadata(operand).is_err() {
            self.say(&format!("\tzip warning: name not matched: {operand}"));
            return;
        }
        self.add(if trimmed.is_empty() { operand } else { trimmed });
    }

    fn add(&mut self, path: &str) {
        let is_folder = Path::new(path).is_dir() && !(self.options.keep_links && Path::new(path).is_symlink());
        let name = self.name(path, is_folder);
        let wanted = !name.is_empty()
            && self.options.wants(&name)
            && !(is_folder && (self.options.flat || self.options.no_folders));
        if wanted && path != self.path {
            self.members.push((path.to_owned(), name));
        }
        if !is_folder || !self.options.recurse {
            return;
        }
        let (names, fault) = crate::listing::names(path);
        if let Some(error) = fault {
            eprintln!("\tzip warning: {path}: {}", crate::reason(&error));
            self.status = 18;
        }
        for name in names {
            self.add(&if path == "." { name } else { format!("{}/{name}", path.trim_end_matches('/')) });
        }
    }

    /// The name of a member: without what leads upwards or to the root.
    fn name(&self, path: &str, is_folder: bool) -> String {
        let mut parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
        if self.options.flat {
            parts.drain(..parts.len().saturating_sub(1));
        }
        let end = if is_folder && !parts.is_empty() { "/" } else { "" };
        format!("{}{end}", parts.join("/"))
    }

    /// Packs one member. What is wrong in words.
    fn pack(&self, path: &str, name: &str) -> Result<Packed, String> {
        let words = |error: io::Error| crate::reason(&error);
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o644);
        if path == "-" {
            let mut bytes = Vec::new();
            io::stdin().read_to_end(&mut bytes).map_err(words)?;
            return self.smaller(&bytes[..], options, name, bytes.len() as u64);
        }
        let link = self.options.keep_links && Path::new(path).is_symlink();
        let metadata = if link { fs::symlink_metadata(path) } else { fs::metadata(path) }.map_err(words)?;
        let options = options.last_modified_time(date(written_at(&metadata)));
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        if link {
            let target = fs::read_link(path).map_err(words)?;
            writer.add_symlink(name, target.to_string_lossy(), options).map_err(|error| error.to_string())?;
        } else if metadata.is_dir() {
            let options = options.unix_permissions(0o755);
            writer.add_directory(name, options).map_err(|error| error.to_string())?;
        } else {
            let file = crate::open(path)?;
            return self.smaller(file, options, name, metadata.len());
        }
        let bytes = writer.finish().map_err(|error| error.to_string())?;
        ZipArchive::new(bytes).map_err(|error| error.to_string())
    }

    /// Deflates, unless that makes it longer.
    fn smaller(&self, from: impl Read, options: SimpleFileOptions, name: &str, size: u64) -> Result<Packed, String> {
        let one = |from: &mut dyn Read, options: SimpleFileOptions| -> Result<Packed, String> {
            let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
            writer.start_file(name, options.large_file(size >= 1 << 32)).map_err(|error| error.to_string())?;
            io::copy(from, &mut writer).map_err(|error| crate::reason(&error))?;
            let bytes = writer.finish().map_err(|error| error.to_string())?;
            ZipArchive::new(bytes).map_err(|error| error.to_string())
        };
        let mut from = from;
        if self.options.level == Some(0) || size == 0 {
            return one(&mut from, options);
        }
        let deflated = options.compression_method(CompressionMethod::Deflated).compression_level(self.options.level);
        let mut archive = one(&mut from, deflated)?;
        let member = archive.by_index_raw(0).map_err(|error| error.to_string())?;
        if member.compressed_size() < member.size() {
            drop(member);
            return Ok(archive);
        }
        drop(member);
        let mut plain = Vec::new();
        let read = archive.by_index(0).map_err(|error| error.to_string())?.read_to_end(&mut plain);
        read.map_err(|error| crate::reason(&error))?;
        one(&mut &plain[..], options)
    }

    fn write(&mut self, mut old: Option<ZipArchive<File>>) -> Result<u8, Failed> {
        let failed = |reason: String| (15, format!("Could not create output file ({reason})"));
        let known: BTreeSet<Vec<u8>> =
            old.as_ref().map(|old| old.file_names_raw().map(<[u8]>::to_vec).collect()).unwrap_or_default();
        let replaced: BTreeSet<String> = self.members.iter().map(|(_, name)| name.clone()).collect();
        let beside = format!("{}.new", self.path);
        let mut writer = if self.path == "-" {
            ZipWriter::new(Out::Memory(Cursor::new(Vec::new())))
        } else {
            let file = File::create(&beside).map_err(|error| failed(crate::reason(&error)))?;
            ZipWriter::new(Out::File(Beside::new(file)))
        };
        if let Some(old) = &mut old {
            keep(&mut writer, old, |name| !replaced.contains(name)).map_err(failed)?;
        }
        let mut done = BTreeSet::new();
        for (path, name) in std::mem::take(&mut self.members) {
            if !done.insert(name.clone()) {
                continue;
            }
            let mut packed = match self.pack(&path, &name) {
                Ok(packed) => packed,
                Err(reason) => {
                    eprintln!("\tzip warning: could not open for reading: {path}: {reason}");
                    self.status = 18;
                    continue;
                }
            };
            let member = packed.by_index_raw(0).map_err(|error| failed(error.to_string()))?;
            let how = if member.compression() == CompressionMethod::Stored { "stored" } else { "deflated" };
            let saved = (member.size() - member.compressed_size().min(member.size())) * 200 / member.size().max(1);
            let does = if known.contains(name.as_bytes()) { "updating" } else { "  adding" };
            self.say(&format!("{does}: {name} ({how} {}%)", saved.div_ceil(2).min(saved / 2 + saved % 2)));
            writer.raw_copy_file(member).map_err(|error| failed(error.to_string()))?;
            self.packed.push(path);
        }
        self.finish(writer, &beside).map_err(failed)?;
        if self.options.moves {
            self.remove();
        }
        Ok(self.status)
    }

    fn finish(&self, writer: ZipWriter<Out>, beside: &str) -> Result<(), String> {
        match writer.finish().map_err(|error| error.to_string())? {
            Out::Memory(bytes) => {
                if crate::print(bytes.get_ref()) {
                    Ok(())
                } else {
                    Err("write error".to_owned())
                }
            }
            Out::File(file) => {
                let written = file.end().and_then(|()| fs::rename(beside, &self.path));
                written.map_err(|error| {
                    // What is not whole is no use to anybody, and the disk may be full.
                    let _ = fs::remove_file(beside);
                    crate::reason(&error)
                })
            }
        }
    }

    /// Removes what was packed; folders last, and only empty ones.
    fn remove(&self) {
        for path in self.packed.iter().rev() {
            let _ = if Path::new(path).is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }

    fn delete(&mut self, old: Option<ZipArchive<File>>) -> Result<u8, Failed> {
        let failed = |reason: String| (15, format!("Could not create output file ({reason})"));
        let Some(mut old) = old else { return Err((13, format!("no such archive ({})", self.path))) };
        let mut globs = Vec::new();
        for operand in &self.options.operands {
            globs.push(wildcard(operand, false).map_err(|problem| (16, problem))?);
        }
        let names: Vec<String> = old.file_names_raw().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        let gone: BTreeSet<&String> =
            names.iter().filter(|name| globs.iter().any(|glob| glob.is_match(name))).collect();
        for (glob, operand) in globs.iter().zip(&self.options.operands) {
            if !names.iter().any(|name| glob.is_match(name)) {
                self.say(&format!("\tzip warning: name not matched: {operand}"));
            }
        }
        if gone.is_empty() {
            return Err((12, format!("Nothing to do! ({})", self.path)));
        }
        for name in names.iter().filter(|name| gone.contains(name)) {
            self.say(&format!("deleting: {name}"));
        }
        let beside = format!("{}.new", self.path);
        let file = File::create(&beside).map_err(|error| failed(crate::reason(&error)))?;
        let mut writer = ZipWriter::new(Out::File(Beside::new(file)));
        keep(&mut writer, &mut old, |name| !gone.contains(&name.to_owned())).map_err(failed)?;
        self.finish(writer, &beside).map_err(failed)?;
        Ok(0)
    }
}

/// Takes members over from an archive as they are.
fn keep(writer: &mut ZipWriter<Out>, old: &mut ZipArchive<File>, wanted: impl Fn(&str) -> bool) -> Result<(), String> {
    for place in 0..old.len() {
        let member = old.by_index_raw(place).map_err(|error| error.to_string())?;
        if wanted(&String::from_utf8_lossy(member.name_raw())) {
            writer.raw_copy_file(member).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

/// Where an archive is written: one has to be able to go back in it.
enum Out {
    File(Beside),
    Memory(Cursor<Vec<u8>>),
}

/// A file that remembers what it could not take, and says so at its end: an archive that is given up is ended by its
/// writer, which would complain of it in words of its own.
struct Beside {
    file: BufWriter<File>,
    place: u64,
    lost: Option<io::Error>,
}

impl Beside {
    fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), place: 0, lost: None }
    }

    fn end(mut self) -> io::Result<()> {
        self.lost.map_or_else(|| self.file.flush(), Err)
    }
}

impl io::Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = if self.lost.is_none() { self.file.write(bytes) } else { Ok(bytes.len()) };
        let length = written.unwrap_or_else(|error| {
            self.lost = Some(error);
            bytes.len()
        });
        self.place += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for Beside {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let sought = if self.lost.is_none() { self.file.seek(to) } else { Ok(self.place) };
        self.place = sought.unwrap_or_else(|error| {
            self.lost = Some(error);
            self.place
        });
        Ok(self.place)
    }
}

impl io::Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Memory(memory) => memory.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Memory(_) => Ok(()),
        }
    }
}

impl io::Seek for Out {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Memory(memory) => memory.seek(to),
        }
    }
}

/// A time as an archive keeps it: from 1980 on, every second second.
fn date(seconds: u64) -> DateTime {
    #[expect(clippy::cast_precision_loss, reason = "a time that far off is no date")]
    let text = crate::calendar::format("%Y %m %d %H %M %S", seconds as f64);
    let parts: Vec<u16> = text.split(' ').filter_map(|part| part.parse().ok()).collect();
    let [year, rest @ ..] = &parts[..] else { return DateTime::default() };
    let rest: Vec<u8> = rest.iter().filter_map(|part| u8::try_from(*part).ok()).collect();
    let [month, day, hour, minute, second] = rest[..] else { return DateTime::default() };
    DateTime::from_date_and_time(*year, month, day, hour, minute, second).unwrap_or_default()
}
