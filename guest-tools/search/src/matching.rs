//! `grep`.

use crate::Grep;
use crate::ignoring::Rules;
use crate::tree::{self, File, Folder, Found, Kind};
use grep_matcher::Matcher as _;
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkFinish, SinkMatch};
use handbox_guest_support::{OUTPUT_CHARS_MAX, Place, Room, Workspace, fault, thousands};
use handbox_tool::Fault;
use std::io::{self, Read as _};

/// A line is shown up to this many characters: minified files have lines of megabytes.
const LINE_CHARS_MAX: usize = 2_000;

/// Files up to this size are held in memory while they are searched.
const WHOLE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How deep folders are followed. Each level holds one open folder of the host.
const DEPTH_MAX: usize = 100;

/// Searches a file or a tree.
pub(crate) fn run(workspace: &Workspace, input: &Grep) -> Result<String, Fault> {
    let matcher = RegexMatcherBuilder::new().multi_line(true).line_terminator(Some(b'\n')).build(&input.pattern);
    let matcher = matcher.map_err(|error| {
        Fault::invalid(format!("pattern: {error}\nPatterns are Rust regular expressions and match within one line"))
    })?;
    let (place, shown) = tree::start(workspace, input.path.as_deref())?;
    let mut search = Search { matcher, searcher: searcher(), found: Matches::default(), buffer: Vec::new() };
    match tree::open(&place)? {
        Found::File(file) => {
            let path = shown.trim_end_matches('/');
            let searched = search.file(path, file, true);
            searched.map_err(|error| fault("search", path, &error))?;
        }
        Found::Folder(folder) => {
            let rules = rules_above(&place).map_err(|error| fault("search", &place.shown, &error))?;
            let mut path = Path { inner: place.inner.clone(), shown };
            search.folder(&folder, &mut path, &rules, 0).map_err(|error| fault("search", &place.shown, &error))?;
        }
    }
    Ok(search.found.into_text())
}

fn searcher() -> Searcher {
    SearcherBuilder::new().line_number(true).build()
}

/// The rules that the folders above the start of a search set for it.
fn rules_above(place: &Place) -> io::Result<Rules> {
    let mut rules = Rules::default();
    if place.inner.is_empty() {
        return Ok(rules);
    }
    let root = Folder::granted(place)?;
    rules = rules.on_the_way(&root, "");
    for (at, _) in place.inner.match_indices('/') {
        let path = &place.inner[..at];
        rules = rules.on_the_way(&root.enter(path)?, path);
    }
    Ok(rules)
}

/// A path that grows and shrinks with the walk.
struct Path {
    /// From the granted folder on, for the rules.
    inner: String,
    /// As the model is shown it.
    shown: String,
}

impl Path {
    fn push(&mut self, name: &str) -> (usize, usize) {
        let before = (self.inner.len(), self.shown.len());
        if !self.inner.is_empty() {
            self.inner.push('/');
        }
        self.inner.push_str(name);
        self.shown.push_str(name);
        before
    }

    fn pop(&mut self, before: (usize, usize)) {
        self.inner.truncate(before.0);
        self.shown.truncate(before.1);
    }
}

/// One run of `grep`.
struct Search {
    matcher: RegexMatcher,
    searcher: Searcher,
    found: Matches,
    buffer: Vec<u8>,
}

impl Search {
    /// Searches a folder, in the order of names.
    fn folder(&mut self, folder: &Folder, path: &mut Path, above: &Rules, depth: usize) -> io::Result<()> {
        let mut entries = folder.entries()?;
        let rules = above.within(folder, &path.inner, &entries);
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        for entry in entries {
            let is_folder = entry.kind == Kind::Folder;
            if entry.kind == Kind::Other || (is_folder && depth == DEPTH_MAX) {
                continue;
            }
            let before = path.push(&entry.name);
            if !rules.leave_out(&path.inner, &entry.name, is_folder) {
                // One that cannot be read, or is gone by now, does not end the search.
                if is_folder {
                    path.shown.push('/');
                    _ = folder.enter(&entry.name).and_then(|child| self.folder(&child, path, &rules, depth + 1));
                } else {
                    _ = folder.open(&entry.name).and_then(|file| self.file(&path.shown, file, false));
                }
            }
            path.pop(before);
            if self.found.full {
                break;
            }
        }
        Ok(())
    }

