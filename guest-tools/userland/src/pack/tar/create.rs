//! Makes archives.

use super::header::{BLOCK_BYTES, write};
use super::wanted::Excluded;
use super::{Outcome, Stop, absolute, folder, operands};
use crate::about::About;
use crate::mode::{self, Mode};
use crate::options::Given;
use crate::pack::stream::{self, Format};
use crate::pack::zstd::Pack;
use crate::report;
use flate2::write::GzEncoder;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use tar::{EntryType, Header};

/// An archive is a whole number of these, unless `-b` says otherwise.
const RECORD_BLOCKS: u64 = 20;
/// The one user there is; `id` says the same.
const USER: (&str, u64) = ("agent", 1000);

/// Makes an archive; with `-r` and `-u`, goes on with one.
pub(super) fn create(given: &Given) -> Result<Outcome, Stop> {
    let operands = operands(given)?;
    if operands.is_empty() && !given.has('T') {
        let text = "Cowardly refusing to create an empty archive";
        return Err(format!("{text}\nTry 'tar --help' or 'tar --usage' for more information."));
    }
    let archive = given.value('f').unwrap_or("-");
    let by_name = if given.has('a') { stream::by_suffix(archive) } else { Format::Plain };
    let format = match super::format(given)?.unwrap_or(by_name) {
        Format::Missing(program) => return Err(super::missing(program)),
        format => format,
    };
    let owner = |letter| parse_owner(given.value(letter), given.has('7'));
    let adds = given.has('r') || given.has('u');
    if adds && format != Format::Plain {
        return Err("Cannot update compressed archives".to_owned());
    }
    let mode =
        given.value('M').map(|text| mode::parse(text).ok_or_else(|| format!("Invalid mode given on option: {text}")));
    // Looked at first: a wrong folder must not cost the archive that is there.
    let folders: Vec<PathBuf> = (0..operands.len()).map(|place| folder(given, place)).collect::<Result<_, _>>()?;
    let (to, start, packed) = target(archive, adds)?;
    let settings = Settings {
        packed: if given.has('u') { packed } else { HashMap::new() },
        mode: mode.transpose()?,
        excluded: Excluded::new(given)?,
        user: owner('8'),
        group: owner('9'),
        time: given.value('+').map(parse_time).transpose()?,
        own: (archive != "-").then(|| absolute(Path::new(archive))),
        verbose: given.options.iter().filter(|(letter, _)| *letter == 'v').count(),
        to_stdout: archive == "-",
        follow: given.has('h'),
        recurse: !given.has('6'),
        keep_absolute: given.has('P'),
    };
    let stop = |error: io::Error| {
        format!("{archive}: Cannot write: {}\nError is not recoverable: exiting now", crate::reason(&error))
    };
    let blocks = given.value('b').and_then(|blocks| blocks.parse().ok()).unwrap_or(RECORD_BLOCKS);
    let to = BufWriter::with_capacity(64 << 10, to);
    match format {
        Format::Gzip => {
            let encoder = GzEncoder::new(to, flate2::Compression::default());
            let (mut encoder, outcome) = fill(encoder, settings, (&operands, &folders), blocks, start).map_err(stop)?;
            encoder.try_finish().and_then(|()| encoder.get_mut().flush()).map_err(stop)?;
            Ok(outcome)
        }
        Format::Zstd => {
            let (pack, outcome) = fill(Pack::new(to), settings, (&operands, &folders), blocks, start).map_err(stop)?;
            pack.finish().map_err(stop)?;
            Ok(outcome)
        }
        _ => {
            let (mut to, outcome) = fill(to, settings, (&operands, &folders), blocks, start).map_err(stop)?;
            to.flush().map_err(stop)?;
            Ok(outcome)
        }
    }
}

/// Where an archive is written, how many bytes of it there are already, and when its members were written.
type Target = (Box<dyn Write>, u64, HashMap<String, u64>);

fn target(archive: &str, adds: bool) -> Result<Target, Stop> {
    let stop = |error: io::Error| {
        format!("{archive}: Cannot open: {}\nError is not recoverable: exiting now", crate::reason(&error))
    };
    if archive == "-" {
        return Ok((Box::new(crate::output::stdout()), 0, HashMap::new()));
    }
    if !adds {
        return Ok((Box::new(File::create(archive).map_err(stop)?), 0, HashMap::new()));
    }
    let open = fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(archive);
    let mut file = open.map_err(stop)?;
    let mut packed = HashMap::new();
    let mut end = 0;
    let mut known = tar::Archive::new(&file);
    for entry in known.entries().map_err(stop)? {
        let entry = entry.map_err(|error| match error.kind() {
            _ if end == 0 => {
                "This does not look like a tar archive\nExiting with failure status due to previous errors".to_owned()
            }
            _ => stop(error),
        })?;
        end = entry.raw_file_position() + entry.header().entry_size().unwrap_or(0).next_multiple_of(BLOCK_BYTES);
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        packed.insert(name, entry.header().mtime().unwrap_or(0));
    }
    file.seek(SeekFrom::Start(end)).and_then(|_| file.set_len(end)).map_err(stop)?;
    Ok((Box::new(file), end, packed))
}

