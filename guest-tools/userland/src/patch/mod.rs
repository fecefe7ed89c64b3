//! `patch`: puts the changes of a patch into files.
//!
//! Never writes outside the folder that it works in, but to what the command line names.

mod apply;
mod files;
mod parse;

use crate::inside::Inside;
use crate::options::{Given, Known, read};
use crate::report;
use apply::{Blanks, Text, context};
use files::{Files, Place};
use parse::{Hunk, Kind, Moved, Patch};
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

const KNOWN: Known = Known {
    letters: "p:i:Ro:r:sNftbz:B:V:d:EucnelF:Tv",
    names: &[
        ("strip=", 'p'),
        ("input=", 'i'),
        ("reverse", 'R'),
        ("output=", 'o'),
        ("reject-file=", 'r'),
        ("silent", 's'),
        ("quiet", 's'),
        ("forward", 'N'),
        ("force", 'f'),
        ("batch", 't'),
        ("backup", 'b'),
        ("suffix=", 'z'),
        ("prefix=", 'B'),
        ("version-control=", 'V'),
        ("directory=", 'd'),
        ("remove-empty-files", 'E'),
        ("unified", 'u'),
        ("context", 'c'),
        ("normal", 'n'),
        ("ignore-whitespace", 'l'),
        ("fuzz=", 'F'),
        ("dry-run", '!'),
        ("no-backup-if-mismatch", '-'),
        ("backup-if-mismatch", '+'),
        ("verbose", '~'),
        ("binary", '.'),
        ("posix", '.'),
        ("version", 'v'),
    ],
    ends_at_operand: false,
};

/// How much context may differ, unless `-F` says so.
const FUZZ: usize = 2;

/// Runs `patch`; the first argument is its name.
pub(crate) fn run(args: &[OsString]) -> u8 {
    match read(args, &KNOWN).and_then(|given| execute(&given)) {
        Ok(status) => status,
        Err(problem) => {
            report("patch", &format!("**** {problem}"));
            2
        }
    }
}

fn number(given: &Given, letter: char, what: &str) -> Result<Option<usize>, String> {
    let Some(value) = given.value(letter) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| format!("{what} {value} is not a number"))
}

fn execute(given: &Given) -> Result<u8, String> {
    if given.has('v') {
        return Ok(u8::from(!crate::help::version("patch")));
    }
    if let Some(extra) = given.operands.get(2) {
        return Err(format!("{extra}: extra operand"));
    }
    let input = given.value('i').or(given.operands.get(1).map(String::as_str)).unwrap_or("-");
    let folder = PathBuf::from(given.value('d').unwrap_or(""));
    if let Some(folder) = given.value('d') {
        fs::read_dir(folder)
            .map_err(|error| format!("Can't change to directory {folder} : {}", crate::reason(&error)))?;
    }
    let within =
        |path: &str| if path == "-" { path.to_owned() } else { folder.join(path).to_string_lossy().into_owned() };
    let text = crate::read(&within(input)).map_err(|reason| format!("Can't open patch file {input} : {reason}"))?;
    let mut patches = parse::parse(&text)?;
    // A normal patch says nothing of what it is for.
    patches.retain(|patch| !patch.normal || !given.operands.is_empty());
    if patches.is_empty() {
        return if text.trim_ascii().is_empty() {
            Ok(0)
        } else {
            Err("Only garbage was found in the patch input.".to_owned())
        };
    }
    let mut run = Run {
        given,
        count: number(given, 'p', "strip count")?,
        fuzz: number(given, 'F', "fuzz factor")?.unwrap_or(FUZZ),
        output: given.value('o').map(|path| if path == "-" { path.to_owned() } else { within(path) }),
        written: Vec::new(),
        inside: Inside::new(folder.clone()),
        status: 0,
    };
    let mut named = given.operands.first().map(|path| Place { shown: path.clone(), path: folder.join(path) });
    for patch in patches {
        run.patch(if given.has('R') { patch.swapped() } else { patch }, named.take())?;
    }
    run.finish()?;
    Ok(run.status)
}

struct Run<'a> {
    given: &'a Given,
    count: Option<usize>,
    fuzz: usize,
    /// One file for everything, by `-o`; `-` is standard output.
    output: Option<String>,
    written: Vec<u8>,
    inside: Inside,
    status: u8,
}

/// What is to be done with a patch that seems to be in the file already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Reverse,
    Skip,
    Apply,
}

