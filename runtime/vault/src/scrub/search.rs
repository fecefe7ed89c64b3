//! Whether a form begins at one place of a text.

use super::class::{Class, Classes, Gap};
use super::escapes;
use super::filter::Filter;
use super::forms::{self, Form, PREFIX, SEPARATORS};

/// Bytes between two symbols, each escape counted as one.
const GAP_BYTES_MAX: u8 = 32;
/// Line breaks of quoted-printable between two symbols; none writes more than one.
const BREAKS_MAX: u8 = 4;

/// All forms of all values.
pub(super) struct Forms {
    forms: Vec<Form>,
    classes: Vec<Class>,
    filter: Filter,
    /// By the byte that a form begins with: its number, and the set of its second symbol.
    by_first: Vec<Vec<(u32, Class)>>,
    /// All bytes that forms begin with.
    firsts: Class,
    gaps: Gaps,
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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Thread {
    /// `None` until the first byte could be read.
    form: Option<u32>,
    /// Symbols that were found.
    symbols: u32,
    /// Bytes of the text that they took, and the gap after them.
    bytes: usize,
    gap: u8,
    breaks: u8,
}

impl Thread {
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
    /// What may become a form if the text goes on.
    pub(super) open: Vec<Thread>,
    /// What is still to be followed.
    next: Vec<Thread>,
    /// What was ever put aside to be followed, so that nothing is followed twice.
    seen: Vec<Thread>,
}

impl Trial {
    fn branch(&mut self, thread: Thread) {
        if !self.seen.contains(&thread) {
            self.seen.push(thread);
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
        let mut by_first = vec![Vec::new(); 256];
        let mut firsts = Class::default();
        for (number, form) in (0..).zip(&forms) {
            for byte in classes[form.symbols[0].class()].bytes() {
                by_first[usize::from(byte)].push((number, classes[form.symbols[1].class()]));
                firsts.add(byte);
            }
        }
        let filter = Filter::new(&forms, &classes);
        let gaps = Gaps {
            line_break: Class::of(b"\r\n"),
            after_return: Class::of(b"\n \t"),
            indentation: Class::of(b" \t"),
            separators: Class::of(SEPARATORS).with(Class::of(PREFIX)),
        };
        Self { forms, classes, filter, by_first, firsts, gaps }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The first place from `at` on where a form may begin.
    pub(super) fn next(&self, text: &[u8], at: usize) -> usize {
        self.filter.next(text, at)
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
                trial.open.push(Thread { form: None, symbols: 0, bytes: 0, gap: 0, breaks: 0 });
            }
        }
        if let Some(bytes) = escapes::doubled(text).length {
            self.enter(byte, bytes, text, trial);
        }
        self.follow(text, trial);
    }

    /// Goes on with what was open when `text` ended earlier.
    pub(super) fn resume(&self, text: &[u8], trial: &mut Trial) {
        if trial.open.iter().any(|thread| thread.form.is_none()) {
            return self.begin(text, trial);
        }
        trial.end = 0;
        trial.next = std::mem::take(&mut trial.open);
        trial.seen.clone_from(&trial.next);
        self.follow(text, trial);
    }

    /// Whether so much of a value was found that it is not shown though the text ended.
    pub(super) fn reveals(&self, trial: &Trial) -> bool {
        let enough = |thread: &Thread| {
            thread.form.is_some_and(|form| self.forms[form as usize].reveals(thread.symbols as usize))
        };
        trial.open.iter().any(enough)
    }

    /// Takes every form that begins with `byte`, which took `bytes`.
    fn enter(&self, byte: u8, bytes: usize, text: &[u8], trial: &mut Trial) {
        let second = text.get(bytes).copied().filter(|second| is_plain(*second) && !self.gaps.separators.has(*second));
        for (form, class) in &self.by_first[usize::from(byte)] {
            if second.is_none_or(|second| class.has(second)) {
                trial.next.push(Thread { form: Some(*form), symbols: 1, bytes, gap: 0, breaks: 0 });
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
        let Some(form) = thread.form.map(|form| &self.forms[form as usize]) else { return };
        loop {
            let Some(symbol) = form.symbols.get(thread.symbols as usize) else {
                trial.end = trial.end.max(thread.bytes);
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

/// Whether a byte stands for itself and nothing else.
fn is_plain(byte: u8) -> bool {
    !escapes::is_introducer(byte) && !matches!(byte, b'"' | b'\'')
}
