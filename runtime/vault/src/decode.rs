//! Content codings, which servers use though none is asked for: what is encoded cannot be searched for secrets.
//!
//! gzip, deflate, br and zstd, up to two over each other, are undone piece by piece. What they may grow to is limited: a
//! kilobyte can hold gigabytes.

use brotli_decompressor::{BrotliDecoderParameter, DecompressorWriter};
use bytes::{Buf as _, Bytes};
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use handbox_hand::HttpError;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, TRANSFER_ENCODING};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, Write};

/// Codings over each other. Servers use one; a second is a proxy's.
const CODINGS_MAX: usize = 2;
/// How many times its encoded size a body may have. Logs reach 100; what is made to fill memory has 1000 and more.
const RATIO_MAX: u64 = 200;
/// What a body may have whatever its ratio: small ones may well repeat one byte.
const BYTES_FREE: u64 = 1024 * 1024;
/// Encoded bytes that are decoded in one go, so that what comes out is bounded too. Of one byte, deflate makes at most 1032.
const STEP_BYTES: usize = 1000;
/// What they may become, and what of a body is thus in memory at once: a guest may hold many that it does not read.
const STEP_DECODED_BYTES_MAX: usize = 1024 * 1024;
/// The most bytes of a block of zstd (RFC 8878, 3.1.1.2.3), encoded or decoded. Its header can say sixteen times as much.
const ZSTD_BLOCK_BYTES_MAX: usize = 128 * 1024;
/// What a zstd decoder must be able to look back at; RFC 9659 has servers use no more.
const ZSTD_WINDOW_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// What a brotli decoder must be able to look back at, as the power of two; the format has 24. Servers that encode while
/// they answer use 22 and less.
const BROTLI_WINDOW_BITS_MAX: u8 = 22;
/// Space in which brotli prepares its output.
const BROTLI_BUFFER_BYTES: usize = 4096;

/// How a body is encoded.
pub(crate) enum Coding {
    Plain,
    Known(Decoder),
    /// In a way that cannot be undone.
    Unknown,
}

impl Coding {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let of = |name| {
            let values = headers.get_all(name).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
            values.map(|coding| coding.trim_ascii().to_ascii_lowercase()).filter(|coding| !coding.is_empty())
        };
        // The HTTP library undoes this one; others are left, though nobody asked for them.
        if of(TRANSFER_ENCODING).any(|coding| coding != b"chunked" && coding != b"identity") {
            return Self::Unknown;
        }
        let stages: Option<Vec<Stage>> = of(CONTENT_ENCODING)
            .filter(|coding| coding != b"identity")
            .take(CODINGS_MAX + 1)
            .map(|coding| Stage::new(&coding))
            .collect();
        match stages {
            None => Self::Unknown,
            Some(stages) if stages.is_empty() => Self::Plain,
            Some(stages) if stages.len() > CODINGS_MAX => Self::Unknown,
            // The one that was put on last comes off first.
            Some(stages) => Self::Known(Decoder::new(stages.into_iter().rev().collect())),
        }
    }
}

/// Undoes the codings of one body.
pub(crate) struct Decoder {
    stages: Vec<Stage>,
    input: Bytes,
    read: u64,
}

impl Decoder {
    fn new(stages: Vec<Stage>) -> Self {
        Self { stages, input: Bytes::new(), read: 0 }
    }

    /// Whether it keeps much of what it decoded to look back at: megabytes, where others have some kilobytes.
    pub(crate) fn is_large(&self) -> bool {
        self.stages.iter().any(|stage| matches!(stage.kind, Kind::Brotli(_) | Kind::Zstd(_)))
    }

    /// Takes encoded bytes, when those before them were decoded.
    pub(crate) fn push(&mut self, piece: Bytes) {
        debug_assert!(self.input.is_empty(), "decode what is there first");
        self.input = piece;
    }

