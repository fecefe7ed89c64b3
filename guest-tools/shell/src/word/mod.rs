//! Words, taken apart: what is quoted, and what is to be expanded.

mod braced;
mod parse;
mod scan;

pub(crate) use parse::{parse_assigned, parse_here, parse_named, parse_word};
pub(crate) use scan::with_cases_quoted;

use std::rc::Rc;

/// A word or a part of one.
pub(crate) type Word = Rc<[Piece]>;

/// A part of a word.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// As it stands, not quoted: patterns in it are patterns.
    Text(String),
    /// Quoted without expansions.
    Quoted(String),
    /// Within double quotes.
    Double(Vec<Piece>),
    /// `~`, and what follows it.
    Tilde(String),
    Param(Box<Param>),
    /// `$(…)`, its source.
    Command(Rc<str>),
    /// `$((…))`.
    Arithmetic(Word),
}

/// A parameter with what is done to it.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    /// A name, a number, or one of `@*#?-$!0`.
    pub(crate) name: String,
    pub(crate) index: Option<Index>,
    /// `${!name}`.
    pub(crate) indirect: bool,
    pub(crate) op: Op,
}

/// What stands in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Index {
    /// `[@]`.
    Each,
    /// `[*]`.
    Joined,
    /// Source of the one that is meant.
    At(String),
}

/// What is done to a parameter.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Get,
    Length,
    /// `-`, `=`, `?` or `+`; with a colon, null counts as unset.
    Test {
        kind: char,
        colon: bool,
        word: Word,
    },
    Remove {
        end: End,
        longest: bool,
        pattern: Word,
    },
    Replace {
        place: Place,
        pattern: Word,
        with: Word,
    },
    Substring {
        offset: Word,
        length: Option<Word>,
    },
    Case {
        change: Case,
        all: bool,
        pattern: Word,
    },
    /// `@Q` and its like.
    Transform(char),
    /// `${!prefix*}`.
    Names {
        joined: bool,
    },
    /// `${!array[@]}`.
    Keys {
        joined: bool,
    },
    /// No such expansion; its source.
    Bad(String),
}

/// Where something is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Prefix,
    Suffix,
}

/// Where something is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    First,
    All,
    Prefix,
    Suffix,
}

/// How the case of letters changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Upper,
    Lower,
    Toggle,
}
