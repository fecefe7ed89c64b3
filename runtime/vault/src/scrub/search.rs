//! Whether a form begins at one place of a text.

use super::class::{Class, Classes, Gap, Symbol};
use super::escapes;
use super::filter::{Cursor, Filter};
use super::forms::{self, Form, PREFIX, SEPARATORS};
use std::collections::{HashMap, HashSet};

/// Bytes between two symbols, each escape counted as one.
const GAP_BYTES_MAX: u8 = 32;
/// Line breaks of quoted-printable between two symbols; none writes more than one.
const BREAKS_MAX: u8 = 4;

/// Symbols by which forms are told apart first: many secrets begin alike.
const GROUP_SYMBOLS: usize = 4;

/// All forms of all values.
pub(super) struct Forms {
    forms: Vec<Form>,
    classes: Vec<Class>,
    filter: Filter,
    /// Forms that begin with the same symbols.
    groups: Vec<Vec<u32>>,
    /// By the byte that forms begin with.
    by_first: Vec<Starts>,
    /// All bytes that forms begin with.
    firsts: Class,
    gaps: Gaps,
}

/// The groups that begin with one byte.
#[derive(Clone, Default)]
struct Starts {
    /// With their second and third symbols.
    groups: Vec<(u32, Symbol, Symbol)>,
    /// What may stand second in any of them.
    seconds: Class,
}

/// What may stand between symbols.
struct Gaps {
    /// One line break, with which a gap between lines begins; a blank line is none.
    line_break: Class,
    after_return: Class,
    indentation: Class,
    separators: Class,
}

impl Gaps {
    /// What may follow so many bytes of a gap; a carriage return alone counts as one, anything else as more.
    fn after(&self, gap: Gap, count: u8) -> Class {
        match (gap, count) {
            (Gap::None, _) | (_, GAP_BYTES_MAX..) => Class::default(),
            (Gap::Lines, 0) => self.line_break,
            (Gap::Lines, 1) => self.after_return,
            (Gap::Lines, _) => self.indentation,
            (Gap::Separators, _) => self.separators,
        }
    }
}

/// How much of a form was found, from one place on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Thread {
    of: Of,
    /// Symbols that were found.
    symbols: usize,
    /// Bytes of the text that they took, and the gap after them.
    bytes: usize,
    gap: u8,
    breaks: u8,
}

/// What a thread is of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    /// The first byte could not be read yet.
    Any,
    Group(u32),
    Form(u32),
}

impl Thread {
    fn new(of: Of, symbols: usize, bytes: usize) -> Self {
        Self { of, symbols, bytes, gap: 0, breaks: 0 }
    }

    /// Zeros between the characters of a form that was found. None of one that has them escaped: no text of wide characters
    /// does.
    fn zeros(self, form: &Form) -> usize {
        if self.bytes == self.symbols { form.zeros } else { 0 }
    }

    /// With one more symbol, which took so many bytes.
    fn found(self, bytes: usize) -> Self {
        Self { symbols: self.symbols + 1, bytes: self.bytes + bytes, gap: 0, breaks: 0, ..self }
    }

    /// With so many bytes more before the next symbol, which were read as one.
    fn passed(self, byte: u8, bytes: usize) -> Self {
        let gap = if byte == b'\r' { self.gap + 1 } else { self.gap.max(1) + 1 };
        Self { bytes: self.bytes + bytes, gap, ..self }
    }

    /// With a line break that quoted-printable adds anywhere.
    fn broken(self, bytes: usize) -> Self {
        Self { bytes: self.bytes + bytes, breaks: self.breaks + 1, ..self }
    }
}

/// What begins at one place.
#[derive(Default)]
pub(super) struct Trial {
    /// Where the longest form that is there ends; 0 if none is.
    pub(super) end: usize,
    /// Zeros between the characters of that form.
    pub(super) zeros: usize,
    /// What may become a form if the text goes on.
    pub(super) open: Vec<Thread>,
    /// What is still to be followed.
    next: Vec<Thread>,
    /// What was ever put aside to be followed, so that nothing is followed twice.
    seen: HashSet<Thread>,
}

