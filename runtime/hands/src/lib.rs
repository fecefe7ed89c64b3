//! Tools, each in its sandbox.
//!
//! A tool is a WebAssembly component. It runs in this process, in a store of its own,
//! with only the folders and values that were granted, and inside limits for everything.
//! This crate is the only one that names an engine. It *never* sees a secret or an event,
//! reads no configuration, and opens no connection.

mod bindings;
mod cache;
mod classify;
mod command;
mod engine;
mod environment;
mod files;
mod guest;
mod hand;
mod hop;
mod job;
mod kept;
mod library;
mod loaded;
mod metadata;
mod meter;
mod network;
mod process;
pub mod reflect;
mod run;
mod schema;
mod scrub;
mod sink;
mod store;
mod ticker;
mod toolbox;

pub use cache::{Cache, CacheError};
pub use engine::{Allocation, Engine, EngineError, MemoryReset};
pub use environment::{Environment, OUTPUTS_GUEST, SCRATCH_GUEST};
pub use files::{Temporary, open_up};
pub use hand::ComponentHand;
pub use kept::KeptLimits;
pub use library::Library;
pub use process::live_programs;

pub use loaded::{LoadWatcher, QuietLoad};
pub use network::Network;
pub use toolbox::{Toolbox, ToolboxError};