    /// Searches a file. One that was asked for by name is searched even if it is binary.
    fn file(&mut self, path: &str, mut file: File, by_name: bool) -> io::Result<()> {
        self.buffer.clear();
        let all = file.fill(&mut self.buffer, WHOLE_BYTES_MAX)?;
        let binary = if by_name { BinaryDetection::convert(0) } else { BinaryDetection::quit(0) };
        self.searcher.set_binary_detection(binary);
        let (matcher, found) = (&self.matcher, &mut self.found);
        let mut sink = FileSink { path, matcher, found, matched: false, binary: false };
        if all {
            self.searcher.search_slice(&self.matcher, &self.buffer, &mut sink)
        } else {
            let whole = self.buffer.as_slice().chain(file);
            self.searcher.search_reader(&self.matcher, whole, &mut sink)
        }
    }
}

/// What was found so far.
#[derive(Default)]
struct Matches {
    text: String,
    room: Room,
    full: bool,
    line: String,
}

impl Matches {
    /// Adds `self.line`; false if it does not fit.
    fn add(&mut self) -> bool {
        self.line.push('\n');
        self.full = !self.room.take(&self.line);
        if !self.full {
            self.text.push_str(&self.line);
        }
        !self.full
    }

    fn into_text(mut self) -> String {
        if self.full {
            let max = thousands(OUTPUT_CHARS_MAX as u64);
            self.text.push_str(&format!(
                "[Cut at {max} characters; there are more matches. Search with a narrower pattern or path.]"
            ));
        } else if self.text.is_empty() {
            return "no matches".to_owned();
        } else {
            self.text.pop();
        }
        self.text
    }
}

/// Takes the matches of one file.
struct FileSink<'a> {
    path: &'a str,
    matcher: &'a RegexMatcher,
    found: &'a mut Matches,
    matched: bool,
    binary: bool,
}

impl Sink for FileSink<'_> {
    type Error = io::Error;

    fn binary_data(&mut self, _: &Searcher, _offset: u64) -> io::Result<bool> {
        self.binary = true;
        Ok(true)
    }

    fn matched(&mut self, _: &Searcher, matched: &SinkMatch<'_>) -> io::Result<bool> {
        use std::fmt::Write as _;
        self.matched = true;
        if self.binary {
            // One note at the end stands for all matches among bytes that are no text.
            return Ok(false);
        }
        let bytes = matched.bytes();
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let line = &mut self.found.line;
        line.clear();
        _ = write!(line, "{}:{}:", self.path, matched.line_number().unwrap_or_default());
        push_line(line, bytes, self.matcher);
        Ok(self.found.add())
    }

    fn finish(&mut self, _: &Searcher, finish: &SinkFinish) -> io::Result<()> {
        if let (true, Some(at)) = (self.matched, finish.binary_byte_offset()) {
            self.found.line.clear();
            let note = format!("{}: binary file, not shown from the NUL byte at {at} on", self.path);
            self.found.line.push_str(&note);
            self.found.add();
        }
        Ok(())
    }
}

