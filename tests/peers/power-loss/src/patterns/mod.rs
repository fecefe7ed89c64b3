//! The ways to write events down.

pub(crate) mod handbox;
pub(crate) mod lines;
pub(crate) mod sqlite;