fn fill<W: Write>(
    to: W,
    settings: Settings,
    (operands, folders): (&[String], &[PathBuf]),
    blocks: u64,
    start: u64,
) -> io::Result<(W, Outcome)> {
    let (outcome, width) = (Outcome::Done, super::header::Width(19));
    let mut run = Run { to, written: start, settings, outcome, told: None, linked: HashMap::new(), width };
    for (operand, folder) in operands.iter().zip(folders) {
        run.operand(folder, operand)?;
    }
    run.end(blocks)?;
    Ok((run.to, run.outcome))
}

/// What `--owner` says: a name, a number, or both with a colon between them.
fn parse_owner(value: Option<&str>, numeric: bool) -> (String, u64) {
    let (name, id) = match value {
        None => (USER.0.to_owned(), USER.1),
        Some(value) => match (value.split_once(':'), value.parse()) {
            (Some((name, id)), _) => (name.to_owned(), id.parse().unwrap_or(USER.1)),
            (None, Ok(id)) => (if id == 0 { "root" } else { "" }.to_owned(), id),
            (None, Err(_)) => (value.to_owned(), if value == "root" { 0 } else { USER.1 }),
        },
    };
    (if numeric { String::new() } else { name }, id)
}

/// A time: seconds as `@10`, a day as `2026-01-02`, with or without an hour, or that of a file.
fn parse_time(text: &str) -> Result<u64, Stop> {
    if let Some(seconds) = text.strip_prefix('@').and_then(|seconds| seconds.parse().ok()) {
        return Ok(seconds);
    }
    if text.starts_with(['.', '/'])
        && let Ok(about) = About::of(text)
    {
        return Ok(written_at(&about));
    }
    crate::calendar::parse(text).ok_or_else(|| format!("Invalid time stamp: {text}"))
}

fn written_at(about: &About) -> u64 {
    u64::try_from(about.modified.seconds).unwrap_or(0)
}

#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
struct Settings {
    /// When the members that are there were written, if only newer ones are added.
    packed: HashMap<String, u64>,
    mode: Option<Mode>,
    excluded: Excluded,
    user: (String, u64),
    group: (String, u64),
    time: Option<u64>,
    /// The archive itself, which is not packed into itself.
    own: Option<PathBuf>,
    verbose: usize,
    to_stdout: bool,
    follow: bool,
    recurse: bool,
    keep_absolute: bool,
}

struct Run<W> {
    to: W,
    written: u64,
    settings: Settings,
    outcome: Outcome,
    /// The beginning of names that it was said is taken away.
    told: Option<String>,
    /// Files with several names, and the one that they were packed under.
    linked: HashMap<(u64, u64), String>,
    width: super::header::Width,
}

impl<W: Write> Run<W> {
    fn fail(&mut self, text: &str) {
        report("tar", text);
        self.outcome = Outcome::Failed;
    }

    fn operand(&mut self, folder: &Path, operand: &str) -> io::Result<()> {
        let trimmed = operand.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        let name = self.member(path);
        self.add(&folder.join(path), &name, 0)
    }

    /// The name of a member for a path: without a slash at its start, or what leads upwards.
    fn member(&mut self, path: &str) -> String {
        if self.settings.keep_absolute {
            return path.to_owned();
        }
        let upward = path.rfind("../").map_or(0, |at| at + 3);
        let upward = if path == ".." || path.ends_with("/..") { path.len() } else { upward };
        let cut = upward + path[upward..].len() - path[upward..].trim_start_matches('/').len();
        let (gone, name) = path.split_at(cut);
        if !gone.is_empty() && self.told.as_deref() != Some(gone) {
            report("tar", &format!("Removing leading `{gone}' from member names"));
            self.told = Some(gone.to_owned());
        }
        if name.is_empty() { ".".to_owned() } else { name.to_owned() }
    }

