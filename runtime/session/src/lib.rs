//! What happened to an agent, and what it means.
//!
//! A *session* is an append-only log of events. This crate holds the events, the chain of hashes over them, what follows
//! from them, and [`SessionLog`]: the interface to wherever they are kept. It *never* does I/O, reads no clock and draws no
//! random number; callers bring time and chance.

mod blobs;
mod canonical;
mod chain;
#[cfg(feature = "contract")]
pub mod contract;
mod event;
mod export;
pub mod fold;
mod id;
pub mod kinds;
mod log;
#[cfg(feature = "memory")]
pub mod memory;
mod new;
mod seq;
mod strict;
mod verify;

pub use blobs::{BLOB_BYTES_MAX, Blobs};
pub use chain::{Chain, ChainError, Fork, Hash, LINEAGE_MAX, advance, genesis};
pub use event::{EVENT_BYTES_MAX, Event, EventError, Kind};
pub use export::{Exporter, Importer};
pub use fold::Fold;
pub use id::{EventId, IdError, Minter, SessionId, ThreadId};
pub use log::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, Batch, Damage, Entry, Followed, LEASE_TIME_MAX, Lease, LogError, Order,
    PAGE_BYTES_MAX, PAGE_EVENTS_MAX, PAGE_SCAN_MAX, Page, Preview, Record, SESSIONS_MAX, SessionLog, Slice, Tail,
    Writer, entry_at,
};
pub use new::{Arrival, NewSession, Ticket};
pub use seq::{Epoch, Places, Seq};
pub use verify::{Anchor, Flaw, Verifier};
