//! `edit`.

use crate::{Edit, TEXT_BYTES_MAX};
use handbox_guest_support::{Workspace, fault, thousands};
use handbox_tool::Fault;
use memchr::memmem;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// How many places a refusal names.
const PLACES_SHOWN: usize = 10;

/// Edits one file. Works on bytes: what is not replaced stays as it is, whatever its
/// encoding and line ends.
pub(crate) fn run(workspace: &Workspace, input: &Edit) -> Result<String, Fault> {
    let Edit { old_string: old, new_string: new, .. } = input;
    if old.is_empty() {
        return Err(Fault::invalid("old_string is empty: give the text to replace, or use write to make a file"));
    }
    if old == new {
        return Err(Fault::invalid("old_string and new_string are the same: nothing would change"));
    }
    let place = workspace.resolve(&input.file_path)?;
    let path = &place.shown;
    let content = load(path, &place.real)?;
    let found: Vec<usize> = memmem::find_iter(&content, old.as_bytes()).collect();
    match found.len() {
        0 => return Err(not_found(path, &content, old)),
        1 => {}
        _ if input.replace_all == Some(true) => {}
        count => {
            let lines = places(&content, &found);
            return Err(Fault::failed(format!(
                "old_string occurs {count} times in {path}, {lines}. Take in more of the lines around the one you \
                 mean, or set replace_all"
            )));
        }
    }
    let edited = replace(&content, &found, old.len(), new.as_bytes());
    store(&place.real, &edited).map_err(|error| fault("edit", path, &error))?;
    let count = found.len();
    let plural = if count == 1 { "place" } else { "places" };
    Ok(format!("replaced {count} {plural} in {path}, {}", places(&content, &found)))
}

fn load(path: &str, real: &Path) -> Result<Vec<u8>, Fault> {
    let failed = |error: io::Error| fault("edit", path, &error);
    let about = fs::metadata(real).map_err(failed)?;
    if !about.is_file() {
        return Err(Fault::failed(format!("{path} is not a file")));
    }
    if about.len() > TEXT_BYTES_MAX {
        let (size, max) = (thousands(about.len()), thousands(TEXT_BYTES_MAX));
        return Err(Fault::failed(format!("{path} is {size} bytes; files of at most {max} can be edited")));
    }
    fs::read(real).map_err(failed)
}

/// Writes the new content over the old one, in place: permissions and links stay, and at
/// no moment is the file empty.
fn store(real: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(real)?;
    file.write_all(content)?;
    file.set_len(content.len() as u64)
}

fn replace(content: &[u8], found: &[usize], length: usize, new: &[u8]) -> Vec<u8> {
    let mut edited = Vec::with_capacity(content.len() + found.len() * new.len());
    let mut from = 0;
    for &at in found {
        edited.extend_from_slice(&content[from..at]);
        edited.extend_from_slice(new);
        from = at + length;
    }
    edited.extend_from_slice(&content[from..]);
    edited
}

/// Names the lines of some places: `at line 3`, `at lines 3, 8 and 12 more`.
fn places(content: &[u8], found: &[usize]) -> String {
    let shown = found.iter().take(PLACES_SHOWN);
    let lines: Vec<String> = shown.map(|&at| line_of(content, at).to_string()).collect();
    let plural = if lines.len() == 1 { "line" } else { "lines" };
    let more = found.len() - lines.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("at {plural} {}{more}", lines.join(", "))
}

fn line_of(content: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', &content[..at]).count() + 1
}

/// Says why nothing matched, as far as that can be told.
fn not_found(path: &str, content: &[u8], old: &str) -> Fault {
    let crlf = old.replace("\r\n", "\n").replace('\n', "\r\n");
    let hint = if crlf != old && memmem::find(content, crlf.as_bytes()).is_some() {
        "The lines of this file end in CRLF: write \\r\\n where old_string and new_string have \\n".to_owned()
    } else if let Some(line) = differing_in_space(content, old) {
        format!("The text at line {line} differs only in whitespace: read that part and copy it exactly")
    } else {
        "Read the file and copy the text exactly, with its indentation".to_owned()
    };
    Fault::failed(format!("old_string was not found in {path}. {hint}"))
}

/// The line of a place that would match if whitespace did not count.
fn differing_in_space(content: &[u8], old: &str) -> Option<usize> {
    let dense = |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect() };
    let wanted = dense(old.as_bytes());
    if wanted.is_empty() {
        return None;
    }
    let at = memmem::find(&dense(content), &wanted)?;
    let mut solid = content.iter().enumerate().filter(|(_, b)| !b.is_ascii_whitespace());
    solid.nth(at).map(|(at, _)| line_of(content, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Granted;

    fn editing(granted: &Granted, old: &str, new: &str, all: Option<bool>) -> Result<String, Fault> {
        let edit = Edit { file_path: "a".into(), old_string: old.into(), new_string: new.into(), replace_all: all };
        run(&granted.workspace, &edit)
    }

    #[test]
    fn one_place_is_replaced_and_every_other_byte_stays() {
        let granted = Granted::with(&[("a", b"one\r\ntw\xffo\r\nthree")]);
        assert_eq!(editing(&granted, "three", "3\r\n", None).unwrap(), "replaced 1 place in a, at line 3");
        assert_eq!(granted.content("a"), b"one\r\ntw\xffo\r\n3\r\n");
    }

    #[test]
    fn a_shorter_text_leaves_no_tail() {
        let granted = Granted::with(&[("a", b"a long line of text")]);
        editing(&granted, " long line of text", "", Some(false)).unwrap();
        assert_eq!(granted.content("a"), b"a");
    }

    #[test]
    fn several_places_need_replace_all() {
        let granted = Granted::with(&[("a", b"x\ny\nx\n")]);
        let why = editing(&granted, "x", "z", None).unwrap_err().to_string();
        assert!(why.contains("2 times in a, at lines 1, 3") && why.contains("replace_all"), "{why}");
        assert_eq!(granted.content("a"), b"x\ny\nx\n");
        assert_eq!(editing(&granted, "x", "z", Some(true)).unwrap(), "replaced 2 places in a, at lines 1, 3");
        assert_eq!(granted.content("a"), b"z\ny\nz\n");
    }

    #[test]
    fn a_miss_says_what_is_different() {
        let granted = Granted::with(&[("a", b"fn f() {\r\n\tg();\r\n}\r\n")]);
        let why = |old: &str| editing(&granted, old, "", None).unwrap_err().to_string();
        assert!(why("fn f() {\n\tg();").contains("CRLF"), "{}", why("fn f() {\n\tg();"));
        assert!(why("    g();").contains("line 2 differs only in whitespace"), "{}", why("    g();"));
        assert!(why("h()").contains("copy the text exactly"), "{}", why("h()"));
    }

    #[test]
    fn senseless_edits_are_refused() {
        let granted = Granted::with(&[("a", b"x")]);
        assert!(matches!(editing(&granted, "", "y", None), Err(Fault::InvalidInput(_))));
        assert!(matches!(editing(&granted, "x", "x", None), Err(Fault::InvalidInput(_))));
        let big = Granted::with(&[("a", &vec![b'x'; 256 * 1024 + 1])]);
        assert!(editing(&big, "x", "y", None).unwrap_err().to_string().contains("262,145 bytes"));
    }
}
