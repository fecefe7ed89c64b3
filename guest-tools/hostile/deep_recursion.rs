//! Calls itself until the stack ends.

use handbox_tool::{Fault, tool};
use std::hint::black_box;

fn descend(depth: u64) -> u64 {
    let here = black_box([depth; 16]);
    if black_box(depth) == u64::MAX { 0 } else { descend(depth + 1).wrapping_add(here[3]) }
}

/// Recurses.
#[tool]
fn attack() -> Result<String, Fault> {
    Ok(descend(0).to_string())
}

handbox_tool::export!(attack);
