//! What a script says, as it is carried out.

use super::matcher::Pattern;
use std::rc::Rc;

/// One end of what a command is for.
#[derive(Debug)]
pub(super) enum Address {
    Line(u64),
    /// From the first on, each so many lines.
    Step(u64, u64),
    Last,
    /// None is the pattern that was used last.
    Matching(Option<Rc<Pattern>>),
    /// So many lines more; only as the second end.
    More(u64),
    /// Up to the next line whose number can be divided by this; only as the second end.
    Multiple(u64),
}

/// A command with the lines that it is for.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) first: Option<Address>,
    pub(super) second: Option<Address>,
    /// It is for all other lines.
    pub(super) negated: bool,
    pub(super) action: Action,
}

#[derive(Debug)]
pub(super) enum Action {
    /// `{`: the place behind its `}`, where things go on if the lines do not fit.
    Block(usize),
    /// A label, a comment, or the end of a block.
    Nothing,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    Branch(Jump),
    Delete,
    DeleteFirst,
    FileName,
    Get,
    GetAppend,
    Hold,
    HoldAppend,
    Exchange,
    List(Option<usize>),
    Next,
    NextAppend,
    Number,
    Print,
    PrintFirst,
    Quit(u8),
    QuitSilently(u8),
    ReadFile(String),
    /// One line of this file: its place among the files that are read so.
    ReadLine(usize),
    Substitute(Box<Substitution>),
    Write(usize),
    WriteFirst(usize),
    Translate(Box<Table>),
    Zap,
}

/// When a branch is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Always,
    Replaced,
    NotReplaced,
}

#[derive(Debug)]
pub(super) struct Jump {
    pub(super) when: When,
    pub(super) label: String,
    /// Where it leads; the end of the script if it names no label.
    pub(super) to: usize,
}

#[derive(Debug)]
pub(super) struct Substitution {
    /// None is the pattern that was used last.
    pub(super) pattern: Option<Rc<Pattern>>,
    pub(super) replacement: Vec<Piece>,
    /// Whether the replacement speaks of groups.
    pub(super) groups: usize,
    pub(super) all: bool,
    pub(super) print: bool,
    /// The match to begin with, from 1 on.
    pub(super) number: u64,
    pub(super) write: Option<usize>,
}

/// A part of a replacement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    Group(usize),
    /// One of `ULEul`.
    Case(u8),
}

/// What `y` does: characters of one byte, and the others.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) bytes: [u8; 256],
    pub(super) characters: Vec<(char, Vec<u8>)>,
}

/// A script that has been read.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// The names of the files that are written to.
    pub(super) written: Vec<String>,
    /// The names of the files that are read line by line.
    pub(super) read: Vec<String>,
    /// It begins with `#n`.
    pub(super) silent: bool,
}

impl Script {
    /// Whether it may end before its input does.
    pub(super) fn quits(&self) -> bool {
        self.commands.iter().any(|command| matches!(command.action, Action::Quit(_) | Action::QuitSilently(_)))
    }
}
