//! `handbox run`, and what else is done to a session that has a brain.

mod advise;
mod ask;
mod begin;
mod brain;
mod change;
mod client;
mod context;
mod control;
mod drive;
mod hands;
mod model;
mod pinned;
mod report;
mod run;
mod seal;
mod show;
mod wake;
mod wake_all;

pub(crate) use brain::{call_at, known_cost};
pub(crate) use context::{Context, run as context};
pub(crate) use control::{Approve, Deny, Interrupt, approve, deny, interrupt};
pub(crate) use pinned::digest as bundle_digest;
pub(crate) use report::was_interrupted;
pub(crate) use run::{Run, run};
pub(crate) use show::clip;
pub(crate) use wake::{Wake, run as wake};
