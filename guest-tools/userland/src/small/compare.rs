//! `diff`, over uutils' diffutils.

use super::columns;
use crate::options::{Given, Known, read};
use crate::{print, report};
use diffutilslib::params::Params;
use diffutilslib::{context_diff, normal_diff, unified_diff};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

const KNOWN: Known = Known {
    letters: "uU:cC:eyqsrNwbBiaW:tdEZx:L:",
    names: &[
        ("unified?", 'u'),
        ("context?", 'c'),
        ("ed", 'e'),
        ("side-by-side", 'y'),
        ("brief", 'q'),
        ("report-identical-files", 's'),
        ("recursive", 'r'),
        ("new-file", 'N'),
        ("ignore-all-space", 'w'),
        ("ignore-space-change", 'b'),
        ("ignore-blank-lines", 'B'),
        ("ignore-case", 'i'),
        ("ignore-trailing-space", 'Z'),
        ("text", 'a'),
        ("width=", 'W'),
        ("minimal", 'd'),
        ("exclude=", 'x'),
        ("label=", 'L'),
        ("color?", '!'),
        ("normal", '='),
        ("strip-trailing-cr", '~'),
        ("suppress-common-lines", '|'),
        ("expand-tabs", 't'),
        ("speed-large-files", '='),
    ],
    ends_at_operand: false,
};

/// Runs `diff`; the first argument is its name.
pub(super) fn diff(args: &[OsString]) -> u8 {
    let given = match read(args, &KNOWN) {
        Ok(given) if given.operands.len() == 2 => given,
        Ok(given) if given.operands.len() < 2 => {
            report("diff", "missing operand; usage: diff [OPTION]... FILES");
            return 2;
        }
        Ok(given) => {
            report("diff", &format!("extra operand '{}'", given.operands[2]));
            return 2;
        }
        Err(problem) => {
            report("diff", &problem);
            return 2;
        }
    };
    let (from, to) = (given.operands[0].clone(), given.operands[1].clone());
    let shown: Vec<String> = args.iter().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let shown = shown.into_iter().filter(|arg| arg.starts_with('-') && arg != "-").collect::<Vec<_>>().join(" ");
    let mut run = Run { given: &given, shown, out: Vec::new(), status: 0 };
    let folders = (Path::new(&from).is_dir(), Path::new(&to).is_dir());
    match folders {
        (true, true) => run.folders(&from, &to),
        (true, false) if to != "-" => run.files(&join(&from, name(&to)), &to, false),
        (false, true) if from != "-" => run.files(&from, &join(&to, name(&from)), false),
        _ => run.files(&from, &to, false),
    }
    if !print(&run.out) {
        return 2;
    }
    run.status
}

fn join(folder: &str, name: &str) -> String {
    format!("{}/{name}", folder.trim_end_matches('/'))
}

fn name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

struct Run<'a> {
    given: &'a Given,
    /// The options, as they were written: shown for each file of a folder.
    shown: String,
    out: Vec<u8>,
    status: u8,
}

