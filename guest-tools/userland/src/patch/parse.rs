//! Reads patches: unified ones, as of `diff -u` and git, and the normal ones of plain `diff`.

/// A line of a hunk, with its end if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) kind: Kind,
    pub(super) text: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Both,
    Old,
    New,
}

/// Lines that are changed together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hunk {
    /// The first line, as it is written: of no lines, the one before them.
    pub(super) old_first: usize,
    pub(super) new_first: usize,
    pub(super) lines: Vec<Line>,
}

impl Hunk {
    pub(super) fn old_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.kind != Kind::New)
    }

    pub(super) fn new_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.kind != Kind::Old)
    }

    /// The same change backwards.
    pub(super) fn swapped(&self) -> Self {
        let mut lines = Vec::with_capacity(self.lines.len());
        let mut held: Vec<Line> = Vec::new();
        for line in &self.lines {
            match line.kind {
                Kind::Old => held.push(Line { kind: Kind::New, text: line.text.clone() }),
                Kind::New => lines.push(Line { kind: Kind::Old, text: line.text.clone() }),
                Kind::Both => {
                    lines.append(&mut held);
                    lines.push(line.clone());
                }
            }
        }
        lines.append(&mut held);
        Self { old_first: self.new_first, new_first: self.old_first, lines }
    }
}

/// What a patch says of one side of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Side {
    /// None where it says `/dev/null`, or nothing.
    pub(super) name: Option<String>,
    /// The whole line, for rejects.
    pub(super) header: Vec<u8>,
    /// There is no such file on this side.
    pub(super) missing: bool,
    /// Nothing is in the file on this side, if there is one.
    pub(super) empty: bool,
}

/// The changes to one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Patch {
    /// What stands before the changes, for a message.
    pub(super) lead: Vec<Vec<u8>>,
    /// The number of the line behind that, from 1.
    pub(super) line: usize,
    pub(super) old: Side,
    pub(super) new: Side,
    pub(super) index: Option<String>,
    /// It goes from one name to another: git's `rename` and `copy`.
    pub(super) moved: Option<Moved>,
    pub(super) binary: bool,
    pub(super) normal: bool,
    pub(super) hunks: Vec<Hunk>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moved {
    Renamed,
    Copied,
}

impl Patch {
    /// The same changes backwards.
    pub(super) fn swapped(self) -> Self {
        let hunks = self.hunks.iter().map(Hunk::swapped).collect();
        Self { old: self.new, new: self.old, hunks, ..self }
    }

    fn holds_something(&self) -> bool {
        !self.hunks.is_empty() || self.moved.is_some() || self.binary || self.old.missing || self.new.missing
    }
}

/// Reads all patches of a text. What is wrong in words: it names the line.
pub(super) fn parse(text: &[u8]) -> Result<Vec<Patch>, String> {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut reader = Reader { lines, at: 0 };
    let mut patches = Vec::new();
    while let Some(patch) = reader.patch()? {
        patches.push(patch);
    }
    Ok(patches)
}

struct Reader<'a> {
    lines: Vec<&'a [u8]>,
    at: usize,
}

