//! What a disk may hold after power was lost.

use crate::chance::Chance;
use crate::disk::{Op, put};

const SECTOR: usize = 512;

/// What became of the writes that no sync followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps {
    Nothing,
    All,
    /// Some of the writes.
    Some,
    /// Some of the sectors of all writes.
    Sectors,
    /// Some of the writes, and later ones reached the disk before earlier ones.
    Reordered,
    /// All, but the last ends in the middle.
    Torn,
    /// All within the length that the file had.
    NoGrowth,
    /// The file's new length, and nothing in it.
    OnlyGrowth,
}

impl Keeps {
    pub(crate) const EACH: [Self; 8] = [
        Self::Nothing,
        Self::All,
        Self::Some,
        Self::Sectors,
        Self::Reordered,
        Self::Torn,
        Self::NoGrowth,
        Self::OnlyGrowth,
    ];
}

/// A moment of a trace.
#[derive(Debug, Clone)]
pub(crate) struct Moment<'a> {
    trace: &'a [Op],
    /// What is on the disk for certain.
    durable: Vec<u8>,
    /// From where on nothing is.
    from: usize,
    /// How much of the trace happened.
    pub(crate) now: usize,
}

impl<'a> Moment<'a> {
    /// Before anything happened on a disk that holds this.
    pub(crate) fn new(begin: Vec<u8>, trace: &'a [Op]) -> Self {
        Self { trace, durable: begin, from: 0, now: 0 }
    }

    /// Lets the next thing happen. Whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        let Some(op) = self.trace.get(self.now) else { return false };
        self.now += 1;
        if matches!(op, Op::Sync) {
            self.trace[self.from..self.now].iter().for_each(|op| op.apply(&mut self.durable));
            self.from = self.now;
        }
        true
    }

    pub(crate) fn to(mut self, now: usize) -> Self {
        while self.now < now && self.step() {}
        self
    }

    /// Whether anything is not durable; if not, all is kept whatever the disk does.
    pub(crate) fn is_open(&self) -> bool {
        self.from < self.now
    }

    pub(crate) fn image(&self, keeps: Keeps, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let pending = &self.trace[self.from..self.now];
        let grown = pending.iter().rev().find_map(|op| if let Op::Resize(len) = op { Some(*len) } else { None });
        match keeps {
            Keeps::Nothing => {}
            Keeps::All => pending.iter().for_each(|op| op.apply(&mut bytes)),
            Keeps::Some => {
                let kept = pending.iter().filter(|_| chance.one_in(2));
                kept.for_each(|op| op.apply(&mut bytes));
            }
            Keeps::Sectors => {
                bytes.resize(grown.unwrap_or(bytes.len()), 0);
                pending.iter().for_each(|op| sectors(op, &mut bytes, chance));
            }
            Keeps::Reordered => {
                bytes.resize(grown.filter(|_| chance.one_in(2)).unwrap_or(bytes.len()), 0);
                let mut order: Vec<_> = pending.iter().filter(|op| matches!(op, Op::Write { .. })).collect();
                chance.shuffle(&mut order);
                let kept = chance.below(order.len() + 1);
                order[..kept].iter().for_each(|op| op.apply(&mut bytes));
            }
            Keeps::Torn => {
                let last = pending.iter().rposition(|op| matches!(op, Op::Write { .. }));
                for (index, op) in pending.iter().enumerate() {
                    match op {
                        Op::Write { at, data } if Some(index) == last => {
                            let cut = chance.below(data.len().div_ceil(SECTOR) + 1) * SECTOR;
                            put(&mut bytes, *at, &data[..cut.min(data.len())]);
                        }
                        op => op.apply(&mut bytes),
                    }
                }
            }
            Keeps::NoGrowth => {
                let writes = pending.iter().filter(|op| matches!(op, Op::Write { .. }));
                writes.for_each(|op| op.apply(&mut bytes));
            }
            Keeps::OnlyGrowth => bytes.resize(grown.unwrap_or(bytes.len()), 0),
        }
        bytes
    }
}

/// Keeps some sectors of a write.
fn sectors(op: &Op, bytes: &mut [u8], chance: &mut Chance) {
    let Op::Write { at, data } = op else { return };
    let mut done = 0;
    while done < data.len() {
        // To where the sector of the disk ends.
        let end = (done + SECTOR - (at + done) % SECTOR).min(data.len());
        if chance.one_in(2) {
            put(bytes, at + done, &data[done..end]);
        }
        done = end;
    }
}