impl Run<'_> {
    fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
        self.out.push(b'\n');
    }

    fn fail(&mut self, text: &str) {
        report("diff", text);
        self.status = 2;
    }

    fn differ(&mut self) {
        self.status = self.status.max(1);
    }

    fn folders(&mut self, from: &str, to: &str) {
        let mut names = BTreeSet::new();
        for folder in [from, to] {
            let (found, fault) = crate::listing::names(folder);
            names.extend(found);
            match fault {
                None => {}
                // As if it were there and empty.
                Some(_) if self.given.has('N') && !Path::new(folder).exists() => {}
                Some(error) => self.fail(&format!("{folder}: {}", crate::reason(&error))),
            }
        }
        let given = self.given;
        let excluded = |name: &str| {
            let mut patterns = given.values('x').filter_map(|glob| globset::Glob::new(glob).ok());
            patterns.any(|glob| glob.compile_matcher().is_match(name))
        };
        for name in names.iter().filter(|name| !excluded(name)) {
            self.both(from, to, name);
        }
    }

    fn both(&mut self, from: &str, to: &str, name: &str) {
        let (left, right) = (join(from, name), join(to, name));
        let (has_left, has_right) = (Path::new(&left).exists(), Path::new(&right).exists());
        let (left_folder, right_folder) = (Path::new(&left).is_dir(), Path::new(&right).is_dir());
        let as_empty = self.given.has('N') && (!left_folder && !right_folder || self.given.has('r'));
        if !(as_empty || has_left && has_right) {
            self.say(&format!("Only in {}: {name}", if has_left { from } else { to }));
            self.differ();
        } else if (left_folder || !has_left) && (right_folder || !has_right) && (left_folder || right_folder) {
            if self.given.has('r') {
                self.folders(&left, &right);
            } else {
                self.say(&format!("Common subdirectories: {left} and {right}"));
            }
        } else if left_folder || right_folder {
            let kind = |is_folder: bool| if is_folder { "directory" } else { "regular file" };
            self.say(&format!("File {left} is a {} while file {right} is a {}", kind(left_folder), kind(right_folder)));
            self.differ();
        } else {
            self.files(&left, &right, true);
        }
    }

    fn read(&mut self, path: &str) -> Option<Vec<u8>> {
        if self.given.has('N') && path != "-" && !Path::new(path).exists() {
            return Some(Vec::new());
        }
        match crate::read(path) {
            Ok(bytes) => Some(bytes),
            Err(reason) => {
                self.fail(&format!("{path}: {reason}"));
                None
            }
        }
    }

    fn files(&mut self, from: &str, to: &str, in_folder: bool) {
        let (Some(left), Some(right)) = (self.read(from), self.read(to)) else {
            return;
        };
        let same = left == right || self.normalised(&left) == self.normalised(&right);
        if same {
            if self.given.has('s') {
                self.say(&format!("Files {from} and {to} are identical"));
            } else if self.given.has('y') && !self.given.has('q') {
                // All of both is shown, also where nothing differs.
                let bytes = self.rendered(&left, &right, from, to);
                self.out.extend_from_slice(&bytes);
            }
            return;
        }
        self.differ();
        if self.given.has('q') {
            return self.say(&format!("Files {from} and {to} differ"));
        }
        if !self.given.has('a') && (is_binary(&left) || is_binary(&right)) {
            return self.say(&format!("Binary files {from} and {to} differ"));
        }
        if in_folder {
            let shown = format!("diff {} {from} {to}", self.shown);
            self.say(&shown);
        }
        let (left, right) =
            if self.loose() { (self.normalised(&left), self.normalised(&right)) } else { (left, right) };
        let bytes = self.rendered(&left, &right, from, to);
        self.out.extend_from_slice(&bytes);
    }

    fn rendered(&mut self, left: &[u8], right: &[u8], from: &str, to: &str) -> Vec<u8> {
        let given = self.given;
        let lines = given.value('U').or_else(|| given.value('C')).or_else(|| given.value('u')).or(given.value('c'));
        let params = Params {
            from: from.into(),
            to: to.into(),
            context_count: lines.and_then(|lines| lines.parse().ok()).unwrap_or(3),
            width: given.value('W').and_then(|width| width.parse().ok()).unwrap_or(130),
            expand_tabs: given.has('t'),
            ..Params::default()
        };
        if given.has('u') || given.has('U') {
            self.labelled(unified_diff(left, right, &params), [from, to])
        } else if given.has('c') || given.has('C') {
            self.labelled(context_diff(left, right, &params), [from, to])
        } else if given.has('e') {
            script(&normal_diff(left, right, &params))
        } else if given.has('y') {
            let changes = short_ranges(&normal_diff(left, right, &params));
            let columns =
                columns::Columns { width: params.width, expand: params.expand_tabs, changed_only: given.has('|') };
            columns.side_by_side((left, right), &changes)
        } else {
            short_ranges(&normal_diff(left, right, &params))
        }
    }

    /// Puts labels where the names of the files stand. One that is not there was written at the
    /// beginning of time: by that `patch` knows it.
    fn labelled(&self, diff: Vec<u8>, names: [&str; 2]) -> Vec<u8> {
        let mut labels: Vec<Option<String>> = self.given.values('L').map(|label| Some(label.to_owned())).collect();
        for name in names.iter().skip(labels.len()) {
            let missing = *name != "-" && !Path::new(name).exists();
            labels.push(missing.then(|| format!("{name}\t1970-01-01 00:00:00.000000000 +0000")));
        }
        let mut out = Vec::new();
        for (place, line) in diff.split_inclusive(|byte| *byte == b'\n').enumerate() {
            match labels.get(place) {
                Some(Some(label)) => {
                    out.extend_from_slice(&line[..4]);
                    out.extend_from_slice(label.as_bytes());
                    out.push(b'\n');
                }
                _ => out.extend_from_slice(line),
            }
        }
        out
    }

    /// Whether lines that differ in blanks or case count as the same.
    fn loose(&self) -> bool {
        ['w', 'b', 'i', 'Z', 'B', '~'].into_iter().any(|letter| self.given.has(letter))
    }

    fn normalised(&self, text: &[u8]) -> Vec<u8> {
        let given = self.given;
        if !self.loose() {
            return text.to_vec();
        }
        let mut out = Vec::with_capacity(text.len());
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let (line, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |line| (line, &b"\n"[..]));
            let mut kept: Vec<u8> = if given.has('w') {
                line.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
            } else if given.has('b') {
                let words = line.trim_ascii_end().split(|byte| matches!(byte, b' ' | b'\t'));
                let mut words: Vec<&[u8]> = words.collect();
                let first = words.remove(0);
                words.retain(|word| !word.is_empty());
                words.insert(0, first);
                words.join(&b' ')
            } else if given.has('Z') {
                line.trim_ascii_end().to_vec()
            } else {
                line.strip_suffix(b"\r").filter(|_| given.has('~')).unwrap_or(line).to_vec()
            };
            if given.has('B') && kept.is_empty() {
                continue;
            }
            if given.has('i') {
                kept.make_ascii_lowercase();
            }
            out.extend(kept);
            out.extend_from_slice(end);
        }
        out
    }
}

