//! `read`.

use crate::kind::{self, Kind};
use crate::{Read, TEXT_BYTES_MAX};
use handbox_guest_support::{OUTPUT_CHARS_MAX, Place, Room, Workspace, fault, thousands};
use handbox_tool::{Fault, Output};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read as _};

/// The largest image. Models take 5 MiB of base64, which has four characters for three
/// bytes.
const IMAGE_BYTES_MAX: u64 = 5 * 1024 * 1024 / 4 * 3;

/// The largest PDF.
const PDF_BYTES_MAX: u64 = 20 * 1024 * 1024;

/// Reads one file.
pub(crate) fn run(workspace: &Workspace, input: &Read) -> Result<Output, Fault> {
    let place = workspace.resolve(&input.file_path)?;
    let failed = |error: io::Error| fault("read", &place.shown, &error);
    let about = fs::metadata(&place.real).map_err(failed)?;
    if about.is_dir() {
        let path = &place.shown;
        return Err(Fault::failed(format!(
            "{path} is a folder. List it with glob: {{\"pattern\": \"*\", \"path\": \"{path}\"}}"
        )));
    }
    if !about.is_file() {
        return Err(Fault::failed(format!("{} is neither a file nor a folder", place.shown)));
    }
    let file = File::open(&place.real).map_err(failed)?;
    let mut file = BufReader::with_capacity(64 * 1024, file);
    let head = file.fill_buf().map_err(failed)?;
    let head = &head[..head.len().min(kind::HEAD_BYTES)];
    match kind::of(head) {
        Kind::Text => text(&place, file, about.len(), input.view_range),
        Kind::Image(media_type) => whole(&place, file, about.len(), media_type, IMAGE_BYTES_MAX),
        Kind::Pdf => whole(&place, file, about.len(), "application/pdf", PDF_BYTES_MAX),
        Kind::Binary(what) => Err(Fault::failed(format!(
            "{} is not text: {what}, {} bytes. This tool reads text, PNG, JPEG, GIF, WebP and PDF",
            place.shown,
            thousands(about.len()),
        ))),
    }
}

/// An image or a PDF, as a part of its own.
fn whole(place: &Place, mut file: impl BufRead, size: u64, media_type: &str, max: u64) -> Result<Output, Fault> {
    let too_large = |size| {
        let (path, size, max) = (&place.shown, thousands(size), thousands(max));
        Fault::failed(format!("{path} is {media_type} of {size} bytes; at most {max} can be shown"))
    };
    if size > max {
        return Err(too_large(size));
    }
    let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    // It may have grown since its size was asked for.
    file.by_ref().take(max + 1).read_to_end(&mut data).map_err(|error| fault("read", &place.shown, &error))?;
    if data.len() as u64 > max {
        return Err(too_large(data.len() as u64));
    }
    Ok(Output::file(media_type, data))
}

fn text(place: &Place, file: impl BufRead, size: u64, range: Option<[i64; 2]>) -> Result<Output, Fault> {
    let path = &place.shown;
    let (first, last) = match range {
        Some(range) => lines_of(range)?,
        None if size > TEXT_BYTES_MAX => {
            let (size, max) = (thousands(size), thousands(TEXT_BYTES_MAX));
            return Err(Fault::failed(format!(
                "{path} is {size} bytes; at most {max} are read at once. Read a part of it with view_range, \
                 for example [1, 1000], or find the lines that matter with grep"
            )));
        }
        None => (1, u64::MAX),
    };
    let taken = take(file, first, last).map_err(|error| fault("read", path, &error))?;
    if taken.bytes.is_empty() && taken.lines_seen < first && first > 1 {
        let lines = thousands(taken.lines_seen);
        return Err(Fault::invalid(format!("view_range starts at line {first}, but {path} has {lines} lines")));
    }
    let mut bytes = taken.bytes;
    // The line's end separates it from the next one, and there is no next one to show.
    if range.is_some() && bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    let text = String::from_utf8_lossy(&bytes);
    let foreign = matches!(text, std::borrow::Cow::Owned(_));
    let mut shown = cut(&text, first, taken.full);
    if foreign {
        shown.push_str("\n[Some bytes of this file are not UTF-8; each is shown as \u{fffd}.]");
    }
    Ok(shown.into())
}

/// What a view_range asks for, as first and last line.
fn lines_of([first, last]: [i64; 2]) -> Result<(u64, u64), Fault> {
    let first = u64::try_from(first).unwrap_or_default().max(1);
    let last = if last <= 0 { u64::MAX } else { last.unsigned_abs() };
    if first > last {
        return Err(Fault::invalid(format!("view_range [{first}, {last}] ends before it starts")));
    }
    Ok((first, last))
}

/// Some lines of a file.
struct Taken {
    bytes: Vec<u8>,
    /// Lines seen until the reading stopped; all there are, if it reached the end.
    lines_seen: u64,
    /// There was no room for all of them.
    full: bool,
}

/// Takes the lines from `first` to `last`, without ever holding more than is shown.
fn take(mut file: impl BufRead, first: u64, last: u64) -> io::Result<Taken> {
    let mut taken = Taken { bytes: Vec::new(), lines_seen: 0, full: false };
    let mut line = 1;
    let mut within = false;
    while line <= last {
        let buffer = file.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let end = memchr::memchr(b'\n', buffer);
        let length = end.map_or(buffer.len(), |end| end + 1);
        if line >= first {
            let room = (TEXT_BYTES_MAX as usize).saturating_sub(taken.bytes.len());
            taken.bytes.extend_from_slice(&buffer[..length.min(room)]);
            if length > room {
                taken.full = true;
                break;
            }
        }
        if !within {
            taken.lines_seen = line;
        }
        within = end.is_none();
        line += u64::from(end.is_some());
        file.consume(length);
    }
    Ok(taken)
}

