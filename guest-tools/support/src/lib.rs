//! What the standard tools share.

mod cut;
mod workspace;

pub use cut::{OUTPUT_CHARS_MAX, Room, thousands};
pub use workspace::{Place, Workspace, fault};
