//! The proof of the log alone: what it promises holds on a disk that loses power, fails, and changes what it holds.
//!
//! Each part has a short run, which is the test, and a long one: `HANDBOX_PROOF=long cargo test --release -p handbox-store
//! --test crash -- --nocapture --test-threads=2`. Both print their seeds and what they counted; `HANDBOX_PROOF_SEED=n`
//! repeats a run. With `HANDBOX_PROOF_FOLDER=dir`, an empty folder, the killed process's store is kept there, for
//! `handbox log verify --data dir`. A seed fixes what is asked and which disks are looked at; how requests fall into one commit is up to the
//! threads.

#![expect(clippy::unwrap_used, reason = "where a helper cannot go on, the test has failed")]

mod chance;
mod child;
mod disk;
mod errors;
mod fencing;
mod flips;
mod image;
mod kill;
mod oracle;
mod power;
mod questions;
mod story;
mod support;
