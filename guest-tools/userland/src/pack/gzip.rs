//! `gzip`, `gunzip` and `zcat`.

use super::stream::{Gunzip, peek};
use super::{set_written_at, written_at};
use crate::about::{About, set_mode};
use crate::options::{Given, Known, read};
use crate::report;
use flate2::{Compression, GzBuilder};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

const KNOWN: Known = Known {
    letters: "123456789cdfhklnNqrS:tvV",
    names: &[
        ("stdout", 'c'),
        ("to-stdout", 'c'),
        ("decompress", 'd'),
        ("uncompress", 'd'),
        ("force", 'f'),
        ("keep", 'k'),
        ("list", 'l'),
        ("no-name", 'n'),
        ("name", 'N'),
        ("quiet", 'q'),
        ("recursive", 'r'),
        ("suffix=", 'S'),
        ("test", 't'),
        ("verbose", 'v'),
        ("fast", '1'),
        ("best", '9'),
        ("rsyncable", 'R'),
        ("version", 'V'),
    ],
    ends_at_operand: false,
};

/// Endings that stand for a gzipped file, and what each leaves.
const ENDINGS: [(&str, &str); 6] =
    [(".gz", ""), (".tgz", ".tar"), (".taz", ".tar"), ("-gz", ""), (".z", ""), ("-z", "")];

/// The length of what a member has besides its name and its data.
const FRAME_BYTES: u64 = 18;

/// Runs `gzip`; the first argument is its name.
pub(super) fn gzip(args: &[OsString]) -> u8 {
    execute(args, "")
}

/// Runs `gunzip`.
pub(super) fn gunzip(args: &[OsString]) -> u8 {
    execute(args, "d")
}

/// Runs `zcat`.
pub(super) fn zcat(args: &[OsString]) -> u8 {
    execute(args, "dc")
}

fn execute(args: &[OsString], implied: &str) -> u8 {
    let mut given = match read(args, &KNOWN) {
        Ok(given) => given,
        Err(problem) => {
            report("gzip", &problem);
            return 1;
        }
    };
    if given.has('V') {
        return u8::from(!crate::help::version("gzip"));
    }
    given.options.extend(implied.chars().map(|letter| (letter, String::new())));
    let level = given.options.iter().rev().find_map(|(letter, _)| letter.to_digit(10)).unwrap_or(6);
    let (unpacks, list) = (given.has('d') || given.has('t') || given.has('l'), given.has('l'));
    let suffix = given.value('S').unwrap_or(".gz").to_owned();
    let mut run = Run { given: &given, unpacks, list, level, suffix, status: 0, listed: Listed::default() };
    if given.operands.is_empty() {
        run.stdin();
    }
    for path in &given.operands {
        if path == "-" { run.stdin() } else { run.path(path) }
    }
    run.totals();
    run.status
}

/// What went into a stream and what came out.
#[derive(Clone, Copy, Default)]
struct Sizes {
    packed: u64,
    plain: u64,
    header: u64,
}

impl Sizes {
    /// How much was saved, in percent.
    #[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
    fn ratio(self) -> f64 {
        if self.plain == 0 {
            return 0.0;
        }
        100.0 * (self.plain as f64 - (self.packed as f64 - self.header as f64)) / self.plain as f64
    }
}

#[derive(Default)]
struct Listed {
    files: usize,
    sum: Sizes,
}

struct Run<'a> {
    given: &'a Given,
    unpacks: bool,
    list: bool,
    level: u32,
    suffix: String,
    status: u8,
    listed: Listed,
}

