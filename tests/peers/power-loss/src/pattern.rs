//! Who writes, and how.

use std::time::Duration;

/// A way to write events down, and how hard it is driven.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) name: &'static str,
    pub(crate) how: How,
    pub(crate) writers: u64,
    pub(crate) pace: Pace,
    /// Whether what it acknowledges is meant to survive the loss of power.
    pub(crate) promise: Promise,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Handbox,
    Lines(Sync),
    Sqlite(Synchronous),
}

/// What follows the write of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    Nothing,
    Fdatasync,
}

/// SQLite's `synchronous`, in WAL mode.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Synchronous {
    Normal,
    Full,
}

/// When a writer appends its next event.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Once the last one is acknowledged.
    FlatOut,
    /// So long after the last one. A fast writer makes SQLite and the kernel sync often, and so hides what a pattern loses
    /// at the pace of an agent.
    Every(Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    Durable,
    None,
}

const CALM: Pace = Pace::Every(Duration::from_millis(20));

/// All, in the order of the table.
pub(crate) const PATTERNS: &[Pattern] = &[
    Pattern {
        name: "handbox-64-writers",
        how: How::Handbox,
        writers: 64,
        pace: Pace::FlatOut,
        promise: Promise::Durable,
    },
    Pattern { name: "handbox-50-a-second", how: How::Handbox, writers: 1, pace: CALM, promise: Promise::Durable },
    Pattern {
        name: "json-lines-fdatasync-50-a-second",
        how: How::Lines(Sync::Fdatasync),
        writers: 1,
        pace: CALM,
        promise: Promise::Durable,
    },
    Pattern {
        name: "json-lines-no-fsync-50-a-second",
        how: How::Lines(Sync::Nothing),
        writers: 1,
        pace: CALM,
        promise: Promise::None,
    },
    Pattern {
        name: "sqlite-wal-full-flat-out",
        how: How::Sqlite(Synchronous::Full),
        writers: 1,
        pace: Pace::FlatOut,
        promise: Promise::Durable,
    },
    Pattern {
        name: "sqlite-wal-full-50-a-second",
        how: How::Sqlite(Synchronous::Full),
        writers: 1,
        pace: CALM,
        promise: Promise::Durable,
    },
    Pattern {
        name: "sqlite-wal-normal-flat-out",
        how: How::Sqlite(Synchronous::Normal),
        writers: 1,
        pace: Pace::FlatOut,
        promise: Promise::None,
    },
    Pattern {
        name: "sqlite-wal-normal-50-a-second",
        how: How::Sqlite(Synchronous::Normal),
        writers: 1,
        pace: CALM,
        promise: Promise::None,
    },
];
