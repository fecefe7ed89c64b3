//! The tests of the brain: turns as a story, and each of them broken at every point.

#![expect(clippy::unwrap_used, reason = "what tests do not expect is a failure of theirs")]

mod answers;
mod bench;
mod compactions;
mod contexts;
mod counters;
mod crashes;
mod egress;
mod interrupts;
mod keeps;
mod limits;
mod money;
mod passes;
mod passes_broken;
mod pool;
mod scripts;
mod states;
mod stuck;
mod test_hand;
mod turns;
mod wrapped;
mod zombies;