impl Run<'_> {
    fn fail(&mut self, text: &str) {
        report("gzip", text);
        self.status = 1;
    }

    /// Says what keeps one file from being done, which is no failure.
    fn warn(&mut self, text: &str) {
        if !self.given.has('q') {
            report("gzip", text);
        }
        if self.status == 0 {
            self.status = 2;
        }
    }

    fn stdin(&mut self) {
        let stdin = io::stdin().lock();
        if self.list {
            self.listing("stdout", stdin, None);
        } else if self.given.has('t') {
            let _ = self.unpack("stdin", stdin, &mut io::sink());
        } else if self.unpacks {
            let _ = self.unpack("stdin", stdin, &mut crate::output::stdout());
        } else if let Err(reason) = pack(stdin, &mut crate::output::stdout(), GzBuilder::new(), self.level) {
            self.fail(&format!("stdin: {reason}"));
        }
    }

    fn path(&mut self, path: &str) {
        let looked_up = if self.given.has('f') || self.to_stdout() { fs::metadata } else { fs::symlink_metadata };
        let metadata = looked_up(Path::new(path));
        match metadata {
            Ok(metadata) if metadata.is_dir() => {
                if self.given.has('r') {
                    self.folder(path);
                } else {
                    self.warn(&format!("{path} is a directory -- ignored"));
                }
            }
            Ok(metadata) if metadata.is_symlink() => self.fail(&format!("{path}: Too many levels of symbolic links")),
            Ok(metadata) => self.file(path, &metadata),
            Err(error) => {
                let with = format!("{path}{}", self.suffix);
                match fs::metadata(&with) {
                    Ok(metadata) if self.unpacks && self.stem(path).is_none() => self.file(&with, &metadata),
                    _ => {
                        let shown = if self.unpacks && self.stem(path).is_none() { &with } else { path };
                        self.fail(&format!("{shown}: {}", crate::reason(&error)));
                    }
                }
            }
        }
    }

    fn folder(&mut self, path: &str) {
        let (names, fault) = crate::listing::names(path);
        if let Some(error) = fault {
            self.fail(&format!("{path}: {}", crate::reason(&error)));
        }
        for name in names {
            let inner = format!("{}/{name}", path.trim_end_matches('/'));
            // What has no fitting name is passed over in silence here.
            if !self.unpacks || self.stem(&inner).is_some() || Path::new(&inner).is_dir() {
                self.path(&inner);
            }
        }
    }

    fn to_stdout(&self) -> bool {
        self.given.has('c') || self.given.has('t') || self.list
    }

    /// A name without its ending.
    fn stem(&self, path: &str) -> Option<String> {
        let own = path.strip_suffix(&self.suffix).map(str::to_owned);
        let known = ENDINGS.iter().find_map(|(end, left)| path.strip_suffix(end).map(|stem| format!("{stem}{left}")));
        own.or(known).filter(|stem| !stem.is_empty() && !stem.ends_with('/'))
    }

    fn file(&mut self, path: &str, metadata: &fs::Metadata) {
        let name = if self.unpacks { self.stem(path) } else { Some(format!("{path}{}", self.suffix)) };
        if !self.unpacks && self.stem(path).is_some() && !self.given.has('f') && !self.to_stdout() {
            // That it is packed already counts as done.
            if !self.given.has('q') {
                report("gzip", &format!("{path} already has {} suffix -- unchanged", self.ending(path)));
            }
            return;
        }
        let from = match File::open(path) {
            Ok(file) => BufReader::with_capacity(64 << 10, file),
            Err(error) => return self.fail(&format!("{path}: {}", crate::reason(&error))),
        };
        if self.list {
            let name = name.unwrap_or_else(|| path.to_owned());
            return self.listing(&name, from, Some(metadata.len()));
        }
        if self.given.has('t') {
            if self.unpack(path, from, &mut io::sink()).is_some() && self.given.has('v') {
                eprintln!("{path}:\t OK");
            }
            return;
        }
        if self.given.has('c') {
            let sizes = self.convert(path, from, &mut crate::output::stdout(), metadata);
            return self.tell(path, sizes, "");
        }
        let Some(name) = name else {
            return self.warn(&format!("{path}: unknown suffix -- ignored"));
        };
        if fs::symlink_metadata(&name).is_ok() {
            if !self.given.has('f') {
                return self.warn(&format!("{name} already exists;\tnot overwritten"));
            }
            let _ = fs::remove_file(&name);
        }
        self.replace(path, from, &name, metadata);
    }

    fn ending(&self, path: &str) -> String {
        let known = ENDINGS.iter().map(|(end, _)| *end).find(|end| path.ends_with(end));
        known.unwrap_or(&self.suffix).to_owned()
    }

    fn replace(&mut self, path: &str, from: impl io::BufRead, name: &str, metadata: &fs::Metadata) {
        let mut to = match File::create_new(name) {
            Ok(file) => file,
            Err(error) => return self.fail(&format!("{name}: {}", crate::reason(&error))),
        };
        let Some(sizes) = self.convert(path, from, &mut to, metadata) else {
            drop(to);
            let _ = fs::remove_file(name);
            return;
        };
        set_written_at(&to, written_at(metadata));
        if let Ok(about) = About::of_link(path) {
            // It is there, and has the usual bits.
            let _ = set_mode(name, about.mode & 0o777);
        }
        let keep = self.given.has('k');
        if !keep && let Err(error) = fs::remove_file(path) {
            return self.fail(&format!("{path}: {}", crate::reason(&error)));
        }
        let done = if keep { "created" } else { "replaced with" };
        self.tell(path, Some(sizes), &format!(" -- {done} {name}"));
    }

    fn tell(&self, path: &str, sizes: Option<Sizes>, done: &str) {
        if let (true, Some(sizes)) = (self.given.has('v'), sizes) {
            eprintln!("{path}:\t{:5.1}%{done}", sizes.ratio());
        }
    }

    fn convert(
        &mut self,
        path: &str,
        from: impl io::BufRead,
        to: &mut impl Write,
        metadata: &fs::Metadata,
    ) -> Option<Sizes> {
        if self.unpacks {
            let (plain, header) = self.unpack(path, from, to)?;
            return Some(Sizes { packed: metadata.len(), plain, header });
        }
        let mut builder = GzBuilder::new().operating_system(3);
        let mut header = FRAME_BYTES;
        if !self.given.has('n') {
            let name = path.rsplit('/').next().unwrap_or(path);
            header += name.len() as u64 + 1;
            builder = builder.mtime(u32::try_from(written_at(metadata)).unwrap_or(0)).filename(name);
        }
        match pack(from, to, builder, self.level) {
            Ok(packed) => Some(Sizes { packed, plain: metadata.len(), header }),
            Err(reason) => {
                self.fail(&format!("{path}: {reason}"));
                None
            }
        }
    }

    /// Unpacks a stream: how much it was, and the length of its header. None, and said, if it is no good.
    fn unpack(&mut self, name: &str, from: impl io::BufRead, to: &mut impl Write) -> Option<(u64, u64)> {
        let shown = |error: &io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => "unexpected end of file".to_owned(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                "invalid compressed data--format violated".to_owned()
            }
            _ => crate::reason(error),
        };
        let (start, mut from) = match peek(from, 2) {
            Ok(peeked) => peeked,
            Err(error) => {
                self.fail(&format!("{name}: {}", crate::reason(&error)));
                return None;
            }
        };
        if start != b"\x1f\x8b" {
            if self.given.has('f') && self.given.has('c') {
                return io::copy(&mut from, to).ok().map(|copied| (copied, 0));
            }
            let reason = if start.len() < 2 { "unexpected end of file" } else { "not in gzip format" };
            self.fail(&format!("{name}: {reason}"));
            return None;
        }
        let mut gunzip = Gunzip::new(from);
        let mut first = [0; 8 << 10];
        let copied = gunzip.read(&mut first).and_then(|read| {
            let header = FRAME_BYTES + named(gunzip.header());
            to.write_all(&first[..read])?;
            let rest = io::copy(&mut gunzip, to)?;
            to.flush()?;
            Ok((read as u64 + rest, header))
        });
        if gunzip.garbage() {
            self.warn(&format!("{name}: decompression OK, trailing garbage ignored"));
        }
        copied.map_err(|error| self.fail(&format!("{name}: {}", shown(&error)))).ok()
    }

    fn listing(&mut self, name: &str, from: impl io::BufRead, packed: Option<u64>) {
        let mut counted = Counted { from, read: 0 };
        let Some((plain, header)) = self.unpack(name, BufReader::new(&mut counted), &mut io::sink()) else { return };
        let sizes = Sizes { packed: packed.unwrap_or(counted.read), plain, header };
        if self.listed.files == 0 && !self.given.has('q') {
            crate::print(b"         compressed        uncompressed  ratio uncompressed_name\n");
        }
        self.listed.files += 1;
        self.listed.sum.packed += sizes.packed;
        self.listed.sum.plain += sizes.plain;
        self.listed.sum.header = sizes.header;
        line(sizes, name);
    }

    fn totals(&self) {
        if self.listed.files > 1 {
            line(self.listed.sum, "(totals)");
        }
    }
}

fn line(sizes: Sizes, name: &str) {
    crate::print(format!("{:>19} {:>19} {:5.1}% {name}\n", sizes.packed, sizes.plain, sizes.ratio()).as_bytes());
}

/// How long the name in a header is, with its end.
fn named(header: Option<&flate2::GzHeader>) -> u64 {
    header.and_then(flate2::GzHeader::filename).map_or(0, |name| name.len() as u64 + 1)
}

/// Packs a stream: how much it became.
fn pack(mut from: impl Read, to: &mut impl Write, builder: GzBuilder, level: u32) -> Result<u64, String> {
    let counted = CountedTo { to, written: 0 };
    let mut encoder = builder.write(counted, Compression::new(level));
    let packed = io::copy(&mut from, &mut encoder).and_then(|_| encoder.finish()).and_then(|mut counted| {
        counted.flush()?;
        Ok(counted.written)
    });
    packed.map_err(|error| crate::reason(&error))
}

/// Counts what is read.
struct Counted<R> {
    from: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// Counts what is written.
struct CountedTo<'a, W> {
    to: &'a mut W,
    written: u64,
}

impl<W: Write> Write for CountedTo<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
