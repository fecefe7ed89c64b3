//! The tests of `handbox-session`.

mod chain;
mod events;
mod export;
mod fold_bodies;
mod fold_checkpoint;
mod fold_passed;
mod fold_project;
mod fold_rules;
mod fold_story;
#[cfg(feature = "memory")]
mod fold_summary;
mod ids;
mod memory;
mod verify;
