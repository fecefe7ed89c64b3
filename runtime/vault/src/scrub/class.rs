//! Sets of bytes.

use std::collections::HashMap;

/// A set of bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Class([u64; 4]);

impl Class {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut class = Self::default();
        bytes.iter().for_each(|byte| class.add(*byte));
        class
    }

    /// A letter in both cases, anything else as it is.
    pub(super) fn any_case(byte: u8) -> Self {
        Self::of(&[byte.to_ascii_lowercase(), byte.to_ascii_uppercase()])
    }

    pub(super) fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        (0..4).fold(0, |both, at| both | self.0[at] & other.0[at]) != 0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(|byte| self.has(*byte))
    }
}

/// What may stand between two symbols of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    /// A line break, and indentation after it.
    Lines,
    /// What separates numbers.
    Separators,
}

/// One place of a form: a set of bytes, and what may stand before it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Symbol(u16);

/// The bits of a [`Symbol`] that name its set; the rest is its gap.
const CLASS_BITS: u32 = 14;

impl Symbol {
    pub(super) fn class(self) -> usize {
        usize::from(self.0 & ((1 << CLASS_BITS) - 1))
    }

    pub(super) fn gap(self) -> Gap {
        match self.0 >> CLASS_BITS {
            0 => Gap::None,
            1 => Gap::Lines,
            _ => Gap::Separators,
        }
    }
}

impl zeroize::DefaultIsZeroes for Symbol {}

/// Each set once, so that a symbol is two bytes.
#[derive(Default)]
pub(super) struct Classes {
    all: Vec<Class>,
    places: HashMap<Class, u16>,
}

impl Classes {
    /// There are some hundred different sets: single bytes, letters in both cases, and ends of digits.
    pub(super) fn symbol(&mut self, class: Class, gap: Gap) -> Symbol {
        let next = self.all.len() as u16;
        let place = *self.places.entry(class).or_insert(next);
        if place == next {
            self.all.push(class);
        }
        let gap = match gap {
            Gap::None => 0,
            Gap::Lines => 1,
            Gap::Separators => 2,
        };
        Symbol(place | gap << CLASS_BITS)
    }

    pub(super) fn into_all(self) -> Vec<Class> {
        self.all
    }
}