/// Cuts what is too long after a whole line, and says how to read on.
fn cut(text: &str, first: u64, full: bool) -> String {
    let beginning = Room::default().beginning(text);
    if beginning.len() == text.len() && !full {
        return text.to_owned();
    }
    let Some(end) = beginning.rfind('\n') else {
        let max = thousands(OUTPUT_CHARS_MAX as u64);
        return format!(
            "{beginning}\n[Cut within line {first}, after {max} characters. grep finds places in long lines.]"
        );
    };
    let shown = &beginning[..end];
    let last = first + memchr::memchr_iter(b'\n', shown.as_bytes()).count() as u64;
    let next = last + 1;
    format!("{shown}\n[Cut after line {last}. Read on with view_range [{next}, 0].]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Granted;

    fn reading(granted: &Granted, path: &str, range: Option<[i64; 2]>) -> Result<String, Fault> {
        let output = run(&granted.workspace, &Read { file_path: path.into(), view_range: range })?;
        assert_eq!(output.parts[0].media_type, "text/plain");
        Ok(String::from_utf8(output.parts[0].data.clone()).unwrap())
    }

    #[test]
    fn text_comes_back_as_it_is() {
        let granted = Granted::with(&[("a.txt", "á\r\nb\n".as_bytes()), ("empty", b"")]);
        assert_eq!(reading(&granted, "a.txt", None).unwrap(), "á\r\nb\n");
        assert_eq!(reading(&granted, "/workspace/a.txt", None).unwrap(), "á\r\nb\n");
        assert_eq!(reading(&granted, "empty", None).unwrap(), "");
    }

    #[test]
    fn a_range_counts_from_one_and_includes_both_ends() {
        let granted = Granted::with(&[("a", b"1\n2\n3\n4")]);
        let range = |first, last| reading(&granted, "a", Some([first, last]));
        assert_eq!(range(2, 3).unwrap(), "2\n3");
        assert_eq!(range(3, 0).unwrap(), "3\n4");
        assert_eq!(range(3, -1).unwrap(), "3\n4");
        assert_eq!(range(4, 99).unwrap(), "4");
        assert_eq!(range(0, 1).unwrap(), "1");
        assert!(matches!(range(3, 2), Err(Fault::InvalidInput(_))));
        let why = range(5, 6).unwrap_err().to_string();
        assert!(why.contains("line 5") && why.contains("has 4 lines"), "{why}");
    }

    #[test]
    fn a_large_file_needs_a_range() {
        let line = format!("{}\n", "x".repeat(99));
        let granted = Granted::with(&[("big", line.repeat(10_000).as_bytes())]);
        let why = reading(&granted, "big", None).unwrap_err().to_string();
        assert!(why.contains("1,000,000 bytes") && why.contains("view_range"), "{why}");
        assert_eq!(reading(&granted, "big", Some([9_999, 0])).unwrap(), line.repeat(2).trim_end());
        let cut = reading(&granted, "big", Some([1, 0])).unwrap();
        assert!(
            cut.ends_with("\n[Cut after line 1000. Read on with view_range [1001, 0].]"),
            "{}",
            &cut[cut.len() - 80..]
        );
    }

    #[test]
    fn a_long_line_is_cut_within() {
        let granted = Granted::with(&[("long", "é".repeat(120_000).as_bytes())]);
        let cut = reading(&granted, "long", None).unwrap();
        assert_eq!(cut.chars().filter(|c| *c == 'é').count(), OUTPUT_CHARS_MAX);
        assert!(cut.contains("[Cut within line 1, after 100,000 characters"));
    }

    #[test]
    fn images_and_pdfs_are_parts() {
        let granted = Granted::with(&[("a.txt", b"\x89PNG\r\n\x1a\n rest"), ("b.pdf", b"%PDF-1.7 rest")]);
        let part = |path: &str| {
            let output = run(&granted.workspace, &Read { file_path: path.into(), view_range: None }).unwrap();
            output.parts.into_iter().next().unwrap()
        };
        assert_eq!(part("a.txt").media_type, "image/png");
        assert_eq!(part("a.txt").data, b"\x89PNG\r\n\x1a\n rest");
        assert_eq!(part("b.pdf").media_type, "application/pdf");
    }

    #[test]
    fn what_cannot_be_read_says_what_it_is() {
        let granted = Granted::with(&[("x.wasm", b"\0asm\x01\0\0\0"), ("d/y", b""), ("latin", b"caf\xe9")]);
        let why = |path: &str| reading(&granted, path, None).unwrap_err().to_string();
        assert!(why("x.wasm").contains("WebAssembly, 8 bytes"), "{}", why("x.wasm"));
        assert!(why("d").contains("is a folder. List it with glob"), "{}", why("d"));
        assert!(why("nope").contains("no such file"), "{}", why("nope"));
        assert!(why("../x").starts_with("denied: "), "{}", why("../x"));
        assert!(reading(&granted, "latin", None).unwrap().starts_with("caf\u{fffd}\n[Some bytes"));
    }
}
