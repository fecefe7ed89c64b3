//! Streams that are compressed.

use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, Cursor, Read};

/// How a stream is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    Gzip,
    Zstd,
    /// One that cannot be had here, by the name of its program.
    Missing(&'static str),
}

/// Says by the name of a file how it is to be packed.
pub(super) fn by_suffix(path: &str) -> Format {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| path.ends_with(suffix));
    if ends(&[".gz", ".tgz", ".taz"]) {
        Format::Gzip
    } else if ends(&[".zst", ".tzst"]) {
        Format::Zstd
    } else if ends(&[".bz2", ".tbz", ".tbz2", ".tz2"]) {
        Format::Missing("bzip2")
    } else if ends(&[".xz", ".txz", ".lzma", ".tlz"]) {
        Format::Missing("xz")
    } else {
        Format::Plain
    }
}

/// Says by its first bytes how a stream is packed.
pub(super) fn by_start(start: &[u8]) -> Format {
    if start.starts_with(b"\x1f\x8b") {
        Format::Gzip
    } else if start.starts_with(b"\x28\xb5\x2f\xfd") {
        Format::Zstd
    } else if start.starts_with(b"BZh") {
        Format::Missing("bzip2")
    } else if start.starts_with(b"\xfd7zXZ") {
        Format::Missing("xz")
    } else {
        Format::Plain
    }
}

/// A stream whose first bytes were looked at.
pub(super) type Peeked<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// The first bytes of a stream, up to so many, and the whole stream.
pub(super) fn peek<R: BufRead>(mut from: R, most: u64) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut start = Vec::new();
    from.by_ref().take(most).read_to_end(&mut start)?;
    Ok((start.clone(), Cursor::new(start).chain(from)))
}

/// What gzip packed: any number of members, one behind the other.
pub(super) struct Gunzip<R> {
    member: Option<GzDecoder<R>>,
    garbage: bool,
}

impl<R: BufRead> Gunzip<R> {
    pub(super) fn new(from: R) -> Self {
        Self { member: Some(GzDecoder::new(from)), garbage: false }
    }

    /// Whether something else stood behind the last member.
    pub(super) fn garbage(&self) -> bool {
        self.garbage
    }

    /// The header of the member that is being read.
    pub(super) fn header(&self) -> Option<&flate2::GzHeader> {
        self.member.as_ref().and_then(GzDecoder::header)
    }

    /// Whether another member begins here. Zeros are only there to fill a tape.
    fn goes_on(&mut self, rest: &mut R) -> io::Result<bool> {
        let mut filled = false;
        loop {
            let bytes = rest.fill_buf()?;
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            match bytes.get(zeros) {
                _ if bytes.is_empty() => return Ok(false),
                Some(0x1f) if !filled && zeros == 0 => return Ok(true),
                Some(_) => {
                    self.garbage = true;
                    return Ok(false);
                }
                None => {}
            }
            filled = true;
            rest.consume(zeros);
        }
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let read = member.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(ended) = self.member.take() else { break };
            let mut rest = ended.into_inner();
            if self.goes_on(&mut rest)? {
                self.member = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}