impl Reader<'_> {
    /// The next patch; None if nothing but other text is left.
    fn patch(&mut self) -> Result<Option<Patch>, String> {
        let mut patch = Patch::default();
        let mut git = false;
        while let Some(line) = self.lines.get(self.at).copied() {
            if let Some(names) = line.strip_prefix(b"diff --git ") {
                // One that only renames, or is empty, has ended here.
                if git && patch.holds_something() {
                    patch.line = self.at + 1;
                    return Ok(Some(patch));
                }
                patch = Patch { lead: std::mem::take(&mut patch.lead), ..Patch::default() };
                git = true;
                (patch.old.name, patch.new.name) = git_names(names);
            } else if line.starts_with(b"--- ") && self.next_starts(b"+++ ") {
                self.sides(&mut patch, git);
                if self.lines.get(self.at).is_some_and(|line| range(line).is_some()) {
                    patch.line = self.at + 1;
                    self.hunks(&mut patch)?;
                    return Ok(Some(patch));
                }
                continue;
            } else if line.starts_with(b"*** ") && self.next_starts(b"--- ") {
                return Err("context diffs are not available here; make the patch with diff -u".to_owned());
            } else if !git && patch.old.name.is_none() && normal(line).is_some() {
                patch.line = self.at + 1;
                patch.normal = true;
                self.normal_hunks(&mut patch)?;
                return Ok(Some(patch));
            } else {
                extended(line, &mut patch, git);
            }
            patch.lead.push(line.to_vec());
            self.at += 1;
        }
        patch.line = self.at + 1;
        Ok((git && patch.holds_something()).then_some(patch))
    }

    fn next_starts(&self, with: &[u8]) -> bool {
        self.lines.get(self.at + 1).is_some_and(|line| line.starts_with(with))
    }

    fn sides(&mut self, patch: &mut Patch, git: bool) {
        for _ in 0..2 {
            let line = self.lines[self.at];
            let side = if line.starts_with(b"---") { &mut patch.old } else { &mut patch.new };
            let (name, missing) = named(&line[4..]);
            // Git says by itself what a file was called and whether it was there.
            if !git || name.is_some() {
                side.name = name;
            }
            side.missing |= missing;
            side.header = line.to_vec();
            patch.lead.push(line.to_vec());
            self.at += 1;
        }
    }

    fn hunks(&mut self, patch: &mut Patch) -> Result<(), String> {
        while let Some((old, new)) = self.lines.get(self.at).and_then(|line| range(line)) {
            self.at += 1;
            if patch.hunks.is_empty() {
                (patch.old.empty, patch.new.empty) = (old == (0, 0), new == (0, 0));
            }
            let mut hunk = Hunk { old_first: old.0, new_first: new.0, lines: Vec::new() };
            let (mut old_left, mut new_left) = (old.1, new.1);
            while old_left > 0 || new_left > 0 {
                let line = self.lines.get(self.at).copied();
                let (kind, text) = match line.map(|line| (line.first(), line)) {
                    Some((Some(b' '), line)) => (Kind::Both, &line[1..]),
                    // A mailer took the blank away.
                    Some((Some(b'\n'), line)) => (Kind::Both, line),
                    Some((Some(b'\t'), line)) => (Kind::Both, line),
                    Some((Some(b'-'), line)) => (Kind::Old, &line[1..]),
                    Some((Some(b'+'), line)) => (Kind::New, &line[1..]),
                    Some((Some(b'\\'), _)) => {
                        self.without_end(&mut hunk);
                        continue;
                    }
                    // Blank lines at the end may have been cut off.
                    None if old_left == new_left && old_left < 3 => (Kind::Both, &b"\n"[..]),
                    None => return Err("unexpected end of file in patch".to_owned()),
                    Some((_, line)) => return Err(malformed(self.at, line)),
                };
                let (from_old, from_new) = (usize::from(kind != Kind::New), usize::from(kind != Kind::Old));
                if from_old > old_left || from_new > new_left {
                    return Err(malformed(self.at, line.unwrap_or_default()));
                }
                (old_left, new_left) = (old_left - from_old, new_left - from_new);
                let mut text = text.to_vec();
                if !text.ends_with(b"\n") {
                    text.push(b'\n');
                }
                hunk.lines.push(Line { kind, text });
                self.at += 1;
            }
            self.without_end(&mut hunk);
            patch.hunks.push(hunk);
        }
        Ok(())
    }

    /// Takes the end off the last line where the patch says that it has none.
    fn without_end(&mut self, hunk: &mut Hunk) {
        if self.lines.get(self.at).is_some_and(|line| line.starts_with(b"\\")) {
            if let Some(line) = hunk.lines.last_mut() {
                line.text.pop();
            }
            self.at += 1;
        }
    }

    fn normal_hunks(&mut self, patch: &mut Patch) -> Result<(), String> {
        while let Some((old, sign, new)) = self.lines.get(self.at).and_then(|line| normal(line)) {
            self.at += 1;
            let mut hunk = Hunk { old_first: old.0, new_first: new.0, lines: Vec::new() };
            if sign != b'a' {
                self.marked(&mut hunk, b'<', Kind::Old, old.1)?;
            }
            if sign == b'c' && self.lines.get(self.at).is_some_and(|line| line.starts_with(b"---")) {
                self.at += 1;
            }
            if sign != b'd' {
                self.marked(&mut hunk, b'>', Kind::New, new.1)?;
            }
            patch.hunks.push(hunk);
        }
        Ok(())
    }

    fn marked(&mut self, hunk: &mut Hunk, mark: u8, kind: Kind, count: usize) -> Result<(), String> {
        for _ in 0..count {
            match self.lines.get(self.at) {
                Some([first, b' ' | b'\t', text @ ..]) if *first == mark => {
                    hunk.lines.push(Line { kind, text: text.to_vec() });
                }
                Some(line) => return Err(malformed(self.at, line)),
                None => return Err("unexpected end of file in patch".to_owned()),
            }
            self.at += 1;
        }
        self.without_end(hunk);
        Ok(())
    }
}