impl Trial {
    fn branch(&mut self, thread: Thread) {
        if self.seen.insert(thread) {
            self.next.push(thread);
        }
    }

    fn keep(&mut self, thread: Thread) {
        if !self.open.contains(&thread) {
            self.open.push(thread);
        }
    }
}

impl Forms {
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut classes = Classes::default();
        let forms: Vec<Form> = values.flat_map(|value| forms::of(value, &mut classes)).collect();
        let classes = classes.into_all();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        let mut by_symbols = HashMap::new();
        for (number, form) in (0..).zip(&forms) {
            let group = *by_symbols.entry(&form.symbols[..GROUP_SYMBOLS]).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[group].push(number);
        }
        let filter = Filter::new(&forms, &classes);
        let gaps = Gaps {
            line_break: Class::of(b"\r\n"),
            after_return: Class::of(b"\n \t"),
            indentation: Class::of(b" \t"),
            separators: Class::of(SEPARATORS).with(Class::of(PREFIX)),
        };
        let mut by_first = vec![Starts::default(); 256];
        let mut firsts = Class::default();
        for (number, group) in (0..).zip(&groups) {
            let &[first, second, third, ..] = forms[group[0] as usize].symbols.as_slice() else { continue };
            for byte in classes[first.class()].bytes() {
                let starts = &mut by_first[usize::from(byte)];
                starts.groups.push((number, second, third));
                starts.seconds = starts.seconds.with(classes[second.class()]).with(gaps.after(second.gap(), 0));
                firsts.add(byte);
            }
        }
        Self { forms, classes, filter, groups, by_first, firsts, gaps }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The next place where a form may begin.
    pub(super) fn next(&self, text: &[u8], cursor: &mut Cursor) -> usize {
        self.filter.next(text, cursor)
    }

    /// What begins where `text` does.
    pub(super) fn begin(&self, text: &[u8], trial: &mut Trial) {
        trial.end = 0;
        trial.open.clear();
        let Some(&byte) = text.first() else { return };
        self.enter(byte, 1, text, trial);
        if escapes::is_introducer(byte) {
            let is_cut = escapes::read(text, |byte, bytes| {
                if let Some(byte) = byte {
                    self.enter(byte, bytes, text, trial);
                }
            });
            if is_cut && escapes::may_become(text, &self.firsts) {
                trial.open.push(Thread::new(Of::Any, 0, 0));
            }
        }
        if let Some(bytes) = escapes::doubled(text).length {
            self.enter(byte, bytes, text, trial);
        }
        self.follow(text, trial);
    }

    /// Goes on with what was open when `text` ended earlier.
    pub(super) fn resume(&self, text: &[u8], trial: &mut Trial) {
        if trial.open.iter().any(|thread| thread.of == Of::Any) {
            return self.begin(text, trial);
        }
        trial.end = 0;
        trial.next = std::mem::take(&mut trial.open);
        trial.seen.extend(&trial.next);
        self.follow(text, trial);
    }

    /// Whether so much of a value was found that it is not shown though the text ended; and the zeros between its characters.
    pub(super) fn reveals(&self, trial: &Trial) -> Option<usize> {
        trial.open.iter().find_map(|thread| {
            let form = match thread.of {
                Of::Any => return None,
                Of::Group(group) => self.form(self.groups[group as usize][0]),
                Of::Form(form) => self.form(form),
            };
            form.reveals(thread.symbols).then(|| thread.zeros(form))
        })
    }

    fn form(&self, number: u32) -> &Form {
        &self.forms[number as usize]
    }