    /// Decoded bytes; `None` if there is nothing left to decode them from.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, HttpError> {
        if self.input.is_empty() {
            return Ok(None);
        }
        let step = self.input.len().min(STEP_BYTES);
        let piece = self.input.split_to(step);
        self.read += step as u64;
        let room = BYTES_FREE.saturating_add(self.read.saturating_mul(RATIO_MAX));
        let mut bytes = Vec::from(piece);
        for stage in &mut self.stages {
            bytes = stage.decode(&bytes, room)?;
        }
        Ok(Some(bytes.into()))
    }

    /// What comes out when all was pushed. A body that was never there, as of a HEAD request, is no broken one.
    pub(crate) fn finish(&mut self) -> Result<Bytes, HttpError> {
        let room = BYTES_FREE.saturating_add(self.read.saturating_mul(RATIO_MAX));
        let mut bytes = Vec::new();
        for stage in self.stages.iter_mut().filter(|_| self.read > 0) {
            let mut last = stage.decode(&bytes, room)?;
            last.extend(stage.finish(room)?);
            bytes = last;
        }
        Ok(bytes.into())
    }
}

/// Undoes one coding.
struct Stage {
    kind: Kind,
    given: u64,
}

enum Kind {
    Gzip(MultiGzDecoder<Sink>),
    /// Which of two formats a server means by it is seen in the first bytes.
    Deflate(Vec<u8>),
    Zlib(ZlibDecoder<Sink>),
    Raw(DeflateDecoder<Sink>),
    Brotli(Box<Brotli>),
    Zstd(Box<Zstd>),
}

impl Stage {
    fn new(coding: &[u8]) -> Option<Self> {
        let kind = match coding {
            b"gzip" | b"x-gzip" => Kind::Gzip(MultiGzDecoder::new(Sink::default())),
            b"deflate" => Kind::Deflate(Vec::new()),
            b"br" => Kind::Brotli(Box::new(Brotli { decoder: brotli(), has_begun: false })),
            b"zstd" => Kind::Zstd(Box::default()),
            _ => return None,
        };
        Some(Self { kind, given: 0 })
    }