/// Writes a range of one line as that line: `4a5`, not `4a5,5`.
fn short_ranges(diff: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(diff.len());
    for line in diff.split_inclusive(|byte| *byte == b'\n') {
        // All other lines begin with a sign.
        let range = line.first().filter(|byte| byte.is_ascii_digit()).and_then(|_| std::str::from_utf8(line).ok());
        let sign = range.and_then(|range| range.find(['a', 'c', 'd']).map(|at| (range.trim_end(), at)));
        match sign {
            Some((range, at)) => {
                let short = |part: &str| match part.split_once(',') {
                    Some((first, last)) if first == last => first.to_owned(),
                    _ => part.to_owned(),
                };
                let text = format!("{}{}{}\n", short(&range[..at]), &range[at..=at], short(&range[at + 1..]));
                out.extend_from_slice(text.as_bytes());
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

/// Commands for `ed` that make the second file of the first: from the last change to the first,
/// so that no change moves the lines of those to come.
fn script(diff: &[u8]) -> Vec<u8> {
    let mut changes: Vec<Vec<u8>> = Vec::new();
    for line in short_ranges(diff).split_inclusive(|byte| *byte == b'\n') {
        if line.first().is_some_and(u8::is_ascii_digit) {
            let end = line.iter().position(u8::is_ascii_alphabetic).map_or(line.len(), |at| at + 1);
            changes.push([&line[..end], b"\n"].concat());
        } else if let (Some(text), Some(change)) = (line.strip_prefix(b"> "), changes.last_mut()) {
            // A point alone would end the text: it is written as two, and one is taken away.
            change.extend_from_slice(if text == b".\n" { b"..\n.\ns/.//\na\n" } else { text });
        }
    }
    let mut out = Vec::new();
    for change in changes.iter().rev() {
        out.extend_from_slice(change);
        let adds = change.iter().position(|byte| *byte == b'\n').is_some_and(|at| change[at - 1] != b'd');
        // Behind a point no text may follow: then the last `a` is taken away instead of ended.
        if adds && change.ends_with(b"\n..\n.\ns/.//\na\n") {
            out.truncate(out.len() - 2);
        } else if adds {
            out.extend_from_slice(b".\n");
        }
    }
    out
}

fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(4096)]).is_some()
}