    fn add(&mut self, path: &Path, name: &str, depth: usize) -> io::Result<()> {
        if self.settings.excluded.has(name) {
            return Ok(());
        }
        let shown = path.to_string_lossy();
        let about = match if self.settings.follow { About::of(&shown) } else { About::of_link(&shown) } {
            Ok(about) => about,
            Err(error) => {
                self.fail(&format!("{shown}: Cannot stat: {}", crate::reason(&error)));
                return Ok(());
            }
        };
        if self.settings.own.as_ref().is_some_and(|own| about.is_file() && *own == absolute(path)) {
            report("tar", &format!("{shown}: file is the archive; not dumped"));
            return Ok(());
        }
        if !about.is_folder() && self.settings.packed.get(name).is_some_and(|packed| written_at(&about) <= *packed) {
            return Ok(());
        }
        if about.is_folder() {
            self.folder(path, name, &about, depth)
        } else if about.is_link() {
            match fs::read_link(path) {
                Ok(target) => {
                    let target = target.to_string_lossy().into_owned();
                    self.header(name, &target, self.described(EntryType::Symlink, 0, &about))
                }
                Err(error) => {
                    self.fail(&format!("{shown}: Cannot read link: {}", crate::reason(&error)));
                    Ok(())
                }
            }
        } else if about.is_file() {
            self.file(path, name, &about)
        } else {
            report("tar", &format!("{}: file is not a regular one; not dumped", path.display()));
            Ok(())
        }
    }

    fn folder(&mut self, path: &Path, name: &str, about: &About, depth: usize) -> io::Result<()> {
        self.header(&format!("{name}/"), "", self.described(EntryType::Directory, 0, about))?;
        if !self.settings.recurse {
            return Ok(());
        }
        let (names, fault) = crate::listing::names(path);
        if let Some(error) = fault {
            self.fail(&format!("{}: Cannot open: {}", path.display(), crate::reason(&error)));
        }
        for inner in names {
            self.add(&path.join(&inner), &format!("{name}/{inner}"), depth + 1)?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, name: &str, about: &About) -> io::Result<()> {
        let identity = (about.device, about.inode);
        if about.links > 1 && !self.settings.follow {
            if let Some(first) = self.linked.get(&identity).cloned() {
                return self.header(name, &first, self.described(EntryType::Link, 0, about));
            }
            self.linked.insert(identity, name.to_owned());
        }
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => {
                self.fail(&format!("{}: Cannot open: {}", path.display(), crate::reason(&error)));
                return Ok(());
            }
        };
        let size = about.size;
        self.header(name, "", self.described(EntryType::Regular, size, about))?;
        let copied = io::copy(&mut file.take(size), &mut self.to)?;
        if copied < size {
            self.fail(&format!("{}: File shrank by {} bytes; padding with zeros", path.display(), size - copied));
        }
        self.zeros(size.next_multiple_of(BLOCK_BYTES) - copied)?;
        self.written += size.next_multiple_of(BLOCK_BYTES);
        Ok(())
    }

    fn described(&self, kind: EntryType, size: u64, about: &About) -> Header {
        let settings = &self.settings;
        let mode = settings.mode.as_ref().filter(|_| !about.is_link());
        let mode = mode.map_or(about.mode, |mode| mode.apply(about.mode, about.is_folder(), 0));
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(size);
        header.set_mtime(settings.time.unwrap_or_else(|| written_at(about)));
        header.set_uid(settings.user.1);
        header.set_gid(settings.group.1);
        // A name that does not fit is left out, as the number says enough.
        let _ = header.set_username(&settings.user.0);
        let _ = header.set_groupname(&settings.group.0);
        header
    }

    fn header(&mut self, name: &str, link: &str, header: Header) -> io::Result<()> {
        if self.settings.verbose > 0 {
            let size = header.size().unwrap_or(0);
            let line = match self.settings.verbose {
                1 => format!("{name}\n"),
                _ => super::header::shown(&header, size, name, link, false, &mut self.width),
            };
            if self.settings.to_stdout {
                eprint!("{line}");
            } else {
                crate::print(line.as_bytes());
            }
        }
        let mut counted = Vec::new();
        write(&mut counted, header, name, link)?;
        self.written += counted.len() as u64;
        self.to.write_all(&counted)
    }

    fn zeros(&mut self, count: u64) -> io::Result<()> {
        io::copy(&mut io::repeat(0).take(count), &mut self.to).map(|_| ())
    }

    fn end(&mut self, blocks: u64) -> io::Result<()> {
        let end = (self.written + 2 * BLOCK_BYTES).next_multiple_of(blocks.max(1) * BLOCK_BYTES);
        self.zeros(end - self.written)
    }
}