    fn decode(&mut self, bytes: &[u8], room: u64) -> Result<Vec<u8>, HttpError> {
        if let Kind::Deflate(first) = &mut self.kind {
            first.extend_from_slice(bytes);
            let &[one, two, ..] = first.as_slice() else { return Ok(Vec::new()) };
            let first = std::mem::take(first);
            let is_zlib = one & 15 == 8 && u16::from_be_bytes([one, two]) % 31 == 0;
            self.kind = match is_zlib {
                true => Kind::Zlib(ZlibDecoder::new(Sink::default())),
                false => Kind::Raw(DeflateDecoder::new(Sink::default())),
            };
            return self.decode(&first, room);
        }
        self.run(room, |kind| match kind {
            Kind::Gzip(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Kind::Zlib(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Kind::Raw(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Kind::Brotli(brotli) => brotli.write(bytes),
            Kind::Zstd(decoder) => decoder.write(bytes),
            Kind::Deflate(_) => Ok(()),
        })
    }

    fn finish(&mut self, room: u64) -> Result<Vec<u8>, HttpError> {
        self.run(room, |kind| match kind {
            Kind::Gzip(decoder) => decoder.try_finish(),
            Kind::Zlib(decoder) => decoder.try_finish(),
            Kind::Raw(decoder) => decoder.try_finish(),
            Kind::Brotli(brotli) => brotli.decoder.close(),
            Kind::Zstd(decoder) => decoder.finish(),
            Kind::Deflate(_) => Err(io::ErrorKind::UnexpectedEof.into()),
        })
    }

    fn run(&mut self, room: u64, work: impl FnOnce(&mut Kind) -> io::Result<()>) -> Result<Vec<u8>, HttpError> {
        let left = usize::try_from(room.saturating_sub(self.given)).unwrap_or(usize::MAX);
        if let Some(sink) = self.sink() {
            sink.room = left.min(STEP_DECODED_BYTES_MAX);
        }
        let done = work(&mut self.kind);
        let (bytes, is_full) =
            self.sink().map_or_else(Default::default, |sink| (std::mem::take(&mut sink.bytes), sink.is_full));
        self.given += bytes.len() as u64;
        match done {
            _ if is_full => Err(unusable("the answer is compressed so much that it could fill the memory")),
            Err(_) => Err(unusable("the answer is compressed, and broken")),
            Ok(()) => Ok(bytes),
        }
    }

    fn sink(&mut self) -> Option<&mut Sink> {
        match &mut self.kind {
            Kind::Gzip(decoder) => Some(decoder.get_mut()),
            Kind::Zlib(decoder) => Some(decoder.get_mut()),
            Kind::Raw(decoder) => Some(decoder.get_mut()),
            Kind::Brotli(brotli) => Some(brotli.decoder.get_mut()),
            Kind::Zstd(decoder) => Some(&mut decoder.sink),
            Kind::Deflate(_) => None,
        }
    }
}

fn unusable(why: &str) -> HttpError {
    HttpError::Unusable(why.to_owned())
}

fn brotli() -> DecompressorWriter<Sink> {
    let mut decoder = DecompressorWriter::new(Sink::default(), BROTLI_BUFFER_BYTES);
    // An extension with windows of up to a gigabyte, which is no content coding.
    decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
    decoder
}

struct Brotli {
    decoder: DecompressorWriter<Sink>,
    has_begun: bool,
}

impl Brotli {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(first) = bytes.first().filter(|_| !self.has_begun) {
            self.has_begun = true;
            if window_bits(*first) > BROTLI_WINDOW_BITS_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
        }
        self.decoder.write_all(bytes)
    }
}

/// What a brotli stream that begins so must be able to look back at (RFC 7932, 9.1), as the power of two.
fn window_bits(first: u8) -> u8 {
    match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        // The value 1 begins the extension, which is refused as it is.
        (_, 0, more) => 8 + more,
        (_, bits, _) => 17 + bits,
    }
}

/// Takes what was decoded, up to a limit.
#[derive(Default)]
struct Sink {
    bytes: Vec<u8>,
    room: usize,
    is_full: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.room {
            self.is_full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Decodes zstd block by block. The library takes whatever is there at once, so here it is seen to that this is one block.
#[derive(Default)]
struct Zstd {
    input: Vec<u8>,
    frame: Option<Frame>,
    sink: Sink,
}

struct Frame {
    decoder: FrameDecoder,
    has_checksum: bool,
}

impl Zstd {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.extend_from_slice(bytes);
        let mut input = std::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        while self.step(&mut rest)? {}
        // Nothing is moved while a block is still coming.
        let read = input.len() - rest.len();
        input.drain(..read);
        self.input = input;
        Ok(())
    }

    /// Reads a frame's header or a block, if it is there.
    fn step(&mut self, rest: &mut &[u8]) -> io::Result<bool> {
        let Some(frame) = &mut self.frame else {
            let Some(length) = header_length(rest) else { return Ok(false) };
            let mut decoder = FrameDecoder::new();
            decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
            decoder.reset(&rest[..length]).map_err(io::Error::other)?;
            self.frame = Some(Frame { decoder, has_checksum: rest[4] & 4 != 0 });
            rest.advance(length);
            return Ok(true);
        };
        let &[low, middle, high, ..] = *rest else { return Ok(false) };
        let header = u32::from_le_bytes([low, middle, high, 0]);
        let (is_last, kind, size) = (header & 1 == 1, header >> 1 & 3, (header >> 3) as usize);
        if size > ZSTD_BLOCK_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let length = 3 + if kind == 1 { 1 } else { size } + if is_last && frame.has_checksum { 4 } else { 0 };
        let Some(block) = rest.get(..length) else { return Ok(false) };
        frame.decoder.decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1)).map_err(io::Error::other)?;
        rest.advance(length);
        frame.decoder.collect_to_writer(&mut self.sink)?;
        if is_last {
            let is_right = frame.decoder.get_checksum_from_data() == frame.decoder.get_calculated_checksum();
            if frame.has_checksum && !is_right {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.frame = None;
        }
        Ok(true)
    }