    /// Takes every group that begins with `byte`, which took `bytes`, unless what follows cannot be its second symbol.
    fn enter(&self, byte: u8, bytes: usize, text: &[u8], trial: &mut Trial) {
        let starts = &self.by_first[usize::from(byte)];
        if starts.groups.is_empty() {
            return;
        }
        let seconds = readings(&text[bytes..]);
        if seconds.as_ref().is_some_and(|seconds| !starts.seconds.meets(seconds)) {
            return;
        }
        // If two bytes follow that stand for themselves and are no gap, the third symbol is known too.
        let third = text.get(bytes + 1).copied().filter(|third| {
            let is_known = |byte| is_plain(byte) && !self.gaps.separators.has(byte);
            is_known(*third) && is_known(text[bytes])
        });
        for (group, second, third_symbol) in &starts.groups {
            let fits_second = seconds.as_ref().is_none_or(|seconds| {
                self.classes[second.class()].meets(seconds) || self.gaps.after(second.gap(), 0).meets(seconds)
            });
            if fits_second && third.is_none_or(|third| self.classes[third_symbol.class()].has(third)) {
                trial.next.push(Thread::new(Of::Group(*group), 1, bytes));
            }
        }
    }

    fn follow(&self, text: &[u8], trial: &mut Trial) {
        while let Some(thread) = trial.next.pop() {
            self.follow_one(text, thread, trial);
        }
        trial.seen.clear();
    }

    fn follow_one(&self, text: &[u8], mut thread: Thread, trial: &mut Trial) {
        let form = match thread.of {
            Of::Any => return,
            Of::Group(group) => self.form(self.groups[group as usize][0]),
            Of::Form(form) => self.form(form),
        };
        loop {
            if let Of::Group(group) = thread.of
                && thread.symbols == GROUP_SYMBOLS
            {
                let forms = self.groups[group as usize].iter();
                trial.next.extend(forms.map(|form| Thread { of: Of::Form(*form), ..thread }));
                return;
            }
            let Some(symbol) = form.symbols.get(thread.symbols) else {
                if thread.bytes > trial.end {
                    (trial.end, trial.zeros) = (thread.bytes, thread.zeros(form));
                }
                return;
            };
            let Some(&byte) = text.get(thread.bytes) else { return trial.keep(thread) };
            let class = &self.classes[symbol.class()];
            if !is_plain(byte) || !class.has(byte) || byte == b'0' {
                return self.step(text, thread, class, symbol.gap(), trial);
            }
            thread = thread.found(1);
        }
    }

    /// Each way to go on from bytes that can be read in several.
    fn step(&self, text: &[u8], thread: Thread, class: &Class, gap: Gap, trial: &mut Trial) {
        let rest = &text[thread.bytes..];
        let byte = rest[0];
        let gaps = self.gaps.after(gap, thread.gap);
        if class.has(byte) {
            trial.branch(thread.found(1));
        }
        if gaps.has(byte) {
            trial.branch(thread.passed(byte, 1));
        }
        let mut is_cut = false;
        if escapes::is_introducer(byte) {
            is_cut = escapes::read(rest, |byte, bytes| match byte {
                Some(byte) if class.has(byte) => trial.branch(thread.found(bytes)),
                Some(byte) if gaps.has(byte) => trial.branch(thread.passed(byte, bytes)),
                None if thread.breaks < BREAKS_MAX => trial.branch(thread.broken(bytes)),
                _ => {}
            });
            is_cut = is_cut && escapes::may_become(rest, &class.with(gaps));
        } else if class.has(byte) {
            let doubled = escapes::doubled(rest);
            is_cut = doubled.is_cut;
            doubled.length.into_iter().for_each(|bytes| trial.branch(thread.found(bytes)));
        }
        if is_cut {
            trial.keep(thread);
        }
    }
}

/// All bytes that `text` may be read as beginning with; `None` if that cannot be said.
fn readings(text: &[u8]) -> Option<Class> {
    let &byte = text.first()?;
    let mut readings = Class::of(&[byte]);
    let mut is_known = true;
    if escapes::is_introducer(byte) {
        let is_cut = escapes::read(text, |byte, _| match byte {
            Some(byte) => readings.add(byte),
            None => is_known = false,
        });
        is_known &= !is_cut;
    }
    is_known.then_some(readings)
}

/// Whether a byte stands for itself and nothing else.
fn is_plain(byte: u8) -> bool {
    !escapes::is_introducer(byte) && !matches!(byte, b'"' | b'\'')
}