/// Adds a line, cut so that the match itself is seen.
fn push_line(to: &mut String, bytes: &[u8], matcher: &RegexMatcher) {
    let text = String::from_utf8_lossy(bytes);
    if text.len() <= LINE_CHARS_MAX || text.chars().count() <= LINE_CHARS_MAX {
        to.push_str(&text);
        return;
    }
    let at = matcher.find(bytes).ok().flatten().map_or(0, |found| found.start());
    // Some of what stands before the match makes it readable.
    let from = if at + LINE_CHARS_MAX / 10 > LINE_CHARS_MAX { at - LINE_CHARS_MAX / 10 } else { 0 };
    let window = String::from_utf8_lossy(&bytes[from..]);
    if from > 0 {
        to.push_str("[…]");
    }
    to.extend(window.chars().take(LINE_CHARS_MAX));
    if window.chars().nth(LINE_CHARS_MAX).is_some() {
        to.push_str("[…]");
    }
    to.push_str(&format!(" [cut from a line of {} bytes]", thousands(bytes.len() as u64)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Granted;

    fn searching(granted: &Granted, pattern: &str, path: Option<&str>) -> Result<String, Fault> {
        run(&granted.workspace, &Grep { pattern: pattern.into(), path: path.map(str::to_owned) })
    }

    #[test]
    fn matches_are_path_line_text_sorted_by_path() {
        let granted = Granted::with(&[
            ("b.txt", b"x\nneedle 2\r\n"),
            ("a/z.txt", b"needle 1"),
            ("a.txt", b"needle 0\nneedle"),
            ("c", b"nothing"),
        ]);
        let found = "a/z.txt:1:needle 1\na.txt:1:needle 0\nb.txt:2:needle 2";
        assert_eq!(searching(&granted, r"needle \d", None).unwrap(), found);
        assert_eq!(searching(&granted, r"needle \d", Some("a")).unwrap(), "a/z.txt:1:needle 1");
        assert_eq!(searching(&granted, "1", Some("./a/")).unwrap(), "a/z.txt:1:needle 1");
        assert_eq!(searching(&granted, "1", Some("/workspace/a")).unwrap(), "/workspace/a/z.txt:1:needle 1");
        assert_eq!(searching(&granted, "0", Some("a.txt")).unwrap(), "a.txt:1:needle 0");
        assert_eq!(searching(&granted, "absent", None).unwrap(), "no matches");
    }

    #[test]
    fn ignore_files_are_obeyed_as_ripgrep_does() {
        let granted = Granted::with(&[
            (".git/config", b"hit"),
            (".git/info/exclude", b"/excluded\n"),
            (".gitignore", b"*.log\n/target/\n!.shown\n"),
            (".ignore", b"!kept.log\n"),
            ("sub/.gitignore", b"!again.log\nlocal\n"),
            ("sub/again.log", b"hit"),
            ("sub/local", b"hit"),
            ("sub/other.log", b"hit"),
            ("sub/target/x", b"hit"),
            ("target/x", b"hit"),
            ("kept.log", b"hit"),
            ("excluded", b"hit"),
            (".hidden", b"hit"),
            (".shown", b"hit"),
            ("plain", b"hit"),
        ]);
        let found = ".shown:1:hit\nkept.log:1:hit\nplain:1:hit\nsub/again.log:1:hit\nsub/target/x:1:hit";
        assert_eq!(searching(&granted, "hit", None).unwrap(), found);
        // The rules above the start hold, and a path of its own is searched whatever they say.
        assert_eq!(searching(&granted, "hit", Some("sub")).unwrap(), "sub/again.log:1:hit\nsub/target/x:1:hit");
        assert_eq!(searching(&granted, "hit", Some("sub/target")).unwrap(), "sub/target/x:1:hit");
        assert_eq!(searching(&granted, "hit", Some("excluded")).unwrap(), "excluded:1:hit");
    }

    #[test]
    fn a_repository_within_is_not_ruled_by_the_one_around_it() {
        let granted = Granted::with(&[
            (".git/HEAD", b""),
            (".gitignore", b"a\n"),
            ("inner/.git/HEAD", b""),
            ("inner/a", b"hit"),
            ("a", b"hit"),
        ]);
        assert_eq!(searching(&granted, "hit", None).unwrap(), "inner/a:1:hit");
    }

    #[test]
    fn binary_files_are_skipped_unless_named() {
        let granted = Granted::with(&[("bin", b"hit\0\nhit\n"), ("text", b"hit")]);
        assert_eq!(searching(&granted, "hit", None).unwrap(), "text:1:hit");
        let named = searching(&granted, "hit", Some("bin")).unwrap();
        assert_eq!(named, "bin: binary file, not shown from the NUL byte at 3 on");
    }

    #[test]
    fn long_lines_show_the_match() {
        let line = format!("{}needle{}", "a".repeat(10_000), "b".repeat(10_000));
        let granted = Granted::with(&[("min.js", line.as_bytes())]);
        let found = searching(&granted, "needle", None).unwrap();
        assert!(found.starts_with("min.js:1:[…]aaaa") && found.contains("aneedleb"), "{found}");
        assert!(found.ends_with("b[…] [cut from a line of 20,006 bytes]"), "{found}");
        assert!(found.len() < 2_200);
    }

    #[test]
    fn long_results_are_cut_after_a_line() {
        let text = "hit\n".repeat(20_000);
        let granted = Granted::with(&[("a", text.as_bytes()), ("b", b"hit")]);
        let found = searching(&granted, "hit", None).unwrap();
        assert!(found.contains("\na:1000:hit\n") && !found.contains("b:1"));
        assert!(found.ends_with(
            "\n[Cut at 100,000 characters; there are more matches. Search with a narrower pattern or path.]"
        ));
        assert!(found.chars().count() < OUTPUT_CHARS_MAX + 200);
    }

    #[test]
    fn large_files_are_searched_without_being_held() {
        let mut text = "x".repeat(79) + "\n";
        text = text.repeat(100_000) + "needle\n";
        let granted = Granted::with(&[("big", text.as_bytes())]);
        assert_eq!(searching(&granted, "needle", None).unwrap(), "big:100001:needle");
    }

    #[test]
    fn what_cannot_be_searched_says_why() {
        let granted = Granted::with(&[("a", b"x")]);
        assert!(matches!(searching(&granted, "(", None), Err(Fault::InvalidInput(_))));
        assert!(matches!(searching(&granted, "a\\nb", None), Err(Fault::InvalidInput(_))));
        assert!(matches!(searching(&granted, "x", Some("/etc")), Err(Fault::Denied(_))));
        let why = searching(&granted, "x", Some("nope")).unwrap_err().to_string();
        assert!(why.contains("cannot search nope: there is no such file"), "{why}");
    }
}