    fn finish(&self) -> io::Result<()> {
        let is_whole = self.frame.is_none() && self.input.is_empty();
        is_whole.then_some(()).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Bytes of a frame's header, if they are there.
fn header_length(text: &[u8]) -> Option<usize> {
    let descriptor = *text.get(4)?;
    let is_single = descriptor & 0x20 != 0;
    let window = usize::from(!is_single);
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = [usize::from(is_single), 2, 4, 8][usize::from(descriptor >> 6)];
    let length = 5 + window + dictionary + size;
    (text.len() >= length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn coding(name: &'static str) -> Coding {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, name.parse().unwrap());
        Coding::of(&headers)
    }

    fn decode(name: &'static str, body: &[u8], piece_bytes: usize) -> Result<usize, HttpError> {
        let Coding::Known(mut decoder) = coding(name) else { panic!("{name} is known") };
        let mut decoded = 0;
        for piece in body.chunks(piece_bytes) {
            decoder.push(Bytes::copy_from_slice(piece));
            while let Some(bytes) = decoder.next()? {
                decoded += bytes.len();
            }
        }
        Ok(decoded + decoder.finish()?.len())
    }

    #[test]
    fn what_is_decoded_in_one_go_is_bounded() {
        let mut dice = 1_u32;
        let mut roll = || {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice.to_be_bytes()[0]
        };
        // Enough that does not become smaller, so that the rest may grow as it wants.
        let text = [(0..100_000).map(|_| roll()).collect(), vec![0; 8 << 20]].concat();
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        writer.write_all(&text).unwrap();
        let Coding::Known(mut decoder) = coding("gzip") else { panic!("gzip is known") };
        decoder.push(writer.finish().unwrap().into());
        let mut pieces = Vec::new();
        while let Some(bytes) = decoder.next().unwrap() {
            pieces.push(bytes.len());
        }
        assert_eq!(pieces.iter().sum::<usize>(), text.len());
        assert!(pieces.iter().all(|bytes| *bytes <= 1 << 20), "{pieces:?}");
    }

    #[test]
    fn a_brotli_window_is_no_larger_than_is_kept_for_it() {
        for (bits, is_fine) in [(10, true), (16, true), (17, true), (18, true), (22, true), (23, false), (24, false)] {
            let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, bits);
            // Too much for the encoder to choose a smaller one.
            writer.write_all(&vec![7; 100 << 10]).unwrap();
            let text = writer.into_inner();
            assert_eq!(u32::from(window_bits(text[0])), bits);
            assert_eq!(decode("br", &text, 1).is_ok(), is_fine, "{bits}");
        }
    }

    #[test]
    fn a_block_of_zstd_is_no_larger_than_the_format_has_it() {
        for (bytes, is_fine) in [(128_u32 << 10, true), ((128 << 10) + 1, false), ((1 << 21) - 1, false)] {
            let Coding::Known(mut decoder) = coding("zstd") else { panic!("zstd is known") };
            let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
            // So many bytes as they are, of which the first is there; the last block.
            let block = (bytes << 3 | 1).to_le_bytes();
            decoder.push([&frame[..], &block[..3], b"x"].concat().into());
            assert_eq!(decoder.next().is_ok(), is_fine, "{bytes}");
        }
    }

    proptest! {
        /// The libraries must not panic, and what they give is bounded.
        #[test]
        fn what_was_damaged_is_an_error_or_some_bytes(
            coding in prop::sample::select(&["gzip", "deflate", "br", "zstd", "gzip, br"][..]),
            text in prop::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 0..3000),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
            piece_bytes in 1_usize..500,
        ) {
            let mut body = match coding {
                "zstd" => ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest),
                "br" => {
                    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 1, 22);
                    writer.write_all(&text).unwrap();
                    writer.into_inner()
                }
                "gzip" => {
                    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                    writer.write_all(&text).unwrap();
                    writer.finish().unwrap()
                }
                "deflate" => {
                    let mut writer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                    writer.write_all(&text).unwrap();
                    writer.finish().unwrap()
                }
                _ => text.clone(),
            };
            if coding != "gzip, br" {
                prop_assert_eq!(decode(coding, &body, piece_bytes), Ok(text.len()));
            }
            let length = body.len();
            for (at, byte) in damage.iter().filter(|_| length > 0) {
                body[at.index(length)] = *byte;
            }
            let _ = decode(coding, &body, piece_bytes);
        }
    }
}
