//! The recipe of a hand: what a bundle asks for, what an operator grants, and what
//! a call may therefore do. Pure but for reading a bundle's own folder; *never*
//! runs a component and never names an engine.

mod grant;
mod limits;
mod manifest;

pub use grant::{FolderGrant, Grants, Mode};
pub use limits::{Limits, Profile};
pub use manifest::{Arg, Asks, Command, FolderAsk, Manifest, PropertyArg, State};