fn malformed(at: usize, line: &[u8]) -> String {
    format!("malformed patch at line {}: {}", at + 1, String::from_utf8_lossy(line))
}

/// A line that git has between the names and the changes, or `Index:`.
fn extended(line: &[u8], patch: &mut Patch, git: bool) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    if let Some(name) = text.strip_prefix("Index: ") {
        patch.index = Some(name.to_owned());
    }
    if !git {
        return;
    }
    let starts = [
        ("rename from ", Moved::Renamed),
        ("rename to ", Moved::Renamed),
        ("copy from ", Moved::Copied),
        ("copy to ", Moved::Copied),
    ];
    for (start, moved) in starts {
        if let Some(name) = text.strip_prefix(start) {
            patch.moved = Some(moved);
            // These names have no folder before them that `-p` takes away, as the others have.
            let (side, before) = if start.ends_with("from ") { (&mut patch.old, "a/") } else { (&mut patch.new, "b/") };
            side.name = Some(format!("{before}{}", unquoted(name)));
        }
    }
    patch.old.missing |= text.starts_with("new file mode ");
    patch.new.missing |= text.starts_with("deleted file mode ");
    patch.binary |= text == "GIT binary patch" || text.starts_with("Binary files ");
}

/// The names of `diff --git a/one b/two`. Where blanks in them leave it open, that they are the same decides.
fn git_names(text: &[u8]) -> (Option<String>, Option<String>) {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_end_matches(['\r', '\n']);
    let same = |at: &usize| {
        text[..*at].split_once('/').map(|(_, name)| name) == text[at + 1..].split_once('/').map(|(_, name)| name)
    };
    let blanks: Vec<usize> = text.match_indices(' ').map(|(at, _)| at).collect();
    let at = blanks.iter().find(|at| same(at)).or(blanks.first());
    match at {
        Some(at) => (Some(unquoted(&text[..*at])), Some(unquoted(&text[at + 1..]))),
        None => (None, None),
    }
}

/// The name in a `---` or `+++` line, and whether the line says that there is no such file.
fn named(text: &[u8]) -> (Option<String>, bool) {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_end_matches(['\r', '\n']);
    let (name, time) = text.split_once('\t').unwrap_or((text, ""));
    let name = unquoted(name.trim_end());
    if name == "/dev/null" {
        return (None, true);
    }
    // What was never written is dated to the beginning of time.
    let never = time.starts_with("1970-01-01 00:00:00") && time.ends_with("+0000");
    (Some(name), never)
}

/// Takes the quotes and escapes away that git puts around odd names.
fn unquoted(name: &str) -> String {
    let Some(inner) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) else {
        return name.to_owned();
    };
    let mut out = Vec::new();
    let mut bytes = inner.bytes().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    if let Some(digit) = bytes.next_if(|byte| (b'0'..=b'7').contains(byte)) {
                        value = value * 8 + u32::from(digit - b'0');
                    }
                }
                out.push(u8::try_from(value).unwrap_or(b'?'));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A first line and how many there are.
type Range = (usize, usize);

/// Reads `@@ -1,2 +3,4 @@`.
fn range(line: &[u8]) -> Option<(Range, Range)> {
    let text = String::from_utf8_lossy(line);
    let (old, rest) = text.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, _) = rest.split_once(" @@")?;
    let part = |text: &str| match text.split_once(',') {
        Some((first, count)) => Some((first.parse().ok()?, count.parse().ok()?)),
        None => Some((text.parse().ok()?, 1)),
    };
    Some((part(old)?, part(new)?))
}

/// Reads `1,2c3,4`.
fn normal(line: &[u8]) -> Option<(Range, u8, Range)> {
    let text = std::str::from_utf8(line).ok()?.trim_end();
    let at = text.find(['a', 'c', 'd'])?;
    let part = |text: &str| match text.split_once(',') {
        Some((first, last)) => {
            let first: usize = first.parse().ok()?;
            Some((first, (last.parse::<usize>().ok()? + 1).checked_sub(first)?))
        }
        None => Some((text.parse().ok()?, 1)),
    };
    Some((part(&text[..at])?, text.as_bytes()[at], part(&text[at + 1..])?))
}
