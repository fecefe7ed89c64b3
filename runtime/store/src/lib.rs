//! Bytes that outlive the process: the log of all sessions in one file, and blobs by digest.
//!
//! [`RedbLog`] is [`SessionLog`](handbox_session::SessionLog) on redb. The log is one table of *frames* in the order in which
//! they were appended; each holds what one request put down for one session, with a seal over all of it. Everything else in
//! the file follows from the frames, is written some time after them, and is made again from them at opening. One thread
//! writes: it takes all that waits into one commit, so that many sessions share its syncs.
//!
//! This crate *never* decides what an event means, never writes what was appended a second time, and never goes on writing
//! after a write or a sync failed.

mod blobs;
mod book;
mod checksum;
mod error;
mod fold;
mod follow;
mod frame;
mod gaps;
mod inner;
mod known;
mod lease;
mod lock;
mod log;
mod open;
mod options;
mod plan;
mod read;
mod reclaim;
pub mod socket;
mod tables;
mod verify;
mod writer;

pub use blobs::FileBlobs;
pub use error::OpenError;
pub use log::{Connection, RedbLog};
pub use open::FILE;
pub use options::{Clock, Commit, Options, Space, Surroundings};
pub use redb::{BackendError, StorageBackend};
pub use tables::FORMAT;
pub use verify::Verdict;