/// How the hunks of a file went.
struct Applied {
    bytes: Vec<u8>,
    rejected: Vec<(Hunk, isize)>,
    skipped: bool,
    /// Something was not quite where it should be.
    loose: bool,
    reversed: bool,
}

impl Run<'_> {
    fn tell(&self, text: &str) {
        if self.output.as_deref() == Some("-") {
            eprintln!("{text}");
        } else {
            crate::print(format!("{text}\n").as_bytes());
        }
    }

    fn say(&self, text: &str) {
        if !self.given.has('s') {
            self.tell(text);
        }
    }

    fn fail(&mut self, status: u8) {
        self.status = self.status.max(status);
    }

    fn skip_all(&mut self, patch: &Patch, why: &str, rejects: &str) {
        let count = patch.hunks.len();
        self.say(why);
        if count > 0 {
            self.tell(&format!("{count} out of {count} hunk{} ignored{rejects}", plural(count)));
        }
        self.fail(1);
    }

    fn patch(&mut self, mut patch: Patch, named: Option<Place>) -> Result<(), String> {
        let by_name = named.is_none();
        let files = match named {
            Some(place) => Some(Files { from: place.clone(), to: place }),
            None => files::choose(&patch, self.count, &self.inside),
        };
        let Some(files) = files else {
            self.lost(&patch);
            return Ok(());
        };
        if patch.binary {
            self.tell(&format!("File {}: git binary diffs are not supported.", files.to.shown));
            self.fail(1);
            return Ok(());
        }
        let old = match crate::read(&files.from.path.to_string_lossy()) {
            Ok(bytes) => bytes,
            Err(_) if !files.from.exists() => Vec::new(),
            Err(reason) => return Err(format!("Can't open file {} : {reason}", files.from.shown)),
        };
        if files.from.path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) && by_name {
            self.tell(&format!("File {} is not a regular file -- refusing to patch", files.from.shown));
            self.skip_all(&patch, "", "");
            return Ok(());
        }
        let clash = match (patch.old.missing, patch.new.missing) {
            (true, _) if !old.is_empty() || patch.hunks.is_empty() && files.to.exists() => {
                Some(("create", "already exists"))
            }
            (_, true) if !files.from.exists() => Some(("delete", "does not exist")),
            _ if patch.new.empty && !files.from.exists() => Some(("delete", "does not exist")),
            _ if patch.new.empty && old.is_empty() => Some(("empty out", "is already empty")),
            _ => None,
        };
        if let Some((does, is)) = clash {
            let text = format!("The next patch would {does} the file {},\nwhich {is}!", files.to.shown);
            match self.answer(&text) {
                Answer::Skip => {
                    self.skip_all(&patch, "Skipping patch.", "");
                    return Ok(());
                }
                Answer::Reverse => patch = patch.swapped(),
                Answer::Apply => {}
            }
        }
        let doing = if self.given.has('!') { "checking" } else { "patching" };
        match &self.output {
            Some(output) => self.say(&format!("{doing} file {output} (read from {})", files.from.shown)),
            None => self.say(&format!("{doing} file {}{}", files.to.shown, files::change(&patch, &files))),
        }
        let applied = self.apply(&patch, &old);
        self.report(&patch, &files, &applied);
        self.store(&patch, &files, by_name, &old, &applied)
    }

    /// Says that there is no file that a patch could be for.
    fn lost(&mut self, patch: &Patch) {
        let hint = if self.count.is_some() { "used the wrong" } else { "should have used the" };
        let mut text = format!("can't find file to patch at input line {}\n", patch.line);
        text.push_str(&format!("Perhaps you {hint} -p or --strip option?\n"));
        if !patch.lead.is_empty() {
            text.push_str("The text leading up to this was:\n--------------------------\n");
            for line in &patch.lead {
                text.push_str(&format!("|{}\n", String::from_utf8_lossy(line).trim_end_matches(['\r', '\n'])));
            }
            text.push_str("--------------------------\n");
        }
        if self.given.has('f') || self.given.has('t') {
            text.push_str("No file to patch.  Skipping patch.");
        } else {
            // Nobody answers here, as nobody does where the real one finds no terminal.
            text.push_str("File to patch: \nSkip this patch? [y] \nSkipping patch.");
        }
        self.tell(&text);
        let count = patch.hunks.len();
        self.tell(&format!("{count} out of {count} hunk{} ignored", plural(count)));
        self.fail(1);
    }

    /// What the options say to do with a patch that seems to be in already; nobody is there to be asked.
    fn answer(&self, text: &str) -> Answer {
        let given = self.given;
        if given.has('N') {
            self.tell(&format!("{text}  Skipping patch."));
            return Answer::Skip;
        }
        if given.has('f') {
            self.tell(&format!("{text}  Applying it anyway."));
            return Answer::Apply;
        }
        let (batch, asked) =
            if given.has('R') { ("Ignoring -R.", "Ignore -R?") } else { ("Assuming -R.", "Assume -R?") };
        if given.has('t') {
            self.tell(&format!("{text}  {batch}"));
            return Answer::Reverse;
        }
        self.tell(&format!("{text}  {asked} [n] \nApply anyway? [n] "));
        Answer::Skip
    }

    fn apply(&self, patch: &Patch, old: &[u8]) -> Applied {
        let blanks = if self.given.has('l') { Blanks::Loose } else { Blanks::Count };
        let mut text = Text::new(old, blanks);
        let mut applied =
            Applied { bytes: Vec::new(), rejected: Vec::new(), skipped: false, loose: false, reversed: false };
        let mut hunks = patch.hunks.clone();
        for place in 0..hunks.len() {
            if applied.skipped {
                applied.rejected.push((hunks[place].clone(), text.grown));
                continue;
            }
            let (before, after) = context(&hunks[place]);
            let mut found = None;
            for fuzz in 0..=self.fuzz.min(before.max(after)) {
                found = text.find(&hunks[place], fuzz).map(|found| (found, fuzz));
                let backwards = hunks[place].swapped();
                // An empty side fits everywhere, which says nothing.
                let telling = backwards.old_lines().next().is_some();
                if found.is_none()
                    && place == 0
                    && telling
                    && !self.given.has('f')
                    && text.find(&backwards, fuzz).is_some()
                {
                    let kind = if self.given.has('R') { "Unreversed" } else { "Reversed (or previously applied)" };
                    match self.answer(&format!("{kind} patch detected!")) {
                        Answer::Reverse => {
                            hunks = hunks.iter().map(Hunk::swapped).collect();
                            applied.reversed = true;
                            found = text.find(&hunks[0], fuzz).map(|found| (found, fuzz));
                        }
                        _ => applied.skipped = true,
                    }
                }
                if found.is_some() || applied.skipped {
                    break;
                }
            }
            match found {
                Some((found, fuzz)) => {
                    text.put(&hunks[place], found);
                    applied.loose |= fuzz > 0 || text.offset != 0;
                    self.hunk_fits(place, found.shown, fuzz, text.offset);
                }
                None => {
                    if applied.skipped {
                        if !self.given.has('N') {
                            self.say("Skipping patch.");
                        }
                    } else {
                        let at = hunks[place].old_first.cast_signed() + text.grown;
                        self.say(&format!("Hunk #{} FAILED at {at}.", place + 1));
                    }
                    applied.rejected.push((hunks[place].clone(), text.grown));
                }
            }
        }
        applied.bytes = text.finish();
        applied
    }

    fn hunk_fits(&self, place: usize, shown: isize, fuzz: usize, offset: isize) {
        if fuzz == 0 && offset == 0 && !self.given.has('~') {
            return;
        }
        let mut text = format!("Hunk #{} succeeded at {shown}", place + 1);
        if fuzz > 0 {
            text.push_str(&format!(" with fuzz {fuzz}"));
        }
        if offset != 0 {
            text.push_str(&format!(" (offset {offset} line{})", if offset == 1 { "" } else { "s" }));
        }
        self.say(&format!("{text}."));
    }

    /// Says how many hunks were left, and keeps them.
    fn report(&mut self, patch: &Patch, files: &Files, applied: &Applied) {
        if applied.rejected.is_empty() {
            return;
        }
        self.fail(1);
        let (left, count) = (applied.rejected.len(), patch.hunks.len());
        let how = if applied.skipped { "ignored" } else { "FAILED" };
        let mut text = format!("{left} out of {count} hunk{} {how}", plural(count));
        let to = match (self.given.value('r'), &self.output) {
            (Some("-"), _) => None,
            (Some(path), _) => Some(Place { shown: path.to_owned(), path: self.inside.root().join(path) }),
            (None, Some(output)) => Some(Place::named(&format!("{output}.rej"))),
            (None, None) => Some(beside(&files.to, ".rej")),
        };
        if let Some(to) = to.filter(|_| !self.given.has('!')) {
            text.push_str(&format!(" -- saving rejects to file {}", to.shown));
            if let Err(reason) = files::write(&to, None, &rejects(patch, applied)) {
                report("patch", &format!("{}: {reason}", to.shown));
                self.fail(2);
            }
        }
        self.tell(&text);
    }

    fn store(
        &mut self,
        patch: &Patch,
        files: &Files,
        by_name: bool,
        old: &[u8],
        applied: &Applied,
    ) -> Result<(), String> {
        if self.given.has('!') {
            return Ok(());
        }
        if self.output.is_some() {
            self.written.extend_from_slice(&applied.bytes);
            return Ok(());
        }
        let moved = patch.moved.is_some();
        let all_left = !patch.hunks.is_empty() && applied.rejected.len() == patch.hunks.len();
        if all_left && (applied.skipped || !files.from.exists()) {
            return Ok(());
        }
        let keeps = self.given.has('b') || (applied.loose || !applied.rejected.is_empty()) && !self.given.has('-');
        let stop = |reason: String| format!("Can't create file {} : {reason}", files.to.shown);
        if keeps && files.from.exists() {
            let suffix = self.given.value('z').unwrap_or(".orig");
            let mut to = beside(&files.to, if self.given.has('B') && !self.given.has('z') { "" } else { suffix });
            if let Some(prefix) = self.given.value('B') {
                to.path = PathBuf::from(format!("{prefix}{}", to.path.display()));
            }
            fs::write(&to.path, old).map_err(|error| stop(crate::reason(&error)))?;
        }
        let gone = if applied.reversed { patch.old.missing } else { patch.new.missing } || self.given.has('E');
        if gone && applied.bytes.is_empty() {
            if files.from.exists() {
                fs::remove_file(&files.from.path).map_err(|error| stop(crate::reason(&error)))?;
                files::remove_empty_above(&files.from, &self.inside);
            }
            return Ok(());
        }
        if patch.new.missing && !applied.reversed {
            self.tell(&format!("Not deleting file {} as content differs from patch", files.to.shown));
            self.fail(1);
        }
        let inside = by_name.then_some(&self.inside);
        files::write(&files.to, inside, &applied.bytes).map_err(stop)?;
        if moved && patch.moved == Some(Moved::Renamed) && files.from.shown != files.to.shown {
            fs::remove_file(&files.from.path).map_err(|error| stop(crate::reason(&error)))?;
            files::remove_empty_above(&files.from, &self.inside);
        }
        Ok(())
    }

    /// Writes the one file of `-o`.
    fn finish(&mut self) -> Result<(), String> {
        match self.output.as_deref().filter(|_| !self.given.has('!')) {
            None => Ok(()),
            Some("-") if crate::print(&self.written) => Ok(()),
            Some("-") => Err("write error".to_owned()),
            Some(path) => fs::write(path, &self.written)
                .map_err(|error| format!("Can't create file {path} : {}", crate::reason(&error))),
        }
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn beside(place: &Place, suffix: &str) -> Place {
    Place {
        shown: format!("{}{suffix}", place.shown),
        path: PathBuf::from(format!("{}{suffix}", place.path.display())),
    }
}

/// The hunks that were left, as a patch.
fn rejects(patch: &Patch, applied: &Applied) -> Vec<u8> {
    let header = |header: &[u8], sign: &str, name: &Option<String>| match header {
        [] => format!("{sign} {}\n", name.as_deref().unwrap_or("/dev/null")).into_bytes(),
        header => [sign.as_bytes(), &header[3..]].concat(),
    };
    let mut out = header(&patch.old.header, "---", &patch.old.name);
    out.extend(header(&patch.new.header, "+++", &patch.new.name));
    for (hunk, grown) in &applied.rejected {
        let range = |first: usize, count: usize| {
            let first = first.cast_signed() + grown;
            if count == 1 { first.to_string() } else { format!("{first},{count}") }
        };
        let (old, new) =
            (range(hunk.old_first, hunk.old_lines().count()), range(hunk.new_first, hunk.new_lines().count()));
        out.extend_from_slice(format!("@@ -{old} +{new} @@\n").as_bytes());
        for line in &hunk.lines {
            out.push(match line.kind {
                Kind::Both => b' ',
                Kind::Old => b'-',
                Kind::New => b'+',
            });
            out.extend_from_slice(&line.text);
            if !line.text.ends_with(b"\n") {
                out.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
        }
    }
    out
}
