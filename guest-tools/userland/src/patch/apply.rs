//! Finds where hunks belong, and puts them there.

use super::parse::{Hunk, Kind, Line};

/// A file while it is changed.
pub(super) struct Text<'a> {
    lines: Vec<&'a [u8]>,
    out: Vec<u8>,
    /// How many of its lines are done.
    done: usize,
    /// How far the last hunk was from where it says.
    pub(super) offset: isize,
    /// How many lines more there are behind the hunks so far.
    pub(super) grown: isize,
    blanks: Blanks,
}

/// Whether blanks must be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blanks {
    Count,
    /// Any are as good as any others, but not as none.
    Loose,
}

/// Where a hunk was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// The line that it begins at, from 0.
    at: usize,
    /// The line that it is at afterwards, from 1.
    pub(super) shown: isize,
}

impl<'a> Text<'a> {
    pub(super) fn new(bytes: &'a [u8], blanks: Blanks) -> Self {
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        Self { lines, out: Vec::with_capacity(bytes.len()), done: 0, offset: 0, grown: 0, blanks }
    }

    /// Looks for a hunk, nearest to where it should be first. So many lines of its context on either side
    /// need not be the same.
    pub(super) fn find(&self, hunk: &Hunk, fuzz: usize) -> Option<Found> {
        let pattern: Vec<&Line> = hunk.old_lines().collect();
        let first = first(hunk, pattern.is_empty());
        let guess = first.saturating_add_signed(self.offset).max(self.done);
        let found = |at: usize| Found { at, shown: at.cast_signed() + 1 + self.grown };
        if pattern.is_empty() {
            let at = guess.min(self.lines.len());
            return Some(found(at));
        }
        let (before, after) = context(hunk);
        let most = before.max(after);
        if fuzz > 0 && fuzz > most {
            return None;
        }
        // A side with less context than the other stands at an end of the file.
        let skipped = |side: usize| (fuzz + side).checked_sub(most);
        let last = self.lines.len().checked_sub(pattern.len());
        match (skipped(before), skipped(after)) {
            (None, after) if first == 0 => {
                if after.is_none() && last != Some(0) {
                    return None;
                }
                self.fits(&pattern, 0, 0, after.unwrap_or(0)).then(|| found(0))
            }
            (before, None) => {
                let at = last?;
                self.fits(&pattern, at, before.unwrap_or(0), 0).then(|| found(at))
            }
            (before, Some(after)) => {
                let before = before.unwrap_or(0);
                let farthest = self.lines.len().max(guess);
                let places = (0..=farthest).flat_map(|away| {
                    let up = guess.checked_add(away);
                    let down = if away > 0 { guess.checked_sub(away) } else { None };
                    up.into_iter().chain(down)
                });
                places.into_iter().find(|at| self.fits(&pattern, *at, before, after)).map(found)
            }
        }
    }

    /// Whether the lines from a place on are these, but for so many at the start and the end.
    fn fits(&self, pattern: &[&Line], at: usize, before: usize, after: usize) -> bool {
        // Lines that may differ may even lie behind the end.
        let Some(checked) = pattern.len().checked_sub(after) else { return false };
        if at < self.done || at + checked > self.lines.len() || at + pattern.len() > self.lines.len() + after {
            return false;
        }
        (before..checked).all(|place| self.same(self.lines[at + place], &pattern[place].text))
    }

    fn same(&self, left: &[u8], right: &[u8]) -> bool {
        left == right || self.blanks == Blanks::Loose && words(left) == words(right)
    }

    /// Puts a hunk where it was found.
    pub(super) fn put(&mut self, hunk: &Hunk, found: Found) {
        let first = first(hunk, hunk.old_lines().next().is_none());
        self.offset = found.at.cast_signed() - first.cast_signed();
        self.copy(found.at);
        for line in &hunk.lines {
            match line.kind {
                // What the file has, which fuzz lets differ from the patch.
                Kind::Both => self.copy((self.done + 1).min(self.lines.len())),
                Kind::Old => {
                    self.done = (self.done + 1).min(self.lines.len());
                    self.grown -= 1;
                }
                Kind::New => {
                    self.out.extend_from_slice(&line.text);
                    self.grown += 1;
                }
            }
        }
    }

    fn copy(&mut self, until: usize) {
        for line in &self.lines[self.done..until] {
            self.out.extend_from_slice(line);
        }
        self.done = until;
    }

    /// The file as it is now.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.copy(self.lines.len());
        self.out
    }
}

/// The line that a hunk begins at by its own word, from 0.
pub(super) fn first(hunk: &Hunk, adds_only: bool) -> usize {
    // Of no lines, the one before them is named.
    if adds_only { hunk.old_first } else { hunk.old_first.saturating_sub(1) }
}

/// How many lines of context a hunk starts and ends with.
pub(super) fn context(hunk: &Hunk) -> (usize, usize) {
    let same = |line: &&Line| line.kind == Kind::Both;
    (hunk.lines.iter().take_while(same).count(), hunk.lines.iter().rev().take_while(same).count())
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut words: Vec<&[u8]> = line.trim_ascii_end().split(blank).collect();
    let starts_blank = words.first().is_some_and(|word| word.is_empty());
    words.retain(|word| !word.is_empty());
    if starts_blank {
        words.insert(0, b"");
    }
    words
}
