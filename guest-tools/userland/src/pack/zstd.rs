//! `zstd`, `unzstd` and `zstdcat`.

use super::stream::{Peeked, peek};
use super::{set_written_at, written_at};
use crate::options::{Given, Known, read};
use crate::report;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};

const KNOWN: Known = Known {
    letters: "0123456789cdfhko:qrtvT:VM:",
    names: &[
        ("stdout", 'c'),
        ("decompress", 'd'),
        ("uncompress", 'd'),
        ("force", 'f'),
        ("keep", 'k'),
        ("rm", 'R'),
        ("quiet", 'q'),
        ("test", 't'),
        ("verbose", 'v'),
        ("threads=", 'T'),
        ("ultra", 'u'),
        ("fast?", 'u'),
        ("long?", 'u'),
        ("check", 'u'),
        ("no-check", 'u'),
        ("no-progress", 'u'),
        ("version", 'V'),
    ],
    ends_at_operand: false,
};

/// Endings that stand for a packed file, and what each leaves.
const ENDINGS: [(&str, &str); 2] = [(".zst", ""), (".tzst", ".tar")];

/// Runs `zstd`; the first argument is its name.
pub(super) fn zstd(args: &[OsString]) -> u8 {
    execute(args, "")
}

/// Runs `unzstd`.
pub(super) fn unzstd(args: &[OsString]) -> u8 {
    execute(args, "d")
}

/// Runs `zstdcat`.
pub(super) fn zstdcat(args: &[OsString]) -> u8 {
    execute(args, "dcf")
}

fn execute(args: &[OsString], implied: &str) -> u8 {
    let mut given = match read(args, &KNOWN) {
        Ok(given) => given,
        Err(problem) => {
            report("zstd", &problem);
            return 1;
        }
    };
    if given.has('V') {
        return u8::from(!crate::help::version("zstd"));
    }
    given.options.extend(implied.chars().map(|letter| (letter, String::new())));
    if given.operands.is_empty() {
        given.operands.push("-".to_owned());
    }
    let mut status = 0;
    for path in &given.operands {
        if let Err(problem) = one(&given, path) {
            report("zstd", &problem);
            status = 1;
        }
    }
    status
}

fn one(given: &Given, path: &str) -> Result<(), String> {
    let named = |error: io::Error| format!("{path}: {}", crate::reason(&error));
    let to_stdout = given.has('c') || path == "-" && !given.has('o');
    if path == "-" {
        let stdin = io::stdin().lock();
        let mut to: Box<dyn Write> = match given.value('o') {
            Some(name) => Box::new(create(given, name)?),
            None => Box::new(crate::output::stdout()),
        };
        return convert(given, path, stdin, &mut to);
    }
    let metadata = fs::metadata(path);
    let metadata = metadata.map_err(|error| format!("can't stat {path} : {} -- ignored", crate::reason(&error)))?;
    if metadata.is_dir() {
        return Err(format!("{path} is a directory -- ignored"));
    }
    let from = BufReader::with_capacity(64 << 10, File::open(path).map_err(named)?);
    if given.has('t') {
        return convert(given, path, from, &mut io::sink());
    }
    if to_stdout {
        return convert(given, path, from, &mut crate::output::stdout());
    }
    let name = match given.value('o') {
        Some(name) => name.to_owned(),
        None if given.has('d') => {
            let stem =
                ENDINGS.iter().find_map(|(end, left)| path.strip_suffix(end).map(|stem| format!("{stem}{left}")));
            let said = "unknown suffix (.zst/.tzst expected). Can't derive the output file name. Specify it with -o dstFileName. Ignoring.";
            stem.ok_or_else(|| format!("{path}: {said}"))?
        }
        None => format!("{path}.zst"),
    };
    let mut to = create(given, &name)?;
    if let Err(problem) = convert(given, path, from, &mut to) {
        drop(to);
        let _ = fs::remove_file(&name);
        return Err(problem);
    }
    set_written_at(&to, written_at(&metadata));
    if given.has('R') {
        fs::remove_file(path).map_err(named)?;
    }
    Ok(())
}

fn create(given: &Given, name: &str) -> Result<File, String> {
    if fs::symlink_metadata(name).is_ok() && !given.has('f') {
        return Err(format!("{name} already exists; not overwritten"));
    }
    File::create(name).map_err(|error| format!("{name}: {}", crate::reason(&error)))
}

fn convert(given: &Given, path: &str, mut from: impl BufRead, to: &mut impl Write) -> Result<(), String> {
    if given.has('d') || given.has('t') {
        return unpack(&mut from, to, given.has('f') && given.has('c')).map_err(|reason| format!("{path}: {reason}"));
    }
    let mut pack = Pack::new(to);
    let packed = io::copy(&mut from, &mut pack).and_then(|_| pack.finish());
    packed.map_err(|error| format!("{path}: {}", crate::reason(&error)))
}

/// Unpacks frames, one behind the other; what is none is passed on if that is wanted.
fn unpack(from: &mut impl BufRead, to: &mut impl Write, pass_on: bool) -> Result<(), String> {
    let (start, mut from) = peek(from, 4).map_err(|error| crate::reason(&error))?;
    let copied = if is_frame(&start) {
        io::copy(&mut Frames::new(from), to)
    } else if pass_on {
        io::copy(&mut from, to)
    } else {
        return Err("unsupported format".to_owned());
    };
    copied.and_then(|_| to.flush()).map_err(|error| crate::reason(&error))
}

fn is_frame(start: &[u8]) -> bool {
    start == [0x28, 0xb5, 0x2f, 0xfd] || is_skipped(start)
}

/// Whether a frame begins that only says how long it is.
fn is_skipped(start: &[u8]) -> bool {
    matches!(start, [kind, 0x2a, 0x4d, 0x18] if kind & 0xf0 == 0x50)
}

/// What zstd packed: any number of frames, one behind the other.
pub(super) struct Frames<R: BufRead> {
    state: State<R>,
}

enum State<R: BufRead> {
    Between(R),
    Within(Box<StreamingDecoder<Peeked<R>, FrameDecoder>>),
    Ended,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(from: R) -> Self {
        Self { state: State::Between(from) }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Ok(0),
                State::Within(mut decoder) => {
                    let read = decoder.read(buffer)?;
                    if read > 0 || buffer.is_empty() {
                        self.state = State::Within(decoder);
                        return Ok(read);
                    }
                    // What was looked at belonged to the frame, so only the rest is left.
                    self.state = State::Between(decoder.into_inner().into_inner().1);
                }
                State::Between(from) => self.state = next(from)?,
            }
        }
    }
}

/// Goes to the next frame with something in it.
fn next<R: BufRead>(from: R) -> io::Result<State<R>> {
    let (start, stream) = peek(from, 4)?;
    if start.is_empty() {
        return Ok(State::Ended);
    }
    if is_skipped(&start) {
        let mut from = stream.into_inner().1;
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        io::copy(&mut from.by_ref().take(length), &mut io::sink())?;
        return Ok(State::Between(from));
    }
    let decoder = StreamingDecoder::new(stream).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(State::Within(Box::new(decoder)))
}

/// Packs what is written to it, all at once when it is finished: the crate cannot say that writing failed.
pub(super) struct Pack<W> {
    to: W,
    plain: Vec<u8>,
}

impl<W: Write> Pack<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, plain: Vec::new() }
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.to.write_all(&compress_to_vec(&self.plain[..], CompressionLevel::Fastest))?;
        self.to.flush()
    }
}

impl<W: Write> Write for Pack<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.plain.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
